/* ARP packets: validation of what comes in, requests and replies that go out (RFC 826). */
#include <string.h>

#include "net/proto/internal.h"

/* Offsets in the frame, for Ethernet and IPv4 (RFC 826, packet format). */
#define ARP_HARDWARE   (ETH_HEADER + 0) /* 1: Ethernet */
#define ARP_PROTOCOL   (ETH_HEADER + 2) /* an EtherType */
#define ARP_HARDWARE_N (ETH_HEADER + 4) /* bytes of a hardware address: 6 */
#define ARP_PROTOCOL_N (ETH_HEADER + 5) /* bytes of a protocol address: 4 */
#define ARP_OPERATION  (ETH_HEADER + 6)
#define ARP_SENDER_MAC (ETH_HEADER + 8)
#define ARP_SENDER_IP  (ETH_HEADER + 14)
#define ARP_TARGET_MAC (ETH_HEADER + 18)
#define ARP_TARGET_IP  (ETH_HEADER + 24)
#define ARP_FRAME      (ETH_HEADER + 28)

#define ARP_REQUEST 1u
#define ARP_REPLY   2u
#define ETH_MIN     60u /* shortest Ethernet frame without FCS, IEEE 802.3 3.2.8 */

static const uint8_t mac_zero[6];
static const uint8_t mac_broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* Builds and sends an ARP packet; a pool without buffers sends none, and the asker tries again. */
static bool arp_emit(struct stack *s, unsigned port, unsigned operation, const uint8_t *to_mac,
	uint32_t sender_ip, const uint8_t *target_mac, uint32_t target_ip)
{
	const struct iface *i = &s->iface[port];
	uint32_t index;

	if (!s->ops->alloc(s->ctx, &index))
		return false;

	uint64_t word = packet_word(index, ETH_MIN, 0);
	uint8_t *f = frame_of(s, word);

	memset(f, 0, ETH_MIN); /* padding included: nothing of the buffer's past leaves */
	memcpy(f, to_mac, 6);
	memcpy(f + 6, i->mac, 6);
	store_be16(f + ETH_TYPE, ETH_TYPE_ARP);
	store_be16(f + ARP_HARDWARE, 1);
	store_be16(f + ARP_PROTOCOL, ETH_TYPE_IPV4);
	f[ARP_HARDWARE_N] = 6;
	f[ARP_PROTOCOL_N] = 4;
	store_be16(f + ARP_OPERATION, (uint16_t)operation);
	memcpy(f + ARP_SENDER_MAC, i->mac, 6);
	store_be32(f + ARP_SENDER_IP, sender_ip);
	memcpy(f + ARP_TARGET_MAC, target_mac, 6);
	store_be32(f + ARP_TARGET_IP, target_ip);
	s->ops->transmit(s->ctx, port, word);
	return true;
}

void arp_send_request(struct stack *s, unsigned port, uint32_t target, const uint8_t *mac)
{
	const struct iface_addr *own = iface_source(&s->iface[port], target);

	if (own && arp_emit(s, port, ARP_REQUEST, mac ? mac : mac_broadcast, own->address, mac_zero,
			   target))
		s->arp.requests_sent++;
}

void arp_send_announcement(struct stack *s, unsigned port, uint32_t address)
{
	if (arp_emit(s, port, ARP_REQUEST, mac_broadcast, address, mac_zero, address))
		s->arp.requests_sent++;
}

static bool iface_owns(const struct iface *i, uint32_t address)
{
	for (unsigned k = 0; k < i->addrs; k++)
		if (i->addr[k].address == address)
			return true;
	return false;
}

/* An address of its network that it answers for, though it is not its own. */
static bool stands_in(const struct stack *s, unsigned port, uint32_t address)
{
	return s->ops->stands_in && s->ops->stands_in(s->ctx, port, address);
}

/*
 * The fixed fields, and a sender that can be one station. The Ethernet source
 * is not compared with the sender's address: RFC 826 does not ask for it, and
 * first-hop redundancy and proxy ARP make them differ rightly.
 */
static bool arp_is_valid(const uint8_t *f, uint32_t len)
{
	if (len < ARP_FRAME || load_be16(f + ARP_HARDWARE) != 1 ||
		load_be16(f + ARP_PROTOCOL) != ETH_TYPE_IPV4 || f[ARP_HARDWARE_N] != 6 ||
		f[ARP_PROTOCOL_N] != 4)
		return false;

	unsigned operation = load_be16(f + ARP_OPERATION);
	uint32_t sender = load_be32(f + ARP_SENDER_IP);

	if (operation != ARP_REQUEST && operation != ARP_REPLY)
		return false;
	if ((f[ARP_SENDER_MAC] & 1) || memcmp(f + ARP_SENDER_MAC, mac_zero, 6) == 0)
		return false;
	/* RFC 5227 2.1.1: a probe asks with sender 0.0.0.0. */
	return ipv4_is_unicast(sender) || (sender == 0 && operation == ARP_REQUEST);
}

/* Somebody uses our address: never believed, always counted, and told now and then. */
static void arp_conflict(struct stack *s, unsigned port, uint32_t address, const uint8_t *mac)
{
	if (neighbor_conflict(s, &s->arp, port))
		s->ops->address_conflict(s->ctx, port, address, mac);
}

/* RFC 826, packet reception: merge, then reply if we are the target of a request. */
static void arp_receive(struct stack *s, unsigned port, const uint8_t *f)
{
	const struct iface *i = &s->iface[port];
	const uint8_t *mac = f + ARP_SENDER_MAC;
	uint32_t sender = load_be32(f + ARP_SENDER_IP), target = load_be32(f + ARP_TARGET_IP);
	bool asks_us = load_be16(f + ARP_OPERATION) == ARP_REQUEST &&
		       (iface_owns(i, target) || stands_in(s, port, target));

	if (!i->installed || memcmp(mac, i->mac, 6) == 0)
		return; /* not in use; or an echo of our own */
	if (iface_owns(i, sender)) {
		arp_conflict(s, port, sender, mac);
		return;
	}
	if (iface_neighbor(i, sender))
		arp_learn(s, port, sender, mac, asks_us);
	if (asks_us && arp_emit(s, port, ARP_REPLY, mac, target, mac, sender))
		s->arp.replies_sent++;
}

void arp_input(struct stack *s, uint64_t word)
{
	const uint8_t *f = frame_of(s, word);
	unsigned port = s->ops->ingress(s->ctx, word);

	if (port >= s->ifaces || !arp_is_valid(f, packet_len(word))) {
		s->ops->drop(s->ctx, word, DROP_ARP_MALFORMED);
		return;
	}
	s->arp.received++;
	arp_receive(s, port, f);
	s->ops->deliver(s->ctx, word);
}

/* ARP and neighbour discovery, answered and asked. */
#include "tools/pktgen/neighbor.h"

#include <string.h>

#include "lib/byteorder.h"
#include "lib/checksum.h"

#define ARP_BYTES             42u
#define ND_BYTES              86u /* Ethernet, IPv6, 24 bytes and an option with a MAC */
#define ND_SOLICIT            135u
#define ND_ADVERTISE          136u
#define ND_SOLICITED_OVERRIDE 0x60000000u

void neighbor_init(struct neighbor *n, const struct scenario *s, unsigned port)
{
	memset(n, 0, sizeof *n);
	n->scenario = s;
	n->port = port;
	n->known = s->port[port].has_router;
	for (unsigned i = 0; i < 2; i++)
		n->silent[i] = s->port[port].gateway[i].family && s->port[port].own[i].family;
	memcpy(n->router, s->port[port].router, 6);
	/* Other devices take any address: one that is nobody's. */
	if (!n->known && s->device != DEVICE_ROUTE) {
		memcpy(n->router, (uint8_t[6]){2, 0x70, 0x67, 0xff, 0, (uint8_t)port}, 6);
		n->known = true;
	}
}

static struct outbox_frame *outbox_take(struct neighbor *n, uint32_t bytes)
{
	struct outbox_frame *f;

	if (n->count == OUTBOX_FRAMES)
		return NULL;
	f = &n->outbox[(n->first + n->count++) % OUTBOX_FRAMES];
	memset(f, 0, sizeof *f);
	f->bytes = bytes < FRAME4_HEAD ? FRAME4_HEAD : bytes;
	return f;
}

static void put_ethernet(uint8_t *f, const uint8_t *to, const uint8_t *from, uint16_t type)
{
	memcpy(f, to, 6);
	memcpy(f + 6, from, 6);
	store_be16(f + 12, type);
}

static void learn(struct neighbor *n, const struct address *who, const uint8_t *mac)
{
	const struct port_config *p = &n->scenario->port[n->port];
	const struct address *gateway = &p->gateway[who->family == 6];

	if (n->known || gateway->family != who->family || !ip6_equal(gateway->ip, who->ip))
		return;
	memcpy(n->router, mac, 6);
	n->silent[who->family == 6] = false;
	/* One that still looks for duplicates of its IPv6 address does not forward by it. */
	n->known = !n->silent[0] && !n->silent[1];
}

/* ---- ARP ---- */

static void put_arp(uint8_t *f, uint16_t operation, const uint8_t *mac, uint32_t from,
	const uint8_t *to_mac, uint32_t to)
{
	uint8_t *arp = f + FRAME_ETHER;

	store_be16(arp, 1);
	store_be16(arp + 2, 0x0800);
	arp[4] = 6;
	arp[5] = 4;
	store_be16(arp + 6, operation);
	memcpy(arp + 8, mac, 6);
	store_be32(arp + 14, from);
	memcpy(arp + 18, to_mac, 6);
	store_be32(arp + 24, to);
}

static struct address address4(const uint8_t *p)
{
	return (struct address){.ip = {(uint64_t)load_be32(p) << 32, 0}, .family = 4, .length = 32};
}

static void take_arp(struct neighbor *n, const uint8_t *f)
{
	const uint8_t *arp = f + FRAME_ETHER, *mac;
	struct address sender = address4(arp + 14), target = address4(arp + 24);
	struct outbox_frame *reply;

	if (load_be32(arp) != 0x00010800 || load_be16(arp + 4) != 0x0604)
		return;
	learn(n, &sender, arp + 8);
	mac = scenario_host_at(n->scenario, n->port, &target);
	/* Probes (RFC 5227) and announcements are not for us: nobody asks for his own address. */
	if (load_be16(arp + 6) != 1 || !mac || ip6_equal(sender.ip, target.ip))
		return;
	reply = outbox_take(n, ARP_BYTES);
	if (!reply)
		return;
	put_ethernet(reply->byte, arp + 8, mac, 0x0806);
	put_arp(reply->byte, 2, mac, load_be32(arp + 24), arp + 8, load_be32(arp + 14));
	n->answers++;
}

static void ask_arp(struct neighbor *n, const struct port_config *p)
{
	static const uint8_t all[6] = {255, 255, 255, 255, 255, 255}, none[6];
	struct outbox_frame *f = outbox_take(n, ARP_BYTES);

	if (!f)
		return;
	put_ethernet(f->byte, all, p->mac, 0x0806);
	put_arp(f->byte, 1, p->mac, (uint32_t)(p->own[0].ip.hi >> 32), none,
		(uint32_t)(p->gateway[0].ip.hi >> 32));
}

/* ---- neighbour discovery ---- */

static uint16_t icmp6_check(const uint8_t *ip, uint32_t bytes)
{
	uint8_t pseudo[8] = {0, 0, 0, 0, 0, 0, 0, 58};
	uint64_t sum;

	store_be32(pseudo, bytes);
	sum = checksum_add(0, pseudo, sizeof pseudo);
	sum = checksum_add(sum, ip + 8, 32);
	return checksum_finish(checksum_add(sum, ip + 40, bytes));
}

/* A solicitation or advertisement, without its Ethernet header. */
static void put_nd(uint8_t *f, uint8_t type, uint32_t flags, struct ip6 from, struct ip6 to,
	struct ip6 target, const uint8_t *mac)
{
	uint8_t *ip = f + FRAME_ETHER, *icmp = ip + 40;
	uint16_t check;

	ip[0] = 0x60;
	store_be16(ip + 4, 32);
	ip[6] = 58;
	ip[7] = 255; /* RFC 4861 7.1 */
	ip6_store(ip + 8, from);
	ip6_store(ip + 24, to);
	icmp[0] = type;
	store_be32(icmp + 4, flags);
	ip6_store(icmp + 8, target);
	icmp[24] = type == ND_SOLICIT ? 1 : 2; /* source or target link-layer address */
	icmp[25] = 1;
	memcpy(icmp + 26, mac, 6);
	check = icmp6_check(ip, 32);
	memcpy(icmp + 2, &check, 2);
}

/* The MAC in an option of this type, or NULL. */
static const uint8_t *nd_option(const uint8_t *icmp, uint32_t bytes, uint8_t type)
{
	for (uint32_t at = 24; at + 8 <= bytes;) {
		uint32_t length = icmp[at + 1] * 8u;

		if (!length || length > bytes - at)
			return NULL;
		if (icmp[at] == type)
			return icmp + at + 2;
		at += length;
	}
	return NULL;
}

static void advertise(struct neighbor *n, const uint8_t *f, struct ip6 from, struct ip6 target,
	const uint8_t *mac)
{
	bool probe =
		ip6_is_zero(from); /* duplicate address detection: to everybody, RFC 4861 7.2.4 */
	static const uint8_t all_nodes[6] = {0x33, 0x33, 0, 0, 0, 1};
	struct outbox_frame *reply = outbox_take(n, ND_BYTES);

	if (!reply)
		return;
	put_ethernet(reply->byte, probe ? all_nodes : f + 6, mac, 0x86dd);
	put_nd(reply->byte, ND_ADVERTISE, probe ? 0x20000000u : ND_SOLICITED_OVERRIDE, target,
		probe ? IP6_ALL_NODES : from, target, mac);
	n->answers++;
}

static void take_nd(struct neighbor *n, const uint8_t *f, uint32_t bytes)
{
	const uint8_t *ip = f + FRAME_ETHER, *icmp = ip + 40, *mac;
	uint32_t length = load_be16(ip + 4);
	struct address from = {.ip = ip6_load(ip + 8), .family = 6, .length = 128};
	struct address target = {.family = 6, .length = 128};

	if (ip[6] != 58 || ip[7] != 255 || length < 24 || length > bytes - FRAME_ETHER - 40 ||
		icmp6_check(ip, length) != 0)
		return;
	target.ip = ip6_load(icmp + 8);
	if (icmp[0] == ND_ADVERTISE) {
		mac = nd_option(icmp, length, 2);
		learn(n, &target, mac ? mac : f + 6);
	} else if (icmp[0] == ND_SOLICIT) {
		mac = nd_option(icmp, length, 1);
		if (mac)
			learn(n, &from, mac);
		mac = scenario_host_at(n->scenario, n->port, &target);
		if (mac)
			advertise(n, f, from.ip, target.ip, mac);
	}
}

static void ask_nd(struct neighbor *n, const struct port_config *p)
{
	struct ip6 group = ip6_solicited_node(p->gateway[1].ip);
	uint8_t to[6] = {0x33, 0x33};
	struct outbox_frame *f = outbox_take(n, ND_BYTES);

	if (!f)
		return;
	store_be32(to + 2, (uint32_t)group.lo);
	put_ethernet(f->byte, to, p->mac, 0x86dd);
	put_nd(f->byte, ND_SOLICIT, 0, p->own[1].ip, group, p->gateway[1].ip, p->mac);
}

/* ---- both ---- */

void neighbor_take(struct neighbor *n, const uint8_t *frame, uint32_t bytes)
{
	if (bytes >= ARP_BYTES && load_be16(frame + 12) == 0x0806)
		take_arp(n, frame);
	else if (bytes >= FRAME_ETHER + 40 + 24 && load_be16(frame + 12) == 0x86dd)
		take_nd(n, frame, bytes);
}

void neighbor_ask(struct neighbor *n)
{
	const struct port_config *p = &n->scenario->port[n->port];

	if (n->silent[0])
		ask_arp(n, p);
	if (n->silent[1])
		ask_nd(n, p);
}

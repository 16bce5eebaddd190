/*
 * The stack of stack_fixture.h with IPv6: fd00::1/64 on port 0, fd00:0:0:1::1/64
 * on port 1, link-local addresses, all of them probed and valid.
 */
#ifndef TEST_UNIT_STACK6_FIXTURE_H
#define TEST_UNIT_STACK6_FIXTURE_H

#include "test/unit/stack_fixture.h"

#define NET6(p, x) ((struct ip6){0xfd00000000000000ull | (p), (x)})
#define US6(p)     NET6(p, 1)
#define HOST6(p)   NET6(p, 2)
#define LINK6(p)   ip6_link_local(f->iface[p].mac)
#define FAR6       ((struct ip6){0x20010db800000000ull, 1})

static uint8_t frame[2048];

static inline const uint8_t *mac_of(unsigned port)
{
	return port ? mac_host1 : mac_host0;
}

static inline void fix6_addresses(struct fixture *f, unsigned p)
{
	f->iface[p].addrs6 = 2;
	f->iface[p].addr6[0] = (struct iface_addr6){.address = US6(p), .length = 64};
	f->iface[p].addr6[1] = (struct iface_addr6){.address = LINK6(p), .length = 64};
	assert_int_equal(iface6_install(&f->iface[p], &f->rib6, &f->nexthops), ERR_OK);
	stack_link_changed(&f->s, p, true, f->now_ms);
}

/* Just come up: addresses are being probed. */
static inline struct fixture *fix6_new_tentative(void)
{
	struct fixture *f = fix_new();

	fix6_addresses(f, 0);
	fix6_addresses(f, 1);
	return f;
}

static inline struct fixture *fix6_new(void)
{
	struct fixture *f = fix6_new_tentative();

	fix_wait(f, 1100);
	fix_balance(f);
	fix_clear(f);
	return f;
}

/* An IPv6 frame on `port` to the router with `payload` bytes 0, 1, 2, ...; its length. */
static inline uint32_t make6(
	unsigned port, struct ip6 src, struct ip6 dst, uint8_t next, uint8_t hops, uint32_t payload)
{
	memset(frame, 0, 54);
	memcpy(frame, (const uint8_t[6]){2, 0, 0, 0, 1, (uint8_t)port}, 6);
	if (ip6_is_multicast(dst)) {
		store_be16(frame, 0x3333);
		store_be32(frame + 2, (uint32_t)dst.lo);
	}
	memcpy(frame + 6, mac_of(port), 6);
	store_be16(frame + 12, 0x86dd);
	frame[14] = 0x60;
	store_be16(frame + 18, (uint16_t)payload);
	frame[20] = next;
	frame[21] = hops;
	ip6_store(frame + 22, src);
	ip6_store(frame + 38, dst);
	for (uint32_t i = 0; i < payload; i++)
		frame[54 + i] = (uint8_t)i;
	return 54 + payload;
}

/* The checksum of `len` bytes at p, whose protocol the packet at ip names first (RFC 8200 8.1). */
static inline uint16_t check6(const uint8_t *ip, const uint8_t *p, uint32_t len)
{
	uint8_t tail[8] = {0, 0, (uint8_t)(len >> 8), (uint8_t)len, 0, 0, 0, ip[6]};

	return checksum_finish(
		checksum_add(checksum_add(checksum_add(0, ip + 8, 32), tail, 8), p, len));
}

/* Makes the checksum of an ICMPv6 message straight behind the header right. */
static inline void finish6(uint32_t frame_len)
{
	memset(frame + 56, 0, 2);
	uint16_t check = check6(frame + 14, frame + 54, frame_len - 54);

	memcpy(frame + 56, &check, 2);
}

/* An ICMPv6 message with `payload` bytes after its 8. */
static inline uint32_t make_icmp6(
	unsigned port, struct ip6 src, struct ip6 dst, uint8_t type, uint8_t code, uint32_t payload)
{
	uint32_t len = make6(port, src, dst, 58, 64, 8 + payload);

	frame[54] = type;
	frame[55] = code;
	store_be32(frame + 58, 0x00070001); /* id 7, sequence 1 */
	finish6(len);
	return len;
}

/* A neighbour solicitation or advertisement with an option of `mac`, or none. */
static inline uint32_t make_nd(unsigned port, uint8_t type, struct ip6 src, struct ip6 dst,
	struct ip6 target, uint32_t flags, const uint8_t *mac)
{
	uint32_t len = make6(port, src, dst, 58, 255, mac ? 32 : 24);

	memset(frame + 54, 0, len - 54);
	frame[54] = type;
	store_be32(frame + 58, flags);
	ip6_store(frame + 62, target);
	if (mac) {
		frame[78] = type == 136 ? 2 : 1;
		frame[79] = 1;
		memcpy(frame + 80, mac, 6);
	}
	finish6(len);
	return len;
}

static inline void fix6_receive(struct fixture *f, unsigned port, uint32_t len)
{
	fix_receive(f, port, frame, len, PUNT_LOCAL);
}

/* A host asks for our address: from now on it is known. */
static inline void fix6_ask(struct fixture *f, unsigned port, struct ip6 src, const uint8_t *mac)
{
	fix6_receive(
		f, port, make_nd(port, 135, src, ip6_solicited_node(US6(port)), US6(port), 0, mac));
}

/* Both hosts known, counters at zero. */
static inline struct fixture *fix6_new_resolved(void)
{
	struct fixture *f = fix6_new();

	fix6_ask(f, 0, HOST6(0), mac_host0);
	fix6_ask(f, 1, HOST6(1), mac_host1);
	fix_balance(f);
	fix_clear(f);
	return f;
}

/* The state of a neighbour, NEIGHBOR_FREE if unknown. */
static inline enum neighbor_state fix6_state(struct fixture *f, unsigned port, struct ip6 address)
{
	struct neighbor *e = neighbor_find(&f->s.nd, port, address);

	return e ? e->state : NEIGHBOR_FREE;
}

/* Frame i that was sent: an IPv6 packet of ours with a right ICMPv6 checksum; its message. */
static inline const uint8_t *fix6_sent(
	struct fixture *f, unsigned i, unsigned port, struct ip6 dst, uint8_t type)
{
	const struct sent *s = &f->sent[i];

	assert_true(i < f->sent_n);
	assert_int_equal(s->port, port);
	assert_int_equal(load_be16(s->frame + 12), 0x86dd);
	assert_int_equal(s->len, 54 + load_be16(s->frame + 18));
	assert_int_equal(s->frame[20], 58);
	assert_true(ip6_equal(ip6_load(s->frame + 38), dst));
	assert_int_equal(check6(s->frame + 14, s->frame + 54, s->len - 54), 0);
	assert_int_equal(s->frame[54], type);
	return s->frame + 54;
}

static inline void fix6_route(struct fixture *f, struct ip6 prefix, unsigned length,
	enum nexthop_action action, struct ip6 via)
{
	struct route6 r = {
		.prefix = prefix, .length = (uint8_t)length, .source = RIB_STATIC, .distance = 1};

	assert_int_equal(nexthop_get6(&f->nexthops, action, 1, via, f->iface[1].mac,
				 f->iface[1].mtu, &r.nexthop),
		ERR_OK);
	assert_int_equal(rib6_add(&f->rib6, &r), ERR_OK);
}

#endif

/*
 * A stack between two networks with the control core played by records: what
 * was sent, how each packet ended, and that each ended exactly once.
 *
 * Port 0 is 10.0.0.1/24, port 1 is 10.0.1.1/24. Pool p belongs to port p, the
 * last one to the control core.
 */
#ifndef TEST_UNIT_STACK_FIXTURE_H
#define TEST_UNIT_STACK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sanitizer/asan_interface.h>

#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "net/path/counters.h"
#include "net/proto/stack.h"
#include "test/model/tables.h"

#define PORTS        2u
#define CONTROL_POOL PORTS
#define POOLS        (PORTS + 1)
#define BUFS         2048u /* of each pool that are used */
#define SENT_MAX     64u

#define ROUTER0 0x0a000001u /* 10.0.0.1 */
#define ROUTER1 0x0a000101u /* 10.0.1.1 */
#define HOST0   0x0a000002u
#define HOST1   0x0a000102u

struct sent {
	unsigned port;
	uint32_t len;
	uint8_t frame[2048];
};

struct fixture {
	struct stack s;
	struct iface iface[PORTS];
	struct rib4 rib;
	struct rib6 rib6;
	struct nexthop_table nexthops;
	struct buffers buffers;
	bool busy[POOLS][BUFS]; /* in the stack's hands */
	unsigned in, transmitted, delivered, dropped, drops[DROP_COUNT];
	unsigned alloc_limit; /* buffers of the control core still to be had */
	unsigned route_changes;
	unsigned sent_n; /* frames in sent[], the first SENT_MAX since fix_clear */
	struct sent sent[SENT_MAX];
	unsigned seen;         /* icmp_seen calls */
	uint8_t seen_icmp[64]; /* start of the last message */
	uint32_t seen_src;
	unsigned conflicts; /* address_conflict calls, and the last one's arguments */
	unsigned conflict_port;
	uint32_t conflict_address;
	uint8_t conflict_mac[6];
	unsigned conflicts6, duplicates6; /* address_conflict6 calls */
	uint64_t now_ms;
};

static const uint8_t mac_host0[6] = {0x52, 0x54, 0, 0, 0, 0x10};
static const uint8_t mac_host1[6] = {0x52, 0x54, 0, 0, 0, 0x11};

static inline uint64_t fix_take(struct fixture *f, unsigned pool)
{
	for (uint32_t i = 0; i < BUFS; i++) {
		if (!f->busy[pool][i]) {
			f->busy[pool][i] = true;
			f->in++;
			return (pool << POOL_SHIFT) + i;
		}
	}
	fail_msg("pool %u is empty: a leak", pool);
	return 0;
}

/* A packet ends: it must have been in the stack's hands. */
static inline void fix_end(struct fixture *f, uint64_t word)
{
	bool *busy = &f->busy[packet_pool(word)][packet_index(word) & (POOL_BUFS - 1)];

	assert_true(*busy);
	*busy = false;
}

static inline bool fix_alloc(void *ctx, uint32_t *index)
{
	struct fixture *f = ctx;

	if (f->alloc_limit == 0)
		return false;
	f->alloc_limit--;
	*index = (uint32_t)fix_take(f, CONTROL_POOL);
	uint8_t *data = buffer_data(&f->buffers, *index);
	ASAN_UNPOISON_MEMORY_REGION(data, PACKET_ROOM);
	memset(data, 0xee, PACKET_ROOM); /* what an earlier packet left */
	return true;
}

static inline void fix_transmit(void *ctx, unsigned port, uint64_t word)
{
	struct fixture *f = ctx;

	assert_true(port < PORTS);
	assert_int_equal(packet_flags(word), 0);
	fix_end(f, word);
	f->transmitted++;
	f->alloc_limit += packet_pool(word) == CONTROL_POOL;
	if (f->sent_n == SENT_MAX)
		return;
	struct sent *s = &f->sent[f->sent_n++];
	s->port = port;
	s->len = packet_len(word);
	memcpy(s->frame, buffer_data(&f->buffers, packet_index(word)), s->len);
}

static inline void fix_drop(void *ctx, uint64_t word, enum drop_reason reason)
{
	struct fixture *f = ctx;

	assert_true(reason < DROP_COUNT);
	fix_end(f, word);
	f->alloc_limit += packet_pool(word) == CONTROL_POOL;
	f->dropped++;
	f->drops[reason]++;
}

static inline void fix_deliver(void *ctx, uint64_t word)
{
	struct fixture *f = ctx;

	fix_end(f, word);
	f->alloc_limit += packet_pool(word) == CONTROL_POOL;
	f->delivered++;
}

static inline unsigned fix_ingress(void *ctx, uint64_t word)
{
	return packet_pool(word) == CONTROL_POOL ? IFACE_NONE : packet_pool(word);
}

static inline void fix_routes_changed(void *ctx)
{
	((struct fixture *)ctx)->route_changes++;
}

static inline void fix_icmp_seen(
	void *ctx, const uint8_t *ip, uint32_t ip_len, const uint8_t *icmp, uint32_t icmp_len)
{
	struct fixture *f = ctx;

	f->seen++;
	assert_true(icmp + icmp_len == ip + ip_len);
	memcpy(f->seen_icmp, icmp, icmp_len < 64 ? icmp_len : 64);
	f->seen_src = load_be32(ip + 12);
}

static inline void fix_address_conflict(
	void *ctx, unsigned port, uint32_t address, const uint8_t *mac)
{
	struct fixture *f = ctx;

	f->conflicts++;
	f->conflict_port = port;
	f->conflict_address = address;
	memcpy(f->conflict_mac, mac, 6);
}

static inline void fix_icmp6_seen(
	void *ctx, const uint8_t *ip, uint32_t ip_len, const uint8_t *icmp, uint32_t icmp_len)
{
	struct fixture *f = ctx;

	f->seen++;
	assert_true(icmp + icmp_len == ip + ip_len);
	memcpy(f->seen_icmp, icmp, icmp_len < 64 ? icmp_len : 64);
}

static inline void fix_address_conflict6(
	void *ctx, unsigned port, struct ip6 address, const uint8_t *mac, bool duplicate)
{
	struct fixture *f = ctx;

	f->conflicts6++;
	f->duplicates6 += duplicate;
	f->conflict_port = port;
	memcpy(f->conflict_mac, mac, 6);
}

#define STANDS_IN 0x0a0000c8u /* 10.0.0.200, of port 0: for somebody whom NAT gives it to */

static inline bool fix_stands_in(void *ctx, unsigned port, uint32_t address)
{
	return port == 0 && address == STANDS_IN;
}

/* Forgets what was counted and sent so far, but not what is held. */
static inline void fix_clear(struct fixture *f)
{
	f->in = stack_held(&f->s);
	f->transmitted = f->delivered = f->dropped = 0;
	memset(f->drops, 0, sizeof f->drops);
	f->sent_n = f->seen = f->route_changes = 0;
}

/* Every packet that came in has one fate, and the buffers agree. */
static inline void fix_balance(struct fixture *f)
{
	unsigned busy = 0;

	for (unsigned p = 0; p < POOLS; p++)
		for (unsigned i = 0; i < BUFS; i++)
			busy += f->busy[p][i];
	assert_int_equal(busy, stack_held(&f->s));
	assert_int_equal(f->in, f->transmitted + f->delivered + f->dropped + busy);
}

static inline struct fixture *fix_new(void)
{
	static const struct stack_ops ops = {fix_alloc, fix_transmit, fix_drop, fix_deliver,
		fix_ingress, fix_routes_changed, fix_icmp_seen, fix_address_conflict,
		fix_icmp6_seen, fix_address_conflict6, NULL, fix_stands_in, NULL};
	struct fixture *f = calloc(1, sizeof *f);

	buffers_shape(&f->buffers, MTU_DEFAULT);
	for (unsigned p = 0; p < POOLS; p++)
		pool_place(&f->buffers, p, aligned_alloc(64, (size_t)POOL_BUFS * PACKET_STRIDE), 0);
	model_rib4_init(&f->rib, MODEL_ROUTES);
	model_rib6_init(&f->rib6, MODEL_ROUTES);
	model_nexthops_init(&f->nexthops);
	for (unsigned p = 0; p < PORTS; p++) {
		f->iface[p] = (struct iface){.port = (uint16_t)p,
			.txq = (uint16_t)p,
			.mtu = 1500,
			.mac = {2, 0, 0, 0, 1, (uint8_t)p},
			.enabled = true,
			.link = true,
			.addrs = 1,
			.addr = {{ROUTER0 + (p << 8), 24}}};
		assert_int_equal(iface_install(&f->iface[p], &f->rib, &f->nexthops), ERR_OK);
	}
	f->s.ops = &ops;
	f->s.ctx = f;
	f->s.buffers = &f->buffers;
	f->s.iface = f->iface;
	f->s.ifaces = PORTS;
	f->s.rib = &f->rib;
	f->s.rib6 = &f->rib6;
	f->s.nexthops = &f->nexthops;
	f->alloc_limit = 256;
	f->now_ms = 1000;
	stack_init(&f->s, f->now_ms);
	return f;
}

/* Ends a test: everything is forgotten, and nothing is left. */
static inline void fix_free(struct fixture *f)
{
	fix_balance(f);
	arp_flush(&f->s);
	nd_flush(&f->s);
	for (unsigned p = 0; p < PORTS; p++)
		reassembly_flush_port(&f->s, p);
	fix_balance(f);
	assert_int_equal(stack_held(&f->s), 0);
	model_rib_free(&f->rib.rib);
	model_rib_free(&f->rib6.rib);
	model_nexthops_free(&f->nexthops);
	for (unsigned p = 0; p < POOLS; p++)
		free(buffer_data(&f->buffers, p << POOL_SHIFT) - PACKET_HEADROOM);
	free(f);
}

/* A frame arrives; bytes after its end may not be read. */
static inline void fix_receive(
	struct fixture *f, unsigned port, const uint8_t *frame, uint32_t len, enum punt_reason why)
{
	uint32_t index = (uint32_t)fix_take(f, port);
	uint8_t *data = buffer_data(&f->buffers, index);

	ASAN_UNPOISON_MEMORY_REGION(data, PACKET_ROOM);
	memcpy(data, frame, len);
	ASAN_POISON_MEMORY_REGION(data + len, PACKET_ROOM - len);
	stack_input(&f->s, packet_word(index, len, why), f->now_ms);
	/* What the stack holds may be read by the test afterwards. */
	ASAN_UNPOISON_MEMORY_REGION(data, PACKET_ROOM);
}

/* Time passes in steps of 10 ms, all timers served. */
static inline void fix_wait(struct fixture *f, uint64_t ms)
{
	for (uint64_t end = f->now_ms + ms; f->now_ms < end;) {
		f->now_ms += 10;
		for (unsigned i = 0; i < 8; i++)
			stack_tick(&f->s, f->now_ms);
	}
}

/* An IPv4 frame to the router with `payload` bytes 0, 1, 2, ...; returns its length. */
static inline uint32_t make_ipv4(uint8_t *f, uint32_t src, uint32_t dst, uint8_t protocol,
	uint8_t ttl, uint16_t fragment, uint32_t payload)
{
	uint32_t total = 20 + payload;
	uint16_t check;

	memset(f, 0, 34);
	memcpy(f, (const uint8_t[6]){2, 0, 0, 0, 1, 0}, 6);
	memcpy(f + 6, mac_host0, 6);
	store_be16(f + 12, 0x0800);
	f[14] = 0x45;
	store_be16(f + 16, (uint16_t)total);
	store_be16(f + 18, 0x1234);
	store_be16(f + 20, fragment);
	f[22] = ttl;
	f[23] = protocol;
	store_be32(f + 26, src);
	store_be32(f + 30, dst);
	check = checksum(f + 14, 20);
	memcpy(f + 24, &check, 2);
	for (uint32_t i = 0; i < payload; i++)
		f[34 + i] = (uint8_t)i;
	if (protocol == 17 && payload >= 8) { /* a whole datagram without checksum, RFC 768 */
		store_be16(f + 38, (uint16_t)payload);
		store_be16(f + 40, 0);
	}
	return 14 + total;
}

/* Inserts n bytes of options (a multiple of 4); returns the new length. */
static inline uint32_t add_options(uint8_t *f, uint32_t len, const uint8_t *options, uint32_t n)
{
	uint16_t check;

	memmove(f + 34 + n, f + 34, len - 34);
	memcpy(f + 34, options, n);
	f[14] = (uint8_t)(0x45 + n / 4);
	store_be16(f + 16, (uint16_t)(load_be16(f + 16) + n));
	memset(f + 24, 0, 2);
	check = checksum(f + 14, 20 + n);
	memcpy(f + 24, &check, 2);
	return len + n;
}

/* An ICMP message of `payload` bytes after its 8; returns the frame's length. */
static inline uint32_t make_icmp(
	uint8_t *f, uint32_t src, uint32_t dst, uint8_t type, uint8_t code, uint32_t payload)
{
	uint32_t len = make_ipv4(f, src, dst, 1, 64, 0, 8 + payload);
	uint16_t check;

	f[34] = type;
	f[35] = code;
	memset(f + 36, 0, 2);
	store_be32(f + 38, 0x00070001); /* id 7, sequence 1 */
	check = checksum(f + 34, 8 + payload);
	memcpy(f + 36, &check, 2);
	return len;
}

/* An ARP frame, 42 bytes. */
static inline void make_arp(
	uint8_t *f, unsigned operation, const uint8_t *sender_mac, uint32_t sender, uint32_t target)
{
	static const uint8_t head[] = {0, 1, 8, 0, 6, 4};

	memset(f, 0xff, 6);
	memcpy(f + 6, sender_mac, 6);
	store_be16(f + 12, 0x0806);
	memcpy(f + 14, head, sizeof head);
	store_be16(f + 20, (uint16_t)operation);
	memcpy(f + 22, sender_mac, 6);
	store_be32(f + 28, sender);
	memset(f + 32, 0, 6);
	store_be32(f + 38, target);
}

static inline void fix_arp(struct fixture *f, unsigned port, unsigned operation, const uint8_t *mac,
	uint32_t sender, uint32_t target)
{
	uint8_t frame[42];

	make_arp(frame, operation, mac, sender, target);
	fix_receive(f, port, frame, sizeof frame, PUNT_ARP);
}

/* Both hosts known, counters at zero. */
static inline struct fixture *fix_new_resolved(void)
{
	struct fixture *f = fix_new();

	fix_arp(f, 0, 1, mac_host0, HOST0, ROUTER0);
	fix_arp(f, 1, 1, mac_host1, HOST1, ROUTER1);
	fix_balance(f);
	fix_clear(f);
	return f;
}

static inline struct neighbor *fix_neighbor(struct fixture *f, uint32_t address)
{
	for (unsigned i = 0; i < NEIGHBOR_MAX; i++)
		if (f->s.arp.entry[i].state != NEIGHBOR_FREE &&
			ip6_equal(f->s.arp.entry[i].address, rib4_key(address)))
			return &f->s.arp.entry[i];
	return NULL;
}

/* The state of a neighbour, NEIGHBOR_FREE if unknown. */
static inline enum neighbor_state fix_state(struct fixture *f, uint32_t address)
{
	struct neighbor *e = fix_neighbor(f, address);

	return e ? e->state : NEIGHBOR_FREE;
}

/* A fixed sequence below n (splitmix64). */
static inline uint32_t rnd(uint32_t n)
{
	static uint64_t state;
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z >> 32) * n >> 32);
}

static inline void fix_route(struct fixture *f, uint32_t prefix, unsigned length,
	enum nexthop_action action, uint32_t via)
{
	struct route4 r = {
		.prefix = prefix, .length = (uint8_t)length, .source = RIB_STATIC, .distance = 1};

	assert_int_equal(nexthop_get(&f->nexthops, action, 1, via, f->iface[1].mac, f->iface[1].mtu,
				 &r.nexthop),
		ERR_OK);
	assert_int_equal(rib4_add(&f->rib, &r), ERR_OK);
}

#endif

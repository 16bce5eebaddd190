/* The slow path: every decision on a punted packet, options, fragments, own packets, and garbage.
 */
#include "stack_fixture.h"

#define FAR 0xc0000201u /* 192.0.2.1 */

static uint8_t frame[2048];

/* A UDP packet from host 0; the reason is only a hint. */
static void send_udp(struct fixture *f, uint32_t dst, uint8_t ttl, enum punt_reason why)
{
	uint32_t len = make_ipv4(frame, HOST0, dst, 17, ttl, 0, 20);

	fix_receive(f, 0, frame, len, why);
}

/* The one packet since the last fix_clear ended under `reason`, with the given ICMP error. */
static void assert_refused(struct fixture *f, enum drop_reason reason, int type, int code)
{
	assert_int_equal(f->drops[reason], 1);
	assert_int_equal(f->dropped, 1);
	assert_int_equal(f->sent_n, type >= 0);
	if (type >= 0) {
		assert_int_equal(f->sent[0].frame[34], type);
		assert_int_equal(f->sent[0].frame[35], code);
	}
	fix_balance(f);
	fix_clear(f);
}

static void test_forward(void **state)
{
	struct fixture *f = fix_new_resolved();
	const struct sent *s = &f->sent[0];

	fix_route(f, 0, 0, NEXTHOP_RESOLVE, HOST1);
	for (unsigned ttl = 2; ttl < 256; ttl++) {
		send_udp(f, ttl % 2 ? HOST1 : FAR, (uint8_t)ttl, PUNT_RESOLVE);
		assert_int_equal(f->sent_n, 1);
		assert_int_equal(s->port, 1);
		assert_memory_equal(s->frame, mac_host1, 6);
		assert_memory_equal(s->frame + 6, f->iface[1].mac, 6);
		assert_int_equal(s->frame[22], ttl - 1);
		assert_int_equal(checksum(s->frame + 14, 20), 0);
		assert_memory_equal(s->frame + 26, frame + 26, 28); /* the rest as it was */
		fix_clear(f);
	}
	fix_free(f);
}

/* Padding up to Ethernet's minimum ends at the router. */
static void test_padding(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint32_t len = make_ipv4(frame, HOST0, HOST1, 17, 9, 0, 4);

	fix_receive(f, 0, frame, 60, PUNT_RESOLVE);
	assert_int_equal(f->sent[0].len, len);
	fix_free(f);
}

static void test_refusals(void **state)
{
	struct fixture *f = fix_new_resolved();

	fix_route(f, 0xc0000100, 24, NEXTHOP_UNREACHABLE, 0);
	fix_route(f, 0xc0000300, 24, NEXTHOP_PROHIBIT, 0);
	fix_route(f, 0xc0000400, 24, NEXTHOP_BLACKHOLE, 0);
	send_udp(f, FAR, 64, PUNT_NO_ROUTE);
	assert_refused(f, DROP_NO_ROUTE, 3, 0);
	send_udp(f, 0xc0000101, 64, PUNT_UNREACHABLE);
	assert_refused(f, DROP_UNREACHABLE, 3, 1);
	send_udp(f, 0xc0000301, 64, PUNT_PROHIBIT);
	assert_refused(f, DROP_PROHIBIT, 3, 13);
	send_udp(f, 0xc0000401, 64, PUNT_RESOLVE);
	assert_refused(f, DROP_BLACKHOLE, -1, 0);
	send_udp(f, 0xc0000401, 1, PUNT_TTL); /* as the workers: silence comes before TTL */
	assert_refused(f, DROP_BLACKHOLE, -1, 0);
	send_udp(f, 0x0a0001ff, 64, PUNT_RESOLVE);
	assert_refused(f, DROP_BROADCAST, -1, 0);
	for (uint8_t ttl = 0; ttl < 2; ttl++) {
		send_udp(f, HOST1, ttl, PUNT_TTL);
		assert_refused(f, DROP_TTL_EXCEEDED, 11, 0);
		send_udp(f, 0xc0000101, ttl, PUNT_TTL); /* and TTL before the rest */
		assert_refused(f, DROP_TTL_EXCEEDED, 11, 0);
	}
	fix_free(f);
}

/* The worker's table was older than the RIB: the RIB decides. */
static void test_stale_worker(void **state)
{
	struct fixture *f = fix_new_resolved();

	send_udp(f, HOST1, 64, PUNT_NO_ROUTE);
	assert_int_equal(f->transmitted, 1);
	fix_clear(f);
	send_udp(f, HOST1, 64, PUNT_LOCAL);
	assert_int_equal(f->transmitted, 1);
	fix_clear(f);
	send_udp(f, ROUTER1, 64, PUNT_UNREACHABLE);
	assert_refused(f, DROP_LOCAL_NO_PROTOCOL, 3, 3);
	fix_free(f);
}

static void test_local(void **state)
{
	struct fixture *f = fix_new_resolved();

	send_udp(f, ROUTER0, 1, PUNT_LOCAL); /* TTL does not matter at the end of the way */
	assert_refused(f, DROP_LOCAL_NO_PROTOCOL, 3, 3);
	fix_receive(f, 0, frame, make_ipv4(frame, HOST0, ROUTER0, 6, 64, 0, 20), PUNT_LOCAL);
	assert_refused(f, DROP_LOCAL_NO_PROTOCOL, -1, 0);
	fix_receive(f, 0, frame, make_ipv4(frame, HOST0, ROUTER0, 89, 64, 0, 20), PUNT_LOCAL);
	assert_refused(f, DROP_LOCAL_NO_PROTOCOL, 3, 2);
	fix_receive(f, 0, frame, make_ipv4(frame, HOST0, ROUTER0, 1, 64, 0x2000, 24), PUNT_LOCAL);
	assert_refused(f, DROP_LOCAL_FRAGMENT, -1, 0);
	fix_receive(f, 0, frame, make_ipv4(frame, HOST0, ROUTER0, 1, 64, 3, 24), PUNT_LOCAL);
	assert_refused(f, DROP_LOCAL_FRAGMENT, -1, 0);
	fix_free(f);
}

/* Lengths that lie; a worker would have dropped these. */
static void test_lengths(void **state)
{
	struct fixture *f = fix_new_resolved();

	make_ipv4(frame, HOST0, HOST1, 17, 64, 0, 20);
	for (uint32_t len = 0; len < 34; len++)
		fix_receive(f, 0, frame, len, PUNT_RESOLVE);
	assert_int_equal(f->drops[DROP_IP_TRUNCATED], 34);
	for (uint32_t len = 34; len < 54; len++)
		fix_receive(f, 0, frame, len, PUNT_RESOLVE);
	assert_int_equal(f->drops[DROP_IP_TOTAL_LENGTH], 20);
	frame[14] = 0x44;
	fix_receive(f, 0, frame, 54, PUNT_RESOLVE);
	assert_int_equal(f->drops[DROP_IP_HEADER_LENGTH], 1);
	frame[14] = 0x4f; /* 60 bytes of header in a packet of 40 */
	fix_receive(f, 0, frame, 54, PUNT_RESOLVE);
	assert_int_equal(f->drops[DROP_IP_TOTAL_LENGTH], 21);
	fix_free(f);
}

/* ---- options ---- */

static void send_options(struct fixture *f, uint32_t dst, uint8_t ttl, const uint8_t *o, uint32_t n)
{
	uint32_t len = make_ipv4(frame, HOST0, dst, 17, ttl, 0, 20);

	fix_receive(f, 0, frame, add_options(frame, len, o, n), PUNT_OPTIONS);
}

static void test_options(void **state)
{
	static const uint8_t record[] = {7, 7, 4, 0, 0, 0, 0, 0}, nops[] = {1, 1, 1, 1};
	static const uint8_t alert[] = {148, 4, 0, 0}, end[] = {0, 0xff, 0xff, 0xff};
	struct fixture *f = fix_new_resolved();

	send_options(f, HOST1, 64, record, 8);
	send_options(f, HOST1, 64, nops, 4);
	send_options(f, HOST1, 64, alert, 4);
	send_options(f, HOST1, 64, end, 4); /* nothing after the end counts */
	assert_int_equal(f->sent_n, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(f->sent[i].frame[22], 63);
		assert_int_equal(checksum(f->sent[i].frame + 14, i ? 24 : 28), 0);
	}
	fix_clear(f);
	send_options(f, HOST1, 1, nops, 4); /* all the other checks apply */
	assert_refused(f, DROP_TTL_EXCEEDED, 11, 0);
	send_options(f, FAR, 64, nops, 4);
	assert_refused(f, DROP_NO_ROUTE, 3, 0);
	send_options(f, ROUTER0, 64, nops, 4);
	assert_refused(f, DROP_LOCAL_NO_PROTOCOL, 3, 3);
	fix_free(f);
}

static void test_ping_with_options(void **state)
{
	static const uint8_t record[] = {7, 7, 4, 0, 0, 0, 0, 0};
	struct fixture *f = fix_new_resolved();
	uint32_t len = make_icmp(frame, HOST0, ROUTER0, 8, 0, 20);

	fix_receive(f, 0, frame, add_options(frame, len, record, 8), PUNT_OPTIONS);
	assert_int_equal(f->sent_n, 1);
	assert_int_equal(f->sent[0].len, len);
	assert_int_equal(checksum(f->sent[0].frame + 34, 28), 0);
	fix_free(f);
}

static void test_bad_options(void **state)
{
	static const uint8_t bad[][4] = {{7, 0, 0, 0}, {7, 1, 0, 0}, {7, 5, 4, 0}, {1, 1, 1, 7},
		{1, 1, 7, 3}, {148, 255, 0, 0}};
	static const uint8_t loose[] = {131, 7, 4, 10, 0, 1, 2, 0};
	static const uint8_t strict[] = {1, 137, 7, 4, 10, 0, 1, 2};
	struct fixture *f = fix_new_resolved();

	for (unsigned i = 0; i < 6; i++) {
		send_options(f, i % 2 ? HOST1 : ROUTER0, 64, bad[i], 4);
		assert_refused(f, DROP_IP_OPTIONS, -1, 0);
	}
	send_options(f, HOST1, 64, loose, 8);
	assert_refused(f, DROP_SOURCE_ROUTE, -1, 0);
	send_options(f, ROUTER0, 64, strict, 8);
	assert_refused(f, DROP_SOURCE_ROUTE, -1, 0);
	fix_free(f);
}

/* ---- fragments ---- */

/* Puts the fragments sent by port 1 together; checks each; returns the payload's length. */
static uint32_t reassemble(struct fixture *f, uint32_t mtu, uint8_t *payload, uint32_t base)
{
	uint32_t at = base;

	for (unsigned i = 0; i < f->sent_n; i++) {
		const uint8_t *p = f->sent[i].frame;
		uint32_t header = (p[14] & 15u) * 4, total = load_be16(p + 16);
		uint16_t fragment = load_be16(p + 20);

		assert_int_equal(f->sent[i].port, 1);
		assert_memory_equal(p, mac_host1, 6);
		assert_int_equal(f->sent[i].len, 14 + total);
		assert_true(total <= mtu);
		assert_int_equal(checksum(p + 14, header), 0);
		assert_int_equal(load_be16(p + 18), 0x1234);
		assert_int_equal(p[22], 63);
		assert_int_equal((fragment & 0x1fff) * 8, at);
		if (i + 1 < f->sent_n)
			assert_true(fragment & 0x2000);
		memcpy(payload + at - base, p + 14 + header, total - header);
		at += total - header;
	}
	return at - base;
}

static void test_fragment(void **state)
{
	static const uint32_t mtus[] = {576, 577, 583, 584, 1000, 1499};
	struct fixture *f = fix_new_resolved();
	uint8_t payload[2048];

	for (unsigned i = 0; i < 6; i++) {
		nexthop_set_mtu(&f->nexthops, 1, mtus[i]);
		for (uint32_t n = mtus[i] - 20 - 1; n <= 1480; n += n < mtus[i] + 8 ? 1 : 111) {
			fix_receive(f, 0, frame, make_ipv4(frame, HOST0, HOST1, 17, 64, 0, n),
				PUNT_MTU);
			assert_true(f->sent_n == 1 ? n + 20 <= mtus[i] : n + 20 > mtus[i]);
			assert_int_equal(reassemble(f, mtus[i], payload, 0), n);
			assert_memory_equal(payload, frame + 34, n);
			assert_false(load_be16(f->sent[f->sent_n - 1].frame + 20) & 0x2000);
			assert_int_equal(f->delivered, f->sent_n > 1); /* the original ends here */
			fix_balance(f);
			fix_clear(f);
		}
	}
	fix_free(f);
}

/* A fragment is cut again: offsets add up, MF of the last stays. */
static void test_fragment_of_fragment(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint8_t payload[2048];

	nexthop_set_mtu(&f->nexthops, 1, 576);
	fix_receive(
		f, 0, frame, make_ipv4(frame, HOST0, HOST1, 17, 64, 0x2000 | 185, 1480), PUNT_MTU);
	assert_int_equal(f->sent_n, 3);
	assert_int_equal(reassemble(f, 576, payload, 185 * 8), 1480);
	assert_memory_equal(payload, frame + 34, 1480);
	assert_true(load_be16(f->sent[2].frame + 20) & 0x2000);
	fix_clear(f);
	/* one that ends beyond 65,535 */
	fix_receive(f, 0, frame, make_ipv4(frame, HOST0, HOST1, 17, 64, 0x1fff, 1480), PUNT_MTU);
	assert_refused(f, DROP_MTU_EXCEEDED, -1, 0);
	fix_free(f);
}

/* RFC 791 3.1: the copy bit says which options are in every fragment. */
static void test_fragment_options(void **state)
{
	/* record route (first only), router alert (all), security (all) */
	static const uint8_t options[] = {
		7, 7, 4, 0, 0, 0, 0, 148, 4, 0, 0, 130, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0};
	static const uint8_t later[] = {148, 4, 0, 0, 130, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0};
	struct fixture *f = fix_new_resolved();
	uint8_t payload[2048];
	uint32_t len = make_ipv4(frame, HOST0, HOST1, 17, 64, 0, 1400);

	nexthop_set_mtu(&f->nexthops, 1, 576);
	len = add_options(frame, len, options, sizeof options);
	fix_receive(f, 0, frame, len, PUNT_OPTIONS);
	assert_int_equal(f->sent_n, 3);
	assert_int_equal(reassemble(f, 576, payload, 0), 1400);
	assert_memory_equal(payload, frame + 34 + sizeof options, 1400);
	assert_int_equal(f->sent[0].frame[14], 0x4b);
	assert_memory_equal(f->sent[0].frame + 34, options, sizeof options);
	for (unsigned i = 1; i < 3; i++) {
		assert_int_equal(f->sent[i].frame[14], 0x49);
		assert_memory_equal(f->sent[i].frame + 34, later, sizeof later);
	}
	fix_free(f);
}

/* All fragments or none. */
static void test_fragment_no_buffers(void **state)
{
	struct fixture *f = fix_new_resolved();

	nexthop_set_mtu(&f->nexthops, 1, 576);
	for (unsigned have = 0; have < 3; have++) {
		f->alloc_limit = have;
		fix_receive(f, 0, frame, make_ipv4(frame, HOST0, HOST1, 17, 64, 0, 1480), PUNT_MTU);
		assert_int_equal(f->sent_n, 0);
		assert_int_equal(f->drops[DROP_MTU_EXCEEDED], have + 1);
		fix_balance(f);
		fix_clear(f);
	}
	f->alloc_limit = 3;
	fix_receive(f, 0, frame, make_ipv4(frame, HOST0, HOST1, 17, 64, 0, 1480), PUNT_MTU);
	assert_int_equal(f->sent_n, 3);
	fix_free(f);
}

/* ---- the router's own packets ---- */

static void test_own_echo(void **state)
{
	struct fixture *f = fix_new_resolved();
	const uint8_t *p = f->sent[0].frame;

	fix_route(f, 0, 0, NEXTHOP_RESOLVE, HOST1);
	assert_int_equal(stack_send_echo(&f->s, FAR, 0x1122, 0x3344, 100, 0), ERR_OK);
	assert_int_equal(f->sent[0].port, 1);
	assert_int_equal(f->sent[0].len, 14 + 20 + 8 + 100);
	assert_memory_equal(p, mac_host1, 6);
	assert_int_equal(checksum(p + 14, 20), 0);
	assert_int_equal(checksum(p + 34, 108), 0);
	assert_int_equal(p[22], 64);
	assert_int_equal(load_be32(p + 26), ROUTER1); /* of the interface it leaves by */
	assert_int_equal(p[34], 8);
	assert_int_equal(load_be32(p + 38), 0x11223344);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(p[42 + i], i);
	assert_int_equal(stack_send_echo(&f->s, HOST0, 1, 2, 0, 3), ERR_OK);
	assert_int_equal(f->sent[1].frame[22], 3);
	assert_int_equal(load_be32(f->sent[1].frame + 26), ROUTER0);
	assert_int_not_equal(load_be16(p + 18), load_be16(f->sent[1].frame + 18));
	assert_int_equal(stack_send_echo(&f->s, HOST0, 1, 2, 1472, 0), ERR_OK);
	assert_int_equal(f->sent[2].len, 1514);
	fix_free(f);
}

static void test_own_errors(void **state)
{
	struct fixture *f = fix_new_resolved();

	fix_route(f, 0xc0000100, 24, NEXTHOP_UNREACHABLE, 0);
	fix_route(f, 0xc0000300, 24, NEXTHOP_PROHIBIT, 0);
	fix_route(f, 0xc0000400, 24, NEXTHOP_BLACKHOLE, 0);
	assert_int_equal(stack_send_echo(&f->s, HOST0, 1, 1, 1473, 0), ERR_INVALID);
	assert_int_equal(stack_send_echo(&f->s, HOST0, 1, 1, UINT32_MAX, 0), ERR_INVALID);
	assert_int_equal(stack_send_echo(&f->s, 0xe0000001, 1, 1, 8, 0), ERR_INVALID);
	assert_int_equal(stack_send_echo(&f->s, 0x7f000001, 1, 1, 8, 0), ERR_INVALID);
	assert_int_equal(f->in, 0); /* none of them took a buffer */
	assert_int_equal(stack_send_echo(&f->s, FAR, 1, 1, 8, 0), ERR_NOT_FOUND);
	assert_refused(f, DROP_NO_ROUTE, -1, 0);
	assert_int_equal(stack_send_echo(&f->s, 0xc0000101, 1, 1, 8, 0), ERR_NOT_FOUND);
	assert_refused(f, DROP_UNREACHABLE, -1, 0);
	assert_int_equal(stack_send_echo(&f->s, 0xc0000301, 1, 1, 8, 0), ERR_NOT_FOUND);
	assert_refused(f, DROP_PROHIBIT, -1, 0);
	assert_int_equal(stack_send_echo(&f->s, 0xc0000401, 1, 1, 8, 0), ERR_NOT_FOUND);
	assert_refused(f, DROP_BLACKHOLE, -1, 0);
	assert_int_equal(stack_send_echo(&f->s, 0x0a0000ff, 1, 1, 8, 0), ERR_INVALID);
	assert_refused(f, DROP_BROADCAST, -1, 0);
	nexthop_set_mtu(&f->nexthops, 0, 600);
	assert_int_equal(stack_send_echo(&f->s, HOST0, 1, 1, 573, 0), ERR_INVALID);
	assert_refused(f, DROP_MTU_EXCEEDED, -1, 0);
	assert_int_equal(stack_send_echo(&f->s, HOST0, 1, 1, 572, 0), ERR_OK);
	f->alloc_limit = 0;
	assert_int_equal(stack_send_echo(&f->s, HOST0, 1, 1, 8, 0), ERR_FULL);
	fix_free(f);
}

/* Ping of an own address: request and reply stay inside, both are delivered. */
static void test_loopback(void **state)
{
	struct fixture *f = fix_new_resolved();

	assert_int_equal(stack_send_echo(&f->s, ROUTER1, 5, 6, 40, 1), ERR_OK);
	assert_int_equal(f->sent_n, 0);
	assert_int_equal(f->delivered, 2);
	assert_int_equal(f->seen, 1);
	assert_int_equal(f->seen_icmp[0], 0);
	assert_int_equal(load_be32(f->seen_icmp + 4), 0x00050006);
	assert_int_equal(f->seen_src, ROUTER1);
	assert_false(f->s.looping);
	assert_int_equal(f->s.loops, 0);
	fix_free(f);
}

/* A listener that answers each echo reply with another request ends all the same. */
static void echo_again(
	void *ctx, const uint8_t *ip, uint32_t ip_len, const uint8_t *icmp, uint32_t icmp_len)
{
	struct fixture *f = ctx;

	f->seen++;
	(void)!stack_send_echo(&f->s, ROUTER0, 1, (uint16_t)f->seen, 8, 0);
}

static void test_loopback_flood(void **state)
{
	struct fixture *f = fix_new_resolved();
	struct stack_ops ops = *f->s.ops;

	ops.icmp_seen = echo_again;
	f->s.ops = &ops;
	assert_int_equal(stack_send_echo(&f->s, ROUTER0, 1, 1, 8, 0), ERR_OK);
	assert_int_equal(f->seen, STACK_LOOP / 2);
	assert_int_equal(f->delivered, STACK_LOOP);
	assert_int_equal(f->drops[DROP_CONTROL_QUEUE_FULL], 1);
	fix_balance(f);
	assert_int_equal(stack_send_echo(&f->s, ROUTER0, 1, 1, 8, 0), ERR_OK); /* and works again */
	fix_free(f);
}

/* ---- garbage ---- */

/* A fixed sequence below n (splitmix64). */
static uint32_t rnd(uint32_t n)
{
	static uint64_t state;
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z >> 32) * n >> 32);
}

static uint32_t any_address(void)
{
	static const uint32_t known[] = {HOST0, HOST1, ROUTER0, ROUTER1, FAR, 0xc0000101,
		0xc0000301, 0xc0000401, 0, 0xffffffff, 0xe0000001, 0x7f000001, 0x0a0000ff,
		0x0a000100, 0x08080808};

	return rnd(4) ? known[rnd(15)] : rnd(2) ? 0x0a000000 | rnd(0x200) : rnd(UINT32_MAX);
}

/* A frame that is nearly right. */
static uint32_t any_frame(void)
{
	static const uint8_t protocols[] = {1, 6, 17, 47};
	static const uint8_t starts[][4] = {
		{1, 1, 1, 0}, {131, 3, 4, 0}, {7, 3, 4, 0}, {148, 4, 0, 0}};
	uint32_t len, payload = rnd(4) ? rnd(100) : rnd(1481);

	if (rnd(4) == 0) {
		make_arp(frame, 1 + rnd(2), rnd(2) ? mac_host0 : mac_host1, any_address(),
			any_address());
		len = 42 + rnd(2) * 18;
	} else if (rnd(3) == 0) {
		len = make_icmp(frame, any_address(), any_address(), (uint8_t)rnd(20),
			(uint8_t)rnd(4), payload < 1472 ? payload : 1472);
	} else {
		len = make_ipv4(frame, any_address(), any_address(), protocols[rnd(4)],
			(uint8_t)rnd(66), (uint16_t)(rnd(3) ? 0 : rnd(0x10000)), payload);
	}
	if (rnd(4) == 0 && len < 1500) {
		uint8_t options[40];
		uint32_t n = 4 + 4 * rnd(10);

		for (uint32_t i = 0; i < n; i++)
			options[i] = (uint8_t)(rnd(2) ? rnd(12) : rnd(256));
		if (rnd(2)) /* a right one in front: NOP, source route, record route, alert */
			memcpy(options, starts[rnd(4)], 4);
		len = add_options(frame, len, options, n);
	}
	for (uint32_t i = rnd(3) ? 0 : rnd(4); i > 0; i--)
		frame[rnd(rnd(2) ? 60 : len)] ^= (uint8_t)(1u << rnd(8));
	return rnd(8) ? len : rnd(len + 1);
}

/* Why a worker would hand it up; sometimes any reason at all. */
static enum punt_reason any_reason(void)
{
	if (rnd(20) == 0)
		return rnd(256);
	return load_be16(frame + 12) == 0x0806 ? PUNT_ARP
					       : PUNT_LOCAL + rnd(PUNT_COUNT - PUNT_LOCAL);
}

/*
 * Nothing that arrives crashes, reads past its frame (the bytes after it are
 * poisoned), or loses a buffer; now and then the world changes under it.
 */
static void test_garbage(void **state)
{
	static const enum drop_reason met[] = {DROP_IP_TRUNCATED, DROP_IP_HEADER_LENGTH,
		DROP_IP_TOTAL_LENGTH, DROP_BROADCAST, DROP_SOURCE_ROUTE, DROP_IP_OPTIONS,
		DROP_TTL_EXCEEDED, DROP_NO_ROUTE, DROP_BLACKHOLE, DROP_UNREACHABLE, DROP_PROHIBIT,
		DROP_MTU_EXCEEDED, DROP_NEIGHBOR_PENDING, DROP_NEIGHBOR_FAILED, DROP_ARP_MALFORMED,
		DROP_ICMP_MALFORMED, DROP_LOCAL_FRAGMENT, DROP_LOCAL_NO_PROTOCOL, DROP_LINK_DOWN};
	struct fixture *f = fix_new_resolved();

	fix_route(f, 0xc0000100, 24, NEXTHOP_UNREACHABLE, 0);
	fix_route(f, 0xc0000300, 24, NEXTHOP_PROHIBIT, 0);
	fix_route(f, 0xc0000400, 24, NEXTHOP_BLACKHOLE, 0);
	fix_route(f, 0x08000000, 8, NEXTHOP_RESOLVE, HOST1);
	for (unsigned i = 0; i < 150000; i++) {
		uint32_t len = any_frame();

		fix_receive(f, rnd(PORTS), frame, len, any_reason());
		f->now_ms += rnd(3);
		if (rnd(50) == 0)
			stack_tick(&f->s, f->now_ms);
		if (rnd(5000) == 0)
			nexthop_set_mtu(&f->nexthops, 1, 576 + rnd(900));
		if (rnd(5000) == 0)
			stack_link_changed(&f->s, rnd(2), rnd(2), f->now_ms);
		if (rnd(2000) == 0)
			f->alloc_limit = rnd(3) ? 256 : 0;
		if (rnd(1000) == 0)
			(void)!stack_send_echo(
				&f->s, any_address(), 1, 1, rnd(1500), (uint8_t)rnd(3));
		nexthop_grace_passed(&f->nexthops);
		nexthop_grace_begin(&f->nexthops);
		if (i % 1000 == 0)
			fix_balance(f);
	}
	fix_balance(f);
	assert_true(f->in > 150000);
	assert_true(f->transmitted > 10000 && f->delivered > 10000 && f->dropped > 10000);
	for (unsigned i = 0; i < sizeof met / sizeof met[0]; i++)
		assert_true(f->drops[met[i]] > 100); /* each end was reached */
	fix_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forward),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_stale_worker),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_ping_with_options),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_fragment),
		cmocka_unit_test(test_fragment_of_fragment),
		cmocka_unit_test(test_fragment_options),
		cmocka_unit_test(test_fragment_no_buffers),
		cmocka_unit_test(test_own_echo),
		cmocka_unit_test(test_own_errors),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_loopback_flood),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

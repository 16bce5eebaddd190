/* IPv6 at the control core: echo, errors and when there are none, extension headers, garbage. */
#include "net/proto/internal.h"
#include "test/unit/stack6_fixture.h"

/* A packet from h0 is answered with this error, quoting all of it that fits. */
static const uint8_t *expect_error(
	struct fixture *f, uint32_t len, uint8_t type, uint8_t code, uint32_t info)
{
	const uint8_t *p = fix6_sent(f, f->sent_n - 1, 0, HOST6(0), type);
	uint32_t quote = len - 14 < ICMP6_QUOTE ? len - 14 : ICMP6_QUOTE;

	assert_int_equal(p[1], code);
	assert_int_equal(load_be32(p + 4), info);
	assert_int_equal(f->sent[f->sent_n - 1].len, 54 + 8 + quote);
	assert_memory_equal(p + 8 + 40, frame + 54, quote - 40);
	assert_true(ip6_equal(ip6_load(f->sent[f->sent_n - 1].frame + 22), US6(0)));
	return p;
}

static void test_echo(void **state)
{
	struct fixture *f = fix6_new_resolved();
	uint32_t len = make_icmp6(0, HOST6(0), US6(0), 128, 0, 56);

	frame[14] = 0x6b; /* a class, which comes back */
	frame[15] = 0x90;
	fix6_receive(f, 0, len);
	assert_int_equal(load_be16(f->sent[0].frame + 14), 0x6b90);
	const uint8_t *p = fix6_sent(f, 0, 0, HOST6(0), 129);

	assert_memory_equal(p + 4, frame + 58, 60);
	assert_true(ip6_equal(ip6_load(f->sent[0].frame + 22), US6(0)));
	/* to the far side's address; to a group: from our own */
	fix6_receive(f, 0, make_icmp6(0, HOST6(0), US6(1), 128, 0, 8));
	fix6_sent(f, 1, 0, HOST6(0), 129);
	assert_true(ip6_equal(ip6_load(f->sent[1].frame + 22), US6(1)));
	fix6_receive(f, 0, make_icmp6(0, HOST6(0), IP6_ALL_NODES, 128, 0, 8));
	fix6_sent(f, 2, 0, HOST6(0), 129);
	assert_true(ip6_equal(ip6_load(f->sent[2].frame + 22), US6(0)));
	fix6_receive(f, 0, make_icmp6(0, HOST6(0), IP6_SITE_ROUTERS, 128, 0, 8));
	fix6_sent(f, 3, 0, HOST6(0), 129);
	/* link-local, by the port it came from */
	struct ip6 peer = {0xfe80000000000000ull, 0x77};

	fix6_receive(
		f, 0, make_nd(0, 135, peer, ip6_solicited_node(LINK6(0)), LINK6(0), 0, mac_host0));
	fix6_receive(f, 0, make_icmp6(0, peer, LINK6(0), 128, 0, 8));
	fix6_sent(f, 5, 0, peer, 129);
	/* the other port's link-local address is on another link */
	fix6_receive(f, 0, make_icmp6(0, peer, LINK6(1), 128, 0, 8));
	assert_int_equal(f->drops[DROP_LINK_LOCAL], 1);
	/* a bit wrong; a byte short of a header */
	len = make_icmp6(0, HOST6(0), US6(0), 128, 0, 8);
	frame[60] ^= 1;
	fix6_receive(f, 0, len);
	store_be16(frame + 18, 7);
	finish6(61);
	fix6_receive(f, 0, 61);
	assert_int_equal(f->drops[DROP_ICMP_MALFORMED], 2);
	fix_free(f);
}

static void test_own_echo(void **state)
{
	struct fixture *f = fix6_new_resolved();

	assert_int_equal(stack_send_echo6(&f->s, HOST6(0), 7, 1, 100, 3), ERR_OK);
	fix6_sent(f, 0, 0, HOST6(0), 128);
	assert_int_equal(f->sent[0].frame[21], 3);
	fix6_receive(f, 0, make_icmp6(0, HOST6(0), US6(0), 129, 0, 8));
	assert_int_equal(f->seen, 1);
	/* to ourselves */
	assert_int_equal(stack_send_echo6(&f->s, US6(1), 7, 1, 100, 0), ERR_OK);
	assert_int_equal(f->seen, 2);
	assert_int_equal(stack_send_echo6(&f->s, FAR6, 7, 1, 8, 0), ERR_NOT_FOUND);
	assert_int_equal(stack_send_echo6(&f->s, HOST6(0), 7, 1, 1453, 0), ERR_INVALID);
	assert_int_equal(stack_send_echo6(&f->s, IP6_ALL_NODES, 7, 1, 8, 0), ERR_INVALID);
	fix_free(f);
}

static void test_transit(void **state)
{
	struct fixture *f = fix6_new_resolved();
	struct ip6 blocked = {0x20010db900000000ull, 0}, hole = {0x20010dba00000000ull, 0};
	uint32_t len = make6(0, HOST6(0), HOST6(1), 17, 64, 100);

	fix_receive(f, 0, frame, len, PUNT_RESOLVE);
	assert_int_equal(f->sent_n, 1);
	assert_int_equal(f->sent[0].port, 1);
	assert_int_equal(f->sent[0].frame[21], 63);
	assert_memory_equal(f->sent[0].frame, mac_host1, 6);

	len = make6(0, HOST6(0), HOST6(1), 17, 1, 1400);
	fix_receive(f, 0, frame, len, PUNT_TTL);
	expect_error(f, len, 3, 0, 0);
	assert_int_equal(f->drops[DROP_TTL_EXCEEDED], 1);
	assert_int_equal(f->sent[f->sent_n - 1].len, 14 + 1280);

	len = make6(0, HOST6(0), FAR6, 17, 64, 10);
	fix_receive(f, 0, frame, len, PUNT_NO_ROUTE);
	expect_error(f, len, 1, 0, 0);
	assert_int_equal(f->drops[DROP_NO_ROUTE], 1);
	fix_clear(f);

	fix6_route(f, blocked, 32, NEXTHOP_PROHIBIT, IP6_ANY);
	fix6_route(f, hole, 32, NEXTHOP_BLACKHOLE, IP6_ANY);
	len = make6(0, HOST6(0), blocked, 17, 64, 10);
	fix_receive(f, 0, frame, len, PUNT_PROHIBIT);
	expect_error(f, len, 1, 1, 0);
	/* where there is no way on, the hop limit does not count */
	len = make6(0, HOST6(0), blocked, 17, 1, 10);
	fix_receive(f, 0, frame, len, PUNT_PROHIBIT);
	expect_error(f, len, 1, 1, 0);
	len = make6(0, HOST6(0), FAR6, 17, 0, 10);
	fix_receive(f, 0, frame, len, PUNT_NO_ROUTE);
	expect_error(f, len, 1, 0, 0);
	unsigned n = f->sent_n;

	fix_receive(f, 0, frame, make6(0, HOST6(0), hole, 17, 64, 10), PUNT_RESOLVE);
	assert_int_equal(f->drops[DROP_BLACKHOLE], 1);
	assert_int_equal(f->sent_n, n);

	nexthop_set_mtu(&f->nexthops, 1, 1280);
	len = make6(0, HOST6(0), HOST6(1), 17, 64, 1241);
	fix_receive(f, 0, frame, len, PUNT_MTU);
	expect_error(f, len, 2, 0, 1280);
	assert_int_equal(f->drops[DROP_MTU_EXCEEDED], 1);
	fix_receive(f, 0, frame, make6(0, HOST6(0), HOST6(1), 17, 64, 1240), PUNT_MTU);
	assert_int_equal(f->sent[f->sent_n - 1].port, 1);

	/* link-local stays on its link */
	len = make6(0, (struct ip6){0xfe80000000000000ull, 5}, HOST6(1), 17, 64, 10);
	fix_receive(f, 0, frame, len, PUNT_OPTIONS);
	fix_receive(f, 0, frame,
		make6(0, HOST6(0), (struct ip6){0xfe80000000000000ull, 5}, 17, 64, 10), PUNT_LOCAL);
	assert_int_equal(f->drops[DROP_LINK_LOCAL], 2);
	fix_free(f);
}

/* A route by two gateways that nothing leads to: unreachable, for others and for ourselves. */
static void test_group_without_a_way(void **state)
{
	static const struct ip6 far[] = {{0x2001db800010000ull, 1}, {0x2001db800010000ull, 2}};
	struct fixture *f = fix6_new_resolved();
	struct route6 r6 = {.prefix = FAR6, .length = 128, .source = RIB_STATIC, .distance = 1};
	struct route4 r4 = {
		.prefix = 0xc0000200, .length = 24, .source = RIB_STATIC, .distance = 1};
	struct nexthop_member m[2] = {{.weight = 1}, {.weight = 1}};

	for (unsigned i = 0; i < 2; i++) {
		uint32_t index;

		assert_int_equal(nexthop_get_recursive_key(
					 &f->nexthops, 128, far[i], NEXTHOP_ANY_PORT, &index),
			ERR_OK);
		m[i].index = (uint16_t)index;
	}
	assert_int_equal(nexthop_get_group(&f->nexthops, m, 2, &r6.nexthop), ERR_OK);
	r4.nexthop = r6.nexthop;
	assert_int_equal(rib6_add(&f->rib6, &r6), ERR_OK);
	assert_int_equal(rib4_add(&f->rib, &r4), ERR_OK);

	uint32_t len = make6(0, HOST6(0), FAR6, 17, 64, 10);

	fix_receive(f, 0, frame, len, PUNT_UNREACHABLE);
	expect_error(f, len, 1, 0, 0);
	assert_int_equal(f->drops[DROP_UNREACHABLE], 1);
	assert_int_equal(stack_send_echo6(&f->s, FAR6, 7, 1, 8, 0), ERR_NOT_FOUND);
	assert_int_equal(f->drops[DROP_UNREACHABLE], 2);
	assert_int_equal(stack_send_echo(&f->s, 0xc0000201, 7, 1, 8, 0), ERR_NOT_FOUND);
	assert_int_equal(f->drops[DROP_UNREACHABLE], 3);
	fix_free(f);
}

/* RFC 4443 2.4 (e). */
static void test_no_error_about(void **state)
{
	struct fixture *f = fix6_new_resolved();
	uint32_t len;

	fix_receive(f, 0, frame, make_icmp6(0, HOST6(0), FAR6, 1, 0, 40), PUNT_NO_ROUTE);
	fix_receive(f, 0, frame, make_icmp6(0, HOST6(0), FAR6, 137, 0, 40), PUNT_NO_ROUTE);
	fix_receive(f, 0, frame, make6(0, HOST6(0), FAR6, 58, 64, 0), PUNT_NO_ROUTE);
	/* an error behind a destination header */
	len = make6(0, HOST6(0), FAR6, 60, 64, 24);
	memset(frame + 54, 0, 24);
	frame[54] = 58;
	frame[56] = 1; /* PadN of 4 bytes */
	frame[57] = 4;
	frame[62] = 3;
	fix_receive(f, 0, frame, len, PUNT_NO_ROUTE);
	assert_int_equal(f->sent_n, 0);
	frame[62] = 128; /* a request there is answered */
	fix_receive(f, 0, frame, len, PUNT_NO_ROUTE);
	assert_int_equal(f->sent_n, 1);
	/* behind an authentication header of 12 bytes, whose length is in words less 2 */
	len = make6(0, HOST6(0), FAR6, 51, 64, 24);
	memcpy(frame + 54, (const uint8_t[]){58, 1}, 2);
	frame[66] = 3;
	fix_receive(f, 0, frame, len, PUNT_NO_ROUTE);
	assert_int_equal(f->sent_n, 1);
	frame[66] = 128;
	fix_receive(f, 0, frame, len, PUNT_NO_ROUTE);
	assert_int_equal(f->sent_n, 2);
	/* by link-layer multicast, to a group */
	len = make6(0, HOST6(0), FAR6, 17, 64, 10);
	frame[0] |= 1;
	fix_receive(f, 0, frame, len, PUNT_NO_ROUTE);
	fix6_receive(f, 0, make6(0, HOST6(0), IP6_ALL_NODES, 17, 64, 10));
	fix6_receive(f, 0, make6(0, HOST6(0), IP6_ALL_NODES, 99, 64, 10));
	assert_int_equal(f->drops[DROP_LOCAL_NO_PROTOCOL], 2);
	/* our own address as the source */
	fix_receive(f, 0, frame, make6(0, US6(0), FAR6, 17, 64, 10), PUNT_NO_ROUTE);
	assert_int_equal(f->sent_n, 2);
	fix_free(f);
}

static void test_limit(void **state)
{
	struct fixture *f = fix6_new_resolved();

	for (unsigned i = 0; i < 200; i++)
		fix_receive(f, 0, frame, make6(0, HOST6(0), FAR6, 17, 64, 10), PUNT_NO_ROUTE);
	assert_int_equal(f->transmitted, ICMP_ERROR_BURST);
	assert_int_equal(f->s.icmp6_limit.suppressed, 200 - ICMP_ERROR_BURST);
	assert_int_equal(f->drops[DROP_NO_ROUTE], 200);
	fix_free(f);
}

static void test_local_protocols(void **state)
{
	struct fixture *f = fix6_new_resolved();
	uint32_t len = make6(0, HOST6(0), US6(0), 99, 64, 10);

	fix6_receive(f, 0, len);
	expect_error(f, len, 4, 1, 6); /* the byte that says 99 */
	assert_int_equal(f->drops[DROP_LOCAL_NO_PROTOCOL], 1);
	fix6_receive(f, 0, make6(0, HOST6(0), US6(0), 59, 64, 0));
	assert_int_equal(f->delivered, 1);
	assert_int_equal(f->sent_n, 1);
	fix_free(f);
}

/* An extension header of 8 bytes in front of an echo request to us. */
static uint32_t with_header(uint8_t type, const uint8_t header[8])
{
	uint32_t len = make_icmp6(0, HOST6(0), US6(0), 128, 0, 8);

	memmove(frame + 62, frame + 54, len - 54);
	memcpy(frame + 54, header, 8);
	frame[20] = type;
	store_be16(frame + 18, (uint16_t)(len - 54 + 8));
	return len + 8;
}

static void test_extensions(void **state)
{
	static const struct {
		uint8_t type, header[8];
		int answer; /* type of what is sent, 0: nothing */
		uint32_t code, info;
		int drop; /* or -1 */
	} c[] = {
		{60, {58, 0, 1, 4}, 129, 0, 0, -1},                 /* PadN */
		{60, {58, 0, 0, 0, 0, 0, 0, 0}, 129, 0, 0, -1},     /* Pad1 */
		{0, {58, 0, 5, 2, 0, 0, 1, 0}, 129, 0, 0, -1},      /* router alert */
		{60, {58, 0, 0x3e, 4}, 129, 0, 0, -1},              /* unknown: skip */
		{60, {58, 0, 0x7e, 4}, 0, 0, 0, DROP_IP6_OPTIONS},  /* discard */
		{60, {58, 0, 0xbe, 4}, 4, 2, 42, DROP_IP6_OPTIONS}, /* and tell */
		{0, {58, 0, 0xfe, 4}, 4, 2, 42, DROP_IP6_OPTIONS},  /* and tell, no group */
		{60, {58, 0, 1, 5}, 0, 0, 0, DROP_IP6_OPTIONS},     /* beyond the header */
		{60, {58, 9, 1, 4}, 0, 0, 0, DROP_IP6_OPTIONS},     /* beyond the packet */
		{43, {58, 0, 0, 0}, 129, 0, 0, -1},                 /* at its end */
		{43, {58, 0, 0, 1}, 4, 0, 42, DROP_IP6_ROUTING},    /* RFC 5095 */
		{43, {58, 0, 4, 2}, 4, 0, 42, DROP_IP6_ROUTING},    /* segment routing */
		{44, {58, 0, 0, 0, 1, 2, 3, 4}, 129, 0, 0, -1},     /* RFC 6946 */
		{60, {0, 0, 1, 4}, 4, 1, 40, DROP_IP6_OPTIONS},     /* hop-by-hop not first */
		{0, {0, 0, 1, 4}, 4, 1, 40, DROP_IP6_OPTIONS},      /* nor twice, nor all there */
	};

	for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
		struct fixture *f = fix6_new_resolved();

		fix6_receive(f, 0, with_header(c[i].type, c[i].header));
		assert_int_equal(f->sent_n, c[i].answer != 0);
		if (c[i].answer) {
			const uint8_t *p = fix6_sent(f, 0, 0, HOST6(0), (uint8_t)c[i].answer);

			assert_int_equal(p[1], c[i].code);
			if (c[i].answer == 4)
				assert_int_equal(load_be32(p + 4), c[i].info);
		}
		assert_int_equal(f->dropped, c[i].drop >= 0);
		if (c[i].drop >= 0)
			assert_int_equal(f->drops[c[i].drop], 1);
		fix_free(f);
	}
}

/* Hop-by-hop options in transit: looked at, at a bounded rate. */
static void test_hop_by_hop(void **state)
{
	struct fixture *f = fix6_new_resolved();
	uint32_t len = make6(0, HOST6(0), HOST6(1), 0, 64, 30);

	memcpy(frame + 54, (const uint8_t[8]){17, 0, 5, 2, 0, 0, 1, 0}, 8);
	fix_receive(f, 0, frame, len, PUNT_OPTIONS);
	assert_int_equal(f->sent_n, 1);
	assert_int_equal(f->sent[0].port, 1);
	frame[56] = 0xc1; /* unknown: tell */
	fix_receive(f, 0, frame, len, PUNT_OPTIONS);
	expect_error(f, len, 4, 2, 42);
	frame[56] = 0x41; /* unknown: discard */
	fix_receive(f, 0, frame, len, PUNT_OPTIONS);
	assert_int_equal(f->drops[DROP_IP6_OPTIONS], 2);
	/* a routing header in transit is not ours to look at */
	len = make6(0, HOST6(0), HOST6(1), 43, 64, 30);
	memcpy(frame + 54, (const uint8_t[8]){17, 0, 0, 1}, 8);
	fix_receive(f, 0, frame, len, PUNT_RESOLVE);
	assert_int_equal(f->sent[f->sent_n - 1].port, 1);
	for (unsigned i = 0; i < 300; i++) {
		len = make6(0, HOST6(0), HOST6(1), 0, 64, 30);
		memcpy(frame + 54, (const uint8_t[8]){17, 0, 1, 4}, 8);
		fix_receive(f, 0, frame, len, PUNT_OPTIONS);
	}
	assert_true(f->drops[DROP_POLICED] >= 200);
	fix_free(f);
}

/* Somebody else's group is not ours, though it was handed up. */
static void test_groups(void **state)
{
	struct fixture *f = fix6_new_resolved();

	fix6_receive(f, 0,
		make_nd(0, 135, HOST6(0), ip6_solicited_node(NET6(0, 0x1234)), NET6(0, 0x1234), 0,
			mac_host0));
	assert_int_equal(f->drops[DROP_MULTICAST], 1);
	f->iface[0].addrs6 = 0; /* without IPv6 nothing is heard */
	fix6_receive(f, 0, make_icmp6(0, HOST6(0), IP6_ALL_NODES, 128, 0, 8));
	assert_int_equal(f->drops[DROP_MULTICAST], 2);
	f->iface[0].addrs6 = 2;
	fix_free(f);
}

/* ---- garbage ---- */

static struct ip6 any_address(struct fixture *f)
{
	const struct ip6 known[] = {US6(0), US6(1), HOST6(0), HOST6(1), NET6(0, 0), LINK6(0),
		{0xfe80000000000000ull, 2}, FAR6, IP6_ANY, {0, 1}, IP6_ALL_NODES, IP6_ALL_ROUTERS,
		ip6_solicited_node(US6(0)), {0x20010db900000000ull, 0}};

	return rnd(5) ? known[rnd(14)] : NET6(rnd(3), rnd(600));
}

static uint32_t any_frame(struct fixture *f)
{
	static const uint8_t next[] = {58, 17, 6, 0, 43, 44, 60, 59, 99};
	uint32_t len, port = rnd(2);

	if (rnd(3) == 0)
		len = make_nd(port, (uint8_t)(133 + rnd(5)), any_address(f), any_address(f),
			any_address(f), rnd(8) << 29, rnd(3) ? mac_of(port) : NULL);
	else if (rnd(2))
		len = make_icmp6(port, any_address(f), any_address(f), (uint8_t)rnd(256),
			(uint8_t)rnd(3), rnd(4) ? rnd(80) : rnd(1440));
	else
		len = make6(port, any_address(f), any_address(f), next[rnd(9)], (uint8_t)rnd(66),
			rnd(4) ? rnd(80) : rnd(1461));
	if (rnd(20) == 0) {
		len = make6(port, (struct ip6){0xfe80000000000000ull, 2}, US6(port), 58, 255, 40);
		memset(frame + 54, 0, 40);
		frame[54] = 137; /* a redirect */
		finish6(len);
	}
	if (rnd(3) == 0)
		for (uint32_t at = 54; at + 8 <= len && rnd(4); at += 8) {
			frame[at] = next[rnd(9)];
			frame[at + 1] = (uint8_t)(rnd(4) ? 0 : rnd(5));
			frame[at + 2] = (uint8_t)(rnd(2) ? rnd(6) : rnd(256));
			frame[at + 3] = (uint8_t)rnd(7);
		}
	if (rnd(2) && len >= 58)
		finish6(len);
	for (uint32_t i = rnd(3) ? 0 : rnd(4); i > 0; i--)
		frame[rnd(rnd(2) ? 90 : len)] ^= (uint8_t)(1u << rnd(8));
	return rnd(8) ? len : rnd(len + 1);
}

/* The link of a port goes and comes: its addresses start anew. */
static void flap(struct fixture *f, unsigned port)
{
	stack_link_changed(&f->s, port, false, f->now_ms);
	iface6_withdraw(&f->iface[port], &f->rib6, &f->nexthops);
	assert_int_equal(iface6_install(&f->iface[port], &f->rib6, &f->nexthops), ERR_OK);
	stack_link_changed(&f->s, port, true, f->now_ms);
}

/* Nothing that arrives crashes, reads past its frame, or loses a buffer. */
static void test_garbage(void **state)
{
	static const enum drop_reason met[] = {DROP_IP6_LENGTH, DROP_IP6_OPTIONS, DROP_IP6_ROUTING,
		DROP_LINK_LOCAL, DROP_TTL_EXCEEDED, DROP_NO_ROUTE, DROP_PROHIBIT, DROP_MTU_EXCEEDED,
		DROP_NEIGHBOR_PENDING, DROP_NEIGHBOR_FAILED, DROP_ICMP_MALFORMED, DROP_ND_MALFORMED,
		DROP_ND_REDIRECT, DROP_FRAGMENT_BAD, DROP_LOCAL_NO_PROTOCOL, DROP_TENTATIVE,
		DROP_MULTICAST};
	struct fixture *f = fix6_new_resolved();

	fix6_route(f, (struct ip6){0x20010db900000000ull, 0}, 32, NEXTHOP_PROHIBIT, IP6_ANY);
	for (unsigned i = 0; i < 200000; i++) {
		uint32_t len = any_frame(f);

		store_be16(frame + 12, 0x86dd);
		fix_receive(f, rnd(PORTS), frame, len < 14 ? 14 : len,
			PUNT_LOCAL + rnd(PUNT_COUNT - PUNT_LOCAL));
		f->now_ms += rnd(3);
		if (rnd(50) == 0)
			stack_tick(&f->s, f->now_ms);
		if (rnd(3000) == 0)
			nexthop_set_mtu(&f->nexthops, 1, rnd(2) ? 1500 : 1280);
		if (rnd(2000) == 0)
			flap(f, rnd(2));
		if (rnd(2000) == 0)
			f->alloc_limit = rnd(3) ? 256 : 0;
		nexthop_grace_passed(&f->nexthops);
		nexthop_grace_begin(&f->nexthops, true);
		if (i % 1000 == 0)
			fix_balance(f);
	}
	for (unsigned i = 0; i < sizeof met / sizeof met[0]; i++)
		if (f->drops[met[i]] < 20)
			fail_msg("drop reason %u was met %u times", met[i], f->drops[met[i]]);
	fix_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_own_echo),
		cmocka_unit_test(test_transit),
		cmocka_unit_test(test_group_without_a_way),
		cmocka_unit_test(test_no_error_about),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_local_protocols),
		cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_hop_by_hop),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

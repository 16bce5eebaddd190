/* The slow path: every decision on a punted packet, options, fragments, own packets, and garbage.
 */
#include "test/unit/stack_fixture.h"

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
		send_udp(f, 0xc0000101, ttl, PUNT_TTL); /* RFC 1812 5.2.1.2: the route first */
		assert_refused(f, DROP_UNREACHABLE, 3, 1);
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
		assert_refused(f, DROP_IP_OPTIONS, 12, 0);
	}
	send_options(f, HOST1, 64, loose, 8);
	assert_refused(f, DROP_SOURCE_ROUTE, -1, 0);
	send_options(f, ROUTER0, 64, strict, 8);
	assert_refused(f, DROP_SOURCE_ROUTE, -1, 0);
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
	f->alloc_limit = 0;
	assert_int_equal(stack_send_echo(&f->s, HOST0, 1, 1, 8, 0), ERR_FULL);
	fix_free(f);
}

/* Longer than the egress MTU: in fragments, or refused if the sender forbids them. */
static void test_own_long(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint32_t index = 0;

	nexthop_set_mtu(&f->nexthops, 0, 600);
	assert_int_equal(stack_send_echo(&f->s, HOST0, 1, 1, 572, 0), ERR_OK);
	assert_int_equal(f->sent_n, 1);
	assert_int_equal(stack_send_echo(&f->s, HOST0, 1, 1, 573, 0), ERR_OK);
	assert_int_equal(f->sent_n, 3);
	assert_int_equal(f->delivered, 1);
	fix_balance(f);
	fix_clear(f);
	assert_true(fix_alloc(f, &index));
	make_ipv4(buffer_data(&f->buffers, index), ROUTER0, HOST0, 17, 64, 0x4000, 581);
	assert_int_equal(stack_send(&f->s, packet_word(index, 14 + 601, 0)), ERR_INVALID);
	assert_refused(f, DROP_MTU_EXCEEDED, -1, 0);
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
		cmocka_unit_test(test_own_echo),
		cmocka_unit_test(test_own_errors),
		cmocka_unit_test(test_own_long),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_loopback_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

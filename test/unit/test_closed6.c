/* UDP and TCP over IPv6 to the router, where nobody listens: as test_closed.c for IPv4. */
#include "test/unit/stack6_fixture.h"

/* Makes the checksum at offset `at` in the message right; `len` bytes of it count. */
static void finish(uint32_t at, uint32_t len)
{
	memset(frame + 54 + at, 0, 2);
	uint16_t check = check6(frame + 14, frame + 54, len);

	memcpy(frame + 54 + at, &check, 2);
}

/* Receives `frame`; how many packets are sent about it. */
static unsigned answers(struct fixture *f, uint32_t len)
{
	fix_clear(f);
	f->now_ms += 10;
	fix6_receive(f, 0, len);
	assert_int_equal(f->drops[DROP_LOCAL_NO_PROTOCOL], 1);
	fix_balance(f);
	return f->sent_n;
}

static uint32_t make_udp(struct ip6 dst, uint16_t said, uint32_t size)
{
	uint32_t len = make6(0, HOST6(0), dst, 17, 64, size);

	store_be16(frame + 58, said);
	finish(6, said < size ? said : size);
	return len;
}

/* RFC 8200 8.1: a wrong checksum, or none, is discarded in silence. */
static void test_udp(void **state)
{
	struct fixture *f = fix6_new_resolved();
	uint32_t len = make_udp(US6(0), 21, 21);

	assert_int_equal(answers(f, len), 1);
	assert_int_equal(fix6_sent(f, 0, 0, HOST6(0), 1)[1], 4);
	frame[70] ^= 1;
	assert_int_equal(answers(f, len), 0);
	memset(frame + 60, 0, 2);
	assert_int_equal(answers(f, len), 0);
	for (uint16_t said = 0; said < 30; said++) /* the length in the UDP header */
		assert_int_equal(answers(f, make_udp(US6(0), said, 21)), said >= 8 && said <= 21);
	for (uint32_t size = 0; size < 8; size++)
		assert_int_equal(answers(f, make6(0, HOST6(0), US6(0), 17, 64, size)), 0);
	/* the subnet-router anycast address: an error, from our own */
	assert_int_equal(answers(f, make_udp(NET6(0, 0), 21, 21)), 1);
	assert_true(ip6_equal(ip6_load(f->sent[0].frame + 22), US6(0)));
	fix_free(f);
}

/* A segment from port 1 to port 2 with sequence 0x01020304, acknowledging 0x05060708. */
static uint32_t make_tcp(struct ip6 dst, uint8_t bits, uint32_t data)
{
	uint32_t len = make6(0, HOST6(0), dst, 6, 64, 20 + data);

	memset(frame + 54, 0, 20);
	frame[55] = 1;
	frame[57] = 2;
	store_be32(frame + 58, 0x01020304);
	store_be32(frame + 62, 0x05060708);
	frame[66] = 5 << 4;
	frame[67] = bits;
	finish(16, 20 + data);
	return len;
}

/* RFC 9293 3.10.7.1; what the segment's bits ask for is test_closed.c's business. */
static void test_tcp_reset(void **state)
{
	struct fixture *f = fix6_new_resolved();
	const uint8_t *r = f->sent[0].frame + 54;
	uint32_t len = make_tcp(US6(1), 2, 4);

	frame[14] = 0x6b; /* DSCP 46, ECN */
	frame[15] = 0x90;
	assert_int_equal(answers(f, len), 1);
	assert_int_equal(f->sent[0].len, 74);
	assert_int_equal(load_be16(r - 40), 0x6b80);
	assert_int_equal(r[-34], 6);
	assert_true(ip6_equal(ip6_load(r - 32), US6(1)));
	assert_true(ip6_equal(ip6_load(r - 16), HOST6(0)));
	assert_int_equal(load_be32(r), 0x00020001);
	assert_int_equal(load_be32(r + 4), 0);
	assert_int_equal(load_be32(r + 8), 0x01020304 + 5);
	assert_int_equal(load_be16(r + 12), 0x5014);
	assert_int_equal(check6(r - 40, r, 20), 0);

	assert_int_equal(answers(f, make_tcp(LINK6(0), 16, 0)), 1);
	assert_int_equal(load_be32(r + 4), 0x05060708);
	assert_int_equal(load_be16(r + 12), 0x5004);
	fix_free(f);
}

static void test_tcp_silence(void **state)
{
	struct fixture *f = fix6_new_resolved();
	uint32_t len = make_tcp(US6(0), 2, 8);

	frame[80] ^= 1; /* damaged */
	assert_int_equal(answers(f, len), 0);
	assert_int_equal(answers(f, make_tcp(US6(0), 4, 0)), 0); /* a reset */
	for (uint32_t size = 0; size < 20; size++)
		assert_int_equal(answers(f, make6(0, HOST6(0), US6(0), 6, 64, size)), 0);
	/* nobody's address alone: anycast, a group */
	assert_int_equal(answers(f, make_tcp(NET6(0, 0), 2, 0)), 0);
	assert_int_equal(answers(f, make_tcp(IP6_ALL_NODES, 2, 0)), 0);
	len = make_tcp(US6(0), 2, 0);
	f->alloc_limit = 0;
	assert_int_equal(answers(f, len), 0);
	fix_free(f);
}

/* Resets are limited together with errors. */
static void test_tcp_limit(void **state)
{
	struct fixture *f = fix6_new_resolved();
	uint32_t len = make_tcp(US6(0), 2, 0);

	for (unsigned i = 0; i < 3 * ICMP_ERROR_BURST; i++)
		fix6_receive(f, 0, len);
	assert_int_equal(f->transmitted, ICMP_ERROR_BURST);
	assert_int_equal(f->s.icmp6_limit.suppressed, 2 * ICMP_ERROR_BURST);
	fix_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_tcp_reset),
		cmocka_unit_test(test_tcp_silence),
		cmocka_unit_test(test_tcp_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

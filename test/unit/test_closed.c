/* UDP and TCP to the router, where nobody listens: errors, resets, and silence about the damaged.
 */
#include "test/unit/stack_fixture.h"

static uint8_t frame[2048];

/* The checksum of a transport header in `frame`, at offset `at` in it; the payload is len bytes. */
static void finish(uint8_t protocol, uint32_t at, uint32_t len)
{
	uint8_t tail[4] = {0, protocol, (uint8_t)(len >> 8), (uint8_t)len};
	uint64_t sum = checksum_add(0, frame + 26, 8);
	uint16_t check;

	memset(frame + 34 + at, 0, 2);
	sum = checksum_add(checksum_add(sum, tail, 4), frame + 34, len);
	check = checksum_finish(sum);
	memcpy(frame + 34 + at, &check, 2);
}

/* Receives `frame`; how many packets are sent about it. */
static unsigned answers(struct fixture *f, uint32_t len)
{
	fix_clear(f);
	f->now_ms += 10;
	fix_receive(f, 0, frame, len, PUNT_LOCAL);
	assert_int_equal(f->drops[DROP_LOCAL_NO_PROTOCOL], 1);
	fix_balance(f);
	return f->sent_n;
}

/* RFC 1122 4.1.3.4: a wrong checksum is discarded silently; none at all is right. */
static void test_udp(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint32_t len = make_ipv4(frame, HOST0, ROUTER0, 17, 64, 0, 21);

	assert_int_equal(answers(f, len), 1);
	assert_int_equal(f->sent[0].frame[35], 3);
	finish(17, 6, 21);
	assert_int_equal(answers(f, len), 1);
	frame[50] ^= 1;
	assert_int_equal(answers(f, len), 0);
	frame[50] ^= 1;
	for (unsigned said = 0; said < 30; said++) { /* the length in the UDP header */
		make_ipv4(frame, HOST0, ROUTER0, 17, 64, 0, 21);
		store_be16(frame + 38, (uint16_t)said);
		assert_int_equal(answers(f, len), said >= 8 && said <= 21);
	}
	for (unsigned size = 0; size < 8; size++)
		assert_int_equal(answers(f, make_ipv4(frame, HOST0, ROUTER0, 17, 64, 0, size)), 0);
	fix_free(f);
}

/* A segment from port 1 to port 2 with sequence 0x01020304, acknowledging 0x05060708. */
static uint32_t make_tcp(uint8_t bits, uint32_t data)
{
	uint32_t len = make_ipv4(frame, HOST0, ROUTER0, 6, 64, 0, 20 + data);

	memset(frame + 34, 0, 20);
	frame[35] = 1;
	frame[37] = 2;
	store_be32(frame + 38, 0x01020304);
	store_be32(frame + 42, 0x05060708);
	frame[46] = 5 << 4;
	frame[47] = bits;
	finish(6, 16, 20 + data);
	return len;
}

/* RFC 9293 3.10.7.1, by the bits of the segment: FIN 1, SYN 2, RST 4, ACK 16. */
static void test_tcp_reset(void **state)
{
	struct fixture *f = fix_new_resolved();
	const uint8_t *r = f->sent[0].frame + 34;

	for (unsigned bits = 0; bits < 64; bits++) {
		for (uint32_t data = 0; data < 9; data += 4) {
			uint32_t len = make_tcp((uint8_t)bits, data);
			bool ack = bits & 16;

			frame[15] = 0xb9; /* DSCP 46, ECN */
			memset(frame + 24, 0, 2);
			uint16_t check = checksum(frame + 14, 20);
			memcpy(frame + 24, &check, 2);
			assert_int_equal(answers(f, len), !(bits & 4));
			if (bits & 4)
				continue;
			assert_int_equal(f->sent[0].len, 54);
			assert_int_equal(f->sent[0].frame[15], 0xb8);
			assert_int_equal(load_be32(r - 8), ROUTER0);
			assert_int_equal(load_be32(r - 4), HOST0);
			assert_int_equal(load_be32(r), 0x00020001);
			assert_int_equal(load_be32(r + 4), ack ? 0x05060708 : 0);
			assert_int_equal(load_be32(r + 8),
				ack ? 0 : 0x01020304 + data + (bits & 1) + (bits >> 1 & 1));
			assert_int_equal(load_be16(r + 12), ack ? 0x5004 : 0x5014);
			memcpy(frame, f->sent[0].frame, 54);
			memcpy(&check, frame + 50, 2);
			finish(6, 16, 20);
			assert_memory_equal(frame + 50, &check, 2);
		}
	}
	fix_free(f);
}

static void test_tcp_silence(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint32_t len = make_tcp(2, 8);

	frame[60] ^= 1; /* damaged */
	assert_int_equal(answers(f, len), 0);
	for (unsigned words = 0; words < 16; words++) {
		len = make_tcp(2, 8);
		frame[46] = (uint8_t)(words << 4);
		finish(6, 16, 28);
		assert_int_equal(answers(f, len), words >= 5 && words <= 7);
	}
	for (uint32_t size = 0; size < 20; size++)
		assert_int_equal(answers(f, make_ipv4(frame, HOST0, ROUTER0, 6, 64, 0, size)), 0);
	len = make_tcp(2, 0);
	store_be32(frame + 26, 0x7f000001); /* from nobody */
	finish(6, 16, 20);
	assert_int_equal(answers(f, len), 0);
	len = make_tcp(2, 0);
	f->alloc_limit = 0;
	assert_int_equal(answers(f, len), 0);
	fix_free(f);
}

/* Resets are limited together with errors. */
static void test_tcp_limit(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint32_t len = make_tcp(2, 0);

	fix_clear(f);
	for (unsigned i = 0; i < 3 * ICMP_ERROR_BURST; i++)
		fix_receive(f, 0, frame, len, PUNT_LOCAL);
	assert_int_equal(f->transmitted, ICMP_ERROR_BURST);
	assert_int_equal(f->s.icmp_limit.suppressed, 2 * ICMP_ERROR_BURST);
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

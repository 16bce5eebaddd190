/* IPv4 options in transit: what a router writes into them, and which byte it calls wrong. */
#include "test/unit/stack_fixture.h"

static uint8_t frame[2048];

/* A UDP packet from host 0 with n bytes of options (a multiple of 4). */
static void send_options(struct fixture *f, uint32_t dst, const uint8_t *o, uint32_t n)
{
	uint32_t len = make_ipv4(frame, HOST0, dst, 17, 64, 0, 20);

	fix_clear(f);
	fix_receive(f, 0, frame, add_options(frame, len, o, n), PUNT_OPTIONS);
}

/* The packet went on to host 1, its header sound, its options as expected. */
static void assert_passed(struct fixture *f, const uint8_t *expected, uint32_t n)
{
	const struct sent *s = &f->sent[0];

	assert_int_equal(f->sent_n, 1);
	assert_int_equal(s->port, 1);
	assert_int_equal(checksum(s->frame + 14, 20 + n), 0);
	assert_int_equal(s->frame[22], 63);
	assert_memory_equal(s->frame + 34, expected, n);
	assert_memory_equal(s->frame + 34 + n, frame + 34 + n, 20);
}

/* RFC 1812 4.2.2.2: the address of the interface by which the packet leaves. */
static void test_record_route(void **state)
{
	static const struct {
		uint8_t in[12], out[12];
	} cases[] = {
		{{7, 11, 4}, {7, 11, 8, 10, 0, 1, 1}},
		{{7, 11, 8, 1, 2, 3, 4}, {7, 11, 12, 1, 2, 3, 4, 10, 0, 1, 1}},
		{{7, 11, 12, 1, 2, 3, 4, 5, 6, 7, 8}, {7, 11, 12, 1, 2, 3, 4, 5, 6, 7, 8}},
		{{7, 11, 255}, {7, 11, 255}},
		{{7, 3, 4, 1}, {7, 3, 4, 1}},                    /* no room from the start */
		{{1, 1, 7, 7, 4}, {1, 1, 7, 7, 8, 10, 0, 1, 1}}, /* behind others */
		{{0, 7, 7, 4}, {0, 7, 7, 4}},                    /* behind the end */
		{{7, 8, 5, 9, 0, 0, 0, 0},
			{7, 8, 9, 9, 10, 0, 1, 1}}, /* crooked, but there is room */
	};
	struct fixture *f = fix_new_resolved();

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		send_options(f, HOST1, cases[i].in, 12);
		assert_passed(f, cases[i].out, 12);
	}
	fix_free(f);
}

/* RFC 791, internet timestamp. The fixture's time is 1000 ms; not UT, so the highest bit is set. */
static void test_timestamp(void **state)
{
	static const struct {
		uint8_t in[12], out[12];
	} cases[] = {
		{{68, 12, 5, 0}, {68, 12, 9, 0, 0x80, 0, 3, 0xe8}},
		{{68, 12, 9, 0}, {68, 12, 13, 0, 0, 0, 0, 0, 0x80, 0, 3, 0xe8}},
		{{68, 12, 13, 0}, {68, 12, 13, 0x10}}, {{68, 12, 13, 0xe1}, {68, 12, 13, 0xf1}},
		{{68, 12, 5, 1}, {68, 12, 13, 1, 10, 0, 1, 1, 0x80, 0, 3, 0xe8}},
		{{68, 12, 5, 3, 10, 0, 0, 1}, {68, 12, 13, 3, 10, 0, 0, 1, 0x80, 0, 3, 0xe8}},
		{{68, 12, 5, 3, 10, 0, 0, 2}, {68, 12, 5, 3, 10, 0, 0, 2}}, /* another's address */
		{{68, 12, 13, 0xf3}, {68, 12, 13, 0xf3}}, /* nobody counts the chosen */
		{{68, 12, 5, 2}, {68, 12, 5, 2}},         /* a form not known */
	};
	struct fixture *f = fix_new_resolved();

	assert_int_equal(f->now_ms, 1000);
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		send_options(f, HOST1, cases[i].in, 12);
		assert_passed(f, cases[i].out, 12);
	}
	fix_free(f);
}

/* RFC 1812 4.3.3.5: the pointer names the byte, and the header is quoted as it came. */
static void test_parameter_problem(void **state)
{
	static const struct {
		uint8_t in[16], pointer;
	} cases[] = {
		{{7, 0}, 20}, {{1, 1, 7, 40}, 22}, {{7, 2, 4}, 21}, {{7, 11, 3}, 22},
		{{7, 11, 9}, 22}, {{7, 7, 4, 0, 0, 0, 0, 7, 7, 4}, 27}, {{68, 3, 5}, 21},
		{{68, 8, 4}, 22}, {{68, 8, 5, 1}, 22}, {{68, 8, 9, 0xf0}, 23},
		{{68, 4, 5, 0, 68, 4, 5, 0}, 24}, {{148, 3, 0}, 21},
		{{131, 7, 3}, 22}, /* a source route, but not even a good one */
		{{131, 3, 4, 137, 3, 4}, 23},
		{{137, 8, 8, 0, 0, 0, 0, 0, 7, 0}, 28}, /* crooked, but the other one is wrong */
	};
	struct fixture *f = fix_new_resolved();
	static const uint32_t dst[] = {HOST1, ROUTER0, 0xc0000201};

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		send_options(f, dst[i % 3], cases[i].in, 16);
		assert_int_equal(f->drops[DROP_IP_OPTIONS], 1);
		assert_int_equal(f->sent_n, 1);
		assert_int_equal(f->sent[0].port, 0);
		assert_int_equal(f->sent[0].frame[34], 12);
		assert_int_equal(f->sent[0].frame[35], 0);
		assert_int_equal(
			load_be32(f->sent[0].frame + 38), (uint32_t)cases[i].pointer << 24);
		assert_memory_equal(f->sent[0].frame + 42, frame + 14, 36 + 20);
		fix_balance(f);
	}
	fix_free(f);
}

/* No error tells what it was about: the header in it has no options filled in. */
static void test_quote_is_untouched(void **state)
{
	static const uint8_t record[] = {7, 7, 4, 0, 0, 0, 0, 0};
	struct fixture *f = fix_new_resolved();
	uint32_t len = make_ipv4(frame, HOST0, HOST1, 17, 64, 0x4000, 1400);

	nexthop_set_mtu(&f->nexthops, 1, 1000);
	fix_receive(f, 0, frame, add_options(frame, len, record, 8), PUNT_OPTIONS);
	assert_int_equal(f->sent_n, 1);
	assert_int_equal(f->sent[0].frame[35], 4);
	assert_memory_equal(f->sent[0].frame + 42, frame + 14, 28);
	fix_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_route),
		cmocka_unit_test(test_timestamp),
		cmocka_unit_test(test_parameter_problem),
		cmocka_unit_test(test_quote_is_untouched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

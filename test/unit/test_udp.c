/* UDP of the router itself: what is sent, what is taken, and that all else is refused as before. */
#include "test/unit/stack_fixture.h"

static uint8_t frame[2048];
static uint8_t got[2048];
static uint32_t got_n, calls;
static uint16_t got_port;

static void on_udp(void *ctx, uint16_t port, const uint8_t *data, uint32_t n)
{
	memcpy(got, data, n);
	got_n = n;
	got_port = port;
	calls++;
	if (ctx)
		udp_close(ctx);
}

static uint16_t sum(const uint8_t *f, uint32_t len)
{
	uint8_t tail[4] = {0, 17, (uint8_t)(len >> 8), (uint8_t)len};

	return checksum_finish(
		checksum_add(checksum_add(checksum_add(0, f + 26, 8), tail, 4), f + 34, len));
}

/* The length of a frame with a datagram of n bytes to our port, with a checksum. */
static uint32_t make(uint32_t src, uint16_t from, uint16_t to, uint32_t n)
{
	uint32_t len = make_ipv4(frame, src, ROUTER0, 17, 64, 0, 8 + n);
	uint16_t check;

	store_be16(frame + 34, from);
	store_be16(frame + 36, to);
	store_be16(frame + 38, (uint16_t)(8 + n));
	memset(frame + 40, 0, 2);
	check = sum(frame, 8 + n);
	memcpy(frame + 40, &check, 2);
	return len;
}

static struct fixture *talking(void *ctx)
{
	struct fixture *f = fix_new_resolved();

	calls = 0;
	f->s.seed = 5;
	udp_open(&f->s, HOST0, on_udp, ctx ? &f->s : NULL);
	assert_true(f->s.udp.port >= 49152);
	fix_clear(f);
	return f;
}

static void test_send(void **state)
{
	struct fixture *f = talking(NULL);

	for (uint32_t n = 0; n < 300; n++) {
		uint8_t data[300];
		const uint8_t *out = f->sent[0].frame;

		memset(data, (int)n, sizeof data);
		fix_clear(f);
		assert_int_equal(udp_send(&f->s, 69, data, n), ERR_OK);
		assert_int_equal(f->sent_n, 1);
		assert_int_equal(load_be32(out + 26), ROUTER0);
		assert_int_equal(load_be32(out + 30), HOST0);
		assert_int_equal(load_be16(out + 34), f->s.udp.port);
		assert_int_equal(load_be16(out + 36), 69);
		assert_int_equal(load_be16(out + 38), 8 + n);
		assert_true(load_be16(out + 40) != 0);
		assert_int_equal(sum(out, 8 + n), 0);
		assert_memory_equal(out + 42, data, n);
		fix_balance(f);
	}
	assert_int_equal(udp_send(&f->s, 69, frame, f->buffers.mtu - 27), ERR_INVALID);
	udp_close(&f->s);
	assert_int_equal(udp_send(&f->s, 69, frame, 1), ERR_INVALID);
	fix_balance(f);
	fix_free(f);
}

/* Whether the datagram in `frame` was taken; else it is answered, or damaged. */
static bool taken(struct fixture *f, uint32_t len)
{
	unsigned before = calls, delivered;

	f->now_ms += 20;
	fix_clear(f);
	delivered = f->delivered;
	fix_receive(f, 0, frame, len, PUNT_LOCAL);
	fix_balance(f);
	assert_int_equal(f->delivered - delivered, calls - before);
	return calls != before;
}

static void test_receive(void **state)
{
	struct fixture *f = talking(NULL);
	uint16_t port = f->s.udp.port;
	uint32_t len = make(HOST0, 1234, port, 100);

	assert_true(taken(f, len));
	assert_int_equal(got_port, 1234);
	assert_int_equal(got_n, 100);
	assert_memory_equal(got, frame + 42, 100);
	assert_int_equal(f->sent_n, 0);

	len = make(HOST0, 1234, port, 0);
	assert_true(taken(f, len));
	assert_int_equal(got_n, 0);

	len = make(HOST0, 1234, (uint16_t)(port - 1), 100); /* not ours */
	assert_false(taken(f, len));
	assert_int_equal(f->sent_n, 1);
	len = make(HOST0 + 1, 1234, port, 100); /* another host */
	assert_false(taken(f, len));
	len = make(HOST0, 1234, port, 100); /* damaged */
	frame[60] ^= 1;
	assert_false(taken(f, len));
	assert_int_equal(f->sent_n, 0);
	udp_close(&f->s);
	len = make(HOST0, 1234, port, 100);
	assert_false(taken(f, len));
	fix_free(f);
}

/* Who is called may close: the next one is refused. */
static void test_close_inside(void **state)
{
	struct fixture *f = talking(&calls);
	uint32_t len = make(HOST0, 1234, f->s.udp.port, 10);

	assert_true(taken(f, len));
	assert_false(taken(f, len));
	fix_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_send),
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_close_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

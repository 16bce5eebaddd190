/* A capture's ring: what comes out is what was looked for and had room, and the rest is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "net/path/capture.h"
#include "net/path/tag.h"
#include "test/model/routegen.h"

#define FRAMES 64u

static uint8_t *memory; /* of FRAMES buffers */
static struct buffers buffers;
static struct capture capture;
static struct capture_plan plan;
static uint64_t seed;

static unsigned draw(unsigned n)
{
	return (unsigned)(routegen_random(&seed) % n);
}

static int setup(void **state)
{
	buffers_shape(&buffers, MTU_MAX);
	memory = malloc((size_t)FRAMES * buffers.stride);
	pool_place(&buffers, 0, memory, 0);
	capture_init(&capture, aligned_alloc(64, CAPTURE_RING_MIN), CAPTURE_RING_MIN);
	plan = (struct capture_plan){
		.points = CAPTURE_RX | CAPTURE_DROP, .port = 3, .any = true, .snap = 9216};
	capture_reset(&capture, &plan);
	seed = 1;
	return 0;
}

static int teardown(void **state)
{
	free(capture.ring);
	free(memory);
	return 0;
}

/* A frame that says which it is, all over. */
static uint64_t make(unsigned number, uint32_t len)
{
	uint64_t word = packet_word(number % FRAMES, len, 0);
	uint8_t *f = packet_frame(&buffers, word);

	for (uint32_t i = 0; i < len; i++)
		f[i] = (uint8_t)(number * 7 + i);
	return word;
}

static void expect(const struct capture_record *r, unsigned number, uint32_t len, uint32_t kept)
{
	const uint8_t *data = (const uint8_t *)(r + 1);

	assert_int_equal(r->length, len);
	assert_int_equal(r->kept, kept);
	for (uint32_t i = 0; i < kept; i++)
		if (data[i] != (uint8_t)(number * 7 + i))
			fail_msg("frame %u: byte %u", number, i);
}

/* Frames of random lengths against a list of what must be there. */
static void test_random(void **state)
{
	static struct {
		unsigned number;
		uint32_t len, kept;
	} model[1 << 16];
	unsigned in = 0, out = 0, offered = 0, full = 0, beyond = 0;

	/* Its indices pass 2^32 on the way. */
	capture.tail = capture.head = capture.head_seen = 0u - 20 * CAPTURE_RING_MIN;
	for (unsigned turn = 0; turn < 4000; turn++) {
		unsigned n = draw(24), took = 0;

		capture_turn(&capture, turn);
		plan.snap = draw(3) ? 9216 : 14 + draw(200);
		while (n--) {
			uint32_t len = draw(8) ? draw(200) : draw(9100);
			uint64_t word = make(offered, len), before = capture.counters.full;

			capture_burst(&capture, &buffers, 3, CAPTURE_RX, &word, 1, turn);
			if (took == CAPTURE_BURST)
				beyond++;
			else if (capture.counters.full != before)
				full++;
			else {
				model[in].number = offered;
				model[in].len = len;
				model[in++].kept = len < plan.snap ? len : plan.snap;
				took++;
			}
			offered++;
		}
		for (n = draw(24); n; n--) {
			const struct capture_record *r = capture_peek(&capture);

			assert_true((r != NULL) == (out < in));
			if (!r)
				break;
			expect(r, model[out].number, model[out].len, model[out].kept);
			out++;
			capture_release(&capture, r);
		}
	}
	assert_true(capture.tail < 1u << 31); /* it did wrap */
	assert_true(full && beyond);
	assert_int_equal(capture.counters.matched, offered);
	assert_int_equal(capture.counters.full, full);
	assert_int_equal(capture.counters.beyond, beyond);
	assert_int_equal(in, offered - full - beyond);
}

/* A ring that is nobody's to empty takes what fits, and the longest frame fits an empty one. */
static void test_full(void **state)
{
	uint64_t word = make(5, 9216);
	unsigned n = 0;

	for (uint32_t start = 0; start < CAPTURE_RING_MIN; start += 1000) {
		capture_reset(&capture, &plan);
		capture.tail = capture.head = capture.head_seen = start & ~7u;
		capture_burst(&capture, &buffers, 3, CAPTURE_RX, &word, 1, 0);
		const struct capture_record *r = capture_peek(&capture);

		assert_non_null(r);
		expect(r, 5, 9216, 9216);
	}
	capture_reset(&capture, &plan);
	while (capture.counters.full == 0) {
		capture_turn(&capture, n++);
		capture_burst(&capture, &buffers, 3, CAPTURE_RX, &word, 1, 0);
	}
	assert_in_range(n, 3, 4);
	assert_int_equal(capture.counters.matched, n);
}

/* Other ports and other points are none of its business. */
static void test_asked(void **state)
{
	uint64_t word = make(1, 60);

	capture_burst(&capture, &buffers, 2, CAPTURE_RX, &word, 1, 0);
	capture_burst(&capture, &buffers, 3, CAPTURE_TX, &word, 1, 0);
	capture_dropped(&capture, &buffers, 2, word, DROP_URPF);
	assert_null(capture_peek(&capture));
	assert_int_equal(capture.counters.matched, 0);
	capture.now = 99;
	capture_dropped(&capture, &buffers, 3, word, DROP_URPF);
	const struct capture_record *r = capture_peek(&capture);

	assert_int_equal(r->point, CAPTURE_DROP);
	assert_int_equal(r->reason, DROP_URPF);
	assert_int_equal(r->time, 99);
}

/* A dropped frame whose tag was taken off has it again, whatever is kept of it. */
static void test_tag(void **state)
{
	uint8_t was[200];
	uint64_t word = make(9, 200);

	store_be16(packet_frame(&buffers, word) + 12, 0x8100);
	store_be16(packet_frame(&buffers, word) + 14, 0x6123);
	memcpy(was, packet_frame(&buffers, word), sizeof was);
	tag_pop(packet_frame(&buffers, word), 1);
	word = packet_pop(word);
	for (uint32_t snap = 1; snap < 210; snap++) {
		plan.snap = snap;
		capture_reset(&capture, &plan);
		capture_dropped(&capture, &buffers, 3, word, DROP_TTL_EXCEEDED);
		const struct capture_record *r = capture_peek(&capture);

		assert_int_equal(r->length, 200);
		assert_int_equal(r->kept, snap < 200 ? snap : 200);
		assert_memory_equal(r + 1, was, r->kept);
	}
	plan.vid = 0x123;
	capture_reset(&capture, &plan);
	capture_dropped(&capture, &buffers, 3, word, DROP_TTL_EXCEEDED);
	plan.vid = 0x124;
	capture_dropped(&capture, &buffers, 3, word, DROP_TTL_EXCEEDED);
	assert_int_equal(capture.counters.matched, 1);
}

/* A datagram put together stands elsewhere, and may be longer than a buffer. */
static void test_whole(void **state)
{
	uint8_t *whole = malloc(65535);
	uint64_t word = packet_retake(make(1, 100), 65535, PACKET_FLAG_WHOLE);

	memset(whole, 0x77, 65535);
	capture.whole = whole;
	capture_dropped(&capture, &buffers, 3, word, DROP_LOCAL_NO_PROTOCOL);
	const struct capture_record *r = capture_peek(&capture);

	assert_int_equal(r->length, 65535);
	assert_int_equal(r->kept, CAPTURE_SNAP_MAX);
	assert_memory_equal(r + 1, whole, CAPTURE_SNAP_MAX);
	free(whole);
}

/* ---- two cores ---- */

#define THREAD_FRAMES 20000u

static void *produce(void *arg)
{
	for (unsigned i = 0; i < THREAD_FRAMES; i++) {
		uint64_t word = make(i, 20 + i % 700);

		capture_turn(&capture, i);
		capture_burst(&capture, &buffers, 3, CAPTURE_RX, &word, 1, i);
		while (capture.tail - load_acquire(&capture.head) > CAPTURE_RING_MIN / 2)
			sched_yield();
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, produce, NULL), 0);
	for (unsigned i = 0; i < THREAD_FRAMES;) {
		const struct capture_record *r = capture_peek(&capture);

		if (!r) {
			sched_yield();
			continue;
		}
		assert_int_equal(r->time, i);
		expect(r, i, 20 + i % 700, 20 + i % 700);
		capture_release(&capture, r);
		i++;
	}
	pthread_join(thread, NULL);
	assert_int_equal(capture.counters.matched, THREAD_FRAMES);
	assert_int_equal(capture.counters.full, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tag, setup, teardown),
		cmocka_unit_test_setup_teardown(test_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

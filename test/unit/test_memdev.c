/* The memory device: frames in and out, full rings, link, stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "drivers/mem/memdev.h"
#include "lib/packet.h"
#include "test/model/io.h"

#define SLOTS 64u

static struct buffers buffers;
static struct netdev *dev;

static int set_up(void **state)
{
	model_io_reset();
	buffers = (struct buffers){0};
	buffers_shape(&buffers, MTU_DEFAULT);
	pool_place(&buffers, 0, model_env.alloc(NULL, 256 * PACKET_STRIDE, 64), 0);
	dev = memdev_create(&model_env, 12, 1, SLOTS);
	assert_non_null(dev);
	dev->buffers = &buffers;
	return 0;
}

static int tear_down(void **state)
{
	model_io_reset();
	return 0;
}

static void fill(uint32_t first, unsigned n)
{
	uint32_t index[SLOTS];

	for (unsigned i = 0; i < n; i++)
		index[i] = first + i;
	dev->ops->rx_fill(dev, 0, index, n);
}

static void describes_itself(void **state)
{
	static const uint8_t mac[6] = {0x02, 'm', 'e', 'm', 0, 12};

	assert_string_equal(dev->location, "mem:12");
	assert_memory_equal(dev->mac, mac, 6);
	assert_true(dev->link);
	assert_int_equal(dev->rx_slots, SLOTS);
	assert_int_equal(memdev_create(&model_env, 0, 0, SLOTS)->rx_queues, 1);
	assert_int_equal(memdev_create(&model_env, 0, 64, SLOTS)->rx_queues, MEMDEV_QUEUES_MAX);
	assert_null(memdev_create(&model_env, 0, 1, 100));
	assert_null(memdev_create(&model_env, 0, 1, 32));
	assert_null(memdev_create(&model_env, 0, 1, 2048));
	for (unsigned left = 0; left < 3; left++) {
		model_io.allocs_left = left;
		assert_null(memdev_create(&model_env, 0, 1, SLOTS));
	}
}

static void receives_into_posted_buffers(void **state)
{
	uint64_t word[8];

	assert_int_equal(dev->ops->rx_room(dev, 0), SLOTS);
	assert_false(memdev_inject(dev, 0, "lost", 4));
	fill(5, 2);
	assert_int_equal(dev->ops->rx_room(dev, 0), SLOTS - 2);
	assert_int_equal(dev->ops->rx_held(dev, 0), 2);
	assert_true(memdev_inject(dev, 0, "first", 5));
	assert_true(memdev_inject(dev, 0, "second", 6));
	assert_false(memdev_inject(dev, 0, "third", 5));
	assert_int_equal(memdev_missed(dev), 2);
	assert_int_equal(dev->ops->rx(dev, 0, word, 1), 1);
	assert_int_equal(word[0], packet_word(5, 5, 0));
	assert_int_equal(dev->ops->rx(dev, 0, word, 8), 1);
	assert_int_equal(word[0], packet_word(6, 6, 0));
	assert_memory_equal(buffer_data(&buffers, 6), "second", 6);
	assert_int_equal(dev->ops->rx(dev, 0, word, 8), 0);
	assert_int_equal(dev->ops->rx_held(dev, 0), 0);
}

static void refuses_what_a_buffer_cannot_hold(void **state)
{
	static uint8_t frame[PACKET_ROOM + 1];

	fill(255, 1);
	assert_false(memdev_inject(dev, 0, frame, PACKET_ROOM + 1));
	assert_true(memdev_inject(dev, 0, frame, PACKET_ROOM));
}

static void transmits_in_order(void **state)
{
	uint64_t word[SLOTS + 8], done[8];
	char out[16];

	for (unsigned i = 0; i < SLOTS + 8; i++) {
		memset(buffer_data(&buffers, i), (int)i, 10);
		word[i] = packet_word(i, 10, 0);
	}
	assert_int_equal(memdev_collect(dev, 0, out, sizeof out), 0);
	assert_int_equal(dev->ops->tx(dev, 0, word, SLOTS + 8), SLOTS);
	assert_int_equal(dev->ops->tx(dev, 0, word, 1), 0);
	assert_int_equal(dev->ops->doorbells(dev), 1);
	assert_int_equal(dev->ops->tx_done(dev, 0, done, 8), 0);
	for (unsigned i = 0; i < 3; i++) {
		memset(out, 0xee, sizeof out);
		assert_int_equal(memdev_collect(dev, 0, out, 4), 10);
		assert_int_equal(out[3], (char)i);
		assert_int_equal(out[4], (char)0xee);
	}
	assert_int_equal(memdev_collect(dev, 0, NULL, 0), 10);
	assert_int_equal(dev->ops->tx_done(dev, 0, done, 3), 3);
	assert_memory_equal(done, word, 3 * sizeof *word);
	assert_int_equal(dev->ops->tx_done(dev, 0, done, 8), 1);
	assert_int_equal(done[0], word[3]);
	assert_int_equal(dev->ops->tx_held(dev, 0), SLOTS - 4);
	assert_int_equal(dev->ops->tx(dev, 0, word, 8), 4);
}

/* Many times round both rings, each frame with its own content. */
static void wraps(void **state)
{
	uint64_t word[16];

	for (uint32_t round = 0; round < 5000; round++) {
		uint32_t out[2] = {0}, in[2] = {round, ~round};
		unsigned n = round % 16 + 1;

		fill(round % 200, n);
		for (unsigned i = 0; i < n; i++)
			assert_true(memdev_inject(dev, 0, in, sizeof in));
		assert_int_equal(dev->ops->rx(dev, 0, word, 16), n);
		assert_int_equal(dev->ops->tx(dev, 0, word, n), n);
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(memdev_collect(dev, 0, out, sizeof out), sizeof out);
			assert_memory_equal(in, out, sizeof in);
		}
		assert_int_equal(dev->ops->tx_done(dev, 0, word, 16), n);
	}
	assert_int_equal(dev->ops->rx_held(dev, 0) + dev->ops->tx_held(dev, 0), 0);
}

/* Queues share nothing: each has its own frames, and one that is full holds up no other. */
static void queues_are_apart(void **state)
{
	uint32_t index[] = {20, 21, 22, 23};
	uint64_t word[SLOTS];
	char out[8];

	dev = memdev_create(&model_env, 1, 4, SLOTS);
	assert_non_null(dev);
	dev->buffers = &buffers;
	assert_int_equal(dev->rx_queues, 4);
	assert_int_equal(dev->tx_queues, 4);
	for (unsigned q = 0; q < 4; q++)
		dev->ops->rx_fill(dev, q, &index[q], q != 2);
	assert_true(memdev_inject(dev, 3, "three", 5));
	assert_false(memdev_inject(dev, 2, "two", 3));
	assert_true(memdev_inject(dev, 0, "zero", 4));
	assert_int_equal(memdev_missed(dev), 1);
	assert_int_equal(dev->ops->rx(dev, 1, word, 4), 0);
	assert_int_equal(dev->ops->rx(dev, 3, word, 4), 1);
	assert_int_equal(word[0], packet_word(23, 5, 0));
	assert_int_equal(dev->ops->rx_held(dev, 0), 1);
	assert_int_equal(dev->ops->rx_held(dev, 3), 0);
	assert_int_equal(dev->ops->rx_room(dev, 3), SLOTS);
	for (unsigned i = 0; i < SLOTS; i++)
		word[i] = packet_word(100 + i, 1 + i % 8, 0);
	assert_int_equal(dev->ops->tx(dev, 1, word, SLOTS), SLOTS);
	assert_int_equal(dev->ops->tx(dev, 1, word, 1), 0);
	assert_int_equal(dev->ops->tx(dev, 2, word + 5, 1), 1);
	assert_int_equal(memdev_collect(dev, 3, out, sizeof out), 0);
	assert_int_equal(memdev_collect(dev, 2, out, sizeof out), 6);
	assert_int_equal(dev->ops->tx_done(dev, 1, word, 4), 0);
	assert_int_equal(dev->ops->tx_done(dev, 2, word, 4), 1);
	assert_int_equal(dev->ops->doorbells(dev), 5);
	dev->ops->stop(dev);
	assert_int_equal(dev->ops->tx_done(dev, 1, word, SLOTS), SLOTS);
}

/* What each device gets of the queues wanted, by their number, by memory, and one at least. */
static void queues_are_shared(void **state)
{
	static const struct {
		unsigned wanted, all, devices, each;
	} c[] = {{4, 100, 2, 4}, {40, 100, 2, RXQ_MAX / 2}, {4, 7, 2, 3}, {4, 8, 2, 4},
		{1, 100, 16, 1}, {8, 100, 16, RXQ_MAX / 16}, {0, 100, 1, 1}, {4, 1, 16, 1},
		{4, 0, 2, 1}, {4, 100, 0, 4}};

	for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
		struct netdev_request want = {.queue_pairs = c[i].wanted, .queues_all = c[i].all};

		assert_int_equal(netdev_queue_share(&want, c[i].devices), c[i].each);
	}
}

#define FRAMES 50000u

/* The wire on a thread of its own: numbered frames in, and out again in order. */
static void *wire(void *arg)
{
	uint32_t in = 0, out = 0, seen;

	while (out < FRAMES) {
		if (in < FRAMES && memdev_inject(dev, 1, &in, sizeof in))
			in++;
		if (memdev_collect(dev, 1, &seen, sizeof seen)) {
			assert_int_equal(seen, out);
			out++;
		}
	}
	return NULL;
}

/* The router's side and the wire's on two threads, each frame received, sent and its buffer reused.
 */
static void sides_run_on_two_threads(void **state)
{
	uint32_t index[SLOTS], free_n = SLOTS, done = 0;
	pthread_t thread;

	dev = memdev_create(&model_env, 1, 2, SLOTS);
	assert_non_null(dev);
	dev->buffers = &buffers;
	for (unsigned i = 0; i < SLOTS; i++)
		index[i] = i;
	assert_int_equal(pthread_create(&thread, NULL, wire, NULL), 0);
	while (done < FRAMES) {
		uint64_t word[16];
		unsigned n = dev->ops->rx_room(dev, 1);

		n = n < free_n ? n : free_n;
		free_n -= n;
		dev->ops->rx_fill(dev, 1, index + free_n, n);
		n = dev->ops->rx(dev, 1, word, 16);
		assert_int_equal(dev->ops->tx(dev, 1, word, n), n);
		n = dev->ops->tx_done(dev, 1, word, 16);
		for (unsigned i = 0; i < n; i++)
			index[free_n++] = packet_index(word[i]);
		done += n;
	}
	pthread_join(thread, NULL);
}

static void link_goes_down_and_up(void **state)
{
	fill(0, 4);
	memdev_set_link(dev, false);
	assert_true(dev->link); /* until it is looked at */
	assert_false(memdev_inject(dev, 0, "x", 1));
	dev->ops->poll(dev);
	assert_false(dev->link);
	memdev_set_link(dev, true);
	dev->ops->poll(dev);
	assert_true(dev->link);
	assert_true(memdev_inject(dev, 0, "x", 1));
}

static void stop_gives_sent_buffers_back(void **state)
{
	uint64_t word[4] = {packet_word(1, 60, 0), packet_word(2, 60, 0)}, done[4];

	fill(10, 4);
	memdev_inject(dev, 0, "x", 1);
	assert_int_equal(dev->ops->tx(dev, 0, word, 2), 2);
	dev->ops->stop(dev);
	dev->ops->poll(dev);
	assert_false(dev->link);
	assert_int_equal(dev->ops->rx(dev, 0, done, 4), 0);
	assert_int_equal(dev->ops->rx_room(dev, 0), 0);
	assert_int_equal(dev->ops->tx(dev, 0, word, 2), 0);
	assert_int_equal(dev->ops->tx_done(dev, 0, done, 4), 2);
	assert_int_equal(dev->ops->tx_held(dev, 0), 0);
	assert_int_equal(dev->ops->rx_held(dev, 0), 4);
	assert_false(memdev_inject(dev, 0, "x", 1));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(describes_itself),
		CASE(receives_into_posted_buffers),
		CASE(refuses_what_a_buffer_cannot_hold),
		CASE(transmits_in_order),
		CASE(wraps),
		CASE(queues_are_apart),
		CASE(queues_are_shared),
		CASE(sides_run_on_two_threads),
		CASE(link_goes_down_and_up),
		CASE(stop_gives_sent_buffers_back),
	};

	return cmocka_run_group_tests_name("memdev", tests, NULL, NULL);
}

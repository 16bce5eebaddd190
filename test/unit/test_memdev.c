/* The memory device: frames in and out, full rings, link, stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
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
	buffers.base = model_env.alloc(NULL, 256 * PACKET_STRIDE, 64);
	dev = memdev_create(&model_env, 12, SLOTS);
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
	assert_null(memdev_create(&model_env, 0, 100));
	assert_null(memdev_create(&model_env, 0, 32));
	assert_null(memdev_create(&model_env, 0, 2048));
	for (unsigned left = 0; left < 3; left++) {
		model_io.allocs_left = left;
		assert_null(memdev_create(&model_env, 0, SLOTS));
	}
}

static void receives_into_posted_buffers(void **state)
{
	uint64_t word[8];

	assert_int_equal(dev->ops->rx_room(dev, 0), SLOTS);
	assert_false(memdev_inject(dev, "lost", 4));
	fill(5, 2);
	assert_int_equal(dev->ops->rx_room(dev, 0), SLOTS - 2);
	assert_int_equal(dev->ops->rx_held(dev, 0), 2);
	assert_true(memdev_inject(dev, "first", 5));
	assert_true(memdev_inject(dev, "second", 6));
	assert_false(memdev_inject(dev, "third", 5));
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
	assert_false(memdev_inject(dev, frame, PACKET_ROOM + 1));
	assert_true(memdev_inject(dev, frame, PACKET_ROOM));
}

static void transmits_in_order(void **state)
{
	uint64_t word[SLOTS + 8], done[8];
	char out[16];

	for (unsigned i = 0; i < SLOTS + 8; i++) {
		memset(buffer_data(&buffers, i), (int)i, 10);
		word[i] = packet_word(i, 10, 0);
	}
	assert_int_equal(memdev_collect(dev, out, sizeof out), 0);
	assert_int_equal(dev->ops->tx(dev, 0, word, SLOTS + 8), SLOTS);
	assert_int_equal(dev->ops->tx(dev, 0, word, 1), 0);
	assert_int_equal(dev->ops->doorbells(dev), 1);
	assert_int_equal(dev->ops->tx_done(dev, 0, done, 8), 0);
	for (unsigned i = 0; i < 3; i++) {
		memset(out, 0xee, sizeof out);
		assert_int_equal(memdev_collect(dev, out, 4), 10);
		assert_int_equal(out[3], (char)i);
		assert_int_equal(out[4], (char)0xee);
	}
	assert_int_equal(memdev_collect(dev, NULL, 0), 10);
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
			assert_true(memdev_inject(dev, in, sizeof in));
		assert_int_equal(dev->ops->rx(dev, 0, word, 16), n);
		assert_int_equal(dev->ops->tx(dev, 0, word, n), n);
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(memdev_collect(dev, out, sizeof out), sizeof out);
			assert_memory_equal(in, out, sizeof in);
		}
		assert_int_equal(dev->ops->tx_done(dev, 0, word, 16), n);
	}
	assert_int_equal(dev->ops->rx_held(dev, 0) + dev->ops->tx_held(dev, 0), 0);
}

static void link_goes_down_and_up(void **state)
{
	fill(0, 4);
	memdev_set_link(dev, false);
	assert_true(dev->link); /* until it is looked at */
	assert_false(memdev_inject(dev, "x", 1));
	dev->ops->poll(dev);
	assert_false(dev->link);
	memdev_set_link(dev, true);
	dev->ops->poll(dev);
	assert_true(dev->link);
	assert_true(memdev_inject(dev, "x", 1));
}

static void stop_gives_sent_buffers_back(void **state)
{
	uint64_t word[4] = {packet_word(1, 60, 0), packet_word(2, 60, 0)}, done[4];

	fill(10, 4);
	memdev_inject(dev, "x", 1);
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
	assert_false(memdev_inject(dev, "x", 1));
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
		CASE(link_goes_down_and_up),
		CASE(stop_gives_sent_buffers_back),
	};

	return cmocka_run_group_tests_name("memdev", tests, NULL, NULL);
}

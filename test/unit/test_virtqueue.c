/* The data path of virtio-net: full rings, wrapped indices, any order, doorbells, and devices that
 * lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "drivers/virtio/virtio_net.h"
#include "lib/packet.h"
#include "test/model/virtio_model.h"

#define SLOTS   64u
#define BUFFERS 256u

static struct pci_model segment;
static struct pci pci;
static struct virtio_model model;
static struct buffers buffers;
static struct netdev *dev;

static int set_up(void **state)
{
	static const struct pci_host host = {
		.ecam = (volatile void *)PCI_MODEL_ECAM,
		.bus_last = 255,
		.window = PCI_MODEL_LOW,
		.window_bytes = 0x10000000,
	};

	model_io_reset();
	pci_model_init(&segment);
	buffers = (struct buffers){.base = model_env.alloc(NULL, BUFFERS * PACKET_STRIDE, 64)};
	virtio_model_init(&model, &segment, 3, SLOTS, buffers.base, BUFFERS * PACKET_STRIDE);
	pci_scan(&pci, &host, &model_env);
	dev = virtio_net_probe(&pci, &pci.function[0], &model_env);
	assert_non_null(dev);
	dev->buffers = &buffers;
	return 0;
}

static int tear_down(void **state)
{
	if (model.complaint)
		fail_msg("the device complains: %s", model.complaint);
	assert_int_equal(model_io.strays, 0);
	model_io_reset();
	return 0;
}

static void fill(uint32_t first, unsigned n)
{
	uint32_t index[SLOTS];

	for (unsigned i = 0; i < n; i++)
		index[i] = (first + i) % BUFFERS;
	dev->ops->rx_fill(dev, 0, index, n);
}

static void expect_failure(const char *why)
{
	assert_true(dev->failed);
	if (!strstr(dev->failure, why))
		fail_msg("\"%s\" is not in \"%s\"", why, dev->failure);
	assert_int_equal(dev->ops->rx_room(dev, 0), 0);
}

/* ---------------------------------------------------------------- good devices */

static void receives_a_frame(void **state)
{
	uint64_t word[4];

	assert_int_equal(dev->ops->rx_room(dev, 0), SLOTS);
	assert_int_equal(dev->ops->rx(dev, 0, word, 4), 0);
	fill(7, 3);
	assert_int_equal(dev->ops->rx_held(dev, 0), 3);
	assert_true(virtio_model_receive(&model, "a frame", 7));
	assert_int_equal(dev->ops->rx(dev, 0, word, 4), 1);
	assert_int_equal(word[0], packet_word(7, 7, 0));
	assert_memory_equal(buffer_data(&buffers, 7), "a frame", 7);
	assert_int_equal(dev->ops->rx_held(dev, 0), 2);
	assert_int_equal(dev->ops->rx_room(dev, 0), SLOTS - 2);
}

static void receives_the_largest_frame(void **state)
{
	static uint8_t frame[PACKET_ROOM];
	uint64_t word;

	fill(BUFFERS - 1, 1); /* the last buffer: nothing lies behind it */
	assert_false(virtio_model_receive(&model, frame, PACKET_ROOM + 1));
	model.queue[VIRTIO_MODEL_RX].seen--;
	assert_true(virtio_model_receive(&model, frame, PACKET_ROOM));
	assert_int_equal(dev->ops->rx(dev, 0, &word, 1), 1);
	assert_int_equal(packet_len(word), PACKET_ROOM);
}

static void transmits_a_frame(void **state)
{
	uint64_t word = packet_word(9, 60, 0x55), done[2];

	memset(buffer_data(&buffers, 9) - 12, 0xee, 12); /* as an old frame may have left it */
	memset(buffer_data(&buffers, 9), 0x5a, 60);
	assert_int_equal(dev->ops->tx(dev, 0, &word, 1), 1);
	assert_int_equal(dev->ops->tx_held(dev, 0), 1);
	assert_int_equal(dev->ops->tx_done(dev, 0, done, 2), 0);
	assert_int_equal(virtio_model_transmit(&model), 1);
	assert_int_equal(model.sent_len, 60);
	assert_memory_equal(model.sent, buffer_data(&buffers, 9), 60);
	assert_int_equal(dev->ops->tx_done(dev, 0, done, 2), 1);
	assert_int_equal(done[0], word);
	assert_int_equal(dev->ops->tx_held(dev, 0), 0);
}

static void full_rings_take_no_more(void **state)
{
	uint64_t word[SLOTS + 1], done[SLOTS];

	fill(0, SLOTS);
	assert_int_equal(dev->ops->rx_room(dev, 0), 0);
	for (unsigned i = 0; i <= SLOTS; i++)
		word[i] = packet_word(100 + i, 60, 0);
	assert_int_equal(dev->ops->tx(dev, 0, word, SLOTS + 1), SLOTS);
	assert_int_equal(dev->ops->tx(dev, 0, word, 1), 0);
	virtio_model_transmit(&model);
	assert_int_equal(dev->ops->tx_done(dev, 0, done, 10), 10);
	assert_int_equal(dev->ops->tx(dev, 0, word, SLOTS), 10);
}

/* More than 65,536 frames each way, so that every index wraps; each carries its number. */
static void indices_wrap(void **state)
{
	uint64_t word[16], done[16];
	uint32_t next_out = 0, next_in = 0;

	while (next_in < 140000) {
		unsigned n = next_in % 16 + 1;

		fill(next_out, n);
		for (unsigned i = 0; i < n; i++, next_out++)
			assert_true(virtio_model_receive(&model, &next_out, sizeof next_out));
		assert_int_equal(dev->ops->rx(dev, 0, word, 16), n);
		assert_int_equal(dev->ops->tx(dev, 0, word, n), n);
		for (unsigned i = 0; i < n; i++, next_in++)
			assert_memory_equal(
				buffer_data(&buffers, packet_index(word[i])), &next_in, 4);
		assert_int_equal(virtio_model_transmit(&model), n);
		assert_int_equal(dev->ops->tx_done(dev, 0, done, 16), n);
		assert_memory_equal(word, done, n * sizeof *word);
	}
	assert_int_equal(model.sent_n, next_in);
	assert_int_equal(dev->ops->rx_held(dev, 0) + dev->ops->tx_held(dev, 0), 0);
}

/* The device finishes in reverse order, many times round: no buffer is lost or given twice. */
static void completes_in_any_order(void **state)
{
	uint64_t word[SLOTS], done[SLOTS];
	bool away[BUFFERS] = {false};
	uint32_t next = 0;

	model.hold = true;
	for (unsigned round = 0; round < 4000; round++) {
		unsigned n = round % SLOTS + 1, frame;

		fill(next, n);
		for (unsigned i = 0; i < n; i++) {
			frame = (next + i) % BUFFERS;
			assert_false(away[frame]);
			away[frame] = true;
			assert_true(virtio_model_receive(&model, &frame, sizeof frame));
		}
		next += n;
		virtio_model_flush(&model, VIRTIO_MODEL_RX, 0);
		assert_int_equal(dev->ops->rx(dev, 0, word, SLOTS), n);
		for (unsigned i = 0; i < n; i++) /* each word names the buffer its frame is in */
			assert_memory_equal(buffer_data(&buffers, packet_index(word[i])),
				&(uint32_t){packet_index(word[i])}, 4);
		assert_int_equal(dev->ops->tx(dev, 0, word, n), n);
		assert_int_equal(virtio_model_transmit(&model), n);
		virtio_model_flush(&model, VIRTIO_MODEL_TX, 0);
		assert_int_equal(dev->ops->tx_done(dev, 0, done, SLOTS), n);
		for (unsigned i = 0; i < n; i++) {
			assert_true(away[packet_index(done[i])]);
			away[packet_index(done[i])] = false;
		}
	}
	assert_false(dev->failed);
}

/* Buffers the device sits on keep their descriptors while the rings go round and round beneath. */
static void slow_buffers_keep_their_descriptors(void **state)
{
	uint64_t word[SLOTS], slow[3], done[SLOTS];

	model.hold = true;
	for (unsigned i = 0; i < 3; i++)
		slow[i] = packet_word(BUFFERS - 1 - i, 60, 0);
	assert_int_equal(dev->ops->tx(dev, 0, slow, 3), 3);
	virtio_model_transmit(&model);
	for (uint32_t round = 0; round < 2000; round++) {
		unsigned n = round % (SLOTS - 4) + 1;

		for (unsigned i = 0; i < n; i++)
			word[i] = packet_word(round % 100 + i, 60, 0);
		assert_int_equal(dev->ops->tx(dev, 0, word, n), n);
		assert_int_equal(virtio_model_transmit(&model), n);
		virtio_model_flush(&model, VIRTIO_MODEL_TX, 3);
		assert_int_equal(dev->ops->tx_done(dev, 0, done, SLOTS), n);
		for (unsigned i = 0; i < n; i++)
			assert_int_equal(done[n - 1 - i], word[i]);
	}
	assert_int_equal(dev->ops->tx_held(dev, 0), 3);
	virtio_model_flush(&model, VIRTIO_MODEL_TX, 0);
	assert_int_equal(dev->ops->tx_done(dev, 0, done, SLOTS), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(done[2 - i], slow[i]);
}

/* One doorbell a batch, none for nothing, none when the device asks for none. */
static void rings_once_a_batch(void **state)
{
	uint64_t word[8] = {0};

	fill(0, 32);
	assert_int_equal(model.queue[VIRTIO_MODEL_RX].doorbells, 1);
	fill(32, 0);
	assert_int_equal(model.queue[VIRTIO_MODEL_RX].doorbells, 1);
	for (unsigned i = 0; i < 8; i++)
		word[i] = packet_word(100 + i, 60, 0);
	dev->ops->tx(dev, 0, word, 8);
	dev->ops->tx(dev, 0, word, 0);
	dev->ops->tx(dev, 0, word, 4);
	assert_int_equal(model.queue[VIRTIO_MODEL_TX].doorbells, 2);
	assert_int_equal(dev->ops->doorbells(dev), 3);
	virtio_model_used(&model, VIRTIO_MODEL_RX)->flags = VIRTQ_USED_NO_NOTIFY;
	virtio_model_used(&model, VIRTIO_MODEL_TX)->flags = VIRTQ_USED_NO_NOTIFY;
	fill(32, 8);
	dev->ops->tx(dev, 0, word + 4, 4);
	assert_int_equal(dev->ops->doorbells(dev), 3);
	assert_int_equal(model.queue[0].doorbells + model.queue[1].doorbells, 3);
	assert_int_equal(virtio_model_transmit(&model), 16); /* it polls, and finds all */
	virtio_model_used(&model, VIRTIO_MODEL_TX)->flags = 0;
	dev->ops->tx(dev, 0, word, 1);
	assert_int_equal(dev->ops->doorbells(dev), 4);
}

/* ---------------------------------------------------------------- devices that lie */

static void impossible_lengths_become_zero(void **state)
{
	static const uint32_t lie[] = {0, 11, 12, PACKET_ROOM + 13, 0x10000 + 72, UINT32_MAX};
	uint64_t word;

	model.lie_bytes = true;
	for (unsigned i = 0; i < sizeof lie / sizeof *lie; i++) {
		fill(i, 1);
		model.fake_bytes = lie[i];
		virtio_model_receive(&model, "x", 1);
		assert_int_equal(dev->ops->rx(dev, 0, &word, 1), 1);
		assert_int_equal(word, packet_word(i, 0, 0));
	}
	fill(0, 1);
	model.fake_bytes = 13;
	virtio_model_receive(&model, "x", 1);
	assert_int_equal(dev->ops->rx(dev, 0, &word, 1), 1);
	assert_int_equal(packet_len(word), 1);
	assert_false(dev->failed);
}

static void ids_it_does_not_have(void **state)
{
	static const uint32_t lie[] = {5, SLOTS, 65536, UINT32_MAX};
	uint64_t word[4], frame[3];

	for (unsigned i = 0; i < 4; i++) {
		set_up(state);
		fill(0, 3);
		virtio_model_receive(&model, "good", 4);
		model.lie_id = true;
		model.fake_id = lie[i];
		virtio_model_receive(&model, "bad", 3);
		assert_int_equal(dev->ops->rx(dev, 0, word, 4), 1); /* the good one is kept */
		expect_failure("receive buffer that it did not have");
		assert_int_equal(dev->ops->rx_held(dev, 0), 2);
		assert_int_equal(dev->ops->rx(dev, 0, word, 4), 0);

		set_up(state);
		for (unsigned k = 0; k < 3; k++)
			frame[k] = packet_word(k, 60, 0);
		dev->ops->tx(dev, 0, frame, 3);
		model.lie_id = true;
		model.fake_id = lie[i];
		virtio_model_transmit(&model);
		assert_int_equal(dev->ops->tx_done(dev, 0, word, 4), 0);
		expect_failure("transmit buffer that it did not have");
		assert_int_equal(dev->ops->tx_held(dev, 0), 3);
		assert_int_equal(dev->ops->tx(dev, 0, frame, 1), 0);
	}
}

static void the_same_id_twice(void **state)
{
	uint64_t word[4];

	fill(0, 4);
	model.lie_id = true;
	model.fake_id = 2;
	virtio_model_receive(&model, "a", 1);
	virtio_model_receive(&model, "b", 1);
	assert_int_equal(dev->ops->rx(dev, 0, word, 4), 1);
	assert_int_equal(packet_index(word[0]), 2);
	expect_failure("did not have");
}

/* An index that has run ahead of what was posted, or backwards. */
static void index_that_jumps(void **state)
{
	static const uint16_t jump[] = {4, SLOTS, SLOTS + 1, 0x8000, 0xffff};
	uint64_t word[SLOTS];

	for (unsigned i = 0; i < sizeof jump / sizeof *jump; i++) {
		set_up(state);
		fill(0, 3);
		virtio_model_used(&model, VIRTIO_MODEL_RX)->idx = jump[i];
		assert_int_equal(dev->ops->rx(dev, 0, word, SLOTS), 0);
		expect_failure("more buffers than it had");
		set_up(state);
		virtio_model_used(&model, VIRTIO_MODEL_TX)->idx = jump[i];
		assert_int_equal(dev->ops->tx_done(dev, 0, word, SLOTS), 0);
		expect_failure("more buffers than it had");
	}
}

/* Buffers given between a failure and its discovery are kept in the books. */
static void fill_after_failure_loses_nothing(void **state)
{
	uint64_t word[4];

	fill(0, 3);
	virtio_model_used(&model, VIRTIO_MODEL_RX)->idx = 77;
	dev->ops->rx(dev, 0, word, 4);
	fill(3, 2);
	assert_int_equal(dev->ops->rx_held(dev, 0), 5);
}

static uint32_t draw(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Scribbles over one used ring as a wild device could. */
static void scribble(uint32_t *seed, unsigned queue)
{
	struct virtq_used *used = virtio_model_used(&model, queue);
	struct virtq_used_elem *e = &used->ring[draw(seed) % SLOTS];

	switch (draw(seed) % 4) {
	case 0:
		used->idx = (uint16_t)(used->idx + draw(seed) % 3);
		break;
	case 1:
		e->id = draw(seed) % (SLOTS + 2);
		break;
	case 2:
		e->bytes = draw(seed);
		break;
	default:
		used->flags = (uint16_t)draw(seed);
	}
}

/* Wild devices, a thousand of them: no crash, no word that was not given, no buffer twice. */
static void wild_devices_do_no_harm(void **state)
{
	uint32_t seed = 4711;
	unsigned failed = 0, received = 0;

	for (unsigned life = 0; life < 1000; life++) {
		uint8_t away[BUFFERS] = {0}; /* 1: in RX, 2: in TX */
		uint64_t word[16];

		set_up(state);
		for (unsigned step = 0; step < 200 && !dev->failed; step++) {
			uint32_t index = draw(&seed) % BUFFERS;
			unsigned n;

			if (!away[index] && dev->ops->rx_room(dev, 0)) {
				dev->ops->rx_fill(dev, 0, &index, 1);
				away[index] = 1;
			}
			if (draw(&seed) % 2)
				virtio_model_receive(&model, "frame", 5);
			if (draw(&seed) % 2)
				virtio_model_transmit(&model);
			if (draw(&seed) % 50 == 0)
				scribble(&seed, draw(&seed) % 2);
			n = dev->ops->rx(dev, 0, word, 16);
			for (unsigned i = 0; i < n; i++) {
				assert_int_equal(away[packet_index(word[i])], 1);
				assert_in_range(packet_len(word[i]), 0, PACKET_ROOM);
				away[packet_index(word[i])] = 0;
			}
			received += n;
			n = dev->ops->tx(dev, 0, word, n);
			for (unsigned i = 0; i < n; i++)
				away[packet_index(word[i])] = 2;
			n = dev->ops->tx_done(dev, 0, word, 16);
			for (unsigned i = 0; i < n; i++) {
				assert_int_equal(away[packet_index(word[i])], 2);
				away[packet_index(word[i])] = 0;
			}
		}
		failed += dev->failed;
		model.complaint = NULL; /* what it then finds is its own doing */
	}
	assert_in_range(failed, 100, 1000); /* the test did go both ways */
	assert_in_range(received, 10000, 1000000);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(receives_a_frame),
		CASE(receives_the_largest_frame),
		CASE(transmits_a_frame),
		CASE(full_rings_take_no_more),
		CASE(indices_wrap),
		CASE(completes_in_any_order),
		CASE(slow_buffers_keep_their_descriptors),
		CASE(rings_once_a_batch),
		CASE(impossible_lengths_become_zero),
		CASE(ids_it_does_not_have),
		CASE(the_same_id_twice),
		CASE(index_that_jumps),
		CASE(fill_after_failure_loses_nothing),
		CASE(wild_devices_do_no_harm),
	};

	return cmocka_run_group_tests_name("virtqueue", tests, NULL, NULL);
}

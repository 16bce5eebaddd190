/* The data path of virtio-net over both kinds of ring: full rings, wrapped indices, any order,
 * doorbells. */
#include "test/unit/virtio_fixture.h"

#define SLOTS 64u

static int set_up_split(void **state)
{
	make_machine(SLOTS, 1500);
	probe_ok();
	return 0;
}

static int set_up_packed(void **state)
{
	make_machine(SLOTS, 1500);
	model.offered |= VIRTIO_MODEL_F_RING_PACKED;
	probe_ok();
	return 0;
}

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
	static uint8_t frame[PACKET_ROOM + 1];
	uint64_t word;

	fill(BUFFERS - 1, 1); /* the last buffer: nothing lies behind it */
	assert_false(virtio_model_receive(&model, frame, PACKET_ROOM + 1));
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

/* Batches of each size from 1 to the whole ring, so that each is cut by the end of the ring
 * everywhere. */
static void batches_of_every_size_wrap(void **state)
{
	uint64_t word[SLOTS], done[SLOTS];

	for (unsigned n = 1; n <= SLOTS; n++)
		for (unsigned round = 0; round < SLOTS + 2; round++) {
			for (unsigned i = 0; i < n; i++)
				word[i] = packet_word((round * 3 + i) % BUFFERS, 60 + i, 0);
			assert_int_equal(dev->ops->tx(dev, 0, word, n), n);
			assert_int_equal(dev->ops->tx_done(dev, 0, done, SLOTS), 0);
			assert_int_equal(virtio_model_transmit(&model), n);
			assert_int_equal(dev->ops->tx_done(dev, 0, done, n), n);
			assert_memory_equal(done, word, n * sizeof *word);
			assert_int_equal(dev->ops->tx_done(dev, 0, done, SLOTS), 0);
			fill(round, n);
			for (unsigned i = 0; i < n; i++)
				assert_true(virtio_model_receive(&model, &i, sizeof i));
			assert_false(virtio_model_receive(&model, &n, sizeof n));
			assert_int_equal(dev->ops->rx(dev, 0, word, SLOTS), n);
			assert_int_equal(packet_index(word[n - 1]), (round + n - 1) % BUFFERS);
		}
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
	virtio_model_notify(&model, VIRTIO_MODEL_RX, false);
	virtio_model_notify(&model, VIRTIO_MODEL_TX, false);
	fill(32, 8);
	dev->ops->tx(dev, 0, word + 4, 4);
	assert_int_equal(dev->ops->doorbells(dev), 3);
	assert_int_equal(model.queue[0].doorbells + model.queue[1].doorbells, 3);
	assert_int_equal(virtio_model_transmit(&model), 16); /* it polls, and finds all */
	virtio_model_notify(&model, VIRTIO_MODEL_TX, true);
	dev->ops->tx(dev, 0, word, 1);
	assert_int_equal(dev->ops->doorbells(dev), 4);
}

/* A packed ring: only "disabled" keeps the doorbell still, whatever the reserved bits (2.8.14). */
static void event_flags_of_every_kind(void **state)
{
	static const uint16_t flags[] = {0, 1, 2, 3, 0xfffc, 0xfffd, 0xfffe, 0xffff};
	struct virtq_event *event =
		(struct virtq_event *)(uintptr_t)model.queue[VIRTIO_MODEL_TX].device;
	uint64_t word = packet_word(5, 60, 0);

	for (unsigned i = 0; i < 8; i++) {
		uint64_t before = dev->ops->doorbells(dev);

		event->flags = flags[i];
		event->position = 0x1234;
		assert_int_equal(dev->ops->tx(dev, 0, &word, 1), 1);
		assert_int_equal(dev->ops->doorbells(dev) - before, (flags[i] & 3) != 1);
		assert_int_equal(virtio_model_transmit(&model), 1);
		assert_int_equal(dev->ops->tx_done(dev, 0, &word, 1), 1);
	}
}

/* A frame of MTU 9000 each way, in buffers made for it, up to the last byte of the last. */
static void carries_jumbo_frames(void **state)
{
	static uint8_t frame[10000];
	uint64_t word, done;
	uint64_t packed = model.offered & VIRTIO_MODEL_F_RING_PACKED;

	make_machine(SLOTS, 9000);
	model.offered |= packed;
	probe_ok();
	for (unsigned i = 0; i < sizeof frame; i++)
		frame[i] = (uint8_t)(i * 7 + i / 256);
	for (unsigned i = 0; i < 200; i++) {
		uint32_t index = BUFFERS - 1 - i, len = i == 0 ? 9216 : 9014 - i;

		fill(index, 1);
		assert_false(virtio_model_receive(&model, frame, 9217));
		assert_true(virtio_model_receive(&model, frame, len));
		assert_int_equal(dev->ops->rx(dev, 0, &word, 1), 1);
		assert_int_equal(word, packet_word(index, len, 0));
		assert_int_equal(dev->ops->tx(dev, 0, &word, 1), 1);
		assert_int_equal(virtio_model_transmit(&model), 1);
		assert_int_equal(model.sent_len, len);
		assert_memory_equal(model.sent, frame, len);
		assert_int_equal(dev->ops->tx_done(dev, 0, &done, 1), 1);
		assert_int_equal(done, word);
	}
}

int main(void)
{
#define CASE(f)                                                                                    \
	{#f " (split)", f, set_up_split, end_machine, NULL},                                       \
	{                                                                                          \
#		f " (packed)", f, set_up_packed, end_machine, NULL                                \
	}
	const struct CMUnitTest tests[] = {
		CASE(receives_a_frame),
		CASE(receives_the_largest_frame),
		CASE(transmits_a_frame),
		CASE(full_rings_take_no_more),
		CASE(indices_wrap),
		CASE(batches_of_every_size_wrap),
		CASE(completes_in_any_order),
		CASE(slow_buffers_keep_their_descriptors),
		CASE(rings_once_a_batch),
		{"event_flags_of_every_kind", event_flags_of_every_kind, set_up_packed, end_machine,
			NULL},
		CASE(carries_jumbo_frames),
	};

	return cmocka_run_group_tests_name("virtqueue", tests, NULL, NULL);
}

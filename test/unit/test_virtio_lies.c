/* virtio-net devices that lie about lengths, ids and indices, or write whatever they like into
 * their rings. */
#include "test/unit/virtio_rings.h"

#define SLOTS 64u

static void again(void)
{
	make_rings(SLOTS);
	probe_ok();
}

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
	static const uint32_t lie[] = {5, SLOTS, 65535, 65536 + 5, UINT32_MAX};
	uint64_t word[4], frame[3];

	for (unsigned i = 0; i < 5; i++) {
		again();
		fill(0, 3);
		virtio_model_receive(&model, "good", 4);
		model.lie_id = true;
		model.fake_id = lie[i];
		virtio_model_receive(&model, "bad", 3);
		assert_int_equal(dev->ops->rx(dev, 0, word, 4), 1); /* the good one is kept */
		expect_failure("receive buffer that it did not have");
		assert_int_equal(dev->ops->rx_held(dev, 0), 2);
		assert_int_equal(dev->ops->rx(dev, 0, word, 4), 0);

		again();
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
		again();
		fill(0, 3);
		virtio_model_used(&model, VIRTIO_MODEL_RX)->idx = jump[i];
		assert_int_equal(dev->ops->rx(dev, 0, word, SLOTS), 0);
		expect_failure("more buffers than it had");
		again();
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
	model.lie_id = true;
	model.fake_id = 77;
	virtio_model_receive(&model, "x", 1);
	dev->ops->rx(dev, 0, word, 4);
	expect_failure("did not have");
	fill(3, 2);
	assert_int_equal(dev->ops->rx_held(dev, 0), 5);
}

/* Scribbles over the used ring of a split queue as a wild device could. */
static void scribble_split(uint32_t *seed, unsigned queue)
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

/* Likewise over a packed ring: lengths, ids, flags, around the place where both are at work. */
static void scribble_packed(uint32_t *seed, unsigned queue)
{
	uint32_t at = model.queue[queue].done + SLOTS - 2 + draw(seed) % 4;
	struct virtq_packed_desc *d = &virtio_model_packed(&model, queue)[at % SLOTS];
	struct virtq_event *event = (struct virtq_event *)(uintptr_t)model.queue[queue].device;

	switch (draw(seed) % 5) {
	case 0:
		d->state ^= (uint64_t)(VIRTQ_PACKED_USED | VIRTQ_PACKED_AVAIL) << 48;
		break;
	case 1:
		d->state ^= (uint64_t)VIRTQ_PACKED_USED << 48;
		break;
	case 2:
		d->state = (d->state & 0xffff0000ffffffff) | (uint64_t)(draw(seed) % (SLOTS + 2))
								     << 32;
		break;
	case 3:
		d->state = (d->state & 0xffffffff00000000) | draw(seed);
		break;
	default:
		event->flags = (uint16_t)draw(seed);
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

		again();
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
				(rings ? scribble_packed : scribble_split)(&seed, draw(&seed) % 2);
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

/* A packed ring: what lies beyond the descriptors that the device has is not believed. */
static void packed_descriptors_it_does_not_have(void **state)
{
	struct virtq_packed_desc *rx = virtio_model_packed(&model, VIRTIO_MODEL_RX);
	uint64_t used = (uint64_t)(VIRTQ_PACKED_AVAIL | VIRTQ_PACKED_USED) << 48, word[SLOTS];

	for (unsigned i = 0; i < SLOTS; i++)
		rx[i].state = used | (uint64_t)i << 32 | 100;
	assert_int_equal(dev->ops->rx(dev, 0, word, SLOTS), 0);
	fill(0, 3);
	assert_int_equal(dev->ops->rx(dev, 0, word, SLOTS), 0); /* all three are offered anew */
	assert_true(virtio_model_receive(&model, "a", 1));
	assert_int_equal(dev->ops->rx(dev, 0, word, SLOTS), 1);
	assert_false(dev->failed);
	assert_int_equal(dev->ops->rx_held(dev, 0), 2);
}

/* A packed ring: in each round one pair of the two bits returns a descriptor, the others do not. */
static void packed_flags_that_mean_nothing(void **state)
{
	const uint64_t avail = (uint64_t)VIRTQ_PACKED_AVAIL << 48;
	const uint64_t used = (uint64_t)VIRTQ_PACKED_USED << 48;
	const uint64_t bits[] = {0, avail, used, avail | used};
	struct virtq_packed_desc *tx = virtio_model_packed(&model, VIRTIO_MODEL_TX);
	uint64_t word[SLOTS], done[SLOTS];

	for (unsigned i = 0; i < SLOTS; i++)
		word[i] = packet_word(i, 60, 0);
	for (unsigned round = 0; round < 6; round++) {
		uint64_t returns = round % 2 == 0 ? avail | used : 0, offered;

		assert_int_equal(dev->ops->tx(dev, 0, word, SLOTS), SLOTS);
		offered = tx[0].state;
		assert_int_equal(offered & (avail | used), round % 2 == 0 ? avail : used);
		for (unsigned k = 0; k < 4; k++) {
			tx[0].state = (offered & ~(avail | used)) | bits[k];
			if (bits[k] != returns)
				assert_int_equal(dev->ops->tx_done(dev, 0, done, SLOTS), 0);
		}
		tx[0].state = offered;
		assert_int_equal(virtio_model_transmit(&model), SLOTS);
		assert_int_equal(dev->ops->tx_done(dev, 0, done, SLOTS), SLOTS);
		assert_memory_equal(done, word, sizeof word);
	}
}

int main(void)
{
#define SPLIT(f)                                                                                   \
	{                                                                                          \
#		f " (split)", f, set_up_split, end_machine, NULL                                  \
	}
#define PACKED(f)                                                                                  \
	{                                                                                          \
#		f " (packed)", f, set_up_packed, end_machine, NULL                                \
	}
	const struct CMUnitTest tests[] = {
		SPLIT(impossible_lengths_become_zero),
		PACKED(impossible_lengths_become_zero),
		SPLIT(ids_it_does_not_have),
		PACKED(ids_it_does_not_have),
		SPLIT(the_same_id_twice),
		PACKED(the_same_id_twice),
		SPLIT(index_that_jumps),
		PACKED(packed_descriptors_it_does_not_have),
		PACKED(packed_flags_that_mean_nothing),
		SPLIT(fill_after_failure_loses_nothing),
		PACKED(fill_after_failure_loses_nothing),
		SPLIT(wild_devices_do_no_harm),
		PACKED(wild_devices_do_no_harm),
	};

	return cmocka_run_group_tests_name("virtio_lies", tests, NULL, NULL);
}

/* Set-ups of units that run twice: with a device's split rings, and with its packed ones. */
#ifndef TEST_UNIT_VIRTIO_RINGS_H
#define TEST_UNIT_VIRTIO_RINGS_H

#include "test/unit/virtio_fixture.h"

/* The program's own: a new machine with the device it wants, made by make_rings. */
static void again(void);

static uint64_t rings; /* VIRTIO_MODEL_F_RING_PACKED or 0 */

static inline void make_rings(unsigned slots)
{
	make_machine(slots, 1500);
	model.offered |= rings;
}

static inline int set_up_split(void **state)
{
	rings = 0;
	again();
	return 0;
}

static inline int set_up_packed(void **state)
{
	rings = VIRTIO_MODEL_F_RING_PACKED;
	again();
	return 0;
}

/* One frame each way over the first pair: the device is in use. */
static inline void expect_traffic(void)
{
	uint64_t word, done;

	fill(3, 1);
	assert_true(virtio_model_receive(&model, "in", 2));
	assert_int_equal(dev->ops->rx(dev, 0, &word, 1), 1);
	assert_int_equal(word, packet_word(3, 2, 0));
	assert_int_equal(dev->ops->tx(dev, 0, &word, 1), 1);
	assert_int_equal(virtio_model_transmit(&model), 1);
	assert_int_equal(dev->ops->tx_done(dev, 0, &done, 1), 1);
}

#endif

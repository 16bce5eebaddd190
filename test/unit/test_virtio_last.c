/* virtio-net's last frames, for a panic's report: what was taken and not replaced yet. */
#include "test/unit/virtio_fixture.h"

#define SLOTS 256u

static int set_up(void **state)
{
	make_machine(SLOTS, 1500);
	return 0;
}

static int set_up_packed(void **state)
{
	(void)set_up(state);
	model.offered |= VIRTIO_MODEL_F_RING_PACKED;
	return 0;
}

/* Newest first. */
static void tells_the_last_frames(void **state)
{
	struct netdev_frame f[8];
	uint64_t word[4];

	probe_ok();
	buffers.pools = 1;
	assert_int_equal(dev->ops->rx_last(dev, 0, f, 8), 0);
	fill(0, 16);
	assert_int_equal(dev->ops->rx_last(dev, 0, f, 8), 0);
	assert_true(virtio_model_receive(&model, "first", 5));
	assert_true(virtio_model_receive(&model, "second", 6));
	assert_int_equal(dev->ops->rx_last(dev, 0, f, 8), 0);
	assert_int_equal(dev->ops->rx(dev, 0, word, 4), 2);
	assert_int_equal(dev->ops->rx_last(dev, 0, f, 8), 2);
	assert_int_equal(f[0].bytes, 6);
	assert_memory_equal(f[0].at, "second", 6);
	assert_int_equal(f[1].bytes, 5);
	assert_memory_equal(f[1].at, "first", 5);
	assert_int_equal(dev->ops->rx_last(dev, 0, f, 1), 1);
	fill(16, SLOTS - 14); /* all are in use again */
	assert_int_equal(dev->ops->rx_last(dev, 0, f, 8), 0);
}

/* The device may return them in any order. */
static void tells_them_in_the_order_taken(void **state)
{
	struct netdev_frame f[8];
	uint64_t word[4];

	probe_ok();
	buffers.pools = 1;
	fill(0, 16);
	model.hold = true;
	assert_true(virtio_model_receive(&model, "first", 5));
	assert_true(virtio_model_receive(&model, "second", 6));
	assert_true(virtio_model_receive(&model, "third", 5));
	virtio_model_flush(&model, VIRTIO_MODEL_RX, 0);
	assert_int_equal(dev->ops->rx(dev, 0, word, 4), 3);
	assert_int_equal(dev->ops->rx_last(dev, 0, f, 8), 3);
	assert_memory_equal(f[0].at, "first", 5);
	assert_int_equal(f[1].bytes, 6);
	assert_memory_equal(f[1].at, "second", 6);
	assert_memory_equal(f[2].at, "third", 5);
}

int main(void)
{
#define BOTH(f)                                                                                    \
	{#f " (split)", f, set_up, end_machine, NULL},                                             \
	{                                                                                          \
#		f " (packed)", f, set_up_packed, end_machine, NULL                                \
	}
	const struct CMUnitTest tests[] = {
		BOTH(tells_the_last_frames),
		BOTH(tells_them_in_the_order_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The queues of one virtio-net device on several cores: nothing shared, and all stop when one finds
 * a lie. */
#include "test/unit/virtio_rings.h"

#include <pthread.h>

/* A device with four queue pairs, all wanted. */
static void again(void)
{
	make_rings(64);
	virtio_model_multiqueue(&model, 4);
	want.queue_pairs = 4;
}

static void queues_are_apart(void **state)
{
	uint64_t word[8], done[8];

	probe_ok();
	assert_int_equal(dev->rx_queues, 4);
	for (unsigned q = 0; q < 4; q++)
		fill_queue(q, 100 * q, 10 + q);
	for (unsigned q = 0; q < 4; q++) {
		assert_int_equal(dev->ops->rx_held(dev, q), 10 + q);
		assert_int_equal(dev->ops->rx(dev, q, word, 8), 0);
	}
	assert_true(virtio_model_receive_on(&model, 2, "two", 3));
	assert_true(virtio_model_receive_on(&model, 3, "three", 5));
	assert_false(virtio_model_receive_on(&model, 4, "four", 4));
	assert_int_equal(dev->ops->rx(dev, 0, word, 8), 0);
	assert_int_equal(dev->ops->rx(dev, 3, word, 8), 1);
	assert_int_equal(word[0], packet_word(300, 5, 0));
	assert_int_equal(dev->ops->rx(dev, 2, word, 8), 1);
	assert_int_equal(word[0], packet_word(200, 3, 0));
	for (unsigned q = 0; q < 4; q++) {
		word[q] = packet_word(500 + q, 60 + q, 0);
		assert_int_equal(dev->ops->tx(dev, q, &word[q], 1), 1);
		assert_int_equal(virtio_model_transmit(&model), 1);
		assert_int_equal(model.sent_pair, q);
		assert_int_equal(model.sent_len, 60 + q);
	}
	for (unsigned q = 0; q < 4; q++) {
		assert_int_equal(dev->ops->tx_held(dev, q), 1);
		assert_int_equal(dev->ops->tx_done(dev, q, done, 8), 1);
		assert_int_equal(done[0], word[q]);
	}
	assert_int_equal(dev->ops->doorbells(dev), 8);
	for (unsigned n = 0; n < 8; n++)
		assert_int_equal(model.queue[n].doorbells, 1);
}

/* One queue's lie stops the device; each queue's buffers come back on its own side. */
static void one_bad_queue_stops_all(void **state)
{
	uint64_t word[4][5], done[8];

	probe_ok();
	for (unsigned q = 0; q < 4; q++) {
		for (unsigned i = 0; i < 5; i++)
			word[q][i] = packet_word(100 * q + i, 60, 0);
		assert_int_equal(dev->ops->tx(dev, q, word[q], q + 2), q + 2);
		fill_queue(q, 600 + 10 * q, 3);
	}
	assert_true(virtio_model_receive_on(&model, 3, "good, but late", 14));
	model.lie_id = true;
	model.fake_id = 60;
	assert_true(virtio_model_receive_on(&model, 2, "x", 1));
	assert_int_equal(dev->ops->rx(dev, 1, done, 8), 0);
	assert_false(dev->failed);
	assert_int_equal(dev->ops->rx(dev, 2, done, 8), 0);
	expect_failure("did not have");
	for (unsigned q = 0; q < 4; q++) {
		assert_int_equal(dev->ops->rx(dev, q, done, 8), 0);
		assert_int_equal(dev->ops->tx(dev, q, word[q], 1), 0);
		assert_int_equal(dev->ops->tx_done(dev, q, done, 8), 0);
	}
	for (unsigned i = 0; i < 3; i++)
		dev->ops->poll(dev);
	assert_false(dev->link);
	for (unsigned q = 0; q < 4; q++) {
		assert_int_equal(dev->ops->tx_done(dev, q, done, 8), q + 2);
		assert_memory_equal(done, word[q], (q + 2) * sizeof **word);
		assert_int_equal(dev->ops->tx_held(dev, q), 0);
		assert_int_equal(dev->ops->rx_held(dev, q), 3);
	}
}

/* ---------------------------------------------------------------- on many cores */

static unsigned ready, taken;

/* A worker at queue q: receives until the device has failed. */
static void *worker(void *arg)
{
	unsigned q = (unsigned)(uintptr_t)arg;
	uint64_t word[8];

	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	while (load_acquire(&ready) < 4)
		;
	while (!load_once(&dev->failed))
		__atomic_fetch_add(&taken, dev->ops->rx(dev, q, word, 8), __ATOMIC_SEQ_CST);
	assert_int_equal(dev->ops->rx_room(dev, q), 0);
	return NULL;
}

/* Four cores find out at once that the device lies; the control core looks on. */
static void all_cores_find_out_at_once(void **state)
{
	for (unsigned round = 0; round < 20; round++) {
		pthread_t thread[4];

		again();
		model.no_notify = true;
		probe_ok();
		for (unsigned q = 0; q < 4; q++) {
			fill_queue(q, 100 * q, 10);
			assert_true(virtio_model_receive_on(&model, q, "good", 4));
		}
		model.lie_id = true;
		model.fake_id = 50;
		for (unsigned q = 0; q < 4; q++)
			assert_true(virtio_model_receive_on(&model, q, "bad", 3));
		store_release(&ready, 0);
		store_release(&taken, 0);
		for (uintptr_t q = 0; q < 4; q++)
			assert_int_equal(pthread_create(&thread[q], NULL, worker, (void *)q), 0);
		for (unsigned i = 0; i < 50; i++)
			dev->ops->poll(dev);
		for (unsigned q = 0; q < 4; q++)
			pthread_join(thread[q], NULL);
		expect_failure("did not have");
		assert_in_range(load_acquire(&taken), 1, 4);
		for (unsigned i = 0; i < 3; i++)
			dev->ops->poll(dev);
		assert_int_equal(model.status, 0);
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
#define CASE(f) SPLIT(f), PACKED(f)
	const struct CMUnitTest tests[] = {
		CASE(queues_are_apart),
		CASE(one_bad_queue_stops_all),
		CASE(all_cores_find_out_at_once),
	};

	return cmocka_run_group_tests_name("virtio_cores", tests, NULL, NULL);
}

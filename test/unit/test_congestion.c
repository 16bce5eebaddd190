/* Outputs that take nothing: they fill, drop and count by themselves, and hold no other output up.
 */
#define PORTS      5u
#define PORT_SLOTS 1024u
#include "test/unit/router_fixture.h"

#include "net/path/spread.h"

/* Floods from port 0 to `dst_ports` outputs that are never emptied, until they drop. */
static void flood(unsigned first, unsigned last, unsigned frames)
{
	struct frame in;

	for (unsigned i = 0; i < frames; i++) {
		udp(&in, 0, HOST(first + i % (last - first + 1)), 10);
		(void)memdev_inject(dev[0], 0, in.data, in.len);
		if (i % 32 == 31)
			turns(1);
	}
	turns(4);
}

/* Three stalled outputs: not one frame is missed by the input, and a fourth output gets all of its.
 */
static void test_no_head_of_line_blocking(void **state)
{
	struct frame in, out;
	unsigned got = 0;

	learn_hosts();
	flood(1, 3, 12000);
	assert_true(drops(0, DROP_VOQ_FULL) > 1000);
	assert_int_equal(memdev_missed(dev[0]), 0);
	for (unsigned i = 0; i < 5000; i++) {
		udp(&in, 0, HOST(4), 10);
		inject(0, &in);
		turns(1);
		got += sent(4, &out) != 0;
	}
	turns(4);
	while (sent(4, &out))
		got++;
	assert_int_equal(got, 5000);
	assert_int_equal(memdev_missed(dev[0]), 0);
	for (unsigned round = 0; round < 100; round++) {
		drain();
		turns(2);
	}
	check_books();
}

/* Seven workers for five single queues: receiving is spread. */
static int setup_spread(void **state)
{
	start(7, 1);
	return 0;
}

/*
 * One stalled output has a VOQ from each worker that helps with an input; together
 * they could hold all of its buffers. They do not, and another output gets all of its frames.
 */
static void test_spread_leaves_buffers(void **state)
{
	struct frame in, out;
	unsigned got = 0;

	learn_hosts();
	assert_in_range(router.rxq[0].spread, 5, SPREAD_MAX);
	for (unsigned i = 0; i < 12000; i++) {
		udp(&in, 0, IP(20, 0, i >> 8, i & 255), 10); /* to port 1 */
		(void)memdev_inject(dev[0], 0, in.data, in.len);
		if (i % 32 == 31)
			turns(1);
	}
	assert_true(drops(0, DROP_VOQ_FULL) > 1000);
	for (unsigned i = 0; i < 5000; i++) {
		udp(&in, 0, IP(10, 0, 4, 2), i % 100);
		inject(0, &in);
		turns(2);
		got += sent(4, &out) != 0;
	}
	assert_int_equal(got, 5000);
	assert_int_equal(memdev_missed(dev[0]), 0);
	for (unsigned round = 0; round < 100; round++) {
		drain();
		turns(2);
	}
	check_books();
}

/* A flow that another worker processes, at its output's pace: nothing is refused, although all its
 * buffers come home over return rings. */
static void test_spread_collects_returns(void **state)
{
	struct frame in;
	uint32_t host = 0;

	learn_hosts();
	do
		udp(&in, 0, IP(20, 0, 0, ++host), 10);
	while (spread_hash(in.data, (uint32_t)in.len) < UINT32_MAX / router.rxq[0].spread + 1);
	for (unsigned round = 0; round < 300; round++) {
		for (unsigned i = 0; i < 64; i++)
			inject(0, &in);
		turns(1);
		drain();
	}
	assert_int_equal(drops(0, DROP_VOQ_FULL), 0);
	assert_int_equal(drops(0, DROP_SPREAD_FULL), 0);
	check_books();
}

/* The device fails between the worker's look at it and the transmission: nothing is lost. */
static unsigned (*real_tx)(struct netdev *, unsigned, const uint64_t *, unsigned);

static unsigned short_tx(struct netdev *d, unsigned q, const uint64_t *word, unsigned n)
{
	return real_tx(d, q, word, n / 2);
}

static void test_device_takes_less(void **state)
{
	struct netdev_ops ops = *dev[1]->ops;
	const struct netdev_ops *saved = dev[1]->ops;

	learn_hosts();
	real_tx = ops.tx;
	ops.tx = short_tx;
	dev[1]->ops = &ops;
	flood(1, 1, 640);
	dev[1]->ops = saved;
	assert_true(drops(0, DROP_LINK_DOWN) > 0);
	check_books();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f)                                                                                    \
	cmocka_unit_test_setup_teardown(f, setup, teardown),                                       \
		cmocka_unit_test_setup_teardown(f, setup_workers, teardown)
		CASE(test_no_head_of_line_blocking),
		CASE(test_device_takes_less),
		cmocka_unit_test_setup_teardown(test_spread_leaves_buffers, setup_spread, teardown),
		cmocka_unit_test_setup_teardown(
			test_spread_collects_returns, setup_spread, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

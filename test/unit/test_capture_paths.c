/* Captured drops from the places where frames stand otherwise than they were received. */
#include "test/unit/router_fixture.h"

#include "net/path/capture.h"

static struct config_shape shape = {.iface = "eth1", .bps = 100000};

static void begin(unsigned points)
{
	struct capture_plan plan = {.points = (uint8_t)points, .any = true, .snap = 9216};

	assert_true(captures_idle(&router));
	captures_begin(&router, &plan);
}

/* Ends it; how many frames were dropped for that reason, each of which is as it should be. */
static unsigned end(enum drop_reason reason, const uint8_t *mac, uint8_t ttl, size_t len)
{
	const struct capture_record *r;
	struct capture *of;
	unsigned n = 0;

	captures_end(&router);
	while ((r = captures_peek(&router, &of)) != NULL) {
		const uint8_t *f = (const uint8_t *)(r + 1);

		assert_int_equal(r->point, CAPTURE_DROP);
		if (r->reason == reason) {
			assert_int_equal(r->length, len);
			assert_memory_equal(f, mac, 6);
			assert_int_equal(f[IPV4_TTL], ttl);
			n++;
		}
		capture_release(of, r);
	}
	return n;
}

static uint64_t lost(void)
{
	struct capture_counters c;

	captures_counted(&router, &c);
	return c.full + c.beyond;
}

/* What waits for an output that loses its link was rewritten before. */
static void test_link_down(void **state)
{
	struct config c = base_config();
	struct frame f;

	c.shape = &shape;
	c.shapes = 1;
	configure(&c, NULL);
	learn_hosts();
	for (unsigned i = 0; i < 200; i++) {
		udp(&f, 0, IP(20, 0, 0, 1), 100);
		inject(0, &f);
	}
	turns(1);
	begin(CAPTURE_DROP);
	memdev_set_link(dev[1], false);
	turns(200);
	unsigned n = end(DROP_LINK_DOWN, host_mac[1], 63, f.len);

	assert_true(n >= CAPTURE_BURST);
	assert_int_equal(n + lost(), drops(0, DROP_LINK_DOWN));
	memdev_set_link(dev[1], true);
	turns(200);
	check_books();
}

/* A word for another worker has the time where flags say how a frame stands. */
static void test_spread_full(void **state)
{
	struct worker *w = router.worker[router.rxq[0].worker];
	struct frame f;

	learn_hosts();
	router_set_spread(&router, 0, RX_SPREAD_ON);
	begin(CAPTURE_DROP);
	for (unsigned turn = 0; turn < 60; turn++) {
		model_platform.now_us += 3001;
		for (unsigned i = 0; i < 60; i++) {
			udp(&f, 0, IP(20, 0, 0, 1), 100);
			store_be16(f.data + 34, (uint16_t)(turn * 60 + i));
			inject(0, &f);
		}
		worker_turn(&router, w); /* the other one has no turn */
		rcu_quiescent(&router.rcu.reader[w->id]);
		drain();
	}
	unsigned n = end(DROP_SPREAD_FULL, dev[0]->mac, 64, f.len);

	assert_true(n > 100);
	turns(50);
	assert_in_range(n, 1, drops(0, DROP_SPREAD_FULL));
	check_books();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_link_down, setup, teardown),
		cmocka_unit_test_setup_teardown(test_link_down, setup_workers, teardown),
		cmocka_unit_test_setup_teardown(test_spread_full, setup_workers, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

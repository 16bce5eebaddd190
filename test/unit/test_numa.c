/* Where there are NUMA nodes: who drives which queue, and whose memory holds what. */
#include "test/unit/router_fixture.h"

#include "kernel/sessions.h"

#define NONE NODE_UNKNOWN

/* Two nodes: worker w, on core w + 1, is on node (w + 1) mod 2. Ports are where `nodes` says. */
static void start_nodes(unsigned workers, unsigned queues, const uint32_t nodes[PORTS])
{
	char error[100];

	memset(&router, 0, sizeof router);
	model_platform.nodes = 2;
	for (unsigned port = 0; port < PORTS; port++) {
		dev[port] = memdev_create(&platform_io, port, queues, PORT_SLOTS);
		dev[port]->node = nodes[port];
	}
	assert_true(
		router_init(&router, dev, PORTS, workers, NULL, MTU_DEFAULT, error, sizeof error));
}

static int stop(void **state)
{
	model_platform_free();
	model_platform.nodes = 0;
	memset(model_platform.near, 0, sizeof model_platform.near);
	return 0;
}

/* The workers of all RX queues, which must be those of the TX queues too, as digits. */
static void assert_dealt(const char *workers)
{
	unsigned listed = 0;

	assert_int_equal(router.rxqs, strlen(workers));
	for (unsigned g = 0; g < router.rxqs; g++) {
		assert_int_equal('0' + router.rxq[g].worker, workers[g]);
		assert_int_equal('0' + router.txq[g].worker, workers[g]);
	}
	for (unsigned w = 0; w < router.workers; w++) {
		const struct worker *worker = router.worker[w];

		listed += worker->rxqs;
		for (unsigned i = 0; i < worker->rxqs; i++) {
			assert_int_equal(router.rxq[worker->rxq[i]].worker, w);
			assert_int_equal(router.txq[worker->txq[i]].worker, w);
		}
	}
	assert_int_equal(listed, router.rxqs);
}

/* Unknown: like cards, as without nodes. */
static void test_unknown(void **state)
{
	start_nodes(2, 2, (const uint32_t[]){NONE, NONE, NONE});
	assert_dealt("010101");
}

/* Workers 0 and 2 are on node 1, workers 1 and 3 on node 0. */
static void test_near(void **state)
{
	start_nodes(4, 1, (const uint32_t[]){0, 1, 0});
	assert_dealt("103");
}

static void test_near_first(void **state)
{
	start_nodes(3, 1, (const uint32_t[]){NONE, 1, 1});
	assert_dealt("102");
}

/* Nobody stands idle because all ports are elsewhere; each has no more than its share. */
static void test_share(void **state)
{
	start_nodes(4, 4, (const uint32_t[]){0, 0, 0});
	assert_dealt("131313020202");
}

/* A node without a worker is as good as unknown. */
static void test_nobody_there(void **state)
{
	start_nodes(2, 1, (const uint32_t[]){7, 7, 7});
	assert_dealt("010");
}

static void test_one_core(void **state)
{
	start_nodes(0, 1, (const uint32_t[]){1, 1, NONE});
	assert_dealt("000");
}

/* By worker, the core it has; not all cores may have come up. */
static void test_cores(void **state)
{
	static const uint32_t nodes[] = {0, 1, 1};
	char error[100];

	start_nodes(0, 1, nodes);
	memset(&router, 0, sizeof router);
	assert_true(router_init(&router, dev, PORTS, 2, (const unsigned[]){2, 5}, MTU_DEFAULT,
		error, sizeof error));
	assert_int_equal(router.worker[0]->core, 2);
	assert_int_equal(router.worker[0]->node, 0);
	assert_int_equal(router.worker[1]->node, 1);
	assert_dealt("011"); /* of three queues two is a share */
}

/* Buffers are near the device, else near who drives it; the rest near who drives it. */
static void test_memory(void **state)
{
	size_t pool = (size_t)POOL_BUFS * PACKET_STRIDE, before;

	start_nodes(1, 1, (const uint32_t[]){NONE, NONE, 0});            /* on core 1: node 1 */
	assert_in_range(model_platform.near[0], 2 * pool, 3 * pool - 1); /* control's, and eth2's */
	before = model_platform.near[1];
	assert_true(sessions_memory(&router) > sizeof(struct session));
	before -= sessions_memory(&router);
	before -= router.nats.bytes - 2 * nat_rules_bytes(router.nats.rules_max);
	assert_in_range(before, 2 * pool + 3 * sizeof(struct pool) + 9 * sizeof(struct crosspoint),
		3 * pool - 1);
	for (unsigned p = 0; p < router.buffers.pools; p++)
		assert_non_null(buffer_data(&router.buffers, p << POOL_SHIFT));
}

#define CASE(name) cmocka_unit_test_teardown(name, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_unknown),
		CASE(test_near),
		CASE(test_near_first),
		CASE(test_share),
		CASE(test_nobody_there),
		CASE(test_one_core),
		CASE(test_cores),
		CASE(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

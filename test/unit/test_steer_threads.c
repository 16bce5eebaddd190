/* Steering between threads: workers hand each other packets and hold fragments, lanes track and
 * cease to; order within a flow, and every packet accounted for. */
#include "test/unit/router_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#define FLOWS  16u
#define ROUNDS 1200u

static bool stop_workers;
static uint32_t number_in[PORTS][FLOWS], number_out[PORTS][FLOWS];
static unsigned fragments_in, fragments_out;
static bool ordered;

static void *run_worker(void *arg)
{
	while (!load_acquire(&stop_workers))
		if (!worker_step(&router, arg))
			sched_yield();
	return NULL;
}

static void yield_to_workers(void)
{
	usleep(20);
}

/* A packet of a flow from a port to the next port, numbered. */
static void send_whole(unsigned port, unsigned queue, unsigned flow)
{
	struct frame f;

	udp(&f, port, HOST((port + 1) % PORTS), 20);
	store_be16(f.data + 34, (uint16_t)(1000 + flow));
	store_be32(f.data + 42, number_in[port][flow]);
	if (memdev_inject(dev[port], queue, f.data, f.len))
		number_in[port][flow]++;
}

/* A datagram in three fragments, in any order; now and then one is missing. */
static void send_fragments(unsigned port, unsigned queue, uint16_t id)
{
	static const uint16_t field[3] = {0x2000, 0x2005, 0x000a};
	unsigned first = (unsigned)rand() % 3, step = 1 + (unsigned)rand() % 2;

	for (unsigned i = 0; i < 3; i++) {
		unsigned k = (first + i * step) % 3;
		struct frame f;

		if (rand() % 20 == 0)
			continue;
		udp(&f, port, HOST((port + 1) % PORTS), 32);
		store_be16(f.data + 18, id);
		store_be16(f.data + 20, field[k]);
		if (k == 0)
			store_be16(f.data + 34, (uint16_t)(2000 + id % 50));
		frame_fix_checksum(&f);
		fragments_in += memdev_inject(dev[port], queue, f.data, f.len);
	}
}

static void receive_all(void)
{
	struct frame f;

	for (unsigned port = 0; port < PORTS; port++)
		while (sent(port, &f)) {
			unsigned from = (port + PORTS - 1) % PORTS;

			if (load_be32(f.data + 26) != HOST(from))
				continue; /* an ICMP error */
			if (load_be16(f.data + 20) & 0x3fff) {
				fragments_out++;
				continue;
			}
			unsigned flow = load_be16(f.data + 34) - 1000u;

			assert_true(flow < FLOWS);
			uint32_t number = load_be32(f.data + 42);

			if (ordered)
				assert_true(number >= number_out[from][flow]);
			number_out[from][flow] = ordered ? number + 1 : number_out[from][flow] + 1;
		}
}

static void one_audit(void)
{
	static struct audit a;

	audit_take(&router, &a);
	assert_true(a.parked);
	if (!a.buffers_ok || !a.balance_ok)
		fail_msg("audit: %s", a.finding);
}

static uint64_t drops_of(enum drop_reason reason)
{
	uint64_t n = 0;

	for (unsigned port = 0; port < PORTS; port++)
		n += drops(port, reason);
	return n;
}

static void one_round(unsigned round, unsigned queues)
{
	for (unsigned k = (unsigned)rand() % 50; k > 0; k--) {
		unsigned flow = (unsigned)rand() % FLOWS, port = (unsigned)rand() % PORTS;

		if (rand() % 8 == 0)
			send_fragments(port, flow % queues, (uint16_t)(round * 50 + k));
		else
			send_whole(port, flow % queues, flow);
	}
	__atomic_fetch_add(&model_platform.now_us, 20, __ATOMIC_RELAXED);
	control_turn(&router);
	if (round % 8 == 7)
		usleep(100);
	receive_all();
	if (round % 100 == 99)
		one_audit();
	if (!ordered && round % 50 == 49)
		router_set_tracking(&router, round / 50 & 1);
}

/* What is still held is dropped or let go; then nothing is under way. */
static void settle(void)
{
	for (unsigned i = 0; i < 40; i++) {
		turns(200);
		receive_all();
	}
}

static void run_router(unsigned workers, unsigned queues, bool keep)
{
	pthread_t thread[CORE_MAX];

	memset(number_in, 0, sizeof number_in);
	memset(number_out, 0, sizeof number_out);
	fragments_in = fragments_out = 0;
	ordered = keep;
	start(workers, queues);
	learn_hosts();
	router_set_tracking(&router, true);
	srand(9);
	model_platform.relax = yield_to_workers;
	store_release(&stop_workers, false);
	for (unsigned w = 0; w < workers; w++)
		assert_int_equal(pthread_create(&thread[w], NULL, run_worker, router.worker[w]), 0);
	for (unsigned round = 0; round < ROUNDS; round++)
		one_round(round, queues);
	store_release(&stop_workers, true);
	for (unsigned w = 0; w < workers; w++)
		pthread_join(thread[w], NULL);
	model_platform.relax = answer_park;
	settle();
	uint64_t lost = drops_of(DROP_VOQ_FULL) + drops_of(DROP_SPREAD_FULL);
	uint64_t parts = drops_of(DROP_FRAGMENT_TIMEOUT) + drops_of(DROP_FRAGMENTS_FULL) +
			 drops_of(DROP_FRAGMENT_BAD);

	if (!ordered) /* some had their first while nobody tracked */
		parts += drops_of(DROP_SESSION_STATE);

	assert_true(fragments_out > 100);
	for (unsigned port = 0; port < PORTS && !lost; port++)
		for (unsigned flow = 0; flow < FLOWS; flow++)
			assert_int_equal(number_in[port][flow], number_out[port][flow]);
	if (!lost)
		assert_int_equal(fragments_in, fragments_out + parts);
	check_books();
	(void)teardown(NULL);
}

static void test_two_workers(void **state)
{
	run_router(2, 1, true);
}

static void test_five_workers(void **state)
{
	run_router(5, 1, true);
}

static void test_queues(void **state)
{
	run_router(3, 2, true);
}

static void test_switched_under_load(void **state)
{
	run_router(3, 1, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_workers),
		cmocka_unit_test(test_five_workers),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_switched_under_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

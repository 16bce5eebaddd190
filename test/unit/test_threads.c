/* What crosses cores, with threads: VOQs, pool returns, and a whole router with its workers. */
#include "test/unit/router_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "net/path/sched.h"

/* ---- VOQs and the scheduler: three producers, one consumer ---- */

#define LANES     3u
#define WORDS     60000u /* of each lane */
#define NEAR_WRAP 0xffffff00u

static struct crosspoint *cross[LANES];

/* All indices of all queues, as they are after 2^32 - 256 packets. */
static void age(struct crosspoint *x)
{
	for (unsigned c = 0; c < VOQ_CLASSES; c++) {
		x->in.pending[c] = x->in.head_seen[c] = x->tail[c] = NEAR_WRAP;
		x->out[c].head = x->tail_seen[c] = x->out[c].stamp_end = NEAR_WRAP;
	}
}

/* Words carry their lane and their number within lane and class; bursts and classes at random. */
static void *produce(void *arg)
{
	unsigned lane = (unsigned)(uintptr_t)arg, seed = lane;
	struct crosspoint *x = cross[lane];
	uint32_t next[VOQ_CLASSES] = {0}, total = 0;

	while (total < WORDS) {
		unsigned class = (unsigned)rand_r(&seed) % VOQ_CLASSES;
		unsigned n = 1 + (unsigned)rand_r(&seed) % BATCH_MAX;

		for (; n > 0 && total < WORDS; n--, total++) {
			uint64_t word = packet_word(lane << 24 | next[class], 64 + class, 0);

			if (!voq_put(x, class, word, VOQ_SLOTS))
				break;
			next[class]++;
		}
		voq_publish(x, 1 + (uint64_t)rand_r(&seed));
		if (rand_r(&seed) % 4 == 0)
			sched_yield();
	}
	return NULL;
}

static void test_voqs(void **state)
{
	struct histogram *latency = calloc(1, sizeof *latency);
	static uint32_t expect[LANES][VOQ_CLASSES];
	void *memory = malloc(sched_bytes(LANES));
	struct sched s;
	pthread_t thread[LANES];
	unsigned total = 0, seed = 1;

	memset(expect, 0, sizeof expect);
	sched_init(&s, memory, LANES);
	for (unsigned l = 0; l < LANES; l++) {
		cross[l] = aligned_alloc(64, sizeof *cross[l]);
		voq_init(cross[l]);
		age(cross[l]);
		s.cross[l] = cross[l];
		s.latency[l] = latency;
	}
	for (unsigned l = 0; l < LANES; l++)
		assert_int_equal(
			pthread_create(&thread[l], NULL, produce, (void *)(uintptr_t)l), 0);
	while (total < LANES * WORDS) {
		uint64_t word[BATCH_MAX];
		unsigned n =
			sched_take(&s, word, 1 + (unsigned)rand_r(&seed) % BATCH_MAX, UINT32_MAX);

		total += n;
		if (n == 0)
			sched_yield();
		for (unsigned i = 0; i < n; i++) {
			uint32_t lane = packet_index(word[i]) >> 24,
				 class = packet_len(word[i]) - 64;

			assert_int_equal(packet_index(word[i]) & 0xffffff, expect[lane][class]);
			expect[lane][class]++;
		}
	}
	for (unsigned l = 0; l < LANES; l++) {
		pthread_join(thread[l], NULL);
		for (unsigned c = 0; c < VOQ_CLASSES; c++)
			assert_int_equal(voq_depth(cross[l], c), 0);
		free(cross[l]);
	}
	assert_true(histogram_total(latency) <= LANES * WORDS);
	free(memory);
	free(latency);
}

/* ---- a pool whose buffers others give back ---- */

#define TAKES 200000u

static struct buffers shared;
static struct ring to_stranger;
static bool stop_stranger;

/* Actor 2: returns what it gets, in bursts of its own. */
static void *stranger(void *arg)
{
	uint64_t word[BATCH_MAX];
	unsigned seed = 3, n;
	bool stop;

	do {
		stop = load_acquire(&stop_stranger);
		n = ring_pop(&to_stranger, word, 1 + (unsigned)rand_r(&seed) % BATCH_MAX);
		buffers_free(&shared, 2, word, n);
		if (n == 0)
			sched_yield();
	} while (n || !stop);
	return NULL;
}

static void test_pool_returns(void **state)
{
	static uint64_t ring_memory[POOL_BUFS], return_memory[POOL_BUFS];
	static struct ring returns;
	static struct pool pool;
	static bool out[POOL_BUFS];
	unsigned taken = 0, seed = 5, empty = 0;
	pthread_t thread;

	memset(&shared, 0, sizeof shared);
	shared.owner = calloc(1, POOL_BUFS);
	shared.pools = 1;
	shared.actors = 3;
	pool_init(&shared, 0, &pool, 1);
	ring_init(&returns, return_memory, POOL_BUFS);
	ring_init(&to_stranger, ring_memory, POOL_BUFS);
	returns.tail = returns.head = returns.head_seen = returns.tail_seen = NEAR_WRAP;
	shared.ret[2][0] = &returns;
	stop_stranger = false;
	assert_int_equal(pthread_create(&thread, NULL, stranger, NULL), 0);
	while (taken < TAKES) {
		uint32_t index[BATCH_MAX];
		uint64_t word[BATCH_MAX];
		unsigned n = pool_take(&shared, 0, index, 1 + (unsigned)rand_r(&seed) % BATCH_MAX);

		empty += n == 0;
		taken += n;
		for (unsigned i = 0; i < n; i++)
			word[i] = packet_word(index[i], 60, 0);
		assert_int_equal(ring_push(&to_stranger, word, n), n);
		if (n == 0)
			sched_yield();
	}
	store_release(&stop_stranger, true);
	pthread_join(thread, NULL);
	pool_collect(&shared, 0);
	assert_int_equal(pool.top, POOL_BUFS);
	memset(out, 0, sizeof out);
	for (unsigned i = 0; i < POOL_BUFS; i++) {
		assert_false(out[pool.stack[i]]);
		out[pool.stack[i]] = true;
	}
	free(shared.owner);
}

/* ---- the router: workers are threads, the test is the wire and the control core ---- */

#define FLOWS  16u
#define ROUNDS 1500u

static bool stop_workers;

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

static uint32_t number_in[PORTS][FLOWS], number_out[PORTS][FLOWS];

/* A packet of a flow from a port to the next port, numbered. */
static void send_one(unsigned port, unsigned queue, unsigned flow)
{
	struct frame f;

	udp(&f, port, HOST((port + 1) % PORTS), 20);
	store_be16(f.data + 34, (uint16_t)(1000 + flow));
	store_be32(f.data + 42, number_in[port][flow]);
	if (memdev_inject(dev[port], queue, f.data, f.len))
		number_in[port][flow]++;
}

/* What was dropped for want of room leaves gaps; what comes is in order. */
static void receive_all(void)
{
	struct frame f;

	for (unsigned port = 0; port < PORTS; port++)
		while (sent(port, &f)) {
			unsigned from = (port + PORTS - 1) % PORTS;
			unsigned flow = load_be16(f.data + 34) - 1000u;

			if (load_be32(f.data + 26) != HOST(from) || flow >= FLOWS)
				continue; /* an ICMP error */
			uint32_t number = load_be32(f.data + 42);

			assert_true(number >= number_out[from][flow]);
			number_out[from][flow] = number + 1;
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

/* Other lists each time, but for the last rule, which lets all pass. */
static void change_lists(struct config *c, unsigned round)
{
	static struct config_acl list = {.name = "a"};
	static struct config_rule rules[32];
	static struct acl_rule match[32];

	list.rules = 2 + round % 30;
	for (unsigned i = 0; i < list.rules; i++) {
		bool last = i + 1 == list.rules;

		rules[i] = (struct config_rule){.number = i + 1, .permit = last, .log = last};
		match[i] = (struct acl_rule){.any_protocol = last, .protocol = (uint8_t)(30 + i)};
	}
	c->acl = &list;
	c->rule = rules;
	c->match = match;
	c->acls = round % 4 != 0;
	c->rules = list.rules;
	for (unsigned port = 0; c->acls && port < PORTS; port++) {
		memcpy(base_iface[port].acl_in, "a", 2);
		base_iface[port].acl_out[0] = round & 1 ? 'a' : '\0';
	}
}

/* Settings change under load: spreading on and off, classes, a rate, access lists. */
static void change_settings(unsigned round)
{
	static struct config_class class = {
		.iface = "eth1", .class = 3, .first = 40, .last = 50, .strict = true, .weight = 1};
	static struct config_shape shape = {.iface = "eth2", .bps = 1000000000};
	struct config c = base_config();

	for (unsigned port = 0; port < PORTS; port++)
		base_iface[port].rx_spread = RX_SPREAD_ON;
	c.class = &class;
	c.shape = &shape;
	c.classes = round & 1;
	c.shapes = round >> 1 & 1;
	change_lists(&c, round);
	configure(&c, NULL);
}

static void run_router(unsigned workers, unsigned queues)
{
	pthread_t thread[CORE_MAX];

	memset(number_in, 0, sizeof number_in);
	memset(number_out, 0, sizeof number_out);
	start(workers, queues);
	change_settings(0);
	learn_hosts();
	srand(9);
	model_platform.relax = yield_to_workers;
	store_release(&stop_workers, false);
	for (unsigned w = 0; w < workers; w++)
		assert_int_equal(pthread_create(&thread[w], NULL, run_worker, router.worker[w]), 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned k = (unsigned)rand() % 60; k > 0; k--) {
			unsigned flow = (unsigned)rand() % FLOWS;

			send_one((unsigned)rand() % PORTS, flow % queues, flow);
		}
		__atomic_fetch_add(&model_platform.now_us, 20, __ATOMIC_RELAXED);
		control_turn(&router);
		if (round % 8 == 7)
			usleep(100);
		receive_all();
		if (round % 100 == 99)
			one_audit();
		if (round % 150 == 149 && queues == 1)
			change_settings(round / 150);
	}
	store_release(&stop_workers, true);
	for (unsigned w = 0; w < workers; w++)
		pthread_join(thread[w], NULL);
	model_platform.relax = answer_park;
	for (unsigned i = 0; i < 50; i++) { /* a ring of output at a time */
		turns(2);
		receive_all();
	}
	uint64_t lost = drops(0, DROP_VOQ_FULL) + drops(1, DROP_VOQ_FULL) + drops(2, DROP_VOQ_FULL);

	for (unsigned port = 0; port < PORTS; port++)
		assert_int_equal(drops(port, DROP_ACL_DENIED), 0);
	for (unsigned port = 0; port < PORTS; port++)
		for (unsigned flow = 0; flow < FLOWS; flow++)
			if (!lost && !drops(port, DROP_SPREAD_FULL))
				assert_int_equal(number_in[port][flow], number_out[port][flow]);
	check_books();
	(void)teardown(NULL);
}

static void test_router_spread(void **state)
{
	run_router(2, 1);
}

static void test_router_queues(void **state)
{
	run_router(2, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_voqs),
		cmocka_unit_test(test_pool_returns),
		cmocka_unit_test(test_router_spread),
		cmocka_unit_test(test_router_queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

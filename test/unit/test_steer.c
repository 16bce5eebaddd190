/* Steering in a whole router: every packet of a session to its owner, fragments behind their first;
 * nothing lost. */
#include "test/unit/router_fixture.h"

#define WORKERS 5u

static int setup_steer(void **state)
{
	start(WORKERS, 1);
	learn_hosts();
	router_set_tracking(&router, true);
	return 0;
}

static int setup_one(void **state)
{
	start(1, 1);
	learn_hosts();
	router_set_tracking(&router, true);
	return 0;
}

/* More workers than there is memory for owners' lanes; all receive. */
static int setup_many(void **state)
{
	start(9, 3);
	learn_hosts();
	router_set_tracking(&router, true);
	return 0;
}

/* ---- frames ---- */

static void flow(
	struct frame *f, unsigned port, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport)
{
	frame_udp(f, dev[port]->mac, host_mac[port], src, dst, 40);
	store_be16(f->data + 34, sport);
	store_be16(f->data + 36, dport);
	store_be16(f->data + 40, 0);
}

/* A fragment: `units` of 8 bytes from the beginning, of UDP. */
static void fragment(struct frame *f, uint16_t id, uint16_t sport, uint16_t units, bool more)
{
	flow(f, 0, HOST(0), HOST(1), sport, 7);
	store_be16(f->data + 18, id);
	store_be16(f->data + 20, (uint16_t)((more ? 0x2000 : 0) | units));
	if (units)
		memset(f->data + 34, 0xee, 8);
	frame_fix_checksum(f);
}

/* ---- who got it ---- */

static uint64_t got_before[ACTOR_MAX];

static uint64_t received(unsigned actor)
{
	uint64_t n = 0;

	for (unsigned port = 0; port < PORTS; port++)
		n += router.counters[actor]->port[port].rx_packets;
	return n;
}

static void note(void)
{
	for (unsigned a = 1; a <= router.workers; a++)
		got_before[a] = received(a);
}

/* The only worker that has received since the note. */
static unsigned who(void)
{
	unsigned found = 0, w = 0;

	for (unsigned a = 1; a <= router.workers; a++)
		if (received(a) != got_before[a]) {
			w = a - 1;
			found++;
		}
	assert_int_equal(found, 1);
	return w;
}

static unsigned owner_of(unsigned port, const struct frame *f)
{
	note();
	inject(port, f);
	turns(2);
	drain();
	return who();
}

/* ---- whole packets ---- */

static void test_both_directions(void **state)
{
	unsigned used = 0;

	assert_int_equal(router.tables.owners, WORKERS);
	srand(5);
	for (unsigned i = 0; i < 300; i++) {
		uint32_t a = IP(10, 0, 0, 3) + (uint32_t)rand() % 200,
			 b = IP(10, 0, 1, 3) + (uint32_t)rand() % 200;
		uint16_t x = (uint16_t)rand(), y = (uint16_t)rand();
		struct frame there, back;

		flow(&there, 0, a, b, x, y);
		flow(&back, 1, b, a, y, x);
		if (i % 4 == 1)
			there.data[23] = back.data[23] = 6;
		if (i % 4 == 2) /* no numbers */
			there.data[23] = back.data[23] = 47;
		if (i % 4 == 3) { /* echo, and its answer */
			there.data[23] = back.data[23] = 1;
			store_be16(there.data + 34, 8 << 8);
			store_be16(back.data + 34, 0);
			store_be16(there.data + 38, x);
			store_be16(back.data + 38, x);
		}
		frame_fix_checksum(&there);
		frame_fix_checksum(&back);
		unsigned owner = owner_of(0, &there);

		assert_int_equal(owner_of(1, &back), owner);
		used |= 1u << owner;
	}
	assert_int_equal(used, (1u << WORKERS) - 1);
	check_books();
}

/* The error about a packet comes to whoever has its session. */
static void test_icmp_error(void **state)
{
	for (uint16_t port = 1; port < 60; port++) {
		struct frame there, error;

		flow(&there, 0, HOST(0), HOST(1), port, 7);
		frame_echo(&error, dev[1]->mac, host_mac[1], IP(10, 0, 1, 99), HOST(0), 0, 0);
		error.data[34] = 3;
		memcpy(error.data + 42, there.data + 14, 28);
		error.len = 42 + 28;
		store_be16(error.data + 16, (uint16_t)(error.len - 14));
		frame_fix_checksum(&error);
		unsigned owner = owner_of(0, &there);

		assert_int_equal(owner_of(1, &error), owner);
	}
	check_books();
}

/* What is no unicast IP stays with the worker of the queue. */
static void test_others_stay(void **state)
{
	struct frame f;

	for (unsigned port = 0; port < PORTS; port++) {
		unsigned own = router.rxq[port].worker;

		frame_arp(&f, 1, all, host_mac[port], HOST(port), zero_mac, ROUTER(port));
		assert_int_equal(owner_of(port, &f), own);
		flow(&f, port, HOST(port), IP(224, 0, 0, 5), 1, 2);
		assert_int_equal(owner_of(port, &f), own);
		flow(&f, port, HOST(port), HOST(1), 1, 2);
		f.data[14] = 0x41; /* no header length */
		assert_int_equal(owner_of(port, &f), own);
		f.data[14] = 0x45;
		store_be16(f.data + 16, 2000); /* longer than the frame */
		assert_int_equal(owner_of(port, &f), own);
		f.len = 20;
		assert_int_equal(owner_of(port, &f), own);
		f.len = 14;
		assert_int_equal(owner_of(port, &f), own);
	}
	check_books();
}

/* ---- who owns ---- */

/* Every queue reaches every owner, by a ring to a lane of the queue that this owner's worker has.
 */
static void check_reach(void)
{
	for (unsigned g = 0; g < router.rxqs; g++) {
		const struct steering *s = &router.rxq[g].steering;
		const struct ring *seen[SPREAD_MAX] = {NULL};

		assert_int_equal(s->owners, router.tables.owners);
		for (unsigned w = 0; w < router.workers; w++)
			for (unsigned i = 0; i < router.worker[w]->feeds; i++) {
				const struct feed *feed = &router.worker[w]->feed[i];
				const struct lane *lane = &router.lane[feed->lane];

				assert_int_equal(lane->actor, w + 1);
				if (lane->pool == g && w < s->owners)
					seen[w] = feed->ring;
			}
		for (unsigned o = 0; o < s->owners; o++) {
			assert_ptr_equal(s->ring[o], seen[o]);
			assert_int_equal(seen[o] == NULL, router.rxq[g].worker == o);
		}
	}
	assert_true(router.lanes <= LANE_MAX);
}

static void inject_on(unsigned port, unsigned q, const struct frame *f)
{
	assert_true(memdev_inject(dev[port], q, f->data, f->len));
}

/* A worker that is no owner receives, keeps what has no owner, and routes nothing. */
static void test_worker_that_is_no_owner(void **state)
{
	unsigned g = 0, used = 0;
	struct frame f;

	assert_int_equal(
		router.tables.owners, 2); /* 16 lanes of 9 TX queues, of a quarter of 48 MiB */
	check_reach();
	while (router.rxq[g].worker < 2)
		g++;
	unsigned port = router.rxq[g].port, q = router.rxq[g].queue, to = (port + 1) % PORTS;

	for (uint16_t sport = 1; sport <= 100; sport++) {
		flow(&f, port, HOST(port), HOST(to), sport, 7);
		note();
		inject_on(port, q, &f);
		turns(2);
		unsigned owner = who();

		assert_true(owner < 2);
		used |= 1u << owner;
		assert_true(sent(to, &f));
	}
	assert_int_equal(used, 3);
	frame_arp(&f, 1, all, host_mac[port], HOST(port), zero_mac, ROUTER(port));
	note();
	inject_on(port, q, &f);
	turns(2);
	assert_int_equal(who(), router.rxq[g].worker);
	check_books();
}

/* A burst that such a worker has in its hands when lanes begin to track goes on as before. */
static void test_tracking_begins_meanwhile(void **state)
{
	unsigned g = 0;
	uint32_t index;
	struct frame f;

	while (router.rxq[g].worker < 2)
		g++;
	unsigned port = router.rxq[g].port, to = (port + 1) % PORTS;

	assert_int_equal(pool_take(&router.buffers, g, &index, 1), 1);
	flow(&f, port, HOST(port), HOST(to), 1, 7);
	memcpy(buffer_data(&router.buffers, index), f.data, f.len);
	uint64_t word = packet_word(index, (uint32_t)f.len, 0);

	path_forward(&router.lane[g], &word, 1);
	turns(2);
	assert_true(sent(to, &f));
	check_books();
}

/* ---- fragments ---- */

static unsigned collect(uint16_t units[], unsigned max)
{
	struct frame f;
	unsigned n = 0;

	while (sent(1, &f)) {
		assert_true(n < max);
		units[n++] = load_be16(f.data + 20) & 0x1fff;
	}
	return n;
}

static void test_later_waits_for_first(void **state)
{
	static struct audit a;
	uint16_t units[8] = {0};
	struct frame f;

	for (uint16_t id = 1; id < 40; id++) {
		fragment(&f, id, (uint16_t)(1000 + id), 10, true);
		inject(0, &f);
		fragment(&f, id, (uint16_t)(1000 + id), 16, false);
		inject(0, &f);
		turns(2);
		assert_int_equal(collect(units, 8), 0);
		audit_take(&router, &a);
		assert_true(a.buffers_ok && a.balance_ok);
		assert_int_equal(a.pool[0].held, 2);
		fragment(&f, id, (uint16_t)(1000 + id), 0, true);
		unsigned owner;

		note();
		inject(0, &f);
		turns(2);
		owner = who();
		assert_int_equal(collect(units, 8), 3);
		assert_int_equal(units[0], 0);
		assert_int_equal(units[1], 10);
		assert_int_equal(units[2], 16);
		/* a whole packet of the flow goes there as well */
		flow(&f, 0, HOST(0), HOST(1), (uint16_t)(1000 + id), 7);
		assert_int_equal(owner_of(0, &f), owner);
	}
	check_books();
}

static void test_fragments_that_wait_in_vain(void **state)
{
	struct frame f;

	for (uint16_t id = 1; id <= 30; id++) {
		fragment(&f, id, 1000, 10, true);
		inject(0, &f);
	}
	turns(1000);
	assert_int_equal(drops(0, DROP_FRAGMENT_TIMEOUT), 0);
	turns(2000);
	assert_int_equal(drops(0, DROP_FRAGMENT_TIMEOUT), 30);
	check_books();
}

static void test_bad_fragments(void **state)
{
	struct frame f;

	fragment(&f, 1, 1000, 0, true); /* tiny: 8 bytes of TCP */
	f.data[23] = 6;
	store_be16(f.data + 16, 28);
	frame_fix_checksum(&f);
	inject(0, &f);
	fragment(&f, 2, 1000, 1, false); /* over TCP's flags */
	f.data[23] = 6;
	frame_fix_checksum(&f);
	inject(0, &f);
	fragment(&f, 3, 1000, 8190, true); /* ends beyond 65,535 */
	inject(0, &f);
	fragment(&f, 4, 1000, 8, true); /* no multiple of 8 */
	store_be16(f.data + 16, load_be16(f.data + 16) - 1);
	frame_fix_checksum(&f);
	inject(0, &f);
	fragment(&f, 5, 1000, 0, true);
	inject(0, &f);
	fragment(&f, 5, 1000, 2, true); /* over its first */
	inject(0, &f);
	fragment(&f, 5, 1000, 6, false); /* of a bad one */
	inject(0, &f);
	turns(3);
	assert_int_equal(drops(0, DROP_FRAGMENT_BAD), 6);
	check_books();
}

/* A flood of fragments leaves buffers to receive into, and is counted. */
static void test_fragment_flood(void **state)
{
	static struct audit a;
	struct frame f;

	srand(8);
	for (unsigned i = 0; i < 6000; i++) {
		fragment(&f, (uint16_t)i, 1000, 10, i & 1);
		store_be32(f.data + 26, IP(10, 0, 0, 3) + (uint32_t)rand() % 3);
		frame_fix_checksum(&f);
		inject(0, &f);
		if (i % 50 == 49)
			turns(1);
		if (i % 1000 == 999) {
			audit_take(&router, &a);
			assert_true(a.buffers_ok && a.balance_ok);
			assert_in_range(a.pool[0].held, 1, HOLD_MOST);
		}
	}
	assert_true(drops(0, DROP_FRAGMENTS_FULL) > 4000);
	flow(&f, 0, HOST(0), HOST(1), 5, 6);
	inject(0, &f);
	turns(3);
	uint16_t units[4];

	assert_int_equal(collect(units, 4), 1);
	turns(5000);
	check_books();
}

/* Switched off: what waits goes on, nothing is left behind, and rings are emptied. */
static void test_switched_off(void **state)
{
	static struct audit a;
	uint16_t units[64];
	struct frame f;

	for (uint16_t id = 1; id <= 20; id++) {
		fragment(&f, id, 1000, 10, true);
		inject(0, &f);
	}
	turns(2);
	for (uint16_t port = 1; port <= 20; port++) {
		flow(&f, 0, HOST(0), HOST(1), port, 6);
		inject(0, &f);
	}
	worker_turn(&router, router.worker[router.rxq[0].worker]);
	router_set_tracking(&router, false);
	turns(300);
	assert_int_equal(collect(units, 64), 40);
	assert_int_equal(drops(0, DROP_FRAGMENT_TIMEOUT), 0);
	audit_take(&router, &a);
	assert_int_equal(a.pool[0].held, 0);
	check_books();
}

/* A fragment that nobody knows of is missed by the audit. */
static void test_held_is_audited(void **state)
{
	static struct audit a;
	struct frame f;

	fragment(&f, 1, 1000, 10, true);
	inject(0, &f);
	turns(2);
	router.rxq[0].steering.hold->held--;
	audit_take(&router, &a);
	assert_false(a.buffers_ok);
	assert_string_equal(a.finding, "1 missing, last owner the fragments of eth0");
	router.rxq[0].steering.hold->held++;
	turns(5000);
	check_books();
}

/* An owner that takes nothing: its ring is full, the rest goes on. */
static void test_full_ring(void **state)
{
	struct frame f;
	unsigned own = router.rxq[0].worker;
	uint16_t port = 1;

	do
		flow(&f, 0, HOST(0), HOST(1), ++port, 6);
	while (owner_of(0, &f) == own);
	for (unsigned i = 0; i < SPREAD_SLOTS + 100; i++) {
		inject(0, &f);
		worker_turn(&router, router.worker[own]);
	}
	assert_int_equal(drops(0, DROP_SPREAD_FULL), 100);
	check_books();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f, s) cmocka_unit_test_setup_teardown(f, s, teardown)
		CASE(test_both_directions, setup_steer),
		CASE(test_icmp_error, setup_steer),
		CASE(test_others_stay, setup_steer),
		CASE(test_worker_that_is_no_owner, setup_many),
		CASE(test_tracking_begins_meanwhile, setup_many),
		CASE(test_later_waits_for_first, setup_steer),
		CASE(test_fragments_that_wait_in_vain, setup_steer),
		CASE(test_fragments_that_wait_in_vain, setup_one),
		CASE(test_bad_fragments, setup_steer),
		CASE(test_bad_fragments, setup_one),
		CASE(test_fragment_flood, setup_steer),
		CASE(test_fragment_flood, setup_one),
		CASE(test_switched_off, setup_steer),
		CASE(test_held_is_audited, setup_steer),
		CASE(test_full_ring, setup_steer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

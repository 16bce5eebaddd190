/* Steering in a whole router: every packet of a session to its owner, fragments behind their first,
 * the same by all compiled forms; nothing lost. */
#include "test/unit/router_fixture.h"

#include "net/path/steer_columns.h"
#include "net/path/steer_frame.h"
#include "test/unit/forms.h"

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

static uint64_t got_before[WORKERS + 1];

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
	uint16_t units[8];
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
	unsigned own = router.rxq[0].worker, other;
	uint16_t port = 1;

	do
		flow(&f, 0, HOST(0), HOST(1), ++port, 6);
	while ((other = owner_of(0, &f)) == own);
	for (unsigned i = 0; i < SPREAD_SLOTS + 100; i++) {
		inject(0, &f);
		worker_turn(&router, router.worker[own]);
	}
	assert_int_equal(drops(0, DROP_SPREAD_FULL), 100);
	check_books();
}

/* ---- forms ---- */

static uint32_t below(uint32_t n)
{
	return (uint32_t)rand() % n;
}

/* A frame with something changed that matters to steering; often nothing. */
static void random_frame(uint8_t *f, uint32_t *len)
{
	struct frame frame;

	flow(&frame, 0, (uint32_t)rand() * 2u, (uint32_t)rand() * 2u, (uint16_t)rand(),
		(uint16_t)rand());
	if (below(2))
		frame.data[23] = 6;
	if (below(6) == 0)
		frame.data[12 + below(30)] ^= (uint8_t)(1 << below(8));
	if (below(8) == 0)
		frame.len = 14 + below(60);
	if (below(8) == 0)
		store_be16(frame.data + 16, (uint16_t)below(80));
	memcpy(f, frame.data, sizeof frame.data < 128 ? sizeof frame.data : 128);
	*len = (uint32_t)frame.len;
}

/* Plain: what the slow way finds no fault with, and with the same owner. */
static void check_columns(const struct steer_columns *c, uint64_t plain, const uint64_t *word,
	unsigned n, unsigned owners)
{
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *f = buffer_data(&router.buffers, packet_index(word[i]));
		struct steer_packet p;
		struct flow_key key;
		struct fragment fragment;

		assert_ptr_equal(c->data[i], f);
		bool is = steer_packet(&router.lane[0], f, packet_len(word[i]), &p) && !p.six &&
			  p.frame == f && f[14] == 0x45 && (f[23] == 6 || f[23] == 17) &&
			  p.len >= 38 && steer_part(&p, &fragment) == STEER_WHOLE;

		assert_int_equal(plain >> i & 1, is);
		if (!is)
			continue;
		steer_key(&p, &key);
		assert_int_equal(c->src[i], key.src.lo);
		assert_int_equal(c->dst[i], key.dst.lo);
		assert_int_equal(c->ports[i], key.ports);
		assert_int_equal(c->protocol[i], key.protocol);
		assert_int_equal(c->owner[i], steer_owner(NULL, 0, &key, owners));
	}
}

static void test_forms(void **state)
{
	static steer_columns_fn *const form[] = {
		steer_columns_plain, steer_columns_v3, steer_columns_v4};
	unsigned plain = 0;

	srand(11);
	for (unsigned round = 0; round < 3000; round++) {
		uint64_t word[BATCH_MAX + BATCH_PAD];
		unsigned n = 1 + below(BATCH_MAX), owners = 1 + below(SPREAD_MAX);
		struct steer_columns c;

		for (unsigned i = 0; i < n; i++) {
			uint32_t len;

			random_frame(buffer_data(&router.buffers, i), &len);
			word[i] = packet_word(i, len, 0);
		}
		for (unsigned i = n; i < BATCH_MAX + BATCH_PAD; i++)
			word[i] = word[0];
		uint64_t mask = form[round % forms_here()](&router.buffers, word, n, owners, &c);

		check_columns(&c, mask, word, n, owners);
		plain += (unsigned)__builtin_popcountll(mask);
	}
	assert_true(plain > 50000);
}

/* Hashes fall on all owners alike. */
static void test_shares(void **state)
{
	for (unsigned owners = 1; owners <= SPREAD_MAX; owners++) {
		unsigned share[SPREAD_MAX] = {0}, ports[SPREAD_MAX] = {0};

		for (unsigned i = 0; i < 8000; i++) {
			struct flow_key key = {.src.lo = IP(10, 0, 0, 1) + i % 80,
				.dst.lo = IP(192, 0, 2, 1),
				.ports = (1024 + i / 80) << 16 | 443,
				.protocol = 6,
				.family = 4};

			share[steer_owner(NULL, 0, &key, owners)]++;
		}
		for (uint32_t port = 0; port < 65536; port++) {
			assert_int_equal(steer_port_owner((uint16_t)port, owners),
				(port >> STEER_BLOCK_SHIFT) % owners);
			ports[steer_port_owner((uint16_t)port, owners)]++;
		}
		for (unsigned o = 0; o < owners; o++) {
			assert_in_range(
				share[o], 8000 / owners * 9 / 10 - 1, 8000 / owners * 11 / 10 + 1);
			assert_in_range(ports[o], 65536 / owners - 64, 65536 / owners + 64);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f, s) cmocka_unit_test_setup_teardown(f, s, teardown)
		CASE(test_both_directions, setup_steer),
		CASE(test_icmp_error, setup_steer),
		CASE(test_others_stay, setup_steer),
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
		CASE(test_forms, setup_steer),
		CASE(test_shares, setup_steer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

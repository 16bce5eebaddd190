/* The IPv6 table against a brute-force match over its routes: shapes, changes, readers, room. */
#include "test/unit/fib6_fixture.h"

static void test_empty(void **state)
{
	struct bench b;
	struct ip6 a[3] = {{0, 0}, {1ull << 61, 1}, {~0ull, ~0ull}};
	uint32_t nh[3] = {9, 9, 9};

	begin(&b, 0);
	fib6_lookup(b.fib, a, nh, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(nh[i], NEXTHOP_NONE);
	put(&b, (struct ip6){0, 0}, 0, 65534);
	follow(&b);
	check(&b);
	check_emptied(&b);
	end(&b);
}

/* Prefixes of every length inside each other, towards an address of ones, of zeros, of neither. */
static void test_nested(void **state)
{
	static const struct ip6 towards[] = {{~0ull, ~0ull}, {0, 0},
		{0x20010db812345678, 0x9abcdef013579bdf}, {0x5555555555555555, 0xaaaaaaaaaaaaaaaa}};

	for (unsigned t = 0; t < 4; t++) {
		struct bench b;

		begin(&b, 200000);
		for (unsigned length = 0; length <= 128; length++)
			put(&b, towards[t], length, 1 + length * 500);
		follow(&b);
		check(&b);
		while (b.n > 64) { /* every other one, then the rest */
			drop(&b, b.n / 2);
			follow(&b);
		}
		check(&b);
		check_emptied(&b);
		end(&b);
	}
}

/* n prefixes of a length side by side, with next hops in turn: as many as a node holds, and more.
 */
static void test_side_by_side(void **state)
{
	static const unsigned lengths[] = {
		26, 32, 40, 41, 48, 63, 64, 65, 66, 72, 80, 100, 127, 128};
	static const unsigned counts[] = {1, 2, 31, 32, 33, 64, 65, 200};

	for (unsigned l = 0; l < sizeof lengths / sizeof *lengths; l++) {
		struct bench b;

		begin(&b, 400000);
		for (unsigned c = 0; c < sizeof counts / sizeof *counts; c++) {
			struct ip6 p = {0x2a00000000000000ull + ((uint64_t)c << 52), 0};

			for (unsigned i = 0; i < counts[c]; i++) {
				put(&b, p, lengths[l], 1 + i % 3);
				p = ip6_next(ip6_last(p, lengths[l]));
			}
		}
		follow(&b);
		check(&b);
		check_emptied(&b);
		end(&b);
	}
}

/* Announcements and withdrawals at random, close together, checked after each batch. */
static void test_churn(void **state)
{
	struct bench b;

	begin(&b, 400000);
	for (unsigned batch = 0; batch < 60; batch++) {
		struct ip6 near = random_address(&b);

		for (unsigned i = 0; i < 12; i++) {
			uint64_t r = routegen_random(&b.random);
			struct ip6 p = b.n && r % 4 ? b.route[r / 64 % b.n].prefix : near;
			unsigned length = (unsigned)(r >> 32 & 1 ? 20 + r / 7 % 50 : r / 7 % 129);

			if (r >> 40 & 1)
				p.hi ^= routegen_random(&b.random) >> (r >> 50 & 31) >> 20;
			if (r >> 41 & 1)
				p.lo ^= routegen_random(&b.random) >> (r >> 55 & 63);
			if (b.n > 150 || (b.n && r % 8 == 0))
				drop(&b, (uint32_t)(r / 3 % b.n));
			else
				put(&b, p, length, 1 + (uint32_t)(r >> 20 & 7));
		}
		follow(&b);
		check(&b);
	}
	check_emptied(&b);
	end(&b);
}

/* A table like the Internet's, made in one job, changed, and made again. */
static void test_generated(void **state)
{
	struct routegen_route *g = calloc(ROUTES_MAX, sizeof *g);
	struct fib6_job job = fib6_job((struct ip6){0, 0}, 0);
	struct bench b;

	begin(&b, 400000);
	routegen6(g, ROUTES_MAX, 64, 7);
	for (uint32_t i = 0; i < ROUTES_MAX; i++)
		assert_int_equal(rib6_add(&b.rib, &(struct route6){.prefix = g[i].prefix,
							  .length = g[i].length,
							  .source = RIB_STATIC,
							  .nexthop = g[i].nexthop}),
			ERR_OK);
	for (unsigned round = 0; round < 2; round++) {
		while (job.pending) {
			assert_int_equal(fib6_job_step(b.fib, &b.rib, &job, 8), ERR_OK);
			grace(b.fib);
		}
		for (uint32_t i = round; i < ROUTES_MAX && round == 0; i += 5)
			assert_int_equal(
				rib6_remove(&b.rib, g[i].prefix, g[i].length, RIB_STATIC, NULL),
				ERR_OK);
		follow(&b);
		for (uint32_t i = 0; i < ROUTES_MAX; i++) {
			struct ip6 last = ip6_last(g[i].prefix, g[i].length), unused;
			struct ip6 a[4] = {
				g[i].prefix, ip6_before(g[i].prefix), last, ip6_next(last)};
			uint32_t nh[4];

			fib6_select(forms[i % forms_here()]);
			fib6_lookup(b.fib, a, nh, 4);
			for (unsigned k = 0; k < 4; k++)
				assert_int_equal(nh[k], rib6_span(&b.rib, a[k], &unused));
		}
		job = fib6_job((struct ip6){0, 0}, 0);
	}
	free(g);
	end(&b);
}

/* A table too small takes what fits, keeps its old answers, and goes on when there is room. */
static void test_capacity(void **state)
{
	struct bench b;
	enum err e = ERR_OK;
	uint32_t before;

	begin(&b, 0);
	while (e == ERR_OK) {
		struct ip6 p = random_address(&b), unused;

		p.hi = p.hi >> 3 | 1ull << 61;
		put(&b, p, 128, 1 + b.n % 1000);
		(void)rib6_take_change(&b.rib, &unused, &before);
		e = fib6_update(b.fib, &b.rib, p, 128);
		grace(b.fib);
	}
	assert_int_equal(e, ERR_FULL);
	struct route6 last = b.route[b.n - 1];
	uint32_t nh;

	fib6_lookup(b.fib, &last.prefix, &nh, 1);
	assert_int_equal(nh, NEXTHOP_NONE);
	drop(&b, b.n - 1);
	follow(&b);
	check(&b);
	for (uint32_t n = b.n / 2; n; n--)
		drop(&b, 0);
	follow(&b);
	put(&b, last.prefix, 128, last.nexthop);
	follow(&b);
	check(&b);
	check_emptied(&b);
	end(&b);
}

/* What is replaced without a grace period is not reused; the table says so instead. */
static void test_no_grace(void **state)
{
	struct bench b;
	enum err e = ERR_OK;
	unsigned changes = 0;

	begin(&b, 200000);
	put(&b, (struct ip6){0x20010db800000000, 0}, 32, 1);
	follow(&b);
	for (; e == ERR_OK; changes++) {
		if (changes % 2)
			drop(&b, 1);
		else
			put(&b, (struct ip6){0x20010db8abcd0000, 0}, 48, 2);
		e = fib6_update(b.fib, &b.rib, (struct ip6){0x20010db8abcd0000, 0}, 48);
	}
	assert_int_equal(e, ERR_FULL);
	assert_true(changes > 1000);
	assert_true(fib6_wants_grace(b.fib));
	grace(b.fib);
	follow(&b);
	check(&b);
	end(&b);
}

static void test_image(void **state)
{
	struct fib6_limits small = {0}, large = {500000};
	struct bench b, c;
	size_t bytes;

	begin(&b, 300000);
	begin(&c, 500000);
	for (unsigned i = 0; i < 300; i++) {
		struct ip6 p = random_address(&b);

		p.hi = p.hi >> 12 | 0x2001ull << 48;
		put(&b, p, i % 129, 1 + i);
	}
	follow(&b);
	const void *image = fib6_image(b.fib, &bytes);
	struct fib6 *tight = fib6_init(c.fib_mem, &small);

	assert_int_equal(fib6_load(tight, image, bytes - 4), ERR_INVALID);
	assert_int_equal(fib6_load(tight, image, 8), ERR_INVALID);
	c.fib = fib6_init(c.fib_mem, &large);
	assert_int_equal(fib6_load(c.fib, image, bytes), ERR_OK);
	for (uint32_t i = 0; i < b.n; i++) /* its routes come later; the answers stay the same */
		put(&c, b.route[i].prefix, b.route[i].length, b.route[i].nexthop);
	check(&c);
	follow(&c);
	check(&c);
	check_emptied(&c);
	end(&b);
	end(&c);
}

/* ---- a reader while the table changes ---- */

#define PROBES 64u

struct reading {
	const struct fib6 *fib;
	struct rcu_reader *reader;
	struct ip6 address[PROBES];
	uint32_t one[PROBES], other[PROBES]; /* the two answers that are right */
	uint32_t stop, wrong, rounds;
};

static void *read_on(void *arg)
{
	struct reading *r = arg;
	uint32_t nh[PROBES];

	while (!load_acquire(&r->stop)) {
		fib6_lookup(r->fib, r->address, nh, PROBES);
		for (unsigned i = 0; i < PROBES; i++)
			r->wrong += nh[i] != r->one[i] && nh[i] != r->other[i];
		store_once(&r->rounds, r->rounds + 1);
		rcu_quiescent(r->reader);
	}
	return NULL;
}

/* Half of the probes lie where a more-specific comes and goes, half beside it. */
static void test_reader(void **state)
{
	static struct rcu rcu = {.readers = 1};
	struct rcu_grace period;
	struct reading r = {.reader = &rcu.reader[0]};
	struct bench b;
	pthread_t thread;
	unsigned holdout;

	begin(&b, 300000);
	put(&b, (struct ip6){0x20010db800000000, 0}, 32, 7);
	for (unsigned i = 0; i < PROBES / 2; i++)
		put(&b, (struct ip6){0x20010db800000000 | (uint64_t)i << 20, 0}, 48, 100 + i);
	follow(&b);
	for (unsigned i = 0; i < PROBES; i++) {
		r.address[i] = (struct ip6){
			0x20010db800000000 | (uint64_t)(i / 2) << 20, i % 2 ? 0 : 1ull << 63};
		r.one[i] = 100 + i / 2;
		r.other[i] = i % 2 ? 300 : r.one[i];
	}
	r.fib = b.fib;
	assert_int_equal(pthread_create(&thread, NULL, read_on, &r), 0);
	for (unsigned turn = 0; turn < 3000 || load_acquire(&r.rounds) < 50; turn++) {
		struct ip6 p = r.address[(2 * turn + 1) % PROBES];
		unsigned length = 65 + turn / 2 % 60;

		if (turn % 2)
			drop(&b, b.n - 1);
		else
			put(&b, p, length, 300);
		struct fib6_job job = {.pending = false};

		assert_int_equal(fib6_follow(b.fib, &b.rib, &job, 100), ERR_OK);
		fib6_grace_begin(b.fib);
		rcu_grace_start(&rcu, &period);
		while (!rcu_grace_done(&rcu, &period, &holdout))
			;
		fib6_grace_passed(b.fib);
	}
	store_release(&r.stop, 1);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(r.wrong, 0);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_side_by_side),
		cmocka_unit_test(test_churn),
		cmocka_unit_test(test_generated),
		cmocka_unit_test(test_capacity),
		cmocka_unit_test(test_no_grace),
		cmocka_unit_test(test_image),
		cmocka_unit_test(test_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

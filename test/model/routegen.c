/* Routing tables like the Internet's: allocations, and runs of more-specifics inside them. */
#include "test/model/routegen.h"

#include <stdbool.h>
#include <stdlib.h>

/* A length, and how often it comes among all of its list. */
struct share {
	uint8_t length, share;
};

/* What differs between the families. */
struct family {
	const struct share *allocation, *specific;
	struct ip6 (*place)(uint64_t *random, unsigned length);
	unsigned busy;      /* percent of allocations with more-specifics */
	uint32_t runs, run; /* of them in an allocation, prefixes in each: up to */
};

struct maker {
	const struct family *family;
	struct routegen_route *route;
	uint32_t n, max, nexthops;
	uint64_t random;
};

uint64_t routegen_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static uint32_t below(uint64_t *random, uint32_t n)
{
	return (uint32_t)((routegen_random(random) >> 32) * n >> 32);
}

static bool chance(uint64_t *random, unsigned percent)
{
	return below(random, 100) < percent;
}

/* 1 to max, x with a likelihood of about 1/x. */
static uint32_t zipf(uint64_t *random, uint32_t max)
{
	uint32_t octave = 0, x;

	while (octave < 31 && 2u << octave <= max)
		octave++;
	do
		x = (1u << below(random, octave + 1)) + 0;
	while (x > max);
	x += below(random, x);
	return x <= max ? x : max;
}

static unsigned draw(uint64_t *random, const struct share *s)
{
	uint32_t sum = 0, i;

	for (i = 0; s[i].share; i++)
		sum += s[i].share;
	sum = below(random, sum);
	for (i = 0; sum >= s[i].share; i++)
		sum -= s[i].share;
	return s[i].length;
}

/* ---- the families ---- */

static const struct share allocation4[] = {{11, 2}, {12, 3}, {13, 4}, {14, 7}, {15, 8}, {16, 18},
	{17, 9}, {18, 10}, {19, 13}, {20, 14}, {21, 8}, {22, 22}, {24, 30}, {0, 0}};
static const struct share specific4[] = {{16, 1}, {17, 2}, {18, 3}, {19, 6}, {20, 9}, {21, 10},
	{22, 22}, {23, 20}, {24, 127}, {0, 0}};
static const struct share allocation6[] = {
	{24, 1}, {28, 3}, {29, 16}, {30, 2}, {32, 90}, {36, 2}, {40, 4}, {44, 8}, {48, 60}, {0, 0}};
static const struct share specific6[] = {{33, 5}, {34, 4}, {35, 2}, {36, 11}, {38, 3}, {40, 25},
	{42, 4}, {44, 27}, {45, 3}, {46, 5}, {47, 6}, {48, 130}, {56, 1}, {64, 1}, {0, 0}};

/* Unicast: 1.0.0.0 to 223.255.255.255. */
static struct ip6 place4(uint64_t *random, unsigned length)
{
	uint64_t top = 1 + below(random, 223);

	(void)length;
	return (struct ip6){top << 56 | (routegen_random(random) & 0xffffff00000000ull), 0};
}

/* The registries' blocks, filled from below: the lower an address, the more in use. */
static struct ip6 place6(uint64_t *random, unsigned length)
{
	static const uint16_t block[] = {0x2001, 0x2400, 0x2600, 0x2800, 0x2a00, 0x2c00};
	unsigned b = below(random, sizeof block / sizeof *block);
	uint64_t hi = (uint64_t)block[b] << 48;
	uint64_t inside = b ? below(random, below(random, 0x100000) + 1) : below(random, 0x10000);

	hi += inside << 32;
	if (length > 32)
		hi |= (uint64_t)below(random, 0x1000) << 16;
	return (struct ip6){hi, 0};
}

static const struct family family4 = {allocation4, specific4, place4, 35, 32, 32};
static const struct family family6 = {allocation6, specific6, place6, 20, 24, 12};

/* ---- making ---- */

static void add(struct maker *m, struct ip6 prefix, unsigned length, uint32_t nexthop)
{
	if (m->n < m->max)
		m->route[m->n++] = (struct routegen_route){
			ip6_first(prefix, length), nexthop, (uint8_t)length};
}

/* A run of neighbouring prefixes of one length inside an allocation. */
static void make_run(struct maker *m, struct ip6 allocation, unsigned outer, uint32_t nexthop)
{
	unsigned length = draw(&m->random, m->family->specific);
	uint32_t own = chance(&m->random, 60) ? nexthop : zipf(&m->random, m->nexthops);

	if (length <= outer)
		return;
	uint64_t room = length - outer > 16 ? 0x10000 : 1ull << (length - outer);
	uint64_t at = below(&m->random, (uint32_t)room), run = zipf(&m->random, m->family->run);

	if (chance(&m->random, 50)) /* much begins at the beginning */
		at = below(&m->random, (uint32_t)at + 1);
	for (; run && at < room; run--, at++) {
		struct ip6 prefix = allocation;

		prefix.hi += at << (64 - length);
		if (chance(&m->random, 80))
			add(m, prefix, length,
				chance(&m->random, 85) ? own : zipf(&m->random, m->nexthops));
	}
}

static void make_allocation(struct maker *m)
{
	unsigned length = draw(&m->random, m->family->allocation);
	struct ip6 prefix = ip6_first(m->family->place(&m->random, length), length);
	uint32_t nexthop = zipf(&m->random, m->nexthops);

	if (chance(&m->random, 75))
		add(m, prefix, length, nexthop);
	if (chance(&m->random, m->family->busy))
		for (uint32_t runs = zipf(&m->random, m->family->runs); runs; runs--)
			make_run(m, prefix, length, nexthop);
}

static int by_prefix(const void *x, const void *y)
{
	const struct routegen_route *a = x, *b = y;

	if (!ip6_equal(a->prefix, b->prefix))
		return ip6_less(a->prefix, b->prefix) ? -1 : 1;
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return (a->nexthop > b->nexthop) - (a->nexthop < b->nexthop);
}

/* Sorts what there is, and of routes to one prefix keeps one. */
static void tidy(struct maker *m)
{
	uint32_t kept = 0;

	qsort(m->route, m->n, sizeof *m->route, by_prefix);
	for (uint32_t i = 0; i < m->n; i++)
		if (!kept || !ip6_equal(m->route[kept - 1].prefix, m->route[i].prefix) ||
			m->route[kept - 1].length != m->route[i].length)
			m->route[kept++] = m->route[i];
	m->n = kept;
}

static void make(const struct family *family, struct routegen_route *route, uint32_t n,
	uint32_t nexthops, uint64_t seed)
{
	struct maker m = {family, route, 0, n, nexthops, seed};

	while (m.n < m.max) {
		while (m.n < m.max)
			make_allocation(&m);
		tidy(&m);
	}
}

void routegen4(struct routegen_route *route, uint32_t n, uint32_t nexthops, uint64_t seed)
{
	make(&family4, route, n, nexthops, seed);
}

void routegen6(struct routegen_route *route, uint32_t n, uint32_t nexthops, uint64_t seed)
{
	make(&family6, route, n, nexthops, seed);
}

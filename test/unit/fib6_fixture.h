/* An IPv6 FIB beside a plain list of its prefixes, so that every answer can be checked. */
#ifndef TEST_UNIT_FIB6_FIXTURE_H
#define TEST_UNIT_FIB6_FIXTURE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/rcu.h"
#include "net/table/fib6.h"
#include "net/table/fib6_store.h"
#include "net/table/nexthop.h"
#include "net/table/rib.h"
#include "test/model/routegen.h"
#include "test/unit/forms.h"

#define ROUTES_MAX 24000u

/* A RIB, the table made from it, and the routes that should be in both. */
struct bench {
	struct rib6 rib;
	struct fib6 *fib;
	void *rib_mem, *fib_mem;
	struct route6 *route;
	uint32_t n;
	uint64_t random;
};

static inline void begin(struct bench *b, uint32_t words)
{
	struct fib6_limits limits = {words};
	size_t size = fib6_size(&limits);

	b->rib_mem = aligned_alloc(64, (rib6_size(ROUTES_MAX) + 63) & ~63ul);
	b->fib_mem = aligned_alloc(64, size);
	b->route = calloc(ROUTES_MAX, sizeof *b->route);
	assert_non_null(b->rib_mem);
	assert_non_null(b->fib_mem);
	memset(b->rib_mem, 0, rib6_size(ROUTES_MAX));
	rib6_init(&b->rib, b->rib_mem, ROUTES_MAX);
	b->fib = fib6_init(b->fib_mem, &limits);
	b->n = 0;
	b->random = 1;
}

static inline void end(struct bench *b)
{
	fib6_select("x86-64");
	free(b->rib_mem);
	free(b->fib_mem);
	free(b->route);
}

static inline void grace(struct fib6 *f)
{
	fib6_grace_begin(f);
	fib6_grace_passed(f);
}

static inline void follow(struct bench *b)
{
	struct fib6_job job = {.pending = false};

	while (job.pending || rib_has_changes(&b->rib.rib)) {
		assert_int_equal(fib6_follow(b->fib, &b->rib, &job, 16), ERR_OK);
		grace(b->fib);
	}
}

/* Puts a route into the RIB; the table follows later. One of that prefix is replaced. */
static inline void put(struct bench *b, struct ip6 prefix, unsigned length, uint32_t nexthop)
{
	struct route6 r = {.prefix = ip6_first(prefix, length),
		.length = (uint8_t)length,
		.source = RIB_STATIC,
		.distance = 1,
		.nexthop = nexthop};
	uint32_t old;

	for (uint32_t i = 0; i < b->n; i++) {
		if (b->route[i].length == length && ip6_equal(b->route[i].prefix, r.prefix)) {
			b->route[i].nexthop = nexthop;
			assert_int_equal(
				rib6_replace(&b->rib, r.prefix, length, RIB_STATIC, nexthop, &old),
				ERR_OK);
			return;
		}
	}
	assert_true(b->n < ROUTES_MAX);
	assert_int_equal(rib6_add(&b->rib, &r), ERR_OK);
	b->route[b->n++] = r;
}

static inline void drop(struct bench *b, uint32_t i)
{
	struct route6 r = b->route[i];

	assert_int_equal(rib6_remove(&b->rib, r.prefix, r.length, RIB_STATIC, NULL), ERR_OK);
	b->route[i] = b->route[--b->n];
}

static inline uint32_t brute(const struct bench *b, struct ip6 a)
{
	uint32_t nexthop = NEXTHOP_NONE;
	int longest = -1;

	for (uint32_t i = 0; i < b->n; i++) {
		const struct route6 *r = &b->route[i];

		if (r->length > longest && ip6_agree(r->prefix, a, r->length)) {
			longest = r->length;
			nexthop = r->nexthop;
		}
	}
	return nexthop;
}

/* Addresses on both sides of every place where an answer may change. */
static inline uint32_t edges(const struct bench *b, struct ip6 *a)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		const struct route6 *r = &b->route[i];
		struct ip6 last = ip6_last(r->prefix, r->length);

		a[n++] = r->prefix;
		a[n++] = ip6_before(r->prefix);
		a[n++] = last;
		a[n++] = ip6_next(last);
	}
	return n;
}

/* The table answers as the routes say, at every edge, in every form; and its walk covers all. */
static inline void check(struct bench *b)
{
	uint32_t n = 4 * b->n, *nh = calloc(n + 1, sizeof *nh), *want = calloc(n + 1, sizeof *want);
	struct ip6 *a = calloc(n + 1, sizeof *a), at = {0, 0};
	struct fib6_range range;

	n = edges(b, a);
	for (uint32_t i = 0; i < n; i++)
		want[i] = brute(b, a[i]);
	for (unsigned f = 0; f < forms_here(); f++) {
		fib6_select(forms[f]);
		fib6_lookup(b->fib, a, nh, n);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(nh[i], want[i]);
	}
	do {
		struct ip6 last;

		fib6_walk(b->fib, at, &range);
		assert_true(ip6_equal(range.first, at) && !ip6_less(range.last, at));
		assert_int_equal(range.nexthop, rib6_span(&b->rib, at, &last));
		while (ip6_less(last, range.last))
			assert_int_equal(range.nexthop, rib6_span(&b->rib, ip6_next(last), &last));
		at = ip6_next(range.last);
	} while (at.hi || at.lo);
	free(a);
	free(nh);
	free(want);
}

/* Takes all routes out and finds the table as it was at first. */
static inline void check_emptied(struct bench *b)
{
	struct fib6_stats s;

	while (b->n)
		drop(b, b->n - 1);
	follow(b);
	fib6_stats(b->fib, &s);
	assert_int_equal(s.inners, 0);
	assert_int_equal(s.leaves, 0);
	assert_int_equal(s.gates, 0);
	assert_int_equal(s.branches, 0);
	assert_int_equal(s.waiting, 0);
	assert_int_equal(s.bytes, FIB6_ROOT * sizeof(uint32_t));
	check(b);
}

static inline struct ip6 random_address(struct bench *b)
{
	return (struct ip6){routegen_random(&b->random), routegen_random(&b->random)};
}

#endif

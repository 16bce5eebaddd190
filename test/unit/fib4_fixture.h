/*
 * An IPv4 RIB and a FIB that follows it, compared by every boundary, random keys
 * and the walk, in all three forms of the look-up.
 */
#ifndef TEST_UNIT_FIB4_FIXTURE_H
#define TEST_UNIT_FIB4_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "net/table/fib4_table.h"
#include "net/table/nexthop.h"
#include "test/model/tables.h"
#include "test/unit/forms.h"

static struct rib4 rib;
static struct fib4 *fib;

static inline void begin(const struct fib4_limits *limits)
{
	model_rib4_init(&rib, MODEL_ROUTES * 4);
	fib = fib4_init(model_memory(fib4_size(limits)), limits);
}

static inline int setup(void **state)
{
	struct fib4_limits limits = fib4_limits_for(MODEL_ROUTES * 4);

	begin(&limits);
	srand(4);
	return 0;
}

static inline int teardown(void **state)
{
	model_rib_free(&rib.rib);
	free(fib);
	return 0;
}

static inline void restart(void)
{
	teardown(NULL);
	setup(NULL);
}

static inline void add(uint32_t address, unsigned length, uint32_t nexthop)
{
	struct route4 r = {.prefix = address & rib4_mask(length),
		.length = (uint8_t)length,
		.source = RIB_STATIC,
		.distance = 1,
		.nexthop = nexthop};

	(void)!rib4_add(&rib, &r);
}

static inline uint32_t random_address(void)
{
	return (uint32_t)rand() << 16 ^ (uint32_t)rand();
}

/* Follows all that the RIB noted; grace periods pass at once, as nobody reads. */
static inline void follow(void)
{
	static struct fib4_job job;

	while (job.pending || rib_has_changes(&rib.rib)) {
		assert_int_equal(fib4_follow(fib, &rib, &job, 1 + (unsigned)rand() % 64), ERR_OK);
		fib4_grace_begin(fib);
		fib4_grace_passed(fib);
	}
}

/* ---- comparing ---- */

/* Longest match by looking at every route, without the trie's ways of finding it. */
static inline uint32_t brute(uint32_t address)
{
	const struct route4 *best = NULL;

	for (const struct route4 *r = rib4_first(&rib); r; r = rib4_next(&rib, r))
		if (((address ^ r->prefix) & rib4_mask(r->length)) == 0 &&
			(!best || r->length > best->length))
			best = r;
	return best ? best->nexthop : NEXTHOP_NONE;
}

static inline uint32_t by_rib(uint32_t address)
{
	const struct route4 *r = rib4_match(&rib, address, false);

	return r ? r->nexthop : NEXTHOP_NONE;
}

/* Keys wait until a vector of odd length is full, so that all lengths are used. */
static struct {
	uint32_t dst[3 * BATCH_MAX];
	unsigned n, size;
} vector;

static inline void check_flush(uint32_t (*want)(uint32_t))
{
	uint32_t nh[3 * BATCH_MAX + 1], right[3 * BATCH_MAX];
	/* On the heap: bytes after its end may not be read. */
	uint32_t *dst = malloc(vector.n * sizeof *dst + 1);

	memcpy(dst, vector.dst, vector.n * sizeof *dst);
	for (unsigned i = 0; i < vector.n; i++)
		right[i] = want(dst[i]);
	for (unsigned f = 0; f < forms_here(); f++) {
		fib4_select(forms[f]);
		nh[vector.n] = 0xabcdef01u;
		fib4_lookup(fib, dst, nh, vector.n);
		assert_memory_equal(nh, right, vector.n * sizeof *nh);
		assert_int_equal(nh[vector.n], 0xabcdef01u); /* not one too many */
	}
	free(dst);
	vector.n = 0;
	vector.size = vector.size % (3 * BATCH_MAX) + 1;
}

static inline void check_key(uint32_t key, uint32_t (*want)(uint32_t))
{
	vector.dst[vector.n++] = key;
	if (vector.n >= vector.size)
		check_flush(want);
}

/* The walk's ranges cover the space without a gap and say what the RIB's spans say. */
static inline void check_walk(void)
{
	struct fib4_range range = {0};
	uint32_t a = 0, last;

	do {
		uint32_t nh = rib4_span(&rib, a, &last);

		if (a == 0 || a > range.last)
			fib4_walk(fib, a, &range);
		assert_true(range.first <= a && range.last >= a);
		assert_int_equal(range.nexthop, nh);
		a = last < range.last ? last + 1 : range.last + 1;
	} while (a);
}

/* Every route's ends and the addresses around them, random keys, and the walk. */
static inline void check(uint32_t (*want)(uint32_t), unsigned keys)
{
	vector.n = 0;
	vector.size = 1;
	for (const struct route4 *r = rib4_first(&rib); r; r = rib4_next(&rib, r)) {
		uint32_t first = r->prefix, last = first | ~rib4_mask(r->length);

		for (uint32_t d = 0; d < 3; d++) {
			check_key(first + d - 1, want);
			check_key(last + d - 1, want);
		}
	}
	check_key(0, want);
	check_key(0xffffffffu, want);
	for (unsigned i = 0; i < keys; i++)
		check_key(random_address(), want);
	check_flush(want);
	check_walk();
}

static inline struct fib4_limits used(void)
{
	struct fib4_stats s;

	fib4_stats(fib, &s);
	return s.used;
}

/* The table is as an empty one: nothing leaked. */
static inline void check_empty(void)
{
	struct fib4_limits u = used();

	assert_int_equal(u.lines, 1);
}

static inline void remove_all(void)
{
	for (const struct route4 *r; (r = rib4_first(&rib)) != NULL;) {
		struct route4 gone = *r;

		assert_int_equal(
			rib4_remove(&rib, gone.prefix, gone.length, gone.source, NULL), ERR_OK);
	}
}

#endif

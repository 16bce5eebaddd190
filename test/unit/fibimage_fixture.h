/*
 * Two routers' tables: one that made an image from its routes, one that loads it.
 * Both must answer alike, whatever happens to them.
 */
#ifndef TEST_UNIT_FIBIMAGE_FIXTURE_H
#define TEST_UNIT_FIBIMAGE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "net/table/fibfill.h"
#include "net/table/fibimage.h"
#include "test/model/tables.h"

#define NEXTHOPS 40u /* of which the last is unreachable and some are groups */

struct world {
	struct rib4 rib4;
	struct rib6 rib6;
	struct fib4 *fib4;
	struct fib6 *fib6;
	struct nexthop_table t;
	struct fib4_job job4;
	struct fib6_job job6;
};

static struct world maker, taker;
static struct fibimage image;
static void *bytes;
static size_t bytes_n;

static inline void world_begin(struct world *w, uint32_t routes)
{
	struct fib4_limits limits4 = fib4_limits_for(MODEL_ROUTES);
	struct fib6_limits limits6 = {.words = 1u << 22};

	memset(w, 0, sizeof *w);
	model_rib4_init(&w->rib4, routes);
	model_rib6_init(&w->rib6, routes);
	model_nexthops_init(&w->t);
	w->fib4 = fib4_init(model_memory(fib4_size(&limits4)), &limits4);
	w->fib6 = fib6_init(model_memory(fib6_size(&limits6)), &limits6);
}

static inline void world_end(struct world *w)
{
	model_rib_free(&w->rib4.rib);
	model_rib_free(&w->rib6.rib);
	model_nexthops_free(&w->t);
	free(w->fib4);
	free(w->fib6);
}

static inline uint64_t random64(void)
{
	return (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
}

/* ---- the maker's routes ---- */

static inline void make_nexthops(void)
{
	uint32_t index;

	for (uint32_t i = 1; i < NEXTHOPS; i++) {
		struct nexthop_member m[2] = {
			{(uint16_t)(i % 7 + 1), 3}, {(uint16_t)(i % 11 + 8), 1}};

		if (i < 20)
			assert_int_equal(nexthop_get_recursive(&maker.t, i << 8,
						 i % 3 ? NEXTHOP_ANY_PORT : i % 4, &index),
				ERR_OK);
		else
			assert_int_equal(nexthop_get_group(&maker.t, m, 2, &index), ERR_OK);
		assert_int_equal(index, i);
	}
	assert_int_equal(nexthop_get(&maker.t, NEXTHOP_UNREACHABLE, 0, 0, NULL, 0, &index), ERR_OK);
	assert_int_equal(index, NEXTHOPS);
}

/* Prefixes near to one another, of all lengths. */
static inline uint32_t random_prefix4(unsigned *length)
{
	uint32_t a = (uint32_t)random64();

	*length = rand() % 8 ? 8 + (unsigned)rand() % 25 : (unsigned)rand() % 33;
	if (rand() % 2)
		a = 0xc0a80000u | (a & 0x000fffffu);
	return a & rib4_mask(*length);
}

static inline struct ip6 random_prefix6(unsigned *length)
{
	struct ip6 a = {random64(), random64()};

	*length = rand() % 8 ? 16 + (unsigned)rand() % 49 : (unsigned)rand() % 129;
	a.hi &= 0xf00fffffffffffffull; /* a block takes much room, however little is in it */
	if (rand() % 2)
		a.hi = 0x2001000000000000ull | (a.hi & 0x0003ffffffffffffull);
	return ip6_first(a, *length);
}

static inline void add4(
	struct world *w, uint32_t prefix, unsigned length, enum rib_source source, uint32_t nexthop)
{
	struct route4 r = {.prefix = prefix,
		.length = (uint8_t)length,
		.source = (uint8_t)source,
		.distance = 1,
		.nexthop = nexthop};

	(void)!rib4_add(&w->rib4, &r);
}

static inline void add6(struct world *w, struct ip6 prefix, unsigned length, enum rib_source source,
	uint32_t nexthop)
{
	struct route6 r = {.prefix = prefix,
		.length = (uint8_t)length,
		.source = (uint8_t)source,
		.distance = 1,
		.nexthop = nexthop};

	(void)!rib6_add(&w->rib6, &r);
}

static inline uint32_t random_nexthop(void)
{
	return 1 + (uint32_t)rand() % NEXTHOPS;
}

static inline void make_routes(unsigned n)
{
	unsigned length;

	for (unsigned i = 0; i < n; i++) {
		uint32_t prefix4 = random_prefix4(&length);

		add4(&maker, prefix4, length, RIB_FILE, random_nexthop());
		struct ip6 prefix6 = random_prefix6(&length);

		add6(&maker, prefix6, length, RIB_FILE, random_nexthop());
	}
}

/* ---- following ---- */

static inline void grace(struct world *w)
{
	fib4_grace_begin(w->fib4);
	fib4_grace_passed(w->fib4);
	fib6_grace_begin(w->fib6);
	fib6_grace_passed(w->fib6);
}

static inline void follow(struct world *w)
{
	while (w->job4.pending || rib_has_changes(&w->rib4.rib)) {
		assert_int_equal(fib4_follow(w->fib4, &w->rib4, &w->job4, 5), ERR_OK);
		grace(w);
	}
	while (w->job6.pending || rib_has_changes(&w->rib6.rib)) {
		assert_int_equal(fib6_follow(w->fib6, &w->rib6, &w->job6, 5), ERR_OK);
		grace(w);
	}
}

/* ---- the image ---- */

static inline void make_image(void)
{
	const struct fibimage_tables tables = {
		&maker.rib4, &maker.rib6, maker.fib4, maker.fib6, &maker.t};

	follow(&maker);
	bytes_n = fibimage_size(&tables);
	bytes = model_memory(bytes_n);
	fibimage_write(&tables, bytes);
}

static inline int setup(void **state)
{
	srand(11);
	world_begin(&maker, MODEL_ROUTES);
	world_begin(&taker, MODEL_ROUTES);
	make_nexthops();
	return 0;
}

static inline int teardown(void **state)
{
	world_end(&maker);
	world_end(&taker);
	free(bytes);
	bytes = NULL;
	return 0;
}

static inline void take_image(void)
{
	assert_null(fibimage_open(&image, bytes, bytes_n));
	assert_null(fibimage_load(&image, taker.fib4, taker.fib6, &taker.t));
}

/* ---- comparing ---- */

static inline void same4(uint32_t address)
{
	uint32_t a, b;

	fib4_lookup(maker.fib4, &address, &a, 1);
	fib4_lookup(taker.fib4, &address, &b, 1);
	assert_int_equal(a, b);
}

static inline void same6(struct ip6 address)
{
	uint32_t a, b;

	fib6_lookup(maker.fib6, &address, &a, 1);
	fib6_lookup(taker.fib6, &address, &b, 1);
	assert_int_equal(a, b);
}

/* The ends of the maker's routes and the addresses around them; of one route in `every`. */
static inline void compare(unsigned every)
{
	for (const struct route4 *r = rib4_first(&maker.rib4); r; r = rib4_next(&maker.rib4, r)) {
		for (uint32_t d = 0; d < 3 && (unsigned)rand() % every == 0; d++) {
			same4(r->prefix + d - 1);
			same4((r->prefix | ~rib4_mask(r->length)) + d - 1);
		}
	}
	for (const struct route6 *r = rib6_first(&maker.rib6); r; r = rib6_next(&maker.rib6, r)) {
		struct ip6 last = ip6_last(r->prefix, r->length);

		if ((unsigned)rand() % every)
			continue;
		same6(r->prefix);
		same6(ip6_before(r->prefix));
		same6(last);
		same6(ip6_next(last));
	}
	for (unsigned i = 0; i < 200; i++) {
		same4((uint32_t)random64());
		same6((struct ip6){random64(), random64()});
	}
}

#endif

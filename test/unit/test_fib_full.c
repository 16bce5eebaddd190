/*
 * FIBs of whole tables like the Internet's, at both sides of every boundary and
 * at random addresses, against a sweep over the sorted routes that knows neither
 * trie nor FIB. LONG=1: full size, ten million random addresses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "net/table/fib4.h"
#include "net/table/fib6.h"
#include "net/table/nexthop.h"
#include "test/model/routegen.h"
#include "test/model/tables.h"
#include "test/unit/forms.h"

#define NEXTHOPS 64u
#define VECTOR   61u /* addresses at once: an odd number */

/* Routes and sorted addresses, with the next hops they should have. */
struct sample {
	struct routegen_route *route;
	uint32_t routes;
	struct ip6 *key;
	uint32_t *nexthop;
	uint32_t keys;
	unsigned bits;
	uint64_t random;
};

static void *memory(size_t n, size_t size)
{
	void *p = calloc(n, size);

	assert_non_null(p);
	return p;
}

static int by_value(const void *x, const void *y)
{
	const struct ip6 *a = x, *b = y;

	return ip6_equal(*a, *b) ? 0 : ip6_less(*a, *b) ? -1 : 1;
}

/* With the host's bits of IPv4 only. */
static void add_key(struct sample *s, struct ip6 a)
{
	s->key[s->keys++] = s->bits == 32 ? (struct ip6){a.hi & ~0xffffffffull, 0} : a;
}

static struct ip6 after(const struct sample *s, struct ip6 a)
{
	return s->bits == 32 ? (struct ip6){a.hi + (1ull << 32), 0} : ip6_next(a);
}

static struct ip6 before(const struct sample *s, struct ip6 a)
{
	return s->bits == 32 ? (struct ip6){a.hi - (1ull << 32), 0} : ip6_before(a);
}

static void make_keys(struct sample *s, uint32_t randoms)
{
	for (uint32_t i = 0; i < s->routes; i++) {
		const struct routegen_route *r = &s->route[i];
		struct ip6 last = ip6_last(r->prefix, r->length);

		add_key(s, before(s, r->prefix));
		add_key(s, r->prefix);
		add_key(s, after(s, r->prefix));
		add_key(s, before(s, last));
		add_key(s, last);
		add_key(s, after(s, last));
	}
	for (uint32_t i = 0; i < randoms; i++) {
		const struct routegen_route *r = &s->route[routegen_random(&s->random) % s->routes];
		struct ip6 a = {routegen_random(&s->random), routegen_random(&s->random)};
		struct ip6 mask = ip6_mask(i % 2 ? r->length : 0);

		add_key(s, (struct ip6){(r->prefix.hi & mask.hi) | (a.hi & ~mask.hi),
				   (r->prefix.lo & mask.lo) | (a.lo & ~mask.lo)});
	}
	qsort(s->key, s->keys, sizeof *s->key, by_value);
}

/* Routes are in order, shorter ones first: those that hold an address are nested on a stack. */
static void answer_keys(struct sample *s)
{
	const struct routegen_route *nested[129];
	unsigned depth = 0;
	uint32_t next = 0;

	for (uint32_t i = 0; i < s->keys; i++) {
		for (; next < s->routes && !ip6_less(s->key[i], s->route[next].prefix); next++) {
			const struct routegen_route *r = &s->route[next];

			while (depth && !ip6_agree(nested[depth - 1]->prefix, r->prefix,
						nested[depth - 1]->length))
				depth--;
			nested[depth++] = r;
		}
		while (depth &&
			!ip6_agree(nested[depth - 1]->prefix, s->key[i], nested[depth - 1]->length))
			depth--;
		s->nexthop[i] = depth ? nested[depth - 1]->nexthop : NEXTHOP_NONE;
	}
}

static void begin(struct sample *s, unsigned bits, uint32_t full)
{
	bool whole = getenv("LONG") != NULL;
	uint32_t randoms = whole ? 10000000 : 300000;

	*s = (struct sample){.bits = bits, .random = bits};
	s->routes = whole ? full : full / 16;
	s->route = memory(s->routes, sizeof *s->route);
	s->key = memory(6 * s->routes + randoms, sizeof *s->key);
	s->nexthop = memory(6 * s->routes + randoms, sizeof *s->nexthop);
	if (bits == 32)
		routegen4(s->route, s->routes, NEXTHOPS, 5);
	else
		routegen6(s->route, s->routes, NEXTHOPS, 6);
	make_keys(s, randoms);
	answer_keys(s);
}

static void end(struct sample *s)
{
	free(s->route);
	free(s->key);
	free(s->nexthop);
}

/* ---- IPv4 ---- */

static void check4(const struct sample *s, const struct fib4 *fib)
{
	for (uint32_t i = 0; i < s->keys; i += VECTOR) {
		uint32_t n = s->keys - i < VECTOR ? s->keys - i : VECTOR;
		uint32_t dst[VECTOR], nh[VECTOR];

		for (uint32_t k = 0; k < n; k++)
			dst[k] = (uint32_t)(s->key[i + k].hi >> 32);
		fib4_lookup(fib, dst, nh, n);
		assert_memory_equal(nh, s->nexthop + i, n * sizeof *nh);
	}
}

static void test_ipv4(void **state)
{
	struct sample s;
	struct rib4 rib;

	begin(&s, 32, 900000);
	struct fib4_limits limits = fib4_limits_for(s.routes);
	struct fib4 *fib = fib4_init(model_memory(fib4_size(&limits)), &limits);

	model_rib4_init(&rib, s.routes + 1);
	for (uint32_t i = 0; i < s.routes; i++)
		assert_int_equal(
			rib4_add(&rib,
				&(struct route4){.prefix = (uint32_t)(s.route[i].prefix.hi >> 32),
					.length = s.route[i].length,
					.source = RIB_STATIC,
					.nexthop = s.route[i].nexthop}),
			ERR_OK);
	assert_int_equal(fib4_update(fib, &rib, 0, 0), ERR_OK);
	for (unsigned f = 0; f < forms_here(); f++) {
		fib4_select(forms[f]);
		check4(&s, fib);
	}
	model_rib_free(&rib.rib);
	free(fib);
	end(&s);
}

/* ---- IPv6 ---- */

static void check6(const struct sample *s, const struct fib6 *fib)
{
	for (uint32_t i = 0; i < s->keys; i += VECTOR) {
		uint32_t n = s->keys - i < VECTOR ? s->keys - i : VECTOR, nh[VECTOR];

		fib6_lookup(fib, s->key + i, nh, n);
		assert_memory_equal(nh, s->nexthop + i, n * sizeof *nh);
	}
}

static void test_ipv6(void **state)
{
	struct sample s;
	struct rib6 rib;

	begin(&s, 128, 160000);
	struct fib6_limits limits = fib6_limits_for(s.routes);
	struct fib6 *fib = fib6_init(model_memory(fib6_size(&limits)), &limits);

	model_rib6_init(&rib, s.routes + 1);
	for (uint32_t i = 0; i < s.routes; i++)
		assert_int_equal(rib6_add(&rib, &(struct route6){.prefix = s.route[i].prefix,
							.length = s.route[i].length,
							.source = RIB_STATIC,
							.nexthop = s.route[i].nexthop}),
			ERR_OK);
	assert_int_equal(fib6_update(fib, &rib, (struct ip6){0, 0}, 0), ERR_OK);
	for (unsigned f = 0; f < forms_here(); f++) {
		fib6_select(forms[f]);
		check6(&s, fib);
	}
	model_rib_free(&rib.rib);
	free(fib);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

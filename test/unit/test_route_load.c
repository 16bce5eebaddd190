/* Tables of routes as text: what becomes of lines, gateways, weights and interfaces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/table/resolve.h"
#include "net/table/route_load.h"
#include "test/model/tables.h"

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define HASHES         (10 * GROUP_SPREAD)

static struct rib4 rib4;
static struct rib6 rib6;
static struct nexthop_table t;
static struct route_load load;
static char told[1000];
static const uint8_t own[6] = {2, 0, 0, 0, 0, 1};

static void tell(void *ctx, uint32_t line, const char *why)
{
	size_t n = strlen(told);

	assert_ptr_equal(ctx, &load);
	snprintf(told + n, sizeof told - n, "%u: %s\n", (unsigned)line, why);
}

static int setup(void **state)
{
	model_rib4_init(&rib4, MODEL_ROUTES);
	model_rib6_init(&rib6, MODEL_ROUTES);
	model_nexthops_init(&t);
	load = (struct route_load){.rib4 = &rib4,
		.rib6 = &rib6,
		.nexthops = &t,
		.ports = 4,
		.wrong = tell,
		.ctx = &load};
	told[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	model_rib_free(&rib4.rib);
	model_rib_free(&rib6.rib);
	model_nexthops_free(&t);
	return 0;
}

static void take(const char *text)
{
	size_t n = strlen(text);
	char *copy = strdup(text);

	copy[n] = '7'; /* not read: a text need not be terminated */
	route_load_text(&load, copy, n);
	free(copy);
	resolve_refresh(&rib4.rib, &t);
	resolve_refresh(&rib6.rib, &t);
}

/* 10.0.PORT.0/24 is connected there. */
static void connect(unsigned port, bool up)
{
	struct route4 r = {.prefix = IP(10, 0, port, 0), .length = 24, .source = RIB_CONNECTED};

	if (up) {
		assert_int_equal(
			nexthop_get(&t, NEXTHOP_RESOLVE, port, 0, own, 1500, &r.nexthop), ERR_OK);
		assert_int_equal(rib4_add(&rib4, &r), ERR_OK);
	} else {
		assert_int_equal(rib4_remove(&rib4, r.prefix, 24, RIB_CONNECTED, &r), ERR_OK);
		nexthop_put(&t, r.nexthop);
	}
	resolve_refresh(&rib4.rib, &t);
	nexthop_grace_begin(&t, true);
	nexthop_grace_passed(&t);
}

#define IP6(top) ((struct ip6){(uint64_t)(top) << 32, 0})

/* 2001:PORT::/32 is connected there. */
static void connect6(unsigned port, bool up)
{
	struct route6 r = {.prefix = IP6(0x20010000 | port), .length = 32, .source = RIB_CONNECTED};
	struct ip6 none = {0, 0};

	if (up) {
		assert_int_equal(
			nexthop_get6(&t, NEXTHOP_RESOLVE, port, none, own, 1500, &r.nexthop),
			ERR_OK);
		assert_int_equal(rib6_add(&rib6, &r), ERR_OK);
	} else {
		assert_int_equal(rib6_remove(&rib6, r.prefix, 32, RIB_CONNECTED, &r), ERR_OK);
		nexthop_put(&t, r.nexthop);
	}
	resolve_refresh(&rib6.rib, &t);
	nexthop_grace_begin(&t, true);
	nexthop_grace_passed(&t);
}

static uint32_t route6(uint32_t top, unsigned length)
{
	const struct route6 *r = rib6_find(&rib6, IP6(top), length, RIB_FILE);

	assert_non_null(r);
	return r->nexthop;
}

static uint32_t route(uint32_t prefix, unsigned length)
{
	const struct route4 *r = rib4_find(&rib4, prefix, length, RIB_FILE);

	assert_non_null(r);
	return r->nexthop;
}

/* Of HASHES flows, how many go by this port. */
static unsigned share(uint32_t index, unsigned port)
{
	unsigned n = 0;

	if (!adjacency_leads_on(t.adjacency[index].out))
		return 0;
	for (uint32_t hash = 0; hash < HASHES; hash++) {
		const struct nexthop *to = &t.nexthop[nexthop_pick(&t, index, hash)];

		assert_true(to->refs);
		assert_int_equal(to->action, NEXTHOP_RESOLVE);
		n += to->port == port;
	}
	return n;
}

static void test_lines(void **state)
{
	take("60.0.0.0/8 via 10.0.1.2\n"
	     "60.1.0.0/16 via 10.0.1.2 dev eth1 weight 9\n"
	     "60.1.0.1/16 via 10.0.1.2\n"
	     "60.2.0.0/16 via 10.0.1.2 dev eth4\n"
	     "60.3.0.0/16 via 10.0.1.2 dev lan\n"
	     "60.0.0.0/8 via 10.0.1.3\n"
	     "60.0.0.0/8 via 10.0.1.4\n"
	     "2001:db8::/32 via fd00:ff::1\n"
	     "2001:db8::/32 via fd00:ff::2 weight 2\n"
	     "0.0.0.0/0 via 10.0.2.2\n"
	     "2001:db8:1::/48 via fe80::1 dev eth1");
	assert_string_equal(told,
		"3: the prefix has host bits set\n"
		"4: there is no such interface\n"
		"5: there is no such interface\n"
		"6: this prefix stands further up: its lines must stand together\n"
		"11: a link-local gateway, for which there is 'set routes'\n");
	assert_int_equal(load.routes4, 3);
	assert_int_equal(load.routes6, 1);
	assert_int_equal(load.wrong_lines, 5);
	assert_int_equal(rib4.rib.count, 3);
	assert_int_equal(t.nexthop[route(IP(60, 0, 0, 0), 8)].gateway, IP(10, 0, 1, 2));
	assert_int_equal(t.nexthop[route(IP(60, 1, 0, 0), 16)].port, 1);
	assert_int_equal(
		t.nexthop[rib6_find(&rib6, (struct ip6){0x20010db800000000ull, 0}, 32, RIB_FILE)
				  ->nexthop]
			.action,
		NEXTHOP_GROUP);
}

static void test_too_many(void **state)
{
	char text[4000], *end = text;

	for (unsigned i = 0; i < GROUP_MEMBERS + 2; i++)
		end += sprintf(end, "60.0.0.0/8 via 10.0.1.%u\n", i + 1);
	take(text);
	assert_string_equal(told, "17: too many gateways for one prefix\n"
				  "18: too many gateways for one prefix\n");
	assert_int_equal(load.routes4, 1);
	assert_int_equal(
		t.group[t.nexthop[route(IP(60, 0, 0, 0), 8)].group].members, GROUP_MEMBERS);
	told[0] = '\0';
	for (unsigned i = 0; i < 2 * GROUP_MAX; i++) {
		sprintf(text, "61.%u.%u.0/24 via 11.0.%u.%u", i / 256, i % 256, i / 256, i % 256);
		take(text);
		told[50] = '\0';
	}
	assert_non_null(strstr(told, "1: too many different next hops\n"));
}

static void test_weights(void **state)
{
	enum { NEAR = 2 * HASHES / GROUP_SPREAD }; /* places are whole, on two levels */

	for (unsigned port = 0; port < 3; port++)
		connect(port, true);
	take("60.0.0.0/8 via 10.0.0.2 weight 2\n"
	     "60.0.0.0/8 via 10.0.1.2\n"
	     "60.0.0.0/8 via 10.0.2.2\n"
	     "60.0.0.0/8 via 10.0.2.2\n" /* the same once more: both weights */
	     "60.0.0.0/8 via 10.0.3.2 weight 100 # nothing leads there\n"
	     "61.0.0.0/8 via 10.0.1.2\n"
	     "61.0.0.0/8 via 10.0.1.2\n" /* one gateway after all */
	     "62.0.0.0/8 via 10.0.2.2 weight 2\n"
	     "62.0.0.0/8 via 10.0.1.2\n"
	     "62.0.0.0/8 via 10.0.0.2 weight 2\n"
	     "62.0.0.0/8 via 10.0.3.2 weight 100");
	assert_string_equal(told, "");
	uint32_t index = route(IP(60, 0, 0, 0), 8);

	assert_int_equal(route(IP(62, 0, 0, 0), 8), index); /* shared */
	assert_int_equal(t.nexthop[route(IP(61, 0, 0, 0), 8)].action, NEXTHOP_RECURSIVE);
	assert_in_range(share(index, 0), HASHES * 2 / 5 - NEAR, HASHES * 2 / 5 + NEAR);
	assert_in_range(share(index, 1), HASHES / 5 - NEAR, HASHES / 5 + NEAR);
	assert_int_equal(share(index, 0) + share(index, 1) + share(index, 2), HASHES);
	connect(0, false); /* its part goes to the others */
	assert_int_equal(share(index, 0), 0);
	assert_in_range(share(index, 1), HASHES / 3 - NEAR, HASHES / 3 + NEAR);
	connect(3, true);
	assert_in_range(share(index, 3), HASHES * 100 / 103 - NEAR, HASHES * 100 / 103 + NEAR);
	connect(1, false);
	connect(2, false);
	assert_int_equal(share(index, 3), HASHES);
	connect(3, false);
	assert_int_equal(adjacency_target(t.adjacency[index].out), NEXTHOP_UNREACHABLE);
	connect(1, true);
	assert_int_equal(share(index, 1), HASHES);
}

/* Equal-cost paths to one of several gateways share its part. */
static void test_paths_of_paths(void **state)
{
	struct nexthop_member m[2] = {{0, 1}, {0, 1}};
	struct route4 r = {.prefix = IP(20, 0, 0, 0), .length = 8, .source = RIB_STATIC};
	uint32_t index;

	connect(0, true);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(
			nexthop_get(&t, NEXTHOP_RESOLVE, 1 + i, 7, own, 1500, &index), ERR_OK);
		m[i].index = (uint16_t)index;
	}
	assert_int_equal(nexthop_get_group(&t, m, 2, &r.nexthop), ERR_OK);
	assert_int_equal(rib4_add(&rib4, &r), ERR_OK);
	take("60.0.0.0/8 via 10.0.0.2\n"
	     "60.0.0.0/8 via 20.0.0.1\n");
	index = route(IP(60, 0, 0, 0), 8);
	assert_int_equal(share(index, 0), HASHES / 2);
	assert_int_equal(share(index, 1), HASHES / 4);
	assert_int_equal(share(index, 2), HASHES / 4);
	m[1].index = (uint16_t)route(IP(60, 0, 0, 0), 8); /* neither a group nor both kinds */
	assert_int_equal(nexthop_get_group(&t, m, 2, &index), ERR_INVALID);
	assert_int_equal(
		nexthop_get_recursive(&t, IP(10, 0, 0, 2), NEXTHOP_ANY_PORT, &index), ERR_OK);
	m[1].index = (uint16_t)index;
	assert_int_equal(nexthop_get_group(&t, m, 2, &index), ERR_INVALID);
}

/* A gateway behind several gateways goes by the first that leads anywhere, and never in a ring. */
static void test_gateways_of_gateways(void **state)
{
	connect(1, true);
	take("20.0.0.0/8 via 20.0.0.9\n" /* only itself leads there */
	     "20.0.0.0/8 via 10.0.0.2\n"
	     "20.0.0.0/8 via 10.0.1.2\n"
	     "60.0.0.0/8 via 20.0.0.1\n");
	uint32_t index = route(IP(60, 0, 0, 0), 8);

	assert_int_equal(share(index, 1), HASHES);
	assert_int_equal(share(route(IP(20, 0, 0, 0), 8), 1), HASHES);
	connect(0, true);
	assert_int_equal(share(index, 0), HASHES);
	connect(1, false);
	connect(0, false);
	assert_int_equal(share(index, 0) + share(index, 1), 0);
}

/* A route's several gateways are each looked at, whatever the family. */
static void test_gateways_of_gateways6(void **state)
{
	connect6(1, true);
	take("2020::/16 via 2020::9\n" /* only itself leads there */
	     "2020::/16 via 2001:0::2\n"
	     "2020::/16 via 2001:1::2\n"
	     "2060::/16 via 2020::1\n");
	uint32_t index = route6(0x20600000, 16);

	assert_int_equal(share(index, 1), HASHES);
	assert_int_equal(share(route6(0x20200000, 16), 1), HASHES);
	connect6(0, true);
	assert_int_equal(share(index, 0), HASHES);
	connect6(1, false);
	connect6(0, false);
	assert_int_equal(share(index, 0) + share(index, 1), 0);
}

static void test_dev(void **state)
{
	connect(1, true);
	take("60.0.0.0/8 via 10.0.1.2 dev eth1\n"
	     "61.0.0.0/8 via 10.0.1.2 dev eth2\n"
	     "62.0.0.0/8 via 10.0.1.2\n"
	     "63.0.0.0/8 via 60.0.0.1 dev eth1\n" /* no neighbour */
	     "64.0.0.0/8 via 60.0.0.1\n");
	assert_int_equal(share(route(IP(60, 0, 0, 0), 8), 1), HASHES);
	assert_int_equal(share(route(IP(61, 0, 0, 0), 8), 1), 0);
	assert_int_equal(share(route(IP(62, 0, 0, 0), 8), 1), HASHES);
	assert_int_equal(share(route(IP(63, 0, 0, 0), 8), 1), 0);
	assert_int_equal(share(route(IP(64, 0, 0, 0), 8), 1), HASHES);
}

/* Nothing is left of next hops when the routes are gone. */
static void test_references(void **state)
{
	connect(1, true);
	take("60.0.0.0/8 via 10.0.1.2\n60.0.0.0/8 via 10.0.1.3\n60.0.0.0/8 via 10.0.2.3\n"
	     "61.0.0.0/8 via 10.0.1.2\n61.0.0.0/8 via 10.0.1.3\n"
	     "60.0.0.0/8 via 10.0.1.9\n60.0.0.0/8 via 10.0.1.10\n" /* wrong */
	     "2001:db8::/32 via fd00:ff::1\n");
	assert_int_equal(load.wrong_lines, 1);
	assert_int_equal(t.sets, 2);
	for (const struct route4 *r; (r = rib4_first(&rib4)) != NULL;) {
		struct route4 gone;

		assert_int_equal(
			rib4_remove(&rib4, r->prefix, r->length, r->source, &gone), ERR_OK);
		nexthop_put(&t, gone.nexthop);
	}
	nexthop_put(&t, rib6_first(&rib6)->nexthop);
	assert_int_equal(t.count, 1);
	assert_int_equal(t.sets + t.recursive, 0);
	nexthop_grace_begin(&t, true);
	nexthop_grace_passed(&t);
	assert_int_equal(t.wants_grace + t.freed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		CASE(test_lines),
		CASE(test_too_many),
		CASE(test_weights),
		CASE(test_paths_of_paths),
		CASE(test_gateways_of_gateways),
		CASE(test_gateways_of_gateways6),
		CASE(test_dev),
		CASE(test_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

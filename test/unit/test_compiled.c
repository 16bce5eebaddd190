/* A router with a table compiled in: it forwards while its RIB is still being filled. */
#include "test/unit/router_fixture.h"

#include <stdio.h>

#include "kernel/compiled.h"
#include "kernel/log.h"
#include "kernel/publish.h"
#include "kernel/verify.h"
#include "net/table/fibimage.h"
#include "net/table/route_load.h"
#include "test/model/tables.h"

#define ETH_ICMP 34u   /* where the type stands */
#define ROUTES   8000u /* about what the model's memory is good for */

static struct platform_module table;

/* ---- making the table ---- */

static void no_wrong_line(void *ctx, uint32_t line, const char *why)
{
	fail_msg("line %u: %s", (unsigned)line, why);
}

/* What tools/fibgen does. */
static void make_table(const char *text)
{
	struct rib4 rib4;
	struct rib6 rib6;
	struct nexthop_table *t = calloc(1, sizeof *t);
	struct fib4_limits limits4 = fib4_limits_for(2 * ROUTES);
	struct fib6_limits limits6 = fib6_limits_for(10);
	struct route_load load = {.rib4 = &rib4,
		.rib6 = &rib6,
		.nexthops = t,
		.ports = PORT_MAX,
		.wrong = no_wrong_line};

	model_rib4_init(&rib4, 2 * ROUTES);
	model_rib6_init(&rib6, 10);
	model_nexthops_init(t);
	struct fib4 *fib4 = fib4_init(model_memory(fib4_size(&limits4)), &limits4);
	struct fib6 *fib6 = fib6_init(model_memory(fib6_size(&limits6)), &limits6);
	const struct fibimage_tables tables = {&rib4, &rib6, fib4, fib6, t};

	route_load_text(&load, text, strlen(text));
	assert_int_equal(fib4_update(fib4, &rib4, 0, 0), ERR_OK);
	assert_int_equal(fib6_update(fib6, &rib6, (struct ip6){0, 0}, 0), ERR_OK);
	fib4_grace_begin(fib4);
	fib4_grace_passed(fib4);
	fib6_grace_begin(fib6);
	fib6_grace_passed(fib6);
	void *data = model_memory(fibimage_size(&tables));

	fibimage_write(&tables, data);
	table = (struct platform_module){"table", data, fibimage_size(&tables)};
	model_rib_free(&rib4.rib);
	model_rib_free(&rib6.rib);
	model_nexthops_free(t);
	free(t);
	free(fib4);
	free(fib6);
}

/* The port of 60.i.j.0/24 in the table. */
static unsigned port_of(unsigned i)
{
	return i * 7 % 5 % PORTS;
}

static void make_routes(unsigned n)
{
	char *text = malloc(n * 40 + 1000), *end = text;

	end += sprintf(end, "60.0.0.0/8 via 10.0.2.2\n"
			    "61.0.0.0/8 via 10.0.0.2\n61.0.0.0/8 via 10.0.2.2 weight 2\n"
			    "62.0.0.0/24 via 10.0.1.2 dev eth0\n"
			    "2001:db8::/32 via fd00:ff::1\n");
	for (unsigned i = 0; i < n; i++)
		end += sprintf(end, "60.%u.%u.0/24 via 10.0.%u.2\n", i / 256, i % 256, port_of(i));
	make_table(text);
	free(text);
}

/* ---- the router ---- */

static void begin(void)
{
	model_platform.step_us = 100; /* a slice is one step */
	compiled_begin(&router, &table);
}

static int start_compiled(void **state)
{
	make_routes(ROUTES);
	before_config = begin;
	start(0, 1);
	return 0;
}

static int stop(void **state)
{
	model_platform.step_us = 0;
	teardown(NULL);
	before_config = NULL;
	free((void *)(uintptr_t)table.data);
	return 0;
}

static uint32_t address_of(unsigned i)
{
	return IP(60, i / 256, i % 256, 1 + i % 250);
}

/* One packet to an address leaves by this port, and no other does. */
static void goes_by(uint32_t address, unsigned port)
{
	struct frame in, out;

	udp(&in, 1, address, 10);
	inject(1, &in);
	turns(1);
	for (unsigned p = 0; p < PORTS; p++)
		assert_int_equal(sent(p, &out), p == port ? in.len : 0);
}

/* It leaves by none, and its source is told so. */
static void goes_nowhere(uint32_t address)
{
	struct frame in, out = {0};

	udp(&in, 1, address, 10);
	inject(1, &in);
	turns(2);
	assert_int_equal(sent(0, &out) + sent(2, &out), 0);
	assert_int_not_equal(sent(1, &out), 0);
	assert_int_equal(out.data[ETH_ICMP], 3);
}

/* Changes come before the routes: until it is their turn. */
static void changes_done(void)
{
	uint32_t left = compiled_left();

	while (compiled_left() == left)
		turns(1);
	assert_true(publish_filling(&router));
	assert_false(publish_idle(&router)); /* `show fib verify` would wait */
}

static void fill(void)
{
	for (unsigned i = 0; publish_filling(&router); i++) {
		assert_true(i < 1000);
		turns(1);
	}
	assert_int_equal(compiled_left(), 0);
}

static void verified(void)
{
	struct verify_result v;

	verify_start(&router);
	do {
		turns(1);
		verify_result(&v);
	} while (v.state == VERIFY_RUNNING);
	assert_int_equal(v.mismatches, 0);
	assert_true(v.ranges > ROUTES / 2);
}

static bool logged;

static void find_line(void *ctx, uint64_t us, const char *line)
{
	logged |= strstr(line, ctx) != NULL;
}

static void expect_log(const char *text)
{
	logged = false;
	log_walk(find_line, (void *)(uintptr_t)text);
	if (!logged)
		fail_msg("not in the log: %s", text);
}

static void test_forwards_at_once(void **state)
{
	unsigned i = 0;

	assert_true(publish_filling(&router));
	learn_hosts();
	assert_true(compiled_left() > ROUTES / 2);
	for (; i < 40; i++)
		goes_by(address_of(i * 199), port_of(i * 199));
	goes_by(IP(60, 200, 0, 1), 2);
	assert_true(publish_filling(&router));
	fill();
	expect_log("routes compiled in: all known after");
	for (; i < 80; i++)
		goes_by(address_of(i * 97), port_of(i * 97));
	assert_int_equal(router.rib.rib.count_of[RIB_FILE], ROUTES + 3);
	verified();
	compiled_report(&router);
	expect_log("routes via 10.0.1.2 dev eth0 are unreachable");
	check_books();
}

/* The control core, too, knows routes that are still to come: it asks for the neighbour. */
static void test_unknown_neighbor(void **state)
{
	struct frame in, arp;
	unsigned i = ROUTES - 3;

	while (port_of(i) != 0) /* unlike the route around them */
		i--;
	drain();
	udp(&in, 1, address_of(i), 10);
	inject(1, &in);
	turns(2);
	assert_true(publish_filling(&router));
	assert_int_equal(memdev_collect(dev[0], 0, arp.data, sizeof arp.data), 60);
	assert_int_equal(load_be32(arp.data + 38), HOST(0));
	learn_hosts();
	assert_true(publish_filling(&router));
	verified(); /* waits until all are there */
	check_books();
}

/* What is configured while the routes are still coming holds then and afterwards. */
static void test_configured_meanwhile(void **state)
{
	struct config c = base_config();
	unsigned i = ROUTES - 10, other = (port_of(i) + 1) % PORTS;

	learn_hosts();
	changes_done();
	base_route[4].route = (struct static_route){.prefix = rib4_key(address_of(i) & ~0xffu),
		.length = 24,
		.gateway = rib4_key(HOST(other))};
	base_route[5].route = (struct static_route){.gateway = rib4_key(HOST(0))}; /* default */
	c.routes = 5;
	const struct fib4 *first = router.tables.fib4;

	configure(&c, NULL);
	assert_ptr_not_equal(router.tables.fib4, first); /* the other pair has the table, too */
	assert_true(publish_filling(&router));
	goes_by(address_of(i), other);
	goes_by(address_of(i + 1), port_of(i + 1));
	c.routes = 6;
	configure(&c, NULL); /* concerns all addresses: waits for all routes */
	assert_ptr_equal(router.tables.fib4, first);
	goes_by(IP(99, 1, 1, 1), 0);
	goes_by(address_of(5), port_of(5));
	model_platform.step_us = 0;
	fill();
	verified();
	goes_by(address_of(i), other);
	goes_by(address_of(5), port_of(5));
	c.routes = 4;
	configure(&c, NULL);
	turns(5);
	goes_by(address_of(i), port_of(i));
	goes_nowhere(IP(99, 1, 1, 1));
	assert_ptr_not_equal(router.tables.fib4, first);
	verified();
	drain();
	check_books();
}

/* Before the first packet nothing waits: a default route is followed while routes still come. */
static void test_configured_at_boot(void **state)
{
	struct config c = base_config();
	const struct fib4 *first = router.tables.fib4;

	learn_hosts();
	changes_done();
	base_route[4].route = (struct static_route){.gateway = rib4_key(HOST(0))};
	c.routes = 5;
	router.booting = true;
	configure(&c, NULL);
	router.booting = false;
	assert_ptr_equal(router.tables.fib4, first);
	assert_true(publish_filling(&router));
	goes_by(address_of(5), port_of(5));
	while (publish_filling(&router)) /* both pairs in turns */
		turns(100);
	model_platform.step_us = 0;
	learn_hosts(); /* in all that time they were asked */
	goes_by(IP(99, 1, 1, 1), 0);
	verified();
	base_route[3].route.length = 9;
	configure(&c, NULL); /* the pair that trailed */
	assert_ptr_not_equal(router.tables.fib4, first);
	verified();
	goes_by(address_of(5), port_of(5));
	drain();
	check_books();
}

static void test_link_lost(void **state)
{
	unsigned i = 0, others = 0;

	learn_hosts();
	changes_done();
	while (port_of(i) != 2)
		i++;
	while (port_of(others) == 2)
		others++;
	memdev_set_link(dev[2], false);
	turns(110); /* it is looked at now and then */
	changes_done();
	goes_nowhere(address_of(i));
	goes_by(address_of(others), port_of(others));
	goes_by(IP(61, 0, 0, 1), 0); /* the other path */
	fill();
	memdev_set_link(dev[2], true);
	turns(200);
	learn_hosts();
	goes_by(address_of(i), 2);
	verified();
	drain();
	check_books();
}

/* ---- refusals ---- */

static int start_plain(void **state)
{
	before_config = NULL;
	start(0, 1);
	return 0;
}

static void test_refused(void **state)
{
	uint32_t nexthops = router.nexthops.count;

	make_routes(10);
	((uint8_t *)(uintptr_t)table.data)[table.bytes / 2] ^= 1;
	compiled_begin(&router, &table);
	expect_log("error: routes table: it is damaged: its checksum is wrong");
	((uint8_t *)(uintptr_t)table.data)[table.bytes / 2] ^= 1;
	compiled_begin(&router, &table);
	expect_log("error: routes table: the numbers of its next hops are taken");
	free((void *)(uintptr_t)table.data);
	make_routes(2 * ROUTES - 10);
	compiled_begin(&router, &table);
	expect_log("error: routes table: there is not enough memory for so many routes");
	assert_false(publish_filling(&router));
	assert_false(compiled_fill());
	assert_int_equal(router.nexthops.count, nexthops);
	compiled_report(&router);
	verify_start(&router);
	turns(10);
}

static void test_nothing_linked(void **state)
{
	struct platform_module m;

	table.data = NULL;
	assert_false(compiled_table(&m));
	assert_false(compiled_config(&m));
	assert_false(compiled_fill());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_forwards_at_once, start_compiled, stop),
		cmocka_unit_test_setup_teardown(test_unknown_neighbor, start_compiled, stop),
		cmocka_unit_test_setup_teardown(test_configured_meanwhile, start_compiled, stop),
		cmocka_unit_test_setup_teardown(test_configured_at_boot, start_compiled, stop),
		cmocka_unit_test_setup_teardown(test_link_lost, start_compiled, stop),
		cmocka_unit_test_setup_teardown(test_refused, start_plain, stop),
		cmocka_unit_test_setup_teardown(test_nothing_linked, start_plain, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

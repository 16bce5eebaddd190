/*
 * The flow cache against the long way: the same packets through the same router with and without,
 * between random changes of routes, access lists, links and counters. What leaves, what is dropped
 * and what is counted must be the same. LONG=1: much longer.
 */
#include "test/unit/filter_random.h"
#include "test/unit/forms.h"

#define POOL    160u /* packets, which come again and again */
#define BURST   48u
#define OUT_MAX 512u

static struct frame pool[POOL];
static bool tagged[POOL];

/* What became of a burst. */
struct outcome {
	uint64_t dropped[PORTS][DROP_COUNT];
	struct filter_hits hits[RULES + LISTS];
	struct nexthop_count counted[64];
	unsigned frames[PORTS];
	struct frame frame[PORTS][OUT_MAX / PORTS];
};

static struct outcome without, with;
static struct flow_caches *caches;

static void set_cache(bool on)
{
	for (unsigned l = 0; l + 1 < router.lanes; l++) {
		struct lane *lane = &router.lane[l];

		if (draw(20)) /* else as it comes */
			caches->of[lane->actor - 1].pressure = 0;
		lane->flow = on ? &caches->of[lane->actor - 1] : NULL;
	}
}

static void random_lists(void)
{
	config.acls = config.rules = 0;
	for (unsigned i = 0; i < RULES; i++) {
		random_rule(i);
		rules[i].log = draw(100) == 0;
	}
	add_list("A", 2 + draw(90));
	add_list("B", 2 + draw(90));
	add_list("C", 2 + draw(90));
	for (unsigned n = 0; n < PORTS + 1; n++)
		bind(n, draw(2) ? "A" : draw(2) ? "B" : "", draw(3) ? "" : "C");
}

static void random_packet(unsigned i)
{
	struct aclgen_packet p;

	if (draw(3))
		packet4(&pool[i], &p);
	else
		packet6(&pool[i], &p);
	tagged[i] = draw(5) == 0;
	if (tagged[i])
		put_tag(&pool[i], 0x8100, 5);
}

/* Counted so far. */
static void note(struct outcome *o)
{
	memset(o, 0, sizeof *o);
	for (unsigned port = 0; port < PORTS; port++) {
		struct port_counters c;

		router_port_counters(&router, port, &c);
		memcpy(o->dropped[port], c.dropped, sizeof c.dropped);
	}
	for (unsigned i = 0; i < config.rules + config.acls; i++)
		filters_counted(&router, i, &o->hits[i]);
	for (unsigned i = 0; i < 64; i++)
		nexthop_counted(&router.nexthops, i, &o->counted[i]);
}

/* Not what the router says itself: its errors are limited by time. */
static bool is_in_transit(const struct frame *f)
{
	unsigned at = load_be16(f->data + 12) == 0x8100 ? 4 : 0;

	if (load_be16(f->data + 12 + at) == ETH_TYPE_IPV4)
		return f->data[IPV4_SOURCE + at] == 50;
	return load_be16(f->data + 12 + at) == ETH_TYPE_IPV6 &&
	       ip6_agree(ip6_load(f->data + IPV6_SOURCE + at), FROM6(0), 64);
}

static void run(const unsigned *which, unsigned n, bool cached, struct outcome *o)
{
	static struct outcome before;
	static struct frame f;

	set_cache(cached);
	path_select(forms[draw(forms_here())]);
	note(&before);
	for (unsigned i = 0; i < n; i++)
		inject(0, &pool[which[i]]);
	turns(3);
	note(o);
	for (unsigned port = 0; port < PORTS; port++) {
		for (unsigned d = 0; d < DROP_COUNT; d++)
			o->dropped[port][d] -= before.dropped[port][d];
		while (sent(port, &f))
			if (is_in_transit(&f) && o->frames[port] < OUT_MAX / PORTS)
				o->frame[port][o->frames[port]++] = f;
	}
	for (unsigned i = 0; i < RULES + LISTS; i++) {
		o->hits[i].packets -= before.hits[i].packets;
		o->hits[i].bytes -= before.hits[i].bytes;
	}
	for (unsigned i = 0; i < 64; i++) {
		o->counted[i].packets -= before.counted[i].packets;
		o->counted[i].bytes -= before.counted[i].bytes;
	}
}

static void compare(void)
{
	assert_memory_equal(with.dropped, without.dropped, sizeof with.dropped);
	assert_memory_equal(with.hits, without.hits, sizeof with.hits);
	assert_memory_equal(with.counted, without.counted, sizeof with.counted);
	for (unsigned port = 0; port < PORTS; port++) {
		assert_int_equal(with.frames[port], without.frames[port]);
		for (unsigned i = 0; i < with.frames[port]; i++) {
			const struct frame *a = &with.frame[port][i], *b = &without.frame[port][i];

			assert_int_equal(a->len, b->len);
			assert_memory_equal(a->data, b->data, a->len);
		}
	}
}

/* Some of the same packets in a row, as flows are. */
static void burst(void)
{
	unsigned which[BURST], n = 1 + draw(BURST), last = draw(POOL);

	for (unsigned i = 0; i < n; i++) {
		last = draw(3) == 0 ? last : draw(POOL);
		which[i] = last;
	}
	run(which, n, false, &without);
	run(which, n, true, &with);
	compare();
}

/* Neighbours' routes come and go in place, between commits. */
static void change_in_place(void)
{
	static uint32_t nh;
	static bool there;
	struct route4 route = {.prefix = IP(draw(2) ? 20 : 40, 0, 0, draw(8)), .length = 32};
	static struct route4 last;

	if (there) {
		assert_int_equal(
			rib4_remove(&router.rib, last.prefix, 32, last.source, NULL), ERR_OK);
		nexthop_put(&router.nexthops, nh);
		there = false;
	} else {
		assert_int_equal(nexthop_get(&router.nexthops,
					 draw(2) ? NEXTHOP_BLACKHOLE : NEXTHOP_UNREACHABLE, 0, 0,
					 NULL, 0, &nh),
			ERR_OK);
		route.nexthop = nh;
		last = route;
		there = rib4_add(&router.rib, &route) == ERR_OK;
	}
	turns(3);
}

static void change(void)
{
	switch (draw(7)) {
	case 0:
		random_lists();
		commit();
		break;
	case 1: /* the group, without and with a member */
		config.routes = config.routes == 3 ? 2 : 3;
		commit();
		break;
	case 2:
		routes[0].route.kind = draw(2) ? STATIC_BLACKHOLE : STATIC_VIA;
		commit();
		break;
	case 3:
		config.count_nexthops = !config.count_nexthops;
		commit();
		break;
	case 4:
		memdev_set_link(dev[2], !dev[2]->link);
		turns(200);
		if (dev[2]->link)
			learn_hosts();
		break;
	case 5:
		for (unsigned n = 0; n < PORTS + 1; n++)
			bind(n, draw(2) ? "A" : draw(2) ? "B" : "", draw(3) ? "" : "C");
		ifaces[0].urpf = draw(12) ? URPF_OFF : URPF_LOOSE;
		commit();
		break;
	default:
		change_in_place();
	}
	drain();
}

static void test_same(void **state)
{
	bool longer = getenv("LONG") != NULL;
	struct flow_sums sum;

	seed = 7;
	caches = &router.flows;
	for (unsigned i = 0; i < POOL; i++)
		random_packet(i);
	random_lists();
	commit();
	for (unsigned round = 0; round < (longer ? 20000u : 150u); round++) {
		for (unsigned i = 1 + draw(25); i; i--)
			burst();
		change();
		random_packet(draw(POOL));
		config.flow_shadow = draw(4); /* from the next commit on */
	}
	flows_sum(&router, &sum);
	assert_true(sum.hits > 10000 && sum.misses > 1000 && sum.shadowed > 100);
	assert_int_equal(sum.differed, 0);
	check_books();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_filter, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

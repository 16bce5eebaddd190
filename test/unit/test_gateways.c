/* Gateways that share flows: one that does not answer loses its part, and gets it back. */
#include "test/unit/stack6_fixture.h"

#define MEMBERS 3u
#define HASHES  1000u

static const uint8_t mac_gateway[6] = {2, 0, 0, 0, 7, 7};

/* The gateways of the group: 10.0.1.16 and up on port 1, or fd00:0:0:1::10 and up. */
static uint32_t gateway4(unsigned m)
{
	return ROUTER1 - 1 + 16 + m;
}

static struct ip6 gateway6(unsigned m)
{
	return NET6(1, 16 + m);
}

struct group {
	struct fixture *f;
	bool six;
	uint16_t member[MEMBERS];
	uint32_t index;
};

static void get_members(struct group *g)
{
	struct nexthop_member m[MEMBERS];
	struct iface *i = &g->f->iface[1];
	uint32_t index;

	for (unsigned k = 0; k < MEMBERS; k++) {
		enum err err = g->six ? nexthop_get6(&g->f->nexthops, NEXTHOP_RESOLVE, 1,
						gateway6(k), i->mac, i->mtu, &index)
				      : nexthop_get(&g->f->nexthops, NEXTHOP_RESOLVE, 1,
						gateway4(k), i->mac, i->mtu, &index);

		assert_int_equal(err, ERR_OK);
		g->member[k] = (uint16_t)index;
		m[k] = (struct nexthop_member){g->member[k], (uint16_t)(k + 1)};
	}
	assert_int_equal(nexthop_get_group(&g->f->nexthops, m, MEMBERS, &g->index), ERR_OK);
}

static void answer(struct group *g, unsigned m)
{
	if (g->six)
		fix6_receive(g->f, 1,
			make_nd(1, ND_ADVERT, gateway6(m), US6(1), gateway6(m),
				ND_FLAG_SOLICITED | ND_FLAG_OVERRIDE, mac_gateway));
	else
		fix_arp(g->f, 1, 2, mac_gateway, gateway4(m), ROUTER1);
}

/* They were asked, without a packet for them, and those in `there` answer. */
static struct group new_group(bool six, unsigned there)
{
	struct group g = {.f = fix6_new(), .six = six};

	get_members(&g);
	fix_wait(g.f, 2000);
	for (unsigned m = 0; m < MEMBERS; m++)
		if (there & 1u << m)
			answer(&g, m);
	return g;
}

/* Time passes in which those in `there` answer each second. */
static void pass(struct group *g, unsigned there, unsigned seconds)
{
	while (seconds--) {
		fix_wait(g->f, 1000);
		for (unsigned m = 0; m < MEMBERS; m++)
			if (there & 1u << m)
				answer(g, m);
		fix_clear(g->f);
	}
}

/* The member of each hash. */
static void paths(const struct group *g, uint8_t path[HASHES])
{
	for (uint32_t hash = 0; hash < HASHES; hash++) {
		uint32_t index = nexthop_pick(&g->f->nexthops, g->index, hash);
		uint8_t m = 0;

		while (m < MEMBERS && g->member[m] != index)
			m++;
		assert_true(m < MEMBERS);
		path[hash] = m;
	}
}

/* No path of now goes by `gone`, and of the others none has moved. */
static void expect_moved(const struct group *g, const uint8_t *before, unsigned gone)
{
	uint8_t now[HASHES];
	unsigned took[MEMBERS] = {0};

	paths(g, now);
	for (unsigned hash = 0; hash < HASHES; hash++) {
		assert_false(gone & 1u << now[hash]);
		if (!(gone & 1u << before[hash]))
			assert_int_equal(now[hash], before[hash]);
		else
			took[now[hash]]++;
	}
	for (unsigned m = 0; m < MEMBERS; m++)
		assert_int_equal(took[m] > 0, gone && !(gone & 1u << m));
}

static void end(struct group *g)
{
	fix_free(g->f);
}

/* One is silent from the start, comes, and goes again; only its flows move, and come back. */
static void test_moves(void **state)
{
	for (unsigned six = 0; six < 2; six++) {
		uint8_t all[HASHES];
		struct group g = new_group(six, 7 & ~2u);

		paths(&g, all); /* not yet known to be silent */
		pass(&g, 5, 3);
		expect_moved(&g, all, 2);
		pass(&g, 7, 7);
		expect_moved(&g, all, 0);
		pass(&g, 7, 60);
		expect_moved(&g, all, 0);
		pass(&g, 3, 25); /* the third falls silent: asked after 15 s, and thrice */
		expect_moved(&g, all, 4);
		pass(&g, 1, 25);
		expect_moved(&g, all, 6);
		pass(&g, 0, 25); /* all silent: each has its part, as nobody else could */
		uint8_t now[HASHES];

		paths(&g, now);
		assert_memory_equal(now, all, sizeof all);
		pass(&g, 1, 7);
		expect_moved(&g, all, 6);
		pass(&g, 7, 7);
		expect_moved(&g, all, 0);
		end(&g);
	}
}

/* A silent one is asked again and again, three times in six seconds, and nobody else. */
static void test_asked_again(void **state)
{
	for (unsigned six = 0; six < 2; six++) {
		struct group g = new_group(six, 7 & ~2u);
		struct neighbor_table *t = six ? &g.f->s.nd : &g.f->s.arp;

		pass(&g, 5, 10);
		uint64_t before = t->requests_sent;

		pass(&g, 5, 60);
		assert_in_range(t->requests_sent - before, 20, 60 + 1); /* and two when due */
		end(&g);
	}
}

/* Scans push the entry of a silent gateway out: its flows stay where they are. */
static void test_scan_moves_nothing(void **state)
{
	uint8_t all[HASHES];
	struct group g = new_group(true, 7 & ~2u);

	paths(&g, all);
	pass(&g, 5, 3);
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 2 * NEIGHBOR_MAX; i++)
			fix_receive(g.f, 0, frame,
				make6(0, HOST6(0), NET6(1, 0x10000 + round * 4096 + i), 17, 64, 8),
				PUNT_RESOLVE);
		pass(&g, 5, 1);
		expect_moved(&g, all, 2);
	}
	assert_true(g.f->s.nd_state.suppressed > 0);
	pass(&g, 7, 7);
	expect_moved(&g, all, 0);
	end(&g);
}

/* RFC 6583 holds a scan's questions back, but no gateway's. */
static void test_asked_in_a_scan(void **state)
{
	struct group g = new_group(true, 7);
	uint64_t asked = 0;

	for (unsigned i = 0; i < 2 * ND_SOLICIT_BURST; i++)
		fix_receive(g.f, 0, frame, make6(0, HOST6(0), NET6(1, 0x20000 + i), 17, 64, 8),
			PUNT_RESOLVE);
	nd_flush(&g.f->s);
	asked = g.f->s.nd_state.suppressed;
	assert_true(asked > 0);
	fix_clear(g.f);
	fix_receive(g.f, 0, frame, make6(0, HOST6(0), gateway6(0), 17, 64, 8), PUNT_RESOLVE);
	fix6_sent(g.f, 0, 1, ip6_solicited_node(gateway6(0)), ND_SOLICIT);
	assert_int_equal(g.f->s.nd_state.suppressed, asked);
	end(&g);
}

/* Far more gateways than neighbours have room: none that is confirmed goes, and they are asked
 * slowly.
 */
static void test_very_many(void **state)
{
	struct group g = new_group(false, 7);
	struct iface *i = &g.f->iface[1];
	uint32_t index;

	i->addr[0].length = 16;
	for (unsigned n = 0; n < 1000; n++) {
		struct nexthop_member m[2];

		for (unsigned k = 0; k < 2; k++) {
			assert_int_equal(nexthop_get(&g.f->nexthops, NEXTHOP_RESOLVE, 1,
						 0x0a008000u + 2 * n + k, i->mac, i->mtu, &index),
				ERR_OK);
			m[k] = (struct nexthop_member){(uint16_t)index, 1};
		}
		assert_int_equal(nexthop_get_group(&g.f->nexthops, m, 2, &index), ERR_OK);
	}
	uint64_t before = g.f->s.arp.requests_sent;

	pass(&g, 7, 10);
	assert_true(g.f->s.arp.requests_sent - before <= 10u * 10 * GATEWAY_BURST * ARP_TRIES);
	for (unsigned m = 0; m < MEMBERS; m++)
		assert_int_equal(fix_state(g.f, gateway4(m)), NEIGHBOR_REACHABLE);
	end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_asked_again),
		cmocka_unit_test(test_scan_moves_nothing),
		cmocka_unit_test(test_asked_in_a_scan),
		cmocka_unit_test(test_very_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Neighbour discovery: what is valid, what is answered, the states, advertisements of routers.
 */
#include "test/unit/stack6_fixture.h"

static const uint8_t mac_x[6] = {2, 0, 0, 0, 9, 9};

#define ALL6 IP6_ALL_NODES

static void test_solicit_is_answered(void **state)
{
	struct fixture *f = fix6_new();

	fix6_ask(f, 0, HOST6(0), mac_host0);
	assert_int_equal(f->sent_n, 1);
	const uint8_t *p = fix6_sent(f, 0, 0, HOST6(0), 136);

	assert_memory_equal(f->sent[0].frame, mac_host0, 6);
	assert_int_equal(f->sent[0].frame[21], 255);
	assert_int_equal(load_be32(p + 4), ND_FLAG_ROUTER | ND_FLAG_SOLICITED | ND_FLAG_OVERRIDE);
	assert_true(ip6_equal(ip6_load(p + 8), US6(0)));
	assert_int_equal(p[24], 2);
	assert_memory_equal(p + 26, f->iface[0].mac, 6);
	assert_int_equal(fix6_state(f, 0, HOST6(0)), NEIGHBOR_STALE); /* heard of, not confirmed */
	/* the link-local address; a neighbour that is link-local has no route */
	struct ip6 peer = {0xfe80000000000000ull, 0x77};

	fix6_receive(
		f, 0, make_nd(0, 135, peer, ip6_solicited_node(LINK6(0)), LINK6(0), 0, mac_host0));
	fix6_sent(f, 1, 0, peer, 136);
	assert_int_equal(fix6_state(f, 0, peer), NEIGHBOR_STALE);
	assert_null(rib6_find(&f->rib6, peer, 128, RIB_NEIGHBOR));
	assert_non_null(rib6_find(&f->rib6, HOST6(0), 128, RIB_NEIGHBOR));
	/* the subnet-router anycast address: without override; from an address of ours */
	fix6_receive(f, 0,
		make_nd(0, 135, HOST6(0), ip6_solicited_node(NET6(0, 0)), NET6(0, 0), 0,
			mac_host0));
	p = fix6_sent(f, 2, 0, HOST6(0), 136);
	assert_int_equal(load_be32(p + 4), ND_FLAG_ROUTER | ND_FLAG_SOLICITED);
	assert_true(ip6_equal(ip6_load(f->sent[2].frame + 22), US6(0)));
	/* another's address is not ours to answer for: silence */
	fix6_receive(f, 0, make_nd(0, 135, HOST6(0), LINK6(0), HOST6(1), 0, mac_host0));
	assert_int_equal(f->sent_n, 3);
	/* an unspecified source probes: all nodes hear that the address is taken */
	fix6_receive(f, 0, make_nd(0, 135, IP6_ANY, ip6_solicited_node(US6(0)), US6(0), 0, NULL));
	p = fix6_sent(f, 3, 0, ALL6, 136);
	assert_int_equal(load_be32(p + 4), ND_FLAG_ROUTER | ND_FLAG_OVERRIDE);
	assert_memory_equal(f->sent[3].frame, "\x33\x33\0\0\0\1", 6);
	assert_int_equal(f->delivered, 5);
	fix_free(f);
}

/* One byte wrong, and it is not a message: RFC 4861 6.1, 7.1, 8.1. */
static void test_validity(void **state)
{
	static const struct {
		uint8_t at, value;
	} wrong[] = {{21, 254}, {55, 1}, {79, 0}, {79, 2}, {62, 0xff}, {80, 3}};
	struct ip6 group = ip6_solicited_node(US6(0));
	struct fixture *f = fix6_new();
	uint32_t len;

	for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		len = make_nd(0, 135, HOST6(0), group, US6(0), 0, mac_host0);
		frame[wrong[i].at] = wrong[i].value;
		finish6(len);
		fix6_receive(f, 0, len);
		assert_int_equal(f->drops[DROP_ND_MALFORMED], i + 1);
	}
	unsigned n = f->drops[DROP_ND_MALFORMED];

	/* a probe with an option; a probe to one station */
	fix6_receive(f, 0, make_nd(0, 135, IP6_ANY, group, US6(0), 0, mac_host0));
	fix6_receive(f, 0, make_nd(0, 135, IP6_ANY, ALL6, US6(0), 0, NULL));
	/* a solicited advertisement to all; of a group */
	fix6_receive(f, 0, make_nd(0, 136, HOST6(0), ALL6, HOST6(0), ND_FLAG_SOLICITED, mac_host0));
	fix6_receive(f, 0, make_nd(0, 136, HOST6(0), US6(0), ALL6, 0, mac_host0));
	/* a redirect and a router's advertisement not from a link-local address */
	len = make6(0, HOST6(0), US6(0), 58, 255, 40);
	memset(frame + 54, 0, 40);
	frame[54] = 137;
	finish6(len);
	fix6_receive(f, 0, len);
	frame[54] = 134;
	finish6(len);
	fix6_receive(f, 0, len);
	assert_int_equal(f->drops[DROP_ND_MALFORMED], n + 6);
	/* too short for its type: every length */
	for (uint32_t cut = 0; cut < 24; cut++) {
		make_nd(0, 135, HOST6(0), group, US6(0), 0, NULL);
		store_be16(frame + 18, (uint16_t)cut);
		finish6(54 + cut);
		fix6_receive(f, 0, 54 + cut);
	}
	assert_int_equal(f->drops[DROP_ND_MALFORMED] + f->drops[DROP_ICMP_MALFORMED], n + 6 + 24);
	assert_int_equal(f->sent_n, 0);
	assert_int_equal(fix6_state(f, 0, HOST6(0)), NEIGHBOR_FREE);
	fix_free(f);
}

static void test_redirect(void **state)
{
	struct fixture *f = fix6_new();
	uint32_t len = make6(0, (struct ip6){0xfe80000000000000ull, 9}, US6(0), 58, 255, 40);

	memset(frame + 54, 0, 40);
	frame[54] = 137;
	finish6(len);
	fix6_receive(f, 0, len);
	assert_int_equal(f->drops[DROP_ND_REDIRECT], 1);
	assert_int_equal(f->s.nd_state.redirects, 1);
	len = 54 + 16;
	store_be16(frame + 18, 16);
	frame[54] = 134;
	finish6(len);
	fix6_receive(f, 0, len);
	assert_int_equal(f->s.nd_state.adverts_received, 1);
	assert_int_equal(f->delivered, 1);
	fix_free(f);
}

/* A packet to an unknown neighbour: asked, held, sent once there is an answer. */
static void test_resolution(void **state)
{
	struct fixture *f = fix6_new();

	fix_receive(f, 0, frame, make6(0, HOST6(0), HOST6(1), 17, 64, 20), PUNT_RESOLVE);
	assert_int_equal(f->sent_n, 1);
	const uint8_t *p = fix6_sent(f, 0, 1, ip6_solicited_node(HOST6(1)), 135);

	assert_true(ip6_equal(ip6_load(f->sent[0].frame + 22), US6(1)));
	assert_true(ip6_equal(ip6_load(p + 8), HOST6(1)));
	assert_memory_equal(f->sent[0].frame, "\x33\x33\xff\0\0\2", 6);
	assert_memory_equal(p + 26, f->iface[1].mac, 6);
	assert_int_equal(fix6_state(f, 1, HOST6(1)), NEIGHBOR_INCOMPLETE);
	assert_int_equal(stack_held(&f->s), 1);
	/* without an option there is nothing to learn */
	fix6_receive(f, 1, make_nd(1, 136, HOST6(1), US6(1), HOST6(1), ND_FLAG_SOLICITED, NULL));
	assert_int_equal(fix6_state(f, 1, HOST6(1)), NEIGHBOR_INCOMPLETE);
	fix6_receive(
		f, 1, make_nd(1, 136, HOST6(1), US6(1), HOST6(1), ND_FLAG_SOLICITED, mac_host1));
	assert_int_equal(fix6_state(f, 1, HOST6(1)), NEIGHBOR_REACHABLE);
	assert_int_equal(f->sent_n, 2);
	assert_memory_equal(f->sent[1].frame, mac_host1, 6);
	assert_memory_equal(f->sent[1].frame + 6, f->iface[1].mac, 6);
	assert_int_equal(f->sent[1].frame[21], 63);
	/* workers have it now */
	uint32_t nh = rib6_match(&f->rib6, HOST6(1), false)->nexthop;

	assert_int_equal(adjacency_target(f->nexthops.adjacency[nh].out), f->iface[1].txq);
	assert_memory_equal(f->nexthops.adjacency[nh].mac, mac_host1, 6);
	/* an answer to what nobody asked makes no entry */
	fix6_receive(f, 1, make_nd(1, 136, NET6(1, 9), US6(1), NET6(1, 9), 0, mac_x));
	assert_int_equal(fix6_state(f, 1, NET6(1, 9)), NEIGHBOR_FREE);
	fix_free(f);
}

/* RFC 4861 7.2.5: what an advertisement changes about an entry. */
static void test_adverts(void **state)
{
	static const struct {
		enum neighbor_state before;
		uint32_t flags;
		bool other; /* another MAC in its option */
		enum neighbor_state after;
		bool taken;
	} c[] = {
		{NEIGHBOR_REACHABLE, 0, false, NEIGHBOR_REACHABLE, false},
		{NEIGHBOR_REACHABLE, 0, true, NEIGHBOR_STALE, false},
		{NEIGHBOR_STALE, 0, true, NEIGHBOR_STALE, false},
		{NEIGHBOR_STALE, ND_FLAG_SOLICITED, true, NEIGHBOR_STALE, false},
		{NEIGHBOR_STALE, ND_FLAG_SOLICITED, false, NEIGHBOR_REACHABLE, false},
		{NEIGHBOR_REACHABLE, ND_FLAG_OVERRIDE, true, NEIGHBOR_STALE, true},
		{NEIGHBOR_REACHABLE, ND_FLAG_OVERRIDE, false, NEIGHBOR_REACHABLE, false},
		{NEIGHBOR_STALE, ND_FLAG_OVERRIDE | ND_FLAG_SOLICITED, true, NEIGHBOR_REACHABLE,
			true},
	};

	for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
		struct fixture *f = fix6_new_resolved();
		struct neighbor *e = neighbor_find(&f->s.nd, 1, HOST6(1));

		if (c[i].before == NEIGHBOR_REACHABLE)
			fix6_receive(f, 1,
				make_nd(1, 136, HOST6(1), US6(1), HOST6(1), ND_FLAG_SOLICITED,
					mac_host1));
		assert_int_equal(e->state, c[i].before);
		fix6_receive(f, 1,
			make_nd(1, 136, HOST6(1), US6(1), HOST6(1), c[i].flags,
				c[i].other ? mac_x : mac_host1));
		assert_int_equal(e->state, c[i].after);
		assert_memory_equal(e->mac, c[i].taken ? mac_x : mac_host1, 6);
		fix_free(f);
	}
}

/* REACHABLE, STALE, then DELAY when used, PROBE by unicast, and away; RFC 4861 7.3. */
static void test_states(void **state)
{
	struct fixture *f = fix6_new_resolved();

	fix6_receive(
		f, 1, make_nd(1, 136, HOST6(1), US6(1), HOST6(1), ND_FLAG_SOLICITED, mac_host1));
	fix_wait(f, ND_REACHABLE_MS + 100);
	assert_int_equal(fix6_state(f, 1, HOST6(1)), NEIGHBOR_STALE);
	assert_int_equal(f->sent_n, 0);
	assert_int_equal(stack_send_echo6(&f->s, HOST6(1), 1, 1, 8, 0), ERR_OK);
	assert_int_equal(fix6_state(f, 1, HOST6(1)), NEIGHBOR_DELAY);
	fix6_sent(f, 0, 1, HOST6(1), 128);
	fix_wait(f, ND_DELAY_MS + 100);
	assert_int_equal(fix6_state(f, 1, HOST6(1)), NEIGHBOR_PROBE);
	fix6_sent(f, 1, 1, HOST6(1), 135);
	assert_memory_equal(f->sent[1].frame, mac_host1, 6);
	fix_wait(f, ND_RETRY_MS * ND_TRIES + 100);
	assert_int_equal(fix6_state(f, 1, HOST6(1)), NEIGHBOR_FAILED);
	assert_int_equal(f->sent_n, 1 + ND_TRIES);
	/* who sends to it is told; its route is gone */
	assert_null(rib6_find(&f->rib6, HOST6(1), 128, RIB_NEIGHBOR));
	fix6_ask(f, 0, HOST6(0), mac_host0);
	fix_clear(f);
	fix_receive(f, 0, frame, make6(0, HOST6(0), HOST6(1), 17, 64, 20), PUNT_RESOLVE);
	assert_int_equal(fix6_sent(f, 0, 0, HOST6(0), 1)[1], 3);
	assert_int_equal(f->drops[DROP_NEIGHBOR_FAILED], 1);
	fix_wait(f, NEIGHBOR_FAILED_MS + 100);
	assert_int_equal(fix6_state(f, 1, HOST6(1)), NEIGHBOR_FREE);
	fix_free(f);
}

/* Workers use a stale entry and cannot tell: it is asked again by and by. */
static void test_stale_is_probed(void **state)
{
	struct fixture *f = fix6_new_resolved();

	fix_wait(f, ND_STALE_MS - 1000);
	assert_int_equal(fix6_state(f, 1, HOST6(1)), NEIGHBOR_STALE);
	fix_wait(f, 1200);
	assert_int_equal(fix6_state(f, 1, HOST6(1)), NEIGHBOR_PROBE);
	fix6_receive(
		f, 1, make_nd(1, 136, HOST6(1), US6(1), HOST6(1), ND_FLAG_SOLICITED, mac_host1));
	assert_int_equal(fix6_state(f, 1, HOST6(1)), NEIGHBOR_REACHABLE);
	fix_free(f);
}

/* Invented senders, each with a MAC: they push out each other, not who has answered us. */
static void test_invented_senders(void **state)
{
	struct fixture *f = fix6_new_resolved();

	/* HOST6(1) answers a question; HOST6(0) was only heard. */
	fix_wait(f, ND_STALE_MS + 200);
	fix6_receive(
		f, 1, make_nd(1, 136, HOST6(1), US6(1), HOST6(1), ND_FLAG_SOLICITED, mac_host1));
	assert_int_equal(fix6_state(f, 1, HOST6(1)), NEIGHBOR_REACHABLE);
	for (uint32_t i = 0; i < 5000; i++) {
		fix6_ask(f, 1, NET6(1, 0x10000 + i), mac_host1);
		/* what nobody asked for proves nothing */
		fix6_receive(f, 1,
			make_nd(1, 136, NET6(1, 0x10000 + i), US6(1), NET6(1, 0x10000 + i),
				ND_FLAG_SOLICITED, mac_host1));
	}
	assert_int_equal(fix6_state(f, 1, HOST6(1)), NEIGHBOR_REACHABLE);
	/* its time is over, it answers, and is still before them */
	fix_wait(f, ND_REACHABLE_MS + 20);
	for (uint32_t i = 0; i < 5000; i++)
		fix6_ask(f, 1, NET6(1, 0x20000 + i), mac_host1);
	assert_int_equal(fix6_state(f, 1, HOST6(1)), NEIGHBOR_STALE);
	fix_free(f);
}

/* RFC 6583: a scan of a /64 costs neither what is known nor a storm of questions. */
static void test_scan(void **state)
{
	struct fixture *f = fix6_new_resolved();

	for (uint32_t i = 0; i < 20000; i++) {
		fix_receive(f, 0, frame, make6(0, HOST6(0), NET6(1, 0x10000 + i), 17, 64, 8),
			PUNT_RESOLVE);
		if (i % 20 == 0)
			fix_wait(f, 10); /* 2,000 a second */
	}
	assert_int_equal(fix6_state(f, 0, HOST6(0)), NEIGHBOR_STALE);
	assert_int_equal(fix6_state(f, 1, HOST6(1)), NEIGHBOR_STALE);
	assert_true(f->s.nd_state.suppressed > 10000);
	assert_true(f->s.nd.requests_sent < 10u * 11 * ND_SOLICIT_BURST);
	fix_balance(f);
	fix_wait(f, 15000);
	assert_int_equal(f->s.nd.unresolved_n, 0);
	assert_int_equal(stack_held(&f->s), 0);
	fix_free(f);
}

/* Our own probe comes back by a loop of the link: no conflict. Later claims are counted. */
static void test_conflict(void **state)
{
	struct fixture *f = fix6_new_tentative();
	uint32_t len = make_nd(0, 135, IP6_ANY, ip6_solicited_node(US6(0)), US6(0), 0, NULL);

	memcpy(frame + 6, f->iface[0].mac, 6);
	fix6_receive(f, 0, len);
	assert_int_equal(f->duplicates6, 0);
	fix_wait(f, 1100);
	for (unsigned i = 0; i < 3; i++)
		fix6_receive(f, 0, make_nd(0, 136, US6(0), ALL6, US6(0), 0, mac_x));
	assert_int_equal(f->conflicts6, 1); /* told once */
	assert_int_equal(f->s.nd.conflicts, 3);
	assert_int_equal(f->iface[0].addr6[0].state, ADDR6_VALID);
	fix_free(f);
}

static void test_point_to_point(void **state)
{
	struct fixture *f = fix_new();

	f->iface[0].addrs6 = 1;
	f->iface[0].addr6[0] = (struct iface_addr6){.address = NET6(0, 1), .length = 127};
	assert_int_equal(iface6_install(&f->iface[0], &f->rib6, &f->nexthops), ERR_OK);
	stack_link_changed(&f->s, 0, true, f->now_ms);
	fix_wait(f, 1100);
	/* RFC 6164: the first address of a /127 is the other end's */
	assert_null(rib6_find(&f->rib6, NET6(0, 0), 128, RIB_LOCAL));
	assert_true(iface6_neighbor(&f->iface[0], NET6(0, 0)));
	assert_false(iface6_neighbor(&f->iface[0], NET6(0, 2)));
	fix_clear(f);
	assert_int_equal(stack_send_echo6(&f->s, NET6(0, 0), 1, 1, 8, 0), ERR_OK);
	fix6_sent(f, 0, 0, ip6_solicited_node(NET6(0, 0)), 135);
	fix_free(f);
}

static void test_static(void **state)
{
	struct fixture *f = fix6_new();

	assert_int_equal(nd_set_static(&f->s, 1, HOST6(1), mac_x), ERR_OK);
	fix_receive(f, 0, frame, make6(0, HOST6(0), HOST6(1), 17, 64, 20), PUNT_RESOLVE);
	assert_memory_equal(f->sent[0].frame, mac_x, 6);
	fix6_receive(
		f, 1, make_nd(1, 136, HOST6(1), US6(1), HOST6(1), ND_FLAG_OVERRIDE, mac_host1));
	fix6_ask(f, 1, HOST6(1), mac_host1);
	assert_memory_equal(neighbor_find(&f->s.nd, 1, HOST6(1))->mac, mac_x, 6);
	nd_clear_static(&f->s, 1, HOST6(1));
	assert_int_equal(fix6_state(f, 1, HOST6(1)), NEIGHBOR_FREE);
	fix_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_solicit_is_answered),
		cmocka_unit_test(test_validity),
		cmocka_unit_test(test_redirect),
		cmocka_unit_test(test_resolution),
		cmocka_unit_test(test_adverts),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_stale_is_probed),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_invented_senders),
		cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_point_to_point),
		cmocka_unit_test(test_static),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

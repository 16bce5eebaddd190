/* The neighbour table: links, static entries, routes that follow the RIB, and its limits. */
#include "test/unit/stack_fixture.h"

#define DEAD 0x0a000163u /* 10.0.1.99, who never answers */

static const uint8_t mac_x[6] = {0x52, 0x54, 0, 0, 0, 0x77};
static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* A transit packet from host 0; TTL 64. */
static void send_to(struct fixture *f, uint32_t dst)
{
	uint8_t frame[128] = {0};
	uint32_t len = make_ipv4(frame, HOST0, dst, 17, 64, 0, 20);

	fix_receive(f, 0, frame, len, PUNT_RESOLVE);
}

/* Frame k sent is an ARP request for `target` to `mac`. */
static void assert_request(
	struct fixture *f, unsigned k, unsigned port, uint32_t target, const uint8_t *mac)
{
	static const uint8_t fixed[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 1};
	const struct sent *s = &f->sent[k];

	assert_true(k < f->sent_n);
	assert_int_equal(s->port, port);
	assert_int_equal(s->len, 60);
	assert_memory_equal(s->frame, mac, 6);
	assert_memory_equal(s->frame + 6, f->iface[port].mac, 6);
	assert_memory_equal(s->frame + 12, fixed, sizeof fixed);
	assert_memory_equal(s->frame + 22, f->iface[port].mac, 6);
	assert_int_equal(load_be32(s->frame + 28), ROUTER0 + (port << 8));
	assert_int_equal(load_be32(s->frame + 38), target);
	for (unsigned i = 42; i < 60; i++)
		assert_int_equal(s->frame[i], 0); /* nothing of the buffer's past */
}

static const struct route4 *neighbor_route(struct fixture *f, uint32_t address)
{
	return rib4_find(&f->rib, address, 32, RIB_NEIGHBOR);
}

/* ---- links, configuration ---- */

static void test_link_down(void **state)
{
	struct fixture *f = fix_new_resolved();

	send_to(f, DEAD);
	assert_int_equal(arp_set_static(&f->s, 1, HOST1 + 5, mac_x), ERR_OK);
	f->iface[1].link = false;
	iface_withdraw(&f->iface[1], &f->rib, &f->nexthops);
	stack_link_changed(&f->s, 1, false, f->now_ms);
	assert_int_equal(f->drops[DROP_LINK_DOWN], 1);
	assert_int_equal(fix_state(f, HOST1), NEIGHBOR_FREE);
	assert_int_equal(fix_state(f, HOST0), NEIGHBOR_REACHABLE);
	assert_int_equal(fix_state(f, HOST1 + 5), NEIGHBOR_STATIC);
	assert_null(neighbor_route(f, HOST1 + 5));
	fix_wait(f, 1000);
	assert_null(neighbor_route(f, HOST1 + 5));
	fix_clear(f);
	f->iface[1].link = true;
	assert_int_equal(iface_install(&f->iface[1], &f->rib, &f->nexthops), ERR_OK);
	stack_link_changed(&f->s, 1, true, f->now_ms);
	assert_int_equal(f->sent_n, 1);
	assert_request(f, 0, 1, ROUTER1, broadcast); /* gratuitous */
	assert_non_null(neighbor_route(f, HOST1 + 5));
	fix_free(f);
}

/* RFC 5227 2.3: sender and target are the address announced, each of several in one network. */
static void test_announcement(void **state)
{
	struct fixture *f = fix_new_resolved();
	static const uint32_t own[] = {ROUTER1, ROUTER1 + 7, 0x0b000001};

	iface_withdraw(&f->iface[1], &f->rib, &f->nexthops);
	f->iface[1].addr[1] = (struct iface_addr){own[1], 24};
	f->iface[1].addr[2] = (struct iface_addr){own[2], 8};
	f->iface[1].addrs = 3;
	assert_int_equal(iface_install(&f->iface[1], &f->rib, &f->nexthops), ERR_OK);
	stack_link_changed(&f->s, 1, true, f->now_ms);
	assert_int_equal(f->sent_n, 3);
	for (unsigned k = 0; k < 3; k++) {
		const uint8_t *frame = f->sent[k].frame;

		assert_memory_equal(frame, broadcast, 6);
		assert_int_equal(load_be16(frame + 20), 1);
		assert_memory_equal(frame + 22, f->iface[1].mac, 6);
		assert_int_equal(load_be32(frame + 28), own[k]);
		assert_memory_equal(frame + 32, (const uint8_t[6]){0}, 6);
		assert_int_equal(load_be32(frame + 38), own[k]);
	}
	fix_free(f);
}

/* A next hop of an interface that is not in use. */
static void test_not_installed(void **state)
{
	struct fixture *f = fix_new_resolved();

	f->iface[1].installed = false;
	send_to(f, HOST1);
	assert_int_equal(f->drops[DROP_LINK_DOWN], 1);
	fix_arp(f, 1, 1, mac_host1, HOST1, ROUTER1);
	assert_int_equal(f->sent_n, 0);
	f->iface[1].installed = true;
	fix_free(f);
}

static void test_flush(void **state)
{
	struct fixture *f = fix_new_resolved();

	send_to(f, DEAD);
	assert_int_equal(arp_set_static(&f->s, 1, HOST1 + 5, mac_x), ERR_OK);
	arp_flush(&f->s);
	assert_int_equal(f->drops[DROP_NEIGHBOR_PENDING], 1);
	assert_int_equal(fix_state(f, HOST0), NEIGHBOR_FREE);
	assert_int_equal(fix_state(f, HOST1 + 5), NEIGHBOR_STATIC);
	assert_int_equal(f->rib.rib.count, 9); /* four of each interface and the static one */
	fix_free(f);
}

static void test_static(void **state)
{
	struct fixture *f = fix_new_resolved();

	assert_int_equal(arp_set_static(&f->s, 2, HOST1, mac_x), ERR_INVALID);
	assert_int_equal(arp_set_static(&f->s, 1, HOST1, broadcast), ERR_INVALID);
	assert_int_equal(arp_set_static(&f->s, 1, HOST1, (const uint8_t[6]){0}), ERR_INVALID);
	send_to(f, DEAD);
	assert_int_equal(arp_set_static(&f->s, 1, DEAD, mac_x), ERR_OK);
	assert_memory_equal(f->sent[1].frame, mac_x, 6); /* what waited is sent */
	fix_arp(f, 1, 1, mac_host1, DEAD, ROUTER1);      /* cannot be moved by ARP */
	assert_memory_equal(fix_neighbor(f, DEAD)->mac, mac_x, 6);
	fix_wait(f, 2 * ARP_REACHABLE_MS);
	assert_int_equal(fix_state(f, DEAD), NEIGHBOR_STATIC);
	assert_int_equal(arp_set_static(&f->s, 1, DEAD, mac_host0), ERR_OK);
	assert_memory_equal(fix_neighbor(f, DEAD)->mac, mac_host0, 6);
	arp_clear_static(&f->s, 1, HOST1); /* not static: stays as it is */
	arp_clear_static(&f->s, 1, DEAD);
	assert_int_equal(fix_state(f, DEAD), NEIGHBOR_FREE);
	assert_null(neighbor_route(f, DEAD));
	fix_free(f);
}

/* ---- routes follow the RIB ---- */

static void test_more_specific_route(void **state)
{
	struct fixture *f = fix_new_resolved();

	assert_non_null(neighbor_route(f, HOST1));
	fix_route(f, 0x0a000100, 25, NEXTHOP_BLACKHOLE, 0);
	fix_wait(f, 100);
	assert_null(neighbor_route(f, HOST1)); /* it would win over what was configured */
	assert_int_equal(fix_state(f, HOST1), NEIGHBOR_REACHABLE);
	assert_int_equal(rib4_remove(&f->rib, 0x0a000100, 25, RIB_STATIC, NULL), ERR_OK);
	fix_wait(f, 100);
	assert_non_null(neighbor_route(f, HOST1));
	fix_free(f);
}

static void test_network_lost(void **state)
{
	struct fixture *f = fix_new_resolved();

	iface_withdraw(&f->iface[1], &f->rib, &f->nexthops);
	f->iface[1].addr[0].address = 0x0b000001;
	assert_int_equal(iface_install(&f->iface[1], &f->rib, &f->nexthops), ERR_OK);
	fix_wait(f, 100);
	assert_int_equal(fix_state(f, HOST1), NEIGHBOR_FREE);
	assert_null(neighbor_route(f, HOST1));
	fix_free(f);
}

/* A route made after its gateway was resolved gets the MAC with the first packet. */
static void test_later_next_hop(void **state)
{
	struct fixture *f = fix_new();
	uint32_t hop;

	fix_route(f, 0x0a000100, 25, NEXTHOP_BLACKHOLE, 0); /* keeps the /32 away */
	fix_arp(f, 1, 1, mac_host1, HOST1, ROUTER1);
	fix_route(f, 0, 0, NEXTHOP_RESOLVE, HOST1);
	hop = rib4_find(&f->rib, 0, 0, RIB_STATIC)->nexthop;
	assert_int_equal(adjacency_target(f->nexthops.adjacency[hop].out), NEXTHOP_RESOLVE);
	send_to(f, 0x08080808);
	assert_memory_equal(f->sent[f->sent_n - 1].frame, mac_host1, 6);
	assert_int_equal(adjacency_target(f->nexthops.adjacency[hop].out), 1);
	fix_free(f);
}

/* ---- limits ---- */

/* A scan of a large network: bounded, and those who are known or about to be stay so. */
static void test_scan(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint32_t unresolved = 0;

	iface_withdraw(&f->iface[1], &f->rib, &f->nexthops);
	f->iface[1].addr[0].length = 16; /* 10.0.0.0/16, with port 0's /24 in it */
	assert_int_equal(iface_install(&f->iface[1], &f->rib, &f->nexthops), ERR_OK);
	send_to(f, HOST0 + 1);
	for (uint32_t i = 0; i < 20000; i++)
		send_to(f, 0x0a000200 + i);
	assert_int_equal(arp_held(&f->s), NEIGHBOR_MAX - 2);
	assert_int_equal(f->drops[DROP_NEIGHBOR_PENDING], 20001 - (NEIGHBOR_MAX - 2));
	assert_int_equal(fix_state(f, HOST0 + 1), NEIGHBOR_INCOMPLETE); /* another port's */
	assert_int_equal(fix_state(f, HOST0), NEIGHBOR_REACHABLE);
	assert_int_equal(fix_state(f, HOST1), NEIGHBOR_REACHABLE);
	assert_int_equal(fix_state(f, 0x0a000200 + 19999), NEIGHBOR_INCOMPLETE);
	assert_int_equal(fix_state(f, 0x0a000200), NEIGHBOR_FREE); /* the oldest went first */
	fix_arp(f, 1, 2, mac_x, 0x0a000200 + 19990, ROUTER1);
	assert_int_equal(fix_state(f, 0x0a000200 + 19990), NEIGHBOR_REACHABLE);
	fix_wait(f, 3500);
	for (unsigned i = 0; i < NEIGHBOR_MAX; i++)
		unresolved += f->s.arp.entry[i].state == NEIGHBOR_FAILED;
	assert_int_equal(unresolved, NEIGHBOR_MAX - 3);
	assert_int_equal(arp_held(&f->s), 0);
	fix_wait(f, 3500);
	assert_int_equal(f->s.arp.unresolved_n, 0);
	assert_int_equal(f->s.arp.unresolved[1].oldest, 0);
	assert_int_equal(f->s.arp.unresolved[1].newest, 0);
	fix_free(f);
}

/* Senders k to k + n - 1 of a network that a /16 on port 0 makes large: each asks for us. */
static void crowd(struct fixture *f, uint32_t k, uint32_t n)
{
	for (uint32_t end = k + n; k < end; k++)
		fix_arp(f, 0, 1, mac_x, 0x0a001000 + k, ROUTER0);
}

static struct fixture *fix_new_crowded(void)
{
	struct fixture *f = fix_new_resolved();

	iface_withdraw(&f->iface[0], &f->rib, &f->nexthops);
	f->iface[0].addr[0].length = 16; /* 10.0.0.0/16, with port 1's /24 in it */
	assert_int_equal(iface_install(&f->iface[0], &f->rib, &f->nexthops), ERR_OK);
	crowd(f, 0, NEIGHBOR_MAX);
	return f;
}

/* A network with more stations than entries: no other port is kept from resolving its own. */
static void test_crowd(void **state)
{
	struct fixture *f = fix_new_crowded();

	assert_int_equal(fix_state(f, HOST1), NEIGHBOR_REACHABLE); /* its port has fewer */
	assert_int_equal(fix_state(f, HOST0), NEIGHBOR_FREE); /* the first of the crowd's port */
	send_to(f, DEAD);
	assert_int_equal(fix_state(f, DEAD), NEIGHBOR_INCOMPLETE);
	crowd(f, NEIGHBOR_MAX, 2 * NEIGHBOR_MAX);
	assert_int_equal(f->drops[DROP_NEIGHBOR_PENDING], 0);
	assert_int_equal(fix_state(f, DEAD), NEIGHBOR_INCOMPLETE);
	fix_clear(f);
	fix_arp(f, 1, 2, mac_host1, DEAD, ROUTER1);
	assert_int_equal(f->sent_n, 1); /* what was held */
	crowd(f, 0, NEIGHBOR_MAX);
	assert_int_equal(fix_state(f, DEAD), NEIGHBOR_REACHABLE);
	assert_non_null(neighbor_route(f, DEAD));
	assert_int_equal(arp_set_static(&f->s, 1, HOST1 + 5, mac_x), ERR_OK);
	fix_free(f);
}

/* Of one port, the neighbour confirmed longest ago goes first, whatever was made first. */
static void test_crowd_order(void **state)
{
	struct fixture *f = fix_new_crowded();
	const uint32_t sender = 0x0a001000;

	assert_int_equal(fix_state(f, sender), NEIGHBOR_FREE); /* HOST1 has the room of one */
	crowd(f, 1, 2);                                        /* confirmed again */
	crowd(f, NEIGHBOR_MAX, 2);
	assert_int_equal(fix_state(f, sender + 1), NEIGHBOR_REACHABLE);
	assert_int_equal(fix_state(f, sender + 2), NEIGHBOR_REACHABLE);
	assert_int_equal(fix_state(f, sender + 3), NEIGHBOR_FREE);
	assert_int_equal(fix_state(f, sender + 4), NEIGHBOR_FREE);
	assert_int_equal(fix_state(f, sender + 5), NEIGHBOR_REACHABLE);
	assert_null(neighbor_route(f, sender + 4));
	assert_non_null(neighbor_route(f, sender + 5));
	fix_free(f);
}

/* A scan costs the known no more than the unresolved entries' own part of the table. */
static void test_scan_of_crowd(void **state)
{
	struct fixture *f = fix_new_crowded();
	uint32_t known = 0, unresolved = 0;

	for (uint32_t i = 0; i < 5000; i++)
		send_to(f, 0x0a008000 + i);
	for (unsigned i = 0; i < NEIGHBOR_MAX; i++) {
		known += f->s.arp.entry[i].state == NEIGHBOR_REACHABLE;
		unresolved += f->s.arp.entry[i].state == NEIGHBOR_INCOMPLETE;
	}
	assert_int_equal(unresolved, NEIGHBOR_UNRESOLVED_MIN);
	assert_int_equal(known, NEIGHBOR_MAX - NEIGHBOR_UNRESOLVED_MIN);
	assert_int_equal(fix_state(f, 0x0a008000 + 4999), NEIGHBOR_INCOMPLETE);
	fix_free(f);
}

static void test_full_of_static(void **state)
{
	struct fixture *f = fix_new();

	for (uint32_t i = 0; i < NEIGHBOR_MAX; i++)
		assert_int_equal(arp_set_static(&f->s, 1, 0x0a000200 + i, mac_x), ERR_OK);
	assert_int_equal(arp_set_static(&f->s, 1, HOST1, mac_x), ERR_FULL);
	send_to(f, HOST1);
	assert_int_equal(f->drops[DROP_NEIGHBOR_PENDING], 1);
	fix_arp(f, 0, 1, mac_host0, HOST0, ROUTER0); /* answered all the same */
	assert_int_equal(f->sent_n, 1);
	arp_clear_static(&f->s, 1, 0x0a000207);
	assert_int_equal(arp_set_static(&f->s, 1, HOST1, mac_x), ERR_OK);
	for (uint32_t i = 0; i < NEIGHBOR_MAX; i++)
		arp_clear_static(&f->s, 1, 0x0a000200 + i);
	fix_free(f);
}

/* No buffer for a request: the timer asks again. */
static void test_no_buffers(void **state)
{
	struct fixture *f = fix_new();

	f->alloc_limit = 0;
	send_to(f, HOST1);
	fix_arp(f, 0, 1, mac_host0, HOST0, ROUTER0);
	assert_int_equal(f->sent_n, 0);
	assert_int_equal(fix_state(f, HOST0), NEIGHBOR_REACHABLE);
	f->alloc_limit = 10;
	fix_wait(f, 1100);
	assert_request(f, 0, 1, HOST1, broadcast);
	assert_true(f->s.arp.requests_sent == 1 && f->s.arp.replies_sent == 0);
	fix_free(f);
}

/* A RIB without room: the neighbour works through the control core, and gets its route later. */
static void test_rib_full(void **state)
{
	struct fixture *f = fix_new();

	for (uint32_t i = 0; f->rib.rib.count < MODEL_ROUTES; i++) {
		struct route4 r = {.prefix = 0xc0000000 + (i << 8),
			.length = 24,
			.source = RIB_STATIC,
			.distance = 1};

		assert_int_equal(rib4_add(&f->rib, &r), ERR_OK);
	}
	fix_arp(f, 1, 1, mac_host1, HOST1, ROUTER1);
	assert_null(neighbor_route(f, HOST1));
	send_to(f, HOST1);
	assert_memory_equal(f->sent[1].frame, mac_host1, 6);
	assert_int_equal(rib4_remove(&f->rib, 0xc0000000, 24, RIB_STATIC, NULL), ERR_OK);
	fix_wait(f, 100);
	assert_non_null(neighbor_route(f, HOST1));
	fix_free(f);
}

static void test_names(void **state)
{
	assert_string_equal(neighbor_state_name(NEIGHBOR_INCOMPLETE), "incomplete");
	assert_string_equal(neighbor_state_name(NEIGHBOR_REACHABLE), "reachable");
	assert_string_equal(neighbor_state_name(NEIGHBOR_PROBE), "probe");
	assert_string_equal(neighbor_state_name(NEIGHBOR_FAILED), "failed");
	assert_string_equal(neighbor_state_name(NEIGHBOR_STATIC), "static");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_link_down),
		cmocka_unit_test(test_announcement),
		cmocka_unit_test(test_not_installed),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_static),
		cmocka_unit_test(test_more_specific_route),
		cmocka_unit_test(test_network_lost),
		cmocka_unit_test(test_later_next_hop),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_crowd_order),
		cmocka_unit_test(test_scan_of_crowd),
		cmocka_unit_test(test_full_of_static),
		cmocka_unit_test(test_no_buffers),
		cmocka_unit_test(test_rib_full),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

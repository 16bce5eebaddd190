/* ARP: every state and timer, what is learnt and what is not, and the end of every held packet. */
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

static void assert_unreachable(struct fixture *f, unsigned k)
{
	assert_true(k < f->sent_n);
	assert_int_equal(f->sent[k].port, 0);
	assert_memory_equal(f->sent[k].frame, mac_host0, 6);
	assert_int_equal(f->sent[k].frame[34], 3);
	assert_int_equal(f->sent[k].frame[35], 1);
}

static const struct route4 *neighbor_route(struct fixture *f, uint32_t address)
{
	return rib4_find(&f->rib, address, 32, RIB_NEIGHBOR);
}

static const struct adjacency *adjacency_of(struct fixture *f, uint32_t address)
{
	return &f->nexthops.adjacency[neighbor_route(f, address)->nexthop];
}

/* ---- what is learnt, and what is answered ---- */

static void test_request_for_us(void **state)
{
	static const uint8_t fixed[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 2};
	struct fixture *f = fix_new();
	const struct sent *s = &f->sent[0];

	fix_arp(f, 0, 1, mac_host0, HOST0, ROUTER0);
	assert_int_equal(f->delivered, 1);
	assert_int_equal(f->sent_n, 1);
	assert_int_equal(s->len, 60);
	assert_memory_equal(s->frame, mac_host0, 6);
	assert_memory_equal(s->frame + 6, f->iface[0].mac, 6);
	assert_memory_equal(s->frame + 12, fixed, sizeof fixed);
	assert_memory_equal(s->frame + 22, f->iface[0].mac, 6);
	assert_int_equal(load_be32(s->frame + 28), ROUTER0);
	assert_memory_equal(s->frame + 32, mac_host0, 6);
	assert_int_equal(load_be32(s->frame + 38), HOST0);
	assert_int_equal(fix_state(f, HOST0), NEIGHBOR_REACHABLE);
	assert_memory_equal(adjacency_of(f, HOST0)->mac, mac_host0, 6);
	assert_int_equal(adjacency_target(adjacency_of(f, HOST0)->out), 0);
	assert_int_equal(f->route_changes, 1);
	fix_free(f);
}

static void test_request_for_whom_we_stand_in(void **state)
{
	struct fixture *f = fix_new();
	const struct sent *s = &f->sent[0];

	fix_arp(f, 0, 1, mac_host0, HOST0, STANDS_IN);
	assert_int_equal(f->sent_n, 1);
	assert_memory_equal(s->frame, mac_host0, 6);
	assert_memory_equal(s->frame + 22, f->iface[0].mac, 6);
	assert_int_equal(load_be32(s->frame + 28), STANDS_IN);
	fix_arp(f, 0, 1, mac_host0, HOST0, STANDS_IN + 1);
	assert_int_equal(f->sent_n, 1);
	assert_int_equal(f->delivered, 2);
	fix_free(f);
}

static void test_not_for_us(void **state)
{
	struct fixture *f = fix_new();

	fix_arp(f, 0, 1, mac_host0, HOST0, HOST0 + 1);     /* somebody else */
	fix_arp(f, 0, 1, mac_host0, HOST0, ROUTER1);       /* ours, but on the other port */
	fix_arp(f, 0, 2, mac_host0, HOST0, ROUTER0);       /* a reply nobody asked for */
	fix_arp(f, 0, 1, mac_host0, HOST0, HOST0);         /* gratuitous */
	fix_arp(f, 0, 1, f->iface[0].mac, HOST0, ROUTER0); /* our own MAC: an echo */
	assert_int_equal(f->delivered, 5);
	assert_int_equal(f->sent_n, 0);
	assert_int_equal(fix_state(f, HOST0), NEIGHBOR_FREE);
	fix_free(f);
}

/* Answered, but never learnt: a probe (RFC 5227), and a sender that is no neighbour. */
static void test_answered_not_learnt(void **state)
{
	struct fixture *f = fix_new();
	unsigned rib = f->rib.rib.count;

	fix_arp(f, 0, 1, mac_x, 0, ROUTER0);
	assert_int_equal(f->sent_n, 1);
	assert_int_equal(load_be32(f->sent[0].frame + 38), 0);
	fix_arp(f, 0, 1, mac_x, 0x0b000001, ROUTER0);
	fix_arp(f, 0, 1, mac_x, 0x0a0000ff, ROUTER0);
	assert_int_equal(f->sent_n, 3);
	for (unsigned i = 0; i < NEIGHBOR_MAX; i++)
		assert_int_equal(f->s.arp.entry[i].state, NEIGHBOR_FREE);
	assert_int_equal(f->rib.rib.count, rib);
	fix_free(f);
}

static void test_conflict(void **state)
{
	struct fixture *f = fix_new();

	fix_arp(f, 0, 1, mac_x, ROUTER0, ROUTER0);
	fix_arp(f, 0, 2, mac_x, ROUTER0, HOST0);
	assert_true(f->s.arp.conflicts == 2);
	assert_int_equal(f->sent_n, 0);
	assert_int_equal(fix_state(f, ROUTER0), NEIGHBOR_FREE);
	assert_int_equal(f->nexthops.nexthop[rib4_match(&f->rib, ROUTER0, false)->nexthop].action,
		NEXTHOP_LOCAL);
	fix_free(f);
}

/* A conflict is told, a flood of them is not a flood of log lines. */
static void test_conflict_is_told(void **state)
{
	struct fixture *f = fix_new();

	fix_arp(f, 0, 1, mac_x, ROUTER1, HOST0); /* another port's address is no conflict here */
	assert_int_equal(f->conflicts, 0);
	for (unsigned i = 0; i < 100; i++)
		fix_arp(f, 0, 1, mac_x, ROUTER0, ROUTER0);
	assert_int_equal(f->conflicts, 1);
	assert_int_equal(f->conflict_port, 0);
	assert_int_equal(f->conflict_address, ROUTER0);
	assert_memory_equal(f->conflict_mac, mac_x, 6);
	fix_arp(f, 1, 2, mac_host1, ROUTER1, HOST1); /* another port has its own interval */
	assert_int_equal(f->conflicts, 2);
	assert_int_equal(f->conflict_address, ROUTER1);
	fix_wait(f, NEIGHBOR_CONFLICT_MS - 10);
	fix_arp(f, 0, 1, mac_x, ROUTER0, ROUTER0);
	assert_int_equal(f->conflicts, 2);
	fix_wait(f, 10);
	fix_arp(f, 0, 1, mac_x, ROUTER0, ROUTER0);
	assert_int_equal(f->conflicts, 3);
	assert_true(f->s.arp.conflicts == 103);
	fix_free(f);
}

static void test_malformed(void **state)
{
	/* offset in the frame, value */
	static const uint8_t bad[][2] = {{15, 2}, {14, 1}, {16, 9}, {17, 6}, {18, 5}, {19, 16},
		{21, 0}, {21, 3}, {20, 1}, {22, 0x53}, {28, 127}, {28, 224}, {28, 255}};
	struct fixture *f = fix_new();
	uint8_t frame[60] = {0};

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		make_arp(frame, 1, mac_host0, HOST0, ROUTER0);
		frame[bad[i][0]] = bad[i][1];
		fix_receive(f, 0, frame, 42, PUNT_ARP);
		assert_int_equal(f->drops[DROP_ARP_MALFORMED], i + 1);
	}
	fix_clear(f);
	make_arp(frame, 1, (const uint8_t[6]){0}, HOST0, ROUTER0);
	fix_receive(f, 0, frame, 42, PUNT_ARP);
	make_arp(frame, 2, mac_host0, 0, ROUTER0); /* a reply from nobody */
	fix_receive(f, 0, frame, 42, PUNT_ARP);
	make_arp(frame, 1, mac_host0, HOST0, ROUTER0);
	for (uint32_t len = 14; len < 42; len++)
		fix_receive(f, 0, frame, len, PUNT_ARP);
	assert_int_equal(f->drops[DROP_ARP_MALFORMED], 2 + 28);
	assert_int_equal(f->sent_n, 0);
	fix_receive(f, 0, frame, 60, PUNT_ARP); /* padded, as on a real wire */
	assert_int_equal(f->delivered, 1);
	fix_free(f);
}

/* ---- resolution ---- */

static void test_resolve(void **state)
{
	struct fixture *f = fix_new();

	send_to(f, HOST1);
	assert_int_equal(f->sent_n, 1);
	assert_request(f, 0, 1, HOST1, broadcast);
	assert_int_equal(fix_state(f, HOST1), NEIGHBOR_INCOMPLETE);
	assert_int_equal(arp_held(&f->s), 1);
	assert_int_equal(f->rib.rib.count, 8); /* no route to one who has not answered */
	fix_arp(f, 1, 2, mac_host1, HOST1, ROUTER1);
	assert_int_equal(fix_state(f, HOST1), NEIGHBOR_REACHABLE);
	assert_int_equal(f->sent_n, 2);
	assert_int_equal(f->sent[1].port, 1);
	assert_memory_equal(f->sent[1].frame, mac_host1, 6);
	assert_memory_equal(f->sent[1].frame + 6, f->iface[1].mac, 6);
	assert_int_equal(f->sent[1].frame[22], 63);
	assert_int_equal(checksum(f->sent[1].frame + 14, 20), 0);
	assert_int_equal(arp_held(&f->s), 0);
	assert_non_null(neighbor_route(f, HOST1));
	send_to(f, HOST1); /* by a worker that has not seen the new table */
	assert_int_equal(f->sent_n, 3);
	fix_free(f);
}

/* RFC 1122 2.3.2.2: the latest packet is kept. */
static void test_one_is_held(void **state)
{
	struct fixture *f = fix_new();
	uint8_t frame[128] = {0};

	for (unsigned i = 0; i < 5; i++) {
		uint32_t len = make_ipv4(frame, HOST0, HOST1, 17, 64, 0, 20 + i);

		fix_receive(f, 0, frame, len, PUNT_RESOLVE);
	}
	assert_int_equal(f->drops[DROP_NEIGHBOR_PENDING], 4);
	assert_int_equal(f->sent_n, 1); /* one request, not five */
	fix_arp(f, 1, 2, mac_host1, HOST1, ROUTER1);
	assert_int_equal(f->sent[1].len, 14 + 20 + 24);
	fix_free(f);
}

/* A request from the neighbour resolves it as well, even if it is not for us (RFC 826, merge). */
static void test_merge(void **state)
{
	struct fixture *f = fix_new();

	send_to(f, HOST1);
	fix_arp(f, 1, 1, mac_host1, HOST1, HOST1 + 1);
	assert_int_equal(fix_state(f, HOST1), NEIGHBOR_REACHABLE);
	assert_int_equal(arp_held(&f->s), 0);
	fix_free(f);
}

static void test_retry_and_fail(void **state)
{
	struct fixture *f = fix_new_resolved();

	send_to(f, DEAD);
	fix_wait(f, 900);
	assert_int_equal(f->sent_n, 1);
	fix_wait(f, 200);
	assert_int_equal(f->sent_n, 2);
	fix_wait(f, 1800);
	assert_int_equal(f->sent_n, ARP_TRIES);
	assert_request(f, 2, 1, DEAD, broadcast);
	assert_int_equal(arp_held(&f->s), 1);
	fix_wait(f, 200);
	assert_int_equal(fix_state(f, DEAD), NEIGHBOR_FAILED);
	assert_int_equal(f->drops[DROP_NEIGHBOR_FAILED], 1);
	assert_int_equal(f->sent_n, ARP_TRIES + 1);
	assert_unreachable(f, ARP_TRIES);
	assert_true(f->s.arp.failed == 1);
	send_to(f, DEAD); /* at once, and no request */
	assert_int_equal(f->drops[DROP_NEIGHBOR_FAILED], 2);
	assert_unreachable(f, ARP_TRIES + 1);
	fix_wait(f, NEIGHBOR_FAILED_MS);
	assert_int_equal(fix_state(f, DEAD), NEIGHBOR_FREE);
	assert_int_equal(f->sent_n, ARP_TRIES + 2);
	send_to(f, DEAD); /* from the start */
	assert_request(f, ARP_TRIES + 2, 1, DEAD, broadcast);
	fix_free(f);
}

static void test_failed_recovers(void **state)
{
	struct fixture *f = fix_new_resolved();

	send_to(f, DEAD);
	fix_wait(f, 3500);
	assert_int_equal(fix_state(f, DEAD), NEIGHBOR_FAILED);
	fix_arp(f, 1, 1, mac_x, DEAD, ROUTER1);
	assert_int_equal(fix_state(f, DEAD), NEIGHBOR_REACHABLE);
	send_to(f, DEAD);
	assert_memory_equal(f->sent[f->sent_n - 1].frame, mac_x, 6);
	fix_free(f);
}

/* The router's own packets fail quietly: no ICMP to ourselves. */
static void test_own_packet_fails(void **state)
{
	struct fixture *f = fix_new_resolved();

	assert_int_equal(stack_send_echo(&f->s, DEAD, 1, 1, 8, 0), ERR_OK);
	fix_wait(f, 3500);
	assert_int_equal(f->drops[DROP_NEIGHBOR_FAILED], 1);
	assert_int_equal(f->sent_n, ARP_TRIES);
	assert_true(f->s.icmp_limit.sent == 0);
	fix_free(f);
}

/* ---- ageing ---- */

static void test_probe_answered(void **state)
{
	struct fixture *f = fix_new_resolved();

	fix_wait(f, ARP_REACHABLE_MS - 1000);
	assert_int_equal(f->sent_n, 0);
	fix_wait(f, 1100);
	assert_int_equal(fix_state(f, HOST1), NEIGHBOR_PROBE);
	assert_int_equal(f->sent_n, 2); /* one each, unicast */
	assert_request(f, 0, 0, HOST0, mac_host0);
	assert_request(f, 1, 1, HOST1, mac_host1);
	send_to(f, HOST1); /* still used */
	assert_memory_equal(f->sent[2].frame, mac_host1, 6);
	assert_non_null(neighbor_route(f, HOST1));
	fix_arp(f, 1, 2, mac_host1, HOST1, ROUTER1);
	assert_int_equal(fix_state(f, HOST1), NEIGHBOR_REACHABLE);
	fix_clear(f);
	fix_wait(f, 60000);
	assert_int_equal(fix_state(f, HOST1), NEIGHBOR_REACHABLE);
	fix_free(f);
}

static void test_probe_unanswered(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint32_t hop = neighbor_route(f, HOST1)->nexthop;

	fix_wait(f, ARP_REACHABLE_MS + 500);
	fix_arp(f, 0, 2, mac_host0, HOST0, ROUTER0);
	fix_wait(f, 3000);
	assert_int_equal(fix_state(f, HOST0), NEIGHBOR_REACHABLE);
	assert_int_equal(fix_state(f, HOST1), NEIGHBOR_FAILED);
	assert_int_equal(f->s.arp.requests_sent, 2 + ARP_TRIES - 1);
	assert_null(neighbor_route(f, HOST1));
	assert_int_equal(f->nexthops.nexthop[hop].refs, 0);
	assert_int_equal(adjacency_target(f->nexthops.adjacency[hop].out), NEXTHOP_RESOLVE);
	send_to(f, HOST1);
	assert_int_equal(f->drops[DROP_NEIGHBOR_FAILED], 1);
	fix_wait(f, NEIGHBOR_FAILED_MS + 100);
	assert_int_equal(fix_state(f, HOST1), NEIGHBOR_FREE);
	fix_free(f);
}

/* Another MAC: the control core uses it at once, workers after a grace period. */
static void test_mac_changes(void **state)
{
	struct fixture *f = fix_new_resolved();

	fix_arp(f, 1, 1, mac_x, HOST1, HOST1); /* gratuitous */
	assert_int_equal(adjacency_target(adjacency_of(f, HOST1)->out), NEXTHOP_RESOLVE);
	assert_memory_equal(adjacency_of(f, HOST1)->mac, mac_host1, 6);
	send_to(f, HOST1);
	assert_memory_equal(f->sent[0].frame, mac_x, 6);
	assert_true(nexthop_wants_grace(&f->nexthops, true));
	nexthop_grace_begin(&f->nexthops, true);
	nexthop_grace_passed(&f->nexthops);
	assert_memory_equal(adjacency_of(f, HOST1)->mac, mac_x, 6);
	assert_int_equal(adjacency_target(adjacency_of(f, HOST1)->out), 1);
	fix_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_for_us),
		cmocka_unit_test(test_request_for_whom_we_stand_in),
		cmocka_unit_test(test_not_for_us),
		cmocka_unit_test(test_answered_not_learnt),
		cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_conflict_is_told),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_one_is_held),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_retry_and_fail),
		cmocka_unit_test(test_failed_recovers),
		cmocka_unit_test(test_own_packet_fails),
		cmocka_unit_test(test_probe_answered),
		cmocka_unit_test(test_probe_unanswered),
		cmocka_unit_test(test_mac_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Steering with NAT: the two directions of random sessions come to one owner, whatever the rules.
 */
#include "test/unit/nat_fixture.h"

#include "net/path/steer.h"
#include "net/path/steer_columns.h"
#include "test/unit/forms.h"

#define OURS     IP(192, 0, 2, 1)    /* external addresses: some from here on */
#define INNER    IP(10, 0, 0, 0)     /* hosts inside */
#define PEER     IP(198, 51, 100, 0) /* and outside */
#define SESSIONS 400u

static struct nat_bench b;

static uint32_t any_inside(void)
{
	return INNER + nat_draw(&b, 32);
}

static uint32_t any_address(void)
{
	switch (nat_draw(&b, 3)) {
	case 0:
		return any_inside();
	case 1:
		return OURS + nat_draw(&b, 6);
	default:
		return PEER + nat_draw(&b, 8);
	}
}

static void random_source(void)
{
	uint32_t first = OURS + nat_draw(&b, 4);
	struct nat_source_spec s = nat_pool(INNER + nat_draw(&b, 32), 27 + nat_draw(&b, 6), OUTSIDE,
		first, first + nat_draw(&b, 2));

	s.rule.exempt = nat_draw(&b, 8) == 0;
	nat_rules_add_source(&b.rules, &s);
}

/* A port forwarded, all ports, or to a host outside. */
static void random_destination(void)
{
	static const uint8_t protocol[] = {0, IPV4_TCP, IPV4_UDP};
	uint8_t p = protocol[nat_draw(&b, 3)];
	uint16_t port = p && nat_draw(&b, 4) ? (uint16_t)(1000 + nat_draw(&b, 64) * 16) : 0;
	struct nat_destination_spec d =
		nat_forward((uint16_t)nat_draw(&b, 2), p, OURS + nat_draw(&b, 6), port,
			nat_draw(&b, 6) ? any_inside() : PEER + nat_draw(&b, 8),
			port && nat_draw(&b, 2) ? 80 : 0);

	if (port)
		d.match.port_last = (uint16_t)(port + nat_draw(&b, 32));
	nat_rules_add_destination(&b.rules, &d);
}

static void random_rules(void)
{
	nat_rules_begin(&b.rules);
	for (unsigned n = nat_draw(&b, 5); n; n--)
		random_source();
	for (unsigned n = nat_draw(&b, 12); n; n--)
		random_destination();
	nat_bench_publish(&b);
}

static struct flow_key random_key(void)
{
	static const uint8_t protocol[] = {IPV4_TCP, IPV4_UDP, IPV4_ICMP, 47, 132};
	uint8_t p = protocol[nat_draw(&b, nat_draw(&b, 3) ? 2 : 5)];
	struct flow_key k = nat_key(p, any_address(), 1000 + nat_draw(&b, 3000), any_address(),
		1000 + nat_draw(&b, 1100));

	if (p == 47)
		k.ports = 0;
	if (p == IPV4_ICMP)
		k.ports = (k.ports & 0xffff0000u) | 8 << 8;
	return k;
}

static bool is_inside(uint32_t address)
{
	return address - INNER < 32;
}

/*
 * A packet comes in, its owner translates it; what answers comes to the same owner, and so does
 * what follows. false: there was no session.
 */
static bool check_session(void)
{
	struct flow_key key = random_key(), first = key;
	unsigned in = is_inside((uint32_t)key.src.lo) ? INSIDE : OUTSIDE;
	unsigned owner = steer_owner(&b.rules, in, &key, b.owners);
	struct lane *lane = &b.lane[owner];
	struct nat_hold hold;

	if ((uint32_t)key.src.lo - OURS < 8)
		return false; /* nobody sends by our addresses */
	enum nat_result there = nat_destination(lane, in, &key, &hold);
	unsigned out = is_inside((uint32_t)key.dst.lo) ? INSIDE : OUTSIDE;
	bool made = there != NAT_FULL &&
		    (there == NAT_DONE || !nat_is_external(&b.rules, (uint32_t)key.dst.lo));

	if (made)
		made = nat_source(lane, out, &key, &hold) != NAT_FULL;
	if (made) {
		struct flow_key answer = nat_answer(&key);
		unsigned back = steer_owner(&b.rules, out, &answer, b.owners);

		if (back != owner)
			fail_msg("%u owners, protocol %u: %x:%u to %x:%u by %u became %x:%u to "
				 "%x:%u: owner %u, its answers' %u",
				b.owners, key.protocol, (unsigned)first.src.lo, first.ports >> 16,
				(unsigned)first.dst.lo, first.ports & 0xffff, in,
				(unsigned)key.src.lo, key.ports >> 16, (unsigned)key.dst.lo,
				key.ports & 0xffff, owner, back);
	}
	nat_release(lane, hold);
	return made;
}

static void test_both_directions(void **state)
{
	unsigned sessions = 0;

	for (unsigned owners = 1; owners <= SPREAD_MAX; owners++) {
		nat_bench_open(&b, owners, 2000, 16);
		b.seed = owners;
		for (unsigned round = 0; round < 100; round++) {
			random_rules();
			for (unsigned i = 0; i < SESSIONS; i++)
				sessions += check_session();
		}
		nat_bench_close(&b);
	}
	assert_true(sessions > 8 * 100 * SESSIONS / 8);
}

/* RFC 4787 REQ-1: whatever a host talks to from one port, one worker has its mapping. */
static void test_mapping_has_one_owner(void **state)
{
	struct nat_source_spec s = nat_pool(INNER, 24, OUTSIDE, OURS, OURS);
	unsigned used = 0;

	nat_bench_open(&b, SPREAD_MAX, 2000, 16);
	nat_rules_begin(&b.rules);
	nat_rules_add_source(&b.rules, &s);
	nat_bench_publish(&b);
	for (unsigned port = 0; port < 200; port++) {
		struct flow_key one = nat_key(IPV4_UDP, INNER + 5, 5000 + port, PEER, 53);
		unsigned owner = steer_owner(&b.rules, INSIDE, &one, SPREAD_MAX);

		for (unsigned i = 0; i < 20; i++) {
			one.dst.lo = PEER + i;
			one.ports = (one.ports & 0xffff0000u) | i * 100;
			assert_int_equal(steer_owner(&b.rules, INSIDE, &one, SPREAD_MAX), owner);
		}
		used |= 1u << owner;
	}
	assert_int_equal(used, (1u << SPREAD_MAX) - 1);
	nat_bench_close(&b);
}

/* A server behind a rule is served by all workers. */
static void test_target_is_spread(void **state)
{
	struct nat_source_spec s = nat_pool(INNER, 24, OUTSIDE, OURS, OURS);
	struct nat_destination_spec d = nat_forward(OUTSIDE, IPV4_TCP, OURS, 80, INNER + 9, 8080);
	unsigned used = 0;

	nat_bench_open(&b, SPREAD_MAX, 2000, 16);
	nat_rules_begin(&b.rules);
	nat_rules_add_source(&b.rules, &s);
	nat_rules_add_destination(&b.rules, &d);
	nat_bench_publish(&b);
	for (unsigned i = 0; i < 200; i++) {
		struct flow_key one = nat_key(IPV4_TCP, PEER + i, 5000, OURS, 80);

		used |= 1u << steer_owner(&b.rules, OUTSIDE, &one, SPREAD_MAX);
	}
	assert_int_equal(used, (1u << SPREAD_MAX) - 1);
	nat_bench_close(&b);
}

/* All forms say what steer_owner says, but for packets that they leave to it. */
static void test_forms(void **state)
{
	static steer_nat_fn *const form[] = {steer_nat_plain, steer_nat_v3, steer_nat_v4};
	static struct steer_columns c;
	unsigned told = 0;

	nat_bench_open(&b, SPREAD_MAX, 2000, 16);
	b.seed = 77;
	for (unsigned round = 0; round < 2000; round++) {
		unsigned owners = 1 + nat_draw(&b, SPREAD_MAX), n = 1 + nat_draw(&b, BATCH_MAX);

		random_rules();
		for (unsigned i = 0; i < n; i++) {
			struct flow_key key = random_key();

			c.src[i] = (uint32_t)key.src.lo;
			c.dst[i] = (uint32_t)key.dst.lo;
			c.ports[i] = key.ports;
			c.protocol[i] = i & 1 ? IPV4_TCP : IPV4_UDP;
		}
		uint64_t left = form[round % forms_here()](&b.rules, n, owners, &c);

		for (unsigned i = 0; i < n; i++) {
			struct flow_key key = nat_key((uint8_t)c.protocol[i], c.src[i],
				c.ports[i] >> 16, c.dst[i], c.ports[i] & 0xffff);

			if (left >> i & 1)
				continue;
			assert_int_equal(c.owner[i], steer_owner(&b.rules, OUTSIDE, &key, owners));
			assert_int_equal(c.owner[i], steer_owner(&b.rules, INSIDE, &key, owners));
			told++;
		}
	}
	assert_true(told > 20000);
	nat_bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_directions),
		cmocka_unit_test(test_mapping_has_one_owner),
		cmocka_unit_test(test_target_is_spread),
		cmocka_unit_test(test_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

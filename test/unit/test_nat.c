/* NAT's rules and mappings against a plain model of them, and each promise by itself. */
#include "test/unit/nat_fixture.h"

static struct nat_bench b;

#define CLIENT IP(10, 0, 0, 2)
#define SERVER IP(10, 0, 0, 5)
#define OURS   IP(192, 0, 2, 1)
#define PEER   IP(198, 51, 100, 7)

/* A session from inside that goes out; what it became is in *key. */
static enum nat_result go_out(unsigned a, struct flow_key *key, struct nat_hold *hold)
{
	enum nat_result first = nat_destination(&b.lane[a], INSIDE, key, hold);

	assert_int_equal(first, NAT_NONE);
	return nat_source(&b.lane[a], OUTSIDE, key, hold);
}

static unsigned port_of(const struct flow_key *k)
{
	return k->ports >> 16;
}

static void open_with(unsigned owners, const struct nat_source_spec *source)
{
	nat_bench_open(&b, owners, 70000, 8);
	nat_rules_begin(&b.rules);
	if (source)
		nat_rules_add_source(&b.rules, source);
}

/* ---- promises ---- */

static void mapping_is_the_same_whatever_it_talks_to(void **state)
{
	struct nat_source_spec s = nat_pool(IP(10, 0, 0, 0), 8, OUTSIDE, OURS, OURS);
	struct flow_key one = nat_key(IPV4_UDP, CLIENT, 5000, PEER, 53);
	struct flow_key two = nat_key(IPV4_UDP, CLIENT, 5000, PEER + 1, 99);
	struct flow_key other = nat_key(IPV4_UDP, CLIENT, 5001, PEER, 53);
	struct nat_hold h1, h2, h3;

	(void)state;
	open_with(1, &s);
	nat_bench_publish(&b);
	assert_int_equal(go_out(0, &one, &h1), NAT_DONE);
	assert_int_equal(go_out(0, &two, &h2), NAT_DONE);
	assert_int_equal(go_out(0, &other, &h3), NAT_DONE);
	assert_int_equal(one.src.lo, OURS);
	assert_int_equal(port_of(&one), port_of(&two));
	assert_int_not_equal(port_of(&one), port_of(&other));
	assert_int_equal(one.ports & 0xffff, 53);
	assert_int_equal(h1.mapping, h2.mapping);
	assert_int_equal(b.state[0].live, 2);
	assert_int_equal(b.state[0].hits[0], 3);
	nat_release(&b.lane[0], h1);
	assert_int_equal(b.state[0].live, 2); /* the second holds it */
	nat_release(&b.lane[0], h2);
	nat_release(&b.lane[0], h3);
	assert_int_equal(b.state[0].live, 0);
	assert_int_equal(b.state[0].spaces.in_use, 0);
	nat_bench_close(&b);
}

static void ports_keep_parity_and_privilege(void **state)
{
	struct nat_source_spec s = nat_pool(IP(10, 0, 0, 0), 8, OUTSIDE, OURS, OURS);
	unsigned seen = 0;

	(void)state;
	open_with(1, &s);
	nat_bench_publish(&b);
	for (unsigned i = 1; i < 1000; i++) {
		unsigned port = i < 400 ? i : 1024 + i;
		struct flow_key key = nat_key(IPV4_UDP, CLIENT, port, PEER, 53);
		struct nat_hold hold;

		assert_int_equal(go_out(0, &key, &hold), NAT_DONE);
		assert_int_equal(port_of(&key) & 1, port & 1);
		assert_int_equal(port_of(&key) < 1024, port < 1024);
		assert_int_not_equal(port_of(&key), 0);
		seen += port_of(&key) == port;
	}
	assert_in_range(seen, 0, 20); /* at random, and not the one it has inside */
	nat_bench_close(&b);
}

/* An inside host has one external address, and a pool is used all over. */
static void pool_is_paired(void **state)
{
	struct nat_source_spec s = nat_pool(IP(10, 0, 0, 0), 8, OUTSIDE, OURS, OURS + 3);
	unsigned met[4] = {0};

	(void)state;
	open_with(1, &s);
	nat_bench_publish(&b);
	for (unsigned host = 0; host < 64; host++) {
		uint32_t external = 0;

		for (unsigned i = 0; i < 4; i++) {
			struct flow_key key = nat_key(
				i & 1 ? IPV4_UDP : IPV4_TCP, CLIENT + host, 2000 + i, PEER + i, 53);
			struct nat_hold hold;

			assert_int_equal(go_out(0, &key, &hold), NAT_DONE);
			assert_in_range(key.src.lo, OURS, OURS + 3);
			if (i)
				assert_int_equal(key.src.lo, external);
			external = (uint32_t)key.src.lo;
		}
		met[external - OURS]++;
	}
	for (unsigned i = 0; i < 4; i++)
		assert_in_range(met[i], 4, 40);
	nat_bench_close(&b);
}

/* Every port is given out once, then none; what is given back is given out again. */
static void all_ports_are_given_out(void **state)
{
	static struct nat_hold hold[2000];
	static bool taken[65536];
	struct nat_source_spec s = nat_pool(IP(10, 0, 0, 0), 8, OUTSIDE, OURS, OURS);

	(void)state;
	s.rule.port_first = 2001;
	s.rule.port_last = 3000;
	for (unsigned owners = 1; owners <= SPREAD_MAX; owners++) {
		unsigned all = 0;

		memset(taken, 0, sizeof taken);
		open_with(owners, &s);
		nat_bench_publish(&b);
		for (unsigned a = 0; a < owners; a++) {
			for (unsigned i = 0; i < 2000; i++) {
				struct flow_key key =
					nat_key(IPV4_UDP, CLIENT + a, 10000 + i, PEER, 53);

				if (go_out(a, &key, &hold[all]) == NAT_FULL)
					break;
				unsigned port = port_of(&key);

				assert_in_range(port, 2001, 3000);
				assert_int_equal(steer_port_owner((uint16_t)port, owners), a);
				assert_false(taken[port]);
				taken[port] = true;
				all++;
			}
			struct flow_key key = nat_key(IPV4_UDP, CLIENT + a, 9, PEER, 53);
			struct nat_hold full;

			assert_int_equal(go_out(a, &key, &full), NAT_FULL);
			assert_int_equal(full.mapping, NAT_NO_MAPPING);
			nat_release(&b.lane[a], full);
		}
		assert_int_equal(all, 1000);
		for (unsigned i = 0, a = 0; i < all; i++) {
			while (hold[i].mapping >= b.state[a].high)
				a++;
			if (i && hold[i].mapping < hold[i - 1].mapping)
				a++;
			nat_release(&b.lane[a], hold[i]);
		}
		for (unsigned a = 0; a < owners; a++) {
			assert_int_equal(b.state[a].live, 0);
			assert_int_equal(b.state[a].spaces.in_use, 0);
		}
		nat_bench_close(&b);
	}
}

static void identifiers_of_icmp_are_all_of_16_bits(void **state)
{
	struct nat_source_spec s = nat_pool(IP(10, 0, 0, 0), 8, OUTSIDE, OURS, OURS);
	unsigned n = 0;
	bool zero = false;
	struct nat_hold hold;

	(void)state;
	s.rule.port_first = 5000; /* of ports, not of identifiers */
	s.rule.port_last = 5001;
	open_with(1, &s);
	nat_bench_publish(&b);
	for (;; n++) {
		struct flow_key key =
			nat_key(IPV4_ICMP, CLIENT + n / 60000, n % 60000, PEER, 0x800);

		if (go_out(0, &key, &hold) != NAT_DONE)
			break;
		assert_int_equal(key.ports & 0xffff, 0x800);
		zero = zero || port_of(&key) == 0;
	}
	assert_int_equal(n, 65536);
	assert_true(zero);
	nat_bench_close(&b);
}

static void others_change_their_address_alone(void **state)
{
	struct nat_source_spec s = nat_pool(IP(10, 0, 0, 0), 8, OUTSIDE, OURS, OURS);
	struct flow_key gre = nat_key(47, CLIENT, 0, PEER, 0);
	struct flow_key sctp = nat_key(132, CLIENT, 77, PEER, 88);
	struct nat_hold hold;

	(void)state;
	open_with(1, &s);
	nat_bench_publish(&b);
	assert_int_equal(go_out(0, &gre, &hold), NAT_DONE);
	assert_int_equal(gre.src.lo, OURS);
	assert_int_equal(hold.mapping, NAT_NO_MAPPING);
	assert_int_equal(go_out(0, &sctp, &hold), NAT_DONE);
	assert_int_equal(sctp.src.lo, OURS);
	assert_int_equal(sctp.ports, 77u << 16 | 88);
	nat_bench_close(&b);
}

/* ---- destinations ---- */

static void forward_and_hairpin(void **state)
{
	struct nat_source_spec s = nat_pool(IP(10, 0, 0, 0), 8, OUTSIDE, OURS, OURS);
	struct nat_destination_spec d = nat_forward(OUTSIDE, IPV4_TCP, OURS, 80, SERVER, 8080);
	struct flow_key in = nat_key(IPV4_TCP, PEER, 4000, OURS, 80);
	struct flow_key hair = nat_key(IPV4_TCP, CLIENT, 4000, OURS, 80);
	struct flow_key udp = nat_key(IPV4_UDP, PEER, 4000, OURS, 80);
	struct nat_hold hold;

	(void)state;
	open_with(1, &s);
	nat_rules_add_destination(&b.rules, &d);
	nat_bench_publish(&b);
	assert_int_equal(nat_destination(&b.lane[0], OUTSIDE, &in, &hold), NAT_DONE);
	assert_int_equal(in.dst.lo, SERVER);
	assert_int_equal(in.ports, 4000u << 16 | 8080);
	assert_int_equal(nat_source(&b.lane[0], INSIDE, &in, &hold), NAT_NONE);
	assert_int_equal(in.src.lo, PEER);

	assert_int_equal(nat_destination(&b.lane[0], INSIDE, &hair, &hold), NAT_DONE);
	assert_int_equal(hair.dst.lo, SERVER);
	assert_int_equal(hair.ports & 0xffff, 8080);
	assert_int_equal(nat_source(&b.lane[0], INSIDE, &hair, &hold), NAT_DONE);
	assert_int_equal(hair.src.lo, OURS);
	nat_release(&b.lane[0], hold);

	assert_int_equal(nat_destination(&b.lane[0], OUTSIDE, &udp, &hold), NAT_NONE);
	assert_int_equal(udp.dst.lo, OURS);
	assert_true(nat_is_target(&b.rules, SERVER));
	assert_false(nat_is_target(&b.rules, CLIENT));
	assert_true(nat_is_external(&b.rules, OURS));
	assert_true(nat_is_inside(&b.rules, CLIENT));
	assert_false(nat_is_inside(&b.rules, PEER));
	nat_bench_close(&b);
}

/* RFC 4787 REQ-9: both seem to be outside. From outside a mapping alone lets nobody in. */
static void mapping_is_reached_from_inside(void **state)
{
	struct nat_source_spec s = nat_pool(IP(10, 0, 0, 0), 8, OUTSIDE, OURS, OURS);
	struct flow_key first = nat_key(IPV4_UDP, SERVER, 7000, PEER, 53);
	struct nat_hold hold, other;

	(void)state;
	open_with(1, &s);
	nat_bench_publish(&b);
	assert_int_equal(go_out(0, &first, &hold), NAT_DONE);
	struct flow_key hair = nat_key(IPV4_UDP, CLIENT, 4000, OURS, port_of(&first));
	struct flow_key in = nat_key(IPV4_UDP, PEER, 4000, OURS, port_of(&first));

	assert_int_equal(nat_destination(&b.lane[0], INSIDE, &hair, &other), NAT_DONE);
	assert_int_equal(hair.dst.lo, SERVER);
	assert_int_equal(hair.ports & 0xffff, 7000);
	assert_int_equal(nat_source(&b.lane[0], INSIDE, &hair, &other), NAT_DONE);
	assert_int_equal(hair.src.lo, OURS);
	assert_int_not_equal(port_of(&hair), 4000);
	assert_int_equal(nat_destination(&b.lane[0], OUTSIDE, &in, &other), NAT_NONE);
	nat_bench_close(&b);
}

/* `from` everybody: who comes in where that is masqueraded is outside all the same. */
static void mapping_is_not_reached_from_outside(void **state)
{
	struct nat_source_spec s = nat_pool(0, 0, OUTSIDE, OURS, OURS);
	struct flow_key first = nat_key(IPV4_UDP, SERVER, 7000, PEER, 53);
	struct nat_hold hold, other;

	(void)state;
	open_with(1, &s);
	s.match.iface = OUTSIDE + 1; /* a second way out */
	nat_rules_add_source(&b.rules, &s);
	nat_bench_publish(&b);
	assert_int_equal(go_out(0, &first, &hold), NAT_DONE);
	struct flow_key hair = nat_key(IPV4_UDP, CLIENT, 4000, OURS, port_of(&first));
	struct flow_key in = nat_key(IPV4_UDP, PEER, 4000, OURS, port_of(&first));

	assert_int_equal(nat_destination(&b.lane[0], OUTSIDE, &in, &other), NAT_NONE);
	assert_int_equal(nat_destination(&b.lane[0], OUTSIDE + 1, &in, &other), NAT_NONE);
	assert_int_equal(nat_destination(&b.lane[0], INSIDE, &hair, &other), NAT_DONE);
	nat_bench_close(&b);
}

/* A mapping has no port that a rule leads to somebody else. */
static void ports_of_rules_are_not_given_out(void **state)
{
	struct nat_source_spec s = nat_pool(IP(10, 0, 0, 0), 8, OUTSIDE, OURS, OURS);
	struct nat_destination_spec d = nat_forward(OUTSIDE, IPV4_TCP, OURS, 80, SERVER, 0);
	unsigned n = 0, own = 0;

	(void)state;
	s.rule.port_first = 2000;
	s.rule.port_last = 2199;
	d.match.port_first = 2050;
	d.match.port_last = 2149;
	open_with(1, &s);
	nat_rules_add_destination(&b.rules, &d);
	nat_bench_publish(&b);
	for (;; n++) {
		struct flow_key key = nat_key(IPV4_TCP, CLIENT, 10000 + n, PEER, 53);
		struct nat_hold hold;

		if (go_out(0, &key, &hold) != NAT_DONE)
			break;
		assert_false(port_of(&key) >= 2050 && port_of(&key) <= 2149);
	}
	assert_int_equal(n, 100);
	for (;; own++) { /* but to the host that they are led to */
		struct flow_key key = nat_key(IPV4_TCP, SERVER, 10000 + own, PEER, 53);
		struct nat_hold hold;

		if (go_out(0, &key, &hold) != NAT_DONE)
			break;
		assert_in_range(port_of(&key), 2050, 2149);
	}
	assert_int_equal(own, 100);
	nat_bench_close(&b);
}

static void exempt_is_not_translated(void **state)
{
	struct nat_source_spec s = nat_pool(IP(10, 0, 0, 0), 8, OUTSIDE, OURS, OURS);
	struct nat_source_spec none = s;
	struct flow_key vpn = nat_key(IPV4_TCP, CLIENT, 1, IP(10, 9, 0, 1), 2);
	struct flow_key other = nat_key(IPV4_TCP, CLIENT, 1, PEER, 2);
	struct flow_key back = nat_key(IPV4_TCP, CLIENT, 1, PEER, 2);
	struct nat_hold hold;

	(void)state;
	none.rule = (struct nat_source_rule){.exempt = true};
	none.match.dst = IP(10, 9, 0, 0);
	none.match.dst_mask = 0xffff0000u;
	open_with(1, &none);
	nat_rules_add_source(&b.rules, &s);
	nat_bench_publish(&b);
	assert_int_equal(go_out(0, &vpn, &hold), NAT_NONE);
	assert_int_equal(vpn.src.lo, CLIENT);
	assert_int_equal(go_out(0, &other, &hold), NAT_DONE);
	assert_int_equal(nat_destination(&b.lane[0], INSIDE, &back, &hold), NAT_NONE);
	assert_int_equal(nat_source(&b.lane[0], INSIDE, &back, &hold), NAT_NONE);
	nat_bench_close(&b);
}

/* ---- a change of rules ---- */

struct session {
	struct flow_key key[2];
	struct nat_hold hold;
	unsigned actor;
};

/* Begins a session as track does; false: it did not. */
static bool begin(struct session *s, unsigned a, unsigned in, unsigned out, struct flow_key key)
{
	s->key[0] = key;
	s->actor = a;
	if (nat_destination(&b.lane[a], in, &key, &s->hold) == NAT_FULL ||
		nat_source(&b.lane[a], out, &key, &s->hold) == NAT_FULL)
		return false;
	s->key[1] = nat_answer(&key);
	return true;
}

static bool still(struct session *s)
{
	return nat_still(&b.lane[s->actor], s->key, &s->hold);
}

static void session_ends_when_its_rule_is_another(void **state)
{
	struct nat_source_spec s = nat_pool(IP(10, 0, 0, 0), 8, OUTSIDE, OURS, OURS);
	struct nat_destination_spec d = nat_forward(OUTSIDE, IPV4_TCP, OURS, 80, SERVER, 8080);
	struct session out, in, hair, none;

	(void)state;
	open_with(1, &s);
	nat_rules_add_destination(&b.rules, &d);
	nat_bench_publish(&b);
	assert_true(begin(&out, 0, INSIDE, OUTSIDE, nat_key(IPV4_TCP, CLIENT, 1000, PEER, 2)));
	assert_true(begin(&in, 0, OUTSIDE, INSIDE, nat_key(IPV4_TCP, PEER, 1, OURS, 80)));
	assert_true(begin(&hair, 0, INSIDE, INSIDE, nat_key(IPV4_TCP, CLIENT, 1, OURS, 80)));
	assert_true(begin(&none, 0, OUTSIDE, INSIDE, nat_key(IPV4_TCP, PEER, 1, CLIENT, 80)));

	nat_bench_publish(&b); /* the same rules, published again */
	assert_true(still(&out) && still(&in) && still(&hair) && still(&none));
	assert_int_equal(out.hold.version, b.version);

	nat_rules_begin(&b.rules); /* without the forwarding */
	nat_rules_add_source(&b.rules, &s);
	nat_bench_publish(&b);
	assert_true(still(&out) && still(&none));
	assert_false(still(&in));
	assert_false(still(&hair));

	s.rule.first = s.rule.last = OURS + 9; /* another address */
	nat_rules_begin(&b.rules);
	nat_rules_add_source(&b.rules, &s);
	nat_rules_add_destination(&b.rules, &d);
	nat_bench_publish(&b);
	assert_false(still(&out));
	assert_true(still(&in));
	assert_true(still(&none));

	b.tables.nat = NULL; /* no rules at all */
	assert_false(still(&out));
	assert_false(still(&in));
	assert_true(still(&none));

	struct session plain; /* begun without; now there is a rule */

	assert_true(begin(&plain, 0, INSIDE, OUTSIDE, nat_key(IPV4_TCP, CLIENT, 9, PEER, 2)));
	assert_true(still(&plain));
	nat_bench_publish(&b);
	assert_false(still(&plain));
	nat_bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mapping_is_the_same_whatever_it_talks_to),
		cmocka_unit_test(ports_keep_parity_and_privilege),
		cmocka_unit_test(pool_is_paired),
		cmocka_unit_test(all_ports_are_given_out),
		cmocka_unit_test(identifiers_of_icmp_are_all_of_16_bits),
		cmocka_unit_test(others_change_their_address_alone),
		cmocka_unit_test(forward_and_hairpin),
		cmocka_unit_test(mapping_is_reached_from_inside),
		cmocka_unit_test(mapping_is_not_reached_from_outside),
		cmocka_unit_test(ports_of_rules_are_not_given_out),
		cmocka_unit_test(exempt_is_not_translated),
		cmocka_unit_test(session_ends_when_its_rule_is_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Random sessions and rules of NAT against a plain model, which looks at every rule and session. */
#include "test/unit/nat_fixture.h"

static struct nat_bench b;

#define OURS IP(192, 0, 2, 1)
#define PEER IP(198, 51, 100, 7)

struct session {
	struct flow_key key[2];
	struct nat_hold hold;
	unsigned actor;
};

static bool still(struct session *s)
{
	return nat_still(&b.lane[s->actor], s->key, &s->hold);
}

static unsigned port_of(const struct flow_key *k)
{
	return k->ports >> 16;
}

#define MODEL_RULES    40u
#define MODEL_SESSIONS 3000u
#define MODEL_STEPS    60000u

static struct nat_source_spec source[MODEL_RULES];
static struct nat_destination_spec destination[MODEL_RULES];
static unsigned sources, destinations;
static struct session live[MODEL_SESSIONS];
static struct flow_key became[MODEL_SESSIONS]; /* what left */
static unsigned lives;

static void random_rules(void)
{
	sources = nat_draw(&b, MODEL_RULES / 2) + 1;
	destinations = nat_draw(&b, MODEL_RULES);
	nat_rules_begin(&b.rules);
	for (unsigned i = 0; i < sources; i++) {
		uint32_t first = OURS + nat_draw(&b, 3);

		source[i] = nat_pool(IP(10, 0, 0, nat_draw(&b, 16)), 24 + nat_draw(&b, 9),
			1 + nat_draw(&b, 2), first, first + nat_draw(&b, 3));
		if (nat_draw(&b, 3) == 0) {
			source[i].rule.port_first = (uint16_t)(2000 + nat_draw(&b, 300));
			source[i].rule.port_last =
				(uint16_t)(source[i].rule.port_first + nat_draw(&b, 400));
		}
		source[i].match.any_protocol = nat_draw(&b, 2);
		source[i].match.protocol = nat_draw(&b, 2) ? IPV4_TCP : IPV4_UDP;
		if (source[i].match.any_protocol)
			source[i].match.protocol = 0;
		source[i].match.dst = PEER;
		source[i].match.dst_mask = nat_draw(&b, 4) ? 0 : 0xfffffffeu;
		source[i].rule.exempt = nat_draw(&b, 6) == 0;
		source[i].rule.slot = (uint16_t)i;
		nat_rules_add_source(&b.rules, &source[i]);
	}
	for (unsigned i = 0; i < destinations; i++) {
		uint16_t port = (uint16_t)(nat_draw(&b, 4) ? 2000 + nat_draw(&b, 40) : 0);

		destination[i] =
			nat_forward(1 + nat_draw(&b, 2), nat_draw(&b, 2) ? IPV4_TCP : IPV4_UDP,
				OURS + nat_draw(&b, 5), port, IP(10, 0, 0, nat_draw(&b, 16)),
				(uint16_t)(port && nat_draw(&b, 2) ? 8000 : 0));
		if (port)
			destination[i].match.port_last = (uint16_t)(port + nat_draw(&b, 3));
		nat_rules_add_destination(&b.rules, &destination[i]);
	}
	nat_bench_publish(&b);
}

static bool asks(const struct nat_match *m, const struct flow_key *k)
{
	unsigned port = k->ports & 0xffff;

	return !((m->src ^ (uint32_t)k->src.lo) & m->src_mask) &&
	       !((m->dst ^ (uint32_t)k->dst.lo) & m->dst_mask) &&
	       (m->any_protocol || m->protocol == k->protocol) &&
	       (!m->ports || (port >= m->port_first && port <= m->port_last));
}

static int model_destination(unsigned in, struct flow_key *k)
{
	for (unsigned i = 0; i < destinations; i++) {
		const struct nat_destination_spec *d = &destination[i];

		if (d->match.iface != in || !asks(&d->match, k))
			continue;
		k->dst.lo = d->address;
		if (d->to_port)
			k->ports += (uint32_t)d->to_port - d->match.port_first;
		return (int)i;
	}
	return -1;
}

/* Hairpinning of rules; the rule of source NAT that is to be used, or -1. */
static int model_hairpin(unsigned in, struct flow_key *k)
{
	bool inside = false;

	for (unsigned i = 0; i < sources; i++)
		inside = inside ||
			 (!source[i].rule.exempt && !((source[i].match.src ^ (uint32_t)k->src.lo) &
							    source[i].match.src_mask));
	for (unsigned i = 0; i < sources; i++) /* it is not from inside */
		if (source[i].match.iface == in && asks(&source[i].match, k))
			return -1;
	for (unsigned i = 0; inside && i < sources; i++) {
		if (!asks(&source[i].match, k))
			continue;
		if (source[i].rule.exempt)
			return -1;
		if (source[i].match.iface != in && model_destination(source[i].match.iface, k) >= 0)
			return (int)i;
	}
	return -1;
}

static unsigned kind(uint8_t protocol)
{
	return protocol == IPV4_TCP ? 0 : protocol == IPV4_ICMP ? 2 : 1;
}

/* Whether a port of an external address could still be given. */
static bool model_free(const struct nat_source_rule *rule, const struct flow_key *k,
	uint32_t external, unsigned a, unsigned port)
{
	if (steer_port_owner((uint16_t)port, b.owners) != a)
		return false;
	if (k->protocol != IPV4_ICMP && rule->port_last
			? port < rule->port_first || port > rule->port_last
			: k->protocol != IPV4_ICMP && port == 0)
		return false;
	for (unsigned i = 0; i < destinations; i++) {
		const struct nat_destination_spec *d = &destination[i];

		if (d->match.dst == external && d->address != (uint32_t)k->src.lo &&
			d->match.protocol == k->protocol &&
			(!d->match.ports ||
				(port >= d->match.port_first && port <= d->match.port_last)))
			return false;
	}
	for (unsigned i = 0; i < lives; i++)
		if (live[i].hold.mapping != NAT_NO_MAPPING &&
			(uint32_t)became[i].src.lo == external &&
			kind(became[i].protocol) == kind(k->protocol) &&
			port_of(&became[i]) == port)
			return false;
	return true;
}

/* A session that has what another of the same inside address and port has, in the same place. */
static const struct flow_key *model_mapping(
	unsigned a, const struct flow_key *before, uint32_t external)
{
	for (unsigned i = 0; i < lives; i++)
		if (live[i].actor == a && live[i].hold.mapping != NAT_NO_MAPPING &&
			live[i].key[0].protocol == before->protocol &&
			live[i].key[0].src.lo == before->src.lo &&
			port_of(&live[i].key[0]) == port_of(before) &&
			(uint32_t)became[i].src.lo == external)
			return &became[i];
	return NULL;
}

static void check_source(unsigned a, const struct nat_source_rule *rule,
	const struct flow_key *before, const struct flow_key *after, enum nat_result result)
{
	uint32_t external = nat_rules_address(rule, (uint32_t)before->src.lo);
	const struct flow_key *has = model_mapping(a, before, external);

	assert_in_range(external, rule->first, rule->last);
	if (result == NAT_FULL) {
		assert_null(has);
		if (!rule->port_last) /* a rule leads all to somebody else */
			for (unsigned port = 0; port < 65536; port += 97)
				assert_false(model_free(rule, before, external, a, port));
		for (unsigned port = rule->port_first; port <= rule->port_last; port++)
			assert_false(model_free(rule, before, external, a, port));
		return;
	}
	assert_int_equal(result, NAT_DONE);
	assert_int_equal(after->src.lo, external);
	assert_int_equal(after->ports & 0xffff, before->ports & 0xffff);
	if (before->protocol == 47)
		assert_int_equal(after->ports, before->ports);
	else if (has)
		assert_int_equal(port_of(after), port_of(has));
	else
		assert_true(model_free(rule, before, external, a, port_of(after)));
}

static void model_begin(void)
{
	static const uint8_t protocols[] = {IPV4_TCP, IPV4_UDP, IPV4_ICMP, 47};
	uint8_t protocol = protocols[nat_draw(&b, 4)];
	unsigned a = nat_draw(&b, b.owners), in = nat_draw(&b, 3), out = nat_draw(&b, 3);
	uint32_t dst = nat_draw(&b, 3) ? PEER + nat_draw(&b, 4) : OURS + nat_draw(&b, 5);
	struct flow_key key = nat_key(protocol, IP(10, 0, 0, nat_draw(&b, 16)),
		protocol == 47 ? 0 : 3000 + nat_draw(&b, 200), dst,
		protocol == 47          ? 0
		: protocol == IPV4_ICMP ? 0x800
					: 2000 + nat_draw(&b, 40));
	struct flow_key want = key, first = key;
	struct session *s = &live[lives];
	int hairpin = -1;
	bool by_rule = model_destination(in, &want) >= 0;

	if (!by_rule)
		hairpin = model_hairpin(in, &want);
	*s = (struct session){.key = {key}, .actor = a};
	enum nat_result result = nat_destination(&b.lane[a], in, &key, &s->hold);

	if (by_rule || hairpin >= 0 || result == NAT_NONE) {
		assert_int_equal(result, by_rule || hairpin >= 0 ? NAT_DONE : NAT_NONE);
		assert_true(flow_key_equal(&key, &want));
	} else { /* by a mapping: somebody inside has it */
		bool found = false;

		assert_int_equal(result, NAT_DONE);
		for (unsigned i = 0; i < lives; i++)
			found = found ||
				(live[i].hold.mapping != NAT_NO_MAPPING && live[i].actor == a &&
					(uint32_t)became[i].src.lo == (uint32_t)first.dst.lo &&
					port_of(&became[i]) == (first.ports & 0xffff) &&
					live[i].key[0].src.lo == key.dst.lo &&
					port_of(&live[i].key[0]) == (key.ports & 0xffff));
		assert_true(found);
	}
	bool by_mapping = result == NAT_DONE && !by_rule && hairpin < 0;
	int rule = -1;

	for (unsigned i = 0; rule < 0 && i < sources; i++)
		if (source[i].match.iface == out && asks(&source[i].match, &key))
			rule = (int)i;
	if (rule < 0 && by_mapping)
		for (unsigned i = 0; rule < 0 && i < sources; i++)
			if (asks(&source[i].match, &first))
				rule = (int)i;
	if (rule < 0)
		rule = hairpin;
	struct flow_key before = key;

	result = nat_source(&b.lane[a], out, &key, &s->hold);
	if (rule < 0 || source[rule].rule.exempt) {
		assert_int_equal(result, NAT_NONE);
		assert_true(flow_key_equal(&key, &before));
	} else {
		check_source(a, &source[rule].rule, &before, &key, result);
	}
	if (result == NAT_FULL)
		return;
	s->key[1] = nat_answer(&key);
	became[lives++] = key;
}

static void model_end(void)
{
	unsigned i = nat_draw(&b, lives);

	nat_release(&b.lane[live[i].actor], live[i].hold);
	live[i] = live[--lives];
	became[i] = became[lives];
}

/* Ends what the rules do not say any more; the model says the same of each. */
static void model_change(void)
{
	random_rules();
	for (unsigned i = 0; i < lives;) {
		struct session *s = &live[i];

		if (!still(s)) {
			nat_release(&b.lane[s->actor], s->hold);
			*s = live[--lives];
			became[i] = became[lives];
			continue;
		}
		assert_true(still(s));
		i++;
	}
}

static void sessions_are_as_in_the_model(void **state)
{
	(void)state;
	for (unsigned owners = 1; owners <= 3; owners++) {
		nat_bench_open(&b, owners, 4096, 24);
		b.seed = owners;
		lives = 0;
		random_rules();
		for (unsigned n = 0; n < MODEL_STEPS / 3; n++) {
			unsigned what = nat_draw(&b, 2000);

			if (what == 0)
				model_change();
			else if (lives == MODEL_SESSIONS || (lives && what % 5 < 2))
				model_end();
			else
				model_begin();
		}
		while (lives)
			model_end();
		for (unsigned a = 0; a < owners; a++) {
			assert_int_equal(b.state[a].live, 0);
			assert_int_equal(b.state[a].spaces.in_use, 0);
		}
		nat_bench_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_are_as_in_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * explain against what really happens: random configurations, random frames; and nothing that it
 * leaves behind.
 */
#include "test/unit/explain_fixture.h"

#define ROUNDS 24u
#define FRAMES 150u

static struct config_route some_routes[8];
static struct config_class classes[3];
static bool tracks; /* some rule asks for sessions */
static struct config_neighbor known[2 * PORTS + 2];

/* ---- configurations ---- */

static void add_route(unsigned i, uint8_t first, enum static_kind kind, uint32_t gateway)
{
	some_routes[i].route = (struct static_route){.prefix = rib4_key(IP(first, 0, 0, 0)),
		.length = 8,
		.kind = (uint8_t)kind,
		.gateway = rib4_key(gateway),
		.weight = 1};
}

static void random_rule(unsigned i)
{
	static const uint8_t protocols[] = {IPV4_TCP, IPV4_UDP, IPV4_ICMP, IPV6_ICMP};
	struct acl_rule *m = &match[i];

	*m = (struct acl_rule){.to_port = {0, 65535}, .from_port = {0, 65535}};
	rules[i] = (struct config_rule){.permit = draw(3) != 0, .log = draw(4) == 0};
	m->established = tracks && draw(2);
	m->any_protocol = draw(2);
	m->protocol = m->any_protocol ? 0 : protocols[draw(sizeof protocols)];
	if (draw(2)) {
		m->family = 4;
		m->to = (struct ip6){0, IP(20 + 10 * draw(3), 0, 0, 0)};
		m->to_length = 8;
	} else if (draw(2)) {
		m->family = 6;
		m->to = TO6(draw(4));
		m->to_length = 126;
		m->to.lo &= ~3ull;
	}
}

static void random_lists(void)
{
	static const char *const names[] = {"", "A", "B", "C"};

	config.acls = config.rules = 0;
	for (unsigned i = 0; i < RULES; i++)
		random_rule(i);
	add_list("A", 1 + draw(8));
	add_list("B", 1 + draw(8));
	add_list("C", 1 + draw(80));
	rules[0] = (struct config_rule){.number = 10, .permit = true};
	match[0] = (struct acl_rule){
		.to_port = {0, 65535}, .from_port = {0, 65535}, .any_protocol = true};
	for (unsigned i = 0; i < config.ifaces; i++)
		bind(i, names[draw(3) ? 0 : draw(4)], names[draw(3) ? 0 : draw(4)]);
}

/* All hosts of both families, so that most frames leave. */
static void add_neighbors(void)
{
	config.neighbor = known;
	config.neighbors = 2 * PORTS + 2;
	memset(known, 0, sizeof known);
	memcpy(known, neighbors, sizeof neighbors);
	for (unsigned i = 0; i < PORTS + 2; i++) {
		struct config_neighbor *n = &known[PORTS + i];

		n->address = i < PORTS ? HOST(i) : V_HOST(ifaces[i].vid);
		memcpy(n->iface, ifaces[i].name, IFACE_NAME_MAX);
		memcpy(n->mac, i < PORTS ? host_mac[i] : v_mac, 6);
	}
}

static void random_config(void)
{
	add_neighbors();
	tracks = draw(2);
	random_lists();
	add_route(0, 20, STATIC_VIA, HOST(1));
	add_route(1, 30, STATIC_BLACKHOLE + draw(3), 0);
	add_route(2, 40, STATIC_VIA, HOST(1));
	add_route(3, 40, STATIC_VIA, HOST(2));
	add_route(4, 50, STATIC_VIA, IP(20, 0, 0, 9));
	add_route(5, 60, STATIC_VIA, HOST(2) + 7); /* nobody there */
	config.route = some_routes;
	config.routes = 6;
	for (unsigned i = 0; i < config.ifaces; i++) {
		ifaces[i].urpf = draw(3) ? URPF_OFF : 1 + draw(2);
		ifaces[i].disabled = i != 1 && draw(16) == 0;
		ifaces[i].mtu = draw(3) ? 0 : 1300;
	}
	config.martians = draw(2) ? 0 : draw(8);
	config.count_nexthops = draw(2);
	for (unsigned i = 0; i < 3; i++) {
		classes[i] = (struct config_class){.class = (uint8_t)(i + 1),
			.first = (uint8_t)(8 * i),
			.last = (uint8_t)(8 * i + 7),
			.weight = 2};
		memcpy(classes[i].iface, "eth1", 5);
	}
	config.class = classes;
	config.classes = draw(2) ? 3 : 0;
	commit();
}

/* ---- frames ---- */

static void random_four(struct frame *f, unsigned port, const uint8_t *to)
{
	const uint32_t src[] = {HOST(port), HOST(port), HOST(port), V_HOST(5), IP(20, 0, 0, 1),
		IP(9, 9, 9, 9), IP(127, 0, 0, 1), ROUTER(1)};
	const uint32_t dst[] = {HOST(draw(3)), IP(20, 0, 0, draw(9)), IP(30, 0, 0, 1),
		IP(40, 0, 0, draw(99)), IP(40, 0, 1, draw(99)), IP(50, 0, 0, 1), IP(60, 0, 0, 1),
		ROUTER(draw(3)), HOST(draw(3)) + 3, IP(10, 0, 1, 255), IP(99, 0, 0, 1), V_HOST(5),
		V_HOST(7), IP(224, 0, 0, 1)};

	frame_udp(f, to, host_mac[port], src[draw(draw(3) ? 3 : 8)], dst[draw(draw(2) ? 5 : 14)],
		draw(3)   ? draw(40)
		: draw(2) ? 1200 + draw(273)
			  : 1300 + draw(200));
	if (draw(4) == 0)
		f->data[IPV4_TTL] = (uint8_t)draw(3);
	if (draw(4) == 0)
		f->data[IPV4_TOS] = (uint8_t)(draw(64) << 2);
	if (draw(6) == 0)
		store_be16(
			f->data + IPV4_FRAGMENT, (uint16_t)(draw(2) ? 0x4000 : 0x2000 | draw(2)));
	if (draw(8) == 0)
		f->data[IPV4_PROTOCOL] = draw(2) ? IPV4_TCP : IPV4_ICMP;
	if (f->data[IPV4_PROTOCOL] == IPV4_TCP)
		f->data[47] = (uint8_t)(draw(2) ? 2 : draw(64)); /* flags; SYN */
	if (draw(12) == 0) {
		f->data[IPV4_OFF] = 0x46;
		f->data[34] = (uint8_t)draw(3);
	}
	frame_fix_checksum(f);
}

static void random_six(struct frame *f, unsigned port, const uint8_t *to)
{
	const struct ip6 src[] = {SIX(port, 2), SIX(port, 2), SIX(port, 2), FROM6(1), SIX(1, 1),
		{0xfe80000000000000ull, 2}};
	const struct ip6 dst[] = {SIX(draw(3), 2), TO6(draw(8)), TO6(draw(8)), SIX(draw(3), 1),
		SIX(draw(3), 9), FROM6(3), {0xff02000000000000ull, 1}, {0xfe80000000000000ull, 9}};
	unsigned bytes = draw(2) ? 8 + draw(40) : 1200 + draw(260);

	memset(f->data, 0, sizeof f->data);
	memcpy(f->data, to, 6);
	memcpy(f->data + 6, host_mac[port], 6);
	store_be16(f->data + ETH_TYPE, ETH_TYPE_IPV6);
	f->data[IPV6_OFF] = 0x60;
	store_be16(f->data + IPV6_PAYLOAD, (uint16_t)bytes);
	f->data[IPV6_NEXT] = draw(2) ? IPV4_UDP : (uint8_t)(draw(2) ? IPV6_ICMP : draw(256));
	f->data[IPV6_HOPS] = (uint8_t)(draw(4) ? 64 : draw(2) ? draw(3) : 255);
	ip6_store(f->data + IPV6_SOURCE, src[draw(6)]);
	ip6_store(f->data + IPV6_DEST, dst[draw(8)]);
	f->data[54] = (uint8_t)(draw(2) ? 128 : 133 + draw(6));
	f->len = ETH_HEADER + IPV6_HEADER + bytes;
}

static void random_frame(struct frame *f, unsigned port)
{
	static const uint8_t other[6] = {2, 9, 9, 9, 9, 9};
	const uint8_t *to = draw(16) ? dev[port]->mac : draw(2) ? all : other;

	if (draw(24) == 0)
		frame_arp(f, 1 + draw(2), all, host_mac[port], HOST(port), zero_mac, ROUTER(port));
	else if (draw(3) == 0)
		random_six(f, port, to);
	else
		random_four(f, port, to);
	if (draw(port ? 20 : 3) == 0) {
		static const uint16_t vids[] = {5, 7, 0, 8};

		put_tag(f, draw(20) ? 0x8100 : 0x88a8,
			(uint16_t)(draw(8) << TAG_PCP_SHIFT | vids[draw(draw(4) ? 2 : 4)]));
	}
	if (draw(12) == 0 && f->len < 1400)
		f->len += draw(40); /* padding */
	for (unsigned n = draw(6) ? 0 : 1 + draw(3); n; n--)
		f->data[draw((unsigned)f->len < 60 ? (unsigned)f->len : 60)] = (uint8_t)draw(256);
	if (draw(16) == 0)
		f->len = draw((unsigned)f->len + 1);
	if (f->len == 0)
		f->len = 1;
}

/* ---- both ---- */

static struct {
	unsigned ends[4], sessions[3], drops[DROP_COUNT], punts[PUNT_COUNT], tagged, classed, flows;
} seen;

/* The last step told is where it ends. */
static void check_steps(const struct explain *e)
{
	bool denied_in = e->in.asked && !e->in.permit, denied_out = e->out.asked && !e->out.permit;

	if (e->unparsed)
		assert_true(e->end == EXPLAIN_HELD || e->drop == DROP_FRAGMENT_BAD);
	else if (e->verdict & VERDICT_DROP)
		assert_true(e->end == EXPLAIN_DROPPED && e->drop == (e->verdict & 0xff));
	else if (denied_in || denied_out)
		assert_true(e->end == EXPLAIN_DROPPED && e->drop == DROP_ACL_DENIED);
	else if (e->verdict & VERDICT_PUNT)
		assert_true(e->end == EXPLAIN_HANDED && e->punt == (e->verdict & 0xff));
	else if (e->step == EXPLAIN_CHECKED)
		assert_true(e->end == EXPLAIN_DROPPED && e->drop == DROP_URPF);
	else if (e->end == EXPLAIN_SENT)
		assert_true(router.tables.leads[e->member] < router.ifaces);
	assert_true(e->end != EXPLAIN_DROPPED || e->drop < DROP_COUNT);
	if (e->end == EXPLAIN_DROPPED && e->drop == DROP_ACL_DENIED)
		assert_true(denied_in || denied_out);
}

static void check_same(const struct explain *e, const struct fate *fate)
{
	if (e->end != fate->end)
		fail_msg("end %u (%s), really %u (%s)", e->end, drop_name(e->drop % DROP_COUNT),
			fate->end, drop_name(fate->drop));
	seen.ends[e->end]++;
	seen.sessions[e->session] += e->tracked;
	if (e->end == EXPLAIN_HELD)
		return;
	if (e->end == EXPLAIN_DROPPED) {
		assert_string_equal(drop_name(e->drop), drop_name(fate->drop));
		seen.drops[e->drop]++;
		return;
	}
	if (e->end == EXPLAIN_HANDED) {
		assert_int_equal(e->punt, fate->punt);
		seen.punts[e->punt]++;
	} else {
		assert_int_equal(e->txq, fate->txq);
		assert_int_equal(e->class, fate->class);
		seen.tagged += load_be16(e->frame + ETH_TYPE) == ETH_TYPE_VLAN;
		seen.classed += e->class != 0;
	}
	assert_int_equal(e->frame_len, fate->frame.len);
	assert_memory_equal(e->frame, fate->frame.data, e->frame_len);
}

/* By the port, or by the subinterface whose tag it has. */
static const struct explain *ask(unsigned port, const struct frame *f)
{
	uint16_t tci = f->len >= 18 ? load_be16(f->data + ETH_HEADER) : 0;

	if (port || f->len < 18 || load_be16(f->data + ETH_TYPE) != 0x8100 || draw(2))
		return explain_frame(&router, port, f->data, (uint32_t)f->len);
	for (unsigned i = PORTS; i < router.ifaces; i++) {
		if (router.iface[i].vid != tci)
			continue;
		struct frame plain = *f;

		take_tag(&plain);
		return explain_frame(&router, i, plain.data, (uint32_t)plain.len);
	}
	return explain_frame(&router, port, f->data, (uint32_t)f->len);
}

static unsigned kinds(const unsigned *count, unsigned n)
{
	unsigned some = 0;

	while (n--)
		some += count[n] != 0;
	return some;
}

static void test_same_as_real(void **state)
{
	static struct dump before, after;

	memset(&seen, 0, sizeof seen);
	for (unsigned round = 0; round < ROUNDS; round++) {
		seed = round + 1;
		random_config();
		for (unsigned i = 0; i < FRAMES; i++) {
			static struct frame f;
			static struct fate fate;
			static unsigned port;

			if (!i || draw(4)) { /* else the same again */
				port = draw(2) ? 0 : draw(PORTS);
				memset(&f, 0, sizeof f);
				random_frame(&f, port);
			}
			be_quiet();
			uint64_t hash = hash_state();
			const struct explain *e = ask(port, &f);

			assert_true(hash == hash_state());
			check_steps(e);
			uint64_t hits = router.flows.of[0].hits;

			take_fate(port, &f, &fate);
			hits = router.flows.of[0].hits - hits;
			assert_int_equal(hits, !e->unparsed && e->flow == EXPLAIN_FLOW_HIT);
			assert_false(e->flow_differs);
			seen.flows += (unsigned)hits;
			if (!fate.others)
				check_same(e, &fate);
			end_fate();
		}
		before.n = after.n = 0;
		dump_all(&before);
		for (unsigned i = 0; i < FRAMES; i++) {
			static struct frame f;
			unsigned port = draw(PORTS);

			memset(&f, 0, sizeof f);
			random_frame(&f, port);
			ask(port, &f);
		}
		dump_all(&after);
		const char *difference = dump_difference(&before, &after);

		if (difference)
			fail_msg("%s", difference);
		check_books();
	}
	for (unsigned i = 0; i < 3; i++)
		assert_true(seen.ends[i] > 200 && seen.sessions[i] > 20);
	assert_true(seen.ends[EXPLAIN_HELD] > 5);
	assert_true(kinds(seen.drops, DROP_COUNT) >= 18);
	assert_true(kinds(seen.punts, PUNT_COUNT) >= 7);
	assert_true(seen.tagged > 20 && seen.classed > 20);
	assert_true(seen.flows > 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_filter, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_same_as_real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

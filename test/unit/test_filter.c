/*
 * Access lists through the whole router: random lists and packets against a look at every
 * rule in turn; what is never filtered; commits of lists; counters; the log.
 */
#include "test/unit/vlan_fixture.h"

#include "kernel/filter.h"
#include "kernel/log.h"
#include "net/path/frame.h"
#include "test/model/aclgen.h"
#include "test/model/routegen.h"

#define SIX(net, host) ((struct ip6){0xfd00000000000000ull | (net), (host)})
#define FROM6(host)    ((struct ip6){0x20010db800050000ull, (host)})
#define TO6(host)      ((struct ip6){0x20010db800060000ull, (host)})
#define RULES          300u
#define LISTS          3u

static struct config_route routes[3], routes6[1];
static struct config_neighbor neighbors[PORTS];
static struct config_acl lists[LISTS];
static struct config_rule rules[RULES];
static struct acl_rule match[RULES];
static uint64_t seed;

static unsigned draw(unsigned n)
{
	return (unsigned)(routegen_random(&seed) % n);
}

/* ---- the router ---- */

static void commit(void)
{
	configure(&config, NULL);
	turns(5);
	drain();
}

static void bind(unsigned iface, const char *in, const char *out)
{
	snprintf(ifaces[iface].acl_in, ACL_NAME_MAX, "%s", in);
	snprintf(ifaces[iface].acl_out, ACL_NAME_MAX, "%s", out);
}

/* 20/8 and 2001:db8:6::/48 by port 1, 40/8 by ports 1 and 2; no lists. */
static int setup_filter(void **state)
{
	setup_vlans(state);
	memset(routes, 0, sizeof routes);
	memset(routes6, 0, sizeof routes6);
	memset(neighbors, 0, sizeof neighbors);
	memset(rules, 0, sizeof rules);
	memset(match, 0, sizeof match);
	memset(lists, 0, sizeof lists);
	config.neighbor = neighbors;
	config.neighbors = PORTS;
	for (unsigned port = 0; port < PORTS; port++) {
		ifaces[port].addr6[0] = (struct iface_addr6){.address = SIX(port, 1), .length = 64};
		ifaces[port].addrs6 = 1;
		neighbors[port] = (struct config_neighbor){.six = true, .address6 = SIX(port, 2)};
		memcpy(neighbors[port].iface, ifaces[port].name, IFACE_NAME_MAX);
		memcpy(neighbors[port].mac, host_mac[port], 6);
	}
	routes[0].route = (struct static_route){.prefix = rib4_key(IP(20, 0, 0, 0)),
		.length = 8,
		.gateway = rib4_key(HOST(1)),
		.weight = 1};
	for (unsigned i = 1; i < 3; i++)
		routes[i].route = (struct static_route){.prefix = rib4_key(IP(40, 0, 0, 0)),
			.length = 8,
			.gateway = rib4_key(HOST(i)),
			.weight = 1};
	config.route = routes;
	config.routes = 3;
	routes6[0].route = (struct static_route){
		.prefix = TO6(0), .length = 48, .gateway = SIX(1, 2), .weight = 1};
	config.route6 = routes6;
	config.routes6 = 1;
	config.acl = lists;
	config.rule = rules;
	config.match = match;
	commit();
	turns(20);
	drain();
	return 0;
}

/* A list of the n rules from the first free one on. */
static void add_list(const char *name, unsigned n)
{
	struct config_acl *list = &lists[config.acls++];

	*list = (struct config_acl){.first = config.rules, .rules = n};
	snprintf(list->name, sizeof list->name, "%s", name);
	for (unsigned i = 0; i < n; i++) {
		struct config_rule *rule = &rules[config.rules++];

		if (!rule->number)
			rule->number = 10 * (i + 1);
	}
}

/* ---- random lists and packets ---- */

static void some_ports(uint16_t range[2])
{
	unsigned first = draw(3);

	range[0] = (uint16_t)(draw(3) ? 0 : first);
	range[1] = (uint16_t)(draw(3) ? 65535 : first + draw(2));
}

static void random_rule(unsigned i)
{
	static const uint8_t protocols[] = {IPV4_TCP, IPV4_UDP, IPV4_ICMP, IPV6_ICMP, 47};
	struct acl_rule *r = &match[i];
	bool six = draw(2);

	*r = (struct acl_rule){.to_port = {0, 65535}, .from_port = {0, 65535}};
	rules[i] = (struct config_rule){.permit = draw(3) != 0};
	if (draw(6)) {
		r->family = six ? 6 : 4;
		r->from = six ? FROM6(draw(8)) : (struct ip6){0, IP(50, 0, 0, draw(8))};
		r->to = six ? TO6(draw(8)) : (struct ip6){0, IP(draw(2) ? 20 : 40, 0, 0, draw(8))};
		r->from_length = (uint8_t)(draw(3) ? (six ? 125 : 29) + draw(4) : 0);
		r->to_length = (uint8_t)(draw(3) ? (six ? 125 : 29) + draw(4) : 0);
	}
	r->any_protocol = draw(6) == 0;
	r->protocol = r->any_protocol ? 0 : protocols[draw(sizeof protocols)];
	r->ports = !r->any_protocol && r->protocol != 47 && draw(2);
	if (r->ports && (r->protocol == IPV4_TCP || r->protocol == IPV4_UDP)) {
		some_ports(r->from_port);
		some_ports(r->to_port);
	} else if (r->ports) {
		r->from_port[0] = (uint16_t)(draw(4) * 256);
		r->from_port[1] = (uint16_t)(r->from_port[0] + (draw(2) ? 255 : 0));
	}
}

/* What stands behind the IP header: writes it, says what it is. */
static unsigned random_transport(uint8_t *at, struct aclgen_packet *p, bool six, bool *whole)
{
	static const uint8_t protocols[] = {IPV4_TCP, IPV4_UDP, IPV4_ICMP, 47};
	uint8_t protocol = protocols[draw(sizeof protocols)];
	unsigned bytes = draw(12) ? 24 : draw(4);
	uint16_t from = (uint16_t)draw(4), to = (uint16_t)draw(4);

	if (protocol == IPV4_ICMP) {
		protocol = six ? IPV6_ICMP : IPV4_ICMP;
		from = (uint16_t)(draw(4) << 8 | draw(2));
	}
	store_be16(at, from);
	store_be16(at + 2, to);
	*whole = bytes >= (protocol == IPV4_ICMP || protocol == IPV6_ICMP ? 2u : 4u) &&
		 protocol != 47;
	p->ports = acl_ports(from, to);
	p->kind = acl_kind(protocol, !*whole, false);
	return bytes;
}

static void packet4(struct frame *f, struct aclgen_packet *p)
{
	bool whole, options = draw(8) == 0;
	unsigned header = options ? 24 : 20;
	uint16_t fragment = (uint16_t)(draw(8) ? 0 : draw(2) ? 0x2000 : 7);

	memset(f, 0, sizeof *f);
	p->src = (struct ip6){0, IP(50, 0, 0, draw(8))};
	p->dst = (struct ip6){0, IP(draw(2) ? 20 : 40, 0, 0, draw(8))};
	frame_udp(f, dev[0]->mac, host_mac[0], (uint32_t)p->src.lo, (uint32_t)p->dst.lo, 20);
	unsigned bytes = random_transport(f->data + 14 + header, p, false, &whole);

	if (fragment & 7)
		p->kind |= 1;
	f->data[14] = (uint8_t)(0x40 | header / 4);
	if (options)
		memset(f->data + 34, 1, 4); /* no-operation */
	f->data[IPV4_PROTOCOL] = (uint8_t)(p->kind >> 1);
	f->data[IPV4_TTL] = draw(16) ? 64 : 1;
	store_be16(f->data + IPV4_FRAGMENT, fragment);
	store_be16(f->data + IPV4_LENGTH, (uint16_t)(header + bytes));
	memset(f->data + IPV4_CHECKSUM, 0, 2);
	uint16_t sum = checksum(f->data + 14, header);

	memcpy(f->data + IPV4_CHECKSUM, &sum, 2);
	f->len = 14 + header + bytes;
}

/* Some extension headers; the last may be a fragment's. */
static unsigned random_headers(uint8_t *at, uint8_t *named, bool *later)
{
	static const uint8_t types[] = {IPV6_OPTIONS, IPV6_ROUTING, IPV6_HOP_BY_HOP};
	unsigned n = draw(3) ? 0 : 1 + draw(3), used = 0;
	bool fragment = draw(8) == 0;

	*later = fragment && draw(2);
	for (unsigned i = 0; i < n; i++) {
		unsigned bytes = 8 * (1 + draw(2));

		*named = types[i == 0 ? draw(3) : draw(2)];
		memset(at + used, 0, bytes);
		at[used + 1] = (uint8_t)(bytes / 8 - 1);
		named = at + used;
		used += bytes;
	}
	if (!fragment)
		return used;
	*named = IPV6_FRAGMENT;
	memset(at + used, 0, 8);
	store_be16(at + used + 2, *later ? 0x0100 : 1);
	return used + 8;
}

static void packet6(struct frame *f, struct aclgen_packet *p)
{
	bool whole, later;
	uint8_t *ip = f->data + 14;

	memset(f, 0, sizeof *f);
	p->src = FROM6(draw(8));
	p->dst = TO6(draw(8));
	memcpy(f->data, dev[0]->mac, 6);
	memcpy(f->data + 6, host_mac[0], 6);
	store_be16(f->data + 12, 0x86dd);
	ip[0] = 0x60;
	ip6_store(f->data + IPV6_SOURCE, p->src);
	ip6_store(f->data + IPV6_DEST, p->dst);
	f->data[IPV6_HOPS] = draw(16) ? 64 : 1;
	unsigned headers = random_headers(ip + 40, &f->data[IPV6_NEXT], &later);
	unsigned bytes = random_transport(ip + 40 + headers, p, true, &whole);
	uint8_t *named = &f->data[IPV6_NEXT];

	/* The last header names the transport. */
	for (unsigned at = 0; at < headers;) {
		uint8_t type = *named;

		named = ip + 40 + at;
		at += type == IPV6_FRAGMENT ? 8 : (ip[40 + at + 1] + 1u) * 8;
	}
	*named = (uint8_t)(p->kind >> 1);
	if (later)
		p->kind |= 1;
	store_be16(f->data + IPV6_PAYLOAD, (uint16_t)(headers + bytes));
	f->len = 54 + headers + bytes;
}

/* The rule of a list that a packet meets: its place among all; NULL list: none. */
static bool permits(const char *name, const struct aclgen_packet *p, unsigned family,
	unsigned met[RULES + LISTS])
{
	for (unsigned l = 0; l < config.acls; l++) {
		const struct config_acl *list = &lists[l];

		if (strcmp(list->name, name) != 0)
			continue;
		for (unsigned i = list->first; i < list->first + list->rules; i++)
			if (aclgen_matches(&match[i], p, family))
				return met[i + l]++, rules[i].permit;
		met[list->first + list->rules + l]++;
		return false;
	}
	return true;
}

/* It has the packet's source: it is the packet. */
static bool is_from(const struct frame *f, const struct aclgen_packet *p, bool six)
{
	if (load_be16(f->data + ETH_TYPE) != (six ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4))
		return false;
	return six ? ip6_equal(ip6_load(f->data + IPV6_SOURCE), p->src)
		   : load_be32(f->data + IPV4_SOURCE) == p->src.lo;
}

/* Which port a frame of the group goes by is not known here: both have the same list. */
static void test_random(void **state)
{
	static unsigned met[RULES + LISTS];
	unsigned denied = 0, passed = 0;

	for (unsigned round = 0; round < 12; round++) {
		seed = round + 1;
		config.acls = config.rules = 0;
		memset(met, 0, sizeof met);
		for (unsigned i = 0; i < RULES; i++)
			random_rule(i);
		add_list("A", 2 + draw(98));
		add_list("B", 2 + draw(98));
		add_list("C", 2 + draw(98));
		bind(0, "A", "");
		bind(1, "", "C");
		bind(2, "", "C");
		bind(PORTS, round & 1 ? "B" : "", ""); /* VLAN 5 */
		commit();
		filters_clear(&router);
		for (unsigned i = 0; i < 1500; i++) {
			struct aclgen_packet p;
			struct frame f, out;
			bool six = draw(2), vlan = draw(4) == 0;
			uint64_t before = drops(0, DROP_ACL_DENIED);

			if (six)
				packet6(&f, &p);
			else
				packet4(&f, &p);
			if (vlan)
				put_tag(&f, 0x8100, 5);
			bool good =
				permits(vlan ? ifaces[PORTS].acl_in : "A", &p, six ? 6 : 4, met) &&
				permits("C", &p, six ? 6 : 4, met);

			inject(0, &f);
			turns(2);
			assert_int_equal(drops(0, DROP_ACL_DENIED) - before, !good);
			for (unsigned port = 0; !good && port < PORTS; port++)
				while (sent(port, &out))
					assert_false(is_from(&out, &p, six));
			drain();
			denied += !good;
			passed += good;
		}
		for (unsigned i = 0; i < config.rules + config.acls; i++) {
			struct filter_hits hits;

			filters_counted(&router, i, &hits);
			assert_int_equal(hits.packets, met[i]);
		}
		check_books();
	}
	assert_true(denied > 1000 && passed > 1000);
}

/* ---- one by one ---- */

/* It is denied; or not, and leaves by a port (PORTS: does not matter). */
static void expect(unsigned port, const struct frame *in, bool passes, unsigned to)
{
	uint64_t before = drops(port, DROP_ACL_DENIED);
	struct frame out;

	inject(port, in);
	turns(3);
	assert_int_equal(drops(port, DROP_ACL_DENIED) - before, !passes);
	for (unsigned p = 0; p < PORTS; p++)
		if (to < PORTS)
			assert_int_equal(sent(p, &out) != 0, passes && p == to);
	drain();
}

static void permit_all(unsigned i)
{
	rules[i] = (struct config_rule){.permit = true, .number = 10 * (i + 1)};
	match[i] = (struct acl_rule){.any_protocol = true};
}

static void deny_all(unsigned i)
{
	permit_all(i);
	rules[i].permit = false;
}

static void icmp6(struct frame *f, uint8_t type, uint8_t hops, struct ip6 src, struct ip6 dst)
{
	memset(f->data, 0, sizeof f->data);
	memcpy(f->data, dev[0]->mac, 6);
	memcpy(f->data + 6, host_mac[0], 6);
	if (ip6_is_multicast(dst)) {
		store_be16(f->data, 0x3333);
		store_be32(f->data + 2, (uint32_t)dst.lo);
	}
	store_be16(f->data + 12, 0x86dd);
	f->data[14] = 0x60;
	store_be16(f->data + IPV6_PAYLOAD, 24);
	f->data[IPV6_NEXT] = IPV6_ICMP;
	f->data[IPV6_HOPS] = hops;
	ip6_store(f->data + IPV6_SOURCE, src);
	ip6_store(f->data + IPV6_DEST, dst);
	f->data[54] = type;
	ip6_store(f->data + 62, dst);
	f->len = 54 + 24;
}

static void test_off(void **state)
{
	struct frame f;

	deny_all(0);
	add_list("A", 1);
	commit();
	for (unsigned l = 0; l < router.lanes; l++)
		assert_int_equal(router.lane[l].filter, 0);
	udp(&f, 0, HOST(1), 20);
	expect(0, &f, true, 1);
	bind(1, "", "A");
	commit();
	for (unsigned l = 0; l < router.ports; l++)
		assert_int_equal(router.lane[l].filter, FILTER_OUT);
	expect(0, &f, false, 1);
	bind(1, "A", "");
	commit();
	assert_int_equal(router.lane[0].filter, 0);
	assert_int_equal(router.lane[1].filter, FILTER_IN);
	expect(0, &f, true, 1);
	udp(&f, 1, HOST(0), 20);
	expect(1, &f, false, 0);
	bind(1, "", "");
	config.acls = config.rules = 0;
	commit();
	assert_int_equal(router.lane[1].filter, 0);
	expect(1, &f, true, 0);
	check_books();
}

/* ARP and neighbour discovery to us pass any list; what only looks like it does not. */
static void test_discovery(void **state)
{
	struct ip6 group = {0xff02000000000000ull, 1};
	struct frame f, out;

	deny_all(0);
	add_list("A", 1);
	bind(0, "A", "A");
	commit();
	for (uint8_t type = 132; type <= 138; type++) {
		bool nd = type >= 133 && type <= 137;

		icmp6(&f, type, 255, SIX(0, 2), SIX(0, 1));
		expect(0, &f, nd, PORTS);
		icmp6(&f, type, 255, SIX(0, 2), group);
		expect(0, &f, nd, PORTS);
		icmp6(&f, type, 64, SIX(0, 2), SIX(0, 1));
		expect(0, &f, false, PORTS);
		icmp6(&f, type, 255, SIX(0, 2), TO6(1)); /* in transit */
		expect(0, &f, false, 1);
	}
	frame_arp(&f, 1, all, host_mac[0], HOST(0), zero_mac, ROUTER(0));
	inject(0, &f);
	turns(3);
	assert_int_not_equal(memdev_collect(dev[0], 0, out.data, sizeof out.data), 0);
	frame_echo(&f, dev[0]->mac, host_mac[0], HOST(0), ROUTER(0), 1, 1);
	expect(0, &f, false, 0);
	check_books();
}

/* What the router itself says passes any list: an answer to what another interface let in. */
static void test_own(void **state)
{
	struct frame f;

	deny_all(0);
	add_list("A", 1);
	bind(1, "", "A");
	commit();
	frame_echo(&f, dev[1]->mac, host_mac[1], HOST(1), ROUTER(1), 1, 1);
	expect(1, &f, true, 1);
	udp(&f, 1, IP(99, 9, 9, 9), 20); /* no route: an error to the source */
	expect(1, &f, true, 1);
	udp(&f, 0, HOST(1), 20);
	f.data[IPV4_TTL] = 1; /* denied before its time is looked at: nothing is said */
	frame_fix_checksum(&f);
	expect(0, &f, false, 0);
	check_books();
}

/* More extension headers than are passed: nobody can tell what it is. */
static void test_many_headers(void **state)
{
	permit_all(0);
	add_list("A", 1);
	bind(0, "A", "");
	commit();
	for (unsigned n = 7; n <= 10; n++) {
		struct frame f;

		icmp6(&f, IPV6_OPTIONS, 64, FROM6(1), TO6(1));
		f.data[IPV6_NEXT] = IPV6_OPTIONS;
		for (unsigned i = 0; i < n; i++) {
			memset(f.data + 54 + 8 * i, 0, 8);
			f.data[54 + 8 * i] = i + 1 < n ? IPV6_OPTIONS : IPV4_UDP;
		}
		store_be16(f.data + IPV6_PAYLOAD, (uint16_t)(8 * n + 24));
		f.len = 54 + 8 * n + 24;
		expect(0, &f, n <= 8, 1);
	}
	check_books();
}

/* The control core decides by the list of where it sends, though no worker has. */
static void test_slow_path(void **state)
{
	struct frame f;
	struct filter_hits hits;

	deny_all(0);
	add_list("A", 1);
	bind(1, "", "A");
	commit();
	udp(&f, 0, HOST(1), 20);
	assert_false(filter_may_leave(router_control_lane(&router), 1, f.data, 62));
	assert_true(filter_may_leave(router_control_lane(&router), 2, f.data, 62));
	icmp6(&f, 128, 64, FROM6(1), TO6(1));
	assert_false(filter_may_leave(router_control_lane(&router), 1, f.data, 62));
	filters_counted(&router, 0, &hits);
	assert_int_equal(hits.packets, 2);
	assert_int_equal(hits.bytes, 124);
	bind(1, "", "");
	commit();
	for (unsigned l = 0; l < router.lanes; l++) /* as if a worker had seen another next hop */
		router.lane[l].filter = 0;
	bind(1, "", "A");
	commit();
	for (unsigned l = 0; l < router.lanes; l++)
		router.lane[l].filter = 0;
	udp(&f, 0, IP(10, 0, 1, 77), 20); /* to be resolved */
	expect(0, &f, false, 1);
	check_books();
}

/* ---- commits ---- */

static uint64_t counted_at(uint32_t i)
{
	struct filter_hits hits;

	filters_counted(&router, i, &hits);
	return hits.packets;
}

static void test_counters_stay(void **state)
{
	struct frame f;

	deny_all(0);
	match[0].protocol = 99;
	match[0].any_protocol = false;
	permit_all(1);
	add_list("A", 2);
	bind(0, "A", "");
	commit();
	udp(&f, 0, HOST(1), 20);
	expect(0, &f, true, 1);
	expect(0, &f, true, 1);
	assert_int_equal(counted_at(1), 2);
	match[0].protocol = 98; /* another rule; the other stays */
	commit();
	assert_int_equal(counted_at(0), 0);
	assert_int_equal(counted_at(1), 2);
	bind(1, "", "A"); /* only what they are bound to */
	commit();
	expect(0, &f, true, 1);
	assert_int_equal(counted_at(1), 4);
	rules[1].permit = false;
	commit();
	assert_int_equal(counted_at(1), 0);
	expect(0, &f, false, 1);
	assert_int_equal(counted_at(1), 1);
	filters_clear(&router);
	assert_int_equal(counted_at(1), 0);
	check_books();
}

/* What does not fit is refused, and what was in force stays. */
static void test_refused(void **state)
{
	struct frame f;

	deny_all(0);
	add_list("A", 1);
	bind(0, "A", "");
	commit();
	router.filters.rules_max = 1;
	permit_all(0);
	permit_all(1);
	config.acls = config.rules = 0;
	add_list("A", 1);
	add_list("B", 1);
	configure(&config, "acl B: 2 rules in all lists; 1 fit");
	udp(&f, 0, HOST(1), 20);
	expect(0, &f, false, 1);
	router.filters.rules_max = ACL_FEW;
	size_t bytes = router.filters.memory_bytes;

	router.filters.memory_bytes = 32768;
	configure(&config, "do not fit 32 KiB compiled");
	expect(0, &f, false, 1);
	router.filters.memory_bytes = bytes;
	ifaces[0].mtu = 10000; /* refused for something else */
	configure(&config, "mtu 10000");
	expect(0, &f, false, 1);
	ifaces[0].mtu = 0;
	commit();
	expect(0, &f, true, 1);
	check_books();
}

static char found[200];

static void on_line(void *ctx, uint64_t us, const char *line)
{
	if (strncmp(line, "acl ", 4) == 0 || strncmp(line, "acl:", 4) == 0) {
		snprintf(found, sizeof found, "%s", line);
		++*(unsigned *)ctx;
	}
}

static void test_log(void **state)
{
	struct frame f;
	unsigned lines = 0;

	deny_all(0);
	rules[0].log = true;
	add_list("A", 1);
	bind(0, "A", "");
	bind(1, "", "A");
	commit();
	udp(&f, 0, HOST(1), 20);
	expect(0, &f, false, 1);
	turns(20);
	log_walk(on_line, &lines);
	assert_int_equal(lines, 1);
	assert_non_null(strstr(found, "acl A rule 10: deny in eth0, udp 10.0.0.2:"));
	assert_non_null(strstr(found, " > 10.0.1.2:"));
	bind(0, "", "");
	commit();
	icmp6(&f, 128, 64, FROM6(1), TO6(1));
	expect(0, &f, false, 1);
	turns(20);
	log_walk(on_line, &lines);
	assert_string_equal(
		found, "acl A rule 10: deny out eth1, icmp6 128/0 2001:db8:5::1 > 2001:db8:6::1");
	for (unsigned i = 0; i < 200; i++) {
		inject(0, &f);
		turns(1);
	}
	turns(11000);
	lines = 0;
	log_walk(on_line, &lines);
	assert_true(lines < 80);
	assert_non_null(strstr(found, "packets more met rules with 'log'"));
	check_books();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_filter, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_random),
		TEST(test_off),
		TEST(test_discovery),
		TEST(test_own),
		TEST(test_many_headers),
		TEST(test_slow_path),
		TEST(test_counters_stay),
		TEST(test_refused),
		TEST(test_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

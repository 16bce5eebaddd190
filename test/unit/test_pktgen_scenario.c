/* Scenarios: the grammar and its refusals, routes and their next hops, flows, ARP and ND. */
#include "test/unit/pktgen_fixture.h"

#include <stdio.h>
#include <unistd.h>

#include "tools/pktgen/routes.h"
#include "tools/pktgen/session.h"

static struct scenario s;

#define PORTS                                                                                      \
	"port 0 socket a address 10.0.0.2/24 address fd00::2/64",                                  \
		"port 1 socket b address 10.0.1.2/24"

/* ---- the grammar ---- */

static bool lines(const char *const *line)
{
	scenario_init(&s);
	for (; *line; line++)
		if (!scenario_line(&s, *line))
			return false;
	return scenario_check(&s);
}

static void good_lines(void **state)
{
	static const char *const line[] = {"# nothing", "  ", PORTS, "host 10.255.0.0/16 port 1",
		"host 10.255.3.0/24 port 0 mac 02:aa:00:00:00:01", "line 10G", "device macswap",
		"stream a from 0 to 10.1.0.0/16 via 10.255.0.1 flows 1000 size imix weight 3 # so",
		"stream b from 0 to 2001:db8::/32 port 1 size 84,1518:2 ttl 9 udp 4242", NULL};

	if (!lines(line))
		fail_msg("%s", s.error);
	assert_int_equal(s.ports, 2);
	assert_int_equal(s.hosts, 2);
	assert_int_equal(s.streams, 2);
	assert_int_equal(s.device, DEVICE_MACSWAP);
	assert_int_equal(s.stream[0].sizes, 3);
	assert_int_equal(s.stream[0].size[0].bytes, 60); /* 64 with its FCS */
	assert_int_equal(s.stream[0].family, 4);
	assert_int_equal(s.stream[1].family, 6);
	assert_int_equal(s.stream[1].ttl, 9);
	assert_int_equal(s.stream[1].flows, 3); /* every size has its flows */
	/* 7 of 64, 4 of 594, 1 of 1518, and 20 bytes each on the wire; a third of the other stream.
	 */
	double a = (7 * 84 + 4 * 614 + 1538) / 12.0, b = (104 + 2 * 1538) / 3.0;

	assert_true(session_line_rate(&s) > 1e10 / 8 / ((3 * a + b) / 4) * 0.9999);
	assert_true(session_line_rate(&s) < 1e10 / 8 / ((3 * a + b) / 4) * 1.0001);
}

static void bad_lines(void **state)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{"prot 2 socket c", "none of port"},
		{"port", "a port has a name"},
		{"port 0 socket c", "two ports 0"},
		{"port 2", "no socket"},
		{"port 2 socket c mac 1:2", "'mac'"},
		{"port 2 socket c queues 17", "'queues'"},
		{"port 2 socket c address 10.0.0.300/24", "'address'"},
		{"port 2 socket c without wings", "'without'"},
		{"port 2 socket c colour blue", "'colour'"},
		{"host 10.0.0.0/33 port 0", "an address or a prefix"},
		{"host 10.0.0.1 port 7", "named before"},
		{"host 10.0.0.1", "named before"},
		{"stream x from 7 to 10.0.0.0/8 port 1", "'from'"},
		{"stream x from 0 to 10.0.0.0/8 port 9", "'port'"},
		{"stream x from 0 to 10.0.0.0/8 port 1 size 63", "'size'"},
		{"stream x from 0 to 10.0.0.0/8 port 1 size 64:0", "'size'"},
		{"stream x from 0 to 10.0.0.0/8 port 1 size 9023", "'size'"},
		{"stream x from 0 to 10.0.0.0/8 port 1 flows 0", "'flows'"},
		{"stream x from 0 to 10.0.0.0/8 port 1 flows 99999999", "'flows'"},
		{"stream x from 0 to 10.0.0.0/8 port 1 ttl 1", "'ttl'"},
		{"stream x from 0 to 10.0.0.0/8 port 1 family 5", "'family'"},
		{"stream x from 0 to 10.0.0.0/8", "via"},
		{"stream x from 0 to 10.0.0.0/8 port 1 via 10.0.1.2", "via"},
		{"stream x to 10.0.0.0/8 port 1", "which port"},
		{"stream x from 0 port 1", "either `to`"},
		{"stream x from 0 routes f to 10.0.0.0/8", "either `to`"},
		{"stream x from 0 to 10.0.0.0/8 via fd00::1", "both families"},
		{"stream x from 1 to fd00::/8 port 0", "no source address"},
		{"stream x from 0 to fd00::/8 port 1 size 64", "at least 84"},
		{"device toaster", "a device is"},
		{"device wire too", "a word too many"},
		{"line fast", "a rate like"},
		{"line 1", "a rate like"},
	};

	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *line[] = {PORTS, bad[i].line, NULL};

		assert_false(lines(line));
		if (!strstr(s.error, bad[i].why))
			fail_msg("%s: '%s'", bad[i].line, s.error);
	}

	static char longest[2000];

	memset(longest, 'x', sizeof longest - 1);
	assert_false(scenario_line(&s, longest));
	for (unsigned i = 0; i < sizeof longest - 1; i += 2)
		longest[i] = ' ';
	assert_false(scenario_line(&s, longest + 1000));
}

/* Lines as they come from a keyboard that a cat walks over. */
static void noise(void **state)
{
	static const char *const word[] = {"port", "socket", "address", "10.0.0.1/24", "::/0",
		"stream", "from", "to", "routes", "size", "64:3,,", "imix", ":", "/", "-1",
		"18446744073709551616", "0", "1", "host", "mac", "02:00:00:00:00:01", "line",
		"1e99G", "device", "#", "via", "flows", "\t"};

	srand(3);
	scenario_init(&s);
	for (unsigned i = 0; i < 20000; i++) {
		char line[512] = "";

		for (int k = rand() % 12; k; k--) {
			strcat(line, word[(unsigned)rand() % (sizeof word / sizeof *word)]);
			strcat(line, " ");
		}
		if (scenario_line(&s, line))
			assert_true(s.ports <= PORTS_MAX && s.streams <= STREAMS_MAX &&
				    s.hosts <= HOSTS_MAX);
	}
}

/* ---- routes ---- */

static struct routes r;

static const char *read_routes(const char *text, uint8_t family, const char *base, uint32_t *line)
{
	struct address b = {.family = 0};

	if (base)
		assert_true(address_parse(base, false, &b));
	return routes_read(&r, text, strlen(text), family, &b, line);
}

static void route_texts(void **state)
{
	uint32_t line;

	assert_null(read_routes(
		"# a table\n10.0.0.0/8 via 10.255.0.1\n\n10.1.0.0/16 via 10.255.0.2 dev eth1\n"
		"2001:db8::/32 via fd00::1\n0.0.0.0/0 via 10.255.0.3",
		4, NULL, &line));
	assert_int_equal(r.count, 3);
	assert_int_equal(r.entry[0].length, 0);
	assert_int_equal(r.entry[1].parent, 0);
	assert_int_equal(r.entry[2].parent, 1);
	assert_int_equal(routes_match(&r, (struct ip6){0x0a020304ull << 32, 0}), 1);
	assert_int_equal(routes_match(&r, (struct ip6){0x0a010304ull << 32, 0}), 2);
	assert_int_equal(routes_match(&r, (struct ip6){0x0b010304ull << 32, 0}), 0);
	routes_free(&r);

	assert_null(read_routes("10.0.0.0/8 3\n10.1.0.0/16 0\n", 4, "10.255.0.1", &line));
	assert_int_equal(r.entry[0].gateway.hi >> 32, 0x0aff0004);
	assert_int_equal(r.entry[1].gateway.hi >> 32, 0x0aff0001);
	assert_int_equal(routes_match(&r, (struct ip6){0x0b010304ull << 32, 0}), ROUTES_NONE);
	routes_free(&r);

	assert_null(
		read_routes("10.0.0.0/8 via 10.0.0.1\n10.0.0.0/8 via 10.0.0.2\n", 4, NULL, &line));
	assert_int_equal(r.count, 1);
	assert_true(r.entry[0].several);
	routes_free(&r);

	assert_non_null(read_routes("10.0.0.0/8 via 10.0.0.1\n10.0.0.0/8 3\n", 4, NULL, &line));
	assert_int_equal(line, 2);
	routes_free(&r);
	assert_non_null(read_routes("10.0.0.0/8 via 10.0.0.1\n", 6, NULL, &line));
	routes_free(&r);
}

/* The match against a look at every route. */
static void route_matches(void **state)
{
	static char text[200000];
	size_t n = 0;
	uint32_t line;

	srand(11);
	for (unsigned i = 0; i < 3000; i++) {
		unsigned length = 4 + (unsigned)rand() % 29;
		uint32_t prefix = ((uint32_t)rand() << 8 ^ (uint32_t)rand()) & 0x1fffffffu;

		prefix &= length ? 0xffffffffu << (32 - length) : 0;
		n += (size_t)sprintf(text + n, "%u.%u.%u.%u/%u via 10.%u.%u.1\n", prefix >> 24,
			prefix >> 16 & 255, prefix >> 8 & 255, prefix & 255, length, i >> 8,
			i & 255);
	}
	assert_null(read_routes(text, 4, NULL, &line));
	for (unsigned i = 0; i < 20000; i++) {
		struct ip6 a = {
			(uint64_t)(((uint32_t)rand() << 8 ^ (uint32_t)rand()) & 0x1fffffffu) << 32,
			0};
		uint32_t best = ROUTES_NONE;

		for (uint32_t k = 0; k < r.count; k++)
			if (ip6_agree(a, r.entry[k].prefix, r.entry[k].length) &&
				(best == ROUTES_NONE || r.entry[k].length > r.entry[best].length))
				best = k;
		assert_int_equal(routes_match(&r, a), best);
	}
	routes_free(&r);
}

/* ---- flows ---- */

static struct traffic t;
static const struct traffic_port port[2] = {{{2, 0, 0, 0, 1, 0}, 1}, {{2, 0, 0, 0, 1, 1}, 3}};

static bool build(const char *const *line, char *error)
{
	frame_init();
	if (!lines(line))
		fail_msg("%s", s.error);
	return traffic_build(&t, &s, port, error, 256);
}

/* Every flow of a table of routes goes where the longest match says, with that host's MAC. */
static void flows_of_routes(void **state)
{
	char name[] = "/tmp/routesXXXXXX", stream[128], error[256];
	int fd = mkstemp(name);
	static const char text[] = "10.0.0.0/8 via 10.255.0.1\n10.128.0.0/9 via 10.255.1.1\n"
				   "10.128.0.0/16 via 10.255.0.1\n11.0.0.0/8 via 10.0.1.2\n"
				   "12.0.0.0/8 via 10.255.1.1\n12.0.0.0/8 via 10.0.1.2\n";

	assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
	close(fd);
	snprintf(stream, sizeof stream, "stream a from 0 routes %s flows 3000 size 64,128", name);

	const char *line[] = {PORTS, "host 10.255.0.0/24 port 0",
		"host 10.255.1.0/24 port 1 mac 02:aa:00:00:00:01", stream, NULL};

	if (!build(line, error))
		fail_msg("%s", error);
	unlink(name);
	unsigned seen[4] = {0};

	for (unsigned i = 0; i < 3000; i++) {
		uint32_t to = load_be32(t.stream[0].four[i].to);
		const struct lane *lane = &t.lane[t.stream[0].four[i].lane];
		bool ten = to >> 24 == 10, b = ten && to >> 23 == 21, c = ten && to >> 16 == 0x0a80;
		unsigned which = to >> 24 == 11 ? 3 : c ? 2 : b ? 1 : 0;

		assert_true(to >> 24 == 10 || to >> 24 == 11); /* 12/8 has two gateways */
		assert_int_equal(lane->egress, which == 1 || which == 3);
		assert_int_equal(lane->back[1], which == 1 ? 0xaa : 0x70);
		seen[which]++;
	}
	for (unsigned i = 0; i < 4; i++)
		assert_true(seen[i] > 300);
	assert_int_equal(t.lanes, 6); /* three next hops, two sizes */
	traffic_free(&t);
}

static void flows_of_a_prefix(void **state)
{
	static const char *const line[] = {
		"port 0 socket a address 10.0.0.2/24 gateway 10.0.0.1",
		"port 1 socket b address 10.0.1.2/24 gateway 10.0.1.1",
		"stream a from 0 to 10.0.1.0/24 port 1 flows 600",
		"stream b from 1 to 10.7.0.0/16 via 10.0.0.2 flows 601 size imix",
		NULL,
	};
	char error[256];
	uint64_t bytes = 0;

	if (!build(line, error))
		fail_msg("%s", error);
	for (unsigned i = 0; i < 600; i++) {
		uint32_t to = load_be32(t.stream[0].four[i].to);

		/* Neither the network, nor the broadcast, nor the router. */
		assert_true(to > 0x0a000101 && to < 0x0a0001ff);
	}
	assert_int_equal(t.stream[0].parts, 1);
	assert_int_equal(t.stream[1].parts, 3);
	for (unsigned p = 0; p < 3; p++)
		for (unsigned i = t.stream[1].part[p].begin; i < t.stream[1].part[p].end; i++) {
			const struct lane *lane = &t.lane[t.stream[1].four[i].lane];

			bytes += lane->bytes;
			/* No lane is in two parts: each queue has its own sequence. */
			for (unsigned k = 0; k < 601; k++)
				if (t.stream[1].four[k].lane == t.stream[1].four[i].lane)
					assert_true(k >= t.stream[1].part[p].begin &&
						    k < t.stream[1].part[p].end);
		}
	assert_int_equal(t.stream[1].part[2].end, 601);
	assert_int_equal(bytes, 600 / 12 * (7 * 60 + 4 * 590 + 1514) + 60);
	traffic_free(&t);
}

static void flows_that_cannot_be(void **state)
{
	static const char *const nobody[] = {
		PORTS, "stream a from 0 to 10.7.0.0/16 via 10.9.9.9", NULL};
	static const char *const file[] = {PORTS, "stream a from 0 routes /nowhere/at/all", NULL};
	char error[256];

	assert_false(build(nobody, error));
	assert_non_null(strstr(error, "host"));
	assert_false(build(file, error));
	assert_non_null(strstr(error, "/nowhere/at/all"));
}

/* ---- neighbours ---- */

static struct neighbor n;

static void neighbor_set_up(void)
{
	static const char *const line[] = {"port 0 socket a address 10.0.0.2/24 gateway 10.0.0.1 "
					   "address fd00::2/64 gateway fd00::1",
		"host 10.0.0.128/25 port 0 mac 02:aa:00:00:00:09", NULL};

	scenario_init(&s);
	assert_true(scenario_line(&s, line[0]) && scenario_line(&s, line[1]));
	neighbor_init(&n, &s, 0);
	assert_false(n.known);
}

static const uint8_t router[6] = {2, 0, 0, 0, 1, 0};

static void ask_arp(uint32_t from, uint32_t to)
{
	uint8_t f[60] = {
		255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 1, 0, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1};

	memcpy(f + 22, router, 6);
	store_be32(f + 28, from);
	store_be32(f + 38, to);
	for (unsigned bytes = 0; bytes < 42; bytes++)
		neighbor_take(&n, f, bytes); /* too short: nothing */
	neighbor_take(&n, f, sizeof f);
}

static void arp(void **state)
{
	const uint8_t *reply;

	neighbor_set_up();
	ask_arp(0x0a000001, 0x0a000002);
	assert_int_equal(n.count, 1);
	assert_false(n.silent[0]); /* who asks has told his MAC */
	assert_false(n.known);     /* but IPv6 has not answered */
	assert_memory_equal(n.router, router, 6);
	reply = n.outbox[n.first].byte;
	assert_memory_equal(reply, router, 6);
	assert_memory_equal(reply + 22, s.port[0].mac, 6);
	assert_int_equal(load_be16(reply + 20), 2);
	assert_int_equal(load_be32(reply + 28), 0x0a000002);
	assert_int_equal(load_be32(reply + 38), 0x0a000001);
	ask_arp(0x0a000001, 0x0a000085);
	assert_int_equal(n.count, 2);
	assert_int_equal(n.outbox[n.first + 1].byte[23], 0xaa);
	ask_arp(0x0a000001, 0x0a000003); /* nobody */
	ask_arp(0x0a000002, 0x0a000002); /* an announcement */
	assert_int_equal(n.count, 2);
	for (unsigned i = 0; i < 200; i++)
		ask_arp(0x0a000001, 0x0a000002);
	assert_int_equal(n.count, OUTBOX_FRAMES);
}

/* A solicitation of another port's own making, answered by this one. */
static void discovery(void **state)
{
	struct neighbor other;
	struct scenario mirror;

	neighbor_set_up();
	mirror = s;
	mirror.port[0].own[1] = s.port[0].gateway[1];
	mirror.port[0].gateway[1] = s.port[0].own[1];
	memcpy(mirror.port[0].mac, router, 6);
	neighbor_init(&other, &mirror, 0);
	neighbor_ask(&other);
	assert_int_equal(other.count, 2); /* ARP and ND */
	for (unsigned bytes = 0; bytes < other.outbox[1].bytes; bytes++)
		neighbor_take(&n, other.outbox[1].byte, bytes);
	assert_int_equal(n.count, 0);
	neighbor_take(&n, other.outbox[1].byte, other.outbox[1].bytes);
	assert_int_equal(n.count, 1);
	assert_false(n.silent[1]);
	assert_memory_equal(n.router, router, 6);
	ask_arp(0x0a000001, 0x0a000003);
	assert_true(n.known);
	neighbor_take(&other, n.outbox[0].byte, n.outbox[0].bytes);
	assert_false(other.silent[1]);
	assert_memory_equal(other.router, s.port[0].mac, 6);
	/* A wrong checksum, a hop limit that a router has lowered, an option without length. */
	neighbor_set_up();
	for (unsigned i = 0; i < 3; i++) {
		struct outbox_frame f = other.outbox[1];

		f.byte[(unsigned[]){60, 21, 79}[i]] ^= 1;
		neighbor_take(&n, f.byte, f.bytes);
	}
	assert_int_equal(n.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_lines),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(noise),
		cmocka_unit_test(route_texts),
		cmocka_unit_test(route_matches),
		cmocka_unit_test(flows_of_routes),
		cmocka_unit_test(flows_of_a_prefix),
		cmocka_unit_test(flows_that_cannot_be),
		cmocka_unit_test(arp),
		cmocka_unit_test(discovery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Configuration text: print(parse(x)) is canonical, edits, and what it means or must not say. */
#include "test/unit/shell_fixture.h"

#include "kernel/shell/config.h"

static uint64_t random_state;

static unsigned pick(unsigned n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(random_state >> 33) % n;
}

/* ---------------------------------------------------------------- round trip */

static void random_text(char *out, size_t size)
{
	size_t n = pick((unsigned)size);

	for (size_t i = 0; i < n; i++)
		out[i] = (char)(' ' + pick(95));
	out[n] = '\0';
}

/* One line of text, not canonical: abbreviations, capitals, blanks, quotes. */
static void random_line(char *out, size_t size)
{
	char text[60], quoted[130];
	unsigned a = pick(4), b = pick(4), c = pick(4);

	switch (pick(16)) {
	case 0:
		snprintf(out, size, "set system hostname R%u-%u", a, b);
		break;
	case 1:
		snprintf(out, size, "set  sys work %u", 1 + a);
		break;
	case 2:
		snprintf(out, size, "set interfaces eth%u address 10.%u.%u.1/24", pick(12), b, c);
		break;
	case 3:
		snprintf(out, size, " se int eth%u mtu %u", pick(12), 576 + pick(925));
		break;
	case 4:
		random_text(text, sizeof text);
		words_print(quoted, sizeof quoted, text);
		snprintf(out, size, "set interfaces br%u description %s", a, quoted);
		break;
	case 5:
		snprintf(out, size, "set interfaces eth%u disabled ", pick(12));
		break;
	case 6:
		snprintf(out, size, "set interfaces eth%u mac AA:bb:0%u:00:00:01", a, b);
		break;
	case 7:
		snprintf(out, size, "set routes %u.0.0.0/8 via 10.0.0.%u", pick(200), 2 + a);
		break;
	case 8:
		snprintf(out, size, "set routes %u.%u.0.0/16 v 10.0.0.2 dev eth%u", a, b, c);
		break;
	case 9:
		snprintf(out, size, "set r %u.0.0.0/%u %s", 16 * a, 4 + b,
			c == 0   ? "blackhole"
			: c == 1 ? "unre"
				 : "prohibit");
		break;
	case 10:
		snprintf(out, size, "set ne eth%u 10.0.0.%u 52:54:00:AA:bb:%02x", a, b, pick(256));
		break;
	case 11:
		snprintf(out, size, "# a comment %u", a);
		break;
	case 12:
		snprintf(out, size, "set queues eth%u class %u dscp %u-%u w %u", a, b, 8 * c,
			8 * c + a, 1 + pick(256));
		break;
	case 13:
		snprintf(out, size, "set q eth%u cl %u dscp %u-%u prio", a, b, 8 * c, 8 * c);
		break;
	case 14:
		snprintf(
			out, size, "set q eth%u shape %u%s", a, 8 + pick(500), b ? "mbit" : "kbit");
		break;
	case 15:
		snprintf(out, size, a & 1 ? "set system idle %s" : "set int eth3 rx-s %s",
			a & 1 ? (b & 1 ? "poll" : "relaxed") : (b & 1 ? "on" : "auto"));
		break;
	}
}

static size_t print_set(const struct lines *set, char *out, size_t size)
{
	size_t n = 0;

	for (unsigned i = 0; i < set->count; i++) {
		n += line_print(set->line[i], out + n, size - n);
		out[n++] = '\n';
		assert_true(n + LINE_TEXT_MAX < size);
	}
	out[n] = '\0';
	return n;
}

static void read_text(struct lines *set, const char *text, size_t n)
{
	char error[200];

	if (!config_read_text(set, text, n, error, sizeof error))
		fail_msg("%s", error);
}

static void check_ordered(const struct lines *set)
{
	for (unsigned i = 1; i < set->count; i++)
		assert_true(line_order(set->line[i - 1], set->line[i], LINE_WORDS) < 0);
}

static void test_round_trip(void **state)
{
	static char text[200000], printed[200000], again[200000];

	for (unsigned seed = 1; seed <= 300; seed++) {
		struct lines set = {0}, copy = {0}, shuffled = {0};
		size_t n = 0;

		random_state = seed;
		for (unsigned i = pick(150); i; i--) {
			random_line(text + n, sizeof text - n);
			n += strlen(text + n);
			text[n++] = '\n';
		}
		read_text(&set, text, n);
		check_ordered(&set);
		n = print_set(&set, printed, sizeof printed);
		read_text(&copy, printed, n);
		assert_int_equal(print_set(&copy, again, sizeof again), n);
		assert_string_equal(printed, again);
		assert_true(lines_equal(&set, &copy));
		read_text(&copy, printed, n); /* the same once more is no change */
		assert_true(lines_equal(&set, &copy));
		for (unsigned i = set.count; i > 0; i--) /* the order of lines does not matter */
			assert_int_equal(lines_add(&shuffled, set.line[i - 1]), ERR_OK);
		assert_true(lines_equal(&set, &shuffled));
		lines_clear(&set);
		lines_clear(&copy);
		lines_clear(&shuffled);
	}
}

/* Sets and deletes at random against a plain list that knows only printed lines. */
static void test_deletes(void **state)
{
	for (unsigned seed = 1; seed <= 100; seed++) {
		struct lines set = {0};

		random_state = seed;
		for (unsigned i = 0; i < 200; i++) {
			char text[200], error[200], why[200];

			random_line(text, sizeof text);
			assert_true(
				config_read_line(&set, text, strlen(text), 1, error, sizeof error));
			if (set.count && pick(3) == 0) {
				const struct line *victim = set.line[pick(set.count)];
				unsigned words = 1 + pick(victim->words), gone = 0,
					 before = set.count;

				for (unsigned k = 0; k < set.count; k++)
					gone += line_order(set.line[k], victim, words) == 0;
				size_t n = (size_t)snprintf(text, sizeof text, "delete");

				for (unsigned k = 0; k < words; k++) {
					text[n++] = ' ';
					n += words_print(
						text + n, sizeof text - n, victim->text[k]);
				}
				assert_true(
					config_read_line(&set, text, n, 1, error, sizeof error));
				assert_int_equal(set.count, before - gone);
				assert_false(config_read_line(&set, text, n, 1, why, sizeof why));
				assert_string_equal(why, "nothing to delete");
			}
		}
		check_ordered(&set);
		lines_clear(&set);
	}
}

static void test_replace_and_add(void **state)
{
	struct lines set = {0};
	char printed[4000];
	static const char text[] = "set system hostname a\n"
				   "set system hostname b\n"
				   "set interfaces eth0 mtu 1000\r\n"
				   "set interfaces eth0 mtu 1400\r\n"
				   "set interfaces eth0 address 10.0.0.1/24\n"
				   "set interfaces eth0 address 10.0.1.1/24\n"
				   "set interfaces eth1 mtu 600\n"
				   "\n   \n# comment\n"
				   "set routes 0.0.0.0/0 via 10.0.0.2\n"
				   "set routes 0.0.0.0/0 via 10.0.0.2 dev eth0\n"
				   "set neighbors eth0 10.0.0.2 02:00:00:00:00:01\n"
				   "set neighbors eth0 10.0.0.2 02:00:00:00:00:02";

	read_text(&set, text, sizeof text - 1);
	print_set(&set, printed, sizeof printed);
	assert_string_equal(printed, "set system hostname b\n"
				     "set interfaces eth0 address 10.0.0.1/24\n"
				     "set interfaces eth0 address 10.0.1.1/24\n"
				     "set interfaces eth0 mtu 1400\n"
				     "set interfaces eth1 mtu 600\n"
				     "set routes 0.0.0.0/0 via 10.0.0.2 dev eth0\n"
				     "set neighbors eth0 10.0.0.2 02:00:00:00:00:02\n");
	lines_clear(&set);
}

/* ---------------------------------------------------------------- what it means */

static void test_build(void **state)
{
	static const char text[] = "set system hostname r1\n"
				   "set system workers 2\n"
				   "set interfaces eth1 address 192.0.2.1/24\n"
				   "set interfaces eth1 address 198.51.100.1/31\n"
				   "set interfaces eth1 mtu 1400\n"
				   "set interfaces eth0 disabled\n"
				   "set interfaces eth0 mac 52:54:00:12:34:56\n"
				   "set routes 0.0.0.0/0 via 192.0.2.254 dev eth1\n"
				   "set routes 203.0.113.0/24 blackhole\n"
				   "set routes 203.0.114.0/24 unreachable\n"
				   "set routes 203.0.115.0/24 prohibit\n"
				   "set neighbors eth1 192.0.2.9 52:54:00:aa:bb:cc\n";
	struct config c;
	char error[200];

	assert_true(shell_read_config(text, sizeof text - 1, &c, error, sizeof error));
	assert_string_equal(c.hostname, "r1");
	assert_int_equal(c.workers, 2);
	assert_int_equal(c.ifaces, 2);
	assert_string_equal(c.iface[0].name, "eth0");
	assert_true(c.iface[0].disabled && c.iface[0].has_mac);
	assert_int_equal(c.iface[0].mac[5], 0x56);
	assert_int_equal(c.iface[1].addrs, 2);
	assert_int_equal(c.iface[1].addr[0].address, 0xc0000201);
	assert_int_equal(c.iface[1].addr[0].length, 24);
	assert_int_equal(c.iface[1].mtu, 1400);
	assert_int_equal(c.routes, 4);
	assert_true(ip6_equal(c.route[0].route.gateway, rib4_key(0xc00002fe)));
	assert_string_equal(c.route[0].dev, "eth1");
	assert_int_equal(c.route[1].route.kind, STATIC_BLACKHOLE);
	assert_int_equal(c.route[2].route.kind, STATIC_UNREACHABLE);
	assert_int_equal(c.route[3].route.kind, STATIC_PROHIBIT);
	assert_int_equal(c.neighbors, 1);
	assert_string_equal(c.neighbor[0].iface, "eth1");
	assert_int_equal(c.neighbor[0].address, 0xc0000209);
	config_free(&c);
	const char six[] = "set interfaces eth0 address fd00:0::1/64\n"
			   "set interfaces eth0 address fe80::5/64\n"
			   "set interfaces eth0 router-advert\n"
			   "set interfaces eth1 address fd00:1::/127\n"
			   "set interfaces eth1 address fe80::5/64\n"
			   "set routes ::/0 via fe80::9 dev eth1\n"
			   "set neighbors eth1 fe80::9 52:54:00:aa:bb:cc\n";

	assert_true(shell_read_config(six, sizeof six - 1, &c, error, sizeof error));
	assert_int_equal(c.iface[0].addrs6, 2);
	assert_true(c.iface[0].router_advert && !c.iface[1].router_advert);
	assert_int_equal(c.iface[0].addr6[0].length, 64);
	assert_true(ip6_equal(c.route6[0].route.gateway, (struct ip6){0xfe80ull << 48, 9}));
	assert_string_equal(c.route6[0].dev, "eth1");
	assert_true(c.neighbor[0].six);
	config_free(&c);
	assert_true(shell_read_config("", 0, &c, error, sizeof error));
	assert_int_equal(c.ifaces + c.routes + c.neighbors, 0);
	config_free(&c);
}

/* A configuration and what must be said about it, behind the number of the line. */
struct wrong {
	const char *text, *error;
};

static void expect_wrong(const struct wrong *wrong, unsigned n)
{
	char error[300], small[12];
	struct config c;

	for (; n--; wrong++) {
		size_t length = strlen(wrong->text);

		if (shell_read_config(wrong->text, length, &c, error, sizeof error))
			fail_msg("'%s' was taken", wrong->text);
		if (strncmp(error, "line ", 5) != 0 || !strstr(error, wrong->error))
			fail_msg("'%s':\n  '%s' is not\n  '%s'", wrong->text, error, wrong->error);
		/* a short buffer is not overrun */
		shell_read_config(wrong->text, length, &c, small, sizeof small);
	}
}

static void test_semantic_errors(void **state)
{
	static const struct wrong wrong[] = {
		{"set interfaces eth0 address 10.0.0.0/24", "is the network address"},
		{"set interfaces eth0 address 10.0.0.255/24", "is the broadcast address"},
		{"set interfaces eth0 address 127.0.0.1/8", "127.0.0.1 is a loopback address"},
		{"set interfaces eth0 address 224.0.0.1/24", "224.0.0.1 is a multicast address"},
		{"set interfaces eth0 address 255.255.255.255/32",
			"255.255.255.255 is in 240.0.0.0/4"},
		{"set interfaces eth0 address 0.0.0.1/24", "0.0.0.1 is in 0.0.0.0/8"},
		{"set interfaces eth0 address 10.0.0.1/24\nset interfaces eth1 address 10.0.0.1/24",
			"line 2: set interfaces eth1 address 10.0.0.1/24: overlaps 10.0.0.1/24 on "
			"eth0"},
		{"set interfaces eth1 address 10.0.0.1/24\nset interfaces eth0 address 10.0.0.2/30",
			"line 1: set interfaces eth1 address 10.0.0.1/24: overlaps 10.0.0.2/30 on "
			"eth0"},
		{"set interfaces eth0 address 10.0.0.1/24\nset interfaces eth0 address 10.0.0.1/16",
			"is configured twice"},
		{"set routes 10.0.0.0/8 via ::1", "line 1: set routes 10.0.0.0/8 via ::1: the next "
						  "hop is not an IPv4 address"},
		{"set routes 2001:db8::/32 via 10.0.0.1", "line 1: set routes 2001:db8::/32 via "
							  "10.0.0.1: the next hop is not an IPv6 "
							  "address"},
		{"set routes 2001:db8::/32 via ff02::1", "ff02::1 is a multicast address"},
		{"set routes 2001:db8::/32 via ::", ":: is the unspecified address"},
		{"set routes 2001:DB8::/32 blackhole\nset routes 2001:db8:0::/32 prohibit",
			"line 2: set routes 2001:db8::/32 prohibit: more than one kind of route "
			"for "
			"2001:db8::/32"},
		{"set routes 10.0.0.0/8 via 1.0.0.1\nset routes 10.0.0.0/8 blackhole",
			"more than one kind of route for 10.0.0.0/8"},
		{"set routes 10.0.0.0/8 via 239.1.1.1", "239.1.1.1 is a multicast address"},
		{"set interfaces eth0 address 10.0.0.1/24\nset routes 11.0.0.0/8 via 10.0.0.1",
			"line 2: set routes 11.0.0.0/8 via 10.0.0.1: the next hop is an address of "
			"this router"},
		{"set neighbors eth0 10.0.0.9 01:00:00:00:00:00", "is a multicast MAC address"},
		{"set neighbors eth0 10.0.0.9 00:00:00:00:00:00", "is no station's MAC address"},
		{"set interfaces eth0 mac ff:ff:ff:ff:ff:ff", "is a multicast MAC address"},
		{"set interfaces eth1 mac 02:00:00:00:00:01\nset interfaces eth0 mac "
		 "02:00:00:00:00:01",
			"line 1: set interfaces eth1 mac 02:00:00:00:00:01: eth0 is bound to this "
			"NIC"},
		{"\n\nset routes 10.0.0.1/8 blackhole", "line 3: '10.0.0.1/8' has host bits set"},
		{"# x\nshow version", "line 2: unknown word 'show'"},
		{"set interfaces eth0 description \"x", "line 1: quote not closed"},
		{"set system hostname \x80",
			"line 1: line holds a byte that is not printable ASCII"},
		{"delete system", "line 1: nothing to delete"},
	};
	expect_wrong(wrong, sizeof wrong / sizeof *wrong);
}

static void test_semantic_errors6(void **state)
{
	static const struct wrong wrong[] = {
		{"set interfaces eth0 address ::1/128", "::1 is the loopback address"},
		{"set interfaces eth0 address ff02::5/64", "ff02::5 is a multicast address"},
		{"set interfaces eth0 address fd00::/64", "is the subnet-router anycast address"},
		{"set interfaces eth0 address fe80::1/10", "a link-local address is of a /64"},
		{"set interfaces eth0 address fd00::1/64\nset interfaces eth1 address fd00::2/56",
			"line 2: set interfaces eth1 address fd00::2/56: overlaps fd00::1/64 on "
			"eth0"},
		{"set interfaces eth0 address fd00::1/64\nset interfaces eth0 address fd00::1/56",
			"is configured twice"},
		{"set interfaces eth0 address fd00::1/64\nset routes ::/0 via fd00::1",
			"the next hop is an address of this router"},
		{"set interfaces eth0 address fd00::1/64\n"
		 "set neighbors eth0 fd00::1 02:00:00:00:00:01",
			"the neighbour is an address of this router"},
		{"set routes 2001:db8::/32 via fe80::1", "a link-local next hop needs 'dev'"},
	};

	expect_wrong(wrong, sizeof wrong / sizeof *wrong);
}

static void test_more_addresses_than_fit(void **state)
{
	char text[2000] = "", error[200];
	struct config c;

	for (unsigned i = 0; i < IFACE_ADDR_MAX + 1; i++) {
		bool good = shell_read_config(text, strlen(text), &c, error, sizeof error);

		assert_true(good);
		config_free(&c);
		snprintf(text + strlen(text), sizeof text - strlen(text),
			"set interfaces eth0 address 10.0.%u.1/24\n", i);
	}
	assert_false(shell_read_config(text, strlen(text), &c, error, sizeof error));
	assert_string_equal(
		error, "line 9: set interfaces eth0 address 10.0.8.1/24: more than 8 addresses");
}

/* Overlaps found among random networks, against every pair. */
static void test_overlaps(void **state)
{
	unsigned found = 0;

	for (unsigned seed = 1; seed <= 3000; seed++) {
		struct {
			uint32_t address;
			unsigned length, iface;
		} net[5];
		char text[1000] = "", error[200];
		struct config c;
		bool overlap = false;
		unsigned n = 2 + seed % 4;

		random_state = seed;
		for (unsigned i = 0; i < n; i++) {
			net[i].length = 20 + pick(8);
			net[i].address = 0x0a000000u | pick(32) << 7 | (1 + i);
			net[i].iface = pick(3);
			snprintf(text + strlen(text), sizeof text - strlen(text),
				"set interfaces eth%u address %u.%u.%u.%u/%u\n", net[i].iface,
				net[i].address >> 24, net[i].address >> 16 & 255,
				net[i].address >> 8 & 255, net[i].address & 255, net[i].length);
			for (unsigned k = 0; k < i; k++) {
				unsigned length = net[i].length < net[k].length ? net[i].length
										: net[k].length;

				overlap |= net[i].iface != net[k].iface &&
					   (net[i].address ^ net[k].address) >> (32 - length) == 0;
			}
		}
		if (shell_read_config(text, strlen(text), &c, error, sizeof error) == overlap)
			fail_msg("overlap %d:\n%s%s", overlap, text, error);
		if (!overlap)
			config_free(&c);
		else
			assert_non_null(strstr(error, "overlaps"));
		found += overlap;
	}
	assert_true(found > 100 && found < 2900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_deletes),
		cmocka_unit_test(test_replace_and_add),
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_semantic_errors),
		cmocka_unit_test(test_semantic_errors6),
		cmocka_unit_test(test_more_addresses_than_fit),
		cmocka_unit_test(test_overlaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

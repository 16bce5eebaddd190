/* Words, patterns, and the grammar: what a line means, and what is wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/shell/commands.h"
#include "kernel/shell/pattern.h"

static struct command command;
static char error[200];

static bool parse(const char *line)
{
	error[0] = '\0';
	return grammar_parse(&grammar_all, line, strlen(line), &command, error, sizeof error);
}

/* The words of a good line, in full and in canonical form, with one blank between them. */
static void expect(const char *line, const char *canonical)
{
	char text[600] = "";

	if (!parse(line))
		fail_msg("'%s': %s", line, error);
	for (unsigned i = 0; i < command.words; i++) {
		strcat(text, i ? " " : "");
		strcat(text, command.text[i]);
	}
	assert_string_equal(text, canonical);
}

static void expect_error(const char *line, const char *text)
{
	if (parse(line))
		fail_msg("'%s' was taken", line);
	assert_string_equal(error, text);
}

static void test_abbreviation(void **state)
{
	expect("sh ver", "show version");
	expect("show version", "show version");
	expect("se i eth0 ad 10.0.0.1/24", "set interfaces eth0 address 10.0.0.1/24");
	expect("set r 10.0.0.0/8 v 10.1.1.1 d eth1", "set routes 10.0.0.0/8 via 10.1.1.1 dev eth1");
	expect("pi 10.0.0.1 s 9 c 3", "ping 10.0.0.1 size 9 count 3");
	expect("pi 10.0.0.1 w 9", "ping 10.0.0.1 wait 9");
	expect("ping 10.0.0.1", "ping 10.0.0.1");
}

static void test_canonical(void **state)
{
	expect("set interfaces eth0 mac AA:bB:0c:00:00:01",
		"set interfaces eth0 mac aa:bb:0c:00:00:01");
	expect("set system hostname Router-1", "set system hostname Router-1");
	expect("  set\tsystem   workers 3 ", "set system workers 3");
	expect("set interfaces eth0 description \"a \\\"b\\\" \\\\\"",
		"set interfaces eth0 description a \"b\" \\");
	expect("set interfaces eth0 description \"\"", "set interfaces eth0 description ");
	expect("show routes|count", "show routes | count");
}

static void test_errors(void **state)
{
	expect_error("foo", "unknown word 'foo'");
	expect_error("s", "'s' is ambiguous: save, set, show");
	expect_error("c", "'c' is ambiguous: capture, clear, commit, compare, confirm");
	expect_error("set", "incomplete command");
	expect_error("set interfaces eth0", "incomplete command");
	expect_error(
		"set interfaces eth0 address x", "'x' is not an IPv4 address with prefix length");
	expect_error("ping x", "'x' is not an IPv4 address");
	expect_error("ping fd00::1::2", "'fd00::1::2' is not an IPv6 address");
	expect_error("set interfaces eth0 address fd00::1/129",
		"'fd00::1/129' is not an IPv6 address with prefix length");
	expect_error("ping 10.0.0.1 10.0.0.2", "unknown word '10.0.0.2'");
	expect_error("ping 10.0.0.1 count 0", "'0' is not a number from 1 to 1000000");
	expect_error("ping 10.0.0.1 size 8973", "'8973' is not a number from 0 to 8972");
	expect_error("set interfaces eth0 mtu 575", "'575' is not a number from 576 to 9000");
	expect_error("set interfaces eth0 mtu 9001", "'9001' is not a number from 576 to 9000");
	expect_error("set interfaces 0eth mtu 1500", "'0eth' is not an interface name");
	expect_error("set interfaces eth mtu 1500", "'eth' is not an interface name");
	expect_error("set interfaces Eth0 mtu 1500", "'Eth0' is not an interface name");
	expect_error("set interfaces abcdefghijklmno1 mtu 1500",
		"'abcdefghijklmno1' is not an interface name");
	expect_error("set routes 10.0.0.1/8 blackhole", "'10.0.0.1/8' has host bits set");
	expect_error("set routes 10.0.0.0/33 blackhole", "'10.0.0.0/33' is not an IPv4 prefix");
	expect_error("set system hostname -x", "'-x' is not a host name");
	expect_error("set system hostname a.b", "'a.b' is not a host name");
	expect_error("set system hostname a_b", "'a_b' is not a host name");
	expect_error("set interfaces eth0 mac 1:2:3:4:5:6", "'1:2:3:4:5:6' is not a MAC address");
	expect_error("show routes 10.0.0.0/", "'10.0.0.0/' is not an IPv4 prefix");
	expect_error("show routes 10.0.0", "'10.0.0' is not an address or prefix");
	expect_error("show version extra", "unknown word 'extra'");
	expect_error("show version |", "incomplete command");
	expect_error("show version | include", "incomplete command");
	expect_error("show version | include [a", "'[a' is not a pattern");
	expect_error("show version | json | count", "unknown word '|'");
	expect_error("commit | json", "unknown word '|'");
	expect_error("\"show\" version", "unknown word 'show'");
	expect_error("set interfaces eth0 description \"abc", "quote not closed");
	expect_error("set interfaces eth0 description a\"b",
		"a quote may only stand around a whole word");
	expect_error("set \x01", "line holds a byte that is not printable ASCII");
	expect_error("set forwarding flow-cache on", "unknown word 'flow-cache'");
}

static void test_long_words(void **state)
{
	char line[SHELL_LINE_MAX + 2];

	memset(line, 'x', sizeof line);
	assert_false(
		grammar_parse(&grammar_all, line, SHELL_LINE_MAX, &command, error, sizeof error));
	assert_string_equal(error, "unknown word 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'");
	assert_false(grammar_parse(
		&grammar_all, line, SHELL_LINE_MAX + 1, &command, error, sizeof error));
	assert_string_equal(error, "line too long");
	for (size_t i = 1; i < SHELL_LINE_MAX; i += 2)
		line[i] = ' ';
	assert_false(
		grammar_parse(&grammar_all, line, SHELL_LINE_MAX, &command, error, sizeof error));
	assert_string_equal(error, "too many words");
	/* One quoted word after another fills the store to its last byte. */
	memset(line, '|', sizeof line);
	assert_false(
		grammar_parse(&grammar_all, line, SHELL_LINE_MAX, &command, error, sizeof error));
}

static void test_every_length_of_text(void **state)
{
	char line[400] = "set interfaces eth0 description ";
	size_t base = strlen(line);

	for (size_t n = 1; n < 200; n++) {
		memset(line + base, 'd', n);
		line[base + n] = '\0';
		assert_int_equal(parse(line), n < ARG_TEXT_MAX);
	}
}

/* ---- what can follow */

static char choices[4000];
static bool choice_error;

static void add_choice(void *ctx, const char *word, const char *help, bool insertable)
{
	assert_non_null(help);
	assert_true(strlen(help) > 2);
	snprintf(choices + strlen(choices), sizeof choices - strlen(choices), "%s%s%s",
		*choices ? " " : "", word, insertable ? "" : "*");
}

static const char *after(const char *left)
{
	size_t typed;

	choices[0] = '\0';
	choice_error = !grammar_choices(
		&grammar_all, left, strlen(left), &typed, add_choice, NULL, error, sizeof error);
	return choices;
}

static void test_choices(void **state)
{
	assert_string_equal(after("c"), "capture clear commit compare confirm");
	assert_string_equal(after("set "),
		"system interfaces routes neighbors acl nat queues forwarding protocols");
	assert_string_equal(after("set interfaces eth0 m"), "mac mtu");
	assert_string_equal(after("show version "), "| ENTER*");
	assert_string_equal(after("show version | "), "count include json");
	assert_string_equal(after("ping 10.0.0.1 "), "count size wait ENTER*");
	assert_string_equal(after("ping "), "ADDR*");
	assert_string_equal(after("delete routes "), "PREFIX* ENTER*");
	assert_string_equal(after("zzz"), "");
	assert_false(choice_error);
	after("zzz ");
	assert_true(choice_error);
	assert_string_equal(error, "unknown word 'zzz'");
	assert_non_null(strstr(after(""), "show"));
	assert_null(strstr(after(""), "debug"));
}

/* Every path of the tree: each keyword parses, has help, and siblings are told apart. */
static unsigned nodes;

static void check_tree(const struct node *n, unsigned depth)
{
	assert_true(depth < 8);
	for (; n && (n->word || n->arg); n++) {
		nodes++;
		assert_non_null(n->help);
		for (const struct node *other = n + 1; other->word || other->arg; other++)
			assert_false(n->word && other->word && !strcmp(n->word, other->word));
		if (!n->next)
			assert_true(n->flags & NODE_END);
		if (n->next != NULL && depth < 7)
			check_tree(n->next, depth + 1);
	}
}

static void test_tree(void **state)
{
	check_tree(grammar_all.root, 0);
	check_tree(grammar_all.pipe->next, 0);
	assert_true(nodes > 60);
}

/* ---- words and patterns */

static void test_words_round_trip(void **state)
{
	static struct words words;
	uint64_t random = 7;

	for (unsigned i = 0; i < 20000; i++) {
		char word[40], line[100];
		size_t n = 0;

		random = random * 6364136223846793005u + 1442695040888963407u;
		size_t length = (random >> 40) % sizeof word;

		for (; n < length; n++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			word[n] = (random >> 33) % 4 ? (char)(' ' + (random >> 35) % 95)
						     : " \"\\|?#"[(random >> 35) % 6];
		}
		word[n] = '\0';
		size_t printed = words_print(line, sizeof line, word);

		assert_int_equal(printed, strlen(line));
		assert_true(words_split(&words, line, printed, error, sizeof error));
		assert_int_equal(words.count, 1);
		assert_false(words.open_quote);
		assert_string_equal(words.word[0], word);
		assert_false(words_in_quote(line, printed));
		for (size_t k = 0; k < printed; k++) /* typed, it must not ask for help */
			assert_true(line[k] != '?' || words_in_quote(line, k));
	}
}

static void expect_match(const char *re, const char *text, bool match)
{
	struct pattern p;

	if (!pattern_compile(&p, re))
		fail_msg("'%s' is no pattern", re);
	if (pattern_match(&p, text) != match)
		fail_msg("'%s' on '%s'", re, text);
}

static void test_patterns(void **state)
{
	expect_match("", "", true);
	expect_match("", "abc", true);
	expect_match("b", "abc", true);
	expect_match("^b", "abc", false);
	expect_match("^a", "abc", true);
	expect_match("c$", "abc", true);
	expect_match("b$", "abc", false);
	expect_match("^$", "", true);
	expect_match("^$", "x", false);
	expect_match("a.c", "xabcx", true);
	expect_match("ab*c", "ac", true);
	expect_match("ab*c", "abbbbc", true);
	expect_match("ab+c", "ac", false);
	expect_match("ab?c", "abbc", false);
	expect_match("^ab?c$", "abc", true);
	expect_match("[a-c]+$", "xxabc", true);
	expect_match("^[^a-c]*$", "xyz", true);
	expect_match("^[^a-c]*$", "xyaz", false);
	expect_match("10\\.0", "10x0", false);
	expect_match("10\\.0", "10.0", true);
	expect_match("[]x]", "]", true);
	expect_match("a$b", "a$b", true);
	expect_match("^.*.*.*.*.*.*.*.*x$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		false);
	struct pattern p;

	assert_false(pattern_compile(&p, "*"));
	assert_false(pattern_compile(&p, "a**"));
	assert_false(pattern_compile(&p, "[a"));
	assert_false(pattern_compile(&p, "\\"));
	assert_false(pattern_compile(&p, "[b-a]"));
	char many[70];

	memset(many, 'a', sizeof many);
	many[63] = '\0';
	assert_true(pattern_compile(&p, many));
	assert_true(pattern_match(&p, many));
	many[63] = 'a';
	many[64] = '\0';
	assert_false(pattern_compile(&p, many));
}

static void test_order(void **state)
{
	assert_true(arg_order(ARG_IFACE, "eth2", "eth10") < 0);
	assert_true(arg_order(ARG_IFACE, "br0", "eth0") < 0);
	assert_true(arg_order(ARG_IFACE, "et9", "eth0") < 0);
	assert_int_equal(arg_order(ARG_IFACE, "eth7", "eth7"), 0);
	assert_true(arg_order(ARG_IPV4, "9.0.0.0", "10.0.0.0") < 0);
	assert_true(arg_order(ARG_PREFIX, "10.0.0.0/8", "10.0.0.0/16") < 0);
	assert_true(arg_order(ARG_PREFIX, "9.0.0.0/24", "10.0.0.0/8") < 0);
	assert_true(arg_order(ARG_NUMBER, "9", "10") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_abbreviation),
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_long_words),
		cmocka_unit_test(test_every_length_of_text),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_words_round_trip),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

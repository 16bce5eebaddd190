/* Autoload: what the words of the command line mean, and which files are asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/autoload.h"

static struct autoload_words w;
static char wrong[AUTOLOAD_WORD_MAX];

static bool parse(const char *line)
{
	/* Exactly as long, so that the sanitizer sees a read behind it. */
	char *copy = strdup(line);
	bool good = autoload_parse(copy, &w, wrong);

	free(copy);
	return good;
}

static void test_words(void **state)
{
	assert_true(parse(""));
	assert_false(w.wanted || w.addressed);
	assert_true(parse("barewire.elf panic=reboot  noconfig=x"));
	assert_false(w.wanted);
	assert_true(
		parse("barewire.elf config=tftp://10.0.0.2 ip=10.0.0.9/24 gw=10.0.0.1 if=eth3"));
	assert_true(w.wanted && w.addressed && !w.by_mac);
	assert_int_equal(w.folder.server, 0x0a000002);
	assert_string_equal(w.folder.path, "");
	assert_int_equal(w.address, 0x0a000009);
	assert_int_equal(w.length, 24);
	assert_int_equal(w.gateway, 0x0a000001);
	assert_string_equal(w.iface, "eth3");
	assert_true(parse("\tip=10.0.0.9/255.255.240.0\tif=52-54-00-AB-cd-01 "
			  "config=tftp://10.0.0.2/a/b/\n"));
	assert_int_equal(w.length, 20);
	assert_true(w.by_mac);
	assert_memory_equal(w.mac, "\x52\x54\x00\xab\xcd\x01", 6);
	assert_string_equal(w.folder.path, "a/b/");
	assert_true(parse("ip= gw= if= config="));
	assert_false(w.wanted || w.addressed);
	assert_true(parse("gw=10.0.0.1 gw=10.0.0.3"));
	assert_int_equal(w.gateway, 0x0a000003);
}

static void test_wrong(void **state)
{
	static const char *const bad[] = {"config=http://10.0.0.2/", "config=tftp://server/x",
		"config=tftp:/10.0.0.2", "config=10.0.0.2", "config=tftp://10.0.0.2\x01/",
		"ip=10.0.0.9", "ip=10.0.0.9/33", "ip=10.0.0.9/255.0.255.0", "ip=/24",
		"ip=10.0.0.9/", "ip=10.0.0.9/255.255.255.255.0", "ip=1000000000000000000.0.0.9/24",
		"gw=10.0.0", "gw=10.0.0.1/24", "if=52:54:00:00:00", "if=52:54:00:00:00:00:00",
		"if=eth0.100", "if=averyverylonginterface", "ip=fd00::1/64"};
	char line[200];

	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		strcpy(line, "a=b ");
		strcat(line, bad[i]);
		strcat(line, " c=d");
		assert_false(parse(line));
		assert_string_equal(wrong, bad[i]);
	}
	memset(line, 'x', sizeof line);
	memcpy(line, "config=tftp://10.0.0.2/", 23);
	line[sizeof line - 1] = '\0';
	assert_false(parse(line)); /* the path is too long */
	line[23 + TFTP_PATH_MAX - 1] = '\0';
	assert_true(parse(line));
}

static void expect(unsigned i, const char *folder, const char *serial, const char *path)
{
	static const uint8_t mac[6] = {0x52, 0x54, 0, 0xab, 0xcd, 1};
	struct transfer_place from = {.server = 1}, out;

	strcpy(from.path, folder);
	if (!path) {
		assert_false(autoload_name(i, &from, mac, serial, &out));
		return;
	}
	assert_true(autoload_name(i, &from, mac, serial, &out));
	assert_int_equal(out.server, 1);
	assert_string_equal(out.path, path);
}

static void test_names(void **state)
{
	char longest[65], folder[TFTP_PATH_MAX];

	expect(0, "", "S1", "52-54-00-ab-cd-01.conf");
	expect(0, "rack/a", "S1", "rack/a/52-54-00-ab-cd-01.conf");
	expect(0, "rack/", "S1", "rack/52-54-00-ab-cd-01.conf");
	expect(1, "rack", "S1", "rack/S1.conf");
	expect(1, "rack", "", NULL);
	expect(1, "rack", "../A b?/C", "rack/_._A_b__C.conf");
	expect(2, "rack", "S1", "rack/default.conf");
	memset(longest, 'S', 64);
	longest[64] = '\0';
	expect(1, "", longest, strcat(strcpy(folder, longest), ".conf"));
	memset(folder, 'f', sizeof folder - 1);
	folder[sizeof folder - 1] = '\0';
	expect(2, folder, "", NULL);
}

/* Any line: parsed within its memory. */
static void test_garbage(void **state)
{
	static const char alphabet[] = "configpgwtf=:/.-0159a \t%\xff";
	uint32_t seed = 1;

	for (unsigned round = 0; round < 50000; round++) {
		char line[64];
		unsigned n = round % (sizeof line - 4);

		strcpy(line, round & 1 ? "ip=" : "if=");
		for (unsigned i = 3; i < n; i++) {
			seed = seed * 1664525u + 1013904223u;
			line[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
		}
		line[n < 3 ? 3 : n] = '\0';
		(void)parse(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

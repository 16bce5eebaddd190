/* What the EFI application hands over, and where it looks for its files: bounded, and right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "boot/efi/dhcp.h"
#include "boot/efi/http.h"
#include "boot/parse.h"
#include "test/unit/bootmem.h"

#define REPLY_BYTES 300u

/* A handed struct bootinfo arrives whole but for what the kernel must not believe. */
static void test_handover(void **state)
{
	static struct bootinfo from, to;
	struct memory m = memory_new(sizeof from);

	from.entry_tsc = 12345;
	from.rsdp = 0x7f000014;
	from.regions = 2;
	from.region[0] = (struct boot_region){.base = 0x1000, .bytes = 0x2000, .type = BOOT_RAM};
	from.region[1] =
		(struct boot_region){.base = 0x4000, .bytes = UINT64_MAX, .type = BOOT_RAM};
	from.modules = 1;
	from.module[0].base = 0x5000;
	from.module[0].bytes = 7;
	memset(from.module[0].cmdline, 'm', sizeof from.module[0].cmdline);
	memset(from.cmdline, 'c', sizeof from.cmdline);
	put(&m, BASE, &from, sizeof from);
	assert_true(efi_parse(&m.view, BASE, &to));
	assert_string_equal(to.loader, "EFI");
	assert_true(to.entry_tsc == 12345 && to.rsdp == 0x7f000014);
	assert_int_equal(to.regions, 1);
	assert_int_equal(to.region[0].bytes, 0x2000);
	assert_int_equal(strlen(to.module[0].cmdline), sizeof to.module[0].cmdline - 1);
	assert_int_equal(strlen(to.cmdline), sizeof to.cmdline - 1);

	from.regions = BOOT_REGIONS_MAX + 1;
	from.modules = UINT32_MAX;
	put(&m, BASE, &from, sizeof from);
	assert_true(efi_parse(&m.view, BASE, &to));
	assert_int_equal(to.regions + to.modules, 0);
	assert_false(efi_parse(&m.view, BASE + 1, &to));
	free(m.p);
}

/* A reply as of RFC 2131, figure 1, in memory exactly as large. */
static uint8_t *reply_new(const char *file, const uint8_t *options, size_t bytes)
{
	uint8_t *r = calloc(1, REPLY_BYTES);

	assert_non_null(r);
	memcpy(r + 108, file, strlen(file) + 1);
	memcpy(r + 236, (const uint8_t[]){99, 130, 83, 99}, 4);
	memcpy(r + 240, options, bytes);
	return r;
}

static bool find(const char *file, const uint8_t *options, size_t bytes, const char *next_server,
	struct dhcp_source *s)
{
	uint8_t *r = reply_new(file, options, bytes);
	bool found;

	memcpy(r + 20, next_server, 4);
	found = dhcp_find_source(r, REPLY_BYTES, s);
	free(r);
	return found;
}

static void test_source(void **state)
{
	static const uint8_t none[] = {255};
	static const uint8_t both[] = {
		0, 53, 1, 5, 54, 4, 10, 0, 0, 7, 67, 5, 'a', '/', 'b', '/', 'c', 255};
	static const uint8_t overload[] = {52, 1, 1, 54, 4, 10, 0, 0, 7, 255};
	struct dhcp_source s;

	assert_true(find("boot/x/barewire.efi", none, sizeof none, "\x0a\0\0\2", &s));
	assert_memory_equal(s.server, "\x0a\0\0\2", 4);
	assert_string_equal(s.folder, "boot/x/");
	assert_true(find("barewire.efi", none, sizeof none, "\x0a\0\0\2", &s));
	assert_string_equal(s.folder, "");
	/* The option beats the field; the server identifier stands in for a next server of 0. */
	assert_true(find("field/barewire.efi", both, sizeof both, "\0\0\0\0", &s));
	assert_memory_equal(s.server, "\x0a\0\0\7", 4);
	assert_string_equal(s.folder, "a/b/");
	/* A field that holds options is no name. */
	assert_false(find("field/x", overload, sizeof overload, "\x0a\0\0\2", &s));
	assert_false(find("", none, sizeof none, "\x0a\0\0\2", &s));
	assert_false(find("barewire.efi", none, sizeof none, "\0\0\0\0", &s));
}

/* Replies of all lengths, with a name as long as there is room, damaged: the sanitizers are the
 * judges. */
static void test_damaged_replies(void **state)
{
	static const uint8_t options[] = {54, 4, 10, 0, 0, 7, 67, 200};
	struct dhcp_source s;
	uint32_t seed = 1;

	for (unsigned n = 0; n < REPLY_BYTES + 20000; n++) {
		size_t bytes = n < REPLY_BYTES ? n : REPLY_BYTES;
		uint8_t *r = reply_new("x/y", options, sizeof options);
		uint8_t *cut = malloc(bytes ? bytes : 1);

		assert_non_null(cut);
		for (unsigned i = 0; n >= REPLY_BYTES && i < 4; i++) {
			seed = seed * 1664525 + 1013904223;
			r[240 + (seed >> 8) % 60] = (uint8_t)(seed >> 24);
		}
		memcpy(cut, r, bytes);
		if (dhcp_find_source(cut, bytes, &s))
			assert_true(strlen(s.folder) < sizeof s.folder);
		free(cut);
		free(r);
	}
}

static void test_long_folder(void **state)
{
	uint8_t *r = calloc(1, 600);
	struct dhcp_source s;

	assert_non_null(r);
	memcpy(r + 236, (const uint8_t[]){99, 130, 83, 99, 54, 4, 10, 0, 0, 7, 67, 255}, 12);
	memset(r + 248, 'f', 254);
	r[248 + DHCP_PATH_MAX - 2] = '/';
	assert_true(dhcp_find_source(r, 600, &s));
	assert_int_equal(strlen(s.folder), DHCP_PATH_MAX - 1);
	r[248 + DHCP_PATH_MAX - 1] = '/';
	assert_false(dhcp_find_source(r, 600, &s));
	free(r);
}

#define PATH_BYTES   512u
#define MAC_NODE     "\3\013\045\0\122\124\0\0\0\001" NONE_26 "\1"
#define NONE_26      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define IPV4(ip, gw) "\3\014\033\0" ip "\0\0\0\0\0\0\0\0\0\0\0" gw "\377\377\000\0"
#define LEASE        MAC_NODE IPV4("\012\0\310\005", "\012\0\0\1")
#define NO_LEASE     MAC_NODE IPV4("\0\0\0\0", "\012\0\0\1")
#define NO_GATEWAY   MAC_NODE IPV4("\012\0\310\005", "\0\0\0\0")
#define END_NODE     "\177\377\4\0"

/* A device path of `before` and a URI node, whose end stays away, in memory exactly as large. */
static uint8_t *path_new(const char *before, size_t bytes, const char *uri, size_t *total)
{
	size_t n = strlen(uri);
	uint8_t *path = malloc(*total = bytes + 4 + n);

	assert_non_null(path);
	memcpy(path, before, bytes);
	memcpy(path + bytes, (const uint8_t[]){3, 24, (uint8_t)(n + 4), 0}, 4);
	for (size_t i = 0; i < n; i++)
		path[bytes + 4 + i] = (uint8_t)uri[i];
	return path;
}

static void expect_words(const char *before, size_t bytes, const char *uri, const char *expected)
{
	char words[PATH_BYTES];
	size_t total;
	uint8_t *path = path_new(before, bytes, uri, &total);

	http_words(path, total, words, sizeof words);
	assert_string_equal(words, expected);
	free(path);
}
#define EXPECT_WORDS(before, uri, expected) expect_words(before, sizeof(before) - 1, uri, expected)

static void test_url(void **state)
{
	EXPECT_WORDS(LEASE, "http://h/b.efi?config=tftp://10.0.0.2/c&x=1%2c2",
		"ip=10.0.200.5/255.255.0.0 gw=10.0.0.1 if=52:54:00:00:00:01 "
		"config=tftp://10.0.0.2/c x=1,2");
	EXPECT_WORDS(NO_GATEWAY, "http://h/?a&config=t",
		"ip=10.0.200.5/255.255.0.0 if=52:54:00:00:00:01 a config=t");
	EXPECT_WORDS(NO_LEASE, "http://h/?config=t", "config=t");
	EXPECT_WORDS("", "http://h/?config=t", "config=t");
	/* A lease is for config= alone. */
	EXPECT_WORDS(LEASE, "http://h/?panic=reboot&noconfig=1", "panic=reboot noconfig=1");
	EXPECT_WORDS(LEASE, "http://h/b.efi", "");
	EXPECT_WORDS(LEASE, "http://h/?a?b#config=t", "a?b");
	/* What is no character of a word is a blank; what is no %XX stays. */
	EXPECT_WORDS("", "?a%00b%7fc%c3d%0ae", "a b c d e");
	EXPECT_WORDS("", "?%4a%4A%zz%4", "JJ%zz%4");
	EXPECT_WORDS(END_NODE, "http://h/?config=t", "");
	EXPECT_WORDS("\3\014\3\0", "http://h/?config=t", "");
}

/* Paths of all lengths, damaged, into little room: the sanitizers are the judges. */
static void test_damaged_paths(void **state)
{
	char words[40];
	size_t total;
	uint32_t seed = 1;

	for (unsigned n = 0; n < 20000; n++) {
		uint8_t *path = path_new(LEASE, sizeof(LEASE) - 1, "http://h/?config=t%41", &total);
		uint8_t *cut;
		size_t room = 1 + n % sizeof words;

		for (unsigned i = 0; n >= 200 && i < 4; i++) {
			seed = seed * 1664525 + 1013904223;
			path[(seed >> 8) % total] = (uint8_t)(seed >> 24);
		}
		total = n < total ? n : total;
		cut = malloc(total ? total : 1);
		assert_non_null(cut);
		memcpy(cut, path, total);
		http_words(cut, total, words, room);
		assert_non_null(memchr(words, 0, room));
		for (const char *c = words; *c; c++)
			assert_true(*c >= ' ' && *c <= '~');
		free(cut);
		free(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handover),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_damaged_replies),
		cmocka_unit_test(test_long_folder),
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_damaged_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

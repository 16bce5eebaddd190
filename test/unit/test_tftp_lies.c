/* TFTP: replies one by one, such as no good server sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/byteorder.h"
#include "net/proto/tftp.h"

static struct tftp t;
static uint8_t into[4000];
static uint32_t seed;

static unsigned dice(unsigned sides)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % sides;
}

static void begin_read(void)
{
	tftp_read(&t, "a", into, sizeof into, 0);
}

static void reply(uint16_t port, const void *p, size_t n)
{
	/* Exactly as long, so that the sanitizer sees a read behind it. */
	uint8_t *copy = malloc(n ? n : 1);

	assert_non_null(copy);
	memcpy(copy, p, n);
	tftp_input(&t, port, copy, n, 0);
	free(copy);
}

#define REPLY(port, text) reply(port, text, sizeof(text) - 1)

/* What is to be sent next: an ERROR of this code to this port. */
static void expect_error(uint16_t port, unsigned code)
{
	struct tftp_datagram d;

	assert_true(tftp_output(&t, &d));
	assert_int_equal(d.port, port);
	assert_int_equal(load_be16(d.bytes), 5);
	assert_int_equal(load_be16(d.bytes + 2), code);
	assert_int_equal(d.bytes[d.n - 1], 0);
	assert_false(tftp_output(&t, &d));
}

static void drain(void)
{
	struct tftp_datagram d;

	while (tftp_output(&t, &d))
		;
}

static void test_other_port(void **state)
{
	begin_read();
	drain();
	REPLY(5000, "\0\6tsize\0"
		    "10\0");
	assert_int_equal(t.state, TFTP_RUNNING);
	drain();
	REPLY(5001, "\0\3\0\1else");
	expect_error(5001, TFTP_UNKNOWN_TID);
	REPLY(5001, "\0\5\0\1gone"); /* no error about an error */
	assert_false(t.pending);
	assert_int_equal(t.state, TFTP_RUNNING);
	REPLY(5000, "\0\3\0\1 0123456789");
	assert_int_equal(t.state, TFTP_DONE);
	assert_memory_equal(into, " 0123456789", 11);
}

static void test_server_error(void **state)
{
	begin_read();
	drain();
	REPLY(5000, "\0\5\0\1no\033such file"); /* without its zero */
	assert_int_equal(t.failure, TFTP_REFUSED);
	assert_int_equal(t.code, TFTP_NOT_FOUND);
	assert_string_equal(t.text, "no?such file");
	assert_false(t.pending);
	begin_read();
	REPLY(5000,
		"\0\5\0\2xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	assert_int_equal(strlen(t.text), TFTP_TEXT_MAX - 1);
}

static void test_bad_options(void **state)
{
#define BAD(text)                                                                                  \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}
	static const struct {
		const char *text;
		size_t n;
	} bad[] = {
		BAD("\0\6blksize\0"
		    "1429\0"),
		BAD("\0\6blksize\0"
		    "7\0"),
		BAD("\0\6blksize\0"
		    "\0"),
		BAD("\0\6blksize\0"
		    "512"),
		BAD("\0\6blksize\0"),
		BAD("\0\6blksize"),
		BAD("\0\6timeout\0"
		    "2\0"),
		BAD("\0\6windowsize\0"
		    "2\0"),
		BAD("\0\6tsize\0-1\0"),
		BAD("\0\6tsize\0"
		    "99999999999999999999999\0"),
		BAD("\0\6\0\0"),
	};

	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		begin_read();
		drain();
		reply(5000, bad[i].text, bad[i].n);
		assert_int_equal(t.failure, TFTP_MALFORMED);
		expect_error(5000, TFTP_OPTIONS_REFUSED);
	}
}

/* Any bytes, any order: it stays inside its memory and ends. */
static void test_garbage(void **state)
{
	uint8_t p[1600];

	seed = 3;
	for (unsigned round = 0; round < 3000; round++) {
		uint64_t now = 0;

		if (round & 1)
			tftp_write(&t, "a", into, dice(sizeof into), 0);
		else
			tftp_read(&t, "a", into, dice(sizeof into), 0);
		for (unsigned i = 0; i < 40; i++) {
			uint32_t n = dice(8) ? dice(40) : dice(sizeof p);

			for (uint32_t k = 0; k < n; k++)
				p[k] = (uint8_t)dice(dice(2) ? 256 : 8);
			p[0] = 0;
			p[2] = 0;
			uint8_t *copy = malloc(n + 1);

			assert_non_null(copy);
			memcpy(copy, p, n);
			tftp_input(&t, (uint16_t)(5000 + !dice(4)), copy, n, now);
			free(copy);
			drain();
			assert_true(t.bytes <= sizeof into);
		}
		while (t.state == TFTP_RUNNING) {
			tftp_tick(&t, now += 500);
			drain();
		}
		assert_true(now <= TFTP_SILENCE_MS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_port),
		cmocka_unit_test(test_server_error),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

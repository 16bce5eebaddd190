/* The Internet checksum against the words of RFC 1071, and its incremental update against
 * recomputing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/byteorder.h"
#include "lib/checksum.h"

/* 16-bit big-endian words, one after the other, as RFC 1071 1 says. */
static uint16_t naive(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i += 2) {
		sum += (uint32_t)p[i] << 8 | (i + 1 < n ? p[i + 1] : 0u);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}

/* The stored form of a checksum, read as the wire has it. */
static uint16_t wire(uint16_t check)
{
	return load_be16(&check);
}

static void test_known(void **state)
{
	/* RFC 1071 3: sum ddf2 */
	static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	assert_int_equal(wire(checksum(example, sizeof example)), (uint16_t)~0xddf2);
	assert_int_equal(checksum(example, 0), 0xffff);
}

static void test_against_naive(void **state)
{
	uint8_t data[2048];

	srand(1);
	for (unsigned round = 0; round < 3000; round++) {
		size_t n = (size_t)rand() % 1600, at = (size_t)rand() % 16;

		for (size_t i = 0; i < n; i++)
			data[at + i] =
				round % 3 ? (uint8_t)rand() : 0xff; /* all ones: most carries */
		assert_int_equal(wire(checksum(data + at, n)), naive(data + at, n));
	}
}

static void test_parts(void **state)
{
	uint8_t data[256];

	srand(2);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)rand();
	for (size_t cut = 0; cut <= sizeof data; cut += 2) {
		uint64_t sum = checksum_add(0, data, cut);

		sum = checksum_add(sum, data + cut, sizeof data - cut);
		assert_int_equal(wire(checksum_finish(sum)), naive(data, sizeof data));
	}
}

static void test_verifies(void **state)
{
	uint8_t header[20];
	uint16_t check;

	srand(3);
	for (unsigned round = 0; round < 1000; round++) {
		for (size_t i = 0; i < sizeof header; i++)
			header[i] = (uint8_t)rand();
		header[0] |= 1; /* not all zero */
		memset(header + 10, 0, 2);
		check = checksum(header, sizeof header);
		memcpy(header + 10, &check, 2);
		assert_int_equal(checksum(header, sizeof header), 0);
		header[rand() % 20] ^= (uint8_t)(1 << rand() % 8);
		assert_int_not_equal(checksum(header, sizeof header), 0);
	}
}

/* Every value of the old word, and old checksums at the edges: RFC 1624 3 is about 0x0000 and
 * 0xffff. */
static void test_update(void **state)
{
	uint8_t data[20];

	srand(4);
	for (uint32_t from = 0; from < 0x10000; from++) {
		uint16_t to = (uint16_t)rand(), old, before, after;

		for (size_t i = 0; i < sizeof data; i++)
			data[i] = (uint8_t)rand();
		old = (uint16_t)from;
		memcpy(data + 8, &old, 2);
		before = checksum(data, sizeof data);
		memcpy(data + 8, &to, 2);
		after = checksum(data, sizeof data);
		assert_int_equal(checksum_update16(before, old, to), after);
	}
	/* RFC 1624 4: header sum cd7a + 5555 -> 3285, checksum dd2f -> 0000 */
	assert_int_equal(checksum_update16(0xdd2f, 0x5555, 0x3285), 0x0000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_against_naive),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_verifies),
		cmocka_unit_test(test_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

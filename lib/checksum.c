/* The Internet checksum over a byte range. */
#include "lib/checksum.h"

#include <string.h>

uint64_t checksum_add(uint64_t sum, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (; n >= 4; n -= 4, p += 4) {
		uint32_t v;

		memcpy(&v, p, sizeof v);
		sum += v; /* 32-bit words: 2^32 of them fit before the sum overflows */
	}
	if (n) {
		uint32_t v = 0;

		memcpy(&v, p, n);
		sum += v;
	}
	return sum;
}

uint16_t checksum_finish(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The Internet checksum (RFC 1071) and its incremental update (RFC 1624). */
#ifndef LIB_CHECKSUM_H
#define LIB_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Ones-complement sum of n bytes in memory order, added to `sum` (0 to start).
 * Not folded, not inverted. An odd last byte counts as if a zero followed.
 */
uint64_t checksum_add(uint64_t sum, const void *data, size_t n);

/* Folds a sum to 16 bits and inverts it: the value to store, in memory order. */
uint16_t checksum_finish(uint64_t sum);

/* Checksum field (memory order) over n bytes; 0 if a correct checksum is included. */
static inline uint16_t checksum(const void *data, size_t n)
{
	return checksum_finish(checksum_add(0, data, n));
}

/* RFC 1624 eqn 3: HC' = ~(~HC + ~m + m'); all three in memory order. */
static inline uint16_t checksum_update16(uint16_t check, uint16_t from, uint16_t to)
{
	uint32_t sum = (uint32_t)(uint16_t)~check + (uint16_t)~from + to;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

#endif

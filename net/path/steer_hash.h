/*
 * The hash by which steering spreads sessions: 32-bit arithmetic, the same for numbers and for
 * vectors of them, equal for both directions.
 */
#ifndef NET_PATH_STEER_HASH_H
#define NET_PATH_STEER_HASH_H

#include <stdint.h>

/* Of two addresses, and two ports as flow_key has them, each pair in either order. T: uint32_t or
 * vec. */
#define STEER_HASH(T, name)                                                                        \
	static inline __attribute__((always_inline, unused)) T name(T src, T dst, T ports)         \
	{                                                                                          \
		T sum = (ports >> 16) + (ports & 0xffff);                                          \
		T either = (ports >> 16) ^ (ports & 0xffff);                                       \
		T h = (src + dst) * 0x9e3779b1u ^ (src ^ dst);                                     \
                                                                                                   \
		h = (h ^ h >> 16) * 0x85ebca6bu; /* as in murmur3's last steps */                  \
		h ^= h >> 13 ^ sum << 15 ^ either;                                                 \
		h = h * 0xc2b2ae35u;                                                               \
		h = (h ^ h >> 15) * 0x27d4eb2fu;                                                   \
		return h ^ h >> 16;                                                                \
	}

STEER_HASH(uint32_t, steer_hash)

/* Of a hash the owner; T as above. */
#define STEER_SHARE(hash, owners) (((hash) >> 16) * (owners) >> 16)

#endif

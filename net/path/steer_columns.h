/* Plain packets of a burst as steering needs them, a vector at a time (steer_vec.c). */
#ifndef NET_PATH_STEER_COLUMNS_H
#define NET_PATH_STEER_COLUMNS_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/pool.h"
#include "net/path/nat_rules.h"
#include "net/path/parse.h"

/* Arrays by packet; of those that are not plain, anything. */
struct steer_columns {
	alignas(CACHE_LINE) uint32_t src[BATCH_MAX]; /* host byte order */
	uint32_t dst[BATCH_MAX];
	uint32_t ports[BATCH_MAX];    /* source << 16 | destination */
	uint32_t protocol[BATCH_MAX]; /* TCP or UDP */
	uint32_t owner[BATCH_MAX];    /* as it is without NAT */
	uint8_t *data[BATCH_MAX];     /* the frames; of all packets */
};

/*
 * Fills the columns from n words (1 to BATCH_MAX) of one pool, with BATCH_PAD more behind them that
 * name buffers, too. A bit for each plain one: IPv4 of valid lengths without options or tag, TCP or
 * UDP, no fragment, to no group. Compiled for each form of x86-64.
 */
typedef uint64_t steer_columns_fn(const struct buffers *buffers, const uint64_t *word, unsigned n,
	unsigned owners, struct steer_columns *c);
steer_columns_fn steer_columns_plain, steer_columns_v3, steer_columns_v4;

/*
 * Sets the owners of n packets by rules of NAT. A bit for each that is left to be asked for alone:
 * those that a rule of destination NAT may be about; all, where addresses are of many ranges.
 */
typedef uint64_t steer_nat_fn(
	const struct nat_rules *rules, unsigned n, unsigned owners, struct steer_columns *c);
steer_nat_fn steer_nat_plain, steer_nat_v3, steer_nat_v4;

/* No fragment is among n packets of one pool: all of them are IPv4 without tag, and whole. */
typedef bool steer_no_parts_fn(const struct buffers *buffers, const uint64_t *word, unsigned n);
steer_no_parts_fn steer_no_parts_plain, steer_no_parts_v3, steer_no_parts_v4;

#endif

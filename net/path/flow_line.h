/*
 * How a flow stands in its line, and how its line is found: of the flow cache's files alone.
 *
 *      word  0     1    2    3      4           5         6         7
 *   IPv4     what  src  dst  ports  generation  next hop  slots     mark
 *      word  8     9    10   11     12          13        14        15   the same of another
 *
 *   IPv6     what  src0 src1 src2   generation  next hop  slots     mark
 *      word  8     9    10   11     12          13        14        15
 *            what  src3 dst0 dst1   dst2        dst3      ports     -
 *
 * what: family | protocol << 8 | interface << 16. Addresses and ports are as in the frame;
 * next hop: the one to send by | what the FIB said << 16; slots: in | out << 16; mark: tick |
 * FLOW_DENIED_ << 16. `what` has the family in each half, so neither is taken for the other.
 */
#ifndef NET_PATH_FLOW_LINE_H
#define NET_PATH_FLOW_LINE_H

#include "net/path/flow.h"
#include "net/path/parse.h"

#define FLOW_WHAT       0u
#define FLOW_GENERATION 4u
#define FLOW_HOP        5u
#define FLOW_SLOTS      6u
#define FLOW_MARK       7u
#define FLOW_HALF       8u /* words */
#define FLOW_FOUR       4u
#define FLOW_SIX        6u
#define FLOW_NO_SLOTS   0xffffffffu

/* A batch that asks. By packet: */
struct flow_ask {
	struct flows *flows;
	uint32_t generation;
	uint32_t tick;
	uint64_t keyed;                                            /* which have a key */
	uint64_t hit;                                              /* which were found */
	bool denied;                                               /* one of those, by its mark */
	alignas(CACHE_LINE) uint32_t ports[BATCH_MAX + BATCH_PAD]; /* as in a line; of keyed ones */
	alignas(CACHE_LINE) uint32_t hash[BATCH_MAX + BATCH_PAD];
	alignas(CACHE_LINE) uint32_t first[BATCH_MAX + BATCH_PAD]; /* lines, in bytes */
	/* Words 4 to 7 of the line; the hop is 0 (NEXTHOP_NONE) unless found. */
	alignas(CACHE_LINE) uint32_t kept[BATCH_MAX][4];
};

_Static_assert((uint64_t)FLOW_LINES_MAX *CACHE_LINE <= UINT32_MAX, "lines in bytes");

/* One of those words: FLOW_HOP, FLOW_SLOTS or FLOW_MARK. */
static inline uint32_t flow_kept(const struct flow_ask *q, unsigned i, unsigned word)
{
	return q->kept[i][word - FLOW_GENERATION];
}

/* The two places, of so many lines less one. */
static inline uint32_t flow_first_of(const struct flows *f, uint32_t hash, uint32_t mask)
{
	return hash >> f->shift & mask;
}

static inline uint32_t flow_second_of(const struct flows *f, uint32_t hash, uint32_t mask)
{
	return ((hash >> f->shift) + ((hash & 0x3ff) + 1) * 0x9e3779b1u) & mask;
}

/* The same for the actor. */
static inline uint32_t flow_first(const struct flows *f, uint32_t hash)
{
	return flow_first_of(f, hash, f->mask);
}

static inline uint32_t flow_second(const struct flows *f, uint32_t hash)
{
	return flow_second_of(f, hash, f->mask);
}

/*
 * Finds the plain ones of the packets whose `keyed`, `ports`, `hash` and `first` parsing has filled
 * in (flow_ahead.h): hit, keyed of those, what is kept, and b->nh of all packets:
 * NEXTHOP_NONE where nothing was found. What was found and not yet in this tick is marked with it.
 */
typedef void flow_find_fn(struct flow_ask *q, struct batch *b, unsigned port);
flow_find_fn flow_find_plain, flow_find_v3, flow_find_v4;

/* The words of a frame, but 4 to 7; false: it has no key. (flow_table.c) */
bool flow_image(const uint8_t *frame, bool six, unsigned input, uint32_t image[16]);
uint32_t flow_hash(const struct flow_secret *s, const uint32_t image[16]);

/* The eight words with the decision; NULL: it is not kept. */
uint32_t *flow_find_one(
	struct flows *f, const uint32_t image[16], uint32_t hash, uint32_t generation);

/* Keeps image, whose words 4 to 7 are filled in. */
void flow_keep(struct flows *f, uint32_t image[16], uint32_t hash);

/* Ages the next `lines`. */
void flow_age(struct flows *f, unsigned lines, uint32_t generation, uint32_t tick);

#endif

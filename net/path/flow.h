/*
 * The flow cache: what became of a flow's last packet becomes of its next.
 *
 * A lane with `flow` set asks its actor's cache in place of the FIB and the access lists. What is
 * kept of a flow is its next hop, by index, whether a list denied it, and where the rules that
 * decided are counted; so a hit costs the same with 10 rules and with 10,000, and counts as the
 * long way does. All else is done anew for each packet: parsing, uRPF, what adjacencies say, TTL,
 * MTU, the member of a group if no list is asked about what goes out, policing, queues.
 *
 * A flow is told by its input interface, addresses, protocol, and ports or ICMP query (flow_key.h,
 * form WHOLE; IPv6 without extension headers). Of other forms each packet goes the long way:
 * fragments, since a member of a group is picked without ports for them, ICMP errors, and whatever
 * lacks what the key needs. So do flows that met a rule with `log`.
 *
 * A decision is kept with the generation of the tables (generation.h) read before it was taken, and
 * is used while that is the current one. Nothing is looked for and removed when something
 * changes.
 *
 * Memory is lines of a cache line: two IPv4 flows, or one IPv6 flow. Each flow can stand in two
 * lines, found by a hash with secret keys (NH: Black et al., CRYPTO 1999), drawn at boot, so nobody
 * can choose flows that meet. Only the first lines are used while flows are few, so that these
 * stand close together: more of them fit caches and TLBs. As flows become more or fewer that part
 * doubles or halves, by which half of them are not found any more. Who comes takes a place that is
 * empty, outdated, or else the one used longest ago; one not used a second time goes first, and a
 * flow used in the same tenth of a second is never driven out. While more packets miss than hit,
 * for long (a flood of new flows), only one batch of eight asks and keeps, and the others go the
 * long way alone.
 *
 * In shadow mode one of N hits goes the long way as well, and both decisions are compared.
 */
#ifndef NET_PATH_FLOW_H
#define NET_PATH_FLOW_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "net/path/flow_key.h"

#define FLOW_LINES_MIN 256u /* powers of two, as every number of lines */
#define FLOW_LINES_MAX (1u << 22)
#define FLOW_TICK      28u  /* TSC >> 28: ticks of 0.1 s about, of which 16 bits are kept */
#define FLOW_AGED      600u /* ticks: then a flow that is not used is forgotten */

/* What was decided of a flow. */
#define FLOW_DENIED_IN  1u
#define FLOW_DENIED_OUT 2u

/* Two IPv4 flows of eight words, or one IPv6 flow: see flow_line.h. All zero: empty. */
struct flow_line {
	alignas(CACHE_LINE) uint32_t word[16];
};

struct flow_secret {
	uint64_t odd;
	uint32_t key[10];
};

/* Of one actor, who alone writes, but for shadow. */
struct flows {
	struct flow_line *line;
	uint32_t lines;       /* of memory */
	uint32_t shift, mask; /* from the hash to the line; lines that are used - 1: the actor's */
	uint32_t live;        /* places taken of those, about; and as ageing counts them */
	uint32_t counted;
	uint32_t mixed; /* turns of ageing until none is left of when there were more or fewer lines
			 */
	struct flow_secret secret;
	int32_t pressure; /* misses that were more than hits, of late, in packets */
	uint32_t turn;    /* batches while it was high */
	uint32_t batches;
	uint32_t at;           /* the line that is aged next */
	uint64_t tick;         /* the latest batch's */
	uint32_t shadow;       /* one of so many hits; 0: none. The control core writes */
	uint32_t shadow_left;  /* hits until then */
	uint64_t hits, misses; /* packets; misses: also those that are never kept */
	uint64_t kept;         /* flows */
	uint64_t evicted;      /* in use, and driven out by another */
	uint64_t refused;      /* not kept: all places were of flows in use */
	uint64_t aged;         /* unused for long, outdated, or not found any more */
	uint64_t shadowed, differed;
	/* Of hits that differed: a change may be on its way, so they count only if the generation
	 * is the same a while later. */
	uint32_t suspects, suspect_generation, suspect_tick;
	struct flow_key suspect; /* the last one */
};

/* Bytes of a cache of so many lines. */
static inline size_t flow_bytes(uint32_t lines)
{
	return (size_t)lines * sizeof(struct flow_line);
}

/* An empty cache. memory: flow_bytes(lines), zeroed, CACHE_LINE-aligned. seed: secret. Boot. */
void flow_init(struct flows *flows, void *memory, uint32_t lines, uint64_t seed);

/* Chooses the compiled form, as path_select, which calls it. */
void flow_select(const char *isa);

#define FLOW_PRESSURE 16384 /* packets; it goes to twice as much */
#define FLOW_ASK_EACH 8u    /* batch, then; a power of two */

struct lane;
struct batch;
struct flow_ask;

/*
 * Whether the lane's next batch is to ask; it is to be parsed with `ask`, then, which is ready for
 * that. The lane's actor, inside an RCU section; tables->generation is not 0 (generation.h).
 */
bool flow_begin(const struct lane *lane, struct flow_ask *ask);

/*
 * In place of looking up and filtering: the next hop of each packet that is to be routed, or the
 * drop of those denied; counted by rule, and by next hop if the lane does. A batch parsed with
 * `ask`. As flow_begin, in the same section.
 */
void flow_batch(struct lane *lane, struct batch *b);

/* A kept flow as the control core sees it. */
struct flow_seen {
	struct flow_key key;
	uint16_t input, nh, slot_in, slot_out;
	uint16_t idle;  /* ticks since it was used, to a tick */
	uint8_t denied; /* FLOW_DENIED_ */
};

/* The flows of one line that are in force and found there: how many, 0 to 2. now: TSC. Any core;
 * one that is just being written may be missed. */
unsigned flow_look(const struct flows *flows, uint32_t line, uint32_t generation, uint64_t now,
	struct flow_seen seen[2]);

enum flow_peek { FLOW_NO_KEY, FLOW_UNKNOWN, FLOW_KNOWN };

/*
 * What the cache would say to a frame that is to be routed, as parsed, `input` its interface: no
 * age and no count is changed. Any core. The worker may be writing the flow at this moment: then it
 * is taken for unknown, which a moment ago it was.
 */
enum flow_peek flow_peek(const struct flows *flows, const uint8_t *frame, bool six, unsigned input,
	uint32_t generation, uint64_t now, struct flow_seen *seen);

#endif

/*
 * The IPv6 forwarding table: address -> next-hop index, a vector at a time.
 *
 * Indexing steps as far as there are many routes, then up to 17 ranges told apart
 * by one comparison of a cache line (fib6_table.h has the form). One table lives as long as the
 * router: the control core changes it in place, workers read it at the same time. What workers see
 * of a change is one aligned store after another, each of them an address range going from old to
 * new; a part that was replaced is reused only after a grace period. Every prefix length is served,
 * 0 to 128.
 */
#ifndef NET_TABLE_FIB6_H
#define NET_TABLE_FIB6_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "net/table/ip6.h"
#include "net/table/rib.h"

struct fib6;

/* How large a table can get. */
struct fib6_limits {
	uint32_t words; /* of 4 bytes, for branches, nodes and gates */
};

/* Limits that suit a table of about `routes` routes as the Internet has them. */
struct fib6_limits fib6_limits_for(uint32_t routes);

/* Bytes for a table of these limits. */
size_t fib6_size(const struct fib6_limits *limits);

/*
 * Makes an empty table (every address: NEXTHOP_NONE) in mem, 64-byte aligned and
 * fib6_size bytes. Boot only.
 */
struct fib6 *fib6_init(void *mem, const struct fib6_limits *limits);

/*
 * Chooses the compiled form of fib6_lookup: "x86-64", "x86-64-v3" or
 * "x86-64-v4" (anything else: the first). Before workers start. The cores must
 * have the instructions, and their state enabled.
 */
void fib6_select(const char *isa);

/*
 * Longest-prefix match for n destinations at once. nh: n next-hop indices,
 * NEXTHOP_NONE where unrouted. Any core; never blocks; inside an RCU section.
 */
void fib6_lookup(const struct fib6 *fib, const struct ip6 *dst, uint32_t *nh, unsigned n);

/*
 * Brings the table up to date for the addresses of one prefix, after the RIB
 * changed there. Control core. ERR_FULL: some part found no room; addresses not
 * reached keep their old answers. If fib6_wants_grace then, room may come with
 * the end of a grace period.
 */
MUST_CHECK enum err fib6_update(
	struct fib6 *fib, const struct rib6 *rib, struct ip6 prefix, unsigned length);

/* The same in slices: what is left to be brought up to date. */
struct fib6_job {
	struct ip6 next; /* the prefix, or its first address not reached yet */
	struct ip6 last;
	uint8_t length;
	bool pending;
};

/* The job for a prefix; ::/0 makes the whole table anew. */
struct fib6_job fib6_job(struct ip6 prefix, unsigned length);

/*
 * Goes on with a job, through up to `chunks` chunks: a /14 without routes longer
 * than that, or a /24: a microsecond or two each, with 5,000 ranges 1 ms.
 * ERR_FULL: the job stands before the chunk it could not do; fib6_job_skip leaves
 * that as it is and goes on.
 */
MUST_CHECK enum err fib6_job_step(
	struct fib6 *fib, const struct rib6 *rib, struct fib6_job *job, unsigned chunks);
void fib6_job_skip(struct fib6_job *job);

/*
 * Follows the RIB: takes its noted changes and brings the table up to date for
 * each, up to `steps` of fib6_job_step's; the whole table if changes were lost.
 * *job is what is not finished; its `pending` is false to begin with. Done when
 * neither it nor the RIB has more. ERR_FULL: the job has what failed, and stays
 * until there is room (try again after a grace period) or the caller gives up.
 */
MUST_CHECK enum err fib6_follow(
	struct fib6 *fib, struct rib6 *rib, struct fib6_job *job, unsigned steps);

/*
 * Grace periods, as in nexthop.h: while fib6_wants_grace, fib6_grace_begin, one
 * grace period, fib6_grace_passed: then what was replaced before the beginning
 * can be reused.
 */
bool fib6_wants_grace(const struct fib6 *fib);
void fib6_grace_begin(struct fib6 *fib);
void fib6_grace_passed(struct fib6 *fib);

/*
 * A range of addresses from `address` on with one answer; the one after it may
 * have the same. Control core.
 */
struct fib6_range {
	struct ip6 first, last;
	uint32_t nexthop;
};
void fib6_walk(const struct fib6 *fib, struct ip6 address, struct fib6_range *range);

/* For 'show fib'. */
struct fib6_stats {
	uint32_t branches, inners, leaves, gates;
	uint32_t waiting;          /* parts replaced and not yet reusable */
	size_t bytes;              /* what look-ups may touch */
	size_t reserved;           /* what the table takes in all */
	uint64_t updates, rebuilt; /* prefixes, chunks brought up to date since boot */
};
void fib6_stats(const struct fib6 *fib, struct fib6_stats *stats);

/*
 * A table made elsewhere, as one block of bytes without pointers (fibimage.h).
 * fib6_image gives its address and size; nothing may be waiting for a grace
 * period. fib6_load puts it in the place of an empty table that no worker reads
 * yet: ERR_FULL if it does not fit, ERR_INVALID if it is not an image. fib6_check
 * only tells.
 */
const void *fib6_image(const struct fib6 *fib, size_t *bytes);
MUST_CHECK enum err fib6_check(const struct fib6 *fib, const void *image, size_t bytes);
MUST_CHECK enum err fib6_load(struct fib6 *fib, const void *image, size_t bytes);

#endif

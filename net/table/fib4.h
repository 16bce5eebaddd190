/*
 * The IPv4 forwarding table: address -> next-hop index, a vector at a time.
 *
 * The range of an address is located in three steps and without a search
 * (fib4_table.h has the form). One table lives as long as the router: the control
 * core changes it in place, workers read it at the same time. The answers of a
 * /16 are a block that never changes, is shared by all /16s with the same, and is
 * reused only after a grace period; what workers see of a change is one aligned
 * store for each /16.
 */
#ifndef NET_TABLE_FIB4_H
#define NET_TABLE_FIB4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "net/table/rib.h"

struct fib4;

/* How much a table can hold at most. */
struct fib4_limits {
	uint32_t
		lines; /* of 64 bytes: 1 to 16 for each different /16, and /24 with longer routes */
};

/* Limits that suit a table of about `routes` routes as the Internet has them. */
struct fib4_limits fib4_limits_for(uint32_t routes);

/* Bytes for a table of these limits. */
size_t fib4_size(const struct fib4_limits *limits);

/*
 * Makes an empty table (every address: NEXTHOP_NONE) in mem, 64-byte aligned and
 * fib4_size bytes. Boot only.
 */
struct fib4 *fib4_init(void *mem, const struct fib4_limits *limits);

/*
 * Chooses the compiled form of fib4_lookup: "x86-64", "x86-64-v3" or
 * "x86-64-v4" (anything else: the first). Before workers start. The cores must
 * have the instructions, and their state enabled.
 */
void fib4_select(const char *isa);

/*
 * Longest-prefix match for n destinations at once. dst: n IPv4 addresses, host
 * byte order. nh: n next-hop indices, NEXTHOP_NONE where unrouted. Any core;
 * never blocks; inside an RCU section.
 */
void fib4_lookup(const struct fib4 *fib, const uint32_t *dst, uint32_t *nh, unsigned n);

/*
 * Brings the table up to date for the addresses of one prefix, after the RIB
 * changed there. Control core. ERR_FULL: some block found no room; addresses
 * not reached keep their old answers. If fib4_wants_grace then, room may come
 * with the end of a grace period.
 */
MUST_CHECK enum err fib4_update(
	struct fib4 *fib, const struct rib4 *rib, uint32_t prefix, unsigned length);

/* An update of this prefix will follow: what rib4_prefetch is for the RIB. */
void fib4_prefetch(const struct fib4 *fib, uint32_t prefix, unsigned stage);

/* The same in slices: what is left to be brought up to date. */
struct fib4_job {
	uint32_t next; /* the prefix, or its first address not reached yet */
	uint32_t last;
	uint8_t length;
	bool pending;
};

/* The job for a prefix; 0/0 makes the whole table anew. */
struct fib4_job fib4_job(uint32_t prefix, unsigned length);

/*
 * Goes on with a job, through up to `chunks` /16s: a microsecond or two each,
 * less than 1 ms at worst (65,536 host routes). ERR_FULL: the job stands before
 * the /16 it could not do; fib4_job_skip leaves that as it is and goes on.
 */
MUST_CHECK enum err fib4_job_step(
	struct fib4 *fib, const struct rib4 *rib, struct fib4_job *job, unsigned chunks);
void fib4_job_skip(struct fib4_job *job);

/*
 * Follows the RIB: takes its noted changes and brings the table up to date for
 * each, up to `steps` chunks; the whole table if changes were lost. *job is what
 * is not finished (to begin with, not pending). All is done when it is not
 * pending and the RIB has no changes. ERR_FULL: as fib4_job_step.
 */
MUST_CHECK enum err fib4_follow(
	struct fib4 *fib, struct rib4 *rib, struct fib4_job *job, unsigned steps);

/*
 * Grace periods, as in nexthop.h: while fib4_wants_grace, fib4_grace_begin, one
 * grace period, fib4_grace_passed: then what was replaced before the beginning
 * can be reused.
 */
bool fib4_wants_grace(const struct fib4 *fib);
void fib4_grace_begin(struct fib4 *fib);
void fib4_grace_passed(struct fib4 *fib);

/*
 * The range of addresses from `address` on with one answer, as long as it goes
 * within a /8. Control core.
 */
struct fib4_range {
	uint32_t first, last;
	uint32_t nexthop;
};
void fib4_walk(const struct fib4 *fib, uint32_t address, struct fib4_range *range);

/* For 'show fib'. */
struct fib4_stats {
	struct fib4_limits used, limits;
	uint32_t blocks;           /* of lines */
	uint32_t waiting;          /* lines replaced and not yet reusable */
	size_t bytes;              /* what look-ups may touch */
	size_t reserved;           /* what the table takes in all */
	uint64_t updates, rebuilt; /* prefixes, /16s brought up to date since boot */
};
void fib4_stats(const struct fib4 *fib, struct fib4_stats *stats);

/*
 * A table made elsewhere, as one block of bytes without pointers (fibimage.h).
 * fib4_save writes it, fib4_image_size bytes; nothing may be waiting for a grace
 * period. fib4_load puts it in the place of a table that no worker reads yet:
 * ERR_FULL if it does not fit, ERR_INVALID if it is not an image. Boot only.
 */
size_t fib4_image_size(const struct fib4 *fib);
void fib4_save(const struct fib4 *fib, void *image);
MUST_CHECK enum err fib4_load(struct fib4 *fib, const void *image, size_t bytes);

#endif

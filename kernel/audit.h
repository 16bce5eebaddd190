/*
 * The live audit: every buffer accounted for, every packet with one fate.
 *
 * Workers are asked to park at a quiescent point; while they stand still (a few
 * microseconds) the control core copies counters, owners and queue indices;
 * then they go on and the copies are compared. Book 1 counts the owner array.
 * Book 2 never looks at it: free stacks, return rings, device rings, spread
 * rings, tables of fragments, VOQ depths, punt rings and the control core's own count.
 */
#ifndef KERNEL_AUDIT_H
#define KERNEL_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/router.h"

struct audit_pool {
	/* book 1, from the owner array */
	uint32_t home, control, held, output[TXQ_MAX], other;
	/* book 2, from indices: what stands behind OWNER_HOME */
	uint32_t free, returning, rx_ring, spread;
	uint32_t waiting; /* behind OWNER_HELD: in the table of fragments */
};

struct audit_port {
	uint64_t received, transmitted, delivered, dropped;
	uint64_t in_flight; /* buffers of its pools that are owned by control or an output */
	bool balanced;      /* received == transmitted + delivered + dropped + in_flight */
};

struct audit {
	bool parked;        /* false: a worker did not answer; nothing else is valid */
	unsigned holdout;   /* that worker */
	uint64_t parked_us; /* how long all workers stood still */
	uint64_t wait_us;   /* from the request until the last of them did */
	struct audit_pool pool[POOL_MAX];
	uint32_t control_held; /* book 2 of OWNER_CONTROL: punt rings + held by the stack */
	uint32_t punted;
	uint32_t voq[TXQ_MAX], tx_ring[TXQ_MAX]; /* book 2 of OWNER_OUTPUT(t) */
	struct audit_port port[PORT_COUNT];
	struct port_counters counters[PORT_COUNT]; /* sums, from the same instant */
	uint64_t faults;           /* found by the actors' own checks, see lib/pool.h */
	struct buffer_fault fault; /* the first of one of them */
	bool buffers_ok;           /* both books agree, and no check ever failed */
	bool balance_ok;           /* every port balances */
	uint32_t missing;          /* buffers that an owner has but no queue of his */
	uint32_t extra;            /* buffers in queues beyond what their owner has */
	char finding[160];         /* one line, when not ok */
};

/*
 * Makes the workers stand still until audit_release. Control core; waits at
 * most about a second. false: worker *holdout does not answer, and all go on.
 */
bool audit_park(struct router *r, unsigned *holdout);
void audit_release(struct router *r);

/* Takes an audit. Control core; waits for the workers at most a second. */
void audit_take(struct router *r, struct audit *a);

#endif

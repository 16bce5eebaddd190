/*
 * The FIBs compared with the RIBs, over the whole address space, while packets
 * are forwarded: `show fib verify`. Control core only.
 *
 * A slice compares ranges of addresses with one answer; it waits while a FIB has
 * changes to follow, since it may differ then. A range that differs is reported
 * and made anew from the RIB, and compared again.
 */
#ifndef KERNEL_VERIFY_H
#define KERNEL_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/router.h"
#include "net/table/ip6.h"

enum verify_state {
	VERIFY_IDLE,    /* none was begun */
	VERIFY_RUNNING, /* verify_step has more to do */
	VERIFY_DONE,
};

/* A range whose answers differed; an IPv4 address is the top 32 bits. */
struct verify_mismatch {
	bool ipv4;
	struct ip6 first, last;
	uint32_t fib, rib; /* next hops */
	bool repaired;     /* afterwards the answer was right */
};

struct verify_result {
	enum verify_state state;
	uint64_t ranges;     /* compared */
	uint64_t mismatches; /* found */
	uint64_t repaired;
	struct verify_mismatch first; /* the first of them */
	uint64_t start_us, end_us;    /* since entry; end_us is 0 while it runs */
};

/* Begins anew, whatever was under way. */
void verify_start(struct router *r);

/* One slice, if one is under way; true: it is. Called by every turn of the control loop. */
bool verify_step(struct router *r);

void verify_result(struct verify_result *result);

#endif

/*
 * Counters as shown: what was counted since `clear counters`.
 *
 * Workers never reset a counter. `clear counters` saves them all, from one
 * instant, and the shell subtracts. Packets in flight at that instant count as
 * received after it, so that a port's balance still holds.
 */
#ifndef KERNEL_SHELL_BASELINE_H
#define KERNEL_SHELL_BASELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/audit.h"

/* Counters restart from zero. false: a worker did not answer (*holdout), nothing has changed. */
bool baseline_take(struct router *r, unsigned *holdout);

/* Forgets what was saved: counters since boot. */
void baseline_reset(void);

/* Subtracts what was saved from an audit's port balances and port counters. */
void baseline_subtract(struct audit *a);

/* One port's counters, CONTROL_PORT for the control core's. */
void baseline_port(const struct router *r, unsigned port, struct port_counters *sum);

/* Packets and bytes given to the device of a TX queue. */
void baseline_txq(const struct router *r, unsigned txq, uint64_t *packets, uint64_t *bytes);

/* Packets and bytes sent from a VOQ, and packets it refused. */
struct voq_counters {
	uint64_t packets, bytes, drops;
};
void baseline_voq(const struct router *r, unsigned lane, unsigned txq, struct voq_counters *c);

#endif

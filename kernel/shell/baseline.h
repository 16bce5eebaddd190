/*
 * Counters as shown: what was counted since `clear counters`.
 *
 * Workers never reset a counter. `clear counters` saves them all, and the shell
 * subtracts. Those of the balance are from one instant, with the workers
 * parked; packets in flight then count as received after it, so that a port's
 * balance still holds. Those of queues, devices and protocols, of which no sum
 * is checked, are read one after another just behind it, while packets pass.
 */
#ifndef KERNEL_SHELL_BASELINE_H
#define KERNEL_SHELL_BASELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/audit.h"

/* Counters restart from zero. NULL; or why not: nothing has changed then. */
const char *baseline_take(struct router *r);

/* Forgets what was saved: counters since boot. */
void baseline_reset(void);

/* Subtracts what was saved from an audit's port balances and port counters. */
void baseline_subtract(struct audit *a);

/* One port's counters, CONTROL_PORT for the control core's. */
void baseline_port(const struct router *r, unsigned port, struct port_counters *sum);

/* Packets and bytes given to a port's device. */
void baseline_output(const struct router *r, unsigned port, uint64_t *packets, uint64_t *bytes);

/* Those of a VLAN subinterface. */
void baseline_vlan(const struct router *r, unsigned number, struct vlan_counters *c);

/* Doorbells a port's device was rung. */
uint64_t baseline_doorbells(const struct router *r, unsigned port);

/* What a port's device has counted itself, at most NETDEV_STATISTICS_MAX. Returns how many. */
unsigned baseline_statistics(const struct router *r, unsigned port, struct netdev_statistic *out);

/* What the control core's protocols count. */
struct protocol_counters {
	uint64_t arp_received, arp_requests_sent, arp_replies_sent, arp_failed, arp_conflicts;
	uint64_t icmp_sent, icmp_echo_replies, icmp_suppressed, icmp_suppressed_destination;
	uint64_t nd_received, nd_solicits_sent, nd_adverts_sent, nd_failed, nd_conflicts;
	uint64_t nd_suppressed, nd_redirects, ra_received, ra_sent;
	uint64_t mld_queries, mld_reports_sent, mld_reports_heard;
	uint64_t icmp6_sent, icmp6_echo_replies, icmp6_suppressed, icmp6_suppressed_destination;
	uint64_t too_big_heeded, too_big_refused;
	uint64_t policed[POLICE_KINDS], handed[POLICE_KINDS];
	uint64_t lldp_sent, lldp_received, lldp_aged, lldp_refused;
	uint64_t fragments, reassembled, fragments_expired, fragments_evicted, fragments_refused;
};
void baseline_protocols(const struct router *r, struct protocol_counters *c);

/* Packets and bytes sent from a VOQ, and packets it refused. */
struct voq_counters {
	uint64_t packets, bytes, drops;
};
void baseline_voq(const struct router *r, unsigned lane, unsigned txq, unsigned class,
	struct voq_counters *c);

#endif

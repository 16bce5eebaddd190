/*
 * What one actor counts. Each actor writes its own copy, in its own lines; the
 * control core adds them up. 64-bit, never reset by a worker ('clear counters'
 * subtracts a saved copy).
 *
 * For each ingress port, and for the pseudo-port CONTROL_PORT (what the router
 * originates): received = transmitted + delivered + dropped + in flight.
 */
#ifndef NET_PATH_COUNTERS_H
#define NET_PATH_COUNTERS_H

#include <stdalign.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "lib/limits.h"
#include "net/path/drop.h"
#include "net/path/police.h"

#define CONTROL_PORT PORT_MAX /* pseudo-port of what the control core originates */
#define PORT_COUNT   (PORT_MAX + 1)

/* Refused by one bucket (meter.h). */
struct meter_counters {
	uint64_t packets, bytes;
};

/* By ingress port. */
struct port_counters {
	alignas(CACHE_LINE) uint64_t
		rx_packets; /* received; for CONTROL_PORT: buffers taken to send */
	uint64_t rx_bytes;  /* Ethernet frames without FCS */
	uint64_t delivered; /* consumed by the control core as local traffic */
	uint64_t dropped[DROP_COUNT];
	struct meter_counters policed; /* by the port's own bucket; dropped as well */
};

/* By TX queue; written by the worker that drives it. */
struct txq_counters {
	alignas(CACHE_LINE) uint64_t packets; /* given to the device */
	uint64_t bytes;
};

/* By VLAN subinterface; bytes with their tags. What the port counts is not repeated but here. */
struct vlan_counters {
	uint64_t rx_packets; /* received with its tag, whatever became of them */
	uint64_t rx_bytes;
	uint64_t tx_packets; /* put into a VOQ with its tag */
	uint64_t tx_bytes;
	struct meter_counters policed; /* by its own bucket */
};

struct counters {
	struct port_counters port[PORT_COUNT];
	struct txq_counters txq[TXQ_MAX];
	uint64_t policed[POLICE_KINDS]; /* not handed to the control core; dropped as well */
	uint64_t handed[POLICE_KINDS];  /* handed to it */
	alignas(CACHE_LINE) uint64_t
		transmitted[POOL_MAX]; /* completed by a device, by home pool */
	struct vlan_counters vlan[VLAN_MAX];
};

#endif

/*
 * The router as one object: ports, pools, lanes, VOQs and schedulers, and who
 * owns which. Built at boot by router_init, constant in shape afterwards.
 *
 * Port i has one RX queue (lane i, pool i) and one TX queue (i), both driven by
 * worker i mod workers. The control core's lane and pool come last.
 */
#ifndef KERNEL_ROUTER_H
#define KERNEL_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/netdev.h"
#include "lib/pool.h"
#include "lib/rcu.h"
#include "net/path/counters.h"
#include "net/path/lane.h"
#include "net/path/sched.h"
#include "net/proto/stack.h"
#include "net/table/static4.h"
#include "net/table/static6.h"
#include "net/table/tables.h"

/* A worker's own state; each on its own lines. */
struct worker {
	alignas(CACHE_LINE) unsigned id;        /* worker id; its actor is id + 1 */
	unsigned core;                          /* the core it runs on; 0 with one core */
	unsigned lanes, txqs;                   /* how many of the router's it drives */
	uint8_t lane[PORT_MAX];                 /* lane (= port) numbers */
	uint8_t txq[PORT_MAX];                  /* TX queue (= port) numbers */
	uint64_t turns;                         /* loops made */
	uint64_t busy_turns;                    /* loops that moved a packet */
	alignas(CACHE_LINE) uint32_t park_seen; /* the park request it has answered */
};

struct router {
	unsigned ports, workers, actors;
	bool single_core;  /* the control core runs worker 0 in turns */
	unsigned tx_depth; /* packets of a device's TX ring in use: see router_init */
	struct netdev *dev[PORT_MAX];
	struct iface iface[PORT_MAX];
	struct buffers buffers;
	unsigned control_pool;       /* = ports */
	struct lane lane[LANE_MAX];  /* [ports] is the control core's */
	struct sched sched[TXQ_MAX]; /* by TX queue */
	struct ring *punt[PORT_MAX]; /* by lane, to the control core */
	struct counters *counters[ACTOR_MAX];
	struct worker *worker[CORE_MAX];
	struct rcu rcu; /* reader i is worker i; none with one core */
	struct tables tables;
	alignas(CACHE_LINE) uint32_t park_request; /* odd: workers shall park; see audit.h */

	/* control core only */
	struct rib4 rib;
	struct rib6 rib6;
	struct fib4 *fib4; /* the same as in tables, to be changed */
	struct fib6 *fib6;
	struct nexthop_table nexthops;
	struct stack stack;
	struct static4 *statics;
	unsigned statics_n, statics_max;
	struct static6 *statics6;
	unsigned statics6_n, statics6_max;
};

extern struct router router;

/*
 * Allocates and wires everything from boot memory, for 0 to CORE_MAX - 1 worker
 * cores; 0: one core does all in turns. false: `error` says what did not fit.
 */
bool router_init(struct router *r, struct netdev **dev, unsigned ports, unsigned workers,
	char *error, unsigned error_size);

/* The sum of all actors' counters of one port (or CONTROL_PORT). Control core; a snapshot. */
void router_port_counters(const struct router *r, unsigned port, struct port_counters *sum);
uint64_t router_transmitted(const struct router *r, unsigned port);

#endif

/*
 * The router as one object: ports, queues, pools, lanes, VOQs and schedulers, and
 * who owns which. Built at boot by router_init, constant in shape afterwards.
 *
 * RX and TX queues of all ports are numbered in port order, and dealt out to the
 * workers like cards, so that all drive as many (one at most more than another).
 * Where it is known on which NUMA node a port is, a worker of that node comes
 * first. RX queue g has pool g.
 * Lane g is RX queue g as processed by its own worker. Behind those come the
 * lanes of workers that own sessions (net/path/steer.h) or help with another's RX queue
 * (net/path/spread.h), and last the control core's, with its own pool. The owners are the first
 * workers, tables.owners of them, up to SPREAD_MAX.
 */
#ifndef KERNEL_ROUTER_H
#define KERNEL_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/netdev.h"
#include "kernel/capture.h"
#include "kernel/filter.h"
#include "kernel/flows.h"
#include "kernel/nat.h"
#include "lib/histogram.h"
#include "lib/pool.h"
#include "lib/rcu.h"
#include "net/path/class.h"
#include "net/path/counters.h"
#include "net/path/lane.h"
#include "net/path/meter.h"
#include "net/path/sched.h"
#include "net/path/shaper.h"
#include "net/path/spread.h"
#include "net/path/steer.h"
#include "net/proto/stack.h"
#include "net/table/static_route.h"
#include "net/table/tables.h"

/* An RX queue, and the workers that can process it. */
struct rxq {
	uint8_t port, queue;           /* the device's queue number */
	uint8_t worker;                /* who drives it */
	uint8_t ways;                  /* how many can process it, 1 or more */
	uint8_t spread;                /* over how many it is spread now; the control core writes */
	uint8_t lane[SPREAD_MAX];      /* by way; [0] is the worker's own */
	struct ring *ring[SPREAD_MAX]; /* to that lane's worker; [0] is NULL */
	struct steering steering;      /* to the owners of sessions, by the same rings */
};

struct txq {
	uint8_t port, queue; /* the device's queue number */
	uint8_t worker;      /* who drives it */
};

/* What a worker gets from others: its share of an RX queue that another one drives. */
struct feed {
	struct ring *ring;
	uint8_t lane;
};

/* What a worker did between two looks at its queues; of several the last one counts. */
enum gap_reason {
	GAP_NONE,    /* nothing: the hypervisor or firmware had the core */
	GAP_WORK,    /* it moved packets */
	GAP_CONTROL, /* one core: the control core's tasks */
	GAP_PARK,    /* it stood still for an audit */
	GAP_IDLE,    /* it slept, see `set system idle` */
	GAP_REASONS
};

/* A worker's own state; each on its own lines. */
struct worker {
	alignas(CACHE_LINE) unsigned id; /* worker id; its actor is id + 1 */
	unsigned core;                   /* the core it runs on; 0 with one core */
	uint32_t node;                   /* that core's, or NODE_UNKNOWN */
	unsigned rxqs, txqs, feeds;      /* how many of the router's it drives */
	uint8_t rxq[RXQ_MAX];
	uint8_t txq[TXQ_MAX];
	struct capture *capture; /* its actor's; NULL: nothing is captured; control core writes */
	struct feed feed[LANE_MAX];
	struct spread_sort sort;
	alignas(CACHE_LINE) uint64_t turns; /* loops made */
	uint64_t busy_turns;                /* loops that moved a packet */
	uint64_t looked;                    /* TSC: when it had last looked at its RX queues */
	enum gap_reason since;              /* what it did since then */
	uint64_t gap[GAP_REASONS];          /* the longest from one look to the next, TSC ticks */
	uint32_t cleared, clear_next;       /* see router_clear_latency */
	alignas(CACHE_LINE) uint32_t park_seen; /* the park request it has answered */
};

/* Whether a port's RX queues are spread over workers. */
enum rx_spread {
	RX_SPREAD_AUTO, /* yes, if there are more workers than RX queues of all ports */
	RX_SPREAD_ON,
	RX_SPREAD_OFF
};

struct router {
	unsigned ports, workers, actors;
	unsigned ifaces; /* ports, and VLAN subinterfaces behind them: see vlans.h */
	unsigned rxqs, txqs, lanes;
	bool single_core;  /* the control core runs worker 0 in turns */
	bool relaxed;      /* idle cores sleep; the control core writes */
	unsigned tx_depth; /* packets of a device's TX ring in use: see router_init */
	struct netdev *dev[PORT_MAX];
	struct iface iface[IFACE_MAX];
	struct buffers buffers;
	unsigned control_pool;       /* = rxqs */
	uint8_t first_rxq[PORT_MAX]; /* of a port; the others follow it */
	uint8_t first_txq[PORT_MAX];
	struct rxq rxq[RXQ_MAX];
	struct txq txq[TXQ_MAX];
	struct lane lane[LANE_MAX];  /* the last one, [lanes - 1], is the control core's */
	struct sched sched[TXQ_MAX]; /* by TX queue */
	struct ring *punt[LANE_MAX]; /* by lane, to the control core; NULL for its own */
	struct histogram *latency[PORT_MAX][TXQ_MAX]; /* by ingress port and TX queue */
	struct class_map classes[PORT_MAX];           /* by egress port */
	bool one_txq[PORT_MAX];               /* its classes or rate need a single scheduler */
	struct bucket_rate rate[PORT_MAX][2]; /* one published, one spare */
	struct meter *meter[RXQ_MAX];         /* by RX queue */
	struct meter_rate meter_rate[IFACE_MAX][2]; /* by interface, as rate */
	struct counters *counters[ACTOR_MAX];
	struct sessions *sessions[ACTOR_MAX]; /* by actor; NULL: it owns none */
	struct worker *worker[CORE_MAX];
	struct rcu rcu; /* reader i is worker i; none with one core */
	struct tables tables;
	struct vlans *vlans;                       /* the same as in tables, to be changed */
	alignas(CACHE_LINE) uint32_t park_request; /* odd: workers shall park; see audit.h */
	uint32_t clear_request;                    /* counts router_clear_latency */

	/* control core only */
	struct rib4 rib;
	struct rib6 rib6;
	struct fib4 *fib4; /* the same as in tables, to be changed */
	struct fib6 *fib6;
	struct nexthop_table nexthops;
	struct nexthop_count *tally[ACTOR_MAX]; /* the array of nexthops.tally */
	bool counts_nexthops;                   /* lanes count by next hop */
	struct stack stack;
	struct statics statics, statics6;          /* by family */
	uint8_t vlan_state[VLAN_MAX];              /* enum vlan_state */
	struct vlan_counters vlan_start[VLAN_MAX]; /* when its number was given to it */
	struct rcu_grace vlan_grace;               /* since the last VLAN was removed */
	struct meter_limit police[IFACE_MAX];      /* what is in force, by interface */
	uint32_t limits;                           /* how many were ever set */
	uint32_t control_rate[POLICE_KINDS];       /* in force, as configured; 0: the default */
	struct filters filters;                    /* access lists */
	struct nats nats;                          /* NAT */
	struct captures captures;                  /* packet capture */
	struct flow_caches flows;                  /* of the workers */
	uint64_t queues;                           /* see config_queues_digest */
	bool booting; /* nobody forwards yet: a commit may be seen by halves */
};

extern struct router router;

static inline struct lane *router_control_lane(struct router *r)
{
	return &r->lane[r->lanes - 1];
}

/*
 * Allocates and wires everything from boot memory, for 0 to CORE_MAX - 1 worker
 * cores; 0: one core does all in turns. core: by worker, the core it runs on; NULL:
 * cores 1 and up. mtu: the largest that any interface may have until the next boot;
 * buffers are made for it. false: `error` says what did not fit.
 */
bool router_init(struct router *r, struct netdev **dev, unsigned ports, unsigned workers,
	const unsigned *core, uint32_t mtu, char *error, unsigned error_size);

/* ---- settings of a port, for all its lanes and queues. Control core. ---- */

/*
 * The longest frame it receives; whether it receives at all. Also of a VLAN
 * subinterface, by its number: what its `mtu` and `enabled` say.
 */
void router_set_frame_max(struct router *r, unsigned port, uint32_t bytes);
void router_set_disabled(struct router *r, unsigned port, bool disabled);

/* No port looks at the DSCP: lanes need not either. Set after, and taken back before, the maps. */
void router_set_one_class(struct router *r, bool one);

/* Which ranges of addresses that no host has (MARTIAN_ bits) all lanes forward. */
void router_set_martians(struct router *r, unsigned permitted);

/* How many packets of each kind a lane hands up in a second; 0: the default (police.h). */
void router_set_control_rates(struct router *r, const uint32_t rate[POLICE_KINDS]);

/*
 * Whether what is in transit has sessions from now on; then all packets go to their owners. A
 * worker that is no owner receives only, and its lanes route nothing.
 */
void router_set_tracking(struct router *r, bool on);

/* Over how many workers each of its RX queues is spread from now on. */
void router_set_spread(struct router *r, unsigned port, enum rx_spread spread);

/*
 * Its output has classes or a rate (one): then all lanes use its first TX queue,
 * because weights and rates hold within one scheduler. Otherwise each lane uses
 * the TX queue that its own worker drives, if there is one.
 */
void router_set_one_txq(struct router *r, unsigned port, bool one);

/* Limits its output to `bps` bits a second; 0: no limit. The rate of before must have been in
 * force for a grace period. */
void router_set_rate(struct router *r, unsigned port, uint64_t bps);

/*
 * What an interface may receive; limit->rate 0: as much as comes. What was in force
 * before the last change must have been so for a grace period. router_set_metering
 * follows when all of a port and its VLANs are set.
 */
void router_set_limit(struct router *r, unsigned iface, const struct meter_limit *limit);

/* Whether anything that comes in by a port is policed; whether any of its VLANs. */
void router_set_metering(struct router *r, unsigned port, bool any, bool vlans);

/* ---- counters. Control core. ---- */

/* The sum of all actors' counters of one port (or CONTROL_PORT); a snapshot. */
void router_port_counters(const struct router *r, unsigned port, struct port_counters *sum);
uint64_t router_transmitted(const struct router *r, unsigned port);

/* Asks the workers to forget their latencies and gaps; each does so within some turns. */
void router_clear_latency(struct router *r);

#endif

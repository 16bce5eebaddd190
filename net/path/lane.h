/*
 * A lane: one RX queue as processed by one worker; or the control core as a source.
 *
 * It holds all that the path needs for a batch: the port's addresses, the
 * tables, the VOQs towards each TX queue, the ring to the control core and the
 * actor's counters. Set up at boot. Later the control core changes txq, mac,
 * max_frame, disabled, martians, urpf, filter, track, count, meter, capture, flow and one_class
 * (single words), the lane's actor `received` and `police`.
 */
#ifndef NET_PATH_LANE_H
#define NET_PATH_LANE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/pool.h"
#include "lib/ring.h"
#include "net/path/class.h"
#include "net/path/counters.h"
#include "net/path/police.h"
#include "net/path/voq.h"
#include "net/table/tables.h"

struct capture;
struct filter_hits;
struct flows;
struct filter_log;
struct meter;
struct sessions;
struct nat_state;

struct lane {
	struct buffers *buffers;
	struct tables *tables;       /* shared, read-only here; its pointers are RCU-published */
	struct counters *counters;   /* this actor's */
	struct nexthop_count *count; /* this actor's, by next hop; NULL: not counted */
	struct meter *meter;         /* of its RX queue; NULL: nothing is policed; see meter.h */
	struct capture *capture;     /* this actor's; NULL: nothing is captured; see capture.h */
	struct ring *punt;           /* to the control core; NULL for the control lane */
	const struct class_map *classes;   /* by egress port */
	struct crosspoint *cross[TXQ_MAX]; /* by TX queue; NULL beyond the last */
	alignas(8)
		uint8_t txq[PORT_MAX]; /* by egress port: which of its TX queues this lane uses */
	uint64_t received; /* TSC: when this burst was received, at the latest; 0: unknown */
	unsigned actor;
	unsigned port;      /* ingress port, or CONTROL_PORT */
	unsigned pool;      /* home pool of its RX queue */
	uint8_t mac[8];     /* the port's address, 6 bytes used */
	uint32_t max_frame; /* Ethernet header + MTU, bytes */
	bool disabled;
	bool one_class;       /* `classes` say 0 of every packet without a tag: no need to look */
	bool urpf;            /* some packets' sources are looked at: see urpf.h */
	uint8_t filter;       /* FILTER_IN, FILTER_OUT */
	bool track;           /* what is in transit has a session: see track.h, steer.h */
	uint32_t martians;    /* MARTIAN_ ranges that are forwarded (frame.h) */
	struct police police; /* of what it hands to the control core */
	struct filter_hits *hits;      /* this actor's, by slot: see filter.h */
	struct filter_log *filter_log; /* this actor's */
	struct flows *flow;            /* this actor's cache; NULL: off; see flow.h */
	struct sessions *sessions;     /* this actor's */
	struct nat_state *nat;         /* this actor's; NULL: it has no sessions */
};

/*
 * Carries a burst of n received frames (n <= BATCH_MAX) to its fate: VOQ,
 * control core or a counted drop. The lane's actor only, inside an RCU section.
 * Owns every word on entry and none on return.
 */
void path_forward(struct lane *lane, const uint64_t *word, unsigned n);

/*
 * Chooses the compiled form of the stages: "x86-64", "x86-64-v3" or "x86-64-v4" (anything else:
 * the first). Before workers start; as fib4_select.
 */
void path_select(const char *isa);

/* Counts `reason` at the buffer's ingress port and frees the buffer. The lane's actor only. */
void path_drop(struct lane *lane, unsigned port, uint64_t word, enum drop_reason reason);

/*
 * Queues n frames for an egress port or, target NEXTHOP_VLAN + number, for a VLAN
 * whose tag they get; in the class of each, and marks them OWNER_OUTPUT of the
 * lane's TX queue there; what does not fit is dropped as voq-full, each at its own
 * ingress port. For frames of the control core (OWNER_CONTROL). The lane's actor only.
 */
void path_enqueue(struct lane *lane, uint32_t target, const uint64_t *word, unsigned n);

#endif

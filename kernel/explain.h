/*
 * explain: what would become of a frame, told by the path itself.
 *
 * The frame goes through path_forward on a lane of its own: a copy of what the lane that would
 * receive it knows, with a buffer, VOQs, counters and a punt ring that lead nowhere. Where it ends
 * there is the outcome. The steps are told by the stages' own functions, one after another, on
 * the same lane. Nothing that a worker or the control core goes by is written. The private lane has
 * no flow cache: all is decided the long way, and what the worker's has is told beside it.
 *
 * Not asked: the policers, of interfaces and of the control plane: they go by the moment.
 * Control core only.
 */
#ifndef KERNEL_EXPLAIN_H
#define KERNEL_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/path/drop.h"
#include "net/path/punt.h"
#include "net/table/ip6.h"

struct filter;
struct router;

/* How a frame leaves the worker. */
enum explain_end {
	EXPLAIN_SENT,    /* it is in a VOQ */
	EXPLAIN_DROPPED, /* explain.drop */
	EXPLAIN_HANDED,  /* to the control core: explain.punt */
	EXPLAIN_HELD,    /* a fragment: it waits for its datagram's first */
};

/* Of a lane that tracks. */
enum explain_session {
	EXPLAIN_SESSION_NONE,  /* it has none, and begins none */
	EXPLAIN_SESSION_KNOWN, /* it is of one that is there */
	EXPLAIN_SESSION_NEW,   /* it begins one */
};

/* What the flow cache of the worker that would receive it has for a frame that is to be routed. */
enum explain_flow {
	EXPLAIN_FLOW_OFF,
	EXPLAIN_FLOW_TRACKED, /* not asked: sessions are, in its place */
	EXPLAIN_FLOW_NO_KEY,  /* not asked: fragments and others go the long way, each for itself */
	EXPLAIN_FLOW_MISS,
	EXPLAIN_FLOW_HIT,
};

/* An access list that was asked. */
struct explain_acl {
	bool asked;
	bool permit;
	uint16_t list;  /* number in the filter_set in force */
	uint32_t rule;  /* index among all rules of it (filter_set.number); the list's last one:
			 * no rule matched */
	unsigned iface; /* that has it */
};

/* How far a frame gets; steps that it does not reach are not told. */
enum explain_step {
	EXPLAIN_PARSED,  /* only: it ended there */
	EXPLAIN_CHECKED, /* uRPF too */
	EXPLAIN_ROUTED,  /* and the rest */
};

struct explain {
	/* Who would receive it. */
	unsigned port, queue, worker;
	unsigned input;   /* the interface: port, or that of its tag */
	uint32_t len;     /* as received, with its tag */
	bool policed;     /* the port, or one of its VLANs, has a policer */
	uint16_t verdict; /* of the parser: VERDICT_ of parse.h */
	enum explain_step step;

	/* What it is: of a frame that the parser took for IP to be routed. */
	uint8_t family; /* 4, 6; 0: none */
	uint8_t protocol;
	uint8_t hops;        /* TTL */
	struct ip6 src, dst; /* IPv4: the last 32 bits */
	bool ported;         /* it has ports: of ICMP type * 256 + code is the source port */
	uint16_t src_port, dst_port;

	uint8_t urpf; /* enum urpf of the interface */
	struct explain_acl in, out;
	uint32_t nh, member; /* what the FIB says; and of several the one of this flow */

	/* The flow cache, which nothing here goes by. Of a hit: */
	enum explain_flow flow;
	uint32_t flow_nh;
	uint8_t flow_denied; /* FLOW_DENIED_ */
	bool flow_differs;   /* it is of this generation, and not what was decided here */

	/* Sessions, if the lane tracks. */
	bool tracked;
	enum explain_session session;
	uint8_t state;        /* enum session_state, behind the packet */
	uint32_t session_nh;  /* by which its packets go */
	bool session_decided; /* that stands for the packets to come */
	bool rewrites;        /* NAT makes this of it: */
	struct ip6 to_src, to_dst;
	uint32_t to_ports;                    /* as in flow_key */
	bool port_drawn;                      /* by chance: it will be another */
	uint32_t nat_source, nat_destination; /* numbers of the rules that began it; 0: none */

	/* The outcome. */
	bool unparsed; /* it ends before the parser: no step is told */
	enum explain_end end;
	enum drop_reason drop;
	enum punt_reason punt;
	unsigned txq, class;   /* of the VOQ; also of one that is full */
	uint32_t depth, limit; /* packets that it holds now, and may hold */
	bool queued;           /* the four are told */
	const uint8_t *frame;  /* that is sent or handed up, until the next explain_frame */
	uint32_t frame_len;
};

/* Reserves what it needs. Boot, behind router_init. */
bool explain_init(struct router *r);

/* The longest frame that can be asked about, bytes. */
uint32_t explain_max(const struct router *r);

/*
 * What would become of a frame of `len` bytes that came in by an interface: to a port as it is on
 * the link, to a VLAN subinterface without its tag, which it gets here (len is 12 or more then).
 * len <= explain_max. The answer stays until the next call.
 */
const struct explain *explain_frame(
	struct router *r, unsigned iface, const uint8_t *frame, uint32_t len);

#endif

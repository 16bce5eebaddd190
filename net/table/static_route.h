/*
 * Static routes of either family: configured lines, installed in the RIB while they can be used.
 *
 * 'via' needs a gateway on a connected network of an interface that is up, or one
 * that other routes, but the default route, lead to (resolve.h). A route whose
 * gateway is not reachable waits, and is tried again by static_refresh (at every
 * change of interfaces). A link-local gateway is a neighbour on the port given with
 * it. Addresses are keys of the family's RIB (rib4_key). Control core only.
 *
 * The lines of one prefix are equal-cost paths: those whose gateway is a
 * neighbour share the flows by weight. A gateway that other routes lead to is
 * used only while the prefix has no such line, and then the first alone.
 */
#ifndef NET_TABLE_STATIC_ROUTE_H
#define NET_TABLE_STATIC_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "net/table/iface.h"

enum static_kind { STATIC_VIA, STATIC_BLACKHOLE, STATIC_UNREACHABLE, STATIC_PROHIBIT };

struct static_route {
	struct ip6 prefix;
	struct ip6 gateway; /* for STATIC_VIA */
	uint16_t port;      /* where a link-local gateway is; IFACE_NONE: the route waits */
	uint8_t length;
	uint8_t kind;   /* enum static_kind */
	uint8_t weight; /* of its part of the flows; 0 counts as 1 */
	bool installed; /* it is what the RIB has for its prefix, or a part of it */
};

/* The configured routes of one family, and the RIB they go into. */
struct statics {
	struct static_route *route;
	unsigned n, max;
	struct rib *rib;
};

/*
 * Installs what can be installed, withdraws what no longer can; then the RIB
 * holds exactly the usable ones of route[0..n). Lines of one prefix stand next
 * to each other. ERR_FULL: as many as fit are in.
 */
MUST_CHECK enum err static_refresh(struct static_route *route, unsigned n, struct iface *ifaces,
	unsigned ifaces_n, struct rib *rib, struct nexthop_table *t);

/*
 * The same in steps of up to `max` lines of looking. To begin with *job is {0};
 * nothing else may change the lines, the RIB or the interfaces in between. true:
 * done, job->result is as above.
 */
struct static_job {
	enum err result;
	uint8_t phase;   /* see static_route.c */
	bool again;      /* this phase has found something that others may depend on */
	bool waiting;    /* some cannot be used yet */
	unsigned at;     /* the next line */
	unsigned rounds; /* of this phase */
};
bool static_refresh_step(struct static_job *job, struct statics *s, struct iface *ifaces,
	unsigned ifaces_n, struct nexthop_table *t, unsigned max);

/* Takes all of them out, with the other lines of their prefixes. */
void static_withdraw(
	struct static_route *route, unsigned n, struct rib *rib, struct nexthop_table *t);

#endif

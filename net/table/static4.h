/*
 * Static IPv4 routes: configured lines, installed in the RIB while they can be used.
 *
 * 'via' needs a gateway on a connected network of an interface that is up, or one
 * that other routes, but the default route, lead to (resolve4.h). A route whose
 * gateway is not reachable waits, and is tried again by static4_refresh (at every
 * change of interfaces). Control core only.
 *
 * The lines of one prefix are equal-cost paths: those whose gateway is a
 * neighbour share the flows by weight. A gateway that other routes lead to is
 * used only while the prefix has no such line, and then the first alone.
 */
#ifndef NET_TABLE_STATIC4_H
#define NET_TABLE_STATIC4_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "net/table/iface.h"

enum static4_kind { STATIC4_VIA, STATIC4_BLACKHOLE, STATIC4_UNREACHABLE, STATIC4_PROHIBIT };

struct static4 {
	uint32_t prefix;  /* host byte order */
	uint32_t gateway; /* for STATIC4_VIA */
	uint8_t length;
	uint8_t kind;   /* enum static4_kind */
	uint8_t weight; /* of its part of the flows; 0 counts as 1 */
	bool installed; /* it is what the RIB has for its prefix, or a part of it */
};

/*
 * Installs what can be installed, withdraws what no longer can; then the RIB
 * holds exactly the usable ones of route[0..n). Lines of one prefix stand next
 * to each other. ERR_FULL: as many as fit are in.
 */
MUST_CHECK enum err static4_refresh(struct static4 *route, unsigned n, struct iface *ifaces,
	unsigned ifaces_n, struct rib4 *rib, struct nexthop_table *t);

/*
 * The same in steps of up to `max` lines of looking. To begin with *job is {0};
 * nothing else may change route[], the RIB or the interfaces in between. true:
 * done, *result is as above.
 */
struct static4_job {
	enum err result;
	uint8_t phase;   /* see static4.c */
	bool again;      /* this phase has found something that others may depend on */
	bool waiting;    /* some cannot be used yet */
	unsigned at;     /* the next line */
	unsigned rounds; /* of this phase */
};
bool static4_refresh_step(struct static4_job *job, struct static4 *route, unsigned n,
	struct iface *ifaces, unsigned ifaces_n, struct rib4 *rib, struct nexthop_table *t,
	unsigned max);

/* Takes all of them out, with the other lines of their prefixes. */
void static4_withdraw(struct static4 *route, unsigned n, struct rib4 *rib, struct nexthop_table *t);

#endif

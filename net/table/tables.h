/*
 * What workers look up, changed by the control core under their eyes.
 *
 * The FIBs and the adjacencies live as long as the router and change in place,
 * by the rules in fib4.h, fib6.h and nexthop.h. A commit points fib4 and fib6 to
 * others: load_acquire, once a batch. pool_port tells the ingress port of a
 * buffer's pool. urpf: single words, written by the control core. filter, nat: published
 * as fib4 and fib6 are.
 */
#ifndef NET_TABLE_TABLES_H
#define NET_TABLE_TABLES_H

#include <stdint.h>

#include "lib/limits.h"
#include "net/table/fib4.h"
#include "net/table/fib6.h"
#include "net/table/nexthop.h"
#include "net/table/vlan.h"

struct filter;
struct nat_rules;

struct tables {
	const struct fib4 *fib4;
	const struct fib6 *fib6;
	struct adjacency *adjacency; /* NEXTHOP_MAX of them */
	const uint16_t *place;       /* members of groups: see struct adjacency */
	const uint16_t *leads;       /* by next hop, to which interface: see nexthop.h */
	const struct vlans *vlans;   /* changed in place: see vlan.h */
	uint8_t pool_port[POOL_MAX]; /* constant after boot */
	uint32_t ports;              /* constant; the interface of VLAN n is number ports + n */
	uint8_t urpf[IFACE_MAX];     /* enum urpf, by interface */
	const struct filter *filter; /* access lists, see filter.h; NULL: none */
	uint32_t generation;         /* of all this; not 0 once there are lanes: generation.h */
	const struct nat_rules *nat; /* rules of NAT, see nat.h; NULL: none */
	uint32_t owners; /* constant: sessions belong to the workers below this number */
};

#endif

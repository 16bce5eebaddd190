/*
 * The IPv6 addresses of an interface (iface.h), and the routes they make.
 *
 * An interface with any has a link-local one. Those are no routes: the same
 * prefix is on every link. All others become routes while the interface is up:
 * the network (connected), the address itself and the network's first address,
 * the subnet-router anycast address (both local; RFC 4291 2.6.1, not for /127 by
 * RFC 6164, nor /128).
 */
#ifndef NET_TABLE_IFACE6_H
#define NET_TABLE_IFACE6_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/limits.h"
#include "net/table/ip6.h"
#include "net/table/nexthop.h"
#include "net/table/rib.h"

struct iface;

/* RFC 4862 5.4: an address is not used before it is known to be nobody else's. */
enum iface_addr6_state {
	ADDR6_TENTATIVE, /* being probed */
	ADDR6_VALID,
	ADDR6_DUPLICATE, /* another station has it: not used */
};

struct iface_addr6 {
	struct ip6 address;
	uint8_t length;  /* 1-128 */
	uint8_t state;   /* enum iface_addr6_state; net/proto/dad.c changes it */
	uint8_t has;     /* IFACE6_HAS_ bits: which routes are its own */
	bool probed;     /* DAD: the probe was sent */
	uint64_t due_ms; /* DAD: what comes next comes then */
};

#define IFACE6_HAS_LOCAL   0x01u
#define IFACE6_HAS_NETWORK 0x02u
#define IFACE6_HAS_ANYCAST 0x04u

/*
 * Puts the routes of all addresses but duplicate ones into the RIB, or takes
 * them out; as iface_install, which comes before it. Control core. On ERR_FULL
 * nothing is left behind.
 */
MUST_CHECK enum err iface6_install(struct iface *i, struct rib6 *rib, struct nexthop_table *t);
void iface6_withdraw(struct iface *i, struct rib6 *rib, struct nexthop_table *t);

/* Takes out the local routes of one address: it has turned out to be another's. Control core. */
void iface6_disown(
	struct iface *i, struct iface_addr6 *a, struct rib6 *rib, struct nexthop_table *t);

/*
 * The groups of the link that it listens to, all nodes aside (RFC 4291 2.8), each
 * once: those of all routers, and the solicited-node groups of its addresses but
 * duplicate ones. One that is to be probed begins with its probe (RFC 4862 5.4.2).
 * How many; none without a link. Control core.
 */
#define IFACE6_GROUPS (2u + 2u * IFACE_ADDR6_MAX)
unsigned iface6_groups(const struct iface *i, uint64_t now_ms, struct ip6 group[IFACE6_GROUPS]);

/* The interface's own entry for the address, whatever its state; NULL if it is not its own. */
struct iface_addr6 *iface6_own(struct iface *i, struct ip6 address);

/* The subnet-router anycast address of one of its networks. */
bool iface6_is_anycast(const struct iface *i, struct ip6 address);

/*
 * The valid address to use towards `peer` on this link: for a link-local peer the
 * link-local one; else one whose network holds it, else any that is not
 * link-local, else (fallback) the link-local one. NULL if none.
 */
const struct iface_addr6 *iface6_source(const struct iface *i, struct ip6 peer);

/* The valid link-local address, or NULL. */
const struct iface_addr6 *iface6_link_source(const struct iface *i);

/* It speaks IPv6 now: it is installed and has addresses. */
bool iface6_has_link(const struct iface *i);

/*
 * `address` may be a neighbour on this link: link-local, or in one of the
 * networks, and not an own or anycast address.
 */
bool iface6_neighbor(const struct iface *i, struct ip6 address);

/* The installed interface with the longest network that holds the address, or NULL: where a gateway
 * is reached. Not for link-local ones. */
struct iface *iface6_to(struct iface *ifaces, unsigned n, struct ip6 address);

#endif

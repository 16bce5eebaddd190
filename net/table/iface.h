/*
 * An interface as the control core sees it, and the routes its addresses make.
 *
 * One per port, index = port number. Addresses become routes while the
 * interface is up (enabled and with link): the network (connected), the
 * address itself (local, /32), and the broadcast addresses of the network
 * (RFC 1812 5.3.5; none for /31, RFC 3021, and /32).
 */
#ifndef NET_TABLE_IFACE_H
#define NET_TABLE_IFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/limits.h"
#include "net/table/iface6.h"
#include "net/table/nexthop.h"
#include "net/table/rib.h"

struct iface_addr {
	uint32_t address; /* host byte order */
	uint8_t length;   /* 1-32 */
};

struct iface {
	char name[IFACE_NAME_MAX];
	uint16_t port;
	uint16_t txq; /* TX queue for what the control core sends, and for adjacencies */
	uint32_t mtu; /* IP MTU, bytes */
	uint8_t mac[6];
	bool enabled;   /* not 'disabled' in the configuration */
	bool link;      /* the device says the link is up */
	bool installed; /* its routes are in the RIB */
	unsigned addrs; /* addresses change only while not installed */
	struct iface_addr addr[IFACE_ADDR_MAX];
	uint8_t has[IFACE_ADDR_MAX]; /* IFACE_HAS_ bits: which routes of each address are its own */
	unsigned addrs6;             /* as addrs; one is link-local, if there are any */
	struct iface_addr6 addr6[IFACE_ADDR6_MAX];
	bool router_advert; /* sends router advertisements */
};

#define IFACE_HAS_LOCAL   0x01u
#define IFACE_HAS_NETWORK 0x02u
#define IFACE_HAS_ONES    0x04u /* broadcast: host part all ones */
#define IFACE_HAS_ZEROS   0x08u /* broadcast of old: host part all zeros */

/*
 * Puts the routes of all addresses into the RIB, or takes them out. Control
 * core. On ERR_FULL nothing is left behind.
 *
 * A route that is there already (of another interface with an overlapping
 * network, or another address in the same network) stays as it is: the first
 * wins. Installing again adds what is free by then, and is else a no-op.
 */
MUST_CHECK enum err iface_install(struct iface *i, struct rib4 *rib, struct nexthop_table *t);
void iface_withdraw(struct iface *i, struct rib4 *rib, struct nexthop_table *t);

/* The address of the interface to use towards `peer`: one whose network holds it, else the first;
 * NULL if none. */
const struct iface_addr *iface_source(const struct iface *i, uint32_t peer);

/*
 * The own address through whose network `address` may be a neighbour; NULL if
 * there is none, or it is an own or a broadcast address.
 */
const struct iface_addr *iface_neighbor(const struct iface *i, uint32_t address);

/* The installed interface with the longest network that holds the address, or NULL: where a gateway
 * is reached. */
struct iface *iface_to(struct iface *ifaces, unsigned n, uint32_t address);

#endif

/* Routes that an interface's addresses make, and questions about its networks. */
#include "net/table/iface.h"

#include <stddef.h>

/* One of the routes of an address. */
struct address_route {
	uint32_t prefix;
	uint8_t length, source;
	enum nexthop_action action;
};

static bool network_holds(const struct iface_addr *a, uint32_t address)
{
	return ((a->address ^ address) & rib4_mask(a->length)) == 0;
}

/* Describes the route that goes with an IFACE_HAS_ bit; false if the address has none. */
static bool address_route(const struct iface_addr *a, unsigned bit, struct address_route *r)
{
	uint32_t mask = rib4_mask(a->length), network = a->address & mask;

	/* RFC 3021: the two addresses of a /31 are hosts; a /32 has no network. */
	if (bit != IFACE_HAS_LOCAL && a->length > (bit == IFACE_HAS_NETWORK ? 31 : 30))
		return false;
	*r = (struct address_route){a->address, 32, RIB_LOCAL, NEXTHOP_LOCAL};
	if (bit == IFACE_HAS_NETWORK)
		*r = (struct address_route){network, a->length, RIB_CONNECTED, NEXTHOP_RESOLVE};
	if (bit == IFACE_HAS_ONES)
		*r = (struct address_route){network | ~mask, 32, RIB_LOCAL, NEXTHOP_BROADCAST};
	if (bit == IFACE_HAS_ZEROS) /* RFC 1812 4.2.3.1: treat as a broadcast as well */
		*r = (struct address_route){network, 32, RIB_LOCAL, NEXTHOP_BROADCAST};
	return true;
}

static enum err iface_add(
	struct iface *i, unsigned k, unsigned bit, struct rib4 *rib, struct nexthop_table *t)
{
	struct address_route r;
	struct route4 route = {0};

	if ((i->has[k] & bit) || !address_route(&i->addr[k], bit, &r) ||
		rib4_find(rib, r.prefix, r.length, r.source))
		return ERR_OK;
	route.prefix = r.prefix;
	route.length = r.length;
	route.source = r.source;

	enum err err = nexthop_get(t, r.action, i->port, 0, i->mac, i->mtu, &route.nexthop);

	if (err != ERR_OK)
		return err;
	err = rib4_add(rib, &route);
	if (err != ERR_OK)
		nexthop_put(t, route.nexthop);
	else
		i->has[k] |= (uint8_t)bit;
	return err;
}

static void iface_remove(
	struct iface *i, unsigned k, unsigned bit, struct rib4 *rib, struct nexthop_table *t)
{
	struct address_route r;
	struct route4 removed;

	if (!(i->has[k] & bit) || !address_route(&i->addr[k], bit, &r))
		return;
	if (rib4_remove(rib, r.prefix, r.length, r.source, &removed) == ERR_OK)
		nexthop_put(t, removed.nexthop);
	i->has[k] &= (uint8_t)~bit;
}

enum err iface_install(struct iface *i, struct rib4 *rib, struct nexthop_table *t)
{
	/* All own addresses first: one may be what another address takes for a broadcast. */
	for (unsigned bit = IFACE_HAS_LOCAL; bit <= IFACE_HAS_ZEROS; bit <<= 1) {
		for (unsigned k = 0; k < i->addrs; k++) {
			enum err err = iface_add(i, k, bit, rib, t);

			if (err != ERR_OK) {
				i->installed = true; /* as far as it went, so that it is undone */
				iface_withdraw(i, rib, t);
				return err;
			}
		}
	}
	i->installed = true;
	return ERR_OK;
}

void iface_withdraw(struct iface *i, struct rib4 *rib, struct nexthop_table *t)
{
	if (!i->installed)
		return;
	for (unsigned k = 0; k < i->addrs; k++)
		for (unsigned bit = IFACE_HAS_LOCAL; bit <= IFACE_HAS_ZEROS; bit <<= 1)
			iface_remove(i, k, bit, rib, t);
	i->installed = false;
}

const struct iface_addr *iface_source(const struct iface *i, uint32_t peer)
{
	for (unsigned k = 0; k < i->addrs; k++)
		if (network_holds(&i->addr[k], peer))
			return &i->addr[k];
	return i->addrs ? &i->addr[0] : NULL;
}

const struct iface_addr *iface_neighbor(const struct iface *i, uint32_t address)
{
	const struct iface_addr *through = NULL;

	for (unsigned k = 0; k < i->addrs; k++) {
		const struct iface_addr *a = &i->addr[k];
		uint32_t host = address & ~rib4_mask(a->length);

		if (address == a->address)
			return NULL;
		if (!network_holds(a, address))
			continue;
		if (a->length < 31 && (host == 0 || host == ~rib4_mask(a->length)))
			return NULL;
		if (!through)
			through = a;
	}
	return through;
}

struct iface *iface_to(struct iface *ifaces, unsigned n, uint32_t address)
{
	struct iface *best = NULL;
	int best_length = -1;

	for (unsigned p = 0; p < n; p++) {
		struct iface *i = &ifaces[p];

		for (unsigned k = 0; i->installed && k < i->addrs; k++) {
			if (i->addr[k].length > best_length &&
				network_holds(&i->addr[k], address)) {
				best = i;
				best_length = i->addr[k].length;
			}
		}
	}
	return best;
}

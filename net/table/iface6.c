/* Routes that an interface's IPv6 addresses make, and questions about its networks. */
#include <stddef.h>

#include "net/table/iface.h"

/* One of the routes of an address. */
struct address_route {
	struct ip6 prefix;
	uint8_t length, source;
	enum nexthop_action action;
};

static bool network_holds(const struct iface_addr6 *a, struct ip6 address)
{
	return ip6_agree(a->address, address, a->length);
}

/* RFC 4291 2.6.1; the two addresses of a /127 are the routers' own, RFC 6164 5.1. */
static bool has_anycast(const struct iface_addr6 *a)
{
	return a->length < 127 && !ip6_is_link_local(a->address);
}

/* Describes the route that goes with an IFACE6_HAS_ bit; false if the address has none. */
static bool address_route(const struct iface_addr6 *a, unsigned bit, struct address_route *r)
{
	struct ip6 network = ip6_first(a->address, a->length);

	if (ip6_is_link_local(a->address) || a->state == ADDR6_DUPLICATE)
		return false;
	switch (bit) {
	case IFACE6_HAS_LOCAL:
		*r = (struct address_route){a->address, 128, RIB_LOCAL, NEXTHOP_LOCAL};
		return true;
	case IFACE6_HAS_NETWORK:
		*r = (struct address_route){network, a->length, RIB_CONNECTED, NEXTHOP_RESOLVE};
		return a->length < 128;
	default:
		*r = (struct address_route){network, 128, RIB_LOCAL, NEXTHOP_LOCAL};
		return has_anycast(a);
	}
}

static enum err iface6_add(struct iface *i, struct iface_addr6 *a, unsigned bit, struct rib6 *rib,
	struct nexthop_table *t)
{
	struct address_route r;
	struct route6 route = {0};

	if ((a->has & bit) || !address_route(a, bit, &r) ||
		rib6_find(rib, r.prefix, r.length, r.source))
		return ERR_OK;
	route.prefix = r.prefix;
	route.length = r.length;
	route.source = r.source;

	enum err err = nexthop_get6(t, r.action, i->port, IP6_ANY, i->mac, i->mtu, &route.nexthop);

	if (err != ERR_OK)
		return err;
	err = rib6_add(rib, &route);
	if (err != ERR_OK)
		nexthop_put(t, route.nexthop);
	else
		a->has |= (uint8_t)bit;
	return err;
}

static void iface6_remove(
	struct iface_addr6 *a, unsigned bit, struct rib6 *rib, struct nexthop_table *t)
{
	struct address_route r;
	struct route6 removed;

	if (!(a->has & bit) || !address_route(a, bit, &r))
		return;
	if (rib6_remove(rib, r.prefix, r.length, r.source, &removed) == ERR_OK)
		nexthop_put(t, removed.nexthop);
	a->has &= (uint8_t)~bit;
}

enum err iface6_install(struct iface *i, struct rib6 *rib, struct nexthop_table *t)
{
	for (unsigned bit = IFACE6_HAS_LOCAL; bit <= IFACE6_HAS_ANYCAST; bit <<= 1) {
		for (unsigned k = 0; k < i->addrs6; k++) {
			enum err err = iface6_add(i, &i->addr6[k], bit, rib, t);

			if (err != ERR_OK) {
				iface6_withdraw(i, rib, t);
				return err;
			}
		}
	}
	return ERR_OK;
}

void iface6_withdraw(struct iface *i, struct rib6 *rib, struct nexthop_table *t)
{
	for (unsigned k = 0; k < i->addrs6; k++)
		for (unsigned bit = IFACE6_HAS_LOCAL; bit <= IFACE6_HAS_ANYCAST; bit <<= 1)
			iface6_remove(&i->addr6[k], bit, rib, t);
	for (unsigned k = 0; k < i->addrs6; k++) /* another station may have it by then, or gone */
		i->addr6[k].state = ADDR6_TENTATIVE;
}

void iface6_disown(
	struct iface *i, struct iface_addr6 *a, struct rib6 *rib, struct nexthop_table *t)
{
	for (unsigned bit = IFACE6_HAS_LOCAL; bit <= IFACE6_HAS_ANYCAST; bit <<= 1)
		iface6_remove(a, bit, rib, t);
	a->state = ADDR6_DUPLICATE;
	/* The network stays, if another address is in it as well. */
	(void)!iface6_install(i, rib, t);
}

/* Adds a group to n others, once; how many there are then. */
static unsigned group_add(struct ip6 *group, unsigned n, struct ip6 g)
{
	for (unsigned k = 0; k < n; k++)
		if (ip6_equal(group[k], g))
			return n;
	group[n] = g;
	return n + 1;
}

unsigned iface6_groups(const struct iface *i, uint64_t now_ms, struct ip6 group[IFACE6_GROUPS])
{
	unsigned n = 0;

	for (unsigned k = 0; i->installed && k < i->addrs6; k++) {
		const struct iface_addr6 *a = &i->addr6[k];
		bool waits = a->state == ADDR6_TENTATIVE && !a->probed && a->due_ms > now_ms;

		if (a->state == ADDR6_DUPLICATE || waits)
			continue;
		n = group_add(group, n, IP6_ALL_ROUTERS);
		n = group_add(group, n, IP6_SITE_ROUTERS);
		n = group_add(group, n, ip6_solicited_node(a->address));
		if (has_anycast(a))
			n = group_add(
				group, n, ip6_solicited_node(ip6_first(a->address, a->length)));
	}
	return n;
}

struct iface_addr6 *iface6_own(struct iface *i, struct ip6 address)
{
	for (unsigned k = 0; k < i->addrs6; k++)
		if (ip6_equal(i->addr6[k].address, address))
			return &i->addr6[k];
	return NULL;
}

bool iface6_is_anycast(const struct iface *i, struct ip6 address)
{
	for (unsigned k = 0; k < i->addrs6; k++)
		if (has_anycast(&i->addr6[k]) && i->addr6[k].state == ADDR6_VALID &&
			ip6_equal(ip6_first(i->addr6[k].address, i->addr6[k].length), address))
			return true;
	return false;
}

const struct iface_addr6 *iface6_link_source(const struct iface *i)
{
	for (unsigned k = 0; k < i->addrs6; k++)
		if (i->addr6[k].state == ADDR6_VALID && ip6_is_link_local(i->addr6[k].address))
			return &i->addr6[k];
	return NULL;
}

const struct iface_addr6 *iface6_source(const struct iface *i, struct ip6 peer)
{
	const struct iface_addr6 *any = NULL;

	if (ip6_is_link_local(peer))
		return iface6_link_source(i);
	for (unsigned k = 0; k < i->addrs6; k++) {
		const struct iface_addr6 *a = &i->addr6[k];

		if (a->state != ADDR6_VALID || ip6_is_link_local(a->address))
			continue;
		if (network_holds(a, peer))
			return a;
		if (!any)
			any = a;
	}
	return any ? any : iface6_link_source(i);
}

bool iface6_has_link(const struct iface *i)
{
	return i->installed && i->addrs6 > 0;
}

bool iface6_neighbor(const struct iface *i, struct ip6 address)
{
	bool found = false;

	for (unsigned k = 0; k < i->addrs6; k++) {
		const struct iface_addr6 *a = &i->addr6[k];

		if (a->state == ADDR6_DUPLICATE)
			continue;
		if (ip6_equal(address, a->address) ||
			(has_anycast(a) && ip6_equal(address, ip6_first(a->address, a->length))))
			return false;
		found |= network_holds(a, address) && a->length < 128;
	}
	return found;
}

struct iface *iface6_to(struct iface *ifaces, unsigned n, struct ip6 address)
{
	struct iface *best = NULL;
	int best_length = -1;

	for (unsigned p = 0; p < n; p++) {
		struct iface *i = &ifaces[p];

		for (unsigned k = 0; i->installed && k < i->addrs6; k++) {
			const struct iface_addr6 *a = &i->addr6[k];

			if (a->length > best_length && a->state != ADDR6_DUPLICATE &&
				network_holds(a, address)) {
				best = i;
				best_length = a->length;
			}
		}
	}
	return best;
}

/* What configuring an interface and its neighbours needs for IPv6. */
#include <string.h>

#include "kernel/config.h"
#include "net/proto/arp.h"
#include "net/proto/nd.h"

unsigned config_addresses6(
	const struct config_iface *c, const uint8_t *mac, struct iface_addr6 addr[IFACE_ADDR6_MAX])
{
	unsigned n = c ? c->addrs6 : 0;
	bool link_local = n == 0;

	for (unsigned k = 0; k < n; k++) {
		addr[k] = c->addr6[k];
		link_local |= ip6_is_link_local(addr[k].address);
	}
	if (!link_local)
		addr[n++] = (struct iface_addr6){.address = ip6_link_local(mac), .length = 64};
	return n;
}

void config_keep_valid6(const struct iface *i, struct iface_addr6 *addr, unsigned n)
{
	for (unsigned k = 0; i->installed && k < n; k++)
		for (unsigned old = 0; old < i->addrs6; old++)
			if (i->addr6[old].state == ADDR6_VALID &&
				ip6_equal(i->addr6[old].address, addr[k].address))
				addr[k].state = ADDR6_VALID;
}

bool config_same_addresses6(const struct iface *i, const struct iface_addr6 *addr, unsigned n)
{
	if (i->addrs6 != n)
		return false;
	for (unsigned k = 0; k < n; k++)
		if (!ip6_equal(i->addr6[k].address, addr[k].address) ||
			i->addr6[k].length != addr[k].length)
			return false;
	return true;
}

enum err config_set_neighbor(struct router *r, unsigned port, const struct config_neighbor *n)
{
	if (n->six)
		return nd_set_static(&r->stack, port, n->address6, n->mac);
	return arp_set_static(&r->stack, port, n->address, n->mac);
}

void config_clear_neighbor(struct router *r, unsigned port, const struct config_neighbor *n)
{
	if (n->six)
		nd_clear_static(&r->stack, port, n->address6);
	else
		arp_clear_static(&r->stack, port, n->address);
}

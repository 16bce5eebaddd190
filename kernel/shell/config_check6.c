/* What the IPv6 addresses of a configuration must not say together. */
#include <string.h>

#include "kernel/shell/config_check.h"
#include "kernel/shell/shell.h"

/* The same address on two links; link-local ones may be. */
static bool is_same(const struct config_address6 *a, const struct config_address6 *b)
{
	return ip6_equal(a->addr.address, b->addr.address) &&
	       (a->iface == b->iface || !ip6_is_link_local(a->addr.address));
}

static bool overlap(const struct config_address6 *a, const struct config_address6 *b)
{
	unsigned shorter = a->addr.length < b->addr.length ? a->addr.length : b->addr.length;

	return a->iface != b->iface && !ip6_is_link_local(a->addr.address) &&
	       ip6_agree(a->addr.address, b->addr.address, shorter);
}

/* There are few addresses: each against those of the lines before it. */
static bool check_addresses(
	const struct config *c, const struct config_origin *o, struct config_fault *fault)
{
	for (unsigned i = 0; i < o->addresses6; i++) {
		const struct config_address6 *a = &o->address6[i];

		for (unsigned k = 0; k < i; k++) {
			const struct config_address6 *b = &o->address6[k];

			if (is_same(a, b))
				return config_fault_at(fault, a->line, "is configured twice");
			if (overlap(a, b))
				return config_fault_at(fault, a->line, "overlaps %s on %s",
					b->line->text[b->line->words - 1], c->iface[b->iface].name);
		}
	}
	return true;
}

/* dev: "" for any interface. */
static bool is_own(
	const struct config *c, const struct config_origin *o, struct ip6 address, const char *dev)
{
	for (unsigned i = 0; i < o->addresses6; i++) {
		const struct config_address6 *a = &o->address6[i];

		if (ip6_equal(a->addr.address, address) &&
			(!ip6_is_link_local(address) || !strcmp(c->iface[a->iface].name, dev)))
			return true;
	}
	return false;
}

bool config_check6(const struct config *c, struct config_origin *o, struct config_fault *fault)
{
	if (!check_addresses(c, o, fault))
		return false;
	for (unsigned i = 0; i < c->routes6; i++) {
		shell_yield();
		if (c->route6[i].route.kind == STATIC_VIA &&
			is_own(c, o, c->route6[i].route.gateway, c->route6[i].dev))
			return config_fault_at(
				fault, o->route6[i], "the next hop is an address of this router");
	}
	for (unsigned i = 0; i < c->neighbors; i++)
		if (c->neighbor[i].six &&
			is_own(c, o, c->neighbor[i].address6, c->neighbor[i].iface))
			return config_fault_at(fault, o->neighbor[i],
				"the neighbour is an address of this router");
	return true;
}

/* What a configuration asks for, looked at before anything is changed: sizes, and where gateways
 * are. */
#include "kernel/apply.h"

#include "kernel/control.h"
#include "lib/text.h"

bool apply_check_sizes(struct apply *a)
{
	if (a->config->routes > a->r->statics.max)
		return apply_fail(
			a, "%u static routes: %u fit", a->config->routes, a->r->statics.max);
	if (a->config->routes6 > a->r->statics6.max)
		return apply_fail(
			a, "%u static IPv6 routes: %u fit", a->config->routes6, a->r->statics6.max);
	if (a->config->neighbors > NEIGHBOR_MAX / 2)
		return apply_fail(
			a, "%u static neighbors: %u fit", a->config->neighbors, NEIGHBOR_MAX / 2);
	return true;
}

bool apply_check_routes(struct apply *a)
{
	for (unsigned i = 0; i < a->config->routes; i++) {
		const struct config_route *r = &a->config->route[i];
		int port = r->dev[0] ? wanted_by_name(a, r->dev) : -1;
		const struct config_iface *c = port < 0 ? NULL : a->match.of[port];
		uint32_t gateway = (uint32_t)(r->route.gateway.hi >> 32);
		char prefix_text[TEXT_PREFIX_MAX], gateway_text[TEXT_IPV4_MAX];
		bool found = false;

		control_yield(a->r);
		if (port < 0)
			continue;
		for (unsigned k = 0; c && k < c->addrs; k++)
			found |= ((c->addr[k].address ^ gateway) & rib4_mask(c->addr[k].length)) ==
				 0;
		if (found)
			continue;
		text_print_ipv4_prefix(
			prefix_text, (uint32_t)(r->route.prefix.hi >> 32), r->route.length);
		text_print_ipv4(gateway_text, gateway);
		return apply_fail(a, "routes %s: %s is on no network of %s", prefix_text,
			gateway_text, r->dev);
	}
	return true;
}

/* From the configuration to how much interfaces may receive (policing). */
#include "kernel/config.h"

#include <string.h>

static struct meter_limit wanted(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->ifaces; i++)
		if (strcmp(c->iface[i].name, name) == 0)
			return c->iface[i].police;
	return (struct meter_limit){0};
}

bool config_meters_change(const struct router *r, const struct config *c)
{
	for (unsigned n = 0; n < r->ifaces; n++) {
		struct meter_limit limit = wanted(c, r->iface[n].name);

		if (!meter_same(&limit, &r->police[n]))
			return true;
	}
	return false;
}

/* Lanes of a port look at all if it or one of its VLANs asks for it. */
void config_apply_meters(struct router *r, const struct config *c)
{
	bool any[PORT_MAX] = {false}, vlans[PORT_MAX] = {false};

	for (unsigned n = 0; n < r->ifaces; n++) {
		struct meter_limit limit = wanted(c, r->iface[n].name);
		unsigned port = r->iface[n].parent;

		router_set_limit(r, n, &limit);
		any[port] |= limit.rate != 0;
		vlans[port] |= limit.rate != 0 && n != port;
	}
	for (unsigned port = 0; port < r->ports; port++)
		router_set_metering(r, port, any[port], vlans[port]);
}

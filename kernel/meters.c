/* From the configuration to how much interfaces may receive (policing). */
#include "kernel/config.h"

static struct meter_limit wanted(const struct config_match *m, unsigned n)
{
	return m->of[n] ? m->of[n]->police : (struct meter_limit){0};
}

bool config_meters_change(const struct router *r, const struct config_match *m)
{
	for (unsigned n = 0; n < r->ifaces; n++) {
		struct meter_limit limit = wanted(m, n);

		if (!meter_same(&limit, &r->police[n]))
			return true;
	}
	return false;
}

/* Lanes of a port look at all if it or one of its VLANs asks for it. */
void config_apply_meters(struct router *r, const struct config_match *m)
{
	bool any[PORT_MAX] = {false}, vlans[PORT_MAX] = {false};

	for (unsigned n = 0; n < r->ifaces; n++) {
		struct meter_limit limit = wanted(m, n);
		unsigned port = r->iface[n].parent;

		router_set_limit(r, n, &limit);
		any[port] |= limit.rate != 0;
		vlans[port] |= limit.rate != 0 && n != port;
	}
	for (unsigned port = 0; port < r->ports; port++)
		router_set_metering(r, port, any[port], vlans[port]);
}

/* From the configuration to what is forwarded at all, what is handed up, and to LLDP. */
#include "kernel/config.h"

#include <stdio.h>
#include <string.h>

#include "kernel/platform.h"
#include "kernel/version.h"

static const char *description_of(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->ifaces; i++)
		if (strcmp(c->iface[i].name, name) == 0 && c->iface[i].description[0])
			return c->iface[i].description;
	return name;
}

void config_apply_protocols(struct router *r, const struct config *c)
{
	static struct lldp_settings lldp;

	memset(&lldp, 0, sizeof lldp); /* what is behind the texts is compared as well */
	lldp.enabled = c->lldp;
	snprintf(lldp.name, LLDP_TEXT_MAX, "%s", c->hostname[0] ? c->hostname : "barewire");
	snprintf(lldp.description, LLDP_TEXT_MAX, "barewire %s", barewire_version);
	for (unsigned port = 0; port < r->ports; port++)
		snprintf(lldp.port_description[port], LLDP_TEXT_MAX, "%s",
			description_of(c, r->iface[port].name));
	lldp_configure(&r->stack, &lldp, platform_now_us() / 1000);
	router_set_martians(r, c->martians);
	router_set_control_rates(r, c->control_rate);
}

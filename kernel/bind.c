/* Which NIC has which name: the configuration's 'mac' bindings, at boot. */
#include <string.h>

#include "kernel/config.h"
#include "lib/text.h"

void config_bind_ports(const struct config *c, struct netdev **dev, unsigned n)
{
	for (unsigned i = 0; i < c->ifaces; i++) {
		const struct config_iface *iface = &c->iface[i];
		uint64_t want;

		if (!iface->has_mac || strncmp(iface->name, "eth", 3) != 0 ||
			!text_parse_number(iface->name + 3, 0, n - 1, &want))
			continue;
		for (unsigned d = 0; d < n; d++) {
			if (memcmp(dev[d]->mac, iface->mac, 6) != 0)
				continue;
			struct netdev *other = dev[want];

			dev[want] = dev[d];
			dev[d] = other;
			break;
		}
	}
}

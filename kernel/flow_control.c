/* From the configuration to which ports and their peers may pause each other (802.3x). */
#include "kernel/config.h"

void config_apply_flow_control(struct router *r, const struct config_match *m)
{
	for (unsigned port = 0; port < r->ports; port++) {
		struct netdev *dev = r->dev[port];

		if (dev->ops->flow_control)
			(void)dev->ops->flow_control(dev, m->of[port] && m->of[port]->flow_control);
	}
}

/* One card with one port: the model, its configuration space, its machine, and the tap at its
 * cable's end. */
#ifndef IXGBE_SIM_PORT_H
#define IXGBE_SIM_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/ixgbe-sim/config.h"
#include "tools/ixgbe-sim/options.h"
#include "tools/ixgbe-sim/server.h"

struct port {
	unsigned number;
	int tap; /* -1: what leaves is gone */
	bool cable;
	uint16_t device_id;
	struct ixgbe_model *model;
	struct config config;
	struct server server;
	uint64_t in,
		refused;    /* frames from the tap; of these, those that the device did not take */
	uint64_t out, lost; /* frames to the tap; of these, those that it did not take */
	unsigned said;      /* rules */
};

/* False: said on standard error why not. */
bool port_open(struct port *p, const struct port_options *o, unsigned number);

/* One line on standard output of what has been. True: no rule was broken. */
bool port_close(struct port *p);

/* Hands frames of the tap to the device, some at most. */
void port_receive(struct port *p);

/* Lets the device work. True: it did. */
bool port_poll(struct port *p);

/* Carrier at the device's end. */
void port_set_cable(struct port *p, bool plugged);
void port_remove(struct port *p);

#endif

/*
 * One port, as the files of this folder share it: identity (igb.c), reset and bring-up
 * (igb_init.c), link (igb_link.c). All else is in drivers/intel/. Internal to drivers/igb/.
 */
#ifndef DRIVERS_IGB_DEVICE_H
#define DRIVERS_IGB_DEVICE_H

#include "drivers/igb/igb.h"
#include "drivers/igb/igb_regs.h"
#include "drivers/intel/intel_port.h"

struct igb {
	struct intel_port port; /* first, so that a port is its igb */

	/* Control core: the link since the last reset (igb_link.c). */
	bool link_asked;   /* the PHY has been told to negotiate, or is left alone */
	uint64_t start_us; /* when the port was started */
};

_Static_assert(offsetof(struct igb, port) == 0, "a port is its igb");

static inline struct igb *igb_of(struct intel_port *p)
{
	return (struct igb *)p;
}

/* igb_init.c, igb_link.c: as in struct intel_driver. Starting waits 50 ms at most. */
enum intel_reset_result igb_reset(struct intel_port *p) MUST_CHECK;
const char *igb_start(struct intel_port *p, bool first) MUST_CHECK;
void igb_link_poll(struct intel_port *p);

bool igb_vlan(struct netdev *dev, uint16_t vid, bool pass);

#endif

/* How a port is opened: shaped to what is wanted of it, and brought up. */
#include <string.h>

#include "drivers/intel/intel_port.h"
#include "lib/packet.h"

bool intel_wait(const struct intel_port *p, uint32_t at, uint32_t mask, uint32_t value, uint32_t us)
{
	uint64_t start = intel_now(p), now = start;

	for (;;) {
		if ((intel_read(p, at) & mask) == value)
			return true;
		if (now - start >= us) /* it was looked at after the time was up */
			return false;
		now = intel_now(p);
	}
}

uint32_t intel_vlan(struct intel_port *p, uint16_t vid, bool pass)
{
	uint32_t bit = 1u << (vid & 31), *word = &p->vfta[vid >> 5 & 127];

	*word = pass ? *word | bit : *word & ~bit;
	return *word;
}

/*
 * The Toeplitz hash is the exclusive-or of key bits, those that start where the
 * input has ones. With a key of period 16 bits, swapping two addresses or two
 * ports changes nothing, so both directions of a flow come to one worker. Fragments
 * are hashed by their addresses alone.
 */
uint32_t intel_rss_entries(const struct intel_port *p, unsigned entry)
{
	uint32_t four = 0;

	for (unsigned k = 0; k < 4; k++)
		four |= (entry + k) % p->dev.rx_queues << 8 * k;
	return four;
}

/* ---------------------------------------------------------------- bringing it up */

static void shape(struct intel_port *p, const struct netdev_request *want)
{
	unsigned pairs = want->queue_pairs < INTEL_PAIRS_MAX ? want->queue_pairs : INTEL_PAIRS_MAX;

	p->slots = p->place.slots;
	p->room = packet_room(want->mtu < MTU_DEFAULT ? MTU_DEFAULT : want->mtu);
	p->vfta[0] = 1; /* VID 0 is no VLAN: such frames carry a priority, and are the port's own */
	p->dev.rx_queues = p->dev.tx_queues = (uint16_t)(pairs ? pairs : 1);
	p->dev.rx_slots = p->dev.tx_slots = (uint16_t)(p->slots - 1);
	p->dev.steering = pairs > 1 ? "rss" : NULL;
	p->dev.vlan_filter = true;
	p->dev.ops = p->driver->ops;
	p->dev.driver = p->driver->name;
	p->dev.node = NODE_UNKNOWN;
	p->dev.mtu_max = MTU_MAX;
	strncpy(p->dev.location, p->place.location, sizeof p->dev.location - 1);
}

const char *intel_bring_up(struct intel_port *p, const struct intel_driver *driver,
	const struct intel_place *place, const struct netdev_request *want,
	const struct io_env *env)
{
	enum intel_reset_result reset;

	p->driver = driver;
	p->place = *place;
	p->env = *env;
	p->registers = place->registers;
	shape(p, want);
	if (intel_gone(p))
		return "it does not answer: its registers read as ones";
	do
		reset = driver->reset(p);
	while (reset == INTEL_RESET_BUSY);
	if (reset != INTEL_RESET_DONE)
		return "its reset does not end (CTRL.RST)";
	for (unsigned q = 0; q < p->dev.rx_queues; q++)
		if (!intel_rings_make(p, q))
			return "no memory for its queues";
	return driver->start(p, true);
}

void intel_refuse(const struct intel_place *place, const struct io_env *env, const char *driver,
	const char *refusal)
{
	env->log(env->ctx, "%s %s: refused: %s", driver, place->location, refusal);
	place->cut_off(place->ctx);
}

/* From the configuration to which interfaces look where a packet's source is (uRPF). */
#include "kernel/config.h"

#include "lib/atomic.h"

static enum urpf wanted(const struct config_match *m, unsigned n)
{
	return m->of[n] ? m->of[n]->urpf : URPF_OFF;
}

bool config_urpf_changes(const struct router *r, const struct config_match *m)
{
	for (unsigned n = 0; n < r->ifaces; n++)
		if (r->tables.urpf[n] != wanted(m, n))
			return true;
	return false;
}

/* Lanes of a port look at all if it or one of its VLANs asks for it. */
void config_apply_urpf(struct router *r, const struct config_match *m)
{
	bool any[PORT_MAX] = {false};

	for (unsigned n = 0; n < r->ifaces; n++) {
		enum urpf mode = wanted(m, n);

		store_once(&r->tables.urpf[n], (uint8_t)mode);
		any[r->iface[n].parent] |= mode != URPF_OFF;
	}
	for (unsigned l = 0; l < r->lanes; l++)
		if (r->lane[l].port < r->ports)
			store_once(&r->lane[l].urpf, any[r->lane[l].port]);
}

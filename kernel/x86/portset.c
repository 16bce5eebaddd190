/* Sets of I/O ports, and the one of those that stay open. */
#include "kernel/x86/portset.h"

static struct portset open_ports;

void portset_add(struct portset *s, uint16_t first, unsigned count)
{
	for (unsigned port = first; count && port <= UINT16_MAX; port++, count--)
		s->bits[port / 8] |= (uint8_t)(1u << port % 8);
}

bool portset_has(const struct portset *s, uint16_t port)
{
	return s->bits[port / 8] >> port % 8 & 1;
}

void portset_invert(struct portset *closed, const struct portset *open)
{
	for (unsigned i = 0; i < sizeof open->bits; i++)
		closed->bits[i] = (uint8_t)~open->bits[i];
	closed->beyond = 0xff;
}

void portset_allow(uint16_t first, unsigned count)
{
	portset_add(&open_ports, first, count);
}

const struct portset *portset_open(void)
{
	return &open_ports;
}

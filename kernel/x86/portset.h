/*
 * Sets of I/O ports: which of them the control core may use at CPL 3.
 *
 * A part that needs a port when the machine is up names it at boot (portset_allow);
 * when the address space is sealed the set becomes the map of ports behind the boot
 * core's TSS. Workers have no ports at all.
 */
#ifndef KERNEL_X86_PORTSET_H
#define KERNEL_X86_PORTSET_H

#include <stdbool.h>
#include <stdint.h>

/* Bit n: port n; and the byte that the processor reads beyond (SDM volume 1, 19.5.2). */
struct portset {
	uint8_t bits[65536 / 8];
	uint8_t beyond;
};

/* Adds `count` ports from `first` on; what lies beyond 65535 does not exist. Pure. */
void portset_add(struct portset *s, uint16_t first, unsigned count);
bool portset_has(const struct portset *s, uint16_t port);

/* *closed: all ports that are not in *open, and what is beyond. Pure. */
void portset_invert(struct portset *closed, const struct portset *open);

/* The ports that stay open, to be named before the seal. Boot core. */
void portset_allow(uint16_t first, unsigned count);
const struct portset *portset_open(void);

#endif

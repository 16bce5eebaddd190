/*
 * What the DSDT's byte code says of the PCI host bridge, found without running it: for machines
 * that have no MCFG, QEMU's microvm for one.
 */
#ifndef KERNEL_X86_DSDT_H
#define KERNEL_X86_DSDT_H

#include <stddef.h>
#include <stdint.h>

struct dsdt_bridge {
	uint64_t config_base; /* of bus 0's configuration space; 0: not said */
	uint64_t window,
		window_bytes; /* the largest range of device addresses below 4 GiB; 0: none */
};

/* `code`: `bytes` bytes behind the table's header. Pure; whatever the bytes are, no harm is done.
 */
struct dsdt_bridge dsdt_find_bridge(const uint8_t *code, size_t bytes);

#endif

/*
 * The System Resource Affinity Table, ACPI 6.4 5.2.16: which core, which memory
 * and which device is near to which, by the number of a proximity domain. Here a
 * domain is called a node.
 *
 * Pure, and as trusting as acpi.h. Nothing but speed hangs on what the table says:
 * what is left out is of unknown node.
 */
#ifndef KERNEL_X86_SRAT_H
#define KERNEL_X86_SRAT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/limits.h"

#define SRAT_CORES_MAX   256u
#define SRAT_RANGES_MAX  64u
#define SRAT_DEVICES_MAX 64u
#define SRAT_NODES_MAX   64u

struct srat {
	unsigned nodes; /* different ones of cores and memory */
	uint32_t node[SRAT_NODES_MAX];

	unsigned cores; /* enabled, the first entry of each counts */
	struct {
		uint32_t apic_id, node;
	} core[SRAT_CORES_MAX];

	unsigned ranges; /* of memory, without overlap */
	struct {
		uint64_t first, end; /* [first, end) */
		uint32_t node;
	} range[SRAT_RANGES_MAX];

	unsigned devices; /* PCI functions */
	struct {
		uint16_t segment;
		uint8_t bus, function; /* function: device << 3 | function */
		uint32_t node;
	} device[SRAT_DEVICES_MAX];

	unsigned
		left_out; /* entries that make no sense, contradict an earlier one or did not fit */
};

/* Reads a table of `bytes` bytes, its header included, whose sum was found right. */
void srat_parse(const uint8_t *table, size_t bytes, struct srat *s);

/* The node of a core, of a PCI function; NODE_UNKNOWN where the table does not say. */
uint32_t srat_core_node(const struct srat *s, uint32_t apic_id);
uint32_t srat_device_node(const struct srat *s, uint16_t segment, uint8_t bus, uint8_t function);

#endif

/*
 * A PCI segment in memory: functions with config space and BARs, reached by
 * ECAM and by ports CF8/CFC as the drivers do. What a BAR decodes goes to the
 * device model behind it, if memory decoding is on.
 */
#ifndef TEST_MODEL_PCI_MODEL_H
#define TEST_MODEL_PCI_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "test/model/io.h"

#define PCI_MODEL_FUNCTIONS 520u
#define PCI_MODEL_ECAM      UINT64_C(0x70000000)   /* where its ECAM is mapped, bus 0 first */
#define PCI_MODEL_LOW       UINT64_C(0x80000000)   /* device addresses: this GiB, */
#define PCI_MODEL_HIGH      UINT64_C(0x1000000000) /* and this one */
#define PCI_MODEL_BYTES     UINT64_C(0x40000000)

struct pci_model_function {
	uint8_t bus, device, function;
	uint8_t config[4096];
	uint32_t bar_writable[6]; /* by register: the bits that keep what is written */
	unsigned own_first,
		own_end;     /* registers of its own, [first, end), that keep what is written */
	model_read_fn *read; /* what lies behind BAR `decoded` */
	model_write_fn *write;
	void *ctx;
	unsigned decoded;
	uint64_t decoded_bytes;
};

struct pci_model {
	struct pci_model_function function[PCI_MODEL_FUNCTIONS];
	unsigned functions;
	uint32_t address;              /* the CF8 register */
	unsigned sized_while_decoding; /* all ones written to a BAR of a function that answered */
	unsigned unaligned;            /* config accesses not aligned to their size */
};

/* An empty segment; it answers ECAM, ports and device addresses from now on. */
void pci_model_init(struct pci_model *p);

/* A function with a type 0 header, no BARs, no capabilities. */
struct pci_model_function *pci_model_add(struct pci_model *p, unsigned bus, unsigned device,
	unsigned function, unsigned vendor_id, unsigned device_id);

/* Makes it a bridge; base and limit: its memory window. */
void pci_model_bridge(
	struct pci_model_function *f, unsigned secondary, uint32_t base, uint32_t limit);

/* Gives it BAR n; flags: the low four bits of the register (0, 1: I/O, 4: 64-bit). */
void pci_model_bar(
	struct pci_model_function *f, unsigned n, uint64_t bytes, uint64_t address, unsigned flags);

/* Sends what BAR n decodes to a device model. */
void pci_model_behind(struct pci_model_function *f, unsigned n, uint64_t bytes, model_read_fn *read,
	model_write_fn *write, void *ctx);

/* Config registers, as the test sees them. */
void pci_model_set(struct pci_model_function *f, unsigned at, unsigned bytes, uint64_t v);
uint64_t pci_model_get(const struct pci_model_function *f, unsigned at, unsigned bytes);

/* Appends a capability of n bytes (cap[1] is filled in) at `at` to the list. */
void pci_model_capability(
	struct pci_model_function *f, unsigned at, const uint8_t *cap, unsigned n);

#endif

/* The state of one core: descriptor tables, stacks, and the way from "here" to its number. */
#ifndef KERNEL_X86_CPU_H
#define KERNEL_X86_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/limits.h"

/* The exceptions that get a stack of their own: they may find the core's stack unusable. */
enum cpu_ist {
	IST_NMI,
	IST_DOUBLE_FAULT,
	IST_MACHINE_CHECK,
	IST_PAGE_FAULT,
	IST_PROTECTION,
	IST_COUNT
};

#define CPU_GUARD_BYTES 4096u
#define CPU_STACK_BYTES (128u * 1024u)
#define CPU_IST_BYTES   (12u * 1024u)

/* A core's stacks, page-aligned. Each guard is unmapped, so that an overflow is a fault at once. */
struct cpu_stacks {
	uint8_t guard[CPU_GUARD_BYTES];
	uint8_t stack[CPU_STACK_BYTES];
	struct {
		uint8_t guard[CPU_GUARD_BYTES];
		uint8_t stack[CPU_IST_BYTES];
	} ist[IST_COUNT];
};

/* Task state segment, SDM volume 3, figure 8-11; packed because RSP0 stands at offset 4. */
struct cpu_tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map;
} __attribute__((packed));
_Static_assert(sizeof(struct cpu_tss) == 104, "SDM volume 3, 8.7");

struct cpu {
	struct cpu *self; /* at %gs:0 */
	unsigned core;
	uint32_t apic_id;
	struct cpu_stacks *stacks;
	bool parked; /* sleeps in smp.c; an NMI only wakes it */
	uint64_t gdt[5];
	struct cpu_tss tss;
};

/* By core number; [0] is the boot core. */
extern struct cpu cpu_table[CORE_MAX];

/*
 * Makes the calling core's processor state complete: control registers, SSE,
 * AVX and AVX-512 state, GDT, TSS, IDT, and %gs. Its stacks must be set.
 */
void cpu_init(struct cpu *c, unsigned core);

/* Takes the guards of a core's stacks out of the address space. Boot core, after paging_init. */
void cpu_guard_stacks(struct cpu_stacks *s);

/* The calling core. Valid after its cpu_init. */
static inline struct cpu *cpu_self(void)
{
	struct cpu *c;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(c));
	return c;
}

/* Is [p, p + bytes) in one of the stacks of this core, and mapped? */
bool cpu_owns_stack(const struct cpu *c, uint64_t p, uint64_t bytes);

/* Number of bits of a physical address. */
unsigned cpu_physical_bits(void);
bool cpu_has_nx(void);
bool cpu_has_1g_pages(void);
/* Runs under a hypervisor, says CPUID. */
bool cpu_is_virtual(void);

/* idt.c: loads the interrupt descriptor table, the same for all cores. */
void idt_load(void);

#endif

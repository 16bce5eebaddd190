/* The state of one core: descriptor tables, stacks, and what CPL 3 may do on it. */
#ifndef KERNEL_X86_CPU_H
#define KERNEL_X86_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/limits.h"

/* Variables of CPL 0: pages of their own, which code at CPL 3 cannot touch once they are sealed. */
#define SUPERVISOR __attribute__((section(".bss.supervisor")))

/* Segments: each privilege level's code and data, and the task state segment. */
#define SELECTOR_CODE      0x08u /* as in entry.S and trampoline.S, so it need not be reloaded */
#define SELECTOR_DATA      0x10u
#define SELECTOR_USER_CODE 0x1bu /* with the requested privilege level, 3 */
#define SELECTOR_USER_DATA 0x23u
#define SELECTOR_TSS       0x28u

/* Flags of code at CPL 3: interrupts off, IOPL 0: the TSS tells which ports it may use. */
#define RFLAGS_CPL3 0x0002u

/* The exceptions that get a stack of their own: they may find the core's stack unusable. */
enum cpu_ist {
	IST_NMI,
	IST_DOUBLE_FAULT,
	IST_MACHINE_CHECK,
	IST_PAGE_FAULT,
	IST_PROTECTION,
	IST_COUNT
};

#define CPU_GUARD_BYTES       4096u
#define CPU_STACK_BYTES       (128u * 1024u)
#define CPU_SMALL_STACK_BYTES (12u * 1024u)

struct cpu_small_stack {
	uint8_t guard[CPU_GUARD_BYTES];
	uint8_t stack[CPU_SMALL_STACK_BYTES];
};

/* A core's stacks, page-aligned. Each guard is unmapped, so that an overflow is a fault at once. */
struct cpu_stacks {
	uint8_t guard[CPU_GUARD_BYTES];
	uint8_t stack[CPU_STACK_BYTES];
	struct cpu_small_stack report; /* panic.c's */
	/* What follows is for CPL 0 alone. */
	struct cpu_small_stack gate; /* and exceptions without a stack of their own */
	struct cpu_small_stack ist[IST_COUNT];
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
	unsigned core;
	uint32_t apic_id;
	struct cpu_stacks *stacks;
	unsigned worker; /* 1 + its number; 0: none */
	bool parked;     /* sleeps in smp.c; an NMI only wakes it */
	uint64_t gdt[7];
};

/* By core number; [0] is the boot core. */
extern struct cpu cpu_table[CORE_MAX];

/*
 * Makes the calling core's processor state complete: control registers, SSE,
 * AVX and AVX-512 state, GDT, TSS and IDT. Its stacks must be set. Called at CPL 0,
 * returns at CPL 3: on the boot core with all ports open, until cpu_seal.
 */
void cpu_init(struct cpu *c, unsigned core);

/* Notes which vector code the calling core can run. At CPL 3, each core before it is sealed. */
void cpu_note_isa(void);

/* Takes the guards of a core's stacks out of the address space. Boot core, after paging_init. */
void cpu_guard_stacks(struct cpu_stacks *s);

/*
 * From now on the boot core at CPL 3 has the ports of portset.h alone, no core can map
 * anything, and what belongs to CPL 0 is out of reach. Boot core, once. false: page
 * tables ran out.
 */
bool cpu_seal(void);

/* Opens all ports to the calling core, the one that makes the report; at CPL 0. */
void cpu_open_ports(struct cpu *c);

/* The calling core; only at CPL 0. */
struct cpu *cpu_self(void);

/* What the boot core found at CPL 0: control registers and MSRs that other parts need. */
extern struct cpu_control {
	uint64_t cr0, cr4, efer, apic_base;
	unsigned physical_bits; /* of an address */
	bool has_nx, has_1g_pages, has_x2apic;
} cpu_control;

/* Is [p, p + bytes) in one of the stacks of CPL 3 of this core? */
bool cpu_stack_holds(const struct cpu_stacks *s, uint64_t p, uint64_t bytes);

/* Runs under a hypervisor, says CPUID. */
bool cpu_is_virtual(void);

/* idt.c: loads the interrupt descriptor table, the same for all cores. */
void idt_load(void);

#endif

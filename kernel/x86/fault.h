/* What exceptions.S saves, and who handles it. */
#ifndef KERNEL_X86_FAULT_H
#define KERNEL_X86_FAULT_H

#include <stdint.h>

/* In the order in which it lies on the stack, lowest address first. */
struct fault_frame {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t vector, error; /* error: 0 where the processor pushes none */
	uint64_t rip, cs, rflags, rsp, ss;
};

/* What the report is made of; read at CPL 3. */
struct fault_report {
	struct fault_frame frame;
	uint64_t cr2, cr3;
	const char *text;      /* of platform_panic; NULL: an exception */
	unsigned core, worker; /* worker: 1 + its number; 0: none */
	unsigned depth;        /* faults inside the report */
	const struct cpu_stacks *stacks;
};

#define FAULT_VECTORS    32u
#define FAULT_STUB_BYTES 16u

#define VECTOR_NMI           2u
#define VECTOR_BREAKPOINT    3u /* at gate_return: a call of the gate (gate.h) */
#define VECTOR_DOUBLE_FAULT  8u
#define VECTOR_PROTECTION    13u
#define VECTOR_PAGE_FAULT    14u
#define VECTOR_MACHINE_CHECK 18u

/* Interrupts of the local APIC, both of its highest priority class (lapic.c). */
#define VECTOR_TIMER    240u
#define VECTOR_SPURIOUS 255u
#define IDT_VECTORS     256u

/* exceptions.S: FAULT_VECTORS entry points, FAULT_STUB_BYTES apart. */
extern const uint8_t fault_stubs[];

/* exceptions.S: what follows the gate's breakpoint. */
extern const uint8_t gate_return[];

/* exceptions.S: they acknowledge where that is due, and return. */
extern const uint8_t interrupt_timer[], interrupt_spurious[];

/*
 * Called by exceptions.S on any core, at CPL 0. What it returns to is *f: for a fault
 * the report, at CPL 3.
 */
void fault_handle(struct fault_frame *f);

/*
 * Changes *f so that returning to it makes the report, and stops the other cores; if
 * another core reports already, it does not return. text: see struct fault_report.
 */
void report_begin(struct fault_frame *f, const char *text);

/* "page fault", ...; any number. */
const char *fault_name(uint64_t vector);

/* panic.c, at CPL 3 with all ports: prints the report and stops the machine. Any core. */
void panic_report(const struct fault_report *r) __attribute__((noreturn));

/* Is a report under way? Then every other core that takes an NMI stops. At CPL 0. */
_Bool panic_under_way(void);

#endif

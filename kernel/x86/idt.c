/* The interrupt descriptor table: exceptions, NMI, the gate, and the timer that ends a sleep. */
#include <stddef.h>

#include "drivers/io.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/fault.h"
#include "kernel/x86/gate.h"
#include "kernel/x86/lapic.h"
#include "kernel/x86/privileged.h"

/* SDM volume 3, figure 6-8. */
struct idt_gate {
	uint16_t offset_low, selector;
	uint8_t ist; /* 0: stay on the stack; else 1 + enum cpu_ist */
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};
_Static_assert(sizeof(struct idt_gate) == 16, "SDM volume 3, 6.14.1");

#define IDT_INTERRUPT_GATE 0x8e /* present, DPL 0: an INT at CPL 3 is a protection fault */
#define IDT_FOR_CPL3       0x60

static SUPERVISOR struct idt_gate idt[IDT_VECTORS];

/* Core number + 1 of the core that reports; 0: nobody. */
static SUPERVISOR uint32_t owner;
static SUPERVISOR unsigned depth; /* faults inside the report */

static uint8_t idt_stack(unsigned vector)
{
	switch (vector) {
	case VECTOR_NMI:
		return 1 + IST_NMI;
	case VECTOR_DOUBLE_FAULT:
		return 1 + IST_DOUBLE_FAULT;
	case VECTOR_PROTECTION:
		return 1 + IST_PROTECTION;
	case VECTOR_PAGE_FAULT:
		return 1 + IST_PAGE_FAULT;
	case VECTOR_MACHINE_CHECK:
		return 1 + IST_MACHINE_CHECK;
	default:
		return 0;
	}
}

static void idt_gate(unsigned vector, const uint8_t *entry)
{
	uint64_t at = (uintptr_t)entry;

	idt[vector] = (struct idt_gate){
		.offset_low = (uint16_t)at,
		.selector = SELECTOR_CODE,
		.ist = idt_stack(vector),
		.type = IDT_INTERRUPT_GATE,
		.offset_middle = (uint16_t)(at >> 16),
		.offset_high = (uint32_t)(at >> 32),
	};
}

/* No other vector can come: the local APIC's priority threshold is above them (lapic.c). */
static void idt_build(void)
{
	for (unsigned v = 0; v < FAULT_VECTORS; v++)
		idt_gate(v, fault_stubs + v * FAULT_STUB_BYTES);
	idt[VECTOR_BREAKPOINT].type |= IDT_FOR_CPL3;
	idt_gate(VECTOR_TIMER, interrupt_timer);
	idt_gate(VECTOR_SPURIOUS, interrupt_spurious);
}

void idt_load(void)
{
	struct table_pointer p = {.limit = sizeof idt - 1, .base = (uintptr_t)idt};

	/* The boot core comes first, alone. */
	if (idt[0].type == 0) {
		idt_build();
		pio_write8(0x21, 0xff); /* mask both 8259A PICs (OCW1), for ever */
		pio_write8(0xa1, 0xff);
	}
	lidt(&p);
}

_Bool panic_under_way(void)
{
	return __atomic_load_n(&owner, __ATOMIC_ACQUIRE) != 0;
}

/*
 * Those that are ours. A core that was not started has no handler: an NMI would be a triple
 * fault in its firmware, and reset the machine before the report is made.
 */
static void stop_others(const struct cpu *me)
{
	for (unsigned core = 0; core < CORE_MAX; core++)
		if (core != me->core && cpu_table[core].gdt[SELECTOR_CODE / 8])
			(void)lapic_send_nmi(cpu_table[core].apic_id);
}

/*
 * Makes this core the one that reports and stops all others. A second fault
 * inside the report ends it with one line; a third ends it at once.
 */
static void take_over(const struct cpu *c)
{
	uint32_t nobody = 0, me = c->core + 1;

	if (__atomic_compare_exchange_n(
		    &owner, &nobody, me, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		stop_others(c);
		return;
	}
	if (nobody != me || ++depth > 2)
		halt_forever();
}

/*
 * The report is made at CPL 3: it needs all of the C library, and what is wrong may be
 * wrong with it. It gets a stack of its own, and all ports, for console and reset.
 */
void report_begin(struct fault_frame *f, const char *text)
{
	static struct fault_report report;
	struct cpu *c = cpu_self();
	const struct cpu_small_stack *s = &c->stacks->report;

	take_over(c);
	cpu_open_ports(c);
	report.frame = *f;
	report.cr2 = read_cr2();
	report.cr3 = read_cr3();
	report.text = text;
	report.core = c->core;
	report.worker = c->worker;
	report.depth = depth;
	report.stacks = c->stacks;
	f->rdi = (uintptr_t)&report;
	f->rbp = 0;
	f->rip = (uintptr_t)panic_report;
	f->rsp = (uintptr_t)(s->stack + sizeof s->stack) - 8; /* as after a call: ABI 3.2.2 */
	f->cs = SELECTOR_USER_CODE;
	f->ss = SELECTOR_USER_DATA;
	f->rflags = RFLAGS_CPL3;
}

void fault_handle(struct fault_frame *f)
{
	if (f->vector == VECTOR_BREAKPOINT && f->rip == (uintptr_t)gate_return) {
		gate_handle(f);
		return;
	}
	if (f->vector == VECTOR_NMI) {
		if (panic_under_way())
			halt_forever();
		if (cpu_self()->parked)
			return;
	}
	report_begin(f, NULL);
}

const char *fault_name(uint64_t vector)
{
	/* SDM volume 3, table 6-1. */
	static const char *const name[FAULT_VECTORS] = {"divide error", "debug exception", "NMI",
		"breakpoint", "overflow", "bound range exceeded", "invalid opcode",
		"device not available", "double fault", "coprocessor segment overrun",
		"invalid TSS", "segment not present", "stack fault", "general protection fault",
		"page fault", "reserved exception", "floating-point error", "alignment check",
		"machine check", "SIMD floating-point error", "virtualization exception",
		"control protection exception"};

	return vector < FAULT_VECTORS && name[vector] ? name[vector] : "exception";
}

/* The interrupt descriptor table: exceptions and NMI only, because interrupts are never enabled. */
#include <string.h>

#include "drivers/io.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/fault.h"
#include "kernel/x86/instr.h"

/* SDM volume 3, figure 6-8. */
struct idt_gate {
	uint16_t offset_low, selector;
	uint8_t ist; /* 0: stay on the stack; else 1 + enum cpu_ist */
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};
_Static_assert(sizeof(struct idt_gate) == 16, "SDM volume 3, 6.14.1");

#define IDT_INTERRUPT_GATE 0x8e /* present, DPL 0 */
#define IDT_CODE_SELECTOR  0x08

static struct idt_gate idt[FAULT_VECTORS];

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

static void idt_build(void)
{
	for (unsigned v = 0; v < FAULT_VECTORS; v++) {
		uint64_t stub = (uintptr_t)fault_stubs + v * FAULT_STUB_BYTES;

		idt[v] = (struct idt_gate){
			.offset_low = (uint16_t)stub,
			.selector = IDT_CODE_SELECTOR,
			.ist = idt_stack(v),
			.type = IDT_INTERRUPT_GATE,
			.offset_middle = (uint16_t)(stub >> 16),
			.offset_high = (uint32_t)(stub >> 32),
		};
	}
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

/* Only general registers: what an NMI interrupts may have live vector registers. */
__attribute__((target("general-regs-only"))) void fault_handle(const struct fault_frame *f)
{
	if (f->vector == VECTOR_NMI) {
		if (panic_under_way())
			halt_forever();
		if (cpu_self()->parked)
			return;
	}
	panic_fault(f);
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

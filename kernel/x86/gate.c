/* The gate's body at CPL 0: it trusts nothing but the frame's two registers. */
#include "kernel/x86/gate.h"

#include <stdbool.h>

#include "kernel/x86/cpu.h"
#include "kernel/x86/lapic.h"
#include "kernel/x86/paging.h"
#include "kernel/x86/privileged.h"

static SUPERVISOR bool sealed;

static uint64_t gate_sleep(uint64_t us)
{
	if (us == 0 || us > LAPIC_SLEEP_MAX_US || !lapic_timer_start((unsigned)us))
		return 0;
	halt_until_interrupt();
	lapic_timer_stop(); /* something else may have ended the sleep */
	return 1;
}

/* The first change of a page table that lies in its own map may forbid the next. */
static void gate_seal(void)
{
	sealed = true;
	write_cr0(read_cr0() & ~CR0_WP);
	paging_protect();
	write_cr0(read_cr0() | CR0_WP);
	write_cr3(read_cr3());
}

/* An exception with no descriptor table is a triple fault, which resets the processor. */
static void gate_reset(void)
{
	struct table_pointer none = {.limit = 0, .base = 0};

	lidt(&none);
	__asm__ volatile("int3");
	halt_forever();
}

static void gate_confine(struct cpu *c, uint64_t worker)
{
	if (!c->worker && worker < CORE_MAX)
		c->worker = 1 + (unsigned)worker;
	write_cr3(read_cr3());
}

/* Whether this core may do this now. */
static bool gate_allows(const struct cpu *c, uint64_t op)
{
	if (op == GATE_ROOT || op == GATE_SEAL)
		return !sealed && c->core == 0;
	if (op >= GATE_APIC_MODE && op <= GATE_APIC_SEND)
		return !sealed;
	/* Any core's report may end in a reset. */
	return op != GATE_RESET || c->core == 0 || panic_under_way();
}

void gate_handle(struct fault_frame *f)
{
	struct cpu *c = cpu_self();
	uint64_t op = f->rdi, argument = f->rsi;

	f->rax = 0;
	if (!gate_allows(c, op))
		return;
	switch (op) {
	case GATE_HALT:
		halt();
		break;
	case GATE_SLEEP:
		f->rax = gate_sleep(argument);
		break;
	case GATE_FLUSH:
		write_cr3(read_cr3());
		break;
	case GATE_CONFINE:
		gate_confine(c, argument);
		break;
	case GATE_PANIC:
		report_begin(f, (const char *)(uintptr_t)argument);
		break;
	case GATE_RESET:
		gate_reset();
		break;
	case GATE_APIC_MODE:
		lapic_gate_mode();
		break;
	case GATE_APIC_READ:
		f->rax = lapic_gate_read(argument);
		break;
	case GATE_APIC_WRITE:
		lapic_gate_write(argument);
		break;
	case GATE_APIC_SEND:
		lapic_gate_send(argument);
		break;
	case GATE_ROOT:
		write_cr3(argument);
		break;
	case GATE_SEAL:
		gate_seal();
		break;
	default:
		break;
	}
}

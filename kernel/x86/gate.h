/*
 * The one way from CPL 3 to CPL 0: a breakpoint at one place, and the few things it does.
 *
 * What a core may ask for once the machine is sealed: to sleep, to stop, to flush its
 * translations, to say which worker it is, to panic, and (control core) to reset.
 */
#ifndef KERNEL_X86_GATE_H
#define KERNEL_X86_GATE_H

#include <stdint.h>

#include "kernel/x86/fault.h"

enum gate_op {
	GATE_HALT,    /* until an NMI */
	GATE_SLEEP,   /* argument: at most so many us; 0: there is no timer, else it slept */
	GATE_FLUSH,   /* forget all translations */
	GATE_CONFINE, /* argument: the worker's number; the first call counts. Flushes as well */
	GATE_PANIC,   /* argument: a string; does not return */
	GATE_RESET,   /* the processor, by a triple fault; boot core; does not return */
	/* Only before the seal (lapic.h). */
	GATE_APIC_MODE,
	GATE_APIC_READ,
	GATE_APIC_WRITE,
	GATE_APIC_SEND,
	/* Only before the seal, and on the boot core. */
	GATE_ROOT, /* argument: the page tables' root */
	GATE_SEAL, /* page tables become read-only */
};

/* exceptions.S: any core, either privilege level, as a C function. What is not allowed is 0. */
uint64_t gate_call(enum gate_op op, uint64_t argument);

/* Stops the calling core for ever. */
void gate_stop(void) __attribute__((noreturn));

/* At CPL 0, by fault_handle. */
void gate_handle(struct fault_frame *f);

#endif

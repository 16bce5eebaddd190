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

#define FAULT_VECTORS    32u
#define FAULT_STUB_BYTES 16u

#define VECTOR_NMI           2u
#define VECTOR_DOUBLE_FAULT  8u
#define VECTOR_PROTECTION    13u
#define VECTOR_PAGE_FAULT    14u
#define VECTOR_MACHINE_CHECK 18u

/* exceptions.S: FAULT_VECTORS entry points, FAULT_STUB_BYTES apart. */
extern const uint8_t fault_stubs[];

/* Called by exceptions.S on any core; returns only from an NMI that woke a parked core. */
void fault_handle(const struct fault_frame *f);

/* "page fault", ...; any number. */
const char *fault_name(uint64_t vector);

/* Panic path: prints the report of an exception and stops the machine. Any core. */
void panic_fault(const struct fault_frame *f) __attribute__((noreturn));

/* Is a report under way? Then every other core that takes an NMI stops. */
_Bool panic_under_way(void);

#endif

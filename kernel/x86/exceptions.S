/* The entry points of CPL 0: the 32 exceptions (the gate is one), which save all registers as a struct fault_frame, and two interrupts. */

	.text
	.balign 16
	.globl fault_stubs
fault_stubs:
	/* SDM volume 3, table 6-1: these push an error code; a zero keeps the other frames alike. */
	.set	vector, 0
	.rept	32
	.balign	16
	.if	vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || \
		vector == 29 || vector == 30
	.else
	pushq	$0
	.endif
	pushq	$vector
	jmp	fault_common
	.set	vector, vector + 1
	.endr

fault_common:
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%r11
	pushq	%r10
	pushq	%r9
	pushq	%r8
	pushq	%rbp
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rbx
	pushq	%rax
	cld
	movq	%rsp, %rdi
	movq	%rsp, %rbx
	andq	$-16, %rsp		/* the ABI's alignment; the processor aligned it only without an error code */
	call	fault_handle
	movq	%rbx, %rsp
	popq	%rax
	popq	%rbx
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	popq	%rbp
	popq	%r8
	popq	%r9
	popq	%r10
	popq	%r11
	popq	%r12
	popq	%r13
	popq	%r14
	popq	%r15
	addq	$16, %rsp		/* vector, error code */
	iretq

	/* The timer that ends a sleep: its work is done when it has been acknowledged (SDM volume 3, 11.8.5). */
	.globl interrupt_timer
interrupt_timer:
	pushq	%rax
	movq	lapic_eoi, %rax
	testq	%rax, %rax
	jz	1f
	movl	$0, (%rax)
	popq	%rax
	iretq
1:	pushq	%rcx			/* in x2APIC mode by an MSR, 11.12.1.2 */
	pushq	%rdx
	movl	$0x80b, %ecx
	xorl	%eax, %eax
	xorl	%edx, %edx
	wrmsr
	popq	%rdx
	popq	%rcx
	popq	%rax
	iretq

	/* SDM volume 3, 11.9: not acknowledged. */
	.globl interrupt_spurious
interrupt_spurious:
	iretq

	/*
	 * uint64_t gate_call(enum gate_op op, uint64_t argument): in a frame, for the back trace of a panic.
	 * RDI and RSI are in the fault's frame, RAX is the answer. A breakpoint, because hypervisors that emulate
	 * CPL 0 pass on exceptions, but not every INT.
	 */
	.globl gate_call
gate_call:
	pushq	%rbp
	movq	%rsp, %rbp
	int3
	.globl gate_return
gate_return:
	popq	%rbp
	ret

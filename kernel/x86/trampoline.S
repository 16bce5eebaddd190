/* A core's way from the start-up message to C: real mode in a low page, then the image. */

	.text

/*
 * Copied to a page below 1 MiB, where the core starts in real mode with
 * CS = page / 16. It needs nothing of the page but its own GDT pointer.
 */
	.balign 16
	.code16
	.globl smp_trampoline
smp_trampoline:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	lgdtl	gdt_pointer - smp_trampoline
	movl	%cr0, %eax
	orl	$1, %eax		/* PE */
	movl	%eax, %cr0
	ljmpl	$0x18, $protected
	.balign 4
gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt
trampoline_end:

/* Unpaged, so at the image's own address. */
	.code32
protected:
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	smp_cr4, %eax
	movl	%eax, %cr4
	movl	smp_cr3, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx	/* EFER: the same long mode and NX as the boot core */
	movl	smp_efer, %eax
	xorl	%edx, %edx
	wrmsr
	movl	smp_cr0, %eax
	movl	%eax, %cr0
	ljmpl	$0x08, $core_entry

/*
 * The boot core offers one start at a time, to one APIC id. A core that comes
 * late, after the boot core has given it up, must not take the next one's
 * stack: it checks the id, and taking the offer is one locked exchange. Its id
 * has 32 bits if firmware set x2APIC mode, which INIT keeps (SDM volume 3, 11.12.5.1).
 */
	.code64
core_entry:
	movl	$0x1b, %ecx		/* the APIC's base */
	rdmsr
	testl	$0x400, %eax		/* x2APIC */
	jz	1f
	movl	$0x802, %ecx		/* the id */
	rdmsr
	movl	%eax, %ebx
	jmp	2f
1:	movl	$1, %eax
	cpuid
	shrl	$24, %ebx
2:	cmpl	%ebx, smp_offer_apic_id
	jne	3f
	movl	$1, %eax		/* offered */
	movl	$2, %ecx		/* taken */
	lock cmpxchgl %ecx, smp_offer
	jne	3f
	movq	smp_offer_stack, %rsp
	xorl	%ebp, %ebp
	call	smp_core_main
3:	cli
	hlt
	jmp	3b

	.section .rodata.smp, "a"
	.balign 4
	.globl smp_trampoline_bytes
smp_trampoline_bytes:
	.long	trampoline_end - smp_trampoline
	.balign 8
gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 64-bit code */
	.quad	0x00cf93000000ffff	/* data */
	.quad	0x00cf9b000000ffff	/* 32-bit code */
gdt_end:

/* The kernel inside the EFI application, and the way from EFI's long mode to the kernel's 32-bit entry. */
#include "boot/efi/loaded.h"

	.section .data.kernel, "aw"
	.balign 4096
	.globl kernel_contents, kernel_bytes, enter_kernel, enter_bytes
kernel_contents:
	.incbin KERNEL_CONTENTS
kernel_contents_end:
	.balign 8
kernel_bytes:
	.quad	kernel_contents_end - kernel_contents
enter_bytes:
	.quad	enter_kernel_end - enter_kernel

#define CR0_PG   0x80000000
#define CR4_PAE  0x00000020
#define CR4_LA57 0x00001000

/*
 * enter_function (loader.h): EDI = bootinfo, ESI = contents, EDX = bytes, ECX = place, R8D = entry. A
 * copy of this runs; all addresses are relative. From where paging ends, nothing of the firmware's
 * is used, so that the kernel may go where firmware was.
 */
	.section .data.enter, "aw"
	.balign 16
	.code64
enter_kernel:
	cli
	cld
	movl	%edi, %ebx
	movl	%ecx, %edi		/* to */
	movl	%edx, %ecx		/* so many */
	movl	%r8d, %ebp
	/* Paging cannot end while process-context identifiers are in use (SDM volume 3, 4.10.1). */
	movq	%cr4, %rax
	andl	$(CR4_PAE | CR4_LA57), %eax
	movq	%rax, %cr4
	leaq	gdt(%rip), %rax
	movq	%rax, gdt_pointer + 2(%rip)
	lgdt	gdt_pointer(%rip)
	pushq	$0x08
	leaq	1f(%rip), %rax
	pushq	%rax
	lretq

	.code32
1:	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%cr0, %eax
	andl	$~CR0_PG, %eax
	movl	%eax, %cr0
	xorl	%eax, %eax
	movl	%eax, %cr4
	rep movsb
	movl	$BOOT_EFI_LOADED, %eax
	jmp	*%ebp

	.balign 8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff	/* 32-bit code */
	.quad	0x00cf93000000ffff	/* data */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	0
enter_kernel_end:

	.section .note.GNU-stack, "", @progbits

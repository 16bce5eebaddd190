/* First instructions: headers for the loaders, and from 32-bit protected mode to C in long mode. */

/* Multiboot 0.6.96, 3.1: aligned modules, a memory map, load addresses (so ELF64 is accepted). */
#define MULTIBOOT1_HEADER_MAGIC 0x1badb002
#define MULTIBOOT1_HEADER_FLAGS 0x00010003

	.section .multiboot1, "a"
#ifndef NO_MULTIBOOT1
	.balign 4
multiboot1_header:
	.long	MULTIBOOT1_HEADER_MAGIC, MULTIBOOT1_HEADER_FLAGS
	.long	-(MULTIBOOT1_HEADER_MAGIC + MULTIBOOT1_HEADER_FLAGS)
	.long	multiboot1_header, image_start, image_load_end, image_end, boot_entry
#endif

/*
 * Multiboot2 2.0, 3.1: little-endian x86, tags. No addresses: what is asked for is in the ELF's own
 * headers. Modules at pages; a frame buffer if there is one, otherwise text.
 */
#define MULTIBOOT2_HEADER_MAGIC 0xe85250d6
#define MULTIBOOT2_OPTIONAL     1

	.section .multiboot2, "a"
	.balign 8
multiboot2_header:
	.long	MULTIBOOT2_HEADER_MAGIC, 0, multiboot2_header_end - multiboot2_header
	.long	-(MULTIBOOT2_HEADER_MAGIC + multiboot2_header_end - multiboot2_header)
	.short	6, MULTIBOOT2_OPTIONAL	/* 3.1.11: modules aligned to pages */
	.long	8
	.short	5, MULTIBOOT2_OPTIONAL	/* 3.1.9: frame buffer, of any size */
	.long	20, 0, 0, 0
	.balign 8
	.short	4, MULTIBOOT2_OPTIONAL	/* 3.1.9: EGA text will do */
	.long	12, 2
	.balign 8
	.short	0, 0
	.long	8
multiboot2_header_end:

/* Xen public/elfnote.h: XEN_ELFNOTE_PHYS32_ENTRY, the PVH entry. */
	.section .note.pvh, "a", @note
	.balign 4
	.long	4, 4, 18
	.asciz	"Xen"
	.long	boot_entry

/* SDM volume 3, 2.5 and 2.2.1; volume 4 for the MSR. */
#define CR0_PE 0x00000001
#define CR0_MP 0x00000002
#define CR0_ET 0x00000010
#define CR0_NE 0x00000020
#define CR0_PG 0x80000000
#define CR4_PAE        0x00000020
#define CR4_OSFXSR     0x00000200
#define CR4_OSXMMEXCPT 0x00000400
#define MSR_EFER       0xc0000080
#define EFER_LME       0x00000100

#define PAGE_TABLE 0x07 /* present, writable, user */
#define PAGE_LARGE 0x87 /* and it is a 2 MiB page */

/*
 * All loaders enter here: flat 32-bit segments, no paging, interrupts off,
 * EBX = their information, EAX = a magic number (boot/parse.h) or anything.
 */
	.section .text.boot, "ax"
	.code32
	.globl boot_entry
boot_entry:
	movl	%eax, %ebp
	rdtsc
	movl	%eax, entry_tsc
	movl	%edx, entry_tsc + 4
	cli
	cld

	/*
	 * Loaders clear what lies behind the contents of the file; not every loader is good.
	 * First what CPL 0 needs; the most of it later, at CPL 3: there are hypervisors under
	 * which each instruction at CPL 0 takes a microsecond.
	 */
	movl	$bss_early, %edi
	movl	$bss_late, %ecx
	subl	%edi, %ecx
	shrl	$2, %ecx
	xorl	%eax, %eax
	rep stosl
	movl	$boot_stack_end, %esp

	/* SDM volume 2, CPUID: long mode is bit 29 of leaf 0x80000001's EDX. CPUID destroys EBX. */
	movl	%ebx, %esi
	movl	$0x80000000, %eax
	cpuid
	cmpl	$0x80000001, %eax
	jb	no_long_mode
	movl	$0x80000001, %eax
	cpuid
	testl	$(1 << 29), %edx
	jz	no_long_mode

	/* The first 4 GiB, identically, in 2 MiB pages. */
	movl	$boot_pd, %edi
	movl	$PAGE_LARGE, %eax
1:	movl	%eax, (%edi)
	addl	$8, %edi
	addl	$0x200000, %eax
	jnc	1b			/* carry: past 4 GiB */
	movl	$boot_pd + PAGE_TABLE, boot_pdpt
	movl	$boot_pd + 0x1000 + PAGE_TABLE, boot_pdpt + 8
	movl	$boot_pd + 0x2000 + PAGE_TABLE, boot_pdpt + 16
	movl	$boot_pd + 0x3000 + PAGE_TABLE, boot_pdpt + 24
	movl	$boot_pdpt + PAGE_TABLE, boot_pml4
	movl	$boot_pml4, %eax
	movl	%eax, %cr3

	/* SSE before any C: the compiler and the C library use it. */
	movl	$CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT, %eax
	movl	%eax, %cr4
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	$CR0_PG | CR0_NE | CR0_ET | CR0_MP | CR0_PE, %eax
	movl	%eax, %cr0
	lgdt	boot_gdt_pointer
	ljmpl	$0x08, $1f

	.code64
1:	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%ebp, %r12d		/* writing 32 bits clears the upper half, */
	movl	%esi, %r13d		/* which is not defined after the mode change */
	movl	%esp, %esp
	xorl	%ebp, %ebp		/* end of every back trace */
	call	boot_processor		/* from here on at CPL 3 */
	movl	$bss_late, %edi
	movl	$image_end, %ecx
	subl	%edi, %ecx
	shrl	$3, %ecx
	xorl	%eax, %eax
	rep stosq
	movl	%r12d, %edi
	movl	%r13d, %esi
	movq	entry_tsc, %rdx
	call	boot_main

	/* One line on COM1 is all that can be done for a 32-bit processor. */
	.code32
no_long_mode:
	movl	$no_long_mode_text, %esi
1:	lodsb
	testb	%al, %al
	jz	3f
	movb	%al, %bl
	movl	$0x100000, %ecx		/* an absent UART never gets ready: go on */
	movw	$0x3fd, %dx
2:	inb	%dx, %al
	testb	$0x20, %al		/* transmitter holding register empty */
	loopz	2b
	movb	%bl, %al
	movw	$0x3f8, %dx
	outb	%al, %dx
	jmp	1b
3:	hlt
	jmp	3b

	.section .rodata.boot, "a"
no_long_mode_text:
	.asciz	"barewire: this processor has no 64-bit mode\r\n"
	.balign 8
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 64-bit code */
	.quad	0x00cf93000000ffff	/* data */
boot_gdt_end:
boot_gdt_pointer:
	.word	boot_gdt_end - boot_gdt - 1
	.long	boot_gdt

	.data
	.balign 8
entry_tsc:
	.quad	0

	.section .bss.early, "aw", @nobits
	.balign 4096
boot_pml4:
	.skip	4096
boot_pdpt:
	.skip	4096
boot_pd:
	.skip	4 * 4096
boot_stack:				/* until the kernel takes a stack of its own */
	.skip	16384
boot_stack_end:

/*
 * The privileged instructions: code at CPL 0 alone may use them, that is the sources
 * that tools/lint-includes lists. They are compiled without vector registers: at CPL 0
 * those belong to what was interrupted, and not every hypervisor emulates them.
 */
#ifndef KERNEL_X86_PRIVILEGED_H
#define KERNEL_X86_PRIVILEGED_H

#include <stdint.h>

/* SDM volume 3, 2.5. */
#define CR0_PE (1ul << 0)
#define CR0_MP (1ul << 1)
#define CR0_ET (1ul << 4)
#define CR0_NE (1ul << 5)
#define CR0_WP (1ul << 16) /* read-only pages bind the kernel, too */
#define CR0_CD (1ul << 30) /* nothing new into the caches */
#define CR0_PG (1ul << 31)

#define CR4_PAE        (1ul << 5)
#define CR4_MCE        (1ul << 6)
#define CR4_OSFXSR     (1ul << 9)
#define CR4_OSXMMEXCPT (1ul << 10)
#define CR4_OSXSAVE    (1ul << 18)

/* SDM volume 4, 2.1. */
#define MSR_APIC_BASE 0x01bu
#define MSR_X2APIC    0x800u /* and the following: a register of the local APIC each */
#define MSR_X2APIC_ID 0x802u
#define MSR_EFER      0xc0000080u

/* SDM volume 3, 11.4.4, 11.12.1. */
#define APIC_BASE_X2APIC (1ul << 10)
#define APIC_BASE_ENABLE (1ul << 11)

#define EFER_LME (1ul << 8)
#define EFER_NXE (1ul << 11)

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))
			 : "memory");
}

/* Writes all caches back to memory and empties them. */
static inline void wbinvd(void)
{
	__asm__ volatile("wbinvd" : : : "memory");
}

static inline void xsetbv(uint32_t index, uint64_t v)
{
	__asm__ volatile("xsetbv" : : "c"(index), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

static inline uint64_t read_cr0(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	return v;
}

static inline void write_cr0(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(v) : "memory");
}

static inline uint64_t read_cr2(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

static inline uint64_t read_cr3(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr3, %0" : "=r"(v));
	return v;
}

/* Also forgets all cached translations: no page is global. */
static inline void write_cr3(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory");
}

static inline uint64_t read_cr4(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}

static inline void write_cr4(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory");
}

/* Operand of LGDT and LIDT. */
struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static inline void lgdt(const struct table_pointer *p)
{
	__asm__ volatile("lgdt %0" : : "m"(*p) : "memory");
}

static inline void lidt(const struct table_pointer *p)
{
	__asm__ volatile("lidt %0" : : "m"(*p) : "memory");
}

/* Not privileged, but only at CPL 0 is its answer the guest's own under every hypervisor. */
static inline uint64_t gdt_base(void)
{
	struct table_pointer p;

	__asm__ volatile("sgdt %0" : "=m"(p));
	return p.base;
}

static inline void ltr(uint16_t selector)
{
	__asm__ volatile("ltr %0" : : "r"(selector) : "memory");
}

/*
 * Sleeps until an interrupt, the only moment at which any can come (lapic.c). STI takes effect
 * after the next instruction, so one that came before is not slept through (SDM volume 2, STI).
 */
static inline void halt_until_interrupt(void)
{
	__asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
}

/* Sleeps until an NMI: interrupts are not enabled. */
static inline void halt(void)
{
	__asm__ volatile("hlt" : : : "memory");
}

static inline void halt_forever(void) __attribute__((noreturn));
static inline void halt_forever(void)
{
	for (;;)
		halt();
}

#endif

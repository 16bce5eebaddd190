/* Brings one core's processor state up: features, vector registers, descriptor tables. */
#include "kernel/x86/cpu.h"

#include <string.h>

#include "kernel/platform.h"
#include "kernel/x86/instr.h"
#include "kernel/x86/paging.h"

struct cpu cpu_table[CORE_MAX];

/* CPUID, SDM volume 2, tables 3-17 and following. */
#define CPUID1_ECX_FMA        (1u << 12)
#define CPUID1_ECX_MOVBE      (1u << 22)
#define CPUID1_ECX_XSAVE      (1u << 26)
#define CPUID1_ECX_AVX        (1u << 28)
#define CPUID1_ECX_F16C       (1u << 29)
#define CPUID1_ECX_HYPERVISOR (1u << 31)
#define CPUID1_V3             (CPUID1_ECX_FMA | CPUID1_ECX_MOVBE | CPUID1_ECX_AVX | CPUID1_ECX_F16C)
#define CPUID7_EBX_V3         ((1u << 3) | (1u << 5) | (1u << 8)) /* BMI1, AVX2, BMI2 */
#define CPUID7_EBX_V4                                                                              \
	((1u << 16) | (1u << 17) | (1u << 28) | (1u << 30) | (1u << 31)) /* AVX-512 F DQ CD BW VL  \
									  */
#define CPUID80000001_ECX_LZCNT (1u << 5)
#define CPUID80000001_EDX_NX    (1u << 20)
#define CPUID80000001_EDX_1G    (1u << 26)

/* XCR0, SDM volume 1, 13.3. */
#define XCR0_X87 (1ul << 0)
#define XCR0_SSE (1ul << 1)
#define XCR0_AVX (1ul << 2)
#define XCR0_AVX512                                                                                \
	(7ul << 5) /* opmask, upper halves of ZMM0-15, ZMM16-31: together or not at all */

#define SELECTOR_CODE 0x08u
#define SELECTOR_DATA 0x10u
#define SELECTOR_TSS  0x18u

/* x86-64 psABI levels: 1, 3 or 4; the lowest of all cores. */
static unsigned isa_level = 4;

unsigned cpu_physical_bits(void)
{
	unsigned bits = cpuid(0x80000008, 0).eax & 0xff;

	return bits >= 32 && bits <= 52 ? bits : 36; /* SDM: 36 where the leaf is absent */
}

bool cpu_has_nx(void)
{
	return cpuid(0x80000001, 0).edx & CPUID80000001_EDX_NX;
}

bool cpu_has_1g_pages(void)
{
	return cpuid(0x80000001, 0).edx & CPUID80000001_EDX_1G;
}

bool cpu_is_virtual(void)
{
	return cpuid(1, 0).ecx & CPUID1_ECX_HYPERVISOR;
}

/* Which level this core reaches, given the vector state that is enabled. */
static unsigned cpu_isa_level(uint64_t xcr0)
{
	struct cpuid c1 = cpuid(1, 0), c7 = cpuid(7, 0), e1 = cpuid(0x80000001, 0);

	if (!(xcr0 & XCR0_AVX) || (c1.ecx & CPUID1_V3) != CPUID1_V3 ||
		(c7.ebx & CPUID7_EBX_V3) != CPUID7_EBX_V3 || !(e1.ecx & CPUID80000001_ECX_LZCNT))
		return 1;
	if (!(xcr0 & XCR0_AVX512) || (c7.ebx & CPUID7_EBX_V4) != CPUID7_EBX_V4)
		return 3;
	return 4;
}

const char *platform_isa(void)
{
	return isa_level == 4 ? "x86-64-v4" : isa_level == 3 ? "x86-64-v3" : "x86-64";
}

/* Enables the vector registers that there are; returns what is enabled. */
static uint64_t cpu_enable_vectors(void)
{
	uint64_t xcr0 = XCR0_X87 | XCR0_SSE, can;

	if (!(cpuid(1, 0).ecx & CPUID1_ECX_XSAVE))
		return xcr0;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	can = cpuid(0xd, 0).eax;
	if ((cpuid(1, 0).ecx & CPUID1_ECX_AVX) && (can & XCR0_AVX)) {
		xcr0 |= XCR0_AVX;
		if ((can & XCR0_AVX512) == XCR0_AVX512)
			xcr0 |= XCR0_AVX512;
	}
	xsetbv(0, xcr0);
	return xcr0;
}

/*
 * All of CR0 and CR4 is stated, so that nothing a firmware left over applies:
 * SMEP and SMAP would forbid the kernel its own pages, which all carry the U bit.
 */
static void cpu_enable_features(void)
{
	unsigned level;

	write_cr0(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
	write_cr4(CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT);
	wrmsr(MSR_EFER, EFER_LME | (cpu_has_nx() ? EFER_NXE : 0));
	level = cpu_isa_level(cpu_enable_vectors());
	if (level < isa_level)
		isa_level = level;
}

/* SDM volume 3, 3.4.5 and 8.2.3: flat code, flat data, and a TSS of two entries. */
static void cpu_load_segments(struct cpu *c)
{
	uint64_t tss = (uintptr_t)&c->tss;
	struct table_pointer p = {.limit = sizeof c->gdt - 1, .base = (uintptr_t)c->gdt};

	c->gdt[0] = 0;
	c->gdt[SELECTOR_CODE / 8] = 0x00af9b000000ffff;
	c->gdt[SELECTOR_DATA / 8] = 0x00cf93000000ffff;
	c->gdt[SELECTOR_TSS / 8] = 0x0000890000000000 | (sizeof c->tss - 1) |
				   (tss & 0xffffff) << 16 | (tss >> 24 & 0xff) << 56;
	c->gdt[SELECTOR_TSS / 8 + 1] = tss >> 32;
	memset(&c->tss, 0, sizeof c->tss);
	c->tss.io_map = sizeof c->tss; /* none */
	for (unsigned i = 0; i < IST_COUNT; i++)
		c->tss.ist[i] = (uintptr_t)(c->stacks->ist[i].stack + CPU_IST_BYTES);
	lgdt(&p);
	__asm__ volatile("pushq %0\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\tmovl %1, %%eax\n\t"
			 "movl %%eax, %%ds\n\t"
			 "movl %%eax, %%es\n\t"
			 "movl %%eax, %%ss\n\t"
			 "xorl %%eax, %%eax\n\t"
			 "movl %%eax, %%fs\n\t"
			 "movl %%eax, %%gs"
			 :
			 : "i"(SELECTOR_CODE), "i"(SELECTOR_DATA)
			 : "rax", "memory");
	ltr(SELECTOR_TSS);
}

void cpu_init(struct cpu *c, unsigned core)
{
	c->self = c;
	c->core = core;
	c->apic_id = cpuid(1, 0).ebx >> 24;
	cpu_enable_features();
	cpu_load_segments(c);
	wrmsr(MSR_GS_BASE, (uintptr_t)c); /* after the selector, which clears it */
	idt_load();
}

void cpu_guard_stacks(struct cpu_stacks *s)
{
	paging_unmap((uintptr_t)s->guard, CPU_GUARD_BYTES);
	for (unsigned i = 0; i < IST_COUNT; i++)
		paging_unmap((uintptr_t)s->ist[i].guard, CPU_GUARD_BYTES);
}

static bool within(uint64_t p, uint64_t bytes, const uint8_t *stack, uint64_t size)
{
	return p >= (uintptr_t)stack && bytes <= size && p - (uintptr_t)stack <= size - bytes;
}

bool cpu_owns_stack(const struct cpu *c, uint64_t p, uint64_t bytes)
{
	if (within(p, bytes, c->stacks->stack, CPU_STACK_BYTES))
		return true;
	for (unsigned i = 0; i < IST_COUNT; i++)
		if (within(p, bytes, c->stacks->ist[i].stack, CPU_IST_BYTES))
			return true;
	return false;
}

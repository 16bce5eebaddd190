/* Brings one core's processor state up: features, vector registers, descriptor tables. */
#include "kernel/x86/cpu.h"

#include <stddef.h>

#include "boot/boot.h"
#include "kernel/platform.h"
#include "kernel/x86/gate.h"
#include "kernel/x86/instr.h"
#include "kernel/x86/lapic.h"
#include "kernel/x86/memtypes.h"
#include "kernel/x86/paging.h"
#include "kernel/x86/portset.h"
#include "kernel/x86/privileged.h"

SUPERVISOR struct cpu cpu_table[CORE_MAX];
BSS_EARLY struct cpu_control cpu_control;

/*
 * The boot core's TSS is followed by a map of ports, and so is that of the core that
 * makes the report. The others' is not: their CPL 3 has no ports.
 */
struct tss_with_ports {
	struct cpu_tss tss;
	struct portset closed; /* a bit that is set: CPL 3 may not */
};
static SUPERVISOR struct tss_with_ports boot_tss, report_tss;
static SUPERVISOR struct cpu_tss tss_of_core[CORE_MAX];

/* CPUID, SDM volume 2, tables 3-17 and following. */
#define CPUID1_ECX_FMA        (1u << 12)
#define CPUID1_ECX_X2APIC     (1u << 21)
#define CPUID1_ECX_MOVBE      (1u << 22)
#define CPUID1_ECX_XSAVE      (1u << 26)
#define CPUID1_ECX_OSXSAVE    (1u << 27)
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

static struct cpu_stacks boot_core_stacks __attribute__((aligned(4096)));

/* x86-64 psABI levels: 1, 3 or 4; the lowest of all cores. */
static unsigned isa_level = 4;

static bool cpu_has_nx(void)
{
	return cpuid(0x80000001, 0).edx & CPUID80000001_EDX_NX;
}

bool cpu_is_virtual(void)
{
	return cpuid(1, 0).ecx & CPUID1_ECX_HYPERVISOR;
}

/*
 * Which level this core reaches, as code at CPL 3 sees it: where a hypervisor emulates
 * CPL 0 alone, CPUID there leaves out what the processor can.
 */
static unsigned cpu_isa_level(void)
{
	struct cpuid c1 = cpuid(1, 0), c7 = cpuid(7, 0), e1 = cpuid(0x80000001, 0);
	uint64_t xcr0 = c1.ecx & CPUID1_ECX_OSXSAVE ? xgetbv0() : 0;

	if (!(xcr0 & XCR0_AVX) || (c1.ecx & CPUID1_V3) != CPUID1_V3 ||
		(c7.ebx & CPUID7_EBX_V3) != CPUID7_EBX_V3 || !(e1.ecx & CPUID80000001_ECX_LZCNT))
		return 1;
	if (!(xcr0 & XCR0_AVX512) || (c7.ebx & CPUID7_EBX_V4) != CPUID7_EBX_V4)
		return 3;
	return 4;
}

void cpu_note_isa(void)
{
	unsigned level = cpu_isa_level();

	if (level < isa_level)
		isa_level = level;
}

const char *platform_isa(void)
{
	return isa_level == 4 ? "x86-64-v4" : isa_level == 3 ? "x86-64-v3" : "x86-64";
}

/* Enables the vector registers that there are. */
static void cpu_enable_vectors(void)
{
	uint64_t xcr0 = XCR0_X87 | XCR0_SSE, can;

	if (!(cpuid(1, 0).ecx & CPUID1_ECX_XSAVE))
		return;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	can = cpuid(0xd, 0).eax;
	if ((cpuid(1, 0).ecx & CPUID1_ECX_AVX) && (can & XCR0_AVX)) {
		xcr0 |= XCR0_AVX;
		if ((can & XCR0_AVX512) == XCR0_AVX512)
			xcr0 |= XCR0_AVX512;
	}
	xsetbv(0, xcr0);
}

/*
 * All of CR0 and CR4 is stated, so that nothing a firmware left over applies.
 * SMEP and SMAP stay off: both privilege levels run the same text and read the same
 * data. What they would guard against is kept out by the pages: nothing that can be
 * written can be executed. PKE stays off, too; TSD, so that CPL 3 has the clock.
 */
static void cpu_enable_features(void)
{
	write_cr0(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
	write_cr4(CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT);
	wrmsr(MSR_EFER, EFER_LME | (cpu_has_nx() ? EFER_NXE : 0));
	cpu_enable_vectors();
}

/*
 * XSAVE is enabled by each core itself, after it has looked. What page tables may hold
 * is asked here: a hypervisor that emulates CPL 0 alone answers CPL 3 for another machine.
 */
static void cpu_note_control(void)
{
	unsigned bits = cpuid(0x80000008, 0).eax & 0xff;

	/* SDM: 36 where the leaf is absent */
	cpu_control.physical_bits = bits >= 32 && bits <= 52 ? bits : 36;
	cpu_control.has_nx = cpu_has_nx();
	cpu_control.has_1g_pages = cpuid(0x80000001, 0).edx & CPUID80000001_EDX_1G;
	cpu_control.cr0 = read_cr0();
	cpu_control.cr4 = read_cr4() & ~CR4_OSXSAVE;
	cpu_control.efer = rdmsr(MSR_EFER) & (EFER_LME | EFER_NXE);
	cpu_control.apic_base = rdmsr(MSR_APIC_BASE);
	cpu_control.has_x2apic = cpuid(1, 0).ecx & CPUID1_ECX_X2APIC;
}

/* As the other cores name it: of 32 bits where firmware has set x2APIC mode, else of 8. */
static uint32_t cpu_own_apic_id(void)
{
	if (rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC)
		return (uint32_t)rdmsr(MSR_X2APIC_ID);
	return cpuid(1, 0).ebx >> 24;
}

static uint64_t top(struct cpu_small_stack *s)
{
	return (uintptr_t)(s->stack + sizeof s->stack);
}

/* SDM volume 3, 8.7: the limit tells whether a map of ports follows. */
static void cpu_load_tss(struct cpu *c, struct cpu_tss *tss, uint64_t bytes)
{
	uint64_t at = (uintptr_t)tss;

	tss->io_map = sizeof *tss;
	tss->rsp[0] = top(&c->stacks->gate);
	for (unsigned i = 0; i < IST_COUNT; i++)
		tss->ist[i] = top(&c->stacks->ist[i]);
	c->gdt[SELECTOR_TSS / 8] =
		0x0000890000000000 | (bytes - 1) | (at & 0xffffff) << 16 | (at >> 24 & 0xff) << 56;
	c->gdt[SELECTOR_TSS / 8 + 1] = at >> 32;
	ltr(SELECTOR_TSS);
}

/* SDM volume 3, 3.4.5: flat code and data of both levels, accessed, and a TSS of two entries. */
static void cpu_load_segments(struct cpu *c)
{
	struct table_pointer p = {.limit = sizeof c->gdt - 1, .base = (uintptr_t)c->gdt};

	c->gdt[0] = 0;
	c->gdt[SELECTOR_CODE / 8] = 0x00af9b000000ffff;
	c->gdt[SELECTOR_DATA / 8] = 0x00cf93000000ffff;
	c->gdt[SELECTOR_USER_CODE / 8] = 0x00affb000000ffff;
	c->gdt[SELECTOR_USER_DATA / 8] = 0x00cff3000000ffff;
	lgdt(&p);
	if (c->core == 0)
		cpu_load_tss(c, &boot_tss.tss, sizeof boot_tss);
	else
		cpu_load_tss(c, &tss_of_core[c->core], sizeof tss_of_core[0]);
}

void cpu_open_ports(struct cpu *c)
{
	report_tss.closed.beyond = 0xff;
	cpu_load_tss(c, &report_tss.tss, sizeof report_tss);
}

/* What follows in the caller runs at CPL 3. The other segments' contents do not matter there. */
static inline __attribute__((always_inline)) void cpu_drop(void)
{
	__asm__ volatile("movq %%rsp, %%rax\n\t"
			 "pushq %[data]\n\t"
			 "pushq %%rax\n\t"
			 "pushq %[flags]\n\t"
			 "pushq %[code]\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "iretq\n"
			 "1:"
			 :
			 : [data] "i"(SELECTOR_USER_DATA), [code] "i"(SELECTOR_USER_CODE),
			 [flags] "i"(RFLAGS_CPL3)
			 : "rax", "memory");
}

void cpu_init(struct cpu *c, unsigned core)
{
	c->core = core;
	c->apic_id = cpu_own_apic_id();
	cpu_enable_features();
	if (core == 0)
		cpu_note_control();
	memtypes_take(core);
	cpu_load_segments(c);
	idt_load();
	cpu_drop();
}

void boot_processor(void)
{
	cpu_table[0].stacks = &boot_core_stacks;
	cpu_init(&cpu_table[0], 0);
}

struct cpu *cpu_self(void)
{
	return (struct cpu *)(gdt_base() - offsetof(struct cpu, gdt));
}

void cpu_guard_stacks(struct cpu_stacks *s)
{
	paging_unmap((uintptr_t)s->guard, CPU_GUARD_BYTES);
	paging_unmap((uintptr_t)s->report.guard, CPU_GUARD_BYTES);
	paging_unmap((uintptr_t)s->gate.guard, CPU_GUARD_BYTES);
	for (unsigned i = 0; i < IST_COUNT; i++)
		paging_unmap((uintptr_t)s->ist[i].guard, CPU_GUARD_BYTES);
}

static bool take_stack(struct cpu_small_stack *s)
{
	return paging_map((uintptr_t)s->stack, sizeof s->stack, PAGING_WRITE | PAGING_SUPERVISOR);
}

static bool take_stacks(struct cpu_stacks *s)
{
	bool done = take_stack(&s->gate);

	for (unsigned i = 0; i < IST_COUNT; i++)
		done &= take_stack(&s->ist[i]);
	return done;
}

bool cpu_seal(void)
{
	bool done = lapic_seal();

	for (unsigned core = 0; core < CORE_MAX; core++)
		if (cpu_table[core].stacks)
			done &= take_stacks(cpu_table[core].stacks);
	portset_invert(&boot_tss.closed, portset_open());
	done &= paging_seal();
	gate_call(GATE_SEAL, 0);
	return done;
}

static bool within(uint64_t p, uint64_t bytes, const uint8_t *stack, uint64_t size)
{
	return p >= (uintptr_t)stack && bytes <= size && p - (uintptr_t)stack <= size - bytes;
}

bool cpu_stack_holds(const struct cpu_stacks *s, uint64_t p, uint64_t bytes)
{
	return within(p, bytes, s->stack, sizeof s->stack) ||
	       within(p, bytes, s->report.stack, sizeof s->report.stack);
}

/*
 * Each core's memory type range registers, and its page attribute table.
 *
 * Firmware gives all cores the same MTRRs (SDM volume 3, 12.11.8). A core that has others gets the
 * boot core's while it starts: it has no work, and no data in its caches that others wait for.
 */
#include "kernel/x86/memtypes.h"

#include "boot/boot.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/instr.h"
#include "kernel/x86/privileged.h"

#define CPUID1_EDX_MTRR (1u << 12)
#define CPUID1_EDX_PAT  (1u << 16)

/* SDM volume 4, 2.1; APM volume 2, 7.9. */
#define MSR_MTRR_CAP      0x0feu
#define MSR_MTRR_BASE     0x200u /* and the mask, of the first range */
#define MSR_MTRR_DEF_TYPE 0x2ffu
#define MTRR_CAP_FIXED    (1u << 8)
#define MTRR_FIXED        11u
#define MSR_PAT           0x277u
#define MSR_SYSCFG        0xc0010010u
#define MSR_TOP_MEM2      0xc001001du

/* SDM volume 3, table 12-12: what a leaf's bits mean after power on; pagetable.h counts on it. */
#define PAT_POWER_ON 0x0007040600070406ull

BSS_EARLY static struct memtypes types;

/* The boot core's of the ranges below 1 MiB, and their numbers: 12.11.2.2. */
BSS_EARLY static uint64_t fixed[MTRR_FIXED];
static const uint16_t fixed_msr[MTRR_FIXED] = {
	0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f};

const struct memtypes *memtypes_get(void)
{
	return &types;
}

/* A hypervisor need not know the registers, and none of them moves memory that it gives. */
static bool is_amd(void)
{
	uint32_t vendor = cpuid(0, 0).ebx;

	/* "Auth", "Hygo" */
	return !cpu_is_virtual() && (vendor == 0x68747541 || vendor == 0x6f677948);
}

static void take_boot(struct mtrr *m)
{
	m->cap = rdmsr(MSR_MTRR_CAP);
	m->def_type = rdmsr(MSR_MTRR_DEF_TYPE);
	for (unsigned i = 0; i < 2 * mtrr_ranges(m->cap); i++)
		m->range[i] = rdmsr(MSR_MTRR_BASE + i);
	for (unsigned i = 0; i < MTRR_FIXED && (m->cap & MTRR_CAP_FIXED); i++)
		fixed[i] = rdmsr(fixed_msr[i]);
	if (is_amd()) {
		m->syscfg = rdmsr(MSR_SYSCFG);
		m->top_mem2 = rdmsr(MSR_TOP_MEM2);
	}
}

static bool same(const struct mtrr *m)
{
	if (m->cap != rdmsr(MSR_MTRR_CAP) || m->def_type != rdmsr(MSR_MTRR_DEF_TYPE))
		return false;
	for (unsigned i = 0; i < 2 * mtrr_ranges(m->cap); i++)
		if (m->range[i] != rdmsr(MSR_MTRR_BASE + i))
			return false;
	for (unsigned i = 0; i < MTRR_FIXED && (m->cap & MTRR_CAP_FIXED); i++)
		if (fixed[i] != rdmsr(fixed_msr[i]))
			return false;
	return true;
}

/* 12.11.8, of one core: without caches, and without translations of before. */
static void set(const struct mtrr *m)
{
	uint64_t cr0 = read_cr0();

	write_cr0(cr0 | CR0_CD);
	wbinvd();
	write_cr3(read_cr3());
	wrmsr(MSR_MTRR_DEF_TYPE, 0);
	for (unsigned i = 0; i < 2 * mtrr_ranges(m->cap); i++)
		wrmsr(MSR_MTRR_BASE + i, m->range[i]);
	for (unsigned i = 0; i < MTRR_FIXED && (m->cap & MTRR_CAP_FIXED); i++)
		wrmsr(fixed_msr[i], fixed[i]);
	wrmsr(MSR_MTRR_DEF_TYPE, m->def_type);
	wbinvd();
	write_cr3(read_cr3());
	write_cr0(cr0);
}

static void take_other(const struct mtrr *m)
{
	if (same(m))
		return;
	if (m->cap == rdmsr(MSR_MTRR_CAP))
		set(m);
	if (same(m))
		types.set++;
	else
		types.different++;
}

/* 12.12.4: nothing may stay in caches, or in the TLB, by the old meaning. */
static void set_pat(void)
{
	if (rdmsr(MSR_PAT) == PAT_POWER_ON)
		return;
	wbinvd();
	wrmsr(MSR_PAT, PAT_POWER_ON);
	wbinvd();
	write_cr3(read_cr3());
}

void memtypes_take(unsigned core)
{
	uint32_t features = cpuid(1, 0).edx;

	if (features & CPUID1_EDX_PAT)
		set_pat();
	if (!(features & CPUID1_EDX_MTRR))
		return;
	if (core == 0)
		take_boot(&types.boot);
	else
		take_other(&types.boot);
}

/* The processor's instructions that C has no words for and that any privilege level may use. */
#ifndef KERNEL_X86_INSTR_H
#define KERNEL_X86_INSTR_H

#include <stdbool.h>
#include <stdint.h>

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/* All zero when the processor does not know the leaf. */
static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r, top;

	__asm__ volatile("cpuid"
			 : "=a"(top.eax), "=b"(top.ebx), "=c"(top.ecx), "=d"(top.edx)
			 : "a"(leaf & 0xffff0000u), "c"(0));
	if (top.eax < leaf || (top.eax ^ leaf) >> 16)
		return (struct cpuid){0};
	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

/* Is this code at CPL 0? */
static inline bool at_cpl0(void)
{
	uint16_t cs;

	__asm__ volatile("movw %%cs, %0" : "=r"(cs));
	return (cs & 3) == 0;
}

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* Extended control register 0: which vector state is enabled. Only where CPUID says OSXSAVE. */
static inline uint64_t xgetbv0(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

#endif

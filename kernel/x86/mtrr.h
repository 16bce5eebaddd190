/*
 * Which memory the processor caches, by its memory type range registers (SDM volume 3, 12.11).
 *
 * Pure: it knows the registers' contents alone. Ranges below 1 MiB have registers of
 * their own and are not spoken of: no data of the router lies there.
 */
#ifndef KERNEL_X86_MTRR_H
#define KERNEL_X86_MTRR_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/x86/memmap.h"

#define MTRR_RANGES_MAX 16u

/* As the registers have it. */
struct mtrr {
	uint64_t cap; /* IA32_MTRRCAP, 12.11.1; 0: the processor has none */
	uint64_t def_type;
	uint64_t range[2 * MTRR_RANGES_MAX]; /* base and mask, mtrr_ranges() of them */
	uint64_t syscfg, top_mem2;           /* AMD's (APM volume 2, 7.9.4 to 7.9.6), else 0 */
};

static inline unsigned mtrr_ranges(uint64_t cap)
{
	return (cap & 0xff) < MTRR_RANGES_MAX ? cap & 0xff : MTRR_RANGES_MAX;
}

/* Are they in use? If not, nothing is cached. */
bool mtrr_on(const struct mtrr *m);

/*
 * How many bytes of `ram` above 1 MiB are not write-back, and *first, where the first of them lie.
 * Where ranges contradict each other nothing is.
 */
uint64_t mtrr_slow_bytes(
	const struct mtrr *m, unsigned physical_bits, const struct memmap *ram, uint64_t *first);

#endif

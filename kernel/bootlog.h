/*
 * The time line of the boot: which phase took how long, in cycles of the TSC.
 *
 * Control core only. Phases follow one another without gaps: each begins where
 * the one before it ended.
 */
#ifndef KERNEL_BOOTLOG_H
#define KERNEL_BOOTLOG_H

#include <stdint.h>

#define BOOTLOG_PHASES_MAX 20u

struct bootlog_phase {
	const char *name;   /* a constant */
	uint64_t from, end; /* TSC */
};

/* Time begins here: the TSC at the first instruction, as far as that is known. */
void bootlog_begin(uint64_t tsc);

/* The phase that was under way ends now and was this one. More than fit are left out. */
void bootlog_phase(const char *name);

/* The receive rings of all ports are full: the router can take packets from now on. */
void bootlog_rings_posted(void);

unsigned bootlog_phases(void);
const struct bootlog_phase *bootlog_get(unsigned i);

/* TSC ticks from the entry until bootlog_rings_posted; 0: it has not come to that. */
uint64_t bootlog_rings_after(void);

#endif

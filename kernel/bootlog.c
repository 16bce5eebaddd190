/* The time line of the boot, as `show boot` prints it. */
#include "kernel/bootlog.h"

#include "kernel/platform.h"

static struct {
	uint64_t entry, rings;
	unsigned phases;
	struct bootlog_phase phase[BOOTLOG_PHASES_MAX];
} bootlog;

void bootlog_begin(uint64_t tsc)
{
	bootlog.entry = tsc;
	bootlog.rings = 0;
	bootlog.phases = 0;
}

void bootlog_phase(const char *name)
{
	unsigned n = bootlog.phases;

	if (n == BOOTLOG_PHASES_MAX)
		return;
	bootlog.phase[n] = (struct bootlog_phase){.name = name,
		.from = n ? bootlog.phase[n - 1].end : bootlog.entry,
		.end = platform_tsc()};
	bootlog.phases++;
}

void bootlog_rings_posted(void)
{
	bootlog.rings = platform_tsc();
}

unsigned bootlog_phases(void)
{
	return bootlog.phases;
}

const struct bootlog_phase *bootlog_get(unsigned i)
{
	return &bootlog.phase[i];
}

uint64_t bootlog_rings_after(void)
{
	return bootlog.rings > bootlog.entry ? bootlog.rings - bootlog.entry : 0;
}

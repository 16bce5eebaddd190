/* Measures the time stamp counter against the ACPI timer or the PIT, and makes it the clock. */
#include "kernel/x86/tsc.h"

#include <stdbool.h>

#include "drivers/io.h"
#include "kernel/platform.h"
#include "kernel/x86/instr.h"

#define PM_TIMER_HZ 3579545u /* ACPI 6.4, 4.8.3.3 */
#define PIT_HZ      1193182u

/*
 * 8254: channel 2 has its gate in port 0x61, which is not everywhere; channel 0 always counts, and
 * nobody listens to its interrupt.
 */
#define PIT_CHANNEL(n) (0x40u + (n))
#define PIT_COMMAND    0x43u
#define PIT_SELECT(n)  ((n) << 6)
#define PIT_MODE0      0x30u /* low then high byte, mode 0: counts down once */
#define PIT_STATUS(n)  (0xe0u | 2u << (n))
#define PIT_STATUS_OUT 0x80u
#define PORT_B         0x61u
#define PORT_B_GATE2   0x01u
#define PORT_B_SPEAKER 0x02u

#define WINDOW_US 5000u /* one measurement */
#define ATTEMPTS  6u
#define AGREE_PER                                                                                  \
	256u /* two measurements agree if they differ by less than one part in so many             \
	      */
#define SAMPLE_TRIES 8u
#define READS_MAX    100000u      /* a timer that stands still is given up after so many reads */
#define HZ_MIN       100000000ull /* plausible: 100 MHz to 20 GHz */
#define HZ_MAX       20000000000ull
#define HZ_GUESS     2000000000ull

static struct {
	uint64_t entry, hz;
	uint64_t us_per_tick; /* as a fraction of 2^64 */
	const char *source;
} tsc = {.hz = HZ_GUESS, .source = "a guess"};

/* A counter of known rate that counts up, within mask. */
struct timer {
	const char *name;
	uint32_t (*read)(const struct timer *t);
	uint32_t hz, mask;
	uint16_t port;
};

static uint32_t pm_timer_read(const struct timer *t)
{
	return pio_read32(t->port);
}

static unsigned pit_channel(const struct timer *t)
{
	return t->port - PIT_CHANNEL(0);
}

static void pit_start(const struct timer *t)
{
	if (pit_channel(t) == 2)
		pio_write8(PORT_B, (pio_read8(PORT_B) & (uint8_t)~PORT_B_SPEAKER) | PORT_B_GATE2);
	pio_write8(PIT_COMMAND, (uint8_t)(PIT_SELECT(pit_channel(t)) | PIT_MODE0));
	pio_write8(t->port, 0xff);
	pio_write8(t->port, 0xff);
}

static uint32_t pit_read(const struct timer *t)
{
	uint32_t v;

	pio_write8(PIT_COMMAND, (uint8_t)PIT_SELECT(pit_channel(t))); /* latch */
	v = pio_read8(t->port);
	v |= (uint32_t)pio_read8(t->port) << 8;
	return 0xffffu - v;
}

/* The output goes high when a channel has run down: then we were away too long. */
static bool pit_is_down(const struct timer *t)
{
	pio_write8(PIT_COMMAND, (uint8_t)PIT_STATUS(pit_channel(t)));
	return pio_read8(t->port) & PIT_STATUS_OUT;
}

struct sample {
	uint64_t tsc;
	uint32_t ticks;
};

/* Both clocks at one moment: of several tries, the one that took the shortest. */
static struct sample sample_take(const struct timer *t)
{
	struct sample best = {0, 0};
	uint64_t shortest = UINT64_MAX;

	for (unsigned i = 0; i < SAMPLE_TRIES; i++) {
		uint64_t before = rdtsc();
		uint32_t ticks = t->read(t);
		uint64_t took = rdtsc() - before;

		if (took < shortest) {
			shortest = took;
			best = (struct sample){.tsc = before + took / 2, .ticks = ticks};
		}
	}
	return best;
}

/* One measurement in Hz; 0 if the timer stands still or the result is not plausible. */
static uint64_t measure_once(const struct timer *t)
{
	uint32_t window = (uint32_t)((uint64_t)t->hz * WINDOW_US / 1000000), ticks, reads = 0;
	struct sample from, to;
	uint64_t hz;

	bool pit = t->read == pit_read;

	if (pit)
		pit_start(t);
	from = sample_take(t);
	while (((t->read(t) - from.ticks) & t->mask) < window)
		if (++reads == READS_MAX)
			return 0;
	to = sample_take(t);
	if (pit && pit_is_down(t))
		return 0;
	ticks = (to.ticks - from.ticks) & t->mask;
	if (ticks < window || to.tsc - from.tsc > UINT64_MAX / t->hz)
		return 0;
	hz = (to.tsc - from.tsc) * t->hz / ticks;
	return hz >= HZ_MIN && hz <= HZ_MAX ? hz : 0;
}

/* Two measurements in a row that agree; 0 if there are none. */
static uint64_t measure(const struct timer *t)
{
	uint64_t last = 0;

	for (unsigned i = 0; i < ATTEMPTS; i++) {
		uint64_t hz = measure_once(t), apart = hz > last ? hz - last : last - hz;

		if (hz && last && apart < hz / AGREE_PER)
			return (hz + last) / 2;
		if (!hz && i > 1 && !last)
			return 0;
		last = hz;
	}
	return 0;
}

/* What the processor or hypervisor says: leaf 0x40000010 in kHz, leaf 0x15 as a ratio (SDM volume
 * 2). */
static uint64_t cpuid_hz(void)
{
	struct cpuid virtual = cpuid(0x40000010, 0), c = cpuid(0x15, 0);
	uint64_t hz = 0;

	if (cpuid(1, 0).ecx >> 31)
		hz = virtual.eax * 1000ull;
	else if (c.eax && c.ebx && c.ecx)
		hz = (uint64_t)c.ecx * c.ebx / c.eax;
	return hz >= HZ_MIN && hz <= HZ_MAX ? hz : 0;
}

void tsc_init(uint64_t entry_tsc, uint16_t pm_timer, uint32_t pm_timer_mask)
{
	const struct timer pm = {"ACPI timer", pm_timer_read, PM_TIMER_HZ, pm_timer_mask, pm_timer};
	const struct timer pit[] = {{"PIT", pit_read, PIT_HZ, 0xffff, PIT_CHANNEL(2)},
		{"PIT, channel 0", pit_read, PIT_HZ, 0xffff, PIT_CHANNEL(0)}};
	uint64_t hz = pm_timer ? measure(&pm) : 0;

	tsc.source = pm.name;
	for (unsigned i = 0; i < 2 && !hz; i++) {
		hz = measure(&pit[i]);
		tsc.source = pit[i].name;
	}
	if (!hz) {
		hz = cpuid_hz();
		tsc.source = "CPUID";
	}
	if (!hz) {
		hz = HZ_GUESS;
		tsc.source = "a guess";
	}
	tsc.entry = entry_tsc;
	tsc.hz = hz;
	tsc.us_per_tick = (uint64_t)(((unsigned __int128)1000000 << 64) / hz);
}

const char *tsc_source(void)
{
	return tsc.source;
}

uint64_t platform_tsc(void)
{
	return rdtsc();
}

uint64_t platform_tsc_hz(void)
{
	return tsc.hz;
}

/* Before tsc_init it is 0. */
uint64_t platform_now_us(void)
{
	return (uint64_t)(((unsigned __int128)(rdtsc() - tsc.entry) * tsc.us_per_tick) >> 64);
}

void tsc_wait_us(uint64_t us)
{
	uint64_t from = rdtsc(), ticks = us * (tsc.hz / 1000000);

	while (rdtsc() - from < ticks)
		platform_relax();
}

void platform_relax(void)
{
	__builtin_ia32_pause();
}

/* The local APIC in xAPIC mode (SDM volume 3, chapter 11). */
#include "kernel/x86/lapic.h"

#include "drivers/io.h"
#include "kernel/platform.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/fault.h"
#include "kernel/x86/gate.h"
#include "kernel/x86/instr.h"
#include "kernel/x86/io_map.h"
#include "kernel/x86/paging.h"
#include "kernel/x86/tsc.h"

#define APIC_BASE_X2APIC  (1ul << 10) /* 11.4.4 */
#define APIC_BASE_ENABLE  (1ul << 11)
#define APIC_BASE_ADDRESS 0x000ffffffffff000ul

#define LAPIC_VERSION         0x030u /* 11.4.8 */
#define LAPIC_TASK_PRIORITY   0x080u /* 11.8.3.1: vectors of this class and below wait */
#define LAPIC_BELOW_TIMER     ((VECTOR_TIMER & 0xf0u) - 0x10u)
#define LAPIC_EOI             0x0b0u /* 11.8.5 */
#define LAPIC_SPURIOUS        0x0f0u /* 11.9 */
#define LAPIC_SPURIOUS_ENABLE (0x100u | VECTOR_SPURIOUS)
#define LAPIC_ICR_LOW         0x300u      /* 11.6.1 */
#define LAPIC_ICR_INIT        0x00004500u /* assert, edge */
#define LAPIC_ICR_STARTUP     0x00004600u /* and the page number */
#define LAPIC_ICR_NMI         0x00004400u
#define LAPIC_ICR_PENDING     (1u << 12)
#define LAPIC_ICR_HIGH        0x310u
#define LAPIC_LVT_CMCI        0x2f0u /* 11.5.1 */
#define LAPIC_LVT_TIMER       0x320u
#define LAPIC_LVT_THERMAL     0x330u
#define LAPIC_LVT_PERFORMANCE 0x340u
#define LAPIC_LVT_LINT0       0x350u
#define LAPIC_LVT_ERROR       0x370u
#define LAPIC_LVT_MASKED      (1u << 16)
#define LAPIC_TIMER_INITIAL   0x380u /* 11.5.4: writing it starts the timer, 0 stops it */
#define LAPIC_TIMER_CURRENT   0x390u
#define LAPIC_TIMER_DIVIDE    0x3e0u
#define LAPIC_TIMER_BY_16     0x3u

#define LAPIC_BYTES     0x400u
#define SEND_WAIT_SPINS 100000u
#define MEASURE_US      500u

static volatile uint8_t *lapic;
volatile uint32_t *lapic_eoi;
static uint32_t timer_per_ms; /* counts; 0: the timer is not used */

/* The timer's rate is the same on all cores. It counts down; masked, it does no more. */
static void timer_measure(void)
{
	uint64_t from = rdtsc(), ticks;
	uint32_t counts;

	mmio_write32(lapic + LAPIC_TIMER_INITIAL, UINT32_MAX);
	tsc_wait_us(MEASURE_US);
	counts = UINT32_MAX - mmio_read32(lapic + LAPIC_TIMER_CURRENT);
	ticks = rdtsc() - from;
	mmio_write32(lapic + LAPIC_TIMER_INITIAL, 0);
	if (counts >= MEASURE_US && counts < UINT32_MAX / 1000)
		timer_per_ms = (uint32_t)(counts * (platform_tsc_hz() / 1000) / ticks);
}

bool lapic_init(void)
{
	uint64_t base = cpu_control.apic_base;

	if (!(base & APIC_BASE_ENABLE) || (base & APIC_BASE_X2APIC))
		return false;
	lapic = io_map(base & APIC_BASE_ADDRESS, LAPIC_BYTES);
	if (!lapic)
		return false;
	lapic_eoi = (volatile uint32_t *)(lapic + LAPIC_EOI);
	lapic_enable();
	timer_measure();
	return true;
}

/* The entries that not every processor has; writing an absent one is an error. */
static void mask_optional_sources(void)
{
	unsigned last = mmio_read32(lapic + LAPIC_VERSION) >> 16 & 0xff;

	if (last >= 4)
		mmio_write32(lapic + LAPIC_LVT_PERFORMANCE, LAPIC_LVT_MASKED);
	if (last >= 5)
		mmio_write32(lapic + LAPIC_LVT_THERMAL, LAPIC_LVT_MASKED);
	if (last >= 6)
		mmio_write32(lapic + LAPIC_LVT_CMCI, LAPIC_LVT_MASKED);
}

void lapic_enable(void)
{
	mmio_write32(lapic + LAPIC_TASK_PRIORITY, LAPIC_BELOW_TIMER);
	mmio_write32(lapic + LAPIC_TIMER_DIVIDE, LAPIC_TIMER_BY_16);
	mask_optional_sources();
	mmio_write32(lapic + LAPIC_LVT_TIMER, LAPIC_LVT_MASKED);
	mmio_write32(lapic + LAPIC_LVT_LINT0, LAPIC_LVT_MASKED);
	mmio_write32(lapic + LAPIC_LVT_ERROR, LAPIC_LVT_MASKED);
	mmio_write32(lapic + LAPIC_SPURIOUS, LAPIC_SPURIOUS_ENABLE);
}

static bool lapic_send(uint32_t apic_id, uint32_t command)
{
	if (!lapic)
		return false;
	mmio_write32(lapic + LAPIC_ICR_HIGH, apic_id << 24);
	mmio_write32(lapic + LAPIC_ICR_LOW, command); /* this write sends */
	for (unsigned i = 0; i < SEND_WAIT_SPINS; i++) {
		if (!(mmio_read32(lapic + LAPIC_ICR_LOW) & LAPIC_ICR_PENDING))
			return true;
		platform_relax();
	}
	return false;
}

bool lapic_send_init(uint32_t apic_id)
{
	return lapic_send(apic_id, LAPIC_ICR_INIT);
}

bool lapic_send_startup(uint32_t apic_id, uint32_t page_address)
{
	return lapic_send(apic_id, LAPIC_ICR_STARTUP | page_address >> 12);
}

bool lapic_send_nmi(uint32_t apic_id)
{
	return lapic_send(apic_id, LAPIC_ICR_NMI);
}

bool lapic_timer_start(unsigned us)
{
	if (!timer_per_ms)
		return false;
	mmio_write32(lapic + LAPIC_LVT_TIMER, VECTOR_TIMER); /* one-shot */
	mmio_write32(
		lapic + LAPIC_TIMER_INITIAL, (uint32_t)((uint64_t)timer_per_ms * us / 1000 + 1));
	return true;
}

void lapic_timer_stop(void)
{
	mmio_write32(lapic + LAPIC_LVT_TIMER, LAPIC_LVT_MASKED);
	mmio_write32(lapic + LAPIC_TIMER_INITIAL, 0);
}

bool lapic_seal(void)
{
	return !lapic || paging_map((uintptr_t)lapic, LAPIC_BYTES,
				 PAGING_WRITE | PAGING_UNCACHED | PAGING_SUPERVISOR);
}

void platform_idle(unsigned us)
{
	if (!gate_call(GATE_SLEEP, us))
		platform_relax();
}

/*
 * The local APIC (SDM volume 3, chapter 11): in x2APIC mode where the processor has it, else in
 * xAPIC mode. The one's registers are in MSRs, the other's in memory, in the same order.
 */
#include "kernel/x86/lapic.h"

#include "drivers/io.h"
#include "kernel/platform.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/fault.h"
#include "kernel/x86/gate.h"
#include "kernel/x86/instr.h"
#include "kernel/x86/io_map.h"
#include "kernel/x86/paging.h"
#include "kernel/x86/privileged.h"
#include "kernel/x86/tsc.h"

#define APIC_BASE_ADDRESS 0x000ffffffffff000ul /* 11.4.4 */

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

static enum { MODE_NONE, MODE_XAPIC, MODE_X2APIC } mode;
static volatile uint8_t *lapic; /* in xAPIC mode */
volatile uint32_t *lapic_eoi;
static uint32_t timer_per_ms; /* counts; 0: the timer is not used */

/* 11.12.1.2: MSR 0x800 and following, for CPL 0. Others go through the gate while it is open. */
static uint32_t lapic_read(uint32_t at)
{
	if (mode == MODE_XAPIC)
		return mmio_read32(lapic + at);
	return (uint32_t)(at_cpl0() ? rdmsr(MSR_X2APIC + (at >> 4))
				    : gate_call(GATE_APIC_READ, at));
}

static void lapic_write(uint32_t at, uint32_t v)
{
	if (mode == MODE_XAPIC)
		mmio_write32(lapic + at, v);
	else if (at_cpl0())
		wrmsr(MSR_X2APIC + (at >> 4), v);
	else
		gate_call(GATE_APIC_WRITE, (uint64_t)at << 32 | v);
}

uint32_t lapic_gate_read(uint64_t at)
{
	return mode == MODE_X2APIC && at < LAPIC_BYTES ? lapic_read((uint32_t)at) : 0;
}

void lapic_gate_write(uint64_t at_and_value)
{
	if (mode == MODE_X2APIC && at_and_value >> 32 < LAPIC_BYTES)
		lapic_write((uint32_t)(at_and_value >> 32), (uint32_t)at_and_value);
}

/* 11.12.5.1: from enabled to x2APIC, from where it is not left again. */
void lapic_gate_mode(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	if (mode == MODE_X2APIC && (base & APIC_BASE_ENABLE) && !(base & APIC_BASE_X2APIC))
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
}

/* The timer's rate is the same on all cores. It counts down; masked, it does no more. */
static void timer_measure(void)
{
	uint64_t from = rdtsc(), ticks;
	uint32_t counts;

	lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);
	tsc_wait_us(MEASURE_US);
	counts = UINT32_MAX - lapic_read(LAPIC_TIMER_CURRENT);
	ticks = rdtsc() - from;
	lapic_write(LAPIC_TIMER_INITIAL, 0);
	if (counts >= MEASURE_US && counts < UINT32_MAX / 1000)
		timer_per_ms = (uint32_t)(counts * (platform_tsc_hz() / 1000) / ticks);
}

bool lapic_init(void)
{
	uint64_t base = cpu_control.apic_base;

	if (!(base & APIC_BASE_ENABLE))
		return false;
	if ((base & APIC_BASE_X2APIC) || cpu_control.has_x2apic) {
		mode = MODE_X2APIC;
	} else {
		lapic = io_map(base & APIC_BASE_ADDRESS, LAPIC_BYTES);
		if (!lapic)
			return false;
		lapic_eoi = (volatile uint32_t *)(lapic + LAPIC_EOI);
		mode = MODE_XAPIC;
	}
	lapic_enable();
	timer_measure();
	return true;
}

/* The entries that not every processor has; writing an absent one is an error. */
static void mask_optional_sources(void)
{
	unsigned last = lapic_read(LAPIC_VERSION) >> 16 & 0xff;

	if (last >= 4)
		lapic_write(LAPIC_LVT_PERFORMANCE, LAPIC_LVT_MASKED);
	if (last >= 5)
		lapic_write(LAPIC_LVT_THERMAL, LAPIC_LVT_MASKED);
	if (last >= 6)
		lapic_write(LAPIC_LVT_CMCI, LAPIC_LVT_MASKED);
}

const char *lapic_mode(void)
{
	static const char *const name[] = {"not used", "xAPIC", "x2APIC"};

	return name[mode];
}

bool lapic_reaches(uint32_t apic_id)
{
	return mode == MODE_X2APIC || apic_id <= XAPIC_ID_MAX;
}

void lapic_enable(void)
{
	if (mode == MODE_X2APIC)
		gate_call(GATE_APIC_MODE, 0);
	lapic_write(LAPIC_TASK_PRIORITY, LAPIC_BELOW_TIMER);
	lapic_write(LAPIC_TIMER_DIVIDE, LAPIC_TIMER_BY_16);
	mask_optional_sources();
	lapic_write(LAPIC_LVT_TIMER, LAPIC_LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT0, LAPIC_LVT_MASKED);
	lapic_write(LAPIC_LVT_ERROR, LAPIC_LVT_MASKED);
	lapic_write(LAPIC_SPURIOUS, LAPIC_SPURIOUS_ENABLE);
}

/* 11.12.3: the write of the MSR does not wait for earlier stores, as that of a register in memory
 * does. */
void lapic_gate_send(uint64_t command)
{
	__asm__ volatile("mfence\n\tlfence" : : : "memory");
	if (mode == MODE_X2APIC)
		wrmsr(MSR_X2APIC + (LAPIC_ICR_LOW >> 4), command);
}

/* 11.12.9: one register of 64 bits, and nothing to wait for. */
static bool send_x2apic(uint32_t apic_id, uint32_t command)
{
	uint64_t whole = (uint64_t)apic_id << 32 | command;

	if (at_cpl0())
		lapic_gate_send(whole);
	else
		gate_call(GATE_APIC_SEND, whole);
	return true;
}

static bool lapic_send(uint32_t apic_id, uint32_t command)
{
	if (mode == MODE_NONE || !lapic_reaches(apic_id))
		return false;
	if (mode == MODE_X2APIC)
		return send_x2apic(apic_id, command);
	lapic_write(LAPIC_ICR_HIGH, apic_id << 24);
	lapic_write(LAPIC_ICR_LOW, command); /* this write sends */
	for (unsigned i = 0; i < SEND_WAIT_SPINS; i++) {
		if (!(lapic_read(LAPIC_ICR_LOW) & LAPIC_ICR_PENDING))
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
	lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER); /* one-shot */
	lapic_write(LAPIC_TIMER_INITIAL, (uint32_t)((uint64_t)timer_per_ms * us / 1000 + 1));
	return true;
}

void lapic_timer_stop(void)
{
	lapic_write(LAPIC_LVT_TIMER, LAPIC_LVT_MASKED);
	lapic_write(LAPIC_TIMER_INITIAL, 0);
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

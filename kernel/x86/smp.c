/* Starts the other cores with INIT and start-up messages (SDM volume 3, 9.4.4), and hands them
 * work. */
#include "kernel/x86/smp.h"

#include <string.h>

#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/gate.h"
#include "kernel/x86/lapic.h"
#include "kernel/x86/memory.h"
#include "kernel/x86/paging.h"
#include "kernel/x86/start.h"
#include "kernel/x86/tsc.h"
#include "lib/atomic.h"

#define INIT_WAIT_US   10000u   /* between INIT and the first start-up message */
#define ANSWER_WAIT_US 50000u   /* for a core to take the offer */
#define READY_WAIT_US  1000000u /* for it to be ready then */
#define WAKE_WAIT_US   1000u
#define WAKE_TRIES     100u
#define NMI_TRAVEL_US  20u /* an NMI that was sent has arrived after this */

/* trampoline.S */
extern const uint8_t smp_trampoline[];
extern const uint32_t smp_trampoline_bytes;
void smp_core_main(void) __attribute__((noreturn));

/* What the trampoline loads: the boot core's own values. */
uint32_t smp_cr0, smp_cr3, smp_cr4, smp_efer;

/* The offer (trampoline.S): which core may start now, and on which stack. */
enum { OFFER_NONE, OFFER_MADE, OFFER_TAKEN, OFFER_READY };
uint32_t smp_offer, smp_offer_apic_id;
uint64_t smp_offer_stack;
static unsigned offer_core;

static struct platform_core cores[CORE_MAX];
static unsigned core_count;

/* What a core shall run; written by the boot core, fn last. */
static struct work {
	void (*fn)(void *arg);
	void *arg;
	bool awake; /* written by the core: it has seen fn */
	bool go;    /* no more NMI will be sent to it */
} work[CORE_MAX];

unsigned platform_cores(void)
{
	return core_count;
}

const struct platform_core *platform_core(unsigned core)
{
	return &cores[core < core_count ? core : 0];
}

/* Asleep until there is work. An NMI before the HLT is lost, so platform_start repeats it. */
static void core_park(struct cpu *c)
{
	struct work *w = &work[c->core];
	void (*fn)(void *arg);

	while (!(fn = load_acquire(&w->fn)))
		gate_call(GATE_HALT, 0);
	store_release(&w->awake, true);
	while (!load_acquire(&w->go))
		platform_relax();
	tsc_wait_us(NMI_TRAVEL_US);
	store_release(&c->parked, false); /* from here on an NMI is a failure */
	fn(w->arg);
}

/* First C of a core, on its own stack, at CPL 0 until cpu_init. */
void smp_core_main(void)
{
	struct cpu *c = &cpu_table[offer_core];

	c->parked = true;
	cpu_init(c, offer_core);
	cpu_note_isa();
	lapic_enable();
	store_release(&smp_offer, OFFER_READY);
	core_park(c);
	gate_stop();
}

static bool offer_reaches(uint32_t state, uint64_t wait_us)
{
	uint64_t start = platform_now_us();

	while (load_acquire(&smp_offer) < state) {
		if (platform_now_us() - start > wait_us)
			return false;
		platform_relax();
	}
	return true;
}

/* Why a core that took the offer does not run: it may still go on, with that number and stack. */
static const char stopped_halfway[] = "stopped while starting";

/*
 * A start-up message may be lost on real machines. With TEST_HOOKS they are lost on request:
 * `sipi=second`: the first of each core, `sipi=none`: all of core 1.
 */
static bool send_startup(unsigned core, uint32_t apic_id, uint32_t page, unsigned tries)
{
#ifdef TEST_HOOKS
	if ((tries == 0 && start_has_option("sipi=second")) ||
		(core == 1 && start_has_option("sipi=none")))
		return true;
#endif
	return lapic_send_startup(apic_id, page);
}

/* Starts one core after its INIT; NULL, or why not. A number offered in vain serves the next core.
 */
static const char *core_start(unsigned core, uint32_t apic_id, uint32_t page)
{
	struct cpu *c = &cpu_table[core];
	uint32_t made = OFFER_MADE;

	if (!c->stacks)
		return "no memory for its stacks";
	offer_core = core;
	smp_offer_apic_id = apic_id;
	smp_offer_stack = (uintptr_t)(c->stacks->stack + CPU_STACK_BYTES);
	store_release(&smp_offer, OFFER_MADE);

	/* The second message is for a first one that was lost. */
	for (unsigned tries = 0; tries < 2; tries++) {
		if (!send_startup(core, apic_id, page, tries))
			break;
		if (offer_reaches(OFFER_TAKEN, ANSWER_WAIT_US))
			break;
	}
	if (__atomic_compare_exchange_n(
		    &smp_offer, &made, OFFER_NONE, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return "did not answer";
	return offer_reaches(OFFER_READY, READY_WAIT_US) ? NULL : stopped_halfway;
}

/* All stacks before the first core runs: another core would not learn that a guard was unmapped. */
static void stacks_take(const struct srat *srat, const uint32_t *apic_id, unsigned n)
{
	for (unsigned core = 1; core < n; core++) {
		uint32_t node = srat_core_node(srat, apic_id[core]);
		struct cpu_stacks *s = memory_take_near(sizeof *s, 4096, node);

		if (!s)
			return;
		cpu_guard_stacks(s);
		cpu_table[core].stacks = s;
	}
}

static void trampoline_install(uint32_t page)
{
	memcpy((void *)(uintptr_t)page, smp_trampoline, smp_trampoline_bytes);
	smp_cr0 = (uint32_t)cpu_control.cr0;
	smp_cr3 = paging_root();
	smp_cr4 = (uint32_t)cpu_control.cr4;
	smp_efer = (uint32_t)cpu_control.efer;
}

/* A core that runs gets the next number from the front, one that does not from the back. */
static void smp_start_all(
	const struct srat *srat, const uint32_t *apic_id, unsigned n, const char *unable)
{
	uint32_t page = unable ? 0 : memory_take_low_page();
	unsigned running = 1, failed = n;

	if (!unable && !page)
		unable = "no low memory to start it";
	if (!unable) {
		stacks_take(srat, apic_id, n);
		trampoline_install(page);
		for (unsigned i = 1; i < n; i++)
			(void)lapic_send_init(apic_id[i]);
		tsc_wait_us(INIT_WAIT_US);
	}
	for (unsigned i = 1; i < n; i++) {
		const char *why = unable ? unable : core_start(running, apic_id[i], page);
		unsigned core = why ? --failed : running++;

		cores[core] = (struct platform_core){.apic_id = apic_id[i],
			.node = srat_core_node(srat, apic_id[i]),
			.running = !why,
			.note = why ? why : ""};
		if (why)
			log_text("core with APIC id %lu: %s", (unsigned long)apic_id[i], why);
		if (why == stopped_halfway)
			unable = "not started after one that stopped while starting";
	}
}

void smp_init(const struct acpi *a, bool lapic)
{
	uint32_t apic_id[CORE_MAX] = {cpu_table[0].apic_id};
	struct acpi_left left;
	unsigned n = acpi_pick_cpus(a, lapic_reaches, apic_id, CORE_MAX, &left);

	if (left.too_many)
		log_text("%u cores are left alone: %u are used at most", left.too_many, CORE_MAX);
	if (left.out_of_reach)
		log_text("%u cores are left alone: they are reached in x2APIC mode only",
			left.out_of_reach);
	cores[0] = (struct platform_core){.apic_id = apic_id[0],
		.node = srat_core_node(&a->srat, apic_id[0]),
		.running = true,
		.note = ""};
	core_count = n;
	if (n > 1)
		smp_start_all(&a->srat, apic_id, n, lapic ? NULL : "the local APIC cannot be used");
}

bool platform_start(unsigned core, void (*fn)(void *arg), void *arg)
{
	if (core == 0 || core >= core_count || !cores[core].running || work[core].fn)
		return false;
	work[core].arg = arg;
	store_release(&work[core].fn, fn);
	for (unsigned i = 0; i < WAKE_TRIES; i++) {
		uint64_t start = platform_now_us();

		if (!lapic_send_nmi(cores[core].apic_id))
			break;
		while (platform_now_us() - start < WAKE_WAIT_US) {
			if (load_acquire(&work[core].awake)) {
				store_release(&work[core].go, true);
				return true;
			}
			platform_relax();
		}
	}
	cores[core].running = false;
	cores[core].note = "did not wake up";
	return false;
}

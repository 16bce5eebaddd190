/*
 * `make bench-ixgbe`: instructions and cycles per packet of the ixgbe driver alone: receive,
 * refill, transmit, complete, a batch after the other.
 *
 * The device is memory: its registers are ordinary memory that nobody reads, and between the
 * driver's calls the bench writes descriptors back as it would. Only the calls are counted:
 * cycles by the TSC (ordered on both sides), instructions by a tracer that steps through them
 * one by one, which counts the same wherever it runs. What a bus costs is not in it.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include "drivers/ixgbe/ixgbe_device.h"
#include "lib/packet.h"

#define SLOTS   1024u
#define BATCH   BATCH_MAX
#define BATCHES 20000u /* timed */
#define STEPPED 32u    /* batches of which instructions are counted: twice round the ring */
#define FRAME   60u
#define GOAL    60.0 /* instructions per packet of all four calls */

enum call { RX, FILL, TX, DONE, CALLS };

static const char *const call_name[CALLS] = {"rx", "rx_fill", "tx", "tx_done"};
static struct ixgbe *x;
static struct buffers buffers;
static uint64_t cycles[CALLS][BATCHES];
static uint32_t spare[BATCH];
static uint32_t arrived, departed; /* positions of the device */

static void *alloc(void *ctx, size_t bytes, size_t align)
{
	void *p = aligned_alloc(align, (bytes + align - 1) / align * align);

	if (!p)
		exit(1);
	return memset(p, 0, bytes);
}

static void open_port(void)
{
	x = alloc(NULL, sizeof *x, CACHE_LINE);
	x->port.env = (struct io_env){.alloc = alloc};
	x->port.registers = alloc(NULL, INTEL_BAR_BYTES, 4096);
	x->port.slots = SLOTS;
	x->port.driver = &ixgbe_driver;
	x->port.dev.ops = ixgbe_driver.ops;
	x->port.dev.rx_queues = x->port.dev.tx_queues = 1;
	buffers_shape(&buffers, MTU_DEFAULT);
	pool_place(&buffers, 0, alloc(NULL, (size_t)POOL_BUFS * buffers.stride, 4096), 0);
	x->port.dev.buffers = &buffers;
	if (!intel_rings_make(&x->port, 0))
		exit(1);
	for (uint32_t i = 0; i < SLOTS - BATCH; i += BATCH) {
		for (uint32_t k = 0; k < BATCH; k++)
			spare[k] = i + k;
		x->port.dev.ops->rx_fill(&x->port.dev, 0, spare, BATCH);
	}
	for (uint32_t k = 0; k < BATCH; k++)
		spare[k] = SLOTS + k; /* one batch circulates */
}

/* The device: a batch has come, what was to be sent has been. */
static void device(void)
{
	const struct intel_txq *tx = &x->port.tx[0];

	for (unsigned i = 0; i < BATCH; i++, arrived++)
		x->port.rx[0].ring[arrived & (SLOTS - 1)] =
			(struct intel_rx_desc){.status = INTEL_RX_GOOD, .bytes = FRAME};
	for (; departed != tx->posted; departed++)
		if (tx->ring[departed & (SLOTS - 1)].control & INTEL_TX_RS)
			tx->ring[departed & (SLOTS - 1)].control = INTEL_TX_DD;
}

static unsigned make_call(enum call c, uint64_t *word)
{
	struct netdev *dev = &x->port.dev;

	switch (c) {
	case RX:
		return dev->ops->rx(dev, 0, word, BATCH);
	case FILL:
		dev->ops->rx_fill(dev, 0, spare, BATCH);
		return BATCH;
	case TX:
		return dev->ops->tx(dev, 0, word, BATCH);
	default:
		return dev->ops->tx_done(dev, 0, word, BATCH);
	}
}

static uint64_t ordered_tsc(void)
{
	_mm_lfence();
	uint64_t t = __rdtsc();

	_mm_lfence();
	return t;
}

/* A round: what comes in goes out, and its buffers go back into the receive ring a round later. */
static void round_of(uint64_t (*measure)(enum call c, uint64_t *word), uint64_t result[CALLS])
{
	uint64_t word[BATCH];

	device();
	result[RX] = measure(RX, word);
	result[FILL] = measure(FILL, word);
	result[TX] = measure(TX, word);
	device();
	arrived -= BATCH;
	result[DONE] = measure(DONE, word);
	for (unsigned i = 0; i < BATCH; i++)
		spare[i] = packet_index(word[i]);
}

static void check(unsigned n)
{
	if (n == BATCH)
		return;
	fprintf(stderr, "bench-ixgbe: a call moved %u packets instead of %u\n", n, BATCH);
	exit(1);
}

static uint64_t timed(enum call c, uint64_t *word)
{
	uint64_t start = ordered_tsc();
	unsigned n = make_call(c, word);
	uint64_t end = ordered_tsc();

	check(n);
	return end - start;
}

static uint64_t empty(void)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < 1000; i++) {
		uint64_t start = ordered_tsc(), took = ordered_tsc() - start;

		least = took < least ? took : least;
	}
	return least;
}

/* ---------------------------------------------------------------- instructions */

/* The tracer begins to step at the first breakpoint, and counts up to the second. */
static uint64_t marked(enum call c, uint64_t *word)
{
	__asm__ volatile("int3" ::: "memory");
	unsigned n = make_call(c, word);

	__asm__ volatile("int3" ::: "memory");
	check(n);
	return 0;
}

static void traced(void)
{
	uint64_t nothing[CALLS];

	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(1);
	for (unsigned i = 0; i < STEPPED; i++)
		round_of(marked, nothing);
	_exit(0);
}

/* true: at a breakpoint; false: one step further, or at the end (*over). */
static bool wait_for(pid_t child, bool *over)
{
	siginfo_t info;
	int status;

	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
		*over = true;
		return false;
	}
	return ptrace(PTRACE_GETSIGINFO, child, NULL, &info) == 0 && info.si_code == SI_KERNEL;
}

/* Instructions of each call, on average of so many batches, per packet. false: cannot be traced. */
static bool count_instructions(double per_packet[CALLS])
{
	uint64_t steps[CALLS] = {0};
	bool over = false;
	unsigned at = 0;
	pid_t child = fork();

	if (child == 0)
		traced();
	while (child > 0 && wait_for(child, &over)) { /* the first breakpoint of a call */
		do {
			ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
			steps[at % CALLS]++;
		} while (!wait_for(child, &over) && !over);
		at++;
		ptrace(PTRACE_CONT, child, NULL, NULL);
	}
	for (unsigned c = 0; c < CALLS; c++)
		per_packet[c] = (double)steps[c] / (STEPPED * BATCH);
	return at == STEPPED * CALLS;
}

/* ---------------------------------------------------------------- results */

static int compare(const void *a, const void *b)
{
	uint64_t u = *(const uint64_t *)a, v = *(const uint64_t *)b;

	return u < v ? -1 : u > v;
}

static double median(uint64_t *all, uint64_t less)
{
	qsort(all, BATCHES, sizeof *all, compare);
	uint64_t middle = all[BATCHES / 2];

	return (double)(middle - less) / BATCH;
}

int main(void)
{
	double instructions[CALLS], cycle[CALLS], all_instructions = 0, all_cycles = 0;
	uint64_t nothing = empty(), took[CALLS];

	open_port();
	if (!count_instructions(instructions)) {
		fprintf(stderr, "bench-ixgbe: instructions cannot be counted: no ptrace here\n");
		return 1;
	}
	for (unsigned i = 0; i < BATCHES; i++) {
		round_of(timed, took);
		for (unsigned c = 0; c < CALLS; c++)
			cycles[c][i] = took[c];
	}
	printf("per packet, in batches of %u, rings of %u:\n", BATCH, SLOTS);
	printf("  %-10s %12s %12s\n", "", "instructions", "TSC cycles");
	for (unsigned c = 0; c < CALLS; c++) {
		cycle[c] = median(cycles[c], nothing);
		all_instructions += instructions[c];
		all_cycles += cycle[c];
		printf("  %-10s %12.1f %12.1f\n", call_name[c], instructions[c], cycle[c]);
	}
	printf("  %-10s %12.1f %12.1f\n", "all", all_instructions, all_cycles);
	printf("RESULT {\"instructions\": %.1f, \"cycles\": %.1f", all_instructions, all_cycles);
	for (unsigned c = 0; c < CALLS; c++)
		printf(", \"%s_instructions\": %.1f", call_name[c], instructions[c]);
	printf("}\n");
	return all_instructions > GOAL;
}

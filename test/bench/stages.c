/* Wrappers around the stages of a worker's turn, each adding its own cycles. One worker only. */
#include "test/bench/stages.h"

#include <string.h>
#include <x86intrin.h>

#include "kernel/router.h"
#include "kernel/worker.h"
#include "net/path/parse.h"
#include "net/path/sched.h"

static int64_t spent[STAGES]; /* a correction may exceed a short stage */
static uint64_t *inner;       /* cycles of stages inside the one under way */

/* What an empty stage costs, and what it adds to the one around it. */
static uint64_t cost_inside, cost_around;

/* Runs `call` as a stage: all its cycles, less those of the stages inside it. */
#define STAGE(stage, call)                                                                         \
	do {                                                                                       \
		uint64_t nested = 0, *outer = inner, begin;                                        \
                                                                                                   \
		inner = &nested;                                                                   \
		begin = __rdtsc();                                                                 \
		call;                                                                              \
		uint64_t took = __rdtsc() - begin;                                                 \
                                                                                                   \
		inner = outer;                                                                     \
		if (outer)                                                                         \
			*outer += took + cost_around;                                              \
		spent[stage] += (int64_t)(took - nested - cost_inside);                            \
	} while (0)

void __real_parse_batch(const struct lane *lane, struct batch *b, const uint64_t *word, unsigned n);
void __wrap_parse_batch(const struct lane *lane, struct batch *b, const uint64_t *word, unsigned n);
void __wrap_parse_batch(const struct lane *lane, struct batch *b, const uint64_t *word, unsigned n)
{
	STAGE(STAGE_PARSE, __real_parse_batch(lane, b, word, n));
}

void __real_fib4_lookup(const struct fib4 *fib, const uint32_t *dst, uint32_t *nh, unsigned n);
void __wrap_fib4_lookup(const struct fib4 *fib, const uint32_t *dst, uint32_t *nh, unsigned n);
void __wrap_fib4_lookup(const struct fib4 *fib, const uint32_t *dst, uint32_t *nh, unsigned n)
{
	STAGE(STAGE_LOOKUP, __real_fib4_lookup(fib, dst, nh, n));
}

void __real_fib6_lookup(const struct fib6 *fib, const struct ip6 *dst, uint32_t *nh, unsigned n);
void __wrap_fib6_lookup(const struct fib6 *fib, const struct ip6 *dst, uint32_t *nh, unsigned n);
void __wrap_fib6_lookup(const struct fib6 *fib, const struct ip6 *dst, uint32_t *nh, unsigned n)
{
	STAGE(STAGE_LOOKUP, __real_fib6_lookup(fib, dst, nh, n));
}

void __real_path_forward(struct lane *lane, const uint64_t *word, unsigned n);
void __wrap_path_forward(struct lane *lane, const uint64_t *word, unsigned n);
void __wrap_path_forward(struct lane *lane, const uint64_t *word, unsigned n)
{
	STAGE(STAGE_FORWARD, __real_path_forward(lane, word, n));
}

unsigned __real_sched_take(struct sched *s, uint64_t *word, unsigned max, uint64_t now);
unsigned __wrap_sched_take(struct sched *s, uint64_t *word, unsigned max, uint64_t now);
unsigned __wrap_sched_take(struct sched *s, uint64_t *word, unsigned max, uint64_t now)
{
	unsigned n;

	STAGE(STAGE_SCHEDULE, n = __real_sched_take(s, word, max, now));
	return n;
}

void __real_buffers_free_run(struct buffers *b, unsigned actor, const uint64_t *word, unsigned n);
void __wrap_buffers_free_run(struct buffers *b, unsigned actor, const uint64_t *word, unsigned n);
void __wrap_buffers_free_run(struct buffers *b, unsigned actor, const uint64_t *word, unsigned n)
{
	STAGE(STAGE_FREE, __real_buffers_free_run(b, actor, word, n));
}

unsigned __real_pool_lend(struct buffers *b, unsigned p, const uint32_t **index, unsigned n);
unsigned __wrap_pool_lend(struct buffers *b, unsigned p, const uint32_t **index, unsigned n);
unsigned __wrap_pool_lend(struct buffers *b, unsigned p, const uint32_t **index, unsigned n)
{
	unsigned got;

	STAGE(STAGE_TAKE, got = __real_pool_lend(b, p, index, n));
	return got;
}

bool __real_worker_turn(struct router *r, struct worker *w);
bool __wrap_worker_turn(struct router *r, struct worker *w);
bool __wrap_worker_turn(struct router *r, struct worker *w)
{
	bool moved;

	STAGE(STAGE_LOOP, moved = __real_worker_turn(r, w));
	return moved;
}

void stages_read(uint64_t cycles[STAGES])
{
	for (unsigned i = 0; i < STAGES; i++)
		cycles[i] = spent[i] > 0 ? (uint64_t)spent[i] : 0;
	memset(spent, 0, sizeof spent);
}

/* ---- the device's operations, behind its ops ---- */

static const struct netdev_ops *nic;

static unsigned timed_rx(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	unsigned n;

	STAGE(STAGE_NIC, n = nic->rx(dev, q, word, max));
	return n;
}

static void timed_rx_fill(struct netdev *dev, unsigned q, const uint32_t *index, unsigned n)
{
	STAGE(STAGE_NIC, nic->rx_fill(dev, q, index, n));
}

static unsigned timed_tx(struct netdev *dev, unsigned q, const uint64_t *word, unsigned n)
{
	unsigned sent;

	STAGE(STAGE_NIC, sent = nic->tx(dev, q, word, n));
	return sent;
}

static unsigned timed_tx_done(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	unsigned n;

	STAGE(STAGE_NIC, n = nic->tx_done(dev, q, word, max));
	return n;
}

#define CALIBRATE 100u

static void empty_stages(void)
{
	for (unsigned i = 0; i < CALIBRATE; i++)
		STAGE(STAGE_NIC, __asm__ volatile(""));
}

/* Empty stages inside an empty one: their costs are what makes both take no time. */
static void calibrate(void)
{
	uint64_t inside = UINT64_MAX, around = UINT64_MAX;

	cost_inside = cost_around = 0;
	for (unsigned i = 0; i < 1000; i++) {
		memset(spent, 0, sizeof spent);
		STAGE(STAGE_LOOP, empty_stages());
		if ((uint64_t)spent[STAGE_NIC] / CALIBRATE < inside)
			inside = (uint64_t)spent[STAGE_NIC] / CALIBRATE;
		if ((uint64_t)spent[STAGE_LOOP] / CALIBRATE < around)
			around = (uint64_t)spent[STAGE_LOOP] / CALIBRATE;
	}
	cost_inside = inside;
	cost_around = around;
	memset(spent, 0, sizeof spent);
}

void stages_start(struct netdev *dev)
{
	static struct netdev_ops timed;

	if (cost_inside == 0)
		calibrate();
	if (dev->ops != &timed) {
		nic = dev->ops;
		timed = *nic;
		timed.rx = timed_rx;
		timed.rx_fill = timed_rx_fill;
		timed.tx = timed_tx;
		timed.tx_done = timed_tx_done;
		dev->ops = &timed;
	}
}

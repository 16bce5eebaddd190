/* Updates with a reader: the control core's part as the kernel does it, and one worker. */
#include "test/bench/fib/updates.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/rcu.h"
#include "test/bench/fib/clock.h"

#define BURST   64u
#define SAMPLE  100000u /* routes that go and come in a round */
#define AT_ONCE 64u     /* routes that change before the FIB follows */
#define AHEAD   3u      /* changes between the stages of prefetching */

struct reader {
	const struct fib4 *fib4;
	const struct fib6 *fib6;
	uint32_t *key4;
	const struct ip6 *key6;
	uint32_t keys;
	unsigned core;
	uint32_t stop;
	/* published after every pass: lookups done, and the CPU time they took */
	uint64_t lookups;
	uint64_t cpu_us;
	struct rcu_reader *rcu;
};

struct changer {
	struct rib4 *rib4;
	struct rib6 *rib6;
	struct fib4 *fib4;
	struct fib6 *fib6;
	const struct table *table;
	struct fib4_job job4;
	struct fib6_job job6;
	struct rcu rcu;
	struct rcu_grace period;
	bool in_grace;
};

struct spread spread_of(double *value, int n)
{
	for (int i = 1; i < n; i++) {
		double v = value[i];
		int k = i;

		for (; k > 0 && value[k - 1] > v; k--)
			value[k] = value[k - 1];
		value[k] = v;
	}
	return (struct spread){value[n / 2], value[0], value[n - 1]};
}

static void *read_on(void *arg)
{
	struct reader *r = arg;
	cpu_set_t set;
	uint32_t nh[BURST];

	CPU_ZERO(&set);
	CPU_SET(r->core, &set);
	pthread_setaffinity_np(pthread_self(), sizeof set, &set);
	while (!load_acquire(&r->stop)) {
		uint32_t at = 0;

		for (; at < r->keys && at < 65536; at += BURST) {
			if (r->fib4)
				fib4_lookup(r->fib4, r->key4 + at, nh, BURST);
			else
				fib6_lookup(r->fib6, r->key6 + at, nh, BURST);
			rcu_quiescent(r->rcu);
		}
		store_once(&r->lookups, r->lookups + at);
		store_release(&r->cpu_us, (uint64_t)(clock_ms() * 1e3));
	}
	return NULL;
}

/* ---- the control core ---- */

static void grace(struct changer *c)
{
	unsigned holdout;

	if (c->in_grace && rcu_grace_done(&c->rcu, &c->period, &holdout)) {
		c->fib4 ? fib4_grace_passed(c->fib4) : fib6_grace_passed(c->fib6);
		c->in_grace = false;
	}
	if (!c->in_grace && (c->fib4 ? fib4_wants_grace(c->fib4) : fib6_wants_grace(c->fib6))) {
		c->fib4 ? fib4_grace_begin(c->fib4) : fib6_grace_begin(c->fib6);
		rcu_grace_start(&c->rcu, &c->period);
		c->in_grace = true;
	}
}

static void follow(struct changer *c)
{
	enum err e;

	do {
		e = c->fib4 ? fib4_follow(c->fib4, c->rib4, &c->job4, ~0u)
			    : fib6_follow(c->fib6, c->rib6, &c->job6, ~0u);
		grace(c);
	} while (e == ERR_FULL && c->in_grace);
	if (e != ERR_OK) {
		fputs("bench-fib: no room for a change\n", stderr);
		exit(1);
	}
}

static void change(struct changer *c, const struct routegen_route *r, bool announce)
{
	uint32_t p4 = (uint32_t)(r->prefix.hi >> 32);
	enum err e;

	if (c->fib4 && announce)
		e = rib4_add(c->rib4, &(struct route4){.prefix = p4,
					      .length = r->length,
					      .source = RIB_STATIC,
					      .distance = 1,
					      .nexthop = r->nexthop});
	else if (c->fib4)
		e = rib4_remove(c->rib4, p4, r->length, RIB_STATIC, NULL);
	else if (announce)
		e = rib6_add(c->rib6, &(struct route6){.prefix = r->prefix,
					      .length = r->length,
					      .source = RIB_STATIC,
					      .distance = 1,
					      .nexthop = r->nexthop});
	else
		e = rib6_remove(c->rib6, r->prefix, r->length, RIB_STATIC, NULL);
	if (e != ERR_OK) {
		fputs("bench-fib: the RIB refuses a change\n", stderr);
		exit(1);
	}
}

/* Who has a list of changes says so in time, as one who reads a routing protocol's messages can. */
static void prefetch(const struct changer *c, const uint32_t *sample, uint32_t n, uint32_t i)
{
	for (unsigned stage = 0; stage < TRIE_STAGES; stage++) {
		uint32_t ahead = i + AHEAD * (TRIE_STAGES - stage);

		if (ahead >= n)
			continue;
		const struct routegen_route *r = &c->table->route[sample[ahead]];

		if (c->fib4)
			rib4_prefetch(c->rib4, (uint32_t)(r->prefix.hi >> 32), stage);
		else
			rib6_prefetch(c->rib6, r->prefix, stage);
	}
}

/* All routes of a sample; how many a second. */
static double change_all(struct changer *c, const uint32_t *sample, uint32_t n, bool announce)
{
	double start = clock_ms();

	for (uint32_t i = 0; i < n; i++) {
		prefetch(c, sample, n, i);
		change(c, &c->table->route[sample[i]], announce);
		if (i % AT_ONCE == AT_ONCE - 1 || i == n - 1)
			follow(c);
	}
	return n / (clock_ms() - start) * 1e3;
}

static void shuffle(uint32_t *x, uint32_t n, uint64_t *random)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t k = (uint32_t)(routegen_random(random) % i), t = x[i - 1];

		x[i - 1] = x[k];
		x[k] = t;
	}
}

/* ---- the reader's rate ---- */

struct mark {
	uint64_t lookups, cpu_us;
};

static struct mark mark(const struct reader *r)
{
	uint64_t cpu = load_acquire(&r->cpu_us);

	return (struct mark){load_once(&r->lookups), cpu};
}

/* Look-ups per microsecond of the reader's CPU time since. */
static double rate_since(const struct reader *r, struct mark since)
{
	struct mark now = mark(r);

	return (double)(now.lookups - since.lookups) / (double)(now.cpu_us - since.cpu_us + 1);
}

static double quiet_rate(const struct reader *r)
{
	struct timespec pause = {0, 100 * 1000 * 1000};
	struct mark m = mark(r);

	nanosleep(&pause, NULL);
	return rate_since(r, m);
}

struct updates updates_run(struct rib4 *rib4, struct fib4 *fib4, struct rib6 *rib6,
	struct fib6 *fib6, const struct table *t, const struct ip6 *key, uint32_t keys,
	unsigned core, int rounds)
{
	static struct changer c;
	double up[64], down[64], slow[64];
	uint32_t n = t->n < SAMPLE ? t->n : SAMPLE;
	uint32_t *sample = calloc(t->n, sizeof *sample), *key4 = calloc(keys, sizeof *key4);
	uint64_t random = 9;
	pthread_t thread;

	c = (struct changer){rib4, rib6, fib4, fib6, t, .rcu.readers = 1};
	struct reader r = {fib4, fib6, key4, key, keys, core, .rcu = &c.rcu.reader[0]};

	if (!sample || !key4 || rounds > 64)
		abort();
	for (uint32_t i = 0; i < keys; i++)
		key4[i] = (uint32_t)(key[i].hi >> 32);
	for (uint32_t i = 0; i < t->n; i++)
		sample[i] = i;
	if (pthread_create(&thread, NULL, read_on, &r) != 0)
		abort();
	for (int i = 0; i < rounds; i++) {
		double before = quiet_rate(&r);

		shuffle(sample, t->n, &random);
		struct mark m = mark(&r);

		down[i] = change_all(&c, sample, n, false);
		shuffle(sample, n, &random);
		up[i] = change_all(&c, sample, n, true);
		double during = rate_since(&r, m), quiet = (before + quiet_rate(&r)) / 2;

		slow[i] = (1 - during / quiet) * 100;
	}
	store_release(&r.stop, 1);
	pthread_join(thread, NULL);
	while (c.in_grace || (fib4 ? fib4_wants_grace(fib4) : fib6_wants_grace(fib6)))
		grace(&c), rcu_quiescent(&c.rcu.reader[0]);
	free(sample);
	free(key4);
	return (struct updates){
		spread_of(up, rounds), spread_of(down, rounds), spread_of(slow, rounds)};
}

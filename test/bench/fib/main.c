/*
 * `make bench-fib`: our forwarding tables against DPDK's, in one run.
 *
 * One pinned core. The contenders take turns, a slice of keys each, so that all
 * of them see the same machine; a round is all slices, results are medians over
 * rounds. Every result of every contender is compared with ours.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/bench/fib/clock.h"
#include "test/bench/fib/keys.h"
#include "test/bench/fib/rivals.h"
#include "test/bench/fib/tables.h"
#include "test/bench/fib/updates.h"

#define KEYS       (1u << 22)
#define SLICE      (1u << 20) /* long enough that the table of another is forgotten */
#define BURST      64u        /* addresses a call: what the router handles at once */
#define ROUNDS_MAX 64
#define ENTRANTS   12

static struct {
	struct table v4, v6;
	struct rib4 rib4;
	struct rib6 rib6;
	struct fib4 *fib4;
	struct fib6 *fib6;
	double load4_ms, load6_ms;
	struct spread rebuild4_ms, rebuild6_ms;
	struct rival rival4[2], rival6[2];
	int rivals4, rivals6;
	unsigned core, other_core;
	int rounds;
	/* keys, in the form each contender takes them, and results */
	struct ip6 *key;
	uint32_t *key4, *nh;
	uint8_t (*wire)[16];
	uint64_t *nh64;
} b;

/* Who looks up: ours, or one form of DPDK's. */
struct entrant {
	char name[48];
	void (*run)(const struct entrant *e, uint32_t at, uint32_t n);
	const struct rival *rival;
	const char *isa;
	int form;
	double rate[ROUNDS_MAX]; /* million a second */
	struct spread spread;
};

/* ---- contenders ---- */

static void select_isa(const char *isa)
{
	fib4_select(isa);
	fib6_select(isa);
}

static void run_ours4(const struct entrant *e, uint32_t at, uint32_t n)
{
	(void)e;
	for (uint32_t i = at; i < at + n; i += BURST)
		fib4_lookup(b.fib4, b.key4 + i, b.nh + i, BURST);
}

static void run_ours6(const struct entrant *e, uint32_t at, uint32_t n)
{
	(void)e;
	for (uint32_t i = at; i < at + n; i += BURST)
		fib6_lookup(b.fib6, b.key + i, b.nh + i, BURST);
}

/* The same with addresses as they come in packets, as DPDK takes them. */
static void run_wire6(const struct entrant *e, uint32_t at, uint32_t n)
{
	(void)e;
	for (uint32_t i = at; i < at + n; i += BURST) {
		struct ip6 a[BURST];

		for (unsigned k = 0; k < BURST; k++) {
			uint64_t w[2];

			memcpy(w, b.wire[i + k], sizeof w);
			a[k] = (struct ip6){__builtin_bswap64(w[0]), __builtin_bswap64(w[1])};
		}
		fib6_lookup(b.fib6, a, b.nh + i, BURST);
	}
}

static void run_rival4(const struct entrant *e, uint32_t at, uint32_t n)
{
	for (uint32_t i = at; i < at + n; i += BURST)
		rival_lookup4(e->rival, b.key4 + i, b.nh64 + i, BURST);
}

static void run_rival6(const struct entrant *e, uint32_t at, uint32_t n)
{
	for (uint32_t i = at; i < at + n; i += BURST)
		rival_lookup6(e->rival, b.wire + i, b.nh64 + i, BURST);
}

static void prepare(const struct entrant *e)
{
	if (e->rival)
		rival_select(e->rival, e->form);
	else
		select_isa(e->isa);
}

static struct entrant entrant(
	const char *name, const char *isa, void (*run)(const struct entrant *, uint32_t, uint32_t))
{
	struct entrant e = {.run = run, .isa = isa};

	snprintf(e.name, sizeof e.name, "%s", name);
	return e;
}

/* The best form this machine has comes first: the one a router here would choose. */
static int ours(struct entrant *e, void (*run)(const struct entrant *, uint32_t, uint32_t))
{
	int n = 0;

	if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
		e[n++] = entrant("barewire, x86-64-v4", "x86-64-v4", run);
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
		e[n++] = entrant("barewire, x86-64-v3", "x86-64-v3", run);
	e[n++] = entrant("barewire, x86-64", "x86-64", run);
	return n;
}

static int entrants(struct entrant *e, int v6)
{
	int n = ours(e, v6 ? run_ours6 : run_ours4);

	if (v6)
		e[n++] = entrant("barewire, wire order", e[0].isa, run_wire6);
	for (int i = 0; i < (v6 ? b.rivals6 : b.rivals4); i++) {
		const struct rival *r = v6 ? &b.rival6[i] : &b.rival4[i];

		for (int f = 0; f < r->forms; f++, n++) {
			e[n] = (struct entrant){
				.run = v6 ? run_rival6 : run_rival4, .rival = r, .form = f};
			snprintf(e[n].name, sizeof e[n].name, "%s, %s", r->name, r->form[f]);
		}
	}
	return n;
}

/* ---- looking up ---- */

static void make_keys(enum pattern p, int v6)
{
	keys_make(p, v6 ? &b.v6 : &b.v4, v6, b.key, KEYS);
	for (uint32_t i = 0; i < KEYS; i++) {
		uint64_t w[2] = {__builtin_bswap64(b.key[i].hi), __builtin_bswap64(b.key[i].lo)};

		b.key4[i] = (uint32_t)(b.key[i].hi >> 32);
		memcpy(b.wire[i], w, sizeof w);
	}
}

/* The answers of an entrant, all of them, weighted by their place. */
static uint64_t checksum(const struct entrant *e)
{
	uint64_t sum = 0;

	memset(b.nh, 0xff, KEYS * sizeof *b.nh);
	memset(b.nh64, 0xff, KEYS * sizeof *b.nh64);
	prepare(e);
	e->run(e, 0, KEYS);
	for (uint32_t i = 0; i < KEYS; i++)
		sum = sum * 31 + (e->rival ? b.nh64[i] : b.nh[i]);
	return sum;
}

static double slice_ms(const struct entrant *e, uint32_t at)
{
	prepare(e);
	e->run(e, at, SLICE); /* the keys and its table come into the caches, as far as they fit */
	double start = clock_ms();

	e->run(e, at, SLICE);
	return clock_ms() - start;
}

static void measure(struct entrant *e, int n)
{
	for (int round = 0; round < b.rounds; round++) {
		double ms[ENTRANTS] = {0};

		for (uint32_t at = 0; at < KEYS; at += SLICE)
			for (int turn = 0; turn < n; turn++) {
				int i = (turn + round) % n; /* nobody always follows the same one */

				ms[i] += slice_ms(&e[i], at);
			}
		for (int i = 0; i < n; i++)
			e[i].rate[round] = KEYS / ms[i] / 1e3;
	}
	for (int i = 0; i < n; i++)
		e[i].spread = spread_of(e[i].rate, b.rounds);
}

/* One pattern: its rows of the report. Returns ours against DPDK's best; *wire likewise. */
static double contest(enum pattern p, int v6, double *wire)
{
	struct entrant e[ENTRANTS];
	int n = entrants(e, v6);
	double best = 0;

	make_keys(p, v6);
	uint64_t sum = checksum(&e[0]);

	for (int i = 1; i < n; i++) {
		if (checksum(&e[i]) != sum) {
			fprintf(stderr, "bench-fib: %s answers otherwise\n", e[i].name);
			exit(1);
		}
	}
	measure(e, n);
	for (int i = 0; i < n; i++)
		if (e[i].rival && e[i].spread.median > best)
			best = e[i].spread.median;
	printf("\nIPv%d %s, million look-ups a second (checksum of results %016lx)\n", v6 ? 6 : 4,
		pattern_name[p], sum);
	for (int i = 0; i < n; i++) {
		printf("  %-26s %7.1f  %7.1f - %7.1f", e[i].name, e[i].spread.median,
			e[i].spread.min, e[i].spread.max);
		if (!e[i].rival && best > 0)
			printf("   %5.2f x", e[i].spread.median / best);
		if (e[i].run == run_wire6 && best > 0)
			*wire = e[i].spread.median / best;
		puts("");
	}
	return best > 0 ? e[0].spread.median / best : 0;
}

/* ---- building ---- */

static void load(void)
{
	double start = clock_ms();

	for (uint32_t i = 0; i < b.v4.n; i++) {
		const struct routegen_route *r = &b.v4.route[i];
		struct route4 route = {.prefix = (uint32_t)(r->prefix.hi >> 32),
			.length = r->length,
			.source = RIB_STATIC,
			.distance = 1,
			.nexthop = r->nexthop};

		if (rib4_add(&b.rib4, &route) != ERR_OK)
			abort();
	}
	b.load4_ms = clock_ms() - start;
	start = clock_ms();
	for (uint32_t i = 0; i < b.v6.n; i++) {
		const struct routegen_route *r = &b.v6.route[i];
		struct route6 route = {.prefix = r->prefix,
			.length = r->length,
			.source = RIB_STATIC,
			.distance = 1,
			.nexthop = r->nexthop};

		if (rib6_add(&b.rib6, &route) != ERR_OK)
			abort();
	}
	b.load6_ms = clock_ms() - start;
	(void)rib_take_lost(&b.rib4.rib);
	(void)rib_take_lost(&b.rib6.rib);
}

static void no_room(void)
{
	fputs("bench-fib: a table finds no room\n", stderr);
	exit(1);
}

static double rebuild4(void)
{
	struct fib4_job job = fib4_job(0, 0);
	double start = clock_ms();

	while (job.pending) {
		if (fib4_job_step(b.fib4, &b.rib4, &job, 64) != ERR_OK)
			no_room();
		fib4_grace_begin(b.fib4);
		fib4_grace_passed(b.fib4);
	}
	return clock_ms() - start;
}

static double rebuild6(void)
{
	struct fib6_job job = fib6_job((struct ip6){0, 0}, 0);
	double start = clock_ms();

	while (job.pending) {
		if (fib6_job_step(b.fib6, &b.rib6, &job, 64) != ERR_OK)
			no_room();
		fib6_grace_begin(b.fib6);
		fib6_grace_passed(b.fib6);
	}
	return clock_ms() - start;
}

/* Builds of ours and of DPDK's in turns; DPDK's last tables stay. */
static void build(void)
{
	double four[ROUNDS_MAX], six[ROUNDS_MAX], theirs4[ROUNDS_MAX], theirs6[ROUNDS_MAX];

	load();
	(void)rebuild4();
	(void)rebuild6();
	for (int i = 0; i < b.rounds; i++) {
		four[i] = rebuild4();
		six[i] = rebuild6();
		rival_free(&b.rival4[0]);
		rival_free(&b.rival6[0]);
		b.rivals4 = b.v4.n && rival_make(&b.rival4[0], &b.v4, 0, 2);
		b.rivals6 = b.v6.n && rival_make(&b.rival6[0], &b.v6, 1, 4);
		theirs4[i] = b.rival4[0].build_ms;
		theirs6[i] = b.rival6[0].build_ms;
	}
	b.rebuild4_ms = spread_of(four, b.rounds);
	b.rebuild6_ms = spread_of(six, b.rounds);
	b.rival4[0].build_ms = spread_of(theirs4, b.rounds).median;
	b.rival6[0].build_ms = spread_of(theirs6, b.rounds).median;
	b.rivals4 += b.v4.n && rival_make(&b.rival4[b.rivals4], &b.v4, 0, 4);
	b.rivals6 += b.v6.n && rival_make(&b.rival6[b.rivals6], &b.v6, 1, 2);
}

static double mib(size_t bytes)
{
	return (double)bytes / 1048576;
}

static void report_tables(const struct fib4_stats *four, const struct fib6_stats *six)
{
	printf("IPv4: %u routes, %u next hops; IPv6: %u routes, %u next hops\n", b.v4.n,
		b.v4.nexthops, b.v6.n, b.v6.nexthops);
	printf("\nTable                     MiB    build ms\n");
	printf("  barewire IPv4      %8.2f  %7.1f (%.1f - %.1f), without the RIB's load of %.0f\n",
		mib(four->bytes), b.rebuild4_ms.median, b.rebuild4_ms.min, b.rebuild4_ms.max,
		b.load4_ms);
	for (int i = 0; i < b.rivals4; i++)
		printf("  %-18s %8.2f  %7.1f, with DPDK's RIB; memory without\n", b.rival4[i].name,
			mib(b.rival4[i].bytes), b.rival4[i].build_ms);
	printf("  barewire IPv6      %8.2f  %7.1f (%.1f - %.1f), without the RIB's load of %.0f\n",
		mib(six->bytes), b.rebuild6_ms.median, b.rebuild6_ms.min, b.rebuild6_ms.max,
		b.load6_ms);
	for (int i = 0; i < b.rivals6; i++)
		printf("  %-18s %8.2f  %7.1f, likewise\n", b.rival6[i].name, mib(b.rival6[i].bytes),
			b.rival6[i].build_ms);
}

static void report_updates(const char *family, const struct updates *u)
{
	printf("  %s announce %7.0f k/s (%.0f - %.0f)   withdraw %7.0f k/s (%.0f - %.0f)   reader "
	       "%+.1f %% (%.1f - %.1f)\n",
		family, u->announce_per_s.median / 1e3, u->announce_per_s.min / 1e3,
		u->announce_per_s.max / 1e3, u->withdraw_per_s.median / 1e3,
		u->withdraw_per_s.min / 1e3, u->withdraw_per_s.max / 1e3, -u->slowdown_pct.median,
		-u->slowdown_pct.max, -u->slowdown_pct.min);
}

/* ---- the run ---- */

static void usage(void)
{
	fputs("usage: bench-fib [-H] [-r ROUNDS] [-c CORE] [-o OTHER_CORE] [ROUTES...]\n"
	      "  -H: use huge pages, which must be reserved\n",
		stderr);
	exit(2);
}

static bool options(int argc, char **argv)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	bool huge = false;
	int option;

	b.core = (unsigned)(cores - 1);
	b.rounds = 7;
	while ((option = getopt(argc, argv, "Hr:c:o:")) != -1) {
		if (option == 'H')
			huge = true;
		else if (option == 'r')
			b.rounds = atoi(optarg);
		else if (option == 'c')
			b.core = (unsigned)atoi(optarg);
		else if (option == 'o')
			b.other_core = (unsigned)atoi(optarg);
		else
			usage();
	}
	if (b.rounds < 1 || b.rounds > ROUNDS_MAX || b.core >= cores || b.other_core >= cores)
		usage();
	return huge;
}

static void memory(void)
{
	uint32_t max4 = b.v4.n + 65536, max6 = b.v6.n + 65536;
	struct fib4_limits limits4 = fib4_limits_for(max4);
	struct fib6_limits limits6 = fib6_limits_for(max6);

	rib4_init(&b.rib4, rivals_memory(rib4_size(max4)), max4);
	rib6_init(&b.rib6, rivals_memory(rib6_size(max6)), max6);
	b.fib4 = fib4_init(rivals_memory(fib4_size(&limits4)), &limits4);
	b.fib6 = fib6_init(rivals_memory(fib6_size(&limits6)), &limits6);
	b.key = rivals_memory(KEYS * sizeof *b.key);
	b.key4 = rivals_memory(KEYS * sizeof *b.key4);
	b.wire = rivals_memory(KEYS * sizeof *b.wire);
	b.nh = rivals_memory(KEYS * sizeof *b.nh);
	b.nh64 = rivals_memory(KEYS * sizeof *b.nh64);
}

int main(int argc, char **argv)
{
	bool huge = options(argc, argv);
	double ratio[2][PATTERNS] = {{0}}, wire[PATTERNS] = {0};
	struct updates u4 = {0}, u6 = {0};
	struct fib4_stats four;
	struct fib6_stats six;
	cpu_set_t set;

	setvbuf(stdout, NULL, _IOLBF, 0);
	tables_load(argv + optind, argc - optind, &b.v4, &b.v6);
	rivals_begin(huge, b.core);
	CPU_ZERO(&set);
	CPU_SET(b.core, &set);
	sched_setaffinity(0, sizeof set, &set);
	memory();
	printf("core %u, reader on core %u, %s pages for all, %d rounds, times are CPU time\n",
		b.core, b.other_core, huge ? "2 MiB" : "4 KiB", b.rounds);
	build();
	fib4_stats(b.fib4, &four);
	fib6_stats(b.fib6, &six);
	report_tables(&four, &six);
	for (int v6 = 0; v6 < 2; v6++)
		for (enum pattern p = 0; p < PATTERNS && (v6 ? b.v6.n : b.v4.n); p++)
			ratio[v6][p] = contest(p, v6, &wire[p]);
	printf("\nUpdates, RIB and FIB, with a reader on the other core\n");
	if (b.v4.n) {
		keys_make(PATTERN_HIT, &b.v4, 0, b.key, KEYS);
		u4 = updates_run(
			&b.rib4, b.fib4, NULL, NULL, &b.v4, b.key, KEYS, b.other_core, b.rounds);
		report_updates("IPv4", &u4);
	}
	if (b.v6.n) {
		keys_make(PATTERN_HIT, &b.v6, 1, b.key, KEYS);
		u6 = updates_run(
			NULL, NULL, &b.rib6, b.fib6, &b.v6, b.key, KEYS, b.other_core, b.rounds);
		report_updates("IPv6", &u6);
	}
	printf("RESULT {\"v4_rnd_ratio\": %.3f, \"v4_hit_ratio\": %.3f, \"v4_zipf_ratio\": %.3f, "
	       "\"v4_rep16_ratio\": %.3f, \"v6_rnd_ratio\": %.3f, \"v6_hit_ratio\": %.3f, "
	       "\"v6_hit_wire_ratio\": %.3f, \"v6_zipf_ratio\": %.3f, \"v6_rep16_ratio\": %.3f, "
	       "\"bytes_v4\": %zu, \"bytes_v6\": %zu, \"rebuild_ms\": %.2f, "
	       "\"rebuild_v6_ms\": %.2f, \"rte_fib_build_ms\": %.2f, \"rte_fib6_build_ms\": %.2f, "
	       "\"announce_per_s\": %.0f, \"withdraw_per_s\": %.0f, \"reader_slowdown_pct\": %.2f, "
	       "\"announce_v6_per_s\": %.0f, \"withdraw_v6_per_s\": %.0f, "
	       "\"reader_slowdown_v6_pct\": %.2f, \"routes_v4\": %u, \"routes_v6\": %u, "
	       "\"huge_pages\": %s}\n",
		ratio[0][0], ratio[0][1], ratio[0][2], ratio[0][3], ratio[1][0], ratio[1][1],
		wire[PATTERN_HIT], ratio[1][2], ratio[1][3], four.bytes, six.bytes,
		b.rebuild4_ms.median, b.rebuild6_ms.median, b.rival4[0].build_ms,
		b.rival6[0].build_ms, u4.announce_per_s.median, u4.withdraw_per_s.median,
		u4.slowdown_pct.median, u6.announce_per_s.median, u6.withdraw_per_s.median,
		u6.slowdown_pct.median, b.v4.n, b.v6.n, huge ? "true" : "false");
	return 0;
}

/*
 * The tables alone against DPDK's, on the same keys, by turns: access lists against rte_acl, the
 * table of sessions against rte_hash (hash.c).
 *
 *   tables [--huge] [--rounds N] [--core N] [--rules N]... [--kind K] [--keys N]...
 *
 * Keys are flows of flows.h for the list, TABLES_BATCH of them at a time, drawn from all in no
 * order. Both answers to each key are compared before anything is timed. A round looks all keys up
 * once on each side, timed in windows short against a time slice; cycles per key are the medians of
 * windows. Prints a line of JSON.
 */
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "lib/byteorder.h"
#include "net/path/session.h"
#include "net/table/acl_table.h"
#include "test/bench/fib/clock.h"
#include "test/bench/flow/flows.h"
#include "test/bench/flow/rivals.h"
#include "test/bench/flow/times.h"

#define KEYS       65536u
#define METHODS    8u
#define ROUNDS_MAX 1000u
#define LIST_BYTES (64u << 20)
#define SEED       1u

static unsigned rounds = 31, core;
static bool huge;
static unsigned sizes[8], sizes_n;
static int only_kind = -1;
static unsigned hashes[8], hashes_n; /* keys */

/* The same keys in the words of each side. */
static struct keys {
	uint32_t src[KEYS], dst[KEYS], ports[KEYS];
	uint16_t kind[KEYS], rule[KEYS];
	struct rival_key rival[KEYS];
	const struct rival_key *rival_at[KEYS];
	uint32_t rival_rule[KEYS];
} * keys;

void tables_fail(const char *what)
{
	fprintf(stderr, "tables: %s\n", what);
	exit(1);
}

static int order(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return a < b ? -1 : a > b;
}

double times_quantile(struct times *t, double part)
{
	qsort(t->window, t->n, sizeof *t->window, order);
	return t->n ? t->window[(unsigned)(part * (t->n - 1))] : 0;
}

void times_print(const char *name, struct times *t)
{
	printf("\"%s\": {\"p50\": %.2f, \"p10\": %.2f, \"p90\": %.2f}", name,
		times_quantile(t, 0.5), times_quantile(t, 0.1), times_quantile(t, 0.9));
}

/* ---- keys ---- */

static void make_keys(const struct acl_rule *rule, unsigned n)
{
	struct flow *flow = calloc(KEYS, sizeof *flow);

	if (!flow)
		tables_fail("no memory");
	flows_make(flow, KEYS, rule, n, false, SEED);
	for (unsigned i = 0; i < KEYS; i++) {
		const struct flow *f = &flow[i];
		struct rival_key *r = &keys->rival[i];

		keys->src[i] = f->src;
		keys->dst[i] = f->dst;
		keys->ports[i] = f->ports;
		keys->kind[i] = acl_kind(f->protocol, false, false);
		*r = (struct rival_key){.protocol = f->protocol};
		store_be32(&r->src, f->src);
		store_be32(&r->dst, f->dst);
		store_be16(&r->from_port, (uint16_t)(f->ports >> 16));
		store_be16(&r->to_port, (uint16_t)f->ports);
		keys->rival_at[i] = r;
	}
	free(flow);
}

/* ---- access lists ---- */

/* For the greatest list. */
static void *list_memory, *scratch;

static const struct acl *compile(const struct acl_rule *rule, unsigned n, double *ms)
{
	double begin = clock_ms();
	struct acl_build *b = acl_build_begin(scratch, list_memory, LIST_BYTES, rule, n, 4);
	bool done = false;

	while (!done)
		if (acl_build_step(b, 1000, &done))
			tables_fail("a list does not fit");
	*ms = clock_ms() - begin;
	return acl_build_end(b);
}

static void look_ours(const struct acl *acl, struct times *t)
{
	times_begin(t);
	for (unsigned i = 0; i < KEYS; i += TABLES_BATCH) {
		acl_lookup4(acl, keys->src + i, keys->dst + i, keys->ports + i, keys->kind + i,
			keys->rule + i, TABLES_BATCH);
		times_pass(t, i + TABLES_BATCH);
	}
}

static void look_theirs(const void *acl, struct times *t)
{
	times_begin(t);
	for (unsigned i = 0; i < KEYS; i += TABLES_BATCH) {
		rival_acl_lookup(acl, keys->rival_at + i, keys->rival_rule + i, TABLES_BATCH);
		times_pass(t, i + TABLES_BATCH);
	}
}

/* How many keys meet a rule. */
static unsigned compare(const struct acl *ours, void *theirs)
{
	static struct times none;
	unsigned met = 0;

	none.n = 0;
	look_ours(ours, &none);
	look_theirs(theirs, &none);
	for (unsigned i = 0; i < KEYS; i++) {
		uint32_t rule = keys->rule[i] == ACL_NONE ? 0 : keys->rule[i] + 1u;

		if (rule != keys->rival_rule[i])
			tables_fail("the two say different things of a key");
		met += rule != 0;
	}
	return met;
}

static void time_lists(const struct acl *ours, void *theirs)
{
	static struct times mine, of[METHODS];
	const char *name[METHODS];
	unsigned methods = 0, best = 0;

	while (methods < METHODS && (name[methods] = rival_acl_method(theirs, methods)))
		methods++;
	mine.n = 0;
	for (unsigned m = 0; m < methods; m++)
		of[m].n = 0;
	for (unsigned r = 0; r < rounds; r++) {
		look_ours(ours, &mine);
		for (unsigned m = 0; m < methods; m++) {
			(void)rival_acl_method(theirs, m);
			look_theirs(theirs, &of[m]);
		}
	}
	for (unsigned m = 1; m < methods; m++)
		best = times_quantile(&of[m], 0.5) < times_quantile(&of[best], 0.5) ? m : best;
	times_print("ours", &mine);
	printf(", ");
	times_print("rte_acl", &of[best]);
	printf(", \"method\": \"%s\", \"ratio\": %.3f, \"ratio_p10\": %.3f", name[best],
		times_quantile(&of[best], 0.5) / times_quantile(&mine, 0.5),
		times_quantile(&of[best], 0.1) / times_quantile(&mine, 0.1));
}

static void one_list(enum aclgen_kind kind, unsigned n)
{
	struct acl_rule *rule = calloc(n, sizeof *rule);
	double build, theirs_build;
	char name[32];

	if (!rule)
		tables_fail("no memory");
	flows_rules(rule, n, kind, SEED);
	make_keys(rule, n);
	const struct acl *ours = compile(rule, n, &build);
	double begin = clock_ms();

	snprintf(name, sizeof name, "%s%u", flows_kind_name[kind], n);
	void *theirs = rival_acl_make(name, rule, n);

	theirs_build = clock_ms() - begin;
	unsigned met = compare(ours, theirs);

	printf("{\"kind\": \"%s\", \"rules\": %u, \"met\": %.3f, \"kib\": %zu, ",
		flows_kind_name[kind], n, (double)met / KEYS, acl_bytes(ours) >> 10);
	printf("\"build_ms\": %.2f, \"rte_build_ms\": %.1f, ", build, theirs_build);
	time_lists(ours, theirs);
	printf("}");
	rival_acl_free(theirs);
	free(rule);
}

static unsigned number(const char *text, unsigned long max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!*text || *end || n > max)
		tables_fail("not a number that fits");
	return (unsigned)n;
}

static void read_options(int argc, char **argv)
{
	static const struct option words[] = {{"huge", no_argument, NULL, 'h'},
		{"rounds", required_argument, NULL, 'r'}, {"core", required_argument, NULL, 'c'},
		{"rules", required_argument, NULL, 'n'}, {"kind", required_argument, NULL, 'k'},
		{"keys", required_argument, NULL, 'y'}, {0}};
	enum aclgen_kind kind;
	int c;

	while ((c = getopt_long(argc, argv, "", words, NULL)) != -1) {
		if (c == 'h')
			huge = true;
		else if (c == 'r')
			rounds = number(optarg, ROUNDS_MAX);
		else if (c == 'c')
			core = number(optarg, 1023);
		else if (c == 'n' && sizes_n < sizeof sizes / sizeof *sizes)
			sizes[sizes_n++] = number(optarg, ACL_RULES_MAX);
		else if (c == 'y' && hashes_n < sizeof hashes / sizeof *hashes)
			hashes[hashes_n++] = number(optarg, 1u << 24);
		else if (c == 'k' && flows_kind(optarg, &kind))
			only_kind = (int)kind;
		else
			exit(2);
	}
	if (!rounds || rounds > ROUNDS_MAX)
		tables_fail("--rounds of 1 to 1000");
}

int main(int argc, char **argv)
{
	static const char *const forms[] = {"x86-64", "x86-64-v3", "x86-64-v4"};
	bool first = true;

	read_options(argc, argv);
	rivals_begin(huge, core);
	__builtin_cpu_init();
	const char *form = forms[__builtin_cpu_supports("x86-64-v4")   ? 2
				 : __builtin_cpu_supports("x86-64-v3") ? 1
								       : 0];

	acl_select(form);
	session_select(form);
	keys = rivals_memory(sizeof *keys);
	list_memory = rivals_memory(LIST_BYTES);
	scratch = rivals_memory(acl_scratch_bytes(ACL_RULES_MAX));
	printf("{\"acl\": [");
	for (unsigned s = 0; s < sizes_n; s++)
		for (unsigned k = 0; k < ACLGEN_KINDS; k++) {
			if (only_kind >= 0 && k != (unsigned)only_kind)
				continue;
			printf("%s", first ? "" : ", ");
			first = false;
			one_list((enum aclgen_kind)k, sizes[s]);
		}
	printf("], \"hash\": [");
	for (unsigned h = 0; h < 2 * hashes_n; h++) {
		printf("%s", h ? ", " : "");
		hash_compare(hashes[h / 2], h % 2, rounds);
	}
	puts("]}");
	return 0;
}

/*
 * The table of sessions against rte_hash: hit, miss, insert.
 *
 * A session is found by two keys; so n keys are n / 2 sessions. Both sides have the same keys and
 * are asked for them in the same order, TABLES_BATCH at a time, by turns; what they answer is
 * compared first. To insert is to begin a session, counted by key, and to add a key with a word.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/byteorder.h"
#include "net/path/session.h"
#include "test/bench/flow/flows.h"
#include "test/bench/flow/rivals.h"
#include "test/bench/flow/times.h"

#define LOOKS    (1u << 18) /* keys looked up in a round */
#define BATCHES  (LOOKS / TABLES_BATCH)
#define SOME     9999u /* rules that flows are drawn for */
#define SEED     3u
#define ABSENT   0x80000000u /* no flow goes to such an address (flows.h) */
#define HASH_FEW 1024u

/* The same keys in the words of each side, in the order in which they are looked up. */
static struct looks {
	struct session_ask ask[BATCHES];
	struct rival_key key[LOOKS];
	const struct rival_key *at[LOOKS];
} * looks;

static struct times ours, theirs;

static struct rival_key rival_key(const struct flow *f)
{
	struct rival_key k = {.protocol = f->protocol};

	store_be32(&k.src, f->src);
	store_be32(&k.dst, f->dst);
	store_be16(&k.from_port, (uint16_t)(f->ports >> 16));
	store_be16(&k.to_port, (uint16_t)f->ports);
	return k;
}

static struct flow_key session_key(const struct flow *f)
{
	return (struct flow_key){.src = {0, f->src},
		.dst = {0, f->dst},
		.ports = f->ports,
		.protocol = f->protocol,
		.family = 4};
}

static struct flow *make_flows(uint32_t n)
{
	struct acl_rule *rule = calloc(SOME, sizeof *rule);
	struct flow *flow = rivals_memory(n * sizeof *flow);

	if (!rule)
		tables_fail("no memory");
	flows_rules(rule, SOME, ACLGEN_ACCESS, SEED);
	flows_make(flow, n, rule, SOME, false, SEED);
	free(rule);
	return flow;
}

/* ---- inserting ---- */

static struct sessions *fill_ours(const struct flow *flow, uint32_t n, void *memory)
{
	struct sessions *s = rivals_memory(sizeof *s);

	sessions_init(s, memory, n / 2 + HASH_FEW, SEED);
	ours.n = 0;
	times_begin(&ours);
	for (uint32_t i = 0; i + 1 < n; i += 2) {
		struct flow_key key[2] = {session_key(&flow[i]), session_key(&flow[i + 1])};

		if (!session_begin(s, &key[0], &key[1], 1))
			tables_fail("no room for a session");
		times_pass(&ours, i + 2);
	}
	return s;
}

static void *fill_theirs(const struct flow *flow, uint32_t n)
{
	void *hash = rival_hash_make(n + HASH_FEW);

	theirs.n = 0;
	times_begin(&theirs);
	for (uint32_t i = 0; i < n; i++) {
		struct rival_key key = rival_key(&flow[i]);

		if (!rival_hash_add(hash, &key, i))
			tables_fail("rte_hash is full");
		times_pass(&theirs, i + 1);
	}
	return hash;
}

/* ---- looking up ---- */

/* all of them are there, or none. */
static void make_looks(const struct flow *flow, const uint32_t *order, bool there)
{
	for (uint32_t i = 0; i < LOOKS; i++) {
		struct flow f = flow[order[i]];
		struct session_ask *ask = &looks->ask[i / TABLES_BATCH];
		unsigned k = i % TABLES_BATCH;

		f.dst |= there ? 0 : ABSENT;
		looks->key[i] = rival_key(&f);
		looks->at[i] = &looks->key[i];
		ask->src[k] = f.src;
		ask->dst[k] = f.dst;
		ask->ports[k] = f.ports;
		ask->protocol[k] = f.protocol;
	}
}

/* What is found is read, as who asks would do. */
static uint64_t look_ours(const struct sessions *s)
{
	struct way *way[TABLES_BATCH];
	uint64_t found = 0;

	times_begin(&ours);
	for (uint32_t i = 0; i < LOOKS; i += TABLES_BATCH) {
		session_find4(s, &looks->ask[i / TABLES_BATCH], way, TABLES_BATCH);
		for (unsigned k = 0; k < TABLES_BATCH; k++)
			found += way[k] != NULL;
		times_pass(&ours, i + TABLES_BATCH);
	}
	return found;
}

static uint64_t look_theirs(const void *hash)
{
	void *data[TABLES_BATCH];
	uint64_t found = 0;

	times_begin(&theirs);
	for (uint32_t i = 0; i < LOOKS; i += TABLES_BATCH) {
		found += (unsigned)__builtin_popcountll(
			rival_hash_lookup(hash, looks->at + i, data, TABLES_BATCH));
		times_pass(&theirs, i + TABLES_BATCH);
	}
	return found;
}

static void print_both(const char *what)
{
	printf(", \"%s\": {", what);
	times_print("ours", &ours);
	printf(", ");
	times_print("rte_hash", &theirs);
	printf(", \"ratio\": %.3f}", times_quantile(&theirs, 0.5) / times_quantile(&ours, 0.5));
}

static void time_looks(const char *what, const struct sessions *s, const void *hash, uint64_t found,
	unsigned rounds)
{
	if (look_ours(s) != found || look_theirs(hash) != found)
		tables_fail("keys are found that are not there, or not found");
	ours.n = theirs.n = 0;
	for (unsigned r = 0; r < rounds; r++) {
		(void)look_ours(s);
		(void)look_theirs(hash);
	}
	print_both(what);
}

void hash_compare(uint32_t n, bool zipf, unsigned rounds)
{
	size_t bytes = sessions_bytes(n / 2 + HASH_FEW);
	uint32_t *order = calloc(LOOKS > n ? LOOKS : n, sizeof *order);
	void *memory = rivals_memory(bytes);
	struct flow *flow = make_flows(n);

	if (!order)
		tables_fail("no memory");
	if (!looks)
		looks = rivals_memory(sizeof *looks);
	printf("{\"keys\": %u, \"zipf\": %s, \"kib\": %zu", n, zipf ? "true" : "false",
		bytes >> 10);
	struct sessions *s = fill_ours(flow, n, memory);
	void *hash = fill_theirs(flow, n);

	print_both("insert");
	flows_order(order, LOOKS > n ? LOOKS : n, n, zipf, SEED);
	make_looks(flow, order, true);
	time_looks("hit", s, hash, LOOKS, rounds);
	make_looks(flow, order, false);
	time_looks("miss", s, hash, 0, rounds);
	printf("}");
	rival_hash_free(hash);
	rivals_release(s);
	rivals_release(flow);
	rivals_release(memory);
	free(order);
}

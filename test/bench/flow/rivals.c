/* DPDK's classifier and hash table: made, looked up. */
#include <rte_acl.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_malloc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/bench/flow/rivals.h"

#define FIELDS 5

RTE_ACL_RULE_DEF(rival_rule, FIELDS);

_Static_assert(sizeof(struct rival_key) == 16, "a key is 16 bytes");

static const struct {
	const char *name;
	enum rte_acl_classify_alg alg;
} methods[] = {{"AVX-512, 32 at once", RTE_ACL_CLASSIFY_AVX512X32},
	{"AVX-512, 16 at once", RTE_ACL_CLASSIFY_AVX512X16}, {"AVX2", RTE_ACL_CLASSIFY_AVX2},
	{"SSE", RTE_ACL_CLASSIFY_SSE}};

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "flow: %s: %s\n", what, rte_strerror(rte_errno));
	exit(1);
}

void rivals_begin(bool huge, unsigned core)
{
	char cores[16];
	const char *args[] = {"bench-flow", huge ? "--in-memory" : "--no-huge",
		huge ? "--single-file-segments" : "--no-shconf", "-m", huge ? "64" : "3072", "-l",
		cores, "--force-max-simd-bitwidth=512", "--no-telemetry", "--no-pci",
		"--log-level=lib.eal:error"};

	snprintf(cores, sizeof cores, "%u", core);
	if (rte_eal_init(sizeof args / sizeof *args, (char **)(uintptr_t)args) < 0)
		fail("DPDK does not start");
}

void *rivals_memory(size_t bytes)
{
	void *p = rte_zmalloc(NULL, bytes, 4096);

	if (!p)
		fail("no more of DPDK's memory");
	return p;
}

void rivals_release(void *memory)
{
	rte_free(memory);
}

/* ---- rte_acl ---- */

/* The first field is one byte; the others are read in fours. */
static const struct rte_acl_field_def fields[FIELDS] = {
	{RTE_ACL_FIELD_TYPE_BITMASK, 1, 0, 0, offsetof(struct rival_key, protocol)},
	{RTE_ACL_FIELD_TYPE_MASK, 4, 1, 1, offsetof(struct rival_key, src)},
	{RTE_ACL_FIELD_TYPE_MASK, 4, 2, 2, offsetof(struct rival_key, dst)},
	{RTE_ACL_FIELD_TYPE_RANGE, 2, 3, 3, offsetof(struct rival_key, from_port)},
	{RTE_ACL_FIELD_TYPE_RANGE, 2, 4, 3, offsetof(struct rival_key, to_port)}};

static void add_rule(struct rte_acl_ctx *acl, const struct acl_rule *r, unsigned i, unsigned n)
{
	struct rival_rule rule = {
		.data = {.category_mask = 1, .priority = (int32_t)(n - i), .userdata = i + 1}};

	rule.field[0].value.u8 = r->any_protocol ? 0 : r->protocol;
	rule.field[0].mask_range.u8 = r->any_protocol ? 0 : 0xff;
	rule.field[1].value.u32 = (uint32_t)r->from.lo;
	rule.field[1].mask_range.u32 = r->from_length;
	rule.field[2].value.u32 = (uint32_t)r->to.lo;
	rule.field[2].mask_range.u32 = r->to_length;
	rule.field[3].value.u16 = r->ports ? r->from_port[0] : 0;
	rule.field[3].mask_range.u16 = r->ports ? r->from_port[1] : 65535;
	rule.field[4].value.u16 = r->ports ? r->to_port[0] : 0;
	rule.field[4].mask_range.u16 = r->ports ? r->to_port[1] : 65535;
	if (rte_acl_add_rules(acl, (const struct rte_acl_rule *)&rule, 1) != 0)
		fail("rte_acl_add_rules");
}

void *rival_acl_make(const char *name, const struct acl_rule *rule, unsigned n)
{
	struct rte_acl_param param = {.name = name,
		.socket_id = SOCKET_ID_ANY,
		.rule_size = RTE_ACL_RULE_SZ(FIELDS),
		.max_rule_num = n};
	struct rte_acl_config config = {.num_categories = 1, .num_fields = FIELDS};
	struct rte_acl_ctx *acl = rte_acl_create(&param);

	if (!acl)
		fail("rte_acl_create");
	for (unsigned i = 0; i < n; i++)
		add_rule(acl, &rule[i], i, n);
	memcpy(config.defs, fields, sizeof fields);
	if (rte_acl_build(acl, &config) != 0)
		fail("rte_acl_build");
	return acl;
}

void rival_acl_free(void *acl)
{
	rte_acl_free(acl);
}

const char *rival_acl_method(void *acl, unsigned i)
{
	for (unsigned k = 0; k < sizeof methods / sizeof *methods; k++)
		if (rte_acl_set_ctx_classify(acl, methods[k].alg) == 0 && i-- == 0)
			return methods[k].name;
	return NULL;
}

void rival_acl_lookup(
	const void *acl, const struct rival_key *const *key, uint32_t *rule, unsigned n)
{
	(void)rte_acl_classify(acl, (const uint8_t **)(uintptr_t)key, rule, n, 1);
}

/* ---- rte_hash ---- */

void *rival_hash_make(uint32_t keys)
{
	struct rte_hash_parameters p = {.name = "flows",
		.entries = keys,
		.key_len = sizeof(struct rival_key),
		.hash_func = rte_hash_crc,
		.socket_id = SOCKET_ID_ANY};
	struct rte_hash *hash = rte_hash_create(&p);

	if (!hash)
		fail("rte_hash_create");
	return hash;
}

void rival_hash_free(void *hash)
{
	rte_hash_free(hash);
}

bool rival_hash_add(void *hash, const struct rival_key *key, uint64_t data)
{
	return rte_hash_add_key_data(hash, key, (void *)(uintptr_t)data) == 0;
}

void rival_hash_delete(void *hash, const struct rival_key *key)
{
	(void)rte_hash_del_key(hash, key);
}

uint64_t rival_hash_lookup(
	const void *hash, const struct rival_key *const *key, void **data, unsigned n)
{
	uint64_t hits = 0;

	(void)rte_hash_lookup_bulk_data(hash, (const void **)(uintptr_t)key, n, &hits, data);
	return hits;
}

/* DPDK's tables: made, measured, looked up. */
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_malloc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/bench/fib/clock.h"
#include "test/bench/fib/rivals.h"

static const struct {
	const char *name;
	int type;
} forms4[] = {{"scalar", RTE_FIB_LOOKUP_DIR24_8_SCALAR_MACRO},
	{"scalar, inline", RTE_FIB_LOOKUP_DIR24_8_SCALAR_INLINE},
	{"scalar, uni", RTE_FIB_LOOKUP_DIR24_8_SCALAR_UNI},
	{"AVX-512", RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512}},
  forms6[] = {
	  {"scalar", RTE_FIB6_LOOKUP_TRIE_SCALAR}, {"AVX-512", RTE_FIB6_LOOKUP_TRIE_VECTOR_AVX512}};

void rivals_begin(bool huge, unsigned core)
{
	char cores[16];
	const char *args[] = {"bench-fib", huge ? "--in-memory" : "--no-huge",
		huge ? "--single-file-segments" : "--no-shconf", "-m", huge ? "64" : "4096", "-l",
		cores, "--force-max-simd-bitwidth=512", "--no-telemetry", "--no-pci",
		"--log-level=lib.eal:error"};

	snprintf(cores, sizeof cores, "%u", core);
	if (rte_eal_init(sizeof args / sizeof *args, (char **)(uintptr_t)args) < 0) {
		fprintf(stderr, "bench-fib: DPDK does not start: %s\n", rte_strerror(rte_errno));
		exit(1);
	}
}

void *rivals_memory(size_t bytes)
{
	void *p = rte_zmalloc(NULL, bytes, 64);

	if (!p) {
		fprintf(stderr, "bench-fib: no %zu bytes in DPDK's memory\n", bytes);
		exit(1);
	}
	return p;
}

static bool make4(struct rival *r, const struct table *t, unsigned groups)
{
	struct rte_fib_conf conf = {.type = RTE_FIB_DIR24_8, .max_routes = (int)t->n + 1024};
	struct rte_fib *fib;

	conf.dir24_8.nh_sz = r->next_hop_bytes == 2 ? RTE_FIB_DIR24_8_2B : RTE_FIB_DIR24_8_4B;
	conf.dir24_8.num_tbl8 = groups;
	fib = r->fib = rte_fib_create(r->name, 0, &conf);
	if (!fib)
		return false;
	for (uint32_t i = 0; i < t->n; i++)
		if (rte_fib_add(fib, (uint32_t)(t->route[i].prefix.hi >> 32), t->route[i].length,
			    t->route[i].nexthop))
			return false;
	return true;
}

static void wire(struct ip6 a, uint8_t out[16])
{
	uint64_t w[2] = {__builtin_bswap64(a.hi), __builtin_bswap64(a.lo)};

	memcpy(out, w, 16);
}

static bool make6(struct rival *r, const struct table *t, unsigned groups)
{
	struct rte_fib6_conf conf = {.type = RTE_FIB6_TRIE, .max_routes = (int)t->n + 1024};
	struct rte_fib6 *fib;

	conf.trie.nh_sz = r->next_hop_bytes == 2 ? RTE_FIB6_TRIE_2B : RTE_FIB6_TRIE_4B;
	conf.trie.num_tbl8 = groups;
	fib = r->fib = rte_fib6_create(r->name, 0, &conf);
	if (!fib)
		return false;
	for (uint32_t i = 0; i < t->n; i++) {
		uint8_t prefix[16];

		wire(t->route[i].prefix, prefix);
		if (rte_fib6_add(fib, prefix, t->route[i].length, t->route[i].nexthop))
			return false;
	}
	return true;
}

/* The forms of looking up that this machine has. */
static void find_forms(struct rival *r)
{
	int n = r->v6 ? (int)(sizeof forms6 / sizeof *forms6)
		      : (int)(sizeof forms4 / sizeof *forms4);

	r->forms = 0;
	for (int i = 0; i < n; i++) {
		r->form[r->forms] = r->v6 ? forms6[i].name : forms4[i].name;
		if (r->v6 ? !rte_fib6_select_lookup(r->fib, forms6[i].type)
			  : !rte_fib_select_lookup(r->fib, forms4[i].type))
			r->forms++;
	}
}

bool rival_make(struct rival *r, const struct table *t, int v6, unsigned next_hop_bytes)
{
	unsigned most = next_hop_bytes == 2 ? 32767 : 1u << 19;

	*r = (struct rival){.next_hop_bytes = next_hop_bytes, .v6 = v6};
	snprintf(r->name, sizeof r->name, "%s %u B", v6 ? "rte_fib6" : "rte_fib", next_hop_bytes);
	for (unsigned groups = 4096;; groups = groups * 2 > most ? most : groups * 2) {
		double start = clock_ms();
		bool good = v6 ? make6(r, t, groups) : make4(r, t, groups);

		r->build_ms = clock_ms() - start;
		r->bytes = ((1ul << 24) + groups * 256ul) * next_hop_bytes;
		if (good)
			break;
		rival_free(r);
		if (groups == most)
			return false;
	}
	find_forms(r);
	return true;
}

void rival_free(struct rival *r)
{
	if (r->fib)
		r->v6 ? rte_fib6_free(r->fib) : rte_fib_free(r->fib);
	r->fib = NULL;
}

void rival_select(const struct rival *r, int form)
{
	for (unsigned i = 0;
		i < (r->v6 ? sizeof forms6 / sizeof *forms6 : sizeof forms4 / sizeof *forms4);
		i++) {
		if (strcmp(r->form[form], r->v6 ? forms6[i].name : forms4[i].name) != 0)
			continue;
		if (r->v6)
			rte_fib6_select_lookup(r->fib, forms6[i].type);
		else
			rte_fib_select_lookup(r->fib, forms4[i].type);
	}
}

void rival_lookup4(const struct rival *r, const uint32_t *dst, uint64_t *nh, unsigned n)
{
	rte_fib_lookup_bulk(r->fib, (uint32_t *)(uintptr_t)dst, nh, (int)n);
}

void rival_lookup6(const struct rival *r, uint8_t (*dst)[16], uint64_t *nh, unsigned n)
{
	rte_fib6_lookup_bulk(r->fib, dst, nh, (int)n);
}

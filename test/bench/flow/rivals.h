/*
 * DPDK's rte_acl and rte_hash, for comparison; and its memory, from which our tables and the keys
 * come as well, so that all lie in the same kind of pages.
 */
#ifndef TEST_BENCH_FLOW_RIVALS_H
#define TEST_BENCH_FLOW_RIVALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/table/acl.h"

/* What both look for; addresses and ports in wire order. 16 bytes. */
struct rival_key {
	uint8_t protocol, zero[3];
	uint32_t src, dst;
	uint16_t from_port, to_port;
};

/* Starts DPDK on one core, with huge pages or without. Exits if it does not start. */
void rivals_begin(bool huge, unsigned core);

/* Zeroed, on a page of its own; exits if there is no more. */
void *rivals_memory(size_t bytes);
void rivals_release(void *memory);

/* ---- rte_acl ---- */

/* Compiles a list of IPv4 rules, the first one first. Exits if it cannot be. */
void *rival_acl_make(const char *name, const struct acl_rule *rule, unsigned n);
void rival_acl_free(void *acl);

/* Chooses method i, from 0. NULL: there is none, else its name; skipped are those that this
 * machine does not have. */
const char *rival_acl_method(void *acl, unsigned i);

/* The rule's number, from 1, for each of n keys; 0: none matches. */
void rival_acl_lookup(
	const void *acl, const struct rival_key *const *key, uint32_t *rule, unsigned n);

/* ---- rte_hash ---- */

/* For so many keys; each has a word. Exits if it cannot be. */
void *rival_hash_make(uint32_t keys);
void rival_hash_free(void *hash);
/* false: it is full. */
bool rival_hash_add(void *hash, const struct rival_key *key, uint64_t data);
void rival_hash_delete(void *hash, const struct rival_key *key);
/* Looks up n keys, at most 64. Which were found. */
uint64_t rival_hash_lookup(
	const void *hash, const struct rival_key *const *key, void **data, unsigned n);

#endif

/*
 * The rules of NAT, as workers look them up: constant while published.
 *
 * Rules stand in blocks of sixteen, and each thing that a rule asks stands by itself, so that a
 * block is a few vector operations; the first block with a match has the first match. What is
 * asked of an address alone (is it inside, external, a target) is a set of ranges.
 */
#ifndef NET_PATH_NAT_RULES_H
#define NET_PATH_NAT_RULES_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "net/path/flow_key.h"

#define NAT_BLOCK   16u
#define NAT_NO_RULE 0xffffu

/* What sixteen rules ask. Places without a rule match nothing. */
struct nat_block {
	alignas(CACHE_LINE) uint32_t src[NAT_BLOCK];
	uint32_t src_mask[NAT_BLOCK];
	uint32_t dst[NAT_BLOCK], dst_mask[NAT_BLOCK];
	uint32_t kind[NAT_BLOCK], kind_mask[NAT_BLOCK]; /* interface << 16 | protocol */
	uint32_t port[NAT_BLOCK], port_span[NAT_BLOCK]; /* destination: port to port + span */
};

/* What one rule asks. Masks: bits that are compared. */
struct nat_match {
	uint32_t src, src_mask, dst, dst_mask;
	uint16_t iface;
	uint8_t protocol;
	bool any_protocol;
	bool ports; /* of TCP and UDP alone; port_first to port_last is asked */
	uint16_t port_first, port_last;
};

/* What a rule of source NAT does. */
struct nat_source_rule {
	uint32_t first, last;           /* addresses it gives out */
	uint16_t port_first, port_last; /* ports it may give out; 0, 0: all, RFC 4787 REQ-3 */
	uint16_t slot;                  /* where it is counted */
	uint16_t out;                   /* interface */
	bool exempt;                    /* it gives out nothing */
};

/* What a rule of destination NAT does. */
struct nat_destination_rule {
	uint32_t to;      /* address, */
	uint32_t address; /* and what it becomes */
	uint16_t port_first, port_last;
	uint16_t to_port; /* port_first becomes that, and so on; 0: ports stay */
	uint16_t slot;
	uint8_t protocol;
	bool any_protocol;
};

struct nat_range {
	uint32_t first, last;
};

/* Addresses: ranges in order, none overlaps. */
struct nat_set {
	struct nat_range *range;
	uint32_t ranges;
};

struct nat_rules {
	uint32_t version; /* every set of rules has its own; not 0 */
	uint32_t max;     /* rules of each kind; constant, as are the pointers */
	uint32_t sources, destinations;
	struct nat_block *source_block, *destination_block;
	struct nat_source_rule *source;
	struct nat_destination_rule *destination;
	uint16_t *reserved;    /* destination rules, by `to` and first port: not given out there */
	struct nat_set inside; /* whose packets source NAT may give another address */
	struct nat_set external; /* what source NAT gives out */
	struct nat_set target;   /* where destination NAT leads to */
	struct nat_set aimed;    /* what it is about */
};

/* ---- nat_build.c: control core, before they are published ---- */

/* A rule of source NAT, or of destination NAT: match is of one `to` address then. */
struct nat_source_spec {
	struct nat_match match;
	struct nat_source_rule rule; /* but `out` */
};

struct nat_destination_spec {
	struct nat_match match;
	uint32_t address;
	uint16_t to_port, slot;
};

/* Bytes for so many rules of each kind; a set without any, in that memory, 64-byte aligned. */
uint64_t nat_rules_bytes(unsigned max);
void nat_rules_init(struct nat_rules *rules, void *memory, unsigned max);

/* Begins anew; adds a rule behind those there are; the last step. No more than there is room for.
 */
void nat_rules_begin(struct nat_rules *rules);
void nat_rules_add_source(struct nat_rules *rules, const struct nat_source_spec *spec);
void nat_rules_add_destination(struct nat_rules *rules, const struct nat_destination_spec *spec);
void nat_rules_end(struct nat_rules *rules, uint32_t version);

/* ---- for workers ---- */

/*
 * The first of n rules from `from` on that a key matches at an interface, or NAT_NO_RULE; iface
 * NAT_NO_RULE: at any. Any core.
 */
unsigned nat_block_find(const struct nat_block *block, unsigned n, unsigned from, unsigned iface,
	const struct flow_key *key);

/* Any core. */
bool nat_set_has(const struct nat_set *set, uint32_t address);

/*
 * Applies the rule of destination NAT that a key matches at an interface. Its number, or
 * NAT_NO_RULE. *hairpin: the rule of source NAT that lets the packet come back the way it went out
 * (RFC 4787 REQ-9), of a packet from inside; or NAT_NO_RULE. Any core.
 */
unsigned nat_rules_destination(
	const struct nat_rules *rules, unsigned iface, struct flow_key *key, unsigned *hairpin);

/* The rule of source NAT that a key matches at an interface, or NAT_NO_RULE. Any core. */
unsigned nat_rules_source(
	const struct nat_rules *rules, unsigned iface, const struct flow_key *key);

/* The external address that a rule gives an inside one: always the same (RFC 4787 REQ-2). */
uint32_t nat_rules_address(const struct nat_source_rule *rule, uint32_t inside);

/*
 * The ports of one block of 64, from `first` on, of an external address that must not be given to
 * `inside`, since a rule of destination NAT leads them to somebody else: a mask.
 */
uint64_t nat_rules_reserved(const struct nat_rules *rules, uint32_t external, uint32_t inside,
	uint8_t protocol, uint16_t first);

/* In `reserved`, the first rule of an address, or of one behind it. Any core. */
uint32_t nat_rules_first(const struct nat_rules *rules, uint32_t to);

/* Whether a rule keeps its ports from `inside`. Any core. */
bool nat_rule_reserves(const struct nat_destination_rule *rule, uint32_t inside, uint8_t protocol);

#endif

/*
 * A path-compressed binary trie of prefixes: what the routing tables stand on.
 *
 * Keys are 128 bits, left-aligned; an IPv4 address is the top 32 bits. A node
 * stands for a prefix. It carries a value (not zero), or is there because two
 * subtrees part below it, or is the root, which always exists. Nodes are named
 * by index into one array, 0 for none.
 *
 * Neither a descent nor the search for a cover goes by way of the root: for every
 * value of the key's first index_bits bits, index[] has the longest node, and the
 * longest one with a value, that is no longer than that and covers it (0: the
 * root). In a full table that saves some ten steps, each a cache miss.
 *
 * In order, a node comes before the nodes inside it, and those by address. The
 * control core alone uses a trie.
 */
#ifndef NET_TABLE_TRIE_H
#define NET_TABLE_TRIE_H

#include <stddef.h>
#include <stdint.h>

#include "net/table/ip6.h"

#define TRIE_NONE 0u
#define TRIE_ROOT 1u
#define TRIE_MAX  0xffffffu /* highest value, and highest node */

struct trie_node {
	struct ip6 key;     /* the prefix, bits beyond length zero */
	uint64_t left : 24; /* children, by the bit after the prefix */
	uint64_t right : 24;
	uint64_t tag : 16; /* the owner's, with the value */
	uint64_t parent : 24;
	uint64_t value : 24; /* 0: none; set by trie_set_value */
	uint64_t length : 8;
};

_Static_assert(sizeof(struct trie_node) == 32, "two nodes a cache line");

struct trie_index {
	uint32_t node, valued;
};

struct trie {
	struct trie_node *node;
	struct trie_index *index;
	unsigned index_bits;
	uint32_t used, max; /* node numbers ever used are below `used`; `max` exist */
	uint32_t free;      /* list of reusable nodes, by left */
	uint32_t nodes;     /* in the trie now */
};

/* Bytes for a trie of up to `prefixes` prefixes with values, 1 <= index_bits <= 24. */
size_t trie_size(uint32_t prefixes, unsigned index_bits);

/* mem: trie_size bytes, 64-byte aligned. Only the index in it is written. */
void trie_init(struct trie *t, void *mem, uint32_t prefixes, unsigned index_bits);

/*
 * Brings to the cache what a change of this prefix will need, for who knows of
 * it some changes before. Each stage reads what the one before has brought:
 * TRIE_STAGES of them, three changes or so apart, the last three before.
 */
#define TRIE_STAGES 3u
void trie_prefetch(const struct trie *t, struct ip6 key, unsigned stage);

/* The node of exactly this prefix, with a value or without, or TRIE_NONE. Bits beyond length zero.
 */
uint32_t trie_find(const struct trie *t, struct ip6 key, unsigned length);

/* As trie_find, but makes the node. TRIE_NONE: no room. The caller gives it a value, or removes it.
 */
uint32_t trie_insert(struct trie *t, struct ip6 key, unsigned length);

/* Gives a node a value, or (0) takes it. */
void trie_set_value(struct trie *t, uint32_t node, uint32_t value);

/* The node has no value any more: takes it out, and a parent no longer needed. */
void trie_remove(struct trie *t, uint32_t node);

/* The longest prefix with a value that covers the key and is not longer than `longest`. */
uint32_t trie_match(const struct trie *t, struct ip6 key, unsigned longest);

/* The longest prefix with a value that covers this node, itself not counted. */
uint32_t trie_cover(const struct trie *t, uint32_t node);

/* The topmost node inside a prefix (itself counts), or TRIE_NONE: all others inside it are below.
 */
uint32_t trie_top(const struct trie *t, struct ip6 key, unsigned length);

/* The node after this one in order; the one after it that is not inside it. TRIE_NONE at the end.
 */
uint32_t trie_next(const struct trie *t, uint32_t node);
uint32_t trie_next_outside(const struct trie *t, uint32_t node);

/* The first node in order after the prefix (key, length), which need not be there. */
uint32_t trie_after(const struct trie *t, struct ip6 key, unsigned length);

#endif

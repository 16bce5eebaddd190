/* A node of the IPv6 table as the control core sees it: ranges of addresses with references. */
#ifndef NET_TABLE_FIB6_NODE_H
#define NET_TABLE_FIB6_NODE_H

#include "net/table/fib6_plan.h"
#include "net/table/fib6_table.h"

struct fib6_node {
	const uint32_t *word;
	uint32_t at, n;
	struct fib6_block block;
	unsigned shift,
		reach; /* of its slice: the lowest bit in its half, the lowest of the address */
};

/* The half of an address that the nodes of a block look at. */
static inline uint64_t *fib6_half(struct ip6 *a, struct fib6_block b)
{
	return b.length < 64 || (b.length == 64 && !b.second) ? &a->hi : &a->lo;
}

/* The lowest bit in that half of a slice. */
static inline unsigned fib6_block_shift(struct fib6_block b)
{
	return (128 - fib6_reach(b)) % 64;
}

static inline uint16_t fib6_block_slice(struct ip6 a, struct fib6_block b)
{
	return (uint16_t)(*fib6_half(&a, b) >> fib6_block_shift(b));
}

static inline struct fib6_node fib6_node(
	const uint32_t *word, uint32_t ref, struct fib6_block block)
{
	return (struct fib6_node){word, fib6_at(ref), fib6_ranges(word, fib6_at(ref)), block,
		fib6_block_shift(block), fib6_reach(block)};
}

/* The word of range i's reference. */
static inline uint32_t fib6_node_place(const struct fib6_node *n, unsigned i)
{
	return n->at - 1 - i;
}

static inline uint32_t fib6_node_ref(const struct fib6_node *n, unsigned i)
{
	return n->word[fib6_node_place(n, i)];
}

/* Where range i begins, 0 < i < n, as the slice of that address. */
static inline uint16_t fib6_node_key(const struct fib6_node *n, unsigned i)
{
	return fib6_keys(n->word, n->at)[i - 1];
}

static inline struct ip6 fib6_node_first(const struct fib6_node *n, unsigned i)
{
	struct ip6 first = n->block.first;

	if (i) {
		uint64_t *half = fib6_half(&first, n->block);

		*half = (*half & ~(0xffffull << n->shift)) | (uint64_t)fib6_node_key(n, i)
								     << n->shift;
	}
	return first;
}

static inline struct ip6 fib6_node_last(const struct fib6_node *n, unsigned i)
{
	return i + 1 < n->n ? ip6_before(fib6_node_first(n, i + 1))
			    : ip6_last(n->block.first, n->block.length);
}

/* Range i, which goes on in a node or behind a gate, as a block. */
static inline struct fib6_block fib6_node_block(const struct fib6_node *n, unsigned i)
{
	struct ip6 first = fib6_node_first(n, i), last = fib6_node_last(n, i);
	unsigned length = ip6_common(first, last);

	return (struct fib6_block){first, length, length > 64};
}

#endif

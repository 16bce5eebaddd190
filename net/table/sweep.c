/* The ranges that a RIB cuts a block into: prefixes are entered and left in order of address. */
#include "net/table/sweep.h"

#include "net/table/nexthop.h"

/* From a trie node on, in order: the first with routes inside the block. */
static uint32_t with_routes(const struct sweep *s, uint32_t n)
{
	const struct trie *t = &s->rib->trie;

	while (n && !t->node[n].value && ip6_agree(t->node[n].key, s->block, s->length))
		n = trie_next(t, n);
	return n && ip6_agree(t->node[n].key, s->block, s->length) ? n : TRIE_NONE;
}

static uint32_t cover_nexthop(const struct sweep *s)
{
	return s->cover ? rib_node_nexthop(&s->rib->trie.node[s->cover]) : NEXTHOP_NONE;
}

/* Enters the prefixes that begin at s->at, so that the innermost is the cover. */
static void enter(struct sweep *s)
{
	const struct trie *t = &s->rib->trie;

	while (s->next && ip6_equal(t->node[s->next].key, s->at)) {
		s->cover = s->next;
		s->next = with_routes(s, trie_next(t, s->next));
	}
}

void sweep_begin(struct sweep *s, const struct rib *rib, struct ip6 block, unsigned length)
{
	uint32_t top = trie_top(&rib->trie, block, length);

	*s = (struct sweep){.rib = rib, .block = block, .length = length, .at = block};
	s->cover = trie_match(&rib->trie, block, length);
	if (top && rib->trie.node[top].length == length) /* the block's own: it is the cover */
		top = trie_next(&rib->trie, top);
	s->next = with_routes(s, top);
	enter(s);
}

/* The last address of the cover inside the block. */
static struct ip6 cover_last(const struct sweep *s)
{
	const struct trie_node *n = &s->rib->trie.node[s->cover];

	if (!s->cover || n->length <= s->length)
		return ip6_last(s->block, s->length);
	return ip6_last(n->key, n->length);
}

/* Goes to where the cover ends or another prefix begins inside it. */
static void advance(struct sweep *s)
{
	const struct trie *t = &s->rib->trie;
	struct ip6 last = cover_last(s);

	if (s->next && !ip6_less(last, t->node[s->next].key)) {
		s->at = t->node[s->next].key;
		enter(s);
		return;
	}
	s->done = ip6_equal(last, ip6_last(s->block, s->length));
	if (s->done)
		return;
	s->at = ip6_next(last);
	while (ip6_less(cover_last(s), s->at))
		s->cover = trie_cover(t, s->cover);
	enter(s);
}

bool sweep_next(struct sweep *s, struct ip6 *first, uint32_t *nexthop)
{
	if (s->done)
		return false;
	*first = s->at;
	*nexthop = cover_nexthop(s);
	do
		advance(s);
	while (!s->done && cover_nexthop(s) == *nexthop);
	return true;
}

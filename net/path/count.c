/* Packets counted by next hop, and by member of a group. */
#include "net/path/count.h"

#include "net/path/counters.h"
#include "net/path/member.h"

static void count_one(struct nexthop_count *c, uint64_t word)
{
	counter_add(&c->packets, 1);
	counter_add(&c->bytes, packet_len(word));
}

void count_batch(const struct lane *lane, const struct batch *b)
{
	struct nexthop_count *count = load_once(&lane->count);
	const struct tables *t = lane->tables;

	if (!count) /* not any more */
		return;
	for (unsigned i = 0; i < b->n; i++) {
		if (b->verdict[i] != VERDICT_ROUTE && b->verdict[i] != VERDICT_ROUTE6)
			continue;
		uint32_t nh = b->nh[i], out = load_acquire(&t->adjacency[nh].out);

		count_one(&count[nh], b->word[i]);
		if (adjacency_leads_on(out))
			count_one(&count[member_or_self(t, b, i, nh, out)], b->word[i]);
	}
}

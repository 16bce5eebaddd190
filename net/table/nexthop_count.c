/* What was counted by next hop: summed over actors, since `clear counters` or since there is it. */
#include <string.h>

#include "net/table/nexthop_internal.h"

static void sum_up(const struct nexthop_table *t, uint32_t index, struct nexthop_count *sum)
{
	*sum = (struct nexthop_count){0};
	for (unsigned a = 1; a < t->tallies; a++) {
		sum->packets += load_once(&t->tally[a][index].packets);
		sum->bytes += load_once(&t->tally[a][index].bytes);
	}
}

void nexthop_counted(const struct nexthop_table *t, uint32_t index, struct nexthop_count *sum)
{
	sum_up(t, index, sum);
	if (!t->tallies)
		return;
	sum->packets -= t->cleared[index].packets;
	sum->bytes -= t->cleared[index].bytes;
}

void nexthop_clear_counts(struct nexthop_table *t)
{
	for (uint32_t i = 0; t->tallies && i < t->used; i++)
		sum_up(t, i, &t->cleared[i]);
}

/* Its grace period has passed: no worker counts by it. */
void nexthop_count_anew(struct nexthop_table *t, uint32_t index)
{
	for (unsigned a = 1; a < t->tallies; a++)
		t->tally[a][index] = (struct nexthop_count){0};
	if (t->tallies)
		t->cleared[index] = (struct nexthop_count){0};
}

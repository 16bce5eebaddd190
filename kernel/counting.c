/* From the configuration to whether packets are counted by next hop. */
#include "kernel/config.h"

#include "lib/atomic.h"

void config_apply_counting(struct router *r, const struct config *c)
{
	r->counts_nexthops = c->count_nexthops;
	for (unsigned l = 0; l + 1 < r->lanes; l++) {
		struct lane *lane = &r->lane[l];

		store_once(&lane->count, c->count_nexthops ? r->nexthops.tally[lane->actor] : NULL);
	}
}

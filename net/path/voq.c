/* Virtual output queues: set-up and publication. */
#include "net/path/voq.h"

#include <stddef.h>
#include <string.h>

_Static_assert((VOQ_SLOTS & (VOQ_SLOTS - 1)) == 0, "indices are masked");
_Static_assert(VOQ_STAMPS <= 128 && (VOQ_STAMPS & (VOQ_STAMPS - 1)) == 0, "an 8-bit index");
_Static_assert(sizeof(struct crosspoint) / CACHE_LINE % 2 == 1, "VOQs spread over all cache sets");
_Static_assert(offsetof(struct crosspoint, in) == CACHE_LINE, "what is polled is one line");
_Static_assert(VOQ_CLASSES == 8, "classes are compared eight at a time");

void voq_init(struct crosspoint *x)
{
	memset(x, 0, sizeof *x);
}

/* Notes when the words up to `end` were received, if a stamp is free. */
static void voq_stamp(struct crosspoint *x, unsigned class, uint32_t end, uint64_t time)
{
	uint8_t made = x->stamps[class];
	struct voq_stamp *stamp = &x->stamp[class][made & (VOQ_STAMPS - 1)];

	if ((uint8_t)(made - x->stamps_seen[class]) == VOQ_STAMPS) {
		x->stamps_seen[class] = load_acquire(&x->out[class].stamps_taken);
		if ((uint8_t)(made - x->stamps_seen[class]) == VOQ_STAMPS)
			return;
	}
	stamp->time = time;
	stamp->end = end;
	store_release(&x->stamps[class], (uint8_t)(made + 1));
}

void voq_publish(struct crosspoint *x, uint64_t time)
{
	uint32_t more = x->in.more;

	x->in.more = 0;
	for (; more; more &= more - 1) {
		unsigned class = (unsigned)__builtin_ctz(more);
		uint32_t pending = x->in.pending[class];

		if (time)
			voq_stamp(x, class, pending, time);
		store_release(&x->tail[class], pending); /* words and stamp before the index */
	}
}

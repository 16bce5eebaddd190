/* The output scheduler: smallest virtual runtime first. */
#include "net/path/sched.h"

#include <stddef.h>

#include "lib/packet.h"

/* The waiting VOQ with the smallest runtime, or NULL. */
static struct voq *sched_pick(struct sched *s)
{
	struct voq *best = NULL;

	for (unsigned i = 0; i < s->voqs; i++) {
		struct voq *q = s->voq[i];

		if (voq_ready(q) == 0)
			continue;
		/* A queue that always waited is at vtime or above; below it, it was idle. */
		if (q->vruntime < s->vtime)
			q->vruntime = s->vtime;
		if (!best || q->vruntime < best->vruntime)
			best = q;
	}
	return best;
}

/* Takes up to max words of one VOQ and charges it for their bytes. */
static unsigned sched_serve(struct voq *q, uint64_t *word, unsigned max)
{
	uint32_t head = q->head, n = q->tail_seen - head;
	uint64_t bytes = 0;

	if (n > max)
		n = max;
	for (uint32_t i = 0; i < n; i++) {
		word[i] = q->word[(head + i) & (VOQ_SLOTS - 1)];
		bytes += packet_len(word[i]);
	}
	store_release(&q->head, head + n); /* words taken before the room is given */
	q->vruntime += bytes * q->inverse;
	counter_add(&q->packets, n);
	counter_add(&q->bytes, bytes);
	return n;
}

unsigned sched_take(struct sched *s, uint64_t *word, unsigned max)
{
	unsigned taken = 0;

	while (taken < max) {
		struct voq *q = sched_pick(s);
		unsigned quantum = max - taken < SCHED_QUANTUM ? max - taken : SCHED_QUANTUM;

		if (!q)
			break;
		s->vtime = q->vruntime;
		taken += sched_serve(q, word + taken, quantum);
	}
	return taken;
}

/* Virtual output queues: set-up. The rest is inline in voq.h. */
#include "net/path/voq.h"

_Static_assert((VOQ_SLOTS & (VOQ_SLOTS - 1)) == 0, "indices are masked");

void voq_init(struct voq *q, uint32_t weight)
{
	q->tail = q->pending = q->head_seen = 0;
	q->head = q->tail_seen = 0;
	q->drops = q->packets = q->bytes = q->vruntime = 0;
	q->weight = weight;
	q->inverse = 65536 / weight;
}

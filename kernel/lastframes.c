/* The frames that workers had last, out of what rings and pools still say of them. */
#include "kernel/lastframes.h"

#include <stdio.h>

#define IN_WORK_MAX 4u  /* frames shown of a queue that its worker has in hand */
#define RECENT_EACH 2u  /* and of those that were through, of each place that still knows them */
#define HEAD_BYTES  54u /* Ethernet, IPv4 or most of IPv6, and ports */
#define LINES_MAX   64u

#define ETHERTYPE_AT 12u

struct walk {
	void (*fn)(void *ctx, const char *line);
	void *ctx;
	unsigned lines;
};

static void print_head(
	struct walk *w, const char *name, const char *what, const uint8_t *frame, uint32_t bytes)
{
	char line[64 + 2 * HEAD_BYTES];
	int used = snprintf(line, sizeof line, "  %s %s", name, what);

	for (uint32_t i = 0; i < bytes && i < HEAD_BYTES; i++)
		used += snprintf(line + used, sizeof line - (size_t)used, "%s%02x",
			i == 0 ? " " : "", frame[i]);
	if (w->lines++ < LINES_MAX)
		w->fn(w->ctx, line);
}

/* Taken from the ring, and their descriptors not used again yet. */
static void walk_in_work(struct walk *w, const struct netdev *dev, unsigned queue, const char *name)
{
	struct netdev_frame frame[IN_WORK_MAX];
	unsigned n = dev->ops->rx_last ? dev->ops->rx_last(dev, queue, frame, IN_WORK_MAX) : 0;

	for (unsigned i = 0; i < n; i++) {
		char what[32];

		snprintf(what, sizeof what, "in work, %u bytes:", (unsigned)frame[i].bytes);
		print_head(w, name, what, frame[i].at, frame[i].bytes);
	}
}

static void walk_buffer(
	struct walk *w, const struct router *r, unsigned g, uint32_t index, const char *name)
{
	const uint8_t *frame;

	if (index >> POOL_SHIFT != g)
		return;
	frame = buffer_data(&r->buffers, index);
	if (frame[ETHERTYPE_AT] | frame[ETHERTYPE_AT + 1]) /* else never used */
		print_head(w, name, "recent:", frame, HEAD_BYTES);
}

/*
 * The pool is a stack: at its top lie the buffers that came back last; what stood just above was
 * lent to the ring since, which takes the last that came back. Others came back by a ring, which
 * still has their words. Their frames are still in them, unless the device has put others
 * there: recent ones, too.
 */
static void walk_recent(struct walk *w, const struct router *r, unsigned g, const char *name)
{
	const struct pool *pool = r->buffers.pool[g];
	const uint32_t top = pool->top, first = top > RECENT_EACH ? top - RECENT_EACH : 0;

	for (uint32_t at = first; at < top + RECENT_EACH && at < POOL_BUFS; at++)
		walk_buffer(w, r, g, pool->stack[at], name);
	for (unsigned a = 0; a < r->actors && a < ACTOR_MAX; a++) {
		const struct ring *back = r->buffers.ret[a][g];

		for (uint32_t i = 1; back && i <= RECENT_EACH && i <= back->tail; i++)
			walk_buffer(w, r, g,
				packet_index(back->word[(back->tail - i) & back->mask]), name);
	}
}

void lastframes_walk(const struct router *r, void (*fn)(void *ctx, const char *line), void *ctx)
{
	struct walk w = {.fn = fn, .ctx = ctx};

	for (unsigned g = 0; g < r->rxqs && g < RXQ_MAX; g++) {
		const struct rxq *q = &r->rxq[g];
		char name[48];

		/* The router may be half made. */
		if (q->port >= r->ports || !r->buffers.pool[g] ||
			r->dev[q->port]->buffers != &r->buffers)
			continue;
		snprintf(name, sizeof name, "worker %u, %s:%u,", q->worker, r->iface[q->port].name,
			q->queue);
		walk_in_work(&w, r->dev[q->port], q->queue, name);
		walk_recent(&w, r, g, name);
	}
}

/* The poll loop: the only file that knows both drivers and the forwarding path. */
#include "kernel/worker.h"

#include "kernel/debug.h"
#include "kernel/log.h"
#include "kernel/platform.h"

#define REFILL_MIN 16u /* buffers an RX ring lacks before it is filled up, while frames come */

/* Gives the RX ring new buffers for those it delivered. */
static void worker_refill(struct router *r, unsigned port, bool idle)
{
	struct netdev *dev = r->dev[port];
	uint32_t index[BATCH_MAX];
	unsigned room = dev->ops->rx_room(dev, 0);

	if (room < REFILL_MIN && !(idle && room))
		return;
	while (room) {
		unsigned want = room < BATCH_MAX ? room : BATCH_MAX;
		unsigned n = pool_take(&r->buffers, port, index, want);

		if (n)
			dev->ops->rx_fill(dev, 0, index, n);
		room -= n;
		if (n < want)
			break;
	}
	/* Counted once each time the pool runs dry, not once a turn. */
	struct pool *pool = r->buffers.pool[port];

	if (room && !pool->dry)
		counter_add(&pool->starved, 1);
	pool->dry = room != 0;
}

/* One burst of one lane, from the device to the VOQs. */
static unsigned worker_receive(struct router *r, unsigned port)
{
	struct netdev *dev = r->dev[port];
	uint64_t word[BATCH_MAX];
	unsigned n = dev->ops->rx(dev, 0, word, BATCH_MAX);

	if (n)
		path_forward(&r->lane[port], word, n);
	worker_refill(r, port, n == 0);
	return n;
}

/* Ends n packets that an output will never send. */
static void worker_abandon(struct router *r, unsigned actor, const uint64_t *word, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned port = r->tables.pool_port[packet_pool(word[i])];

		counter_add(&r->counters[actor]->port[port].dropped[DROP_LINK_DOWN], 1);
	}
	buffers_free(&r->buffers, actor, word, n);
}

/* Buffers the device has sent go back to their pools. */
static unsigned worker_complete(struct router *r, unsigned actor, unsigned t)
{
	struct netdev *dev = r->dev[t];
	uint64_t word[BATCH_MAX];
	uint64_t *transmitted = r->counters[actor]->transmitted;
	unsigned n, total = 0;

	do {
		n = dev->ops->tx_done(dev, 0, word, BATCH_MAX);
		total += n;
		if (load_once(&dev->failed)) { /* after its reset: nobody knows what was sent */
			worker_abandon(r, actor, word, n);
			continue;
		}
		for (unsigned i = 0; i < n; i++)
			counter_add(&transmitted[packet_pool(word[i])], 1);
		buffers_free(&r->buffers, actor, word, n);
	} while (n == BATCH_MAX);
	return total;
}

/* A port without link takes nothing: what waits for it ends here. */
static unsigned worker_discard(struct router *r, unsigned actor, unsigned t)
{
	uint64_t word[BATCH_MAX];
	unsigned n = sched_take(&r->sched[t], word, BATCH_MAX);

	worker_abandon(r, actor, word, n);
	return n;
}

/* One burst of one TX queue, from the VOQs to the device. */
static unsigned worker_transmit(struct router *r, unsigned actor, unsigned t)
{
	struct netdev *dev = r->dev[t];
	unsigned moved = worker_complete(r, actor, t);

	if (!load_once(&dev->link) || load_once(&dev->failed))
		return moved + worker_discard(r, actor, t);

	uint64_t word[BATCH_MAX], bytes = 0;
	unsigned held = dev->ops->tx_held(dev, 0);
	unsigned room = held < r->tx_depth ? r->tx_depth - held : 0;
	unsigned n = sched_take(&r->sched[t], word, room < BATCH_MAX ? room : BATCH_MAX);

	if (n == 0)
		return moved;
	unsigned posted = dev->ops->tx(dev, 0, word, n);

	for (unsigned i = 0; i < posted; i++)
		bytes += packet_len(word[i]);
	counter_add(&r->counters[actor]->txq[t].packets, posted);
	counter_add(&r->counters[actor]->txq[t].bytes, bytes);
	if (posted < n) /* it failed this very moment */
		worker_abandon(r, actor, word + posted, n - posted);
	return moved + n;
}

bool worker_turn(struct router *r, struct worker *w)
{
	unsigned actor = w->id + 1, moved = 0;

	for (unsigned i = 0; i < w->lanes; i++)
		moved += worker_receive(r, w->lane[i]);
	for (unsigned i = 0; i < w->txqs; i++)
		moved += worker_transmit(r, actor, w->txq[i]);
	debug_worker_hook(r, w);
	counter_add(&w->turns, 1);
	if (moved)
		counter_add(&w->busy_turns, 1);
	return moved != 0;
}

/* Stands still while the control core takes an audit (audit.h). */
static void worker_park(struct router *r, struct worker *w, uint32_t request)
{
	store_release(&w->park_seen, request);
	while (load_acquire(&r->park_request) == request)
		platform_relax();
}

void worker_main(void *arg)
{
	struct worker *w = arg;
	struct rcu_reader *reader = &router.rcu.reader[w->id];

	log_event(w->id + 1, LOG_WORKER_STARTED, w->id, w->core);
	for (;;) {
		bool moved = worker_turn(&router, w);

		rcu_quiescent(reader);
		uint32_t request = load_acquire(&router.park_request);

		if (request & 1)
			worker_park(&router, w, request);
		if (!moved)
			platform_relax();
	}
}

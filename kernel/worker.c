/* The poll loop: the only file that knows both drivers and the forwarding path. */
#include "kernel/worker.h"

#include "kernel/debug.h"
#include "kernel/idle.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "lib/words.h"
#include "net/path/capture.h"
#include "net/path/meter.h"
#include "net/path/spread.h"
#include "net/path/track.h"

#define REFILL_MIN 16u /* buffers an RX ring lacks before it is filled up, while frames come */

/*
 * Bursts of a queue in one turn, while they are whole. Several are received, so that under load the
 * bursts to be sent, a part for each port, are long as well and come from few inputs. What may be
 * sent is more, for outputs that others feed too.
 */
#define RX_BURSTS 4u
#define TX_BURSTS 2u
#define TX_MAX    (4 * BATCH_MAX) /* packets of a burst that is sent, or has been */

/* Shows frames to the capture that is under way. Apart from the loops, whose registers it would
 * take. */
static __attribute__((noinline)) void worker_capture(const struct router *r, struct worker *w,
	unsigned port, enum capture_point point, const uint64_t *word, unsigned n)
{
	struct capture *capture = load_acquire(&w->capture);

	if (capture)
		capture_burst(capture, &r->buffers, port, point, word, n, platform_tsc());
}

/* ---- receive ---- */

/* Gives the RX ring new buffers for those it delivered. Returns how many. */
static unsigned worker_refill(struct router *r, unsigned g, bool idle)
{
	struct netdev *dev = r->dev[r->rxq[g].port];
	unsigned queue = r->rxq[g].queue, given = 0;
	const uint32_t *index;
	unsigned room = dev->ops->rx_room(dev, queue);

	if (room < REFILL_MIN && !(idle && room))
		return 0;
	while (room) {
		unsigned want = room < BATCH_MAX ? room : BATCH_MAX;
		unsigned n = pool_lend(&r->buffers, g, &index, want);

		if (n)
			dev->ops->rx_fill(dev, queue, index, n);
		given += n;
		room -= n;
		if (n < want)
			break;
	}
	/* Counted once each time the pool runs dry, not once a turn. */
	struct pool *pool = r->buffers.pool[g];

	if (room && !pool->dry)
		counter_add(&pool->starved, 1);
	pool->dry = room != 0;
	return given;
}

/* One burst of an RX queue, from the device to the VOQs, or to the workers that help: how many. */
static unsigned worker_burst(struct router *r, struct worker *w, unsigned g)
{
	struct rxq *q = &r->rxq[g];
	struct netdev *dev = r->dev[q->port];
	struct lane *lane = &r->lane[g];
	uint64_t word[BATCH_MAX];
	unsigned n = dev->ops->rx(dev, q->queue, word, BATCH_MAX), ways, own = n;

	if (n) {
		/* One of each batch is looked at: was it a free buffer that came back? */
		buffer_check(
			&r->buffers, lane->actor, packet_index(word[0]), OWNER_HOME, "receive");
		lane->received = w->looked; /* it was not there then */
		if (__builtin_expect(load_once(&lane->capture) != NULL, 0))
			worker_capture(r, w, q->port, CAPTURE_RX, word, n);
		if (__builtin_expect(load_once(&lane->meter) != NULL, 0))
			own = meter_burst(lane, word, n);
		if (__builtin_expect(load_once(&lane->track), 0)) {
			if (own)
				steer_burst(&q->steering, &w->sort, word, own, w->looked);
			return n;
		}
		ways = load_once(&q->spread);
		if (ways > 1)
			own = spread_burst(lane, &w->sort, q->ring, ways, word, own);
		if (own)
			path_forward(lane, word, own);
	}
	return n;
}

static bool worker_receive(struct router *r, struct worker *w, unsigned g)
{
	unsigned n, moved = 0, k = 0;

	do {
		n = worker_burst(r, w, g);
		moved += n + worker_refill(r, g, n == 0);
	} while (n == BATCH_MAX && ++k < RX_BURSTS);
	if (__builtin_expect(r->rxq[g].steering.hold->used != 0, 0))
		steer_tend(&r->rxq[g].steering, w->looked);
	return moved != 0;
}

/* A share of another worker's RX queue. */
static bool worker_help(struct router *r, struct worker *w, const struct feed *feed)
{
	struct lane *lane = &r->lane[feed->lane];
	uint64_t word[BATCH_MAX];
	unsigned n = spread_take(lane, feed->ring, word, BATCH_MAX, w->looked);

	if (n)
		path_forward(lane, word, n);
	return n != 0;
}

/* ---- transmit ---- */

/* Ends n packets that an output will never send. */
static void worker_abandon(struct router *r, unsigned actor, const uint64_t *word, unsigned n)
{
	struct capture *capture = load_acquire(&r->worker[actor - 1]->capture);

	for (unsigned i = 0; i < n; i++) {
		unsigned port = r->tables.pool_port[packet_pool(word[i])];

		if (capture)
			capture_dropped(capture, &r->buffers, port, word[i], DROP_LINK_DOWN);
		counter_add(&r->counters[actor]->port[port].dropped[DROP_LINK_DOWN], 1);
	}
	buffers_free(&r->buffers, actor, word, n);
}

/* Buffers the device has sent go back to their pools. */
static unsigned worker_complete(struct router *r, unsigned actor, unsigned t)
{
	struct netdev *dev = r->dev[r->txq[t].port];
	uint64_t word[TX_MAX];
	uint64_t *transmitted = r->counters[actor]->transmitted;
	unsigned n, total = 0;

	do {
		n = dev->ops->tx_done(dev, r->txq[t].queue, word, TX_MAX);
		if (n == 0)
			break;
		total += n;
		/* As on receipt. */
		buffer_check(
			&r->buffers, actor, packet_index(word[0]), OWNER_OUTPUT(t), "completion");
		if (load_once(&dev->failed)) { /* after its reset: nobody knows what was sent */
			worker_abandon(r, actor, word, n);
			continue;
		}
		for (unsigned i = 0, run; i < n; i += run) {
			run = words_one_pool(word + i, n - i);
			counter_add(&transmitted[packet_pool(word[i])], run);
			buffers_free_run(&r->buffers, actor, word + i, run);
		}
	} while (n == TX_MAX);
	return total;
}

/* A port without link takes nothing: what waits for it ends here. */
static unsigned worker_discard(struct router *r, unsigned actor, unsigned t)
{
	uint64_t word[TX_MAX];
	unsigned n = sched_discard(&r->sched[t], word, TX_MAX);

	worker_abandon(r, actor, word, n);
	return n;
}

/* One burst of one TX queue, from the VOQs to the device: how many. */
static unsigned worker_send(struct router *r, struct worker *w, unsigned t)
{
	struct netdev *dev = r->dev[r->txq[t].port];
	unsigned queue = r->txq[t].queue, actor = w->id + 1;
	uint64_t word[TX_MAX];
	unsigned held = dev->ops->tx_held(dev, queue);
	unsigned room = held < r->tx_depth ? r->tx_depth - held : 0;
	unsigned n = sched_take(&r->sched[t], word, room < TX_MAX ? room : TX_MAX, w->looked);

	if (n == 0)
		return 0;
	unsigned posted = dev->ops->tx(dev, queue, word, n);

	/* The device has them, and the buffers are ours until they are completed. */
	if (__builtin_expect(load_once(&w->capture) != NULL, 0))
		worker_capture(r, w, r->txq[t].port, CAPTURE_TX, word, posted);
	counter_add(&r->counters[actor]->txq[t].packets, posted);
	uint64_t bytes = r->sched[t].taken_bytes;

	if (posted < n) { /* it failed this very moment */
		bytes -= words_bytes(word + posted, n - posted);
		worker_abandon(r, actor, word + posted, n - posted);
	}
	counter_add(&r->counters[actor]->txq[t].bytes, bytes);
	return n;
}

static bool worker_transmit(struct router *r, struct worker *w, unsigned t)
{
	struct netdev *dev = r->dev[r->txq[t].port];
	unsigned n, moved = 0, k = 0;

	do {
		moved += worker_complete(r, w->id + 1, t);
		if (!load_once(&dev->link) || load_once(&dev->failed))
			n = worker_discard(r, w->id + 1, t);
		else
			n = worker_send(r, w, t);
		moved += n;
		/* What is no whole burst goes with what comes in the next turn. */
	} while (n == TX_MAX && r->sched[t].waiting >= TX_MAX && ++k < TX_BURSTS);
	/* What waits for the shaper is no reason to sleep. */
	return moved != 0 || r->sched[t].busy;
}

/* ---- the turn ---- */

/* Notes the time, and how long it is since the last look. The one reading of the clock a turn. */
static void worker_look(struct worker *w)
{
	uint64_t now = platform_tsc(), gap = now - w->looked;

	if (w->looked && gap > w->gap[w->since])
		store_once(&w->gap[w->since], gap);
	w->looked = now;
	w->since = GAP_NONE;
}

/* Forgets gaps and latencies on request; one port's a turn, so that none is long. */
static void worker_clear(struct router *r, struct worker *w, uint32_t request)
{
	for (unsigned i = 0; i < GAP_REASONS; i++)
		store_once(&w->gap[i], 0);
	for (unsigned i = 0; i < w->txqs && w->clear_next < r->ports; i++)
		histogram_clear(r->latency[w->clear_next][w->txq[i]]);
	if (++w->clear_next < r->ports)
		return;
	w->clear_next = 0;
	store_release(&w->cleared, request);
}

bool worker_turn(struct router *r, struct worker *w)
{
	bool received = false, sent = false;
	uint32_t request = load_acquire(&r->clear_request);
	struct capture *capture = load_acquire(&w->capture);

	if (__builtin_expect(capture != NULL, 0))
		capture_turn(capture, platform_tsc());
	for (unsigned i = 0; i < w->rxqs; i++)
		received |= worker_receive(r, w, w->rxq[i]);
	for (unsigned i = 0; i < w->feeds; i++)
		received |= worker_help(r, w, &w->feed[i]);
	if (received)
		w->since = GAP_WORK;
	worker_look(w);
	if (r->sessions[w->id + 1] && w->rxqs + w->feeds)
		track_turn(&r->lane[w->rxqs ? w->rxq[0] : w->feed[0].lane], w->looked);
	for (unsigned i = 0; i < w->txqs; i++)
		sent |= worker_transmit(r, w, w->txq[i]);
	if (sent)
		w->since = GAP_WORK;
	debug_worker_hook(r, w);
	if (request != w->cleared)
		worker_clear(r, w, request);
	counter_add(&w->turns, 1);
	if (received | sent)
		counter_add(&w->busy_turns, 1);
	return received | sent;
}

/* Stands still while the control core takes an audit (audit.h). */
static void worker_park(struct router *r, struct worker *w, uint32_t request)
{
	store_release(&w->park_seen, request);
	while (load_acquire(&r->park_request) == request)
		platform_relax();
	w->since = GAP_PARK;
}

bool worker_step(struct router *r, struct worker *w)
{
	bool moved = worker_turn(r, w);

	rcu_quiescent(&r->rcu.reader[w->id]);
	uint32_t request = load_acquire(&r->park_request);

	if (request & 1)
		worker_park(r, w, request);
	return moved;
}

void worker_main(void *arg)
{
	struct worker *w = arg;
	struct idle idle = {0};

	log_event(w->id + 1, LOG_WORKER_STARTED, w->id, w->core);
	for (;;) {
		if (worker_step(&router, w))
			idle_reset(&idle);
		else if (idle_wait(&idle, load_once(&router.relaxed)))
			w->since = GAP_IDLE;
	}
}

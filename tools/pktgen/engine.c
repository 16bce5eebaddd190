/* Turns of the engine: receive, send what is due, now and then everything else. */
#include "tools/pktgen/engine.h"

#include <math.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "tools/pktgen/clock.h"

#define SERVICE_S   0.001
#define WINDOW_S    0.010
#define STALL_S     20e-6
#define QUANTUM_S   1e-6  /* due packets are sent together for so long, at most a batch */
#define LATE_S      10e-6 /* what is due for longer is forgiven: the generator was late */
#define SILENCE     200u  /* services in which nothing came back: nothing will */
#define PATIENCE    256u  /* turns to wait for half a batch of buffers */
#define BATCH_LEAST (RING_BATCH / 2)

/* ---- orders ---- */

static uint64_t ticks_of(const struct engine *e, double seconds)
{
	return (uint64_t)(seconds * e->ticks);
}

static void order_begin(struct engine *e, uint64_t now)
{
	const struct order *o = &e->order;
	struct traffic *t = o->traffic;
	double weights = 0;

	for (unsigned i = 0; i < t->streams; i++)
		weights += t->stream[i].config->weight;
	for (unsigned i = 0; i < t->streams; i++) {
		double part = t->stream[i].config->weight / weights;

		e->share[i] = o->rate * part / e->ticks;
		e->limit[i] = o->packets ? (uint64_t)ceil((double)o->packets * part) : UINT64_MAX;
		e->patience[i] = 0;
	}
	memset(&e->run, 0, sizeof e->run);
	traffic_reset(t, now);
	for (unsigned i = 0; i < e->scenario->ports; i++) {
		struct sink *k = &e->port[i].sink;

		k->frames = k->bytes = k->corrupt = k->stale = k->foreign = k->shortest = 0;
		k->run_stream = NULL;
		k->run_count = 0;
		k->traffic = t;
	}
	e->run.begin = e->last_turn = now;
	e->window_at = now + ticks_of(e, WINDOW_S);
	e->window_back = 0;
	store_once(&e->state, ENGINE_SENDING);
}

static uint64_t sent_all(const struct engine *e)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < e->order.traffic->streams; i++)
		n += e->order.traffic->stream[i].sent;
	return n;
}

static uint64_t received_all(const struct traffic *t)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < t->lanes; i++)
		n += track_received(&t->lane[i].track);
	return n;
}

static bool limits_reached(const struct engine *e)
{
	for (unsigned i = 0; i < e->order.traffic->streams; i++) {
		const struct stream *s = &e->order.traffic->stream[i];

		if (s->sent + s->unplaced + s->forgiven < e->limit[i])
			return false;
	}
	return true;
}

static void sending_end(struct engine *e, uint64_t now)
{
	e->run.end = now;
	e->silent = e->drained = 0;
	store_once(&e->state, ENGINE_DRAINING);
}

static void order_end(struct engine *e)
{
	store_once(&e->state, ENGINE_IDLE);
	store_release(&e->done, e->taken);
}

static uint64_t back_all(const struct traffic *t)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < t->streams; i++)
		n += t->stream[i].back;
	return n;
}

/* Whether the order has come to its end, or a step further. */
static void order_service(struct engine *e, uint64_t now)
{
	bool stop = load_once(&e->stop) || !e->ready;
	uint64_t back;

	if (e->state == ENGINE_IDLE) {
		if (load_acquire(&e->ordered) != e->taken) {
			e->taken = e->ordered;
			order_begin(e, now);
		}
		return;
	}
	e->run.interrupted |= stop;
	if (e->state == ENGINE_SENDING) {
		if (stop || now - e->run.begin >= ticks_of(e, e->order.seconds) ||
			limits_reached(e))
			sending_end(e, now);
		return;
	}
	/* Counted in services, not in time: while the generator itself is not running, nobody
	 * waits. */
	back = back_all(e->order.traffic);
	e->silent = back == e->back_seen ? e->silent + 1 : 0;
	e->drained++;
	e->back_seen = back;
	if (stop || e->order.traffic->device == DEVICE_DRAIN ||
		(double)e->drained * SERVICE_S >= e->order.drain_s || e->silent >= SILENCE ||
		received_all(e->order.traffic) == sent_all(e))
		order_end(e);
}

static void window_note(struct engine *e, uint64_t now)
{
	uint64_t back = 0, since = now - (e->window_at - ticks_of(e, WINDOW_S));

	if (e->order.traffic->device == DEVICE_DRAIN)
		back = sent_all(e);
	else
		back = back_all(e->order.traffic);
	if (e->run.windows < WINDOWS_MAX)
		e->run.window[e->run.windows++] =
			(float)((double)(back - e->window_back) * e->ticks / (double)since);
	e->window_back = back;
	e->window_at = now + ticks_of(e, WINDOW_S);
}

static void service(struct engine *e, uint64_t now)
{
	bool ready = true;

	for (unsigned i = 0; i < e->scenario->ports; i++) {
		e->touching = &e->port[i];
		port_service(&e->port[i], now, e->ticks);
		ready &= port_ready(&e->port[i]);
	}
	store_once(&e->ready, ready);
	order_service(e, now);
	e->service_at = now + ticks_of(e, SERVICE_S);
}

/* ---- sending ---- */

/* The ring of a stream's next part, or NULL. Parts take turns. */
static struct ring *next_ring(const struct port *p, struct stream *s, struct part **part)
{
	unsigned k = s->part_next;

	s->part_next = k + 1 == s->parts ? 0 : k + 1;
	*part = &s->part[k];
	return k < p->rx_count && p->rx[k]->live ? p->rx[k] : NULL;
}

static unsigned place(struct engine *e, struct stream *s, unsigned most)
{
	struct port *p = &e->port[s->config->from];
	struct part *part;
	struct ring *r = next_ring(p, s, &part);
	unsigned n;

	if (!r)
		return 0;
	e->touching = p;
	n = send_frames(
		e->order.traffic, s, part, r, vhost_header_bytes(&p->vhost), most, clock_now());
	if (n)
		ring_call(r, false);
	return n;
}

/* As fast as buffers come, but by half batches at least: small ones cost both sides more. */
static unsigned send_saturated(struct engine *e, unsigned i)
{
	struct stream *s = &e->order.traffic->stream[i];
	const struct port *p = &e->port[s->config->from];
	uint64_t left = e->limit[i] - s->sent;
	unsigned k = s->part_next, n;

	if (k < p->rx_count && e->patience[i]++ < PATIENCE && !ring_offers(p->rx[k], BATCH_LEAST)) {
		s->part_next = k + 1 == s->parts ? 0 : k + 1;
		return 0;
	}
	n = place(e, s, left < RING_BATCH ? (unsigned)left : RING_BATCH);
	if (n)
		e->patience[i] = 0;
	return n;
}

/* What is due by now. What the device has no buffer for is lost, as at a NIC. */
static unsigned send_due(struct engine *e, unsigned i, uint64_t now)
{
	struct stream *s = &e->order.traffic->stream[i];
	uint64_t due = (uint64_t)((double)(now - e->run.begin) * e->share[i]);
	uint64_t accounted = s->sent + s->unplaced + s->forgiven, owed;
	double quantum = e->share[i] * e->ticks * QUANTUM_S;
	uint64_t late = (uint64_t)(e->share[i] * e->ticks * LATE_S) + 2 * RING_BATCH;
	unsigned n, most;

	due = due < e->limit[i] ? due : e->limit[i];
	owed = due - accounted;
	if (!owed || ((double)owed < quantum && owed < RING_BATCH && due < e->limit[i]))
		return 0;
	if (owed > late && e->limit[i] == UINT64_MAX) {
		counter_add(&s->forgiven, owed - late);
		owed = late;
	}
	most = owed < RING_BATCH ? (unsigned)owed : RING_BATCH;
	n = place(e, s, most);
	counter_add(&s->unplaced, most - n);
	return n;
}

static unsigned send_streams(struct engine *e, uint64_t now)
{
	struct traffic *t = e->order.traffic;
	unsigned n = 0;

	if (e->order.window && sent_all(e) - back_all(t) >= e->order.window)
		return 0;
	for (unsigned i = 0; i < t->streams; i++)
		n += e->order.rate > 0 ? send_due(e, i, now) : send_saturated(e, i);
	return n;
}

/* ---- turns ---- */

void engine_turn(struct engine *e)
{
	uint64_t now = clock_now(), then;
	unsigned frames = 0;

	if (now >= e->service_at) {
		service(e, now);
		now = clock_now();
	}
	if (e->state != ENGINE_IDLE && now >= e->window_at && e->state == ENGINE_SENDING)
		window_note(e, now);
	if (e->state != ENGINE_IDLE && now - e->last_turn > ticks_of(e, STALL_S)) {
		e->run.stalls++;
		e->run.stall_ticks += now - e->last_turn;
	}
	e->last_turn = now;
	for (unsigned i = 0; i < e->scenario->ports; i++) {
		e->touching = &e->port[i];
		frames += port_receive(&e->port[i]);
	}
	then = clock_now();
	if (frames)
		e->run.sink_ticks += then - now;
	for (unsigned i = 0; i < e->scenario->ports; i++)
		if (e->port[i].neighbor.count)
			port_flush(&e->port[i]);
	if (e->state == ENGINE_SENDING && send_streams(e, then))
		e->run.send_ticks += clock_now() - then;
}

/* ---- the thread ---- */

static _Thread_local struct engine *here;

/* A front end that shortens its memory file makes pages vanish: SIGBUS, and it is let go. */
static void on_fault(int signal_number)
{
	if (!here || !here->guarded) {
		signal(signal_number, SIG_DFL);
		return;
	}
	siglongjmp(here->fault, 1);
}

static void *engine_main(void *ctx)
{
	struct engine *e = ctx;

	here = e;
	if (sigsetjmp(e->fault, 1) && e->touching)
		port_refuse(e->touching, "its memory went away");
	e->guarded = true;
	while (!load_once(&e->quit))
		engine_turn(e);
	e->guarded = false;
	return NULL;
}

bool engine_open(struct engine *e, const struct scenario *s, double ticks, char *error, size_t room)
{
	memset(e, 0, sizeof *e);
	e->scenario = s;
	e->ticks = ticks;
	for (unsigned i = 0; i < s->ports; i++)
		if (!port_open(&e->port[i], s, i, error, room)) {
			while (i-- > 0)
				port_close(&e->port[i]);
			return false;
		}
	return true;
}

void engine_close(struct engine *e)
{
	for (unsigned i = 0; i < e->scenario->ports; i++)
		port_close(&e->port[i]);
}

bool engine_start(struct engine *e, int core)
{
	struct sigaction action = {.sa_handler = on_fault};
	pthread_attr_t attributes;
	bool good;

	sigaction(SIGBUS, &action, NULL);
	pthread_attr_init(&attributes);
	if (core >= 0) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(core, &set);
		pthread_attr_setaffinity_np(&attributes, sizeof set, &set);
	}
	good = pthread_create(&e->thread, &attributes, engine_main, e) == 0;
	pthread_attr_destroy(&attributes);
	return good;
}

void engine_join(struct engine *e)
{
	store_once(&e->quit, true);
	pthread_join(e->thread, NULL);
}

void engine_order(struct engine *e, const struct order *o)
{
	e->order = *o;
	store_once(&e->stop, false);
	store_release(&e->ordered, e->ordered + 1);
}

bool engine_done(const struct engine *e)
{
	return load_acquire(&e->done) == e->ordered;
}

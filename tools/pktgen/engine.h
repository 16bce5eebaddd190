/*
 * The one thread that sends and receives: ports, streams, the clock between them.
 *
 * It takes orders one at a time from the thread that controls, through one word
 * with a number, and says when each is done. While an order runs, the traffic is
 * the engine's; the other thread only reads counters.
 */
#ifndef PKTGEN_ENGINE_H
#define PKTGEN_ENGINE_H

#include <pthread.h>
#include <setjmp.h>

#include "tools/pktgen/port.h"
#include "tools/pktgen/traffic.h"

#define WINDOWS_MAX 8192u

/* What is to be sent. */
struct order {
	struct traffic *traffic;
	double rate;      /* packets per second of all streams, by weight; 0: as fast as buffers are
			     offered */
	double seconds;   /* of sending */
	uint64_t packets; /* of all streams at most; 0: no limit */
	uint64_t window;  /* packets sent and not back, at most (and a batch); 0: no limit */
	double drain_s;   /* at most, for packets to come back */
};

enum engine_state { ENGINE_IDLE, ENGINE_SENDING, ENGINE_DRAINING };

/* How an order went, as far as streams and sinks do not say it. */
struct run {
	uint64_t begin, end; /* of sending: ticks */
	uint64_t send_ticks; /* spent on batches that had frames */
	uint64_t sink_ticks;
	uint64_t stalls; /* turns that took longer than 20 us: the core was taken away */
	uint64_t stall_ticks;
	bool interrupted; /* a front end left, or the user had enough */
	unsigned windows;
	float window[WINDOWS_MAX]; /* packets per second that came back, over 10 ms each */
};

struct engine {
	const struct scenario *scenario;
	struct port port[PORTS_MAX];
	double ticks; /* per second */

	/* From the controlling thread. */
	alignas(CACHE_LINE) struct order order;
	uint32_t ordered; /* orders given; the last one is `order` */
	bool stop;        /* the order ends now */
	bool quit;

	/* The engine's. */
	alignas(CACHE_LINE) uint32_t done; /* orders finished */
	uint32_t taken;
	enum engine_state state;
	bool ready; /* every port is */
	struct run run;
	double share[STREAMS_MAX];      /* packets per tick */
	uint64_t limit[STREAMS_MAX];    /* packets, or UINT64_MAX */
	unsigned patience[STREAMS_MAX]; /* turns without enough buffers for a batch */
	uint64_t service_at, window_at, window_back, last_turn, back_seen;
	uint32_t silent, drained; /* services since something came back; since sending ended */
	struct port *touching;    /* whose memory is looked at */
	sigjmp_buf fault;
	bool guarded; /* `fault` is set */
	pthread_t thread;
	int core;
};

/* Opens all ports of a scenario. false: `error` says why. */
MUST_CHECK bool engine_open(
	struct engine *e, const struct scenario *s, double ticks, char *error, size_t room);
void engine_close(struct engine *e);

/* Runs the engine in a thread of its own, on a core (-1: any). false: errno. */
MUST_CHECK bool engine_start(struct engine *e, int core);
void engine_join(struct engine *e);

/* One turn: what the thread does over and over. For tests, which have no thread. */
void engine_turn(struct engine *e);

/* Gives an order, when the one before is done. The controlling thread. */
void engine_order(struct engine *e, const struct order *o);
bool engine_done(const struct engine *e);

#endif

/* A scenario being run: the engine, its traffic, and trials one after the other. */
#ifndef PKTGEN_SESSION_H
#define PKTGEN_SESSION_H

#include "tools/pktgen/options.h"
#include "tools/pktgen/trial.h"

struct session {
	const struct options *options;
	const struct scenario *scenario;
	struct engine engine;
	struct traffic traffic;
	struct traffic_port port[PORTS_MAX]; /* as they were when the traffic was made */
	bool made;
	unsigned again; /* trials that were repeated because the generator had lost its core */
	volatile sig_atomic_t cancel;
};

/* Opens sockets and starts the engine. false, and said why. */
MUST_CHECK bool session_open(struct session *x, const struct options *o, const struct scenario *s);
void session_close(struct session *x);

/* Waits for front ends and makes the traffic. false, and said why. */
MUST_CHECK bool session_ready(struct session *x);

/* One trial. rate 0: saturation; packets 0: as many as fit in the time. false: cannot be run. */
MUST_CHECK bool session_trial(struct session *x, const char *label, double rate, double seconds,
	uint64_t packets, struct trial *t);

/*
 * As session_trial; again if it lost packets while the generator itself was not
 * running, or could not offer the rate: what the device did is not seen then.
 */
MUST_CHECK bool session_fair_trial(struct session *x, const char *label, double rate,
	double seconds, uint64_t packets, struct trial *t);

/* Packets per second that the lines of all ports that send can carry, with the scenario's sizes. */
double session_line_rate(const struct scenario *s);

#endif

/* From options and a scenario to trials. */
#include "tools/pktgen/session.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/pktgen/clock.h"
#include "tools/pktgen/say.h"

#define PREAMBLE_GAP 20u /* bytes on the wire beside each frame: IEEE 802.3 */

bool session_open(struct session *x, const struct options *o, const struct scenario *s)
{
	char error[256];

	memset(x, 0, sizeof *x);
	x->options = o;
	x->scenario = s;
	frame_init();
	if (!engine_open(&x->engine, s, clock_measure(), error, sizeof error)) {
		say("%s", error);
		return false;
	}
	if (!engine_start(&x->engine, o->core)) {
		say("the engine cannot run on core %d", o->core);
		engine_close(&x->engine);
		return false;
	}
	return true;
}

void session_close(struct session *x)
{
	engine_join(&x->engine);
	engine_close(&x->engine);
	if (x->made)
		traffic_free(&x->traffic);
}

/* ---- readiness ---- */

static void say_missing(const struct session *x)
{
	for (unsigned i = 0; i < x->scenario->ports; i++) {
		const struct port *p = &x->engine.port[i];

		if (!p->connections)
			say("port %s: no front end has connected to %s", p->config->name,
				p->config->socket);
		else if (!p->rx_count || !p->tx_count)
			say("port %s: its rings are not running", p->config->name);
		else if (!p->neighbor.known)
			say("port %s: the router does not answer for its address", p->config->name);
	}
}

static bool wait_ready(struct session *x)
{
	for (double waited = 0; !load_once(&x->engine.ready); waited += 0.02) {
		if (x->cancel)
			return false;
		if (waited >= x->options->wait_s) {
			say_missing(x);
			return false;
		}
		trial_pause(0.02);
	}
	return true;
}

/* Flows are bound to receive queues and MACs: made anew when a front end has others. */
static bool make_traffic(struct session *x)
{
	char error[384];
	bool same = x->made;

	for (unsigned i = 0; i < x->scenario->ports; i++) {
		const struct port *p = &x->engine.port[i];
		struct traffic_port *was = &x->port[i];

		same &= was->queues == p->rx_count &&
			memcmp(was->router, p->neighbor.router, 6) == 0;
		was->queues = p->rx_count;
		memcpy(was->router, p->neighbor.router, 6);
	}
	if (same)
		return true;
	/* The engine has the old traffic in its hands only while an order runs. */
	for (unsigned i = 0; i < x->scenario->ports; i++)
		store_once(&x->engine.port[i].sink.traffic, NULL);
	trial_pause(0.01);
	if (x->made)
		traffic_free(&x->traffic);
	x->made = traffic_build(&x->traffic, x->scenario, x->port, error, sizeof error);
	if (!x->made)
		say("%s", error);
	return x->made;
}

bool session_ready(struct session *x)
{
	return wait_ready(x) && make_traffic(x);
}

/* ---- trials ---- */

bool session_trial(struct session *x, const char *label, double rate, double seconds,
	uint64_t packets, struct trial *t)
{
	struct order o = {
		.traffic = &x->traffic,
		.rate = rate,
		.seconds = seconds,
		.packets = packets,
		.window = x->options->window,
		.drain_s = x->options->drain_s,
	};

	if (!session_ready(x))
		return false;
	trial_run(&x->engine, &o, label, &x->cancel, t);
	if (t->interrupted && !x->cancel)
		say("a front end left during the trial");
	return !t->interrupted;
}

bool session_fair_trial(struct session *x, const char *label, double rate, double seconds,
	uint64_t packets, struct trial *t)
{
	for (unsigned i = 0;; i++) {
		if (!session_trial(x, label, rate, seconds, packets, t))
			return false;
		bool spoilt = (trial_loss(t) > 0 && t->stalls) || trial_fell_short(t);

		if (!spoilt || i + 1 >= x->options->repeat)
			return true;
		x->again++;
	}
}

double session_line_rate(const struct scenario *s)
{
	double rate = 0;

	for (unsigned p = 0; p < s->ports; p++) {
		double bytes = 0, parts = 0;

		for (unsigned i = 0; i < s->streams; i++) {
			const struct stream_config *c = &s->stream[i];
			double sum = 0;

			for (unsigned k = 0; k < c->sizes; k++)
				sum += c->size[k].parts;
			for (unsigned k = 0; k < c->sizes && c->from == p; k++) {
				double part = c->weight * c->size[k].parts / sum;

				bytes += part * (c->size[k].bytes + FRAME_FCS + PREAMBLE_GAP);
				parts += part;
			}
		}
		if (parts > 0)
			rate += s->line_bits / 8 / (bytes / parts);
	}
	return rate;
}

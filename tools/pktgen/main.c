/* pktgen: generates traffic for a router, and verifies what it makes of it. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tools/pktgen/methods.h"
#include "tools/pktgen/say.h"

static struct session session;
static struct scenario scenario;

static void on_signal(int number)
{
	session.cancel = 1;
}

static void check(const struct scenario *s)
{
	for (unsigned i = 0; i < s->streams; i++) {
		const struct stream_config *c = &s->stream[i];

		printf("stream %s: IPv%u from port %s, %u flows, sizes", c->name, c->family,
			s->port[c->from].name, c->flows);
		for (unsigned k = 0; k < c->sizes; k++)
			printf(" %u:%u", c->size[k].bytes + FRAME_FCS, c->size[k].parts);
		printf(", %s\n", c->routes[0] ? c->routes : "one prefix");
	}
	printf("lines carry %.3f M packets/s of it\n", session_line_rate(s) / 1e6);
}

static int measure(const struct options *o, const struct outputs *out)
{
	static int (*const method[COMMANDS])(struct session *, const struct outputs *) = {
		[COMMAND_RUN] = method_run,
		[COMMAND_THROUGHPUT] = method_throughput,
		[COMMAND_SEARCH] = method_search,
		[COMMAND_BACK_TO_BACK] = method_back_to_back,
		[COMMAND_LATENCY] = method_latency,
		[COMMAND_PLOT] = method_plot,
	};
	int status = 1;

	if (!session_open(&session, o, &scenario))
		return 1;
	if (session_ready(&session))
		status = method[o->command](&session, out);
	session_close(&session);
	return status;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct options o;
	struct outputs out = {stdout, NULL};
	int status;

	options_read(&o, &scenario, argc, argv);
	if (o.command == COMMAND_CHECK) {
		check(&scenario);
		return 0;
	}
	if (o.json) {
		bool standard = strcmp(o.json, "-") == 0;

		out.json = standard ? stdout : fopen(o.json, "w");
		out.text = standard ? NULL : stdout;
		if (!out.json) {
			say("%s: %s", o.json, strerror(errno));
			return 2;
		}
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = measure(&o, &out);
	if (out.json && fflush(out.json) != 0)
		status = 1;
	return status;
}

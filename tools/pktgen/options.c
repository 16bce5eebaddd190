/* The command line. */
#include "tools/pktgen/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const command_name[COMMANDS] = {
	"check", "run", "throughput", "search", "back-to-back", "latency", "plot"};

static const char usage_text[] =
	"usage: pktgen [options] COMMAND\n"
	"\n"
	"  -f FILE         lines of a scenario: ports, hosts, streams (README.md)\n"
	"  -e LINE         one line more\n"
	"  -c CORE         where the engine runs\n"
	"  -j FILE         results as JSON; - is standard output, in place of text\n"
	"\n"
	"  check           reads the scenario, prints what it amounts to\n"
	"  run             sends and verifies: --rate, --time, --packets; without --rate "
	"saturates\n"
	"  throughput      RFC 2544 26.1: the highest rate without loss, by halving; --time (60)\n"
	"  search          no-drop and partial-drop rate; --time (10) --first (0.5) --pdr (0.005)\n"
	"  back-to-back    RFC 2544 26.4: the longest burst without loss at --max; --repeat (5)\n"
	"  latency         at 10, 50 and 90 % of the no-drop rate; --ndr skips the search\n"
	"  plot            latency over load, drawn by gnuplot into --plot FILE.png\n"
	"\n"
	"  --rate R        packets/s over all streams: 250k, 1.5M\n"
	"  --max R         upper end of a search; default: the rate of the lines\n"
	"  --min R         lower end; default: a thousandth of it\n"
	"  --time S        seconds of sending of a trial\n"
	"  --first S       of the first trials of a search\n"
	"  --packets N     at most\n"
	"  --window N      sent and not yet back, at most: waits where others use the machine as "
	"well\n"
	"  --warmup S      sends before, uncounted (default 0.5; run: 0)\n"
	"  --drain S       waits for stragglers at most (2)\n"
	"  --wait S        waits for front ends and the router's MAC at most (30)\n"
	"  --precision P   relative width of a result (0.005)\n"
	"  --pdr L         loss ratio of the partial-drop rate (0.005)\n"
	"  --ndr R         a no-drop rate that is known\n"
	"  --repeat N      bursts; trials again if the generator lost its core (5)\n"
	"  --strict        run: anything lost, late or double is a failure\n"
	"  --plot FILE     a PNG\n"
	"\n"
	"Ends with 0, or 1 if a packet was wrong or a trial was interrupted, 2 for wrong usage.\n";

static void __attribute__((noreturn)) fail(const char *what, const char *detail)
{
	fprintf(stderr, "pktgen: %s%s%s\n", what, *detail ? ": " : "", detail);
	exit(2);
}

/* `250k`, `1.5M`, `0.25`. */
static double take_number(const char *text, double min, double max)
{
	char *end;
	double v = strtod(text, &end);

	if (*end == 'k')
		v *= 1e3, end++;
	else if (*end == 'M')
		v *= 1e6, end++;
	else if (*end == 'G')
		v *= 1e9, end++;
	if (end == text || *end != '\0' || !(v >= min && v <= max))
		fail("not a number for this option", text);
	return v;
}

enum {
	OPTION_RATE = 256,
	OPTION_MAX,
	OPTION_MIN,
	OPTION_TIME,
	OPTION_FIRST,
	OPTION_PACKETS,
	OPTION_WINDOW,
	OPTION_WARMUP,
	OPTION_DRAIN,
	OPTION_WAIT,
	OPTION_PRECISION,
	OPTION_PDR,
	OPTION_NDR,
	OPTION_REPEAT,
	OPTION_STRICT,
	OPTION_PLOT,
	OPTION_HELP,
};

static const struct option longs[] = {
	{"rate", required_argument, NULL, OPTION_RATE},
	{"max", required_argument, NULL, OPTION_MAX},
	{"min", required_argument, NULL, OPTION_MIN},
	{"time", required_argument, NULL, OPTION_TIME},
	{"first", required_argument, NULL, OPTION_FIRST},
	{"packets", required_argument, NULL, OPTION_PACKETS},
	{"window", required_argument, NULL, OPTION_WINDOW},
	{"warmup", required_argument, NULL, OPTION_WARMUP},
	{"drain", required_argument, NULL, OPTION_DRAIN},
	{"wait", required_argument, NULL, OPTION_WAIT},
	{"precision", required_argument, NULL, OPTION_PRECISION},
	{"pdr", required_argument, NULL, OPTION_PDR},
	{"ndr", required_argument, NULL, OPTION_NDR},
	{"repeat", required_argument, NULL, OPTION_REPEAT},
	{"strict", no_argument, NULL, OPTION_STRICT},
	{"plot", required_argument, NULL, OPTION_PLOT},
	{"help", no_argument, NULL, OPTION_HELP},
	{NULL, 0, NULL, 0},
};

/* Options whose value is a number. false: another one. */
static bool take_figure(struct options *o, int option, const char *text)
{
	double *to = option == OPTION_RATE        ? &o->rate
		     : option == OPTION_MAX       ? &o->max
		     : option == OPTION_MIN       ? &o->min
		     : option == OPTION_TIME      ? &o->seconds
		     : option == OPTION_FIRST     ? &o->first_s
		     : option == OPTION_WARMUP    ? &o->warmup_s
		     : option == OPTION_DRAIN     ? &o->drain_s
		     : option == OPTION_WAIT      ? &o->wait_s
		     : option == OPTION_PRECISION ? &o->precision
		     : option == OPTION_PDR       ? &o->pdr
		     : option == OPTION_NDR       ? &o->ndr
						  : NULL;

	if (!to)
		return false;
	*to = take_number(text, option == OPTION_TIME ? 0.01 : 0, 1e12);
	return true;
}

static void take_option(struct options *o, struct scenario *s, int option)
{
	const char *text = optarg ? optarg : "";

	if (take_figure(o, option, text))
		return;
	switch (option) {
	case 'f':
		if (!scenario_file(s, text))
			fail(s->error, "");
		break;
	case 'e':
		if (!scenario_line(s, text))
			fail(s->error, "");
		break;
	case 'c':
		o->core = (int)take_number(text, 0, 1023);
		break;
	case 'j':
		o->json = text;
		break;
	case OPTION_PACKETS:
		o->packets = (uint64_t)take_number(text, 1, 1e15);
		break;
	case OPTION_WINDOW:
		o->window = (uint64_t)take_number(text, 1, 1e15);
		break;
	case OPTION_REPEAT:
		o->repeat = (unsigned)take_number(text, 1, 1000);
		break;
	case OPTION_STRICT:
		o->strict = true;
		break;
	case OPTION_PLOT:
		o->plot = text;
		break;
	case OPTION_HELP:
		fputs(usage_text, stdout);
		exit(0);
	default:
		fputs(usage_text, stderr);
		exit(2);
	}
}

void options_read(struct options *o, struct scenario *s, int argc, char **argv)
{
	int option;

	*o = (struct options){
		.core = -1,
		.first_s = 0.5,
		.warmup_s = -1,
		.drain_s = 2,
		.wait_s = 30,
		.precision = 0.005,
		.pdr = 0.005,
		.repeat = 5,
		.command = COMMANDS,
	};
	scenario_init(s);
	while ((option = getopt_long(argc, argv, "f:e:c:j:h", longs, NULL)) != -1)
		take_option(o, s, option == 'h' ? OPTION_HELP : option);
	if (optind + 1 != argc) {
		fputs(usage_text, stderr);
		exit(2);
	}
	for (unsigned i = 0; i < COMMANDS; i++)
		if (strcmp(argv[optind], command_name[i]) == 0)
			o->command = (enum command)i;
	if (o->command == COMMANDS)
		fail("no such command", argv[optind]);
	if (!scenario_check(s))
		fail(s->error, "");
	if (!s->streams)
		fail("a scenario without streams", "");
	if (o->precision <= 0 || o->precision > 0.5)
		fail("a precision is above 0 and at most 0.5", "");
	if (o->command == COMMAND_PLOT && !o->plot)
		fail("plot wants --plot FILE.png", "");
	if (o->warmup_s < 0)
		o->warmup_s = o->command == COMMAND_RUN ? 0 : 0.5;
}

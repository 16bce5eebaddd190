/*
 * Our side of the comparison: the whole router, one worker, two perfect NICs.
 *
 *   ours --flows FILE --routes FILE [--nexthops N] [--seconds S] [--core N]
 *
 * Configuration and routes take the way they take at boot. Built three times: as it is; with
 * path_forward replaced by a bare hand-over to the VOQs (io only); with all stages timed
 * (stages.h).
 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/config.h"
#include "kernel/control.h"
#include "kernel/hosted/hosted.h"
#include "kernel/hosted/memory.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/publish.h"
#include "kernel/routefile.h"
#include "kernel/worker.h"
#include "lib/words.h"
#include "net/path/voq.h"
#include "net/table/route_text.h"
#include "test/bench/peers/mem.h"
#include "test/bench/peers/run.h"
#include "test/bench/stages.h"

#define NEXTHOPS_MAX   128u
#define STATIC_ROUTES  1000u
#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

struct hosted_options hosted = {.cores = 2, .mem_mib = 2048};

#ifdef BENCH_IO_ONLY
#	define KIND RUN_IO
/* Linked in place of path_forward: from the RX ring to the VOQ of the other port, owner and
 * counters as ever, and no look at the packet. */
void __wrap_path_forward(struct lane *lane, const uint64_t *word, unsigned n);
void __wrap_path_forward(struct lane *lane, const uint64_t *word, unsigned n)
{
	struct port_counters *counters = &lane->counters->port[lane->port];
	unsigned t = lane->txq[lane->port ^ 1];
	uint32_t limit = pool_free(lane->buffers, lane->pool, lane->actor, VOQ_SLOTS);

	uint8_t *owner = lane->buffers->owner;
	uint64_t *to = voq_room(lane->cross[t], 0, limit);

	counter_add(&counters->rx_packets, n);
	if (!to) {
		for (unsigned i = 0; i < n; i++)
			path_drop(lane, lane->port, word[i], DROP_VOQ_FULL);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		owner[packet_index(word[i])] = (uint8_t)OWNER_OUTPUT(t);
	counter_add(&counters->rx_bytes, words_copy(to, word, n));
	voq_wrap(lane->cross[t], 0, n);
	voq_publish(lane->cross[t], lane->received);
}
#else
#	define KIND RUN_FORWARD
#endif

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "ours: %s\n", what);
	exit(1);
}

/* Ports 10.0.P.1/24; next hop i is 10.0.P.2 and up, ports in turn, all those of a port with the
 * same MAC address. */
static void configure(unsigned nexthops, struct config_route *route, unsigned routes)
{
	static struct config_iface iface[PERFECT_PORTS];
	static struct config_neighbor neighbor[NEXTHOPS_MAX];
	struct config c = {.iface = iface, .neighbor = neighbor, .route = route, .routes = routes};
	char error[160];

	for (unsigned p = 0; p < PERFECT_PORTS; p++) {
		snprintf(iface[p].name, sizeof iface[p].name, "eth%u", p);
		iface[p].addrs = 1;
		iface[p].addr[0] = (struct iface_addr){IP(10, 0, p, 1), 24};
	}
	for (unsigned i = 0; i < nexthops; i++) {
		unsigned p = i % PERFECT_PORTS;

		memcpy(neighbor[i].iface, iface[p].name, IFACE_NAME_MAX);
		neighbor[i].address = IP(10, 0, p, 2 + i / PERFECT_PORTS);
		run_neighbor_mac(p, neighbor[i].mac);
	}
	c.ifaces = PERFECT_PORTS;
	c.neighbors = nexthops;
	for (unsigned i = 0; i < 3; i++)
		control_turn(&router); /* links, then routes */
	if (!config_apply(&router, &c, error, sizeof error))
		fail(error);
}

/* A file's text. */
static char *read_text(const char *name, size_t *bytes)
{
	FILE *f = fopen(name, "r");
	char *text;
	long size;

	if (!f || fseek(f, 0, SEEK_END) < 0 || (size = ftell(f)) < 0)
		fail(name);
	rewind(f);
	text = malloc((size_t)size + 1);
	if (!text || fread(text, 1, (size_t)size, f) != (size_t)size)
		fail(name);
	fclose(f);
	*bytes = (size_t)size;
	return text;
}

/* Few routes are lines of the configuration. How many there are; 0: too many. */
static unsigned static_routes(const char *text, size_t bytes, struct config_route *route)
{
	struct route_text reader = {.at = text, .end = text + bytes};
	struct route_line line;
	unsigned n = 0;

	while (route_text_next(&reader, &line)) {
		if (n == STATIC_ROUTES)
			return 0;
		route[n++].route = (struct static_route){
			.prefix = line.prefix, .length = line.length, .gateway = line.gateway};
	}
	return n;
}

/* Many are a file, as at boot. */
static void load_routes(const char *name, const char *text, size_t bytes)
{
	struct routefile_result result = routefile_load(&router, name, text, bytes);

	if (result.wrong || !result.routes4)
		fail("wrong lines among the routes");
}

/* ---- stages, in cycles per frame ---- */

#define STAGE_WINDOWS 20000u

static struct stage_window {
	double all, stage[STAGES];
} stage_window[STAGE_WINDOWS];
static unsigned stage_windows;

static void add_window(uint64_t frames)
{
	static bool began;
	struct stage_window *w = &stage_window[stage_windows];
	uint64_t cycles[STAGES];

	stages_read(cycles);
	if (!began || stage_windows == STAGE_WINDOWS) { /* the first has more to tell */
		began = true;
		return;
	}
	for (unsigned i = 0; i < STAGES; i++) {
		w->stage[i] = (double)cycles[i] / (double)frames;
		w->all += w->stage[i];
	}
	stage_windows++;
}

static int order(const void *x, const void *y)
{
	const struct stage_window *a = x, *b = y;

	return a->all < b->all ? -1 : a->all > b->all;
}

/* Means over the faster half of the windows: those that nobody disturbed. */
static void print_stages(void)
{
	static const char *const name[STAGES] = {
		"device", "parse", "lookup", "forward", "schedule", "free", "take", "loop"};
	unsigned n = (stage_windows + 1) / 2;

	qsort(stage_window, stage_windows, sizeof *stage_window, order);
	printf(", \"stages\": {");
	for (unsigned i = 0; i < STAGES; i++) {
		double sum = 0;

		for (unsigned k = 0; k < n; k++)
			sum += stage_window[k].stage[i];
		printf("%s\"%s\": %.2f", i ? ", " : "", name[i], n ? sum / n : 0);
	}
	printf("}");
}

static void time_stages(struct netdev *const *dev)
{
	for (unsigned p = 0; p < PERFECT_PORTS; p++)
		stages_start(dev[p]);
	run_window = add_window;
	run_print_more = print_stages;
}

/* ---- */

static void start_router(const char *routes, unsigned nexthops)
{
	static struct config_route route[STATIC_ROUTES];
	struct netdev *dev[PERFECT_PORTS];
	char error[160], *text;
	unsigned statics;
	size_t bytes;

	log_quiet();
	if (!hosted_memory_open())
		fail("no memory");
	for (unsigned p = 0; p < PERFECT_PORTS; p++)
		dev[p] = mem_create(p);
	if (!router_init(&router, dev, PERFECT_PORTS, 1, NULL, MTU_DEFAULT, error, sizeof error))
		fail(error);
	if (!control_init(&router))
		fail("no memory for tables");
	text = read_text(routes, &bytes);
	statics = static_routes(text, bytes, route);
	configure(nexthops, route, statics);
	if (!statics)
		load_routes(routes, text, bytes);
	free(text);
	while (!publish_settled(&router))
		control_turn(&router);
	if (!publish_current(&router))
		fail("the routes do not fit");
	for (unsigned i = 0; i < 1000; i++) { /* what the router itself says goes out first */
		control_turn(&router);
		(void)worker_step(&router, router.worker[0]);
	}
	if (stages_start)
		time_stages(dev);
}

static unsigned number(const char *text, unsigned max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!*text || *end || n > max)
		fail("not a number that fits");
	return (unsigned)n;
}

/* Where DPDK's programs run as well. */
static void pin(unsigned core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	if (sched_setaffinity(0, sizeof set, &set) < 0)
		fail(strerror(errno));
}

int main(int argc, char **argv)
{
	static const struct option words[] = {{"flows", required_argument, NULL, 'f'},
		{"routes", required_argument, NULL, 'r'},
		{"nexthops", required_argument, NULL, 'n'},
		{"seconds", required_argument, NULL, 's'}, {"core", required_argument, NULL, 'c'},
		{0}};
	struct run_options options = {.kind = KIND, .seconds = 1};
	const char *routes = NULL;
	unsigned nexthops = PERFECT_PORTS, core = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", words, NULL)) != -1) {
		if (c == 'f')
			options.flows = optarg;
		else if (c == 'r')
			routes = optarg;
		else if (c == 'n')
			nexthops = number(optarg, NEXTHOPS_MAX);
		else if (c == 's')
			options.seconds = atof(optarg);
		else if (c == 'c')
			core = number(optarg, CPU_SETSIZE - 1);
		else
			return 2;
	}
	if (!options.flows || !routes)
		fail("--flows and --routes are wanted");
	pin(core);
	start_router(routes, nexthops);
	run_begin(&options);
	fprintf(stderr, "ours: %s\n", platform_isa());
	struct worker *w = router.worker[0];

	for (;;) { /* run_due ends it */
		(void)worker_turn(&router, w);
		rcu_quiescent(&router.rcu.reader[w->id]);
	}
}

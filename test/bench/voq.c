/*
 * Cycles per packet from RX ring over VOQ to TX ring, for 1 or 2 workers.
 *
 *   voq --workers N [--seconds S] [--packets N] [--no-clock] [--ipv6]
 *
 * Two ports of the bench's own device; each receives what the other sends, 64
 * bytes, NIC_FLOWS flows over two routes. With two workers each has one port, so
 * that every packet crosses. Prints one line of JSON. --packets: so many packets
 * after the start, and no measurement (to be counted by callgrind). --no-clock:
 * workers read 0 from their clock, and so keep no latencies and no gaps. --ipv6: the
 * same with IPv6.
 *
 * Built four times: as it is; with path_forward replaced by a bare hand-over to
 * the VOQs (io only); with all stages wrapped (stages.h); with the workers' clock
 * wrapped, so that it is one program that has and has not a clock.
 */
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "kernel/config.h"
#include "kernel/control.h"
#include "kernel/hosted/hosted.h"
#include "kernel/hosted/memory.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/worker.h"
#include "test/bench/nic.h"
#include "test/bench/stages.h"

#define PORTS          2u
#define WINDOW         8192u /* packets of one measurement: short against a time slice */
#define WINDOWS_MAX    100000u
#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

struct hosted_options hosted = {.cores = 3, .mem_mib = 512};

static unsigned workers = 1;
static double seconds = 2;
static uint64_t packets;
static bool stop, no_clock, six;

/* Cycles per packet: in all, and of each stage. */
struct window {
	double all, stage[STAGES];
};

static struct result {
	struct window window[WINDOWS_MAX];
	unsigned windows;
} results[PORTS]; /* by worker */

#ifdef BENCH_CLOCK
/* Linked in place of platform_tsc. 0 is no time (lane.h): nothing is stamped then. */
uint64_t __wrap_platform_tsc(void);
uint64_t __wrap_platform_tsc(void)
{
	return no_clock ? 0 : __rdtsc();
}
#endif

static void fail(const char *what)
{
	fprintf(stderr, "voq: %s\n", what);
	exit(1);
}

/* ---- the router ---- */

/* fd00:0:0:P::HOST, and the network 2001:db8:0:P::/64 behind each port. */
static struct ip6 address6(unsigned port, unsigned host)
{
	return (struct ip6){0xfd00000000000000ull | port, host};
}

static struct ip6 network6(unsigned port)
{
	return (struct ip6){0x20010db800000000ull | port, 0};
}

/* What configure() says, of port p in IPv6. */
static void configure6(struct config_iface *iface, struct config_route *route,
	struct config_neighbor *neighbor, unsigned p)
{
	iface->addrs = 0;
	iface->addrs6 = 1;
	iface->addr6[0] = (struct iface_addr6){.address = address6(p, 1), .length = 64};
	route->route.prefix = network6(p);
	route->route.length = 64;
	route->route.gateway = address6(p, 2);
	neighbor->six = true;
	neighbor->address6 = address6(p, 2);
}

/* Ports 10.0.P.1/24 with host 10.0.P.2, a network 198.18.P.0/24 behind each. */
static void configure(void)
{
	static struct config_iface iface[PORTS];
	static struct config_route route[PORTS];
	static struct config_neighbor neighbor[PORTS];
	struct config c = {.iface = iface, .route = route, .neighbor = neighbor};
	char error[160];

	for (unsigned p = 0; p < PORTS; p++) {
		snprintf(iface[p].name, sizeof iface[p].name, "eth%u", p);
		iface[p].addrs = 1;
		iface[p].addr[0] = (struct iface_addr){IP(10, 0, p, 1), 24};
		route[p].route = (struct static_route){.prefix = rib4_key(IP(198, 18, p, 0)),
			.length = 24,
			.gateway = rib4_key(IP(10, 0, p, 2))};
		memcpy(neighbor[p].iface, iface[p].name, IFACE_NAME_MAX);
		neighbor[p].address = IP(10, 0, p, 2);
		memcpy(neighbor[p].mac, (uint8_t[]){2, 1, 1, 1, 1, (uint8_t)p}, 6);
		if (six)
			configure6(&iface[p], &route[p], &neighbor[p], p);
	}
	c.ifaces = c.neighbors = PORTS;
	if (six)
		c.route6 = route;
	*(six ? &c.routes6 : &c.routes) = PORTS;
	for (unsigned i = 0; i < 3; i++)
		control_turn(&router); /* links, then routes */
	if (!config_apply(&router, &c, error, sizeof error))
		fail(error);
	control_turn(&router);
}

static void start_router(void)
{
	static uint32_t dst[PORTS][NIC_FLOWS];
	struct netdev *dev[PORTS];
	char error[160];

	log_quiet();
	if (!hosted_memory_open())
		fail("no memory");
	for (unsigned p = 0; p < PORTS; p++) {
		for (unsigned i = 0; i < NIC_FLOWS; i++)
			dst[p][i] = IP(198, 18, p ^ 1, i * 37 & 255);
		struct ip6 network = network6(p ^ 1);

		dev[p] = nic_create(
			p, (uint8_t[]){2, 0, 0, 0, 0, (uint8_t)p}, dst[p], six ? &network : NULL);
		if (stages_start)
			stages_start(dev[p]);
	}
	if (!router_init(&router, dev, PORTS, workers, NULL, MTU_DEFAULT, error, sizeof error))
		fail(error);
	if (!control_init(&router))
		fail("no memory for tables");
	configure();
}

/* Packets given to the device by a worker's TX queues. */
static uint64_t sent(const struct worker *w)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < w->txqs; i++)
		n += router.counters[w->id + 1]->txq[w->txq[i]].packets;
	return n;
}

/* ---- measuring ---- */

static void pin(unsigned core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core % (unsigned)sysconf(_SC_NPROCESSORS_ONLN), &set);
	(void)sched_setaffinity(0, sizeof set, &set);
}

static void end_window(struct result *r, uint64_t cycles, uint64_t n)
{
	uint64_t stage[STAGES] = {0};
	struct window *window = &r->window[r->windows];

	if (stages_read)
		stages_read(stage);
	if (r->windows == WINDOWS_MAX)
		return;
	window->all = (double)cycles / (double)n;
	for (unsigned i = 0; i < STAGES; i++)
		window->stage[i] = (double)stage[i] / (double)n;
	r->windows++;
}

static void *run(void *arg)
{
	struct worker *w = arg;
	uint64_t begin = __rdtsc(), count = sent(w), now, now_sent;

	pin(w->id);
	while (!load_once(&stop)) {
		worker_turn(&router, w);
		rcu_quiescent(&router.rcu.reader[w->id]);
		now_sent = sent(w);
		if (now_sent - count < WINDOW)
			continue;
		now = __rdtsc();
		end_window(&results[w->id], now - begin, now_sent - count);
		begin = now;
		count = now_sent;
	}
	return NULL;
}

static int order(const void *x, const void *y)
{
	const struct window *a = x, *b = y;

	return a->all < b->all ? -1 : a->all > b->all;
}

static double quantile(struct result *r, double part)
{
	if (r->windows == 0)
		fail("no packets moved");
	qsort(r->window, r->windows, sizeof *r->window, order);
	return r->window[(unsigned)(part * (r->windows - 1))].all;
}

/* A stage's mean over the faster half of the windows: those that nobody disturbed. */
static double stage_mean(const struct result *r, unsigned stage)
{
	unsigned n = (r->windows + 1) / 2;
	double sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += r->window[i].stage[stage];
	return sum / n;
}

/* Packets whose latency was counted. */
static uint64_t latencies(void)
{
	uint64_t n = 0;

	for (unsigned port = 0; port < router.ports; port++)
		for (unsigned t = 0; t < router.txqs; t++)
			n += histogram_total(router.latency[port][t]);
	return n;
}

static void print_results(void)
{
	static const char *const stage_name[STAGES] = {
		"device", "parse", "lookup", "forward", "schedule", "free", "take", "loop"};
	double median = 0, best = 0;

	for (unsigned w = 0; w < workers; w++) {
		median += quantile(&results[w], 0.5) / workers;
		best += quantile(&results[w], 0.05) / workers;
	}
	printf("{\"workers\": %u, \"cycles\": %.2f, \"cycles_p5\": %.2f, \"windows\": %u, "
	       "\"latencies\": %llu",
		workers, median, best, results[0].windows, (unsigned long long)latencies());
	if (stages_read)
		for (unsigned i = 0; i < STAGES; i++)
			printf(", \"%s\": %.2f", stage_name[i], stage_mean(&results[0], i));
	printf("}\n");
}

static void measure(void)
{
	pthread_t thread[PORTS];

	for (unsigned w = 0; w < workers; w++)
		if (pthread_create(&thread[w], NULL, run, router.worker[w]) != 0)
			fail("no thread");
	usleep((useconds_t)(seconds * 1e6));
	store_once(&stop, true);
	for (unsigned w = 0; w < workers; w++)
		pthread_join(thread[w], NULL);
	print_results();
}

/* One worker, a number of packets, nothing else. */
static void move_packets(void)
{
	struct worker *w = router.worker[0];
	uint64_t begin = sent(w), moved = 0;

	while (moved < packets) {
		worker_turn(&router, w);
		moved = sent(w) - begin;
	}
	printf("{\"packets\": %llu, \"form\": \"%s\"}\n", (unsigned long long)moved,
		platform_isa());
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"workers", required_argument, NULL, 'w'},
		{"seconds", required_argument, NULL, 's'},
		{"packets", required_argument, NULL, 'p'}, {"no-clock", no_argument, NULL, 'c'},
		{"ipv6", no_argument, NULL, '6'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'w')
			workers = (unsigned)atoi(optarg);
		else if (c == 's')
			seconds = atof(optarg);
		else if (c == 'p')
			packets = strtoull(optarg, NULL, 10);
		else if (c == 'c')
			no_clock = true;
		else if (c == '6')
			six = true;
		else
			return 2;
	}
	if (workers < 1 || workers > PORTS)
		fail("1 or 2 workers");
	start_router();
	if (packets)
		move_packets();
	else
		measure();
	return 0;
}

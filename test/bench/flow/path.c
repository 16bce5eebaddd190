/*
 * Cycles per packet of the whole router with flows, access lists and NAT, on one core.
 *
 *   path [--flows N] [--zipf] [--rules N] [--kind K] [--sessions] [--set 'LINE']...
 *        [--stream N] [--seconds S] [--core N] [--mem MIB]
 *
 * Two ports of the bench's own device, two routes, 64-byte frames; the configuration is text, to
 * which each --set adds a line. --rules: access list `bench` of so many, the last one permits the
 * rest; all that comes in is asked. Flows are drawn for a list of 10,000 rules of the kind,
 * whatever --rules says, so that those of different runs are the same.
 * --sessions: flows go from port 0 to port 1, and their answers come back by port 1, as they left
 * (translated or not). --stream: length of the sequence of flows, at least N. --mem: of the router,
 * which sizes its tables by it.
 *
 * Every flow is forwarded and looked at once before anything is timed. Prints a line of JSON.
 */
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <x86intrin.h>

#include "kernel/config.h"
#include "kernel/control.h"
#include "kernel/hosted/hosted.h"
#include "kernel/hosted/memory.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/publish.h"
#include "kernel/shell/shell.h"
#include "kernel/worker.h"
#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "test/bench/flow/flows.h"
#include "test/bench/flow/nic.h"

#define RULES_OF_FLOWS 9999u
#define WINDOW         8192u /* packets of one measurement: short against a time slice */
#define WINDOWS_MAX    100000u
#define WINDOWS_MIN    100u
#define WARM_UP        0.2   /* seconds */
#define HELD_MAX       8192u /* received and not sent: in rings and queues */
#define SEED           1u

struct hosted_options hosted = {.cores = 2, .mem_mib = 3072};

static struct {
	uint32_t flows, stream;
	unsigned rules, core;
	enum aclgen_kind kind;
	bool zipf, sessions;
	double seconds;
	FILE *more;
	char *lines; /* what was written to more */
	size_t lines_bytes;
} opt = {.flows = 65536, .seconds = 1};

static struct netdev *dev[FLOWS_PORTS];
static struct flow *flow;
static struct flow_record *record[FLOWS_PORTS]; /* by place in the stream */
static uint32_t records[FLOWS_PORTS];
static uint64_t looked, wrong;
static struct flow *answer; /* by flow; protocol 0: not seen yet */
static double window[WINDOWS_MAX];
static unsigned windows;

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "path: %s\n", what);
	exit(1);
}

/* In large pages where the kernel gives them. */
static void *room(size_t n, size_t each)
{
	size_t bytes = (n * each + (2u << 20) - 1) & ~(size_t)((2u << 20) - 1);
	void *p = aligned_alloc(2u << 20, bytes);

	if (!p)
		fail("no memory");
	(void)madvise(p, bytes, MADV_HUGEPAGE);
	memset(p, 0, bytes);
	return p;
}

/* ---- the router ---- */

static void print_config(FILE *f, const struct acl_rule *rule)
{
	for (unsigned p = 0; p < FLOWS_PORTS; p++) {
		fprintf(f, "set interfaces eth%u address 192.168.%u.1/24\n", p, p);
		fprintf(f, "set neighbors eth%u 192.168.%u.2 02:01:01:01:01:0%u\n", p, p, p);
		fprintf(f, "set routes %u.0.0.0/2 via 192.168.%u.2\n", 64 * p, p);
		if (opt.rules)
			fprintf(f, "set interfaces eth%u acl in bench\n", p);
	}
	if (opt.rules) {
		char *list = flows_list_text("bench", rule, opt.rules - 1);

		fputs(list, f);
		free(list);
	}
	fputs(opt.lines ? opt.lines : "", f);
}

static void configure(const struct acl_rule *rule)
{
	static struct config c;
	char error[200], *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		fail("no memory");
	print_config(f, rule);
	fclose(f);
	if (!shell_read_config(text, bytes, &c, error, sizeof error))
		fail(error);
	for (unsigned i = 0; i < 3; i++)
		control_turn(&router); /* links, then routes */
	if (!config_apply(&router, &c, error, sizeof error))
		fail(error);
	free(text);
}

static void start_router(const struct acl_rule *rule)
{
	char error[160];

	log_quiet();
	if (!hosted_memory_open())
		fail("no memory");
	for (unsigned p = 0; p < FLOWS_PORTS; p++)
		dev[p] = flow_nic_create(p, (uint8_t[]){2, 0, 0, 0, 0, (uint8_t)p});
	if (!router_init(&router, dev, FLOWS_PORTS, 1, NULL, MTU_DEFAULT, error, sizeof error))
		fail(error);
	if (!control_init(&router))
		fail("no memory for tables");
	configure(rule);
	while (!publish_settled(&router))
		control_turn(&router);
}

static void turns(unsigned n)
{
	struct worker *w = router.worker[0];

	while (n--) {
		worker_turn(&router, w);
		rcu_quiescent(&router.rcu.reader[w->id]);
	}
}

/* ---- flows, and a look at what comes out ---- */

static bool udp_good(const uint8_t *f)
{
	uint8_t pseudo[12 + 30];

	memcpy(pseudo, f + 26, 8);
	store_be16(pseudo + 8, f[23]);
	store_be16(pseudo + 10, 30);
	memcpy(pseudo + 12, f + 34, 30);
	return checksum(pseudo, sizeof pseudo) == 0;
}

static void look(unsigned port, const uint8_t *f, uint32_t len)
{
	if (load_be16(f + 12) != 0x0800) /* the router's own */
		return;
	looked++;
	if (len != FLOW_FRAME || f[5] != port || f[0] != 2 || f[1] != 1 || f[22] != 63 ||
		checksum(f + 14, 20) != 0 || (f[23] == 17 && !udp_good(f)))
		wrong++;
	if (!opt.sessions)
		return;
	uint32_t i = load_be32(f + 42);

	if (i >= opt.flows) {
		wrong++;
	} else if (port == 1) { /* what answers it */
		wrong += load_be32(f + 30) != flow[i].dst;
		answer[i] = (struct flow){load_be32(f + 30), load_be32(f + 26),
			load_be32(f + 34) << 16 | load_be32(f + 34) >> 16, 17};
	} else { /* the answer has come back to who asked */
		wrong += load_be32(f + 26) != flow[i].dst || load_be32(f + 30) != flow[i].src ||
			 load_be32(f + 34) != (flow[i].ports << 16 | flow[i].ports >> 16);
	}
}

/* Sends n records of each port once, and looks at what comes of them. */
static void send_once(void)
{
	uint64_t due = 0, before = looked;

	flow_nic_look = look;
	for (unsigned p = 0; p < FLOWS_PORTS; p++) {
		flow_nic_stream(dev[p], record[p], records[p], records[p]);
		due += records[p];
	}
	for (unsigned i = 0; looked - before < due; i++) {
		turns(64);
		control_turn(&router);
		if (i > 1000 + due / 8) {
			fprintf(stderr, "path: %llu of %llu frames came out\n",
				(unsigned long long)(looked - before), (unsigned long long)due);
			exit(1);
		}
	}
	flow_nic_look = NULL;
	if (wrong)
		fail("frames are forwarded wrongly");
}

static void make_records(struct flow_record *r, const struct flow *of, const uint32_t *order,
	uint32_t n, bool all, unsigned port)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct flow *f = &of[order[i]];

		if (all || flows_port(f) != port)
			flow_record_make(&r[records[port]++], f, order[i]);
	}
}

/* Each port receives what leaves by the other. */
static void open_streams(const struct acl_rule *rule)
{
	uint32_t n = opt.stream > opt.flows ? opt.stream : opt.flows, *order = room(n, 4);

	flow = room(opt.flows, sizeof *flow);
	flows_make(flow, opt.flows, rule, RULES_OF_FLOWS, opt.sessions, SEED);
	flows_order(order, n, opt.flows, opt.zipf, SEED);
	for (unsigned p = 0; p < FLOWS_PORTS; p++) {
		record[p] = room(n, sizeof **record);
		if (!opt.sessions)
			make_records(record[p], flow, order, n, false, p);
	}
	if (opt.sessions) {
		uint32_t *each = room(opt.flows, 4);

		answer = room(opt.flows, sizeof *answer);
		flows_order(each, opt.flows, opt.flows, false, SEED); /* none is left out */
		make_records(record[0], flow, each, opt.flows, true, 0);
		send_once();
		for (uint32_t i = 0; i < opt.flows; i++)
			if (!answer[i].protocol)
				fail("a flow did not come out");
		records[0] = 0;
		make_records(record[0], flow, order, n, true, 0);
		flows_order(order, n, opt.flows, opt.zipf, SEED + 1);
		make_records(record[1], answer, order, n, true, 1);
	}
	send_once();
}

/* ---- measuring ---- */

static uint64_t sent(void)
{
	return flow_nic_sent(dev[0]) + flow_nic_sent(dev[1]);
}

static double tsc_hz(void)
{
	uint64_t us = platform_now_us(), tsc = __rdtsc();

	while (platform_now_us() - us < 20000)
		;
	return (double)(__rdtsc() - tsc) / (double)(platform_now_us() - us) * 1e6;
}

static void run(double seconds, bool keep)
{
	uint64_t end = __rdtsc() + (uint64_t)(seconds * tsc_hz()), begin = __rdtsc(), n = sent();

	for (uint64_t now = begin, now_sent; now < end || (keep && windows < WINDOWS_MIN);) {
		turns(1);
		now_sent = sent();
		if (now_sent - n < WINDOW)
			continue;
		now = __rdtsc();
		if (keep && windows < WINDOWS_MAX)
			window[windows++] = (double)(now - begin) / (double)(now_sent - n);
		begin = now;
		n = now_sent;
	}
}

static int order(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return a < b ? -1 : a > b;
}

static void measure(void)
{
	for (unsigned p = 0; p < FLOWS_PORTS; p++)
		flow_nic_stream(dev[p], record[p], records[p], UINT64_MAX);
	run(WARM_UP, false);
	for (unsigned i = 0; i < 100; i++)
		control_turn(&router);
	run(opt.seconds, true);
	/* What the router itself says was sent as well. */
	long long held =
		(long long)(flow_nic_received(dev[0]) + flow_nic_received(dev[1]) - sent());

	qsort(window, windows, sizeof *window, order);
	printf("{\"p10\": %.2f, \"p50\": %.2f, \"p90\": %.2f, \"windows\": %u, \"held\": %lld, "
	       "\"form\": \"%s\"}\n",
		window[windows / 10], window[windows / 2], window[windows - windows / 10 - 1],
		windows, held, platform_isa());
	if (held > HELD_MAX)
		fail("frames are lost");
}

static void pin(unsigned core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	(void)sched_setaffinity(0, sizeof set, &set);
}

static unsigned number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!*text || *end || n > 1u << 26)
		fail("not a number that fits");
	return (unsigned)n;
}

static void read_options(int argc, char **argv)
{
	static const struct option words[] = {{"flows", required_argument, NULL, 'f'},
		{"rules", required_argument, NULL, 'r'}, {"kind", required_argument, NULL, 'k'},
		{"set", required_argument, NULL, 'l'}, {"stream", required_argument, NULL, 'n'},
		{"seconds", required_argument, NULL, 's'}, {"core", required_argument, NULL, 'c'},
		{"mem", required_argument, NULL, 'm'}, {"zipf", no_argument, NULL, 'z'},
		{"sessions", no_argument, NULL, 'b'}, {0}};
	int c;

	opt.more = open_memstream(&opt.lines, &opt.lines_bytes);
	while ((c = getopt_long(argc, argv, "", words, NULL)) != -1) {
		if (c == 'f')
			opt.flows = number(optarg);
		else if (c == 'r')
			opt.rules = number(optarg);
		else if (c == 'n')
			opt.stream = number(optarg);
		else if (c == 'c')
			opt.core = number(optarg);
		else if (c == 'm')
			hosted.mem_mib = number(optarg);
		else if (c == 's')
			opt.seconds = atof(optarg);
		else if (c == 'l')
			fprintf(opt.more, "set %s\n", optarg);
		else if (c == 'z' || c == 'b')
			*(c == 'z' ? &opt.zipf : &opt.sessions) = true;
		else if (c != 'k' || !flows_kind(optarg, &opt.kind))
			exit(2);
	}
	fclose(opt.more);
	if (!opt.flows || opt.rules > RULES_OF_FLOWS + 1)
		fail("--flows of at least 1, --rules of at most 10000");
}

int main(int argc, char **argv)
{
	static struct acl_rule rule[RULES_OF_FLOWS], few[RULES_OF_FLOWS];

	read_options(argc, argv);
	pin(opt.core);
	flows_rules(rule, RULES_OF_FLOWS, opt.kind, SEED);
	if (opt.rules)
		flows_rules(few, opt.rules - 1, opt.kind, SEED);
	start_router(few);
	open_streams(rule);
	measure();
	return 0;
}

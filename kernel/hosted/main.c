/* The kernel as a Linux process: options, then the same kernel_main as on bare metal. */
#include "kernel/hosted/hosted.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/bootlog.h"
#include "kernel/hardware.h"
#include "kernel/hosted/memory.h"
#include "kernel/main.h"
#include "kernel/platform.h"

struct hosted_options hosted = {.cores = 2, .mem_mib = 256};

static const char usage[] =
	"usage: barewire [--port PORT]... [--cores N | --cores CPU,...] [--mem MIB] [--config "
	"FILE]\n"
	"                [--routes FILE] [--append WORDS]\n"
	"                [--console unix:PATH | --pty LINK]\n"
	"  --port mem:N   N memory-only ports (no traffic comes from outside; for tests)\n"
	"  --port vhost-user:PATH[,server][,mac=MAC][,queues=N][,packed]\n"
	"                 virtio-net whose device is the process at a UNIX socket; server: it\n"
	"                 connects to us; queues, packed: what to begin with if it is not there "
	"yet\n"
	"  --port xdp:IFACE[:QUEUE]\n"
	"                 a Linux interface, or one queue of it, by AF_XDP\n"
	"  --port ixgbe:0000:03:00.0\n"
	"                 an Intel 82599, X540 or X550 that is bound to vfio-pci\n"
	"  --cores N      threads: one is the control core, the others forward (default 2)\n"
	"  --cores 0,1    the same, each on the CPU named; with one CPU: --cores 0,\n"
	"  --mem MIB      memory for buffers and tables (default 256)\n"
	"  --config FILE  configuration applied before the first packet\n"
	"  --routes FILE  table of routes, likewise\n"
	"  --append WORDS words of a command line: config=tftp://SERVER/FOLDER ip= gw= if=\n"
	"  --console unix:PATH\n"
	"                 console on a UNIX socket, for one connection at a time (default: stdio)\n"
	"  --pty LINK     console on a new pseudo-terminal, LINK points to it\n";

static void __attribute__((noreturn)) usage_error(const char *option, const char *value)
{
	fprintf(stderr, "barewire: --%s: '%s' is not valid\n%s", option, value, usage);
	exit(2);
}

static unsigned long number(const char *option, const char *s, unsigned long min, unsigned long max)
{
	char *end;

	errno = 0;
	unsigned long v = strtoul(s, &end, 10);

	if (errno || end == s || *end || v < min || v > max)
		usage_error(option, s);
	return v;
}

/* A comma makes it a list of CPUs, the control core's first; without one it is how many. */
bool hosted_cores_parse(const char *text)
{
	bool list = strchr(text, ',');
	unsigned n = 0;

	while (*text) {
		char *end;
		unsigned long v = strtoul(text, &end, 10);

		if (end == text || *text < '0' || *text > '9' || v > INT_MAX || n == CORE_MAX)
			return false;
		if (list && v >= CPU_SETSIZE)
			return false;
		hosted.cpu[n++] = (unsigned)v;
		if (*end == ',')
			end++;
		else if (*end)
			return false;
		text = end;
	}
	hosted.pinned = list;
	hosted.cores = list ? n : n ? hosted.cpu[0] : 0;
	return hosted.cores >= 1 && hosted.cores <= CORE_MAX;
}

/* Threads that were given no CPU, or two of them the same one. */
static bool share_cpus(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (unsigned i = 0; i < hosted.cores && hosted.pinned; i++)
		CPU_SET(hosted.cpu[i], &set);
	return (unsigned)CPU_COUNT(&set) < hosted.cores;
}

static void parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{"port", required_argument, NULL, 'p'},
		{"cores", required_argument, NULL, 'c'},
		{"mem", required_argument, NULL, 'm'},
		{"config", required_argument, NULL, 'f'},
		{"routes", required_argument, NULL, 'r'},
		{"append", required_argument, NULL, 'a'},
		{"pty", required_argument, NULL, 't'},
		{"console", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'p':
			if (!hosted_port_parse(optarg))
				usage_error("port", optarg);
			break;
		case 'c':
			if (!hosted_cores_parse(optarg))
				usage_error("cores", optarg);
			break;
		case 'm':
			hosted.mem_mib = number("mem", optarg, 32, 1ul << 20);
			break;
		case 'f':
			hosted.config = optarg;
			break;
		case 'r':
			hosted.routes = optarg;
			break;
		case 'a': /* it is in hosted.cmdline, as all are */
			break;
		case 't':
			hosted.pty = optarg;
			break;
		case 's':
			if (strncmp(optarg, "unix:", 5) != 0 || !optarg[5])
				usage_error("console", optarg);
			hosted.console_path = optarg + 5;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (optind < argc)
		usage_error("port", argv[optind]);
}

int main(int argc, char **argv)
{
	bootlog_begin(platform_tsc());
	hosted.argv = argv;
	parse_options(argc, argv);
	for (int i = 1; i < argc; i++) {
		size_t used = strlen(hosted.cmdline);

		snprintf(hosted.cmdline + used, sizeof hosted.cmdline - used, "%s%s",
			used ? " " : "", argv[i]);
	}
	hosted.yields = share_cpus();
	if (!hosted_pin(0) || !hosted_memory_open() || !hosted_console_open()) {
		fprintf(stderr, "barewire: %s\n", strerror(errno));
		return 1;
	}
	hardware_fact(
		"machine", "Linux process, %u threads, %lu MiB", hosted.cores, hosted.mem_mib);
	bootlog_phase("process");
	kernel_main();
}

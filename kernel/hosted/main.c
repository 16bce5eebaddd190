/* The kernel as a Linux process: options, then the same kernel_main as on bare metal. */
#include "kernel/hosted/hosted.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/main.h"

struct hosted_options hosted = {.cores = 2, .mem_mib = 256};

static const char usage[] =
	"usage: barewire [--port mem:N] [--cores N] [--mem MIB] [--config FILE] [--routes FILE] "
	"[--pty LINK]\n"
	"  --port mem:N   N memory-only ports (no traffic comes from outside; for tests)\n"
	"  --cores N      threads: one is the control core, the others forward (default 2)\n"
	"  --mem MIB      memory for buffers and tables (default 256)\n"
	"  --config FILE  configuration applied before the first packet\n"
	"  --routes FILE  table of routes, likewise\n"
	"  --pty LINK     console on a new pseudo-terminal, LINK points to it (default: stdio)\n";

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

static void parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{"port", required_argument, NULL, 'p'},
		{"cores", required_argument, NULL, 'c'},
		{"mem", required_argument, NULL, 'm'},
		{"config", required_argument, NULL, 'f'},
		{"routes", required_argument, NULL, 'r'},
		{"pty", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'p':
			if (strncmp(optarg, "mem:", 4) != 0)
				usage_error("port", optarg);
			hosted.mem_ports = (unsigned)number("port", optarg + 4, 1, PORT_MAX);
			break;
		case 'c':
			hosted.cores = (unsigned)number("cores", optarg, 1, CORE_MAX);
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
		case 't':
			hosted.pty = optarg;
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
	hosted.argv = argv;
	parse_options(argc, argv);
	for (int i = 1; i < argc; i++) {
		size_t used = strlen(hosted.cmdline);

		snprintf(hosted.cmdline + used, sizeof hosted.cmdline - used, "%s%s",
			used ? " " : "", argv[i]);
	}
	if (!hosted_memory_open() || !hosted_console_open()) {
		fprintf(stderr, "barewire: %s\n", strerror(errno));
		return 1;
	}
	kernel_main();
}

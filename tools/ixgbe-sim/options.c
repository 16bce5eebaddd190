/* The command line: options of the process, and a list of words for each port. */
#include "tools/ixgbe-sim/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USAGE                                                                                      \
	"usage: ixgbe-sim [--house] [--control SOCKET] --port WORDS [--port WORDS]...\n"           \
	"A model of the Intel 82599, X540 or X550 for virtual machines, by vfio-user.\n"           \
	"  --port WORDS      a card with one port; WORDS, with commas between them:\n"             \
	"      socket=PATH   where the machine connects (QEMU: vfio-user-pci)\n"                   \
	"      tap=NAME      its cable ends at this interface, made if it is not there\n"          \
	"      fd=N          the same, a tap that is open already\n"                               \
	"      mac=ADDRESS   default: the model's own\n"                                           \
	"      device=ID     PCI device id, default 10fb\n"                                        \
	"      media=WORD    sfp (the default), sfp-odd, sfp-absent, kx4 or base-t\n"              \
	"      no-cable      until an order says otherwise\n"                                      \
	"  --house           drivers are judged by the rules of this project, too\n"               \
	"  --control SOCKET  datagrams there are orders: 'link PORT up', 'link PORT down',\n"      \
	"                    'remove PORT'; each is answered\n"                                    \
	"Ends on SIGTERM or SIGINT: a line for each port, status 1 if any rule was broken.\n"

static void __attribute__((noreturn)) refuse(const char *what, const char *value)
{
	fprintf(stderr, "ixgbe-sim: %s%s%s (ixgbe-sim --help)\n", what, value ? ": " : "",
		value ? value : "");
	exit(2);
}

static unsigned long number(const char *word, int base, unsigned long most, const char *what)
{
	char *end = NULL;
	unsigned long n = word ? strtoul(word, &end, base) : 0;

	if (!word || end == word || *end || n > most)
		refuse(what, word);
	return n;
}

static void read_mac(uint8_t mac[6], const char *word)
{
	unsigned b[6];
	int end = 0;

	if (!word ||
		sscanf(word, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
			&end) != 6 ||
		word[end] || b[0] & 1)
		refuse("no address of a station", word);
	for (unsigned i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
}

static enum ixgbe_model_media read_media(const char *word)
{
	static const char *const name[] = {
		[IXGBE_MODEL_SFP] = "sfp",
		[IXGBE_MODEL_SFP_ODD] = "sfp-odd",
		[IXGBE_MODEL_SFP_ABSENT] = "sfp-absent",
		[IXGBE_MODEL_KX4] = "kx4",
		[IXGBE_MODEL_BASE_T] = "base-t",
	};

	for (unsigned i = 0; word && i < sizeof name / sizeof *name; i++)
		if (strcmp(word, name[i]) == 0)
			return (enum ixgbe_model_media)i;
	refuse("no such media", word);
}

static void read_port(struct port_options *p, char *words)
{
	enum { SOCKET, TAP, FD, MAC, DEVICE, MEDIA, NO_CABLE };
	static const char *const name[] = {
		"socket", "tap", "fd", "mac", "device", "media", "no-cable", NULL};

	p->fd = -1;
	while (*words) {
		char *rest = words, *value = NULL;

		switch (getsubopt(&words, (char *const *)name, &value)) {
		case SOCKET:
			p->socket = value;
			break;
		case TAP:
			p->tap = value;
			break;
		case FD:
			p->fd = (int)number(value, 10, 1u << 20, "no descriptor");
			break;
		case MAC:
			read_mac(p->model.mac, value);
			break;
		case DEVICE:
			p->model.device_id = (uint16_t)number(value, 16, 0xffff, "no device id");
			break;
		case MEDIA:
			p->model.media = read_media(value);
			break;
		case NO_CABLE:
			p->model.no_cable = true;
			break;
		default:
			refuse("--port: not known", rest);
		}
	}
	if (!p->socket)
		refuse("--port: a socket is missing", NULL);
}

void options_read(struct options *o, int argc, char **argv)
{
	static const struct option known[] = {{"port", required_argument, NULL, 'p'},
		{"house", no_argument, NULL, 'h'}, {"control", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, '?'}, {NULL, 0, NULL, 0}};
	bool house = false;
	int c;

	memset(o, 0, sizeof *o);
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'p' && o->ports < PORTS_MAX) {
			read_port(&o->port[o->ports++], optarg);
		} else if (c == 'p') {
			refuse("more ports than there is room for", NULL);
		} else if (c == 'h') {
			house = true;
		} else if (c == 'c') {
			o->control = optarg;
		} else {
			bool asked = strcmp(argv[optind - 1], "--help") == 0;

			fputs(USAGE, asked ? stdout : stderr);
			exit(asked ? 0 : 2);
		}
	}
	if (optind < argc)
		refuse("not known", argv[optind]);
	if (!o->ports)
		refuse("no port", NULL);
	for (unsigned i = 0; i < o->ports; i++) {
		o->port[i].model.house = house;
		/* A machine that is emulated stands still at times, with a semaphore in its hand.
		 */
		o->port[i].model.keep_us = 60000000;
	}
}

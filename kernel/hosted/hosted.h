/* What the files of the hosted platform share: the options of the command line and the console. */
#ifndef KERNEL_HOSTED_HOSTED_H
#define KERNEL_HOSTED_HOSTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/limits.h"

enum hosted_port_kind {
	HOSTED_PORT_MEM,   /* memory only */
	HOSTED_PORT_VHOST, /* vhost-user */
	HOSTED_PORT_XDP,   /* AF_XDP */
	HOSTED_PORT_IXGBE, /* a PCI function, by VFIO */
};

/* One --port; of mem:N there are N. */
struct hosted_port {
	enum hosted_port_kind kind;
	char name[112]; /* path, interface, or place on the PCI bus */
	uint32_t queue; /* AF_XDP: the only one, or XDP_ANY_QUEUE */
	bool server;    /* vhost-user: the back end connects to us */
	bool packed;    /* vhost-user, without a back end at boot: packed rings, */
	unsigned pairs; /* and so many queue pairs */
	bool has_mac;
	uint8_t mac[6];
};

struct hosted_options {
	unsigned cores;         /* threads, the control core included */
	unsigned cpu[CORE_MAX]; /* by core, if pinned */
	bool pinned;
	bool yields; /* CPUs are shared: a thread that waits lets others run */
	struct hosted_port port[PORT_MAX];
	unsigned ports;
	const char *config;       /* configuration file, or NULL */
	const char *routes;       /* table of routes, or NULL */
	const char *pty;          /* link to make to the console's pty, or NULL */
	const char *console_path; /* UNIX socket of the console, or NULL; neither: stdio */
	unsigned long mem_mib;    /* boot arena */
	char cmdline[256];        /* as given, for 'show version' */
	char **argv;              /* as given, for 'reboot' */
};

extern struct hosted_options hosted;

/* Takes one --port into `hosted`. false: it is not valid. */
bool hosted_port_parse(const char *text) MUST_CHECK;

/* Takes --cores, a number or a list of CPUs, into `hosted`. false: it is not valid. */
bool hosted_cores_parse(const char *text) MUST_CHECK;

/* Puts the calling thread on the CPU of a core, if cores are pinned. false: errno says why. */
bool hosted_pin(unsigned core) MUST_CHECK;

/* The console: stdio, a new pty, or a UNIX socket. false: errno says why. */
bool hosted_console_open(void);
/* Sends what is queued, and puts the terminal back as it was. */
void hosted_console_close(void);

#endif

/* What the files of the hosted platform share: the options of the command line. */
#ifndef KERNEL_HOSTED_HOSTED_H
#define KERNEL_HOSTED_HOSTED_H

#include <stdbool.h>

#include "lib/limits.h"

struct hosted_options {
	unsigned cores;        /* threads, the control core included */
	unsigned mem_ports;    /* memory-only ports */
	const char *config;    /* configuration file, or NULL */
	const char *routes;    /* table of routes, or NULL */
	const char *pty;       /* link to make to the console's pty, or NULL: stdio */
	unsigned long mem_mib; /* boot arena */
	char cmdline[256];     /* as given, for 'show version' */
	char **argv;           /* as given, for 'reboot' */
};

extern struct hosted_options hosted;

/* The console: stdio, or a new pty. false: errno says why. */
bool hosted_console_open(void);
/* Puts the terminal back as it was. */
void hosted_console_close(void);

/* The boot arena. false: errno says why. */
bool hosted_memory_open(void);

#endif

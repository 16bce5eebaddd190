/* What the command line says. */
#ifndef IXGBE_SIM_OPTIONS_H
#define IXGBE_SIM_OPTIONS_H

#include <stdbool.h>

#include "test/model/ixgbe_model.h"

#define PORTS_MAX 16u

struct port_options {
	const char *socket; /* where the port waits for its machine */
	const char *tap;    /* interface at the other end of the cable, or NULL */
	int fd;             /* the same, open already, or -1 */
	struct ixgbe_model_options model;
};

struct options {
	const char *control; /* socket for orders, or NULL */
	unsigned ports;
	struct port_options port[PORTS_MAX];
};

/* Reads the words. Says what is wrong on standard error and ends the program. */
void options_read(struct options *o, int argc, char **argv);

#endif

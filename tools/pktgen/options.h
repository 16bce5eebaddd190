/* What the command line says. */
#ifndef PKTGEN_OPTIONS_H
#define PKTGEN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/pktgen/scenario.h"

enum command {
	COMMAND_CHECK,
	COMMAND_RUN,
	COMMAND_THROUGHPUT,
	COMMAND_SEARCH,
	COMMAND_BACK_TO_BACK,
	COMMAND_LATENCY,
	COMMAND_PLOT,
	COMMANDS
};

struct options {
	enum command command;
	int core;        /* of the engine, or -1 */
	double rate;     /* packets/s of all streams; 0: saturation */
	double max, min; /* of searches; max 0: the lines' rate */
	double seconds;  /* of a trial; 0: the command's own */
	double first_s;  /* of the shortest trials of a search */
	double warmup_s;
	double drain_s;
	double wait_s;    /* for front ends */
	double precision; /* relative width of a search's result */
	double pdr;       /* loss ratio of the partial drop rate */
	double ndr;       /* already known, or 0 */
	uint64_t packets;
	uint64_t window;  /* of packets on the way; 0: any number */
	unsigned repeat;  /* of back-to-back and of trials spoilt by a lost core */
	bool strict;      /* run: lost, late or double packets are a failure */
	const char *json; /* file, or "-" */
	const char *plot; /* PNG file */
};

/* Reads options, files and lines. Says what is wrong on standard error and ends the program. */
void options_read(struct options *o, struct scenario *s, int argc, char **argv);

extern const char *const command_name[COMMANDS];

#endif

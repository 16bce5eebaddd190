/* What the commands measure. */
#ifndef PKTGEN_METHODS_H
#define PKTGEN_METHODS_H

#include <stdio.h>

#include "tools/pktgen/report.h"
#include "tools/pktgen/search.h"

/* Where results go. */
struct outputs {
	FILE *text; /* or NULL */
	FILE *json; /* or NULL; one object is written */
};

/* Each returns the exit status of the program. */
int method_run(struct session *x, const struct outputs *out);
int method_throughput(struct session *x, const struct outputs *out);
int method_search(struct session *x, const struct outputs *out);
int method_back_to_back(struct session *x, const struct outputs *out);
int method_latency(struct session *x, const struct outputs *out);
int method_plot(struct session *x, const struct outputs *out);

/* The no-drop rate: the one given, or found by a search. 0: interrupted, or nothing passes. */
double method_ndr(struct session *x, const struct outputs *out);

#endif

/* Results as text for people and as JSON for programs. */
#ifndef PKTGEN_REPORT_H
#define PKTGEN_REPORT_H

#include <stdio.h>

#include "tools/pktgen/session.h"

/* Several lines about a trial, one for each stream among them. */
void report_trial(FILE *out, const struct session *x, const struct trial *t);

/* One line about a trial of a series. */
void report_line(FILE *out, const char *label, const struct trial *t);

/* An object. */
void report_json(FILE *out, const struct session *x, const struct trial *t);

#endif

/* What is wrong with a frame: for the few that are not right. */
#ifndef PKTGEN_SINK_DIAGNOSE_H
#define PKTGEN_SINK_DIAGNOSE_H

#include "tools/pktgen/traffic.h"

enum diagnosis_kind {
	DIAGNOSIS_OURS,    /* a packet that was sent; faults say what is wrong */
	DIAGNOSIS_CORRUPT, /* a test frame, but which one cannot be trusted */
	DIAGNOSIS_OTHER,   /* not a test frame */
};

struct diagnosis {
	struct lane *lane;
	uint32_t number;
	uint64_t time;
	unsigned faults; /* bits by enum fault */
};

/* frame: `bytes` without FCS, arrived at `port`. *d is set for DIAGNOSIS_OURS. */
enum diagnosis_kind diagnose(struct traffic *t, unsigned port, const uint8_t *frame, uint32_t bytes,
	struct diagnosis *d);

#endif

/*
 * What comes back from the device, compared byte by byte with what must come.
 *
 * A frame that is not a test frame goes to `other`: the router's ARP and the like.
 */
#ifndef PKTGEN_SINK_H
#define PKTGEN_SINK_H

#include "tools/pktgen/traffic.h"

struct sink {
	struct traffic *traffic; /* NULL: nothing is expected */
	unsigned port;           /* that frames arrive at */
	void (*other)(void *ctx, const uint8_t *frame, uint32_t bytes);
	void *ctx;

	uint64_t frames, bytes; /* with FCS */
	uint64_t corrupt;       /* test frames whose UDP checksum is wrong: nobody's */
	uint64_t stale;         /* test frames of an earlier trial */
	uint64_t foreign;       /* all others */
	uint64_t shortest;      /* buffers too short for a header */

	/* A batch of one stream with one time stamp is one entry in the histogram. */
	struct stream *run_stream;
	struct frame_time run_time;
	uint64_t run_count;
	bool run_stale;
};

/* n buffers of a live ring that the device sends; now: the time-stamp counter. */
void sink_slots(struct sink *k, struct ring *r, struct slot *slot, unsigned n, uint32_t header,
	uint64_t now);

/* One frame. */
void sink_frame(struct sink *k, const uint8_t *frame, uint32_t bytes, uint64_t now);

#endif

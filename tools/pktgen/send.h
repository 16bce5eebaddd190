/* Frames of a stream into the buffers that the device offers. */
#ifndef PKTGEN_SEND_H
#define PKTGEN_SEND_H

#include "tools/pktgen/traffic.h"

/*
 * Places up to `most` frames (at most RING_BATCH) of one part of a stream in a
 * live ring; fewer if the device offers fewer buffers. header: bytes before each
 * frame. now: the time-stamp counter. Returns how many.
 */
unsigned send_frames(struct traffic *t, struct stream *s, struct part *p, struct ring *r,
	uint32_t header, unsigned most, uint64_t now);

/*
 * Places one frame in the next buffers of a live ring, several if the device merges
 * them and one is too small. false: there is no room for it.
 */
bool send_one(struct ring *r, uint32_t header, const uint8_t *frame, uint32_t bytes);

#endif

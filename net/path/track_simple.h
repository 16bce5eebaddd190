/*
 * Simple packets: plain ones (parse.h) of TCP with ACK and without SYN, FIN and RST, or of UDP,
 * that are no fragments and have all of their header. All that is wanted of them is their way.
 */
#ifndef NET_PATH_TRACK_SIMPLE_H
#define NET_PATH_TRACK_SIMPLE_H

#include "net/path/parse.h"
#include "net/path/session.h"

/* Of the packets of a batch; of those that are not simple, anything. */
struct track_simple {
	struct session_ask ask;
	uint32_t acked[BATCH_MAX]; /* TCP: acknowledgement number, memory order */
};

/* Fills s; which are simple. */
typedef uint64_t track_simple_fn(struct batch *b, struct track_simple *s);
track_simple_fn track_simple_plain, track_simple_v3, track_simple_v4;

#endif

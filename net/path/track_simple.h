/*
 * Simple packets: plain ones (parse.h) of TCP with ACK and without SYN, FIN and RST, or of UDP,
 * that are no fragments and have all of their header. All that is wanted of them is their way.
 *
 * Their keys, and all but TCP's flags, are told while they are parsed (track_ahead.h); the flags
 * while the lines of their ways come (track.c).
 */
#ifndef NET_PATH_TRACK_SIMPLE_H
#define NET_PATH_TRACK_SIMPLE_H

#include "net/path/frame.h"
#include "net/path/parse.h"
#include "net/path/session.h"

/* The least lengths of packets with a whole header, bytes. */
#define TRACK_TCP_LEAST (IPV4_HEADER + 20u)
#define TRACK_UDP_LEAST (IPV4_HEADER + 8u)

/* A batch that asks sessions. Filled in by parsing, of all packets; of those that are not plain,
 * and behind the last, it is anything. */
struct track_ask {
	const struct sessions *sessions; /* by the caller */
	uint64_t tcp, udp; /* which are of it, no fragments, and have all of its header; 0 before */
	struct session_ask key;
	struct session_hash hash;
};

/* Which packets of a parsed batch are simple. acked: TCP's acknowledgement numbers, memory order.
 */
typedef uint64_t track_simple_fn(const struct batch *b, uint32_t acked[BATCH_MAX]);
track_simple_fn track_simple_plain, track_simple_v3, track_simple_v4;

#endif

/*
 * What steering sees in a frame before it is parsed: which IP packet, whose fragment, which key.
 *
 * Frames are looked at in the order that costs least, so nothing may be believed: lengths are
 * checked here, as far as is needed to read on; what is refused here the parser will refuse.
 */
#ifndef NET_PATH_STEER_FRAME_H
#define NET_PATH_STEER_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "net/path/hold.h"
#include "net/path/lane.h"

/* An IP packet in a frame. */
struct steer_packet {
	const uint8_t *frame; /* as it were without a tag */
	uint32_t len;         /* of that frame, up to the packet's end */
	unsigned iface;       /* by which it came in */
	bool six;
};

/* false: it is none, or of no valid length, or to a group: it stays with whoever received it. */
bool steer_packet(
	const struct lane *lane, const uint8_t *frame, uint32_t len, struct steer_packet *p);

enum steer_part {
	STEER_WHOLE,
	STEER_FIRST,
	STEER_LATER,
	STEER_BAD, /* tiny, empty, or with an impossible length */
};

/* Whether a packet is a fragment; f: what is to be known of it then, but f->ports. */
enum steer_part steer_part(const struct steer_packet *p, struct fragment *f);

/*
 * The key by which a packet finds its owner, of whole ones and firsts: its own, or that of the
 * packet inside an ICMP error, turned round; of a packet without one only addresses and protocol.
 */
void steer_key(const struct steer_packet *p, struct flow_key *key);

#endif

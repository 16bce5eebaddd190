/*
 * Test frames: Ethernet, IPv4 or IPv6, UDP, and 18 bytes that say which packet this is.
 *
 *     IPv4   IPv6
 *      42     62   u16  magic
 *      44     64   u16  lane: stream, next hop, size
 *      46     66   u32  flow of the stream
 *      50     70   u32  number within the lane
 *      54     74   u48  time-stamp counter when the batch was sent
 *      60     80   filler, the same bytes in all frames
 *
 * Integers of these 18 bytes are in the order of x86. The UDP checksum is right and
 * covers them, so that no single wrong bit goes unseen. Lengths here are of frames in
 * memory, without the 4 bytes of the FCS: a "64-byte frame" has 60.
 */
#ifndef PKTGEN_FRAME_H
#define PKTGEN_FRAME_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "tools/pktgen/track.h"

#define FRAME_FCS       4u
#define FRAME_BYTES_MAX 9018u /* without FCS; a jumbo frame of MTU 9000 and a tag */

#define FRAME_MAGIC 0x7a6bu

#define FRAME_ETHER 14u

#define FRAME4_IP      FRAME_ETHER
#define FRAME4_UDP     34u
#define FRAME4_PAYLOAD 42u
#define FRAME4_HEAD    60u /* up to the filler: the smallest frame */

#define FRAME6_IP      FRAME_ETHER
#define FRAME6_UDP     54u
#define FRAME6_PAYLOAD 62u
#define FRAME6_HEAD    80u

struct frame_payload {
	uint16_t magic, lane;
	uint32_t flow;
	uint32_t number;
	uint8_t time[6];
} __attribute__((packed));

_Static_assert(sizeof(struct frame_payload) == 18, "the smallest IPv4 frame holds it");

#define FRAME_HEAD_ROOM 128u

struct stream;

/*
 * Flows of one stream that share next hop and size, and the sequence in which
 * their packets are sent. A flow never leaves its lane, so the order of a flow is
 * the order of its lane.
 */
struct lane {
	alignas(64) uint8_t
		sent[FRAME_HEAD_ROOM]; /* a frame's head, what differs between packets zero */
	uint8_t back[FRAME_HEAD_ROOM]; /* the same as it shall come back */
	uint64_t number;               /* of the next packet */
	struct track track;
	struct stream *stream;
	uint16_t bytes; /* of a frame */
	uint8_t family, ingress, egress;
};

/* What differs between flows of a lane. `to`: destination and source port, as they stand in the
 * packet. */
#define FLOW4_TO 6u
#define FLOW6_TO 18u

struct flow4 {
	uint8_t to[FLOW4_TO];
	uint16_t lane;
	uint16_t check_sent; /* IPv4 header checksum */
	uint16_t check_back;
	uint16_t udp_sum; /* of all the checksum covers but number and time */
	uint16_t pad;
};

struct flow6 {
	uint8_t to[FLOW6_TO];
	uint16_t lane, udp_sum, pad;
};

_Static_assert(
	FRAME4_IP + 16 + FLOW4_TO == FRAME4_UDP + 2 && FRAME6_IP + 24 + FLOW6_TO == FRAME6_UDP + 2,
	"the source port stands behind the destination");
_Static_assert(
	sizeof(struct flow4) == 16 && sizeof(struct flow6) == 24, "read in order, many of them");

/* What the device does to a frame. */
enum device_kind {
	DEVICE_ROUTE,   /* new MACs, TTL one less */
	DEVICE_WIRE,    /* nothing */
	DEVICE_MACSWAP, /* MACs exchanged */
	DEVICE_DRAIN,   /* takes all, gives nothing back */
};

/* How the frames of a lane are addressed. IPv4 addresses are the top 32 bits. MACs: 6 bytes. */
struct frame_addresses {
	uint8_t mac_sender[6], mac_router[6]; /* as sent */
	uint8_t mac_out[6], mac_next[6];      /* as it comes back: source and destination */
	uint64_t source_hi, source_lo;        /* host order */
	uint8_t ttl;
	uint16_t port; /* UDP destination port */
};

extern uint8_t frame_filler[FRAME_BYTES_MAX];

/* Fills frame_filler. Once. */
void frame_init(void);

/* Makes the heads of a lane, whose bytes and family are set; `id`: the lane's number. */
void frame_lane(
	struct lane *lane, uint16_t id, const struct frame_addresses *a, enum device_kind kind);

/* Computes the sums of a flow whose `to` is set; `index`: its number. */
void frame_flow4(struct flow4 *f, const struct lane *lane, uint32_t index);
void frame_flow6(struct flow6 *f, const struct lane *lane, uint32_t index);

/* A sum of 16-bit words, folded; RFC 1071. */
static inline uint16_t frame_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* A time stamp and its part of checksums: the same for all frames of a batch. */
struct frame_time {
	uint64_t stamp; /* 48 bits */
	uint32_t sum;   /* folded to 16 */
};

static inline struct frame_time frame_time(uint64_t ticks)
{
	uint64_t stamp = ticks & 0xffffffffffff;

	return (struct frame_time){stamp, frame_fold(stamp)};
}

/* Words that a packet's UDP checksum covers, not folded: at most four times 65,535. */
static inline uint32_t frame_udp_sum(uint16_t udp_sum, uint32_t number, struct frame_time time)
{
	return udp_sum + (number & 0xffff) + (number >> 16) + time.sum;
}

/* The UDP checksum of a packet: RFC 768, zero is sent as all ones. */
static inline uint16_t frame_udp_check(uint16_t udp_sum, uint32_t number, struct frame_time time)
{
	uint32_t sum = frame_udp_sum(udp_sum, number, time);
	uint16_t check;

	sum = (sum & 0xffff) + (sum >> 16);
	check = (uint16_t) ~(sum + (sum >> 16));
	return check ? check : 0xffff;
}

/*
 * Is this its checksum? The sum with it is a multiple of 65,535, at most the fifth:
 * then, and only then, its two halves add up to 65,535.
 */
static inline bool frame_udp_right(
	uint16_t check, uint16_t udp_sum, uint32_t number, struct frame_time time)
{
	uint32_t sum = frame_udp_sum(udp_sum, number, time) + check;

	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

/* Writes one frame to `to`. number: within the lane. */
static inline void frame_put4(uint8_t *to, const struct lane *lane, const struct flow4 *f,
	uint32_t index, uint32_t number, struct frame_time time)
{
	uint16_t check = frame_udp_check(f->udp_sum, number, time);
	uint64_t tail = number | time.stamp << 32;
	uint16_t last = (uint16_t)(time.stamp >> 32);

	memcpy(to, lane->sent, FRAME4_HEAD);
	memcpy(to + FRAME4_IP + 10, &f->check_sent, 2);
	memcpy(to + FRAME4_IP + 16, f->to, FLOW4_TO);
	memcpy(to + FRAME4_UDP + 6, &check, 2);
	memcpy(to + FRAME4_PAYLOAD + 4, &index, 4);
	memcpy(to + FRAME4_PAYLOAD + 8, &tail, 8);
	memcpy(to + FRAME4_PAYLOAD + 16, &last, 2);
	if (lane->bytes > FRAME4_HEAD)
		memcpy(to + FRAME4_HEAD, frame_filler, lane->bytes - FRAME4_HEAD);
}

static inline void frame_put6(uint8_t *to, const struct lane *lane, const struct flow6 *f,
	uint32_t index, uint32_t number, struct frame_time time)
{
	uint16_t check = frame_udp_check(f->udp_sum, number, time);
	uint64_t tail = number | time.stamp << 32;
	uint16_t last = (uint16_t)(time.stamp >> 32);

	memcpy(to, lane->sent, FRAME6_HEAD);
	memcpy(to + FRAME6_IP + 24, f->to, FLOW6_TO);
	memcpy(to + FRAME6_UDP + 6, &check, 2);
	memcpy(to + FRAME6_PAYLOAD + 4, &index, 4);
	memcpy(to + FRAME6_PAYLOAD + 8, &tail, 8);
	memcpy(to + FRAME6_PAYLOAD + 16, &last, 2);
	if (lane->bytes > FRAME6_HEAD)
		memcpy(to + FRAME6_HEAD, frame_filler, lane->bytes - FRAME6_HEAD);
}

#endif

/*
 * The packet word: how a packet is named while it moves between queues.
 *
 * A buffer is a slot in its pool's array, `stride` bytes after the one before, and
 * is named by its index. VOQs and rings carry one 8-byte word per packet, so no stage after
 * parsing touches a metadata line:
 *
 *     bits 0-31 buffer index | 32-47 frame length in bytes | 48-63 flags
 *
 * A frame is received at the same offset in every buffer of a pool. Where a VLAN tag was
 * taken off it begins 4 bytes later, where one was put on 4 bytes earlier: the
 * top two flags say so (packet_shift). What a device writes begins with a cache line: the
 * frame, or a header of the device's own before it (virtio-net's of 12 bytes, VIRTIO 1.2
 * 5.1.6), which then shares the line with the Ethernet and IPv4 headers. The stride is an
 * odd number of cache lines, so that headers spread over all cache sets.
 *
 * One buffer holds one frame, jumbo frames too: the stride is fixed at boot by
 * the largest MTU configured then, 2240 bytes up to MTU 1500, 9408 for 9000.
 * Small buffers chained by the device (VIRTIO_NET_F_MRG_RXBUF) would save memory
 * where jumbo frames are few, but then every stage from the parser to the TX
 * ring must expect a chain, and each packet pays for it.
 */
#ifndef LIB_PACKET_H
#define LIB_PACKET_H

#include <stdint.h>

#include "lib/limits.h"

#define PACKET_HEADROOM  128u  /* before what a device writes */
#define PACKET_FRONT_MAX 12u   /* of that, before the frame; see netdev.front */
#define PACKET_TAG       4u    /* bytes of a VLAN tag */
#define PACKET_OVERHEAD  26u   /* beyond the MTU: Ethernet header, two VLAN tags, FCS */
#define PACKET_ROOM      2048u /* bytes a device may write from the frame on: up to MTU 1500, */
#define PACKET_STRIDE    2240u /* and the stride then, 35 lines */
#define PACKET_ROOM_UNIT 1024u /* some devices know the room in KiB only */

_Static_assert(PACKET_STRIDE % 64 == 0 && PACKET_STRIDE / 64 % 2 == 1, "odd number of lines");
_Static_assert(PACKET_HEADROOM + PACKET_FRONT_MAX + PACKET_ROOM <= PACKET_STRIDE,
	"a frame fits its buffer");
_Static_assert(PACKET_HEADROOM >= PACKET_FRONT_MAX + PACKET_TAG,
	"any device may send any buffer, with a tag more");
_Static_assert(MTU_DEFAULT + PACKET_OVERHEAD <= PACKET_ROOM, "an ordinary frame fits the room");
_Static_assert(MTU_MAX + PACKET_OVERHEAD <= UINT16_MAX, "a length fits its packet word");

/* Bytes a device may write from the frame on where frames have MTU `mtu` (at most MTU_MAX). */
static inline uint32_t packet_room(uint32_t mtu)
{
	uint32_t units = (mtu + PACKET_OVERHEAD + PACKET_ROOM_UNIT - 1) / PACKET_ROOM_UNIT;

	return units * PACKET_ROOM_UNIT > PACKET_ROOM ? units * PACKET_ROOM_UNIT : PACKET_ROOM;
}

/* Bytes from one buffer to the next where frames have MTU `mtu`. */
static inline uint32_t packet_stride(uint32_t mtu)
{
	uint32_t lines = (PACKET_HEADROOM + PACKET_FRONT_MAX + packet_room(mtu) + 63) / 64;

	return (lines | 1) * 64;
}

/* Flags of a packet word. On the way to the control core: the punt reason (net/path/punt.h). */
#define PACKET_FLAG_PUNT    0x00ffu
#define PACKET_FLAG_OPTIONS 0x0100u /* in transit by the control core; within the path only */
#define PACKET_FLAG_WHOLE   0x0200u /* put together elsewhere; within net/proto only */
#define PACKET_FLAG_KNOWN   0x0400u /* to the control core: of a known session (net/path/track.h) */
#define PACKET_FLAG_FINAL   0x0800u /* the same: it ends as the punt reason says */
#define PACKET_FLAG_CHANGED 0x1000u /* the same: NAT has translated it */
#define PACKET_FLAG_SHIFT   0xc000u /* a signed number: see packet_shift */
#define PACKET_FLAG_POPPED  0x4000u /* +1 of it: what a frame has whose tag was taken off */

/* What the control core is told of a packet by tracking, and keeps. */
#define PACKET_FLAGS_TRACKED (PACKET_FLAG_KNOWN | PACKET_FLAG_CHANGED)

static inline uint64_t packet_word(uint32_t index, uint32_t len_bytes, uint32_t flags)
{
	return (uint64_t)index | (uint64_t)(len_bytes & 0xffffu) << 32 | (uint64_t)flags << 48;
}

static inline uint32_t packet_index(uint64_t word)
{
	return (uint32_t)word;
}

static inline uint32_t packet_len(uint64_t word)
{
	return (uint32_t)(word >> 32) & 0xffffu;
}

static inline uint32_t packet_flags(uint64_t word)
{
	return (uint32_t)(word >> 48);
}

/* By how many bytes the frame begins later than it was received: 4, 0, or -4. */
static inline int64_t packet_shift(uint64_t word)
{
	return ((int64_t)word >> 62) * (int64_t)PACKET_TAG;
}

/* The same frame, with 4 bytes less or more at its front. */
static inline uint64_t packet_pop(uint64_t word)
{
	return word - (UINT64_C(4) << 32) + (UINT64_C(1) << 62);
}

static inline uint64_t packet_push(uint64_t word)
{
	return word + (UINT64_C(4) << 32) - (UINT64_C(1) << 62);
}

/* The same frame cut to a length, or with other flags; where it begins stays. */
static inline uint64_t packet_retake(uint64_t word, uint32_t len_bytes, uint32_t flags)
{
	return packet_word(
		packet_index(word), len_bytes, flags | (packet_flags(word) & PACKET_FLAG_SHIFT));
}

/* The pool a buffer was made in and returns to; it also tells the RX queue, so the ingress port. */
static inline uint32_t packet_pool(uint64_t word)
{
	return packet_index(word) >> POOL_SHIFT;
}

#endif

/*
 * The packet word: how a packet is named while it moves between queues.
 *
 * A buffer is a slot of PACKET_STRIDE bytes in one array and is named by its
 * index. VOQs and rings carry one 8-byte word per packet, so no stage after
 * parsing touches a metadata line:
 *
 *     bits 0-31 buffer index | 32-47 frame length in bytes | 48-63 flags
 *
 * A frame starts at the same offset in every buffer. The 12 bytes before it
 * are the virtio-net header (VIRTIO 1.2 5.1.6), placed so that it shares a
 * cache line with the Ethernet and IPv4 headers. The stride is an odd number
 * of cache lines, so that headers spread over all cache sets.
 */
#ifndef LIB_PACKET_H
#define LIB_PACKET_H

#include <stdint.h>

#include "lib/limits.h"

#define PACKET_STRIDE                                                                              \
	2240u /* 35 lines: headroom, frame, and 2 KiB for a device that writes 2 KiB units */
#define PACKET_DATA_OFFSET 140u  /* 128 of headroom, 12 of virtio-net header */
#define PACKET_ROOM        2048u /* bytes a device may write at the offset */

_Static_assert(PACKET_STRIDE % 64 == 0 && PACKET_STRIDE / 64 % 2 == 1, "odd number of lines");
_Static_assert(PACKET_DATA_OFFSET + PACKET_ROOM <= PACKET_STRIDE, "a frame fits its buffer");

/* Flags of a packet word. On the way to the control core: the punt reason (net/path/punt.h). */
#define PACKET_FLAG_PUNT    0x00ffu
#define PACKET_FLAG_OPTIONS 0x0100u /* the IPv4 header has options; within the path only */

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

/* The pool a buffer was made in and returns to; it also tells the RX queue, so the ingress port. */
static inline uint32_t packet_pool(uint64_t word)
{
	return packet_index(word) >> POOL_SHIFT;
}

#endif

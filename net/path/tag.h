/*
 * The VLAN tag (IEEE 802.1Q 9.6): taken off where a frame comes in, put on where it goes out.
 *
 * No byte of the packet moves but the two addresses. The frame's beginning does,
 * by the 4 bytes of the tag, and the packet word says so (lib/packet.h), so that
 * all between sees an untagged frame. In the 4 bytes before a frame whose tag was
 * taken off stands whose it is, and the tag's priority.
 */
#ifndef NET_PATH_TAG_H
#define NET_PATH_TAG_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/byteorder.h"
#include "lib/packet.h"
#include "net/path/class.h"
#include "net/path/frame.h"

/* Before a frame without its tag. */
struct tag_note {
	uint16_t vlan; /* number of the subinterface + 1; 0: the port's own, a priority tag */
	uint16_t tci;  /* as received, host byte order */
};

_Static_assert(sizeof(struct tag_note) == PACKET_TAG, "it takes the tag's place");

#define TAG_PCP_SHIFT 13u /* of the TCI: priority 3 bits, drop eligible 1, VID 12 */
#define TAG_VID       0x0fffu

/* A customer's or a provider's tag (802.1Q, 802.1ad). */
static inline bool tag_is_type(uint16_t type)
{
	return type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ;
}

static inline bool tag_is_off(uint64_t word)
{
	return packet_shift(word) > 0;
}

/* Of a frame whose tag is off. */
static inline struct tag_note tag_note(const uint8_t *frame)
{
	struct tag_note note;

	memcpy(&note, frame - PACKET_TAG, sizeof note);
	return note;
}

/* Moves the two addresses. By way of registers: the places overlap, and memmove would be called. */
static inline void tag_move(uint8_t *to, const uint8_t *from)
{
	uint64_t first;
	uint32_t rest;

	memcpy(&first, from, sizeof first);
	memcpy(&rest, from + sizeof first, sizeof rest);
	memcpy(to, &first, sizeof first);
	memcpy(to + sizeof first, &rest, sizeof rest);
}

_Static_assert(ETH_TYPE == sizeof(uint64_t) + sizeof(uint32_t), "what is before the type");

/* Takes the tag off a frame of 18 bytes or more; where the frame begins now. See packet_pop. */
static inline uint8_t *tag_pop(uint8_t *frame, uint16_t vlan)
{
	struct tag_note note = {vlan, load_be16(frame + ETH_HEADER)};

	tag_move(frame + PACKET_TAG, frame);
	memcpy(frame, &note, sizeof note);
	return frame + PACKET_TAG;
}

/* Puts a tag on; where the frame begins now. See packet_push. */
static inline uint8_t *tag_push(uint8_t *frame, uint16_t tci)
{
	tag_move(frame - PACKET_TAG, frame);
	frame -= PACKET_TAG;
	store_be16(frame + ETH_TYPE, ETH_TYPE_VLAN);
	store_be16(frame + ETH_TYPE + 2, tci);
	return frame;
}

/* The class of a packet: by the priority it came with, if the egress port looks at that. */
static inline unsigned tag_class(
	const struct class_map *map, uint64_t word, const uint8_t *frame, uint8_t tos)
{
	unsigned class = CLASS_BY_DSCP;

	if (tag_is_off(word))
		class = load_once(&map->of_pcp[tag_note(frame).tci >> TAG_PCP_SHIFT]);
	return class == CLASS_BY_DSCP ? class_of(map, tos) : class;
}

#endif

/* Packet capture on an actor: the ring that frames are copied into, and the places they come from.
 */
#include "net/path/capture.h"

#include <string.h>

#include "net/path/tag.h"

/* ---- the ring ---- */

void capture_init(struct capture *c, uint8_t *ring, uint32_t bytes)
{
	*c = (struct capture){.ring = ring, .bytes = bytes};
}

void capture_reset(struct capture *c, const struct capture_plan *plan)
{
	c->tail = c->head_seen = c->head = 0;
	c->left = CAPTURE_BURST;
	c->now = 0;
	c->counters = (struct capture_counters){0};
	c->plan = plan;
}

static struct capture_record *record_at(struct capture *c, uint32_t at)
{
	return (struct capture_record *)(c->ring + (at & (c->bytes - 1)));
}

/* Room for a record of so many bytes in one piece; NULL: the ring is full. */
static struct capture_record *reserve(struct capture *c, uint32_t bytes)
{
	uint32_t end = c->bytes - (c->tail & (c->bytes - 1)); /* to where the ring begins anew */
	uint32_t skip = bytes > end ? end : 0;

	if (c->bytes - (c->tail - c->head_seen) < skip + bytes) {
		c->head_seen = load_acquire(&c->head);
		if (c->bytes - (c->tail - c->head_seen) < skip + bytes)
			return NULL;
	}
	if (skip) { /* 8 bytes at least: what says so fits */
		record_at(c, c->tail)->units = (uint16_t)(skip / 8);
		record_at(c, c->tail)->point = 0;
		store_release(&c->tail, c->tail + skip); /* that before the index */
	}
	return record_at(c, c->tail);
}

_Static_assert(2 * (CAPTURE_SNAP_MAX + 16) <= CAPTURE_RING_MIN, "an empty ring has room");
_Static_assert((CAPTURE_SNAP_MAX + 16) / 8 <= UINT16_MAX, "what is skipped is counted in units");

/* Bytes that are kept of a frame behind its first ones. */
static uint32_t rest(uint32_t kept, uint32_t before)
{
	return kept > before ? kept - before : 0;
}

/*
 * Copies a frame, if it is looked for. tag: the four bytes of a VLAN tag that come between its
 * addresses and its type; NULL: none.
 */
static void capture_copy(struct capture *c, const uint8_t *frame, uint32_t len, const uint8_t *tag,
	enum capture_point point, enum drop_reason reason)
{
	uint32_t tag_len = tag ? PACKET_TAG : 0;
	uint32_t kept = len + tag_len < c->plan->snap ? len + tag_len : c->plan->snap;
	uint32_t bytes = ((uint32_t)sizeof(struct capture_record) + kept + 7) & ~7u;
	struct capture_record *r;

	counter_add(&c->counters.matched, 1);
	if (c->left == 0) {
		counter_add(&c->counters.beyond, 1);
		return;
	}
	r = reserve(c, bytes);
	if (!r) {
		counter_add(&c->counters.full, 1);
		return;
	}
	c->left--;
	r->units = (uint16_t)(bytes / 8);
	r->kept = (uint16_t)kept;
	r->length = (uint16_t)(len + tag_len < UINT16_MAX ? len + tag_len : UINT16_MAX);
	r->point = (uint8_t)point;
	r->reason = (uint8_t)reason;
	r->time = c->now;
	uint8_t *to = (uint8_t *)(r + 1);

	if (!tag) {
		memcpy(to, frame, kept);
	} else {
		memcpy(to, frame, kept < ETH_TYPE ? kept : ETH_TYPE);
		uint32_t of_tag = rest(kept, ETH_TYPE);

		memcpy(to + ETH_TYPE, tag, of_tag < PACKET_TAG ? of_tag : PACKET_TAG);
		memcpy(to + ETH_TYPE + PACKET_TAG, frame + ETH_TYPE,
			rest(kept, ETH_TYPE + PACKET_TAG));
	}
	store_release(&c->tail, c->tail + bytes); /* the record before the index */
}

const struct capture_record *capture_peek(struct capture *c)
{
	uint32_t tail = load_acquire(&c->tail);

	while (c->head != tail) {
		const struct capture_record *r = record_at(c, c->head);

		if (r->point)
			return r;
		capture_release(c, r);
	}
	return NULL;
}

void capture_release(struct capture *c, const struct capture_record *r)
{
	store_release(&c->head, c->head + r->units * 8u); /* its bytes were read before */
}

/* ---- where frames come from ---- */

void capture_burst(struct capture *c, const struct buffers *b, unsigned port,
	enum capture_point point, const uint64_t *word, unsigned n, uint64_t now)
{
	const struct capture_plan *plan = c->plan;

	if (port != plan->port || !(plan->points & point))
		return;
	c->now = now;
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *frame = packet_frame(b, word[i]);
		uint32_t len = packet_len(word[i]);

		if (capture_match(plan, frame, len, CAPTURE_TAGS_IN))
			capture_copy(c, frame, len, NULL, point, 0);
	}
}

void capture_dropped(struct capture *c, const struct buffers *b, unsigned port, uint64_t word,
	enum drop_reason reason)
{
	const struct capture_plan *plan = c->plan;
	const uint8_t *frame = packet_frame(b, word);
	uint8_t tag[PACKET_TAG];
	uint32_t len = packet_len(word), tci = CAPTURE_TAGS_IN;

	if (port != plan->port || !(plan->points & CAPTURE_DROP))
		return;
	if (tag_is_off(word)) {
		tci = tag_note(frame).tci;
		store_be16(tag, ETH_TYPE_VLAN);
		store_be16(tag + 2, (uint16_t)tci);
	}
	if ((packet_flags(word) & PACKET_FLAG_WHOLE) && c->whole)
		frame = c->whole;
	if (capture_match(plan, frame, len, tci))
		capture_copy(
			c, frame, len, tci == CAPTURE_TAGS_IN ? NULL : tag, CAPTURE_DROP, reason);
}

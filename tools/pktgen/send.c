/* Writing frames straight into the device's receive buffers. */
#include "tools/pktgen/send.h"

#include <endian.h>
#include <string.h>

/*
 * struct virtio_net_hdr_v1 with nothing asked for, and in how many buffers the frame lies. From
 * registers: put together in memory it would be read back before the octets were there.
 */
static inline void put_header(uint8_t *to, uint32_t header, unsigned buffers)
{
	uint64_t zero = 0;
	uint32_t last = htole32(buffers << 16);

	memcpy(to, &zero, 8);
	memcpy(to + 8, &last, header - 8);
}

/* ---- frames that do not lie in one piece ---- */

#define MERGE_MAX 32u /* buffers of one frame */

/* Copies on into the segments of one buffer. Returns the bytes written. */
static uint32_t fill_buffer(
	const struct segment *segment, unsigned segments, const uint8_t *from, uint32_t bytes)
{
	uint32_t done = 0;

	for (unsigned i = 0; i < segments && done < bytes; i++) {
		uint32_t n = bytes - done < segment[i].bytes ? bytes - done : segment[i].bytes;

		memcpy(segment[i].at, from + done, n);
		done += n;
	}
	return done;
}

static uint32_t buffer_bytes(const struct segment *segment, unsigned segments)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < segments; i++)
		bytes += segment[i].bytes;
	return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

/* Puts header and frame into the first of n slots. Returns the slots it took; 0: too few. */
static unsigned scatter(struct ring *r, struct slot *slot, unsigned n, uint32_t header,
	const uint8_t *frame, uint32_t bytes)
{
	static _Thread_local uint8_t whole[12 + FRAME_BYTES_MAX];
	struct segment segment[RING_CHAIN_MAX];
	uint32_t total = header + bytes, room = 0;
	unsigned used = 0;

	/* How many buffers it takes must stand in the first. */
	while (used < n && used < MERGE_MAX && room < total) {
		unsigned segments = ring_chain(r, &slot[used], segment);

		if (!segments)
			return 0;
		room += buffer_bytes(segment, segments);
		used++;
	}
	if (room < total || (used > 1 && header < 12))
		return 0;
	put_header(whole, header, used);
	memcpy(whole + header, frame, bytes);
	for (unsigned i = 0, done = 0; i < used; i++) {
		unsigned segments = ring_chain(r, &slot[i], segment);
		uint32_t wrote = fill_buffer(segment, segments, whole + done, total - done);

		slot[i].bytes = wrote;
		done += wrote;
	}
	return used;
}

bool send_one(struct ring *r, uint32_t header, const uint8_t *frame, uint32_t bytes)
{
	struct slot slot[MERGE_MAX];
	unsigned n = ring_peek(r, slot, MERGE_MAX);
	unsigned used = n ? scatter(r, slot, n, header, frame, bytes) : 0;

	if (used)
		ring_return(r, slot, used);
	return used > 0;
}

/* ---- frames of a stream ---- */

static inline __attribute__((always_inline)) void put_frame(const struct stream *s, uint8_t *to,
	const struct lane *lane, uint32_t flow, struct frame_time now, bool four)
{
	if (four)
		frame_put4(to, lane, &s->four[flow], flow, (uint32_t)lane->number, now);
	else
		frame_put6(to, lane, &s->six[flow], flow, (uint32_t)lane->number, now);
}

/*
 * The loop over a batch, once for each family: at most `most` frames into n slots,
 * in order. *frames: how many were placed. Returns the slots used.
 */
static inline __attribute__((always_inline)) unsigned fill_slots(struct traffic *t,
	struct stream *s, struct part *p, struct ring *r, struct slot *slot, unsigned n,
	uint32_t header, uint64_t now, bool four, unsigned most, unsigned *frames)
{
	const struct frame_time time = frame_time(now);
	uint32_t flow = p->at, begin = p->begin, end = p->end;
	uint64_t bytes = 0;
	unsigned used = 0, placed = 0;

	while (used < n && placed < most) {
		struct lane *lane = &t->lane[four ? s->four[flow].lane : s->six[flow].lane];
		uint32_t length = lane->bytes;

		if (__builtin_expect(
			    slot[used].descs == 1 && slot[used].bytes >= header + length, 1)) {
			put_header(slot[used].at, header, 1);
			put_frame(s, slot[used].at + header, lane, flow, time, four);
			slot[used].bytes = header + length;
			used++;
		} else {
			static _Thread_local uint8_t frame[FRAME_BYTES_MAX];
			unsigned took;

			put_frame(s, frame, lane, flow, time, four);
			took = scatter(r, slot + used, n - used, header, frame, length);
			if (!took)
				break;
			used += took;
		}
		lane->number++;
		placed++;
		bytes += length + FRAME_FCS;
		flow = flow + 1 == end ? begin : flow + 1;
	}
	p->at = flow;
	counter_add(&s->sent_bytes, bytes);
	*frames = placed;
	return used;
}

/* Up to `most` frames into the next n slots, at most. */
static unsigned send_batch(struct traffic *t, struct stream *s, struct part *p, struct ring *r,
	uint32_t header, unsigned n, unsigned most, uint64_t now)
{
	struct slot slot[RING_BATCH];
	bool four = s->config->family == 4;
	unsigned frames = 0, used;

	n = ring_peek(r, slot, n);
	if (header == 12) /* the usual case: its length is known when compiled */
		used = four ? fill_slots(t, s, p, r, slot, n, 12, now, true, most, &frames)
			    : fill_slots(t, s, p, r, slot, n, 12, now, false, most, &frames);
	else
		used = fill_slots(t, s, p, r, slot, n, header, now, four, most, &frames);
	ring_return(r, slot, used);
	counter_add(&s->sent, frames);
	return frames;
}

unsigned send_frames(struct traffic *t, struct stream *s, struct part *p, struct ring *r,
	uint32_t header, unsigned most, uint64_t now)
{
	unsigned frames = send_batch(t, s, p, r, header, most, most, now);

	/* As many buffers as frames were not enough: frames that lie in several of them. */
	if (frames < most && r->live && ring_offers(r, 1))
		frames += send_batch(t, s, p, r, header, RING_BATCH, most - frames, now);
	return frames;
}

/* Verifying frames: the quick way for those that are right. */
#include "tools/pktgen/sink.h"

#include <string.h>

#include "tools/pktgen/sink_diagnose.h"

/* ---- bytes that are the same in all frames of a lane ---- */

#define SAME4(from, to) [(from)...(to)] = 0xff

/* Not compared here: checksums, destination and source port, what names the packet. */
static const uint8_t mask4[FRAME4_HEAD] = {
	SAME4(0, FRAME4_IP + 9),
	SAME4(FRAME4_IP + 12, FRAME4_IP + 15),
	SAME4(FRAME4_UDP + 2, FRAME4_UDP + 5),
	SAME4(FRAME4_PAYLOAD, FRAME4_PAYLOAD + 3),
};

static const uint8_t mask6[FRAME6_HEAD] = {
	SAME4(0, FRAME6_IP + 23),
	SAME4(FRAME6_UDP + 2, FRAME6_UDP + 5),
	SAME4(FRAME6_PAYLOAD, FRAME6_PAYLOAD + 3),
};

typedef uint64_t words32 __attribute__((vector_size(32)));

/* Where 32 bytes of a frame are not what they should be, as far as they are compared. */
static inline void note_differences(
	words32 *d, const uint8_t *f, const uint8_t *back, const uint8_t *mask)
{
	words32 is, should, compared;

	memcpy(&is, f, sizeof is);
	memcpy(&should, back, sizeof should);
	memcpy(&compared, mask, sizeof compared);
	*d |= (is ^ should) & compared;
}

/* 32 bytes at a time; the last ones overlap, to end where the head does. */
static inline bool same_head(const uint8_t *f, const struct lane *lane, bool four)
{
	const uint8_t *mask = four ? mask4 : mask6, *back = lane->back;
	unsigned head = four ? FRAME4_HEAD : FRAME6_HEAD, last = head - 32;
	words32 d = {0};

	note_differences(&d, f + last, back + last, mask + last);
	for (unsigned i = 0; i < last; i += 32)
		note_differences(&d, f + i, back + i, mask + i);
	return (d[0] | d[1] | d[2] | d[3]) == 0;
}

/* ---- one frame ---- */

/* Counters and histogram get what has gathered of one stream and time stamp. */
static void run_end(struct sink *k, uint64_t now)
{
	uint64_t age = (now - k->run_time.stamp) & 0xffffffffffff;

	if (!k->run_count)
		return;
	counter_add(&k->run_stream->back, k->run_count);
	if (age < UINT64_C(1) << 47)
		histogram_add(&k->run_stream->latency, age, k->run_count);
	k->run_count = 0;
}

/* Another stream or time stamp than before. */
static void run_begin(struct sink *k, struct stream *s, uint64_t stamp, uint64_t now)
{
	run_end(k, now);
	k->run_stream = s;
	k->run_time = frame_time(stamp);
	/* Older than the trial, as far as 48 bits tell. */
	k->run_stale = (int64_t)((stamp - k->traffic->since) << 16) < 0;
}

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint16_t load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/*
 * The device may write to a frame while it is looked at. What is checked and then
 * used is read once: the compiler knows nothing of the value but what was checked.
 */
#define READ_ONCE_OF(v) __asm__("" : "+r"(v))

/*
 * A frame of this family that is right in every byte is counted here. false: it is
 * not, or not a test frame, and nothing was counted.
 */
static inline __attribute__((always_inline)) bool quick(
	struct sink *k, const uint8_t *f, uint32_t bytes, uint64_t now, bool four)
{
	struct traffic *t = k->traffic;
	const uint8_t *ip = f + FRAME_ETHER, *udp = f + (four ? FRAME4_UDP : FRAME6_UDP);
	const uint8_t *payload = udp + 8;
	unsigned id = load16(payload + 2);
	uint32_t index = load32(payload + 4), number = load32(payload + 8);
	uint64_t stamp = load32(payload + 12) | (uint64_t)load16(payload + 16) << 32;

	READ_ONCE_OF(id);
	READ_ONCE_OF(index);
	if (id >= t->lanes)
		return false;

	struct lane *lane = &t->lane[id];
	struct stream *s = lane->stream;
	uint16_t sum;

	if (lane->bytes != bytes || lane->egress != k->port || lane->family != (four ? 4 : 6) ||
		index >= s->flows || !same_head(f, lane, four))
		return false;
	if (four) {
		const struct flow4 *w = &s->four[index];

		if (w->lane != id || memcmp(ip + 16, w->to, FLOW4_TO) != 0 ||
			load16(ip + 10) != w->check_back)
			return false;
		sum = w->udp_sum;
	} else {
		const struct flow6 *w = &s->six[index];

		if (w->lane != id || memcmp(ip + 24, w->to, FLOW6_TO) != 0)
			return false;
		sum = w->udp_sum;
	}
	if (__builtin_expect(stamp != k->run_time.stamp || s != k->run_stream, 0))
		run_begin(k, s, stamp, now);
	if (!frame_udp_right(load16(udp + 6), sum, number, k->run_time))
		return false;

	unsigned head = four ? FRAME4_HEAD : FRAME6_HEAD;

	if (bytes > head && memcmp(f + head, frame_filler, bytes - head) != 0)
		return false;
	if (__builtin_expect(k->run_stale, 0)) {
		counter_add(&k->stale, 1);
		return true;
	}
	if (!track_note(&lane->track, number, lane->number))
		return false;
	k->run_count++;
	return true;
}

/* A frame that is not right, or not a test frame: copied first, so that it stays as it is. */
static __attribute__((noinline)) void slow(
	struct sink *k, const uint8_t *frame, uint32_t bytes, uint64_t now)
{
	static _Thread_local uint8_t f[65536];
	struct diagnosis d;
	struct stream *s;

	bytes = bytes < sizeof f ? bytes : (uint32_t)sizeof f;
	memcpy(f, frame, bytes);

	switch (k->traffic ? diagnose(k->traffic, k->port, f, bytes, &d) : DIAGNOSIS_OTHER) {
	case DIAGNOSIS_CORRUPT:
		counter_add(&k->corrupt, 1);
		return;
	case DIAGNOSIS_OTHER:
		counter_add(&k->foreign, 1);
		if (k->other)
			k->other(k->ctx, f, bytes);
		return;
	default:
		break;
	}
	s = d.lane->stream;
	run_begin(k, s, d.time, now);
	if (k->run_stale) {
		counter_add(&k->stale, 1);
		return;
	}
	if (!track_note(&d.lane->track, d.number, d.lane->number))
		d.faults |= 1u << FAULT_NUMBER;
	k->run_count++;
	counter_add(&s->faulty, d.faults != 0);
	for (unsigned i = 0; i < FAULTS; i++)
		counter_add(&s->fault[i], d.faults >> i & 1);
}

static inline void one(struct sink *k, const uint8_t *f, uint32_t bytes, uint64_t now)
{
	uint16_t type = bytes >= FRAME_ETHER ? load16(f + 12) : 0;

	if (__builtin_expect(k->traffic != NULL, 1)) {
		if (type == __builtin_bswap16(0x0800) && bytes >= FRAME4_HEAD &&
			quick(k, f, bytes, now, true))
			return;
		if (type == __builtin_bswap16(0x86dd) && bytes >= FRAME6_HEAD &&
			quick(k, f, bytes, now, false))
			return;
	}
	slow(k, f, bytes, now);
}

void sink_frame(struct sink *k, const uint8_t *frame, uint32_t bytes, uint64_t now)
{
	counter_add(&k->frames, 1);
	counter_add(&k->bytes, bytes + FRAME_FCS);
	one(k, frame, bytes, now);
	run_end(k, now);
}

/* ---- buffers ---- */

/* The frame of a chain in one piece. 0: malformed, or longer than any. */
static uint32_t gather(struct ring *r, const struct slot *slot, uint8_t *to, uint32_t room)
{
	struct segment segment[RING_CHAIN_MAX];
	unsigned n = ring_chain(r, slot, segment);
	uint32_t bytes = 0;

	for (unsigned i = 0; i < n; i++) {
		if (segment[i].bytes > room - bytes)
			return 0;
		memcpy(to + bytes, segment[i].at, segment[i].bytes);
		bytes += segment[i].bytes;
	}
	return bytes;
}

void sink_slots(struct sink *k, struct ring *r, struct slot *slot, unsigned n, uint32_t header,
	uint64_t now)
{
	static _Thread_local uint8_t whole[12 + 65536];
	uint64_t bytes = 0, frames = 0;

	for (unsigned i = 0; i < n; i++) {
		const uint8_t *at = slot[i].at;
		uint32_t length = slot[i].bytes;

		if (__builtin_expect(slot[i].descs != 1, 0)) {
			length = gather(r, &slot[i], whole, sizeof whole);
			at = whole;
		}
		slot[i].bytes = 0; /* the device writes nothing */
		if (__builtin_expect(length <= header, 0)) {
			counter_add(&k->shortest, 1);
			continue;
		}
		frames++;
		bytes += length - header + FRAME_FCS;
		one(k, at + header, length - header, now);
	}
	counter_add(&k->frames, frames);
	counter_add(&k->bytes, bytes);
	run_end(k, now);
}

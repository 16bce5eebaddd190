/*
 * The 'perfect NIC' that both sides of the comparison run on: a frame is there whenever it is
 * asked for, one sent is gone at once. What the NIC itself would do is here, and is the same
 * code on both sides; what a driver does stands in mem.c (ours) and pmd.c (DPDK's).
 *
 * Rings have 512 descriptors of 16 bytes. To receive, the NIC writes a template of 64 bytes
 * with the fields of the next flow where the descriptor says, and completes the
 * descriptor. To send it does nothing: a frame leaves its slot when the next one wants it.
 * All ports draw their flows from one list, in turn.
 */
#ifndef TEST_BENCH_PEERS_PERFECT_H
#define TEST_BENCH_PEERS_PERFECT_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __AVX512BW__
#	include <immintrin.h>
#endif

#define PERFECT_SLOTS 512u
#define PERFECT_FRAME 64u
#define PERFECT_PORTS 2u

/* In `control`; below stands the length in bytes. */
#define PERFECT_DONE (UINT64_C(1) << 32)
#define PERFECT_SEND (UINT64_C(3) << 32)

struct perfect_desc {
	uint64_t address, control;
};

/* A record of the file of flows; as it stands in the frame. */
struct perfect_flow {
	uint32_t dst;
	uint16_t checksum; /* of the IPv4 header */
	uint16_t source_port;
};

struct perfect_source {
	/* The template, to each port's address; the flow's fields are 0. */
	alignas(64) uint8_t frame[PERFECT_PORTS][PERFECT_FRAME];
	alignas(64) uint8_t pick[PERFECT_FRAME]; /* which octet of a flow stands where; or 0x80 */
	const struct perfect_flow *flow;
	uint32_t flows; /* a power of two */
	uint32_t next;
	uint64_t delivered; /* frames */
};

/* Where a flow's fields stand in the frame. */
#define PERFECT_AT_CHECKSUM    24
#define PERFECT_AT_DST         30
#define PERFECT_AT_SOURCE_PORT 34

/*
 * The template in registers, where the compiler's target has vectors that long. A frame is two
 * stores: one of a whole line that L1 does not have holds up those behind it (Zen 5: 1.7 cycles a
 * frame).
 */
#ifdef __AVX512BW__
struct perfect_template {
	__m512i frame, pick;
};

static inline struct perfect_template perfect_template(
	const struct perfect_source *s, unsigned port)
{
	return (struct perfect_template){
		_mm512_load_si512(s->frame[port]), _mm512_load_si512(s->pick)};
}

static inline void perfect_write(
	uint8_t *to, struct perfect_template t, const struct perfect_flow *flow)
{
	long long record;

	memcpy(&record, flow, sizeof record);
	__m512i f =
		_mm512_or_si512(t.frame, _mm512_shuffle_epi8(_mm512_set1_epi64(record), t.pick));
	_mm256_storeu_si256((__m256i *)(void *)to, _mm512_castsi512_si256(f));
	_mm256_storeu_si256((__m256i *)(void *)(to + 32), _mm512_extracti64x4_epi64(f, 1));
}
#else
struct perfect_template {
	const uint8_t *frame;
};

static inline struct perfect_template perfect_template(
	const struct perfect_source *s, unsigned port)
{
	return (struct perfect_template){s->frame[port]};
}

static inline void perfect_write(
	uint8_t *to, struct perfect_template t, const struct perfect_flow *flow)
{
	memcpy(to, t.frame, PERFECT_FRAME);
	memcpy(to + PERFECT_AT_CHECKSUM, &flow->checksum, 2);
	memcpy(to + PERFECT_AT_DST, &flow->dst, 4);
	memcpy(to + PERFECT_AT_SOURCE_PORT, &flow->source_port, 2);
}
#endif

/* Port `port` receives n frames into the n descriptors from desc on. */
static inline void perfect_deliver(
	struct perfect_source *s, unsigned port, struct perfect_desc *desc, unsigned n)
{
	const struct perfect_template template = perfect_template(s, port);
	uint32_t next = s->next, mask = s->flows - 1;

#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch((const void *)(uintptr_t)desc[i].address, 1);
	s->delivered += n;
	while (n) { /* twice where the list of flows ends */
		const struct perfect_flow *flow = s->flow + next;
		unsigned some = n < s->flows - next ? n : s->flows - next;

#pragma GCC unroll 4
		for (unsigned i = 0; i < some; i++) {
			perfect_write((uint8_t *)(uintptr_t)desc[i].address, template, &flow[i]);
			desc[i].control = PERFECT_FRAME | PERFECT_DONE;
		}
		next = (next + some) & mask;
		desc += some;
		n -= some;
	}
	s->next = next;
}

#endif

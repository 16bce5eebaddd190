/*
 * The device's side of a virtqueue, split or packed, used by polling.
 *
 * A turn looks at the buffers that the driver offers (ring_peek), fills or reads
 * them, and returns them in the same order (ring_return). What peek gives are
 * slots: a buffer of one descriptor is a pointer into the front end's memory;
 * one of several descriptors is a chain, walked by ring_chain.
 *
 * Nothing a driver writes is trusted: every address is looked up in the memory
 * it shared, every index compared with the size of the ring. The first thing
 * wrong stops the ring (`broken` says what), and its port is told.
 */
#ifndef PKTGEN_RING_H
#define PKTGEN_RING_H

#include <linux/virtio_ring.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "lib/err.h"
#include "tools/pktgen/memory.h"

#define RING_SIZE_MAX  32768u
#define RING_BATCH     64u
#define RING_CHAIN_MAX 64u /* descriptors of one buffer that are followed */

struct ring {
	alignas(CACHE_LINE) const struct memory *memory;
	union {
		const struct vring_desc *desc;
		struct vring_packed_desc *packed;
	};
	union {
		const struct vring_avail *avail;
		const struct vring_packed_desc_event *driver_event;
	};
	union {
		struct vring_used *used;
		struct vring_packed_desc_event *device_event;
	};
	uint32_t size;
	uint16_t avail_at, used_at;     /* split: running; packed: positions in the ring */
	uint16_t avail_wrap, used_wrap; /* packed: 1 in the first round, then 0, 1, ... */
	bool is_packed;
	bool live;     /* started, enabled, and where it says it is */
	bool writable; /* the driver receives: buffers are written here */
	bool uncalled; /* buffers were returned and the driver not called */
	int call;      /* an eventfd, or -1 */

	const char *broken; /* what the driver did wrong, or NULL */
	uint64_t culprit;   /* the value that was wrong */
	uint64_t calls;
};

/* One buffer. */
struct slot {
	union {
		uint8_t *at;    /* descs == 1 */
		uintptr_t head; /* descs > 1: a chain, by its first descriptor */
	};
	uint32_t bytes; /* of the buffer; for ring_return: how many were written to it */
	uint16_t id;
	uint16_t descs;
};

struct segment {
	uint8_t *at;
	uint32_t bytes;
};

/* Where a ring of this size lies, and what size it may have. NULL, or what is wrong. */
MUST_CHECK const char *ring_place(struct ring *r, const struct memory *memory, uint32_t size,
	uint64_t descriptor, uint64_t available, uint64_t used);

/* Where the ring goes on, as SET_VRING_BASE says it and GET_VRING_BASE tells. */
void ring_set_base(struct ring *r, uint32_t base);
uint32_t ring_base(const struct ring *r);

/* Tells the driver that its kicks are not needed. Once per start. */
void ring_quiet(struct ring *r);

/*
 * The next buffers offered, at most `most` (up to RING_BATCH), without taking
 * them. Stops before the first one that is wrong and sets `broken`.
 */
unsigned ring_peek(struct ring *r, struct slot *slot, unsigned most);

/* At least `least` buffers are offered, as far as can be told by a look at one word. Live rings. */
bool ring_offers(const struct ring *r, unsigned least);

/* Returns n buffers, those that peek gave first. */
void ring_return(struct ring *r, const struct slot *slot, unsigned n);

/* Segments of a chain, up to RING_CHAIN_MAX; 0 if it is malformed, which breaks the ring. */
unsigned ring_chain(struct ring *r, const struct slot *slot, struct segment *segment);

/*
 * Calls the driver if buffers were returned and it wants to be told. After each
 * batch without a fence, which would cost as much as some packets; now and then
 * with `settle`, so that a driver which went to sleep in between is woken.
 */
void ring_call(struct ring *r, bool settle);

static inline void ring_break(struct ring *r, const char *what, uint64_t culprit)
{
	if (!r->broken) {
		r->culprit = culprit;
		r->broken = what;
	}
	r->live = false;
}

#endif

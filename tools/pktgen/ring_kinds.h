/* Looking at and returning buffers, for each kind of ring: the part that runs for every packet. */
#ifndef PKTGEN_RING_KINDS_H
#define PKTGEN_RING_KINDS_H

#include "tools/pktgen/ring.h"

#define DESC_KIND (VRING_DESC_F_NEXT | VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT)

/*
 * Fills a slot from a descriptor of its own. false: the address is not the
 * driver's to give. The frame begins in the line of the header or the next; both are
 * asked for, since the driver's core had them last.
 */
static inline bool slot_single(
	struct ring *r, struct slot *s, uint64_t address, uint32_t bytes, uint16_t id)
{
	s->at = memory_guest(r->memory, address, bytes);
	s->bytes = bytes;
	s->id = id;
	s->descs = 1;
	if (__builtin_expect(!s->at, 0)) {
		ring_break(r, "a descriptor outside the shared memory", address);
		return false;
	}
	if (r->writable) {
		__builtin_prefetch(s->at, 1);
		__builtin_prefetch(s->at + 64, 1);
	} else {
		__builtin_prefetch(s->at);
		__builtin_prefetch(s->at + 64);
	}
	return true;
}

static inline unsigned split_peek(struct ring *r, struct slot *slot, unsigned most)
{
	/* The index before what it says is there: VIRTIO 1.2 2.7.13.2. */
	unsigned n = (uint16_t)(load_acquire(&r->avail->idx) - r->avail_at);
	unsigned mask = r->size - 1, kind = r->writable ? VRING_DESC_F_WRITE : 0;

	if (__builtin_expect(n > r->size, 0)) {
		ring_break(r, "more buffers offered than the ring has", n);
		return 0;
	}
	n = n < most ? n : most;
	/* Where the descriptors are if the driver uses them in order; and what will be written. */
	for (unsigned i = 0; i < n; i += 4) {
		__builtin_prefetch(&r->desc[(r->avail_at + i) & mask]);
		__builtin_prefetch(&r->used->ring[(r->used_at + i) & mask], 1);
	}
	for (unsigned i = 0; i < n; i++) {
		unsigned id = load_once(&r->avail->ring[(r->avail_at + i) & mask]);
		const struct vring_desc *d = &r->desc[id & mask];

		if (__builtin_expect(id >= r->size, 0)) {
			ring_break(r, "a buffer whose number the ring does not have", id);
			return i;
		}
		if (__builtin_expect((load_once(&d->flags) & DESC_KIND) != kind, 0)) {
			slot[i] = (struct slot){.head = id, .id = (uint16_t)id, .descs = 2};
			continue;
		}
		if (!slot_single(
			    r, &slot[i], load_once(&d->addr), load_once(&d->len), (uint16_t)id))
			return i;
	}
	return n;
}

static inline void split_return(struct ring *r, const struct slot *slot, unsigned n)
{
	unsigned mask = r->size - 1;

	for (unsigned i = 0; i < n; i++) {
		struct vring_used_elem e = {slot[i].id, slot[i].bytes};

		r->used->ring[(r->used_at + i) & mask] = e;
	}
	r->avail_at = (uint16_t)(r->avail_at + n);
	r->used_at = (uint16_t)(r->used_at + n);
	store_release(&r->used->idx, r->used_at); /* after the elements: 2.7.14 */
}

/* Is the descriptor offered in the round whose wrap counter is given? VIRTIO 1.2 2.8.1. */
static inline bool packed_offered(unsigned flags, unsigned wrap)
{
	unsigned avail = flags >> VRING_PACKED_DESC_F_AVAIL & 1;
	unsigned used = flags >> VRING_PACKED_DESC_F_USED & 1;

	return avail == wrap && used != wrap;
}

/* Descriptors of the chain that begins at `at`, and its id, which the last one has. 0: malformed.
 */
static inline unsigned packed_chain_length(struct ring *r, uint32_t at, uint16_t *id)
{
	for (unsigned n = 1; n <= RING_CHAIN_MAX && n <= r->size; n++) {
		const struct vring_packed_desc *d = &r->packed[at];

		if (!(load_once(&d->flags) & VRING_DESC_F_NEXT)) {
			*id = load_once(&d->id);
			return n;
		}
		at = at + 1 == r->size ? 0 : at + 1;
	}
	ring_break(r, "a chain without end", at);
	return 0;
}

static inline unsigned packed_peek(struct ring *r, struct slot *slot, unsigned most)
{
	unsigned kind = r->writable ? VRING_DESC_F_WRITE : 0, i, passed = 0;
	uint32_t at = r->avail_at, wrap = r->avail_wrap;

	/* All at once, and to be written: they are returned where they stand. */
	if (packed_offered(load_once(&r->packed[at].flags), wrap))
		for (unsigned k = 4; k < most && at + k < r->size; k += 4)
			__builtin_prefetch(&r->packed[at + k], 1);
	for (i = 0; i < most && passed < r->size; i++) {
		const struct vring_packed_desc *d = &r->packed[at];
		unsigned flags = load_acquire(&d->flags); /* before the rest: 2.8.21.1 */
		unsigned descs = 1;

		if (!packed_offered(flags, wrap))
			break;
		if (__builtin_expect((flags & DESC_KIND) != kind, 0)) {
			slot[i] = (struct slot){.head = at};
			descs = packed_chain_length(r, at, &slot[i].id);
			if (!descs)
				break;
			/* One descriptor of the wrong kind is looked at as a chain, which will find
			 * it. */
			slot[i].descs = (uint16_t)(descs == 1 ? 2 : descs);
			if (descs == 1) {
				ring_break(r, "a descriptor of the wrong direction", flags);
				break;
			}
		} else if (!slot_single(r, &slot[i], load_once(&d->addr), load_once(&d->len),
				   load_once(&d->id))) {
			break;
		}
		passed += descs;
		at += descs;
		if (at >= r->size) {
			at -= r->size;
			wrap ^= 1;
		}
	}
	return i;
}

/* A descriptor's second half in one store: bytes, id, and flags that say it is returned. */
static inline void packed_put(struct ring *r, uint32_t at, unsigned wrap, const struct slot *s)
{
	uint64_t flags =
		wrap ? 1u << VRING_PACKED_DESC_F_AVAIL | 1u << VRING_PACKED_DESC_F_USED : 0;

	if (s->bytes)
		flags |= VRING_DESC_F_WRITE; /* 2.8.22: bytes were written */
	store_release((uint64_t *)(void *)&r->packed[at].len,
		s->bytes | (uint64_t)s->id << 32 | flags << 48);
}

/* The first buffer last, so that the driver sees the batch as a whole. */
static inline void packed_return(struct ring *r, const struct slot *slot, unsigned n)
{
	uint32_t first = r->used_at, first_wrap = r->used_wrap, at = first, wrap = first_wrap;
	unsigned passed = 0;

	for (unsigned i = 0; i < n; i++) {
		if (i)
			packed_put(r, at, wrap, &slot[i]);
		passed += slot[i].descs;
		at += slot[i].descs;
		if (at >= r->size) {
			at -= r->size;
			wrap ^= 1;
		}
	}
	packed_put(r, first, first_wrap, &slot[0]);
	r->used_at = (uint16_t)at;
	r->used_wrap = (uint16_t)wrap;
	at = r->avail_at + passed;
	if (at >= r->size) {
		at -= r->size;
		r->avail_wrap ^= 1;
	}
	r->avail_at = (uint16_t)at;
}

#endif

/* Virtqueues from the device's side: where they lie, chains, calls. */
#include "tools/pktgen/ring.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "tools/pktgen/ring_kinds.h"

/* VIRTIO 1.2 2.7: bytes and alignment of the three areas of a split ring. */
static const char *place_split(struct ring *r, uint64_t d, uint64_t a, uint64_t u)
{
	if (r->size & (r->size - 1))
		return "a split ring whose size is no power of two";
	if (d % 16 || a % 2 || u % 4)
		return "a ring that is not aligned";
	r->desc = (const void *)memory_user(r->memory, d, 16ull * r->size);
	r->avail = (const void *)memory_user(r->memory, a, 6 + 2ull * r->size);
	r->used = (void *)memory_user(r->memory, u, 6 + 8ull * r->size);
	return r->desc && r->avail && r->used ? NULL : "a ring outside the shared memory";
}

/* VIRTIO 1.2 2.8: the ring and two event words. */
static const char *place_packed(struct ring *r, uint64_t d, uint64_t a, uint64_t u)
{
	if (d % 16 || a % 4 || u % 4)
		return "a ring that is not aligned";
	r->packed = (void *)memory_user(r->memory, d, 16ull * r->size);
	r->driver_event = (const void *)memory_user(r->memory, a, 4);
	r->device_event = (void *)memory_user(r->memory, u, 4);
	return r->packed && r->driver_event && r->device_event ? NULL
							       : "a ring outside the shared memory";
}

const char *ring_place(struct ring *r, const struct memory *memory, uint32_t size,
	uint64_t descriptor, uint64_t available, uint64_t used)
{
	if (size == 0 || size > RING_SIZE_MAX)
		return "a ring of a size that is not allowed";
	r->memory = memory;
	r->size = size;
	return (r->is_packed ? place_packed : place_split)(r, descriptor, available, used);
}

/*
 * Packed (vhost-user.rst, "Ring states"): bits 0-14 the next available, 15 its wrap
 * counter, 16-31 the same for used. All that is taken is returned before anything
 * else happens, so the two are equal, and front ends that leave 16-31 zero are right too.
 */
void ring_set_base(struct ring *r, uint32_t base)
{
	if (r->is_packed) {
		r->avail_at = r->used_at = base & 0x7fff;
		r->avail_wrap = r->used_wrap = base >> 15 & 1;
	} else {
		r->avail_at = r->used_at = (uint16_t)base;
	}
}

uint32_t ring_base(const struct ring *r)
{
	if (!r->is_packed)
		return r->avail_at;
	return r->avail_at | (uint32_t)r->avail_wrap << 15 | (uint32_t)r->used_at << 16 |
	       (uint32_t)r->used_wrap << 31;
}

void ring_quiet(struct ring *r)
{
	if (r->is_packed) {
		store_once(&r->device_event->flags, VRING_PACKED_EVENT_FLAG_DISABLE);
	} else {
		/* What was returned before stands in the ring: a driver may have kept it over a
		 * reconnect. */
		r->used_at = load_once(&r->used->idx);
		store_once(&r->used->flags, VRING_USED_F_NO_NOTIFY);
	}
}

unsigned ring_peek(struct ring *r, struct slot *slot, unsigned most)
{
	return r->is_packed ? packed_peek(r, slot, most) : split_peek(r, slot, most);
}

bool ring_offers(const struct ring *r, unsigned least)
{
	uint32_t at = r->avail_at + least - 1;
	unsigned wrap = r->avail_wrap;

	if (!r->is_packed)
		return (uint16_t)(load_once(&r->avail->idx) - r->avail_at) >= least;
	if (least > r->size)
		return false;
	if (at >= r->size) {
		at -= r->size;
		wrap ^= 1;
	}
	return packed_offered(load_once(&r->packed[at].flags), wrap);
}

void ring_return(struct ring *r, const struct slot *slot, unsigned n)
{
	if (!n)
		return;
	if (r->is_packed)
		packed_return(r, slot, n);
	else
		split_return(r, slot, n);
	r->uncalled = true;
}

/* Puts a descriptor at the end of a list of segments. */
static bool segment_add(struct ring *r, struct segment *segment, unsigned n, uint64_t address,
	uint32_t bytes, unsigned flags)
{
	if (n == RING_CHAIN_MAX) {
		ring_break(r, "a chain without end", n);
		return false;
	}
	if (flags & VRING_DESC_F_INDIRECT) {
		ring_break(r, "an indirect descriptor, which was not agreed on", flags);
		return false;
	}
	if (!(flags & VRING_DESC_F_WRITE) != !r->writable) {
		ring_break(r, "a descriptor of the wrong direction", flags);
		return false;
	}
	segment[n].at = memory_guest(r->memory, address, bytes);
	segment[n].bytes = bytes;
	if (!segment[n].at) {
		ring_break(r, "a descriptor outside the shared memory", address);
		return false;
	}
	return true;
}

static unsigned chain_split(struct ring *r, uint32_t head, struct segment *segment)
{
	unsigned n = 0, flags;

	do {
		const struct vring_desc *d = &r->desc[head];

		flags = load_once(&d->flags);
		if (!segment_add(r, segment, n++, load_once(&d->addr), load_once(&d->len), flags))
			return 0;
		head = load_once(&d->next);
		if ((flags & VRING_DESC_F_NEXT) && head >= r->size) {
			ring_break(r, "a chain that leads out of the ring", head);
			return 0;
		}
	} while (flags & VRING_DESC_F_NEXT);
	return n;
}

static unsigned chain_packed(struct ring *r, const struct slot *slot, struct segment *segment)
{
	uint32_t at = (uint32_t)slot->head;

	for (unsigned n = 0; n < slot->descs; n++) {
		const struct vring_packed_desc *d = &r->packed[at];

		if (!segment_add(r, segment, n, load_once(&d->addr), load_once(&d->len),
			    load_once(&d->flags)))
			return 0;
		at = at + 1 == r->size ? 0 : at + 1;
	}
	return slot->descs;
}

unsigned ring_chain(struct ring *r, const struct slot *slot, struct segment *segment)
{
	if (slot->descs == 1) {
		segment[0] = (struct segment){slot->at, slot->bytes};
		return 1;
	}
	return r->is_packed ? chain_packed(r, slot, segment)
			    : chain_split(r, (uint32_t)slot->head, segment);
}

static bool driver_listens(const struct ring *r)
{
	if (r->is_packed)
		return (load_once(&r->driver_event->flags) & 3) != VRING_PACKED_EVENT_FLAG_DISABLE;
	return !(load_once(&r->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
}

void ring_call(struct ring *r, bool settle)
{
	if (!r->uncalled || r->call < 0)
		return;
	if (settle) {
		__atomic_thread_fence(
			__ATOMIC_SEQ_CST); /* VIRTIO 1.2 2.7.7.2: index before flags */
		r->uncalled = false;
	}
	if (!driver_listens(r))
		return;
	r->uncalled = false;
	r->calls++;
	/* A full eventfd has calls that the driver has yet to see. */
	ssize_t ignored = write(r->call, &(uint64_t){1}, sizeof(uint64_t));

	(void)ignored;
}

/*
 * A device that does as little as one can: to see what the generator can do.
 *
 *     peer wire|drain split|packed SOCKET0 SOCKET1 SECONDS [SIZE]
 *
 * wire: frames that come on one port leave on the other, by exchanging the buffers
 * of two descriptors; drain: buffers are offered again at once. Prints packets per second.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include "lib/atomic.h"
#include "test/model/vhost_front.h"

#define BUFFER 2112u /* not a power of two, so that cache sets do not alias */
#define BATCH  64u

struct side {
	struct front front;
	uint16_t room; /* packed, sending: descriptors not given to the device */
	uint64_t frames;
};

static struct side side[2];

/* ---- split ---- */

/* Buffers that the device returned on the RX ring of `from`, at most `most`. */
static unsigned rx_split(const struct front_ring *r)
{
	unsigned n = (uint16_t)(load_acquire(&r->used->idx) - r->taken);

	return n < BATCH ? n : BATCH;
}

static unsigned wire_split(struct side *from, struct side *to)
{
	struct front_ring *rx = &from->front.ring[0], *tx = &to->front.ring[1];
	unsigned n = rx_split(rx), mask = rx->size - 1;
	unsigned room = tx->size - (uint16_t)(tx->posted - load_acquire(&tx->used->idx));

	n = n < room ? n : room;
	for (unsigned i = 0; i < n; i++) {
		const struct vring_used_elem *e = &rx->used->ring[(rx->taken + i) & mask];
		struct vring_desc *in = &rx->desc[e->id & mask];
		struct vring_desc *out = &tx->desc[(tx->posted + i) & mask];
		uint64_t other = out->addr;

		out->addr = in->addr;
		out->len = e->len;
		in->addr = other;
	}
	if (!n)
		return 0;
	rx->taken = (uint16_t)(rx->taken + n);
	tx->posted = (uint16_t)(tx->posted + n);
	store_release(&tx->avail->idx, tx->posted);
	rx->posted = (uint16_t)(rx->posted + n); /* the ring of what is offered never changes */
	store_release(&rx->avail->idx, rx->posted);
	return n;
}

static unsigned drain_split(struct side *from)
{
	struct front_ring *rx = &from->front.ring[0];
	unsigned n = rx_split(rx);

	rx->taken = (uint16_t)(rx->taken + n);
	rx->posted = (uint16_t)(rx->posted + n);
	if (n)
		store_release(&rx->avail->idx, rx->posted);
	return n;
}

/* ---- packed ---- */

static bool returned(const struct front_ring *r)
{
	unsigned flags = load_acquire(&r->packed[r->used_at].flags);
	unsigned avail = flags >> VRING_PACKED_DESC_F_AVAIL & 1;

	return avail == (flags >> VRING_PACKED_DESC_F_USED & 1) && avail == r->used_wrap;
}

static void step(const struct front_ring *r, uint16_t *at, uint16_t *wrap)
{
	if (++*at == r->size) {
		*at = 0;
		*wrap ^= 1;
	}
}

static void offer(struct front_ring *r, uint64_t address, uint32_t bytes, unsigned flags)
{
	struct vring_packed_desc *d = &r->packed[r->at];

	d->addr = address;
	flags |= r->wrap ? 1u << VRING_PACKED_DESC_F_AVAIL : 1u << VRING_PACKED_DESC_F_USED;
	store_release(
		(uint64_t *)(void *)&d->len, bytes | (uint64_t)r->at << 32 | (uint64_t)flags << 48);
	step(r, &r->at, &r->wrap);
}

static unsigned wire_packed(struct side *from, struct side *to)
{
	struct front_ring *rx = &from->front.ring[0], *tx = &to->front.ring[1];
	unsigned n = 0;

	while (to->room < BATCH && returned(tx)) {
		step(tx, &tx->used_at, &tx->used_wrap);
		to->room++;
	}
	while (n < BATCH && to->room && returned(rx)) {
		uint64_t in = rx->packed[rx->used_at].addr, other = tx->packed[tx->at].addr;
		uint32_t bytes = rx->packed[rx->used_at].len;

		step(rx, &rx->used_at, &rx->used_wrap);
		offer(tx, in, bytes, 0);
		offer(rx, other, BUFFER, VRING_DESC_F_WRITE);
		to->room--;
		n++;
	}
	return n;
}

static unsigned drain_packed(struct side *from)
{
	struct front_ring *rx = &from->front.ring[0];
	unsigned n = 0;

	for (; n < BATCH && returned(rx); n++) {
		uint64_t address = rx->packed[rx->used_at].addr;

		step(rx, &rx->used_at, &rx->used_wrap);
		offer(rx, address, BUFFER, VRING_DESC_F_WRITE);
	}
	return n;
}

/* ---- set-up ---- */

/* Both rings get a buffer for every descriptor; those for sending are only remembered. */
static void give_buffers(struct side *s, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++) {
		uint64_t a = front_address(&s->front, s->front.buffers + (size_t)i * BUFFER);
		uint64_t b =
			front_address(&s->front, s->front.buffers + (size_t)(size + i) * BUFFER);
		struct front_piece in = {a, BUFFER, true};

		front_offer(&s->front, 0, &in, 1, (uint16_t)i);
		if (s->front.is_packed) {
			s->front.ring[1].packed[i].addr = b;
		} else {
			s->front.ring[1].desc[i].addr = b;
			s->front.ring[1].avail->ring[i] = (uint16_t)i;
		}
	}
	if (s->front.is_packed)
		s->front.ring[0].driver_event->flags = s->front.ring[1].driver_event->flags =
			VRING_PACKED_EVENT_FLAG_DISABLE;
	else
		s->front.ring[0].avail->flags = s->front.ring[1].avail->flags =
			VRING_AVAIL_F_NO_INTERRUPT;
	s->room = (uint16_t)size;
}

/* The second side uses the memory of the first: frames move between them as addresses. */
static bool set_up(char **path, bool packed, uint32_t size)
{
	uint64_t features = VHOST_F_PROTOCOL_FEATURES | UINT64_C(1) << VIRTIO_F_VERSION_1 |
			    UINT64_C(1) << VIRTIO_F_IN_ORDER;
	size_t bytes = (size_t)size * 4 * BUFFER;

	if (packed)
		features |= UINT64_C(1) << VIRTIO_F_RING_PACKED;
	if (!front_memory(&side[0].front, 4, bytes, true) &&
		!front_memory(&side[0].front, 4, bytes, false))
		return false;
	side[1].front = side[0].front;
	/* Its rings lie behind those of the first, its buffers behind the first's. */
	for (unsigned i = 0; i < 2; i++) {
		struct front *f = &side[i].front;

		if (!front_connect(f, path[i]) || !front_agree(f, features) || !front_share(f))
			return false;
		f->memory += (size_t)i * 2 * FRONT_RING_ROOM;
		if (!front_ring_start(f, 0, size) || !front_ring_start(f, 1, size))
			return false;
		f->memory -= (size_t)i * 2 * FRONT_RING_ROOM;
		f->buffers += (size_t)i * 2 * size * BUFFER;
		give_buffers(&side[i], size);
	}
	return true;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static unsigned turn(bool wire, bool packed)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 2; i++) {
		struct side *from = &side[i], *to = &side[!i];

		if (wire)
			n += packed ? wire_packed(from, to) : wire_split(from, to);
		else
			n += packed ? drain_packed(from) : drain_split(from);
	}
	return n;
}

int main(int argc, char **argv)
{
	if (argc < 6) {
		fputs("usage: peer wire|drain split|packed SOCKET0 SOCKET1 SECONDS [SIZE]\n",
			stderr);
		return 2;
	}

	bool wire = strcmp(argv[1], "wire") == 0, packed = strcmp(argv[2], "packed") == 0;
	double end;
	uint64_t frames = 0, polls = 0;

	if (!set_up(argv + 3, packed, argc > 6 ? (uint32_t)atoi(argv[6]) : 512)) {
		perror("peer");
		return 1;
	}
	end = seconds() + atof(argv[5]);
	do {
		for (unsigned i = 0; i < 10000; i++, polls++)
			frames += turn(wire, packed);
	} while (seconds() < end);
	printf("peer: %llu frames, %.1f a poll\n", (unsigned long long)frames,
		(double)frames / (double)polls);
	return 0;
}

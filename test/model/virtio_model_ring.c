/* Rings of the virtio model: buffers out of them and back, split and packed (VIRTIO 1.2 2.7, 2.8).
 */
#include "test/model/virtio_model_ring.h"

#include <string.h>

#include "drivers/pci_regs.h"

#define STATUS_DRIVER_OK 4u
#define PACKED_BITS      (VIRTQ_PACKED_AVAIL | VIRTQ_PACKED_USED)
#define HEADER_BYTES     12u

void virtio_model_complain(struct virtio_model *m, const char *what)
{
	if (!m->complaint)
		m->complaint = what;
}

static bool packed(const struct virtio_model *m)
{
	return m->accepted & VIRTIO_MODEL_F_RING_PACKED;
}

static struct virtq_desc *desc_of(const struct virtio_model_queue *q)
{
	return (struct virtq_desc *)(uintptr_t)q->desc;
}

static const struct virtq_avail *avail_of(const struct virtio_model_queue *q)
{
	return (const struct virtq_avail *)(uintptr_t)q->driver;
}

struct virtq_used *virtio_model_used(struct virtio_model *m, unsigned queue)
{
	return (struct virtq_used *)(uintptr_t)m->queue[queue].device;
}

struct virtq_packed_desc *virtio_model_packed(struct virtio_model *m, unsigned queue)
{
	return (struct virtq_packed_desc *)(uintptr_t)m->queue[queue].desc;
}

void virtio_model_notify(struct virtio_model *m, unsigned queue, bool wanted)
{
	struct virtq_event *event = (struct virtq_event *)(uintptr_t)m->queue[queue].device;

	if (packed(m))
		event->flags = (uint16_t)(wanted ? 0 : VIRTQ_EVENT_DISABLE);
	else
		virtio_model_used(m, queue)->flags = (uint16_t)(wanted ? 0 : VIRTQ_USED_NO_NOTIFY);
}

/* ---------------------------------------------------------------- split */

/* The chain of descriptors that begins with the id of the next available entry. */
static unsigned take_split(struct virtio_model *m, struct virtio_model_queue *q,
	struct virtio_model_part *part, unsigned max, uint32_t *id)
{
	uint16_t idx = avail_of(q)->idx;
	unsigned n = 0, at;

	if ((uint16_t)q->seen == idx)
		return 0;
	if ((uint16_t)(idx - q->seen) > q->size)
		virtio_model_complain(m, "more buffers than the queue holds");
	if (avail_of(q)->flags != VIRTQ_AVAIL_NO_INTERRUPT)
		virtio_model_complain(m, "an interrupt is asked for");
	*id = at = avail_of(q)->ring[q->seen % q->size];
	do {
		const struct virtq_desc *d = &desc_of(q)[at];

		if (at >= q->size || n == max) {
			virtio_model_complain(m, "a descriptor out of range");
			return 0;
		}
		part[n++] = (struct virtio_model_part){d->address, d->bytes, d->flags};
		at = d->next;
	} while (part[n - 1].flags & VIRTQ_DESC_NEXT);
	q->seen++;
	return n;
}

static void return_split(struct virtio_model *m, unsigned queue, struct virtio_model_done done)
{
	struct virtio_model_queue *q = &m->queue[queue];
	struct virtq_used *used = virtio_model_used(m, queue);

	used->ring[q->done % q->size] = (struct virtq_used_elem){done.id, done.bytes};
	q->done++;
	used->idx = (uint16_t)q->done;
}

/* ---------------------------------------------------------------- packed */

/* The bit that offers a descriptor in the round that position `at`, counted on, falls into. */
static unsigned offered_as(const struct virtio_model_queue *q, uint32_t at)
{
	return at / q->size % 2 == 0 ? VIRTQ_PACKED_AVAIL : VIRTQ_PACKED_USED;
}

static unsigned take_packed(struct virtio_model *m, unsigned queue, struct virtio_model_part *part,
	unsigned max, uint32_t *id)
{
	struct virtio_model_queue *q = &m->queue[queue];
	const struct virtq_event *event = (const struct virtq_event *)(uintptr_t)q->driver;
	unsigned n = 0;

	do {
		uint32_t at = q->seen + n;
		const struct virtq_packed_desc *d = &virtio_model_packed(m, queue)[at % q->size];
		unsigned flags = (unsigned)(d->state >> 48);

		if ((flags & PACKED_BITS) != offered_as(q, at)) {
			if (n)
				virtio_model_complain(m, "a chain offered before it was whole");
			return 0;
		}
		if (n == max || at - q->done >= q->size) {
			virtio_model_complain(m, "more buffers than the queue holds");
			return 0;
		}
		*id = (uint16_t)(d->state >> 32);
		part[n++] = (struct virtio_model_part){
			d->address, (uint32_t)d->state, flags & ~PACKED_BITS};
	} while (part[n - 1].flags & VIRTQ_DESC_NEXT);
	if (event->flags != VIRTQ_EVENT_DISABLE)
		virtio_model_complain(m, "an interrupt is asked for");
	q->seen += n;
	return n;
}

static void return_packed(struct virtio_model *m, unsigned queue, struct virtio_model_done done)
{
	struct virtio_model_queue *q = &m->queue[queue];
	struct virtq_packed_desc *d = &virtio_model_packed(m, queue)[q->done % q->size];
	uint64_t flags = q->done / q->size % 2 == 0 ? PACKED_BITS : 0;

	d->state = done.bytes | (uint64_t)(uint16_t)done.id << 32 | flags << 48;
	q->done += done.descriptors;
}

/* ---------------------------------------------------------------- either */

unsigned virtio_model_take(struct virtio_model *m, unsigned queue, struct virtio_model_part *part,
	unsigned max, uint32_t *id)
{
	struct virtio_model_queue *q = &m->queue[queue];
	unsigned n;

	if (!(m->status & STATUS_DRIVER_OK) || !q->enable)
		return 0;
	n = packed(m) ? take_packed(m, queue, part, max, id) : take_split(m, q, part, max, id);
	if (n == 0)
		return 0;
	if (!(pci_model_get(m->pci, PCI_COMMAND, 2) & PCI_COMMAND_MASTER))
		virtio_model_complain(m, "DMA needed but bus mastering is off");
	if (*id >= q->size || *id >= VIRTIO_MODEL_SLOTS) {
		virtio_model_complain(m, "buffer id out of range");
		return 0;
	}
	if (q->has[*id])
		virtio_model_complain(m, "an id that the device has already");
	q->has[*id] = true;
	return n;
}

void virtio_model_return(struct virtio_model *m, unsigned queue, struct virtio_model_done done)
{
	m->queue[queue].has[done.true_id] = false;
	if (packed(m))
		return_packed(m, queue, done);
	else
		return_split(m, queue, done);
}

/* ---------------------------------------------------------------- frames */

/* The next buffer for a frame; false: none there, or not fit for one. */
static bool next_frame(
	struct virtio_model *m, unsigned queue, struct virtio_model_part *part, uint32_t *id)
{
	uint64_t first = (uintptr_t)m->memory;
	unsigned flags = queue % 2 == VIRTIO_MODEL_RX ? VIRTQ_DESC_WRITE : 0;

	if (!virtio_model_take(m, queue, part, 1, id))
		return false;
	if (part->address < first || part->address - first > m->memory_bytes ||
		part->bytes > m->memory_bytes - (part->address - first) ||
		part->bytes < HEADER_BYTES) {
		virtio_model_complain(m, "a buffer outside the buffers");
		return false;
	}
	if (part->flags != flags)
		virtio_model_complain(m, "wrong descriptor flags");
	if (queue / 2 >= m->pairs)
		virtio_model_complain(m, "a frame on a queue that is not in use");
	return true;
}

static void finish(struct virtio_model *m, unsigned queue, uint32_t id, size_t bytes)
{
	struct virtio_model_queue *q = &m->queue[queue];
	struct virtio_model_done done = {id, (uint32_t)bytes, 1, id};

	if (m->lie_id)
		done.id = m->fake_id;
	if (m->lie_bytes)
		done.bytes = m->fake_bytes;
	if (m->hold && q->held_n < VIRTIO_MODEL_SLOTS)
		q->held[q->held_n++] = done;
	else
		virtio_model_return(m, queue, done);
}

void virtio_model_flush(struct virtio_model *m, unsigned queue, unsigned keep)
{
	struct virtio_model_queue *q = &m->queue[queue];

	while (q->held_n > keep)
		virtio_model_return(m, queue, q->held[--q->held_n]);
}

bool virtio_model_receive_on(struct virtio_model *m, unsigned pair, const void *frame, size_t len)
{
	static const uint8_t header[HEADER_BYTES] = {[10] = 1}; /* num_buffers */
	struct virtio_model_part part;
	uint32_t id = 0;
	uint8_t *to;

	if (pair >= m->pairs || !next_frame(m, 2 * pair, &part, &id))
		return false;
	if (len > part.bytes - HEADER_BYTES) { /* as if it had never come */
		m->queue[2 * pair].seen--;
		m->queue[2 * pair].has[id] = false;
		return false;
	}
	to = (uint8_t *)(uintptr_t)part.address;
	memcpy(to, header, HEADER_BYTES);
	memcpy(to + HEADER_BYTES, frame, len);
	finish(m, 2 * pair, id, HEADER_BYTES + len);
	return true;
}

bool virtio_model_receive(struct virtio_model *m, const void *frame, size_t len)
{
	return virtio_model_receive_on(m, 0, frame, len);
}

static void send(struct virtio_model *m, unsigned queue, const struct virtio_model_part *part)
{
	static const uint8_t zero[HEADER_BYTES];
	const uint8_t *from = (const uint8_t *)(uintptr_t)part->address;

	if (memcmp(from, zero, HEADER_BYTES) != 0)
		virtio_model_complain(m, "a header that is not zero");
	m->sent_len = part->bytes - HEADER_BYTES;
	if (m->sent_len > sizeof m->sent)
		m->sent_len = sizeof m->sent;
	memcpy(m->sent, from + HEADER_BYTES, m->sent_len);
	m->sent_pair = queue / 2;
	m->sent_n++;
}

unsigned virtio_model_transmit(struct virtio_model *m)
{
	struct virtio_model_part part;
	uint32_t id = 0;
	unsigned n = 0;

	for (unsigned queue = VIRTIO_MODEL_TX; queue < m->queues; queue += 2)
		while (next_frame(m, queue, &part, &id)) {
			send(m, queue, &part);
			n++;
			finish(m, queue, id, 0);
		}
	return n;
}

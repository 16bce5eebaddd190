/* A modern virtio-net PCI device in memory (VIRTIO 1.2 4.1 and 5.1), well-behaved or not. */
#include "test/model/virtio_model.h"

#include <string.h>

#include "drivers/pci_regs.h"

/* Where its structures lie in the BAR. */
#define AT_COMMON   0x0000u
#define AT_CONFIG   0x1000u
#define AT_NOTIFY   0x2000u
#define AREA_BYTES  0x1000u
#define NOTIFY_STEP 4u

#define STATUS_DRIVER_OK   4u
#define STATUS_FEATURES_OK 8u
#define HEADER_BYTES       12u

static void complain(struct virtio_model *m, const char *what)
{
	if (!m->complaint)
		m->complaint = what;
}

/* ---------------------------------------------------------------- queues */

static struct virtq_desc *desc_of(const struct virtio_model_queue *q)
{
	return (struct virtq_desc *)(uintptr_t)q->desc;
}

static const struct virtq_avail *avail_of(const struct virtio_model_queue *q)
{
	return (const struct virtq_avail *)(uintptr_t)q->avail;
}

struct virtq_used *virtio_model_used(struct virtio_model *m, unsigned queue)
{
	return (struct virtq_used *)(uintptr_t)m->queue[queue].used;
}

/* The next buffer the driver has posted; NULL if there is none or it is not fit for use. */
static struct virtq_desc *next_buffer(struct virtio_model *m, unsigned queue, uint16_t *id)
{
	struct virtio_model_queue *q = &m->queue[queue];
	struct virtq_desc *d;
	uint64_t first = (uintptr_t)m->memory;

	if (!(m->status & STATUS_DRIVER_OK) || !q->enable || q->seen == avail_of(q)->idx)
		return NULL;
	if ((uint16_t)(avail_of(q)->idx - q->seen) > q->size)
		complain(m, "more buffers than the queue holds");
	if (!(pci_model_get(m->pci, PCI_COMMAND, 2) & PCI_COMMAND_MASTER))
		complain(m, "DMA needed but bus mastering is off");
	if (avail_of(q)->flags != VIRTQ_AVAIL_NO_INTERRUPT)
		complain(m, "an interrupt is asked for");
	*id = avail_of(q)->ring[q->seen % q->size];
	if (*id >= q->size) {
		complain(m, "descriptor id out of range");
		return NULL;
	}
	d = &desc_of(q)[*id];
	if (d->address < first || d->address - first > m->memory_bytes ||
		d->bytes > m->memory_bytes - (d->address - first) || d->bytes < HEADER_BYTES) {
		complain(m, "a buffer outside the buffers");
		return NULL;
	}
	if (d->flags != (queue == VIRTIO_MODEL_RX ? VIRTQ_DESC_WRITE : 0))
		complain(m, "wrong descriptor flags");
	q->seen++;
	return d;
}

static void tell(struct virtio_model *m, unsigned queue, struct virtq_used_elem e)
{
	struct virtio_model_queue *q = &m->queue[queue];
	struct virtq_used *used = virtio_model_used(m, queue);

	used->ring[q->done % q->size] = e;
	used->idx = ++q->done;
}

static void finish(struct virtio_model *m, unsigned queue, uint16_t id, size_t bytes)
{
	struct virtio_model_queue *q = &m->queue[queue];
	struct virtq_used_elem e = {id, (uint32_t)bytes};

	if (m->lie_id)
		e.id = m->fake_id;
	if (m->lie_bytes)
		e.bytes = m->fake_bytes;
	if (m->hold && q->held_n < 1024)
		q->held[q->held_n++] = e;
	else
		tell(m, queue, e);
}

void virtio_model_flush(struct virtio_model *m, unsigned queue, unsigned keep)
{
	struct virtio_model_queue *q = &m->queue[queue];

	while (q->held_n > keep)
		tell(m, queue, q->held[--q->held_n]);
}

bool virtio_model_receive(struct virtio_model *m, const void *frame, size_t len)
{
	static const uint8_t header[HEADER_BYTES] = {[10] = 1}; /* num_buffers */
	uint16_t id = 0;
	struct virtq_desc *d = next_buffer(m, VIRTIO_MODEL_RX, &id);
	uint8_t *to;

	if (!d || len > d->bytes - HEADER_BYTES)
		return false;
	to = (uint8_t *)(uintptr_t)d->address;
	memcpy(to, header, HEADER_BYTES);
	memcpy(to + HEADER_BYTES, frame, len);
	finish(m, VIRTIO_MODEL_RX, id, HEADER_BYTES + len);
	return true;
}

unsigned virtio_model_transmit(struct virtio_model *m)
{
	static const uint8_t zero[HEADER_BYTES];
	struct virtq_desc *d;
	uint16_t id = 0;
	unsigned n = 0;

	while ((d = next_buffer(m, VIRTIO_MODEL_TX, &id))) {
		const uint8_t *from = (const uint8_t *)(uintptr_t)d->address;

		if (memcmp(from, zero, HEADER_BYTES) != 0)
			complain(m, "a header that is not zero");
		m->sent_len = d->bytes - HEADER_BYTES;
		if (m->sent_len > sizeof m->sent)
			m->sent_len = sizeof m->sent;
		memcpy(m->sent, from + HEADER_BYTES, m->sent_len);
		m->sent_n++;
		n++;
		finish(m, VIRTIO_MODEL_TX, id, 0);
	}
	return n;
}

/* ---------------------------------------------------------------- registers */

static void reset(struct virtio_model *m)
{
	m->resets++;
	m->status = 0;
	m->accepted = 0;
	m->config_vector = 0xffff;
	for (unsigned i = 0; i < 2; i++)
		m->queue[i] = (struct virtio_model_queue){.size = m->max_size[i]};
}

/* The driver says DRIVER_OK. */
static void start(struct virtio_model *m)
{
	m->starts++;
	if (!(m->status & STATUS_FEATURES_OK))
		complain(m, "started before the features were agreed");
	if (m->config_vector != 0xffff)
		complain(m, "a config interrupt is asked for");
	for (unsigned i = 0; i < 2; i++) {
		if (!m->queue[i].enable || m->queue[i].vector != 0xffff)
			complain(m, "a queue is not enabled or has an interrupt");
		else if (m->no_notify)
			virtio_model_used(m, i)->flags = VIRTQ_USED_NO_NOTIFY;
	}
}

static void write_status(struct virtio_model *m, uint8_t v)
{
	if (v == 0) {
		if (!m->reset_hangs)
			reset(m);
		return;
	}
	if (m->status & ~v)
		complain(m, "a status bit taken back");
	if (m->features_sulk)
		v &= (uint8_t)~STATUS_FEATURES_OK;
	if (v & ~m->status & STATUS_DRIVER_OK)
		start(m);
	m->status = v;
}

static uint8_t read_status(struct virtio_model *m)
{
	if (m->status == 0 && m->reset_slow) {
		m->reset_slow--;
		return 0x0f;
	}
	return m->status;
}

struct field {
	uint8_t at, bytes;
};

/* Each register may be accessed only with its own width (4.1.3.1). */
static bool width_ok(uint64_t at, unsigned bytes)
{
	static const struct field field[] = {{0x00, 4}, {0x04, 4}, {0x08, 4}, {0x0c, 4}, {0x10, 2},
		{0x12, 2}, {0x14, 1}, {0x15, 1}, {0x16, 2}, {0x18, 2}, {0x1a, 2}, {0x1c, 2},
		{0x1e, 2}, {0x20, 4}, {0x24, 4}, {0x28, 4}, {0x2c, 4}, {0x30, 4}, {0x34, 4}};

	for (unsigned i = 0; i < sizeof field / sizeof *field; i++)
		if (field[i].at == at)
			return field[i].bytes == bytes;
	return false;
}

static uint64_t common_read(struct virtio_model *m, uint64_t at)
{
	const struct virtio_model_queue *q =
		m->queue_select < 2 ? &m->queue[m->queue_select] : NULL;

	switch (at) {
	case 0x04:
		return m->offer_select < 2 ? m->offered >> 32 * m->offer_select : 0;
	case 0x12:
		return m->queues;
	case 0x14:
		return read_status(m);
	case 0x15:
		return m->spins ? m->generation++ : m->generation;
	case 0x18:
		return q ? q->size : 0;
	case 0x1c:
		return q ? q->enable : 0;
	case 0x1e:
		return m->queue_select;
	default:
		return 0;
	}
}

static void set_half(uint64_t *address, bool high, uint32_t v)
{
	if (high)
		*address = (uint32_t)*address | (uint64_t)v << 32;
	else
		*address = (*address & ~(uint64_t)UINT32_MAX) | v;
}

static void queue_write(
	struct virtio_model *m, struct virtio_model_queue *q, uint64_t at, uint64_t v)
{
	if (q->enable)
		complain(m, "a queue is changed after it was enabled");
	switch (at) {
	case 0x18:
		if (!m->size_sticks)
			q->size = (uint16_t)v;
		break;
	case 0x1a:
		q->vector = (uint16_t)v;
		break;
	case 0x1c:
		q->enable = (uint16_t)v;
		if (q->desc % 16 || q->avail % 2 || q->used % 4)
			complain(m, "a ring is not aligned");
		break;
	case 0x20:
	case 0x24:
		set_half(&q->desc, at & 4, (uint32_t)v);
		break;
	case 0x28:
	case 0x2c:
		set_half(&q->avail, at & 4, (uint32_t)v);
		break;
	case 0x30:
	case 0x34:
		set_half(&q->used, at & 4, (uint32_t)v);
		break;
	default:
		complain(m, "a write to a register that cannot be written");
	}
}

static void common_write(struct virtio_model *m, uint64_t at, uint64_t v)
{
	switch (at) {
	case 0x00:
		m->offer_select = (uint32_t)v;
		break;
	case 0x08:
		m->accept_select = (uint32_t)v;
		break;
	case 0x0c:
		if (m->status & STATUS_FEATURES_OK)
			complain(m, "features changed after FEATURES_OK");
		if (m->accept_select < 2)
			set_half(&m->accepted, m->accept_select, (uint32_t)v);
		if (m->accepted & ~m->offered)
			complain(m, "a feature accepted that was not offered");
		break;
	case 0x10:
		m->config_vector = (uint16_t)v;
		break;
	case 0x14:
		write_status(m, (uint8_t)v);
		break;
	case 0x16:
		m->queue_select = (uint16_t)v;
		break;
	default:
		if (m->queue_select < 2)
			queue_write(m, &m->queue[m->queue_select], at, v);
	}
}

static uint64_t config_read(struct virtio_model *m, uint64_t at, unsigned bytes)
{
	uint64_t v = 0;

	if (bytes != (at < 6 ? 1 : 2)) /* the MAC is six 8-bit fields, all others have 16 bits */
		complain(m, "a config field read with the wrong width");
	if (at + bytes <= sizeof m->config)
		memcpy(&v, m->config + at, bytes);
	return v;
}

static uint64_t model_bar_read(void *ctx, uint64_t at, unsigned bytes)
{
	struct virtio_model *m = ctx;

	if (m->dead)
		return UINT64_MAX;
	if (at >= AT_NOTIFY)
		return 0;
	if (at >= AT_CONFIG)
		return config_read(m, at - AT_CONFIG, bytes);
	if (!width_ok(at, bytes))
		complain(m, "a register read with the wrong width");
	return common_read(m, at);
}

static void notify(struct virtio_model *m, uint64_t at, unsigned bytes, uint64_t v)
{
	if (bytes != 2 || v > 1 || at != AT_NOTIFY + NOTIFY_STEP * v) {
		complain(m, "a doorbell that does not exist");
		return;
	}
	if (!(m->status & STATUS_DRIVER_OK) && m->status != 0)
		complain(m, "a doorbell before DRIVER_OK");
	m->queue[v].doorbells++;
}

static void model_bar_write(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	struct virtio_model *m = ctx;

	if (m->dead)
		return;
	if (at >= AT_NOTIFY)
		notify(m, at, bytes, v);
	else if (at >= AT_CONFIG)
		complain(m, "a write to the device configuration");
	else if (!width_ok(at, bytes))
		complain(m, "a register written with the wrong width");
	else
		common_write(m, at, v);
}

/* ---------------------------------------------------------------- building */

static void add_capability(
	struct virtio_model *m, unsigned at, uint8_t type, uint32_t offset, uint8_t bytes)
{
	uint8_t cap[20] = {PCI_CAP_VENDOR, 0, bytes, type, VIRTIO_MODEL_BAR};

	pci_model_capability(m->pci, at, cap, bytes);
	pci_model_set(m->pci, at + 8, 4, offset);
	pci_model_set(m->pci, at + 12, 4, AREA_BYTES);
	if (bytes == sizeof cap)
		pci_model_set(m->pci, at + 16, 4, NOTIFY_STEP);
}

void virtio_model_set_config(struct virtio_model *m, unsigned at, uint16_t v)
{
	memcpy(m->config + at, &v, sizeof v);
	m->generation++;
}

void virtio_model_init(struct virtio_model *m, struct pci_model *p, unsigned slot, unsigned size,
	uint8_t *memory, size_t memory_bytes)
{
	static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

	memset(m, 0, sizeof *m);
	m->pci = pci_model_add(p, 0, slot, 0, 0x1af4, 0x1041);
	m->memory = memory;
	m->memory_bytes = memory_bytes;
	m->offered = VIRTIO_MODEL_F_MTU | VIRTIO_MODEL_F_MAC | VIRTIO_MODEL_F_STATUS |
		     VIRTIO_MODEL_F_VERSION_1;
	m->queues = 3;
	m->max_size[0] = m->max_size[1] = (uint16_t)size;
	memcpy(m->config, mac, sizeof mac);
	virtio_model_set_config(m, 6, 1);
	virtio_model_set_config(m, 10, 1500);
	m->status = 0x0f; /* as firmware may have left it */
	pci_model_bar(m->pci, VIRTIO_MODEL_BAR, VIRTIO_MODEL_BAR_BYTES, 0, PCI_BAR_TYPE_64);
	pci_model_behind(m->pci, VIRTIO_MODEL_BAR, VIRTIO_MODEL_BAR_BYTES, model_bar_read,
		model_bar_write, m);
	add_capability(m, 0x40, 1, AT_COMMON, 16);
	add_capability(m, 0x50, 2, AT_NOTIFY, 20);
	add_capability(m, 0x64, 4, AT_CONFIG, 16);
}

/* A modern virtio-net PCI device in memory (VIRTIO 1.2 4.1 and 5.1), well-behaved or not. */
#include "test/model/virtio_model.h"

#include <string.h>

#include "drivers/pci_regs.h"
#include "test/model/virtio_model_ring.h"

/* Where its structures lie in the BAR. */
#define AT_COMMON   0x0000u
#define AT_CONFIG   0x1000u
#define AT_NOTIFY   0x2000u
#define AREA_BYTES  0x1000u
#define NOTIFY_STEP 4u

#define STATUS_DRIVER_OK   4u
#define STATUS_FEATURES_OK 8u

/* ---------------------------------------------------------------- registers */

static void reset(struct virtio_model *m)
{
	m->resets++;
	m->status = 0;
	m->accepted = 0;
	m->config_vector = 0xffff;
	m->pairs = 1;
	m->rss.entries = 0;
	memset(m->vlan, 0, sizeof m->vlan);
	for (unsigned i = 0; i < VIRTIO_MODEL_QUEUES; i++) {
		memset(&m->queue[i], 0, sizeof m->queue[i]);
		m->queue[i].size = m->max_size[i];
	}
}

/* The driver says DRIVER_OK. */
static void start(struct virtio_model *m)
{
	m->starts++;
	if (!(m->status & STATUS_FEATURES_OK))
		virtio_model_complain(m, "started before the features were agreed");
	if (m->config_vector != 0xffff)
		virtio_model_complain(m, "a config interrupt is asked for");
	if (!m->queue[VIRTIO_MODEL_RX].enable || !m->queue[VIRTIO_MODEL_TX].enable)
		virtio_model_complain(m, "a queue is not enabled");
	for (unsigned i = 0; i < VIRTIO_MODEL_QUEUES; i++) {
		if (!m->queue[i].enable)
			continue;
		if (m->queue[i].vector != 0xffff)
			virtio_model_complain(m, "a queue has an interrupt");
		if (m->no_notify)
			virtio_model_notify(m, i, false);
	}
}

static void write_status(struct virtio_model *m, uint8_t v)
{
	if (v == 0) {
		if (!m->reset_hangs || m->resets < m->resets_good)
			reset(m);
		return;
	}
	if (m->status & ~v)
		virtio_model_complain(m, "a status bit taken back");
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
		m->queue_select < VIRTIO_MODEL_QUEUES ? &m->queue[m->queue_select] : NULL;

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
		virtio_model_complain(m, "a queue is changed after it was enabled");
	switch (at) {
	case 0x18:
		if (v & (v - 1) && !(m->accepted & VIRTIO_MODEL_F_RING_PACKED))
			virtio_model_complain(m, "a split ring of no power of two");
		if (v > q->size || v == 0)
			virtio_model_complain(m, "a queue size the device does not have");
		else if (!m->size_sticks)
			q->size = (uint16_t)v;
		break;
	case 0x1a:
		q->vector = (uint16_t)v;
		break;
	case 0x1c:
		q->enable = (uint16_t)v;
		if (q->desc % 16 || q->driver % 4 || q->device % 4)
			virtio_model_complain(m, "a ring is not aligned");
		break;
	case 0x20:
	case 0x24:
		set_half(&q->desc, at & 4, (uint32_t)v);
		break;
	case 0x28:
	case 0x2c:
		set_half(&q->driver, at & 4, (uint32_t)v);
		break;
	case 0x30:
	case 0x34:
		set_half(&q->device, at & 4, (uint32_t)v);
		break;
	default:
		virtio_model_complain(m, "a write to a register that cannot be written");
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
			virtio_model_complain(m, "features changed after FEATURES_OK");
		if (m->accept_select < 2)
			set_half(&m->accepted, m->accept_select, (uint32_t)v);
		if (m->accepted & ~m->offered)
			virtio_model_complain(m, "a feature accepted that was not offered");
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
		if (m->queue_select < m->queues)
			queue_write(m, &m->queue[m->queue_select], at, v);
	}
}

/* Each field of struct virtio_net_config (5.1.4) is read with its own width; the MAC is six. */
static unsigned config_width(uint64_t at)
{
	if (at < 6 || at == 16 || at == 17)
		return 1;
	return at == 12 || at == 20 ? 4 : 2;
}

static uint64_t config_read(struct virtio_model *m, uint64_t at, unsigned bytes)
{
	uint64_t v = 0;

	if (bytes != config_width(at))
		virtio_model_complain(m, "a config field read with the wrong width");
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
		virtio_model_complain(m, "a register read with the wrong width");
	return common_read(m, at);
}

/* A device that wants no doorbells looks at its control queue all the time, a slow one once. */
static void control_later(void *ctx)
{
	struct virtio_model *m = ctx;

	if (m->control_slow ? --m->control_slow == 0 : m->no_notify)
		virtio_model_control(m);
}

static void doorbell(struct virtio_model *m, uint64_t at, unsigned bytes, uint64_t v)
{
	if (bytes != 2 || v >= m->queues || at != AT_NOTIFY + NOTIFY_STEP * v ||
		(!m->queue[v].enable && m->status != 0)) {
		virtio_model_complain(m, "a doorbell that does not exist");
		return;
	}
	if (!(m->status & STATUS_DRIVER_OK) && m->status != 0)
		virtio_model_complain(m, "a doorbell before DRIVER_OK");
	m->queue[v].doorbells++;
	if (v == virtio_model_control_queue(m) && !m->control_slow)
		virtio_model_control(m);
}

static void model_bar_write(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	struct virtio_model *m = ctx;

	if (m->dead)
		return;
	if (at >= AT_NOTIFY)
		doorbell(m, at, bytes, v);
	else if (at >= AT_CONFIG)
		virtio_model_complain(m, "a write to the device configuration");
	else if (!width_ok(at, bytes))
		virtio_model_complain(m, "a register written with the wrong width");
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
	m->refusal = 1;
	model_io.tick = control_later;
	model_io.tick_ctx = m;
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

void virtio_model_multiqueue(struct virtio_model *m, unsigned pairs)
{
	m->offered |= VIRTIO_MODEL_F_CTRL_VQ | VIRTIO_MODEL_F_MQ;
	m->queues = (uint16_t)(2 * pairs + 1);
	for (unsigned i = 2; i < 2 * pairs; i++)
		m->max_size[i] = m->max_size[i % 2];
	m->max_size[2 * pairs] = 64;
	virtio_model_set_config(m, 8, (uint16_t)pairs);
}

void virtio_model_offer_vlan(struct virtio_model *m)
{
	m->offered |= VIRTIO_MODEL_F_CTRL_VQ | VIRTIO_MODEL_F_CTRL_VLAN;
	if (m->max_size[m->queues - 1] == 0)
		m->max_size[m->queues - 1] = 64;
}

void virtio_model_offer_rss(struct virtio_model *m)
{
	m->offered |= VIRTIO_MODEL_F_RSS;
	m->config[17] = 40;
	virtio_model_set_config(m, 18, 128);
	virtio_model_set_config(m, 20, 0x1ff);
}

/* Modern virtio PCI transport: capabilities, reset, features, queues, configuration. */
#include "drivers/virtio/virtio_pci.h"

#include "drivers/pci_regs.h"

/* Capability layout (4.1.4). */
#define CAP_BYTES         2u /* its own length */
#define CAP_TYPE          3u
#define CAP_BAR           4u
#define CAP_OFFSET        8u
#define CAP_LENGTH        12u
#define CAP_MIN           16u /* bytes of it, without what a type adds */
#define CAP_NOTIFY_FACTOR 16u
#define CAP_NOTIFY_MIN    20u
#define CAP_CONFIG_SPACE  256u /* capabilities live in the first 256 bytes */

#define CAP_TYPE_COMMON 1u
#define CAP_TYPE_NOTIFY 2u
#define CAP_TYPE_DEVICE 4u

/* Common configuration (4.1.4.3). */
#define COMMON_OFFER_SELECT  0x00u
#define COMMON_OFFER         0x04u
#define COMMON_ACCEPT_SELECT 0x08u
#define COMMON_ACCEPT        0x0cu
#define COMMON_MSIX          0x10u
#define COMMON_QUEUES        0x12u
#define COMMON_STATUS        0x14u
#define COMMON_GENERATION    0x15u
#define COMMON_QUEUE_SELECT  0x16u
#define COMMON_QUEUE_SIZE    0x18u
#define COMMON_QUEUE_MSIX    0x1au
#define COMMON_QUEUE_ENABLE  0x1cu
#define COMMON_QUEUE_NOTIFY  0x1eu
#define COMMON_QUEUE_DESC    0x20u
#define COMMON_QUEUE_AVAIL   0x28u
#define COMMON_QUEUE_USED    0x30u
#define COMMON_BYTES         0x38u

#define MSIX_NO_VECTOR 0xffffu

#define GENERATION_TRIES 16u

/* ---------------------------------------------------------------- structures */

/* A piece of a BAR that a capability names. */
struct area {
	uint8_t at; /* of the capability; 0: none found */
	uint64_t address;
	uint32_t bytes;
};

/*
 * Reads the capability at `at`: the area it names, if it lies wholly in a
 * memory BAR that has an address and holds at least min_bytes; a bad one is
 * passed over, there may be another (4.1.4.1).
 */
static void read_area(const struct virtio_pci *v, uint8_t at, uint32_t min_bytes, struct area *area)
{
	uint8_t index = pci_read8(v->pci, v->function, at + CAP_BAR);
	uint32_t offset = pci_read32(v->pci, v->function, at + CAP_OFFSET);
	uint32_t bytes = pci_read32(v->pci, v->function, at + CAP_LENGTH);
	const struct pci_bar *bar;

	if (index >= PCI_BARS)
		return;
	bar = &v->function->bar[index];
	if (bar->io || !bar->address || bytes < min_bytes || offset % 4 != 0 ||
		(uint64_t)offset + bytes > bar->bytes)
		return;
	*area = (struct area){at, bar->address + offset, bytes};
}

/* What a modern device describes in capabilities. */
struct areas {
	struct area common, notify, config;
	bool any; /* there is at least one capability of its kind, good or bad */
};

/* Walks the capabilities and keeps the first good one of each type. */
static void find_areas(const struct virtio_pci *v, struct areas *a)
{
	struct pci_walk walk = {0};

	while (pci_walk_capabilities(v->pci, v->function, &walk)) {
		uint8_t bytes, type;

		if (walk.id != PCI_CAP_VENDOR || walk.at + CAP_MIN > CAP_CONFIG_SPACE)
			continue;
		bytes = pci_read8(v->pci, v->function, walk.at + CAP_BYTES);
		type = pci_read8(v->pci, v->function, walk.at + CAP_TYPE);
		a->any = true;
		if (bytes < CAP_MIN || walk.at + bytes > CAP_CONFIG_SPACE)
			continue;
		if (type == CAP_TYPE_COMMON && !a->common.at)
			read_area(v, walk.at, COMMON_BYTES, &a->common);
		else if (type == CAP_TYPE_NOTIFY && !a->notify.at && bytes >= CAP_NOTIFY_MIN)
			read_area(v, walk.at, 2, &a->notify);
		else if (type == CAP_TYPE_DEVICE && !a->config.at)
			read_area(v, walk.at, 1, &a->config);
	}
}

const char *virtio_pci_open(struct virtio_pci *v, const struct pci *pci,
	const struct pci_function *f, const struct io_env *env)
{
	struct areas a = {0};

	*v = (struct virtio_pci){.pci = pci, .function = f, .env = env};
	find_areas(v, &a);
	if (!a.any)
		return "a legacy device without the modern interface";
	if (!a.common.at || !a.notify.at || !a.config.at)
		return "its capabilities are incomplete or point outside its BARs";
	v->common = env->map(env->ctx, a.common.address, a.common.bytes);
	v->notify = env->map(env->ctx, a.notify.address, a.notify.bytes);
	v->config = env->map(env->ctx, a.config.address, a.config.bytes);
	if (!v->common || !v->notify || !v->config)
		return "its BARs cannot be mapped";
	v->notify_bytes = a.notify.bytes;
	v->notify_multiplier = pci_read32(pci, f, a.notify.at + CAP_NOTIFY_FACTOR);
	v->config_bytes = a.config.bytes;
	pci_enable(pci, f);
	return NULL;
}

/* ---------------------------------------------------------------- status and features */

uint8_t virtio_pci_status(const struct virtio_pci *v)
{
	return mmio_read8(v->common + COMMON_STATUS);
}

void virtio_pci_add_status(const struct virtio_pci *v, unsigned bits)
{
	mmio_write8(v->common + COMMON_STATUS, (uint8_t)(virtio_pci_status(v) | bits));
}

void virtio_pci_reset_start(const struct virtio_pci *v)
{
	mmio_write8(v->common + COMMON_STATUS, 0);
}

bool virtio_pci_reset_done(const struct virtio_pci *v)
{
	return virtio_pci_status(v) == 0; /* 4.1.4.3.2: wait until it reads 0 */
}

bool virtio_pci_reset(const struct virtio_pci *v)
{
	uint64_t start = v->env->now_us(v->env->ctx);

	virtio_pci_reset_start(v);
	while (!virtio_pci_reset_done(v))
		if (v->env->now_us(v->env->ctx) - start > VIRTIO_RESET_US)
			return false;
	return true;
}

static uint64_t features_offered(const struct virtio_pci *v)
{
	uint64_t low, high;

	mmio_write32(v->common + COMMON_OFFER_SELECT, 0);
	low = mmio_read32(v->common + COMMON_OFFER);
	mmio_write32(v->common + COMMON_OFFER_SELECT, 1);
	high = mmio_read32(v->common + COMMON_OFFER);
	return high << 32 | low;
}

static void features_accept(const struct virtio_pci *v, uint64_t features)
{
	mmio_write32(v->common + COMMON_ACCEPT_SELECT, 0);
	mmio_write32(v->common + COMMON_ACCEPT, (uint32_t)features);
	mmio_write32(v->common + COMMON_ACCEPT_SELECT, 1);
	mmio_write32(v->common + COMMON_ACCEPT, (uint32_t)(features >> 32));
}

const char *virtio_pci_negotiate(
	const struct virtio_pci *v, uint64_t required, uint64_t wanted, uint64_t *agreed)
{
	uint64_t offered;

	/* The order of 3.1.1. */
	virtio_pci_add_status(v, VIRTIO_STATUS_ACKNOWLEDGE);
	virtio_pci_add_status(v, VIRTIO_STATUS_DRIVER);
	offered = features_offered(v);
	if ((offered & required) != required)
		return "it lacks a feature that is needed (VERSION_1)";
	*agreed = offered & (required | wanted);
	features_accept(v, *agreed);
	virtio_pci_add_status(v, VIRTIO_STATUS_FEATURES_OK);
	if (!(virtio_pci_status(v) & VIRTIO_STATUS_FEATURES_OK))
		return "it refuses the features agreed on";
	mmio_write16(v->common + COMMON_MSIX, MSIX_NO_VECTOR);
	return NULL;
}

void virtio_pci_refuse(const struct virtio_pci *v)
{
	if (v->common)
		virtio_pci_add_status(v, VIRTIO_STATUS_FAILED);
	pci_disable(v->pci, v->function);
}

/* ---------------------------------------------------------------- queues */

unsigned virtio_pci_queue_size(const struct virtio_pci *v, unsigned number)
{
	if (number >= mmio_read16(v->common + COMMON_QUEUES))
		return 0;
	mmio_write16(v->common + COMMON_QUEUE_SELECT, (uint16_t)number);
	return mmio_read16(v->common + COMMON_QUEUE_SIZE);
}

/* 64-bit registers are written as two halves (4.1.3.1). */
static void write_address(const struct virtio_pci *v, unsigned at, const void *p)
{
	uint64_t address = (uintptr_t)p;

	mmio_write32(v->common + at, (uint32_t)address);
	mmio_write32(v->common + at + 4, (uint32_t)(address >> 32));
}

const char *virtio_pci_queue_enable(const struct virtio_pci *v, struct virtq *vq)
{
	volatile uint8_t *common = v->common;
	uint64_t doorbell;

	mmio_write16(common + COMMON_QUEUE_SELECT, vq->number);
	doorbell = (uint64_t)mmio_read16(common + COMMON_QUEUE_NOTIFY) * v->notify_multiplier;
	if (doorbell % 2 != 0 || doorbell + 2 > v->notify_bytes) /* 4.1.4.4.1 */
		return "the doorbell of a queue lies outside its BAR";
	vq->doorbell = v->notify + doorbell;
	mmio_write16(common + COMMON_QUEUE_SIZE, vq->size);
	if (mmio_read16(common + COMMON_QUEUE_SIZE) != vq->size)
		return "it refuses the size of a queue";
	mmio_write16(common + COMMON_QUEUE_MSIX, MSIX_NO_VECTOR);
	write_address(v, COMMON_QUEUE_DESC, vq->desc);
	write_address(v, COMMON_QUEUE_AVAIL, vq->avail);
	write_address(v, COMMON_QUEUE_USED, vq->used);
	mmio_write16(common + COMMON_QUEUE_ENABLE, 1);
	return NULL;
}

/* ---------------------------------------------------------------- configuration */

bool virtio_pci_read_bytes(const struct virtio_pci *v, unsigned at, uint8_t *out, unsigned n)
{
	if (at > v->config_bytes || n > v->config_bytes - at)
		return false;
	for (unsigned tries = 0; tries < GENERATION_TRIES; tries++) {
		uint8_t before = mmio_read8(v->common + COMMON_GENERATION);

		for (unsigned i = 0; i < n; i++)
			out[i] = mmio_read8(v->config + at + i);
		if (mmio_read8(v->common + COMMON_GENERATION) == before)
			return true;
	}
	return false;
}

uint16_t virtio_pci_read16(const struct virtio_pci *v, unsigned at)
{
	return at + 2 <= v->config_bytes ? mmio_read16(v->config + at) : 0;
}

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
#define COMMON_QUEUE_DRIVER  0x28u
#define COMMON_QUEUE_DEVICE  0x30u
#define COMMON_BYTES         0x38u

#define MSIX_NO_VECTOR 0xffffu

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

static struct virtio_pci *pci_of(struct virtio_transport *t)
{
	return (struct virtio_pci *)t;
}

/* ---------------------------------------------------------------- status and features */

static uint8_t pci_status(struct virtio_transport *t)
{
	return mmio_read8(pci_of(t)->common + COMMON_STATUS);
}

static void pci_add_status(struct virtio_transport *t, unsigned bits)
{
	struct virtio_pci *v = pci_of(t);

	if (v->common)
		mmio_write8(v->common + COMMON_STATUS, (uint8_t)(pci_status(t) | bits));
}

static void pci_reset_start(struct virtio_transport *t)
{
	mmio_write8(pci_of(t)->common + COMMON_STATUS, 0);
}

static bool pci_reset_done(struct virtio_transport *t)
{
	return pci_status(t) == 0; /* 4.1.4.3.2: wait until it reads 0 */
}

static uint64_t pci_features_offered(struct virtio_transport *t)
{
	struct virtio_pci *v = pci_of(t);
	uint64_t low, high;

	mmio_write32(v->common + COMMON_OFFER_SELECT, 0);
	low = mmio_read32(v->common + COMMON_OFFER);
	mmio_write32(v->common + COMMON_OFFER_SELECT, 1);
	high = mmio_read32(v->common + COMMON_OFFER);
	return high << 32 | low;
}

static void pci_features_accept(struct virtio_transport *t, uint64_t features)
{
	struct virtio_pci *v = pci_of(t);

	mmio_write32(v->common + COMMON_ACCEPT_SELECT, 0);
	mmio_write32(v->common + COMMON_ACCEPT, (uint32_t)features);
	mmio_write32(v->common + COMMON_ACCEPT_SELECT, 1);
	mmio_write32(v->common + COMMON_ACCEPT, (uint32_t)(features >> 32));
	mmio_write16(v->common + COMMON_MSIX, MSIX_NO_VECTOR);
}

static void pci_cut_off(struct virtio_transport *t)
{
	struct virtio_pci *v = pci_of(t);

	pci_disable(v->pci, v->function);
}

/* Nothing is known of a device that is gone: whatever stands there next is another one. */
static const char *pci_trouble(struct virtio_transport *t, bool *lost)
{
	uint8_t status = pci_status(t);

	*lost = false;
	if (status == VIRTIO_STATUS_GONE)
		return "it does not answer any more";
	if (status & VIRTIO_STATUS_NEEDS_RESET)
		return "it asks for a reset";
	return status & VIRTIO_STATUS_DRIVER_OK ? NULL : "it has reset itself";
}

/* ---------------------------------------------------------------- queues */

static unsigned pci_queue_size(struct virtio_transport *t, unsigned number)
{
	struct virtio_pci *v = pci_of(t);

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

static void pci_ring(const struct virtq_doorbell *bell, uint16_t number)
{
	mmio_write16(bell->address, number);
}

static const char *pci_queue_enable(struct virtio_transport *t, struct virtq *vq)
{
	struct virtio_pci *v = pci_of(t);
	volatile uint8_t *common = v->common;
	uint64_t doorbell;

	mmio_write16(common + COMMON_QUEUE_SELECT, vq->number);
	doorbell = (uint64_t)mmio_read16(common + COMMON_QUEUE_NOTIFY) * v->notify_multiplier;
	if (doorbell % 2 != 0 || doorbell + 2 > v->notify_bytes) /* 4.1.4.4.1 */
		return "the doorbell of a queue lies outside its BAR";
	*vq->doorbell = (struct virtq_doorbell){.ring = pci_ring, .address = v->notify + doorbell};
	mmio_write16(common + COMMON_QUEUE_SIZE, vq->size);
	if (mmio_read16(common + COMMON_QUEUE_SIZE) != vq->size)
		return "it refuses the size of a queue";
	mmio_write16(common + COMMON_QUEUE_MSIX, MSIX_NO_VECTOR);
	write_address(v, COMMON_QUEUE_DESC, vq->descriptor_area);
	write_address(v, COMMON_QUEUE_DRIVER, vq->driver_area);
	write_address(v, COMMON_QUEUE_DEVICE, vq->device_area);
	mmio_write16(common + COMMON_QUEUE_ENABLE, 1);
	return NULL;
}

/* ---------------------------------------------------------------- configuration */

static uint8_t pci_config_generation(struct virtio_transport *t)
{
	return mmio_read8(pci_of(t)->common + COMMON_GENERATION);
}

static uint32_t pci_config_read(struct virtio_transport *t, unsigned at, unsigned bytes)
{
	const volatile uint8_t *field = pci_of(t)->config + at;

	return bytes == 1   ? mmio_read8(field)
	       : bytes == 2 ? mmio_read16(field)
			    : mmio_read32(field);
}

/* ---------------------------------------------------------------- opening */

static const struct virtio_transport_ops pci_ops = {
	.reset_start = pci_reset_start,
	.reset_done = pci_reset_done,
	.status = pci_status,
	.add_status = pci_add_status,
	.features_offered = pci_features_offered,
	.features_accept = pci_features_accept,
	.queue_size = pci_queue_size,
	.queue_enable = pci_queue_enable,
	.config_generation = pci_config_generation,
	.config_read = pci_config_read,
	.cut_off = pci_cut_off,
	.trouble = pci_trouble,
};

/* A locally administered address. */
static void make_up_mac(uint8_t mac[6], const struct pci *pci, const struct pci_function *f)
{
	mac[0] = 0x02;
	mac[1] = 0x62; /* "bw" */
	mac[2] = 0x77;
	mac[3] = (uint8_t)pci->host.segment;
	mac[4] = f->bus;
	mac[5] = (uint8_t)(f->device << 3 | f->function);
}

const char *virtio_pci_open(struct virtio_pci *v, const struct pci *pci,
	const struct pci_function *f, const struct io_env *env)
{
	struct areas a = {0};

	*v = (struct virtio_pci){.pci = pci, .function = f};
	v->transport.ops = &pci_ops;
	v->transport.env = env;
	v->transport.location = f->location;
	make_up_mac(v->transport.mac, pci, f);
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
	v->transport.config_bytes = a.config.bytes;
	pci_enable(pci, f);
	return NULL;
}

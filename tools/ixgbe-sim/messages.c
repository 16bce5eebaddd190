/* The handlers of messages. Nothing in them is believed before it has been looked at. */
#include "tools/ixgbe-sim/messages.h"

#include <errno.h>
#include <linux/vfio.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Of a client that says nothing else: the specification's own default is one file. */
#define CAPABILITIES                                                                               \
	"{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":65536,\"pgsizes\":4096,"      \
	"\"max_dma_maps\":64}}"

_Static_assert(SERVER_DATA_MAX == 65536 && MEMORY_MAPS == 64, "as the capabilities say");

static int version(struct server *s, uint32_t *bytes)
{
	struct vfio_user_version *v = &s->msg.payload.version;
	char *json = (char *)(v + 1);

	if (s->agreed || v->major != 0 || (*bytes > sizeof *v && json[*bytes - sizeof *v - 1]))
		return -1;
	s->agreed = true;
	v->minor = 0;
	memcpy(json, CAPABILITIES, sizeof CAPABILITIES);
	*bytes = sizeof *v + sizeof CAPABILITIES;
	return 0;
}

static int dma_map(struct server *s, uint32_t *bytes)
{
	if (s->fds > 1)
		return EINVAL;
	*bytes = 0;
	return memory_add(&s->memory, &s->msg.payload.map, s->fds ? s->file[0] : -1);
}

static int dma_unmap(struct server *s, uint32_t *bytes)
{
	*bytes = sizeof s->msg.payload.unmap;
	return memory_remove(&s->memory, &s->msg.payload.unmap);
}

static int device_info(struct server *s, uint32_t *bytes)
{
	s->msg.payload.device = (struct vfio_user_device_info){
		.argsz = sizeof s->msg.payload.device,
		.flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
		.regions = VFIO_PCI_NUM_REGIONS,
		.irqs = VFIO_PCI_NUM_IRQS,
	};
	*bytes = sizeof s->msg.payload.device;
	return 0;
}

static int region_info(struct server *s, uint32_t *bytes)
{
	struct vfio_user_region_info *r = &s->msg.payload.region;

	if (r->index >= VFIO_PCI_NUM_REGIONS)
		return EINVAL;
	r->argsz = sizeof *r;
	r->capabilities = 0;
	r->bytes = s->device.region_bytes(s->device.ctx, r->index);
	r->offset = 0;
	r->flags = r->bytes ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0;
	*bytes = sizeof *r;
	return 0;
}

static int irq_info(struct server *s, uint32_t *bytes)
{
	struct vfio_user_irq_info *q = &s->msg.payload.irq;

	if (q->index >= VFIO_PCI_NUM_IRQS)
		return EINVAL;
	q->argsz = sizeof *q;
	q->count = q->index == VFIO_PCI_MSIX_IRQ_INDEX ? CONFIG_VECTORS : 0;
	q->flags = q->count ? VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE : 0;
	*bytes = sizeof *q;
	return 0;
}

static int set_irqs(struct server *s, uint32_t *bytes)
{
	const struct vfio_user_irq_set *w = &s->msg.payload.irqs;
	uint32_t data = *bytes - (uint32_t)sizeof *w;

	*bytes = 0;
	return irqs_set(&s->irqs, w, s->msg.payload.raw + sizeof *w, data, s->file, s->fds);
}

static bool within(struct server *s, const struct vfio_user_access *a)
{
	uint64_t size = a->region < VFIO_PCI_NUM_REGIONS
				? s->device.region_bytes(s->device.ctx, a->region)
				: 0;

	return a->bytes && a->bytes <= SERVER_DATA_MAX && a->bytes <= size &&
	       a->offset <= size - a->bytes;
}

static int region_read(struct server *s, uint32_t *bytes)
{
	const struct vfio_user_access *a = &s->msg.payload.access;

	if (!within(s, a) || !s->device.read(s->device.ctx, a->region, a->offset,
				     s->msg.payload.raw + sizeof *a, a->bytes))
		return EINVAL;
	s->reads++;
	*bytes = (uint32_t)sizeof *a + a->bytes;
	return 0;
}

static int region_write(struct server *s, uint32_t *bytes)
{
	const struct vfio_user_access *a = &s->msg.payload.access;

	if (*bytes - sizeof *a != a->bytes || !within(s, a) ||
		!s->device.write(s->device.ctx, a->region, a->offset,
			s->msg.payload.raw + sizeof *a, a->bytes))
		return EINVAL;
	s->writes++;
	*bytes = sizeof *a;
	return 0;
}

static int reset(struct server *s, uint32_t *bytes)
{
	s->device.reset(s->device.ctx);
	return 0;
}

static const struct {
	int (*handle)(struct server *s, uint32_t *bytes);
	uint32_t least; /* bytes of payload */
	bool files;
} HANDLERS[] = {
	[VFIO_USER_VERSION] = {version, sizeof(struct vfio_user_version), false},
	[VFIO_USER_DMA_MAP] = {dma_map, sizeof(struct vfio_user_map), true},
	[VFIO_USER_DMA_UNMAP] = {dma_unmap, sizeof(struct vfio_user_unmap), false},
	[VFIO_USER_DEVICE_GET_INFO] = {device_info, sizeof(struct vfio_user_device_info), false},
	[VFIO_USER_DEVICE_GET_REGION_INFO] = {region_info, sizeof(struct vfio_user_region_info),
		false},
	[VFIO_USER_DEVICE_GET_IRQ_INFO] = {irq_info, sizeof(struct vfio_user_irq_info), false},
	[VFIO_USER_DEVICE_SET_IRQS] = {set_irqs, sizeof(struct vfio_user_irq_set), true},
	[VFIO_USER_REGION_READ] = {region_read, sizeof(struct vfio_user_access), false},
	[VFIO_USER_REGION_WRITE] = {region_write, sizeof(struct vfio_user_access), false},
	[VFIO_USER_DEVICE_RESET] = {reset, 0, false},
};

int messages_handle(struct server *s, uint32_t *bytes)
{
	unsigned command = s->msg.header.command;

	if (!s->agreed && command != VFIO_USER_VERSION)
		return -1;
	if (command >= sizeof HANDLERS / sizeof *HANDLERS || !HANDLERS[command].handle)
		return ENOTSUP;
	if (*bytes < HANDLERS[command].least || (s->fds && !HANDLERS[command].files))
		return EINVAL;
	return HANDLERS[command].handle(s, bytes);
}

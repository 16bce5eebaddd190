/* The two conversations of a vhost-user front end with its back end. */
#include "kernel/hosted/vhost_peer.h"

#include "drivers/virtio/virtio_transport.h"

#define PROTOCOL_WANTED (VHOST_PROTOCOL_F_MQ | VHOST_PROTOCOL_F_REPLY_ACK | VHOST_PROTOCOL_F_CONFIG)

static bool tell_number(struct vhost_peer *p, enum vhost_request request, uint64_t number)
{
	return vhost_link_tell(&p->link, request, &number, sizeof number, -1);
}

static bool ask_number(struct vhost_peer *p, enum vhost_request request, uint64_t *number)
{
	return vhost_link_ask(&p->link, request, NULL, 0, number, sizeof *number);
}

/* ---------------------------------------------------------------- greeting */

static bool read_config(struct vhost_peer *p)
{
	struct vhost_config c = {.bytes = VHOST_CONFIG_BYTES};

	if (!vhost_link_ask(&p->link, VHOST_GET_CONFIG, &c, sizeof c, &c, sizeof c))
		return false;
	for (unsigned i = 0; i < VHOST_CONFIG_BYTES; i++)
		p->config[i] = c.data[i];
	p->has_config = c.bytes == VHOST_CONFIG_BYTES;
	return true;
}

static bool agree_on_protocol(struct vhost_peer *p)
{
	uint64_t offered = 0;

	if (!ask_number(p, VHOST_GET_PROTOCOL_FEATURES, &offered))
		return false;
	p->protocol = offered & PROTOCOL_WANTED;
	if (!tell_number(p, VHOST_SET_PROTOCOL_FEATURES, p->protocol))
		return false;
	p->link.acknowledges = p->protocol & VHOST_PROTOCOL_F_REPLY_ACK;
	if ((p->protocol & VHOST_PROTOCOL_F_MQ) && !ask_number(p, VHOST_GET_QUEUE_NUM, &p->pairs))
		return false;
	return !(p->protocol & VHOST_PROTOCOL_F_CONFIG) || read_config(p);
}

bool vhost_peer_greet(struct vhost_peer *p)
{
	p->protocol = 0;
	p->pairs = 1;
	p->has_config = false;
	if (!ask_number(p, VHOST_GET_FEATURES, &p->features))
		return false;
	if ((p->features & VHOST_F_PROTOCOL_FEATURES) && !agree_on_protocol(p))
		return false;
	return vhost_link_tell(&p->link, VHOST_SET_OWNER, NULL, 0, -1);
}

/* ---------------------------------------------------------------- handing over */

static bool tell_state(
	struct vhost_peer *p, enum vhost_request request, unsigned index, uint32_t value)
{
	struct vhost_vring_state s = {index, value};

	return vhost_link_tell(&p->link, request, &s, sizeof s, -1);
}

static bool tell_memory(struct vhost_peer *p, const struct hosted_memory *memory)
{
	struct vhost_memory_table table = {
		.regions = 1,
		.region.guest = (uintptr_t)memory->base, /* what our descriptors hold */
		.region.size = memory->bytes,
		.region.user = (uintptr_t)memory->base,
	};

	return vhost_link_tell(&p->link, VHOST_SET_MEM_TABLE, &table, sizeof table, memory->fd);
}

/* The call comes first: some back ends make the queue when they see it. */
static bool tell_queue(struct vhost_peer *p, const struct vhost_queue *q, uint32_t base)
{
	const struct virtq *vq = q->vq;
	uint64_t index = vq->number;
	struct vhost_vring_addr address = {
		.index = vq->number,
		.descriptors = (uintptr_t)vq->descriptor_area,
		.used = (uintptr_t)vq->device_area,
		.available = (uintptr_t)vq->driver_area,
	};

	return vhost_link_tell(&p->link, VHOST_SET_VRING_CALL, &index, sizeof index, q->call) &&
	       tell_state(p, VHOST_SET_VRING_NUM, vq->number, vq->size) &&
	       tell_state(p, VHOST_SET_VRING_BASE, vq->number, base) &&
	       vhost_link_tell(&p->link, VHOST_SET_VRING_ADDR, &address, sizeof address, -1) &&
	       vhost_link_tell(
		       &p->link, VHOST_SET_VRING_KICK, &index, sizeof index, vq->doorbell->fd);
}

bool vhost_peer_hand_over(struct vhost_peer *p, uint64_t features,
	const struct hosted_memory *memory, const struct vhost_queue *queue, unsigned n)
{
	bool packed = features & VIRTIO_F_RING_PACKED;
	uint64_t now = 0;

	features |= p->features & VHOST_F_PROTOCOL_FEATURES;
	if (!tell_number(p, VHOST_SET_FEATURES, features) || !tell_memory(p, memory))
		return false;
	for (unsigned i = 0; i < n; i++)
		if (!tell_queue(p, &queue[i], packed ? VHOST_BASE_PACKED : VHOST_BASE_SPLIT))
			return false;
	/* Without these features queues are enabled as they are. */
	for (unsigned i = 0; i < n && (p->features & VHOST_F_PROTOCOL_FEATURES); i++)
		if (!tell_state(p, VHOST_SET_VRING_ENABLE, queue[i].vq->number, 1))
			return false;
	/* One answer that shows that it has come so far, whether or not it acknowledges. */
	return ask_number(p, VHOST_GET_FEATURES, &now);
}

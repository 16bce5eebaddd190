/* What the messages of a front end do. */
#include "tools/pktgen/vhost.h"

#include <string.h>
#include <unistd.h>

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- queues ---- */

void vhost_open(struct vhost *v, int fd, unsigned pairs, uint64_t offered)
{
	memset(v, 0, sizeof *v);
	v->fd = fd;
	v->pairs = pairs;
	v->offered = offered;
	for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++) {
		v->queue[i].kick = v->queue[i].error = v->queue[i].ring.call = -1;
		v->queue[i].ring.writable = i % 2 == 0;
	}
}

static void queue_stop(struct vhost_queue *q)
{
	if (q->ring.live)
		q->base = ring_base(&q->ring);
	q->ring.live = false;
	q->started = false;
	close_fd(&q->kick);
}

void vhost_close(struct vhost *v)
{
	for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++) {
		queue_stop(&v->queue[i]);
		close_fd(&v->queue[i].error);
		close_fd(&v->queue[i].ring.call);
	}
	for (unsigned i = 0; i < v->inbox.fds; i++)
		close_fd(&v->inbox.fd[i]);
	v->inbox.fds = 0;
	v->inbox.got = 0;
	memory_clear(&v->memory);
	close_fd(&v->fd);
}

/* Finds a started ring in memory. A ring that was live goes on where it is. */
static const char *queue_place(struct vhost *v, struct vhost_queue *q)
{
	struct ring *r = &q->ring;
	bool was_live = r->live;
	const char *wrong;

	r->live = false;
	r->is_packed = v->features >> VIRTIO_F_RING_PACKED & 1;
	wrong = ring_place(r, &v->memory, q->size, q->address.descriptors, q->address.available,
		q->address.used);
	if (wrong)
		return wrong;
	if (!was_live)
		ring_set_base(r, q->base);
	if (r->is_packed && r->avail_at >= r->size)
		return "a ring that begins behind its end";
	if (!was_live)
		ring_quiet(r);
	r->live = true;
	return NULL;
}

/* A ring runs when it is started, enabled (or enabling was not agreed on), and described. */
static const char *queue_refresh(struct vhost *v, struct vhost_queue *q, bool moved)
{
	bool enabled = q->enabled || !(v->features & VHOST_F_PROTOCOL_FEATURES);
	bool runs = q->started && enabled && q->addressed && q->size && v->memory.count;

	if (!runs) {
		if (q->ring.live)
			q->base = ring_base(&q->ring);
		q->ring.live = false;
		return NULL;
	}
	return q->ring.live && !moved ? NULL : queue_place(v, q);
}

static const char *queues_refresh(struct vhost *v, bool moved)
{
	const char *wrong = NULL;

	for (unsigned i = 0; i < 2 * v->pairs && !wrong; i++)
		wrong = queue_refresh(v, &v->queue[i], moved);
	return wrong;
}

/* ---- memory ---- */

static const char *set_table(
	struct vhost *v, const struct vhost_msg *msg, const int *fd, unsigned fds)
{
	const struct vhost_table *t = &msg->payload.table;
	const char *wrong = NULL;

	if (msg->header.bytes < 8 || t->count > VHOST_TABLE_REGIONS)
		return "a memory table of more regions than the protocol has";
	if (msg->header.bytes < 8 + t->count * sizeof *t->region || fds != t->count)
		return "a memory table that is not as long as it says";
	/* What ran stops until it is found in the new memory. */
	memory_clear(&v->memory);
	for (unsigned i = 0; i < t->count && !wrong; i++)
		wrong = memory_add(&v->memory, &t->region[i], fd[i]);
	return wrong ? wrong : queues_refresh(v, true);
}

static const char *add_region(struct vhost *v, const struct vhost_msg *msg, const int *fd)
{
	const char *wrong = memory_add(&v->memory, &msg->payload.slot.region, fd[0]);

	return wrong ? wrong : queues_refresh(v, true);
}

static const char *remove_region(struct vhost *v, const struct vhost_msg *msg)
{
	const char *wrong = memory_remove(&v->memory, &msg->payload.slot.region);

	return wrong ? wrong : queues_refresh(v, true);
}

/* ---- descriptions of rings ---- */

static struct vhost_queue *queue_of(struct vhost *v, uint64_t index)
{
	return index < 2ull * v->pairs ? &v->queue[index] : NULL;
}

static const char *set_state(struct vhost *v, uint32_t request, const struct vhost_vring_state *s)
{
	struct vhost_queue *q = queue_of(v, s->index);

	if (!q)
		return "a queue that does not exist";
	if (request == VHOST_SET_VRING_ENABLE) {
		q->enabled = s->value != 0;
		return queue_refresh(v, q, false);
	}
	if (q->ring.live)
		return "a change of a ring that is running";
	if (request == VHOST_SET_VRING_NUM) {
		if (s->value == 0 || s->value > RING_SIZE_MAX)
			return "a ring of a size that is not allowed";
		q->size = s->value;
	} else {
		q->base = s->value;
	}
	return NULL;
}

static const char *set_address(struct vhost *v, const struct vhost_vring_addr *a)
{
	struct vhost_queue *q = queue_of(v, a->index);

	if (!q)
		return "a queue that does not exist";
	q->address = *a;
	q->addressed = true;
	/* Also sent for a running ring, to switch on the log that is not agreed on here. */
	return queue_refresh(v, q, true);
}

static const char *get_base(struct vhost *v, struct vhost_msg *msg, uint32_t *reply)
{
	struct vhost_queue *q = queue_of(v, msg->payload.state.index);

	if (!q)
		return "a queue that does not exist";
	queue_stop(q);
	q->addressed = false;
	msg->payload.state.value = q->base;
	*reply = sizeof msg->payload.state;
	return NULL;
}

static const char *set_event(struct vhost *v, const struct vhost_msg *msg, int *fd, unsigned fds)
{
	struct vhost_queue *q = queue_of(v, msg->payload.value & VHOST_VRING_INDEX);
	int *place;

	if (!q)
		return "a queue that does not exist";
	if (fds != !(msg->payload.value & VHOST_VRING_NOFD))
		return "an event without its file descriptor, or with one too many";
	place = msg->header.request == VHOST_SET_VRING_KICK   ? &q->kick
		: msg->header.request == VHOST_SET_VRING_CALL ? &q->ring.call
							      : &q->error;
	close_fd(place);
	if (fds) {
		*place = fd[0];
		fd[0] = -1;
	}
	if (msg->header.request != VHOST_SET_VRING_KICK)
		return NULL;
	q->started = true; /* polled from now on, kicked or not */
	return queue_refresh(v, q, false);
}

/* ---- features ---- */

static const char *set_features(struct vhost *v, uint64_t features)
{
	if (features & ~v->offered)
		return "features that were not offered";
	v->features = features;
	return queues_refresh(v, false);
}

static const char *answer(struct vhost_msg *msg, uint64_t value, uint32_t *reply)
{
	msg->payload.value = value;
	*reply = sizeof msg->payload.value;
	return NULL;
}

static void reset_owner(struct vhost *v)
{
	for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++) {
		queue_stop(&v->queue[i]);
		v->queue[i].enabled = v->queue[i].addressed = false;
	}
}

/* ---- the messages ---- */

/* What each message must look like: bytes of its payload, file descriptors with it. */
static const struct shape {
	uint16_t least, most;
	uint8_t fds_most;
} shapes[] = {
	[VHOST_GET_FEATURES] = {0, 0, 0},
	[VHOST_SET_FEATURES] = {8, 8, 0},
	[VHOST_SET_OWNER] = {0, 0, 0},
	[VHOST_RESET_OWNER] = {0, 0, 0},
	[VHOST_SET_MEM_TABLE] = {8, sizeof(struct vhost_table), VHOST_TABLE_REGIONS},
	[VHOST_SET_VRING_NUM] = {8, 8, 0},
	[VHOST_SET_VRING_ADDR] = {40, 40, 0},
	[VHOST_SET_VRING_BASE] = {8, 8, 0},
	[VHOST_GET_VRING_BASE] = {8, 8, 0},
	[VHOST_SET_VRING_KICK] = {8, 8, 1},
	[VHOST_SET_VRING_CALL] = {8, 8, 1},
	[VHOST_SET_VRING_ERR] = {8, 8, 1},
	[VHOST_GET_PROTOCOL_FEATURES] = {0, 0, 0},
	[VHOST_SET_PROTOCOL_FEATURES] = {8, 8, 0},
	[VHOST_GET_QUEUE_NUM] = {0, 0, 0},
	[VHOST_SET_VRING_ENABLE] = {8, 8, 0},
	[VHOST_GET_MAX_MEM_SLOTS] = {0, 0, 0},
	[VHOST_ADD_MEM_REG] = {40, 40, 1},
	[VHOST_REM_MEM_REG] = {40, 40, 1},
};

static bool known(uint32_t request)
{
	return request < sizeof shapes / sizeof *shapes &&
	       (shapes[request].most || request == VHOST_GET_FEATURES ||
		       request == VHOST_SET_OWNER || request == VHOST_RESET_OWNER ||
		       request == VHOST_GET_PROTOCOL_FEATURES || request == VHOST_GET_QUEUE_NUM ||
		       request == VHOST_GET_MAX_MEM_SLOTS);
}

static const char *dispatch(
	struct vhost *v, struct vhost_msg *msg, int *fd, unsigned fds, uint32_t *reply)
{
	switch (msg->header.request) {
	case VHOST_GET_FEATURES:
		return answer(msg, v->offered, reply);
	case VHOST_SET_FEATURES:
		return set_features(v, msg->payload.value);
	case VHOST_GET_PROTOCOL_FEATURES:
		return answer(msg, VHOST_PROTOCOL_FEATURES, reply);
	case VHOST_SET_PROTOCOL_FEATURES:
		v->protocol = msg->payload.value & VHOST_PROTOCOL_FEATURES;
		return NULL;
	case VHOST_GET_QUEUE_NUM:
		return answer(msg, v->pairs, reply);
	case VHOST_GET_MAX_MEM_SLOTS:
		return answer(msg, MEMORY_REGIONS, reply);
	case VHOST_RESET_OWNER:
		reset_owner(v);
		return NULL;
	case VHOST_SET_MEM_TABLE:
		return set_table(v, msg, fd, fds);
	case VHOST_ADD_MEM_REG:
		return fds == 1 ? add_region(v, msg, fd) : "a memory region without a file";
	case VHOST_REM_MEM_REG:
		return remove_region(v, msg);
	case VHOST_SET_VRING_NUM:
	case VHOST_SET_VRING_BASE:
	case VHOST_SET_VRING_ENABLE:
		return set_state(v, msg->header.request, &msg->payload.state);
	case VHOST_SET_VRING_ADDR:
		return set_address(v, &msg->payload.address);
	case VHOST_GET_VRING_BASE:
		return get_base(v, msg, reply);
	case VHOST_SET_VRING_KICK:
	case VHOST_SET_VRING_CALL:
	case VHOST_SET_VRING_ERR:
		return set_event(v, msg, fd, fds);
	default:
		return NULL;
	}
}

const char *vhost_handle(
	struct vhost *v, struct vhost_msg *msg, int *fd, unsigned fds, uint32_t *reply)
{
	bool wants_ack =
		v->protocol & VHOST_PROTOCOL_F_REPLY_ACK && msg->header.flags & VHOST_NEED_REPLY;
	const char *wrong = NULL;

	*reply = 0;
	if (known(msg->header.request)) {
		const struct shape *s = &shapes[msg->header.request];

		if (msg->header.bytes < s->least || msg->header.bytes > s->most)
			return "a message whose size is wrong";
		if (fds > s->fds_most)
			return "a message with more file descriptors than it may have";
		wrong = dispatch(v, msg, fd, fds, reply);
	}
	/* What is not known is not done, and said so to who asks. */
	if (!wrong && !*reply && wants_ack)
		return answer(msg, !known(msg->header.request), reply);
	return wrong;
}

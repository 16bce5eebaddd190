/* The vhost-user back end of the unit tests: its thread, its checks, its bad manners. */
#include "test/model/vhost_model.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "drivers/pci_regs.h"
#include "kernel/hosted/vhost_protocol.h"
#include "lib/atomic.h"

#define STATUS_DRIVER_OK 4u
#define LOOK_MS          5

struct message {
	struct vhost_header h;
	union {
		uint64_t number;
		struct vhost_vring_state state;
		struct vhost_vring_addr address;
		struct vhost_memory_table memory;
		struct vhost_config config;
	};
	int fd; /* that came with it, or -1 */
};

static void complain(struct vhost_model *m, const char *what)
{
	if (!m->complaint)
		m->complaint = what;
}

static void expect(struct vhost_model *m, bool good, const char *what)
{
	if (!good)
		complain(m, what);
}

/* ---------------------------------------------------------------- messages */

/* Waits until there is something to read; false: the model is to end. */
static bool readable(struct vhost_model *m, int fd)
{
	const struct vhost_header unasked = {VHOST_GET_FEATURES, VHOST_VERSION, 0};
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (!load_acquire(&m->ends)) {
		if (fd == m->fd && load_acquire(&m->chatters)) {
			(void)send(fd, &unasked, sizeof unasked, MSG_NOSIGNAL);
			m->chatters = false;
		}
		if (poll(&p, 1, LOOK_MS) > 0)
			return true;
	}
	return false;
}

/* The whole header in one piece, and what descriptor came with it. */
static bool receive_header(struct vhost_model *m, struct message *msg)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec piece = {&msg->h, sizeof msg->h};
	struct msghdr h = {.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	struct cmsghdr *c;

	msg->fd = -1;
	if (!readable(m, m->fd) || recvmsg(m->fd, &h, MSG_CMSG_CLOEXEC) != sizeof msg->h)
		return false;
	c = CMSG_FIRSTHDR(&h);
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&msg->fd, CMSG_DATA(c), sizeof msg->fd);
	return true;
}

static bool receive(struct vhost_model *m, struct message *msg)
{
	if (!receive_header(m, msg))
		return false;
	expect(m, (msg->h.flags & ~VHOST_NEED_REPLY) == VHOST_VERSION, "flags of a request");
	if (msg->h.bytes > sizeof *msg - offsetof(struct message, number)) {
		complain(m, "a payload that is too long");
		return false;
	}
	return !msg->h.bytes ||
	       recv(m->fd, &msg->number, msg->h.bytes, MSG_WAITALL) == (ssize_t)msg->h.bytes;
}

/* Replies as it should, or as it was told to. false: the connection is over. */
static bool reply(struct vhost_model *m, struct message *msg, size_t n)
{
	bool bad = msg->h.request == m->bad_request;
	size_t header = sizeof msg->h;

	msg->h.flags = VHOST_VERSION | VHOST_REPLY;
	msg->h.bytes = (uint32_t)n;
	switch (bad ? m->bad : VHOST_MODEL_BADS) {
	case VHOST_MODEL_DIES:
		return false;
	case VHOST_MODEL_MUTE:
		return true;
	case VHOST_MODEL_HALF:
		header /= 2;
		n = 0;
		break;
	case VHOST_MODEL_OTHER:
		msg->h.request++;
		break;
	case VHOST_MODEL_SHORT:
		msg->h.bytes = (uint32_t)--n;
		break;
	case VHOST_MODEL_LONG:
		msg->h.bytes = UINT32_MAX;
		break;
	case VHOST_MODEL_NO_REPLY:
		msg->h.flags = VHOST_VERSION;
		break;
	case VHOST_MODEL_NO_VERSION:
		msg->h.flags = VHOST_REPLY;
		break;
	case VHOST_MODEL_REFUSES:
		msg->number = 1;
		break;
	case VHOST_MODEL_EMPTY:
		msg->h.bytes = 0;
		n = 0;
		break;
	case VHOST_MODEL_BADS:
		break;
	}
	return send(m->fd, &msg->h, header, MSG_NOSIGNAL) == (ssize_t)header &&
	       (!n || send(m->fd, &msg->number, n, MSG_NOSIGNAL) == (ssize_t)n) &&
	       header == sizeof msg->h;
}

/* ---------------------------------------------------------------- what is handed over */

static bool in_memory(const struct vhost_model *m, uint64_t at, uint64_t bytes)
{
	return at >= m->memory_first && bytes <= m->memory_bytes &&
	       at - m->memory_first <= m->memory_bytes - bytes;
}

/* Is the file that came the very memory that the front end says it is? */
static void take_memory(struct vhost_model *m, const struct message *msg)
{
	const struct vhost_memory_table *t = &msg->memory;
	void *mapped = MAP_FAILED;
	volatile uint8_t *theirs = (uint8_t *)(uintptr_t)t->region.user;

	expect(m, msg->h.bytes == sizeof *t && t->regions == 1, "a memory table of another size");
	expect(m, t->region.guest == t->region.user, "two names of one memory");
	if (msg->fd >= 0)
		mapped = mmap(NULL, t->region.size, PROT_READ | PROT_WRITE, MAP_SHARED, msg->fd,
			(off_t)t->region.offset);
	if (mapped == MAP_FAILED) {
		complain(m, "no memory came with its table");
		return;
	}
	volatile uint8_t *ours = mapped, before = *theirs;

	*ours = (uint8_t)(before + 1);
	expect(m, *theirs == (uint8_t)(before + 1), "another file than its memory");
	*ours = before;
	munmap(mapped, t->region.size);
	m->memory_first = t->region.user;
	m->memory_bytes = t->region.size;
}

static struct virtio_model_queue *queue_of(struct vhost_model *m, uint64_t index)
{
	static struct virtio_model_queue none;

	if (index < 2 * m->pairs && index < VIRTIO_MODEL_QUEUES)
		return &m->device.queue[index];
	complain(m, "a queue that does not exist");
	return &none;
}

static void take_address(struct vhost_model *m, const struct vhost_vring_addr *a)
{
	struct virtio_model_queue *q = queue_of(m, a->index);

	expect(m, q->size >= 64 && (q->size & (q->size - 1)) == 0, "an address before a size");
	expect(m,
		in_memory(m, a->descriptors, 16ull * q->size) && in_memory(m, a->available, 4) &&
			in_memory(m, a->used, 4),
		"a ring outside the memory");
	expect(m,
		a->descriptors % 16 == 0 && a->available % 2 == 0 && a->used % 4 == 0 && !a->flags,
		"a ring not aligned");
	q->desc = a->descriptors;
	q->driver = a->available;
	q->device = a->used;
}

static void take_event(struct vhost_model *m, struct message *msg, int *event)
{
	queue_of(m, msg->number);
	expect(m, msg->fd >= 0, "an event without a descriptor");
	if (msg->number < VIRTIO_MODEL_QUEUES) {
		if (event[msg->number] >= 0)
			close(event[msg->number]);
		event[msg->number] = msg->fd;
		msg->fd = -1;
	}
}

static void start_queue(struct vhost_model *m, const struct vhost_vring_state *s)
{
	struct virtio_model_queue *q = queue_of(m, s->index);

	expect(m,
		q->desc && s->value == 1 && s->index < VIRTIO_MODEL_QUEUES &&
			m->kick[s->index] >= 0 && m->call[s->index] >= 0,
		"a queue is started that is not whole");
	q->enable = 1;
	m->started++;
	m->device.status = STATUS_DRIVER_OK;
	m->device.queues = (uint16_t)m->started;
	m->device.pairs = m->started / 2;
}

static void take_base(struct vhost_model *m, const struct vhost_vring_state *s)
{
	bool packed = m->device.accepted & VIRTIO_MODEL_F_RING_PACKED;

	expect(m, s->value == (packed ? VHOST_BASE_PACKED : VHOST_BASE_SPLIT), "a ring's base");
	queue_of(m, s->index)->seen = queue_of(m, s->index)->done = 0;
}

/* ---------------------------------------------------------------- requests */

static void take_features(struct vhost_model *m, uint64_t features)
{
	expect(m, !(features & ~(m->device.offered | VHOST_F_PROTOCOL_FEATURES)),
		"features that were not offered");
	m->device.accepted = features;
}

/* Requests with a reply of their own. false: the connection is over. */
static bool answer(struct vhost_model *m, struct message *msg)
{
	switch (msg->h.request) {
	case VHOST_GET_FEATURES:
		msg->number = m->device.offered;
		return reply(m, msg, 8);
	case VHOST_GET_PROTOCOL_FEATURES:
		msg->number = m->protocol;
		return reply(m, msg, 8);
	case VHOST_GET_QUEUE_NUM:
		expect(m, m->protocol_set & VHOST_PROTOCOL_F_MQ, "queues asked for without MQ");
		msg->number = m->pairs;
		return reply(m, msg, 8);
	case VHOST_GET_CONFIG:
		expect(m, m->protocol_set & VHOST_PROTOCOL_F_CONFIG, "a configuration unasked");
		memcpy(msg->config.data, m->mac, 6);
		return reply(m, msg, sizeof msg->config);
	default:
		complain(m, "an unknown request");
		return false;
	}
}

/* Requests that are acknowledged, if that was agreed on. false: it is none. */
static bool obey(struct vhost_model *m, struct message *msg)
{
	switch (msg->h.request) {
	case VHOST_SET_OWNER:
		break;
	case VHOST_SET_FEATURES:
		take_features(m, msg->number);
		break;
	case VHOST_SET_PROTOCOL_FEATURES:
		expect(m, !(msg->number & ~m->protocol), "protocol features not offered");
		m->protocol_set = msg->number;
		break;
	case VHOST_SET_MEM_TABLE:
		take_memory(m, msg);
		break;
	case VHOST_SET_VRING_NUM:
		queue_of(m, msg->state.index)->size = (uint16_t)msg->state.value;
		break;
	case VHOST_SET_VRING_ADDR:
		take_address(m, &msg->address);
		break;
	case VHOST_SET_VRING_BASE:
		take_base(m, &msg->state);
		break;
	case VHOST_SET_VRING_KICK:
		take_event(m, msg, m->kick);
		if (!(m->device.accepted & VHOST_F_PROTOCOL_FEATURES))
			start_queue(m, &(struct vhost_vring_state){(uint32_t)msg->number, 1});
		break;
	case VHOST_SET_VRING_CALL:
		take_event(m, msg, m->call);
		break;
	case VHOST_SET_VRING_ENABLE:
		start_queue(m, &msg->state);
		break;
	default:
		return false;
	}
	return true;
}

static bool handle(struct vhost_model *m, struct message *msg)
{
	bool acknowledge = msg->h.flags & VHOST_NEED_REPLY;

	if (msg->h.request < 64)
		m->requests[msg->h.request]++;
	if (!obey(m, msg))
		return answer(m, msg);
	/* The feature holds from the request after the one that sets it. */
	expect(m,
		acknowledge == (msg->h.request != VHOST_SET_PROTOCOL_FEATURES &&
				       (m->protocol_set & VHOST_PROTOCOL_F_REPLY_ACK)),
		"an acknowledgement too many or too few");
	msg->number = 0;
	if (msg->h.request == m->bad_request && m->bad == VHOST_MODEL_DIES)
		return false;
	return !acknowledge || reply(m, msg, 8);
}

/* ---------------------------------------------------------------- thread */

static void forget(struct vhost_model *m)
{
	for (unsigned i = 0; i < VIRTIO_MODEL_QUEUES; i++) {
		if (m->kick[i] >= 0)
			close(m->kick[i]);
		if (m->call[i] >= 0)
			close(m->call[i]);
		m->kick[i] = m->call[i] = -1;
	}
	memset(m->device.queue, 0, sizeof m->device.queue);
	m->device.status = 0;
	m->device.accepted = m->protocol_set = 0;
	m->started = 0;
	m->memory_bytes = 0;
}

static void serve(struct vhost_model *m)
{
	struct message msg;
	bool good = true, first = true;

	while (good && receive(m, &msg)) {
		if (first) { /* until somebody speaks, the test may look at what was before */
			forget(m);
			m->connections++;
			first = false;
		}
		good = handle(m, &msg);
		if (msg.fd >= 0)
			close(msg.fd);
	}
	close(m->fd);
	store_release(&m->fd, -1);
}

static int open_client(struct vhost_model *m, const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	while (!load_acquire(&m->ends)) {
		if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
			return fd;
		usleep(1000 * LOOK_MS);
	}
	close(fd);
	return -1;
}

static void *thread_main(void *arg)
{
	struct vhost_model *m = arg;
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof address.sun_path, "%s", m->path);
	while (!load_acquire(&m->ends)) {
		if (m->client)
			m->fd = open_client(m, &address);
		else
			m->fd = readable(m, m->listener)
					? accept4(m->listener, NULL, NULL, SOCK_CLOEXEC)
					: -1;
		if (m->fd >= 0)
			serve(m);
	}
	return NULL;
}

void vhost_model_init(struct vhost_model *m, const char *path)
{
	memset(m, 0, sizeof *m);
	snprintf(m->path, sizeof m->path, "%s", path);
	pci_model_init(&m->segment);
	virtio_model_init(&m->device, &m->segment, 3, 512, NULL, 0);
	pci_model_set(m->device.pci, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	m->device.offered =
		VIRTIO_MODEL_F_VERSION_1 | VIRTIO_MODEL_F_MQ | VHOST_F_PROTOCOL_FEATURES;
	m->protocol = VHOST_PROTOCOL_F_MQ | VHOST_PROTOCOL_F_REPLY_ACK;
	m->pairs = 1;
	m->listener = m->fd = -1;
	for (unsigned i = 0; i < VIRTIO_MODEL_QUEUES; i++)
		m->kick[i] = m->call[i] = -1;
}

void vhost_model_start(struct vhost_model *m)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof address.sun_path, "%s", m->path);
	if (!m->client) {
		unlink(m->path);
		m->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (bind(m->listener, (struct sockaddr *)&address, sizeof address) < 0 ||
			listen(m->listener, 1) < 0)
			abort();
	}
	m->ends = false;
	if (pthread_create(&m->thread, NULL, thread_main, m) != 0)
		abort();
}

void vhost_model_end(struct vhost_model *m)
{
	store_release(&m->ends, true);
	pthread_join(m->thread, NULL);
	if (m->listener >= 0) {
		close(m->listener);
		unlink(m->path);
	}
	m->listener = -1;
	forget(m);
	if (!m->complaint)
		m->complaint = m->device.complaint;
}

void vhost_model_chatter(struct vhost_model *m)
{
	store_release(&m->chatters, true);
}

uint64_t vhost_model_kicks(struct vhost_model *m, unsigned number)
{
	struct pollfd p = {.fd = m->kick[number], .events = POLLIN};
	uint64_t n = 0;

	if (poll(&p, 1, 0) > 0 && read(m->kick[number], &n, sizeof n) < 0)
		return 0;
	return n;
}

/* A vhost-user front end: its messages, and rings from the driver's side. */
#include "test/model/vhost_front.h"

#include <linux/virtio_config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/atomic.h"

bool front_memory(struct front *f, unsigned rings, size_t bytes, bool huge)
{
	const size_t page = 2u << 20;

	*f = (struct front){.fd = -1, .rings = rings, .buffers = (size_t)rings * FRONT_RING_ROOM};
	f->bytes = (f->buffers + bytes + page - 1) / page * page;
	f->memfd = memfd_create("front", MFD_CLOEXEC | (huge ? MFD_HUGETLB : 0));
	if (f->memfd < 0 || ftruncate(f->memfd, (off_t)f->bytes) < 0)
		return false;
	f->memory = mmap(NULL, f->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, f->memfd, 0);
	if (f->memory == MAP_FAILED)
		return false;
	for (unsigned i = 0; i < FRONT_RINGS; i++)
		f->ring[i].call = f->ring[i].kick = -1;
	return true;
}

bool front_connect(struct front *f, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return f->fd >= 0 && connect(f->fd, (const struct sockaddr *)&a, sizeof a) == 0;
}

void front_close(struct front *f)
{
	for (unsigned i = 0; i < FRONT_RINGS; i++) {
		free(f->ring[i].length);
		f->ring[i].length = NULL;
		if (f->ring[i].call >= 0)
			close(f->ring[i].call);
		if (f->ring[i].kick >= 0)
			close(f->ring[i].kick);
		f->ring[i].call = f->ring[i].kick = -1;
	}
	if (f->fd >= 0)
		close(f->fd);
	if (f->memory) {
		munmap(f->memory, f->bytes);
		close(f->memfd);
	}
	f->memory = NULL;
	f->fd = -1;
}

/* ---- messages ---- */

bool front_send(struct front *f, uint32_t request, const void *payload, uint32_t bytes,
	const int *fd, unsigned fds)
{
	struct vhost_header h = {request, VHOST_VERSION, bytes};
	struct iovec part[2] = {{&h, sizeof h}, {(void *)(uintptr_t)payload, bytes}};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(32 * sizeof(int))];
	} control = {.room = {0}};
	struct msghdr m = {.msg_iov = part, .msg_iovlen = 2};

	if (fds) {
		m.msg_control = control.room;
		m.msg_controllen = CMSG_SPACE(fds * sizeof(int));

		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fds * sizeof(int));
		memcpy(CMSG_DATA(c), fd, fds * sizeof(int));
	}
	if (sendmsg(f->fd, &m, MSG_NOSIGNAL) != (ssize_t)(sizeof h + bytes))
		return false;
	if (f->serve)
		f->serve(f->ctx);
	return true;
}

bool front_answer(struct front *f, uint64_t *value)
{
	struct {
		struct vhost_header h;
		uint64_t value;
	} __attribute__((packed)) m;

	if (recv(f->fd, &m, sizeof m, f->serve ? MSG_DONTWAIT : MSG_WAITALL) != sizeof m ||
		!(m.h.flags & VHOST_REPLY) || m.h.bytes != sizeof m.value)
		return false;
	*value = m.value;
	return true;
}

bool front_agree(struct front *f, uint64_t features)
{
	uint64_t protocol;

	if (!front_send(f, VHOST_GET_FEATURES, NULL, 0, NULL, 0) || !front_answer(f, &f->offered))
		return false;
	features &= f->offered;
	f->is_packed = features >> VIRTIO_F_RING_PACKED & 1;
	if (features & VHOST_F_PROTOCOL_FEATURES &&
		(!front_send(f, VHOST_GET_PROTOCOL_FEATURES, NULL, 0, NULL, 0) ||
			!front_answer(f, &protocol) ||
			!front_send(f, VHOST_SET_PROTOCOL_FEATURES, &protocol, 8, NULL, 0)))
		return false;
	return front_send(f, VHOST_SET_OWNER, NULL, 0, NULL, 0) &&
	       front_send(f, VHOST_SET_FEATURES, &features, 8, NULL, 0);
}

bool front_share(struct front *f)
{
	struct vhost_table t = {.count = 1};

	t.region[0] = (struct vhost_region){
		.guest = FRONT_GUEST, .size = f->bytes, .user = (uintptr_t)f->memory};
	return front_send(f, VHOST_SET_MEM_TABLE, &t, 8 + sizeof t.region[0], &f->memfd, 1);
}

static bool send_state(struct front *f, uint32_t request, uint32_t index, uint32_t value)
{
	struct vhost_vring_state s = {index, value};

	return front_send(f, request, &s, sizeof s, NULL, 0);
}

bool front_ring_start(struct front *f, unsigned index, uint32_t size)
{
	struct front_ring *r = &f->ring[index];
	uint8_t *at = f->memory + (size_t)index * FRONT_RING_ROOM;
	struct vhost_vring_addr a = {.index = index, .descriptors = (uintptr_t)at};
	uint64_t number = index;

	memset(at, 0, FRONT_RING_ROOM);
	r->size = size;
	r->desc = (void *)at;
	r->avail = (void *)(at + 16ul * size);
	r->used = (void *)(at + (18ul * size + 127) / 64 * 64);
	r->posted = r->taken = r->desc_next = 0;
	r->at = r->used_at = 0;
	r->wrap = r->used_wrap = 1;
	if (r->call < 0)
		r->call = eventfd(0, EFD_NONBLOCK);
	if (r->kick < 0)
		r->kick = eventfd(0, EFD_NONBLOCK);
	if (!r->length)
		r->length = calloc(65536, sizeof *r->length);
	a.available = (uintptr_t)r->avail;
	a.used = (uintptr_t)r->used;
	return send_state(f, VHOST_SET_VRING_NUM, index, size) &&
	       send_state(f, VHOST_SET_VRING_BASE, index, f->is_packed ? 1u << 15 : 0) &&
	       front_send(f, VHOST_SET_VRING_ADDR, &a, sizeof a, NULL, 0) &&
	       front_send(f, VHOST_SET_VRING_CALL, &number, 8, &r->call, 1) &&
	       front_send(f, VHOST_SET_VRING_KICK, &number, 8, &r->kick, 1) &&
	       send_state(f, VHOST_SET_VRING_ENABLE, index, 1);
}

bool front_ring_stop(struct front *f, unsigned index, uint32_t *base)
{
	uint64_t state = 0;

	if (!send_state(f, VHOST_GET_VRING_BASE, index, 0) || !front_answer(f, &state))
		return false;
	*base = (uint32_t)(state >> 32);
	return true;
}

bool front_start(struct front *f, uint64_t features, unsigned rings, uint32_t size)
{
	if (!front_agree(f, features) || !front_share(f))
		return false;
	for (unsigned i = 0; i < rings; i++)
		if (!front_ring_start(f, i, size))
			return false;
	return true;
}

/* ---- rings ---- */

static void offer_split(struct front_ring *r, const struct front_piece *piece, unsigned n)
{
	uint16_t mask = (uint16_t)(r->size - 1), head = r->desc_next;

	for (unsigned i = 0; i < n; i++) {
		uint16_t next = (uint16_t)((r->desc_next + 1) & mask);

		r->desc[r->desc_next] = (struct vring_desc){
			.addr = piece[i].address,
			.len = piece[i].bytes,
			.flags = (uint16_t)((piece[i].write ? VRING_DESC_F_WRITE : 0) |
					    (i + 1 < n ? VRING_DESC_F_NEXT : 0)),
			.next = next,
		};
		r->desc_next = next;
	}
	r->avail->ring[r->posted & mask] = head;
	r->posted++;
	store_release(&r->avail->idx, r->posted);
}

static void offer_packed(
	struct front_ring *r, const struct front_piece *piece, unsigned n, uint16_t id)
{
	struct vring_packed_desc *first = &r->packed[r->at];
	uint16_t first_flags = 0;

	r->length[id] = (uint16_t)n;
	for (unsigned i = 0; i < n; i++) {
		struct vring_packed_desc *d = &r->packed[r->at];
		uint16_t flags = (uint16_t)((piece[i].write ? VRING_DESC_F_WRITE : 0) |
					    (i + 1 < n ? VRING_DESC_F_NEXT : 0) |
					    (r->wrap ? 1u << VRING_PACKED_DESC_F_AVAIL
						     : 1u << VRING_PACKED_DESC_F_USED));

		d->addr = piece[i].address;
		d->len = piece[i].bytes;
		d->id = id;
		if (i)
			store_release(&d->flags, flags);
		else
			first_flags = flags;
		if (++r->at == r->size) {
			r->at = 0;
			r->wrap ^= 1;
		}
	}
	store_release(&first->flags, first_flags); /* the whole chain at once */
}

void front_offer(
	struct front *f, unsigned index, const struct front_piece *piece, unsigned n, uint16_t id)
{
	if (f->is_packed)
		offer_packed(&f->ring[index], piece, n, id);
	else
		offer_split(&f->ring[index], piece, n);
}

static bool take_packed(struct front_ring *r, uint16_t *id, uint32_t *bytes)
{
	const struct vring_packed_desc *d = &r->packed[r->used_at];
	unsigned flags = load_acquire(&d->flags);
	bool avail = flags >> VRING_PACKED_DESC_F_AVAIL & 1;
	bool used = flags >> VRING_PACKED_DESC_F_USED & 1;

	if (avail != used || used != r->used_wrap)
		return false;
	*id = d->id;
	*bytes = d->len;
	r->used_at = (uint16_t)(r->used_at + r->length[*id]);
	if (r->used_at >= r->size) {
		r->used_at = (uint16_t)(r->used_at - r->size);
		r->used_wrap ^= 1;
	}
	return true;
}

bool front_take(struct front *f, unsigned index, uint16_t *id, uint32_t *bytes)
{
	struct front_ring *r = &f->ring[index];

	if (f->is_packed)
		return take_packed(r, id, bytes);
	if (load_acquire(&r->used->idx) == r->taken)
		return false;
	*id = (uint16_t)r->used->ring[r->taken & (r->size - 1)].id;
	*bytes = r->used->ring[r->taken & (r->size - 1)].len;
	r->taken++;
	return true;
}

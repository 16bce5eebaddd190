/* A vhost-user socket: requests with file descriptors, replies that are checked. */
#include "kernel/hosted/vhost_link.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD_MAX sizeof(struct vhost_memory_table)

/* ---------------------------------------------------------------- what went wrong */

static bool __attribute__((format(printf, 3, 4)))
failed(struct vhost_link *l, bool lied, const char *format, ...)
{
	va_list args;

	l->lied = lied;
	va_start(args, format);
	vsnprintf(l->trouble, sizeof l->trouble, format, args);
	va_end(args);
	return false;
}

static bool gone(struct vhost_link *l)
{
	return failed(l, false, "its back end is gone");
}

/* ---------------------------------------------------------------- connection */

static bool make_address(struct vhost_link *l, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(l->path) >= sizeof address->sun_path)
		return failed(l, true, "the path of its socket is too long");
	strcpy(address->sun_path, l->path);
	return true;
}

static int make_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

bool vhost_link_open(struct vhost_link *l, const char *path, bool server)
{
	struct sockaddr_un address;
	struct stat left;

	*l = (struct vhost_link){.fd = -1, .listener = -1, .path = path};
	if (!make_address(l, &address))
		return false;
	if (!server)
		return true;
	l->listener = make_socket();
	if (lstat(path, &left) == 0 && S_ISSOCK(left.st_mode))
		unlink(path); /* what an earlier run left */
	if (l->listener >= 0 &&
		bind(l->listener, (struct sockaddr *)&address, sizeof address) == 0 &&
		listen(l->listener, 1) == 0)
		return true;
	failed(l, true, "no socket at its path: %s", strerror(errno));
	vhost_link_close(l);
	return false;
}

bool vhost_link_connect(struct vhost_link *l)
{
	struct sockaddr_un address;

	l->acknowledges = false;
	if (l->listener >= 0) {
		l->fd = accept4(l->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		return l->fd >= 0 || failed(l, false, "nobody has connected to its socket");
	}
	if (!make_address(l, &address))
		return false;
	l->fd = make_socket();
	if (l->fd >= 0 && connect(l->fd, (struct sockaddr *)&address, sizeof address) == 0)
		return true;
	failed(l, false, "nobody listens at its socket: %s", strerror(errno));
	vhost_link_drop(l);
	return false;
}

void vhost_link_drop(struct vhost_link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

void vhost_link_close(struct vhost_link *l)
{
	vhost_link_drop(l);
	if (l->listener < 0)
		return;
	close(l->listener);
	unlink(l->path);
	l->listener = -1;
}

bool vhost_link_quiet(struct vhost_link *l)
{
	char byte;
	ssize_t n = l->fd < 0 ? 0 : recv(l->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n > 0)
		return failed(l, true, "it speaks without being asked");
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	return gone(l);
}

/* ---------------------------------------------------------------- messages */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until the socket can be read or written; false: not until `end`. */
static bool await(struct vhost_link *l, short events, int64_t end)
{
	struct pollfd p = {.fd = l->fd, .events = events};
	int64_t left = end - now_ms();

	return poll(&p, 1, left > 0 ? (int)left : 0) > 0 ||
	       failed(l, false, "its back end does not answer");
}

/* Header and payload in one piece; the descriptor goes with the first byte. */
static bool send_all(struct vhost_link *l, const uint8_t *bytes, size_t n, int fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof fd)];
	} control = {.head = {.cmsg_len = CMSG_LEN(sizeof fd),
			     .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS}};
	int64_t end = now_ms() + VHOST_REPLY_MS;
	size_t sent = 0;

	memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
	while (sent < n) {
		struct iovec piece = {(void *)(uintptr_t)(bytes + sent), n - sent};
		struct msghdr m = {.msg_iov = &piece, .msg_iovlen = 1};

		if (fd >= 0 && sent == 0) {
			m.msg_control = &control;
			m.msg_controllen = sizeof control.space;
		}
		ssize_t written = sendmsg(l->fd, &m, MSG_NOSIGNAL);

		if (written > 0)
			sent += (size_t)written;
		else if (errno != EAGAIN && errno != EINTR)
			return gone(l);
		else if (!await(l, POLLOUT, end))
			return false;
	}
	return true;
}

static bool receive_all(struct vhost_link *l, void *bytes, size_t n, int64_t end)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = recv(l->fd, (uint8_t *)bytes + got, n - got, 0);

		if (r > 0)
			got += (size_t)r;
		else if (r == 0 || (errno != EAGAIN && errno != EINTR))
			return gone(l);
		else if (!await(l, POLLIN, end))
			return false;
	}
	return true;
}

static bool send_request(struct vhost_link *l, enum vhost_request request, unsigned flags,
	const void *payload, size_t n, int fd)
{
	uint8_t bytes[sizeof(struct vhost_header) + PAYLOAD_MAX];
	struct vhost_header h = {request, VHOST_VERSION | flags, (uint32_t)n};

	memcpy(bytes, &h, sizeof h);
	if (n)
		memcpy(bytes + sizeof h, payload, n);
	return send_all(l, bytes, sizeof h + n, fd);
}

/* Anything but the reply to this request, whole and of this size, is a lie. */
static bool receive_reply(struct vhost_link *l, enum vhost_request request, void *payload, size_t n)
{
	int64_t end = now_ms() + VHOST_REPLY_MS;
	struct vhost_header h = {0};

	if (!receive_all(l, &h, sizeof h, end))
		return false;
	if (h.request != (uint32_t)request)
		return failed(l, true, "it answers request %u with %u", request, h.request);
	if (!(h.flags & VHOST_REPLY) || (h.flags & VHOST_VERSION_MASK) != VHOST_VERSION)
		return failed(l, true, "its answer to request %u has flags 0x%x", request, h.flags);
	if (request == VHOST_GET_CONFIG && h.bytes == 0) { /* its way to say that it has none */
		memset(payload, 0, n);
		return true;
	}
	if (h.bytes != n)
		return failed(l, true, "its answer to request %u has %u bytes", request, h.bytes);
	return receive_all(l, payload, n, end);
}

bool vhost_link_tell(
	struct vhost_link *l, enum vhost_request request, const void *payload, size_t n, int fd)
{
	uint64_t status = UINT64_MAX; /* refused, until it says otherwise */

	if (!send_request(l, request, l->acknowledges ? VHOST_NEED_REPLY : 0, payload, n, fd))
		return false;
	if (!l->acknowledges)
		return true;
	if (!receive_reply(l, request, &status, sizeof status))
		return false;
	return status == 0 || failed(l, true, "it refuses request %u", request);
}

bool vhost_link_ask(struct vhost_link *l, enum vhost_request request, const void *out, size_t n_out,
	void *in, size_t n)
{
	return send_request(l, request, 0, out, n_out, -1) && receive_reply(l, request, in, n);
}

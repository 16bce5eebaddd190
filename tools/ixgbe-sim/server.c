/* A listening socket, one client at a time, and messages as they come, in parts or whole. */
#include "tools/ixgbe-sim/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/ixgbe-sim/messages.h"

#define SERVED_AT_ONCE 256u /* messages, before frames are looked at again */

bool server_open(struct server *s, const char *path, const struct server_device *device)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memset(s, 0, sizeof *s);
	s->device = *device;
	s->fd = -1;
	irqs_init(&s->irqs);
	if (strlen(path) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->listener < 0)
		return false;
	unlink(path);
	if (bind(s->listener, (struct sockaddr *)&address, sizeof address) < 0 ||
		listen(s->listener, 1) < 0) {
		close(s->listener);
		return false;
	}
	return true;
}

static void drop_files(struct server *s)
{
	while (s->fds > 0)
		if (s->file[--s->fds] >= 0)
			close(s->file[s->fds]);
}

void server_drop(struct server *s, const char *why)
{
	if (s->fd < 0)
		return;
	close(s->fd);
	s->fd = -1;
	s->got = 0;
	s->agreed = false;
	drop_files(s);
	/* The device stops before what it works on goes. */
	s->device.left(s->device.ctx, why);
	memory_clear(&s->memory);
	irqs_clear(&s->irqs);
}

void server_close(struct server *s)
{
	server_drop(s, NULL);
	close(s->listener);
}

bool server_accept(struct server *s)
{
	if (s->fd >= 0)
		return false;
	s->fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return s->fd >= 0;
}

static void take_files(struct server *s, struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		unsigned n = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));

		for (unsigned i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (s->fds < SERVER_FDS_MAX)
				s->file[s->fds++] = fd;
			else
				close(fd);
		}
	}
}

enum arrival { ARRIVAL_NONE, ARRIVAL_MORE, ARRIVAL_WHOLE, ARRIVAL_END, ARRIVAL_WRONG };

/* Reads on, up to `want` bytes of the message. */
static enum arrival read_upto(struct server *s, size_t want)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(SERVER_FDS_MAX * sizeof(int))];
	} control;
	struct iovec part = {(uint8_t *)&s->msg + s->got, want - s->got};
	struct msghdr h = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes};
	ssize_t n = recvmsg(s->fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? ARRIVAL_NONE : ARRIVAL_END;
	if (n == 0)
		return ARRIVAL_END;
	take_files(s, &h);
	s->got += (size_t)n;
	return h.msg_flags & MSG_CTRUNC ? ARRIVAL_WRONG : ARRIVAL_MORE;
}

static enum arrival receive(struct server *s)
{
	const struct vfio_user_header *h = &s->msg.header;

	for (;;) {
		enum arrival a;

		if (s->got < sizeof *h)
			a = read_upto(s, sizeof *h);
		else if (h->bytes < sizeof *h || h->bytes > sizeof s->msg ||
			 (h->flags & VFIO_USER_TYPE_MASK) != 0)
			return ARRIVAL_WRONG;
		else if (s->got < h->bytes)
			a = read_upto(s, h->bytes);
		else
			return ARRIVAL_WHOLE;
		if (a != ARRIVAL_MORE)
			return a;
	}
}

/* False: the client does not read, or has gone. */
static bool answer(struct server *s, int error, uint32_t bytes)
{
	struct vfio_user_header *h = &s->msg.header;

	if (h->flags & VFIO_USER_NO_REPLY)
		return true;
	h->flags = VFIO_USER_REPLY | (error ? VFIO_USER_ERROR : 0);
	h->error = (uint32_t)error;
	h->bytes = (uint32_t)sizeof *h + (error ? 0 : bytes);
	return send(s->fd, &s->msg, h->bytes, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)h->bytes;
}

static bool serve_one(struct server *s)
{
	uint32_t bytes = s->msg.header.bytes - (uint32_t)sizeof s->msg.header;
	unsigned command = s->msg.header.command;
	char why[64];
	int error = messages_handle(s, &bytes);

	drop_files(s);
	s->got = 0;
	if (error < 0)
		snprintf(why, sizeof why, "command %u: not now, or not so", command);
	else if (!answer(s, error, bytes))
		snprintf(why, sizeof why, "command %u: it does not read its reply", command);
	else
		return true;
	server_drop(s, why);
	return false;
}

bool server_serve(struct server *s)
{
	for (unsigned i = 0; i < SERVED_AT_ONCE && s->fd >= 0; i++) {
		switch (receive(s)) {
		case ARRIVAL_WHOLE:
			if (!serve_one(s))
				return false;
			break;
		case ARRIVAL_WRONG:
			server_drop(
				s, "a message of a wrong form or length, or with too many files");
			return false;
		case ARRIVAL_END:
			server_drop(s, NULL);
			return false;
		default:
			return true;
		}
	}
	return s->fd >= 0;
}

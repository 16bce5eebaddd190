/* Messages from and to the socket of a front end, never waiting for it. */
#include "tools/pktgen/vhost.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVED_AT_ONCE 64u /* messages, before the rings are looked at again */

void vhost_refuse(struct vhost *v, const char *format, ...)
{
	va_list values;

	/* The reason is kept, also if the front end has closed its end by now. */
	va_start(values, format);
	vsnprintf(v->reason, sizeof v->reason, format, values);
	va_end(values);
	for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++)
		if (v->queue[i].ring.broken && v->queue[i].error >= 0) {
			ssize_t ignored = write(v->queue[i].error, &(uint64_t){1}, 8);

			(void)ignored;
		}
	vhost_close(v);
}

bool vhost_sound(struct vhost *v)
{
	for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++) {
		const struct ring *r = &v->queue[i].ring;

		if (r->broken) {
			vhost_refuse(v, "queue %u: %s (%#llx)", i, r->broken,
				(unsigned long long)r->culprit);
			return false;
		}
	}
	return true;
}

static void take_fds(struct vhost_inbox *in, struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		unsigned n = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));

		for (unsigned i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (in->fds < VHOST_FDS_MAX)
				in->fd[in->fds++] = fd;
			else
				close(fd);
		}
	}
}

enum arrival { ARRIVAL_NONE, ARRIVAL_MORE, ARRIVAL_WHOLE, ARRIVAL_END, ARRIVAL_WRONG };

/* Reads on, up to `want` bytes into the message. */
static enum arrival read_upto(struct vhost *v, uint8_t *to, size_t have, size_t want)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(VHOST_FDS_MAX * sizeof(int))];
	} control;
	struct iovec part = {to, want - have};
	struct msghdr h = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes};
	ssize_t n = recvmsg(v->fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? ARRIVAL_NONE : ARRIVAL_END;
	if (n == 0)
		return ARRIVAL_END;
	take_fds(&v->inbox, &h);
	v->inbox.got += (size_t)n;
	return h.msg_flags & MSG_CTRUNC ? ARRIVAL_WRONG : ARRIVAL_MORE;
}

static enum arrival receive(struct vhost *v)
{
	struct vhost_inbox *in = &v->inbox;
	const size_t header = sizeof in->msg.header;

	for (;;) {
		enum arrival a;

		if (in->got < header) {
			a = read_upto(v, (uint8_t *)&in->msg.header + in->got, in->got, header);
		} else if (in->msg.header.bytes > VHOST_PAYLOAD_MAX) {
			return ARRIVAL_WRONG;
		} else if (in->got < header + in->msg.header.bytes) {
			a = read_upto(v, in->msg.payload.raw + (in->got - header), in->got,
				header + in->msg.header.bytes);
		} else {
			return ARRIVAL_WHOLE;
		}
		if (a != ARRIVAL_MORE)
			return a;
	}
}

static bool send_reply(struct vhost *v, struct vhost_msg *msg, uint32_t bytes)
{
	struct iovec part[2] = {{&msg->header, sizeof msg->header}, {msg->payload.raw, bytes}};
	struct msghdr h = {.msg_iov = part, .msg_iovlen = 2};

	msg->header.flags = VHOST_VERSION | VHOST_REPLY;
	msg->header.bytes = bytes;
	return sendmsg(v->fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)(sizeof msg->header + bytes);
}

/* Does what the message in the inbox asks, and empties the inbox. */
static bool serve_one(struct vhost *v)
{
	struct vhost_inbox *in = &v->inbox;
	uint32_t reply = 0, request = in->msg.header.request;
	const char *wrong;

	if ((in->msg.header.flags & VHOST_VERSION_MASK) != VHOST_VERSION)
		wrong = "a version of the protocol that does not exist";
	else
		wrong = vhost_handle(v, &in->msg, in->fd, in->fds, &reply);
	for (unsigned i = 0; i < in->fds; i++)
		if (in->fd[i] >= 0)
			close(in->fd[i]);
	in->fds = 0;
	in->got = 0;
	if (!wrong && reply && !send_reply(v, &in->msg, reply))
		wrong = "it does not read replies";
	if (wrong)
		vhost_refuse(v, "message %u: %s", request, wrong);
	return !wrong;
}

bool vhost_serve(struct vhost *v)
{
	for (unsigned i = 0; i < SERVED_AT_ONCE && v->fd >= 0; i++) {
		switch (receive(v)) {
		case ARRIVAL_WHOLE:
			/* What was not sent reads as zero. */
			memset(v->inbox.msg.payload.raw + v->inbox.msg.header.bytes, 0,
				VHOST_PAYLOAD_MAX - v->inbox.msg.header.bytes);
			if (!serve_one(v))
				return false;
			break;
		case ARRIVAL_WRONG:
			vhost_refuse(v, "message %u: longer than any, or with too many files",
				v->inbox.msg.header.request);
			return false;
		case ARRIVAL_END:
			vhost_close(v);
			return false;
		default:
			return true;
		}
	}
	return true;
}

/* A port's socket, its front end coming and going, its rings. */
#include "tools/pktgen/port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/pktgen/clock.h"
#include "tools/pktgen/say.h"

/* Of one ring, before the next has its turn; a power of two. */
#define BATCHES_AT_ONCE 4u

static void take_other(void *ctx, const uint8_t *frame, uint32_t bytes)
{
	struct port *p = ctx;

	neighbor_take(&p->neighbor, frame, bytes);
}

static void port_init(struct port *p, const struct scenario *s, unsigned number)
{
	memset(p, 0, sizeof *p);
	p->config = &s->port[number];
	p->number = number;
	p->listener = -1;
	p->sink.port = number;
	p->sink.other = take_other;
	p->sink.ctx = p;
	neighbor_init(&p->neighbor, s, number);
	vhost_open(&p->vhost, -1, p->config->queues, VHOST_FEATURES & ~p->config->refuse);
}

void port_attach(struct port *p, const struct scenario *s, unsigned number, int fd)
{
	port_init(p, s, number);
	vhost_open(&p->vhost, fd, p->config->queues, VHOST_FEATURES & ~p->config->refuse);
}

bool port_open(struct port *p, const struct scenario *s, unsigned number, char *error, size_t room)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd;

	port_init(p, s, number);
	snprintf(a.sun_path, sizeof a.sun_path, "%s", p->config->socket);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		unlink(a.sun_path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 4) < 0) {
		snprintf(error, room, "%s: %s", p->config->socket, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	p->listener = fd;
	return true;
}

void port_close(struct port *p)
{
	vhost_close(&p->vhost);
	p->rx_count = p->tx_count = 0;
	if (p->listener >= 0) {
		close(p->listener);
		unlink(p->config->socket);
	}
	p->listener = -1;
}

/* ---- front ends ---- */

static void find_rings(struct port *p)
{
	p->rx_count = p->tx_count = 0;
	for (unsigned i = 0; i < 2 * p->config->queues; i++) {
		struct ring *r = &p->vhost.queue[i].ring;

		if (!r->live)
			continue;
		if (i % 2 == 0)
			p->rx[p->rx_count++] = r;
		else
			p->tx[p->tx_count++] = r;
	}
}

static void told_goodbye(struct port *p)
{
	find_rings(p);
	if (p->quiet)
		return;
	if (p->vhost.reason[0])
		say("port %s: front end refused: %s", p->config->name, p->vhost.reason);
	else
		say("port %s: front end gone", p->config->name);
}

void port_refuse(struct port *p, const char *why)
{
	vhost_refuse(&p->vhost, "%s", why);
	told_goodbye(p);
}

/* A front end that comes; one that comes while another is there is not wanted. */
static void welcome(struct port *p)
{
	int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (p->vhost.fd >= 0) {
		say("port %s: a second front end is turned away", p->config->name);
		close(fd);
		return;
	}
	vhost_open(&p->vhost, fd, p->config->queues, VHOST_FEATURES & ~p->config->refuse);
	neighbor_init(
		&p->neighbor, p->neighbor.scenario, p->number); /* another router, it may be */
	p->connections++;
	if (!p->quiet)
		say("port %s: front end connected", p->config->name);
}

void port_service(struct port *p, uint64_t now, double ticks)
{
	if (p->listener >= 0)
		welcome(p);
	if (p->vhost.fd >= 0 && (!vhost_sound(&p->vhost) || !vhost_serve(&p->vhost)))
		told_goodbye(p);
	find_rings(p);
	for (unsigned i = 0; i < p->rx_count; i++)
		ring_call(p->rx[i], true);
	for (unsigned i = 0; i < p->tx_count; i++)
		ring_call(p->tx[i], true);
	if (!p->neighbor.known && p->rx_count && now >= p->ask_at) {
		neighbor_ask(&p->neighbor);
		p->ask_at = now + (uint64_t)(ticks / 5);
	}
	if (p->neighbor.count)
		port_flush(p);
}

bool port_ready(const struct port *p)
{
	return p->rx_count && p->tx_count && p->neighbor.known;
}

/* ---- frames ---- */

void port_flush(struct port *p)
{
	struct neighbor *n = &p->neighbor;

	while (n->count && p->rx_count) {
		struct outbox_frame *f = &n->outbox[n->first];

		if (!p->rx[0]->live ||
			!send_one(p->rx[0], vhost_header_bytes(&p->vhost), f->byte, f->bytes))
			return;
		n->first = (n->first + 1) % OUTBOX_FRAMES;
		n->count--;
	}
	if (p->rx_count)
		ring_call(p->rx[0], false);
}

unsigned port_receive(struct port *p)
{
	struct slot slot[RING_BATCH];
	uint32_t header = vhost_header_bytes(&p->vhost);
	unsigned frames = 0;

	for (unsigned i = 0; i < p->tx_count * BATCHES_AT_ONCE; i++) {
		struct ring *r = p->tx[i / BATCHES_AT_ONCE];
		unsigned n = r->live ? ring_peek(r, slot, RING_BATCH) : 0;

		if (n) {
			sink_slots(&p->sink, r, slot, n, header, clock_now());
			ring_return(r, slot, n);
			ring_call(r, false);
			frames += n;
		}
		if (n < RING_BATCH) /* on with the next ring */
			i |= BATCHES_AT_ONCE - 1;
	}
	return frames;
}

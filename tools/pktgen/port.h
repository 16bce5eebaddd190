/*
 * One port: a socket that front ends connect to, and the rings of the one that has.
 *
 * All of it belongs to the engine's thread.
 */
#ifndef PKTGEN_PORT_H
#define PKTGEN_PORT_H

#include "tools/pktgen/neighbor.h"
#include "tools/pktgen/send.h"
#include "tools/pktgen/sink.h"
#include "tools/pktgen/vhost.h"

struct port {
	const struct port_config *config;
	unsigned number;
	int listener;
	struct vhost vhost;
	struct neighbor neighbor;
	struct sink sink;
	struct ring *rx[VHOST_PAIRS_MAX]; /* live rings that take frames */
	struct ring *tx[VHOST_PAIRS_MAX]; /* live rings that frames come from */
	unsigned rx_count, tx_count;
	unsigned connections; /* so far */
	uint64_t ask_at;      /* when the router is asked for next */
	bool quiet;           /* says nothing on standard error */
};

/* Listens on the port's socket; a stale one is replaced. false: `error` says why not. */
MUST_CHECK bool port_open(
	struct port *p, const struct scenario *s, unsigned number, char *error, size_t room);

/* As port_open without a socket: the front end is at the other end of `fd`. */
void port_attach(struct port *p, const struct scenario *s, unsigned number, int fd);

void port_close(struct port *p);

/* Connections, messages, neighbours, late calls: a thousand times a second or so. ticks: per
 * second. */
void port_service(struct port *p, uint64_t now, double ticks);

/* Takes what the device has sent, some batches of every ring. Returns the frames. */
unsigned port_receive(struct port *p);

/* Lets the front end go because of what it did. */
void port_refuse(struct port *p, const char *why);

/* Frames could be sent and received: rings run both ways, and the router's MAC is known. */
bool port_ready(const struct port *p);

/* Sends what waits in the outbox; called when it is not empty. */
void port_flush(struct port *p);

#endif

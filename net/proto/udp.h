/*
 * UDP of the router itself: over IPv4 one conversation at a time, with one host
 * (RFC 768; RFC 1122 4.1); of either family datagrams that nothing answers. Whatever else comes
 * is answered by closed.c. Control core.
 */
#ifndef NET_PROTO_UDP_H
#define NET_PROTO_UDP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "net/table/ip6.h"

struct stack;

/* A datagram from the peer, whole and sound: its port, n bytes of data. Valid during the call,
 * which may send and close. */
typedef void udp_fn(void *ctx, uint16_t port, const uint8_t *data, uint32_t n);

struct udp {
	bool open;
	uint32_t peer; /* host byte order */
	uint16_t port; /* ours */
	udp_fn *fn;
	void *ctx;
};

/* Begins a conversation, from a port of 49152 to 65535 that nobody can foretell; ends the one
 * before. */
void udp_open(struct stack *s, uint32_t peer, udp_fn *fn, void *ctx);
void udp_close(struct stack *s);

/*
 * Sends n bytes to a port of the peer, of the conversation that is open.
 * ERR_INVALID: longer than a buffer is made for. ERR_FULL: no buffer; else as
 * stack_send.
 */
enum err udp_send(struct stack *s, uint16_t port, const uint8_t *data, uint32_t n);

/* A port of 49152 to 65535 that nobody can foretell. */
uint16_t udp_port(struct stack *s);

/* The most bytes that udp_post sends: what a buffer has room for. Longer than the path's MTU, they
 * leave in fragments. */
uint32_t udp_post_max(const struct stack *s, bool six);

/*
 * Sends n bytes of no conversation: from a port to a host's port. ERR_INVALID: too long, or not a
 * host's address. ERR_FULL: no buffer; else as stack_send, stack_send6.
 */
enum err udp_post(
	struct stack *s, uint32_t dst, uint16_t from, uint16_t to, const uint8_t *data, uint32_t n);
enum err udp_post6(struct stack *s, struct ip6 dst, uint16_t from, uint16_t to, const uint8_t *data,
	uint32_t n);

#endif

/*
 * What the user asks for: ports, hosts behind them, streams; lines of text.
 *
 * Files and flags say the same lines; README.md has the grammar.
 */
#ifndef PKTGEN_SCENARIO_H
#define PKTGEN_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "net/table/ip6.h"
#include "tools/pktgen/frame.h"

#define PORTS_MAX    8u
#define HOSTS_MAX    256u
#define STREAMS_MAX  32u
#define SIZES_MAX    16u
#define FLOWS_MAX    16777216u
#define NAME_BYTES   32u
#define SOCKET_BYTES 108u /* sun_path */

/* An address and its family; an IPv4 address is the top 32 bits. */
struct address {
	struct ip6 ip;
	uint8_t family; /* 4, 6, or 0 for none */
	uint8_t length; /* of a prefix */
};

struct port_config {
	char name[NAME_BYTES];
	char socket[SOCKET_BYTES];
	uint8_t mac[6];
	uint8_t router[6]; /* its MAC on this link, if has_router */
	bool has_mac, has_router;
	unsigned queues;           /* pairs used at most */
	struct address own[2];     /* IPv4 and IPv6, with prefix lengths */
	struct address gateway[2]; /* the router's addresses on this link */
	uint64_t refuse;           /* features that are not offered */
};

/* Addresses that live at a port: answered for by ARP and ND, and places for next hops. */
struct host_config {
	struct address prefix;
	uint8_t port;
	uint8_t mac[6];
	bool has_mac; /* else the port's */
};

struct size_config {
	uint16_t bytes; /* in memory, without FCS */
	uint16_t parts; /* flows of this size among the sum of parts */
};

struct stream_config {
	char name[NAME_BYTES];
	uint8_t from;
	uint8_t family;
	struct address source; /* none: the port's own */
	struct address to;     /* destinations, if no routes */
	struct address via;    /* the next hop to them, or none */
	int at;                /* or the port where they are, or -1 */
	char routes[256];      /* a file of routes as destinations, or "" */
	struct address base;   /* the gateway that index 0 in that file means, or none */
	uint32_t flows;
	unsigned sizes;
	struct size_config size[SIZES_MAX];
	double weight;
	uint8_t ttl;
	uint16_t port; /* UDP destination port */
};

struct scenario {
	struct port_config port[PORTS_MAX];
	struct host_config host[HOSTS_MAX];
	struct stream_config stream[STREAMS_MAX];
	unsigned ports, hosts, streams;
	enum device_kind device;
	double line_bits; /* per second and port, of the link that is imagined */
	char error[160];  /* of the line that was refused */
};

/* An empty scenario with its defaults. */
void scenario_init(struct scenario *s);

/* One line. false: s->error says what is wrong with it. */
MUST_CHECK bool scenario_line(struct scenario *s, const char *line);

/* A file of lines. false: s->error says which and what. */
MUST_CHECK bool scenario_file(struct scenario *s, const char *name);

/* Looks at the whole. false: s->error. */
MUST_CHECK bool scenario_check(struct scenario *s);

/*
 * Who takes frames for the next hop: the longest host prefix that holds it, or a
 * port's own address. NULL: nobody. *port: where.
 */
const uint8_t *scenario_next_hop(
	const struct scenario *s, const struct address *hop, unsigned *port);

/* As scenario_next_hop, among what is at one port. */
const uint8_t *scenario_host_at(const struct scenario *s, unsigned port, const struct address *a);

/* `A.B.C.D`, `X::Y`, or either with `/length`. */
MUST_CHECK bool address_parse(const char *text, bool with_length, struct address *a);

#endif

/*
 * Mappings of one actor: which external address and port an inside one has.
 *
 * A mapping is there while a session holds it. It is found by what is inside, when a session
 * begins, and by what is outside, when a host inside addresses another by that (hairpinning).
 * The control core reads copies.
 */
#ifndef NET_PATH_NAT_MAP_H
#define NET_PATH_NAT_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "net/path/nat.h"
#include "net/path/nat_ports.h"

struct nat_mapping {
	uint32_t inside, external;
	uint16_t inside_port, external_port; /* ICMP: identifiers */
	uint8_t protocol;
	uint32_t space;
	uint32_t sessions;                   /* 0: free */
	uint32_t version;                    /* odd: it changes now */
	uint32_t next_inside, next_external; /* of the same hash; next_inside: also the free */
};

/* All of NAT that one actor has. */
struct nat_state {
	/* Constant: */
	struct nat_spaces spaces;
	struct nat_mapping *mapping;
	uint32_t *inside, *external; /* heads by hash */
	uint32_t max, head_mask;
	uint64_t *hits; /* sessions by rule's slot */
	/* Written by the actor: */
	uint32_t high; /* mappings ever used are below this */
	uint32_t free; /* list */
	uint32_t live;
	uint64_t full; /* sessions that got no port */
};

uint64_t nat_state_bytes(uint32_t mappings, uint32_t spaces, unsigned owners, uint32_t slots);

/* memory: 64-byte aligned, zeroed or not. Boot. */
void nat_state_init(struct nat_state *s, void *memory, uint32_t mappings, uint32_t spaces,
	unsigned owner, unsigned owners, uint32_t slots, uint64_t seed);

/* Number of the mapping of an inside address and port at an external address, or NAT_NO_MAPPING. */
uint32_t nat_map_inside(const struct nat_state *s, uint32_t inside, uint16_t port, uint8_t protocol,
	uint32_t external);

/* ... of an external address and port. */
uint32_t nat_map_external(
	const struct nat_state *s, uint32_t external, uint16_t port, uint8_t protocol);

/* Makes one, with one session; NAT_NO_MAPPING: there is no port, or no room. */
uint32_t nat_map_begin(struct nat_state *s, const struct nat_rules *rules,
	const struct nat_port_wish *wish, uint64_t tsc);

/* One session less. */
void nat_map_leave(struct nat_state *s, uint32_t mapping);

/* Copies mapping number i (below s->high); false: there is none, or it is just changing. Control
 * core. */
bool nat_map_copy(const struct nat_state *s, uint32_t i, struct nat_mapping *copy);

#endif

/*
 * Which ports of external addresses an actor has given out.
 *
 * A space is one address and kind of port (TCP's, UDP's with UDP-Lite's and DCCP's, ICMP's
 * identifiers). It is there while any port of it is given out: found by hash. Of each space an
 * actor has the blocks that are his (steer.h), a word of 64 bits each; two summaries say which
 * words have a free even port, and a free odd one. So a free port is found by one word of a
 * summary and one of the ports, however few are left.
 *
 * Ports that rules of destination NAT lead to somebody else are free in the words, but not given
 * out. A search that has met some of them notes all of the address, so that it takes at most as
 * many steps as there are words and rules, not their product.
 *
 * Ports are chosen at random (RFC 6056) from where an inside host's are taken from: below 1024 or
 * not (RFC 4787 REQ-3), of UDP even or odd as well (REQ-4), as long as such are free.
 */
#ifndef NET_PATH_NAT_PORTS_H
#define NET_PATH_NAT_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/path/steer.h"

struct nat_rules;

#define NAT_BLOCKS (65536u >> STEER_BLOCK_SHIFT)

enum nat_kind { NAT_TCP, NAT_UDP, NAT_ICMP };

#define NAT_NO_SPACE UINT32_MAX

struct nat_space {
	uint32_t address;
	uint8_t kind;
	uint32_t used; /* ports given out; 0: nobody's */
	uint32_t next; /* free, or of the same hash */
};

/* Those of one actor. */
struct nat_spaces {
	/* Constant: */
	unsigned owner, owners;  /* steer_port_owner */
	uint32_t max;            /* spaces */
	uint32_t words, summary; /* of one space: its blocks, and words that summarize them */
	uint32_t head_mask;
	uint32_t *head; /* by hash */
	struct nat_space *space;
	uint64_t *free; /* by space: words of ports, summary of even ones, of odd ones */
	/* Written by the actor: */
	uint32_t unused; /* list */
	uint32_t in_use; /* how many spaces are */
	uint64_t random;
	uint64_t *reserved; /* by word: ports that rules keep from `marked`; when few are left */
	struct {
		uint32_t version; /* of the rules; 0: from nobody */
		uint32_t external, inside;
		uint8_t protocol;
	} marked;
	uint64_t steps; /* words and rules that searches have looked at */
};

/* What is asked for. */
struct nat_port_wish {
	uint32_t external, inside;
	uint16_t port;        /* of the inside host */
	uint16_t first, last; /* only these; 0, 0: by the inside port */
	uint8_t protocol;
};

/* Bytes of memory for so many spaces. */
uint64_t nat_spaces_bytes(uint32_t max, unsigned owners);

/* memory: 64-byte aligned, zeroed or not. Boot. */
void nat_spaces_init(struct nat_spaces *s, void *memory, uint32_t max, unsigned owner,
	unsigned owners, uint64_t seed);

enum nat_kind nat_kind(uint8_t protocol);

/* Gives out a port; its space, or NAT_NO_SPACE if none is free. tsc: stirs what is drawn. The
 * actor. */
uint32_t nat_port_take(struct nat_spaces *s, const struct nat_rules *rules,
	const struct nat_port_wish *wish, uint64_t tsc, uint16_t *port);

void nat_port_give(struct nat_spaces *s, uint32_t space, uint16_t port);

/* The space of an address, or NAT_NO_SPACE. The actor; the control core may meet one that goes. */
uint32_t nat_space_find(const struct nat_spaces *s, uint32_t address, enum nat_kind kind);

#endif

/*
 * Policing of what workers hand to the control core: each lane lets so many
 * packets of a kind pass in a second, so that a flood of one kind, or by one
 * port, costs neither the others nor the console.
 *
 * The default rates are in police.c: each is more than a link's stations ask for,
 * and all of a lane's together are a small part of what the control core can do.
 * `set forwarding control-plane` gives others. The bursts are fixed, and together
 * fit a punt ring.
 */
#ifndef NET_PATH_POLICE_H
#define NET_PATH_POLICE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/path/punt.h"

enum police_kind {
	POLICE_ARP,
	POLICE_ND,      /* neighbour discovery, from the link (RFC 4861 7.1: hop limit 255) */
	POLICE_LLDP,    /* IEEE 802.1AB */
	POLICE_ECHO,    /* echo requests */
	POLICE_LOCAL,   /* all else to the router itself */
	POLICE_RESOLVE, /* to a neighbour whose MAC is not known */
	POLICE_ERROR,   /* what is refused: it costs an ICMP error at most */
	POLICE_TRANSIT, /* forwarded by the control core: options, fragmentation */
	POLICE_KINDS
};

#define POLICE_RATE_MAX 1000000u /* packets a second */

struct police {
	uint64_t interval[POLICE_KINDS]; /* TSC ticks between two packets; 0: no limit; the control
					    core writes */
	uint64_t due[POLICE_KINDS];      /* TSC: when the next one would be on time */
	uint64_t of[POLICE_KINDS];       /* the interval that `due` is by */
};

/* Boot: the default rates. */
void police_init(struct police *p, uint64_t tsc_hz);

/* Control core: how many a second pass from now on, 1 to POLICE_RATE_MAX; 0: the default. */
void police_set_rate(struct police *p, enum police_kind kind, uint32_t rate, uint64_t tsc_hz);

/* Packets a second by default, and at once. Any core. */
uint32_t police_default_rate(enum police_kind kind);
uint32_t police_burst(enum police_kind kind);

/*
 * The kind of a packet that is handed up: a frame of len bytes, trimmed to its IP
 * packet, whose lengths the parser has checked. Any core.
 */
enum police_kind police_kind(enum punt_reason reason, const uint8_t *frame, uint32_t len);

/* true: one more of the kind may pass. tsc: now; 0: unknown. The lane's actor only. */
bool police_take(struct police *p, enum police_kind kind, uint64_t tsc);

/* Name as shown and configured: "arp", "nd", ... Any core. */
const char *police_name(enum police_kind kind);

#endif

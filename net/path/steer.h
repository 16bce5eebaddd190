/*
 * Steering: every packet of a session comes to the worker that owns the session, in both
 * directions, whatever queue it was received by and whatever NAT made of it.
 *
 * The owner is told by the packet alone, and by NAT's rules:
 * - To an external address of source NAT: a rule of destination NAT that fits says to which inside
 *   address it goes, and the owner is that of the key behind the rule; if none does, the
 * destination port (ICMP: the identifier) is of the owner's blocks (steer_port_owner).
 * - One of the two addresses is inside (in a `from` prefix of a source NAT rule), the other is not:
 *   by the inside address and port, so that a host's mapping (RFC 4787 REQ-1) is known to one
 * worker. Not where the inside one is the target of a destination NAT rule: its load is spread.
 * - Any other: by addresses and ports in either order (lib/hash.h).
 * - An ICMP error: as the packet inside it, turned round.
 * - A later fragment: as its first, which it waits for (hold.h).
 */
#ifndef NET_PATH_STEER_H
#define NET_PATH_STEER_H

#include <stdint.h>

#include "net/path/flow_key.h"

struct nat_rules;

#define STEER_BLOCK_SHIFT 6u /* external ports are dealt out to owners in blocks of 64 */

/* Of `owners` (1 to SPREAD_MAX) the one whose mappings use this port of external addresses. */
static inline unsigned steer_port_owner(uint16_t port, unsigned owners)
{
	return (port >> STEER_BLOCK_SHIFT) % owners;
}

/* The owner of a key that is not LATER, of packets that came in by `iface`. Any core. */
unsigned steer_owner(
	const struct nat_rules *rules, unsigned iface, const struct flow_key *key, unsigned owners);

#endif

/*
 * Steering: every packet of a session comes to the worker that owns the session, in both
 * directions, whatever queue it was received by and whatever NAT made of it.
 *
 * The owners are the workers 0 to owners - 1. The owner of a packet is told by the packet alone,
 * and by NAT's rules. What a rule of destination NAT makes of the packet is looked at, if one fits;
 * then the first that holds decides:
 * - Of a protocol whose numbers NAT does not change (translate.h), and a rule fitted, or one of the
 *   addresses is inside, external or a target: the owner of port 0.
 * - To an external address of source NAT, and no rule fitted: the destination port (ICMP: the
 *   identifier) is of the owner's blocks (steer_port_owner).
 * - One of the two addresses is inside and no target, the other is not that: by this address and
 * its port (ICMP: identifier), so that a host's mapping (RFC 4787 REQ-1) is known to one worker.
 * Inside: in a `from` prefix of a source NAT rule. Target: where a destination NAT rule leads to.
 * - One of the two is a target: by both addresses. A target's load is spread over those it talks
 * to, and what it sends is found again under whatever port it was given at an address of its own.
 * - Any other: by addresses and ports in either order.
 *
 * So NAT holds to two things: a mapping made by an owner has a port of his blocks, and none that a
 * rule of destination NAT leads to another host than the mapping's own.
 *
 * An ICMP error goes as the packet inside it, turned round. A later fragment as its first, which it
 * waits for (hold.h). What has no key, but addresses, by these. What is no valid IP stays where
 * it came in.
 *
 * Where both hosts are inside and one is addressed by a mapping of another worker's (hairpinning
 * without a rule), the first one's mapping there is another than the one it has outside.
 */
#ifndef NET_PATH_STEER_H
#define NET_PATH_STEER_H

#include <stdint.h>

#include "lib/limits.h"
#include "net/path/flow_key.h"
#include "net/path/hold.h"
#include "net/path/lane.h"
#include "net/path/spread.h"

struct nat_rules;

#define STEER_BLOCK_SHIFT 6u /* external ports are dealt out to owners in blocks of 64 */

/* 2^16 / owners, rounded up. */
static inline uint32_t steer_port_inverse(unsigned owners)
{
	static const uint32_t inverse[SPREAD_MAX + 1] = {
		0, 65536, 32768, 21846, 16384, 13108, 10923, 9363, 8192};

	return inverse[owners];
}

/*
 * Of `owners` (1 to SPREAD_MAX) the one whose mappings use this port of external addresses: the
 * block's number modulo owners. By multiplication, since a packet waits for it.
 */
static inline unsigned steer_port_owner(uint16_t port, unsigned owners)
{
	uint32_t block = port >> STEER_BLOCK_SHIFT;

	return block -
	       (block * steer_port_inverse(owners) >> 16) * owners; /* exact: block < 2^10 */
}

/* The owner of a key that is not LATER, of packets that came in by `iface`. Any core. */
unsigned steer_owner(
	const struct nat_rules *rules, unsigned iface, const struct flow_key *key, unsigned owners);

/* What the steering of one RX queue needs. Constant after boot, but for what `hold` points to. */
struct steering {
	struct lane *lane;             /* the queue's own worker's */
	unsigned owners;               /* 1 to SPREAD_MAX */
	unsigned own;                  /* which of them the worker is; owners: none */
	struct ring *ring[SPREAD_MAX]; /* to the owners' lanes; [own] is NULL */
	struct hold *hold;
};

/*
 * Sends n received words (n <= BATCH_MAX) to their owners' rings, and the worker's own share and
 * what is nobody's down the path. What finds a ring full is dropped as spread-full. Words in a ring
 * are as those of spread_burst, and taken by spread_take. now: TSC. The lane's actor only, inside
 * an RCU section.
 */
void steer_burst(
	struct steering *s, struct spread_sort *sort, uint64_t *word, unsigned n, uint64_t now);

/*
 * Ends what has been held too long, in slices: once a turn while s->hold->used. Once lanes do not
 * track any longer what is held goes down the path as it is. As steer_burst.
 */
void steer_tend(struct steering *s, uint64_t now);

/* Chooses the compiled form, as path_select does. */
void steer_select(const char *isa);

#endif

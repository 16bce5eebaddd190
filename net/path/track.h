/*
 * Connection tracking: the stage that takes the place of look-up and filters in lanes with
 * sessions.
 *
 * Lanes track while any NAT rule or any access list with `established` is in force; then all that
 * is in transit has a session. For each packet of a batch that is to be routed, in this order:
 * session -> acl in -> destination NAT -> FIB -> source NAT -> acl out -> begin -> rewrite.
 * A packet of a known session whose decision is of this generation takes none of the middle.
 *
 * Where a packet ends that is not simply sent:
 * - To the router itself: as it came in, without a session.
 * - In an ICMP error (TTL, MTU, no way): as it came in, so that the error quotes what its sender
 *   sent. The control core cannot route it again then, and if its addresses would have been
 * changed, it is told so (PACKET_FLAG_FINAL, and the MTU: punt.h).
 * - Forwarded by the control core (the neighbour's address is not known, options, to be cut in
 *   fragments): translated (then it says PACKET_FLAG_CHANGED), and its session has it. The control
 *   core routes it by its new addresses, and asks the list for what goes out once more: as of a
 *   known session (PACKET_FLAG_KNOWN), if it was of one here.
 *
 * What is no conversation (other ICMP, a reset out of nowhere, headers that are cut off) passes as
 * the lists say, without a session, where NAT would leave it as it is; else it is dropped as
 * session-state, and so are later fragments whose first was not seen.
 */
#ifndef NET_PATH_TRACK_H
#define NET_PATH_TRACK_H

#include <stdbool.h>
#include <stdint.h>

struct lane;
struct batch;

/* Of all packets of a batch with VERDICT_ROUTE or VERDICT_ROUTE6: the next hop, or another verdict;
 * frames are translated. Parsed with b->track. The lane's actor only, inside an RCU section. */
void track_batch(struct lane *lane, struct batch *b);

/* Chooses the compiled form of it, as path_select. */
void track_select(const char *isa);

/*
 * Ends sessions whose time has come, or that `clear sessions` is about: a slice, as often as the
 * actor turns. lane: any of the actor's. As track_batch.
 */
void track_turn(struct lane *lane, uint64_t tsc);

#endif

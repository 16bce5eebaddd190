/*
 * Connection tracking: the stage that takes the place of look-up and filters in lanes with
 * sessions.
 *
 * Lanes track while any NAT rule or any access list with `established` is in force; then all that
 * is in transit has a session. For each packet of a batch that is to be routed, in this order:
 * session -> acl in -> destination NAT -> FIB -> source NAT -> acl out -> begin -> rewrite.
 * A packet of a known session whose decision is of this generation takes none of the middle.
 * A packet that will be answered by an ICMP error (TTL, MTU) is handed up as it came in.
 */
#ifndef NET_PATH_TRACK_H
#define NET_PATH_TRACK_H

struct lane;
struct batch;

/* Of all packets of a batch with VERDICT_ROUTE or VERDICT_ROUTE6: the next hop, or another verdict;
 * frames are translated. The lane's actor only, inside an RCU section. */
void track_batch(struct lane *lane, struct batch *b);

#endif

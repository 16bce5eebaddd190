/*
 * Packets counted by the next hop they are led to: `set forwarding counters next-hop`.
 *
 * A stage between looking up and sending, of lanes that have somewhere to count;
 * others pay one test a batch. What counts is what the tables say, also if the
 * packet then cannot be sent. A group, or a recursive next hop, counts what is
 * led to it, and the member that gets the packet counts it as well.
 */
#ifndef NET_PATH_COUNT_H
#define NET_PATH_COUNT_H

#include "net/path/parse.h"

/* Counts a batch that was looked up. The lane's actor only. */
void count_batch(const struct lane *lane, const struct batch *b);

#endif

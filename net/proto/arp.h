/*
 * ARP for IPv4 over Ethernet (RFC 826, RFC 1122 2.3.2, RFC 5227 announcements).
 *
 * The table of neighbours is neighbor.h's, as stack.arp.
 */
#ifndef NET_PROTO_ARP_H
#define NET_PROTO_ARP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "net/proto/neighbor.h"

struct stack;

#define ARP_RETRY_MS     1000u /* RFC 1122 2.3.2.1: at most one request a second per destination */
#define ARP_TRIES        3u    /* requests before the neighbour counts as failed */
#define ARP_REACHABLE_MS 300000u /* confirmed for 5 minutes, then probed by unicast */

/* An empty table. Boot only. */
void arp_init(struct stack *s);

/* Packets held for unresolved neighbours. */
uint32_t arp_held(const struct stack *s);

/* An ARP frame. Takes the word. */
void arp_input(struct stack *s, uint64_t word);

/*
 * Sends an IPv4 frame (Ethernet header not yet filled in) to a neighbour: see
 * neighbor_send. A packet longer than mtu (bytes, of IPv4) has no DF, and leaves
 * in fragments. Takes the word.
 */
void arp_send(struct stack *s, unsigned port, uint32_t neighbor, uint32_t mtu, uint64_t word);

/* Timers of up to `max` entries. */
void arp_tick(struct stack *s, unsigned max);

/* Gratuitous ARP for every address of the port (RFC 5227 2.3). */
void arp_announce(struct stack *s, unsigned port);

/* As neighbor_flush_port, neighbor_flush. */
void arp_flush_port(struct stack *s, unsigned port);
void arp_flush(struct stack *s);

/* Configured neighbours: as neighbor_set_static. */
MUST_CHECK enum err arp_set_static(
	struct stack *s, unsigned port, uint32_t address, const uint8_t *mac);
void arp_clear_static(struct stack *s, unsigned port, uint32_t address);

#endif

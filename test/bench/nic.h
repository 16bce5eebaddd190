/*
 * A network device in memory for benches: it receives as fast as it is asked and
 * sends at once, so that what is measured is the router.
 *
 * Like a NIC it works on rings of 16-byte descriptors. A received frame is a
 * 64-byte template, IPv4 or IPv6, with the next flow's destination and checksum; a sent
 * one is completed when the ring has moved half its depth further. Each queue is
 * one worker's; the device itself has no thread.
 */
#ifndef TEST_BENCH_NIC_H
#define TEST_BENCH_NIC_H

#include <stdint.h>

#include "drivers/netdev.h"
#include "net/table/ip6.h"

#define NIC_FLOWS 1024u /* a power of two */

/*
 * Makes port `number` with one queue pair. dst: NIC_FLOWS IPv4 destinations, host byte
 * order, received in turn; router_mac: 6 bytes, the port's own address. six: NULL; or the
 * frames are IPv6, and dst the last 32 bits of addresses of this /96.
 */
struct netdev *nic_create(
	unsigned number, const uint8_t *router_mac, const uint32_t *dst, const struct ip6 *six);

/* Receives at most so many frames from now on; UINT64_MAX: no limit. */
void nic_limit(struct netdev *dev, uint64_t frames);

#endif

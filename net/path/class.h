/*
 * Traffic classes: which VOQ of a TX queue a packet waits in.
 *
 * The class follows from the DSCP (RFC 2474), by a table per egress port: one
 * byte load a packet. Without configuration everything is class 0. What came with
 * a VLAN tag goes by the tag's priority (802.1p) where the port has a class for
 * that; and with a tag a packet leaves with its class as the priority.
 */
#ifndef NET_PATH_CLASS_H
#define NET_PATH_CLASS_H

#include <stdalign.h>
#include <stdint.h>

#include "lib/atomic.h"
#include "lib/limits.h"

#define DSCP_COUNT    64u
#define PCP_COUNT     8u
#define CLASS_BY_DSCP 0xffu /* of a priority: no class of its own */
#define DSCP_CS6      48u /* network control, RFC 4594 3.1: frames that are not IP count as this */

/* Written by the control core, byte by byte; a packet in between gets the old class or the new. */
struct class_map {
	alignas(CACHE_LINE) uint8_t of_dscp[DSCP_COUNT];
	uint8_t of_pcp[PCP_COUNT]; /* or CLASS_BY_DSCP */
};

/* tos: the second byte of the IPv4 header; DSCP in its upper six bits. */
static inline unsigned class_of(const struct class_map *map, uint8_t tos)
{
	return load_once(&map->of_dscp[tos >> 2]);
}

#endif

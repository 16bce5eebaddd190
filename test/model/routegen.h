/*
 * Routing tables like the Internet's, made from a seed.
 *
 * Allocations of the registries' sizes lie in the parts of the address space
 * that are in use; many are announced whole, and in them runs of neighbouring
 * more-specific prefixes, with the lengths as often as in full tables of 2024.
 * Six of ten more-specifics have the next hop of their allocation, the others one
 * drawn by Zipf's law.
 */
#ifndef TEST_MODEL_ROUTEGEN_H
#define TEST_MODEL_ROUTEGEN_H

#include <stdint.h>

#include "net/table/ip6.h"

struct routegen_route {
	struct ip6 prefix; /* an IPv4 prefix is the top 32 bits */
	uint32_t nexthop;  /* from 1 */
	uint8_t length;
};

/*
 * Fills route[0..n) with different prefixes in order of address, shorter ones
 * first. nexthops: how many there are, at least 1. n up to 2,000,000.
 */
void routegen4(struct routegen_route *route, uint32_t n, uint32_t nexthops, uint64_t seed);
void routegen6(struct routegen_route *route, uint32_t n, uint32_t nexthops, uint64_t seed);

/* The generator's random numbers (splitmix64), for its users. */
uint64_t routegen_random(uint64_t *state);

#endif

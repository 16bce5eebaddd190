/*
 * Makes what both sides forward: the same routes in the words of each, flows, and where they go.
 *
 *   flows FOLDER ROUTES NEXTHOPS FLOWS
 *
 * ROUTES of 2: 198.18.0.0/24 and 198.18.1.0/24, one by each port; else a table like the Internet's
 * (test/model/routegen.h). Next hop i goes by port i modulo 2, which is all l3fwd can say.
 * A flow is an address drawn from a route drawn from all, and a source port; of each BLOCK flows
 * half go by each port, in no order, so that no port is offered more than it receives. Written are
 * ours.routes, l3fwd.routes, flows, and flows.ports: of each flow its port by longest match.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "test/bench/peers/perfect.h"
#include "test/model/routegen.h"

#define BLOCK 128u

static struct routegen_route *route;
static uint32_t *within; /* the route that a route lies in, from 1; 0: none */
static uint32_t routes;

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "flows: %s\n", what);
	exit(1);
}

static FILE *create(const char *folder, const char *file)
{
	char name[4096];

	snprintf(name, sizeof name, "%s/%s", folder, file);
	FILE *f = fopen(name, "w");

	if (!f)
		fail(name);
	return f;
}

static void finish(FILE *f)
{
	if (ferror(f) || fclose(f) != 0)
		fail("cannot be written");
}

static uint32_t first_of(const struct routegen_route *r)
{
	return (uint32_t)(r->prefix.hi >> 32);
}

static uint32_t last_of(const struct routegen_route *r)
{
	return first_of(r) | (uint32_t)(UINT32_MAX >> r->length);
}

static unsigned port_of(const struct routegen_route *r)
{
	return (r->nexthop - 1) % PERFECT_PORTS;
}

static void make_routes(uint32_t nexthops)
{
	route = calloc(routes, sizeof *route);
	within = calloc(routes, sizeof *within);
	if (!route || !within)
		fail("no memory");
	if (routes == 2)
		for (uint32_t i = 0; i < 2; i++)
			route[i] = (struct routegen_route){
				.prefix = {(uint64_t)(0xc6120000u | i << 8) << 32, 0},
				.nexthop = i + 1,
				.length = 24};
	else
		routegen4(route, routes, nexthops, 1);
	/* By address, shorter ones first: what a route lies in comes before it. */
	for (uint32_t i = 1; i < routes; i++) {
		uint32_t k = i;

		while (k && last_of(&route[k - 1]) < first_of(&route[i]))
			k = within[k - 1];
		within[i] = k;
	}
}

/* The longest route for an address: one of those that the last one not above it lies in. */
static const struct routegen_route *match(uint32_t address)
{
	uint32_t low = 0, high = routes;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (first_of(&route[middle]) <= address)
			low = middle;
		else
			high = middle;
	}
	low++;
	while (low && last_of(&route[low - 1]) < address)
		low = within[low - 1];
	return low ? &route[low - 1] : NULL;
}

static void write_routes(const char *folder)
{
	FILE *ours = create(folder, "ours.routes"), *theirs = create(folder, "l3fwd.routes");

	for (uint32_t i = 0; i < routes; i++) {
		const struct routegen_route *r = &route[i];
		uint32_t a = first_of(r), hop = (r->nexthop - 1) / PERFECT_PORTS;
		char prefix[32];

		snprintf(prefix, sizeof prefix, "%u.%u.%u.%u/%u", a >> 24, a >> 16 & 255,
			a >> 8 & 255, a & 255, r->length);
		fprintf(ours, "%s via 10.0.%u.%u dev eth%u\n", prefix, port_of(r), 2 + hop,
			port_of(r));
		fprintf(theirs, "R%s %u\n", prefix, port_of(r));
	}
	finish(ours);
	finish(theirs);
	theirs = create(folder, "l3fwd.routes6"); /* it insists on one */
	fputs("R2001:db8::/32 0\n", theirs);
	finish(theirs);
}

/* As test/bench/peers/run.c makes the frame. */
static uint16_t header_checksum(uint32_t dst)
{
	uint8_t header[20] = {0x45, [3] = PERFECT_FRAME - 14, [8] = 64, 17, [12] = 10, 9, 9, 9};

	memcpy(header + 16, &dst, 4);
	return checksum(header, sizeof header);
}

static uint32_t draw_address(uint64_t *random)
{
	uint64_t draw = routegen_random(random);
	const struct routegen_route *r = &route[(uint32_t)((draw & UINT32_MAX) * routes >> 32)];

	return first_of(r) | ((uint32_t)(draw >> 32) & (uint32_t)(UINT32_MAX >> r->length));
}

/* What a router may refuse as martian, and the networks of its own ports. */
static bool is_special(uint32_t address)
{
	unsigned first = address >> 24;

	return first == 0 || first == 10 || first == 127 || first >= 224;
}

static void write_flows(const char *folder, uint32_t flows)
{
	FILE *f = create(folder, "flows"), *ports = create(folder, "flows.ports");
	unsigned in_block[PERFECT_PORTS] = {0};
	uint64_t random = 2;

	for (uint32_t i = 0; i < flows; i++) {
		struct perfect_flow flow;
		uint32_t address;
		unsigned port;

		if (i % BLOCK == 0)
			memset(in_block, 0, sizeof in_block);
		do {
			address = draw_address(&random);
			port = port_of(match(address));
		} while (in_block[port] == BLOCK / PERFECT_PORTS || is_special(address));
		in_block[port]++;
		store_be32(&flow.dst, address);
		store_be16(
			&flow.source_port, (uint16_t)(1024 + (routegen_random(&random) & 0x7fff)));
		flow.checksum = header_checksum(flow.dst);
		fwrite(&flow, sizeof flow, 1, f);
		fputc((int)port, ports);
	}
	finish(f);
	finish(ports);
}

static uint32_t number(const char *text, unsigned long min, unsigned long max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || n < min || n > max)
		fail("usage: flows FOLDER ROUTES NEXTHOPS FLOWS");
	return (uint32_t)n;
}

int main(int argc, char **argv)
{
	if (argc != 5)
		fail("usage: flows FOLDER ROUTES NEXTHOPS FLOWS");
	routes = number(argv[2], 2, 2000000);
	make_routes(number(argv[3], 2, 128));
	write_routes(argv[1]);
	write_flows(argv[1], number(argv[4], 1, 1u << 24));
	return 0;
}

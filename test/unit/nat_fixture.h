/* NAT of a few actors with rules made by hand, for tests: no router around it. */
#ifndef TEST_UNIT_NAT_FIXTURE_H
#define TEST_UNIT_NAT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/path/frame.h"
#include "net/path/lane.h"
#include "net/path/nat.h"
#include "net/path/nat_map.h"
#include "net/path/nat_rules.h"
#include "test/model/routegen.h"

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define INSIDE         0u /* interface */
#define OUTSIDE        1u
#define RULES          1024u

struct nat_bench {
	struct tables tables;
	struct nat_rules rules;
	struct lane lane[SPREAD_MAX];
	struct nat_state state[SPREAD_MAX];
	void *memory[SPREAD_MAX + 1];
	unsigned owners;
	uint32_t version;
	uint64_t seed;
};

static inline unsigned nat_draw(struct nat_bench *b, unsigned n)
{
	return (unsigned)(routegen_random(&b->seed) % n);
}

static inline void nat_bench_open(
	struct nat_bench *b, unsigned owners, uint32_t mappings, uint32_t spaces)
{
	memset(b, 0, sizeof *b);
	b->seed = 1;
	b->owners = owners;
	b->memory[SPREAD_MAX] = aligned_alloc(64, (nat_rules_bytes(RULES) + 63) & ~63ull);
	nat_rules_init(&b->rules, b->memory[SPREAD_MAX], RULES);
	for (unsigned a = 0; a < owners; a++) {
		uint64_t bytes =
			(nat_state_bytes(mappings, spaces, owners, 2 * RULES) + 63) & ~63ull;

		b->memory[a] = aligned_alloc(64, bytes);
		memset(b->memory[a], 0xa5, bytes);
		nat_state_init(
			&b->state[a], b->memory[a], mappings, spaces, a, owners, 2 * RULES, a + 7);
		b->lane[a] =
			(struct lane){.tables = &b->tables, .actor = a + 1, .nat = &b->state[a]};
	}
}

static inline void nat_bench_close(struct nat_bench *b)
{
	for (unsigned a = 0; a <= SPREAD_MAX; a++)
		free(b->memory[a]);
}

static inline struct nat_source_spec nat_pool(
	uint32_t from, unsigned length, unsigned out, uint32_t first, uint32_t last)
{
	return (struct nat_source_spec){
		.match = {.src = from,
			.src_mask = length ? ~0u << (32 - length) : 0,
			.iface = (uint16_t)out,
			.any_protocol = true},
		.rule = {.first = first, .last = last},
	};
}

static inline struct nat_destination_spec nat_forward(unsigned in, uint8_t protocol, uint32_t to,
	uint16_t port, uint32_t address, uint16_t to_port)
{
	return (struct nat_destination_spec){
		.match = {.dst = to,
			.dst_mask = ~0u,
			.iface = (uint16_t)in,
			.protocol = protocol,
			.any_protocol = protocol == 0,
			.ports = port != 0,
			.port_first = port,
			.port_last = port},
		.address = address,
		.to_port = to_port,
		.slot = RULES,
	};
}

static inline void nat_bench_publish(struct nat_bench *b)
{
	nat_rules_end(&b->rules, ++b->version);
	b->tables.nat = &b->rules;
}

static inline struct flow_key nat_key(
	uint8_t protocol, uint32_t src, unsigned from, uint32_t dst, unsigned to)
{
	struct flow_key k = {.protocol = protocol, .family = 4, .ports = from << 16 | to};

	k.src.lo = src;
	k.dst.lo = dst;
	return k;
}

/* What answers a key. */
static inline struct flow_key nat_answer(const struct flow_key *k)
{
	struct flow_key r = *k;

	r.src = k->dst;
	r.dst = k->src;
	r.ports = k->protocol == IPV4_ICMP ? (k->ports & 0xffff0000u)
					   : k->ports << 16 | k->ports >> 16;
	return r;
}

#endif

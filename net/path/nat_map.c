/* Mappings: two hash tables over one array. */
#include "net/path/nat_map.h"

#include <string.h>

#include "lib/atomic.h"
#include "lib/hash.h"

static uint32_t heads(uint32_t max)
{
	uint32_t n = 1;

	while (n < max)
		n *= 2;
	return n;
}

static uint64_t round_up(uint64_t bytes)
{
	return (bytes + CACHE_LINE - 1) & ~(uint64_t)(CACHE_LINE - 1);
}

uint64_t nat_state_bytes(uint32_t mappings, uint32_t spaces, unsigned owners, uint32_t slots)
{
	return round_up(nat_spaces_bytes(spaces, owners)) +
	       round_up(mappings * sizeof(struct nat_mapping)) +
	       2 * round_up(heads(mappings) * sizeof(uint32_t)) +
	       round_up(slots * sizeof(uint64_t));
}

void nat_state_init(struct nat_state *s, void *memory, uint32_t mappings, uint32_t spaces,
	unsigned owner, unsigned owners, uint32_t slots, uint64_t seed)
{
	uint8_t *at = memory;

	*s = (struct nat_state){
		.max = mappings, .head_mask = heads(mappings) - 1, .free = NAT_NO_MAPPING};
	nat_spaces_init(&s->spaces, at, spaces, owner, owners, seed);
	at += round_up(nat_spaces_bytes(spaces, owners));
	s->mapping = (struct nat_mapping *)(void *)at;
	at += round_up(mappings * sizeof(struct nat_mapping));
	s->inside = (uint32_t *)(void *)at;
	at += round_up(heads(mappings) * sizeof(uint32_t));
	s->external = (uint32_t *)(void *)at;
	at += round_up(heads(mappings) * sizeof(uint32_t));
	s->hits = (uint64_t *)(void *)at;
	memset(s->inside, 0xff, heads(mappings) * sizeof(uint32_t));
	memset(s->external, 0xff, heads(mappings) * sizeof(uint32_t));
	memset(s->hits, 0, slots * sizeof(uint64_t));
}

static uint32_t *head_inside(
	const struct nat_state *s, uint32_t inside, uint16_t port, uint8_t protocol)
{
	uint64_t key = (uint64_t)inside << 24 | (uint64_t)port << 8 | protocol;

	return &s->inside[hash_mix(key) & s->head_mask];
}

static uint32_t *head_external(
	const struct nat_state *s, uint32_t external, uint16_t port, uint8_t protocol)
{
	uint64_t key = (uint64_t)external << 24 | (uint64_t)port << 8 | protocol;

	return &s->external[hash_mix(~key) & s->head_mask];
}

uint32_t nat_map_inside(const struct nat_state *s, uint32_t inside, uint16_t port, uint8_t protocol,
	uint32_t external)
{
	uint32_t i = *head_inside(s, inside, port, protocol);

	for (; i != NAT_NO_MAPPING; i = s->mapping[i].next_inside) {
		const struct nat_mapping *m = &s->mapping[i];

		if (m->inside == inside && m->inside_port == port && m->protocol == protocol &&
			m->external == external)
			break;
	}
	return i;
}

uint32_t nat_map_external(
	const struct nat_state *s, uint32_t external, uint16_t port, uint8_t protocol)
{
	uint32_t i = *head_external(s, external, port, protocol);

	for (; i != NAT_NO_MAPPING; i = s->mapping[i].next_external) {
		const struct nat_mapping *m = &s->mapping[i];

		if (m->external == external && m->external_port == port && m->protocol == protocol)
			break;
	}
	return i;
}

/* The control core may be copying it: as sequence locks have it. */
static void begin_change(struct nat_mapping *m)
{
	store_once(&m->version, m->version + 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static void end_change(struct nat_mapping *m)
{
	store_release(&m->version, m->version + 1);
}

uint32_t nat_map_begin(struct nat_state *s, const struct nat_rules *rules,
	const struct nat_port_wish *wish, uint64_t tsc)
{
	uint32_t i = s->free;
	uint16_t port;

	if (i == NAT_NO_MAPPING && s->high == s->max)
		return NAT_NO_MAPPING;
	uint32_t space = nat_port_take(&s->spaces, rules, wish, tsc, &port);

	if (space == NAT_NO_SPACE)
		return NAT_NO_MAPPING;
	if (i == NAT_NO_MAPPING) {
		i = s->high;
		s->mapping[i] = (struct nat_mapping){0};
		store_release(&s->high, i + 1);
	} else {
		s->free = s->mapping[i].next_inside;
	}
	struct nat_mapping *m = &s->mapping[i];
	uint32_t *inside = head_inside(s, wish->inside, wish->port, wish->protocol);
	uint32_t *external = head_external(s, wish->external, port, wish->protocol);

	begin_change(m);
	m->inside = wish->inside;
	m->external = wish->external;
	m->inside_port = wish->port;
	m->external_port = port;
	m->protocol = wish->protocol;
	m->space = space;
	store_once(&m->sessions, 1);
	m->next_inside = *inside;
	m->next_external = *external;
	end_change(m);
	*inside = *external = i;
	store_once(&s->live, s->live + 1);
	return i;
}

void nat_map_leave(struct nat_state *s, uint32_t mapping)
{
	struct nat_mapping *m = &s->mapping[mapping];

	if (m->sessions > 1) {
		store_once(&m->sessions, m->sessions - 1);
		return;
	}
	uint32_t *link = head_inside(s, m->inside, m->inside_port, m->protocol);

	while (*link != mapping)
		link = &s->mapping[*link].next_inside;
	*link = m->next_inside;
	link = head_external(s, m->external, m->external_port, m->protocol);
	while (*link != mapping)
		link = &s->mapping[*link].next_external;
	*link = m->next_external;
	nat_port_give(&s->spaces, m->space, m->external_port);
	begin_change(m);
	store_once(&m->sessions, 0);
	m->next_inside = s->free;
	end_change(m);
	s->free = mapping;
	store_once(&s->live, s->live - 1);
}

bool nat_map_copy(const struct nat_state *s, uint32_t i, struct nat_mapping *copy)
{
	const struct nat_mapping *m = &s->mapping[i];
	uint32_t version = load_acquire(&m->version);

	*copy = *m;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return !(version & 1) && load_once(&m->version) == version && copy->sessions;
}

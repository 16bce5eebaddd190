/* Ports of external addresses: given out at random, and taken back. */
#include "net/path/nat_ports.h"

#include <string.h>

#include "lib/atomic.h"
#include "lib/hash.h"
#include "net/path/frame.h"
#include "net/path/nat_rules.h"

#define EVEN UINT64_C(0x5555555555555555)
#define ODD  (~EVEN)
#define ALL  (~UINT64_C(0))

#define LOOKS 2u /* words of one search whose reserved ports are looked up each for itself */

#define PRIVILEGED 1023u /* the last; RFC 6335 6: system ports */

/* ---- memory ---- */

/* Blocks of the actor with the most, and words of 64 that summarize them. */
static uint32_t words_most(unsigned owners)
{
	return (NAT_BLOCKS + owners - 1) / owners;
}

static uint32_t summary_words(unsigned owners)
{
	return (words_most(owners) + 63) / 64;
}

static uint32_t heads(uint32_t max)
{
	uint32_t n = 1;

	while (n < max)
		n *= 2;
	return n;
}

static uint64_t space_words(unsigned owners)
{
	return words_most(owners) + 2u * summary_words(owners);
}

uint64_t nat_spaces_bytes(uint32_t max, unsigned owners)
{
	return max * (space_words(owners) * sizeof(uint64_t) + sizeof(struct nat_space)) +
	       words_most(owners) * sizeof(uint64_t) + heads(max) * sizeof(uint32_t) +
	       2 * CACHE_LINE;
}

void nat_spaces_init(struct nat_spaces *s, void *memory, uint32_t max, unsigned owner,
	unsigned owners, uint64_t seed)
{
	*s = (struct nat_spaces){.owner = owner,
		.owners = owners,
		.max = max,
		.words = (NAT_BLOCKS - owner + owners - 1) / owners,
		.summary = summary_words(owners),
		.head_mask = heads(max) - 1,
		.unused = 0,
		.random = seed};
	s->free = memory;
	s->reserved = s->free + max * space_words(owners);
	s->space = (struct nat_space *)(void *)(s->reserved + words_most(owners));
	s->head = (uint32_t *)(void *)(s->space + max);
	for (uint32_t i = 0; i <= s->head_mask; i++)
		s->head[i] = NAT_NO_SPACE;
	for (uint32_t i = 0; i < max; i++)
		s->space[i] = (struct nat_space){.next = i + 1 < max ? i + 1 : NAT_NO_SPACE};
}

/* ---- spaces ---- */

enum nat_kind nat_kind(uint8_t protocol)
{
	return protocol == IPV4_TCP ? NAT_TCP : protocol == IPV4_ICMP ? NAT_ICMP : NAT_UDP;
}

static uint32_t *head_of(const struct nat_spaces *s, uint32_t address, enum nat_kind kind)
{
	return &s->head[hash_mix((uint64_t)address << 8 | kind) & s->head_mask];
}

uint32_t nat_space_find(const struct nat_spaces *s, uint32_t address, enum nat_kind kind)
{
	uint32_t i = load_once(head_of(s, address, kind));

	for (uint32_t n = 0; i < s->max && n < s->max; n++) {
		if (s->space[i].address == address && s->space[i].kind == kind)
			return i;
		i = load_once(&s->space[i].next);
	}
	return NAT_NO_SPACE;
}

static uint64_t *ports_of(const struct nat_spaces *s, uint32_t space)
{
	return s->free + space * space_words(s->owners);
}

static uint64_t *even_of(const struct nat_spaces *s, uint32_t space)
{
	return ports_of(s, space) + words_most(s->owners);
}

static uint64_t *odd_of(const struct nat_spaces *s, uint32_t space)
{
	return even_of(s, space) + s->summary;
}

/* One with all ports free, in its hash list. */
static __attribute__((noinline)) uint32_t space_begin(
	struct nat_spaces *s, uint32_t address, enum nat_kind kind)
{
	uint32_t i = s->unused, *head = head_of(s, address, kind);

	if (i == NAT_NO_SPACE)
		return i;
	struct nat_space *space = &s->space[i];

	s->unused = space->next;
	space->address = address;
	space->kind = (uint8_t)kind;
	store_once(&space->next, *head);
	uint64_t *ports = ports_of(s, i), *even = even_of(s, i), *odd = odd_of(s, i);

	memset(ports, 0xff, s->words * sizeof *ports);
	if (s->owner == 0 && kind != NAT_ICMP)
		ports[0] &= ~UINT64_C(1); /* no port is 0 */
	for (uint32_t k = 0; k < s->summary; k++) {
		uint32_t left = s->words - k * 64;

		even[k] = odd[k] = left >= 64 ? ALL : (UINT64_C(1) << left) - 1;
	}
	store_release(head, i);
	store_once(&s->in_use, s->in_use + 1);
	return i;
}

static void space_end(struct nat_spaces *s, uint32_t i)
{
	struct nat_space *space = &s->space[i];
	uint32_t *link = head_of(s, space->address, space->kind);

	while (*link != i)
		link = &s->space[*link].next;
	store_once(link, space->next);
	store_once(&space->next, s->unused);
	s->unused = i;
	store_once(&s->in_use, s->in_use - 1);
}

/* ---- finding ---- */

static uint64_t draw(struct nat_spaces *s, uint64_t tsc)
{
	s->random += UINT64_C(0x9e3779b97f4a7c15) ^ tsc;
	return hash_mix(s->random);
}

/* Where a search looks: words first to last, and what of the two is looked at. */
struct span {
	uint32_t first, last;
	uint64_t first_mask, last_mask;
};

/* The blocks of an actor that have ports of `low` to `high`. false: none has. */
static bool span_of(const struct nat_spaces *s, uint16_t low, uint16_t high, struct span *span)
{
	uint32_t first = low >> STEER_BLOCK_SHIFT, last = high >> STEER_BLOCK_SHIFT;

	/* The first of the actor's from there on, and the last up to there. */
	span->first = first <= s->owner ? 0 : (first - s->owner + s->owners - 1) / s->owners;
	if (last < s->owner)
		return false;
	span->last = (last - s->owner) / s->owners;
	if (span->first > span->last)
		return false;
	bool cut_low = span->first * s->owners + s->owner == first;
	bool cut_high = span->last * s->owners + s->owner == last;

	span->first_mask = cut_low ? ALL << low % 64 : ALL;
	span->last_mask = cut_high ? ALL >> (63 - high % 64) : ALL;
	return true;
}

/* The first word with a free port, of `begin` to `end`, or UINT32_MAX. */
static uint32_t find_word(const uint64_t *even, const uint64_t *odd, uint32_t begin, uint32_t end)
{
	for (uint32_t k = begin / 64; k <= end / 64; k++) {
		uint64_t some = (even ? even[k] : 0) | (odd ? odd[k] : 0);

		if (k == begin / 64)
			some &= ALL << begin % 64;
		if (k == end / 64)
			some &= ALL >> (63 - end % 64);
		if (some)
			return k * 64 + (uint32_t)__builtin_ctzll(some);
	}
	return UINT32_MAX;
}

/* ---- ports of rules ---- */

/* Ports `low` to `high` in the words of the actor. */
static void mark_ports(struct nat_spaces *s, uint32_t low, uint32_t high)
{
	struct span span;

	if (!span_of(s, (uint16_t)low, (uint16_t)high, &span))
		return;
	for (uint32_t w = span.first; w <= span.last; w++)
		s->reserved[w] |= (w == span.first ? span.first_mask : ALL) &
				  (w == span.last ? span.last_mask : ALL);
	s->steps += span.last - span.first + 1;
}

/* All that rules keep from who asks. They are in the order of their first ports: none is marked
 * twice. */
static __attribute__((noinline)) void mark_reserved(
	struct nat_spaces *s, const struct nat_rules *rules, const struct nat_port_wish *wish)
{
	uint32_t next = 0;

	memset(s->reserved, 0, s->words * sizeof *s->reserved);
	for (uint32_t i = nat_rules_first(rules, wish->external); i < rules->destinations; i++) {
		const struct nat_destination_rule *rule = &rules->destination[rules->reserved[i]];

		if (rule->to != wish->external)
			break;
		s->steps++;
		if (rule->port_last < next ||
			!nat_rule_reserves(rule, wish->inside, wish->protocol))
			continue;
		mark_ports(s, rule->port_first > next ? rule->port_first : next, rule->port_last);
		next = rule->port_last + 1u;
	}
	s->marked.version = rules->version;
	s->marked.external = wish->external;
	s->marked.inside = wish->inside;
	s->marked.protocol = wish->protocol;
}

static bool is_marked(
	const struct nat_spaces *s, const struct nat_rules *rules, const struct nat_port_wish *wish)
{
	return s->marked.version == rules->version && s->marked.external == wish->external &&
	       s->marked.inside == wish->inside && s->marked.protocol == wish->protocol;
}

/* ---- searching ---- */

struct search {
	struct nat_spaces *s;
	const struct nat_rules *rules;
	const struct nat_port_wish *wish;
	uint32_t space;
	uint64_t random;
	unsigned looks;
};

static uint16_t block_first(const struct nat_spaces *s, uint32_t word)
{
	return (uint16_t)((word * s->owners + s->owner) << STEER_BLOCK_SHIFT);
}

/* The ports of a word that are not to be given out. */
static uint64_t reserved_of(struct search *f, uint32_t word)
{
	const struct nat_port_wish *w = f->wish;

	f->s->steps++;
	if (!is_marked(f->s, f->rules, w)) {
		if (f->looks++ < LOOKS) {
			f->s->steps += f->rules->destinations; /* at most */
			return nat_rules_reserved(f->rules, w->external, w->inside, w->protocol,
				block_first(f->s, word));
		}
		mark_reserved(f->s, f->rules, w);
	}
	return f->s->reserved[word];
}

/* Of the words from `begin` to `end`, in order: the first port that may be given out. */
static bool search_words(struct search *f, const struct span *span, uint64_t parity, uint32_t begin,
	uint32_t end, uint16_t *port)
{
	const uint64_t *ports = ports_of(f->s, f->space);
	const uint64_t *even = parity & EVEN ? even_of(f->s, f->space) : NULL;
	const uint64_t *odd = parity & ODD ? odd_of(f->s, f->space) : NULL;
	unsigned turn = f->random >> 32 & 63;

	for (uint32_t w = begin; w <= end; w++) {
		w = find_word(even, odd, w, end);
		if (w == UINT32_MAX)
			return false;
		uint64_t mask = ports[w] & parity;

		mask &= w == span->first ? span->first_mask : ALL;
		mask &= w == span->last ? span->last_mask : ALL;
		mask &= ~reserved_of(f, w);
		if (!mask)
			continue;
		/* At random among those of the word: turned, so that any may be the first. */
		uint64_t turned = mask >> turn | (turn ? mask << (64 - turn) : 0);
		unsigned bit = ((unsigned)__builtin_ctzll(turned) + turn) & 63;

		*port = (uint16_t)(block_first(f->s, w) + bit);
		return true;
	}
	return false;
}

/* From a word at random on, and round. */
static bool search_span(
	struct search *f, uint16_t low, uint16_t high, uint64_t parity, uint16_t *port)
{
	struct span span;

	if (!span_of(f->s, low, high, &span))
		return false;
	uint32_t n = span.last - span.first + 1;
	uint32_t start = span.first + (uint32_t)((f->random & 0xffffffffu) * n >> 32);

	return search_words(f, &span, parity, start, span.last, port) ||
	       (start > span.first && search_words(f, &span, parity, span.first, start - 1, port));
}

/* Of ports in their order of preference. */
static bool search_port(struct search *f, uint16_t *port)
{
	const struct nat_port_wish *w = f->wish;
	enum nat_kind kind = nat_kind(w->protocol);
	uint64_t parity = kind != NAT_UDP ? ALL : w->port & 1 ? ODD : EVEN;

	if (kind == NAT_ICMP)
		return search_span(f, 0, 65535, ALL, port);
	if (w->last)
		return search_span(f, w->first, w->last, parity, port) ||
		       (parity != ALL && search_span(f, w->first, w->last, ALL, port));
	if (w->port <= PRIVILEGED && (search_span(f, 1, PRIVILEGED, parity, port) ||
					     search_span(f, 1, PRIVILEGED, ALL, port)))
		return true;
	return search_span(f, PRIVILEGED + 1, 65535, parity, port) ||
	       (parity != ALL && search_span(f, PRIVILEGED + 1, 65535, ALL, port));
}

/* ---- give and take ---- */

/* Brings the summaries of a word up to date. */
static void summarize(struct nat_spaces *s, uint32_t space, uint32_t word, uint64_t ports)
{
	uint64_t bit = UINT64_C(1) << word % 64;
	uint64_t *even = &even_of(s, space)[word / 64], *odd = &odd_of(s, space)[word / 64];

	*even = ports & EVEN ? *even | bit : *even & ~bit;
	*odd = ports & ODD ? *odd | bit : *odd & ~bit;
}

static uint32_t word_of(const struct nat_spaces *s, uint16_t port)
{
	return ((uint32_t)(port >> STEER_BLOCK_SHIFT) - s->owner) / s->owners;
}

uint32_t nat_port_take(struct nat_spaces *s, const struct nat_rules *rules,
	const struct nat_port_wish *wish, uint64_t tsc, uint16_t *port)
{
	enum nat_kind kind = nat_kind(wish->protocol);
	uint32_t space = nat_space_find(s, wish->external, kind);

	if (space == NAT_NO_SPACE)
		space = space_begin(s, wish->external, kind);
	if (space == NAT_NO_SPACE)
		return space;
	struct search f = {s, rules, wish, space, draw(s, tsc), 0};

	if (!search_port(&f, port)) {
		if (s->space[space].used == 0)
			space_end(s, space);
		return NAT_NO_SPACE;
	}
	uint32_t word = word_of(s, *port);
	uint64_t *ports = &ports_of(s, space)[word];

	*ports &= ~(UINT64_C(1) << *port % 64);
	summarize(s, space, word, *ports);
	store_once(&s->space[space].used, s->space[space].used + 1);
	return space;
}

void nat_port_give(struct nat_spaces *s, uint32_t space, uint16_t port)
{
	uint32_t word = word_of(s, port);
	uint64_t *ports = &ports_of(s, space)[word];

	*ports |= UINT64_C(1) << port % 64;
	summarize(s, space, word, *ports);
	store_once(&s->space[space].used, s->space[space].used - 1);
	if (s->space[space].used == 0)
		space_end(s, space);
}

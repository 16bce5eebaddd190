/* The IPv4 forwarding table: its memory, the choice of a look-up, questions about it. */
#include "net/table/fib4.h"

#include <string.h>

#include "net/table/fib4_table.h"
#include "net/table/nexthop.h"

static fib4_lookup_fn *lookup = fib4_lookup_plain;

void fib4_select(const char *isa)
{
	lookup = fib4_lookup_plain;
	if (strcmp(isa, "x86-64-v3") == 0)
		lookup = fib4_lookup_v3;
	if (strcmp(isa, "x86-64-v4") == 0)
		lookup = fib4_lookup_v4;
}

void fib4_lookup(const struct fib4 *fib, const uint32_t *dst, uint32_t *nh, unsigned n)
{
	lookup(&fib->view, dst, nh, n);
}

/* ---- memory ---- */

struct fib4_limits fib4_limits_for(uint32_t routes)
{
	/*
	 * A full table of 900,000 routes and 64 next hops has 23,000 wide and 76,000
	 * narrow groups, and 300 of hosts. A small table may be of any kind: as many
	 * groups as routes are enough, and some to replace others.
	 */
	uint32_t small = routes < 16384 ? routes : 16384;
	struct fib4_limits l = {
		.wide = FIB4_CHUNKS - 1,
		.narrow = 4096 + 2 * small + routes / 3,
		.pairs = FIB4_PAIRS - 1,
		.deep = 1024 + small + routes / 64,
		.hosts = 1024 + small + routes / 64,
	};

	if (routes < FIB4_CHUNKS / 2)
		l.wide = 1024 + routes;
	return l;
}

/* The parts of the memory, in this order; each is a whole number of cache lines. */
struct layout {
	size_t fib, direct, wide, narrow, deep, hosts; /* data */
	size_t book_wide, book_narrow, book_pairs, book_deep, book_hosts;
	size_t total;
};

static size_t part(size_t *total, size_t bytes)
{
	size_t at = *total;

	*total += (bytes + 63) & ~(size_t)63;
	return at;
}

static struct layout layout_of(const struct fib4_limits *l)
{
	struct layout m = {0};
	size_t *t = &m.total;

	m.fib = part(t, sizeof(struct fib4));
	m.direct = part(t, FIB4_CHUNKS * sizeof(uint16_t) + 2); /* a gather reads 2 bytes more */
	m.wide = part(t, groups_data_size(l->wide, 64));
	/* The pairs; above them the narrow groups, number 0 of which is not used. */
	m.narrow = part(t, FIB4_PAIRS * 4 + groups_data_size(l->narrow, 32) + 2);
	m.deep = part(t, groups_data_size(l->deep, 64));
	m.hosts = part(t, groups_data_size(l->hosts, 64));
	m.book_wide = part(t, groups_book_size(l->wide));
	m.book_narrow = part(t, groups_book_size(l->narrow));
	m.book_pairs = part(t, groups_book_size(l->pairs));
	m.book_deep = part(t, groups_book_size(l->deep));
	m.book_hosts = part(t, groups_book_size(l->hosts));
	return m;
}

/* The limits as far as the form allows them. */
static struct fib4_limits limits_allowed(struct fib4_limits l)
{
	struct fib4_limits form = {.wide = FIB4_CHUNKS - 1,
		.narrow = 1u << 25,
		.pairs = FIB4_PAIRS - 1,
		.deep = 1u << 22,
		.hosts = 1u << 22};

	l.wide = l.wide < 1 ? 1 : l.wide > form.wide ? form.wide : l.wide;
	l.narrow = l.narrow > form.narrow ? form.narrow : l.narrow;
	l.pairs = l.pairs < 1 ? 1 : l.pairs > form.pairs ? form.pairs : l.pairs;
	l.deep = l.deep > form.deep ? form.deep : l.deep;
	l.hosts = l.hosts > form.hosts ? form.hosts : l.hosts;
	return l;
}

size_t fib4_size(const struct fib4_limits *limits)
{
	struct fib4_limits l = limits_allowed(*limits);

	return layout_of(&l).total;
}

struct fib4 *fib4_init(void *mem, const struct fib4_limits *limits)
{
	struct fib4_limits l = limits_allowed(*limits);
	struct layout m = layout_of(&l);
	uint8_t *p = mem;
	struct fib4 *f = (struct fib4 *)(p + m.fib);
	uint16_t none[2] = {NEXTHOP_NONE, NEXTHOP_NONE};
	uint32_t entry[FIB4_SPLIT];

	f->limits = l;
	f->reserved = m.total;
	f->direct = (uint16_t *)(p + m.direct);
	f->view = (struct fib4_view){f->direct, (uint32_t *)(p + m.wide),
		(uint16_t *)(p + m.narrow), (uint32_t *)(p + m.deep), (uint32_t *)(p + m.hosts)};
	groups_init(&f->wide, p + m.wide, p + m.book_wide, l.wide, 64);
	groups_init(&f->pairs, p + m.narrow, p + m.book_pairs, l.pairs, 4);
	groups_init(&f->narrow, p + m.narrow + FIB4_PAIRS * 4, p + m.book_narrow, l.narrow, 32);
	groups_init(&f->deep, p + m.deep, p + m.book_deep, l.deep, 64);
	groups_init(&f->hosts, p + m.hosts, p + m.book_hosts, l.hosts, 64);

	/* Unrouted: one pair, one wide group with it 16 times, and that 65,536 times. */
	uint32_t pair = groups_get(&f->pairs, none);

	f->pairs.group[pair].refs = FIB4_SPLIT;
	for (unsigned i = 0; i < FIB4_SPLIT; i++)
		entry[i] = pair << 16;
	uint32_t wide = groups_get(&f->wide, entry);

	f->wide.group[wide].refs = FIB4_CHUNKS;
	for (uint32_t i = 0; i < FIB4_CHUNKS; i++)
		f->direct[i] = (uint16_t)wide;
	return f;
}

/* ---- grace periods ---- */

bool fib4_wants_grace(const struct fib4 *f)
{
	return groups_want_grace(&f->wide) || groups_want_grace(&f->narrow) ||
	       groups_want_grace(&f->pairs) || groups_want_grace(&f->deep) ||
	       groups_want_grace(&f->hosts);
}

void fib4_grace_begin(struct fib4 *f)
{
	groups_grace_begin(&f->wide);
	groups_grace_begin(&f->narrow);
	groups_grace_begin(&f->pairs);
	groups_grace_begin(&f->deep);
	groups_grace_begin(&f->hosts);
}

void fib4_grace_passed(struct fib4 *f)
{
	groups_grace_passed(&f->wide);
	groups_grace_passed(&f->narrow);
	groups_grace_passed(&f->pairs);
	groups_grace_passed(&f->deep);
	groups_grace_passed(&f->hosts);
}

/* ---- questions ---- */

/* One next hop for all 16 parts. */
static bool entry_is_single(uint32_t entry)
{
	return entry < FIB4_NARROW && (entry & 0xffff) == 0;
}

/* From `address` on, addresses that one step decides alike: the last of them. */
static uint32_t same_step(const struct fib4 *f, uint32_t address)
{
	uint32_t entry = fib4_entry(&f->view, address), e;

	if (entry < FIB4_DEEP)
		return address | (entry_is_single(entry) ? 0xfff : 0xff);
	e = f->view.deep[(entry & FIB4_GROUP) << 4 | (address >> 8 & 15)];
	if (!(e & FIB4_HAS_HOSTS))
		return address | 0xff;
	e = f->view.hosts[(e & ~FIB4_HAS_HOSTS) << 4 | (address >> 4 & 15)];
	return address | (entry_is_single(e) ? 0xf : 0);
}

void fib4_walk(const struct fib4 *f, uint32_t address, struct fib4_range *range)
{
	range->first = address;
	range->nexthop = fib4_one(&f->view, address);
	do {
		range->last = same_step(f, address);
		address = range->last + 1;
	} while (address & 0xffffff && fib4_one(&f->view, address) == range->nexthop);
}

void fib4_stats(const struct fib4 *f, struct fib4_stats *s)
{
	*s = (struct fib4_stats){
		.used = {f->wide.count, f->narrow.count, f->pairs.count, f->deep.count,
			f->hosts.count},
		.limits = f->limits,
		.waiting = f->wide.retired_count + f->wide.waiting_count + f->narrow.retired_count +
			   f->narrow.waiting_count + f->pairs.retired_count +
			   f->pairs.waiting_count + f->deep.retired_count + f->deep.waiting_count +
			   f->hosts.retired_count + f->hosts.waiting_count,
		.bytes = FIB4_CHUNKS * sizeof(uint16_t) + (size_t)f->wide.count * 64 +
			 (size_t)f->narrow.count * 32 + (size_t)f->pairs.count * 4 +
			 (size_t)f->deep.count * 64 + (size_t)f->hosts.count * 64,
		.reserved = f->reserved,
		.updates = f->updates,
		.rebuilt = f->rebuilt,
	};
}

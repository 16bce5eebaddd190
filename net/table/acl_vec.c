/*
 * The look-up of an access list; compiled once per form of x86-64 (lib/vec.h), for the
 * instruction that counts bits.
 *
 * A block of packets goes through the steps together, so that the loads of a step do not wait
 * for each other: the searches of all sources, then of all destinations, then the vectors, field by
 * field that leads to rules.
 */
#include "lib/vec.h"
#include "net/table/acl_table.h"

#define BLOCK 32u /* packets */

struct block {
	const uint64_t *row[BLOCK][ACL_FIELDS];
	uint16_t kind[BLOCK];
};

#ifdef __POPCNT__
VEC_INLINE unsigned bits_in(uint64_t v)
{
	return (unsigned)__builtin_popcountll(v);
}
#else /* pairs, nibbles, bytes; then all bytes into the top one */
VEC_INLINE unsigned bits_in(uint64_t v)
{
	v -= v >> 1 & 0x5555555555555555u;
	v = (v & 0x3333333333333333u) + (v >> 2 & 0x3333333333333333u);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
	return (unsigned)(v * 0x0101010101010101u >> 56);
}
#endif

/* How many of ACL_NEAR addresses, in order, are not above a. */
VEC_INLINE uint32_t rank_near(const uint32_t *first, uint32_t a)
{
#if defined(__AVX512F__)
	return bits_in((uint16_t)__builtin_ia32_ucmpd512_mask((vec_signed)vec_load(first),
		(vec_signed)vec_all(a), 2 /* not above */, (uint16_t)~0u));
#else
	vec n = {0};

	for (unsigned i = 0; i < ACL_NEAR; i += VEC_LANES)
		n -= (vec)(vec_load(first + i) <= vec_all(a));
	return vec_total(n);
#endif
}

/* The last of the ranges `at` to `end` that begins at `a` or before: halved so many times, then
 * all that are left are looked at together. No jump depends on `a`. */
VEC_INLINE uint32_t search4(
	const uint32_t *first, uint32_t at, uint32_t end, unsigned steps, uint32_t a)
{
	while (steps--) {
		uint32_t next = at + (ACL_NEAR << steps);
		uint32_t see = next <= end ? next : at;

		at = first[see] <= a ? see : at;
	}
	at += rank_near(first + at + 1, a);
	return at <= end ? at : end; /* what is behind the last is as high as an address can be */
}

VEC_INLINE uint32_t search6(const struct ip6 *first, uint32_t n, struct ip6 a)
{
	const struct ip6 *p = first;

	while (n > 1) {
		uint32_t half = n / 2;
		bool before = (p[half].hi < a.hi) | ((p[half].hi == a.hi) & (p[half].lo <= a.lo));

		p = before ? p + half : p;
		n -= half;
	}
	return (uint32_t)(p - first);
}

VEC_INLINE const uint64_t *row_at(const struct acl *acl, uint32_t row)
{
	const uint64_t *p = (const uint64_t *)acl_at(acl, acl->rows) + row;

	__builtin_prefetch(p);
	return p;
}

VEC_INLINE void locate4(const struct acl *acl, enum acl_field field, const uint32_t *address,
	struct block *b, unsigned n)
{
	const struct acl_index *index = &acl->index[field];
	const uint16_t *root = acl_at(acl, index->root);
	const uint32_t *first = acl_at(acl, index->first), *row = acl_at(acl, index->row);

	for (unsigned i = 0; i < n; i++) {
		/* Two shifts, for a root of one part. */
		uint32_t top = address[i] >> 1 >> (index->shift - 1);
		uint32_t begin = root[top], end = root[top + 1];

		begin = search4(first, begin, end, index->steps, address[i]);
		b->row[i][field] = row_at(acl, row[begin]);
	}
}

VEC_INLINE void locate6(const struct acl *acl, enum acl_field field, const struct ip6 *address,
	struct block *b, unsigned n)
{
	const struct acl_index *index = &acl->index[field];
	const struct ip6 *first = acl_at(acl, index->first);
	const uint32_t *row = acl_at(acl, index->row);

	for (unsigned i = 0; i < n; i++)
		b->row[i][field] = row_at(acl, row[search6(first, index->ranges, address[i])]);
}

VEC_INLINE const uint64_t *locate_port(const struct acl *acl, enum acl_field field, uint32_t port)
{
	const uint32_t *page = acl_at(acl, acl->index[field].page);
	const uint32_t *row = acl_at(acl, acl->index[field].page - page[port >> ACL_PAGE_SHIFT]);

	return row_at(acl, row[port % ACL_PAGE]);
}

/* The words that a field leads to, of all packets of a block. */
struct work {
	unsigned n;
	struct {
		uint8_t packet, entry;
	} at[BLOCK * ACL_WORDS_MAX + 2];
};

/* Most packets have none to two: these are written in any case, and counted if they are there. */
VEC_INLINE void find_work(
	const struct acl *acl, const struct block *b, struct work *work, unsigned field, unsigned n)
{
	unsigned k = 0, head = acl->index[field].summaries;

	for (unsigned i = 0; i < n; i++) {
		unsigned own = b->row[i][field][head] & ACL_OWN_MASK;

		for (unsigned e = 0; e < 2; e++) {
			work->at[k + e].packet = (uint8_t)i;
			work->at[k + e].entry = (uint8_t)e;
		}
		for (unsigned e = 2; e < own; e++) {
			work->at[k + e].packet = (uint8_t)i;
			work->at[k + e].entry = (uint8_t)e;
		}
		k += own;
	}
	work->n = k;
}

/* Word w, of a group before the field's own, of a packet's vector, with the rules that are in all
 * of that field. */
VEC_INLINE uint64_t word_of(const struct acl *acl, unsigned field, const uint64_t *row, unsigned w)
{
	const uint64_t *any = acl_at(acl, acl->index[field].any);
	uint64_t summary = row[w / 32];
	uint32_t there = (uint32_t)summary, bit = 1u << w % 32;
	uint32_t at = (uint32_t)(summary >> 32) + bits_in(there & (bit - 1));

	return (row[at] & -(uint64_t)((there & bit) != 0)) | any[w];
}

/* The rules that a field leads to. */
VEC_INLINE void match_field(const struct acl *acl, const struct block *b, unsigned field,
	unsigned fields, uint16_t *rule, unsigned n)
{
	const uint16_t *number = acl_at(acl, acl->number);
	const uint64_t *kinds = acl_at(acl, acl->kinds);
	unsigned head = acl->index[field].summaries;
	struct work work;

	find_work(acl, b, &work, field, n);
	for (unsigned k = 0; k < work.n; k++) {
		unsigned i = work.at[k].packet, e = work.at[k].entry;
		const uint64_t *row = b->row[i][field];
		unsigned w = ((const uint8_t *)(row + head + 1))[e];
		uint64_t common = row[(row[head] >> ACL_OWN_SHIFT) + e];

		common &= (kinds - (size_t)b->kind[i] * acl->words)[w];
		for (unsigned f = field + 1; f < fields; f++)
			common &= word_of(acl, f, b->row[i][f], w);
		uint16_t found =
			number[w * 64 + (unsigned)__builtin_ctzll(common | UINT64_C(1) << 63)];

		found = common ? found : ACL_NONE;
		rule[i] = found < rule[i] ? found : rule[i];
	}
}

VEC_INLINE void match_fields(
	const struct acl *acl, const struct block *b, unsigned fields, uint16_t *rule, unsigned n)
{
	match_field(acl, b, ACL_SRC, fields, rule, n);
	match_field(acl, b, ACL_DST, fields, rule, n);
	if (acl->index[ACL_DPORT].leads)
		match_field(acl, b, ACL_DPORT, fields, rule, n);
	if (fields > ACL_SPORT && acl->index[ACL_SPORT].leads)
		match_field(acl, b, ACL_SPORT, fields, rule, n);
}

VEC_INLINE void match(const struct acl *acl, const uint32_t *ports, const uint16_t *kind,
	struct block *b, uint16_t *rule, unsigned n)
{
	bool sports = acl->fields == ACL_FIELDS;
	const uint32_t *kind_at = acl_at(acl, acl->kind);

	for (unsigned i = 0; i < n; i++) {
		uint32_t of = kind_at[acl_wide_kind(kind[i], ports[i])];

		b->kind[i] = (uint16_t)of;
		rule[i] = (uint16_t)(of >> 16);
		b->row[i][ACL_DPORT] = locate_port(acl, ACL_DPORT, ports[i] & 0xffff);
		if (sports)
			b->row[i][ACL_SPORT] = locate_port(acl, ACL_SPORT, ports[i] >> 16);
	}
	if (sports)
		match_fields(acl, b, ACL_FIELDS, rule, n);
	else
		match_fields(acl, b, ACL_SPORT, rule, n);
}

void VEC_NAME(acl_lookup4)(const struct acl *acl, const uint32_t *src, const uint32_t *dst,
	const uint32_t *ports, const uint16_t *kind, uint16_t *rule, unsigned n)
{
	struct block b;

	for (unsigned i = 0, part; i < n; i += part) {
		part = n - i < BLOCK ? n - i : BLOCK;
		locate4(acl, ACL_SRC, src + i, &b, part);
		locate4(acl, ACL_DST, dst + i, &b, part);
		match(acl, ports + i, kind + i, &b, rule + i, part);
	}
}

void VEC_NAME(acl_lookup6)(const struct acl *acl, const struct ip6 *src, const struct ip6 *dst,
	const uint32_t *ports, const uint16_t *kind, uint16_t *rule, unsigned n)
{
	struct block b;

	for (unsigned i = 0, part; i < n; i += part) {
		part = n - i < BLOCK ? n - i : BLOCK;
		locate6(acl, ACL_SRC, src + i, &b, part);
		locate6(acl, ACL_DST, dst + i, &b, part);
		match(acl, ports + i, kind + i, &b, rule + i, part);
	}
}

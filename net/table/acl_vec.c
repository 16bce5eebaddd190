/*
 * The look-up of an access list; compiled once per form of x86-64 (lib/vec.h), for the
 * instruction that counts bits.
 *
 * A block of packets goes through the steps together, so that the loads of a step do not wait
 * for each other: the searches of all sources, then of all destinations, then the vectors.
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

/* The last of the ranges `at` to `end` that begins at `a` or before, found in so many steps. No
 * jump depends on `a`. */
VEC_INLINE uint32_t search4(
	const uint32_t *first, uint32_t at, uint32_t end, unsigned steps, uint32_t a)
{
	while (steps--) {
		uint32_t next = at + (1u << steps);
		uint32_t see = next <= end ? next : at;

		at = first[see] <= a ? see : at;
	}
	return at;
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
	const uint32_t *root = acl_at(acl, index->root), *first = acl_at(acl, index->first);
	const uint32_t *row = acl_at(acl, index->row);

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

/* The words that are to be looked at, of all packets of a block. */
struct work {
	unsigned n;
	struct {
		uint8_t packet, word;
	} at[BLOCK * ACL_WORDS_MAX];
};

/* A loop over them without jumps that are hard to foresee comes behind this one, which has some. */
VEC_INLINE void find_work(const struct acl *acl, const struct block *b, struct work *work,
	unsigned fields, unsigned n)
{
	unsigned k = 0, summaries = (acl->words + 63) / 64;

	for (unsigned i = 0; i < n; i++) {
		for (unsigned s = 0; s < summaries; s++) {
			uint64_t maybe = ~UINT64_C(0);

			for (unsigned f = 0; f < fields; f++)
				maybe &= b->row[i][f][1 + s] | acl->index[f].any_summary[s];
			for (; maybe; maybe &= maybe - 1, k++) {
				work->at[k].packet = (uint8_t)i;
				work->at[k].word =
					(uint8_t)(s * 64 + (unsigned)__builtin_ctzll(maybe));
			}
		}
	}
	work->n = k;
}

/* Word w of a packet's vector of a field, with the rules that are in all of that field. */
VEC_INLINE uint64_t word_of(
	const struct acl *acl, unsigned field, const uint64_t *const *rows, unsigned w)
{
	const uint64_t *row = rows[field], *any = acl_at(acl, acl->index[field].any);
	unsigned s = w / 64;
	uint64_t summary = row[1 + s], bit = UINT64_C(1) << w % 64;
	unsigned at = (unsigned)(row[0] >> 16 * s & 0xffff) + bits_in(summary & (bit - 1));

	return (row[at] & -(uint64_t)((summary & bit) != 0)) | any[w];
}

VEC_INLINE void match_fields(
	const struct acl *acl, const struct block *b, unsigned fields, uint16_t *rule, unsigned n)
{
	const uint16_t *number = acl_at(acl, acl->number);
	const uint64_t *kinds = acl_at(acl, acl->kinds);
	struct work work;

	find_work(acl, b, &work, fields, n);
	for (unsigned i = 0; i < n; i++)
		rule[i] = ACL_NONE;
	for (unsigned k = 0; k < work.n; k++) {
		unsigned i = work.at[k].packet, w = work.at[k].word;
		uint64_t common = (kinds - (size_t)b->kind[i] * acl->words)[w];

		for (unsigned f = 0; f < fields; f++)
			common &= word_of(acl, f, b->row[i], w);
		uint16_t found =
			number[w * 64 + (unsigned)__builtin_ctzll(common | UINT64_C(1) << 63)];

		found = common ? found : ACL_NONE;
		rule[i] = found < rule[i] ? found : rule[i];
	}
}

VEC_INLINE void match(const struct acl *acl, const uint32_t *ports, const uint16_t *kind,
	struct block *b, uint16_t *rule, unsigned n)
{
	bool sports = acl->fields == ACL_FIELDS;

	const uint16_t *kind_class = acl_at(acl, acl->kind_class);

	for (unsigned i = 0; i < n; i++) {
		b->kind[i] = kind_class[acl_wide_kind(kind[i], ports[i])];
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

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

/* The last of n ranges, n >= 1, that begins at `a` or before. No jump depends on `a`. */
VEC_INLINE uint32_t search4(const uint32_t *first, uint32_t n, uint32_t a)
{
	const uint32_t *p = first;

	while (n > 1) {
		uint32_t half = n / 2;

		p = p[half] <= a ? p + half : p;
		n -= half;
	}
	return (uint32_t)(p - first);
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

		begin += search4(first + begin, end - begin + 1, address[i]);
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

VEC_INLINE const uint64_t *locate_small(const struct acl *acl, enum acl_field field, uint32_t value)
{
	const uint32_t *page = acl_at(acl, acl->index[field].page);
	const uint32_t *row = acl_at(acl, acl->index[field].page - page[value >> ACL_PAGE_SHIFT]);

	return row_at(acl, row[value % ACL_PAGE]);
}

/* How many words of a vector are stored before word w of summary s. */
VEC_INLINE unsigned words_before(const uint64_t *row, unsigned s, unsigned w)
{
	unsigned n = bits_in(row[s] & ((UINT64_C(1) << w) - 1));

	while (s--)
		n += bits_in(row[s]);
	return n;
}

/* The first rule whose bit all vectors have. */
VEC_INLINE uint16_t first_common(const struct acl *acl, const uint64_t *const *row)
{
	unsigned summaries = acl->summaries;

	for (unsigned s = 0; s < summaries; s++) {
		uint64_t maybe = row[0][s] & row[1][s] & row[2][s] & row[3][s] & row[4][s];

		for (; maybe; maybe &= maybe - 1) {
			unsigned w = (unsigned)__builtin_ctzll(maybe);
			uint64_t common = ~UINT64_C(0);

			for (unsigned f = 0; f < ACL_FIELDS; f++)
				common &= row[f][summaries + words_before(row[f], s, w)];
			if (common) {
				const uint16_t *number = acl_at(acl, acl->number);

				return number[(s * 64 + w) * 64 +
					      (unsigned)__builtin_ctzll(common)];
			}
		}
	}
	return ACL_NONE;
}

VEC_INLINE void match(const struct acl *acl, const uint32_t *ports, const uint16_t *kind,
	struct block *b, uint16_t *rule, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		b->row[i][ACL_SPORT] = locate_small(acl, ACL_SPORT, ports[i] >> 16);
		b->row[i][ACL_DPORT] = locate_small(acl, ACL_DPORT, ports[i] & 0xffff);
		b->row[i][ACL_KIND] = locate_small(acl, ACL_KIND, kind[i]);
	}
	for (unsigned i = 0; i < n; i++)
		rule[i] = first_common(acl, b->row[i]);
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

/* How the look-up of an access list finds the vector of a value, field by field. */
#include <string.h>

#include "net/table/acl_build.h"

/* IPv4: as many parts as ranges, for which a comparison or two are left. */
static unsigned root_bits(uint32_t ranges)
{
	unsigned bits = 1;

	while (bits < ACL_ROOT_BITS && ranges >> bits)
		bits++;
	return bits;
}

static void root_write(const struct acl_build *b, uint16_t *root, unsigned bits)
{
	uint32_t range = 0;

	for (uint32_t top = 0; top < 1u << bits; top++) {
		while (range + 1 < b->n && b->key[range + 1].address.lo <= (uint64_t)top
										   << (32 - bits))
			range++;
		root[top] = (uint16_t)range;
	}
	root[1u << bits] = (uint16_t)(b->n - 1);
}

/* How often the ranges of the greatest part are halved. */
static uint32_t root_steps(const uint16_t *root, unsigned bits)
{
	uint32_t most = 0, steps = 0;

	for (uint32_t t = 0; t < 1u << bits; t++)
		if ((uint32_t)(root[t + 1] - root[t]) > most)
			most = root[t + 1] - root[t];
	while (ACL_NEAR << steps <= most)
		steps++;
	return steps;
}

static enum err index_addresses4(struct acl_build *b)
{
	struct acl_index *index = &b->acl->index[b->field];
	unsigned bits = root_bits(b->n);
	char *mem = (char *)b->acl;
	uint32_t *first;

	index->shift = 32 - bits;
	index->first = acl_claim(b, (b->n + ACL_NEAR) * sizeof *first);
	index->root = index->first ? acl_claim(b, ((1u << bits) + 1) * sizeof(uint16_t)) : 0;
	if (!index->root)
		return ERR_FULL;
	first = (uint32_t *)(mem + index->first);
	for (uint32_t i = 0; i < b->n; i++)
		first[i] = (uint32_t)b->key[i].address.lo;
	memset(first + b->n, 0xff, ACL_NEAR * sizeof *first);
	root_write(b, (uint16_t *)(mem + index->root), bits);
	index->steps = root_steps((uint16_t *)(mem + index->root), bits);
	return ERR_OK;
}

static enum err index_addresses6(struct acl_build *b)
{
	struct acl_index *index = &b->acl->index[b->field];
	struct ip6 *first;

	index->first = acl_claim(b, b->n * sizeof *first);
	if (!index->first)
		return ERR_FULL;
	first = (struct ip6 *)((char *)b->acl + index->first);
	for (uint32_t i = 0; i < b->n; i++)
		first[i] = b->key[i].address;
	return ERR_OK;
}

static enum err index_addresses(struct acl_build *b)
{
	struct acl_index *index = &b->acl->index[b->field];

	index->ranges = b->n;
	index->row = acl_claim(b, b->n * sizeof(uint32_t));
	if (!index->row)
		return ERR_FULL;
	memcpy((char *)b->acl + index->row, b->range_row, b->n * sizeof(uint32_t));
	return b->family == 4 ? index_addresses4(b) : index_addresses6(b);
}

/* Pages in a row that lie in one range with the same vector are one page. */
static enum err index_ports(struct acl_build *b)
{
	struct acl_index *index = &b->acl->index[b->field];
	char *mem = (char *)b->acl;
	uint32_t range = 0, last_row = ACL_NO_ROW, last = 0, *page;

	index->page = acl_claim(b, ACL_PAGES * sizeof(uint32_t));
	if (!index->page)
		return ERR_FULL;
	page = (uint32_t *)(mem + index->page);
	for (uint32_t p = 0; p < ACL_PAGES; p++) {
		uint32_t port = p << ACL_PAGE_SHIFT, *row;

		while (range + 1 < b->n && b->key[range + 1].address.lo <= port)
			range++;
		bool one = range + 1 == b->n || b->key[range + 1].address.lo >= port + ACL_PAGE;

		if (!one || b->range_row[range] != last_row) {
			last = acl_claim(b, ACL_PAGE * sizeof(uint32_t));
			if (!last)
				return ERR_FULL;
			last_row = one ? b->range_row[range] : ACL_NO_ROW;
			row = (uint32_t *)(mem + last);
			for (uint32_t i = 0; i < ACL_PAGE; i++, port++) {
				if (range + 1 < b->n && b->key[range + 1].address.lo == port)
					range++;
				row[i] = b->range_row[range];
			}
		}
		page[p] = index->page - last; /* pages are claimed from above downwards */
	}
	return ERR_OK;
}

enum err acl_index_write(struct acl_build *b)
{
	if (b->field == ACL_SPORT || b->field == ACL_DPORT)
		return index_ports(b);
	return index_addresses(b);
}

/* The vectors of an access list for kinds of packets: all of them whole, since they are few. */
#include <string.h>

#include "net/table/acl_build.h"

#define PROTOCOLS 256u

static unsigned protocol_of(unsigned kind)
{
	return kind >> 1 & (PROTOCOLS - 1);
}

void acl_kinds_begin(struct acl_build *b)
{
	bool named[PROTOCOLS] = {false};

	for (uint32_t bit = 0; bit < b->numbers; bit++) {
		const struct acl_rule *r = acl_rule_of(b, bit);

		if (r && !r->any_protocol)
			named[r->protocol] = true;
	}
	memcpy(b->protocol_named, named, sizeof named);
	for (b->protocol_other = 0; b->protocol_other < PROTOCOLS - 1 && named[b->protocol_other];)
		b->protocol_other++;
	b->kinds_n = 0;
}

/* Vector j of those stored; they are claimed from above downwards. */
static uint64_t *vector(const struct acl_build *b, uint32_t j)
{
	return (uint64_t *)((char *)b->acl + b->acl->kinds) - (size_t)j * b->acl->words;
}

static void fill_vector(struct acl_build *b, unsigned kind)
{
	memset(b->active, 0, sizeof b->active);
	for (uint32_t bit = 0; bit < acl_bits(b); bit++) {
		const struct acl_rule *r = acl_rule_of(b, bit);

		if (r)
			b->active[bit / 64] |= (uint64_t)acl_kind_matches(r, kind) << bit % 64;
	}
}

/* The first rule that asks for a kind only. */
static uint16_t first_of_kind(const struct acl_build *b, unsigned kind)
{
	uint16_t first = ACL_NONE;

	for (uint32_t i = acl_bits(b); i < b->numbers; i++)
		if (b->number[i] < first && acl_kind_matches(&b->rule[b->number[i]], kind))
			first = b->number[i];
	return first;
}

enum err acl_kinds_step(struct acl_build *b, unsigned kind)
{
	uint32_t *of = (uint32_t *)((char *)b->acl + b->acl->kind);
	size_t bytes = b->acl->words * sizeof *b->active;
	unsigned protocol = protocol_of(kind);
	uint32_t j, at;

	/* All protocols that no rule names are as one of them, which came before. */
	if (!b->protocol_named[protocol] && protocol != b->protocol_other) {
		of[kind] = of[kind - (protocol - b->protocol_other) * 2];
		return ERR_OK;
	}
	fill_vector(b, kind);
	for (j = 0; j < b->kinds_n && memcmp(vector(b, j), b->active, bytes) != 0;)
		j++;
	if (j == b->kinds_n) {
		at = acl_claim(b, bytes);
		if (!at)
			return ERR_FULL;
		if (j == 0)
			b->acl->kinds = at;
		memcpy(vector(b, j), b->active, bytes);
		b->kinds_n++;
	}
	of[kind] = j | (uint32_t)first_of_kind(b, kind) << 16;
	return ERR_OK;
}

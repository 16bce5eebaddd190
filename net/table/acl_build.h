/* The state of an access list that is being compiled; between the parts of the compiler. */
#ifndef NET_TABLE_ACL_BUILD_H
#define NET_TABLE_ACL_BUILD_H

#include "net/table/acl_table.h"

#define ACL_NO_ROW  UINT32_MAX
#define ACL_ROW_MAX (ACL_WORDS_MAX / 32 + 1 + ACL_WORDS_MAX / 8 + ACL_WORDS_MAX) /* words */

/* The values of a field that a rule is for. */
struct acl_range {
	struct ip6 first, last;
};

/* What is sorted: bounds of ranges, and rules. */
struct acl_key {
	uint64_t major;
	struct ip6 address;
	uint64_t minor;
};

/* The vectors stored, by a hash of what they have; open addressing. */
struct acl_stored {
	uint32_t hash;
	uint32_t row; /* ACL_NO_ROW: nothing here */
};

enum acl_phase { ACL_EACH_KIND, ACL_BOUNDS, ACL_HEAP, ACL_SORT, ACL_EVENTS, ACL_SWEEP, ACL_DONE };

struct acl_build {
	struct acl *acl; /* at mem */
	size_t bytes;    /* of mem */
	size_t begin;    /* from there on mem is claimed; below it are the vectors */
	const struct acl_rule *rule;
	unsigned family;
	uint32_t rules;   /* of the family */
	uint16_t *number; /* of each bit, ACL_NONE: nobody's; behind them those that have none */
	uint32_t numbers; /* how many those are together */
	uint32_t group[ACL_FIELDS + 1]; /* by field that leads to them: the first word; the last is
					   how many words there are */

	bool failed;
	enum acl_phase phase;
	unsigned field;      /* ACL_FIELDS: it is the rules that are sorted */
	uint32_t at;         /* how far the phase has come */
	uint32_t n;          /* keys */
	struct acl_key *key; /* at first all, later one of each: where ranges begin */
	uint32_t *on, *off;  /* by range: the first rule (bit) that begins there, ends before it */
	uint32_t *on_next, *off_next; /* by rule */
	uint32_t *range_row;          /* by range: its vector */

	uint64_t active[ACL_WORDS_MAX]; /* the vector of the range that the sweep is at, */
	uint64_t summary[ACL_SUMMARIES];
	uint32_t hash; /* of its rules */

	uint64_t made[ACL_ROW_MAX]; /* a vector */
	uint64_t *rows;             /* all vectors, */
	uint32_t rows_n;            /* in words */
	bool protocol_named[256];   /* by a rule */
	unsigned protocol_other;    /* one that none names, if there is one */
	uint32_t kinds_n;           /* vectors of kinds */
	struct acl_stored *stored;
	uint32_t stored_mask;
};

static inline uint32_t acl_bits(const struct acl_build *b)
{
	return b->group[ACL_FIELDS] * 64;
}

/* The rule of a bit, or NULL. */
static inline const struct acl_rule *acl_rule_of(const struct acl_build *b, uint32_t bit)
{
	return b->number[bit] == ACL_NONE ? NULL : &b->rule[b->number[bit]];
}

/* Room for `bytes` more of the list, above the vectors, which grow towards it. 0: there is none. */
uint32_t acl_claim(struct acl_build *b, size_t bytes);

/* ---- acl_order.c: the order of bits ---- */

/* The key of rule i of the list: in the order of groups; in them those with the same addresses, the
 * same port, come together. */
struct acl_key acl_rule_key(const struct acl_build *b, uint32_t i);
bool acl_key_less(const struct acl_key *a, const struct acl_key *b);
/* One step each of a heap sort of key[0..n). */
void acl_sift(struct acl_key *key, uint32_t at, uint32_t n);
void acl_take_greatest(struct acl_key *key, uint32_t n);

/* ---- acl_fields.c: what a rule says of a field ---- */

/* The first field that a rule does not leave open; or ACL_FIELDS. */
enum acl_field acl_leader(const struct acl_rule *r);
/* The values of b->field for which a rule matches, or a few more of ports. false: all. */
bool acl_range_of(const struct acl_build *b, const struct acl_rule *r, struct acl_range *range);
struct ip6 acl_field_last(const struct acl_build *b);
/* Whether a rule matches packets of a kind (acl_wide_kind), as far as that goes. */
bool acl_kind_matches(const struct acl_rule *r, unsigned kind);

/* ---- acl_kinds.c ---- */

/* The vectors of kinds: before the first, and for each, ACL_KINDS steps. */
void acl_kinds_begin(struct acl_build *b);
MUST_CHECK enum err acl_kinds_step(struct acl_build *b, unsigned kind);

/* ---- acl_index.c ---- */

/* How look-ups find the vectors of b->field. */
MUST_CHECK enum err acl_index_write(struct acl_build *b);

#endif

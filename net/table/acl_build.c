/*
 * Compiling an access list (acl.h), a slice at a time.
 *
 * First the rules are brought into the order of their bits. Then, field by field: the bounds of
 * all rules are sorted, a sweep over the ranges between them keeps the vector of the rules
 * that each is inside of, and each vector that is new is stored. Equal vectors are stored once,
 * whatever their field. Rules that match any value of a field are in none of its vectors but in a
 * word list of their own, which look-ups add: otherwise these rules would fill all of them.
 */
#include <string.h>

#include "net/table/acl_build.h"

/* ---- memory ---- */

static size_t part(size_t *total, size_t bytes)
{
	size_t at = *total;

	*total += (bytes + 63) & ~(size_t)63;
	return at;
}

/* Places of the hash: twice as many as there can be different vectors. */
static uint32_t stored_places(unsigned n)
{
	uint32_t places = 64;

	while (places < 2 * ACL_FIELDS * (2 * n + 1))
		places *= 2;
	return places;
}

struct scratch {
	size_t build, number, key, on, off, on_next, off_next, range_row, stored, total;
};

static struct scratch scratch_of(unsigned n)
{
	struct scratch s = {0};
	size_t *t = &s.total, ranges = 2 * (size_t)n + 1;

	s.build = part(t, sizeof(struct acl_build));
	s.number = part(t, n * sizeof(uint16_t));
	s.key = part(t, ranges * sizeof(struct acl_key));
	s.on = part(t, ranges * sizeof(uint32_t));
	s.off = part(t, ranges * sizeof(uint32_t));
	s.on_next = part(t, n * sizeof(uint32_t));
	s.off_next = part(t, n * sizeof(uint32_t));
	s.range_row = part(t, ranges * sizeof(uint32_t));
	s.stored = part(t, stored_places(n) * sizeof(struct acl_stored));
	return s;
}

size_t acl_scratch_bytes(unsigned n)
{
	return scratch_of(n).total;
}

/* Where the vectors end, and the word behind them that may be read. */
static size_t rows_end(const struct acl_build *b)
{
	return b->acl->rows + ((size_t)b->rows_n + 1) * sizeof *b->rows;
}

uint32_t acl_claim(struct acl_build *b, size_t bytes)
{
	bytes = (bytes + 63) & ~(size_t)63;
	if (b->begin < rows_end(b) || bytes > b->begin - rows_end(b))
		return 0;
	b->begin -= bytes;
	return (uint32_t)b->begin;
}

static void *at(void *mem, size_t offset)
{
	return (char *)mem + offset;
}

/* ---- vectors ---- */

static uint32_t hash_of(uint32_t bit)
{
	uint64_t x = (bit + 1) * 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
	return (uint32_t)(x >> 32);
}

/* A rule begins, or ends. */
static void toggle(struct acl_build *b, uint32_t bit)
{
	uint32_t w = bit / 64;

	b->active[w] ^= UINT64_C(1) << bit % 64;
	b->hash ^= hash_of(bit);
	b->summary[w / 64] &= ~(UINT64_C(1) << w % 64);
	b->summary[w / 64] |= (uint64_t)(b->active[w] != 0) << w % 64;
}

/* Where the words of each summary begin, 16 bits each. */
static uint64_t row_begins(const struct acl_build *b)
{
	uint64_t begins = 0;
	unsigned n = ACL_SUMMARIES + 1;

	for (unsigned s = 0; s < ACL_SUMMARIES; s++) {
		begins |= (uint64_t)n << 16 * s;
		n += (unsigned)__builtin_popcountll(b->summary[s]);
	}
	return begins;
}

/* Writes the sweep's vector to out, or with NULL counts: words. */
static uint32_t row_write(const struct acl_build *b, uint64_t *out)
{
	uint32_t n = ACL_SUMMARIES + 1;

	if (out) {
		out[0] = row_begins(b);
		memcpy(out + 1, b->summary, ACL_SUMMARIES * sizeof *out);
	}
	for (uint32_t s = 0; s < ACL_SUMMARIES; s++)
		for (uint64_t left = b->summary[s]; left; left &= left - 1, n++)
			if (out)
				out[n] = b->active[s * 64 + (unsigned)__builtin_ctzll(left)];
	return n;
}

static bool row_is(const struct acl_build *b, const uint64_t *row)
{
	uint32_t n = ACL_SUMMARIES + 1;

	if (memcmp(row + 1, b->summary, ACL_SUMMARIES * sizeof *row) != 0)
		return false;
	for (uint32_t s = 0; s < ACL_SUMMARIES; s++)
		for (uint64_t left = b->summary[s]; left; left &= left - 1, n++)
			if (row[n] != b->active[s * 64 + (unsigned)__builtin_ctzll(left)])
				return false;
	return true;
}

/* Stores the sweep's vector. One that fits a cache line lies in one. ACL_NO_ROW: no room. */
static uint32_t row_store(struct acl_build *b)
{
	uint32_t n = row_write(b, NULL), at = b->rows_n;

	if (n <= 8 && at % 8 + n > 8)
		at += 8 - at % 8;
	if (b->acl->rows + ((size_t)at + n + 1) * sizeof *b->rows > b->begin)
		return ACL_NO_ROW;
	row_write(b, b->rows + at);
	b->rows_n = at + n;
	return at;
}

/* The sweep's vector among those stored, or a new one. ACL_NO_ROW: no room. */
static uint32_t row_find(struct acl_build *b)
{
	for (uint32_t i = b->hash & b->stored_mask;; i = (i + 1) & b->stored_mask) {
		struct acl_stored *s = &b->stored[i];

		if (s->row == ACL_NO_ROW) {
			*s = (struct acl_stored){b->hash, row_store(b)};
			return s->row;
		}
		if (s->hash == b->hash && row_is(b, b->rows + s->row))
			return s->row;
	}
}

/* ---- the rules of a field ---- */

static void add_bound(struct acl_build *b, struct ip6 a)
{
	b->key[b->n++] = (struct acl_key){.address = a};
}

static void add_bounds(struct acl_build *b, uint32_t bit)
{
	struct acl_range range;

	if (!acl_range_of(b, bit, &range))
		return;
	add_bound(b, range.first);
	if (!ip6_equal(range.last, acl_field_last(b)))
		add_bound(b, ip6_next(range.last));
}

static void keep_different(struct acl_build *b)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < b->n; i++)
		if (i == 0 || !ip6_equal(b->key[i].address, b->key[kept - 1].address))
			b->key[kept++] = b->key[i];
	b->n = kept;
}

/* The range that begins at `a`; there is one. */
static uint32_t range_at(const struct acl_build *b, struct ip6 a)
{
	uint32_t low = 0, high = b->n;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (ip6_less(a, b->key[middle].address))
			high = middle;
		else
			low = middle;
	}
	return low;
}

static void add_any(struct acl_build *b, uint32_t bit)
{
	struct acl_index *index = &b->acl->index[b->field];
	uint64_t *any = at(b->acl, index->any);

	any[bit / 64] |= UINT64_C(1) << bit % 64;
	index->any_summary[bit / 64 / 64] |= UINT64_C(1) << bit / 64 % 64;
}

static void add_events(struct acl_build *b, uint32_t bit)
{
	struct acl_range range;
	uint32_t r;

	if (!acl_range_of(b, bit, &range)) {
		add_any(b, bit);
		return;
	}
	if (b->field == ACL_SPORT)
		b->acl->fields = ACL_FIELDS;
	r = range_at(b, range.first);
	b->on_next[bit] = b->on[r];
	b->on[r] = bit;
	if (ip6_equal(range.last, acl_field_last(b)))
		return;
	r = range_at(b, ip6_next(range.last));
	b->off_next[bit] = b->off[r];
	b->off[r] = bit;
}

static enum err sweep_range(struct acl_build *b, uint32_t range)
{
	for (uint32_t bit = b->off[range]; bit != ACL_NO_ROW; bit = b->off_next[bit])
		toggle(b, bit);
	for (uint32_t bit = b->on[range]; bit != ACL_NO_ROW; bit = b->on_next[bit])
		toggle(b, bit);
	b->range_row[range] = row_find(b);
	return b->range_row[range] == ACL_NO_ROW ? ERR_FULL : ERR_OK;
}

/* ---- phases ---- */

static void enter(struct acl_build *b, enum acl_phase phase, uint32_t from)
{
	b->phase = phase;
	b->at = from;
}

static enum err begin_field(struct acl_build *b, unsigned field)
{
	size_t bytes = b->acl->words * sizeof(uint64_t);
	uint32_t any = acl_claim(b, bytes);

	if (!any)
		return ERR_FULL;
	memset(at(b->acl, any), 0, bytes);
	b->acl->index[field].any = any;
	b->field = field;
	b->n = 0;
	add_bound(b, (struct ip6){0, 0});
	enter(b, ACL_BOUNDS, 0);
	return ERR_OK;
}

/* Gives the bits to the rules as sorted; within a word in the order of the list. */
static void number_bits(struct acl_build *b)
{
	for (uint32_t bit = 0; bit < b->rules; bit++) {
		uint16_t number = (uint16_t)b->key[bit].minor;
		uint32_t to = bit;

		for (; to % 64 && b->number[to - 1] > number; to--)
			b->number[to] = b->number[to - 1];
		b->number[to] = number;
	}
	memcpy(at(b->acl, b->acl->number), b->number, b->rules * sizeof *b->number);
}

/* The keys are in order. */
static enum err end_sort(struct acl_build *b)
{
	if (b->field < ACL_FIELDS) {
		keep_different(b);
		memset(b->on, 0xff, b->n * sizeof *b->on);
		memset(b->off, 0xff, b->n * sizeof *b->off);
		enter(b, ACL_EVENTS, 0);
		return ERR_OK;
	}
	number_bits(b);
	b->acl->kind_class = acl_claim(b, ACL_KINDS * sizeof(uint16_t));
	if (!b->acl->kind_class)
		return ERR_FULL;
	acl_kinds_begin(b);
	enter(b, ACL_EACH_KIND, 0);
	return ERR_OK;
}

static void begin_sweep(struct acl_build *b)
{
	memset(b->active, 0, sizeof b->active);
	memset(b->summary, 0, sizeof b->summary);
	b->hash = 0;
	enter(b, ACL_SWEEP, 0);
}

/* What was claimed is moved down to the vectors. */
static void close_gap(struct acl_build *b)
{
	uint32_t gap = (uint32_t)(b->begin - ((rows_end(b) + 63) & ~(size_t)63));
	char *mem = (char *)b->acl;

	memmove(mem + b->begin - gap, mem + b->begin, b->bytes - b->begin);
	b->acl->number -= gap;
	b->acl->kinds -= gap;
	b->acl->kind_class -= gap;
	for (unsigned f = 0; f < ACL_FIELDS; f++) {
		struct acl_index *index = &b->acl->index[f];

		index->any -= gap;
		index->root -= gap;
		index->first -= gap;
		index->row -= gap;
		index->page -= gap;
	}
	b->acl->bytes = (uint32_t)(b->bytes - gap);
}

static enum err end_field(struct acl_build *b)
{
	enum err err = acl_index_write(b);

	if (err)
		return err;
	if (b->field + 1 < ACL_FIELDS)
		return begin_field(b, b->field + 1);
	close_gap(b);
	enter(b, ACL_DONE, 0);
	return ERR_OK;
}

/* One step of the phase; the next phase when it is at its end. */
static enum err step(struct acl_build *b)
{
	switch (b->phase) {
	case ACL_EACH_KIND:
		if (b->at < ACL_KINDS)
			return acl_kinds_step(b, b->at++);
		return begin_field(b, 0);
	case ACL_BOUNDS:
		if (b->at < b->rules)
			add_bounds(b, b->at++);
		else
			enter(b, ACL_HEAP, b->n / 2);
		break;
	case ACL_HEAP:
		if (b->at)
			acl_sift(b->key, --b->at, b->n);
		else
			enter(b, ACL_SORT, b->n);
		break;
	case ACL_SORT:
		if (b->at <= 1)
			return end_sort(b);
		acl_take_greatest(b->key, b->at--);
		break;
	case ACL_EVENTS:
		if (b->at < b->rules)
			add_events(b, b->at++);
		else
			begin_sweep(b);
		break;
	case ACL_SWEEP:
		if (b->at == b->n)
			return end_field(b);
		return sweep_range(b, b->at++);
	case ACL_DONE:
		break;
	}
	return ERR_OK;
}

/* ---- from outside ---- */

/* The list's beginning. false: no room. */
static bool open_list(struct acl_build *b)
{
	size_t rows = (sizeof *b->acl + 63) & ~(size_t)63;

	if (b->bytes < rows || b->bytes > UINT32_MAX || b->rules > ACL_RULES_MAX)
		return false;
	*b->acl = (struct acl){.rows = (uint32_t)rows, .fields = ACL_SPORT};
	b->acl->words = b->rules ? (b->rules + 511) / 512 * 8 : 8;
	b->rows = at(b->acl, rows);
	b->begin = b->bytes;
	b->acl->number = acl_claim(b, (size_t)b->acl->words * 64 * sizeof *b->number);
	return b->acl->number != 0;
}

/* Finds the rules of the family, to be sorted. */
static void choose_rules(struct acl_build *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (b->rule[i].family == 0 || b->rule[i].family == b->family)
			b->key[b->n++] = acl_rule_key(b, i);
	b->rules = b->n;
	enter(b, ACL_HEAP, b->n / 2);
}

struct acl_build *acl_build_begin(void *scratch, void *mem, size_t bytes,
	const struct acl_rule *rule, unsigned n, unsigned family)
{
	struct scratch s = scratch_of(n);
	struct acl_build *b = scratch;

	*b = (struct acl_build){.acl = mem,
		.bytes = bytes & ~(size_t)63,
		.rule = rule,
		.family = family,
		.field = ACL_FIELDS,
		.number = at(scratch, s.number),
		.key = at(scratch, s.key),
		.on = at(scratch, s.on),
		.off = at(scratch, s.off),
		.on_next = at(scratch, s.on_next),
		.off_next = at(scratch, s.off_next),
		.range_row = at(scratch, s.range_row),
		.stored = at(scratch, s.stored),
		.stored_mask = stored_places(n) - 1};
	memset(b->stored, 0xff, (size_t)stored_places(n) * sizeof *b->stored);
	choose_rules(b, n);
	b->failed = !open_list(b);
	return b;
}

enum err acl_build_step(struct acl_build *b, unsigned steps, bool *done)
{
	enum err err = b->failed ? ERR_FULL : ERR_OK;

	while (!err && steps-- && b->phase != ACL_DONE)
		err = step(b);
	b->failed = err != ERR_OK;
	*done = b->phase == ACL_DONE;
	return err;
}

const struct acl *acl_build_end(const struct acl_build *b)
{
	return b->acl;
}

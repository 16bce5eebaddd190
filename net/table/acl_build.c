/*
 * Compiling an access list (acl.h), a slice at a time.
 *
 * First the rules are brought into the order of their bits. Then, field by field: the bounds of
 * all rules are sorted, a sweep over the ranges between them keeps the vector of the rules
 * that each is inside of, and each vector of a field that is new is stored.
 * Rules that match any value of a field are in none of its vectors but in a
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
	size_t bits = n + ACL_FIELDS * (size_t)64; /* a group's last word may not be full */

	s.build = part(t, sizeof(struct acl_build));
	s.number = part(t, bits * sizeof(uint16_t));
	s.key = part(t, ranges * sizeof(struct acl_key));
	s.on = part(t, ranges * sizeof(uint32_t));
	s.off = part(t, ranges * sizeof(uint32_t));
	s.on_next = part(t, bits * sizeof(uint32_t));
	s.off_next = part(t, bits * sizeof(uint32_t));
	s.range_row = part(t, ranges * sizeof(uint32_t));
	s.stored = part(t, stored_places(n) * sizeof(struct acl_stored));
	return s;
}

size_t acl_scratch_bytes(unsigned n)
{
	return scratch_of(n).total;
}

/* Where the vectors end, and the words behind them that may be read. */
static size_t rows_end(const struct acl_build *b)
{
	return b->acl->rows + ((size_t)b->rows_n + 2) * sizeof *b->rows;
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

/* The next word that is not zero, from w on; ACL_WORDS_MAX: none. */
static uint32_t next_word(const struct acl_build *b, uint32_t w)
{
	for (; w < ACL_WORDS_MAX; w = (w / 64 + 1) * 64) {
		uint64_t left = b->summary[w / 64] >> w % 64;

		if (left)
			return w + (uint32_t)__builtin_ctzll(left);
	}
	return ACL_WORDS_MAX;
}

/* Makes the sweep's vector, acl_table.h: words. */
static uint32_t row_make(struct acl_build *b)
{
	uint32_t own = b->group[b->field], head = b->acl->index[b->field].summaries, n = 0, w, at;
	uint64_t *row = b->made;

	for (w = next_word(b, own); w < ACL_WORDS_MAX; w = next_word(b, w + 1))
		n++;
	at = head + 1 + (n + 7) / 8;
	memset(row, 0, at * sizeof *row);
	row[head] = n | b->field << 16 | (uint64_t)at << ACL_OWN_SHIFT;
	uint8_t *which = (uint8_t *)(row + head + 1);

	for (w = next_word(b, own); w < ACL_WORDS_MAX; w = next_word(b, w + 1)) {
		*which++ = (uint8_t)w;
		row[at++] = b->active[w];
	}
	for (w = next_word(b, 0); w < own; w = next_word(b, w + 1)) {
		if (!row[w / 32])
			row[w / 32] = (uint64_t)at << 32;
		row[w / 32] |= UINT64_C(1) << w % 32;
		row[at++] = b->active[w];
	}
	return at;
}

/* Stores the vector made. One that fits a cache line lies in one. ACL_NO_ROW: no room. */
static uint32_t row_store(struct acl_build *b, uint32_t n)
{
	uint32_t at = b->rows_n;

	if (n <= 8 && at % 8 + n > 8)
		for (; at % 8; at++)
			if (b->acl->rows + (at + 1ull) * sizeof *b->rows <= b->begin)
				b->rows[at] = 0;
	if (b->acl->rows + ((size_t)at + n + 2) * sizeof *b->rows > b->begin)
		return ACL_NO_ROW;
	memcpy(b->rows + at, b->made, n * sizeof *b->made);
	b->rows_n = at + n;
	return at;
}

/* The sweep's vector among those stored, or a new one. ACL_NO_ROW: no room. */
static uint32_t row_find(struct acl_build *b)
{
	uint32_t n = row_make(b), hash = b->hash ^ hash_of(b->field);

	for (uint32_t i = hash & b->stored_mask;; i = (i + 1) & b->stored_mask) {
		struct acl_stored *s = &b->stored[i];

		if (s->row == ACL_NO_ROW) {
			*s = (struct acl_stored){hash, row_store(b, n)};
			return s->row;
		}
		if (s->hash == hash && s->row + n <= b->rows_n &&
			!memcmp(b->rows + s->row, b->made, n * sizeof *b->made))
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
	const struct acl_rule *rule = acl_rule_of(b, bit);
	struct acl_range range;

	if (!rule || !acl_range_of(b, rule, &range))
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
	uint64_t *any = at(b->acl, b->acl->index[b->field].any);

	any[bit / 64] |= UINT64_C(1) << bit % 64;
}

static void add_events(struct acl_build *b, uint32_t bit)
{
	const struct acl_rule *rule = acl_rule_of(b, bit);
	struct acl_range range;
	uint32_t r;

	if (!rule)
		return;
	if (!acl_range_of(b, rule, &range)) {
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
	b->acl->index[field].summaries = (b->group[field] + 31) / 32;
	b->acl->index[field].leads = b->group[field + 1] - b->group[field];
	b->field = field;
	b->n = 0;
	add_bound(b, (struct ip6){0, 0});
	enter(b, ACL_BOUNDS, 0);
	return ERR_OK;
}

/* Gives the bits to the rules as sorted; within a word in the order of the list. */
static void number_bits(struct acl_build *b)
{
	uint32_t bit = 0;

	memset(b->number, 0xff, acl_bits(b) * sizeof *b->number);
	for (uint32_t i = 0, leader = 0; i < b->rules; i++, bit++) {
		uint16_t number = (uint16_t)b->key[i].minor;
		uint32_t to;

		for (; leader < b->key[i].major; leader++)
			bit = b->group[leader + 1] * 64;
		for (to = bit; to % 64 && b->number[to - 1] > number; to--)
			b->number[to] = b->number[to - 1];
		b->number[to] = number;
	}
	b->numbers = bit > acl_bits(b) ? bit : acl_bits(b);
	memcpy(at(b->acl, b->acl->number), b->number, acl_bits(b) * sizeof *b->number);
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
	b->acl->kind = acl_claim(b, ACL_KINDS * sizeof(uint32_t));
	if (!b->acl->kind)
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
	b->acl->kind -= gap;
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
		if (b->at < acl_bits(b))
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
		if (b->at < acl_bits(b))
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

	if (b->bytes < rows || b->bytes > UINT32_MAX || b->group[ACL_FIELDS] > ACL_WORDS_MAX)
		return false;
	*b->acl = (struct acl){.rows = (uint32_t)rows, .fields = ACL_SPORT};
	b->acl->words = b->group[ACL_FIELDS] ? (b->group[ACL_FIELDS] + 7) / 8 * 8 : 8;
	b->rows = at(b->acl, rows);
	b->begin = b->bytes;
	b->acl->number = acl_claim(b, (size_t)b->acl->words * 64 * sizeof *b->number);
	return b->acl->number != 0;
}

/* Finds the rules of the family, to be sorted, and how many words each group has. */
static void choose_rules(struct acl_build *b, unsigned n)
{
	uint32_t led[ACL_FIELDS + 1] = {0};

	for (unsigned i = 0; i < n; i++)
		if (b->rule[i].family == 0 || b->rule[i].family == b->family) {
			b->key[b->n] = acl_rule_key(b, i);
			led[b->key[b->n++].major]++;
		}
	for (unsigned f = 0; f < ACL_FIELDS; f++)
		b->group[f + 1] = b->group[f] + (led[f] + 63) / 64;
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

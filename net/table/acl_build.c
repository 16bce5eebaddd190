/*
 * Compiling an access list (acl.h), a slice at a time.
 *
 * Field by field: the bounds of all rules are sorted, a sweep over the ranges between them keeps
 * the vector of the rules that each is inside of, and each vector that is new is stored. Equal
 * vectors are stored once, whatever their field.
 */
#include <string.h>

#include "net/table/acl_table.h"

#define NONE   UINT32_MAX
#define RANGES 2u /* of a rule in one field, at most */

enum phase { BOUNDS, HEAP, SORT, UNIQUE, EVENTS, SWEEP, INDEX, DONE };

/* The vectors stored, by a hash of what they have; open addressing. */
struct stored {
	uint32_t hash;
	uint32_t row; /* NONE: nothing here */
};

struct acl_build {
	struct acl *acl; /* at mem */
	size_t bytes;    /* of mem */
	size_t begin;    /* from there on mem is claimed; below it are the vectors */
	const struct acl_rule *rule;
	unsigned family;
	uint32_t rules; /* of the family */
	uint16_t *number;

	bool failed;
	enum phase phase;
	unsigned field;
	uint32_t at;      /* how far the phase has come */
	uint32_t n, kept; /* bounds; how many of them are different */
	struct ip6 *bound;
	uint32_t *on, *off; /* by range: the first event there: a rule begins, ends before it */
	uint32_t *on_next, *off_next; /* by event */
	uint32_t *range_row;          /* by range */

	uint64_t active[ACL_RULES_MAX / 64]; /* the vector of the range that the sweep is at, */
	uint64_t summary[ACL_SUMMARIES];
	uint32_t hash; /* of its rules */

	uint64_t *rows;  /* all vectors, */
	uint32_t rows_n; /* in words */
	struct stored *stored;
	uint32_t stored_mask;
};

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
	size_t build, number, bound, on, off, on_next, off_next, range_row, stored, total;
};

static struct scratch scratch_of(unsigned n)
{
	struct scratch s = {0};
	size_t *t = &s.total, events = RANGES * (size_t)n, ranges = 2 * events + 1;

	s.build = part(t, sizeof(struct acl_build));
	s.number = part(t, n * sizeof(uint16_t));
	s.bound = part(t, ranges * sizeof(struct ip6));
	s.on = part(t, ranges * sizeof(uint32_t));
	s.off = part(t, ranges * sizeof(uint32_t));
	s.on_next = part(t, events * sizeof(uint32_t));
	s.off_next = part(t, events * sizeof(uint32_t));
	s.range_row = part(t, ranges * sizeof(uint32_t));
	s.stored = part(t, stored_places(n) * sizeof(struct stored));
	return s;
}

size_t acl_scratch_bytes(unsigned n)
{
	return scratch_of(n).total;
}

/* Room for `bytes` more of the list, above the vectors, which grow towards it. 0: there is none. */
static uint32_t claim(struct acl_build *b, size_t bytes)
{
	size_t rows_end = b->acl->rows + (size_t)b->rows_n * sizeof *b->rows;

	bytes = (bytes + 63) & ~(size_t)63;
	if (bytes > b->begin - rows_end)
		return 0;
	b->begin -= bytes;
	return (uint32_t)b->begin;
}

/* ---- rules ---- */

static bool is_small(unsigned field)
{
	return field >= ACL_SPORT;
}

struct range {
	struct ip6 first, last;
};

static struct range address_range(const struct acl_build *b, const struct acl_rule *r)
{
	struct ip6 a = b->field == ACL_SRC ? r->from : r->to;
	unsigned length = b->field == ACL_SRC ? r->from_length : r->to_length;

	if (b->family == 4) {
		a.hi = 0;
		a.lo &= UINT32_MAX;
		length += 96;
	}
	return (struct range){ip6_first(a, length), ip6_last(a, length)};
}

/* Kinds as acl_kind has them: protocols in order, with ports and without, in either half. */
static unsigned kind_ranges(const struct acl_rule *r, struct range *range)
{
	uint16_t low = acl_kind(r->any_protocol ? 0 : r->protocol, false, false);
	uint16_t high = acl_kind(r->any_protocol ? 255 : r->protocol, !r->ports, false);
	uint16_t half = acl_kind(0, false, true);

	range[0] = (struct range){{0, low}, {0, high}};
	range[1] = (struct range){{0, half + low}, {0, half + high}};
	if (!r->established)
		return 2;
	range[0] = range[1];
	return 1;
}

/* The values of a field that the rule with this bit is for: up to two ranges, how many. */
static unsigned rule_ranges(const struct acl_build *b, uint32_t bit, struct range *range)
{
	const struct acl_rule *r = &b->rule[b->number[bit]];
	const uint16_t *port = b->field == ACL_SPORT ? r->from_port : r->to_port;

	if (b->field == ACL_KIND)
		return kind_ranges(r, range);
	if (!is_small(b->field))
		*range = address_range(b, r);
	else if (r->ports)
		*range = (struct range){{0, port[0]}, {0, port[1]}};
	else
		*range = (struct range){{0, 0}, {0, 65535}};
	return ip6_less(range->last, range->first) ? 0 : 1;
}

/* The greatest value of the field. */
static struct ip6 field_last(const struct acl_build *b)
{
	if (is_small(b->field))
		return (struct ip6){0, 65535};
	return b->family == 4 ? (struct ip6){0, UINT32_MAX} : (struct ip6){~0ull, ~0ull};
}

/* ---- bounds: where ranges begin, sorted, one of each ---- */

static void add_bounds(struct acl_build *b, uint32_t bit)
{
	struct range range[RANGES];
	unsigned n = rule_ranges(b, bit, range);

	for (unsigned i = 0; i < n; i++) {
		b->bound[b->n++] = range[i].first;
		if (!ip6_equal(range[i].last, field_last(b)))
			b->bound[b->n++] = ip6_next(range[i].last);
	}
}

/* Heap sort: the element at `at` goes down to where no child is greater, of n. */
static void sift(struct ip6 *heap, uint32_t at, uint32_t n)
{
	struct ip6 moved = heap[at];

	for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && ip6_less(heap[child], heap[child + 1]))
			child++;
		if (!ip6_less(moved, heap[child]))
			break;
		heap[at] = heap[child];
	}
	heap[at] = moved;
}

/* Takes the greatest of the first n off the heap. */
static void sort_one(struct ip6 *heap, uint32_t n)
{
	struct ip6 greatest = heap[0];

	heap[0] = heap[n - 1];
	heap[n - 1] = greatest;
	sift(heap, 0, n - 1);
}

/* The range that begins at `a`; there is one. */
static uint32_t range_of(const struct acl_build *b, struct ip6 a)
{
	uint32_t low = 0, high = b->n;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (ip6_less(a, b->bound[middle]))
			high = middle;
		else
			low = middle;
	}
	return low;
}

/* An event is a range of a rule: bit * RANGES + its number. */
static void add_events(struct acl_build *b, uint32_t bit)
{
	struct range range[RANGES];
	unsigned n = rule_ranges(b, bit, range);

	for (unsigned i = 0; i < n; i++) {
		uint32_t event = bit * RANGES + i, at = range_of(b, range[i].first);

		b->on_next[event] = b->on[at];
		b->on[at] = event;
		if (ip6_equal(range[i].last, field_last(b)))
			continue;
		at = range_of(b, ip6_next(range[i].last));
		b->off_next[event] = b->off[at];
		b->off[at] = event;
	}
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

/* Writes the sweep's vector to out, or with NULL counts: words. */
static uint32_t row_write(const struct acl_build *b, uint64_t *out)
{
	uint32_t n = b->acl->summaries;

	if (out)
		memcpy(out, b->summary, n * sizeof *out);
	for (uint32_t s = 0; s < b->acl->summaries; s++)
		for (uint64_t left = b->summary[s]; left; left &= left - 1, n++)
			if (out)
				out[n] = b->active[s * 64 + (unsigned)__builtin_ctzll(left)];
	return n;
}

static bool row_is(const struct acl_build *b, const uint64_t *row)
{
	uint32_t n = b->acl->summaries;

	if (memcmp(row, b->summary, n * sizeof *row) != 0)
		return false;
	for (uint32_t s = 0; s < b->acl->summaries; s++)
		for (uint64_t left = b->summary[s]; left; left &= left - 1, n++)
			if (row[n] != b->active[s * 64 + (unsigned)__builtin_ctzll(left)])
				return false;
	return true;
}

/* Stores the sweep's vector. One that fits a cache line lies in one. NONE: no room. */
static uint32_t row_store(struct acl_build *b)
{
	uint32_t n = row_write(b, NULL), at = b->rows_n;

	if (n <= 8 && at % 8 + n > 8)
		at += 8 - at % 8;
	if (b->acl->rows + ((size_t)at + n) * sizeof *b->rows > b->begin)
		return NONE;
	row_write(b, b->rows + at);
	b->rows_n = at + n;
	return at;
}

/* The sweep's vector among those stored, or a new one. NONE: no room. */
static uint32_t row_find(struct acl_build *b)
{
	for (uint32_t i = b->hash & b->stored_mask;; i = (i + 1) & b->stored_mask) {
		struct stored *s = &b->stored[i];

		if (s->row == NONE) {
			*s = (struct stored){b->hash, row_store(b)};
			return s->row;
		}
		if (s->hash == b->hash && row_is(b, b->rows + s->row))
			return s->row;
	}
}

static enum err sweep_range(struct acl_build *b, uint32_t range)
{
	for (uint32_t event = b->off[range]; event != NONE; event = b->off_next[event])
		toggle(b, event / RANGES);
	for (uint32_t event = b->on[range]; event != NONE; event = b->on_next[event])
		toggle(b, event / RANGES);
	b->range_row[range] = row_find(b);
	return b->range_row[range] == NONE ? ERR_FULL : ERR_OK;
}

/* ---- what look-ups find the vectors by ---- */

/* IPv4: as many parts as a quarter of the ranges, for which two or three comparisons are left. */
static unsigned root_bits(uint32_t ranges)
{
	unsigned bits = 1;

	while (bits < ACL_ROOT_BITS && ranges >> (bits + 2))
		bits++;
	return bits;
}

static void root_write(const struct acl_build *b, uint32_t *root, unsigned bits)
{
	uint32_t range = 0;

	for (uint32_t top = 0; top < 1u << bits; top++) {
		while (range + 1 < b->n && b->bound[range + 1].lo <= (uint64_t)top << (32 - bits))
			range++;
		root[top] = range;
	}
	root[1u << bits] = b->n - 1;
}

static enum err index_addresses(struct acl_build *b)
{
	struct acl_index *index = &b->acl->index[b->field];
	unsigned bits = root_bits(b->n);
	bool four = b->family == 4;
	size_t each = four ? sizeof(uint32_t) : sizeof(struct ip6);
	char *mem = (char *)b->acl;

	*index = (struct acl_index){.ranges = b->n, .shift = 32 - bits};
	index->row = claim(b, b->n * sizeof(uint32_t));
	index->first = index->row ? claim(b, b->n * each) : 0;
	if (!index->first)
		return ERR_FULL;
	memcpy(mem + index->row, b->range_row, b->n * sizeof(uint32_t));
	if (!four) {
		memcpy(mem + index->first, b->bound, b->n * sizeof(struct ip6));
		return ERR_OK;
	}
	for (uint32_t i = 0; i < b->n; i++)
		((uint32_t *)(mem + index->first))[i] = (uint32_t)b->bound[i].lo;
	index->root = claim(b, ((1u << bits) + 1) * sizeof(uint32_t));
	if (!index->root)
		return ERR_FULL;
	root_write(b, (uint32_t *)(mem + index->root), bits);
	return ERR_OK;
}

/* Pages in a row that lie in one range with the same vector are one page. */
static enum err index_small(struct acl_build *b)
{
	struct acl_index *index = &b->acl->index[b->field];
	char *mem = (char *)b->acl;
	uint32_t range = 0, last_row = NONE, last = 0, *page;

	*index = (struct acl_index){.page = claim(b, ACL_PAGES * sizeof(uint32_t))};
	if (!index->page)
		return ERR_FULL;
	page = (uint32_t *)(mem + index->page);
	for (uint32_t p = 0; p < ACL_PAGES; p++) {
		uint32_t value = p << ACL_PAGE_SHIFT, *row;

		while (range + 1 < b->n && b->bound[range + 1].lo <= value)
			range++;
		bool one = range + 1 == b->n || b->bound[range + 1].lo >= value + ACL_PAGE;

		if (!one || b->range_row[range] != last_row) {
			last = claim(b, ACL_PAGE * sizeof(uint32_t));
			if (!last)
				return ERR_FULL;
			last_row = one ? b->range_row[range] : NONE;
			row = (uint32_t *)(mem + last);
			for (uint32_t i = 0; i < ACL_PAGE; i++, value++) {
				if (range + 1 < b->n && b->bound[range + 1].lo == value)
					range++;
				row[i] = b->range_row[range];
			}
		}
		page[p] = index->page - last; /* pages are claimed from above downwards */
	}
	return ERR_OK;
}

/* What was claimed is moved down to the vectors. */
static void close_gap(struct acl_build *b)
{
	size_t rows_end = b->acl->rows + (size_t)b->rows_n * sizeof *b->rows;
	uint32_t gap = (uint32_t)(b->begin - ((rows_end + 63) & ~(size_t)63));
	char *mem = (char *)b->acl;

	memmove(mem + b->begin - gap, mem + b->begin, b->bytes - b->begin);
	b->acl->number -= gap;
	for (unsigned f = 0; f < ACL_FIELDS; f++) {
		struct acl_index *index = &b->acl->index[f];

		index->root -= gap;
		index->first -= gap;
		index->row -= gap;
		index->page -= gap;
	}
	b->acl->bytes = (uint32_t)(b->bytes - gap);
}

/* ---- phases ---- */

static void enter(struct acl_build *b, enum phase phase, uint32_t at)
{
	b->phase = phase;
	b->at = at;
}

static void begin_field(struct acl_build *b, unsigned field)
{
	b->field = field;
	b->n = 0;
	b->bound[b->n++] = (struct ip6){0, 0};
	enter(b, BOUNDS, 0);
}

static void begin_events(struct acl_build *b)
{
	b->n = b->kept;
	memset(b->on, 0xff, b->n * sizeof *b->on);
	memset(b->off, 0xff, b->n * sizeof *b->off);
	enter(b, EVENTS, 0);
}

static void begin_sweep(struct acl_build *b)
{
	memset(b->active, 0, sizeof b->active);
	memset(b->summary, 0, sizeof b->summary);
	b->hash = 0;
	enter(b, SWEEP, 0);
}

static enum err write_index(struct acl_build *b)
{
	enum err err = is_small(b->field) ? index_small(b) : index_addresses(b);

	if (err)
		return err;
	if (b->field + 1 < ACL_FIELDS) {
		begin_field(b, b->field + 1);
	} else {
		close_gap(b);
		enter(b, DONE, 0);
	}
	return ERR_OK;
}

static void keep_different(struct acl_build *b)
{
	if (b->at == 0 || !ip6_equal(b->bound[b->at], b->bound[b->kept - 1]))
		b->bound[b->kept++] = b->bound[b->at];
	b->at++;
}

/* One step of the phase; the next phase when it is at its end. */
static enum err step(struct acl_build *b)
{
	switch (b->phase) {
	case BOUNDS:
		if (b->at < b->rules)
			add_bounds(b, b->at++);
		else
			enter(b, HEAP, b->n / 2);
		break;
	case HEAP:
		if (b->at)
			sift(b->bound, --b->at, b->n);
		else
			enter(b, SORT, b->n);
		break;
	case SORT:
		if (b->at > 1) {
			sort_one(b->bound, b->at--);
		} else {
			b->kept = 0;
			enter(b, UNIQUE, 0);
		}
		break;
	case UNIQUE:
		if (b->at < b->n)
			keep_different(b);
		else
			begin_events(b);
		break;
	case EVENTS:
		if (b->at < b->rules)
			add_events(b, b->at++);
		else
			begin_sweep(b);
		break;
	case SWEEP:
		if (b->at < b->n)
			return sweep_range(b, b->at++);
		enter(b, INDEX, 0);
		break;
	case INDEX:
		return write_index(b);
	case DONE:
		break;
	}
	return ERR_OK;
}

/* ---- from outside ---- */

static void *at(void *mem, size_t offset)
{
	return (char *)mem + offset;
}

/* The list's beginning, and the numbers of its rules. false: no room. */
static bool open_list(struct acl_build *b)
{
	size_t rows = (sizeof *b->acl + 63) & ~(size_t)63;

	if (b->bytes < rows || b->bytes > UINT32_MAX)
		return false;
	*b->acl = (struct acl){.rows = (uint32_t)rows};
	b->acl->summaries = b->rules ? (b->rules + 64 * 64 - 1) / (64 * 64) : 1;
	b->rows = at(b->acl, rows);
	b->begin = b->bytes;
	b->acl->number = claim(b, (size_t)b->rules * sizeof *b->number);
	if (b->rules && !b->acl->number)
		return false;
	memcpy(at(b->acl, b->acl->number), b->number, b->rules * sizeof *b->number);
	return true;
}

/* Finds the rules of the family: bit by bit, their numbers. */
static void choose_rules(struct acl_build *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (b->rule[i].family == 0 || b->rule[i].family == b->family)
			b->number[b->rules++] = (uint16_t)i;
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
		.number = at(scratch, s.number),
		.bound = at(scratch, s.bound),
		.on = at(scratch, s.on),
		.off = at(scratch, s.off),
		.on_next = at(scratch, s.on_next),
		.off_next = at(scratch, s.off_next),
		.range_row = at(scratch, s.range_row),
		.stored = at(scratch, s.stored),
		.stored_mask = stored_places(n) - 1};
	memset(b->stored, 0xff, (size_t)stored_places(n) * sizeof *b->stored);
	choose_rules(b, n);
	begin_field(b, ACL_SRC);
	b->failed = !open_list(b);
	return b;
}

enum err acl_build_step(struct acl_build *b, unsigned steps, bool *done)
{
	enum err err = b->failed ? ERR_FULL : ERR_OK;

	while (!err && steps-- && b->phase != DONE)
		err = step(b);
	b->failed = err != ERR_OK;
	*done = b->phase == DONE;
	return err;
}

const struct acl *acl_build_end(const struct acl_build *b)
{
	return b->acl;
}

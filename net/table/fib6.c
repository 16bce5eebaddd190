/* The IPv6 forwarding table: its memory, the two indexing steps, jobs, questions about it. */
#include "net/table/fib6.h"

#include <string.h>

#include "lib/form.h"
#include "net/table/fib6_build.h"
#include "net/table/fib6_table.h"
#include "net/table/nexthop.h"
#include "net/table/sweep.h"

#define BRING 16u /* routes that a step of fib6_follow adds, while the RIB lacks some */

_Static_assert(RIB6_BLOCK == FIB6_ROOT_BITS, "what a step looks at is in one block");

static fib6_lookup_fn *lookup = fib6_lookup_plain;

void fib6_select(const char *isa)
{
	lookup = FORM(fib6_lookup, isa);
}

void fib6_lookup(const struct fib6 *fib, const struct ip6 *dst, uint32_t *nh, unsigned n)
{
	lookup(fib->word, dst, nh, n);
}

/* ---- memory ---- */

struct fib6_limits fib6_limits_for(uint32_t routes)
{
	/*
	 * A full table of 160,000 routes takes 640,000 words; what is replaced needs
	 * room twice. A host route far from all others takes 300.
	 */
	uint64_t words = 64ull * (routes < 16384 ? routes : 16384) + 4ull * routes;

	return (struct fib6_limits){words < FIB6_WORDS_MAX ? (uint32_t)words : FIB6_WORDS_MAX};
}

static uint32_t words_allowed(const struct fib6_limits *limits)
{
	if (limits->words < FIB6_WORDS_MIN)
		return FIB6_WORDS_MIN;
	return limits->words < FIB6_WORDS_MAX ? limits->words : FIB6_WORDS_MAX;
}

size_t fib6_size(const struct fib6_limits *limits)
{
	size_t words = (size_t)words_allowed(limits) + FIB6_SLACK;

	return (sizeof(struct fib6) + words * sizeof(uint32_t) + 63) & ~(size_t)63;
}

struct fib6 *fib6_init(void *mem, const struct fib6_limits *limits)
{
	size_t size = fib6_size(limits);
	struct fib6 *f = memset(mem, 0, size);

	_Static_assert(NEXTHOP_NONE == 0, "a root of zeros answers so");
	f->reserved = size;
	f->words = words_allowed(limits);
	f->book.magic = FIB6_MAGIC;
	f->book.used = FIB6_ROOT;
	f->book.in_use = FIB6_ROOT;
	return f;
}

const void *fib6_image(const struct fib6 *fib, size_t *bytes)
{
	*bytes = sizeof fib->book + (size_t)fib->book.used * sizeof(uint32_t);
	return &fib->book;
}

enum err fib6_check(const struct fib6 *fib, const void *image, size_t bytes)
{
	struct fib6_book book;

	if (bytes < sizeof book)
		return ERR_INVALID;
	memcpy(&book, image, sizeof book);
	if (book.magic != FIB6_MAGIC || book.used < FIB6_ROOT ||
		bytes != sizeof book + (size_t)book.used * sizeof(uint32_t))
		return ERR_INVALID;
	return book.used > fib->words ? ERR_FULL : ERR_OK;
}

enum err fib6_load(struct fib6 *fib, const void *image, size_t bytes)
{
	enum err err = fib6_check(fib, image, bytes);

	if (err != ERR_OK)
		return err;
	memcpy(&fib->book, image, sizeof fib->book);
	memcpy(fib->word, (const uint8_t *)image + sizeof fib->book, bytes - sizeof fib->book);
	return ERR_OK;
}

/* ---- the indexing steps ---- */

static uint32_t root_of(struct ip6 a)
{
	return (uint32_t)(a.hi >> (64 - FIB6_ROOT_BITS));
}

/* The word of an address's chunk; its root must refer to a branch. */
static uint32_t chunk_of(const struct fib6 *f, struct ip6 a)
{
	return fib6_at(f->word[root_of(a)]) +
	       ((uint32_t)(a.hi >> (64 - FIB6_CHUNK_BITS)) & (FIB6_BRANCH - 1));
}

/* The one answer of a whole /14, if it has no longer routes. */
static bool single_answer(const struct rib *rib, struct ip6 a, uint32_t *nexthop)
{
	struct sweep s;
	struct ip6 first;
	uint32_t second;

	sweep_begin(&s, rib, ip6_first(a, FIB6_ROOT_BITS), FIB6_ROOT_BITS);
	(void)sweep_next(&s, &first, nexthop);
	return !sweep_next(&s, &first, &second);
}

/* A whole /14 has one answer from now on. */
static enum err set_root(struct fib6 *f, struct ip6 a, uint32_t nexthop)
{
	uint32_t old = f->word[root_of(a)];

	if (old == nexthop)
		return ERR_OK;
	if (!fib6_can_retire(f, 1))
		return ERR_FULL;
	fib6_put(f, root_of(a), nexthop);
	fib6_retire(f, old, FIB6_PART_TREE);
	f->book.branches -= !fib6_is_answer(old);
	return ERR_OK;
}

/* The /14 of an address gets a branch, of the same answer all over, if it has none. */
static enum err need_branch(struct fib6 *f, struct ip6 a)
{
	uint32_t old = f->word[root_of(a)];

	if (!fib6_is_answer(old))
		return ERR_OK;
	uint32_t at = fib6_take(f, FIB6_BRANCH_BITS);

	if (!at)
		return ERR_FULL;
	for (uint32_t i = 0; i < FIB6_BRANCH; i++)
		store_once(&f->word[at + i], old);
	f->book.branches++;
	f->book.inners++;
	fib6_put(f, root_of(a), fib6_inner(at, FIB6_BRANCH_BITS, 64 - FIB6_CHUNK_BITS));
	return ERR_OK;
}

/* ---- updates ---- */

struct fib6_job fib6_job(struct ip6 prefix, unsigned length)
{
	return (struct fib6_job){
		ip6_first(prefix, length), ip6_last(prefix, length), (uint8_t)length, true};
}

/* What one step of the job covers, at least: a chunk, or a prefix inside it. */
static unsigned job_grain(const struct fib6_job *job)
{
	return job->length < FIB6_CHUNK_BITS ? FIB6_CHUNK_BITS : job->length;
}

static void job_advance(struct fib6_job *job, struct ip6 last)
{
	job->pending = ip6_less(last, job->last);
	job->next = ip6_next(last);
}

void fib6_job_skip(struct fib6_job *job)
{
	job_advance(job, ip6_last(job->next, job_grain(job)));
}

/* One step of the job; *last is the last address it reached. */
static enum err job_do(
	struct fib6 *f, const struct rib *rib, const struct fib6_job *job, struct ip6 *last)
{
	struct ip6 a = job->next;
	bool wide = job->length < FIB6_CHUNK_BITS, alone = fib6_is_answer(f->word[root_of(a)]);
	uint32_t nexthop;
	enum err e;

	*last = ip6_last(a, FIB6_ROOT_BITS);
	if ((wide || alone) && single_answer(rib, a, &nexthop))
		return set_root(f, a, nexthop);
	*last = ip6_last(a, job_grain(job));
	e = need_branch(f, a);
	if (e == ERR_OK)
		e = fib6_build(
			f, rib, chunk_of(f, a), ip6_first(a, FIB6_CHUNK_BITS), a, job_grain(job));
	if (e == ERR_OK && !wide && fib6_is_answer(f->word[chunk_of(f, a)]) &&
		single_answer(rib, a, &nexthop))
		e = set_root(f, a, nexthop);
	return e;
}

enum err fib6_job_step(
	struct fib6 *fib, const struct rib6 *rib, struct fib6_job *job, unsigned chunks)
{
	while (job->pending && chunks-- > 0) {
		struct ip6 last;
		enum err e = job_do(fib, &rib->rib, job, &last);

		if (e != ERR_OK)
			return e;
		fib->rebuilt++;
		job_advance(job, last);
	}
	return ERR_OK;
}

enum err fib6_update(struct fib6 *fib, const struct rib6 *rib, struct ip6 prefix, unsigned length)
{
	struct fib6_job job = fib6_job(prefix, length);

	fib->updates++;
	return fib6_job_step(fib, rib, &job, ~0u);
}

enum err fib6_follow(struct fib6 *fib, struct rib6 *rib, struct fib6_job *job, unsigned steps)
{
	struct ip6 prefix;
	unsigned length;

	if (rib_take_lost(&rib->rib))
		*job = fib6_job((struct ip6){0, 0}, 0);
	for (; steps > 0; steps--) {
		if (!job->pending) {
			if (!rib6_take_change(rib, &prefix, &length))
				break;
			*job = fib6_job(prefix, length);
			fib->updates++;
		}
		if (!rib_bring(&rib->rib, job->next, BRING))
			continue;
		enum err e = fib6_job_step(fib, rib, job, 1);

		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* ---- questions ---- */

/* The last half of an address that a leaf answers as this one. */
static uint64_t leaf_last(
	const uint32_t *word, uint32_t leaf, uint64_t half, uint64_t last, bool second)
{
	unsigned i = fib6_range(word, leaf, half, second), shift = fib6_key_shift(leaf, second);

	if (i == fib6_keys(leaf))
		return last;
	uint32_t more = fib6_key(word, leaf, i + 1) - (uint32_t)(half >> shift);

	return (((half >> shift) + more) << shift) - 1;
}

/*
 * Follows a reference on the way of half an address: to an answer, a leaf or a
 * gate. *shift is of the bits not looked at; what is found holds for all of them.
 */
static uint32_t descend(const uint32_t *word, uint32_t ref, uint64_t half, unsigned *shift)
{
	while (fib6_is_inner(ref)) {
		*shift = fib6_shift(ref);
		ref = word[fib6_next(ref, half)];
	}
	return ref;
}

void fib6_walk(const struct fib6 *fib, struct ip6 address, struct fib6_range *range)
{
	const uint32_t *word = fib->word;
	unsigned shift = 64 - FIB6_ROOT_BITS;
	uint32_t ref = descend(word, word[root_of(address)], address.hi, &shift);
	struct ip6 last = ip6_last(address, 64 - shift);

	if (fib6_is_leaf(ref))
		last.hi = leaf_last(word, ref, address.hi, last.hi, false);
	if (fib6_is_gate(ref)) {
		shift = 64;
		ref = descend(word, word[fib6_at(ref)], address.lo, &shift);
		last = ip6_last(address, 128 - shift);
		if (fib6_is_leaf(ref))
			last.lo = leaf_last(word, ref, address.lo, last.lo, true);
	}
	*range = (struct fib6_range){address, last, fib6_one(word, address)};
}

void fib6_stats(const struct fib6 *f, struct fib6_stats *s)
{
	*s = (struct fib6_stats){
		.branches = f->book.branches,
		.inners = f->book.inners,
		.leaves = f->book.leaves,
		.gates = f->book.gates,
		.waiting = f->tail - f->head,
		.bytes = (size_t)f->book.in_use * sizeof(uint32_t),
		.reserved = f->reserved,
		.updates = f->updates,
		.rebuilt = f->rebuilt,
	};
}

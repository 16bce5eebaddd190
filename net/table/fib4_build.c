/*
 * Bringing the IPv4 forwarding table up to date from the RIB.
 *
 * The work on a /16 (a chunk): what its block says is put on a canvas, the part
 * that a change touches is painted anew from the RIB, and a block that says what
 * the canvas then does takes the place of the old one, which workers may read
 * until a grace period has passed. A block with deep ranges has a reference to
 * each block below; equal ones without are one.
 */
#include <string.h>

#include "lib/atomic.h"
#include "net/table/fib4_canvas.h"
#include "net/table/nexthop.h"

#define PREFETCH_AHEAD 3u  /* changes between the stages of prefetching */
#define BRING          16u /* routes that a step adds, while the RIB lacks some */

_Static_assert(FIB4_CHUNKS == 1u << RIB4_BLOCK, "what a step looks at is one block");

/* ---- blocks ---- */

static void put_ref(struct fib4 *f, uint32_t ref)
{
	(void)blocks_put(&f->blocks, ref >> FIB4_LINE);
}

/* Lets go of what the deep ranges of a line refer to. */
static void put_below(struct fib4 *f, uint32_t ref, uint32_t line)
{
	const uint8_t *data = blocks_data(&f->blocks, line);
	unsigned n = 0, start;

	do {
		start = data[n];
		if (fib4_nexthop(data, ref & FIB4_WIDE, n) == FIB4_DEEP)
			put_ref(f, fib4_below(&f->view, line, n));
		n++;
	} while (start);
	(void)blocks_put(&f->blocks, f->deep[line]);
}

/* Lets a chunk's block go, and with the last chunk what it refers to. */
static void put_chunk(struct fib4 *f, uint32_t ref)
{
	uint32_t line = ref >> FIB4_LINE;
	bool has_deep = line < f->blocks.lines && f->blocks.block[line].state == BLOCK_PRIVATE;

	if (!blocks_put(&f->blocks, line) || !has_deep)
		return;
	for (uint32_t i = line; i < line + (1u << fib4_order(ref)); i++)
		if (f->deep[i])
			put_below(f, ref, i);
}

/* A reference to a block of what a canvas without deep leaves says. 0: no room. */
static uint32_t shared_ref(struct fib4 *f, const struct fib4_lines *l)
{
	uint32_t line = blocks_get(&f->blocks, l->data, l->order);

	return line ? fib4_ref(line, l->order, l->wide) : 0;
}

/* ---- deep leaves ---- */

/* Whether all leaves have one next hop. */
static bool is_single(const struct fib4_canvas *c)
{
	return memcmp(c->leaf, c->leaf + 1, (FIB4_LEAVES - 1) * sizeof *c->leaf) == 0;
}

/* Makes a deep leaf's block; one whose longer routes change nothing becomes an ordinary leaf. */
static enum err leaf_make(
	struct fib4 *f, const struct rib4 *rib, struct fib4_canvas *c, unsigned leaf)
{
	uint32_t first = c->first + (leaf << 8);
	struct fib4_canvas host;
	struct fib4_lines l;

	fib4_canvas_init(&host, first, 32);
	fib4_canvas_paint(&host, rib, first, 24);
	if (is_single(&host)) {
		fib4_canvas_flatten(c, leaf, host.leaf[0]);
		return ERR_OK;
	}
	fib4_canvas_lines(&host, &l);
	c->leaf[leaf] = FIB4_DEEP;
	c->below[leaf] = shared_ref(f, &l);
	return c->below[leaf] ? ERR_OK : ERR_FULL;
}

/* Lets go of what deep leaves up to `end` refer to. */
static void leaves_put(struct fib4 *f, const struct fib4_canvas *c, unsigned end)
{
	for (unsigned i = 0; i < end; i++)
		if (fib4_is_deep(c, i))
			put_ref(f, c->below[i]);
}

/* Takes a reference for each deep leaf: to what was there, or, painted, to a new block. */
static enum err leaves_take(struct fib4 *f, const struct rib4 *rib, struct fib4_canvas *c,
	unsigned painted, unsigned painted_end)
{
	for (unsigned i = 0; fib4_has_deep(c) && i < FIB4_LEAVES; i++) {
		if (!fib4_is_deep(c, i))
			continue;
		if (i < painted || i >= painted_end) {
			blocks_ref(&f->blocks, c->below[i] >> FIB4_LINE);
		} else if (leaf_make(f, rib, c, i) != ERR_OK) {
			leaves_put(f, c, i);
			return ERR_FULL;
		}
	}
	return ERR_OK;
}

/* ---- chunks ---- */

/* Gives the lines of a new block, from `line` on, their words of references. */
static enum err set_below(
	struct fib4 *f, const struct fib4_canvas *c, const struct fib4_lines *l, uint32_t line)
{
	unsigned leaves = FIB4_LEAVES >> l->order;

	for (unsigned part = 0; part < 1u << l->order; part++) {
		const uint8_t *data = l->data + part * BLOCK_LINE;
		uint32_t below[FIB4_RANGES] = {0};
		unsigned n = 0, deep = 0, first = part * leaves, start;

		do {
			start = data[n] ? data[n] : first;
			if (fib4_is_deep(c, start)) {
				below[n] = c->below[start];
				deep++;
			}
		} while (data[n++]);
		f->deep[line + part] = deep ? blocks_take(&f->blocks, below, FIB4_DEEP_ORDER) : 0;
		if (!deep || f->deep[line + part])
			continue;
		while (part-- > 0)
			(void)blocks_put(&f->blocks, f->deep[line + part]);
		return ERR_FULL;
	}
	return ERR_OK;
}

/* A reference to a block of what a canvas with deep leaves says; it takes theirs over. 0: no room.
 */
static uint32_t private_ref(struct fib4 *f, const struct fib4_canvas *c, const struct fib4_lines *l)
{
	uint32_t line = blocks_take(&f->blocks, l->data, l->order);

	if (!line)
		return 0;
	if (set_below(f, c, l, line) == ERR_OK)
		return fib4_ref(line, l->order, l->wide);
	(void)blocks_put(&f->blocks, line);
	return 0;
}

/* Whether a block with deep ranges says what a canvas does. */
static bool says(
	struct fib4 *f, uint32_t ref, const struct fib4_canvas *c, const struct fib4_lines *l)
{
	uint32_t first = ref >> FIB4_LINE;

	if (ref != fib4_ref(first, l->order, l->wide) ||
		memcmp(blocks_data(&f->blocks, first), l->data, BLOCK_LINE << l->order) != 0)
		return false;
	for (unsigned i = 0; i < FIB4_LEAVES; i++) {
		uint32_t line = fib4_line(ref, i << 8);
		unsigned n = fib4_rank(blocks_data(&f->blocks, line), (uint8_t)i);

		if (fib4_is_deep(c, i) && fib4_below(&f->view, line, n) != c->below[i])
			return false;
	}
	return true;
}

/* Gives a chunk what a canvas says. 0 for ref: no room. */
static enum err chunk_set(struct fib4 *f, uint32_t chunk, uint32_t ref)
{
	uint32_t old = f->root[chunk];

	if (!ref)
		return ERR_FULL;
	store_release(&f->root[chunk], ref);
	put_chunk(f, old);
	return ERR_OK;
}

/* The most frequent change is of one line in a block without deep leaves. false: this is not one.
 */
static bool line_update(struct fib4 *f, const struct rib4 *rib, struct fib4_canvas *c,
	uint32_t prefix, unsigned length, enum err *err)
{
	uint32_t chunk = prefix >> 16, ref = f->root[chunk];
	unsigned leaf = prefix >> 8 & 0xff, first, end;
	struct fib4_lines l;

	if (fib4_order(ref) == 0 || length < 16 + fib4_order(ref) ||
		f->blocks.block[ref >> FIB4_LINE].state != BLOCK_SHARED)
		return false;
	fib4_canvas_load_line(c, &f->view, ref, leaf, &first, &end);
	fib4_canvas_paint(c, rib, prefix, length);
	if (!fib4_canvas_line(c, &f->view, ref, first, end, &l))
		return false;
	*err = chunk_set(f, chunk, shared_ref(f, &l));
	return true;
}

/* Brings the addresses of a prefix of 16 bits or more up to date. */
static enum err chunk_update(
	struct fib4 *f, const struct rib4 *rib, uint32_t prefix, unsigned length)
{
	uint32_t chunk = prefix >> 16, old = f->root[chunk], ref;
	struct fib4_canvas c;
	struct fib4_lines l;

	if (length > 24) {
		prefix &= ~0xffu;
		length = 24;
	}
	unsigned leaf = prefix >> 8 & 0xff;

	enum err err;

	fib4_canvas_init(&c, chunk << 16, 24);
	if (line_update(f, rib, &c, prefix, length, &err))
		return err;
	fib4_canvas_init(&c, chunk << 16, 24);
	if (length > 16)
		fib4_canvas_load(&c, &f->view, old);
	fib4_canvas_paint(&c, rib, prefix, length);
	if (leaves_take(f, rib, &c, leaf, leaf + (1u << (24 - length))) != ERR_OK)
		return ERR_FULL;
	fib4_canvas_lines(&c, &l);
	if (fib4_has_deep(&c) && says(f, old, &c, &l)) {
		leaves_put(f, &c, FIB4_LEAVES);
		return ERR_OK;
	}
	ref = fib4_has_deep(&c) ? private_ref(f, &c, &l) : shared_ref(f, &l);
	if (!ref)
		leaves_put(f, &c, FIB4_LEAVES);
	return chunk_set(f, chunk, ref);
}

/* ---- updates ---- */

struct fib4_job fib4_job(uint32_t prefix, unsigned length)
{
	return (struct fib4_job){prefix, prefix | ~rib4_mask(length), (uint8_t)length, true};
}

void fib4_job_skip(struct fib4_job *job)
{
	job->pending = (job->next | 0xffff) < job->last;
	job->next += 0x10000;
}

enum err fib4_job_step(
	struct fib4 *f, const struct rib4 *rib, struct fib4_job *job, unsigned chunks)
{
	while (job->pending && chunks-- > 0) {
		enum err err = chunk_update(f, rib, job->next, job->length < 16 ? 16 : job->length);

		if (err != ERR_OK)
			return err;
		f->rebuilt++;
		fib4_job_skip(job);
	}
	return ERR_OK;
}

enum err fib4_update(struct fib4 *f, const struct rib4 *rib, uint32_t prefix, unsigned length)
{
	struct fib4_job job = fib4_job(prefix, length);

	f->updates++;
	return fib4_job_step(f, rib, &job, FIB4_CHUNKS);
}

void fib4_prefetch(const struct fib4 *f, uint32_t prefix, unsigned stage)
{
	const uint32_t *root = &f->root[prefix >> 16];

	if (stage == 0) {
		__builtin_prefetch(root);
		return;
	}
	uint32_t line = *root >> FIB4_LINE;

	if (stage == 1) {
		__builtin_prefetch(&f->blocks.block[line]);
		__builtin_prefetch(&f->deep[line]);
		for (uint32_t i = 0; i < 1u << fib4_order(*root); i++)
			__builtin_prefetch(blocks_data(&f->blocks, line + i));
		return;
	}
	__builtin_prefetch(&f->blocks.bucket[f->blocks.block[line].hash & f->blocks.bucket_mask]);
}

/* For the changes that wait in the RIB's queue. */
static void follow_prefetch(const struct fib4 *f, const struct rib4 *rib)
{
	for (unsigned stage = 0; stage < TRIE_STAGES; stage++) {
		const struct rib_change *c =
			rib_peek_change(&rib->rib, PREFETCH_AHEAD * (TRIE_STAGES - stage));

		if (!c)
			continue;
		trie_prefetch(&rib->rib.trie, c->key, stage);
		fib4_prefetch(f, (uint32_t)(c->key.hi >> 32), stage);
	}
}

/* The job that does what another was to do, and this prefix. */
static struct fib4_job both(const struct fib4_job *job, uint32_t prefix, unsigned length)
{
	unsigned common = job->length < length ? job->length : length;

	while ((job->last ^ prefix) & rib4_mask(common))
		common--;
	return fib4_job(prefix & rib4_mask(common), common);
}

/*
 * A job of many blocks waits for routes (rib_bring): a change inside one block
 * goes first. Another of many, or what finds no room, is done together with it.
 */
static enum err overtake(struct fib4 *f, struct rib4 *rib, struct fib4_job *job)
{
	struct fib4_job other;
	uint32_t prefix;
	unsigned length;
	enum err err = ERR_FULL;

	if (job->length >= RIB4_BLOCK || !rib4_take_change(rib, &prefix, &length))
		return ERR_OK;
	f->updates++;
	if (length >= RIB4_BLOCK) {
		other = fib4_job(prefix, length);
		(void)rib_bring(&rib->rib, rib4_key(prefix), UINT32_MAX);
		err = fib4_job_step(f, rib, &other, 1);
	}
	if (err != ERR_OK)
		*job = both(job, prefix, length);
	return length >= RIB4_BLOCK ? err : ERR_OK;
}

enum err fib4_follow(struct fib4 *f, struct rib4 *rib, struct fib4_job *job, unsigned steps)
{
	enum err err = ERR_OK;
	uint32_t prefix;
	unsigned length;

	if (rib_take_lost(&rib->rib))
		*job = fib4_job(0, 0);
	for (; steps > 0 && err == ERR_OK; steps--) {
		if (!job->pending) {
			if (!rib4_take_change(rib, &prefix, &length))
				break;
			follow_prefetch(f, rib);
			*job = fib4_job(prefix, length);
			f->updates++;
		}
		if (rib_bring(&rib->rib, rib4_key(job->next), BRING))
			err = fib4_job_step(f, rib, job, 1);
		else
			err = overtake(f, rib, job);
	}
	return err;
}

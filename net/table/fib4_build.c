/*
 * Bringing the IPv4 forwarding table up to date from the RIB.
 *
 * The work on a /16 (a chunk): the entries that the change touches are made
 * from the RIB, each taking references to the groups it names; then the chunk
 * gets a wide group with them. That is, in this order of preference, another
 * one with the same content, its own changed in place if no other chunk uses
 * it, or a new one. What the entries replaced named is let go afterwards.
 */
#include <string.h>

#include "lib/atomic.h"
#include "net/table/fib4_entry.h"

#define PREFETCH_AHEAD 3u  /* changes between the stages of prefetching */
#define BRING          16u /* routes that a step adds, while the RIB lacks some */

_Static_assert(FIB4_CHUNKS == 1u << RIB4_BLOCK, "what a step looks at is one block");

/* ---- chunks ---- */

static void entries_put(struct fib4 *f, const uint32_t *entry, unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++)
		fib4_entry_put(f, entry[i]);
}

/* Lets the chunk's wide group go, and with the last chunk what it names. */
static void wide_put(struct fib4 *f, uint32_t group)
{
	const uint32_t *entry = groups_data(&f->wide, group);

	if (groups_put(&f->wide, group))
		entries_put(f, entry, 0, FIB4_SPLIT - 1);
}

/* Writes entries first to last of a wide group that one chunk uses; they bring their references. */
static void wide_rewrite(
	struct fib4 *f, uint32_t group, const uint32_t *entry, unsigned first, unsigned last)
{
	uint32_t *live = (uint32_t *)(f->wide.data + (size_t)group * f->wide.size);

	groups_hide(&f->wide, group);
	for (unsigned i = first; i <= last; i++) {
		uint32_t old = live[i];

		store_release(&live[i], entry[i]);
		fib4_entry_put(f, old);
	}
	groups_show(&f->wide, group);
}

/* Gives a chunk these entries, of which first to last bring their references. */
static enum err chunk_set(
	struct fib4 *f, uint32_t chunk, const uint32_t *entry, unsigned first, unsigned last)
{
	uint32_t old = f->direct[chunk], group = groups_find(&f->wide, entry);

	if (group) {
		entries_put(f, entry, first, last); /* the group has its own */
		if (group == old)
			return ERR_OK;
		groups_ref(&f->wide, group);
	} else if (groups_is_own(&f->wide, old)) {
		wide_rewrite(f, old, entry, first, last);
		return ERR_OK;
	} else {
		group = groups_add(&f->wide, entry);
		if (!group) {
			entries_put(f, entry, first, last);
			return ERR_FULL;
		}
		for (unsigned i = 0; i < FIB4_SPLIT; i++)
			if (i < first || i > last)
				fib4_entry_ref(f, entry[i]);
	}
	store_release(&f->direct[chunk], (uint16_t)group);
	wide_put(f, old);
	return ERR_OK;
}

/*
 * The short way for a change inside one /20 that keeps its narrow group: the
 * new next hops are written into it, if nobody else uses it. false: no such case.
 */
static bool narrow_rewrite(struct fib4 *f, uint32_t prefix, uint32_t entry, const uint16_t *leaf)
{
	uint32_t group = (entry & FIB4_GROUP) - FIB4_NARROW_BASE, mask;
	uint16_t pair[2];

	if (entry < FIB4_NARROW || entry >= FIB4_DEEP)
		return false;
	if (!groups_is_own(&f->wide, f->direct[prefix >> 16]) ||
		!groups_is_own(&f->narrow, group) || fib4_leaves_pair(leaf, pair, &mask) ||
		groups_find(&f->narrow, leaf))
		return false;
	uint16_t *live = (uint16_t *)(f->narrow.data + (size_t)group * f->narrow.size);

	groups_hide(&f->narrow, group);
	for (unsigned i = 0; i < FIB4_SPLIT; i++)
		if (live[i] != leaf[i])
			store_release(&live[i], leaf[i]);
	groups_show(&f->narrow, group);
	return true;
}

/* /20 number i has the next hops of the one before it, and no longer routes. */
static bool canvas_repeats(const struct fib4_canvas *c, unsigned i)
{
	const uint16_t *leaf = &c->leaf[i * FIB4_SPLIT];

	return !(c->deep[i] | c->deep[i - 1]) &&
	       memcmp(leaf, leaf - FIB4_SPLIT, FIB4_SPLIT * sizeof *leaf) == 0;
}

/* Brings the addresses of a prefix of 16 to 19 bits up to date. */
static enum err chunk_update(
	struct fib4 *f, const struct rib4 *rib, uint32_t prefix, unsigned length)
{
	uint32_t chunk = prefix >> 16, entry[FIB4_SPLIT];
	unsigned first = prefix >> 12 & 15, last = first + (1u << (20 - length)) - 1;
	struct fib4_canvas c;

	fib4_canvas_init(&c, chunk << 16, 24);
	fib4_paint(&c, rib, prefix, length);
	memcpy(entry, groups_data(&f->wide, f->direct[chunk]), sizeof entry);
	for (unsigned i = first; i <= last; i++) {
		if (i > first && canvas_repeats(&c, i)) {
			entry[i] = entry[i - 1];
			fib4_entry_ref(f, entry[i]);
			continue;
		}
		entry[i] = fib4_entry_make(f, rib, &c, i);
		if (!entry[i]) {
			if (i > first)
				entries_put(f, entry, first, i - 1);
			return ERR_FULL;
		}
	}
	return chunk_set(f, chunk, entry, first, last);
}

/* Paints the /20 that a prefix lies in; what the prefix does not reach comes from its old entry. */
static void repaint(struct fib4_canvas *c, const struct fib4 *f, const struct rib4 *rib,
	uint32_t prefix, unsigned length, uint32_t old)
{
	uint32_t first = prefix & ~0xfffu;

	if (length <= 20 || old >= FIB4_DEEP) {
		fib4_paint(c, rib, first, 20);
		return;
	}
	for (uint32_t i = 0; i < FIB4_SPLIT; i++)
		c->leaf[((first - c->first) >> 8) + i] = f->view.narrow[fib4_place(old, i)];
	fib4_paint(c, rib, length < 24 ? prefix : prefix & ~0xffu, length < 24 ? length : 24);
}

/* The same for a prefix of 20 bits or more. */
static enum err split_update(
	struct fib4 *f, const struct rib4 *rib, uint32_t prefix, unsigned length)
{
	uint32_t chunk = prefix >> 16, entry[FIB4_SPLIT], old = fib4_entry(&f->view, prefix);
	unsigned i = prefix >> 12 & 15;
	struct fib4_canvas c;

	memcpy(entry, groups_data(&f->wide, f->direct[chunk]), sizeof entry);
	if (length >= 24 && old >= FIB4_DEEP) {
		entry[i] = fib4_entry_deep_change(f, rib, prefix, old);
	} else {
		fib4_canvas_init(&c, chunk << 16, 24);
		repaint(&c, f, rib, prefix, length, old);
		if (!c.deep[i] && narrow_rewrite(f, prefix, old, &c.leaf[i * FIB4_SPLIT]))
			return ERR_OK;
		entry[i] = fib4_entry_make(f, rib, &c, i);
	}
	return entry[i] ? chunk_set(f, chunk, entry, i, i) : ERR_FULL;
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
		unsigned length = job->length < 16 ? 16 : job->length;
		enum err err = length < 20 ? chunk_update(f, rib, job->next, length)
					   : split_update(f, rib, job->next, length);

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
	const uint16_t *direct = &f->direct[prefix >> 16];

	if (stage == 0) {
		__builtin_prefetch(direct);
		return;
	}
	const struct group *group = &f->wide.group[*direct];

	if (stage == 1) {
		__builtin_prefetch(group);
		__builtin_prefetch(groups_data(&f->wide, *direct));
		return;
	}
	uint32_t entry = fib4_entry(&f->view, prefix);
	uint32_t narrow = (entry & FIB4_GROUP) - FIB4_NARROW_BASE;

	__builtin_prefetch(&f->wide.bucket[group->hash & f->wide.bucket_mask]);
	if (entry >= FIB4_NARROW && entry < FIB4_DEEP) {
		__builtin_prefetch(&f->narrow.group[narrow]);
		__builtin_prefetch(groups_data(&f->narrow, narrow));
	}
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

/*
 * A job of many blocks waits for routes (rib_bring): a change inside one block
 * goes first. Another of many is done together with it, and so is what finds no
 * room: as the whole table.
 */
static enum err overtake(struct fib4 *f, struct rib4 *rib, struct fib4_job *job)
{
	struct fib4_job other;
	uint32_t prefix;
	unsigned length;
	enum err err;

	if (job->length >= RIB4_BLOCK || !rib4_take_change(rib, &prefix, &length))
		return ERR_OK;
	f->updates++;
	if (length < RIB4_BLOCK) {
		*job = fib4_job(0, 0);
		return ERR_OK;
	}
	other = fib4_job(prefix, length);
	(void)rib_bring(&rib->rib, rib4_key(prefix), UINT32_MAX);
	err = fib4_job_step(f, rib, &other, 1);
	if (err != ERR_OK)
		*job = fib4_job(0, 0);
	return err;
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

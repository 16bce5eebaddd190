/* Blocks found by content, counted by reference, given out and taken back by a buddy system. */
#include "net/table/blocks.h"

#include <string.h>

/* ---- memory ---- */

static size_t round_line(size_t bytes)
{
	return (bytes + BLOCK_LINE - 1) & ~(size_t)(BLOCK_LINE - 1);
}

/* A power of two; tables are seldom half full, and a small index stays in cache. */
static uint32_t buckets_for(uint32_t lines)
{
	uint32_t n = 64;

	while (n < lines / 4)
		n *= 2;
	return n;
}

uint32_t blocks_lines(uint32_t lines)
{
	return (lines + 2 * BLOCK_LINES - 1) / BLOCK_LINES * BLOCK_LINES;
}

size_t blocks_book_size(uint32_t lines)
{
	return round_line(lines * sizeof(struct block)) +
	       round_line(buckets_for(lines) * sizeof(uint32_t));
}

static void free_push(struct blocks *b, uint32_t n, unsigned order)
{
	struct block *block = &b->block[n];

	*block = (struct block){
		.next = b->free[order], .order = (uint8_t)order, .state = BLOCK_FREE};
	if (block->next)
		b->block[block->next].prev = n;
	b->free[order] = n;
}

static void free_unlink(struct blocks *b, uint32_t n)
{
	struct block *block = &b->block[n];

	if (block->prev)
		b->block[block->prev].next = block->next;
	else
		b->free[block->order] = block->next;
	if (block->next)
		b->block[block->next].prev = block->prev;
	block->state = BLOCK_INSIDE;
}

void blocks_init(struct blocks *b, void *line, void *book, uint32_t lines)
{
	*b = (struct blocks){.line = line, .lines = lines, .block = book};
	b->bucket = (uint32_t *)((uint8_t *)book + round_line(lines * sizeof(struct block)));
	b->bucket_mask = buckets_for(lines) - 1;
	for (uint32_t n = lines - BLOCK_LINES; n > 0; n -= BLOCK_LINES)
		free_push(b, n, BLOCK_ORDERS - 1);
	for (unsigned order = BLOCK_ORDERS - 1; order-- > 0;) /* all but line 0 */
		free_push(b, 1u << order, order);
}

/* Lines that nobody uses, or 0. */
static uint32_t take_free(struct blocks *b, unsigned order)
{
	unsigned size = order;

	while (size < BLOCK_ORDERS && !b->free[size])
		size++;
	if (size == BLOCK_ORDERS)
		return 0;
	uint32_t n = b->free[size];

	free_unlink(b, n);
	while (size > order) {
		size--;
		free_push(b, n + (1u << size), size);
	}
	return n;
}

/* Joins lines with their free neighbours. */
static void give_free(struct blocks *b, uint32_t n, unsigned order)
{
	while (order < BLOCK_ORDERS - 1) {
		uint32_t buddy = n ^ (1u << order);
		const struct block *block = &b->block[buddy];

		if (block->state != BLOCK_FREE || block->order != order)
			break;
		free_unlink(b, buddy);
		b->block[n].state = BLOCK_INSIDE;
		n &= ~(1u << order++);
	}
	free_push(b, n, order);
}

/* ---- content ---- */

/* Two multiplicative lanes over the content, folded; every bit of it moves the low bits. */
static uint32_t content_hash(const void *content, unsigned order)
{
	const uint8_t *p = content, *end = p + (BLOCK_LINE << order);
	uint64_t x = order, y = 0x9e3779b97f4a7c15ull, w[2];

	for (; p < end; p += sizeof w) {
		memcpy(w, p, sizeof w);
		x = (x ^ w[0]) * 0xff51afd7ed558ccdull;
		y = (y ^ w[1]) * 0xc4ceb9fe1a85ec53ull;
		x ^= x >> 29;
		y ^= y >> 31;
	}
	return (uint32_t)((x ^ y >> 7 ^ y << 13) * 0x9e3779b97f4a7c15ull >> 32);
}

static uint32_t find_hashed(
	const struct blocks *b, const void *content, unsigned order, uint32_t hash)
{
	uint32_t n = b->bucket[hash & b->bucket_mask];

	while (n && (b->block[n].hash != hash || b->block[n].order != order ||
			    memcmp(blocks_data(b, n), content, BLOCK_LINE << order) != 0))
		n = b->block[n].next;
	return n;
}

uint32_t blocks_find(const struct blocks *b, const void *content, unsigned order)
{
	return find_hashed(b, content, order, content_hash(content, order));
}

uint32_t blocks_take(struct blocks *b, const void *content, unsigned order)
{
	uint32_t n = take_free(b, order);

	if (!n)
		return 0;
	memcpy(blocks_data(b, n), content, BLOCK_LINE << order);
	b->block[n] = (struct block){.refs = 1, .order = (uint8_t)order, .state = BLOCK_PRIVATE};
	b->count++;
	b->used += 1u << order;
	return n;
}

/* From now on the block is found by its content. */
static void share(struct blocks *b, uint32_t number, uint32_t hash)
{
	uint32_t *bucket = &b->bucket[hash & b->bucket_mask];

	b->block[number].state = BLOCK_SHARED;
	b->block[number].hash = hash;
	b->block[number].next = *bucket;
	*bucket = number;
}

uint32_t blocks_get(struct blocks *b, const void *content, unsigned order)
{
	uint32_t hash = content_hash(content, order);
	uint32_t n = find_hashed(b, content, order, hash);

	if (n) {
		b->block[n].refs++;
		return n;
	}
	n = blocks_take(b, content, order);
	if (!n)
		return 0;
	share(b, n, hash);
	return n;
}

static void unfind(struct blocks *b, uint32_t number)
{
	uint32_t *link = &b->bucket[b->block[number].hash & b->bucket_mask];

	while (*link != number)
		link = &b->block[*link].next;
	*link = b->block[number].next;
}

bool blocks_put(struct blocks *b, uint32_t number)
{
	/* Were a table damaged, letting go of what it names must not do more harm. */
	if (number == 0 || number >= b->lines || b->block[number].refs == 0)
		return false;
	struct block *block = &b->block[number];

	if (--block->refs)
		return false;
	if (block->state == BLOCK_SHARED)
		unfind(b, number);
	block->state = BLOCK_RETIRED;
	block->next = b->retired;
	b->retired = number;
	b->count--;
	b->used -= 1u << block->order;
	b->waiting_lines += 1u << block->order;
	return true;
}

/* ---- grace periods ---- */

void blocks_grace_begin(struct blocks *b)
{
	if (!b->waiting) {
		b->waiting = b->retired;
		b->retired = 0;
	}
}

void blocks_grace_passed(struct blocks *b)
{
	uint32_t n = b->waiting;

	b->waiting = 0;
	while (n) {
		uint32_t next = b->block[n].next;

		b->waiting_lines -= 1u << b->block[n].order;
		give_free(b, n, b->block[n].order);
		n = next;
	}
}

/* ---- images ---- */

/* What an image begins with; then the lines, then a record of each block. */
struct image {
	uint32_t lines, blocks;
	uint32_t unused[14];
};

_Static_assert(sizeof(struct image) == BLOCK_LINE, "lines stand on lines");

struct record {
	uint32_t line, refs;
	uint8_t order, shared, unused[2];
};

static bool is_in_use(const struct blocks *b, uint32_t n)
{
	return b->block[n].state == BLOCK_SHARED || b->block[n].state == BLOCK_PRIVATE;
}

uint32_t blocks_end(const struct blocks *b)
{
	uint32_t n = b->lines;

	while (n > 0 && !is_in_use(b, n - 1))
		n--;
	return (n + BLOCK_LINES - 1) / BLOCK_LINES * BLOCK_LINES;
}

static size_t image_size(uint32_t lines, uint32_t blocks)
{
	return sizeof(struct image) + (size_t)lines * BLOCK_LINE +
	       round_line(blocks * sizeof(struct record));
}

size_t blocks_image_size(const struct blocks *b)
{
	return image_size(blocks_end(b), b->count);
}

void blocks_save(const struct blocks *b, void *image)
{
	struct image head = {.lines = blocks_end(b), .blocks = b->count};
	uint8_t *line = (uint8_t *)image + sizeof head;
	struct record *r = (struct record *)(line + (size_t)head.lines * BLOCK_LINE);

	memset(image, 0, image_size(head.lines, head.blocks));
	memcpy(image, &head, sizeof head);
	for (uint32_t n = 1; n < head.lines; n++) {
		const struct block *block = &b->block[n];

		if (!is_in_use(b, n))
			continue;
		memcpy(line + (size_t)n * BLOCK_LINE, blocks_data(b, n),
			BLOCK_LINE << block->order);
		*r++ = (struct record){
			n, block->refs, block->order, block->state == BLOCK_SHARED, {0}};
	}
}

enum err blocks_check(
	const struct blocks *b, const void *image, size_t bytes, size_t *used, uint32_t *lines)
{
	struct image head;

	if (bytes < sizeof head)
		return ERR_INVALID;
	memcpy(&head, image, sizeof head);
	*used = image_size(head.lines, head.blocks);
	*lines = head.lines;
	if (head.lines == 0 || head.lines % BLOCK_LINES || head.blocks >= head.lines ||
		*used > bytes)
		return ERR_INVALID;
	return head.lines > b->lines ? ERR_FULL : ERR_OK;
}

/* Makes free what of a piece is in no block. */
static void free_rest(struct blocks *b, uint32_t n, unsigned order)
{
	uint32_t end = n + (1u << order), i = n;

	if (is_in_use(b, n) && b->block[n].order >= order)
		return;
	while (i < end && i && !is_in_use(b, i)) /* line 0 is never free */
		i++;
	if (i == end) {
		free_push(b, n, order);
	} else if (order) {
		free_rest(b, n + (1u << (order - 1)), order - 1);
		free_rest(b, n, order - 1);
	}
}

void blocks_load(struct blocks *b, const void *image)
{
	struct blocks old = *b;
	const uint8_t *p = image;
	const struct record *r;
	struct image head;

	memcpy(&head, p, sizeof head);
	p += sizeof head;
	r = (const struct record *)(p + (size_t)head.lines * BLOCK_LINE);
	*b = (struct blocks){.line = old.line,
		.lines = old.lines,
		.block = old.block,
		.bucket = old.bucket,
		.bucket_mask = old.bucket_mask};
	memset(b->block, 0, b->lines * sizeof *b->block);
	memset(b->bucket, 0, ((size_t)b->bucket_mask + 1) * sizeof *b->bucket);
	memcpy(b->line, p, (size_t)head.lines * BLOCK_LINE);
	for (uint32_t i = 0; i < head.blocks; i++, r++) {
		b->block[r->line] =
			(struct block){.refs = r->refs, .order = r->order, .state = BLOCK_PRIVATE};
		if (r->shared)
			share(b, r->line, content_hash(blocks_data(b, r->line), r->order));
		b->count++;
		b->used += 1u << r->order;
	}
	for (uint32_t n = b->lines; n > 0; n -= BLOCK_LINES) /* the lowest stands first */
		free_rest(b, n - BLOCK_LINES, BLOCK_ORDERS - 1);
}

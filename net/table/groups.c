/* Groups found by content, counted by reference, reused after a grace period. */
#include "net/table/groups.h"

#include <string.h>

static size_t round_line(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

/* A power of two; tables are seldom half full, and a small index stays in cache. */
static uint32_t buckets_for(uint32_t max)
{
	uint32_t n = 64;

	while (n < max / 2)
		n *= 2;
	return n;
}

size_t groups_data_size(uint32_t max, uint32_t size)
{
	return round_line(((size_t)max + 1) * size);
}

size_t groups_book_size(uint32_t max)
{
	return round_line(((size_t)max + 1) * sizeof(struct group)) +
	       round_line(buckets_for(max) * sizeof(uint32_t));
}

void groups_init(struct groups *g, void *data, void *book, uint32_t max, uint32_t size)
{
	memset(g, 0, sizeof *g);
	g->data = data;
	g->size = size;
	g->max = max;
	g->group = book;
	g->bucket = (uint32_t *)((uint8_t *)book +
				 round_line(((size_t)max + 1) * sizeof(struct group)));
	g->bucket_mask = buckets_for(max) - 1;
	memset(g->bucket, 0, buckets_for(max) * sizeof *g->bucket);
}

/* Two multiplicative lanes over the content, folded; every bit of it moves the low bits. */
static uint32_t content_hash(const void *content, uint32_t size)
{
	const uint8_t *p = content;
	uint64_t a = size, b = 0x9e3779b97f4a7c15ull;
	uint64_t w[2];

	for (; size >= 16; size -= 16, p += 16) {
		memcpy(w, p, sizeof w);
		a = (a ^ w[0]) * 0xff51afd7ed558ccdull;
		b = (b ^ w[1]) * 0xc4ceb9fe1a85ec53ull;
		a ^= a >> 29;
		b ^= b >> 31;
	}
	for (; size; size -= 4, p += 4) {
		uint32_t v;

		memcpy(&v, p, sizeof v);
		a = (a ^ v) * 0xff51afd7ed558ccdull;
		a ^= a >> 29;
	}
	a = (a ^ b >> 7 ^ b << 13) * 0x9e3779b97f4a7c15ull;
	return (uint32_t)(a >> 32);
}

/* As memcmp, but inlined: most contents are 4 or 32 bytes. */
static bool content_is(const uint8_t *a, const uint8_t *b, uint32_t size)
{
	for (uint32_t i = 0; i < size; i += 4) {
		uint32_t x, y;

		memcpy(&x, a + i, sizeof x);
		memcpy(&y, b + i, sizeof y);
		if (x != y)
			return false;
	}
	return true;
}

static uint32_t find_hashed(const struct groups *g, const void *content, uint32_t hash)
{
	uint32_t n = g->bucket[hash & g->bucket_mask];

	while (n && (g->group[n].hash != hash || !content_is(groups_data(g, n), content, g->size)))
		n = g->group[n].next;
	return n;
}

uint32_t groups_find(const struct groups *g, const void *content)
{
	return find_hashed(g, content, content_hash(content, g->size));
}

/* A number nobody knows, or 0. */
static uint32_t take_free(struct groups *g)
{
	uint32_t n = g->free;

	if (n)
		g->free = g->group[n].next;
	else if (g->mark < g->max)
		n = ++g->mark;
	return n;
}

static void bucket_insert(struct groups *g, uint32_t number, uint32_t hash)
{
	uint32_t *bucket = &g->bucket[hash & g->bucket_mask];

	g->group[number].hash = hash;
	g->group[number].next = *bucket;
	*bucket = number;
}

static uint32_t add_hashed(struct groups *g, const void *content, uint32_t hash)
{
	uint32_t n = take_free(g);

	if (!n)
		return 0;
	memcpy(g->data + (size_t)n * g->size, content, g->size);
	g->group[n].refs = 1;
	g->group[n].alone = g->grace_passed;
	g->count++;
	bucket_insert(g, n, hash);
	return n;
}

uint32_t groups_add(struct groups *g, const void *content)
{
	return add_hashed(g, content, content_hash(content, g->size));
}

uint32_t groups_get(struct groups *g, const void *content)
{
	uint32_t hash = content_hash(content, g->size), n = find_hashed(g, content, hash);

	if (!n)
		return add_hashed(g, content, hash);
	g->group[n].refs++;
	return n;
}

void groups_hide(struct groups *g, uint32_t number)
{
	uint32_t *link = &g->bucket[g->group[number].hash & g->bucket_mask];

	while (*link != number)
		link = &g->group[*link].next;
	*link = g->group[number].next;
}

void groups_show(struct groups *g, uint32_t number)
{
	bucket_insert(g, number, content_hash(groups_data(g, number), g->size));
}

bool groups_put(struct groups *g, uint32_t number)
{
	/* Were a table damaged, letting go of what it names must not do more harm. */
	if (number == 0 || number > g->mark || g->group[number].refs == 0)
		return false;
	if (--g->group[number].refs) {
		g->group[number].alone = g->grace + 1;
		return false;
	}
	groups_hide(g, number);
	if (!g->retired)
		g->retired_last = number;
	g->group[number].next = g->retired;
	g->retired = number;
	g->retired_count++;
	g->count--;
	return true;
}

void groups_grace_begin(struct groups *g)
{
	g->grace++;
	if (!g->retired)
		return;
	g->group[g->retired_last].next = g->waiting;
	if (!g->waiting)
		g->waiting_last = g->retired_last;
	g->waiting = g->retired;
	g->waiting_count += g->retired_count;
	g->retired = g->retired_count = 0;
}

void groups_grace_passed(struct groups *g)
{
	g->grace_passed = g->grace;
	if (!g->waiting)
		return;
	g->group[g->waiting_last].next = g->free;
	g->free = g->waiting;
	g->waiting = g->waiting_count = 0;
}

/* ---- images ---- */

/* What an image begins with; then the data of numbers 0 to mark, then their references. */
struct image {
	uint32_t size, mark;
	uint32_t unused[14];
};

_Static_assert(sizeof(struct image) == 64, "data begins on a cache line");

static size_t image_size(uint32_t size, uint32_t mark)
{
	return sizeof(struct image) + groups_data_size(mark, size) +
	       round_line(((size_t)mark + 1) * sizeof(uint32_t));
}

size_t groups_image_size(const struct groups *g)
{
	return image_size(g->size, g->mark);
}

void groups_save(const struct groups *g, void *image)
{
	uint8_t *p = memset(image, 0, groups_image_size(g));
	uint32_t *refs = (uint32_t *)(p + sizeof(struct image) + groups_data_size(g->mark, g->size));

	*(struct image *)image = (struct image){.size = g->size, .mark = g->mark};
	p += sizeof(struct image);
	for (uint32_t n = 1; n <= g->mark; n++) {
		refs[n] = g->group[n].refs;
		if (refs[n])
			memcpy(p + (size_t)n * g->size, groups_data(g, n), g->size);
	}
}

/* The numbers of an image are in use, or free. */
static void load_numbers(struct groups *g, const uint32_t *refs, uint32_t mark)
{
	memset(g->bucket, 0, ((size_t)g->bucket_mask + 1) * sizeof *g->bucket);
	g->mark = mark;
	g->count = g->free = 0;
	g->retired = g->retired_count = g->waiting = g->waiting_count = 0;
	for (uint32_t n = mark; n > 0; n--) {
		g->group[n] = (struct group){.refs = refs[n], .alone = g->grace_passed};
		if (refs[n]) {
			groups_show(g, n);
			g->count++;
		} else {
			g->group[n].next = g->free;
			g->free = n;
		}
	}
}

enum err groups_check(const struct groups *g, const void *image, size_t bytes, size_t *used)
{
	struct image head;

	if (bytes < sizeof head)
		return ERR_INVALID;
	memcpy(&head, image, sizeof head);
	*used = image_size(head.size, head.mark);
	if (head.size != g->size || *used > bytes)
		return ERR_INVALID;
	return head.mark > g->max ? ERR_FULL : ERR_OK;
}

void groups_load(struct groups *g, const void *image)
{
	const uint8_t *p = image;
	struct image head;

	memcpy(&head, p, sizeof head);
	p += sizeof head;
	memcpy(g->data, p, ((size_t)head.mark + 1) * g->size);
	p += groups_data_size(head.mark, head.size);
	load_numbers(g, (const uint32_t *)p, head.mark);
}

/* The IPv4 forwarding table as bytes: the root, the blocks, the words that lead to deep ranges. */
#include <string.h>

#include "net/table/fib4_table.h"

#define ROOT_BYTES (FIB4_CHUNKS * sizeof(uint32_t))

/* The words of so many lines, of which there are whole cache lines. */
static size_t deep_bytes(uint32_t lines)
{
	return lines * sizeof(uint32_t);
}

_Static_assert(BLOCK_LINES * sizeof(uint32_t) % BLOCK_LINE == 0, "words of a block fill a line");

size_t fib4_image_size(const struct fib4 *f)
{
	return ROOT_BYTES + blocks_image_size(&f->blocks) + deep_bytes(blocks_end(&f->blocks));
}

void fib4_save(const struct fib4 *f, void *image)
{
	uint8_t *p = image;

	memcpy(p, f->root, ROOT_BYTES);
	p += ROOT_BYTES;
	blocks_save(&f->blocks, p);
	p += blocks_image_size(&f->blocks);
	memcpy(p, f->deep, deep_bytes(blocks_end(&f->blocks)));
}

enum err fib4_load(struct fib4 *f, const void *image, size_t bytes)
{
	const uint8_t *p = image;
	uint32_t lines;
	size_t used;

	if (bytes < ROOT_BYTES)
		return ERR_INVALID;
	enum err err = blocks_check(&f->blocks, p + ROOT_BYTES, bytes - ROOT_BYTES, &used, &lines);

	if (err == ERR_OK && bytes != ROOT_BYTES + used + deep_bytes(lines))
		err = ERR_INVALID;
	if (err != ERR_OK)
		return err;
	memcpy(f->root, p, ROOT_BYTES);
	blocks_load(&f->blocks, p + ROOT_BYTES);
	memcpy(f->deep, p + ROOT_BYTES + used, deep_bytes(lines));
	return ERR_OK;
}

/* The IPv4 forwarding table as a block of bytes: the direct index, then the groups of each kind. */
#include <string.h>

#include "net/table/fib4_table.h"

#define KINDS 5u /* of groups */

static struct groups *groups_of(struct fib4 *f, unsigned kind)
{
	struct groups *const groups[KINDS] = {&f->wide, &f->pairs, &f->narrow, &f->deep, &f->hosts};

	return groups[kind];
}

static const struct groups *groups_in(const struct fib4 *f, unsigned kind)
{
	return groups_of((struct fib4 *)(uintptr_t)f, kind);
}

#define DIRECT_BYTES (FIB4_CHUNKS * sizeof(uint16_t))

size_t fib4_image_size(const struct fib4 *f)
{
	size_t bytes = DIRECT_BYTES;

	for (unsigned kind = 0; kind < KINDS; kind++)
		bytes += groups_image_size(groups_in(f, kind));
	return bytes;
}

void fib4_save(const struct fib4 *f, void *image)
{
	uint8_t *p = image;

	memcpy(p, f->direct, DIRECT_BYTES);
	p += DIRECT_BYTES;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		groups_save(groups_in(f, kind), p);
		p += groups_image_size(groups_in(f, kind));
	}
}

enum err fib4_load(struct fib4 *f, const void *image, size_t bytes)
{
	const uint8_t *part[KINDS], *p = image;
	enum err err = ERR_OK;
	size_t used;

	if (bytes < DIRECT_BYTES)
		return ERR_INVALID;
	used = DIRECT_BYTES;
	for (unsigned kind = 0; kind < KINDS && err == ERR_OK; kind++) {
		p += used;
		bytes -= used;
		part[kind] = p;
		err = groups_check(groups_in(f, kind), p, bytes, &used);
	}
	if (err != ERR_OK || bytes != used)
		return err != ERR_OK ? err : ERR_INVALID;
	memcpy(f->direct, image, DIRECT_BYTES);
	for (unsigned kind = 0; kind < KINDS; kind++)
		groups_load(groups_of(f, kind), part[kind]);
	return ERR_OK;
}

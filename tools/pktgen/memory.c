/* Mapping what a front end shares, after a look at what it says. */
#include "tools/pktgen/memory.h"

#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>

static bool overlap(uint64_t a, uint64_t b, uint64_t bytes_a, uint64_t bytes_b)
{
	return a < b ? b - a < bytes_a : a - b < bytes_b;
}

static struct memory_region *find(struct memory *m, const struct vhost_region *region)
{
	for (unsigned i = 0; i < m->count; i++) {
		struct memory_region *r = &m->region[i];

		if (r->guest == region->guest && r->user == region->user && r->size == region->size)
			return r;
	}
	return NULL;
}

static const char *refuse(const struct memory *m, const struct vhost_region *region)
{
	if (region->size == 0)
		return "a memory region without bytes";
	if (region->guest + region->size < region->guest ||
		region->user + region->size < region->user ||
		region->offset + region->size < region->offset)
		return "a memory region that wraps around";
	if (m->count == MEMORY_REGIONS)
		return "more memory regions than there is room for";
	for (unsigned i = 0; i < m->count; i++) {
		const struct memory_region *r = &m->region[i];

		if (overlap(region->guest, r->guest, region->size, r->size) ||
			overlap(region->user, r->user, region->size, r->size))
			return "memory regions that overlap";
	}
	return NULL;
}

const char *memory_add(struct memory *m, const struct vhost_region *region, int fd)
{
	struct memory_region *same = find(m, region);
	const char *why = refuse(m, region);
	struct stat file;

	if (same && same->uses < UINT32_MAX) {
		same->uses++;
		return NULL;
	}
	if (why)
		return why;
	if (fstat(fd, &file) < 0 || file.st_size < 0 ||
		(uint64_t)file.st_size < region->offset + region->size)
		return "a memory region larger than its file";

	/* From the start of the file: offsets need not be multiples of its page size. */
	uint64_t page = file.st_blksize > 0 ? (uint64_t)file.st_blksize : 4096;
	uint64_t bytes = (region->offset + region->size + page - 1) / page * page;
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);

	if (map == MAP_FAILED)
		return "a memory region that cannot be mapped";
	madvise(map, bytes, MADV_HUGEPAGE);
	m->region[m->count++] = (struct memory_region){
		.guest = region->guest,
		.user = region->user,
		.size = region->size,
		.host = (uint8_t *)map + region->offset,
		.map = map,
		.map_bytes = bytes,
		.uses = 1,
	};
	return NULL;
}

const char *memory_remove(struct memory *m, const struct vhost_region *region)
{
	struct memory_region *r = find(m, region);

	if (!r)
		return "a memory region to be removed that was never added";
	if (--r->uses)
		return NULL;
	munmap(r->map, r->map_bytes);
	*r = m->region[--m->count];
	return NULL;
}

void memory_clear(struct memory *m)
{
	while (m->count) {
		m->count--;
		munmap(m->region[m->count].map, m->region[m->count].map_bytes);
	}
}

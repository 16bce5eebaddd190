/* Maps of the client's memory: checked, made, found by address. */
#include "tools/ixgbe-sim/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool overlaps(const struct memory_map *map, uint64_t address, uint64_t bytes)
{
	return address < map->address + map->bytes && map->address < address + bytes;
}

static int refuse(const struct memory *m, const struct vfio_user_map *w)
{
	if (w->bytes == 0 || w->address + w->bytes < w->address || w->offset + w->bytes < w->offset)
		return EINVAL;
	if ((w->flags & ~(VFIO_USER_MAP_READ | VFIO_USER_MAP_WRITE)) != 0 || w->flags == 0)
		return EINVAL;
	for (unsigned i = 0; i < m->count; i++)
		if (overlaps(&m->map[i], w->address, w->bytes))
			return EEXIST;
	return m->count == MEMORY_MAPS ? ENOSPC : 0;
}

/* A file that shrank under us would end the process (SIGBUS): one that cannot is asked for. */
static int check_file(int fd, const struct vfio_user_map *w)
{
	struct stat file;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || !(seals & F_SEAL_SHRINK))
		return EACCES;
	if (fstat(fd, &file) < 0)
		return errno;
	return file.st_size < 0 || (uint64_t)file.st_size < w->offset + w->bytes ? EINVAL : 0;
}

static int protection(uint32_t flags)
{
	return (flags & VFIO_USER_MAP_READ ? PROT_READ : 0) |
	       (flags & VFIO_USER_MAP_WRITE ? PROT_WRITE : 0);
}

int memory_add(struct memory *m, const struct vfio_user_map *w, int fd)
{
	struct memory_map map = {.address = w->address, .bytes = w->bytes, .flags = w->flags};
	int error = refuse(m, w);

	if (!error && fd >= 0)
		error = check_file(fd, w);
	if (error)
		return error;
	if (fd >= 0) {
		/* From the start of the file: offsets need not be multiples of a huge page. */
		map.base_bytes = w->offset + w->bytes;
		map.base = mmap(NULL, map.base_bytes, protection(w->flags),
			MAP_SHARED | MAP_NORESERVE, fd, 0);
		if (map.base == MAP_FAILED)
			return errno;
		map.host = (uint8_t *)map.base + w->offset;
	}
	m->map[m->count++] = map;
	return 0;
}

static void drop(struct memory *m, unsigned i)
{
	if (m->map[i].base)
		munmap(m->map[i].base, m->map[i].base_bytes);
	m->map[i] = m->map[--m->count];
}

int memory_remove(struct memory *m, const struct vfio_user_unmap *w)
{
	unsigned before = m->count;

	if (w->flags == VFIO_USER_UNMAP_ALL) {
		memory_clear(m);
		return 0;
	}
	if (w->flags != 0 || w->address + w->bytes < w->address)
		return EINVAL;
	for (unsigned i = 0; i < m->count; i++) {
		const struct memory_map *map = &m->map[i];

		if (overlaps(map, w->address, w->bytes) &&
			(map->address < w->address ||
				map->address + map->bytes > w->address + w->bytes))
			return EINVAL;
	}
	for (unsigned i = m->count; i-- > 0;)
		if (overlaps(&m->map[i], w->address, w->bytes))
			drop(m, i);
	return m->count == before ? ENOENT : 0;
}

void memory_clear(struct memory *m)
{
	while (m->count)
		drop(m, m->count - 1);
}

void *memory_at(struct memory *m, uint64_t address, uint64_t bytes, bool write)
{
	const uint32_t need = write ? VFIO_USER_MAP_WRITE : VFIO_USER_MAP_READ;

	for (unsigned i = 0; i < m->count; i++) {
		const struct memory_map map = m->map[i];

		if (address < map.address || address - map.address >= map.bytes)
			continue;
		if (bytes > map.bytes - (address - map.address) || !map.host || !(map.flags & need))
			return NULL;
		/* The next one will be near: in front, it is found at once. */
		m->map[i] = m->map[0];
		m->map[0] = map;
		return map.host + (address - map.address);
	}
	return NULL;
}

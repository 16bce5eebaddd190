/*
 * The memory that a front end shares: regions of files, mapped here.
 *
 * Whatever address a front end names is looked up here, with the length that
 * will be read or written. Nothing outside its regions is ever touched.
 */
#ifndef PKTGEN_MEMORY_H
#define PKTGEN_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "tools/pktgen/vhost_proto.h"

#define MEMORY_REGIONS 32u

struct memory_region {
	uint64_t guest, user, size;
	uint8_t *host; /* where it begins in this process */
	void *map;
	size_t map_bytes;
	unsigned uses; /* times it was added */
};

struct memory {
	unsigned count;
	struct memory_region region[MEMORY_REGIONS];
};

/*
 * Maps a region; fd stays the caller's. The same one again (QEMU adds it once for
 * each queue pair) is there until it was removed as often. NULL, or why it is refused.
 */
MUST_CHECK const char *memory_add(struct memory *m, const struct vhost_region *region, int fd);

/* Unmaps the region of this guest address, user address and size. NULL, or why not. */
MUST_CHECK const char *memory_remove(struct memory *m, const struct vhost_region *region);

/* Unmaps everything. */
void memory_clear(struct memory *m);

/* Where [address, address + bytes) of the guest is, or NULL if it is not wholly in one region. */
static inline uint8_t *memory_guest(const struct memory *m, uint64_t address, uint64_t bytes)
{
	for (unsigned i = 0; i < m->count; i++) {
		const struct memory_region *r = &m->region[i];
		uint64_t at = address - r->guest;

		if (at < r->size && bytes <= r->size - at)
			return r->host + at;
	}
	return NULL;
}

/* The same for an address of the front end's process. */
static inline uint8_t *memory_user(const struct memory *m, uint64_t address, uint64_t bytes)
{
	for (unsigned i = 0; i < m->count; i++) {
		const struct memory_region *r = &m->region[i];
		uint64_t at = address - r->user;

		if (at < r->size && bytes <= r->size - at)
			return r->host + at;
	}
	return NULL;
}

#endif

/* The client's memory, as the device reaches it by DMA. */
#ifndef IXGBE_SIM_MEMORY_H
#define IXGBE_SIM_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/ixgbe-sim/proto.h"

#define MEMORY_MAPS 64u

struct memory_map {
	uint64_t address, bytes; /* as the device says it */
	uint32_t flags;          /* VFIO_USER_MAP_* */
	uint8_t *host;           /* NULL: without a file, out of the device's reach */
	void *base;              /* what munmap takes */
	uint64_t base_bytes;
};

struct memory {
	unsigned count;
	struct memory_map map[MEMORY_MAPS];
};

/*
 * Maps the memory of a message; fd: -1 where it has none, else the caller's still. 0 or an errno:
 * maps may not overlap, and a file must be sealed against shrinking, for what shrinks ends who
 * reads it.
 */
int memory_add(struct memory *m, const struct vfio_user_map *wanted, int fd);

/* Removes all maps within a range, or all; ENOENT where there is none, EINVAL where one is cut. */
int memory_remove(struct memory *m, const struct vfio_user_unmap *wanted);

void memory_clear(struct memory *m);

/* What the device sees at an address, or NULL: not mapped as a whole, or not for this direction. */
void *memory_at(struct memory *m, uint64_t address, uint64_t bytes, bool write);

#endif

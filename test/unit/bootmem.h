/* Simulated physical memory that loader data lie in; included after cmocka.h. */
#ifndef TEST_UNIT_BOOTMEM_H
#define TEST_UNIT_BOOTMEM_H

#include <stdlib.h>
#include <string.h>

#include "boot/view.h"

#define BASE  0x8000u /* physical address of the simulated memory */
#define BYTES 4096u

/* Memory on the heap, exactly as large as the view says, so that ASan sees every step beyond. */
struct memory {
	uint8_t *p;
	struct boot_view view;
};

static inline struct memory memory_new(size_t bytes)
{
	struct memory m = {.p = calloc(1, bytes ? bytes : 1)};

	assert_non_null(m.p);
	m.view = (struct boot_view){
		.first = BASE, .end = BASE + bytes, .bias = (uintptr_t)m.p - BASE};
	return m;
}

static inline void put(struct memory *m, uint64_t address, const void *data, size_t bytes)
{
	memcpy(m->p + (address - BASE), data, bytes);
}

static inline void put32(struct memory *m, uint64_t address, uint32_t v)
{
	put(m, address, &v, sizeof v);
}

static inline void put64(struct memory *m, uint64_t address, uint64_t v)
{
	put(m, address, &v, sizeof v);
}

#endif

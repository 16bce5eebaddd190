/*
 * The machine under a driver in unit tests: addresses and ports answered by
 * handlers instead of hardware, and a struct io_env with memory, clock and log.
 *
 * drivers/io.h sends every MMIO access here (IO_MODEL); device addresses are
 * only numbers and are never dereferenced.
 */
#ifndef TEST_MODEL_IO_H
#define TEST_MODEL_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/io.h"

/* `at` counts from the first address or port of the region. */
typedef uint64_t model_read_fn(void *ctx, uint64_t at, unsigned bytes);
typedef void model_write_fn(void *ctx, uint64_t at, unsigned bytes, uint64_t v);

struct model_io {
	unsigned strays;        /* accesses that nothing answered; they read all ones */
	unsigned port_accesses; /* all port accesses: what emulation makes slow */
	unsigned allocs_left;   /* env->alloc gives NULL when it is 0 */
	bool map_fails;
	uint64_t now_us;
	unsigned lines; /* logged */
	char line[256]; /* the last one */
};

extern struct model_io model_io;

/* Forgets all regions and counts; frees what env->alloc gave. Call first and last in each test. */
void model_io_reset(void);

/* A later region hides an earlier one at the same place. */
void model_add_memory(
	uint64_t first, uint64_t bytes, model_read_fn *read, model_write_fn *write, void *ctx);
void model_add_ports(
	uint16_t first, unsigned ports, model_read_fn *read, model_write_fn *write, void *ctx);

/* The clock advances 10 us with each reading. */
extern const struct io_env model_env;

#endif

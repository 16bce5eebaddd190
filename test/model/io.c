/* Addresses, ports, memory, clock and log of the machine that drivers are tested on. */
#include "test/model/io.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGIONS_MAX 16
#define BLOCKS_MAX  64

struct region {
	bool ports;
	uint64_t first, bytes;
	model_read_fn *read;
	model_write_fn *write;
	void *ctx;
};

struct model_io model_io = {.allocs_left = BLOCKS_MAX};
static struct region region[REGIONS_MAX];
static unsigned regions;
static void *block[BLOCKS_MAX];
static unsigned blocks;

void model_io_reset(void)
{
	while (blocks)
		free(block[--blocks]);
	regions = 0;
	model_io = (struct model_io){.allocs_left = BLOCKS_MAX};
}

static void add(struct region r)
{
	if (regions == REGIONS_MAX)
		abort();
	region[regions++] = r;
}

void model_add_memory(
	uint64_t first, uint64_t bytes, model_read_fn *read, model_write_fn *write, void *ctx)
{
	add((struct region){false, first, bytes, read, write, ctx});
}

void model_add_ports(
	uint16_t first, unsigned ports, model_read_fn *read, model_write_fn *write, void *ctx)
{
	add((struct region){true, first, ports, read, write, ctx});
}

static const struct region *find(bool ports, uint64_t address, unsigned bytes)
{
	for (unsigned i = regions; i-- > 0;) {
		const struct region *r = &region[i];

		if (r->ports == ports && address - r->first < r->bytes &&
			bytes <= r->bytes - (address - r->first))
			return r;
	}
	model_io.strays++;
	return NULL;
}

static uint64_t read_at(bool ports, uint64_t address, unsigned bytes)
{
	const struct region *r = find(ports, address, bytes);
	uint64_t v = r ? r->read(r->ctx, address - r->first, bytes) : UINT64_MAX;

	return bytes < 8 ? v & ((UINT64_C(1) << 8 * bytes) - 1) : v;
}

static void write_at(bool ports, uint64_t address, unsigned bytes, uint64_t v)
{
	const struct region *r = find(ports, address, bytes);

	if (r)
		r->write(r->ctx, address - r->first, bytes, v);
}

uint64_t io_model_read(const volatile void *p, unsigned bytes)
{
	return read_at(false, (uintptr_t)p, bytes);
}

void io_model_write(volatile void *p, unsigned bytes, uint64_t v)
{
	write_at(false, (uintptr_t)p, bytes, v);
}

static uint64_t port_read(uint16_t port, unsigned bytes)
{
	model_io.port_accesses++;
	return read_at(true, port, bytes);
}

static void port_write(uint16_t port, unsigned bytes, uint64_t v)
{
	model_io.port_accesses++;
	write_at(true, port, bytes, v);
}

uint8_t pio_read8(uint16_t port)
{
	return (uint8_t)port_read(port, 1);
}

uint16_t pio_read16(uint16_t port)
{
	return (uint16_t)port_read(port, 2);
}

uint32_t pio_read32(uint16_t port)
{
	return (uint32_t)port_read(port, 4);
}

void pio_write8(uint16_t port, uint8_t v)
{
	port_write(port, 1, v);
}

void pio_write16(uint16_t port, uint16_t v)
{
	port_write(port, 2, v);
}

void pio_write32(uint16_t port, uint32_t v)
{
	port_write(port, 4, v);
}

/* ---------------------------------------------------------------- struct io_env */

/* Each block is its own heap allocation, so that ASan sees a byte written beyond it. */
static void *env_alloc(void *ctx, size_t bytes, size_t align)
{
	void *p = NULL;

	if (!model_io.allocs_left || blocks == BLOCKS_MAX || posix_memalign(&p, align, bytes))
		return NULL;
	model_io.allocs_left--;
	memset(p, 0, bytes);
	return block[blocks++] = p;
}

static volatile void *env_map(void *ctx, uint64_t address, uint64_t bytes)
{
	return model_io.map_fails ? NULL : (volatile void *)(uintptr_t)address;
}

static uint64_t env_now_us(void *ctx)
{
	return model_io.now_us += 10;
}

static void __attribute__((format(printf, 2, 3))) env_log(void *ctx, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(model_io.line, sizeof model_io.line, format, args);
	va_end(args);
	model_io.lines++;
}

const struct io_env model_env = {
	.alloc = env_alloc,
	.map = env_map,
	.now_us = env_now_us,
	.log = env_log,
};

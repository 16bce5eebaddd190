/*
 * How drivers touch hardware: MMIO, port I/O, DMA memory and barriers.
 *
 * On the target and in the hosted process MMIO is a volatile access. In unit
 * tests (IO_MODEL defined) the same calls go to a device model. Port I/O is a
 * function everywhere: its body is privileged and lives in kernel/x86/.
 */
#ifndef DRIVERS_IO_H
#define DRIVERS_IO_H

#include <stddef.h>
#include <stdint.h>

#ifdef IO_MODEL
uint64_t io_model_read(const volatile void *p, unsigned bytes);
void io_model_write(volatile void *p, unsigned bytes, uint64_t v);
#	define IO_READ(type, p)     ((type)io_model_read((p), sizeof(type)))
#	define IO_WRITE(type, p, v) io_model_write((p), sizeof(type), (v))
#else
#	define IO_READ(type, p)     (*(const volatile type *)(p))
#	define IO_WRITE(type, p, v) (*(volatile type *)(p) = (v))
#endif

static inline uint8_t mmio_read8(const volatile void *p)
{
	return IO_READ(uint8_t, p);
}

static inline uint16_t mmio_read16(const volatile void *p)
{
	return IO_READ(uint16_t, p);
}

static inline uint32_t mmio_read32(const volatile void *p)
{
	return IO_READ(uint32_t, p);
}

static inline void mmio_write8(volatile void *p, uint8_t v)
{
	IO_WRITE(uint8_t, p, v);
}

static inline void mmio_write16(volatile void *p, uint16_t v)
{
	IO_WRITE(uint16_t, p, v);
}

static inline void mmio_write32(volatile void *p, uint32_t v)
{
	IO_WRITE(uint32_t, p, v);
}

/* Ports; kernel/x86/pio.c on the target, the model in tests. */
uint8_t pio_read8(uint16_t port);
uint16_t pio_read16(uint16_t port);
uint32_t pio_read32(uint16_t port);
void pio_write8(uint16_t port, uint8_t v);
void pio_write16(uint16_t port, uint16_t v);
void pio_write32(uint16_t port, uint32_t v);

/*
 * Device memory on x86 is coherent and ordered (SDM volume 3, 8.2), so only the
 * compiler must keep loads (an index, then its entry) and stores (descriptors,
 * then the index) in order. But a later load may pass an earlier store: dma_mb
 * is needed before a suppression flag is read.
 *
 * MFENCE is written out: for a fence of its own a compiler may choose a locked
 * read-modify-write of the stack, and the poll loop is to have none, so that any
 * lock prefix found in it is a mistake.
 */
#define dma_rmb() __asm__ volatile("" ::: "memory")
#define dma_wmb() __asm__ volatile("" ::: "memory")
#define dma_mb()  __asm__ volatile("mfence" ::: "memory")

/* What a driver gets from the kernel: memory at boot and a clock. */
struct io_env {
	/* Zeroed DMA-able memory, address = bus address; NULL when exhausted. Boot only. */
	void *(*alloc)(void *ctx, size_t bytes, size_t align);
	/* Maps device memory uncached, of any alignment and size; NULL if it cannot. */
	volatile void *(*map)(void *ctx, uint64_t address, uint64_t bytes);
	/* Monotonic microseconds. */
	uint64_t (*now_us)(void *ctx);
	/* One line of boot log, printf-like. */
	void (*log)(void *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));
	void *ctx;
};

#endif

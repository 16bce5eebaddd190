/* A platform for unit tests: the test owns the clock, memory comes from the heap, nothing runs by
 * itself. */
#include "test/model/platform.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/platform.h"
#include "lib/atomic.h"

struct model_platform model_platform;

/* Threads of a test read the clock while another one moves it. */
uint64_t platform_tsc(void)
{
	return load_once(&model_platform.now_us) * 1000;
}

uint64_t platform_tsc_hz(void)
{
	return 1000000000;
}

uint64_t platform_random(void)
{
	return 0x5eed;
}

uint64_t platform_now_us(void)
{
	if (model_platform.step_us)
		model_platform.now_us += model_platform.step_us;
	return load_once(&model_platform.now_us);
}

int platform_console_getc(void)
{
	return model_platform.getc ? model_platform.getc() : -1;
}

void platform_console_write(const char *s, size_t n)
{
	if (model_platform.write)
		model_platform.write(s, n);
}

size_t platform_console_room(void)
{
	return model_platform.room ? model_platform.room() : SIZE_MAX;
}

void platform_console_poll(void)
{
}

void platform_console_flush(void)
{
}

void platform_console_booted(void)
{
}

/* A spin loop in a test waits for time to pass, or for ever: so time passes. */
void platform_relax(void)
{
	__atomic_fetch_add(&model_platform.now_us, 100, __ATOMIC_RELAXED);
	if (model_platform.relax)
		model_platform.relax();
}

void platform_idle(unsigned us)
{
	model_platform.now_us += us;
}

unsigned platform_cores(void)
{
	return 1;
}

const struct platform_core *platform_core(unsigned core)
{
	static struct platform_core it = {.running = true, .note = ""};

	it.apic_id = core;
	it.node = core % platform_nodes();
	return &it;
}

unsigned platform_nodes(void)
{
	return model_platform.nodes ? model_platform.nodes : 1;
}

bool platform_dca_tag(unsigned core, uint8_t *tag)
{
	*tag = (uint8_t)(model_platform.dca_tag + core);
	return model_platform.dca_tag != 0;
}

const char *platform_isa(void)
{
	return "x86-64";
}

bool platform_start(unsigned core, void (*fn)(void *arg), void *arg)
{
	(void)core;
	(void)fn;
	(void)arg;
	return false;
}

void *platform_reserve(size_t bytes, size_t align)
{
	size_t size = (bytes + align - 1) & ~(align - 1);

	if (model_platform.memory_left && size > model_platform.memory_left)
		return NULL;
	if (model_platform.memory_left)
		model_platform.memory_left -= size;
	if (model_platform.blocks == MODEL_BLOCKS_MAX)
		return NULL;
	void *p = aligned_alloc(align, size);

	if (p)
		model_platform.block[model_platform.blocks++] = p;
	return p;
}

void *platform_alloc(size_t bytes, size_t align)
{
	void *p = platform_reserve(bytes, align);

	return p ? memset(p, 0, bytes) : NULL;
}

void *platform_reserve_near(size_t bytes, size_t align, uint32_t node)
{
	if (node < MODEL_NODES_MAX)
		model_platform.near[node] += bytes;
	return platform_reserve(bytes, align);
}

void *platform_alloc_near(size_t bytes, size_t align, uint32_t node)
{
	void *p = platform_reserve_near(bytes, align, node);

	return p ? memset(p, 0, bytes) : NULL;
}

void model_platform_free(void)
{
	while (model_platform.blocks)
		free(model_platform.block[--model_platform.blocks]);
}

void platform_seal(void)
{
}

void platform_memory(struct platform_memory *m)
{
	memset(m, 0, sizeof *m);
	m->pages = "none";
	m->arena_bytes = 48 << 20; /* as if: RIB_FEW routes */
}

void platform_node(unsigned i, struct platform_node *n)
{
	*n = (struct platform_node){.node = i};
}

static void *io_alloc(void *ctx, size_t bytes, size_t align)
{
	(void)ctx;
	return platform_alloc(bytes, align);
}

static volatile void *io_map(void *ctx, uint64_t address, uint64_t bytes)
{
	(void)ctx;
	(void)address;
	(void)bytes;
	return NULL;
}

static uint64_t io_now_us(void *ctx)
{
	(void)ctx;
	return platform_now_us();
}

static void __attribute__((format(printf, 2, 3))) io_log(void *ctx, const char *format, ...)
{
	(void)ctx;
	(void)format;
}

const struct io_env platform_io = {
	.alloc = io_alloc,
	.map = io_map,
	.now_us = io_now_us,
	.log = io_log,
};

unsigned platform_probe_ports(const struct io_env *env, const struct netdev_request *want,
	struct netdev **dev, unsigned max)
{
	(void)env;
	(void)want;
	(void)dev;
	(void)max;
	return 0;
}

unsigned platform_modules(struct platform_module *m, unsigned max)
{
	(void)m;
	(void)max;
	return 0;
}

const char *platform_cmdline(void)
{
	return model_platform.cmdline ? model_platform.cmdline : "";
}

const char *platform_serial(void)
{
	return "";
}

const char *platform_loader(void)
{
	return "unit test";
}

const char *platform_watchdog(void)
{
	return model_platform.watchdog;
}

bool platform_watchdog_start(unsigned seconds)
{
	model_platform.watchdog_s = seconds;
	model_platform.fed = 0;
	return model_platform.watchdog != NULL;
}

void platform_watchdog_feed(void)
{
	model_platform.fed++;
}

const char *platform_crash(size_t *bytes)
{
	*bytes = model_platform.crash ? strlen(model_platform.crash) : 0;
	return model_platform.crash;
}

void platform_crash_clear(void)
{
	model_platform.crash = NULL;
}

void platform_reboot(void)
{
	if (model_platform.halted)
		model_platform.halted();
	abort();
}

void platform_poweroff(void)
{
	if (model_platform.halted)
		model_platform.halted();
	abort();
}

void platform_panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	abort();
}

/* The hosted platform: clock, threads and files of a Linux process. */
#include "kernel/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "kernel/hosted/hosted.h"
#include "kernel/log.h"

static struct platform_core cores[CORE_MAX];
static uint64_t start_ns;

/* ---- clock ---- */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t platform_tsc(void)
{
	return __rdtsc();
}

uint64_t platform_tsc_hz(void)
{
	static uint64_t hz;

	if (!hz) {
		uint64_t ns = now_ns(), tsc = __rdtsc();

		while (now_ns() - ns < 10000000)
			_mm_pause();
		hz = (__rdtsc() - tsc) * 1000000000u / (now_ns() - ns);
	}
	return hz;
}

uint64_t platform_now_us(void)
{
	if (!start_ns)
		start_ns = now_ns();
	return (now_ns() - start_ns) / 1000;
}

void platform_relax(void)
{
	_mm_pause();
	if (hosted.yields)
		sched_yield(); /* whom we wait for may want this CPU */
}

void platform_idle(unsigned us)
{
	struct timespec t = {.tv_nsec = (long)us * 1000};

	(void)nanosleep(&t, NULL);
}

/* ---- what drivers get ---- */

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
	return NULL; /* a process has no device memory of its own */
}

static uint64_t io_now_us(void *ctx)
{
	(void)ctx;
	return platform_now_us();
}

static void __attribute__((format(printf, 2, 3))) io_log(void *ctx, const char *format, ...)
{
	char line[160];
	va_list args;

	(void)ctx;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	log_text("%s", line);
}

const struct io_env platform_io = {
	.alloc = io_alloc,
	.map = io_map,
	.now_us = io_now_us,
	.log = io_log,
};

/* ---- cores ---- */

bool hosted_pin(unsigned core)
{
	cpu_set_t set;

	if (!hosted.pinned)
		return true;
	CPU_ZERO(&set);
	CPU_SET(hosted.cpu[core], &set);
	return sched_setaffinity(0, sizeof set, &set) == 0;
}

unsigned platform_cores(void)
{
	return hosted.cores;
}

const struct platform_core *platform_core(unsigned core)
{
	cores[core].apic_id = hosted.pinned ? hosted.cpu[core] : core;
	cores[core].node = NODE_UNKNOWN;
	cores[core].running = true;
	cores[core].note = core == 0 ? "main thread" : "thread";
	return &cores[core];
}

unsigned platform_nodes(void)
{
	return 1; /* Linux places memory where it is first used */
}

/* What tags its chipset knows Linux does not tell. */
bool platform_dca_tag(unsigned core, uint8_t *tag)
{
	return false;
}

const char *platform_isa(void)
{
	if (__builtin_cpu_supports("x86-64-v4"))
		return "x86-64-v4";
	return __builtin_cpu_supports("x86-64-v3") ? "x86-64-v3" : "x86-64";
}

struct start {
	unsigned core;
	void (*fn)(void *arg);
	void *arg;
};

static void *thread_main(void *p)
{
	struct start s = *(struct start *)p;

	free(p);
	if (!hosted_pin(s.core))
		platform_panic("core %u: %s", s.core, strerror(errno));
	s.fn(s.arg);
	return NULL;
}

/* The operating system has confined it already. */
void platform_confine(unsigned worker)
{
	(void)worker;
}

bool platform_start(unsigned core, void (*fn)(void *arg), void *arg)
{
	struct start *s = malloc(sizeof *s);
	pthread_t thread;

	if (!s)
		return false;
	*s = (struct start){core, fn, arg};
	if (pthread_create(&thread, NULL, thread_main, s) == 0)
		return true;
	free(s);
	return false;
}

/* ---- modules, end ---- */

/* A file as a module; its memory is never given back. */
static struct platform_module module_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		platform_panic("%s: %s", path, strerror(errno));
	size_t size = (size_t)st.st_size;
	const void *data = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : "";

	close(fd);
	if (data == MAP_FAILED)
		platform_panic("%s: %s", path, strerror(errno));
	return (struct platform_module){path, data, size};
}

unsigned platform_modules(struct platform_module *m, unsigned max)
{
	static struct platform_module module[2];
	static unsigned modules;
	static bool opened;

	if (!opened && hosted.config)
		module[modules++] = module_open(hosted.config);
	if (!opened && hosted.routes)
		module[modules++] = module_open(hosted.routes);
	opened = true;
	for (unsigned i = 0; i < modules && i < max; i++)
		m[i] = module[i];
	return modules < max ? modules : max;
}

const char *platform_cmdline(void)
{
	return hosted.cmdline;
}

const char *platform_serial(void)
{
	return "";
}

const char *platform_loader(void)
{
	return "Linux process";
}

const char *platform_watchdog(void)
{
	return NULL; /* whoever started the process may watch it */
}

bool platform_watchdog_start(unsigned seconds)
{
	return seconds == 0;
}

void platform_watchdog_feed(void)
{
}

/* A process leaves its core to the operating system. */
const char *platform_crash(size_t *bytes)
{
	(void)bytes;
	return NULL;
}

void platform_crash_clear(void)
{
}

void platform_reboot(void)
{
	hosted_console_close();
	execv("/proc/self/exe", hosted.argv); /* the same process, from the start */
	exit(1);
}

void platform_poweroff(void)
{
	hosted_console_close();
	exit(0);
}

void platform_panic(const char *format, ...)
{
	va_list args;

	hosted_console_close();
	fputs("barewire: panic: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(1);
}

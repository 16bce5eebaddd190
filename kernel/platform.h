/*
 * The seam: what the kernel needs from the machine. Two bodies, kernel/x86/
 * (bare metal) and kernel/hosted/ (a Linux process).
 */
#ifndef KERNEL_PLATFORM_H
#define KERNEL_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/io.h"
#include "drivers/netdev.h"
#include "lib/limits.h"

/* Time stamp counter, and how it maps to time. Any core. */
uint64_t platform_tsc(void);
uint64_t platform_tsc_hz(void);
uint64_t platform_random(void); /* what nobody on the wire can know; control core, boot */
uint64_t platform_now_us(void); /* since entry; monotonic; never divides */

/*
 * Console, control core only. getc: next byte, -1 when none waits,
 * PLATFORM_CONSOLE_END when none will ever come again (a pipe's end), or once
 * PLATFORM_CONSOLE_GONE when who was there has gone and another may come. write:
 * queues; only if the queue is full it waits, for a bounded time. room: bytes
 * that can be queued without waiting. poll: sends what the line takes now,
 * called every turn. flush: waits, bounded, until all is sent.
 */
#define PLATFORM_CONSOLE_END  (-2)
#define PLATFORM_CONSOLE_GONE (-3)
#define PLATFORM_CONSOLE_ROOM 65536u /* of an idle console, at least */
int platform_console_getc(void);
void platform_console_write(const char *s, size_t n);
size_t platform_console_room(void);
void platform_console_poll(void);
void platform_console_flush(void);

/* The boot messages end here: what comes next is the shell's, for the console alone. */
void platform_console_booted(void);

/* One pause in a spin loop. */
void platform_relax(void);

/* Sleeps about so long, at most 1000, where the machine can; else one pause. Any core. */
void platform_idle(unsigned us);

/* Cores that can run, the control core included; each described for 'show cores'. */
unsigned platform_cores(void);
struct platform_core {
	uint32_t apic_id; /* or the Linux CPU number */
	uint32_t node;    /* NUMA node as the firmware numbers it, or NODE_UNKNOWN */
	bool running;     /* answered at boot */
	const char *note; /* why not, else "" */
};
const struct platform_core *platform_core(unsigned core);
/* A core's tag for devices that write towards its cache (DCA); false: this machine takes none. */
bool platform_dca_tag(unsigned core, uint8_t *tag);
/* NUMA nodes; 1 as well where nothing is known of any. */
unsigned platform_nodes(void);
/* Which compiled form of vector code the cores can run: "x86-64", "x86-64-v3", "x86-64-v4". */
const char *platform_isa(void);
/* Starts fn(arg) on core 1 .. platform_cores()-1; it never returns. false: that core does not run.
 */
bool platform_start(unsigned core, void (*fn)(void *arg), void *arg);
/*
 * The calling core is this worker from now on, says a panic's report, and sees the memory as
 * platform_seal left it. Each worker, after that.
 */
void platform_confine(unsigned worker);

/*
 * Boot memory: zeroed, identity-mapped, DMA-able, never freed. NULL when it is
 * exhausted or sealed.
 */
void *platform_alloc(size_t bytes, size_t align);
/*
 * The same, out of the node's memory if it has room; else from anywhere, and the
 * log says so when boot memory is sealed. NODE_UNKNOWN: from anywhere.
 */
void *platform_alloc_near(size_t bytes, size_t align, uint32_t node);
/* The same as platform_alloc and platform_alloc_near, but not zeroed: for large tables that begin
 * empty. */
void *platform_reserve(size_t bytes, size_t align);
void *platform_reserve_near(size_t bytes, size_t align, uint32_t node);
/* And no device is mapped any more, no privilege kept that only boot needs. */
void platform_seal(void);
struct platform_memory {
	uint64_t ram_bytes;   /* usable RAM found */
	uint64_t arena_bytes; /* boot arena */
	uint64_t arena_used;
	uint64_t heap_bytes; /* C library heap of the control core */
	uint64_t heap_used;
	const char *pages; /* "2 MiB", "1 GiB", ... */
};
void platform_memory(struct platform_memory *m);
/* The memory of NUMA node i, where there are more than one. */
struct platform_node {
	uint32_t node; /* as the firmware numbers it */
	uint64_t ram_bytes;
	uint64_t free_bytes; /* of the boot arena */
};
void platform_node(unsigned i, struct platform_node *n);

/*
 * Finds NICs, brings each up as `want` says (with fewer queues where those of all ports
 * would be too many) and stores up to max; returns how many. Boot only.
 */
unsigned platform_probe_ports(const struct io_env *env, const struct netdev_request *want,
	struct netdev **dev, unsigned max);
extern const struct io_env platform_io;

/* Boot modules and the command line. */
struct platform_module {
	const char *name;
	const void *data;
	size_t bytes;
};
unsigned platform_modules(struct platform_module *m, unsigned max);
const char *platform_cmdline(void);
/* The machine's serial number, as its firmware says; "": it has none. */
const char *platform_serial(void);
const char *platform_loader(void); /* "multiboot1", "PVH", "Linux process" */

/*
 * The hardware watchdog: its name, or NULL if there is none. start: it resets the machine if
 * it is not fed for so many seconds; 0 stops it; false: it did not. Control core.
 */
const char *platform_watchdog(void);
bool platform_watchdog_start(unsigned seconds);
void platform_watchdog_feed(void);

/*
 * The report of the last panic, from before the boot: text of several lines, *bytes of it;
 * NULL: there is none, or the platform keeps none. Forgotten by clear. Control core.
 */
const char *platform_crash(size_t *bytes);
void platform_crash_clear(void);

/* Neither returns. Devices run on until the end: control_stop_devices (control.h) comes first. */
void platform_reboot(void) __attribute__((noreturn));
void platform_poweroff(void) __attribute__((noreturn));

#ifdef TEST_HOOKS
/* What a worker may not do. Each ends in a panic that names it. */
enum trespass {
	TRESPASS_NONE,
	TRESPASS_INSTRUCTION, /* a privileged one */
	TRESPASS_MSR,
	TRESPASS_PORT,
	TRESPASS_TEXT,       /* writes where the program lies */
	TRESPASS_TABLES,     /* and into a page table, */
	TRESPASS_SUPERVISOR, /* and what belongs to CPL 0 */
	TRESPASS_GATE        /* asks the gate for what only boot may ask for */
};
void platform_trespass(enum trespass what);
#endif

/* Prints what is known on the console and stops or reboots. Any core. */
void platform_panic(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif

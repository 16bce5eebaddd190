/* From a machine with memory and cores to a running router; both platforms end here. */
#include "kernel/main.h"

#include <string.h>

#include "kernel/config.h"
#include "kernel/control.h"
#include "kernel/idle.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/router.h"
#include "kernel/shell/shell.h"
#include "kernel/worker.h"

#define CONSOLE_US    100u  /* between looks at the console: a port access can cost an exit */
#define CONSOLE_BURST 64u   /* bytes taken at a time */
#define CONSOLE_ROOM  8192u /* free output queue before another command or slice of one runs */

#ifndef BAREWIRE_VERSION
#	define BAREWIRE_VERSION "unknown"
#endif

static void console_write(void *ctx, const char *s, size_t n)
{
	(void)ctx;
	platform_console_write(s, n);
}

static uint64_t console_now_us(void *ctx)
{
	(void)ctx;
	return platform_now_us();
}

static bool console_apply(void *ctx, const struct config *c, char *error, unsigned error_size)
{
	return config_apply(ctx, c, error, error_size);
}

/* The first boot module is the configuration. */
static bool config_module(struct platform_module *module)
{
	return platform_modules(module, 1) == 1;
}

/* Cores that answered at boot, without the control core; those that did not come last. */
static unsigned running_workers(void)
{
	unsigned n = 0;

	while (n + 1 < platform_cores() && platform_core(n + 1)->running)
		n++;
	return n;
}

/* The parts of the configuration that shape the router. */
struct shape {
	unsigned workers;
	uint32_t mtu;
};

/* RX queues whose buffers take half of the memory; the control core's pool counts as one. */
static unsigned queues_that_fit(uint32_t mtu)
{
	struct platform_memory m;
	uint64_t pools;

	platform_memory(&m);
	pools = m.arena_bytes / 2 / ((uint64_t)packet_stride(mtu) << POOL_SHIFT);
	return pools > 1 ? (unsigned)(pools - 1) : 1;
}

/* Before the router exists. Errors in the configuration are told later. */
static unsigned boot_ports(struct netdev **dev, struct shape *shape)
{
	struct platform_module module;
	struct config config;
	char error[160];
	bool any = config_module(&module) &&
		   shell_parse_config(module.data, module.bytes, &config, error, sizeof error);
	struct netdev_request want;
	unsigned ports;

	*shape = (struct shape){.workers = running_workers(), .mtu = MTU_DEFAULT};
	if (any && config.workers && config.workers < shape->workers)
		shape->workers = config.workers;
	for (unsigned i = 0; any && i < config.ifaces; i++)
		if (config.iface[i].mtu > shape->mtu)
			shape->mtu = config.iface[i].mtu;
	/* A queue pair for each worker, where the device has them. */
	want = (struct netdev_request){.queue_pairs = shape->workers ? shape->workers : 1,
		.queues_all = queues_that_fit(shape->mtu),
		.mtu = shape->mtu};
	ports = platform_probe_ports(&platform_io, &want, dev, PORT_MAX);
	if (!any)
		return ports;
	if (ports)
		config_bind_ports(&config, dev, ports);
	config_free(&config);
	return ports;
}

static void boot_config(void)
{
	struct platform_module module;
	char error[160];

	if (!config_module(&module))
		return;
	if (shell_load_config(module.data, module.bytes, error, sizeof error))
		log_text("configuration: %s", module.name);
	else
		log_text("error: configuration %s: %s", module.name, error);
}

static void boot_workers(struct router *r)
{
	if (r->single_core)
		return;
	r->rcu.readers = r->workers; /* from now on a grace period waits for them */
	for (unsigned w = 0; w < r->workers; w++)
		if (!platform_start(r->worker[w]->core, worker_main, r->worker[w]))
			platform_panic("core %u did not start its worker", r->worker[w]->core);
}

/*
 * Sends what waits, reads the console now and then; each byte may run a command.
 * true: something was typed, or the output queue is not taking any more.
 */
static bool console_turn(uint64_t *last_us)
{
	uint64_t now = platform_now_us();
	unsigned typed = 0;

	platform_console_poll();
	if (platform_console_room() < CONSOLE_ROOM)
		return true;
	shell_poll();
	if (now - *last_us < CONSOLE_US)
		return false;
	*last_us = now;
	for (; typed < CONSOLE_BURST; typed++) {
		int c = platform_console_getc();

		if (c < 0)
			break;
		shell_input((uint8_t)c);
	}
	return typed != 0;
}

static void __attribute__((noreturn)) control_loop(struct router *r)
{
	uint64_t console_us = 0;
	struct idle idle = {0};

	for (;;) {
		bool moved = r->single_core && worker_turn(r, r->worker[0]);

		if (r->single_core)
			r->worker[0]->since = GAP_CONTROL;
		moved |= control_turn(r);
		moved |= console_turn(&console_us);
		if (moved)
			idle_reset(&idle);
		else if (idle_wait(&idle, r->relaxed) && r->single_core)
			r->worker[0]->since = GAP_IDLE;
	}
}

void kernel_main(void)
{
	static struct netdev *dev[PORT_MAX];
	struct shell_env env = {
		.router = &router,
		.write = console_write,
		.now_us = console_now_us,
		.apply = console_apply,
		.ctx = &router,
	};
	char error[160];

	log_text("barewire %s (%s, %s)", BAREWIRE_VERSION, platform_loader(), platform_isa());
	struct shape shape;
	unsigned ports = boot_ports(dev, &shape);

	if (!router_init(&router, dev, ports, shape.workers, shape.mtu, error, sizeof error))
		platform_panic("%s", error);
	if (!control_init(&router))
		platform_panic("not enough memory for the forwarding table");
	platform_seal();
	shell_init(&env);
	boot_config();
	control_turn(&router); /* links, routes and the first FIB before the first packet */
	boot_workers(&router);
	uint64_t us = platform_now_us();

	log_text("barewire: ready in %u.%03u ms, %u ports, %u cores", (unsigned)(us / 1000),
		(unsigned)(us % 1000), ports, platform_cores());
	log_quiet();
	shell_start();
	control_loop(&router);
}

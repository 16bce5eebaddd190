/* From a machine with memory and cores to a running router; both platforms end here. */
#include "kernel/main.h"

#include <stdalign.h>
#include <string.h>

#include "kernel/autoload.h"
#include "kernel/bootlog.h"
#include "kernel/caches.h"
#include "kernel/compiled.h"
#include "kernel/config.h"
#include "kernel/console.h"
#include "kernel/control.h"
#include "kernel/idle.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/publish.h"
#include "kernel/routefile.h"
#include "kernel/router.h"
#include "kernel/shell/shell.h"
#include "kernel/version.h"
#include "kernel/watchdog.h"
#include "kernel/worker.h"

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

static void console_yield(void *ctx)
{
	control_yield(ctx);
}

static bool console_apply(void *ctx, const struct config *c, char *error, unsigned error_size)
{
	return config_apply(ctx, c, error, error_size);
}

#define MODULES_MAX   8u
#define TABLE_WAIT_US 60000000u /* for the FIBs to follow the tables of routes */
#define RINGS_WAIT_US 1000000u  /* for the workers to begin */

/*
 * What the boot modules say: tables of routes (routefile.h), and of the others
 * the first, a configuration, read before the router exists. For what no module
 * gives, what was compiled in.
 */
static struct boot {
	struct platform_module table[MODULES_MAX];
	unsigned tables;
	struct platform_module compiled_table; /* no name: there is none */
	struct platform_module module;         /* the same */
	struct config config;
	bool good;
	char error[160];
} boot;

static void boot_read_compiled(void)
{
	struct platform_module m;

	if (compiled_config(&m)) {
		if (!boot.module.name)
			boot.module = m;
		else
			log_text("configuration %s is not used: there is a boot module", m.name);
	}
	if (compiled_table(&m)) {
		if (!boot.tables)
			boot.compiled_table = m;
		else
			log_text("routes %s are not used: there is a boot module", m.name);
	}
}

static void boot_read(void)
{
	struct platform_module m[MODULES_MAX];
	unsigned n = platform_modules(m, MODULES_MAX);

	for (unsigned i = 0; i < n; i++) {
		if (routefile_is(m[i].name, m[i].data, m[i].bytes))
			boot.table[boot.tables++] = m[i];
		else if (!boot.module.name)
			boot.module = m[i];
		else
			log_text("boot module %s is not used: a configuration came before it",
				m[i].name);
	}
	boot_read_compiled();
	if (boot.module.name)
		boot.good = shell_read_config(boot.module.data, boot.module.bytes, &boot.config,
			boot.error, sizeof boot.error);
}

/* Worker cores that the configuration asks for; without a word, all. */
static unsigned boot_workers_wanted(void)
{
	unsigned workers = platform_cores() - 1;

	return boot.config.workers && boot.config.workers < workers ? boot.config.workers : workers;
}

/* The largest MTU that the configuration has. */
static uint32_t boot_mtu(void)
{
	uint32_t mtu = MTU_DEFAULT;

	for (unsigned i = 0; i < boot.config.ifaces; i++)
		if (boot.config.iface[i].mtu > mtu)
			mtu = boot.config.iface[i].mtu;
	return mtu;
}

/* RX queues whose buffers take half of the memory; the control core's pool counts as one. */
static unsigned queues_that_fit(uint32_t mtu)
{
	struct platform_memory m;
	uint64_t pools;

	platform_memory(&m);
	pools = m.arena_bytes / 2 / ((uint64_t)packet_stride(mtu) << POOL_SHIFT);
	return pools > 1 ? (unsigned)(pools - 1) : 1;
}

/* Finds the ports, in the order that the configuration gives them. */
static unsigned boot_ports(struct netdev **dev, unsigned workers, uint32_t mtu)
{
	/* A queue pair for each worker, where the device has them. */
	struct netdev_request want = {.queue_pairs = workers ? workers : 1,
		.queues_all = queues_that_fit(mtu),
		.mtu = mtu};
	unsigned ports = platform_probe_ports(&platform_io, &want, dev, PORT_MAX);

	if (ports)
		config_bind_ports(&boot.config, dev, ports);
	return ports;
}

static void boot_config(void)
{
	if (!boot.module.name)
		return;
	if (boot.good && shell_load_config(BY_BOOT_MODULE, boot.error, sizeof boot.error))
		log_text("configuration: %s", boot.module.name);
	else
		log_text("error: configuration %s: %s", boot.module.name, boot.error);
}

/* The tables of routes, whole before the first packet. */
static void boot_tables(struct router *r)
{
	uint64_t start = platform_now_us(), now = start;

	for (unsigned i = 0; i < boot.tables; i++) {
		const struct platform_module *m = &boot.table[i];
		struct routefile_result result = routefile_load(r, m->name, m->data, m->bytes);

		now = platform_now_us();
		log_text("routes %s: %u, read in %u ms", m->name,
			(unsigned)(result.routes4 + result.routes6),
			(unsigned)((now - start) / 1000));
		start = now;
	}
	if (boot.tables)
		routefile_report(r);
	while (boot.tables && !publish_current(r) && platform_now_us() - now < TABLE_WAIT_US)
		publish_turn(r);
	if (boot.tables)
		log_text("fib: built in %u ms", (unsigned)((platform_now_us() - now) / 1000));
}

/* A started core waits here for its worker. */
struct waiting_core {
	alignas(CACHE_LINE) struct worker *worker;
	unsigned core;
};

static struct waiting_core waiting[CORE_MAX];

static void wait_for_worker(void *arg)
{
	struct waiting_core *w = arg;
	struct worker *worker;

	while (!(worker = load_acquire(&w->worker)))
		platform_relax();
	platform_confine(worker->id);
	worker_main(worker);
}

/* Starts up to `want` cores besides this one; those that do not answer are gone without. */
static unsigned boot_cores(unsigned want)
{
	unsigned n = 0;

	for (unsigned core = 1; core < platform_cores() && n < want; core++) {
		waiting[n].core = core;
		if (platform_core(core)->running &&
			platform_start(core, wait_for_worker, &waiting[n]))
			n++;
		else
			log_text("core %u does not run: %s", core, platform_core(core)->note);
	}
	return n;
}

static void boot_router(struct netdev **dev, unsigned ports, unsigned workers, uint32_t mtu)
{
	unsigned core[CORE_MAX];
	char error[160];

	for (unsigned w = 0; w < workers; w++)
		core[w] = waiting[w].core;
	if (!router_init(&router, dev, ports, workers, core, mtu, error, sizeof error))
		platform_panic("%s", error);
	caches_bind(&router);
	for (unsigned port = 0; port < ports && platform_nodes() > 1; port++)
		if (dev[port]->node == NODE_UNKNOWN)
			log_text("%s: NUMA node unknown, any worker drives it",
				router.iface[port].name);
	if (!control_init(&router))
		platform_panic("not enough memory for the forwarding table");
	if (boot.compiled_table.name)
		compiled_begin(&router, &boot.compiled_table);
	platform_seal();
}

static void boot_workers(struct router *r)
{
	if (r->single_core)
		return;
	r->rcu.readers = r->workers; /* from now on a grace period waits for them */
	for (unsigned w = 0; w < r->workers; w++)
		store_release(&waiting[w].worker, r->worker[w]);
}

/* With one core the control core forwards as well, between its tasks. */
static bool forward_in_turns(struct router *r)
{
	bool moved = r->single_core && worker_turn(r, r->worker[0]);

	if (r->single_core)
		r->worker[0]->since = GAP_CONTROL;
	return moved;
}

/* The others' turn, while a configuration is fetched before there is a prompt. */
static void between_boot(void)
{
	(void)forward_in_turns(&router);
	platform_console_poll();
}

static void autoload_turn(void)
{
	between_boot();
	(void)control_turn(&router);
	platform_relax();
}

/* What goes on while the control core is busy with a long command. */
static void between(void)
{
	(void)forward_in_turns(&router);
	watchdog_turn(&router);
	console_listen();
}

static void __attribute__((noreturn)) control_loop(struct router *r)
{
	struct idle idle = {0};

	control_on_yield(between);

	for (;;) {
		bool moved = forward_in_turns(r);

		moved |= control_turn(r);
		moved |= console_turn();
		watchdog_turn(r);
		if (moved)
			idle_reset(&idle);
		else if (idle_wait(&idle, r->relaxed) && r->single_core)
			r->worker[0]->since = GAP_IDLE;
	}
}

/* A worker's first turn fills its receive rings. */
static void boot_rings(struct router *r)
{
	uint64_t start = platform_now_us();

	(void)forward_in_turns(r);
	for (unsigned w = 0; w < r->workers; w++) {
		while (load_once(&r->worker[w]->turns) == 0) {
			if (platform_now_us() - start > RINGS_WAIT_US) {
				log_text("worker %u has not begun within a second", w);
				return;
			}
			platform_relax();
		}
	}
	bootlog_rings_posted();
}

void kernel_main(void)
{
	static struct netdev *dev[PORT_MAX];
	struct shell_env env = {
		.router = &router,
		.write = console_write,
		.now_us = console_now_us,
		.apply = console_apply,
		.yield = console_yield,
		.ctx = &router,
	};

	log_text("barewire %s (%s, %s)", barewire_version, platform_loader(), platform_isa());
	boot_read();
	bootlog_phase("modules");
	unsigned workers = boot_cores(boot_workers_wanted());

	bootlog_phase("core wake-up");
	uint32_t mtu = boot_mtu();
	unsigned ports = boot_ports(dev, workers, mtu);

	bootlog_phase("ports");
	config_free(&boot.config);

	boot_router(dev, ports, workers, mtu);
	bootlog_phase("router");
	shell_init(&env);
	router.booting = true;
	boot_config();
	bootlog_phase("configuration");
	control_turn(&router); /* links, routes and the first FIB before the first packet */
	boot_tables(&router);
	compiled_report(&router);
	router.booting = false;
	bootlog_phase("routes");
	boot_workers(&router);
	boot_rings(&router);
	bootlog_phase("receive rings");
	uint64_t us = platform_now_us();

	log_text("barewire: ready in %u.%03u ms, %u ports, %u cores", (unsigned)(us / 1000),
		(unsigned)(us % 1000), ports, platform_cores());
	control_on_yield(between_boot);
	autoload_run(&router, autoload_turn, boot.good ? boot.module.name : NULL);
	platform_console_booted();
	log_quiet();
	shell_start();
	bootlog_phase("ready");
	control_loop(&router);
}

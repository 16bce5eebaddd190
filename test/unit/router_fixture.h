/*
 * A whole router over memory ports in one thread, for unit tests: three ports
 * unless PORTS says more, one host on each, configured and with links up.
 */
#ifndef TEST_UNIT_ROUTER_FIXTURE_H
#define TEST_UNIT_ROUTER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "drivers/mem/memdev.h"
#include "kernel/audit.h"
#include "kernel/config.h"
#include "kernel/control.h"
#include "kernel/platform.h"
#include "kernel/worker.h"
#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "net/path/punt.h"
#include "test/model/frame.h"
#include "test/model/platform.h"

#ifndef PORTS
#	define PORTS 3u
#endif
#ifndef PORT_SLOTS
#	define PORT_SLOTS 256u
#endif
#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define HOST(port)     IP(10, 0, port, 2)
#define ROUTER(port)   IP(10, 0, port, 1)

static struct netdev *dev[PORTS];
static uint8_t host_mac[PORTS][6]; /* set by start */
static const uint8_t zero_mac[6], all[6] = {255, 255, 255, 255, 255, 255};

/* ---- driving it ---- */

static inline void turns(unsigned n)
{
	while (n--) {
		model_platform.now_us += 1000;
		for (unsigned w = 0; w < router.workers; w++)
			worker_turn(&router, router.worker[w]);
		for (unsigned w = 0; w < router.workers; w++)
			rcu_quiescent(&router.rcu.reader[w]);
		control_turn(&router);
	}
}

static inline void inject(unsigned port, const struct frame *f)
{
	assert_true(memdev_inject(dev[port], 0, f->data, f->len));
}

/* The next frame a port's TX queue sent that is not ARP; length 0 if none. */
static inline size_t sent_on(unsigned port, unsigned q, struct frame *f)
{
	do {
		f->len = memdev_collect(dev[port], q, f->data, sizeof f->data);
	} while (f->len && load_be16(f->data + 12) == 0x0806);
	return f->len;
}

/* ... any of its queues. */
static inline size_t sent(unsigned port, struct frame *f)
{
	for (unsigned q = 0; q < dev[port]->tx_queues; q++)
		if (sent_on(port, q, f))
			return f->len;
	return 0;
}

static inline uint64_t drops(unsigned port, enum drop_reason reason)
{
	struct port_counters c;

	router_port_counters(&router, port, &c);
	return c.dropped[reason];
}

static inline void drain(void)
{
	struct frame f;

	for (unsigned port = 0; port < PORTS; port++)
		for (unsigned q = 0; q < dev[port]->tx_queues; q++)
			while (memdev_collect(dev[port], q, f.data, sizeof f.data))
				;
}

/* The workers as their cores would do it: they answer a request to park. */
static inline void answer_park(void)
{
	for (unsigned w = 0; w < router.workers; w++)
		router.worker[w]->park_seen = router.park_request;
	for (unsigned w = 0; w < router.workers; w++)
		rcu_quiescent(&router.rcu.reader[w]);
}

/* Both books agree and every port balances with nothing in flight. */
static inline void check_books(void)
{
	struct audit a;

	drain();
	turns(3);
	audit_take(&router, &a);
	assert_true(a.parked);
	if (!a.buffers_ok || !a.balance_ok)
		fail_msg("audit: %s", a.finding);
}

static inline void configure(struct config *c, const char *expected_error)
{
	char error[160] = "";
	bool ok = config_apply(&router, c, error, sizeof error);

	if (ok != !expected_error)
		fail_msg("apply: '%s'", error);
	if (expected_error)
		assert_non_null(strstr(error, expected_error));
}

static struct config_iface base_iface[PORTS];
static struct config_route base_route[6];

static inline struct config base_config(void)
{
	memset(base_iface, 0, sizeof base_iface);
	memset(base_route, 0, sizeof base_route);
	for (unsigned port = 0; port < PORTS; port++) {
		memcpy(base_iface[port].name, "eth0", 5);
		base_iface[port].name[3] = (char)('0' + port);
		base_iface[port].addrs = 1;
		base_iface[port].addr[0] = (struct iface_addr){ROUTER(port), 24};
	}
	base_route[0].route = (struct static_route){
		.prefix = rib4_key(IP(20, 0, 0, 0)), .length = 8, .gateway = rib4_key(HOST(1))};
	base_route[1].route = (struct static_route){
		.prefix = rib4_key(IP(30, 0, 0, 0)), .length = 8, .kind = STATIC_BLACKHOLE};
	base_route[2].route = (struct static_route){
		.prefix = rib4_key(IP(31, 0, 0, 0)), .length = 8, .kind = STATIC_UNREACHABLE};
	base_route[3].route = (struct static_route){
		.prefix = rib4_key(IP(32, 0, 0, 0)), .length = 8, .kind = STATIC_PROHIBIT};
	return (struct config){
		.iface = base_iface, .ifaces = PORTS, .route = base_route, .routes = 4};
}

/* What a test does before the configuration is applied, or NULL. */
static void (*before_config)(void);

/* A router with ports of some queues; 0 workers: one core does all. Neighbours not yet known. */
static inline void start(unsigned workers, unsigned queues)
{
	char error[100];
	struct config c = base_config();

	memset(&router, 0, sizeof router);
	model_platform.now_us = 1000000;
	model_platform.relax = answer_park;
	for (unsigned port = 0; port < PORTS; port++)
		memcpy(host_mac[port], (const uint8_t[6]){2, 1, 1, 1, 1, (uint8_t)port}, 6);
	for (unsigned port = 0; port < PORTS; port++)
		dev[port] = memdev_create(&platform_io, port, queues, PORT_SLOTS);
	assert_true(
		router_init(&router, dev, PORTS, workers, NULL, MTU_DEFAULT, error, sizeof error));
	assert_true(control_init(&router));
	router.rcu.readers = workers;
	if (before_config)
		before_config();
	configure(&c, NULL);
	control_turn(&router);
	turns(3);
	drain();
}

static inline int setup(void **state)
{
	start(0, 1);
	return 0;
}

static inline int setup_workers(void **state)
{
	start(2, 1);
	return 0;
}

static inline int teardown(void **state)
{
	struct config none = {0};

	configure(&none, NULL);
	turns(3);
	model_platform_free();
	return 0;
}

/* Hosts answer the router's ARP, as it would be after some traffic. */
static inline void learn_hosts(void)
{
	struct frame f;

	for (unsigned port = 0; port < PORTS; port++) {
		frame_arp(&f, 1, all, host_mac[port], HOST(port), zero_mac, ROUTER(port));
		inject(port, &f);
	}
	turns(4);
	drain();
	turns(2);
}

static inline void udp(struct frame *f, unsigned port, uint32_t dst, size_t payload)
{
	frame_udp(f, dev[port]->mac, host_mac[port], HOST(port), dst, payload);
}

#endif

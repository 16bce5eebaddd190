/* Frames up to MTU 9000 through the whole router: forwarded, cut, answered, refused when one byte
 * too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "drivers/mem/memdev.h"
#include "kernel/audit.h"
#include "kernel/config.h"
#include "kernel/control.h"
#include "kernel/platform.h"
#include "kernel/worker.h"
#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "test/model/frame.h"
#include "test/model/platform.h"

#define PORTS         2u
#define HOST(port)    (0x0a000002u | (port) << 8)
#define ROUTER(port)  (0x0a000001u | (port) << 8)
#define IP_TOTAL      16u /* offsets in a frame */
#define IP_FRAGMENT   20u
#define IP_TTL        22u
#define FRAME_HEADERS 34u /* Ethernet and IPv4 */

static struct netdev *dev[PORTS];
static uint8_t in[10240], out[10240];

static void turns(unsigned n)
{
	while (n--) {
		model_platform.now_us += 1000;
		worker_turn(&router, router.worker[0]);
		control_turn(&router);
	}
}

static void host_mac(unsigned port, uint8_t mac[6])
{
	static const uint8_t base[6] = {2, 1, 1, 1, 1, 0};

	memcpy(mac, base, 6);
	mac[5] = (uint8_t)port;
}

/* Sets the interfaces' MTUs; error: what the refusal says, or NULL. */
static void configure(uint32_t mtu0, uint32_t mtu1, const char *error)
{
	static struct config_iface iface[PORTS];
	struct config c = {.iface = iface, .ifaces = PORTS};
	char text[160] = "";

	for (unsigned port = 0; port < PORTS; port++) {
		memcpy(iface[port].name, "eth0", 5);
		iface[port].name[3] = (char)('0' + port);
		iface[port].mtu = port ? mtu1 : mtu0;
		iface[port].addrs = 1;
		iface[port].addr[0] = (struct iface_addr){ROUTER(port), 24};
	}
	assert_int_equal(config_apply(&router, &c, text, sizeof text), error == NULL);
	if (error && !strstr(text, error))
		fail_msg("\"%s\" is not in \"%s\"", error, text);
	turns(3);
}

static size_t collect(unsigned port)
{
	size_t n;

	do
		n = memdev_collect(dev[port], 0, out, sizeof out);
	while (n && load_be16(out + 12) == 0x0806);
	return n;
}

/* A router whose buffers are made for `mtu`; both hosts are known. */
static void boot(uint32_t mtu)
{
	static const uint8_t nobody[6], all[6] = {255, 255, 255, 255, 255, 255};
	char error[100];

	model_platform_free();
	memset(&router, 0, sizeof router);
	model_platform.now_us = 1000000;
	for (unsigned port = 0; port < PORTS; port++)
		dev[port] = memdev_create(&platform_io, port, 1, 256);
	assert_true(router_init(&router, dev, PORTS, 0, NULL, mtu, error, sizeof error));
	assert_true(control_init(&router));
	configure(0, 0, NULL);
	for (unsigned port = 0; port < PORTS; port++) {
		struct frame f;
		uint8_t mac[6];

		host_mac(port, mac);
		frame_arp(&f, 1, all, mac, HOST(port), nobody, ROUTER(port));
		assert_true(memdev_inject(dev[port], 0, f.data, f.len));
	}
	turns(4);
	for (unsigned port = 0; port < PORTS; port++)
		assert_int_equal(collect(port), 0);
}

/* An IPv4 packet of `total` bytes from host 0, in `in`. */
static void make_packet(uint8_t protocol, uint32_t dst, uint32_t total)
{
	struct frame f;
	uint8_t mac[6];
	uint16_t check;

	host_mac(0, mac);
	frame_udp(&f, dev[0]->mac, mac, HOST(0), dst, 0);
	memcpy(in, f.data, FRAME_HEADERS);
	store_be16(in + IP_TOTAL, (uint16_t)total);
	in[23] = protocol;
	memset(in + 24, 0, 2);
	check = checksum(in + 14, 20);
	memcpy(in + 24, &check, 2);
	for (uint32_t i = FRAME_HEADERS; i < 14 + total; i++)
		in[i] = (uint8_t)(i * 5 + i / 256);
}

static void send_packet(uint32_t total)
{
	assert_true(memdev_inject(dev[0], 0, in, 14 + total));
	turns(3);
}

static int setup(void **state)
{
	boot(9000);
	configure(9000, 9000, NULL);
	return 0;
}

static int teardown(void **state)
{
	struct config none = {0};
	struct audit a;
	char error[160];

	while (collect(0) || collect(1))
		;
	turns(3);
	audit_take(&router, &a);
	if (!a.buffers_ok || !a.balance_ok)
		fail_msg("audit: %s", a.finding);
	config_apply(&router, &none, error, sizeof error);
	model_platform_free();
	return 0;
}

static void test_forward(void **state)
{
	static const uint32_t total[] = {1500, 1501, 2034, 2035, 4096, 8999, 9000};

	for (unsigned i = 0; i < sizeof total / sizeof *total; i++) {
		make_packet(17, HOST(1), total[i]);
		send_packet(total[i]);
		assert_int_equal(collect(1), 14 + total[i]);
		assert_int_equal(out[IP_TTL], in[IP_TTL] - 1);
		assert_memory_equal(out + FRAME_HEADERS, in + FRAME_HEADERS, total[i] - 20);
	}
}

static void test_one_byte_too_long(void **state)
{
	struct port_counters c;

	make_packet(17, HOST(1), 9001);
	send_packet(9001);
	assert_int_equal(collect(1), 0);
	router_port_counters(&router, 0, &c);
	assert_int_equal(c.dropped[DROP_RX_OVERSIZE], 1);
	assert_false(memdev_inject(dev[0], 0, in, 9217)); /* more than a buffer takes */
}

/* The most fragments there can be: MTU 9000 to MTU 576. */
static void test_fragments(void **state)
{
	unsigned n = 0;
	uint32_t at = 0;
	size_t len;

	configure(9000, 576, NULL);
	make_packet(17, HOST(1), 9000);
	send_packet(9000);
	for (; (len = collect(1)) != 0; n++) {
		uint32_t size = load_be16(out + IP_TOTAL) - 20u;

		assert_int_equal(len, 14 + 20 + size);
		assert_true(20 + size <= 576);
		assert_int_equal((load_be16(out + IP_FRAGMENT) & 0x1fff) * 8, at);
		assert_memory_equal(out + FRAME_HEADERS, in + FRAME_HEADERS + at, size);
		at += size;
	}
	assert_int_equal(at, 8980);
	assert_int_equal(n, 17);
}

static void test_echo(void **state)
{
	uint16_t check;

	make_packet(1, ROUTER(0), 9000);
	memset(in + FRAME_HEADERS, 0, 8);
	in[FRAME_HEADERS] = 8;
	check = checksum(in + FRAME_HEADERS, 8980);
	memcpy(in + FRAME_HEADERS + 2, &check, 2);
	send_packet(9000);
	assert_int_equal(collect(0), 9014);
	assert_int_equal(out[FRAME_HEADERS], 0);
	assert_int_equal(checksum(out + FRAME_HEADERS, 8980), 0);
	assert_memory_equal(out + FRAME_HEADERS + 4, in + FRAME_HEADERS + 4, 8976);

	assert_int_equal(stack_send_echo(&router.stack, HOST(1), 1, 1, 8973, 0), ERR_INVALID);
	assert_int_equal(stack_send_echo(&router.stack, HOST(1), 1, 1, 8972, 0), ERR_OK);
	turns(2);
	assert_int_equal(collect(1), 9014);
}

/* Buffers are made at boot for the MTU configured then; no interface can go beyond it later. */
static void test_limits(void **state)
{
	char error[100];

	configure(9001, 0, "the device carries 9000");
	boot(1500);
	configure(1500, 1500, NULL);
	configure(1500, 1501, "the buffers made at boot hold 1500");
	assert_int_equal(stack_send_echo(&router.stack, HOST(1), 1, 1, 1473, 0), ERR_INVALID);
	boot(4000);
	assert_int_equal(router.iface[0].mtu, 1500);
	configure(4000, 0, NULL);
	assert_int_equal(router.iface[0].mtu, 4000);
	assert_int_equal(router.iface[1].mtu, 1500);
	configure(4001, 0, "the buffers made at boot hold 4000");
	boot(0);
	configure(1500, 0, NULL);

	model_platform_free();
	memset(&router, 0, sizeof router);
	model_platform.memory_left = 64u << 20; /* enough for 1500 only */
	for (unsigned port = 0; port < PORTS; port++)
		dev[port] = memdev_create(&platform_io, port, 1, 256);
	assert_false(router_init(&router, dev, PORTS, 0, NULL, 9000, error, sizeof error));
	assert_string_equal(error, "not enough memory for packet buffers");
	model_platform.memory_left = 0;
	boot(1500);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_forward),
		CASE(test_one_byte_too_long),
		CASE(test_fragments),
		CASE(test_echo),
		CASE(test_limits),
	};

	return cmocka_run_group_tests_name("jumbo", tests, NULL, NULL);
}

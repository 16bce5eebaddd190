/*
 * Frames from inside and outside to a router with two workers that tracks, translates and filters.
 *
 * Input: operations of a byte and what each needs: a packet by its fields, any bytes, an answer to
 * what came out last, an ICMP error about it, that with a byte changed, time, another
 * configuration. After each, nothing may have left that shows an address of the inside; at the end
 * both books of the audit agree.
 */
#include <string.h>

#include "drivers/mem/memdev.h"
#include "kernel/audit.h"
#include "kernel/config.h"
#include "kernel/control.h"
#include "kernel/platform.h"
#include "kernel/shell/shell.h"
#include "kernel/worker.h"
#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "net/path/frame.h"
#include "test/fuzz/fuzz.h"
#include "test/model/platform.h"

#define PORTS      3u
#define WORKERS    2u
#define OUTSIDE    1u
#define FRAME_MAX  1514u
#define OPS_MAX    200u
#define SLOTS      256u
#define HOUR_US    3600000000u
#define OWN        0x0a000001u /* what the router says itself is not translated */
#define TRANSPORT  (IPV4_OFF + IPV4_HEADER)
#define MEMORY_MAX (96u << 20)

#define COMMON                                                                                     \
	"set interfaces eth0 address 10.0.0.1/24\n"                                                \
	"set interfaces eth0 address fd00::1/64\n"                                                 \
	"set interfaces eth1 address 192.0.2.1/24\n"                                               \
	"set interfaces eth1 address fd00:0:0:1::1/64\n"                                           \
	"set interfaces eth2 address 172.16.0.1/24\n"                                              \
	"set interfaces eth2 mtu 700\n"                                                            \
	"set neighbors eth0 10.0.0.2 02:01:01:01:01:00\n"                                          \
	"set neighbors eth0 10.0.0.5 02:01:01:01:01:00\n"                                          \
	"set neighbors eth0 fd00::2 02:01:01:01:01:00\n"                                           \
	"set neighbors eth1 192.0.2.2 02:01:01:01:01:01\n"                                         \
	"set neighbors eth1 fd00:0:0:1::2 02:01:01:01:01:01\n"                                     \
	"set neighbors eth2 172.16.0.2 02:01:01:01:01:02\n"                                        \
	"set routes 198.51.100.0/24 via 192.0.2.2\n"

#define LISTS                                                                                      \
	"set interfaces eth1 acl in edge\n"                                                        \
	"set acl edge rule 10 permit established\n"                                                \
	"set acl edge rule 30 permit proto tcp to 192.0.2.1/32 to-port 80\n"                       \
	"set acl edge rule 40 permit proto udp to 192.0.2.1/32 to-port 53\n"

#define OFFERED                                                                                    \
	"set nat destination rule 10 in eth1 proto tcp to 192.0.2.1 port 80 to-address 10.0.0.5 "  \
	"to-port 8080\n"                                                                           \
	"set nat destination rule 20 in eth1 proto udp to 192.0.2.1 port 53 to-address 10.0.0.5\n"

static const struct {
	const char *text;
	bool hides; /* nothing of 10.0.0.0/8 is seen outside */
} setting[] = {
	/* Who pretends to be outside would be answered as one that nobody translates. */
	{COMMON LISTS OFFERED "set nat source rule 10 out eth1 from 10.0.0.0/8 masquerade\n"
			      "set interfaces eth0 urpf strict\n"
			      "set interfaces eth2 urpf strict\n",
		true},
	{COMMON OFFERED "set nat source rule 10 out eth1 from 10.0.0.0/8 to-address 192.0.2.77\n",
		false},
	{COMMON LISTS, false},
	{COMMON, false},
};
#define SETTINGS (sizeof setting / sizeof *setting)

static struct netdev *dev[PORTS];
static struct config config[SETTINGS];
static unsigned in_force;
static uint8_t last[PORTS][FRAME_MAX]; /* what left by each port last */
static uint32_t last_len[PORTS];

/* ---- the router ---- */

static void no_console(void *ctx, const char *s, size_t n)
{
	(void)ctx;
	(void)s;
	(void)n;
}

static uint64_t clock_us(void *ctx)
{
	(void)ctx;
	return platform_now_us();
}

static const struct shell_env env = {.router = &router, .write = no_console, .now_us = clock_us};

/* The workers as their cores would do it: they answer a request to park. */
static void answer_park(void)
{
	for (unsigned w = 0; w < WORKERS; w++) {
		router.worker[w]->park_seen = router.park_request;
		rcu_quiescent(&router.rcu.reader[w]);
	}
}

/* What leaves is looked at, and kept. */
static void collect(void)
{
	for (unsigned p = 0; p < PORTS; p++)
		for (unsigned q = 0; q < dev[p]->tx_queues; q++) {
			uint8_t f[FRAME_MAX];
			size_t len;

			while ((len = memdev_collect(dev[p], q, f, sizeof f)) != 0) {
				CLAIM(len <= sizeof f);
				if (p == OUTSIDE && setting[in_force].hides && len > TRANSPORT &&
					load_be16(f + 12) == 0x0800)
					CLAIM(f[IPV4_SOURCE] != 10 ||
						load_be32(f + IPV4_SOURCE) == OWN);
				memcpy(last[p], f, len);
				last_len[p] = (uint32_t)len;
			}
		}
}

static void turns(unsigned n)
{
	while (n--) {
		model_platform.now_us += 200;
		for (unsigned w = 0; w < WORKERS; w++) {
			worker_turn(&router, router.worker[w]);
			rcu_quiescent(&router.rcu.reader[w]);
		}
		control_turn(&router);
		collect();
	}
}

/* All is forgotten. */
static void forget(void)
{
	for (unsigned n = 0; n < 12; n++) {
		model_platform.now_us += HOUR_US / 4;
		turns(2);
	}
}

static void apply(unsigned which)
{
	char error[160];

	turns(4);
	/* A session that began from outside where no list forbids it goes on as it began: what
	 * hides addresses can be held to that for its own sessions. */
	if (setting[which].hides && !setting[in_force].hides)
		forget();
	CLAIM(config_apply(&router, &config[which], error, sizeof error));
	in_force = which;
	turns(2);
}

static void start(void)
{
	char error[160];

	model_platform.now_us = 1000000;
	model_platform.relax = answer_park;
	model_platform.memory_left = MEMORY_MAX;
	for (unsigned p = 0; p < PORTS; p++)
		dev[p] = memdev_create(&platform_io, p, 1, SLOTS);
	CLAIM(router_init(&router, dev, PORTS, WORKERS, NULL, MTU_DEFAULT, error, sizeof error));
	CLAIM(control_init(&router));
	router.rcu.readers = WORKERS;
	shell_init(&env);
	for (unsigned i = 0; i < SETTINGS; i++)
		CLAIM(shell_read_config(
			setting[i].text, strlen(setting[i].text), &config[i], error, sizeof error));
}

/* ---- packets ---- */

static void inject(unsigned port, uint8_t *f, uint32_t len)
{
	memcpy(f, dev[port]->mac, 6);
	memcpy(f + 6, (const uint8_t[6]){2, 1, 1, 1, 1, (uint8_t)port}, 6);
	(void)memdev_inject(dev[port], 0, f, len < 60 ? 60 : len);
	turns(2);
}

/* The sums that a mutation could not guess: the header's, and, if asked, the transport's. */
static void fix_sums(uint8_t *f, uint32_t len, bool transport)
{
	uint32_t header = (f[IPV4_OFF] & 15u) * 4, at = IPV4_OFF + header;
	uint32_t total = load_be16(f + IPV4_LENGTH), end = IPV4_OFF + total, where;
	uint64_t sum = 0;

	if (header < IPV4_HEADER || at > len || end > len || end < at)
		return;
	store_be16(f + IPV4_CHECKSUM, 0);
	uint16_t check = checksum(f + IPV4_OFF, header);

	memcpy(f + IPV4_CHECKSUM, &check, sizeof check);
	where = f[IPV4_PROTOCOL] == IPV4_TCP ? 16 : f[IPV4_PROTOCOL] == IPV4_UDP ? 6 : 2;
	if (!transport || end - at < where + 2)
		return;
	store_be16(f + at + where, 0);
	if (f[IPV4_PROTOCOL] != IPV4_ICMP) {
		uint8_t pseudo[4] = {
			0, f[IPV4_PROTOCOL], (uint8_t)((end - at) >> 8), (uint8_t)(end - at)};

		sum = checksum_add(checksum_add(0, f + IPV4_SOURCE, 8), pseudo, sizeof pseudo);
	}
	check = checksum_finish(checksum_add(sum, f + at, end - at));
	memcpy(f + at + where, &check, sizeof check);
}

static void begin_ipv4(uint8_t *f, uint8_t protocol, uint32_t payload)
{
	memset(f, 0, TRANSPORT + payload);
	store_be16(f + 12, 0x0800);
	f[IPV4_OFF] = 0x45;
	store_be16(f + IPV4_LENGTH, (uint16_t)(IPV4_HEADER + payload));
	f[IPV4_TTL] = 64;
	f[IPV4_PROTOCOL] = protocol;
}

/* A packet by its fields. */
static void op_packet(struct fuzz_input *in)
{
	static const uint32_t address[] = {0x0a000002, 0x0a000005, 0xc0000202, 0xc0000201,
		0xc000024d, 0xc6336407, 0xac100002, 0x0a000001};
	static const uint8_t protocol[] = {
		IPV4_TCP, IPV4_UDP, IPV4_ICMP, IPV4_TCP, 47, 132, 136, 33};
	static const uint16_t port[] = {80, 53, 8080, 1024, 40000, 0, 65535, 4500};
	uint8_t f[FRAME_MAX], what = fuzz_byte(in), ends = fuzz_byte(in), ports = fuzz_byte(in);
	uint8_t flags = fuzz_byte(in), piece = fuzz_byte(in);
	uint32_t payload = 8 + fuzz_byte(in) * 4u;

	begin_ipv4(f, protocol[what >> 2 & 7], payload);
	store_be32(f + IPV4_SOURCE, address[ends & 7]);
	store_be32(f + IPV4_DEST, address[ends >> 3 & 7]);
	store_be16(f + IPV4_OFF + 4, piece & 7); /* identification */
	/* Bits of `piece`: 8 more fragments, 16 to 64 the offset. */
	store_be16(
		f + IPV4_FRAGMENT, (uint16_t)((piece & 8 ? IPV4_MF : 0) | (piece >> 4 & 7) * 10));
	if (what & 32)
		f[IPV4_TTL] = 1;
	if (f[IPV4_PROTOCOL] == IPV4_ICMP) {
		f[TRANSPORT] = flags & 1 ? 0 : flags & 2 ? flags >> 3 : 8;
		store_be16(f + TRANSPORT + 4, port[ports & 7]);
	} else {
		store_be16(f + TRANSPORT, port[ports & 7]);
		store_be16(f + TRANSPORT + 2, port[ports >> 3 & 7]);
		if (f[IPV4_PROTOCOL] == IPV4_TCP && payload >= 20) {
			f[TRANSPORT + 12] = 0x50;
			f[TRANSPORT + 13] = flags;
		}
	}
	fix_sums(f, sizeof f, !(what & 64));
	inject((what & 3) % PORTS, f, TRANSPORT + payload);
}

/* Any bytes behind the MAC addresses. */
static void op_bytes(struct fuzz_input *in)
{
	uint8_t f[FRAME_MAX] = {0}, port = fuzz_byte(in);
	uint32_t n = fuzz_byte(in);

	fuzz_take(in, f + 12, n);
	if (load_be16(f + 12) == 0x0800 && port & 4)
		fix_sums(f, 12 + n, port & 8);
	inject(port % PORTS, f, 12 + n);
}

static void swap(uint8_t *a, uint8_t *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint8_t c = a[i];

		a[i] = b[i];
		b[i] = c;
	}
}

static bool is_ipv4(const uint8_t *f, uint32_t len)
{
	return len >= TRANSPORT + 8 && load_be16(f + 12) == 0x0800;
}

/* What left by a port last is answered there. */
static void op_answer(struct fuzz_input *in)
{
	uint8_t f[FRAME_MAX], what = fuzz_byte(in), flags = fuzz_byte(in);
	unsigned port = what % PORTS;
	uint32_t len = last_len[port];

	if (!is_ipv4(last[port], len))
		return;
	memcpy(f, last[port], len);
	swap(f + IPV4_SOURCE, f + IPV4_DEST, 4);
	if (f[IPV4_PROTOCOL] == IPV4_ICMP) {
		f[TRANSPORT] = 0;
	} else {
		swap(f + TRANSPORT, f + TRANSPORT + 2, 2);
		if (f[IPV4_PROTOCOL] == IPV4_TCP && len >= TRANSPORT + 20) {
			swap(f + TRANSPORT + 4, f + TRANSPORT + 8, 4);
			f[TRANSPORT + 13] = flags;
		}
	}
	fix_sums(f, len, what & 64);
	inject(port, f, len);
}

/* ... or an ICMP error is said about it, perhaps with a byte of it changed. */
static void op_error(struct fuzz_input *in)
{
	static const uint8_t types[] = {3, 11, 12, 3, 4, 5, 3, 11};
	uint8_t f[FRAME_MAX], what = fuzz_byte(in), quote = fuzz_byte(in), where = fuzz_byte(in);
	uint8_t change = fuzz_byte(in);
	unsigned port = what % PORTS;
	uint32_t n = last_len[port] - IPV4_OFF;

	if (!is_ipv4(last[port], last_len[port]))
		return;
	n = n < 8u + quote * 2u ? n : 8u + quote * 2u;
	begin_ipv4(f, IPV4_ICMP, 8 + n);
	memcpy(f + TRANSPORT + 8, last[port] + IPV4_OFF, n);
	if (where < n)
		f[TRANSPORT + 8 + where] ^= change;
	f[TRANSPORT] = types[what >> 2 & 7];
	f[TRANSPORT + 1] = what >> 5;
	f[TRANSPORT + 5] = (uint8_t)(what & 128 ? change : 0); /* RFC 4884: its length */
	memcpy(f + IPV4_SOURCE, last[port] + IPV4_DEST, 4);
	memcpy(f + IPV4_DEST, last[port] + IPV4_SOURCE, 4);
	fix_sums(f, sizeof f, true);
	inject(port, f, TRANSPORT + 8 + n);
}

/* ... or it comes back by some port with a byte changed. */
static void op_changed(struct fuzz_input *in)
{
	uint8_t f[FRAME_MAX], what = fuzz_byte(in), where = fuzz_byte(in), change = fuzz_byte(in);
	unsigned from = what % PORTS;
	uint32_t len = last_len[from];

	if (!is_ipv4(last[from], len))
		return;
	memcpy(f, last[from], len);
	if (12u + where < len)
		f[12 + where] ^= change;
	fix_sums(f, len, what & 64);
	inject((what >> 2 & 3) % PORTS, f, len);
}

static void op_time(struct fuzz_input *in)
{
	uint8_t much = fuzz_byte(in);

	model_platform.now_us += (uint64_t)(much & 63) << (much >> 6) * 6;
	turns(3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static void (*const op[])(struct fuzz_input *) = {
		op_packet, op_packet, op_answer, op_error, op_changed, op_bytes, op_time};
	static bool started;
	struct fuzz_input in = {data, bytes};
	struct audit a;

	if (!started)
		start();
	started = true;
	memset(last_len, 0, sizeof last_len);
	apply(fuzz_byte(&in) % SETTINGS);
	for (unsigned n = 0; n < OPS_MAX && in.left; n++) {
		uint8_t what = fuzz_byte(&in);

		if (what % 8 == 7)
			apply(what / 8 % SETTINGS);
		else
			op[what % 8](&in);
	}
	forget(); /* an input stands for itself */
	audit_take(&router, &a);
	CLAIM(a.parked && a.buffers_ok && a.balance_ok);
	return 0;
}

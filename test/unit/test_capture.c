/* The command `capture`: frames received, sent and dropped, as a file on the console or to a host.
 */
#include "test/unit/shell_fixture.h"

#include "lib/byteorder.h"
#include "test/model/frame.h"
#include "test/unit/pcapng.h"

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static const uint8_t host_mac[2][6] = {{2, 1, 1, 1, 1, 0}, {2, 1, 1, 1, 1, 1}};
static struct pcapng file;
static uint8_t bytes[1 << 20];

static int setup(void **state)
{
	start_shell(state);
	configure();
	run("set interfaces eth0 address 2001:db8::1/64");
	run("set neighbors eth1 2001:db8:1::2 02:01:01:01:01:01");
	run("set interfaces eth1 address 2001:db8:1::1/64");
	run("set interfaces eth0 vlan 7 address 10.7.0.1/24");
	run("commit");
	turns(3000);
	return 0;
}

/* From the host of eth0. */
static void udp(struct frame *f, uint32_t dst, size_t payload)
{
	frame_udp(f, dev[0]->mac, host_mac[0], IP(10, 0, 0, 2), dst, payload);
}

static void tag(struct frame *f, uint16_t tci)
{
	memmove(f->data + 16, f->data + 12, f->len - 12);
	store_be16(f->data + 12, 0x8100);
	store_be16(f->data + 14, tci);
	f->len += 4;
}

static void inject(unsigned port, const struct frame *f)
{
	assert_true(memdev_inject(dev[port], 0, f->data, f->len));
}

/* The next frame that leaves by a port; 0: none. */
static size_t sent(unsigned port, struct frame *f)
{
	f->len = memdev_collect(dev[port], 0, f->data, sizeof f->data);
	return f->len;
}

static void drain(void)
{
	struct frame f;

	turns(2);
	while (sent(0, &f) || sent(1, &f))
		;
}

/* Begins a capture that goes on. */
static void begin(const char *line)
{
	drain();
	screen_n = 0;
	type(line);
	type("\r");
	turns(3);
	assert_false(at_prompt());
}

/* Ends it by Ctrl-C; what it said last. */
static const char *end(void)
{
	turns(3);
	type("\x03");
	assert_true(at_prompt());
	return pcapng_cut(&file, screen, bytes);
}

static void expect_packet(unsigned i, const struct frame *f, unsigned flags, const char *comment)
{
	const struct pcapng_packet *p = &file.packet[i];

	assert_true(i < file.packets);
	assert_int_equal(p->kept, f->len);
	assert_int_equal(p->length, f->len);
	assert_memory_equal(p->data, f->data, f->len);
	assert_int_equal(p->flags, flags);
	assert_string_equal(p->comment, comment);
}

static void test_received(void **state)
{
	struct frame f[4];

	begin("capture eth0 rx");
	for (unsigned i = 0; i < 4; i++) {
		udp(&f[i], IP(20, 0, 0, 1 + i), 10 + 300 * i);
		if (i == 2)
			f[i].data[0] ^= 0x10; /* to another station */
		if (i == 3)
			tag(&f[i], 9); /* a VLAN that nobody knows */
		inject(0, &f[i]);
	}
	expect_in(end(), "captured 4, matched 4, lost 0 by a full ring and 0 beyond 16 a turn, "
			 "0 not taken");
	assert_int_equal(file.packets, 4);
	assert_string_equal(file.iface, "eth0");
	assert_int_equal(file.statistics, 1);
	assert_int_equal(file.received, 4);
	assert_int_equal(file.dropped, 0);
	for (unsigned i = 0; i < 4; i++)
		expect_packet(i, &f[i], 1, "");
	assert_true(file.packet[0].ns <= file.packet[3].ns);
	assert_true(file.packet[0].ns > 0);
}

static void test_sent(void **state)
{
	struct frame f, out[3];

	begin("capture eth1 tx");
	for (unsigned i = 0; i < 3; i++) {
		udp(&f, IP(20, 0, 0, 1 + i), 10 + 300 * i);
		inject(0, &f);
		turns(1);
		assert_true(sent(1, &out[i]));
	}
	end();
	assert_int_equal(file.packets, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(out[i].data[22], 63); /* TTL: as it left */
		expect_packet(i, &out[i], 2, "");
	}
}

static void test_dropped(void **state)
{
	struct frame f[5];

	begin("capture eth0 drop");
	udp(&f[0], IP(30, 0, 0, 1), 30);
	udp(&f[1], IP(20, 0, 0, 1), 30);
	f[1].data[24] ^= 1;
	udp(&f[2], IP(60, 0, 0, 1), 30); /* no route: the control core's to say */
	udp(&f[3], IP(30, 0, 0, 1), 30);
	memcpy(f[3].data, router.iface[0].mac, 6);
	tag(&f[3], 0x6007);
	udp(&f[4], IP(20, 0, 0, 9), 30); /* goes on */
	for (unsigned i = 0; i < 5; i++)
		inject(0, &f[i]);
	end();
	assert_int_equal(file.packets, 4);
	for (unsigned i = 0; i < 4; i++) {
		const struct pcapng_packet *p = &file.packet[i];
		const char *why = p->comment;
		unsigned of = !strcmp(why, "drop: ip-checksum") ? 1
			      : !strcmp(why, "drop: no-route")  ? 2
			      : p->length == f[3].len           ? 3
								: 0;

		if (of == 0 || of == 3)
			assert_string_equal(why, "drop: blackhole");
		expect_packet(i, &f[of], 1, why);
	}
}

/* A packet that is dropped counts once each: received, and dropped. */
static void test_all(void **state)
{
	struct frame f;

	begin("capture eth0");
	udp(&f, IP(30, 0, 0, 1), 30);
	inject(0, &f);
	end();
	assert_int_equal(file.packets, 2);
	expect_packet(0, &f, 1, "");
	expect_packet(1, &f, 1, "drop: blackhole");
	assert_true(file.packet[0].ns <= file.packet[1].ns);
}

static unsigned caught(const char *line)
{
	static const uint32_t to[] = {IP(20, 0, 0, 1), IP(20, 0, 0, 2), IP(30, 0, 0, 1)};
	struct frame f;

	begin(line);
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned port = 1000; port < 1003; port++) {
			udp(&f, to[i], 30);
			store_be16(f.data + 34, (uint16_t)port);
			inject(0, &f);
		}
	}
	frame_arp(&f, 1, dev[0]->mac, host_mac[0], IP(10, 0, 0, 2), host_mac[1], IP(10, 0, 0, 1));
	inject(0, &f);
	udp(&f, IP(20, 0, 0, 1), 30);
	tag(&f, 7);
	inject(0, &f);
	end();
	return file.packets;
}

static void test_filters(void **state)
{
	assert_int_equal(caught("capture eth0 rx"), 11);
	assert_int_equal(caught("capture eth0 rx to 20.0.0.0/8"), 7);
	assert_int_equal(caught("capture eth0 to 20.0.0.2 rx"), 3);
	assert_int_equal(caught("capture eth0 rx from 20.0.0.2"), 0);
	assert_int_equal(caught("capture eth0 rx host 30.0.0.1"), 3);
	assert_int_equal(caught("capture eth0 rx host 10.0.0.1"), 1);
	assert_int_equal(caught("capture eth0 rx proto udp"), 10);
	assert_int_equal(caught("capture eth0 rx proto tcp"), 0);
	assert_int_equal(caught("capture eth0 rx from-port 1001"), 3);
	assert_int_equal(caught("capture eth0 rx port 1001-1002"), 6);
	assert_int_equal(caught("capture eth0 rx to-port 1001"), 0);
	assert_int_equal(caught("capture eth0.7 rx"), 1);
	assert_int_equal(caught("capture eth0.7 rx host 20.0.0.2"), 0);
	assert_int_equal(caught("capture eth1 rx"), 0);
	assert_int_equal(caught("capture eth0 rx from 2001:db8::/32"), 0);
}

static void test_snap(void **state)
{
	struct frame f;

	begin("capture eth0 rx snap 60");
	udp(&f, IP(20, 0, 0, 1), 1000);
	inject(0, &f);
	end();
	assert_int_equal(file.snap, 60);
	assert_int_equal(file.packet[0].kept, 60);
	assert_int_equal(file.packet[0].length, f.len);
	assert_memory_equal(file.packet[0].data, f.data, 60);
}

/* So many frames, or so long: it ends by itself. */
static void test_ends(void **state)
{
	struct frame f;

	drain();
	udp(&f, IP(20, 0, 0, 1), 100);
	screen_n = 0;
	type("capture eth0 rx count 3\r");
	for (unsigned i = 0; i < 5; i++)
		inject(0, &f);
	for (unsigned i = 0; i < 20 && !at_prompt(); i++)
		turns(1);
	assert_true(at_prompt());
	expect_in(pcapng_cut(&file, screen, bytes), "captured 3, matched 5, lost 0 by a full ring "
						    "and 0 beyond 16 a turn, 2 not taken");
	assert_int_equal(file.packets, 3);
	assert_int_equal(file.dropped, 2);
	uint64_t before = model_platform.now_us;

	expect_in(run("capture eth0 rx seconds 2"), "captured 0, matched 0");
	assert_in_range(model_platform.now_us - before, 2000000, 2100000);
	screen_n = 0;
	begin("capture eth0 rx seconds 2");
	inject(0, &f);
	for (unsigned i = 0; i < 3000 && !at_prompt(); i++)
		turns(1);
	expect_in(pcapng_cut(&file, screen, bytes), "captured 1, matched 1");
}

/* More than a turn allows: all that is looked for is captured, or counted as lost. */
static void test_flood(void **state)
{
	struct frame f;
	unsigned long long captured, matched, full, beyond, left;

	drain();
	screen_n = 0;
	type("capture eth0\r");
	udp(&f, IP(30, 0, 0, 1), 1400);
	for (unsigned turn = 0; turn < 40; turn++) {
		for (unsigned i = 0; i < 60; i++)
			inject(0, &f);
		/* The worker only: the console does not get on. */
		worker_turn(&router, router.worker[0]);
		rcu_quiescent(&router.rcu.reader[0]);
	}
	turns(400);
	const char *said = strstr(end(), "captured");

	assert_int_equal(sscanf(said,
				 "captured %llu, matched %llu, lost %llu by a full ring and %llu "
				 "beyond 16 a turn, %llu not taken",
				 &captured, &matched, &full, &beyond, &left),
		5);
	assert_int_equal(matched, 2 * 40 * 60);
	assert_int_equal(captured + full + beyond + left, matched);
	assert_int_equal(captured, file.packets);
	assert_true(captured >= 16 && beyond);
	assert_true(full + beyond >= 40 * (2 * 60 - 16));
	assert_true(strstr(file.statistics_comment, "matched 4800"));
}

/* When none is under way nothing looks at frames. */
static void test_off(void **state)
{
	for (unsigned l = 0; l < router.lanes; l++)
		assert_null(router.lane[l].capture);
	assert_null(router.worker[0]->capture);
	begin("capture eth0");
	assert_non_null(router.worker[0]->capture);
	for (unsigned l = 0; l < router.lanes; l++)
		assert_true((router.lane[l].capture != NULL) == (router.lane[l].port != 1));
	end();
	for (unsigned l = 0; l < router.lanes; l++)
		assert_null(router.lane[l].capture);
	assert_null(router.worker[0]->capture);
	begin("capture eth1");
	end();
}

/* ---- to a collector ---- */

/* Takes the datagrams that leave by eth1 for it, into the file. How many. */
static unsigned collect(bool six, uint16_t port)
{
	unsigned at = six ? 54 : 34, n = 0;
	static size_t used;
	struct frame f;

	memset(&file, 0, sizeof file);
	used = 0;
	while (sent(1, &f)) {
		if (load_be16(f.data + 12) != (six ? 0x86dd : 0x0800) ||
			f.data[six ? 20 : 23] != 17 || load_be16(f.data + at + 2) != port)
			continue;
		char comment[40];
		size_t length = load_be16(f.data + at + 4) - 8u;

		snprintf(comment, sizeof comment, "datagram %u", n++);
		memcpy(bytes + used, f.data + at + 8, length);
		pcapng_read(&file, bytes + used, length);
		expect_in(file.section_comment, comment);
		used += length;
	}
	assert_int_equal(file.sections, n);
	return n;
}

static void test_collector(void **state)
{
	static const char *const lines[] = {"capture eth0 rx collector 10.0.1.2",
		"capture eth0 rx collector 2001:db8:1::2 port 5000",
		"capture eth0 rx collector 20.0.0.7 port 5000 port 4000-65000"};
	struct frame f[30];

	for (unsigned k = 0; k < 3; k++) {
		bool six = k == 1;

		drain();
		screen_n = 0;
		type(lines[k]);
		type("\r");
		turns(2);
		for (unsigned i = 0; i < 30; i++) {
			udp(&f[i], IP(30, 0, 0, 1), 20 + 10 * i);
			inject(0, &f[i]);
			turns(1);
		}
		turns(100);
		type("\x03");
		assert_true(at_prompt());
		turns(3);
		unsigned n = collect(six, k ? 5000 : 4799);
		char said[60];

		assert_int_equal(file.packets, k == 2 ? 0 : 30);
		assert_int_equal(file.statistics, 1);
		if (k == 2)
			continue;
		assert_in_range(n, 5, 25);
		for (unsigned i = 0; i < 30; i++)
			expect_packet(i, &f[i], 1, "");
		snprintf(said, sizeof said, "sent %u datagrams, 0 more could not be", n);
		expect_in(screen, said);
		assert_null(strstr(screen, "PCAPNG"));
	}
}

/* Its own datagrams are not captured where they leave. */
static void test_own(void **state)
{
	struct frame f;

	drain();
	screen_n = 0;
	type("capture eth1 collector 10.0.1.2\r");
	turns(100);
	udp(&f, IP(20, 0, 0, 1), 20);
	inject(0, &f);
	turns(300);
	type("\x03");
	turns(3);
	expect_in(screen, "captured 1, matched 1, lost 0");
	expect_in(screen, "sent 3 datagrams");
}

static void test_refused(void **state)
{
	static const char *const lines[][2] = {
		{"capture eth9", "no interface 'eth9'"},
		{"capture eth0 collector 60.0.0.1", "no route to the collector"},
		{"capture eth0 collector 224.0.0.1", "'224.0.0.1' is no host beyond its link"},
		{"capture eth0 collector fe80::1", "'fe80::1' is no host beyond its link"},
		{"capture eth0 from 10.0.0.0/8 to 2001:db8::/32",
			"no frame has addresses of both families"},
		{"capture eth0 count 3 snap 20 count 4", "'count' is there twice"},
		{"capture eth0 port 3 port 4", "'port' is there twice"},
	};

	expect_refused(lines, sizeof lines / sizeof *lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_received),
		cmocka_unit_test(test_sent),
		cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_snap),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_collector),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, setup, stop_shell);
}

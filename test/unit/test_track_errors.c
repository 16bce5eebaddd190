/* ICMP errors about requests and answers, from both sides, with NAT and without: each reaches who
 * sent the packet, about the packet as it was sent.
 */
#include "test/unit/filter_fixture.h"

#include "kernel/sessions.h"
#include "net/path/session.h"

#define INSIDE   0u
#define OUTSIDE  1u
#define OFFERED  IP(10, 0, 1, 80) /* outside, an address of the inside host with NAT */
#define ICMP_AT  (IPV4_OFF + IPV4_HEADER)
#define INNER    (ICMP_AT + 8u) /* of an error: the packet inside */
#define INNER_AT (INNER + IPV4_HEADER)

static struct config_nat nat[3];

static struct acl_rule of_type(uint8_t protocol, unsigned type)
{
	return (struct acl_rule){.protocol = protocol,
		.ports = true,
		.from_port = {(uint16_t)(type << 8), (uint16_t)(type << 8 | 0xff)},
		.to_port = {0, 65535}};
}

/* All may begin conversations, and nothing else passes. */
static int setup_errors(void **state)
{
	setup_filter(state);
	match[0] = (struct acl_rule){.any_protocol = true, .established = true};
	match[1] = (struct acl_rule){.protocol = IPV4_UDP};
	match[2] = of_type(IPV4_ICMP, 8);
	match[3] = of_type(IPV4_ICMP, 13);
	match[4] = of_type(IPV6_ICMP, 128);
	for (unsigned i = 0; i < 5; i++)
		rules[i] = (struct config_rule){.permit = true};
	add_list("begins", 5);
	bind(INSIDE, "begins", "");
	bind(OUTSIDE, "begins", "");
	commit();
	turns(4);
	learn_hosts();
	return 0;
}

/* The inside is hidden, and its host offered under an address outside. */
static int setup_nat(void **state)
{
	setup_errors(state);
	nat[0] = (struct config_nat){.number = 10,
		.source = true,
		.masquerade = true,
		.iface = "eth1",
		.match = {.src = HOST(INSIDE) & ~0xffu, .src_mask = ~0xffu, .any_protocol = true},
		.first = ROUTER(OUTSIDE),
		.last = ROUTER(OUTSIDE)};
	nat[1] = (struct config_nat){.number = 10,
		.iface = "eth1",
		.match = {.dst = OFFERED, .dst_mask = ~0u, .any_protocol = true},
		.first = HOST(INSIDE)};
	nat[2] = nat[1];
	nat[2].number++;
	nat[2].match.dst++;
	nat[2].first += 7; /* nobody is there */
	config.nat = nat;
	config.nats = 3;
	commit();
	turns(4);
	learn_hosts();
	return 0;
}

/* ---- packets ---- */

enum kind { UDP, ECHO, TIMESTAMP, KINDS };

static void fix_icmp(uint8_t *icmp, size_t len)
{
	uint16_t check;

	memset(icmp + 2, 0, 2);
	check = checksum(icmp, len);
	memcpy(icmp + 2, &check, 2);
}

static void request(struct frame *f, enum kind kind, unsigned port, uint32_t dst)
{
	memset(f, 0, sizeof *f);
	if (kind == UDP) {
		udp(f, port, dst, 20);
		store_be16(f->data + ICMP_AT, 4444);
		store_be16(f->data + ICMP_AT + 2, 53);
		return;
	}
	frame_echo(f, dev[port]->mac, host_mac[port], HOST(port), dst, 77, 1);
	if (kind == TIMESTAMP)
		f->data[ICMP_AT] = 13;
	fix_icmp(f->data + ICMP_AT, f->len - ICMP_AT);
}

/* What the host of a port says to a packet that it was sent. */
static void answer(struct frame *f, const struct frame *to, enum kind kind, unsigned port)
{
	*f = *to;
	memcpy(f->data, dev[port]->mac, 6);
	memcpy(f->data + 6, host_mac[port], 6);
	memcpy(f->data + IPV4_SOURCE, to->data + IPV4_DEST, 4);
	memcpy(f->data + IPV4_DEST, to->data + IPV4_SOURCE, 4);
	f->data[IPV4_TTL] = 64;
	frame_fix_checksum(f);
	if (kind == UDP) {
		memcpy(f->data + ICMP_AT, to->data + ICMP_AT + 2, 2);
		memcpy(f->data + ICMP_AT + 2, to->data + ICMP_AT, 2);
		return;
	}
	f->data[ICMP_AT] = kind == ECHO ? 0 : 14;
	fix_icmp(f->data + ICMP_AT, f->len - ICMP_AT);
}

/* The host of a port: what it was sent could not be delivered. */
static void error_about(struct frame *f, const struct frame *about, unsigned port)
{
	size_t quoted = about->len - IPV4_OFF;

	frame_echo(f, dev[port]->mac, host_mac[port], HOST(port),
		load_be32(about->data + IPV4_SOURCE), 0, 0);
	memset(f->data + ICMP_AT, 0, 8);
	f->data[ICMP_AT] = 3;
	f->data[ICMP_AT + 1] = 13;
	memcpy(f->data + INNER, about->data + IPV4_OFF, quoted);
	store_be16(f->data + IPV4_LENGTH, (uint16_t)(IPV4_HEADER + 8 + quoted));
	f->len = INNER + quoted;
	fix_icmp(f->data + ICMP_AT, 8 + quoted);
	frame_fix_checksum(f);
}

/* It goes through: what comes out of the other port. */
static void pass(unsigned port, const struct frame *f, struct frame *out)
{
	drain();
	inject(port, f);
	turns(3);
	if (!sent(!port, out))
		fail_msg("nothing came out of port %u", !port);
}

/* ---- what is asked ---- */

/* An error about a packet that went in by a port comes back to its sender, about that packet. */
static void check_error(unsigned port, const struct frame *in, const struct frame *left, bool icmp)
{
	struct frame error, out;

	error_about(&error, left, !port);
	pass(!port, &error, &out);
	assert_int_equal(out.len, error.len);
	assert_int_equal(load_be32(out.data + IPV4_DEST), load_be32(in->data + IPV4_SOURCE));
	assert_int_equal(out.data[ICMP_AT], 3);
	assert_int_equal(checksum(out.data + IPV4_OFF, IPV4_HEADER), 0);
	assert_int_equal(checksum(out.data + ICMP_AT, out.len - ICMP_AT), 0);
	assert_int_equal(checksum(out.data + INNER, IPV4_HEADER), 0);
	assert_memory_equal(out.data + INNER + 12, in->data + IPV4_SOURCE, 8);
	assert_memory_equal(out.data + INNER_AT, in->data + ICMP_AT, in->len - ICMP_AT);
	if (icmp)
		assert_int_equal(checksum(out.data + INNER_AT, out.len - INNER_AT), 0);
}

/* The host of `port` asks, that of the other one answers; each hears an error of the other. */
static void converse(enum kind kind, unsigned port, uint32_t dst)
{
	struct frame asked, heard, said, came;

	request(&asked, kind, port, dst);
	pass(port, &asked, &heard);
	check_error(port, &asked, &heard, kind != UDP);
	answer(&said, &heard, kind, !port);
	pass(!port, &said, &came);
	check_error(!port, &said, &came, kind != UDP);
	check_error(port, &asked, &heard, kind != UDP);
	/* About a packet with another number it is nobody's. */
	uint64_t before = drops(port, DROP_ACL_DENIED);

	came.data[kind == UDP ? ICMP_AT : ICMP_AT + 4] ^= 1;
	error_about(&said, &came, port);
	inject(port, &said);
	turns(3);
	assert_int_equal(drops(port, DROP_ACL_DENIED), before + 1);
}

static void test_plain(void **state)
{
	for (enum kind kind = UDP; kind < KINDS; kind++) {
		converse(kind, INSIDE, HOST(OUTSIDE));
		converse(kind, OUTSIDE, HOST(INSIDE));
	}
	check_books();
}

static void test_translated(void **state)
{
	for (enum kind kind = UDP; kind < KINDS; kind++) {
		converse(kind, INSIDE, HOST(OUTSIDE));
		converse(kind, OUTSIDE, OFFERED);
	}
	check_books();
}

/* RFC 5508 REQ-5: an error neither ends a session nor makes it last. */
static void test_session_stays_as_it_is(void **state)
{
	struct frame asked, heard, said, came;

	request(&asked, ECHO, INSIDE, HOST(OUTSIDE));
	pass(INSIDE, &asked, &heard);
	answer(&said, &heard, ECHO, OUTSIDE);
	pass(OUTSIDE, &said, &came);
	for (unsigned i = 0; i < 5; i++) {
		model_platform.now_us += 11000000;
		turns(2);
		learn_hosts();
		check_error(OUTSIDE, &said, &came, true);
		assert_int_equal(sessions_live(&router), 1);
	}
	model_platform.now_us += 11000000;
	turns(20);
	assert_int_equal(sessions_live(&router), 0);
}

/* ---- errors of the router ---- */

/* Until the router no longer asks for a neighbour. */
static void give_up(void)
{
	for (unsigned i = 0; i < 200; i++) {
		model_platform.now_us += 30000;
		turns(1);
	}
}

/* The last IPv4 packet that left by a port; length 0: none. */
static size_t said(unsigned port, struct frame *out)
{
	out->len = 0;
	for (struct frame any; sent(port, &any);)
		if (load_be16(any.data + ETH_TYPE) == ETH_TYPE_IPV4)
			*out = any;
	return out->len;
}

/* Nobody answers for the neighbour a packet was sent to: what its sender is told. Length 0:
 * nothing.
 */
static size_t told(unsigned port, struct frame *f, struct frame *out)
{
	drain();
	inject(port, f);
	turns(5);
	give_up();
	return said(port, out);
}

static void check_told(unsigned port, uint32_t dst)
{
	for (enum kind kind = UDP; kind < KINDS; kind++) {
		struct frame f, out;

		learn_hosts();
		request(&f, kind, port, dst);
		assert_true(told(port, &f, &out) > 0);
		assert_int_equal(load_be16(out.data + ICMP_AT), 0x0301); /* host unreachable */
		assert_int_equal(load_be32(out.data + IPV4_SOURCE), ROUTER(port));
		assert_int_equal(load_be32(out.data + IPV4_DEST), HOST(port));
		assert_int_equal(checksum(out.data + ICMP_AT, out.len - ICMP_AT), 0);
		assert_int_equal(checksum(out.data + INNER, IPV4_HEADER), 0);
		assert_memory_equal(out.data + INNER + 12, f.data + IPV4_SOURCE, 8);
		assert_memory_equal(out.data + INNER_AT, f.data + ICMP_AT, f.len - ICMP_AT);
	}
	check_books();
}

/* RFC 1812 5.2.7.1: who cannot be reached is host unreachable, told to who sent, about what it
 * sent, and not to our own address, about what became of it. */
static void test_no_neighbor(void **state)
{
	check_told(INSIDE, HOST(OUTSIDE) + 7);
	check_told(OUTSIDE, OFFERED + 1);
}

/* The same of a UDP packet from outside whose session has ended when its neighbour is given up. */
static size_t told_late(uint32_t dst, struct frame *out)
{
	struct session_match all_of_them = {0};
	struct frame f;

	learn_hosts();
	request(&f, UDP, OUTSIDE, dst);
	inject(OUTSIDE, &f);
	turns(5);
	sessions_clear(&router, &all_of_them);
	turns(50);
	assert_int_equal(sessions_live(&router), 0);
	drain();
	give_up();
	size_t bytes = said(OUTSIDE, out);

	assert_int_equal(drops(OUTSIDE, DROP_NEIGHBOR_FAILED), 1);
	check_books();
	return bytes;
}

/* Nobody knows any more what it was: nothing, rather than an address of the inside. */
static void test_no_neighbor_nor_session(void **state)
{
	struct frame out;

	assert_int_equal(told_late(OFFERED + 1, &out), 0);
}

/* It was not translated: to that target by its own address. */
static void test_no_neighbor_untranslated(void **state)
{
	struct frame out;

	assert_true(told_late(HOST(INSIDE) + 7, &out) > 0);
	assert_int_equal(load_be16(out.data + ICMP_AT), 0x0301);
	assert_int_equal(load_be32(out.data + INNER + 16), HOST(INSIDE) + 7);
}

/* ---- IPv6 ---- */

static void echo6(struct frame *f, unsigned port, uint8_t type)
{
	uint8_t *ip = f->data + IPV6_OFF;

	memset(f, 0, sizeof *f);
	memcpy(f->data, dev[port]->mac, 6);
	memcpy(f->data + 6, host_mac[port], 6);
	store_be16(f->data + ETH_TYPE, ETH_TYPE_IPV6);
	ip[0] = 0x60;
	store_be16(ip + 4, 16);
	ip[6] = IPV6_ICMP;
	ip[7] = 64;
	store_be64(ip + 8, SIX(port, 2).hi);
	store_be64(ip + 16, 2);
	store_be64(ip + 24, SIX(!port, 2).hi);
	store_be64(ip + 32, 2);
	ip[40] = type;
	store_be16(ip + 44, 77);
	f->len = IPV6_OFF + IPV6_HEADER + 16;
}

static void test_six(void **state)
{
	struct frame asked = {0}, said = {0}, error = {0}, heard, came, out;
	uint8_t *icmp = error.data + IPV6_OFF + IPV6_HEADER;

	echo6(&asked, INSIDE, 128);
	pass(INSIDE, &asked, &heard);
	echo6(&said, OUTSIDE, 129);
	pass(OUTSIDE, &said, &came);
	echo6(&error, INSIDE, 1);
	store_be16(error.data + IPV6_PAYLOAD, 8 + IPV6_HEADER + 16);
	memset(icmp + 4, 0, 4);
	memcpy(icmp + 8, came.data + IPV6_OFF, IPV6_HEADER + 16);
	error.len += IPV6_HEADER + 8;
	pass(INSIDE, &error, &out);
	assert_memory_equal(
		out.data + IPV6_OFF + 8, error.data + IPV6_OFF + 8, error.len - IPV6_OFF - 8);
	icmp[8 + IPV6_HEADER + 5] ^= 1; /* of another echo */
	inject(INSIDE, &error);
	turns(3);
	assert_int_equal(drops(INSIDE, DROP_ACL_DENIED), 1);
	check_books();
}

/* What is said of a UDP packet from outside that came as it is, to an address inside. */
static void check_untranslated(uint32_t dst, bool big, uint16_t expected)
{
	struct frame f, out;

	ifaces[INSIDE].mtu = big ? 1280 : 1500;
	commit();
	turns(5);
	learn_hosts();
	memset(&f, 0, sizeof f);
	udp(&f, OUTSIDE, dst, big ? 1400 : 20);
	f.data[IPV4_TTL] = big ? 64 : 1;
	store_be16(f.data + IPV4_FRAGMENT, IPV4_DF);
	frame_fix_checksum(&f);
	drain();
	inject(OUTSIDE, &f);
	turns(5);
	size_t bytes = said(OUTSIDE, &out);

	ifaces[INSIDE].mtu = 1500;
	assert_true(bytes > 0);
	assert_int_equal(load_be16(out.data + ICMP_AT), expected);
}

/* Who writes to a target of destination NAT by its own address hears of hops and MTUs as others. */
static void test_untranslated(void **state)
{
	for (unsigned other = 0; other < 2; other++) {
		check_untranslated(HOST(INSIDE) + other, false, 0x0b00);
		check_untranslated(HOST(INSIDE) + other, true, 0x0304);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain, setup_errors, teardown),
		cmocka_unit_test_setup_teardown(test_translated, setup_nat, teardown),
		cmocka_unit_test_setup_teardown(test_session_stays_as_it_is, setup_nat, teardown),
		cmocka_unit_test_setup_teardown(test_no_neighbor, setup_nat, teardown),
		cmocka_unit_test_setup_teardown(test_no_neighbor_untranslated, setup_nat, teardown),
		cmocka_unit_test_setup_teardown(test_no_neighbor_nor_session, setup_nat, teardown),
		cmocka_unit_test_setup_teardown(test_untranslated, setup_nat, teardown),
		cmocka_unit_test_setup_teardown(test_six, setup_errors, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

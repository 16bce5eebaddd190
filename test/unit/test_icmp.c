/* ICMP: echo replies, the form of errors, and each rule that forbids one. */
#include "test/unit/stack_fixture.h"

#define FAR 0xc0000201u /* 192.0.2.1: no route */

/* A packet that has no route, so that an error is due; returns how many errors were sent. */
static unsigned errors_for(struct fixture *f, const uint8_t *frame, uint32_t len)
{
	unsigned before = f->sent_n;

	fix_receive(f, 0, frame, len, PUNT_NO_ROUTE);
	return f->sent_n - before;
}

static void assert_valid(const struct sent *s)
{
	uint32_t total = load_be16(s->frame + 16);

	assert_int_equal(s->len, 14 + total);
	assert_int_equal(s->frame[14], 0x45);
	assert_int_equal(checksum(s->frame + 14, 20), 0);
	assert_int_equal(checksum(s->frame + 34, total - 20), 0);
	assert_int_equal(s->frame[23], 1);
	assert_int_equal(s->frame[22], 64);
}

/* ---- echo ---- */

static void test_echo(void **state)
{
	static const uint32_t sizes[] = {0, 1, 56, 57, 1472};
	struct fixture *f = fix_new_resolved();
	uint8_t frame[1600] = {0};
	uint16_t last_id = 0;

	for (unsigned i = 0; i < 5; i++) {
		uint32_t len = make_icmp(frame, HOST0, ROUTER0, 8, 0, sizes[i]);
		const struct sent *s = &f->sent[i];

		frame[15] = 0x10; /* TOS: the reply has the same */
		frame[24] = frame[25] = 0;
		uint16_t check = checksum(frame + 14, 20);
		memcpy(frame + 24, &check, 2);
		fix_receive(f, 0, frame, len, PUNT_LOCAL);
		assert_int_equal(f->sent_n, i + 1);
		assert_valid(s);
		assert_int_equal(s->port, 0);
		assert_memory_equal(s->frame, mac_host0, 6);
		assert_int_equal(s->frame[15], 0x10);
		assert_int_equal(load_be32(s->frame + 26), ROUTER0);
		assert_int_equal(load_be32(s->frame + 30), HOST0);
		assert_int_equal(s->frame[34], 0);
		assert_memory_equal(s->frame + 38, frame + 38, 4 + sizes[i]);
		assert_true(i == 0 || load_be16(s->frame + 18) != last_id);
		last_id = load_be16(s->frame + 18);
	}
	assert_int_equal(f->delivered, 5);
	assert_true(f->s.icmp_limit.echo_replies == 5);
	fix_free(f);
}

/* Any own address answers, through whichever port; link-layer padding is no part of it. */
static void test_echo_other_port_padded(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint8_t frame[128] = {0};
	uint32_t len = make_icmp(frame, HOST0, ROUTER1, 8, 0, 4);

	memset(frame + len, 0x55, 60 - len);
	fix_receive(f, 0, frame, 60, PUNT_LOCAL);
	assert_int_equal(f->sent_n, 1);
	assert_valid(&f->sent[0]);
	assert_int_equal(load_be16(f->sent[0].frame + 16), 20 + 8 + 4);
	assert_int_equal(load_be32(f->sent[0].frame + 26), ROUTER1);
	fix_free(f);
}

/* RFC 1122 3.3.3: a host cuts what it sends; a request may come by a port with a larger MTU. */
static void test_echo_fragmented(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint8_t frame[1600] = {0}, reply[1600] = {0};
	uint32_t len = make_icmp(frame, HOST0, ROUTER0, 8, 0, 1472), at = 0;

	nexthop_set_mtu(&f->nexthops, 0, 576);
	fix_receive(f, 0, frame, len, PUNT_LOCAL);
	assert_int_equal(f->dropped, 0);
	assert_int_equal(f->sent_n, 3);
	for (unsigned i = 0; i < 3; i++) {
		const uint8_t *p = f->sent[i].frame;
		uint32_t payload = load_be16(p + 16) - 20u;

		assert_memory_equal(p, mac_host0, 6);
		assert_int_equal(checksum(p + 14, 20), 0);
		assert_true(payload + 20 <= 576);
		assert_int_equal(load_be16(p + 18), load_be16(f->sent[0].frame + 18));
		assert_int_equal(load_be16(p + 20), (i < 2 ? 0x2000 : 0) | at / 8);
		memcpy(reply + at, p + 34, payload);
		at += payload;
	}
	assert_int_equal(at, 1480);
	assert_int_equal(checksum(reply, at), 0);
	assert_int_equal(reply[0], 0);
	assert_memory_equal(reply + 4, frame + 38, at - 4);
	fix_free(f);
}

static void test_malformed(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint8_t frame[128] = {0};
	uint32_t len = make_icmp(frame, HOST0, ROUTER0, 8, 0, 20);

	frame[50] ^= 1;
	fix_receive(f, 0, frame, len, PUNT_LOCAL);
	for (uint32_t payload = 0; payload < 8; payload++) {
		len = make_ipv4(frame, HOST0, ROUTER0, 1, 64, 0, payload);
		fix_receive(f, 0, frame, len, PUNT_LOCAL);
	}
	len = make_ipv4(frame, HOST0, ROUTER0, 1, 64, 0, 4);
	memcpy(frame + 34, (const uint8_t[4]){8, 0, 0xf7, 0xff}, 4); /* short, checksum right */
	fix_receive(f, 0, frame, len, PUNT_LOCAL);
	assert_int_equal(f->drops[DROP_ICMP_MALFORMED], 10);
	assert_int_equal(f->sent_n, 0);
	fix_free(f);
}

static void test_seen(void **state)
{
	static const uint8_t types[] = {0, 3, 11, 12};
	struct fixture *f = fix_new_resolved();
	uint8_t frame[128] = {0};

	for (unsigned i = 0; i < 4; i++) {
		uint32_t len = make_icmp(frame, HOST0, ROUTER0, types[i], 0, 28);

		fix_receive(f, 0, frame, len, PUNT_LOCAL);
		assert_int_equal(f->seen, i + 1);
		assert_int_equal(f->seen_icmp[0], types[i]);
		assert_int_equal(f->seen_src, HOST0);
	}
	assert_int_equal(f->delivered, 4);
	assert_int_equal(f->sent_n, 0);
	fix_free(f);
}

/* A pool without buffers: no reply, and the request is still consumed. */
static void test_no_buffers(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint8_t frame[128] = {0};

	f->alloc_limit = 0;
	fix_receive(f, 0, frame, make_icmp(frame, HOST0, ROUTER0, 8, 0, 20), PUNT_LOCAL);
	assert_int_equal(f->delivered, 1);
	assert_int_equal(errors_for(f, frame, make_ipv4(frame, HOST0, FAR, 17, 64, 0, 20)), 0);
	assert_int_equal(f->drops[DROP_NO_ROUTE], 1);
	fix_free(f);
}

/* ---- the form of errors ---- */

static void test_error_form(void **state)
{
	struct fixture *f = fix_new_resolved();
	const struct sent *s = &f->sent[0];
	uint8_t frame[1600] = {0};
	uint32_t len = make_ipv4(frame, HOST0, HOST1, 17, 1, 0, 100);

	fix_receive(f, 0, frame, len, PUNT_TTL);
	assert_int_equal(f->sent_n, 1);
	assert_valid(s);
	assert_int_equal(s->port, 0);
	assert_memory_equal(s->frame, mac_host0, 6);
	assert_int_equal(s->frame[15], 0xc0);
	assert_int_equal(load_be32(s->frame + 26), ROUTER0);
	assert_int_equal(load_be32(s->frame + 30), HOST0);
	assert_int_equal(s->frame[34], 11);
	assert_int_equal(s->frame[35], 0);
	assert_int_equal(load_be32(s->frame + 38), 0);
	assert_int_equal(s->len, 14 + 28 + len - 14); /* all of a short packet is quoted */
	assert_memory_equal(s->frame + 42, frame + 14, len - 14);

	len = make_ipv4(frame, HOST0, FAR, 17, 64, 0, 1400);
	assert_int_equal(errors_for(f, frame, len), 1);
	assert_valid(&f->sent[1]);
	assert_int_equal(f->sent[1].len, 14 + 576); /* RFC 1812 4.3.2.3 */
	assert_memory_equal(f->sent[1].frame + 42, frame + 14, ICMP_ERROR_QUOTE);

	memset(frame + 60, 0x55, 40); /* padding is not quoted */
	len = make_ipv4(frame, HOST0, FAR, 17, 64, 0, 2);
	assert_int_equal(errors_for(f, frame, 60), 1);
	assert_int_equal(f->sent[2].len, 14 + 28 + len - 14);
	fix_free(f);
}

/* The ingress interface speaks, also when the answer leaves by another. */
static void test_error_source(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint8_t frame[128] = {0};

	/* host 1's packet arrives on port 0 */
	fix_receive(f, 0, frame, make_ipv4(frame, HOST1, FAR, 17, 64, 0, 20), PUNT_NO_ROUTE);
	assert_int_equal(f->sent[0].port, 1);
	assert_int_equal(load_be32(f->sent[0].frame + 26), ROUTER0);
	/* an interface without addresses: the one it leaves by */
	iface_withdraw(&f->iface[0], &f->rib, &f->nexthops);
	f->iface[0].addrs = 0;
	fix_receive(f, 0, frame, make_ipv4(frame, HOST1, FAR, 17, 64, 0, 20), PUNT_NO_ROUTE);
	assert_int_equal(load_be32(f->sent[1].frame + 26), ROUTER1);
	/* to ourselves: the address it was sent to */
	fix_receive(f, 0, frame, make_ipv4(frame, HOST1, ROUTER1, 17, 64, 0, 20), PUNT_LOCAL);
	assert_int_equal(f->sent[2].frame[35], 3);
	assert_int_equal(load_be32(f->sent[2].frame + 26), ROUTER1);
	fix_free(f);
}

static void test_fragmentation_needed(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint8_t frame[1600] = {0};

	nexthop_set_mtu(&f->nexthops, 1, 1000);
	fix_receive(f, 0, frame, make_ipv4(frame, HOST0, HOST1, 17, 64, 0x4000, 1400), PUNT_MTU);
	assert_int_equal(f->drops[DROP_MTU_EXCEEDED], 1);
	assert_valid(&f->sent[0]);
	assert_int_equal(f->sent[0].frame[34], 3);
	assert_int_equal(f->sent[0].frame[35], 4);
	assert_int_equal(load_be16(f->sent[0].frame + 38), 0);
	assert_int_equal(load_be16(f->sent[0].frame + 40), 1000); /* RFC 1191 */
	assert_int_equal(f->sent[0].frame[42 + 8], 64);           /* quoted as it came */
	fix_free(f);
}

/* ---- when none may be sent: RFC 1812 4.3.2.7 ---- */

static void test_not_about_errors(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint8_t frame[128] = {0};

	for (unsigned type = 0; type < 256; type++) {
		bool query = type == 0 || type == 8 || (type >= 13 && type <= 18);
		uint32_t len = make_icmp(frame, HOST0, FAR, (uint8_t)type, 0, 28);

		f->now_ms += 100;
		assert_int_equal(errors_for(f, frame, len), query);
		if (f->sent_n > 32)
			fix_clear(f);
	}
	/* an ICMP packet without a type */
	assert_int_equal(errors_for(f, frame, make_ipv4(frame, HOST0, FAR, 1, 64, 0, 0)), 0);
	fix_free(f);
}

static void test_not_about_fragments(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint8_t frame[128] = {0};

	assert_int_equal(errors_for(f, frame, make_ipv4(frame, HOST0, FAR, 17, 64, 1, 24)), 0);
	assert_int_equal(errors_for(f, frame, make_ipv4(frame, HOST0, FAR, 17, 64, 0x2001, 24)), 0);
	assert_int_equal(errors_for(f, frame, make_ipv4(frame, HOST0, FAR, 17, 64, 0x2000, 24)), 1);
	fix_free(f);
}

static void test_not_about_broadcasts(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint8_t frame[128] = {0};
	uint32_t len = make_ipv4(frame, HOST0, FAR, 17, 64, 0, 24);

	memset(frame, 0xff, 6);
	assert_int_equal(errors_for(f, frame, len), 0);
	make_ipv4(frame, HOST0, FAR, 17, 64, 0, 24);
	frame[0] = 0x01; /* multicast */
	assert_int_equal(errors_for(f, frame, len), 0);
	make_ipv4(frame, HOST0, 0x0a0001ff, 17, 64, 0, 24); /* directed broadcast */
	assert_int_equal(errors_for(f, frame, len), 0);
	assert_int_equal(f->drops[DROP_BROADCAST], 1);
	make_ipv4(frame, HOST0, 0xe0000001, 17, 64, 0, 24);
	assert_int_equal(errors_for(f, frame, len), 0);
	make_ipv4(frame, HOST0, 0xffffffff, 17, 64, 0, 24);
	assert_int_equal(errors_for(f, frame, len), 0);
	fix_free(f);
}

static void test_not_to_many_or_nobody(void **state)
{
	static const uint32_t bad[] = {0, 0x00000001, 0x7f000001, 0xe0000001, 0xf0000001,
		0xffffffff, 0x0a0000ff, 0x0a000000, 0x0a0001ff, ROUTER0, ROUTER1};
	struct fixture *f = fix_new_resolved();
	uint8_t frame[128] = {0};

	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint32_t len = make_ipv4(frame, bad[i], FAR, 17, 64, 0, 24);

		assert_int_equal(errors_for(f, frame, len), 0);
		len = make_icmp(frame, bad[i], ROUTER0, 8, 0, 24); /* nor an echo reply */
		assert_int_equal(errors_for(f, frame, len), 0);
	}
	assert_int_equal(f->drops[DROP_MARTIAN_SOURCE], 5); /* networks' and our own */
	fix_free(f);
}

/* No way back: the error itself is dropped, nothing loops. */
static void test_unroutable_source(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint8_t frame[128] = {0};

	assert_int_equal(errors_for(f, frame, make_ipv4(frame, 0x08080808, FAR, 17, 64, 0, 24)), 0);
	assert_int_equal(f->drops[DROP_NO_ROUTE], 2);
	fix_free(f);
}

/* RFC 1812 4.3.2.8: who is flooded does not silence errors to others; all together are limited. */
static void test_rate_limit_by_destination(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint8_t frame[128] = {0};
	unsigned sent = 0, others = 0;

	for (unsigned i = 0; i < 200; i++)
		sent += errors_for(f, frame, make_ipv4(frame, HOST0, FAR, 17, 64, 0, 24));
	assert_int_equal(sent, ICMP_ERROR_BURST);
	assert_true(f->s.icmp_limit.suppressed_destination == 200 - ICMP_ERROR_BURST);
	fix_receive(f, 1, frame, make_ipv4(frame, HOST1, FAR, 17, 64, 0, 24), PUNT_NO_ROUTE);
	assert_true(f->s.icmp_limit.sent == ICMP_ERROR_BURST + 1);
	/* errors to many, which wait for ARP: it is their number that counts */
	for (unsigned i = 0; i < 240; i++) {
		uint64_t before = f->s.icmp_limit.sent;

		fix_receive(f, 0, frame, make_ipv4(frame, HOST0 + 1 + i, FAR, 17, 64, 0, 24),
			PUNT_NO_ROUTE);
		others += f->s.icmp_limit.sent != before;
	}
	assert_int_equal(others, ICMP_ERROR_TOTAL_BURST - ICMP_ERROR_BURST - 1);
	assert_true(f->s.icmp_limit.suppressed - f->s.icmp_limit.suppressed_destination > 50);
	fix_free(f);
}

/* RFC 1812 4.3.2.8 */
static void test_rate_limit(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint8_t frame[128] = {0};
	uint32_t len = make_ipv4(frame, HOST0, FAR, 17, 64, 0, 24);
	unsigned sent = 0;

	for (unsigned i = 0; i < 200; i++)
		sent += errors_for(f, frame, len);
	assert_int_equal(sent, ICMP_ERROR_BURST);
	assert_int_equal(f->drops[DROP_NO_ROUTE], 200); /* each still counts */
	assert_true(f->s.icmp_limit.suppressed == 200 - ICMP_ERROR_BURST);

	fix_clear(f);
	for (sent = 0; sent < 10; f->now_ms++) /* then ICMP_ERROR_RATE a second: one a ms */
		sent += errors_for(f, frame, len);
	assert_true(f->s.icmp_limit.suppressed == 200 - ICMP_ERROR_BURST + 1);

	fix_clear(f);
	f->now_ms += UINT64_MAX / 2; /* no overflow, no more than the burst */
	for (unsigned i = sent = 0; i < 60; i++)
		sent += errors_for(f, frame, len);
	assert_int_equal(sent, ICMP_ERROR_BURST);
	fix_clear(f);
	f->now_ms -= 1000; /* time that goes back gives nothing */
	assert_int_equal(errors_for(f, frame, len), 0);
	f->now_ms += 1001;
	assert_int_equal(errors_for(f, frame, len), 1);
	fix_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_echo_other_port_padded),
		cmocka_unit_test(test_echo_fragmented),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_seen),
		cmocka_unit_test(test_no_buffers),
		cmocka_unit_test(test_error_form),
		cmocka_unit_test(test_error_source),
		cmocka_unit_test(test_fragmentation_needed),
		cmocka_unit_test(test_not_about_errors),
		cmocka_unit_test(test_not_about_fragments),
		cmocka_unit_test(test_not_about_broadcasts),
		cmocka_unit_test(test_not_to_many_or_nobody),
		cmocka_unit_test(test_unroutable_source),
		cmocka_unit_test(test_rate_limit),
		cmocka_unit_test(test_rate_limit_by_destination),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

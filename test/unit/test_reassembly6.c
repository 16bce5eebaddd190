/* Reassembly of IPv6 datagrams to the router, and the fragments it sends itself. */
#include "test/unit/reassembly_fixture.h"

/* Bytes from..to of an echo request of `total` bytes as a fragment. */
static uint32_t make_part6(struct ip6 src, uint32_t id, uint32_t from, uint32_t to, bool more)
{
	uint32_t len = make6(0, src, US6(0), 44, 64, 8 + to - from);

	frame[54] = 58;
	frame[55] = 0;
	store_be16(frame + 56, (uint16_t)(from | more));
	store_be32(frame + 58, id);
	memcpy(frame + 62, payload + from, to - from);
	return len;
}

static void make_echo6(struct ip6 src, uint32_t len)
{
	uint8_t ip[40] = {0}, tail[8] = {0, 0, 0, 0, 0, 0, 0, 58};
	uint64_t sum;
	uint16_t check;

	make_echo(len);
	memset(payload, 0, 4);
	payload[0] = 128;
	ip6_store(ip + 8, src);
	ip6_store(ip + 24, US6(0));
	store_be32(tail, len);
	sum = checksum_add(checksum_add(0, ip + 8, 32), tail, 8);
	check = checksum_finish(checksum_add(sum, payload, len));
	memcpy(payload + 2, &check, 2);
}

static void test_large6(void **state)
{
	static const uint32_t lengths[] = {1448, 1460, 8008, 65535};
	static uint8_t whole[65544];

	for (unsigned i = 0; i < 4; i++) {
		uint32_t len = lengths[i];
		struct fixture *f = fix6_new_resolved();

		make_echo6(HOST6(0), len);
		for (uint32_t at = 0; at < len; at += 1224)
			fix6_receive(f, 0,
				make_part6(HOST6(0), 77, at, len - at > 1224 ? at + 1224 : len,
					len - at > 1224));
		assert_int_equal(f->s.reassembly.completed, 1);
		if (len + 40 <= 1500) {
			assert_int_equal(f->sent_n, 1);
			fix6_sent(f, 0, 0, HOST6(0), 129);
		} else {
			assert_int_equal(f->sent[0].frame[54], 58);
			assert_int_equal(sent_payload(f, whole, 48, 1500), len);
			assert_int_equal(whole[0], 129);
			assert_memory_equal(whole + 4, payload + 4, len - 4);
			/* reply and request differ in type: so do their checksums */
			assert_int_equal(
				(uint16_t)(load_be16(payload + 2) - load_be16(whole + 2)), 0x0100);
		}
		fix_free(f);
	}
}

/* An answer that fits a buffer but not the link it leaves by. */
static void test_source_fragments6(void **state)
{
	struct fixture *f = fix6_new_resolved();
	static uint8_t whole[2048];

	f->iface[0].mtu = 1280;
	fix6_receive(f, 0, make_icmp6(0, HOST6(0), US6(0), 128, 0, 1400));
	assert_int_equal(f->sent_n, 2);
	assert_int_equal(sent_payload(f, whole, 48, 1280), 1408);
	assert_int_equal(f->delivered, 2); /* the request, and the reply before it was cut */
	fix_free(f);
}

static void test_timeout6(void **state)
{
	struct fixture *f = fix6_new_resolved();

	make_echo6(HOST6(0), 1000);
	fix6_receive(f, 0, make_part6(HOST6(0), 5, 0, 64, true));
	fix6_receive(f, 0, make_part6(HOST6(0), 6, 64, 128, true));
	fix_wait(f, REASSEMBLY6_MS + 20);
	assert_int_equal(f->drops[DROP_FRAGMENT_TIMEOUT], 2);
	unsigned errors = 0;

	for (unsigned i = 0; i < f->sent_n; i++)
		if (f->sent[i].frame[20] == 58 && f->sent[i].frame[54] == 3) {
			assert_int_equal(f->sent[i].frame[55], 1);
			errors++;
		}
	assert_int_equal(errors, 1);
	fix_free(f);
}

/* RFC 8200 4.5: what is said about fragments that cannot be. */
static void test_impossible6(void **state)
{
	static const struct {
		uint32_t from, to;
		bool more;
		uint8_t code;
		uint32_t pointer;
	} c[] = {
		{64, 73, true, 0, 4},        /* no multiple of 8: payload length */
		{65528, 65544, true, 0, 42}, /* too long: the offset */
		{0, 8, true, 3, 0},          /* RFC 7112: not all headers */
	};

	for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
		struct fixture *f = fix6_new_resolved();
		uint32_t n = c[i].to - c[i].from, len = make6(0, HOST6(0), US6(0), 44, 64, 8 + n);

		frame[54] = 6; /* a first fragment of 8 bytes lacks most of a TCP header */
		store_be16(frame + 56, (uint16_t)(c[i].from | c[i].more));
		fix6_receive(f, 0, len);
		const uint8_t *p = fix6_sent(f, 0, 0, HOST6(0), 4);

		assert_int_equal(p[1], c[i].code);
		assert_int_equal(load_be32(p + 4), c[i].pointer);
		assert_int_equal(f->drops[DROP_FRAGMENT_BAD], 1);
		fix_free(f);
	}
}

/* RFC 6946: an atomic fragment does not meet others with its number. */
static void test_atomic(void **state)
{
	struct fixture *f = fix6_new_resolved();

	make_echo6(HOST6(0), 128);
	fix6_receive(f, 0, make_part6(HOST6(0), 5, 0, 64, true));
	fix6_receive(f, 0, make_part6(HOST6(0), 5, 0, 128, false));
	assert_int_equal(f->sent_n, 1);
	fix6_sent(f, 0, 0, HOST6(0), 129);
	assert_int_equal(stack_held(&f->s), 1);
	fix6_receive(f, 0, make_part6(HOST6(0), 5, 64, 128, false));
	assert_int_equal(f->sent_n, 2);
	fix_free(f);
}

/* A fragment of a fragment is refused, as is neighbour discovery in any (RFC 6980). */
static void test_nested(void **state)
{
	struct fixture *f = fix6_new_resolved();
	uint32_t len;

	memset(payload, 0, 64);
	payload[0] = 58;
	payload[3] = 1; /* more of that one */
	for (unsigned i = 0; i < 2; i++) {
		len = make_part6(HOST6(0), 5, i * 32, i * 32 + 32, i == 0);
		frame[54] = 44;
		fix6_receive(f, 0, len);
	}
	assert_int_equal(f->drops[DROP_FRAGMENT_BAD], 1);
	assert_int_equal(f->delivered, 1);
	fix_clear(f);

	len = make_nd(0, 135, HOST6(0), US6(0), US6(0), 0, mac_host0);
	memcpy(payload, frame + 54, len - 54);
	uint32_t n = len - 54;

	len = make_part6(HOST6(0), 0, 0, n, false);
	frame[21] = 255;
	fix6_receive(f, 0, len);
	assert_int_equal(f->drops[DROP_ND_MALFORMED], 1);
	for (unsigned i = 0; i < 2; i++) {
		len = make_part6(HOST6(0), 9, i * 16, i ? n : 16, i == 0);
		frame[21] = 255;
		fix6_receive(f, 0, len);
	}
	assert_int_equal(f->drops[DROP_ND_MALFORMED], 2);
	assert_int_equal(f->sent_n, 0);
	fix_free(f);
}

/* Extension headers before the fragment header are the first fragment's. */
static void test_headers_before(void **state)
{
	struct fixture *f = fix6_new_resolved();

	make_echo6(HOST6(0), 96);
	for (unsigned i = 0; i < 2; i++) {
		uint32_t len = make_part6(HOST6(0), 5, i * 48, i * 48 + 48, i == 0);

		memmove(frame + 62, frame + 54, len - 54);
		memcpy(frame + 54, (const uint8_t[8]){44, 0, 1, 4, 0, 0, 0, 0}, 8);
		frame[20] = 60;
		store_be16(frame + 18, (uint16_t)(load_be16(frame + 18) + 8));
		fix6_receive(f, 0, len + 8);
	}
	assert_int_equal(f->s.reassembly.completed, 1);
	fix6_sent(f, 0, 0, HOST6(0), 129);
	fix_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_large6),
		cmocka_unit_test(test_source_fragments6),
		cmocka_unit_test(test_timeout6),
		cmocka_unit_test(test_impossible6),
		cmocka_unit_test(test_atomic),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_headers_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Path MTU discovery for what the router itself sends by IPv6: whom to believe, and what follows.
 */
#include "test/unit/stack6_fixture.h"

#define REMOTE(n) ((struct ip6){0x20010db800000000ull, (n)})
#define TELLER    NET6(1, 0x99) /* a router on the way */

/* Everything else by a gateway that is known. */
static struct fixture *new_path(void)
{
	struct fixture *f = fix6_new_resolved();

	fix6_route(f, IP6_ANY, 0, NEXTHOP_RESOLVE, HOST6(1));
	return f;
}

/* The router answers an echo of `payload` bytes; the longest packet of the answer, and in how many.
 */
static uint32_t longest_answer(
	struct fixture *f, struct ip6 to, uint32_t payload, unsigned *packets)
{
	uint32_t longest = 0;

	fix_clear(f);
	fix6_receive(f, 1, make_icmp6(1, to, US6(0), 128, 0, payload));
	for (unsigned i = 0; i < f->sent_n; i++)
		longest = f->sent[i].len - 14 > longest ? f->sent[i].len - 14 : longest;
	*packets = f->sent_n;
	return longest;
}

/*
 * Packet too big about a packet of `total` bytes from src to dst, of which 100
 * bytes are quoted. type: of the ICMPv6 message in it, or next header 44 if 44.
 */
static uint32_t make_too_big(
	struct ip6 src, struct ip6 dst, uint32_t total, uint32_t mtu, uint8_t type)
{
	uint32_t len = make_icmp6(1, TELLER, US6(0), 2, 0, 100);
	uint8_t *inner = frame + 62;

	store_be32(frame + 58, mtu);
	memset(inner, 0, 100);
	inner[0] = 0x60;
	store_be16(inner + 4, (uint16_t)(total - 40));
	inner[6] = type == 44 ? 44 : 58;
	inner[40] = type == 44 ? 58 : type;
	ip6_store(inner + 8, src);
	ip6_store(inner + 24, dst);
	finish6(len);
	return len;
}

static void tell(struct fixture *f, struct ip6 dst, uint32_t total, uint32_t mtu)
{
	fix6_receive(f, 1, make_too_big(US6(0), dst, total, mtu, 129));
}

/* RFC 8201 4: what is too long leaves in fragments, for ten minutes; others' packets as before. */
static void test_learned(void **state)
{
	struct fixture *f = new_path();
	unsigned n;

	assert_int_equal(longest_answer(f, REMOTE(1), 1452, &n), 1500);
	assert_int_equal(n, 1);
	longest_answer(f, REMOTE(2), 1452, &n);
	tell(f, REMOTE(1), 1500, 1400);
	assert_int_equal(longest_answer(f, REMOTE(1), 1452, &n), 1400);
	assert_int_equal(n, 2);
	assert_int_equal(f->sent[0].frame[20], 44);
	assert_int_equal(longest_answer(f, REMOTE(1), 1352, &n), 1400);
	assert_int_equal(n, 1);
	assert_int_equal(longest_answer(f, REMOTE(2), 1452, &n), 1500);
	/* another router further on, about a fragment */
	longest_answer(f, REMOTE(1), 1452, &n);
	fix6_receive(f, 1, make_too_big(US6(0), REMOTE(1), 1400, 1280, 44));
	assert_int_equal(longest_answer(f, REMOTE(1), 1452, &n), 1280);
	tell(f, REMOTE(1), 1280, 1400); /* never upwards */
	assert_int_equal(longest_answer(f, REMOTE(1), 1452, &n), 1280);
	f->now_ms += PMTU_AGE_MS - 1000;
	fix6_ask(f, 1, HOST6(1), mac_host1);
	assert_int_equal(longest_answer(f, REMOTE(1), 1452, &n), 1280);
	f->now_ms += 2000;
	assert_int_equal(longest_answer(f, REMOTE(1), 1452, &n), 1500);
	fix_receive(f, 0, frame, make6(0, HOST6(0), REMOTE(1), 17, 64, 1460), PUNT_RESOLVE);
	assert_int_equal(f->sent[f->sent_n - 1].len, 1514); /* in transit nothing changes */
	fix_free(f);
}

/* RFC 8201 4, RFC 4443 5.2: only about what we can have sent. */
static void test_not_believed(void **state)
{
	static const struct {
		struct ip6 src, dst;
		uint32_t total, mtu;
		uint8_t type;
	} wrong[] = {
		{US6(0), REMOTE(1), 1500, 1279, 129}, /* less than any link takes */
		{US6(0), REMOTE(1), 1500, 0, 129},
		{US6(0), REMOTE(1), 1500, 1500, 129},   /* it fits */
		{US6(0), REMOTE(1), 1501, 1400, 129},   /* longer than any we sent */
		{US6(0), REMOTE(1), 1500, 1400, 1},     /* we send no error that long */
		{US6(0), REMOTE(2), 1500, 1400, 129},   /* nothing went there */
		{HOST6(0), REMOTE(1), 1500, 1400, 129}, /* that one sent it */
		{IP6_ANY, IP6_ANY, 1500, 1400, 129},
	};
	struct fixture *f = new_path();
	unsigned n, refused = sizeof wrong / sizeof *wrong;

	longest_answer(f, REMOTE(1), 1452, &n);
	for (unsigned i = 0; i < refused; i++) {
		fix6_receive(f, 1,
			make_too_big(wrong[i].src, wrong[i].dst, wrong[i].total, wrong[i].mtu,
				wrong[i].type));
		assert_int_equal(f->s.pmtu.refused, i + 1);
	}
	uint32_t len = make_too_big(US6(0), REMOTE(1), 1500, 1400, 129);

	frame[62 + 6] = 17; /* we send no UDP */
	finish6(len);
	fix6_receive(f, 1, len);
	for (uint32_t quoted = 0; quoted < 48; quoted++) {
		make_too_big(US6(0), REMOTE(1), 1500, 1400, 129);
		store_be16(frame + 18, (uint16_t)(8 + quoted));
		finish6(62 + quoted);
		fix6_receive(f, 1, 62 + quoted);
	}
	assert_int_equal(f->s.pmtu.refused, refused + 1 + 48);
	assert_int_equal(f->s.pmtu.heeded, 0);
	assert_int_equal(longest_answer(f, REMOTE(1), 1452, &n), 1500);
	fix_free(f);
}

/* Short answers take no place; of long ones to very many the newest are remembered. */
static void test_bounded(void **state)
{
	struct fixture *f = new_path();
	unsigned n;

	longest_answer(f, REMOTE(1), 1452, &n);
	tell(f, REMOTE(1), 1500, 1300);
	for (unsigned i = 0; i < 5 * PMTU_PLACES; i++) {
		f->now_ms++;
		longest_answer(f, REMOTE(1000 + i), 1000, &n);
	}
	assert_int_equal(longest_answer(f, REMOTE(1), 1452, &n), 1296); /* units of 8 */
	for (unsigned i = 0; i < PMTU_PLACES; i++) {
		f->now_ms++;
		longest_answer(f, REMOTE(1000 + i), 1452, &n);
	}
	tell(f, REMOTE(1000 + PMTU_PLACES - 1), 1500, 1300);
	assert_int_equal(
		longest_answer(f, REMOTE(1000 + PMTU_PLACES - 1), 1452, &n), 1296); /* units of 8 */
	assert_int_equal(longest_answer(f, REMOTE(1), 1452, &n), 1500);
	fix_free(f);
}

/* Neighbours on the link are no path, and a larger link takes no more than before. */
static void test_links(void **state)
{
	struct ip6 near = {0xfe80000000000000ull, 0x55};
	struct fixture *f = fix6_new();
	uint32_t len;

	fix6_ask(f, 0, near, mac_host0);
	fix_clear(f);
	fix6_receive(f, 0, make_icmp6(0, near, LINK6(0), 128, 0, 1452));
	assert_int_equal(f->sent[0].len, 1514);
	for (unsigned k = 0; k < PMTU_PLACES; k++)
		assert_true(ip6_is_zero(f->s.pmtu.place[k].dst));
	len = make_too_big(LINK6(0), near, 1500, 1300, 129);
	fix6_receive(f, 1, len);
	assert_int_equal(f->s.pmtu.refused, 1);
	fix_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learned),
		cmocka_unit_test(test_not_believed),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The parser's verdict on every way an IPv6 frame can be wrong, and the address classes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/byteorder.h"
#include "net/path/parse.h"
#include "net/path/rewrite.h"
#include "net/table/ip6.h"

static const uint8_t us[6] = {2, 0, 0, 0, 0, 1}, peer[6] = {2, 0, 0, 0, 0, 2};

#define A(hi, lo) ((struct ip6){(hi), (lo)})
#define SRC       A(0xfd00000000000000, 2)
#define DST       A(0xfd00000000000001, 2)
#define LINK      A(0xfe80000000000000, 7)

static uint8_t memory[4 * PACKET_STRIDE] __attribute__((aligned(64)));
static uint8_t owners[4];
static struct buffers buffers = {.origin = {(uintptr_t)(memory + PACKET_HEADROOM)},
	.owner = owners,
	.stride = PACKET_STRIDE};
static struct lane lane = {.buffers = &buffers, .max_frame = 1514};
static struct batch b;

static uint8_t f[2000];
static uint32_t len;

static void make(struct ip6 src, struct ip6 dst)
{
	len = 54 + 20;
	memset(f, 0, sizeof f);
	memcpy(f, us, 6);
	memcpy(f + 6, peer, 6);
	store_be16(f + 12, 0x86dd);
	f[14] = 0x60;
	store_be16(f + 18, 20);
	f[20] = 17;
	f[21] = 64;
	ip6_store(f + 22, src);
	ip6_store(f + 38, dst);
}

/* The verdict of the batch parser, which must be that of the slow one too. */
static uint16_t verdict(void)
{
	memcpy(lane.mac, us, 6);
	memset(memory, 0xa5, sizeof memory);
	memcpy(buffer_data(&buffers, 1), f, len);
	b.n = 1;
	b.word[0] = packet_word(1, len, 0);
	parse_batch(&lane, &b, b.word, b.n);
	assert_int_equal(
		b.verdict[0], parse_frame(&lane, buffer_data(&buffers, 1), len, lane.max_frame));
	assert_int_equal(b.ended, b.verdict[0] != VERDICT_ROUTE);
	assert_int_equal(b.sixes, b.verdict[0] == VERDICT_ROUTE6);
	return b.verdict[0];
}

#define EXPECT_DROP(reason) assert_int_equal(verdict(), VERDICT_DROP | DROP_##reason)

static void test_good(void **state)
{
	make(SRC, DST);
	assert_int_equal(verdict(), VERDICT_ROUTE6);
	assert_int_equal(packet_flags(b.word[0]), 0);
	len += 30; /* padding is cut off */
	assert_int_equal(verdict(), VERDICT_ROUTE6);
	assert_int_equal(packet_len(b.word[0]), 74);
	f[20] = 0; /* hop-by-hop options */
	assert_int_equal(verdict(), VERDICT_ROUTE6);
	assert_int_equal(packet_flags(b.word[0]), PACKET_FLAG_OPTIONS);
	make(LINK, DST); /* it may be to us */
	assert_int_equal(verdict(), VERDICT_ROUTE6);
	assert_int_equal(packet_flags(b.word[0]), PACKET_FLAG_OPTIONS);
	make(A(0, 0x123456789abc), DST); /* of 0::/64, and yet somebody's */
	assert_int_equal(verdict(), VERDICT_ROUTE6);
	assert_int_equal(packet_flags(b.word[0]), 0);
}

static void test_header(void **state)
{
	make(SRC, DST);
	len = 53;
	EXPECT_DROP(IP_TRUNCATED);
	make(SRC, DST);
	f[14] = 0x40;
	EXPECT_DROP(IP_VERSION);
	make(SRC, DST);
	store_be16(f + 18, 21);
	EXPECT_DROP(IP6_LENGTH);
	store_be16(f + 18, 0xffff);
	EXPECT_DROP(IP6_LENGTH);
	store_be16(f + 18, 0);
	f[20] = 0; /* a jumbogram's header, RFC 2675 */
	EXPECT_DROP(IP6_LENGTH);
	f[20] = 59;
	assert_int_equal(verdict(), VERDICT_ROUTE6);
	make(SRC, DST);
	len = 1515;
	EXPECT_DROP(RX_OVERSIZE);
	make(SRC, DST);
	f[5] ^= 1;
	EXPECT_DROP(WRONG_MAC);
	make(SRC, DST);
	lane.disabled = true;
	EXPECT_DROP(PORT_DISABLED);
	lane.disabled = false;
	make(SRC, DST);
	f[0] = f[1] = 0x33;
	EXPECT_DROP(L2_BROADCAST);
	memset(f, 0xff, 6);
	EXPECT_DROP(L2_BROADCAST);
	memcpy(f, (const uint8_t[6]){1, 0, 0x5e, 0, 0, 1}, 6);
	EXPECT_DROP(MULTICAST);
}

static void test_addresses(void **state)
{
	static const struct ip6 martian[] = {{0, 1}, {0, 0xffff0a000001}};
	static const struct ip6 group[] = {{0xff01000000000000, 1}, {0xff02000000000000, 0x16},
		{0xff05000000000000, 1}, {0xff0e000000000000, 0x101}, {0xff02000000000000, 0}};

	for (unsigned i = 0; i < 2; i++) {
		make(martian[i], DST);
		EXPECT_DROP(MARTIAN_SOURCE);
		make(SRC, martian[i]);
		EXPECT_DROP(MARTIAN_DESTINATION);
	}
	make(IP6_ANY, DST);
	EXPECT_DROP(MARTIAN_SOURCE);
	make(SRC, IP6_ANY);
	EXPECT_DROP(MARTIAN_DESTINATION);
	make(IP6_ALL_NODES, DST);
	EXPECT_DROP(MARTIAN_SOURCE);
	make(SRC, LINK);
	assert_int_equal(verdict(), VERDICT_PUNT | PUNT_LOCAL);
	for (unsigned i = 0; i < sizeof group / sizeof *group; i++) {
		make(SRC, group[i]);
		f[0] = f[1] = 0x33;
		EXPECT_DROP(MULTICAST);
	}
	make(SRC, IP6_ALL_NODES);
	assert_int_equal(verdict(), VERDICT_PUNT | PUNT_LOCAL); /* RFC 6085: by unicast as well */
	make(SRC, IP6_SITE_ROUTERS);                            /* RFC 4291 2.8 */
	assert_int_equal(verdict(), VERDICT_PUNT | PUNT_LOCAL);
	make(SRC, IP6_ALL_NODES);
	f[0] = f[1] = 0x33;
	assert_int_equal(verdict(), VERDICT_PUNT | PUNT_LOCAL);
	make(IP6_ANY, ip6_solicited_node(DST));
	f[0] = f[1] = 0x33;
	assert_int_equal(verdict(), VERDICT_PUNT | PUNT_LOCAL);
	make(IP6_ALL_NODES, IP6_ALL_ROUTERS);
	f[0] = f[1] = 0x33;
	EXPECT_DROP(MARTIAN_SOURCE);
}

/* A batch of both families: each packet where it belongs. */
static void test_mixed(void **state)
{
	b.n = 3;
	for (uint32_t i = 0; i < 3; i++) {
		make(SRC, DST);
		if (i == 1)
			store_be16(f + 12, 0x88cc);
		memcpy(buffer_data(&buffers, i), f, len);
		b.word[i] = packet_word(i, len, 0);
	}
	parse_batch(&lane, &b, b.word, b.n);
	assert_int_equal(b.ended, 3);
	assert_int_equal(b.sixes, 2);
	assert_int_equal(b.six[0], 0);
	assert_int_equal(b.six[1], 2);
	assert_int_equal(b.verdict[1], VERDICT_DROP | DROP_UNKNOWN_ETHERTYPE);
}

static void test_kinds(void **state)
{
	const uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

	assert_true(ip6_equal(ip6_link_local(mac), A(0xfe80000000000000, 0x505400fffe123456)));
	assert_true(ip6_equal(
		ip6_solicited_node(A(0, 0x123456789abcdef0)), A(0xff02000000000000, 0x1ffbcdef0)));
	assert_true(ip6_is_link_local(A(0xfebfffffffffffff, 0)));
	assert_false(ip6_is_link_local(A(0xfec0000000000000, 0)));
	assert_false(ip6_is_plain(LINK) || ip6_is_plain(A(0, 7)) || ip6_is_plain(IP6_ALL_NODES));
	assert_true(ip6_is_plain(SRC) && ip6_is_unicast(LINK));
	make(SRC, DST);
	f[14] = 0x6b;
	f[15] = 0x80;
	assert_int_equal(ipv6_class(f), 0xb8);
}

static void test_rewrite(void **state)
{
	const struct adjacency a = {.mac = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
	uint8_t before[74];

	make(SRC, DST);
	memcpy(before, f, sizeof before);
	rewrite_frame6(f, &a);
	assert_memory_equal(f, a.mac, 12);
	before[21]--;
	assert_memory_equal(f + 12, before + 12, sizeof before - 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_rewrite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

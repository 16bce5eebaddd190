/* The parser's verdict on every way a frame can be wrong, and the rewrite's checksum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "net/path/parse.h"
#include "net/path/rewrite.h"
#include "test/model/frame.h"

static const uint8_t us[6] = {2, 0, 0, 0, 0, 1}, peer[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t all[6] = {255, 255, 255, 255, 255, 255};

#define SRC 0x0a000002u
#define DST 0x0a000102u

static uint8_t memory[4 * PACKET_STRIDE] __attribute__((aligned(64)));
static uint8_t owners[4];
static struct buffers buffers = {.origin = {(uintptr_t)(memory + PACKET_HEADROOM)},
	.owner = owners,
	.stride = PACKET_STRIDE};
static struct vlans vlans;
static struct tables tables = {.vlans = &vlans};
static struct counters counters;
static struct lane lane = {
	.buffers = &buffers, .tables = &tables, .counters = &counters, .max_frame = 1514};

/* The verdict of the batch parser, which must be that of the slow one too. */
static uint16_t verdict(const struct frame *f)
{
	struct batch b = {.n = 1};

	memcpy(lane.mac, us, 6);
	memset(memory, 0xa5, sizeof memory);
	memcpy(buffer_data(&buffers, 1), f->data, f->len);
	b.word[0] = packet_word(1, (uint32_t)f->len, 0);
	parse_batch(&lane, &b, b.word, b.n);
	if (!parse_is_tagged(f->data, (uint32_t)f->len))
		assert_int_equal(b.verdict[0],
			parse_frame(&lane, f->data, (uint32_t)f->len, lane.max_frame));
	assert_int_equal(b.ended, b.verdict[0] != VERDICT_ROUTE);
	return b.verdict[0];
}

static void good(struct frame *f)
{
	frame_udp(f, us, peer, SRC, DST, 18);
}

#define EXPECT_DROP(f, reason) assert_int_equal(verdict(&(f)), VERDICT_DROP | DROP_##reason)

static void test_good(void **state)
{
	struct frame f;
	struct batch b = {.n = 1};

	good(&f);
	assert_int_equal(verdict(&f), VERDICT_ROUTE);
	/* padding is cut off, the destination is known */
	f.len += 30;
	memcpy(buffer_data(&buffers, 1), f.data, f.len);
	b.word[0] = packet_word(1, (uint32_t)f.len, 0);
	parse_batch(&lane, &b, b.word, b.n);
	assert_int_equal(b.verdict[0], VERDICT_ROUTE);
	assert_int_equal(packet_len(b.word[0]), f.len - 30);
	assert_int_equal(b.dst[0], DST);
	assert_int_equal(packet_flags(b.word[0]), 0);
}

/* The widest form reads whole vectors: behind the last packet there are frames, too. */
static void test_padding_has_frames(void **state)
{
	struct frame f;

	good(&f);
	memcpy(buffer_data(&buffers, 1), f.data, f.len);
	for (unsigned n = 1; n <= BATCH_MAX; n++) {
		struct batch b = {.n = n};

		for (unsigned i = 0; i < n; i++)
			b.word[i] = packet_word(1, (uint32_t)f.len, 0);
		parse_batch(&lane, &b, b.word, b.n);
		for (unsigned i = 0; i < n || i % BATCH_PAD; i++)
			assert_ptr_equal(b.data[i], buffer_data(&buffers, 1));
	}
}

static void test_options_are_flagged(void **state)
{
	struct frame f;
	struct batch b = {.n = 1};

	good(&f);
	memmove(f.data + 38, f.data + 34, f.len - 34);
	memset(f.data + 34, 1, 4); /* four no-operation options */
	f.data[14] = 0x46;
	f.len += 4;
	store_be16(f.data + 16, (uint16_t)(f.len - 14));
	frame_fix_checksum(&f);
	assert_int_equal(verdict(&f), VERDICT_ROUTE);
	b.word[0] = packet_word(1, (uint32_t)f.len, 0);
	parse_batch(&lane, &b, b.word, b.n);
	assert_int_equal(packet_flags(b.word[0]), PACKET_FLAG_OPTIONS);
}

static void test_link_layer(void **state)
{
	struct frame f;

	good(&f);
	f.len = 0;
	EXPECT_DROP(f, RX_ERROR);
	f.len = 13;
	EXPECT_DROP(f, RX_RUNT);
	frame_udp(&f, us, peer, SRC, DST, 1515 - 42);
	EXPECT_DROP(f, RX_OVERSIZE);
	frame_udp(&f, us, peer, SRC, DST, 1514 - 42);
	assert_int_equal(verdict(&f), VERDICT_ROUTE);
	good(&f);
	f.data[5] ^= 1;
	EXPECT_DROP(f, WRONG_MAC);
	good(&f);
	f.data[0] = 0x33;
	EXPECT_DROP(f, MULTICAST);
	good(&f);
	memcpy(f.data, all, 6);
	EXPECT_DROP(f, L2_BROADCAST);
	good(&f);
	store_be16(f.data + 12, 0x86dd);
	EXPECT_DROP(f, IP_VERSION);
	store_be16(f.data + 12, 0x8100);
	EXPECT_DROP(f, VLAN_UNKNOWN);
	store_be16(f.data + 12, 0x0806);
	assert_int_equal(verdict(&f), VERDICT_PUNT | PUNT_ARP);
	good(&f);
	lane.disabled = true;
	EXPECT_DROP(f, PORT_DISABLED);
	lane.disabled = false;
}

static void test_ipv4_header(void **state)
{
	struct frame f;

	good(&f);
	f.len = 33;
	EXPECT_DROP(f, IP_TRUNCATED);
	good(&f);
	f.data[14] = 0x65;
	EXPECT_DROP(f, IP_VERSION);
	good(&f);
	f.data[14] = 0x44;
	EXPECT_DROP(f, IP_HEADER_LENGTH);
	good(&f);
	f.data[14] = 0x4f;
	f.len = 14 + 59;
	EXPECT_DROP(f, IP_TRUNCATED);
	good(&f);
	store_be16(f.data + 16, 19);
	frame_fix_checksum(&f);
	EXPECT_DROP(f, IP_TOTAL_LENGTH);
	good(&f);
	store_be16(f.data + 16, (uint16_t)(f.len - 14 + 1));
	frame_fix_checksum(&f);
	EXPECT_DROP(f, IP_TOTAL_LENGTH);
	good(&f);
	f.data[24] ^= 1;
	EXPECT_DROP(f, IP_CHECKSUM);
	/* every single flipped bit of the header is noticed, by checksum or before */
	for (unsigned bit = 0; bit < 160; bit++) {
		good(&f);
		f.data[14 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(verdict(&f) & VERDICT_DROP, VERDICT_DROP);
	}
}

static void check_address(uint32_t src, uint32_t dst, uint16_t expected)
{
	struct frame f;

	frame_udp(&f, us, peer, src, dst, 18);
	if (verdict(&f) != expected)
		fail_msg("%08x -> %08x: %x, not %x", src, dst, verdict(&f), expected);
}

static void test_addresses(void **state)
{
	static const uint32_t bad_source[] = {0, 0x00ffffff, 0x7f000001, 0x7fffffff, 0xe0000001,
		0xefffffff, 0xf0000000, 0xffffffff};
	static const uint32_t bad_dest[] = {0, 0x00000001, 0x7f000001, 0xf0000000, 0xfffffffe};
	static const uint32_t good_ones[] = {0x01000000, 0x7effffff, 0x80000000, 0xdfffffff};

	for (unsigned i = 0; i < sizeof bad_source / 4; i++)
		check_address(bad_source[i], DST, VERDICT_DROP | DROP_MARTIAN_SOURCE);
	for (unsigned i = 0; i < sizeof bad_dest / 4; i++)
		check_address(SRC, bad_dest[i], VERDICT_DROP | DROP_MARTIAN_DESTINATION);
	for (unsigned i = 0; i < sizeof good_ones / 4; i++) {
		check_address(good_ones[i], DST, VERDICT_ROUTE);
		check_address(SRC, good_ones[i], VERDICT_ROUTE);
	}
	check_address(SRC, 0xffffffff, VERDICT_DROP | DROP_BROADCAST);
	check_address(SRC, 0xe0000005, VERDICT_DROP | DROP_MULTICAST);
}

/* One test for the workers and the control core: both edges of every range. */
static void test_unicast(void **state)
{
	static const uint32_t yes[] = {0x01000000, 0x0a000001, 0x7effffff, 0x80000000, 0xdfffffff};
	static const uint32_t no[] = {
		0, 0x00ffffff, 0x7f000000, 0x7fffffff, 0xe0000000, 0xefffffff, 0xf0000000, ~0u};

	for (unsigned i = 0; i < sizeof yes / sizeof *yes; i++)
		assert_true(ipv4_is_unicast(yes[i]));
	for (unsigned i = 0; i < sizeof no / sizeof *no; i++)
		assert_false(ipv4_is_unicast(no[i]));
}

/* For every checksum value a header can have: TTL falls by one and the header stays valid. */
static void test_rewrite(void **state)
{
	struct adjacency a = {.mac = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
	struct frame f;

	for (uint32_t id = 0; id < 0x10000; id++) {
		good(&f);
		store_be16(f.data + 18, (uint16_t)id);
		frame_fix_checksum(&f);
		rewrite_frame(f.data, &a);
		assert_int_equal(f.data[22], 63);
		assert_int_equal(checksum(f.data + 14, 20), 0);
		assert_int_not_equal(load_be16(f.data + 24), 0xffff); /* RFC 1624 section 3 */
	}
	assert_memory_equal(f.data, a.mac, 12);
}

/* RFC 1812 5.3.7: a configuration can let some pass. Broadcast, multicast and 0.0.0.0 never do. */
static void test_permitted_martians(void **state)
{
	static const struct {
		uint32_t address;
		unsigned range;
	} c[] = {{0x00000001, MARTIAN_ZERO}, {0x00ffffff, MARTIAN_ZERO},
		{0x7f000001, MARTIAN_LOOPBACK}, {0xf0000001, MARTIAN_CLASS_E},
		{0xfffffffe, MARTIAN_CLASS_E}, {0, 0}, {0xffffffff, 0}, {0xe0000001, 0}};

	for (unsigned permitted = 0; permitted < 8; permitted++) {
		lane.martians = permitted;
		for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
			struct frame f;
			bool passes = c[i].range & permitted;

			frame_udp(&f, us, peer, c[i].address, DST, 18);
			assert_int_equal(verdict(&f),
				passes ? VERDICT_ROUTE : VERDICT_DROP | DROP_MARTIAN_SOURCE);
			frame_udp(&f, us, peer, SRC, c[i].address, 18);
			assert_int_equal(verdict(&f) == VERDICT_ROUTE, passes);
		}
	}
	lane.martians = 0;
}

/* To LLDP's group alone, and by its type alone. */
static void test_lldp(void **state)
{
	struct frame f;

	good(&f);
	memcpy(f.data, (const uint8_t[6]){1, 0x80, 0xc2, 0, 0, 0x0e}, 6);
	store_be16(f.data + 12, 0x88cc);
	assert_int_equal(verdict(&f), VERDICT_PUNT | PUNT_LLDP);
	store_be16(f.data + 12, 0x0800);
	EXPECT_DROP(f, MULTICAST);
	store_be16(f.data + 12, 0x88cc);
	f.data[5] = 3;
	EXPECT_DROP(f, MULTICAST);
	memcpy(f.data, us, 6);
	EXPECT_DROP(f, UNKNOWN_ETHERTYPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_permitted_martians),
		cmocka_unit_test(test_lldp),
		cmocka_unit_test(test_padding_has_frames),
		cmocka_unit_test(test_options_are_flagged),
		cmocka_unit_test(test_link_layer),
		cmocka_unit_test(test_ipv4_header),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_unicast),
		cmocka_unit_test(test_rewrite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Packets of VLAN subinterfaces through the whole router: tags off and on, counters, books. */
#include "test/unit/vlan_fixture.h"

static void check_routed(const struct frame *in, const struct frame *out, const uint8_t *to)
{
	assert_int_equal(out->len, in->len);
	assert_memory_equal(out->data, to, 6);
	assert_memory_equal(out->data + 6, dev[0]->mac, 5);
	assert_int_equal(load_be16(out->data + 12), 0x0800);
	assert_int_equal(out->data[22], 63);
	assert_int_equal(checksum(out->data + 14, 20), 0);
	assert_memory_equal(out->data + 26, in->data + 26, in->len - 26);
}

static void test_between_vlans(void **state)
{
	struct vlan_counters five = counted(0), seven = counted(1);
	struct frame in, out;

	v_udp(&in, 5, V_HOST(7), 100);
	inject(0, &in);
	turns(2);
	assert_int_not_equal(sent(0, &out), 0);
	assert_int_equal(take_tag(&out), 7); /* priority 0 */
	take_tag(&in);
	check_routed(&in, &out, v_mac);
	assert_int_equal(counted(0).rx_packets - five.rx_packets, 1);
	assert_int_equal(counted(0).rx_bytes - five.rx_bytes, in.len + 4);
	assert_int_equal(counted(1).tx_packets - seven.tx_packets, 1);
	assert_int_equal(counted(1).tx_bytes - seven.tx_bytes, in.len + 4);
	assert_int_equal(counted(0).tx_packets, five.tx_packets);
	check_books();
}

static void test_tagged_to_untagged_and_back(void **state)
{
	struct frame in, out;

	v_udp(&in, 5, HOST(1), 1472); /* full MTU, the frame 4 longer */
	assert_int_equal(in.len, 1518);
	inject(0, &in);
	turns(2);
	assert_int_not_equal(sent(1, &out), 0);
	take_tag(&in);
	check_routed(&in, &out, host_mac[1]);

	udp(&in, 1, V_HOST(5), 1472);
	inject(1, &in);
	turns(2);
	assert_int_equal(sent(0, &out), 1518);
	assert_int_equal(take_tag(&out), 5);
	check_routed(&in, &out, v_mac);
	check_books();
}

/* Neighbours are looked for, and answered, with the tag; what was held leaves with it. */
static void test_arp(void **state)
{
	struct frame in, out;
	uint32_t other = IP(10, 1, 7, 9);

	v_udp(&in, 5, other, 10);
	inject(0, &in);
	turns(2);
	out.len = memdev_collect(dev[0], 0, out.data, sizeof out.data);
	assert_int_equal(out.len, 64);
	assert_int_equal(take_tag(&out), 7);
	assert_int_equal(load_be16(out.data + 12), 0x0806);
	assert_int_equal(load_be32(out.data + 28), V_ROUTER(7));
	assert_int_equal(load_be32(out.data + 38), other);

	frame_arp(&out, 2, dev[0]->mac, v_mac, other, dev[0]->mac, V_ROUTER(7));
	inject(0, &out); /* not without the tag */
	turns(3);
	assert_int_equal(sent(0, &out), 0);
	frame_arp(&out, 2, dev[0]->mac, v_mac, other, dev[0]->mac, V_ROUTER(7));
	put_tag(&out, 0x8100, 7);
	inject(0, &out);
	turns(3);
	assert_int_not_equal(sent(0, &out), 0);
	assert_int_equal(take_tag(&out), 7);
	take_tag(&in);
	check_routed(&in, &out, v_mac);

	frame_arp(&in, 1, all, v_mac, V_HOST(5), zero_mac, V_ROUTER(5));
	put_tag(&in, 0x8100, 5);
	inject(0, &in);
	turns(3);
	out.len = memdev_collect(dev[0], 0, out.data, sizeof out.data);
	assert_int_equal(take_tag(&out), 5);
	assert_int_equal(load_be16(out.data + 20), 2);
	check_books();
}

static void test_echo_and_errors(void **state)
{
	struct frame in, out;

	frame_echo(&in, dev[0]->mac, v_mac, V_HOST(5), V_ROUTER(5), 1, 1);
	put_tag(&in, 0x8100, 5);
	inject(0, &in);
	turns(2);
	assert_int_equal(sent(0, &out), in.len);
	assert_int_equal(take_tag(&out), 5);
	assert_int_equal(out.data[34], 0);

	v_udp(&in, 7, HOST(1), 10);
	in.data[26] = 1; /* TTL */
	take_tag(&in);
	frame_fix_checksum(&in);
	put_tag(&in, 0x8100, 7);
	inject(0, &in);
	turns(2);
	assert_int_not_equal(sent(0, &out), 0);
	assert_int_equal(take_tag(&out), 7);
	assert_int_equal(out.data[34], 11);
	assert_int_equal(load_be32(out.data + 26), V_ROUTER(7)); /* the interface it came in by */
	check_books();
}

static void test_drops(void **state)
{
	struct vlan_counters before = counted(0);
	struct frame f;

	v_udp(&f, 6, HOST(1), 10);
	expect_drop(&f, DROP_VLAN_UNKNOWN);
	v_udp(&f, 4095, HOST(1), 10);
	expect_drop(&f, DROP_VLAN_UNKNOWN);
	v_udp(&f, 5, HOST(1), 10);
	put_tag(&f, 0x8100, 5);
	expect_drop(&f, DROP_VLAN_STACKED);
	v_udp(&f, 5, HOST(1), 10);
	put_tag(&f, 0x88a8, 5);
	expect_drop(&f, DROP_VLAN_STACKED);
	udp(&f, 0, HOST(1), 10);
	put_tag(&f, 0x88a8, 5);
	expect_drop(&f, DROP_VLAN_STACKED);
	for (size_t len = 14; len < 18; len++) {
		v_udp(&f, 5, HOST(1), 10);
		f.len = len;
		expect_drop(&f, DROP_VLAN_TRUNCATED);
	}
	assert_int_equal(counted(0).rx_packets, before.rx_packets);

	v_udp(&f, 5, HOST(1), 10);
	f.data[5] ^= 1;
	expect_drop(&f, DROP_WRONG_MAC);
	v_udp(&f, 5, HOST(1), 1473);
	expect_drop(&f, DROP_RX_OVERSIZE);
	v_udp(&f, 5, HOST(1), 10);
	f.len = 18;
	expect_drop(&f, DROP_IP_TRUNCATED);
	assert_int_equal(counted(0).rx_packets - before.rx_packets, 3);
	check_books();
}

/* A tag with VID 0 only carries a priority: the frame is the port's own. */
static void test_priority_tag(void **state)
{
	struct frame in, out;

	udp(&in, 0, HOST(1), 30);
	put_tag(&in, 0x8100, 5 << TAG_PCP_SHIFT);
	inject(0, &in);
	turns(2);
	assert_int_not_equal(sent(1, &out), 0);
	take_tag(&in);
	check_routed(&in, &out, host_mac[1]);

	frame_echo(&in, dev[0]->mac, host_mac[0], HOST(0), ROUTER(0), 1, 1);
	put_tag(&in, 0x8100, 0);
	inject(0, &in);
	turns(2);
	assert_int_equal(sent(0, &out), in.len - 4); /* answered without */
	assert_int_equal(load_be16(out.data + 12), 0x0800);
	check_books();
}

/* Priorities choose the class where the egress port says so, and the class is the priority. */
static void test_priorities(void **state)
{
	struct config_class class[] = {
		{.iface = "eth0", .class = 5, .first = 46, .last = 46, .weight = 1},
		{.iface = "eth0", .class = 3, .pcp = true, .first = 4, .last = 6, .weight = 1},
	};
	static const struct {
		uint8_t pcp, dscp, leaves;
	} cases[] = {{0, 0, 0}, {0, 46, 5}, {3, 46, 5}, {4, 0, 3}, {6, 46, 3}, {7, 0, 0}};
	struct frame in, out;

	config.class = class;
	config.classes = 2;
	configure(&config, NULL);
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		v_udp(&in, (uint16_t)(cases[i].pcp << TAG_PCP_SHIFT | 5), V_HOST(7), 10);
		take_tag(&in);
		in.data[15] = (uint8_t)(cases[i].dscp << 2);
		frame_fix_checksum(&in);
		put_tag(&in, 0x8100, (uint16_t)(cases[i].pcp << TAG_PCP_SHIFT | 5));
		inject(0, &in);
		turns(2);
		assert_int_not_equal(sent(0, &out), 0);
		assert_int_equal(take_tag(&out), cases[i].leaves << TAG_PCP_SHIFT | 7);
	}
	udp(&in, 1, V_HOST(7), 10); /* without a tag: by its DSCP */
	in.data[15] = 46 << 2;
	frame_fix_checksum(&in);
	inject(1, &in);
	turns(2);
	assert_int_not_equal(sent(0, &out), 0);
	assert_int_equal(take_tag(&out), 5 << TAG_PCP_SHIFT | 7);
	check_books();
}

int main(void)
{
#define CASE(t) cmocka_unit_test_setup_teardown(t, setup_vlans, teardown)
	static const struct CMUnitTest tests[] = {
		CASE(test_between_vlans),
		CASE(test_tagged_to_untagged_and_back),
		CASE(test_arp),
		CASE(test_echo_and_errors),
		CASE(test_drops),
		CASE(test_priority_tag),
		CASE(test_priorities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

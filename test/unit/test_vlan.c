/* VLAN subinterfaces through the whole router: tags off and on, counters, configuration, books. */
#include "test/unit/router_fixture.h"

#include <stdio.h>

#include "kernel/vlans.h"
#include "net/path/tag.h"

#define V_HOST(vid)   IP(10, 1, vid, 2)
#define V_ROUTER(vid) IP(10, 1, vid, 1)
#define SUBS_MAX      (PORTS + VLAN_MAX + 2)

static const uint8_t v_mac[6] = {2, 5, 5, 5, 5, 5};
static struct config_iface ifaces[SUBS_MAX];
static struct config config;

/* ---- frames ---- */

/* Puts a tag of any type into a frame. */
static void put_tag(struct frame *f, uint16_t type, uint16_t tci)
{
	memmove(f->data + 16, f->data + 12, f->len - 12);
	store_be16(f->data + 12, type);
	store_be16(f->data + 14, tci);
	f->len += 4;
}

/* Takes the tag off a frame that was sent; its TCI. */
static uint16_t take_tag(struct frame *f)
{
	uint16_t tci = load_be16(f->data + 14);

	assert_int_equal(load_be16(f->data + 12), 0x8100);
	memmove(f->data + 12, f->data + 16, f->len - 16);
	f->len -= 4;
	return tci;
}

/* From the host of a VLAN on port 0. */
static void v_udp(struct frame *f, uint16_t tci, uint32_t dst, size_t payload)
{
	frame_udp(f, dev[0]->mac, v_mac, V_HOST(tci & TAG_VID), dst, payload);
	put_tag(f, 0x8100, tci);
}

/* ---- configuration ---- */

static struct config_iface *add_vlan(unsigned vid)
{
	struct config_iface *i = &ifaces[config.ifaces++];

	*i = (struct config_iface){.vid = (uint16_t)vid, .addrs = 1};
	i->addr[0] = (struct iface_addr){V_ROUTER(vid), 24};
	snprintf(i->name, sizeof i->name, "eth0.%u", vid);
	memcpy(i->parent, "eth0", 5);
	return i;
}

/* The ports as always, and VLANs 5 and 7 on port 0. */
static void with_vlans(void)
{
	config = base_config();
	memcpy(ifaces, base_iface, sizeof base_iface);
	config.iface = ifaces;
	add_vlan(5);
	add_vlan(7);
}

static void learn_vlan(unsigned vid)
{
	struct frame f;

	frame_arp(&f, 1, all, v_mac, V_HOST(vid), zero_mac, V_ROUTER(vid));
	put_tag(&f, 0x8100, (uint16_t)vid);
	inject(0, &f);
	turns(4);
}

static int setup_vlans(void **state)
{
	start(0, 1);
	with_vlans();
	configure(&config, NULL);
	turns(3);
	learn_hosts();
	learn_vlan(5);
	learn_vlan(7);
	drain();
	turns(2);
	return 0;
}

static struct vlan_counters counted(unsigned number)
{
	struct vlan_counters c;

	vlans_counters(&router, number, &c);
	return c;
}

/* ---- tests ---- */

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

static void expect_drop(struct frame *f, enum drop_reason reason)
{
	uint64_t before = drops(0, reason);
	struct frame out;

	inject(0, f);
	turns(2);
	assert_int_equal(drops(0, reason) - before, 1);
	assert_int_equal(sent(0, &out) != 0, reason == DROP_NO_ROUTE); /* an ICMP error */
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

static void test_mtu(void **state)
{
	struct frame in, out;

	ifaces[PORTS + 1].mtu = 1400;
	configure(&config, NULL);
	udp(&in, 1, V_HOST(7), 1400);
	in.data[20] |= 0x40; /* DF */
	frame_fix_checksum(&in);
	inject(1, &in);
	turns(2);
	assert_int_equal(drops(1, DROP_MTU_EXCEEDED), 1);
	assert_int_not_equal(sent(1, &out), 0);
	assert_int_equal(out.data[34], 3);
	assert_int_equal(out.data[35], 4);
	assert_int_equal(load_be16(out.data + 40), 1400);

	in.data[20] &= (uint8_t)~0x40; /* in fragments, each with the tag */
	frame_fix_checksum(&in);
	inject(1, &in);
	turns(2);
	assert_int_equal(sent(0, &out), 14 + 4 + 1396);
	assert_int_equal(take_tag(&out), 7);
	assert_int_not_equal(sent(0, &out), 0);
	assert_int_equal(take_tag(&out), 7);

	ifaces[PORTS + 1].mtu = 1501;
	configure(&config, "vlan 7 mtu 1501: the MTU of eth0 is 1500");
	check_books();
}

/* Gone and back again: nothing of it is left, the others do not notice. */
static void test_remove(void **state)
{
	struct frame in, out;

	config.ifaces--;
	configure(&config, NULL);
	turns(3);
	v_udp(&in, 7, HOST(1), 10);
	expect_drop(&in, DROP_VLAN_UNKNOWN);
	v_udp(&in, 5, V_HOST(7), 10);
	expect_drop(&in, DROP_NO_ROUTE);
	drain();
	v_udp(&in, 5, HOST(1), 10);
	inject(0, &in);
	turns(2);
	assert_int_not_equal(sent(1, &out), 0);
	assert_int_equal(router.ifaces, PORTS + 1);

	add_vlan(9); /* by the number that is free now */
	configure(&config, NULL);
	learn_vlan(9);
	drain();
	v_udp(&in, 5, V_HOST(9), 10);
	inject(0, &in);
	turns(2);
	assert_int_not_equal(sent(0, &out), 0);
	assert_int_equal(take_tag(&out), 9);
	check_books();
}

static void test_disabled(void **state)
{
	struct frame in;

	ifaces[PORTS].disabled = true;
	configure(&config, NULL);
	v_udp(&in, 5, HOST(1), 10);
	expect_drop(&in, DROP_PORT_DISABLED);
	v_udp(&in, 7, V_HOST(5), 10);
	expect_drop(&in, DROP_NO_ROUTE);
	drain();
	ifaces[PORTS].disabled = false;
	ifaces[0].disabled = true; /* its port */
	configure(&config, NULL);
	assert_false(router.iface[PORTS].enabled);
	v_udp(&in, 5, HOST(1), 10);
	expect_drop(&in, DROP_PORT_DISABLED);
	check_books();
}

/* It goes down and comes up with its port. */
static void test_link(void **state)
{
	struct frame in, out;

	memdev_set_link(dev[0], false);
	turns(200);
	assert_false(router.iface[PORTS].link);
	assert_false(router.iface[PORTS].installed);
	udp(&in, 1, V_HOST(5), 10);
	inject(1, &in);
	turns(2);
	assert_int_equal(drops(1, DROP_NO_ROUTE), 1);
	memdev_set_link(dev[0], true);
	turns(300);
	assert_true(router.iface[PORTS].installed);
	learn_vlan(5);
	drain();
	inject(1, &in);
	turns(2);
	assert_int_not_equal(sent(0, &out), 0);
	assert_int_equal(take_tag(&out), 5);
	check_books();
}

/* What does not fit changes nothing, also where a VLAN would have been new. */
static void test_refused(void **state)
{
	struct config_neighbor neighbor = {
		.iface = "eth0.8", .address = IP(10, 1, 8, 3), .mac = {2, 2, 2, 2, 2, 2}};
	struct frame in;

	add_vlan(8)->mtu = 9000;
	configure(&config, "vlan 8 mtu 9000");
	assert_int_equal(router.ifaces, PORTS + 2);
	v_udp(&in, 8, HOST(1), 10);
	expect_drop(&in, DROP_VLAN_UNKNOWN);

	config.neighbor = &neighbor;
	config.neighbors = 1;
	ifaces[PORTS + 2].mtu = 0;
	configure(&config, NULL);
	turns(2);
	assert_non_null(neighbor_find(&router.stack.arp, PORTS + 2, rib4_key(IP(10, 1, 8, 3))));
	config.ifaces--; /* its neighbour stays configured */
	configure(&config, NULL);
	assert_null(neighbor_find(&router.stack.arp, PORTS + 2, rib4_key(IP(10, 1, 8, 3))));
	config.ifaces++;
	configure(&config, NULL);
	assert_non_null(neighbor_find(&router.stack.arp, PORTS + 2, rib4_key(IP(10, 1, 8, 3))));
	config.neighbors = 0;
	configure(&config, NULL);
	check_books();
}

static void test_too_many(void **state)
{
	for (unsigned vid = 100; vid < 100 + VLAN_MAX - 2; vid++)
		add_vlan(vid)->addrs = 0;
	configure(&config, NULL);
	assert_int_equal(router.ifaces, PORTS + VLAN_MAX);
	add_vlan(4000)->addrs = 0;
	configure(&config, "256 VLANs fit");
	config.ifaces = PORTS + 2;
	configure(&config, NULL);
	assert_int_equal(router.ifaces, PORTS + 2);
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
		CASE(test_mtu),
		CASE(test_remove),
		CASE(test_disabled),
		CASE(test_link),
		CASE(test_refused),
		CASE(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

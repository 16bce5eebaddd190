/* VLAN subinterfaces that come, change and go, alone and with their port. */
#include "test/unit/vlan_fixture.h"

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

/* The first goes and comes again, while a later one keeps its number. */
static void test_hole(void **state)
{
	struct config_iface five = ifaces[PORTS];
	struct frame in, out;

	ifaces[PORTS] = ifaces[PORTS + 1];
	config.ifaces--;
	configure(&config, NULL);
	assert_int_equal(router.ifaces, PORTS + 2);
	v_udp(&in, 5, HOST(1), 10);
	expect_drop(&in, DROP_VLAN_UNKNOWN);
	udp(&in, 1, V_HOST(7), 10);
	inject(1, &in);
	turns(2);
	assert_int_not_equal(sent(0, &out), 0);
	ifaces[config.ifaces++] = five;
	configure(&config, NULL);
	learn_vlan(5);
	drain();
	udp(&in, 1, V_HOST(5), 10);
	inject(1, &in);
	turns(2);
	assert_int_not_equal(sent(0, &out), 0);
	assert_int_equal(take_tag(&out), 5);
	v_udp(&in, 5, HOST(1), 10);
	inject(0, &in);
	turns(2);
	assert_int_not_equal(sent(1, &out), 0);
	check_books();
}

static void stand_still(void)
{
	model_platform.now_us += 1000;
}

/* A number is not given away while a worker may still send by it. */
static void test_number_waits_for_workers(void **state)
{
	router.rcu.readers = 1;
	model_platform.relax = stand_still;
	model_platform.step_us = 1000; /* a commit does not wait for them for ever */
	config.ifaces -= 2;
	configure(&config, NULL);
	add_vlan(9);
	configure(&config, NULL);
	assert_int_equal(vlan_find(router.vlans, 0, 9), 2);
	model_platform.relax = answer_park;
	model_platform.step_us = 0;
	turns(3);
	add_vlan(10);
	configure(&config, NULL);
	assert_int_equal(vlan_find(router.vlans, 0, 10), 0);
	router.rcu.readers = 0;
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
	add_vlan(8); /* born down */
	configure(&config, NULL);
	assert_false(router.iface[PORTS + 2].link || router.iface[PORTS + 2].installed);
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
		CASE(test_mtu),
		CASE(test_remove),
		CASE(test_hole),
		CASE(test_number_waits_for_workers),
		CASE(test_disabled),
		CASE(test_link),
		CASE(test_refused),
		CASE(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Frames that are nearly right, by the hundred thousand: the stack neither breaks nor loses one. */
#include "test/unit/stack_fixture.h"

#define FAR 0xc0000201u /* 192.0.2.1 */

static uint8_t frame[2048];

static uint32_t any_address(void)
{
	static const uint32_t known[] = {HOST0, HOST1, ROUTER0, ROUTER1, FAR, 0xc0000101,
		0xc0000301, 0xc0000401, 0, 0xffffffff, 0xe0000001, 0x7f000001, 0x0a0000ff,
		0x0a000100, 0x08080808};

	return rnd(4) ? known[rnd(15)] : rnd(2) ? 0x0a000000 | rnd(0x200) : rnd(UINT32_MAX);
}

/* A frame that is nearly right. */
static uint32_t any_frame(void)
{
	static const uint8_t protocols[] = {1, 6, 17, 47};
	static const uint8_t starts[][4] = {
		{1, 1, 1, 0}, {131, 3, 4, 0}, {7, 3, 4, 0}, {148, 4, 0, 0}};
	uint32_t len, payload = rnd(4) ? rnd(100) : rnd(1481);

	if (rnd(4) == 0) {
		make_arp(frame, 1 + rnd(2), rnd(2) ? mac_host0 : mac_host1, any_address(),
			any_address());
		len = 42 + rnd(2) * 18;
	} else if (rnd(3) == 0) {
		len = make_icmp(frame, any_address(), any_address(), (uint8_t)rnd(20),
			(uint8_t)rnd(4), payload < 1472 ? payload : 1472);
	} else {
		len = make_ipv4(frame, any_address(), any_address(), protocols[rnd(4)],
			(uint8_t)rnd(66), (uint16_t)(rnd(3) ? 0 : rnd(0x10000)), payload);
	}
	if (rnd(4) == 0 && len < 1500) {
		uint8_t options[40];
		uint32_t n = 4 + 4 * rnd(10);

		for (uint32_t i = 0; i < n; i++)
			options[i] = (uint8_t)(rnd(2) ? rnd(12) : rnd(256));
		if (rnd(2)) /* a right one in front: NOP, source route, record route, alert */
			memcpy(options, starts[rnd(4)], 4);
		len = add_options(frame, len, options, n);
	}
	for (uint32_t i = rnd(3) ? 0 : rnd(4); i > 0; i--)
		frame[rnd(rnd(2) ? 60 : len)] ^= (uint8_t)(1u << rnd(8));
	return rnd(8) ? len : rnd(len + 1);
}

/* Why a worker would hand it up; sometimes any reason at all. */
static enum punt_reason any_reason(void)
{
	if (rnd(20) == 0)
		return rnd(256);
	return load_be16(frame + 12) == 0x0806 ? PUNT_ARP
					       : PUNT_LOCAL + rnd(PUNT_COUNT - PUNT_LOCAL);
}

/*
 * Nothing that arrives crashes, reads past its frame (the bytes after it are
 * poisoned), or loses a buffer; now and then the world changes under it.
 */
static void test_garbage(void **state)
{
	static const enum drop_reason met[] = {DROP_IP_TRUNCATED, DROP_IP_HEADER_LENGTH,
		DROP_IP_TOTAL_LENGTH, DROP_BROADCAST, DROP_SOURCE_ROUTE, DROP_IP_OPTIONS,
		DROP_TTL_EXCEEDED, DROP_NO_ROUTE, DROP_BLACKHOLE, DROP_UNREACHABLE, DROP_PROHIBIT,
		DROP_MTU_EXCEEDED, DROP_NEIGHBOR_PENDING, DROP_NEIGHBOR_FAILED, DROP_ARP_MALFORMED,
		DROP_ICMP_MALFORMED, DROP_FRAGMENT_BAD, DROP_FRAGMENT_EVICTED,
		DROP_LOCAL_NO_PROTOCOL, DROP_LINK_DOWN};
	struct fixture *f = fix_new_resolved();

	fix_route(f, 0xc0000100, 24, NEXTHOP_UNREACHABLE, 0);
	fix_route(f, 0xc0000300, 24, NEXTHOP_PROHIBIT, 0);
	fix_route(f, 0xc0000400, 24, NEXTHOP_BLACKHOLE, 0);
	fix_route(f, 0x08000000, 8, NEXTHOP_RESOLVE, HOST1);
	for (unsigned i = 0; i < 150000; i++) {
		uint32_t len = any_frame();

		fix_receive(f, rnd(PORTS), frame, len, any_reason());
		f->now_ms += rnd(3);
		if (rnd(50) == 0)
			stack_tick(&f->s, f->now_ms);
		if (rnd(5000) == 0)
			nexthop_set_mtu(&f->nexthops, 1, 576 + rnd(900));
		if (rnd(5000) == 0)
			stack_link_changed(&f->s, rnd(2), rnd(2), f->now_ms);
		if (rnd(2000) == 0)
			f->alloc_limit = rnd(3) ? 256 : 0;
		if (rnd(1000) == 0)
			(void)!stack_send_echo(
				&f->s, any_address(), 1, 1, rnd(1500), (uint8_t)rnd(3));
		nexthop_grace_passed(&f->nexthops);
		nexthop_grace_begin(&f->nexthops, true);
		if (i % 1000 == 0)
			fix_balance(f);
	}
	fix_balance(f);
	assert_true(f->in > 150000);
	assert_true(f->transmitted > 10000 && f->delivered > 10000 && f->dropped > 10000);
	for (unsigned i = 0; i < sizeof met / sizeof met[0]; i++)
		assert_true(f->drops[met[i]] > 100); /* each end was reached */
	fix_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

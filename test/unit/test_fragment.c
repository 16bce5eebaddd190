/* Fragmentation in transit: sizes, offsets, options, and all or nothing. */
#include "test/unit/stack_fixture.h"

static uint8_t frame[2048];

/* Puts the fragments sent by port 1 together; checks each; returns the payload's length. */
static uint32_t reassemble(struct fixture *f, uint32_t mtu, uint8_t *payload, uint32_t base)
{
	uint32_t at = base;

	for (unsigned i = 0; i < f->sent_n; i++) {
		const uint8_t *p = f->sent[i].frame;
		uint32_t header = (p[14] & 15u) * 4, total = load_be16(p + 16);
		uint16_t fragment = load_be16(p + 20);

		assert_int_equal(f->sent[i].port, 1);
		assert_memory_equal(p, mac_host1, 6);
		assert_int_equal(f->sent[i].len, 14 + total);
		assert_true(total <= mtu);
		assert_int_equal(checksum(p + 14, header), 0);
		assert_int_equal(load_be16(p + 18), 0x1234);
		assert_int_equal(p[22], 63);
		assert_int_equal((fragment & 0x1fff) * 8, at);
		if (i + 1 < f->sent_n)
			assert_true(fragment & 0x2000);
		memcpy(payload + at - base, p + 14 + header, total - header);
		at += total - header;
	}
	return at - base;
}

static void test_fragment(void **state)
{
	static const uint32_t mtus[] = {576, 577, 583, 584, 1000, 1499};
	struct fixture *f = fix_new_resolved();
	uint8_t payload[2048];

	for (unsigned i = 0; i < 6; i++) {
		nexthop_set_mtu(&f->nexthops, 1, mtus[i]);
		for (uint32_t n = mtus[i] - 20 - 1; n <= 1480; n += n < mtus[i] + 8 ? 1 : 111) {
			fix_receive(f, 0, frame, make_ipv4(frame, HOST0, HOST1, 17, 64, 0, n),
				PUNT_MTU);
			assert_true(f->sent_n == 1 ? n + 20 <= mtus[i] : n + 20 > mtus[i]);
			assert_int_equal(reassemble(f, mtus[i], payload, 0), n);
			assert_memory_equal(payload, frame + 34, n);
			assert_false(load_be16(f->sent[f->sent_n - 1].frame + 20) & 0x2000);
			assert_int_equal(f->delivered, f->sent_n > 1); /* the original ends here */
			fix_balance(f);
			fix_clear(f);
		}
	}
	fix_free(f);
}

/* A fragment is cut again: offsets add up, MF of the last stays. */
static void test_fragment_of_fragment(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint8_t payload[2048];

	nexthop_set_mtu(&f->nexthops, 1, 576);
	fix_receive(
		f, 0, frame, make_ipv4(frame, HOST0, HOST1, 17, 64, 0x2000 | 185, 1480), PUNT_MTU);
	assert_int_equal(f->sent_n, 3);
	assert_int_equal(reassemble(f, 576, payload, 185 * 8), 1480);
	assert_memory_equal(payload, frame + 34, 1480);
	assert_true(load_be16(f->sent[2].frame + 20) & 0x2000);
	fix_clear(f);
	/* one that ends beyond 65,535 */
	fix_receive(f, 0, frame, make_ipv4(frame, HOST0, HOST1, 17, 64, 0x1fff, 1480), PUNT_MTU);
	assert_int_equal(f->drops[DROP_MTU_EXCEEDED], 1);
	assert_int_equal(f->sent_n, 0);
	fix_free(f);
}

/* RFC 791 3.1: the copy bit says which options are in every fragment. */
static void test_fragment_options(void **state)
{
	/* record route (first only), router alert (all), security (all) */
	static const uint8_t options[] = {
		7, 7, 4, 0, 0, 0, 0, 148, 4, 0, 0, 130, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0};
	static const uint8_t later[] = {148, 4, 0, 0, 130, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0};
	struct fixture *f = fix_new_resolved();
	uint8_t payload[2048];
	uint32_t len = make_ipv4(frame, HOST0, HOST1, 17, 64, 0, 1400);

	nexthop_set_mtu(&f->nexthops, 1, 576);
	len = add_options(frame, len, options, sizeof options);
	fix_receive(f, 0, frame, len, PUNT_OPTIONS);
	assert_int_equal(f->sent_n, 3);
	assert_int_equal(reassemble(f, 576, payload, 0), 1400);
	assert_memory_equal(payload, frame + 34 + sizeof options, 1400);
	assert_int_equal(f->sent[0].frame[14], 0x4b);
	assert_memory_equal(f->sent[0].frame + 34, "\7\7\10\12\0\1\1", 7); /* 10.0.1.1 recorded */
	assert_memory_equal(f->sent[0].frame + 41, options + 7, sizeof options - 7);
	for (unsigned i = 1; i < 3; i++) {
		assert_int_equal(f->sent[i].frame[14], 0x49);
		assert_memory_equal(f->sent[i].frame + 34, later, sizeof later);
	}
	fix_free(f);
}

/* All fragments or none. */
static void test_fragment_no_buffers(void **state)
{
	struct fixture *f = fix_new_resolved();

	nexthop_set_mtu(&f->nexthops, 1, 576);
	for (unsigned have = 0; have < 3; have++) {
		f->alloc_limit = have;
		fix_receive(f, 0, frame, make_ipv4(frame, HOST0, HOST1, 17, 64, 0, 1480), PUNT_MTU);
		assert_int_equal(f->sent_n, 0);
		assert_int_equal(f->drops[DROP_MTU_EXCEEDED], have + 1);
		fix_balance(f);
		fix_clear(f);
	}
	f->alloc_limit = 3;
	fix_receive(f, 0, frame, make_ipv4(frame, HOST0, HOST1, 17, 64, 0, 1480), PUNT_MTU);
	assert_int_equal(f->sent_n, 3);
	fix_free(f);
}

/* One packet is held for an unresolved neighbour: the whole of it, to be cut when it can go. */
static void test_fragment_held(void **state)
{
	struct fixture *f = fix_new();
	uint8_t payload[2048];

	nexthop_set_mtu(&f->nexthops, 1, 576);
	fix_receive(f, 0, frame, make_ipv4(frame, HOST0, HOST1, 17, 64, 0, 1480), PUNT_MTU);
	assert_int_equal(f->dropped, 0);
	assert_int_equal(arp_held(&f->s), 1);
	fix_balance(f);
	fix_clear(f);
	fix_arp(f, 1, 2, mac_host1, HOST1, ROUTER1);
	assert_int_equal(f->sent_n, 3);
	assert_int_equal(reassemble(f, 576, payload, 0), 1480);
	assert_memory_equal(payload, frame + 34, 1480);
	assert_int_equal(f->delivered, 2); /* the original and the ARP reply */
	fix_free(f);
}

/* Held and never answered: the packet counts once, and its source is told once. */
static void test_fragment_failed(void **state)
{
	struct fixture *f = fix_new_resolved();

	nexthop_set_mtu(&f->nexthops, 1, 576);
	fix_receive(f, 0, frame, make_ipv4(frame, HOST0, HOST1 + 9, 17, 64, 0, 1480), PUNT_MTU);
	fix_clear(f);
	fix_wait(f, 3500);
	assert_int_equal(f->dropped, 1);
	assert_int_equal(f->drops[DROP_NEIGHBOR_FAILED], 1);
	assert_int_equal(f->sent[f->sent_n - 1].port, 0);
	assert_int_equal(f->sent[f->sent_n - 1].frame[34], 3);
	fix_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fragment),
		cmocka_unit_test(test_fragment_of_fragment),
		cmocka_unit_test(test_fragment_options),
		cmocka_unit_test(test_fragment_no_buffers),
		cmocka_unit_test(test_fragment_held),
		cmocka_unit_test(test_fragment_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

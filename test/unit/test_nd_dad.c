/* Duplicate address detection: an address is probed before it is used. */
#include "test/unit/stack6_fixture.h"

static const uint8_t mac_x[6] = {2, 0, 0, 0, 9, 9};

#define ALL6 IP6_ALL_NODES

/* RFC 4862 5.4.2: the first probe waits for a random time; what is valid is not probed again. */
static void test_first_probe_waits(void **state)
{
	struct fixture *f = fix6_new();
	unsigned different = 0;
	uint64_t last = 0;

	for (unsigned i = 1; i <= 20; i++) {
		f->s.seed = i;
		f->iface[0].addr6[0].state = ADDR6_TENTATIVE;
		nd_start_port(&f->s, 0);
		uint64_t wait = f->iface[0].addr6[0].due_ms - f->now_ms;

		assert_true(wait < 2 * DAD_DELAY_MS);
		different += wait != last;
		last = wait;
	}
	assert_true(different > 15);
	assert_int_equal(f->iface[0].addr6[1].state, ADDR6_VALID);
	fix_wait(f, 2 * DAD_DELAY_MS + 100);
	assert_int_equal(f->iface[0].addr6[0].state, ADDR6_VALID);
	fix_free(f);
}

/* RFC 4862 5.4: a probe each, silence, an announcement; until then they are not used. */
static void test_dad(void **state)
{
	struct fixture *f = fix6_new_tentative();

	assert_int_equal(f->sent_n, 2 * 2 + 4); /* and announcements of ARP, and of groups */
	const uint8_t *p = fix6_sent(f, 2, 0, ip6_solicited_node(US6(0)), 135);

	assert_true(ip6_is_zero(ip6_load(f->sent[2].frame + 22)));
	assert_true(ip6_equal(ip6_load(p + 8), US6(0)));
	assert_int_equal(f->sent[2].len, 54 + 24); /* no option */
	assert_int_equal(f->iface[0].addr6[0].state, ADDR6_TENTATIVE);
	fix_clear(f);
	fix_receive(f, 0, frame, make_icmp6(0, HOST6(0), US6(0), 128, 0, 8), PUNT_LOCAL);
	assert_int_equal(f->drops[DROP_TENTATIVE], 1);
	fix6_ask(f, 0, HOST6(0), mac_host0); /* a question is not a claim */
	assert_int_equal(f->sent_n, 0);
	fix_wait(f, 900);
	fix_clear(f);
	fix_wait(f, 200);
	for (unsigned i = 0; i < 2; i++)
		for (unsigned k = 0; k < 2; k++)
			assert_int_equal(f->iface[i].addr6[k].state, ADDR6_VALID);
	assert_int_equal(f->sent_n, 4 + 4); /* and groups, told with a source now */
	p = fix6_sent(f, 0, 0, ALL6, 136);
	assert_int_equal(load_be32(p + 4), ND_FLAG_ROUTER | ND_FLAG_OVERRIDE);
	fix_free(f);
}

/* Another station probes the same address, or says it has it. */
static void test_duplicate(void **state)
{
	for (unsigned advert = 0; advert < 2; advert++) {
		struct fixture *f = fix6_new_tentative();
		struct ip6 group = ip6_solicited_node(US6(0));

		memcpy(frame, mac_x, 6);
		fix6_receive(f, 0,
			advert ? make_nd(0, 136, US6(0), ALL6, US6(0), 0, mac_x)
			       : make_nd(0, 135, IP6_ANY, group, US6(0), 0, NULL));
		assert_int_equal(f->duplicates6, 1);
		assert_int_equal(f->iface[0].addr6[0].state, ADDR6_DUPLICATE);
		assert_int_equal(f->iface[0].addr6[1].state, ADDR6_TENTATIVE);
		assert_null(rib6_find(&f->rib6, US6(0), 128, RIB_LOCAL));
		fix_wait(f, 2000);
		assert_int_equal(f->iface[0].addr6[0].state, ADDR6_DUPLICATE);
		fix_clear(f);
		fix6_ask(f, 0, HOST6(0), mac_host0);
		assert_int_equal(f->sent_n, 0); /* it is not ours */
		fix_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_probe_waits),
		cmocka_unit_test(test_dad),
		cmocka_unit_test(test_duplicate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

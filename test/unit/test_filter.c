/*
 * Access lists through the whole router: random lists and packets against a look at every
 * rule in turn.
 */
#include "test/unit/filter_random.h"

/* The rule of a list that a packet meets: its place among all; NULL list: none. */
static bool permits(const char *name, const struct aclgen_packet *p, unsigned family,
	unsigned met[RULES + LISTS])
{
	for (unsigned l = 0; l < config.acls; l++) {
		const struct config_acl *list = &lists[l];

		if (strcmp(list->name, name) != 0)
			continue;
		for (unsigned i = list->first; i < list->first + list->rules; i++)
			if (aclgen_matches(&match[i], p, family))
				return met[i + l]++, rules[i].permit;
		met[list->first + list->rules + l]++;
		return false;
	}
	return true;
}

/* It has the packet's source: it is the packet. */
static bool is_from(const struct frame *f, const struct aclgen_packet *p, bool six)
{
	if (load_be16(f->data + ETH_TYPE) != (six ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4))
		return false;
	return six ? ip6_equal(ip6_load(f->data + IPV6_SOURCE), p->src)
		   : load_be32(f->data + IPV4_SOURCE) == p->src.lo;
}

/* Which port a frame of the group goes by is not known here: both have the same list. */
static void test_random(void **state)
{
	static unsigned met[RULES + LISTS];
	unsigned denied = 0, passed = 0;

	for (unsigned round = 0; round < 12; round++) {
		seed = round + 1;
		config.acls = config.rules = 0;
		memset(met, 0, sizeof met);
		for (unsigned i = 0; i < RULES; i++)
			random_rule(i);
		add_list("A", 2 + draw(98));
		add_list("B", 2 + draw(98));
		add_list("C", 2 + draw(98));
		bind(0, "A", "");
		bind(1, "", "C");
		bind(2, "", "C");
		bind(PORTS, round & 1 ? "B" : "", ""); /* VLAN 5 */
		commit();
		filters_clear(&router);
		for (unsigned i = 0; i < 1500; i++) {
			struct aclgen_packet p;
			static struct frame f, out;
			bool six = draw(2), vlan = draw(4) == 0;
			uint64_t before = drops(0, DROP_ACL_DENIED);

			if (six)
				packet6(&f, &p);
			else
				packet4(&f, &p);
			if (vlan)
				put_tag(&f, 0x8100, 5);
			bool good =
				permits(vlan ? ifaces[PORTS].acl_in : "A", &p, six ? 6 : 4, met) &&
				permits("C", &p, six ? 6 : 4, met);

			inject(0, &f);
			turns(2);
			assert_int_equal(drops(0, DROP_ACL_DENIED) - before, !good);
			for (unsigned port = 0; !good && port < PORTS; port++)
				while (sent(port, &out))
					assert_false(is_from(&out, &p, six));
			drain();
			denied += !good;
			passed += good;
		}
		for (unsigned i = 0; i < config.rules + config.acls; i++) {
			struct filter_hits hits;

			filters_counted(&router, i, &hits);
			assert_int_equal(hits.packets, met[i]);
		}
		check_books();
	}
	assert_true(denied > 1000 && passed > 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_filter, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

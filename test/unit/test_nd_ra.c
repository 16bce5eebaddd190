/* Router advertisements: unasked, asked for, and the last one. */
#include "test/unit/stack6_fixture.h"

#define ALL6 IP6_ALL_NODES

static struct ip6 host(unsigned n)
{
	return (struct ip6){0xfe80000000000000ull, 0x100 + n};
}

/* A solicitation on port 0. */
static void solicit(struct fixture *f, struct ip6 src)
{
	uint32_t len = make6(0, src, IP6_ALL_ROUTERS, 58, 255, 8);

	memset(frame + 54, 0, 8);
	frame[54] = 133;
	finish6(len);
	fix6_receive(f, 0, len);
}

/* Port 0 has advertised itself; what it sent is forgotten. */
static struct fixture *new_router(void)
{
	struct fixture *f = fix6_new();

	f->iface[0].router_advert = true;
	fix_wait(f, 20);
	assert_int_equal(f->sent_n, 1);
	fix_clear(f);
	return f;
}

static void test_router_adverts(void **state)
{
	struct fixture *f = fix6_new();

	solicit(f, host(1));
	fix_wait(f, 20000);
	assert_int_equal(f->sent_n, 0); /* not configured */
	f->iface[0].router_advert = true;
	fix_wait(f, 20);
	assert_int_equal(f->sent_n, 1);
	const uint8_t *p = fix6_sent(f, 0, 0, ALL6, 134);

	assert_true(ip6_equal(ip6_load(f->sent[0].frame + 22), LINK6(0)));
	assert_int_equal(f->sent[0].len, 54 + 16 + 8 + 8 + 32);
	assert_int_equal(load_be16(p + 6), RA_LIFETIME_S);
	assert_int_equal(load_be32(p + 28), 1500);
	assert_int_equal(p[34], 64);
	assert_int_equal(p[35], 0xc0);
	assert_true(ip6_equal(ip6_load(p + 48), NET6(0, 0)));
	solicit(f, host(1)); /* an answer to the one who asks */
	fix_wait(f, 10);
	fix6_sent(f, 1, 0, host(1), 134);
	fix_wait(f, 2 * RA_FIRST_MS + 100);
	assert_int_equal(f->sent_n, 4);
	f->iface[0].router_advert = false; /* the last one says so */
	fix_wait(f, 20);
	p = fix6_sent(f, 4, 0, ALL6, 134);
	assert_int_equal(load_be16(p + 6), 0);
	fix_wait(f, 2 * RA_INTERVAL_MS);
	solicit(f, host(1));
	fix_wait(f, 1000);
	assert_int_equal(f->sent_n, 5);
	fix_free(f);
}

/* RFC 4861 6.2.6: who asks without an address is answered with all others, three seconds apart. */
static void test_router_adverts_apart(void **state)
{
	struct fixture *f = new_router();

	for (unsigned i = 0; i < 5; i++)
		solicit(f, IP6_ANY);
	fix_wait(f, RA_SOLICITED_MS - 100);
	assert_int_equal(f->sent_n, 0);
	fix_wait(f, 200);
	fix6_sent(f, 0, 0, ALL6, 134);
	assert_int_equal(f->sent_n, 1);
	fix_free(f);
}

/* RFC 4861 6.2.6: an answer waits for a random time up to half a second; whoever it is to. */
static void test_answers_wait(void **state)
{
	struct fixture *f = new_router();
	struct ra_port *ra = &f->s.nd_state.ra[0];
	unsigned differ = 0;
	uint64_t last = 0;

	fix_wait(f, RA_FIRST_MS - 1000);
	f->s.seed = 7;
	for (unsigned i = 0; i < 20; i++) {
		ra->due_ms = f->now_ms + RA_INTERVAL_MS;
		solicit(f, IP6_ANY);
		assert_true(ra->due_ms - f->now_ms <= RA_DELAY_MS);
		differ += ra->due_ms != last;
		last = ra->due_ms;
		ra->asked = false;
		solicit(f, host(i));
		assert_true(ra->answer_ms - f->now_ms <= RA_DELAY_MS);
		differ += ra->answer_ms != last;
	}
	assert_true(differ > 30);
	fix_clear(f);
	fix_wait(f, RA_DELAY_MS + 20);
	fix6_sent(f, 0, 0, ALL6, 134); /* first or not, it is the only one */
	fix_free(f);
}

/* One who asks has his answer alone, two at a time have one for all; asking often does not help. */
static void test_answers_are_few(void **state)
{
	struct fixture *f = new_router();

	fix_wait(f, 4000);
	f->s.seed = 7;
	for (unsigned i = 0; i < 10; i++)
		solicit(f, host(1));
	fix_wait(f, RA_DELAY_MS + 20);
	assert_int_equal(f->sent_n, 1);
	fix6_sent(f, 0, 0, host(1), 134);
	assert_memory_equal(f->sent[0].frame, mac_host0, 6);
	fix_clear(f);
	for (unsigned i = 0; i < 200; i++) {
		solicit(f, host(i));
		fix_wait(f, 10);
	}
	unsigned all = 0, one = 0;

	for (unsigned i = 0; i < f->sent_n; i++) {
		all += ip6_equal(ip6_load(f->sent[i].frame + 38), ALL6);
		one += f->sent[i].frame[54] == 134;
	}
	assert_int_equal(all, 1); /* in two seconds */
	assert_true(one - all < 40);
	fix_free(f);
}

/* RFC 4861 6.2.5, RFC 3810 6.1: what goes says so; if it stays after all, that too. */
static void test_farewell(void **state)
{
	struct fixture *f = new_router();

	stack_farewell(&f->s, 1, f->now_ms); /* that port is no router to anyone */
	assert_int_equal(f->sent_n, 1);
	assert_int_equal(f->sent[0].frame[20], 0); /* its groups: hop-by-hop, MLD */
	fix_clear(f);
	stack_farewell6(&f->s, 0, f->now_ms);
	const uint8_t *p = fix6_sent(f, 0, 0, ALL6, 134);

	assert_int_equal(load_be16(p + 6), 0);
	assert_int_equal(f->sent_n, 2);
	assert_int_equal(f->s.mld.port[0].groups, 0);
	fix_clear(f);
	f->iface[1].enabled = false;
	fix_wait(f, 10);
	bool back = false;

	for (unsigned i = 0; i < f->sent_n; i++)
		back |= f->sent[i].port == 0 && f->sent[i].frame[54] == 134 &&
			load_be16(f->sent[i].frame + 60) == RA_LIFETIME_S;
	assert_true(back);
	assert_int_equal(f->s.mld.port[0].groups, 5);
	fix_wait(f, 3000);
	fix_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_router_adverts),
		cmocka_unit_test(test_router_adverts_apart),
		cmocka_unit_test(test_answers_wait),
		cmocka_unit_test(test_answers_are_few),
		cmocka_unit_test(test_farewell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Multicast listener discovery: groups are told when joined and left, and when a querier asks. */
#include "net/proto/mld.h"
#include "test/unit/stack6_fixture.h"

#define QUERIER    ((struct ip6){0xfe80000000000000ull, 0x77})
#define ROUTERS2   ((struct ip6){0xff02000000000000ull, 0x16})
#define GROUP6(x)  ((struct ip6){0xff02000000000000ull, (x)})
#define OURS       ip6_solicited_node(US6(0))
#define NEVER_OURS GROUP6(0x1ff123456ull)

/* Where the message of a frame begins that has the hop-by-hop header of MLD. */
#define MESSAGE 62u

/*
 * A query of version 1 or 2 for a group (zero: all), with n sources fd00::1:0,
 * fd00::1:1, ...; its length.
 */
static uint32_t make_query(
	unsigned version, uint32_t delay_code, struct ip6 group, unsigned n, uint8_t robustness)
{
	uint32_t bytes = version == 1 ? 24 : 28 + 16 * n;
	struct ip6 dst = ip6_is_zero(group) ? IP6_ALL_NODES : group;
	uint32_t len = make6(0, QUERIER, dst, 0, 1, 8 + bytes);
	uint8_t *p = frame + MESSAGE;

	memcpy(frame + 54, (const uint8_t[8]){58, 0, 5, 2, 0, 0, 1, 0}, 8);
	memset(p, 0, bytes);
	p[0] = MLD_QUERY;
	store_be16(p + 4, (uint16_t)delay_code);
	ip6_store(p + 8, group);
	if (version == 2) {
		p[24] = robustness;
		store_be16(p + 26, (uint16_t)n);
		for (unsigned k = 0; k < n; k++)
			ip6_store(p + 28 + 16 * k, NET6(0, 0x10000 + k));
	}
	return len;
}

/* Makes the checksum behind the hop-by-hop header right. */
static uint32_t finish_mld(uint32_t len)
{
	uint8_t ip[40];

	memcpy(ip, frame + 14, 40);
	ip[6] = 58;
	memset(frame + MESSAGE + 2, 0, 2);
	uint16_t check = check6(ip, frame + MESSAGE, len - MESSAGE);

	memcpy(frame + MESSAGE + 2, &check, 2);
	return len;
}

static void query(
	struct fixture *f, unsigned version, uint32_t delay, struct ip6 group, unsigned sources)
{
	fix6_receive(f, 0, finish_mld(make_query(version, delay, group, sources, 0)));
}

/* Frame i that was sent is MLD as RFC 3810 5 wants it, checksum right; its message. */
static const uint8_t *sent_mld(struct fixture *f, unsigned i, struct ip6 dst, uint8_t type)
{
	static const uint8_t alert[] = {58, 0, 5, 2, 0, 0, 1, 0};
	const struct sent *s = &f->sent[i];
	uint8_t ip[40], mac[6] = {0x33, 0x33};

	assert_true(i < f->sent_n);
	store_be32(mac + 2, (uint32_t)dst.lo);
	assert_memory_equal(s->frame, mac, 6);
	assert_int_equal(load_be16(s->frame + 12), 0x86dd);
	assert_int_equal(s->len, 54 + load_be16(s->frame + 18));
	assert_int_equal(s->frame[20], 0);
	assert_int_equal(s->frame[21], 1);
	assert_true(ip6_equal(ip6_load(s->frame + 38), dst));
	assert_memory_equal(s->frame + 54, alert, 8);
	memcpy(ip, s->frame + 14, 40);
	ip[6] = 58;
	assert_int_equal(check6(ip, s->frame + MESSAGE, s->len - MESSAGE), 0);
	assert_int_equal(s->frame[MESSAGE], type);
	return s->frame + MESSAGE;
}

static struct ip6 sent_src(const struct fixture *f, unsigned i)
{
	return ip6_load(f->sent[i].frame + 22);
}

/* Report i has a record of this type and group, with n sources. */
static bool says(struct fixture *f, unsigned i, unsigned type, struct ip6 group, unsigned n)
{
	const uint8_t *p = sent_mld(f, i, ROUTERS2, MLD2_REPORT), *r = p + 8;
	unsigned records = load_be16(p + 6);

	for (unsigned k = 0; k < records; k++) {
		if (r[0] == type && ip6_equal(ip6_load(r + 4), group) && load_be16(r + 2) == n)
			return true;
		r += 20 + 16 * load_be16(r + 2);
	}
	assert_true(r == f->sent[i].frame + f->sent[i].len);
	return false;
}

static unsigned records(struct fixture *f, unsigned i)
{
	return load_be16(sent_mld(f, i, ROUTERS2, MLD2_REPORT) + 6);
}

/* The first frame sent from the i-th on by port 0 that is MLD; sent_n: none. */
static unsigned next_mld(const struct fixture *f, unsigned i)
{
	while (i < f->sent_n && (f->sent[i].port != 0 || f->sent[i].frame[20] != 0 ||
					load_be16(f->sent[i].frame + 12) != 0x86dd))
		i++;
	return i;
}

static unsigned count_mld(const struct fixture *f)
{
	unsigned n = 0;

	for (unsigned i = next_mld(f, 0); i < f->sent_n; i = next_mld(f, i + 1))
		n++;
	return n;
}

/* RFC 4862 5.4.2, RFC 3590: joined before the probe, without a source; then told again with one. */
static void test_join(void **state)
{
	struct fixture *f = fix6_new_tentative();
	unsigned first = next_mld(f, 0);

	fix6_sent(f, first + 1, 0, ip6_solicited_node(US6(0)), ND_SOLICIT);
	assert_true(ip6_is_zero(sent_src(f, first)));
	/* the solicited-node groups of two addresses and of the anycast address, and two of routers
	 */
	assert_int_equal(records(f, first), 5);
	assert_true(says(f, first, MLD_TO_EXCLUDE, OURS, 0));
	assert_true(says(f, first, MLD_TO_EXCLUDE, ip6_solicited_node(LINK6(0)), 0));
	assert_true(says(f, first, MLD_TO_EXCLUDE, ip6_solicited_node(NET6(0, 0)), 0));
	assert_true(says(f, first, MLD_TO_EXCLUDE, IP6_ALL_ROUTERS, 0));
	assert_true(says(f, first, MLD_TO_EXCLUDE, IP6_SITE_ROUTERS, 0));
	assert_false(says(f, first, MLD_TO_EXCLUDE, IP6_ALL_NODES, 0));
	fix_wait(f, 900);
	assert_int_equal(count_mld(f), MLD_ROBUSTNESS);
	assert_true(ip6_is_zero(sent_src(f, next_mld(f, first + 1))));
	fix_clear(f);
	fix_wait(f, 1100);
	assert_int_equal(count_mld(f), MLD_ROBUSTNESS);
	first = next_mld(f, 0);
	assert_true(ip6_equal(sent_src(f, first), LINK6(0)));
	assert_int_equal(records(f, first), 5);
	assert_true(says(f, first, MLD_TO_EXCLUDE, OURS, 0));
	fix_clear(f);
	fix_wait(f, 20000);
	assert_int_equal(f->sent_n, 0);
	fix_free(f);
}

/* The first report waits for the probe, which waits for a random time. */
static void test_join_waits(void **state)
{
	struct fixture *f = fix_new();

	f->s.seed = 5;
	fix6_addresses(f, 0);
	uint64_t due = f->iface[0].addr6[0].due_ms;

	assert_true(due > f->now_ms + 20);
	fix_wait(f, due - f->now_ms - 10);
	assert_int_equal(count_mld(f), 0);
	fix_wait(f, 20);
	assert_int_equal(count_mld(f), 1);
	fix_free(f);
}

/* An address comes and goes; groups that others still want are not left. */
static void test_leave(void **state)
{
	struct fixture *f = fix6_new();
	struct iface *i = &f->iface[0];

	i->addrs6 = 3;
	i->addr6[2] = (struct iface_addr6){.address = NET6(0, 0xabcdef), .length = 64};
	stack_addresses_changed(&f->s, 0, false, true, f->now_ms);
	assert_int_equal(records(f, 0), 1);
	assert_true(says(f, 0, MLD_TO_EXCLUDE, ip6_solicited_node(NET6(0, 0xabcdef)), 0));
	assert_true(ip6_equal(sent_src(f, 0), LINK6(0)));
	fix6_sent(f, 1, 0, ip6_solicited_node(NET6(0, 0xabcdef)), ND_SOLICIT);
	fix_wait(f, 2000);
	fix_clear(f);
	i->addrs6 = 2;
	fix_wait(f, 2000);
	assert_int_equal(f->sent_n, MLD_ROBUSTNESS);
	for (unsigned k = 0; k < MLD_ROBUSTNESS; k++) {
		assert_int_equal(records(f, k), 1);
		assert_true(says(f, k, MLD_TO_INCLUDE, ip6_solicited_node(NET6(0, 0xabcdef)), 0));
	}
	assert_int_equal(f->s.mld.port[0].groups, 5);
	fix_clear(f);
	i->addr6[0].state = ADDR6_DUPLICATE; /* the anycast address goes with it */
	fix_wait(f, 2000);
	assert_true(says(f, 0, MLD_TO_INCLUDE, OURS, 0));
	fix_free(f);
}

/* More groups come and go within the repetitions than there is room for: none of ours is lost. */
static void test_many_left(void **state)
{
	struct fixture *f = fix6_new();
	struct iface *i = &f->iface[0];

	i->addrs6 = 3;
	f->s.seed = 1;
	for (unsigned k = 0; k < 50; k++) {
		i->addr6[2] = (struct iface_addr6){
			.address = NET6(0, 0x100 + k), .length = 64, .state = ADDR6_VALID};
		fix_wait(f, 10);
		assert_true(f->s.mld.port[0].groups <= MLD_GROUPS);
	}
	fix_wait(f, 3000);
	fix_clear(f);
	query(f, 2, 0, IP6_ANY, 0);
	fix_wait(f, 10);
	assert_int_equal(records(f, 0), 6);
	assert_true(says(f, 0, MLD_IS_EXCLUDE, ip6_solicited_node(NET6(0, 0x131)), 0));
	fix_free(f);
}

/* RFC 3810 6.2, 6.3. */
static void test_queries(void **state)
{
	struct fixture *f = fix6_new();

	query(f, 2, 0, IP6_ANY, 0);
	assert_int_equal(f->delivered, 1);
	fix_wait(f, 10);
	assert_int_equal(f->sent_n, 1);
	assert_int_equal(records(f, 0), 5);
	assert_true(says(f, 0, MLD_IS_EXCLUDE, OURS, 0));
	assert_true(says(f, 0, MLD_IS_EXCLUDE, IP6_ALL_ROUTERS, 0));
	fix_clear(f);
	query(f, 2, 0, OURS, 0);
	fix_wait(f, 10);
	assert_int_equal(records(f, 0), 1);
	assert_true(says(f, 0, MLD_IS_EXCLUDE, OURS, 0));
	query(f, 2, 0, OURS, 2);
	fix_wait(f, 10);
	assert_int_equal(records(f, 1), 1);
	assert_true(says(f, 1, MLD_IS_INCLUDE, OURS, 2));
	assert_true(ip6_equal(ip6_load(f->sent[1].frame + MESSAGE + 28 + 16), NET6(0, 0x10001)));
	query(f, 2, 0, OURS, MLD_SOURCES + 1); /* too many to remember */
	fix_wait(f, 10);
	assert_true(says(f, 2, MLD_IS_EXCLUDE, OURS, 0));
	query(f, 2, 0, GROUP6(1), 0); /* all nodes: nobody is to be told of it */
	fix_wait(f, 10);
	assert_int_equal(f->sent_n, 3);
	query(f, 2, 0, NEVER_OURS, 0);
	assert_int_equal(f->drops[DROP_MULTICAST], 1);
	fix_free(f);
}

/* Several questions before the answer: one answer, soon enough, that says as much as all. */
static void test_pending(void **state)
{
	struct fixture *f = fix6_new();
	struct mld_port *p = &f->s.mld.port[0];
	unsigned differ = 0;
	uint64_t due, last = 0;

	f->s.seed = 3;
	query(f, 2, 10000, OURS, 1); /* sources, and more sources */
	query(f, 2, 10000, OURS, 3);
	assert_int_equal(p->sources, 3);
	query(f, 2, 10000, OURS, 0); /* then all of them */
	assert_int_equal(p->sources, 0);
	query(f, 2, 10000, OURS, 2);
	assert_int_equal(p->sources, 0);
	fix_wait(f, 10000);
	assert_int_equal(f->sent_n, 1);
	assert_true(says(f, 0, MLD_IS_EXCLUDE, OURS, 0));
	fix_clear(f);

	query(f, 2, 1000, IP6_ANY, 0);
	due = p->answer_ms;
	query(f, 2, 0x7fff, OURS, 0); /* the general answer comes before */
	for (unsigned k = 0; k < 5; k++)
		query(f, 2, 10000, IP6_ANY, 0);
	assert_true(p->answer_ms <= due);
	fix_wait(f, 1000);
	assert_int_equal(records(f, 0), 5);

	for (unsigned k = 0; k < 20; k++) {
		query(f, 2, 0x8000, IP6_ANY, 0); /* 0x1000 << 3 = 32,768 ms: RFC 3810 5.1.3 */
		due = p->answer_ms - f->now_ms;
		assert_true(due <= 32768);
		differ += due != last;
		last = due;
		p->answer_ms = MLD_NEVER;
	}
	assert_true(differ > 15);
	fix_clear(f);
	f->s.seed = 0;
	fix6_receive(f, 0, finish_mld(make_query(2, 0, IP6_ANY, 0, 4)));
	assert_int_equal(p->robustness, 4);
	fix_wait(f, 40000);
	fix_clear(f);
	f->iface[0].addr6[0].state = ADDR6_DUPLICATE;
	fix_wait(f, 100);
	assert_int_equal(f->sent_n, 4); /* how often a change is told */
	fix_free(f);
}

/* RFC 3810 8.2: a querier of version 1 is answered in its language, until it is gone. */
static void test_version1(void **state)
{
	struct fixture *f = fix6_new();

	query(f, 1, 0, IP6_ANY, 0);
	fix_wait(f, 10);
	assert_int_equal(f->sent_n, 5);
	for (unsigned k = 0; k < 5; k++) {
		struct ip6 group = ip6_load(f->sent[k].frame + 38);

		const uint8_t *p = sent_mld(f, k, group, MLD1_REPORT);

		assert_true(ip6_equal(ip6_load(p + 8), group));
		assert_int_equal(f->sent[k].len, MESSAGE + 24);
	}
	fix_clear(f);
	query(f, 2, 0, OURS, 2);
	fix_wait(f, 10);
	assert_int_equal(f->sent_n, 1);
	sent_mld(f, 0, OURS, MLD1_REPORT);

	f->s.seed = 9; /* another says it before us: we need not */
	query(f, 1, 10000, OURS, 0);
	uint32_t len = make_query(1, 0, OURS, 0, 0);

	frame[MESSAGE] = MLD1_REPORT;
	fix6_receive(f, 0, finish_mld(len));
	fix_wait(f, 11000);
	assert_int_equal(f->sent_n, 1);
	assert_int_equal(f->s.mld.reports_heard, 1);

	f->iface[0].addr6[0].state = ADDR6_DUPLICATE;
	fix_wait(f, 20000);
	sent_mld(f, 1, IP6_ALL_ROUTERS, MLD1_DONE);
	sent_mld(f, 2, IP6_ALL_ROUTERS, MLD1_DONE); /* of its anycast address */
	assert_int_equal(f->sent_n, 3);
	fix_wait(f, MLD1_PRESENT_MS);
	fix_clear(f);
	f->s.seed = 0;
	query(f, 2, 0, IP6_ANY, 0);
	fix_wait(f, 10);
	assert_int_equal(records(f, 0), 3);
	fix_free(f);
}

/* What is not valid, one thing wrong at a time; not a word is said about it. */
static void test_validity(void **state)
{
	struct fixture *f = fix6_new();
	unsigned bad = 0;

#define WRONG(version, ...)                                                                        \
	do {                                                                                       \
		uint32_t len = make_query(version, 0, IP6_ANY, 0, 0);                              \
		__VA_ARGS__;                                                                       \
		fix6_receive(f, 0, finish_mld(len));                                               \
		assert_int_equal(f->drops[DROP_MLD_MALFORMED], ++bad);                             \
	} while (0)

	WRONG(2, frame[21] = 2);                          /* has passed a router */
	WRONG(2, ip6_store(frame + 22, HOST6(0)));        /* not of this link */
	WRONG(1, ip6_store(frame + 22, IP6_ANY));         /* RFC 3810 5.1.14 */
	WRONG(1, frame[56] = 1; frame[57] = 2);           /* padding, no alert */
	WRONG(2, frame[59] = 1);                          /* alert of RSVP */
	WRONG(2, frame[20] = 60);                         /* no hop-by-hop header */
	WRONG(2, store_be16(frame + MESSAGE + 26, 1));    /* a source that is missing */
	WRONG(2, ip6_store(frame + MESSAGE + 8, US6(0))); /* no group */
	WRONG(1, ip6_store(frame + MESSAGE + 8, US6(0)));
	WRONG(2, store_be16(frame + 18, 8 + 27); len -= 1); /* RFC 3810 8.1 */
	WRONG(1, store_be16(frame + 18, 8 + 23); len -= 1);
	WRONG(1, frame[MESSAGE] = MLD1_REPORT); /* of no group */
	fix_wait(f, 100);
	assert_int_equal(f->sent_n, 0);
	uint32_t len = make_query(2, 0, IP6_ANY, 1, 0);

	fix6_receive(f, 0, finish_mld(len)); /* sources, but of no group */
	assert_int_equal(f->drops[DROP_MLD_MALFORMED], ++bad);
	len = finish_mld(make_query(2, 0, IP6_ANY, 0, 0));
	frame[MESSAGE + 2] ^= 1;
	fix6_receive(f, 0, len);
	assert_int_equal(f->drops[DROP_ICMP_MALFORMED], 1);
	assert_int_equal(f->s.mld.queries, 0);
	fix_free(f);
}

/* No buffer, a link that goes: nothing is kept that is wrong later. */
static void test_loss(void **state)
{
	struct fixture *f = fix6_new();
	unsigned limit = f->alloc_limit;

	f->alloc_limit = 0;
	query(f, 2, 0, IP6_ANY, 0);
	query(f, 2, 0, OURS, 1);
	fix_wait(f, 10);
	query(f, 1, 0, IP6_ANY, 0);
	fix_wait(f, 10);
	assert_int_equal(f->sent_n, 0);
	f->alloc_limit = limit;
	iface6_withdraw(&f->iface[0], &f->rib6, &f->nexthops);
	f->iface[0].installed = f->iface[0].link = false;
	stack_link_changed(&f->s, 0, false, f->now_ms);
	query(f, 2, 0, IP6_ANY, 0);
	fix_wait(f, 1000);
	assert_int_equal(f->sent_n, 0);
	assert_int_equal(f->s.mld.port[0].groups, 0);
	f->iface[0].installed = f->iface[0].link = true;
	fix6_addresses(f, 0);
	assert_int_equal(records(f, next_mld(f, 0)), 5); /* in version 2 again */
	fix_wait(f, 2000);
	fix_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_join_waits),
		cmocka_unit_test(test_leave),
		cmocka_unit_test(test_many_left),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_version1),
		cmocka_unit_test(test_validity),
		cmocka_unit_test(test_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Connection tracking through the whole router, against a plain model of conversations. */
#include "test/unit/filter_fixture.h"

#include "kernel/sessions.h"
#include "net/path/session.h"

#define INSIDE  0u
#define OUTSIDE 1u
#define FIN     0x01
#define SYN     0x02
#define RST     0x04
#define ACK     0x10
#define ISS     1000u /* of who is inside, */
#define IRS     5000u /* and outside */

static uint32_t lcg = 7;

static uint32_t draw(uint32_t n)
{
	lcg = lcg * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)(lcg >> 4) * n >> 28);
}

/* From outside only what is established comes in. */
static int setup_track(void **state)
{
	setup_filter(state);
	match[0] = (struct acl_rule){.any_protocol = true, .established = true};
	rules[0] = (struct config_rule){.permit = true};
	add_list("answers", 1);
	bind(OUTSIDE, "answers", "");
	commit();
	turns(4);
	drain();
	return 0;
}

/* ---- packets ---- */

/* A TCP or UDP packet of conversation (a, b), from inside or back. */
static void packet(struct frame *f, bool back, uint8_t protocol, uint16_t a, uint16_t b)
{
	unsigned port = back ? OUTSIDE : INSIDE;

	memset(f, 0, sizeof *f);
	udp(f, port, HOST(!back), 32);
	f->data[IPV4_PROTOCOL] = protocol;
	store_be16(f->data + 34, back ? b : a);
	store_be16(f->data + 36, back ? a : b);
	frame_fix_checksum(f);
}

static void tcp(struct frame *f, bool back, uint16_t a, unsigned flags, uint32_t seq, uint32_t ack)
{
	packet(f, back, 6, a, 80);
	store_be32(f->data + 38, seq);
	store_be32(f->data + 42, ack);
	f->data[46] = 0x50;
	f->data[47] = (uint8_t)flags;
	store_be16(f->data + IPV4_LENGTH, 40);
	frame_fix_checksum(f);
	f->len = 54;
}

static void echo(struct frame *f, bool back, uint16_t id, bool request)
{
	unsigned port = back ? OUTSIDE : INSIDE;

	frame_echo(f, dev[port]->mac, host_mac[port], HOST(port), HOST(!back), id, 1);
	f->data[34] = request ? 8 : 0;
}

/* What becomes of a frame: DROP_COUNT: it leaves by the other port; PASS_NOT: nothing else. */
static enum drop_reason fate(const struct frame *f, bool back)
{
	unsigned port = back ? OUTSIDE : INSIDE;
	uint64_t before[DROP_COUNT];
	struct frame out;

	for (unsigned i = 0; i < DROP_COUNT; i++)
		before[i] = drops(port, i);
	inject(port, f);
	turns(2);
	while (sent(!port, &out)) {
		if (load_be16(out.data + ETH_TYPE) != ETH_TYPE_IPV4)
			continue; /* the router's own */
		assert_int_equal(out.len, f->len);
		assert_memory_equal(out.data + 26, f->data + 26, f->len - 26);
		return DROP_COUNT;
	}
	for (unsigned i = 0; i < DROP_COUNT; i++)
		if (drops(port, i) != before[i])
			return i;
	fail_msg("neither sent nor dropped");
	return 0;
}

static void expect(const struct frame *f, bool back, enum drop_reason reason)
{
	enum drop_reason is = fate(f, back);

	if (is != reason)
		fail_msg("%s, not %s", is == DROP_COUNT ? "sent" : drop_name(is),
			reason == DROP_COUNT ? "sent" : drop_name(reason));
}

static void wait_s(uint64_t seconds)
{
	model_platform.now_us += seconds * 1000000;
	turns(12);
	learn_hosts();
}

static uint64_t now_s(void)
{
	return model_platform.now_us / 1000000;
}

/* ---- the model ---- */

#define TALKS 48u

static struct talk {
	enum { NONE, UNREPLIED, REPLIED, SYN_SENT, SYN_RECEIVED, PICKED, ESTABLISHED } state;
	uint64_t last_s;
} talk[3][TALKS]; /* UDP, ICMP, TCP */

static uint64_t lasts_s(unsigned kind, const struct talk *t)
{
	if (kind == 1)
		return 60;
	if (kind == 2)
		return t->state == ESTABLISHED ? 7440 : 240;
	return t->state == REPLIED ? 180 : 30;
}

static void forget(void)
{
	for (unsigned kind = 0; kind < 3; kind++)
		for (unsigned i = 0; i < TALKS; i++)
			if (talk[kind][i].state &&
				talk[kind][i].last_s + lasts_s(kind, &talk[kind][i]) < now_s())
				talk[kind][i].state = NONE;
}

static uint32_t talks(void)
{
	uint32_t n = 0;

	for (unsigned kind = 0; kind < 3; kind++)
		for (unsigned i = 0; i < TALKS; i++)
			n += talk[kind][i].state != NONE;
	return n;
}

/* UDP and echo. */
static enum drop_reason model_simple(struct talk *t, bool back)
{
	if (back && !t->state)
		return DROP_ACL_DENIED;
	t->state = back || t->state == REPLIED ? REPLIED : UNREPLIED;
	return DROP_COUNT;
}

/* Kinds of segments: SYN, ACK, from inside; SYN and ACK, ACK, from outside. */
static enum drop_reason model_tcp(struct talk *t, bool back, bool syn)
{
	if (back && !t->state)
		return DROP_ACL_DENIED;
	if (!t->state) {
		t->state = syn ? SYN_SENT : PICKED;
		return DROP_COUNT;
	}
	if (back && syn && t->state == SYN_SENT)
		t->state = SYN_RECEIVED;
	else if (!back && !syn && t->state == SYN_SENT)
		return DROP_SESSION_STATE;
	else if (t->state == (back ? PICKED : SYN_RECEIVED) && !(syn && !back))
		t->state = ESTABLISHED;
	return DROP_COUNT;
}

static void random_packet(void)
{
	unsigned kind = draw(3), i = draw(TALKS);
	bool back = draw(2), syn = draw(2);
	struct talk *t = &talk[kind][i];
	enum drop_reason reason;
	struct frame f;

	if (kind == 2) {
		reason = model_tcp(t, back, syn);
		tcp(&f, back, (uint16_t)(1000 + i), (syn ? SYN : ACK) | (back ? ACK : 0),
			(back ? IRS : ISS) + !syn, syn && !back ? 0 : (back ? ISS : IRS) + 1);
	} else {
		reason = model_simple(t, back);
		if (kind == 1)
			echo(&f, back, (uint16_t)i, !back);
		else
			packet(&f, back, 17, (uint16_t)(1000 + i), 53);
	}
	/* What is refused is no packet of the session: it does not keep it. */
	if (reason == DROP_COUNT)
		t->last_s = now_s();
	expect(&f, back, reason);
}

static void test_model(void **state)
{
	uint32_t most = 0;

	memset(talk, 0, sizeof talk);
	for (unsigned i = 0; i < 6000; i++) {
		random_packet();
		if (draw(60) == 0) {
			/* Ends are exact to some seconds: no time-out is near any of these. */
			static const unsigned seconds[] = {44, 100, 205, 290, 8000};

			most = talks() > most ? talks() : most;
			wait_s(seconds[draw(5)]);
			forget();
			assert_int_equal(sessions_live(&router), talks());
		}
	}
	assert_true(most > TALKS);
	check_books();
}

/* ---- what else ---- */

static void shake_hands(uint16_t a)
{
	struct frame f;

	tcp(&f, false, a, SYN, ISS, 0);
	expect(&f, false, DROP_COUNT);
	tcp(&f, true, a, SYN | ACK, IRS, ISS + 1);
	expect(&f, true, DROP_COUNT);
	tcp(&f, false, a, ACK, ISS + 1, IRS + 1);
	expect(&f, false, DROP_COUNT);
	tcp(&f, true, a, ACK, IRS + 1, ISS + 1);
	expect(&f, true, DROP_COUNT);
}

static void test_errors_and_strangers(void **state)
{
	struct frame f, error;

	packet(&f, true, 17, 1, 53);
	expect(&f, true, DROP_ACL_DENIED);
	packet(&f, false, 17, 1, 53);
	expect(&f, false, DROP_COUNT);
	/* Port unreachable, about that packet. */
	echo(&error, true, 1, true);
	error.data[34] = 3;
	error.data[35] = 3;
	memcpy(error.data + 42, f.data + 14, 28);
	store_be16(error.data + IPV4_LENGTH, 20 + 8 + 28);
	error.len = 14 + 20 + 8 + 28;
	frame_fix_checksum(&error);
	expect(&error, true, DROP_COUNT);
	error.data[42 + 20 + 1]++; /* about another */
	expect(&error, true, DROP_ACL_DENIED);
	/* An echo request from outside; an answer that nobody asked for. */
	echo(&f, true, 9, true);
	expect(&f, true, DROP_ACL_DENIED);
	echo(&f, true, 9, false);
	expect(&f, true, DROP_ACL_DENIED);
	/* A reset out of nowhere makes no session. */
	uint64_t live = sessions_live(&router);

	tcp(&f, false, 7, RST, 1, 0);
	expect(&f, false, DROP_COUNT);
	assert_int_equal(sessions_live(&router), live);
	check_books();
}

static void test_fragments(void **state)
{
	struct frame f;

	packet(&f, true, 17, 5, 53);
	store_be16(f.data + IPV4_FRAGMENT, 5);
	frame_fix_checksum(&f);
	inject(OUTSIDE, &f); /* of nothing: it waits for its first */
	turns(2);
	wait_s(5);
	assert_int_equal(sent(INSIDE, &f), 0);
	packet(&f, false, 17, 5, 53);
	store_be16(f.data + IPV4_ID, 77);
	store_be16(f.data + IPV4_FRAGMENT, 0x2000);
	frame_fix_checksum(&f);
	expect(&f, false, DROP_COUNT);
	store_be16(f.data + IPV4_FRAGMENT, 5);
	frame_fix_checksum(&f);
	expect(&f, false, DROP_COUNT);
	store_be16(f.data + IPV4_ID, 78); /* of another datagram */
	frame_fix_checksum(&f);
	uint64_t before = drops(INSIDE, DROP_SESSION_STATE) + drops(INSIDE, DROP_FRAGMENT_TIMEOUT);

	inject(INSIDE, &f);
	turns(4);
	wait_s(5);
	assert_int_equal(sent(OUTSIDE, &f), 0);
	assert_int_equal(
		drops(INSIDE, DROP_SESSION_STATE) + drops(INSIDE, DROP_FRAGMENT_TIMEOUT) - before,
		1);
	/* The answer in fragments is let in. */
	packet(&f, true, 17, 5, 53);
	store_be16(f.data + IPV4_ID, 99);
	store_be16(f.data + IPV4_FRAGMENT, 0x2000);
	frame_fix_checksum(&f);
	expect(&f, true, DROP_COUNT);
	store_be16(f.data + IPV4_FRAGMENT, 5);
	frame_fix_checksum(&f);
	expect(&f, true, DROP_COUNT);
	check_books();
}

/* Full of what nobody answers: who is established lives on, and others still get in. */
static void test_flood(void **state)
{
	struct sessions *s = router.sessions[1];
	struct frame f;

	shake_hands(1);
	for (unsigned i = 0; i < s->max + 200; i++) {
		tcp(&f, false, 0, SYN, i, 0);
		store_be16(f.data + 34, (uint16_t)(2 + i % 60000));
		store_be16(f.data + 36, (uint16_t)(1000 + i / 60000));
		inject(INSIDE, &f);
		turns(1);
		drain();
	}
	turns(3);
	drain();
	assert_int_equal(sessions_live(&router), s->max);
	assert_true(s->evicted >= 200);
	tcp(&f, true, 1, ACK, IRS + 1, ISS + 1);
	expect(&f, true, DROP_COUNT);
	/* Where all are established, nobody is given up. */
	for (uint32_t i = 0; i < s->high; i++)
		session_settle(s, &s->session[i]);
	tcp(&f, false, 1, SYN, 1, 0);
	store_be16(f.data + 36, 4);
	expect(&f, false, DROP_SESSION_TABLE_FULL);
	/* All of it ends with time. */
	model_platform.now_us += 8000 * UINT64_C(1000000);
	turns(s->max / 16 + 300);
	for (unsigned i = 0; i < 300; i++) {
		model_platform.now_us += 20000;
		turns(1);
	}
	assert_int_equal(sessions_live(&router), 0);
	check_books();
}

static void test_limit(void **state)
{
	struct frame f;

	config.sessions.limit = 5;
	commit();
	for (unsigned i = 0; i < 8; i++) {
		packet(&f, false, 17, (uint16_t)(2000 + i), 53);
		expect(&f, false, i < 5 ? DROP_COUNT : DROP_SESSION_LIMIT);
	}
	packet(&f, false, 17, 2000, 53);
	expect(&f, false, DROP_COUNT);
	wait_s(100);
	packet(&f, false, 17, 2009, 53);
	expect(&f, false, DROP_COUNT);
	config.sessions.limit = 0;
	commit();
}

/* TTL and MTU end in an error, and change nothing. */
static void test_ends(void **state)
{
	struct frame f, out = {0};

	packet(&f, false, 17, 70, 53);
	f.data[IPV4_TTL] = 1;
	frame_fix_checksum(&f);
	inject(INSIDE, &f);
	turns(3);
	assert_true(sent(INSIDE, &out) != 0);
	assert_int_equal(out.data[34], 11);
	assert_int_equal(sessions_live(&router), 0);
	check_books();
}

static void test_clear(void **state)
{
	struct session_match m = {.protocol = 17};
	struct frame f;

	shake_hands(1);
	for (unsigned i = 0; i < 100; i++) {
		packet(&f, false, 17, (uint16_t)(2000 + i), 53);
		expect(&f, false, DROP_COUNT);
	}
	assert_int_equal(sessions_live(&router), 101);
	sessions_clear(&router, &m);
	turns(100);
	assert_true(sessions_cleared(&router));
	assert_int_equal(sessions_live(&router), 1);
	tcp(&f, true, 1, ACK, IRS + 1, ISS + 1);
	expect(&f, true, DROP_COUNT);
	packet(&f, true, 17, 2000, 53);
	expect(&f, true, DROP_ACL_DENIED);
}

/* The packet that begins a connection anew where one has ended is counted by one rule, once. */
static void test_counted_once(void **state)
{
	struct filter_hits hits;
	uint64_t packets;
	struct frame f;

	match[1] = (struct acl_rule){
		.any_protocol = true, .to_port = {0, 65535}, .from_port = {0, 65535}};
	rules[1] = (struct config_rule){.permit = true};
	add_list("all", 1);
	bind(INSIDE, "all", "");
	commit();
	turns(4);
	drain();
	shake_hands(1);
	tcp(&f, true, 1, RST, IRS + 1, 0);
	expect(&f, true, DROP_COUNT);
	uint32_t i = router.tables.filter->list[router.tables.filter->in[INSIDE] - 1].first;

	filters_counted(&router, i, &hits);
	packets = hits.packets;
	tcp(&f, false, 1, SYN, ISS + 100000, 0);
	expect(&f, false, DROP_COUNT);
	filters_counted(&router, i, &hits);
	assert_int_equal(hits.packets, packets + 1);
	assert_int_equal(sessions_live(&router), 1);
	tcp(&f, true, 1, SYN | ACK, IRS, ISS + 100001);
	expect(&f, true, DROP_COUNT);
}

/* A decision is of what is in force now: a list that denies ends what was let through. */
static void test_decided_anew(void **state)
{
	struct frame f;

	shake_hands(1);
	match[0].established = false;
	match[0].family = 4;
	match[0].from = match[0].to = (struct ip6){0, 1};
	match[0].from_length = match[0].to_length = 32;
	commit();
	tcp(&f, true, 1, ACK, IRS + 1, ISS + 1);
	expect(&f, true, DROP_ACL_DENIED);
	assert_false(router.lane[0].track); /* no rule asks for sessions any more */
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup_track, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_model),
		CASE(test_errors_and_strangers),
		CASE(test_fragments),
		CASE(test_flood),
		CASE(test_limit),
		CASE(test_ends),
		CASE(test_clear),
		CASE(test_counted_once),
		CASE(test_decided_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

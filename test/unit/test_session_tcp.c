/* States of TCP sessions: connections that begin, end, are reset, and what strangers say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/byteorder.h"
#include "net/path/session.h"

#define FIN 0x01u
#define SYN 0x02u
#define RST 0x04u
#define ACK 0x10u

#define CLIENT 1000u /* initial sequence numbers */
#define SERVER 0xfffffff0u

static struct sessions table;
static struct session *session;
static uint32_t now = 1;

static int setup(void **state)
{
	struct flow_key key = {.src.lo = 1, .dst.lo = 2, .ports = 3, .protocol = 6, .family = 4},
			back = {.src.lo = 2,
				.dst.lo = 1,
				.ports = 3 << 16,
				.protocol = 6,
				.family = 4};

	*state = aligned_alloc(CACHE_LINE, sessions_bytes(8));
	sessions_init(&table, *state, 8, 1);
	for (unsigned i = 0; i < SESSION_TIMEOUT_COUNT; i++)
		table.timeout[i] = 10 * (i + 1);
	session = session_begin(&table, &key, &back, now);
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* A segment with so many bytes; seq, ack: beyond the initial numbers. */
static enum session_step segment(
	unsigned way, unsigned flags, uint32_t seq, uint32_t ack, uint32_t bytes)
{
	uint8_t tcp[20] = {0};

	store_be32(tcp + 4, (way ? SERVER : CLIENT) + seq);
	store_be32(tcp + 8, (way ? CLIENT : SERVER) + ack);
	tcp[12] = 0x50;
	tcp[13] = (uint8_t)flags;
	if (way == 0 && session->state == SESSION_SYN_SENT && !session->end[0]) {
		session_tcp_begin(&table, session, tcp);
		return SESSION_PASS;
	}
	return session_tcp(&table, session, way, tcp, 20 + bytes, now);
}

static void expect(unsigned way, unsigned flags, uint32_t seq, uint32_t ack, uint32_t bytes,
	enum session_state state)
{
	assert_int_equal(segment(way, flags, seq, ack, bytes), SESSION_PASS);
	if (session->state != state)
		fail_msg("%s, not %s", session_state_name(session->state),
			session_state_name(state));
	/* Only of an established one packets need not be looked at, and only it is not given up,
	 * until it has ended. */
	const struct way *ways = session_ways(&table, session);
	bool direct = ways[0].flags & ways[1].flags & WAY_DIRECT;

	assert_int_equal(direct, state == SESSION_ESTABLISHED);
}

static void establish(void)
{
	expect(0, SYN, 0, 0, 0, SESSION_SYN_SENT);
	assert_true(session->embryonic);
	expect(1, SYN | ACK, 0, 1, 0, SESSION_SYN_RECEIVED);
	assert_true(session->embryonic);
	expect(0, ACK, 1, 1, 0, SESSION_ESTABLISHED);
	assert_false(session->embryonic);
	expect(1, ACK, 1, 1, 100, SESSION_ESTABLISHED);
	expect(0, ACK, 1, 101, 0, SESSION_ESTABLISHED);
}

static void test_life(void **state)
{
	establish();
	expect(0, FIN | ACK, 1, 101, 9, SESSION_FIN_WAIT);
	expect(1, ACK, 101, 10, 0, SESSION_FIN_WAIT); /* the data, not the FIN */
	expect(1, ACK, 101, 11, 0, SESSION_CLOSE_WAIT);
	expect(1, ACK, 101, 11, 50, SESSION_CLOSE_WAIT);
	expect(1, FIN | ACK, 151, 11, 0, SESSION_LAST_ACK);
	expect(0, ACK, 11, 151, 0, SESSION_LAST_ACK);
	expect(0, ACK, 11, 152, 0, SESSION_TIME_WAIT);
	assert_true(session->embryonic);
	expect(1, FIN | ACK, 151, 11, 0, SESSION_TIME_WAIT);
	assert_int_equal(segment(0, SYN, 5000, 0, 0), SESSION_AGAIN);
}

static void test_both_end_at_once(void **state)
{
	establish();
	expect(0, FIN | ACK, 1, 101, 0, SESSION_FIN_WAIT);
	expect(1, FIN | ACK, 101, 1, 0, SESSION_LAST_ACK);
	expect(0, ACK, 2, 102, 0, SESSION_LAST_ACK);
	expect(1, ACK, 102, 2, 0, SESSION_TIME_WAIT);
}

static void test_both_begin_at_once(void **state)
{
	expect(0, SYN, 0, 0, 0, SESSION_SYN_SENT);
	expect(1, SYN, 0, 0, 0, SESSION_SYN_RECEIVED);
	expect(1, SYN | ACK, 0, 1, 0, SESSION_SYN_RECEIVED);
	expect(0, SYN | ACK, 0, 1, 0, SESSION_ESTABLISHED);
}

static void test_what_no_state_allows(void **state)
{
	expect(0, SYN, 0, 0, 0, SESSION_SYN_SENT);
	assert_int_equal(segment(0, ACK, 1, 1, 0), SESSION_REFUSE);
	assert_int_equal(segment(0, FIN | ACK, 1, 1, 0), SESSION_REFUSE);
	expect(0, SYN, 0, 0, 0, SESSION_SYN_SENT);
	expect(1, ACK, 7, 7, 0, SESSION_SYN_SENT); /* RFC 9293 figure 9: a reset will come */
	expect(0, RST, 7, 0, 0, SESSION_SYN_SENT);
	expect(1, RST | ACK, 0, 5, 0, SESSION_SYN_SENT); /* of nothing that was sent */
	expect(1, RST | ACK, 0, 1, 0, SESSION_CLOSED);
	assert_int_equal(segment(0, SYN, 9, 0, 0), SESSION_AGAIN);
}

/* Who has not seen the server's number cannot make it look established. */
static void test_blind_ack(void **state)
{
	expect(0, SYN, 0, 0, 0, SESSION_SYN_SENT);
	expect(1, SYN | ACK, 0, 1, 0, SESSION_SYN_RECEIVED);
	for (uint32_t guess = 2; guess; guess <<= 1)
		expect(0, ACK, 1, guess, 0, SESSION_SYN_RECEIVED);
	assert_true(session->embryonic);
}

static void test_blind_reset(void **state)
{
	establish();
	for (uint32_t guess = 0x100000; guess < 0xfff00000u; guess += 0xf4321)
		expect(1, RST, guess, 0, 0, SESSION_ESTABLISHED);
	expect(1, RST, 101 - 1, 0, 0, SESSION_ESTABLISHED); /* just before what is awaited */
	expect(1, SYN, 101, 0, 0, SESSION_ESTABLISHED);
	expect(0, FIN | ACK, 0x80000000u, 101, 0, SESSION_ESTABLISHED);
	expect(1, RST, 101, 0, 0, SESSION_CLOSED);
	/* The client goes on: it has not believed it. So does its session. */
	expect(0, ACK, 1, 101, 10, SESSION_ESTABLISHED);
	expect(1, RST, 101, 0, 0, SESSION_CLOSED);
	expect(1, ACK, 101, 11, 0, SESSION_CLOSED); /* who sent it says nothing about that */
	expect(0, RST, 1, 0, 0, SESSION_CLOSED);
	assert_int_equal(segment(0, SYN, 9, 0, 0), SESSION_AGAIN);
}

static void test_picked_up(void **state)
{
	expect(0, ACK, 5, 7, 10, SESSION_SYN_SENT);
	assert_true(session->embryonic);
	expect(0, ACK, 15, 7, 10, SESSION_SYN_SENT);
	expect(1, ACK, 7, 0x40000000, 0, SESSION_SYN_SENT);
	expect(1, ACK, 7, 25, 0, SESSION_ESTABLISHED);
	assert_false(session->embryonic);
}

static void test_may_begin(void **state)
{
	uint8_t tcp[20] = {0};

	for (unsigned flags = 0; flags < 256; flags++) {
		unsigned f = flags & (SYN | FIN | RST | ACK);

		tcp[13] = (uint8_t)flags;
		assert_int_equal(session_tcp_may_begin(tcp, false), f == SYN);
		assert_int_equal(session_tcp_may_begin(tcp, true), f == SYN || f == ACK);
	}
}

/* Anything may be said at any time: states stay those there are, and the books right. */
static void test_noise(void **state)
{
	uint32_t lcg = 5;

	for (unsigned i = 0; i < 300000; i++) {
		lcg = lcg * 1664525u + 1013904223u;
		unsigned flags = lcg >> 8 & 0x3f, way = lcg >> 20 & 1;
		uint32_t seq = lcg >> 21 & 3, ack = lcg >> 23 & 3;

		if (segment(way, flags, seq, ack, lcg >> 25 & 3) == SESSION_AGAIN) {
			struct flow_key key[2] = {session->key[0], session->key[1]};

			session_end(&table, session);
			session = session_begin(&table, &key[0], &key[1], now);
			assert_non_null(session);
		}
		assert_in_range(session->state, SESSION_SYN_SENT, SESSION_CLOSED);
		assert_int_equal(table.embryonic, session->embryonic);
		if (session->state == SESSION_ESTABLISHED)
			assert_false(session->embryonic);
		assert_int_equal(table.due[session - table.session] != 0, 1);
	}
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_life),
		CASE(test_both_end_at_once),
		CASE(test_both_begin_at_once),
		CASE(test_what_no_state_allows),
		CASE(test_blind_ack),
		CASE(test_blind_reset),
		CASE(test_picked_up),
		CASE(test_may_begin),
		CASE(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

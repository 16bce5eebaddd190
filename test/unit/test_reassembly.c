/* Reassembly of IPv4 datagrams to the router: order, overlaps, limits, time. */
#include "test/unit/reassembly_fixture.h"

/* Bytes from..to of it as a fragment from `src` with that id. */
static void send4(struct fixture *f, unsigned port, uint32_t src, uint16_t id, uint32_t from,
	uint32_t to, bool more)
{
	uint32_t len = make_ipv4(frame, src, ROUTER0 + (port << 8), 1, 64,
		(uint16_t)(from / 8 | (more ? 0x2000 : 0)), to - from);
	uint16_t check;

	memcpy(frame + 34, payload + from, to - from);
	store_be16(frame + 18, id);
	memset(frame + 24, 0, 2);
	check = checksum(frame + 14, 20);
	memcpy(frame + 24, &check, 2);
	fix_receive(f, port, frame, len, PUNT_LOCAL);
}

/* Every order of four fragments, and every one of them twice. */
static void test_any_order(void **state)
{
	for (unsigned order = 0; order < 256; order++) {
		unsigned k[4] = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6};
		unsigned seen = 1u << k[0] | 1u << k[1] | 1u << k[2] | 1u << k[3];

		if (seen != 15)
			continue;
		struct fixture *f = fix_new_resolved();

		make_echo(100);
		for (unsigned i = 0; i < 4; i++) {
			uint32_t from = k[i] * 32, to = k[i] == 3 ? 100 : from + 32;

			send4(f, 0, HOST0, 7, from, to, k[i] < 3);
			if (i < 3)
				send4(f, 0, HOST0, 7, from, to, k[i] < 3);
			assert_int_equal(stack_held(&f->s), i < 3 ? i + 1 : 0);
			fix_balance(f);
		}
		assert_int_equal(f->drops[DROP_FRAGMENT_DUPLICATE], 3);
		assert_int_equal(f->delivered, 4);
		assert_int_equal(f->sent_n, 1);
		assert_memory_equal(f->sent[0].frame + 38, payload + 4, 96);
		assert_int_equal(f->s.reassembly.completed, 1);
		fix_free(f);
	}
}

/* The answer leaves in fragments: up to the longest datagram there is. */
static void test_large(void **state)
{
	static const uint32_t lengths[] = {1480, 1481, 2028, 8008, 65515};
	static uint8_t whole[65536];

	for (unsigned i = 0; i < 5; i++) {
		uint32_t len = lengths[i];
		struct fixture *f = fix_new_resolved();

		make_echo(len);
		for (uint32_t at = 0; at < len; at += 1480)
			send4(f, 0, HOST0, 9, at, len - at > 1480 ? at + 1480 : len,
				len - at > 1480);
		assert_int_equal(f->transmitted, (len + 1479) / 1480);
		assert_int_equal(sent_payload(f, whole, 20, 1500), len);
		assert_int_equal(whole[0], 0);
		assert_memory_equal(whole + 4, payload + 4, len - 4);
		assert_int_equal(checksum(whole, len), 0);
		assert_int_equal(load_be32(f->sent[0].frame + 26), ROUTER0);
		assert_int_equal(load_be32(f->sent[0].frame + 30), HOST0);
		fix_free(f);
	}
}

/* No buffers for the answer: nothing of it leaves, and nothing is lost. */
static void test_no_buffers(void **state)
{
	struct fixture *f = fix_new_resolved();

	make_echo(8008);
	f->alloc_limit = 3;
	for (uint32_t at = 0; at < 8008; at += 1456)
		send4(f, 0, HOST0, 9, at, at + 1456 < 8008 ? at + 1456 : 8008, at + 1456 < 8008);
	assert_int_equal(f->transmitted, 0);
	assert_int_equal(f->drops[DROP_MTU_EXCEEDED], 4); /* three, and the request */
	fix_free(f);
}

/* RFC 5722: overlaps end the datagram, and what still comes of it. */
static void test_overlap(void **state)
{
	static const struct {
		uint32_t from, to;
		bool more;
	} c[] = {
		{24, 40, true},   /* into the one before */
		{56, 72, true},   /* into the one behind */
		{40, 48, true},   /* inside */
		{32, 64, false},  /* the same, but the last */
		{0, 16, true},    /* the first, shorter */
		{200, 208, true}, /* behind the end */
		{128, 208, false} /* another end */
	};

	for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
		struct fixture *f = fix_new_resolved();

		make_echo(1000);
		send4(f, 0, HOST0, 7, 0, 32, true);
		send4(f, 0, HOST0, 7, 32, 64, true);
		send4(f, 0, HOST0, 7, 96, 128, false);
		send4(f, 0, HOST0, 8, 0, 32, true); /* another is not concerned */
		assert_int_equal(stack_held(&f->s), 4);
		send4(f, 0, HOST0, 7, c[i].from, c[i].to, c[i].more);
		assert_int_equal(stack_held(&f->s), 1);
		assert_int_equal(f->drops[DROP_FRAGMENT_BAD], 4);
		send4(f, 0, HOST0, 7, 64, 96, true);
		assert_int_equal(f->drops[DROP_FRAGMENT_BAD], 5);
		assert_int_equal(f->s.reassembly.refused, 1);
		fix_wait(f, REASSEMBLY_MS + 100);
		assert_int_equal(f->sent_n, 1); /* of the other one */
		/* the number may be used again */
		fix_clear(f);
		make_echo(64);
		send4(f, 0, HOST0, 7, 0, 32, true);
		send4(f, 0, HOST0, 7, 32, 64, false);
		assert_int_equal(f->delivered, 2);
		fix_free(f);
	}
}

/* The same place, but other bytes. */
static void test_false_copy(void **state)
{
	struct fixture *f = fix_new_resolved();

	make_echo(64);
	send4(f, 0, HOST0, 7, 0, 32, true);
	payload[9] ^= 1;
	send4(f, 0, HOST0, 7, 0, 32, true);
	assert_int_equal(f->drops[DROP_FRAGMENT_BAD], 2);
	fix_free(f);
}

static void test_impossible(void **state)
{
	struct fixture *f = fix_new_resolved();

	make_echo(1000);
	send4(f, 0, HOST0, 7, 0, 33, true);         /* no multiple of 8 */
	send4(f, 0, HOST0, 7, 64, 64, true);        /* nothing */
	send4(f, 0, HOST0, 7, 65512, 65516, false); /* with a header longer than 65,535 */
	send4(f, 0, HOST0, 7, 65528, 65536, true);
	assert_int_equal(f->drops[DROP_FRAGMENT_BAD], 4);
	assert_int_equal(f->sent_n, 0);
	assert_int_equal(stack_held(&f->s), 0);
	fix_free(f);
}

/* RFC 792: time exceeded, code 1, if the first fragment is there. */
static void test_timeout(void **state)
{
	struct fixture *f = fix_new_resolved();

	make_echo(1000);
	send4(f, 0, HOST0, 7, 0, 32, true);
	send4(f, 0, HOST0, 8, 32, 64, true);
	fix_wait(f, REASSEMBLY_MS - 20);
	assert_int_equal(stack_held(&f->s), 2);
	fix_wait(f, 40);
	assert_int_equal(f->drops[DROP_FRAGMENT_TIMEOUT], 2);
	assert_int_equal(f->sent_n, 1);
	assert_int_equal(f->sent[0].frame[34], 11);
	assert_int_equal(f->sent[0].frame[35], 1);
	assert_int_equal(load_be16(f->sent[0].frame + 42 + 4), 7); /* the id in the quote */
	assert_int_equal(f->s.reassembly.expired, 2);
	fix_free(f);
}

/* One source has a quarter at most; its oldest goes. */
static void test_one_source(void **state)
{
	struct fixture *f = fix_new_resolved();

	make_echo(1000);
	send4(f, 0, HOST0 + 1, 1, 0, 32, true);
	for (unsigned i = 0; i < 400; i++)
		send4(f, 0, HOST0, (uint16_t)i, 0, 32, true);
	assert_true(stack_held(&f->s) <= 1 + REASSEMBLY_SOURCE);
	send4(f, 0, HOST0 + 1, 1, 32, 40, false);
	assert_int_equal(f->s.reassembly.completed, 1);
	/* The newest of the flood is there, the first is not. */
	send4(f, 0, HOST0, 399, 32, 40, false);
	assert_int_equal(f->s.reassembly.completed, 2);
	send4(f, 0, HOST0, 0, 32, 40, false);
	assert_int_equal(f->s.reassembly.completed, 2);
	assert_true(f->drops[DROP_FRAGMENT_EVICTED] > 300);
	fix_free(f);
}

/* Many sources on one port do not take the room of another port; nor many fragments. */
static void test_many_sources(void **state)
{
	struct fixture *f = fix_new_resolved();

	make_echo(8000);
	send4(f, 1, HOST1, 1, 0, 32, true);
	for (unsigned i = 0; i < 2000; i++)
		send4(f, 0, HOST0 + i % 200, (uint16_t)(i / 600), i % 97 * 16, i % 97 * 16 + 8,
			true);
	assert_true(stack_held(&f->s) <= REASSEMBLY_FRAGMENTS);
	fix_balance(f);
	send4(f, 1, HOST1, 1, 32, 40, false);
	assert_int_equal(f->s.reassembly.completed, 1);
	fix_free(f);
}

/* One datagram in more fragments than its source may hold. */
static void test_confetti(void **state)
{
	struct fixture *f = fix_new_resolved();

	make_echo(8000);
	for (unsigned i = 0; i < 1000; i++)
		send4(f, 0, HOST0, 1, i * 8, i * 8 + 8, i < 999);
	assert_true(stack_held(&f->s) <= REASSEMBLY_SOURCE);
	assert_int_equal(f->s.reassembly.completed, 0);
	fix_free(f);
}

/* Dead datagrams hold no fragments; room is still found among them. */
static void test_dead_ones_go(void **state)
{
	struct fixture *f = fix_new_resolved();

	make_echo(1000);
	for (unsigned i = 0; i < 300; i++) {
		send4(f, 0, HOST0 + i, 1, 0, 32, true);
		send4(f, 0, HOST0 + i, 1, 8, 32, true);
	}
	assert_int_equal(stack_held(&f->s), 0);
	for (unsigned i = 0; i < 900; i++)
		send4(f, 0, HOST0 + 300 + i % 60, 1, i / 60 * 32, i / 60 * 32 + 32, true);
	fix_balance(f);
	assert_true(stack_held(&f->s) > REASSEMBLY_FRAGMENTS / 2);
	fix_free(f);
}

/* UDP and other protocols in fragments end as they do whole. */
static void test_other_protocols(void **state)
{
	struct fixture *f = fix_new_resolved();
	uint32_t len;

	for (unsigned i = 0; i < 2; i++) {
		len = make_ipv4(frame, HOST0, ROUTER0, 17, 64, (uint16_t)(i ? 4 : 0x2000), 32);
		store_be16(frame + 38, 64); /* UDP length */
		fix_receive(f, 0, frame, len, PUNT_LOCAL);
	}
	assert_int_equal(f->drops[DROP_LOCAL_NO_PROTOCOL], 1);
	assert_int_equal(f->delivered, 1);
	assert_int_equal(f->sent[0].frame[34], 3);
	assert_int_equal(f->sent[0].frame[35], 3);
	assert_int_equal(load_be16(f->sent[0].frame + 42 + 2), 84); /* the whole datagram */
	assert_int_equal(checksum(f->sent[0].frame + 42, 20), 0);
	fix_free(f);
}

/* A port that goes down takes its fragments along. */
static void test_link_down(void **state)
{
	struct fixture *f = fix_new_resolved();

	make_echo(100);
	send4(f, 0, HOST0, 1, 0, 32, true);
	send4(f, 1, HOST1, 1, 0, 32, true);
	stack_link_changed(&f->s, 0, false, f->now_ms);
	assert_int_equal(f->drops[DROP_LINK_DOWN], 1);
	assert_int_equal(stack_held(&f->s), 1);
	fix_free(f);
}

/* Random fragments of few datagrams: whatever they say, each has one end, and no byte is wrong. */
static void test_random(void **state)
{
	struct fixture *f = fix_new_resolved();

	make_echo(2048);
	for (unsigned i = 0; i < 60000; i++) {
		bool odd = rnd(20) == 0;
		uint32_t from = odd ? rnd(16) * 8 : rnd(3) * 32;
		uint32_t to = from + (odd ? 8 + rnd(6) * 8 : 32);
		bool more = odd ? rnd(4) != 0 : from < 64;

		send4(f, rnd(2), (rnd(2) ? HOST0 : HOST1) + rnd(5), (uint16_t)rnd(3), from,
			odd && !more ? to - rnd(8) : to, more);
		f->now_ms += rnd(1000);
		if (rnd(20) == 0)
			stack_tick(&f->s, f->now_ms);
		if (i % 1000 == 0)
			fix_balance(f);
		f->sent_n = 0;
	}
	assert_true(f->s.reassembly.completed > 100);
	assert_true(f->s.reassembly.refused > 100);
	assert_true(f->s.reassembly.expired > 100);
	fix_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_order),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_no_buffers),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_false_copy),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_one_source),
		cmocka_unit_test(test_many_sources),
		cmocka_unit_test(test_confetti),
		cmocka_unit_test(test_dead_ones_go),
		cmocka_unit_test(test_other_protocols),
		cmocka_unit_test(test_link_down),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

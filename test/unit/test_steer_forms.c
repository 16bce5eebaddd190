/* Steering by all compiled forms of vectors is that by single packets; owners' shares are alike. */
#include "test/unit/router_fixture.h"

#include "net/path/steer_columns.h"
#include "net/path/steer_frame.h"
#include "test/unit/forms.h"

static uint32_t below(uint32_t n)
{
	return (uint32_t)rand() % n;
}

/* A frame with something changed that matters to steering; often nothing. */
static void random_frame(uint8_t *f, uint32_t *len)
{
	struct frame frame;

	frame_udp(
		&frame, dev[0]->mac, host_mac[0], (uint32_t)rand() * 2u, (uint32_t)rand() * 2u, 40);
	store_be32(frame.data + 34, (uint32_t)rand() * 2u);
	if (below(2))
		frame.data[23] = 6;
	if (below(6) == 0)
		frame.data[12 + below(30)] ^= (uint8_t)(1 << below(8));
	if (below(8) == 0)
		frame.len = 14 + below(60);
	if (below(8) == 0)
		store_be16(frame.data + 16, (uint16_t)below(80));
	memcpy(f, frame.data, sizeof frame.data < 128 ? sizeof frame.data : 128);
	*len = (uint32_t)frame.len;
}

/* Plain: what the slow way finds no fault with, and with the same owner. */
static void check_columns(const struct steer_columns *c, uint64_t plain, const uint64_t *word,
	unsigned n, unsigned owners)
{
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *f = buffer_data(&router.buffers, packet_index(word[i]));
		struct steer_packet p;
		struct flow_key key;
		struct fragment fragment;

		assert_ptr_equal(c->data[i], f);
		bool is = steer_packet(&router.lane[0], f, packet_len(word[i]), &p) && !p.six &&
			  p.frame == f && f[14] == 0x45 && (f[23] == 6 || f[23] == 17) &&
			  p.len >= 38 && steer_part(&p, &fragment) == STEER_WHOLE;

		assert_int_equal(plain >> i & 1, is);
		if (!is)
			continue;
		steer_key(&p, &key);
		assert_int_equal(c->src[i], key.src.lo);
		assert_int_equal(c->dst[i], key.dst.lo);
		assert_int_equal(c->ports[i], key.ports);
		assert_int_equal(c->protocol[i], key.protocol);
		assert_int_equal(c->owner[i], steer_owner(NULL, 0, &key, owners));
	}
}

static void test_forms(void **state)
{
	static steer_columns_fn *const form[] = {
		steer_columns_plain, steer_columns_v3, steer_columns_v4};
	unsigned plain = 0;

	srand(11);
	for (unsigned round = 0; round < 3000; round++) {
		uint64_t word[BATCH_MAX + BATCH_PAD];
		unsigned n = 1 + below(BATCH_MAX), owners = 1 + below(SPREAD_MAX);
		struct steer_columns c;

		for (unsigned i = 0; i < n; i++) {
			uint32_t len;

			random_frame(buffer_data(&router.buffers, i), &len);
			word[i] = packet_word(i, len, 0);
		}
		for (unsigned i = n; i < BATCH_MAX + BATCH_PAD; i++)
			word[i] = word[0];
		uint64_t mask = form[round % forms_here()](&router.buffers, word, n, owners, &c);

		check_columns(&c, mask, word, n, owners);
		plain += (unsigned)__builtin_popcountll(mask);
	}
	assert_true(plain > 50000);
}

/* Hashes fall on all owners alike. */
static void test_shares(void **state)
{
	for (unsigned owners = 1; owners <= SPREAD_MAX; owners++) {
		unsigned share[SPREAD_MAX] = {0}, ports[SPREAD_MAX] = {0};

		for (unsigned i = 0; i < 8000; i++) {
			struct flow_key key = {.src.lo = IP(10, 0, 0, 1) + i % 80,
				.dst.lo = IP(192, 0, 2, 1),
				.ports = (1024 + i / 80) << 16 | 443,
				.protocol = 6,
				.family = 4};

			share[steer_owner(NULL, 0, &key, owners)]++;
		}
		for (uint32_t port = 0; port < 65536; port++) {
			assert_int_equal(steer_port_owner((uint16_t)port, owners),
				(port >> STEER_BLOCK_SHIFT) % owners);
			ports[steer_port_owner((uint16_t)port, owners)]++;
		}
		for (unsigned o = 0; o < owners; o++) {
			assert_in_range(
				share[o], 8000 / owners * 9 / 10 - 1, 8000 / owners * 11 / 10 + 1);
			assert_in_range(ports[o], 65536 / owners - 64, 65536 / owners + 64);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_forms, setup, teardown),
		cmocka_unit_test(test_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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
		uint64_t word[BATCH_MAX + BATCH_PAD] = {0};
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

/* A burst of nothing but whole IPv4 packets, or with one that is not, told by two fields. */
static void test_no_parts(void **state)
{
	static steer_no_parts_fn *const form[] = {
		steer_no_parts_plain, steer_no_parts_v3, steer_no_parts_v4};
	unsigned none = 0;

	srand(12);
	for (unsigned round = 0; round < 3000; round++) {
		unsigned n = 1 + below(BATCH_MAX), changed = below(2 * n);
		uint64_t word[BATCH_MAX];
		bool is = true;

		for (unsigned i = 0; i < n; i++) {
			uint8_t *f = buffer_data(&router.buffers, i);
			uint32_t len;

			random_frame(f, &len);
			store_be16(f + 12, ETH_TYPE_IPV4);
			store_be16(f + 20, (uint16_t)(below(4) << 14)); /* don't fragment */
			if (i == changed)
				f[below(2) ? 12 + below(2) : 20 + below(2)] ^=
					(uint8_t)(1 << below(8));
			is &= load_be16(f + 12) == ETH_TYPE_IPV4 &&
			      !(load_be16(f + 20) & (IPV4_MF | IPV4_OFFSET));
			word[i] = packet_word(i, len, 0);
		}
		assert_int_equal(form[round % forms_here()](&router.buffers, word, n), is);
		none += is;
	}
	assert_in_range(none, 1000, 2500);
}

/* Anything after a header that promises an IP packet, in memory that ends with the frame. */
static void test_reads_no_further(void **state)
{
	static const uint8_t header[] = {0, 6, 17, 1, 43, 44, 44, 44, 58, 60, 51, 132};
	unsigned parts[STEER_BAD + 1] = {0};

	srand(21);
	for (unsigned round = 0; round < 200000; round++) {
		uint32_t len = 14 + below(120), at = below(4) ? 12 : 16;
		uint8_t *f = malloc(len);
		struct steer_packet p;
		struct fragment fragment;
		struct flow_key key;
		bool six = below(2);

		for (uint32_t i = 0; i < len; i++)
			f[i] = below(3) ? (uint8_t)rand() : header[below(sizeof header)];
		if (len >= 36) {
			store_be16(f + 12, ETH_TYPE_VLAN);
			store_be16(f + at, six ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4);
			f[at + 2] = six ? 0x60 : (uint8_t)(0x45 + (below(4) ? 0 : below(3)));
			store_be16(f + at + (six ? 6 : 4), (uint16_t)(below(len)));
		}
		if (len >= 66 && six) {
			f[at + 8] = header[below(sizeof header)];
			store_be16(
				f + at + 44, (uint16_t)(below(3) ? below(20) : (unsigned)rand()));
		}
		if (len >= 66 && !six)
			store_be16(f + at + 8, (uint16_t)(below(2) << 13 | below(3) * below(300)));
		if (steer_packet(&router.lane[0], f, len, &p)) {
			assert_true(p.frame + p.len <= f + len);
			enum steer_part part = steer_part(&p, &fragment);

			parts[part]++;
			if (part == STEER_WHOLE || part == STEER_FIRST) {
				steer_key(&p, &key);
				assert_false(key.later);
				assert_int_equal(key.family, p.six ? 6 : 4);
			}
			if (part == STEER_FIRST || part == STEER_LATER) {
				assert_true(fragment.begin < fragment.end);
				assert_true(fragment.end <= 65535);
				assert_int_equal(part == STEER_FIRST, fragment.begin == 0);
			}
		}
		free(f);
	}
	for (unsigned i = 0; i <= STEER_BAD; i++)
		assert_true(parts[i] > 500);
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
		cmocka_unit_test_setup_teardown(test_no_parts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reads_no_further, setup, teardown),
		cmocka_unit_test(test_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Receive spreading: the flow hash, sorting, order, time, and rings that are full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/byteorder.h"
#include "net/path/spread.h"
#include "test/model/frame.h"

#define BUFFERS POOL_BUFS
#define WAYS    4u

static uint8_t owners[POOL_BUFS];
static struct buffers buffers;
static uint8_t *memory;
static struct counters counters;
static struct pool pool;
static struct lane lane;
static struct spread_sort sort;
static struct ring ring[WAYS];
static uint64_t ring_memory[WAYS][SPREAD_SLOTS];
static struct ring *rings[WAYS] = {NULL, &ring[1], &ring[2], &ring[3]};

static int setup(void **state)
{
	memset(&lane, 0, sizeof lane);
	memset(&counters, 0, sizeof counters);
	buffers_shape(&buffers, MTU_DEFAULT);
	free(memory);
	memory = aligned_alloc(64, (size_t)BUFFERS * buffers.stride);
	memset(memory, 0, (size_t)BUFFERS * buffers.stride);
	pool_place(&buffers, 0, memory, 0);
	buffers.owner = owners;
	buffers.pools = 1;
	buffers.actors = 2;
	pool_init(&buffers, 0, &pool, 1);
	lane.buffers = &buffers;
	lane.counters = &counters;
	lane.actor = 1;
	lane.received = 5000000;
	for (unsigned i = 1; i < WAYS; i++)
		ring_init(&ring[i], ring_memory[i], SPREAD_SLOTS);
	return 0;
}

static int teardown(void **state)
{
	free(memory);
	memory = NULL;
	return 0;
}

static uint32_t hash(const struct frame *f)
{
	return spread_hash(f->data, (uint32_t)f->len);
}

static void flow(struct frame *f, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

	frame_udp(f, mac, mac, src, dst, 30);
	store_be16(f->data + 34, sport);
	store_be16(f->data + 36, dport);
}

static void test_symmetric(void **state)
{
	srand(1);
	for (unsigned i = 0; i < 2000; i++) {
		uint32_t a = (uint32_t)rand(), b = (uint32_t)rand();
		uint16_t x = (uint16_t)rand(), y = (uint16_t)rand();
		struct frame there, back;

		flow(&there, a, b, x, y);
		flow(&back, b, a, y, x);
		if (i % 3 == 0)
			there.data[23] = back.data[23] = 6;
		if (i % 3 == 1)
			there.data[23] = back.data[23] = 47; /* no ports */
		assert_int_equal(hash(&there), hash(&back));
		/* TTL, TOS and payload say nothing about the flow */
		there.data[22] = 3;
		there.data[15] = 0xb8;
		there.data[50] ^= 1;
		assert_int_equal(hash(&there), hash(&back));
	}
}

/* All fragments of a datagram hash alike, though only the first has ports. */
static void test_fragments(void **state)
{
	struct frame first, later;

	flow(&first, 1, 2, 3, 4);
	flow(&later, 1, 2, 0x1234, 0x5678);
	assert_int_not_equal(hash(&first), hash(&later));
	store_be16(first.data + 20, 0x2000);
	store_be16(later.data + 20, 0x00b9);
	assert_int_equal(hash(&first), hash(&later));
}

/* Of a tagged packet the same: a flow stays with its worker, whatever the tag. */
static void test_tagged(void **state)
{
	struct frame f, plain;

	for (uint16_t port = 0; port < 100; port++) {
		flow(&plain, 1, 2, port, 4);
		f = plain;
		memmove(f.data + 16, f.data + 12, f.len - 12);
		store_be16(f.data + 12, 0x8100);
		store_be16(f.data + 14, (uint16_t)(port << 13 | 7));
		f.len += 4;
		assert_int_equal(hash(&f), hash(&plain));
	}
	store_be16(f.data + 16, 0x8100); /* not behind a second one */
	assert_int_equal(hash(&f), 0);
}

/* Whatever comes, at every length: nothing is read beyond the frame. */
static void test_garbage(void **state)
{
	struct frame f;

	srand(2);
	for (unsigned i = 0; i < 20000; i++) {
		size_t len = (size_t)rand() % 80;
		uint8_t *exact = malloc(len + 1);

		flow(&f, 1, 2, 3, 4);
		f.data[14] = (uint8_t)rand();
		if (i % 2) {
			memmove(f.data + 16, f.data + 12, f.len - 12);
			store_be16(f.data + 12, 0x8100);
		}
		memcpy(exact, f.data, len);
		spread_hash(exact, (uint32_t)len);
		free(exact);
	}
	flow(&f, 1, 2, 3, 4);
	store_be16(f.data + 12, 0x0806);
	assert_int_equal(hash(&f), 0);
}

/* Neighbouring addresses and ports, as clients have them, spread evenly over any number of ways. */
static void test_even(void **state)
{
	for (unsigned ways = 2; ways <= SPREAD_MAX; ways++) {
		unsigned hosts[SPREAD_MAX] = {0}, ports[SPREAD_MAX] = {0}, pairs[SPREAD_MAX] = {0};
		struct frame f;

		for (uint32_t i = 0; i < 4096; i++) {
			flow(&f, 0x0a000000 + i, 0x0a010001, 1024, 80);
			hosts[(uint64_t)hash(&f) * ways >> 32]++;
			flow(&f, 0x0a000001, 0x0a010001, (uint16_t)(1024 + i), 80);
			ports[(uint64_t)hash(&f) * ways >> 32]++;
			flow(&f, 0x0a000000 + i, 0x0a010000 + i, 1024, 80);
			pairs[(uint64_t)hash(&f) * ways >> 32]++;
		}
		for (unsigned w = 0; w < ways; w++) {
			assert_in_range(hosts[w] * ways, 4096 * 8 / 10, 4096 * 12 / 10);
			assert_in_range(ports[w] * ways, 4096 * 8 / 10, 4096 * 12 / 10);
			assert_in_range(pairs[w] * ways, 4096 * 8 / 10, 4096 * 12 / 10);
		}
	}
}

/* A burst of n packets of few flows; the buffer index counts, so the order can be seen. */
static void fill_burst(uint64_t *word, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct frame f;

		flow(&f, 1, 2, (uint16_t)(i % 13), 4);
		memcpy(buffer_data(&buffers, i), f.data, f.len);
		word[i] = packet_word(i, (uint32_t)f.len, 0);
	}
}

static void test_order_and_time(void **state)
{
	uint64_t word[BATCH_MAX];
	bool seen[BATCH_MAX] = {false};
	unsigned ways_used = 0;

	fill_burst(word, BATCH_MAX);
	unsigned own = spread_burst(&lane, &sort, rings, WAYS, word, BATCH_MAX);

	for (unsigned way = 0; way < WAYS; way++) {
		struct lane other = lane;
		uint64_t share[BATCH_MAX];
		unsigned n = own;

		other.received = 0;
		if (way == 0)
			memcpy(share, word, own * sizeof *word);
		else
			n = spread_take(&other, rings[way], share, BATCH_MAX, 5100000);
		ways_used += n != 0;
		if (n && way) /* 100,000 ticks ago, to 512 ticks */
			assert_in_range(other.received, 5000000 - 512, 5000000 + 512);
		for (unsigned i = 0; i < n; i++) {
			uint32_t index = packet_index(share[i]);
			uint64_t h =
				spread_hash(buffer_data(&buffers, index), packet_len(share[i]));

			assert_int_equal(packet_flags(share[i]), 0);
			assert_int_equal(h * WAYS >> 32, way);
			assert_false(seen[index]);
			seen[index] = true;
			if (i)
				assert_true(index > packet_index(share[i - 1]));
		}
	}
	for (unsigned i = 0; i < BATCH_MAX; i++)
		assert_true(seen[i]);
	assert_true(ways_used > 2);
}

/* A burst that lane received at `received`, taken by another lane at `now`: what that has then. */
static uint64_t taken(struct lane *other, uint64_t received, uint64_t now)
{
	uint64_t word[BATCH_MAX];
	unsigned n = 0;

	lane.received = received;
	fill_burst(word, BATCH_MAX);
	spread_burst(&lane, &sort, rings, WAYS, word, BATCH_MAX);
	pool.top = 0; /* the same buffers over and over */
	for (unsigned way = 1; way < WAYS; way++)
		n += spread_take(other, rings[way], word, BATCH_MAX, now);
	assert_true(n > 0);
	return other->received;
}

/* The taker had read its clock before the burst came, and was held up then. */
static void test_taken_late(void **state)
{
	static const uint64_t before[] = {1, 1000, 100000, 2500000, 15000000};
	uint64_t now = 1000000000;

	for (unsigned i = 0; i < sizeof before / sizeof *before; i++) {
		struct lane other = lane;

		other.received = 0;
		assert_int_equal(taken(&other, now + before[i], now), now);
	}
}

/* However long the taker is held up: a lane's time does not go back, and is not to come. */
static void test_time_never_goes_back(void **state)
{
	struct lane other = lane;
	uint64_t now = 1000000000, last = 0;

	other.received = 0;
	for (uint64_t late = 1; late < 200000000; late = late * 3 / 2 + 1) {
		last = taken(&other, now, now);
		assert_int_equal(last, now);
		assert_in_range(taken(&other, now + late, now + 1), last, now + 1);
		assert_in_range(taken(&other, now + 2, now + late + 2), last, now + late + 2);
		now += late + 2;
	}
}

/* A worker that does not take its share: the others go on, what is too much is counted. */
static void test_full(void **state)
{
	uint64_t word[BATCH_MAX];
	unsigned sorted = 0, own = 0, in_rings = 0;

	for (unsigned i = 0; i < 400; i++) {
		fill_burst(word, BATCH_MAX);
		own += spread_burst(&lane, &sort, rings, WAYS, word, BATCH_MAX);
		sorted += BATCH_MAX;
		pool.top =
			0; /* the same buffers over and over: their return does not matter here */
	}
	for (unsigned way = 1; way < WAYS; way++)
		in_rings += ring_depth(rings[way]);
	uint64_t dropped = counters.port[0].dropped[DROP_SPREAD_FULL];

	assert_true(dropped > 0);
	assert_int_equal(own + in_rings + dropped, sorted);
	assert_int_equal(counters.port[0].rx_packets, dropped);
	assert_int_equal(counters.port[0].rx_bytes, dropped * packet_len(word[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		CASE(test_symmetric),
		CASE(test_fragments),
		CASE(test_tagged),
		CASE(test_garbage),
		CASE(test_even),
		CASE(test_order_and_time),
		CASE(test_taken_late),
		CASE(test_time_never_goes_back),
		CASE(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

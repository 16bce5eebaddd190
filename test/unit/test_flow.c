/* The flow cache's memory and its look-ups in all forms, against a plain list of what was kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/byteorder.h"
#include "net/path/flow_line.h"
#include "test/model/frame.h"
#include "test/model/routegen.h"
#include "test/unit/forms.h"

#define LINES 2048u
#define KEPT  6000u
#define MANY  65536u /* lines, of which a part is used */
#define PORT  3u

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
static flow_find_fn *const form[] = {flow_find_plain, flow_find_v3, flow_find_v4};
static struct flows flows;
static struct flow_line *memory;
static uint64_t seed;

/* The plain list: each flow that was ever kept, as it was kept last. */
static struct kept {
	struct frame frame;
	uint32_t image[16], hash;
	bool six;
} kept[MANY / 2];

static unsigned draw(unsigned n)
{
	return (unsigned)(routegen_random(&seed) % n);
}

static void begin(uint32_t lines)
{
	seed = 5;
	memory = aligned_alloc(64, flow_bytes(lines));
	memset(memory, 0, flow_bytes(lines));
	flow_init(&flows, memory, lines, 99);
}

static int setup(void **state)
{
	begin(LINES);
	return 0;
}

static int setup_many(void **state)
{
	begin(MANY);
	return 0;
}

static int teardown(void **state)
{
	free(memory);
	return 0;
}

static void random_four(struct frame *f)
{
	static const uint8_t protocols[] = {6, 17, 17, 1, 47};

	frame_udp(f, mac, mac, 0x0a000000u + draw(1u << 20), 0x14000000u + draw(1u << 20), 20);
	f->data[IPV4_PROTOCOL] = protocols[draw(sizeof protocols)];
	store_be32(f->data + 34, (uint32_t)routegen_random(&seed));
	if (f->data[IPV4_PROTOCOL] == 1)
		f->data[34] = 8;
	frame_fix_checksum(f);
}

static void random_six(struct frame *f)
{
	memset(f, 0, sizeof *f);
	f->len = 80;
	store_be16(f->data + 12, ETH_TYPE_IPV6);
	f->data[IPV6_OFF] = 0x60;
	store_be16(f->data + IPV6_PAYLOAD, 26);
	f->data[IPV6_NEXT] = draw(2) ? 6 : 17;
	for (unsigned i = 0; i < 36; i++)
		f->data[IPV6_SOURCE + i] = (uint8_t)draw(256);
}

static bool image_of(const struct frame *f, bool six, uint32_t image[16])
{
	return flow_image(f->data, six, PORT, image);
}

/* Flow i, kept with a decision of its own. */
static void keep(unsigned i, uint32_t generation, uint32_t tick)
{
	struct kept *k = &kept[i];
	uint32_t image[16];

	k->image[FLOW_GENERATION] = generation;
	k->image[FLOW_HOP] = (uint32_t)routegen_random(&seed);
	k->image[FLOW_SLOTS] = (uint32_t)routegen_random(&seed);
	k->image[FLOW_MARK] = draw(4) << 16 | (tick & 0xffff);
	memcpy(image, k->image, sizeof image);
	flow_keep(&flows, image, k->hash);
}

static void make(unsigned i)
{
	struct kept *k = &kept[i];

	k->six = draw(4) == 0;
	if (k->six)
		random_six(&k->frame);
	else
		random_four(&k->frame);
	assert_true(image_of(&k->frame, k->six, k->image));
	k->hash = flow_hash(&flows.secret, k->image);
}

/* Found: then with the decision it was last kept with, whatever happened to others. */
static bool is_there(unsigned i, uint32_t generation)
{
	const struct kept *k = &kept[i];
	const uint32_t *w = flow_find_one(&flows, k->image, k->hash, generation);

	if (!w)
		return false;
	assert_int_equal(w[FLOW_GENERATION], generation);
	assert_int_equal(k->image[FLOW_GENERATION], generation);
	assert_int_equal(w[FLOW_HOP], k->image[FLOW_HOP]);
	assert_int_equal(w[FLOW_SLOTS], k->image[FLOW_SLOTS]);
	assert_int_equal(w[FLOW_MARK] >> 16, k->image[FLOW_MARK] >> 16);
	return true;
}

static unsigned look_at_all(uint32_t generation)
{
	struct flow_seen seen[2];
	unsigned n = 0;

	for (uint32_t line = 0; line < flows.lines; line++)
		n += flow_look(&flows, line, generation, 0, seen);
	return n;
}

/* Random keeping, changing and forgetting: nothing is ever found wrong. */
static void test_model(void **state)
{
	uint32_t generation = 1, tick = 0;

	for (unsigned i = 0; i < KEPT; i++)
		make(i);
	for (unsigned n = 0; n < 200000; n++) {
		unsigned i = draw(draw(2) ? KEPT : 500);

		if (draw(3) == 0)
			keep(i, generation, tick);
		(void)is_there(i, generation);
		tick += draw(200) == 0;
		if (draw(20000) == 0)
			generation++;
		if (draw(50) == 0)
			flow_age(&flows, 16, generation, tick);
	}
	unsigned found = 0;

	for (unsigned i = 0; i < KEPT; i++)
		found += is_there(i, generation);
	assert_int_equal(look_at_all(generation), found);
	assert_true(found > 100 && flows.evicted > 100);
	generation++;
	for (unsigned i = 0; i < KEPT; i++)
		assert_false(is_there(i, generation));
	flow_age(&flows, LINES, generation, tick);
	for (unsigned i = 0; i < LINES * 16; i++)
		assert_true(i % FLOW_HALF || memory[i / 16].word[i % 16] == 0);
}

/* Half of the places hold nearly all of as many flows, 98 in 100: each can stand in either of two
 * lines. */
static void test_room(void **state)
{
	unsigned found = 0;

	for (unsigned i = 0; i < LINES; i++) {
		do
			make(i);
		while (kept[i].six);
		keep(i, 1, 100);
	}
	for (unsigned i = 0; i < LINES; i++)
		found += is_there(i, 1);
	assert_true(found > LINES - LINES / 25);
}

/* Flows in use stay, however many others come. */
static void test_flood(void **state)
{
	uint32_t *w;

	for (unsigned i = 0; i < 200; i++) {
		do { /* an IPv6 flow wants a whole line, and may meet two that are in use */
			make(i);
			keep(i, 1, 100);
			w = flow_find_one(&flows, kept[i].image, kept[i].hash, 1);
		} while (!w);
		w[FLOW_MARK] = (w[FLOW_MARK] & 0xffff0000u) | 100; /* a second packet */
	}
	for (unsigned n = 0; n < 100000; n++) {
		make(KEPT - 1);
		keep(KEPT - 1, 1, 100);
	}
	for (unsigned i = 0; i < 200; i++)
		assert_true(is_there(i, 1));
	assert_true(flows.evicted > 50000);
}

/* Kept as the stage does, if it is not there; how many were not. */
static unsigned keep_once(unsigned n, uint32_t tick)
{
	unsigned missed = 0;

	for (unsigned i = 0; i < n; i++) {
		if (is_there(i, 1))
			continue;
		keep(i, 1, tick);
		missed++;
	}
	return missed;
}

/* Lines that are used become as many as flows need, and fewer again; no flow is seen twice. */
static void test_size(void **state)
{
	uint32_t few = flows.mask + 1, tick = 100;
	unsigned n = MANY / 2;

	assert_true(few < MANY);
	for (unsigned i = 0; i < n; i++)
		do
			make(i);
		while (kept[i].six);
	for (unsigned k = 0; k < 8; k++)
		(void)keep_once(n, tick++);
	assert_true(keep_once(n, tick) < n / 50);
	assert_int_equal(flows.mask, MANY - 1);
	unsigned there = 0, first = 0;

	for (unsigned i = 0; i < n; i++) {
		const uint32_t *w = flow_find_one(&flows, kept[i].image, kept[i].hash, 1);
		const uint32_t *line = flows.line[flow_first(&flows, kept[i].hash)].word;

		there += is_there(i, 1);
		first += w == line || w == line + FLOW_HALF;
	}
	assert_int_equal(look_at_all(1), there);
	assert_true(first > n - n / 16); /* what is not found any more is in nobody's way */
	flow_age(&flows, 2 * MANY, 1, tick);
	assert_int_equal(flows.live, there); /* and nothing that is not found */
	assert_int_equal(flows.mixed, 0);
	assert_int_equal(look_at_all(1), there);

	flow_age(&flows, 8 * MANY, 1, tick + FLOW_AGED);
	assert_int_equal(flows.mask + 1, few);
	assert_int_equal(look_at_all(1), 0);
	(void)keep_once(20, tick + FLOW_AGED); /* among what was left behind */
	for (unsigned i = 0; i < 20; i++)
		assert_true(is_there(i, 1));
	assert_int_equal(look_at_all(1), 20);
}

static void test_aged(void **state)
{
	make(0);
	make(1);
	keep(0, 1, 65000);
	keep(1, 1, 65500);
	flow_age(&flows, LINES, 1, 64998 + FLOW_AGED - 1);
	assert_true(is_there(0, 1));
	flow_age(&flows, LINES, 1, 64998 + FLOW_AGED); /* beyond 2^16: the count goes round */
	assert_false(is_there(0, 1));
	assert_true(is_there(1, 1));
	assert_int_equal(flows.aged, 1);
}

/* The lanes of a worker have times of their own, to some milliseconds: the flows' does not go back.
 */
static void test_time_of_two_lanes(void **state)
{
	static struct tables tables = {.generation = 1};
	struct lane own = {.flow = &flows, .tables = &tables}, feed = own;
	struct flow_ask q;

	for (uint64_t border = 1; border < 200000; border = border * 5 / 2 + 1) {
		own.received = border << FLOW_TICK;
		feed.received = own.received - 1;
		assert_true(flow_begin(&own, &q));
		assert_int_equal(q.tick, border & 0xffff);
		assert_true(flow_begin(&feed, &q));
		assert_int_equal(q.tick, border & 0xffff);
	}
}

/* What is shown is what was kept. */
static void test_look(void **state)
{
	struct flow_seen seen[2];

	make(0);
	while (kept[0].six || kept[0].frame.data[IPV4_PROTOCOL] != 17)
		make(0);
	keep(0, 7, 10);
	for (uint32_t line = 0; line < LINES; line++) {
		if (!flow_look(&flows, line, 7, UINT64_C(20) << FLOW_TICK, seen))
			continue;
		assert_int_equal(seen[0].key.src.lo, load_be32(kept[0].frame.data + IPV4_SOURCE));
		assert_int_equal(seen[0].key.dst.lo, load_be32(kept[0].frame.data + IPV4_DEST));
		assert_int_equal(seen[0].key.ports, load_be32(kept[0].frame.data + 34));
		assert_int_equal(seen[0].input, PORT);
		assert_int_equal(seen[0].nh, kept[0].image[FLOW_HOP] & 0xffff);
		assert_int_equal(seen[0].denied, kept[0].image[FLOW_MARK] >> 16);
		assert_int_equal(seen[0].idle, 12); /* it was kept as one not used twice */
		return;
	}
	fail_msg("the flow is not there");
}

/* ---- forms ---- */

/* A batch of frames, some of flows kept, some cut, fragments or of other flows. */
static void make_batch(struct batch *b, struct frame *frame)
{
	memset(b, 0, sizeof *b);
	b->n = 1 + draw(BATCH_MAX);
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		const struct kept *k = &kept[draw(KEPT)];

		while (k->six)
			k = &kept[draw(KEPT)];
		frame[i] = k->frame;
		if (draw(10) == 0)
			store_be16(frame[i].data + IPV4_FRAGMENT, (uint16_t)(1u << draw(16)));
		if (draw(10) == 0)
			store_be16(frame[i].data + IPV4_LENGTH, (uint16_t)(20 + draw(8)));
		if (draw(10) == 0)
			frame[i].data[22 + draw(16)] ^= (uint8_t)(1 + draw(255));
		b->data[i] = frame[i].data;
		b->total[i] = load_be16(frame[i].data + IPV4_LENGTH);
		b->plain |= (uint64_t)(draw(8) != 0) << i;
	}
	b->plain &= batch_all(b);
}

/* Whether parsing tells of frame i. */
static bool is_told(const struct batch *b, unsigned i, uint32_t image[16])
{
	uint8_t protocol = b->data[i][IPV4_PROTOCOL], type = b->data[i][IPV4_OFF + IPV4_HEADER];

	return (protocol == IPV4_TCP || protocol == IPV4_UDP ||
		       (protocol == IPV4_ICMP && (type == 0 || type == 8))) &&
	       flow_image(b->data[i], false, PORT, image);
}

static void check_form(flow_find_fn *find, struct batch *b, uint32_t tick)
{
	struct flow_ask q = {.flows = &flows, .generation = 1, .tick = tick};
	uint64_t expected = 0, keyed = 0;

	for (unsigned i = 0; i < b->n; i++) {
		uint32_t image[16];

		if (!is_told(b, i, image))
			continue;
		q.keyed |= UINT64_C(1) << i;
		q.ports[i] = image[3];
		q.hash[i] = flow_hash(&flows.secret, image);
		q.first[i] = flow_first(&flows, q.hash[i]) * CACHE_LINE;
	}
	find(&q, b, PORT);
	for (unsigned i = 0; i < b->n; i++) {
		uint32_t image[16];

		if (!(b->plain >> i & 1) || !is_told(b, i, image)) {
			assert_int_equal(b->nh[i], NEXTHOP_NONE);
			continue;
		}
		keyed |= UINT64_C(1) << i;
		const uint32_t *w = flow_find_one(&flows, image, q.hash[i], 1);

		assert_int_equal(b->nh[i], w ? w[FLOW_HOP] & 0xffff : NEXTHOP_NONE);
		if (!w)
			continue;
		expected |= UINT64_C(1) << i;
		assert_int_equal(flow_kept(&q, i, FLOW_HOP), w[FLOW_HOP]);
		assert_int_equal(flow_kept(&q, i, FLOW_SLOTS), w[FLOW_SLOTS]);
		assert_int_equal(flow_kept(&q, i, FLOW_MARK) >> 16, w[FLOW_MARK] >> 16);
		assert_int_equal(w[FLOW_MARK] & 0xffff, tick); /* it was used now */
	}
	assert_int_equal(q.keyed, keyed);
	assert_int_equal(q.hit, expected);
	for (unsigned i = b->n; i < BATCH_MAX && i % BATCH_PAD; i++)
		assert_int_equal(b->nh[i], NEXTHOP_NONE);
}

static void test_forms(void **state)
{
	static struct frame frame[BATCH_MAX];
	struct batch b;

	for (unsigned i = 0; i < KEPT; i++) {
		make(i);
		keep(i, i % 5 ? 1 : 2, 1);
	}
	for (unsigned n = 0; n < 2000; n++) {
		make_batch(&b, frame);
		for (unsigned f = 0; f < forms_here(); f++)
			check_form(form[f], &b, n & 0xffff);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_model),
		TEST(test_room),
		TEST(test_flood),
		cmocka_unit_test_setup_teardown(test_size, setup_many, teardown),
		TEST(test_aged),
		TEST(test_time_of_two_lanes),
		TEST(test_look),
		TEST(test_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Which packets of a batch are simple, by what parsing has told: every form against a look at each
 * field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/byteorder.h"
#include "net/path/frame.h"
#include "net/path/track_simple.h"
#include "test/model/routegen.h"
#include "test/unit/forms.h"

#define TRANSPORT (IPV4_OFF + IPV4_HEADER)
#define STEPS     2000u

static uint8_t frame[BATCH_MAX + BATCH_PAD][128];
static uint64_t seed = 1;

static uint32_t draw(uint32_t n)
{
	return (uint32_t)(routegen_random(&seed) % n);
}

static void make_frame(uint8_t *f)
{
	static const uint8_t protocols[] = {6, 6, 6, 17, 17, 1, 132, 0};
	static const uint8_t flags[] = {0x10, 0x10, 0x18, 0x30, 0x02, 0x12, 0x14, 0x11, 0x00};
	static const uint16_t places[] = {0, 0, 0, 0x4000, 0x4000, 0x2000, 0x0001, 0x1fff, 0x8000};

	for (unsigned i = 0; i < sizeof frame[0]; i++)
		f[i] = (uint8_t)draw(256);
	store_be16(f + IPV4_FRAGMENT, places[draw(sizeof places / sizeof *places)]);
	f[IPV4_PROTOCOL] = protocols[draw(sizeof protocols)];
	f[TRANSPORT + 13] = flags[draw(sizeof flags)];
}

/* By what parsing tells, which stands in test_forms.c. */
static void ask_for(struct track_ask *ask, unsigned i, const uint8_t *f, uint32_t total)
{
	bool whole = !(load_be16(f + IPV4_FRAGMENT) & 0x3fff);
	bool udp = whole && f[IPV4_PROTOCOL] == 17 && total >= 28;
	bool tcp = whole && f[IPV4_PROTOCOL] == 6 && total >= 40;

	ask->udp |= (uint64_t)udp << i;
	ask->tcp |= (uint64_t)tcp << i;
}

static bool is_simple(const uint8_t *f, uint32_t total)
{
	if (load_be16(f + IPV4_FRAGMENT) & 0x3fff)
		return false;
	if (f[IPV4_PROTOCOL] == 17)
		return total >= 28;
	return f[IPV4_PROTOCOL] == 6 && total >= 40 && (f[TRANSPORT + 13] & 0x17) == 0x10;
}

static void check_acked(uint32_t acked, const uint8_t *f)
{
	uint32_t should;

	memcpy(&should, f + TRANSPORT + 8, sizeof should);
	assert_int_equal(acked, should);
}

static void test_forms(void **state)
{
	static track_simple_fn *const form[] = {
		track_simple_plain, track_simple_v3, track_simple_v4};
	static struct batch b;
	struct track_ask ask;
	unsigned found = 0;

	for (unsigned step = 0; step < STEPS; step++) {
		uint64_t want = 0;

		b.n = 1 + draw(BATCH_MAX);
		b.track = &ask;
		ask.tcp = ask.udp = 0;
		b.plain = routegen_random(&seed);
		b.plain |= routegen_random(&seed);
		b.plain &= batch_all(&b);
		for (unsigned i = 0; i < BATCH_MAX; i++) {
			make_frame(frame[i]);
			b.data[i] = frame[i];
			b.total[i] = 20 + draw(30);
			ask_for(&ask, i, frame[i], b.total[i]);
			want |= (uint64_t)(b.plain >> i & is_simple(frame[i], b.total[i])) << i;
		}
		for (unsigned f = 0; f < forms_here(); f++) {
			uint32_t acked[BATCH_MAX];
			uint64_t simple = form[f](&b, acked);

			assert_true(simple == want);
			for (; simple; simple &= simple - 1)
				check_acked(acked[__builtin_ctzll(simple)],
					frame[__builtin_ctzll(simple)]);
		}
		found += (unsigned)__builtin_popcountll(want);
	}
	assert_true(found > STEPS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

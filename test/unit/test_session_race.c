/*
 * Sessions looked up and copied by a core that is not their actor, while that one makes and ends
 * them. Readers take what they read for a guess until the version says that it was whole
 * (session_copy); ThreadSanitizer, which runs the tests that have POSIX threads, calls that a race.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <threads.h>

#include "net/path/session.h"

#define MAX     64u
#define KEYS    3u
#define LOOKUPS 4000000u

static struct sessions table;
static struct flow_key key[KEYS], back[KEYS];
static atomic_bool stop;

/* One place, taken by one session after another, some of which last long enough for a copy. */
static int actor(void *arg)
{
	for (uint32_t now = 1; !stop; now++) {
		struct session *s = session_begin(&table, &key[now % KEYS], &back[now % KEYS], now);

		for (volatile uint32_t rest = now % 256; rest; rest--)
			;
		session_end(&table, s);
	}
	return 0;
}

/* The copy is of one of the sessions, both ways. */
static bool is_whole(const struct session_view *view)
{
	for (unsigned i = 0; i < KEYS; i++)
		if (flow_key_equal(&view->key[0], &key[i]))
			return flow_key_equal(&view->key[1], &back[i]);
	return false;
}

static void test_copies(void **state)
{
	void *memory = aligned_alloc(64, (sessions_bytes(MAX) + 63) & ~(size_t)63);
	unsigned found = 0, copied = 0, torn = 0;
	struct session_view view;
	thrd_t thread;

	sessions_init(&table, memory, MAX, 4711);
	for (uint32_t i = 0; i < KEYS; i++) {
		key[i] = (struct flow_key){.src.lo = 0x0a000001 + i,
			.dst.lo = 0x14000001 + i,
			.ports = (1000 + i) << 16 | 80,
			.protocol = 17,
			.family = 4};
		flow_key_reverse(&key[i], &back[i]);
	}
	assert_int_equal(thrd_create(&thread, actor, NULL), thrd_success);
	/* On a machine of one core too the threads have met by then. */
	for (unsigned n = 0; n < LOOKUPS || !copied; n++) {
		const struct way *way = session_find(&table, &key[n % KEYS]);

		if (!way)
			continue;
		found++;
		if (!session_copy(&table, session_way_number(&table, way) / 2, 1, &view))
			continue;
		copied++;
		torn += !is_whole(&view);
	}
	stop = true;
	thrd_join(thread, NULL);
	free(memory);
	assert_int_equal(torn, 0);
	print_message("%u found, %u of them copied\n", found, copied);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies),
	};

	return cmocka_run_group_tests_name("session_race", tests, NULL, NULL);
}

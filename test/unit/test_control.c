/* The control core's tasks: what they write to the log. */
#include "kernel/log.h"
#include "test/unit/router_fixture.h"

struct search {
	const char *line;
	unsigned found;
};

static void on_line(void *ctx, uint64_t us, const char *line)
{
	struct search *s = ctx;

	s->found += !strcmp(line, s->line);
}

/* How many lines of the log are exactly this. */
static unsigned logged(const char *line)
{
	struct search s = {.line = line};

	log_walk(on_line, &s);
	return s.found;
}

static void test_address_conflict(void **state)
{
	static const uint8_t other[6] = {2, 9, 9, 9, 9, 9};
	struct frame in;

	frame_arp(&in, 1, all, other, ROUTER(1), zero_mac, ROUTER(1));
	inject(1, &in);
	inject(1, &in);
	turns(3);
	assert_int_equal(logged("eth1: 02:09:09:09:09:09 uses our address 10.0.1.1"), 1);
	check_books();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_address_conflict, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

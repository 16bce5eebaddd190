/* A crash's report in memory, and the frames it shows. */
#include "test/unit/shell_fixture.h"

#include "kernel/crashlog.h"
#include "kernel/lastframes.h"

static struct crashlog area;

static void expect_text(const char *want)
{
	size_t n = 0;
	const char *text = crashlog_text(&area, &n);

	assert_non_null(text);
	assert_int_equal(n, strlen(want));
	assert_memory_equal(text, want, n);
}

static void test_report(void **state)
{
	size_t n;

	memset(&area, 0xa5, sizeof area);
	assert_null(crashlog_text(&area, &n));
	crashlog_begin(&area);
	assert_null(crashlog_text(&area, &n)); /* nothing was said */
	crashlog_append(&area, "\r\nfirst", 7);
	expect_text("\nfirst"); /* whole as far as it goes */
	crashlog_append(&area, " second", 7);
	expect_text("\nfirst second");
	crashlog_begin(&area);
	crashlog_append(&area, "anew", 4);
	expect_text("anew");
	crashlog_clear(&area);
	assert_null(crashlog_text(&area, &n));
}

/* Memory that lost a bit anywhere is no report. */
static void test_damage(void **state)
{
	size_t n;

	crashlog_begin(&area);
	crashlog_append(&area, "0123456789", 10);
	for (unsigned bit = 0; bit < 8 * (offsetof(struct crashlog, text) + 10); bit++) {
		uint8_t *p = (uint8_t *)&area + bit / 8;

		*p ^= (uint8_t)(1u << bit % 8);
		assert_null(crashlog_text(&area, &n));
		*p ^= (uint8_t)(1u << bit % 8);
	}
	expect_text("0123456789");
	area.bytes = UINT64_MAX;
	assert_null(crashlog_text(&area, &n));
}

static void test_full(void **state)
{
	static char much[CRASHLOG_TEXT + 100];
	size_t n;

	memset(much, 'x', sizeof much);
	crashlog_begin(&area);
	crashlog_append(&area, much, 100);
	crashlog_append(&area, much, sizeof much);
	crashlog_append(&area, much, 1);
	assert_non_null(crashlog_text(&area, &n));
	assert_int_equal(n, CRASHLOG_TEXT);
}

static char lines[20000];

static void add_line(void *ctx, const char *line)
{
	strcat(strcat(lines, line), "\n");
	++*(unsigned *)ctx;
}

static void test_frames(void **state)
{
	uint8_t frame[60] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55, 6, 5, 4, 3, 2, 1, 0x88, 0xb5};
	unsigned n = 0;

	lines[0] = '\0';
	lastframes_walk(&router, add_line, &n);
	assert_int_equal(n, 0); /* nothing has been received */
	memcpy(frame, dev[0]->mac, 6);
	frame[14] = 0xab;
	assert_true(memdev_inject(dev[0], 0, frame, sizeof frame));
	turns(5);
	lastframes_walk(&router, add_line, &n);
	assert_true(n >= 1 && n <= 4);
	expect_in(lines, "  worker 0, eth0:0, recent: ");
	expect_in(lines, "06050403020188b5ab00");
	memset(&router, 0, sizeof router); /* before there is a router */
	n = 0;
	lastframes_walk(&router, add_line, &n);
	assert_int_equal(n, 0);
}

static int forget(void **state)
{
	model_platform_free();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_full),
		cmocka_unit_test_setup_teardown(test_frames, start_shell, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* show boot, hardware and crash: the time line of the boot, facts and devices, a report. */
#include "test/unit/shell_fixture.h"

#include "kernel/bootlog.h"
#include "kernel/hardware.h"
#include "test/unit/json.h"

/* The model's clock: a TSC tick is a nanosecond. */
static void test_boot(void **state)
{
	model_platform.now_us = 5000;
	bootlog_begin(1000000);
	expect_in(run("show boot | json"), "\"rings_posted_ms\":null,\"phases\":[]");
	bootlog_begin(platform_tsc() - 1500000);
	bootlog_phase("entry");
	model_platform.now_us += 2250;
	bootlog_phase("memory");
	bootlog_rings_posted();
	for (unsigned i = 0; i < 2 * BOOTLOG_PHASES_MAX; i++)
		bootlog_phase("more");
	assert_int_equal(bootlog_phases(), BOOTLOG_PHASES_MAX);
	for (unsigned i = 1; i < bootlog_phases(); i++)
		assert_int_equal(bootlog_get(i)->from, bootlog_get(i - 1)->end);
	const char *json = run("show boot | json");

	assert_true(json_valid(json));
	expect_in(json, "\"booted_by\":\"unit test\"");
	expect_in(json, "\"rings_posted_ms\":3.750");
	expect_in(json, "{\"phase\":\"entry\",\"cycles\":1500000,\"ms\":1.500,\"end_ms\":1.500},"
			"{\"phase\":\"memory\",\"cycles\":2250000,\"ms\":2.250,\"end_ms\":3.750}");
	expect_in(run("show boot"), "\nmemory                2250000      2.250      3.750\n");
}

static void test_hardware(void **state)
{
	struct hardware_device d = {.vendor_id = 0x8086,
		.device_id = 0x100e,
		.class_code = 0x020000,
		.note = "no driver"};
	char row[100];

	hardware_fact("clock", "a %s", "guess");
	hardware_fact("clock", "TSC at %u kHz", 7);
	for (unsigned i = 0; i < 40; i++) { /* more than one slice */
		snprintf(d.location, sizeof d.location, "0000:00:%02x.0", i);
		hardware_device(&d);
	}
	hardware_driven("0000:00:27.0", "some-driver");
	hardware_driven("0000:00:77.0", "nobody's");
	const char *text = run("show hardware");

	expect_in(text, "clock: TSC at 7 kHz\n");
	expect_in(text, "0000:00:00.0  8086:100e 020000 network        -            no driver\n");
	expect_in(text, "0000:00:27.0  8086:100e 020000 network        some-driver");
	expect_in(run("show hardware | count"), "42");
	const char *json = run("show hardware | json");

	assert_true(json_valid(json));
	snprintf(row, sizeof row, "\"kind\":\"network\",\"driver\":null,\"note\":\"no driver\"}");
	expect_in(json, row);
}

static void test_no_more_than_fit(void **state)
{
	struct hardware_device d = {.note = ""};
	static char name[HARDWARE_FACTS_MAX + 4][8];

	for (unsigned i = 0; i < HARDWARE_FACTS_MAX + 4; i++) {
		snprintf(name[i], sizeof name[i], "fact%u", i);
		hardware_fact(name[i], "%0500u", i);
	}
	assert_int_equal(hardware_facts(), HARDWARE_FACTS_MAX);
	for (unsigned i = 0; i < HARDWARE_DEVICES_MAX + 10; i++)
		hardware_device(&d);
	assert_int_equal(hardware_devices(), HARDWARE_DEVICES_MAX);
	assert_true(json_valid(run("show hardware | json")));
}

static void test_crash(void **state)
{
	static char report[4000];
	size_t n = 0;

	model_platform.crash = NULL;
	run_expect("show crash", "no crash recorded");
	run_expect("show crash | json", "{\"crash\":[]}");
	for (unsigned i = 0; i < 40; i++) /* more than one slice */
		n += (size_t)snprintf(report + n, sizeof report - n, "\nline %u\x01", i);
	model_platform.crash = report;
	expect_in(run("show crash"), "line 0?\nline 1?\n");
	run_expect("show crash | count", "40");
	expect_in(run("show crash | json"), "{\"crash\":[\"line 0?\",");
	run_expect("clear crash", "");
	run_expect("show crash", "no crash recorded");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_boot, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_hardware, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_crash, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_no_more_than_fit, start_shell, stop_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

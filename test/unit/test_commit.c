/* Editing by hand: set, delete, compare, commit as all or nothing, load, and boot modules. */
#include "test/unit/shell_fixture.h"

static void test_commit(void **state)
{
	run_expect("set system hostname r1", "");
	run_expect("show configuration", "");
	run_expect("show configuration candidate", "set system hostname r1");
	run_expect("compare", "+ set system hostname r1");
	run_expect("commit", "");
	assert_int_equal(applied, 1);
	run_expect("show configuration", "set system hostname r1");
	run_expect("compare", "");
	run_expect("commit", ""); /* nothing to do */
	assert_int_equal(applied, 1);
	run_expect("set system hostname r2", "");
	run_expect("set interfaces eth0 address 10.0.0.1/24", "");
	run_expect("compare", "- set system hostname r1\n+ set system hostname r2\n"
			      "+ set interfaces eth0 address 10.0.0.1/24");
	run_expect("discard", "");
	run_expect("compare", "");
	run_expect("delete system", "");
	run_expect("delete system", "error: nothing to delete");
	run_expect("commit", "");
	run_expect("show configuration", "");
}

static void test_prompt(void **state)
{
	screen_n = 0;
	type("\r");
	assert_string_equal(screen, "\nbarewire> ");
	screen_n = 0;
	type("set system hostname r1\r");
	assert_string_equal(screen, "set system hostname r1\nbarewire*> ");
	screen_n = 0;
	type("commit\r");
	assert_string_equal(screen, "commit\nr1> ");
	screen_n = 0;
	type("delete system\rcommit\r");
	assert_string_equal(screen, "delete system\nr1*> commit\nbarewire> ");
}

static void test_commit_all_or_nothing(void **state)
{
	run_expect("set interfaces eth0 address 10.0.0.1/24", "");
	run_expect("commit", "");
	run_expect("set interfaces eth1 address 10.0.1.1/24", "");
	run_expect("set interfaces eth1 address 10.0.0.7/25", "");
	run_expect("commit",
		"error: set interfaces eth1 address 10.0.0.7/25: overlaps 10.0.0.1/24 on eth0");
	assert_int_equal(router.iface[1].addrs, 0);
	assert_int_equal(applied, 1);
	run_expect("show configuration", "set interfaces eth0 address 10.0.0.1/24");
	run_expect("delete interfaces eth1 address 10.0.0.7/25", "");
	apply_error = "the table is full";
	run_expect("commit", "error: the table is full");
	run_expect("show configuration", "set interfaces eth0 address 10.0.0.1/24");
	apply_error = NULL;
	run_expect("commit", "");
	assert_int_equal(router.iface[1].addrs, 1);
}

static void test_absent_interfaces(void **state)
{
	run_expect("set interfaces eth10 mtu 1400", "");
	run_expect("set interfaces eth7 disabled", "");
	run_expect("set interfaces eth7 mtu 1400", "");
	run_expect("set neighbors eth8 10.0.0.1 02:00:00:00:00:01", "");
	run_expect("set routes 10.0.0.0/8 via 9.0.0.1 dev eth9", "");
	run_expect("commit", "warning: interface eth7 is not present\n"
			     "warning: interface eth8 is not present\n"
			     "warning: interface eth9 is not present\n"
			     "warning: interface eth10 is not present");
	run_expect("show configuration | count", "5");
	run_expect("show interfaces eth7", "error: no interface 'eth7'");
	run_expect("show queues eth7 | json", "error: no interface 'eth7'");
}

static void test_paste_back(void **state)
{
	static const char *const lines[] = {"set system hostname r9",
		"set interfaces eth0 address 10.0.0.1/24",
		"set interfaces eth0 description \"a \\\"?\\\" b\"",
		"set routes 20.0.0.0/8 via 10.0.0.2",
		"set neighbors eth0 10.0.0.2 02:00:00:00:00:01", "commit", NULL};
	static char text[4000];

	run_all(lines);
	snprintf(text, sizeof text, "%s\n", run("show configuration"));
	run_expect("delete system", "");
	run_expect("delete interfaces", "");
	run_expect("delete routes", "");
	run_expect("delete neighbors", "");
	run_expect("commit", "");
	type(text);
	type("\r");
	run_expect("commit", "");
	text[strlen(text) - 1] = '\0';
	run_expect("show configuration", text);
}

static void test_load(void **state)
{
	run_expect("set system hostname before", "");
	type("load\r");
	type("# text\rset interfaces eth0 mtu 1400\r\n\rdelete system\r\nset system hostname "
	     "x?y\r");
	type("set interfaces eth1 mtu 1400");
	type("\x04");
	run_expect("show configuration candidate", "set system hostname before");
	assert_non_null(strstr(run("compare"), "before"));
	screen_n = 0;
	type("load\rset system workers 2\rset foo\r\x04");
	assert_non_null(strstr(screen, "\nerror: line 2: unknown word 'foo'\n"));
	screen_n = 0;
	type("load\rset system workers 2\r\x03");
	run_expect("show configuration candidate", "set system hostname before");
	type("load\rset system workers 2\rdelete system hostname\rset int eth0 mtu 1400\x04");
	run_expect("show configuration candidate",
		"set system workers 2\nset interfaces eth0 mtu 1400");
	type("\x04\x04");
	run_expect("compare", "+ set system workers 2\n+ set interfaces eth0 mtu 1400");
	screen_n = 0;
	type("load\r");
	for (unsigned i = 0; i < 100000; i++)
		type("x");
	type("\x04");
	assert_non_null(strstr(screen, "\nerror: line 1: line too long\n"));
	run_expect("compare", "+ set system workers 2\n+ set interfaces eth0 mtu 1400");
}

/* The two steps of booting with a configuration, with nothing between. */
static bool boot(const char *text, size_t n, char *error, size_t size)
{
	struct config config;
	bool good = shell_read_config(text, n, &config, error, size);

	config_free(&config);
	return good && shell_load_config(BY_BOOT_MODULE, error, size);
}

static void test_boot(void **state)
{
	static const char good[] =
		"# site\r\nset system hostname boot\r\n"
		"set interfaces eth0 address 10.0.0.1/24\r\nset interfaces eth5 mtu 1400";
	static const char bad[] =
		"set system hostname other\nset interfaces eth0 address 10.0.0.0/24\n";
	char error[200] = "";

	assert_true(boot(good, sizeof good - 1, error, sizeof error));
	assert_int_equal(router.iface[0].addrs, 1);
	run_expect("compare", "");
	assert_non_null(strstr(run("show log"), "warning: interface eth5 is not present"));
	assert_false(boot(bad, sizeof bad - 1, error, sizeof error));
	assert_string_equal(
		error, "line 2: set interfaces eth0 address 10.0.0.0/24: is the network address");
	assert_non_null(strstr(run("show configuration"), "hostname boot"));
	apply_error = "no room";
	assert_false(boot("set system workers 1", 20, error, sizeof error));
	assert_string_equal(error, "no room");
	assert_non_null(strstr(run("show configuration"), "hostname boot"));
}

/* A large configuration: thousands of routes in, printed in slices, and out again. */
static void test_many_routes(void **state)
{
	char line[80];

	for (unsigned i = 0; i < 3000; i++) {
		snprintf(line, sizeof line, "set routes 20.%u.%u.0/24 blackhole\r",
			i * 7919 % 3000 / 256, i * 7919 % 3000 % 256);
		type(line);
	}
	run_expect("show configuration candidate | count", "3000");
	run_expect("commit", "");
	run_expect("show configuration | include 20.1.5.0", "set routes 20.1.5.0/24 blackhole");
	run_expect("show routes 20.0.0.0/8 | count", "3001");
	run_expect("delete routes", "");
	run_expect("commit", "");
	run_expect("show configuration", "");
	run_expect("show routes 20.0.0.0/8 | count", "1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_commit, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_prompt, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(
			test_commit_all_or_nothing, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_absent_interfaces, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_paste_back, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_load, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_boot, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_many_routes, start_shell, stop_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

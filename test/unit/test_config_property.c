/*
 * Properties of the configuration: whatever was set, deleted, committed, rolled
 * back and refused, the router is as one that has just read its printout.
 */
#include "test/unit/shell_fixture.h"

#include "test/unit/random_config.h"
#include "test/unit/state_dump.h"

#define EPISODES    60u
#define STEPS       60u
#define TEXT_MAX    16384u
#define GENERATIONS 10u

static char in_force[GENERATIONS + 1][TEXT_MAX]; /* as printed after each commit, newest first */
static unsigned kept;
static unsigned steps, commits, refusals, rollbacks, undone;

/* The newest generation is `text` now. */
static void remember(const char *text)
{
	if (kept <= GENERATIONS)
		kept++;
	memmove(in_force[1], in_force[0], (kept - 1) * sizeof in_force[0]);
	assert_true(strlen(text) < TEXT_MAX);
	strcpy(in_force[0], text);
}

static void expect_in_force(void)
{
	run_expect("show configuration", in_force[0]);
}

/* A text as lines of `load`. */
static void type_load(const char *text)
{
	static char line[2 * TEXT_MAX];

	snprintf(line, sizeof line, "load replace\r%s\r\x04", text);
	for (char *p = line; *p; p++)
		if (*p == '\n')
			*p = '\r';
	type(line);
	screen_n = 0;
	type("\r");
	while (!at_prompt())
		turns(1);
}

static bool is_changed(void)
{
	return *run("compare") != '\0';
}

/* What is in force follows, or nothing has changed and the error is one line. */
static void step_commit(const char *command)
{
	static char candidate[TEXT_MAX];
	bool changed = is_changed();

	snprintf(candidate, sizeof candidate, "%s", run("show configuration candidate"));
	const char *reply = run(command);

	if (strncmp(reply, "error: ", 7) == 0) {
		assert_null(strchr(reply, '\n'));
		refusals++;
	} else if (changed) {
		commits++;
		remember(candidate);
	}
	expect_in_force();
}

static void step_rollback(void)
{
	unsigned n = any(kept + 1);
	char line[40];

	snprintf(line, sizeof line, "rollback %u", n);
	if (n > GENERATIONS)
		return;
	if (n >= kept) {
		snprintf(line, sizeof line, "rollback %u", n);
		assert_int_equal(strncmp(run(line), "error: there is no generation", 29), 0);
		return;
	}
	run_expect(line, "");
	run_expect("show configuration candidate", in_force[n]);
	snprintf(line, sizeof line, "compare rollback %u", n);
	run_expect(line, "");
	rollbacks++;
}

/* A commit that nobody confirms: all is as before it, but that there are two generations more. */
static void step_unconfirmed(void)
{
	static char before[TEXT_MAX];
	unsigned was = commits;

	strcpy(before, in_force[0]);
	step_commit("commit confirmed 1");
	if (commits == was)
		return;
	model_platform.now_us += 61000000;
	turns(3);
	remember(before);
	undone++;
	expect_in_force();
}

/* The words of a line that the candidate has, or any. */
static void present_line(char out[RANDOM_LINE_MAX])
{
	const char *text = run("show configuration candidate");
	unsigned lines = 0;

	for (const char *p = text; *p; p++)
		lines += *p == '\n' || !p[1];
	if (!lines || any(4) == 0) {
		random_line(out);
		return;
	}
	for (unsigned skip = any(lines); skip; skip--)
		text = strchr(text, '\n') + 1;
	snprintf(out, RANDOM_LINE_MAX, "%.*s", (int)strcspn(text, "\n") - 4, text + 4);
}

static void step(void)
{
	char words[RANDOM_LINE_MAX], line[RANDOM_LINE_MAX + 10];

	steps++;
	switch (any(16)) {
	case 0:
	case 1:
		step_commit("commit");
		return;
	case 2:
		step_rollback();
		return;
	case 3:
		if (any(3) == 0)
			run_expect("discard", "");
		return;
	case 4:
		if (any(4) == 0)
			step_unconfirmed();
		return;
	case 5:
	case 6:
	case 7:
		present_line(words);
		snprintf(line, sizeof line, "delete %s", words);
		for (unsigned cut = any(2) * any(4); cut; cut--) /* or any beginning of it */
			if (strrchr(line + 7, ' '))
				*strrchr(line + 7, ' ') = '\0';
		if (strcmp(line, "delete routes") != 0 || any(5) == 0)
			(void)run(line);
		return;
	default:
		random_line(words);
		snprintf(line, sizeof line, "set %s", words);
		(void)run(line);
	}
}

/*
 * Waits until the FIBs have followed, what was freed can be had again, and all
 * addresses have been probed: the probe, and then a second of silence.
 */
static void settle(void)
{
	for (unsigned i = 0; i < 3; i++) {
		turns(10);
		model_platform.now_us += 1100000;
	}
	turns(30);
}

static void test_is_as_its_printout(void **state)
{
	static struct dump lived, fresh;
	static char text[TEXT_MAX];

	for (unsigned episode = 0; episode < EPISODES; episode++) {
		random_state = 0x9e3779b97f4a7c15ull + episode;
		start_shell(state);
		kept = 0;
		remember("");
		for (unsigned i = 0; i < STEPS; i++)
			step();
		(void)run("commit"); /* or it is refused: what was in force is what counts */
		settle();
		snprintf(text, sizeof text, "%s", run("show configuration"));
		lived.n = fresh.n = 0;
		dump_all(&lived);
		stop_shell(state);

		start_shell(state);
		type_load(text);
		assert_int_not_equal(strncmp(run("commit"), "error", 5), 0);
		run_expect("show configuration", text);
		settle();
		dump_all(&fresh);
		if (dump_difference(&lived, &fresh))
			fail_msg("episode %u: %s\n%s", episode, dump_difference(&lived, &fresh),
				text);
		expect_last_line(run("show fib verify"), "verify: ok");
		stop_shell(state);
	}
	printf("figure: %u steps, %u commits, %u refused, %u rollbacks, %u undone\n", steps,
		commits, refusals, rollbacks, undone);
	assert_true(commits > 200 && refusals > 20 && rollbacks > 50 && undone > 10);
}

/* What `save` prints is read back as it is, comment and all. */
static void test_save(void **state)
{
	static char text[TEXT_MAX], shown[TEXT_MAX];
	char words[RANDOM_LINE_MAX], line[RANDOM_LINE_MAX + 10];

	random_state = 7;
	start_shell(state);
	for (unsigned i = 0; i < 200; i++) {
		random_line(words);
		snprintf(line, sizeof line, "set %s", words);
		(void)run(line);
		(void)run("commit");
		if (is_changed())
			run_expect("discard", "");
	}
	snprintf(shown, sizeof shown, "%s", run("show configuration"));
	snprintf(text, sizeof text, "%s", run("save"));
	assert_int_equal(strncmp(text, "# ", 2), 0);
	assert_string_equal(strchr(text, '\n') + 1, shown);
	run_expect("set system workers 3", "");
	type_load(text);
	run_expect("compare", "");
	stop_shell(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_as_its_printout),
		cmocka_unit_test(test_save),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Commands of a test image: faults that are planted, to be found by audits and exceptions. */
#ifdef TEST_HOOKS
#	include <string.h>

#	include "kernel/debug.h"
#	include "kernel/platform.h"
#	include "kernel/shell/commands.h"
#	include "kernel/shell/commit.h"
#	include "kernel/shell/nodes.h"

#	define PLANT_US 1000000u

/* Asks for a fault at the port of word 2, and ends when it is there: the next audit must find it.
 */
static bool plant(struct call *call, volatile unsigned *request)
{
	static uint64_t since;
	uint64_t now = call->env->now_us(call->env->ctx);
	unsigned port;

	if (call->step == 0) {
		if (!shell_find_port(call_word(call, 2), &port))
			return call_error(call, "no interface '%s'", call_word(call, 2));
		*request = port + 1;
		since = now;
	}
	if (*request == 0)
		return true;
	return now - since < PLANT_US ? false : call_error(call, "nobody has done it yet");
}

static bool debug_leak(struct call *call)
{
	return plant(call, &debug_request.leak);
}

static bool debug_double_free(struct call *call)
{
	return plant(call, &debug_request.double_free);
}

static bool debug_owner(struct call *call)
{
	return plant(call, &debug_request.owner);
}

static bool debug_stuck(struct call *call)
{
	return plant(call, &debug_request.stuck);
}

/* Words: debug trespass HOW IFACE. */
static bool debug_trespass(struct call *call)
{
	static const char *const how[] = {[TRESPASS_INSTRUCTION] = "instruction",
		[TRESPASS_MSR] = "msr",
		[TRESPASS_PORT] = "port",
		[TRESPASS_TEXT] = "text",
		[TRESPASS_TABLES] = "tables",
		[TRESPASS_SUPERVISOR] = "supervisor",
		[TRESPASS_GATE] = "gate"};
	unsigned port, i = 1;

	if (!shell_find_port(call_word(call, 3), &port))
		return call_error(call, "no interface '%s'", call_word(call, 3));
	while (i < sizeof how / sizeof how[0] && strcmp(how[i], call_word(call, 2)) != 0)
		i++;
	debug_request.trespass_how = i;
	debug_request.trespass = port + 1;
	return true;
}

static bool debug_hang(struct call *call)
{
	unsigned port;

	if (!shell_find_port(call_word(call, 2), &port))
		return call_error(call, "no interface '%s'", call_word(call, 2));
	debug_request.hang = port + 1;
	return true;
}

static bool debug_hurry(struct call *call)
{
	(void)call;
	commit_hurry(2000000);
	return true;
}

static bool debug_panic(struct call *call)
{
	platform_panic("asked for by 'debug panic'");
}

/* ---------------------------------------------------------------- their part of the grammar */

static const struct node debug_port[] = {
	ARG(IFACE, "port", .flags = NODE_END),
	LAST,
};
static const struct node debug_trespass_how[] = {
	WORD("gate", "asks for more than the gate gives", .next = debug_port),
	WORD("instruction", "a privileged instruction", .next = debug_port),
	WORD("msr", "writes a register of the processor", .next = debug_port),
	WORD("port", "writes a port", .next = debug_port),
	WORD("supervisor", "writes what belongs to CPL 0", .next = debug_port),
	WORD("tables", "writes a page table", .next = debug_port),
	WORD("text", "writes the program", .next = debug_port),
	LAST,
};
const struct node debug_what[] = {
	WORD("double-free", "frees a buffer twice", .run = debug_double_free, .next = debug_port),
	WORD("hang", "stops a worker for ever", .run = debug_hang, .next = debug_port),
	WORD("hurry", "a commit that waits to be confirmed has 2 s left", .run = debug_hurry,
		.flags = NODE_END),
	WORD("leak", "loses a buffer", .run = debug_leak, .next = debug_port),
	WORD("owner", "writes a wrong owner", .run = debug_owner, .next = debug_port),
	WORD("panic", "panics", .run = debug_panic, .flags = NODE_END),
	WORD("stuck", "stops a worker for two seconds", .run = debug_stuck, .next = debug_port),
	WORD("trespass", "lets a worker do what it may not", .run = debug_trespass,
		.next = debug_trespass_how),
	LAST,
};
#endif

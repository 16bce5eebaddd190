/* Commands that act at once: clear, reboot, poweroff, and the faults of a test image. */
#include <string.h>

#include "kernel/control.h"
#include "kernel/debug.h"
#include "kernel/platform.h"
#include "kernel/router.h"
#include "kernel/shell/baseline.h"
#include "kernel/shell/commands.h"
#include "kernel/shell/commit.h"

bool clear_counters(struct call *call)
{
	const char *refusal = baseline_take(call->env->router);

	return refusal ? call_error(call, "%s", refusal) : true;
}

bool clear_neighbors(struct call *call)
{
	arp_flush(&call->env->router->stack);
	nd_flush(&call->env->router->stack);
	return true;
}

bool reboot(struct call *call)
{
	control_stop_devices(call->env->router);
	platform_reboot();
}

bool poweroff(struct call *call)
{
	control_stop_devices(call->env->router);
	platform_poweroff();
}

#ifdef TEST_HOOKS

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

bool debug_leak(struct call *call)
{
	return plant(call, &debug_request.leak);
}

bool debug_double_free(struct call *call)
{
	return plant(call, &debug_request.double_free);
}

bool debug_owner(struct call *call)
{
	return plant(call, &debug_request.owner);
}

bool debug_stuck(struct call *call)
{
	return plant(call, &debug_request.stuck);
}

/* Words: debug trespass HOW IFACE. */
bool debug_trespass(struct call *call)
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

bool debug_hurry(struct call *call)
{
	(void)call;
	commit_hurry(2000000);
	return true;
}

bool debug_panic(struct call *call)
{
	platform_panic("asked for by 'debug panic'");
}

#endif

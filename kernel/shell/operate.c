/* Commands that act at once: clear, reboot, poweroff. */
#include "kernel/control.h"
#include "kernel/platform.h"
#include "kernel/router.h"
#include "kernel/shell/baseline.h"
#include "kernel/shell/commands.h"

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

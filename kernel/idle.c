/* Waiting for work: pausing, and sleeping if the configuration allows it. */
#include "kernel/idle.h"

#include "kernel/platform.h"

bool idle_wait(struct idle *idle, bool relaxed)
{
	if (!relaxed) {
		platform_relax();
		return false;
	}
	if (idle->sleep_us == 0) {
		uint64_t now = platform_now_us();

		if (idle->since_us == 0)
			idle->since_us = now;
		if (now - idle->since_us < IDLE_AFTER_US) {
			platform_relax();
			return false;
		}
		idle->sleep_us = IDLE_SLEEP_MIN_US;
	}
	platform_idle(idle->sleep_us);
	if (idle->sleep_us < IDLE_SLEEP_MAX_US / 2)
		idle->sleep_us *= 2;
	else
		idle->sleep_us = IDLE_SLEEP_MAX_US;
	return true;
}

/* The watchdog: who must have moved before it is fed. */
#include "kernel/watchdog.h"

#include "kernel/hardware.h"
#include "kernel/log.h"
#include "kernel/platform.h"

#define LOOK_US 250000u /* sixteen looks in the shortest time, and more */

static struct {
	unsigned wanted, running; /* seconds; 0: off */
	uint64_t looked_us;
	uint64_t turns[CORE_MAX]; /* when it was fed last */
} watchdog;

void watchdog_set(unsigned seconds)
{
	watchdog.wanted = seconds;
}

static void watchdog_switch(void)
{
	const char *name = platform_watchdog();
	bool ok = name && platform_watchdog_start(watchdog.wanted);

	watchdog.running = watchdog.wanted;
	if (watchdog.wanted && !ok)
		log_text("watchdog: %s", name ? "it does not start" : "none was found");
	else if (watchdog.wanted)
		hardware_fact("watchdog", "%s, %u s", name, watchdog.wanted);
	else if (name)
		hardware_fact("watchdog", "%s, off", name);
}

/* Has each worker made a turn since the last feed? */
static bool all_moved(const struct router *r)
{
	for (unsigned w = 0; w < r->workers; w++)
		if (load_once(&r->worker[w]->turns) == watchdog.turns[w])
			return false;
	return true;
}

void watchdog_turn(const struct router *r)
{
	uint64_t now = platform_now_us();

	if (watchdog.wanted != watchdog.running)
		watchdog_switch();
	if (!watchdog.running || now - watchdog.looked_us < LOOK_US)
		return;
	watchdog.looked_us = now;
	if (!all_moved(r))
		return;
	for (unsigned w = 0; w < r->workers; w++)
		watchdog.turns[w] = load_once(&r->worker[w]->turns);
	platform_watchdog_feed();
}

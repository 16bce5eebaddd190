/* Finds the machine's watchdog and names its ports; the bodies of platform_watchdog. */
#include "kernel/x86/watchdogs.h"

#include "drivers/watchdog.h"
#include "kernel/hardware.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/x86/portset.h"

static const struct {
	bool (*match)(const struct pci_function *f);
	const char *(*probe)(struct watchdog *w, const struct pci *pci,
		const struct pci_function *f, const struct io_env *env);
} kinds[] = {{i6300esb_match, i6300esb_probe}, {ich_tco_match, ich_tco_probe}};

static struct watchdog watchdog; /* ops is NULL: none */

static void use(void)
{
	uint16_t first;
	unsigned n;

	for (unsigned i = 0;
		watchdog.ops->ports && (n = watchdog.ops->ports(&watchdog, i, &first)) > 0; i++)
		portset_allow(first, n);
	hardware_fact("watchdog", "%s, off", watchdog.name);
	if (watchdog.fired)
		log_text("watchdog: the last reset was made by %s", watchdog.name);
}

void watchdogs_try_table(const struct acpi *a, const struct pci *pci, const struct io_env *env)
{
	static struct wdat wdat;
	struct watchdog found = {0};
	const char *why = a->wdat_refusal;

	if (!a->has_wdat)
		return;
	wdat = a->wdat;
	if (!why)
		why = wdat_trespass(&wdat, a, pci, portset_open());
	if (!why)
		why = acpi_wdat_probe(&found, &wdat, env);
	if (why) {
		log_text("watchdog: the WDAT is not used: %s", why);
		return;
	}
	watchdog = found;
	use();
}

bool watchdogs_try(const struct pci *pci, const struct pci_function *f, const struct io_env *env,
	const char **why)
{
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct watchdog found = {0};

		if (!kinds[i].match(f))
			continue;
		*why = "there is another watchdog";
		if (watchdog.ops)
			return true;
		*why = kinds[i].probe(&found, pci, f, env);
		if (!*why) {
			watchdog = found;
			use();
		}
		return true;
	}
	return false;
}

const char *platform_watchdog(void)
{
	return watchdog.ops ? watchdog.name : NULL;
}

bool platform_watchdog_start(unsigned seconds)
{
	if (!watchdog.ops)
		return false;
	if (seconds)
		return watchdog.ops->start(&watchdog, seconds);
	watchdog.ops->stop(&watchdog);
	return true;
}

void platform_watchdog_feed(void)
{
	if (watchdog.ops)
		watchdog.ops->feed(&watchdog);
}

void watchdogs_stop(void)
{
	(void)platform_watchdog_start(0);
}

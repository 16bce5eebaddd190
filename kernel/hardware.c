/* What was found of the machine: two tables that boot fills. */
#include "kernel/hardware.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct {
	unsigned facts, devices;
	struct hardware_fact fact[HARDWARE_FACTS_MAX];
	struct hardware_device device[HARDWARE_DEVICES_MAX];
} hardware;

void hardware_fact(const char *name, const char *format, ...)
{
	unsigned i = 0;
	va_list args;

	while (i < hardware.facts && strcmp(hardware.fact[i].name, name) != 0)
		i++;
	if (i == HARDWARE_FACTS_MAX)
		return;
	if (i == hardware.facts)
		hardware.fact[hardware.facts++].name = name;
	va_start(args, format);
	vsnprintf(hardware.fact[i].text, sizeof hardware.fact[i].text, format, args);
	va_end(args);
}

void hardware_device(const struct hardware_device *d)
{
	if (hardware.devices < HARDWARE_DEVICES_MAX)
		hardware.device[hardware.devices++] = *d;
}

void hardware_driven(const char *location, const char *driver)
{
	for (unsigned i = 0; i < hardware.devices; i++) {
		struct hardware_device *d = &hardware.device[i];

		if (strcmp(d->location, location) != 0)
			continue;
		d->driver = driver;
		d->note = "";
	}
}

unsigned hardware_facts(void)
{
	return hardware.facts;
}

const struct hardware_fact *hardware_fact_get(unsigned i)
{
	return &hardware.fact[i];
}

unsigned hardware_devices(void)
{
	return hardware.devices;
}

const struct hardware_device *hardware_device_get(unsigned i)
{
	return &hardware.device[i];
}

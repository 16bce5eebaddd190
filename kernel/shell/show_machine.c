/* show boot, hardware, crash; clear crash. */
#include <string.h>

#include "kernel/bootlog.h"
#include "kernel/hardware.h"
#include "kernel/platform.h"
#include "kernel/shell/commands.h"

/* ---- boot ---- */

static uint64_t microseconds(uint64_t cycles)
{
	return shell_nanoseconds(cycles) / 1000;
}

bool show_boot(struct call *call)
{
	static const struct column columns[] = {
		{"phase", -14}, {"cycles", 14}, {"ms", 10}, {"end_ms", 10}};
	uint64_t rings = bootlog_rings_after();
	struct output *o = call->out;

	output_text(o, "booted_by", "%s", platform_loader());
	output_number(o, "tsc_hz", platform_tsc_hz());
	if (rings)
		output_thousandths(o, "rings_posted_ms", microseconds(rings));
	else
		output_none(o, "rings_posted_ms");
	output_table(o, "phases", columns, sizeof columns / sizeof *columns);
	for (unsigned i = 0; i < bootlog_phases(); i++) {
		const struct bootlog_phase *p = bootlog_get(i);

		output_row(o);
		output_text(o, NULL, "%s", p->name);
		output_number(o, NULL, p->end - p->from);
		output_thousandths(o, NULL, microseconds(p->end - p->from));
		output_thousandths(o, NULL, microseconds(p->end - bootlog_get(0)->from));
		output_close(o);
	}
	output_close(o);
	return true;
}

/* ---- hardware ---- */

/* PCI Code and ID Assignment 1.11, 1: base classes from 0 on. */
static const char *const class_name[] = {"old device", "storage", "network", "display",
	"multimedia", "memory", "bridge", "communication", "system", "input", "docking station",
	"processor", "serial bus", "wireless", "I/O controller", "satellite", "encryption",
	"signal processing", "accelerator", "instrumentation"};

static void output_device(struct output *o, const struct hardware_device *d)
{
	unsigned base = d->class_code >> 16;
	bool known = base < sizeof class_name / sizeof *class_name;

	output_row(o);
	output_text(o, NULL, "%s", d->location);
	output_text(o, NULL, "%04x:%04x", d->vendor_id, d->device_id);
	output_text(o, NULL, "%06x", (unsigned)d->class_code);
	output_text(o, NULL, "%s", known ? class_name[base] : "unknown");
	if (d->driver)
		output_text(o, NULL, "%s", d->driver);
	else
		output_none(o, NULL);
	output_text(o, NULL, "%s", d->note);
	output_close(o);
}

bool show_hardware(struct call *call)
{
	static const struct column columns[] = {{"location", -13}, {"id", -9}, {"class", -6},
		{"kind", -14}, {"driver", -12}, {"note", -1}};
	struct output *o = call->out;
	unsigned first = call->step * SHOW_SLICE, end = first + SHOW_SLICE;

	if (call->step == 0) {
		for (unsigned i = 0; i < hardware_facts(); i++)
			output_text(
				o, hardware_fact_get(i)->name, "%s", hardware_fact_get(i)->text);
		output_table(o, "devices", columns, sizeof columns / sizeof *columns);
	}
	for (unsigned i = first; i < end && i < hardware_devices(); i++)
		output_device(o, hardware_device_get(i));
	if (end < hardware_devices())
		return false;
	output_close(o);
	return true;
}

/* ---- crash ---- */

/* One line, printable: what lies in memory may be anything. */
static void output_crash_line(struct output *o, const char *line, size_t bytes)
{
	char text[OUTPUT_LINE_MAX];
	size_t n = 0;

	for (; n < bytes && n + 1 < sizeof text; n++)
		text[n] = line[n] >= ' ' && line[n] <= '~' ? line[n] : '?';
	text[n] = '\0';
	output_text(o, NULL, "%s", text);
}

bool show_crash(struct call *call)
{
	static size_t at;
	struct output *o = call->out;
	size_t bytes = 0;
	const char *text = platform_crash(&bytes);

	if (call->step == 0) {
		output_list(o, "crash");
		at = 0;
		if (!text && o->form != OUTPUT_JSON)
			output_text(o, NULL, "no crash recorded");
	}
	for (unsigned rows = 0; text && at < bytes; rows++) {
		const char *end = memchr(text + at, '\n', bytes - at);
		size_t n = end ? (size_t)(end - text) - at : bytes - at;

		if (rows == SHOW_SLICE)
			return false;
		if (n)
			output_crash_line(o, text + at, n);
		at += n + 1;
	}
	output_close(o);
	return true;
}

bool clear_crash(struct call *call)
{
	(void)call;
	platform_crash_clear();
	return true;
}

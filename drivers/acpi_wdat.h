/*
 * A watchdog as firmware describes it: the steps that each action takes, each a read or a write of
 * one register (Microsoft, Hardware Watchdog Timers Design Specification: the WDAT).
 *
 * Numbers are those of the table. Who fills this in (kernel/x86/wdat.h) has checked each step.
 */
#ifndef DRIVERS_ACPI_WDAT_H
#define DRIVERS_ACPI_WDAT_H

#include <stdbool.h>
#include <stdint.h>

#define WDAT_STEPS_MAX 64u

/* The actions that are used. */
enum wdat_action {
	WDAT_FEED = 0x01,
	WDAT_QUERY_COUNT = 0x05,
	WDAT_SET_COUNT = 0x06,
	WDAT_QUERY_RUNNING = 0x08,
	WDAT_SET_RUNNING = 0x09,
	WDAT_SET_STOPPED = 0x0b,
	WDAT_SET_REBOOT = 0x11, /* it is to reset the machine when it has run down */
	WDAT_QUERY_FIRED = 0x20,
	WDAT_SET_FIRED = 0x21, /* forgets it */
};

enum wdat_kind {
	WDAT_READ_VALUE, /* is it the step's value? */
	WDAT_READ_COUNT,
	WDAT_WRITE_VALUE,
	WDAT_WRITE_COUNT,
};

struct wdat_step {
	enum wdat_action action;
	enum wdat_kind kind;
	bool preserve; /* a write leaves bits outside the mask as they are */
	bool io;       /* a port; else memory */
	uint8_t bytes; /* 1, 2 or 4, to which the address is aligned */
	uint8_t shift; /* of mask and value: within the register with all bits of the mask */
	uint32_t value, mask;
	uint64_t address;
	volatile void *mapped; /* in memory: by the driver's probe */
};

struct wdat {
	uint32_t period_ms; /* of one count, never 0 */
	uint32_t count_min, count_max;
	uint16_t segment; /* where it is on PCI; a device that cannot be: it is not */
	uint8_t bus, device, function;
	unsigned steps; /* in the order of the table */
	struct wdat_step step[WDAT_STEPS_MAX];
};

#endif

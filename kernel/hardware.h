/*
 * What was found of the machine, for `show hardware`: facts, one line each, and
 * the functions on its buses with who drives them, or why nobody does.
 *
 * Control core only, at boot.
 */
#ifndef KERNEL_HARDWARE_H
#define KERNEL_HARDWARE_H

#include <stdint.h>

#define HARDWARE_FACTS_MAX   24u
#define HARDWARE_FACT_BYTES  160u
#define HARDWARE_DEVICES_MAX 512u

struct hardware_fact {
	const char *name; /* a constant; a word or several with '_' between them */
	char text[HARDWARE_FACT_BYTES];
};

struct hardware_device {
	char location[16]; /* "0000:00:03.0" */
	uint16_t vendor_id, device_id;
	uint32_t class_code; /* PCI: class 23-16 | subclass 15-8 | interface 7-0 */
	const char *driver;  /* a constant; NULL: none */
	const char *note;    /* why none; a constant; "" where none is wanted */
};

/* What was said of that name before is replaced. */
void hardware_fact(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
void hardware_device(const struct hardware_device *d);

/* A device noted before is driven after all. */
void hardware_driven(const char *location, const char *driver);

unsigned hardware_facts(void);
const struct hardware_fact *hardware_fact_get(unsigned i);
unsigned hardware_devices(void);
const struct hardware_device *hardware_device_get(unsigned i);

#endif

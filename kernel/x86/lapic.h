/* The local APIC, used for one thing: sending INIT, start-up and NMI to other cores. */
#ifndef KERNEL_X86_LAPIC_H
#define KERNEL_X86_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

/* Maps the boot core's local APIC. false: it is absent, disabled, or in x2APIC mode. */
bool lapic_init(void);

/* Masks every local source but NMI and enables the unit of the calling core. */
void lapic_enable(void);

/* Each waits a bounded time for the message to leave; false: it did not. Any core. */
bool lapic_send_init(uint32_t apic_id);
bool lapic_send_startup(uint32_t apic_id, uint32_t page_address); /* below 1 MiB, page-aligned */
bool lapic_send_nmi(uint32_t apic_id);
void lapic_send_nmi_to_others(void);

#endif

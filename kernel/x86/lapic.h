/* The local APIC: INIT, start-up and NMI to other cores, and the timer that ends a sleep. */
#ifndef KERNEL_X86_LAPIC_H
#define KERNEL_X86_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

/* Maps the boot core's local APIC. false: it is absent, disabled, or in x2APIC mode. */
bool lapic_init(void);

/* Masks every local source but NMI and enables the unit of the calling core. */
void lapic_enable(void);

/*
 * Halts the calling core until its timer has run for `us` (1 to 1000). false: there is no timer.
 * Interrupts are enabled for just that instruction, and only this timer's can come.
 */
bool lapic_sleep(unsigned us);

/* exceptions.S: where an interrupt is acknowledged. */
extern volatile uint32_t *lapic_eoi;

/* Each waits a bounded time for the message to leave; false: it did not. Any core. */
bool lapic_send_init(uint32_t apic_id);
bool lapic_send_startup(uint32_t apic_id, uint32_t page_address); /* below 1 MiB, page-aligned */
bool lapic_send_nmi(uint32_t apic_id);
void lapic_send_nmi_to_others(void);

#endif

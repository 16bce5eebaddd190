/* The local APIC: INIT, start-up and NMI to other cores, and the timer that ends a sleep. */
#ifndef KERNEL_X86_LAPIC_H
#define KERNEL_X86_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

#define XAPIC_ID_MAX 254u /* 255 is all */

/* Takes the boot core's local APIC into use. false: it is disabled, or cannot be mapped. */
bool lapic_init(void);

/* "x2APIC", "xAPIC" or "not used"; can a core of this id be sent messages? Boot core. */
const char *lapic_mode(void);
bool lapic_reaches(uint32_t apic_id);

/* Masks every local source but NMI and enables the unit of the calling core. */
void lapic_enable(void);

/*
 * Starts the calling core's timer, whose interrupt ends a sleep of `us` (1 to LAPIC_SLEEP_MAX_US);
 * false: there is no timer. Stops it. At CPL 0 (gate.c).
 */
#define LAPIC_SLEEP_MAX_US 1000u
bool lapic_timer_start(unsigned us);
void lapic_timer_stop(void);

/* From the seal on its registers are for CPL 0 alone. Boot core; false: page tables ran out. */
bool lapic_seal(void);

/*
 * What the gate does until the seal for the functions above, at CPL 0, where the registers are
 * MSRs: the calling core into x2APIC mode; a register read, written (its number << 32 | value), and
 * the 64-bit one that sends.
 */
void lapic_gate_mode(void);
uint32_t lapic_gate_read(uint64_t at);
void lapic_gate_write(uint64_t at_and_value);
void lapic_gate_send(uint64_t command);

/* exceptions.S: where an interrupt is acknowledged; NULL in x2APIC mode. */
extern volatile uint32_t *lapic_eoi;

/* Each waits a bounded time for the message to leave; false: it did not. Any core. */
bool lapic_send_init(uint32_t apic_id);
bool lapic_send_startup(uint32_t apic_id, uint32_t page_address); /* below 1 MiB, page-aligned */
bool lapic_send_nmi(uint32_t apic_id);

#endif

/* Reset and soft off: every way there is, the most proper first. */
#include "kernel/x86/power.h"

#include "drivers/io.h"
#include "kernel/hardware.h"
#include "kernel/platform.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/gate.h"
#include "kernel/x86/io_map.h"
#include "kernel/x86/portset.h"
#include "kernel/x86/tsc.h"
#include "kernel/x86/watchdogs.h"

#define RESET_CONTROL       0xcf9u /* Intel chipsets since the PIIX3 */
#define RESET_CONTROL_HARD  0x02u
#define RESET_CONTROL_RESET 0x06u
#define KEYBOARD_COMMAND    0x64u /* 8042 */
#define KEYBOARD_BUSY       0x02u
#define KEYBOARD_ABSENT     0xffu
#define KEYBOARD_PULSE      0xfeu  /* pulses the reset line */
#define SETTLE_US           50000u /* for a reset to take effect */

#define PM1_SCI_ENABLE    (1u << 0) /* ACPI 6.4, table 4.14 */
#define PM1_SLEEP_ENABLE  (1u << 13)
#define PM1_SLEEP_TYPE(t) ((uint16_t)((t) << 10))
#define ACPI_MODE_TRIES   1000u

/* QEMU's PM1a control register where its firmware sets nothing up: q35 and pc, and pc before 2.0.
 */
#define QEMU_PM1A     0x604u
#define QEMU_PM1A_OLD 0xb004u
#define QEMU_EXIT     0xf4u /* device isa-debug-exit */

static const struct acpi *acpi;
static volatile void *reset_register; /* NULL: a port, or none */

/* What reset and soft off will need once the machine is sealed. */
static void allow_ports(const struct acpi *a)
{
	portset_allow(RESET_CONTROL, 1);
	portset_allow(KEYBOARD_COMMAND, 1);
	if (a->has_reset && a->reset_space == ACPI_SPACE_IO && a->reset_address <= 0xffff)
		portset_allow((uint16_t)a->reset_address, 1);
	if (a->pm1a_control)
		portset_allow(a->pm1a_control, 2);
	if (a->pm1b_control)
		portset_allow(a->pm1b_control, 2);
	if (a->smi_command)
		portset_allow(a->smi_command, 1);
	if (!cpu_is_virtual())
		return;
	portset_allow(QEMU_PM1A, 2);
	portset_allow(QEMU_PM1A_OLD, 2);
	portset_allow(QEMU_EXIT, 1);
}

void power_init(const struct acpi *a)
{
	acpi = a;
	/* Mapped now: later nothing is. */
	if (a->has_reset && a->reset_space == ACPI_SPACE_MEMORY)
		reset_register = io_map(a->reset_address, 1);
	allow_ports(a);
	hardware_fact("reset", "%skeyboard controller, chipset, triple fault",
		a->has_reset ? "ACPI, " : "");
	hardware_fact("power_off", "%s",
		a->has_s5 && a->pm1a_control ? "ACPI"
		: cpu_is_virtual()           ? "QEMU's ports"
					     : "by hand");
}

static void reset_by_acpi(void)
{
	if (!acpi || !acpi->has_reset)
		return;
	if (reset_register)
		mmio_write8(reset_register, acpi->reset_value);
	else if (acpi->reset_space == ACPI_SPACE_IO && acpi->reset_address <= 0xffff)
		pio_write8((uint16_t)acpi->reset_address, acpi->reset_value);
	tsc_wait_us(SETTLE_US);
}

static void reset_by_chipset(void)
{
	pio_write8(RESET_CONTROL, RESET_CONTROL_HARD);
	pio_write8(RESET_CONTROL, RESET_CONTROL_RESET);
	tsc_wait_us(SETTLE_US);
}

static void reset_by_keyboard(void)
{
	uint8_t status = pio_read8(KEYBOARD_COMMAND);

	if (status == KEYBOARD_ABSENT)
		return;
	for (unsigned i = 0; i < 1000 && (status & KEYBOARD_BUSY); i++) {
		platform_relax();
		status = pio_read8(KEYBOARD_COMMAND);
	}
	pio_write8(KEYBOARD_COMMAND, KEYBOARD_PULSE);
	tsc_wait_us(SETTLE_US);
}

void platform_reboot(void)
{
	platform_console_flush();
	reset_by_acpi();
	reset_by_keyboard();
	reset_by_chipset();
	gate_call(GATE_RESET, 0);
	gate_stop();
}

/* ACPI 6.4, 16.1.3; sleep types are written only in ACPI mode (4.8.2.5). */
static void off_by_acpi(void)
{
	if (!acpi || !acpi->has_s5 || !acpi->pm1a_control)
		return;
	if (!(pio_read16(acpi->pm1a_control) & PM1_SCI_ENABLE) && acpi->smi_command) {
		pio_write8(acpi->smi_command, acpi->acpi_enable);
		for (unsigned i = 0; i < ACPI_MODE_TRIES; i++) {
			if (pio_read16(acpi->pm1a_control) & PM1_SCI_ENABLE)
				break;
			tsc_wait_us(100);
		}
	}
	pio_write16(acpi->pm1a_control, PM1_SLEEP_TYPE(acpi->s5_type_a) | PM1_SLEEP_ENABLE);
	if (acpi->pm1b_control)
		pio_write16(acpi->pm1b_control, PM1_SLEEP_TYPE(acpi->s5_type_b) | PM1_SLEEP_ENABLE);
	tsc_wait_us(SETTLE_US);
}

void platform_poweroff(void)
{
	static const char text[] = "The machine does not switch off by itself: it is stopped.\r\n";

	platform_console_flush();
	watchdogs_stop();
	off_by_acpi();
	if (cpu_is_virtual()) {
		pio_write16(QEMU_PM1A, PM1_SLEEP_ENABLE);
		pio_write16(QEMU_PM1A_OLD, PM1_SLEEP_ENABLE);
		pio_write8(QEMU_EXIT, 0);
		tsc_wait_us(SETTLE_US);
	}
	platform_console_write(text, sizeof text - 1);
	platform_console_flush();
	gate_stop();
}

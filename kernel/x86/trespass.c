/* What code at CPL 3 must not do, done on purpose: only in images built with TEST_HOOKS. */
#include "kernel/platform.h"

#ifdef TEST_HOOKS

#	include "drivers/io.h"
#	include "kernel/x86/cpu.h"
#	include "kernel/x86/gate.h"
#	include "kernel/x86/image.h"
#	include "kernel/x86/paging.h"
#	include "kernel/x86/privileged.h"

#	define KEYBOARD_DATA 0x60u /* a port that nobody has been allowed */

static void write_to(uint64_t address)
{
	*(volatile uint8_t *)(uintptr_t)address = 0;
}

void platform_trespass(enum trespass what)
{
	switch (what) {
	case TRESPASS_INSTRUCTION:
		write_cr3(read_cr3());
		break;
	case TRESPASS_MSR:
		wrmsr(MSR_EFER, 0);
		break;
	case TRESPASS_PORT:
		pio_write8(KEYBOARD_DATA, 0);
		break;
	case TRESPASS_TEXT:
		write_to((uintptr_t)platform_trespass);
		break;
	case TRESPASS_TABLES:
		write_to(paging_root());
		break;
	case TRESPASS_SUPERVISOR:
		write_to((uintptr_t)&cpu_table[0]);
		break;
	case TRESPASS_GATE:
		gate_call(GATE_ROOT, 0); /* refused, so what follows is reached */
		platform_panic("the gate refused");
	default:
		break;
	}
}

#endif

/* Direct cache access: whether the chipset takes devices' hints, and what it calls a core. */
#include "kernel/x86/dca.h"

#include "kernel/hardware.h"
#include "kernel/platform.h"
#include "kernel/x86/instr.h"

#define CPUID1_ECX_DCA    (1u << 18) /* it can prefetch what a device writes */
#define CPUID9_EAX_ACTIVE (1u << 0)  /* IA32_PLATFORM_DCA_CAP, MSR 1F8h: firmware has enabled it */

static bool taken;

void dca_note(void)
{
	bool can = cpuid(1, 0).ecx & CPUID1_ECX_DCA;

	taken = can && (cpuid(9, 0).eax & CPUID9_EAX_ACTIVE);
	hardware_fact("dca", "%s",
		taken ? "hints of devices are taken"
		: can ? "the processor can, firmware has not enabled it"
		      : "none");
}

/* Values that derive from the APIC id, says the 82599's datasheet (8.2.3.11.1): the id itself. */
bool platform_dca_tag(unsigned core, uint8_t *tag)
{
	*tag = (uint8_t)platform_core(core)->apic_id;
	return taken;
}

/* The struct bootinfo that the EFI application (boot/efi) made. */
#include "boot/parse.h"

/* From the same build; copied and bounded all the same, as all that a loader says. */
bool efi_parse(const struct boot_view *v, uint64_t info, struct bootinfo *b)
{
	if (!boot_view_read(v, info, b, sizeof *b))
		return false;
	b->loader = "EFI";
	if (b->regions > BOOT_REGIONS_MAX)
		b->regions = 0;
	if (b->modules > BOOT_MODULES_MAX)
		b->modules = 0;
	for (unsigned i = 0; i < b->modules; i++)
		b->module[i].cmdline[sizeof b->module[i].cmdline - 1] = 0;
	b->cmdline[sizeof b->cmdline - 1] = 0;
	return true;
}

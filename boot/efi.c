/* The struct bootinfo that the EFI application (boot/efi) made. */
#include <string.h>

#include "boot/parse.h"

/* From the same build; copied and bounded all the same, as all that a loader says. */
bool efi_parse(const struct boot_view *v, uint64_t info, struct bootinfo *b)
{
	static struct bootinfo from;
	struct boot_module *m;

	if (!boot_view_read(v, info, &from, sizeof from))
		return false;
	*b = from;
	b->loader = "EFI";
	b->regions = b->regions_lost = b->modules = 0;
	if (from.regions > BOOT_REGIONS_MAX)
		from.regions = 0;
	if (from.modules > BOOT_MODULES_MAX)
		from.modules = 0;
	for (unsigned i = 0; i < from.regions; i++)
		bootinfo_add_region(
			b, from.region[i].base, from.region[i].bytes, from.region[i].type);
	for (unsigned i = 0; i < from.modules; i++) {
		m = bootinfo_add_module(b, from.module[i].base, from.module[i].bytes);
		if (m)
			memcpy(m->cmdline, from.module[i].cmdline, sizeof m->cmdline - 1);
	}
	b->cmdline[sizeof b->cmdline - 1] = 0;
	return true;
}

/* First C of the image: recognises the loader, fills the struct bootinfo, enters the kernel. */
#include "boot/boot.h"

#include "boot/parse.h"

void boot_main(uint32_t eax, uint32_t ebx, uint64_t tsc)
{
	static struct bootinfo b;
	/* All that is mapped, but not the real-mode interrupt table. QEMU's PVH data is in page 0.
	 */
	static const struct boot_view view = {.first = 0x400, .end = BOOT_MAP_END};

	b.entry_tsc = tsc;
	b.loader = "unknown loader";
	/* At a PVH entry EAX is not defined: the structure's own magic decides. */
	if (pvh_parse(&view, ebx, &b))
		;
	else if (eax == MULTIBOOT1_LOADED)
		multiboot1_parse(&view, ebx, &b);
	else if (eax == MULTIBOOT2_LOADED)
		multiboot2_parse(&view, ebx, &b);
	else if (eax == BOOT_EFI_LOADED)
		efi_parse(&view, ebx, &b);
	boot_start_kernel(&b);
}

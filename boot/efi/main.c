/* barewire.efi: gathers what the kernel is to know, puts the kernel to its place, and enters it. */
#include "boot/efi/http.h"
#include "boot/efi/loader.h"

#include <string.h>

#include "boot/parse.h"

#define CHARS_OF(bytes) ((bytes) / sizeof(CHAR16))
#define FAILURE_US      3000000u /* a message stays so long before the firmware goes on */

/* enter.S: the contents of the image from 1 MiB on. */
extern const uint8_t kernel_contents[];
extern const uint64_t kernel_bytes;

/* They begin with the image's multiboot1 header, which says where they go: multiboot 0.6.96, 3.1.
 */
struct kernel_header {
	uint32_t magic, flags, checksum;
	uint32_t header, first, contents_end, end, entry;
};

static uint64_t now(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* ---- the command line: load options, the query of a URL, then the file barewire.cmdline ---- */

static void append_cmdline(struct bootinfo *b, char c)
{
	size_t n = strlen(b->cmdline);

	if (n + 1 < sizeof b->cmdline)
		b->cmdline[n] = c >= ' ' ? c : ' ';
}

/* Some firmware gives load options that are not text. */
static void read_options(const EFI_LOADED_IMAGE *loaded, struct bootinfo *b)
{
	const CHAR16 *text = loaded->LoadOptions;
	UINTN n = text ? CHARS_OF(loaded->LoadOptionsSize) : 0;

	for (UINTN i = 0; i < n && text[i]; i++)
		if (text[i] < ' ' || text[i] > '~') {
			LOADER_SAY(L"load options that are not text are left out");
			return;
		}
	for (UINTN i = 0; i < n && text[i]; i++)
		append_cmdline(b, (char)text[i]);
}

/* UEFI 2.10, 9.2.2: the whole path of the image, which HTTP boot keeps up to date (24.7.5). */
static void read_url(EFI_HANDLE image, struct bootinfo *b)
{
	static EFI_GUID id = {
		0xbc62157e, 0x3e33, 0x4fec, {0x99, 0x20, 0x2d, 0x3b, 0x36, 0xd7, 0x50, 0xdf}};
	char words[sizeof b->cmdline];
	EFI_DEVICE_PATH *path;

	if (EFI_ERROR(BS->HandleProtocol(image, &id, (void **)&path)) || !path)
		return;
	http_words((const uint8_t *)path, DevicePathSize(path), words, sizeof words);
	if (b->cmdline[0] && words[0])
		append_cmdline(b, ' ');
	for (const char *c = words; *c; c++)
		append_cmdline(b, *c);
}

static EFI_STATUS read_cmdline(EFI_HANDLE image, const EFI_LOADED_IMAGE *loaded, struct bootinfo *b)
{
	struct file f;
	EFI_STATUS status;

	read_options(loaded, b);
	read_url(image, b);
	status = files_read("barewire.cmdline", &f);
	if (EFI_ERROR(status) || !f.data)
		return status;
	if (b->cmdline[0])
		append_cmdline(b, ' ');
	while (f.bytes && ((const char *)f.data)[f.bytes - 1] <= ' ')
		f.bytes--;
	for (uint64_t i = 0; i < f.bytes; i++)
		append_cmdline(b, ((const char *)f.data)[i]);
	return EFI_SUCCESS;
}

/* ---- modules ---- */

static EFI_STATUS read_module(const char *name, struct bootinfo *b)
{
	struct file f;
	EFI_STATUS status = files_read(name, &f);
	struct boot_module *m;

	if (EFI_ERROR(status) || !f.data)
		return status;
	m = bootinfo_add_module(b, (uintptr_t)f.data, f.bytes);
	if (m)
		memcpy(m->cmdline, name, strlen(name) + 1);
	return EFI_SUCCESS;
}

/* ---- tables and screen ---- */

/* UEFI 2.10, 4.6: where a table is, of the newer kind if there are two; 0: there is none. */
static uint64_t find_table(
	const EFI_SYSTEM_TABLE *system, const EFI_GUID *newer, const EFI_GUID *older)
{
	uint64_t found = 0;

	for (UINTN i = 0; i < system->NumberOfTableEntries; i++) {
		const EFI_CONFIGURATION_TABLE *t = &system->ConfigurationTable[i];

		if (memcmp(&t->VendorGuid, newer, sizeof *newer) == 0 ||
			(memcmp(&t->VendorGuid, older, sizeof *older) == 0 && !found))
			found = (uintptr_t)t->VendorTable;
	}
	return found;
}

/* The ACPI root; for the machine's serial number, SMBIOS 3.6, 5.2.2 or 5.2.1. */
static void find_tables(const EFI_SYSTEM_TABLE *system, struct bootinfo *b)
{
	static const EFI_GUID acpi_2 = ACPI_20_TABLE_GUID, acpi_1 = ACPI_TABLE_GUID;
	static const EFI_GUID smbios_3 = SMBIOS3_TABLE_GUID, smbios_2 = SMBIOS_TABLE_GUID;

	b->rsdp = find_table(system, &acpi_2, &acpi_1);
	b->smbios = find_table(system, &smbios_3, &smbios_2);
}

/* UEFI 2.10, 12.9: pixels of 32 bits in one of two orders; others are left out. */
static void find_framebuffer(struct bootinfo *b)
{
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;
	const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info;

	if (EFI_ERROR(BS->LocateProtocol(&GraphicsOutputProtocol, NULL, (void **)&gop)) ||
		!gop->Mode || !gop->Mode->Info)
		return;
	info = gop->Mode->Info;
	if (info->PixelFormat != PixelRedGreenBlueReserved8BitPerColor &&
		info->PixelFormat != PixelBlueGreenRedReserved8BitPerColor)
		return;
	b->framebuffer = (struct boot_framebuffer){
		.base = gop->Mode->FrameBufferBase,
		.pitch_bytes = info->PixelsPerScanLine * 4,
		.width = info->HorizontalResolution,
		.height = info->VerticalResolution,
		.pixel_bits = 32,
		.red_bit = info->PixelFormat == PixelRedGreenBlueReserved8BitPerColor ? 0 : 16,
		.green_bit = 8,
		.blue_bit = info->PixelFormat == PixelRedGreenBlueReserved8BitPerColor ? 16 : 0,
	};
}

/* ---- the kernel ---- */

static EFI_STATUS gather(EFI_HANDLE image, const EFI_SYSTEM_TABLE *table, struct bootinfo *b)
{
	EFI_LOADED_IMAGE *loaded;
	EFI_STATUS status = BS->HandleProtocol(image, &LoadedImageProtocol, (void **)&loaded);

	if (EFI_ERROR(status)) {
		LOADER_SAY(L"nothing is known of this image: %r", status);
		return status;
	}
	status = files_init(loaded);
	if (!EFI_ERROR(status))
		status = read_cmdline(image, loaded, b);
	if (!EFI_ERROR(status))
		status = read_module("barewire.conf", b);
	if (!EFI_ERROR(status))
		status = read_module("barewire.routes", b);
	find_tables(table, b);
	find_framebuffer(b);
	return status;
}

/* Returns only if something is missing. */
static EFI_STATUS start(EFI_HANDLE image, const EFI_SYSTEM_TABLE *table, uint64_t entry_tsc)
{
	const struct kernel_header *kernel = (const void *)kernel_contents;
	struct bootinfo *b;
	void *contents, *code;
	EFI_STATUS status = memory_reserve(kernel->first, kernel->end);

	if (EFI_ERROR(status))
		return status;
	b = memory_take(sizeof *b, false);
	contents = memory_take(kernel_bytes, false);
	code = memory_take(enter_bytes, true);
	if (!b || !contents || !code)
		return EFI_OUT_OF_RESOURCES;
	memset(b, 0, sizeof *b);
	b->entry_tsc = entry_tsc;
	CopyMem(contents, (void *)(uintptr_t)kernel_contents, kernel_bytes);
	CopyMem(code, (void *)(uintptr_t)enter_kernel, enter_bytes);
	status = gather(image, table, b);
	if (EFI_ERROR(status))
		return status;
	LOADER_SAY(L"starting; from here on the console is the serial line COM1");
	status = memory_leave(image, b);
	if (EFI_ERROR(status))
		return status;
	((enter_function *)code)((uint32_t)(uintptr_t)b, (uint32_t)(uintptr_t)contents,
		(uint32_t)kernel_bytes, kernel->first, kernel->entry);
	__builtin_unreachable();
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
	uint64_t entry_tsc = now();
	EFI_STATUS status;

	InitializeLib(image, table);
	LOADER_SAY(L"version %a, loading", BAREWIRE_VERSION);
	status = start(image, table, entry_tsc);
	LOADER_SAY(L"not started: %r", status);
	memory_release();
	(void)BS->Stall(FAILURE_US);
	return status;
}

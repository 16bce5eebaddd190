/* Multiboot2 2.0 (GRUB): its list of tags to a struct bootinfo. */
#include "boot/parse.h"

#include <stddef.h>

/* 3.6, boot information. All tags begin at a multiple of 8. */
enum multiboot2_tag_type {
	MULTIBOOT2_END = 0,
	MULTIBOOT2_CMDLINE = 1,
	MULTIBOOT2_MODULE = 3,
	MULTIBOOT2_SIZES = 4,
	MULTIBOOT2_MAP = 6,
	MULTIBOOT2_FRAMEBUFFER = 8,
	MULTIBOOT2_RSDP_1 = 14, /* of ACPI 1.0: 20 bytes */
	MULTIBOOT2_RSDP_2 = 15,
	MULTIBOOT2_EFI_MAP = 17,
	MULTIBOOT2_EFI_RUNS = 18 /* boot services were not ended */
};

struct multiboot2_info {
	uint32_t bytes, reserved;
};

struct multiboot2_tag {
	uint32_t type, bytes; /* bytes: with these two words */
};

struct multiboot2_module {
	uint32_t start, end;
};

struct multiboot2_map {
	uint32_t entry_bytes, version;
};

struct multiboot2_region {
	uint64_t base, bytes;
	uint32_t type, reserved;
};

struct multiboot2_framebuffer {
	uint64_t base;
	uint32_t pitch_bytes, width, height;
	uint8_t pixel_bits, type;
	uint16_t reserved;
	uint8_t red_bit, red_bits, green_bit, green_bits, blue_bit, blue_bits;
};
_Static_assert(
	offsetof(struct multiboot2_framebuffer, red_bit) == 24, "3.6.12: colours at 32 of the tag");

#define MULTIBOOT2_RGB 1u
#define RSDP_1_BYTES   20u /* ACPI 6.4, table 5-3: what version 1 has */

#define MULTIBOOT2_BYTES_MAX (16u << 20) /* of all tags */
#define MULTIBOOT2_TAGS_READ 1024u       /* tags, and entries of a map, looked at */

/* What is found on the way and judged at the end. */
struct multiboot2_found {
	uint64_t efi_map, efi_map_bytes;
	uint32_t efi_entry_bytes;
	uint32_t lower_kib, upper_kib;
	bool efi_runs;
};

/* The string that fills a tag, or what of it there is room for. */
static void multiboot2_parse_string(
	const struct boot_view *v, uint64_t at, uint64_t bytes, char *out, size_t size)
{
	boot_view_string(v, at, out, bytes + 1 < size ? bytes + 1 : size);
}

static void multiboot2_parse_map(
	const struct boot_view *v, uint64_t at, uint64_t bytes, struct bootinfo *b)
{
	struct multiboot2_map map;
	struct multiboot2_region r;

	if (bytes < sizeof map || !boot_view_read(v, at, &map, sizeof map) ||
		map.entry_bytes < sizeof r)
		return;
	at += sizeof map;
	bytes -= sizeof map;
	for (unsigned n = 0; n < MULTIBOOT2_TAGS_READ && bytes >= map.entry_bytes; n++) {
		if (!boot_view_read(v, at, &r, sizeof r))
			return;
		bootinfo_add_region(b, r.base, r.bytes, r.type);
		at += map.entry_bytes;
		bytes -= map.entry_bytes;
	}
}

static void multiboot2_parse_module(
	const struct boot_view *v, uint64_t at, uint64_t bytes, struct bootinfo *b)
{
	struct multiboot2_module from;
	struct boot_module *m;

	if (bytes < sizeof from || !boot_view_read(v, at, &from, sizeof from) ||
		from.end <= from.start)
		return;
	m = bootinfo_add_module(b, from.start, from.end - from.start);
	if (m)
		multiboot2_parse_string(
			v, at + sizeof from, bytes - sizeof from, m->cmdline, sizeof m->cmdline);
}

static void multiboot2_parse_framebuffer(
	const struct boot_view *v, uint64_t at, uint64_t bytes, struct bootinfo *b)
{
	struct multiboot2_framebuffer f;

	if (bytes < offsetof(struct multiboot2_framebuffer, blue_bits) + 1 ||
		!boot_view_read(v, at, &f, offsetof(struct multiboot2_framebuffer, blue_bits) + 1))
		return;
	if (f.type == MULTIBOOT2_RGB)
		b->framebuffer = (struct boot_framebuffer){
			.base = f.base,
			.pitch_bytes = f.pitch_bytes,
			.width = f.width,
			.height = f.height,
			.pixel_bits = f.pixel_bits,
			.red_bit = f.red_bit,
			.green_bit = f.green_bit,
			.blue_bit = f.blue_bit,
		};
}

/* The tag holds a copy, in memory that is anyone's: keep it. Version 2 beats version 1. */
static void multiboot2_parse_rsdp(
	const struct boot_view *v, uint32_t type, uint64_t at, uint64_t bytes, struct bootinfo *b)
{
	if (bytes < RSDP_1_BYTES || (type == MULTIBOOT2_RSDP_1 && b->rsdp))
		return;
	if (bytes > sizeof b->rsdp_copy)
		bytes = sizeof b->rsdp_copy;
	if (boot_view_read(v, at, b->rsdp_copy, bytes))
		b->rsdp = (uintptr_t)b->rsdp_copy;
}

/* `bytes`: of the tag's contents, which are at `at`. */
static void multiboot2_parse_tag(const struct boot_view *v, uint32_t type, uint64_t at,
	uint64_t bytes, struct bootinfo *b, struct multiboot2_found *found)
{
	uint32_t words[2];

	switch (type) {
	case MULTIBOOT2_CMDLINE:
		multiboot2_parse_string(v, at, bytes, b->cmdline, sizeof b->cmdline);
		break;
	case MULTIBOOT2_MODULE:
		multiboot2_parse_module(v, at, bytes, b);
		break;
	case MULTIBOOT2_MAP:
		multiboot2_parse_map(v, at, bytes, b);
		break;
	case MULTIBOOT2_FRAMEBUFFER:
		multiboot2_parse_framebuffer(v, at, bytes, b);
		break;
	case MULTIBOOT2_RSDP_1:
	case MULTIBOOT2_RSDP_2:
		multiboot2_parse_rsdp(v, type, at, bytes, b);
		break;
	case MULTIBOOT2_EFI_RUNS:
		found->efi_runs = true;
		break;
	case MULTIBOOT2_SIZES:
		if (bytes >= sizeof words && boot_view_read(v, at, words, sizeof words)) {
			found->lower_kib = words[0];
			found->upper_kib = words[1];
		}
		break;
	case MULTIBOOT2_EFI_MAP: /* the size of an entry, a version, entries */
		if (bytes >= sizeof words && boot_view_read(v, at, words, sizeof words)) {
			found->efi_entry_bytes = words[0];
			found->efi_map = at + sizeof words;
			found->efi_map_bytes = bytes - sizeof words;
		}
		break;
	}
}

/* Where there is no map as a BIOS would give it: EFI's, if it has come into force; or two sizes. */
static void multiboot2_parse_memory(
	const struct boot_view *v, const struct multiboot2_found *found, struct bootinfo *b)
{
	if (b->regions == 0 && found->efi_map && !found->efi_runs)
		efi_parse_map(v, found->efi_map, found->efi_map_bytes, found->efi_entry_bytes, b);
	if (b->regions == 0 && found->upper_kib) {
		bootinfo_add_region(b, 0, (uint64_t)found->lower_kib * 1024, BOOT_RAM);
		bootinfo_add_region(b, 0x100000, (uint64_t)found->upper_kib * 1024, BOOT_RAM);
	}
}

bool multiboot2_parse(const struct boot_view *v, uint64_t info, struct bootinfo *b)
{
	struct multiboot2_found found = {0};
	struct multiboot2_info head;
	struct multiboot2_tag tag;
	uint64_t at = info + sizeof head, end;

	b->loader = "multiboot2";
	if (!boot_view_read(v, info, &head, sizeof head) || head.bytes > MULTIBOOT2_BYTES_MAX)
		return false;
	end = info + head.bytes;
	for (unsigned n = 0; n < MULTIBOOT2_TAGS_READ && at + sizeof tag <= end; n++) {
		if (!boot_view_read(v, at, &tag, sizeof tag) || tag.type == MULTIBOOT2_END ||
			tag.bytes < sizeof tag || tag.bytes > end - at)
			break;
		multiboot2_parse_tag(
			v, tag.type, at + sizeof tag, tag.bytes - sizeof tag, b, &found);
		at += ((uint64_t)tag.bytes + 7) & -8ull;
	}
	multiboot2_parse_memory(v, &found, b);
	return true;
}

/* The screen for boot messages: a frame buffer, or VGA text. */
#include "kernel/x86/screen.h"

#include <stdint.h>
#include <stdio.h>

#include "boot/boot.h"
#include "drivers/frame_text.h"
#include "drivers/vga_text.h"
#include "kernel/x86/io_map.h"
#include "kernel/x86/paging.h"

/* BIOS data area: the video mode and its columns, where there is VGA. */
#define BIOS_VIDEO_MODE    0x449u
#define BIOS_VIDEO_COLUMNS 0x44au
#define VIDEO_TEXT_FIRST   2u /* 80 columns, with and without colour */
#define VIDEO_TEXT_LAST    3u

static struct vga_text vga;
static struct frame_text frame;
static struct frame_geometry geometry;
static uint64_t base, bytes; /* the memory of the screen; 0 bytes: there is none */
static char name[72];

/* Read by hand: the compiler takes so small an address for a mistake. */
static uint8_t bios_byte(uintptr_t at)
{
	uint8_t v;

	__asm__ volatile("movb (%1), %0" : "=q"(v) : "r"(at) : "memory");
	return v;
}

/* On the boot map, which still has page 0. No BIOS, or no VGA: no such mode stands there. */
static bool vga_is_on(void)
{
	uint8_t mode = bios_byte(BIOS_VIDEO_MODE);

	return mode >= VIDEO_TEXT_FIRST && mode <= VIDEO_TEXT_LAST &&
	       bios_byte(BIOS_VIDEO_COLUMNS) == VGA_TEXT_COLUMNS;
}

/* Where a loader says that it lies in memory there is none. */
static bool touches_ram(const struct bootinfo *b, uint64_t first, uint64_t end)
{
	for (unsigned i = 0; i < b->regions; i++) {
		const struct boot_region *r = &b->region[i];

		if (r->type == BOOT_RAM && r->base < end &&
			(r->base >= first || r->bytes > first - r->base))
			return true;
	}
	return false;
}

static bool find_frame(const struct bootinfo *b)
{
	const struct boot_framebuffer *f = &b->framebuffer;
	uint64_t size;

	geometry = (struct frame_geometry){
		.pitch_bytes = f->pitch_bytes,
		.width = f->width,
		.height = f->height,
		.pixel_bits = f->pixel_bits,
		.red_bit = f->red_bit,
		.green_bit = f->green_bit,
		.blue_bit = f->blue_bit,
	};
	size = f->base ? frame_text_bytes(&geometry) : 0;
	if (size == 0 || f->base > UINT64_MAX - size || touches_ram(b, f->base, f->base + size))
		return false;
	base = f->base;
	bytes = size;
	return true;
}

static bool open_frame(void)
{
	return frame_text_init(&frame, (volatile void *)(uintptr_t)base, bytes, &geometry);
}

static void find_vga(void)
{
	if (!vga_is_on() || !vga_text_init(&vga, (volatile void *)(uintptr_t)VGA_TEXT_ADDRESS))
		return;
	base = VGA_TEXT_ADDRESS;
	bytes = VGA_TEXT_BYTES;
	snprintf(name, sizeof name, "VGA text");
}

/* There is no screen, and if a frame buffer was named, which. */
static void say_none(void)
{
	base = bytes = 0;
	if (geometry.width)
		snprintf(name, sizeof name, "none (frame buffer %ux%u of %u bits not usable)",
			(unsigned)geometry.width, (unsigned)geometry.height, geometry.pixel_bits);
	else
		snprintf(name, sizeof name, "none");
}

void screen_init(const struct bootinfo *b)
{
	if (!find_frame(b) || (base + bytes <= BOOT_MAP_END && !open_frame())) {
		say_none();
		find_vga();
		return;
	}
	snprintf(name, sizeof name, "frame buffer %ux%u", (unsigned)geometry.width,
		(unsigned)geometry.height);
}

void screen_map(void)
{
	bool late = base + bytes > BOOT_MAP_END;

	if (bytes && (!io_map(base, bytes) || (late && !open_frame())))
		say_none();
}

bool screen_is_there(void)
{
	return bytes != 0;
}

const char *screen_name(void)
{
	return name;
}

/* Between the boot map and screen_map nothing can be shown. */
void screen_write(const char *s, size_t n)
{
	if (bytes == 0 || !paging_mapped(base))
		return;
	vga_text_write(&vga, s, n);
	frame_text_write(&frame, s, n);
}

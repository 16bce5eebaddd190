/*
 * VGA text, 80 by 25 (IBM VGA; 16 bits a cell: character, colours): for boot
 * messages where there may be no serial line. Write only.
 *
 * Lines follow one another from the top; below the last comes the first again. Nothing
 * is moved: under some hypervisors each access to this memory is slow.
 */
#ifndef DRIVERS_VGA_TEXT_H
#define DRIVERS_VGA_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define VGA_TEXT_ADDRESS 0xb8000u
#define VGA_TEXT_COLUMNS 80u
#define VGA_TEXT_ROWS    25u
#define VGA_TEXT_BYTES   (2u * VGA_TEXT_COLUMNS * VGA_TEXT_ROWS)

struct vga_text {
	volatile void *cells; /* NULL: there is none, and writing does nothing */
	unsigned row, column;
};

/* Looks whether memory answers at `cells`, and clears it. false: nothing there. */
bool vga_text_init(struct vga_text *v, volatile void *cells);

/* Printable ASCII, '\r' and '\n'; other bytes are shown as '?'. Never waits. */
void vga_text_write(struct vga_text *v, const char *s, size_t n);

#endif

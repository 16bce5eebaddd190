/* VGA text: cells in device memory. */
#include "drivers/vga_text.h"

#include "drivers/io.h"

#define COLOURS 0x0700u /* light grey on black */
#define BLANK   (COLOURS | ' ')

static volatile uint8_t *cell(const struct vga_text *v, unsigned row, unsigned column)
{
	return (volatile uint8_t *)v->cells + 2 * (row * VGA_TEXT_COLUMNS + column);
}

static void clear_row(const struct vga_text *v, unsigned row)
{
	for (unsigned column = 0; column < VGA_TEXT_COLUMNS; column++)
		mmio_write16(cell(v, row, column), BLANK);
}

/* Absent memory reads as ones, or keeps nothing. */
static bool keeps(volatile void *at, uint16_t value)
{
	mmio_write16(at, value);
	return mmio_read16(at) == value;
}

bool vga_text_init(struct vga_text *v, volatile void *cells)
{
	*v = (struct vga_text){.cells = cells};
	if (!cells || !keeps(cell(v, 0, 0), COLOURS | 'b') ||
		!keeps(cell(v, 0, 0), COLOURS | 'w')) {
		v->cells = NULL;
		return false;
	}
	for (unsigned row = 0; row < VGA_TEXT_ROWS; row++)
		clear_row(v, row);
	return true;
}

/* The row below the new one is cleared as well, so that the newest line can be told. */
static void next_row(struct vga_text *v)
{
	v->row = (v->row + 1) % VGA_TEXT_ROWS;
	v->column = 0;
	clear_row(v, v->row);
	clear_row(v, (v->row + 1) % VGA_TEXT_ROWS);
}

static void put(struct vga_text *v, char c)
{
	if (v->column == VGA_TEXT_COLUMNS)
		next_row(v);
	mmio_write16(cell(v, v->row, v->column++),
		(uint16_t)(COLOURS | (c >= ' ' && c <= '~' ? c : '?')));
}

void vga_text_write(struct vga_text *v, const char *s, size_t n)
{
	for (size_t i = 0; v->cells && i < n; i++) {
		if (s[i] == '\n')
			next_row(v);
		else if (s[i] == '\r')
			v->column = 0;
		else
			put(v, s[i]);
	}
}

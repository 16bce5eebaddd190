/* Text on a frame buffer: dots of a font, as pixels in device memory. */
#include "drivers/frame_text.h"

#include "drivers/font5x7.h"
#include "drivers/io.h"

#define PIXEL_BITS  32u
#define PIXEL_BYTES 4u
#define COLOUR_LAST (PIXEL_BITS - 8u) /* the highest bit at which eight can begin */
#define LIGHT       0xaau             /* of each colour: light grey */
#define BLACK       0u

static unsigned scale_of(const struct frame_geometry *g)
{
	return g->width >= FRAME_TEXT_WIDE ? 2 : 1;
}

/* No product here wraps: all factors have 32 bits. */
uint64_t frame_text_bytes(const struct frame_geometry *g)
{
	uint64_t bytes = (uint64_t)g->pitch_bytes * g->height;

	if (g->pixel_bits != PIXEL_BITS || g->red_bit > COLOUR_LAST || g->green_bit > COLOUR_LAST ||
		g->blue_bit > COLOUR_LAST)
		return 0;
	if (g->pitch_bytes % PIXEL_BYTES || g->pitch_bytes < (uint64_t)g->width * PIXEL_BYTES)
		return 0;
	if (g->width < FRAME_TEXT_CELL_WIDTH * scale_of(g) ||
		g->height < FRAME_TEXT_CELL_HEIGHT * scale_of(g))
		return 0;
	return bytes <= FRAME_TEXT_BYTES_MAX ? bytes : 0;
}

/* A line of pixels of a row of cells. */
static volatile uint8_t *line_of(const struct frame_text *f, unsigned row, unsigned y)
{
	uint64_t line = (uint64_t)row * FRAME_TEXT_CELL_HEIGHT * f->scale + y;

	return (volatile uint8_t *)f->pixels + line * f->pitch_bytes;
}

static void clear_row(const struct frame_text *f, unsigned row)
{
	unsigned width = f->columns * FRAME_TEXT_CELL_WIDTH * f->scale;

	for (unsigned y = 0; y < FRAME_TEXT_CELL_HEIGHT * f->scale; y++) {
		volatile uint8_t *line = line_of(f, row, y);

		for (unsigned x = 0; x < width; x++)
			mmio_write32(line + (size_t)x * PIXEL_BYTES, BLACK);
	}
}

/* Absent memory reads as ones, or keeps nothing; a byte without a colour need not be there. */
static bool keeps(const struct frame_text *f, uint32_t value)
{
	mmio_write32(f->pixels, value);
	return (mmio_read32(f->pixels) & f->light) == value;
}

bool frame_text_init(
	struct frame_text *f, volatile void *pixels, uint64_t bytes, const struct frame_geometry *g)
{
	uint64_t needed = frame_text_bytes(g);

	*f = (struct frame_text){0};
	if (!pixels || (uintptr_t)pixels % PIXEL_BYTES || needed == 0 || needed > bytes)
		return false;
	*f = (struct frame_text){
		.pixels = pixels,
		.pitch_bytes = g->pitch_bytes,
		.light = LIGHT << g->red_bit | LIGHT << g->green_bit | LIGHT << g->blue_bit,
		.scale = scale_of(g),
		.rows = g->height / (FRAME_TEXT_CELL_HEIGHT * scale_of(g)),
		.columns = g->width / (FRAME_TEXT_CELL_WIDTH * scale_of(g)),
	};
	if (!keeps(f, f->light) || !keeps(f, BLACK)) {
		f->pixels = NULL;
		return false;
	}
	clear_row(f, 0);
	if (f->rows > 1)
		clear_row(f, 1);
	return true;
}

/* It has been cleared; now the one below is, so that the newest line can be told. */
static void next_row(struct frame_text *f)
{
	f->row = (f->row + 1) % f->rows;
	f->column = 0;
	clear_row(f, (f->row + 1) % f->rows);
}

static void draw(const struct frame_text *f, char c)
{
	const uint8_t *dots = font5x7[c - FONT_FIRST];
	size_t left = (size_t)f->column * FRAME_TEXT_CELL_WIDTH * f->scale;

	for (unsigned y = 0; y < FRAME_TEXT_CELL_HEIGHT * f->scale; y++) {
		volatile uint8_t *line = line_of(f, f->row, y) + left * PIXEL_BYTES;

		for (unsigned x = 0; x < FRAME_TEXT_CELL_WIDTH * f->scale; x++) {
			unsigned column = x / f->scale;
			bool lit = column < FONT_COLUMNS && dots[column] >> y / f->scale & 1u;

			mmio_write32(line + (size_t)x * PIXEL_BYTES, lit ? f->light : BLACK);
		}
	}
}

static void put(struct frame_text *f, char c)
{
	if (f->column == f->columns)
		next_row(f);
	draw(f, c >= ' ' && c <= '~' ? c : '?');
	f->column++;
}

void frame_text_write(struct frame_text *f, const char *s, size_t n)
{
	for (size_t i = 0; f->pixels && i < n; i++) {
		if (s[i] == '\n')
			next_row(f);
		else if (s[i] == '\r')
			f->column = 0;
		else
			put(f, s[i]);
	}
}

/*
 * Text on a linear frame buffer of 32 bits a pixel, as firmware or a loader left it: for
 * boot messages where there may be no serial line. Write only.
 *
 * Lines follow one another from the top; below the last comes the first again. Nothing
 * is moved, and what stood there stays until a line takes its place: each access to this
 * memory is slow. Below the newest line one is blank.
 */
#ifndef DRIVERS_FRAME_TEXT_H
#define DRIVERS_FRAME_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In dots; a dot is 2 by 2 pixels on a screen FRAME_TEXT_WIDE pixels wide, or wider. */
#define FRAME_TEXT_CELL_WIDTH  6u
#define FRAME_TEXT_CELL_HEIGHT 9u
#define FRAME_TEXT_WIDE        1024u

#define FRAME_TEXT_BYTES_MAX (64u << 20) /* of a frame buffer */

struct frame_geometry {
	uint32_t pitch_bytes, width, height;  /* from line to line; pixels */
	uint8_t pixel_bits;                   /* 32, or it is refused */
	uint8_t red_bit, green_bit, blue_bit; /* where in a pixel these eight bits begin */
};

struct frame_text {
	volatile void *pixels; /* NULL: there are none, and writing does nothing */
	uint32_t pitch_bytes, light;
	unsigned scale, rows, columns; /* pixels a dot; cells */
	unsigned row, column;
};

/* Bytes of memory behind it, from the first pixel on. 0: no text can be shown on such a buffer. */
uint64_t frame_text_bytes(const struct frame_geometry *g);

/* Looks whether memory answers at `pixels`, `bytes` long, and begins at the top. false: nothing
 * there, or it is too short or of another kind. */
bool frame_text_init(struct frame_text *f, volatile void *pixels, uint64_t bytes,
	const struct frame_geometry *g);

/* Printable ASCII, '\r' and '\n'; other bytes are shown as '?'. Never waits. */
void frame_text_write(struct frame_text *f, const char *s, size_t n);

#endif

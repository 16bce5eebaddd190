/* Text on a frame buffer: every dot in its place, nothing outside, odd buffers refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/font5x7.h"
#include "drivers/frame_text.h"
#include "test/model/io.h"

#define PLACE  0xc0000000u
#define LIGHT  0x00aaaaaau
#define OLD    0x12345678u  /* what firmware has left */
#define WIDTH  64u          /* 10 cells and 4 pixels */
#define HEIGHT 40u          /* 4 rows and 4 lines */
#define PITCH  (WIDTH + 3u) /* pixels */

static const struct frame_geometry small = {
	.pitch_bytes = 4 * PITCH,
	.width = WIDTH,
	.height = HEIGHT,
	.pixel_bits = 32,
	.red_bit = 16,
	.green_bit = 8,
	.blue_bit = 0,
};

/* Of the size that the geometry asks for, so that ASan sees what lies beyond. */
static uint32_t *pixel;
static uint32_t kept, ones; /* the bits that this memory has; that read as ones */

static uint64_t read_pixel(void *ctx, uint64_t at, unsigned bytes)
{
	assert_int_equal(bytes, 4);
	assert_int_equal(at % 4, 0);
	return pixel[at / 4] | ones;
}

static void write_pixel(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	assert_int_equal(bytes, 4);
	assert_int_equal(at % 4, 0);
	pixel[at / 4] = (uint32_t)v & kept;
}

static volatile void *place(void)
{
	return (volatile void *)(uintptr_t)PLACE;
}

static void attach(const struct frame_geometry *g)
{
	size_t bytes = (size_t)g->pitch_bytes * g->height;

	model_io_reset();
	free(pixel);
	pixel = malloc(bytes);
	assert_non_null(pixel);
	for (size_t i = 0; i < bytes / 4; i++)
		pixel[i] = OLD;
	kept = 0xffffffff;
	ones = 0;
	model_add_memory(PLACE, bytes, read_pixel, write_pixel, NULL);
}

static void detach(void)
{
	assert_int_equal(model_io.strays, 0);
	model_io_reset();
	free(pixel);
	pixel = NULL;
}

/* Is this pixel light in a cell of this character? */
static bool lit(char c, unsigned x, unsigned y)
{
	return x < FONT_COLUMNS && (font5x7[c - FONT_FIRST][x] >> y & 1);
}

static void expect_row(const struct frame_geometry *g, unsigned scale, unsigned row, const char *s)
{
	unsigned columns = g->width / (FRAME_TEXT_CELL_WIDTH * scale);

	for (unsigned y = 0; y < FRAME_TEXT_CELL_HEIGHT * scale; y++) {
		const uint32_t *line = pixel + (size_t)(row * FRAME_TEXT_CELL_HEIGHT * scale + y) *
						       (g->pitch_bytes / 4);

		for (unsigned x = 0; x < columns * FRAME_TEXT_CELL_WIDTH * scale; x++) {
			unsigned dot = x / scale, at = dot / FRAME_TEXT_CELL_WIDTH;
			char c = at < strlen(s) ? s[at] : ' ';

			assert_int_equal(line[x],
				lit(c, dot % FRAME_TEXT_CELL_WIDTH, y / scale) ? LIGHT : 0);
		}
	}
}

/* What is beside the cells stays: right of them, below them, between the lines. */
static void expect_margins(void)
{
	unsigned width = WIDTH / FRAME_TEXT_CELL_WIDTH * FRAME_TEXT_CELL_WIDTH;
	unsigned height = HEIGHT / FRAME_TEXT_CELL_HEIGHT * FRAME_TEXT_CELL_HEIGHT;

	for (unsigned y = 0; y < HEIGHT; y++)
		for (unsigned x = y < height ? width : 0; x < PITCH; x++)
			assert_int_equal(pixel[y * PITCH + x], OLD);
}

static void test_dots(void **state)
{
	struct frame_text f;

	attach(&small);
	assert_true(frame_text_init(&f, place(), frame_text_bytes(&small), &small));
	frame_text_write(&f, "L-", 2);
	for (unsigned y = 0; y < 6; y++)
		for (unsigned x = 0; x < 6; x++)
			assert_int_equal(pixel[y * PITCH + x], x == 0 ? LIGHT : 0);
	for (unsigned x = 0; x < 5; x++) {
		assert_int_equal(pixel[6 * PITCH + x], LIGHT);
		assert_int_equal(pixel[3 * PITCH + 6 + x], LIGHT);
		assert_int_equal(pixel[2 * PITCH + 6 + x], 0);
	}
	detach();
}

static void test_rows(void **state)
{
	struct frame_text f;

	attach(&small);
	assert_true(frame_text_init(&f, place(), frame_text_bytes(&small), &small));
	expect_row(&small, 1, 0, "");
	expect_row(&small, 1, 1, "");
	assert_int_equal(pixel[18 * PITCH], OLD); /* not yet reached */
	frame_text_write(&f, "one\r\ntw\x01o\x7f\xff\r\n", 13);
	expect_row(&small, 1, 0, "one");
	expect_row(&small, 1, 1, "tw?o??");
	frame_text_write(&f, "abcdefghijK", 11); /* one more than fits */
	expect_row(&small, 1, 2, "abcdefghij");
	expect_row(&small, 1, 3, "K");
	expect_row(&small, 1, 0, "");          /* the oldest has gone */
	frame_text_write(&f, "\r~\r\ntop", 7); /* below the last line comes the first */
	expect_row(&small, 1, 3, "~");
	expect_row(&small, 1, 0, "top");
	expect_row(&small, 1, 1, "");
	expect_row(&small, 1, 2, "abcdefghij");
	expect_margins();
	for (unsigned i = 0; i < 1000; i++)
		frame_text_write(&f, &"\n\rxyz\t|~ \x80"[i % 10], 1);
	expect_margins();
	detach();
}

static void test_wide(void **state)
{
	struct frame_geometry g = small;
	struct frame_text f;

	g.width = FRAME_TEXT_WIDE;
	g.height = 60;
	g.pitch_bytes = 4 * FRAME_TEXT_WIDE;
	attach(&g);
	assert_true(frame_text_init(&f, place(), frame_text_bytes(&g), &g));
	assert_int_equal(f.columns, 85);
	assert_int_equal(f.rows, 3);
	for (unsigned i = 0; i < FONT_CHARACTERS; i++)
		frame_text_write(&f, &(char){(char)(FONT_FIRST + i)}, 1);
	expect_row(&g, 2, 0,
		" !\"#$%&'()*+,-./"
		"0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrst");
	expect_row(&g, 2, 1, "uvwxyz{|}~");
	detach();
}

/* One row: what follows a line takes its place. */
static void test_one_cell(void **state)
{
	struct frame_geometry g = small;
	struct frame_text f;

	g.width = FRAME_TEXT_CELL_WIDTH;
	g.height = FRAME_TEXT_CELL_HEIGHT;
	g.pitch_bytes = 4 * g.width;
	attach(&g);
	assert_true(frame_text_init(&f, place(), frame_text_bytes(&g), &g));
	frame_text_write(&f, "ab", 2);
	expect_row(&g, 1, 0, "b");
	frame_text_write(&f, "\n", 1);
	expect_row(&g, 1, 0, "");
	detach();
}

static void refuse(struct frame_geometry g)
{
	struct frame_text f;

	assert_true(frame_text_bytes(&g) == 0);
	assert_false(frame_text_init(&f, place(), UINT64_MAX, &g));
	assert_null(f.pixels);
	frame_text_write(&f, "nothing\n", 8);
}

#define REFUSE(member, value)                                                                      \
	do {                                                                                       \
		struct frame_geometry odd = small;                                                 \
                                                                                                   \
		odd.member = (value);                                                              \
		refuse(odd);                                                                       \
	} while (0)

static void test_odd_geometry(void **state)
{
	struct frame_geometry huge = small;

	attach(&small);
	REFUSE(pitch_bytes, 0);
	REFUSE(pitch_bytes, 4 * WIDTH - 4);
	REFUSE(pitch_bytes, 4 * WIDTH + 2);
	REFUSE(pitch_bytes, 0xfffffffc); /* 160 GB */
	REFUSE(width, 0);
	REFUSE(width, FRAME_TEXT_CELL_WIDTH - 1);
	REFUSE(width, PITCH + 1);
	REFUSE(width, 0x40000001); /* times 4 is 4, in 32 bits */
	REFUSE(width, 0xffffffff);
	REFUSE(height, 0);
	REFUSE(height, FRAME_TEXT_CELL_HEIGHT - 1);
	REFUSE(height, 0xffffffff);
	REFUSE(height, FRAME_TEXT_BYTES_MAX / (4 * PITCH) + 1);
	REFUSE(pixel_bits, 0);
	REFUSE(pixel_bits, 16);
	REFUSE(pixel_bits, 24);
	REFUSE(red_bit, 25);
	REFUSE(green_bit, 32);
	REFUSE(blue_bit, 255);
	huge.pitch_bytes = 0x10000;
	huge.height = 0x10001; /* 64 KiB, in 32 bits */
	refuse(huge);
	huge.width = huge.height = 0xffffffff;
	huge.pitch_bytes = 0xfffffffc;
	refuse(huge);
	huge.height = FRAME_TEXT_BYTES_MAX / 4096;
	huge.width = 1024;
	huge.pitch_bytes = 4096;
	assert_true(frame_text_bytes(&huge) == FRAME_TEXT_BYTES_MAX);
	for (unsigned i = 0; i < PITCH * HEIGHT; i++)
		assert_int_equal(pixel[i], OLD);
	detach();
}

static void test_odd_memory(void **state)
{
	uint64_t bytes = frame_text_bytes(&small);
	struct frame_text f;

	attach(&small);
	assert_int_equal(bytes, 4 * PITCH * HEIGHT);
	assert_false(frame_text_init(&f, NULL, bytes, &small));
	assert_false(frame_text_init(&f, (volatile uint8_t *)place() + 2, bytes, &small));
	assert_false(frame_text_init(&f, place(), bytes - 1, &small)); /* less is mapped */
	assert_int_equal(pixel[0], OLD);
	ones = 0xffffffff; /* nothing there */
	assert_false(frame_text_init(&f, place(), bytes, &small));
	frame_text_write(&f, "nothing", 7);
	ones = kept = 0;
	assert_false(frame_text_init(&f, place(), bytes, &small));
	kept = 0xffffff; /* the byte without a colour is not there */
	ones = ~kept;
	assert_true(frame_text_init(&f, place(), bytes, &small));
	detach();
}

/* Colours in another order, and at the upper end of a pixel. */
static void test_colours(void **state)
{
	struct frame_geometry g = small;
	struct frame_text f;

	g.red_bit = 8;
	g.green_bit = 16;
	g.blue_bit = 24;
	attach(&g);
	assert_true(frame_text_init(&f, place(), frame_text_bytes(&g), &g));
	frame_text_write(&f, "L", 1);
	assert_int_equal(pixel[0], LIGHT << 8);
	assert_int_equal(pixel[1], 0);
	detach();
}

/* Each character is told from all others, and only the blank has no dot. */
static void test_font(void **state)
{
	static const uint8_t none[FONT_COLUMNS];

	for (unsigned i = 0; i < FONT_CHARACTERS; i++) {
		assert_int_equal(memcmp(font5x7[i], none, FONT_COLUMNS) == 0, i == 0);
		for (unsigned k = 0; k < i; k++)
			assert_int_not_equal(memcmp(font5x7[i], font5x7[k], FONT_COLUMNS), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dots),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_one_cell),
		cmocka_unit_test(test_odd_geometry),
		cmocka_unit_test(test_odd_memory),
		cmocka_unit_test(test_colours),
		cmocka_unit_test(test_font),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

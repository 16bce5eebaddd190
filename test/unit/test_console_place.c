/* Where the console is: words of the command line, SPCR; a UART in memory; VGA text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "drivers/uart16550.h"
#include "drivers/vga_text.h"
#include "kernel/x86/cmdline.h"
#include "kernel/x86/uart_place.h"
#include "test/model/io.h"
#include "test/model/uart_model.h"

static void test_cmdline(void **state)
{
	static const char line[] = " panic=reboot  console=com1 x=1 console=com2,9600 consoles=z";
	char out[12];

	assert_true(cmdline_has(line, "panic=reboot"));
	assert_true(cmdline_has("a", "a"));
	assert_false(cmdline_has(line, "panic"));
	assert_false(cmdline_has(line, "reboot"));
	assert_false(cmdline_has("", ""));
	assert_true(cmdline_value(line, "console", out, sizeof out));
	assert_string_equal(out, "com2,9600");
	assert_false(cmdline_value(line, "consol", out, sizeof out));
	assert_false(cmdline_value("console=", "console", out, 0));
	assert_true(cmdline_value("console=", "console", out, 1));
	assert_string_equal(out, "");
	assert_true(cmdline_value("a=12345678901", "a", out, sizeof out));
	assert_false(cmdline_value("a=123456789012", "a", out, sizeof out)); /* one too many */
}

static void test_words(void **state)
{
	static const struct {
		const char *word, *text;
	} good[] = {{"com1", "COM1, 115200 baud"}, {"com4,9600", "COM4, 9600 baud"},
		{"0x3f8,115200", "COM1, 115200 baud"}, {"0xd010", "port 0xd010, 115200 baud"},
		{"none", "none"}, {"0xfff8,50", "port 0xfff8, 50 baud"}};
	static const char *const bad[] = {"", "com", "com0", "com5", "com1,", "com1,x",
		"com1,9600x", "com1 ", "com1,115201", "com1,49", "0x", "0x0", "0xfff9", "0x-1",
		"com-1", "com+1", "com1,9600,8n1", "tty", "0x3f8,,9600", "com99999999999999999999"};
	char text[UART_PLACE_TEXT];
	struct uart_place p;

	for (unsigned i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(uart_place_parse(good[i].word, &p));
		uart_place_print(&p, text);
		assert_string_equal(text, good[i].text);
	}
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		if (uart_place_parse(bad[i], &p))
			fail_msg("'%s' is taken", bad[i]);
}

/* An SPCR of `bytes` bytes on the heap, so that a step beyond is seen. */
static bool spcr(size_t bytes, uint8_t type, uint8_t space, uint8_t bits, uint8_t access,
	uint64_t address, uint8_t baud, struct uart_place *p)
{
	uint8_t whole[80] = {0}, *t = malloc(bytes ? bytes : 1);

	assert_non_null(t);
	whole[36] = type;
	whole[40] = space;
	whole[41] = bits;
	whole[43] = access;
	memcpy(whole + 44, &address, 8);
	whole[58] = baud;
	memcpy(t, whole, bytes);
	bool found = uart_place_spcr(t, bytes, p);

	free(t);
	return found;
}

static void test_spcr(void **state)
{
	char text[UART_PLACE_TEXT];
	struct uart_place p;

	assert_true(spcr(80, 0, 1, 8, 0, 0x2f8, 3, &p));
	uart_place_print(&p, text);
	assert_string_equal(text, "COM2, 9600 baud");
	assert_true(spcr(60, 1, 1, 8, 0, 0x3e8, 0, &p));
	uart_place_print(&p, text);
	assert_string_equal(text, "COM3"); /* at the rate it has */
	assert_true(spcr(80, 0x12, 0, 32, 3, 0xfe030000, 7, &p));
	uart_place_print(&p, text);
	assert_string_equal(text, "memory at 0xfe030000, 115200 baud");
	assert_int_equal(p.stride, 4);
	assert_true(spcr(80, 0x12, 0, 8, 2, 0xfe030000, 200, &p));
	assert_int_equal(p.stride, 2);
	assert_int_equal(p.baud, 0);
	assert_true(spcr(80, 0, 0, 32, 3, 0xfe030000, 7, &p));
	assert_int_equal(p.stride, 1);

	assert_false(spcr(80, 3, 1, 8, 0, 0x3f8, 7, &p)); /* an ARM UART */
	assert_false(spcr(80, 0, 1, 8, 0, 0, 7, &p));
	assert_false(spcr(80, 0, 1, 8, 0, 0xfff9, 7, &p));
	assert_false(spcr(80, 0, 2, 8, 0, 0x3f8, 7, &p)); /* in configuration space */
	for (size_t bytes = 0; bytes < 60; bytes++)
		assert_false(spcr(bytes, 0, 1, 8, 0, 0x3f8, 7, &p));
}

#define DEVICE 0xfe030000u

/* The port model, seen through memory with a register each four bytes. */
static uint64_t read_wide(void *ctx, uint64_t at, unsigned bytes)
{
	assert_int_equal(bytes, 4);
	assert_int_equal(at % 4, 0);
	return pio_read8((uint16_t)(0x3f8 + at / 4)) | 0xabcd00u; /* only one byte counts */
}

static void write_wide(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	assert_int_equal(bytes, 4);
	pio_write8((uint16_t)(0x3f8 + at / 4), (uint8_t)v);
}

static void test_uart_in_memory(void **state)
{
	static struct uart_model model;
	struct uart16550 uart;

	model_io_reset();
	assert_false(uart16550_init_memory(&uart, (volatile void *)(uintptr_t)DEVICE, 4, 9600));
	uart16550_write(&uart, "lost", 4); /* nothing there */
	uart_model_init(&model, 0x3f8);
	model_add_memory(DEVICE, 32, read_wide, write_wide, NULL);
	assert_true(uart16550_init_memory(&uart, (volatile void *)(uintptr_t)DEVICE, 4, 9600));
	assert_int_equal(model.divisor[0], 12);
	uart16550_write(&uart, "hello", 5);
	assert_memory_equal(model.sent, "hello", 5);
	uart_model_receive(&model, 'x');
	assert_int_equal(uart16550_getc(&uart), 'x');
	model_io_reset();
}

static uint16_t screen[VGA_TEXT_ROWS * VGA_TEXT_COLUMNS];
static bool deaf;

static uint64_t read_screen(void *ctx, uint64_t at, unsigned bytes)
{
	assert_int_equal(bytes, 2);
	return deaf ? 0xffff : screen[at / 2];
}

static void write_screen(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	assert_int_equal(bytes, 2);
	assert_true(at / 2 < VGA_TEXT_ROWS * VGA_TEXT_COLUMNS);
	screen[at / 2] = (uint16_t)v;
}

static void expect_row(unsigned row, const char *text)
{
	for (unsigned i = 0; i < VGA_TEXT_COLUMNS; i++)
		assert_int_equal(screen[row * VGA_TEXT_COLUMNS + i],
			0x0700 | (i < strlen(text) ? text[i] : ' '));
}

static void test_vga(void **state)
{
	volatile void *cells = (volatile void *)(uintptr_t)VGA_TEXT_ADDRESS;
	struct vga_text v;

	model_io_reset();
	assert_false(vga_text_init(&v, NULL));
	assert_false(vga_text_init(&v, cells)); /* nobody answers */
	vga_text_write(&v, "nothing", 7);
	model_add_memory(VGA_TEXT_ADDRESS, VGA_TEXT_BYTES, read_screen, write_screen, NULL);
	deaf = true;
	assert_false(vga_text_init(&v, cells));
	deaf = false;
	memset(screen, 0xa5, sizeof screen);
	assert_true(vga_text_init(&v, cells));
	expect_row(24, "");
	vga_text_write(&v, "one\r\ntw\x01o\r\n", 11);
	expect_row(0, "one");
	expect_row(1, "tw?o");
	for (unsigned i = 0; i < 3 * VGA_TEXT_COLUMNS; i++)
		vga_text_write(&v, "x", 1);
	assert_int_equal(v.row, 4);
	vga_text_write(&v, "\r\n", 2);
	for (unsigned i = 0; i < 20; i++)
		vga_text_write(&v, "more\r\n", 6);
	vga_text_write(&v, "top", 3); /* below the last line comes the first */
	assert_int_equal(v.row, 0);
	expect_row(0, "top");
	expect_row(1, ""); /* and what follows is old */
	expect_row(24, "more");
	model_io_reset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cmdline),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_spcr),
		cmocka_unit_test(test_uart_in_memory),
		cmocka_unit_test(test_vga),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* 16550: probe, input, output in bursts, and UARTs that are absent, dead or slow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "drivers/uart16550.h"
#include "test/model/uart_model.h"

#define BASE 0x3f8

static struct uart_model model;
static struct uart16550 uart;

static int set_up(void **state)
{
	model_io_reset();
	uart_model_init(&model, BASE);
	return 0;
}

static int tear_down(void **state)
{
	assert_int_equal(model.overruns, 0);
	model_io_reset();
	return 0;
}

static void init_sets_up(void **state)
{
	assert_true(uart16550_init(&uart, BASE, 9600));
	assert_int_equal(model.divisor[0] | model.divisor[1] << 8, 12);
	assert_int_equal(model.lcr, 0x03);
	assert_int_equal(model.ier, 0);
	assert_int_equal(model.mcr & 0x08, 0);
	assert_int_equal(uart.burst, 16);
	assert_int_equal(model_io.strays, 0);
}

static void odd_rates_do_no_harm(void **state)
{
	static const struct {
		unsigned baud, divisor;
	} t[] = {{115200, 1}, {0, 1} /* as it was */, {4000000, 1}, {1, 65535}, {50, 2304}};

	for (unsigned i = 0; i < 5; i++) {
		assert_true(uart16550_init(&uart, BASE, t[i].baud));
		assert_int_equal(model.divisor[0] | model.divisor[1] << 8, t[i].divisor);
	}
}

static void absent_uart_is_harmless(void **state)
{
	static const int reads[] = {0xff, 0x00};

	for (unsigned i = 0; i < 2; i++) {
		model.absent = reads[i];
		assert_false(uart16550_init(&uart, BASE, 115200));
		model_io.port_accesses = 0;
		assert_int_equal(uart16550_getc(&uart), -1);
		uart16550_write(&uart, "hello", 5);
		assert_int_equal(uart16550_send(&uart, "hello", 5), 0);
		assert_int_equal(model_io.port_accesses, 0);
	}
}

static void receives(void **state)
{
	uart16550_init(&uart, BASE, 115200);
	assert_int_equal(uart16550_getc(&uart), -1);
	uart_model_receive(&model, 'a');
	uart_model_receive(&model, 0xff);
	uart_model_receive(&model, 0);
	assert_int_equal(uart16550_getc(&uart), 'a');
	assert_int_equal(uart16550_getc(&uart), 0xff);
	assert_int_equal(uart16550_getc(&uart), 0);
	assert_int_equal(uart16550_getc(&uart), -1);
}

/* Through a pipe the first bytes are there before the kernel is; switching FIFOs on would drop
 * them. */
static void keeps_what_was_typed_before_boot(void **state)
{
	for (unsigned i = 0; i < 20; i++)
		uart_model_receive(&model, (uint8_t)('a' + i));
	model.fcr = 1;
	uart16550_init(&uart, BASE, 115200);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(uart16550_getc(&uart), 'a' + (int)i);
	assert_int_equal(uart16550_getc(&uart), -1);

	set_up(state);
	uart_model_receive(&model, 's');
	uart16550_init(&uart, BASE, 115200);
	assert_int_equal(uart16550_getc(&uart), 's');
	assert_int_equal(uart16550_getc(&uart), -1);
}

static void ignores_noise(void **state)
{
	uart16550_init(&uart, BASE, 115200);
	for (unsigned bit = 0x04; bit <= 0x10; bit <<= 1) {
		model.line_errors = (uint8_t)bit; /* parity, framing, break */
		uart_model_receive(&model, 'x');
		assert_int_equal(uart16550_getc(&uart), -1);
		assert_int_equal(model.rx_at, model.rx_n);
	}
	model.line_errors = 0x02; /* overrun: this byte is good */
	uart_model_receive(&model, 'y');
	assert_int_equal(uart16550_getc(&uart), 'y');
	model.absent = 0xff; /* pulled out */
	assert_int_equal(uart16550_getc(&uart), -1);
}

static void sends_bursts(void **state)
{
	char text[100];

	memset(text, 'z', sizeof text);
	uart16550_init(&uart, BASE, 115200);
	model_io.port_accesses = 0;
	uart16550_write(&uart, text, sizeof text);
	assert_int_equal(model.sent_n, 100);
	assert_memory_equal(model.sent, text, 100);
	assert_int_equal(model_io.port_accesses, 100 + 7); /* seven bursts, one look each */
	assert_int_equal(uart.lost, 0);
}

static void sends_single_bytes_without_fifo(void **state)
{
	model.no_fifo = true;
	uart16550_init(&uart, BASE, 115200);
	assert_int_equal(uart.burst, 1);
	uart16550_write(&uart, "hello", 5);
	assert_int_equal(model.sent_n, 5);
}

static void waits_for_a_slow_line(void **state)
{
	model.busy_polls = 20000;
	uart16550_init(&uart, BASE, 115200);
	uart16550_write(&uart, "0123456789abcdefghijklmnopqrstuvwxyz", 36);
	assert_int_equal(model.sent_n, 36);
	assert_int_equal(uart.lost, 0);
	assert_int_equal(uart16550_send(&uart, "x", 1), 0);
}

static void gives_up_on_a_dead_line(void **state)
{
	uart16550_init(&uart, BASE, 115200);
	model.stuck = true;
	model_io.port_accesses = 0;
	uart16550_write(&uart, "hello", 5);
	assert_in_range(model_io.port_accesses, 1, 5000000);
	assert_int_equal(uart.lost, 5);
	model_io.port_accesses = 0;
	uart16550_write(&uart, "hello", 5);
	assert_int_equal(model_io.port_accesses, 1); /* known to be stuck: one look */
	assert_int_equal(uart.lost, 10);
	model.stuck = false;
	uart16550_write(&uart, "again", 5);
	assert_memory_equal(model.sent, "again", 5);
	assert_false(uart.stuck);
	model.absent = 0xff;
	uart16550_write(&uart, "gone", 4);
	assert_int_equal(uart.lost, 14);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(init_sets_up),
		CASE(odd_rates_do_no_harm),
		CASE(absent_uart_is_harmless),
		CASE(receives),
		CASE(keeps_what_was_typed_before_boot),
		CASE(ignores_noise),
		CASE(sends_bursts),
		CASE(sends_single_bytes_without_fifo),
		CASE(waits_for_a_slow_line),
		CASE(gives_up_on_a_dead_line),
	};

	return cmocka_run_group_tests_name("uart16550", tests, NULL, NULL);
}

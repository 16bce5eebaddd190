/* A watchdog driven by its WDAT: a model of the registers that the table names. */
#include "test/unit/wdat_fixture.h"

#include "drivers/watchdog.h"
#include "kernel/x86/portset.h"
#include "test/model/io.h"

/* The timer and its strap. */
static struct {
	uint16_t count, control, status;
	uint32_t general;
	unsigned bytes; /* of an access to memory */
	unsigned fed, writes;
	bool stuck;    /* at halt */
	uint16_t lost; /* bits of the count that do not keep */
} dog;

static uint64_t ports_read(void *ctx, uint64_t at, unsigned bytes)
{
	switch (at) {
	case 0x06:
		return dog.status;
	case 0x08:
		assert_int_equal(bytes, 2);
		return dog.control;
	case 0x09:
		assert_int_equal(bytes, 1);
		return dog.control >> 8;
	default:
		assert_int_equal(at, 0x12);
		return dog.count;
	}
}

static void ports_write(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	dog.writes++;
	switch (at) {
	case 0x00:
		assert_int_equal(bytes, 2);
		assert_int_equal(v, 1);
		dog.fed++;
		break;
	case 0x06:
		dog.status &= (uint16_t)~v;
		break;
	case 0x08:
		dog.control = (uint16_t)(v | (dog.stuck ? 0x800 : 0));
		break;
	case 0x09:
		dog.control = (uint16_t)((dog.control & 0xff) | v << 8);
		break;
	default:
		assert_int_equal(at, 0x12);
		assert_int_equal(dog.control & 0x800, 0x800); /* not while it runs */
		dog.count = (uint16_t)(v & ~dog.lost);
	}
}

static uint64_t strap_read(void *ctx, uint64_t at, unsigned bytes)
{
	assert_int_equal(bytes, dog.bytes);
	return dog.general;
}

static void strap_write(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	assert_int_equal(bytes, dog.bytes);
	dog.general = (uint32_t)v;
}

static struct wdat wdat;
static struct watchdog w;

static void wake(void)
{
	model_io_reset();
	memset(&dog, 0, sizeof dog);
	dog.status = 0x8002;
	dog.control = 0x0102; /* firmware left it running */
	dog.count = 0xa004;
	dog.general = 0x64;
	dog.bytes = 4;
	model_add_ports(PORTS, 0x20, ports_read, ports_write, NULL);
	model_add_memory(CONTROL, 4, strap_read, strap_write, NULL);
	good_table();
	assert_null(parse(&wdat));
}

static void test_driven(void **state)
{
	wake();
	assert_null(acpi_wdat_probe(&w, &wdat, &model_env));
	assert_string_equal(w.name, "WDAT");
	assert_true(w.fired);
	assert_int_equal(dog.status, 0x8000);
	assert_int_equal(dog.control, 0x0902);
	assert_int_equal(dog.fed, 0);
	assert_true(w.ops->start(&w, 60));
	assert_int_equal(dog.count, 0xa000 | 50);
	assert_int_equal(dog.control, 0x0102);
	assert_int_equal(dog.general, 0x44);
	assert_int_equal(dog.fed, 1);
	w.ops->feed(&w);
	assert_int_equal(dog.fed, 2);
	w.ops->stop(&w);
	assert_int_equal(dog.control, 0x0902);
	assert_true(w.ops->start(&w, WATCHDOG_SECONDS_MIN));
	assert_int_equal(dog.count, 0xa004); /* 4.8 s: not longer than asked */
	assert_true(w.ops->start(&w, WATCHDOG_SECONDS_MAX));
	assert_int_equal(model_io.strays, 0);
	model_io_reset();

	wake();
	dog.status = 0;
	assert_null(acpi_wdat_probe(&w, &wdat, &model_env));
	assert_false(w.fired);
	model_io_reset();
}

static void test_does_not_start(void **state)
{
	wake();
	assert_null(acpi_wdat_probe(&w, &wdat, &model_env));
	wdat.count_max = 0x100;
	assert_false(w.ops->start(&w, WATCHDOG_SECONDS_MAX));
	wdat.count_min = 5;
	assert_false(w.ops->start(&w, WATCHDOG_SECONDS_MIN));
	wdat.count_min = 0;
	wdat.period_ms = 5001;
	assert_false(w.ops->start(&w, WATCHDOG_SECONDS_MIN)); /* 0 would be at once */
	assert_int_equal(dog.control & 0x800, 0x800);
	assert_int_equal(dog.fed, 0);
	wdat.period_ms = 1200;
	dog.stuck = true;
	assert_false(w.ops->start(&w, WATCHDOG_SECONDS_MIN));
	dog.stuck = false;
	dog.lost = 4;
	assert_false(w.ops->start(&w, WATCHDOG_SECONDS_MIN));
	assert_int_equal(dog.control & 0x800, 0x800);
	dog.lost = 0;
	assert_true(w.ops->start(&w, WATCHDOG_SECONDS_MIN));
	model_io_reset();
}

/* No memory that can be mapped: nothing was touched. */
static void test_not_mapped(void **state)
{
	wake();
	model_io.map_fails = true;
	assert_string_equal(
		acpi_wdat_probe(&w, &wdat, &model_env), "a register of it cannot be mapped");
	assert_int_equal(dog.writes, 0);
	model_io_reset();
}

/* Every port that is used afterwards is named, and no other. */
static void test_ports(void **state)
{
	static struct portset named;
	uint16_t first;
	unsigned n, bits = 0;

	wake();
	assert_null(acpi_wdat_probe(&w, &wdat, &model_env));
	for (unsigned i = 0; (n = w.ops->ports(&w, i, &first)) > 0; i++)
		portset_add(&named, first, n);
	for (unsigned port = 0; port < 65536; port++)
		bits += portset_has(&named, (uint16_t)port);
	assert_int_equal(bits, 8);
	for (unsigned at = 0; at < 2; at++) {
		assert_true(portset_has(&named, (uint16_t)(PORTS + at)));
		assert_true(portset_has(&named, (uint16_t)(PORTS + 0x06 + at)));
		assert_true(portset_has(&named, (uint16_t)(PORTS + 0x08 + at)));
		assert_true(portset_has(&named, (uint16_t)(PORTS + 0x12 + at)));
	}
	model_io_reset();
}

/* A watchdog that is fed by its count, in memory, by registers of every width. */
static void test_fed_by_count(void **state)
{
	for (uint8_t access = 1; access <= 3; access++) {
		wake();
		dog.bytes = 1u << (access - 1);
		table.count_max = 0x7f;
		table.entry[FEED] = (struct entry){
			1, WRITE_COUNT | KEEP, {0}, 0, 0, 1, access, CONTROL, 0, 0x7f};
		table.entries = REBOOT;
		assert_null(parse(&wdat));
		assert_null(acpi_wdat_probe(&w, &wdat, &model_env));
		assert_false(w.fired); /* it does not say */
		assert_true(w.ops->start(&w, 12));
		assert_int_equal(dog.general, 10 << 1);
		dog.general = 0x0f;
		w.ops->feed(&w);
		assert_int_equal(dog.general, 10 << 1 | 1);
		model_io_reset();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_driven),
		cmocka_unit_test(test_does_not_start),
		cmocka_unit_test(test_not_mapped),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_fed_by_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

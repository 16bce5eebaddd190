/* Watchdogs: the two devices by their registers, and who must have moved before one is fed. */
#include "test/unit/shell_fixture.h"

#include "drivers/watchdog.h"
#include "kernel/watchdog.h"
#include "test/model/pci_model.h"

static struct pci_model segment;
static struct pci pci;
static struct watchdog w;

static void scan(void)
{
	static const struct pci_host host = {.ecam = (volatile void *)PCI_MODEL_ECAM,
		.window = PCI_MODEL_LOW,
		.window_bytes = 0x100000};

	assert_int_equal(pci_scan(&pci, &host, &model_env), 1);
}

/* ---- 6300ESB: registers behind its lock, as QEMU has them ---- */

static struct {
	unsigned unlocked; /* 2: the next write counts */
	uint32_t stage[2];
	unsigned fed;
	bool fired;
} esb;

static uint64_t esb_read(void *ctx, uint64_t at, unsigned bytes)
{
	return at == 0x0c && bytes == 2 && esb.fired ? 0x200 : 0;
}

static void esb_write(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	if (at == 0x0c && v == 0x80) {
		esb.unlocked = 1;
		return;
	}
	if (at == 0x0c && v == 0x86) {
		esb.unlocked = esb.unlocked == 1 ? 2 : 0;
		return;
	}
	assert_int_equal(esb.unlocked, 2);
	esb.unlocked = 0;
	if (at == 0x0c && v & 0x100)
		esb.fed++;
	if (at == 0x0c && v & 0x200)
		esb.fired = false;
	if (at <= 4) {
		assert_int_equal(bytes, 4);
		esb.stage[at / 4] = (uint32_t)v;
	}
}

static void test_i6300esb(void **state)
{
	model_io_reset();
	pci_model_init(&segment);
	struct pci_model_function *f = pci_model_add(&segment, 0, 5, 0, 0x8086, 0x25ab);

	pci_model_bar(f, 0, 0x1000, 0, 0);
	pci_model_behind(f, 0, 0x1000, esb_read, esb_write, NULL);
	f->own_first = 0x60;
	f->own_end = 0x69;
	esb.fired = true;
	scan();
	pci_model_set(f, 0x68, 1, 0x02); /* firmware had started it */
	assert_true(i6300esb_match(&pci.function[0]));
	assert_false(ich_tco_match(&pci.function[0]));
	assert_null(i6300esb_probe(&w, &pci, &pci.function[0], &model_env));
	assert_true(w.fired);
	assert_false(esb.fired);
	assert_int_equal(pci_model_get(f, 0x68, 1), 0);
	assert_true(w.ops->start(&w, 30));
	assert_int_equal(esb.stage[0] + esb.stage[1], 30000);
	assert_int_equal(pci_model_get(f, 0x68, 1), 2);
	assert_int_equal(pci_model_get(f, 0x60, 2), 3);
	w.ops->feed(&w);
	assert_int_equal(esb.fed, 2);
	w.ops->stop(&w);
	assert_int_equal(pci_model_get(f, 0x68, 1), 0);
	assert_true(w.ops->start(&w, WATCHDOG_SECONDS_MAX));
	assert_true(esb.stage[0] < 1u << 20);

	assert_null(w.ops->ports);
	pci.function[0].bar[0].address = 0;
	assert_string_equal(
		i6300esb_probe(&w, &pci, &pci.function[0], &model_env), "no memory BAR");
	model_io_reset();
}

/* ---- TCO ---- */

#define ACPI 0x600u

static uint8_t tco[0x80];
static bool strapped;
static uint32_t general;

static uint64_t ports_read(void *ctx, uint64_t at, unsigned bytes)
{
	uint64_t v = 0;

	memcpy(&v, tco + at, bytes);
	return v;
}

static void ports_write(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	if (at == 0x66)
		v = tco[at] & ~v; /* written: cleared */
	memcpy(tco + at, &v, bytes);
}

static uint64_t root_read(void *ctx, uint64_t at, unsigned bytes)
{
	return general;
}

static void root_write(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	general = (uint32_t)v | (strapped ? 0x20 : 0);
}

static void test_tco(void **state)
{
	uint16_t first;

	model_io_reset();
	pci_model_init(&segment);
	struct pci_model_function *f = pci_model_add(&segment, 0, 31, 0, 0x8086, 0x2918);

	model_add_ports(ACPI, 0x80, ports_read, ports_write, NULL);
	model_add_memory(0xfed1c000 + 0x3410, 4, root_read, root_write, NULL);
	scan();
	assert_true(ich_tco_match(&pci.function[0]));
	assert_non_null(ich_tco_probe(&w, &pci, &pci.function[0], &model_env)); /* no ports */
	pci_model_set(f, 0x40, 4, ACPI | 1);
	assert_non_null(ich_tco_probe(&w, &pci, &pci.function[0], &model_env)); /* no root */
	pci_model_set(f, 0xf0, 4, 0xfed1c001);
	general = 0x24;
	strapped = true;
	assert_non_null(strstr(ich_tco_probe(&w, &pci, &pci.function[0], &model_env), "strap"));
	strapped = false;
	tco[0x66] = 3;
	tco[0x31] = 0x20; /* SMIs of the timer are on */
	assert_null(ich_tco_probe(&w, &pci, &pci.function[0], &model_env));
	assert_int_equal(general, 0x04);
	assert_true(w.fired);
	assert_int_equal(tco[0x66], 1);
	assert_int_equal(tco[0x69] & 8, 8); /* halted */
	assert_true(w.ops->start(&w, 60));
	assert_int_equal(tco[0x72] | tco[0x73] << 8, 50); /* twice 30 s */
	assert_int_equal(tco[0x69] & 8, 0);
	assert_int_equal(tco[0x31], 0);
	tco[0x60] = 0;
	w.ops->feed(&w);
	assert_int_equal(tco[0x60], 1);
	w.ops->stop(&w);
	assert_int_equal(tco[0x69] & 8, 8);
	assert_true(w.ops->start(&w, WATCHDOG_SECONDS_MAX));
	assert_int_equal(w.ops->ports(&w, 0, &first), 0x20);
	assert_int_equal(first, ACPI + 0x60);
	assert_int_equal(w.ops->ports(&w, 1, &first), 4);
	assert_int_equal(first, ACPI + 0x30);
	assert_int_equal(w.ops->ports(&w, 2, &first), 0);
	model_io_reset();
}

/* ---- who feeds it ---- */

static void pass(unsigned seconds)
{
	for (unsigned i = 0; i < seconds * 100; i++) {
		turns(10);
		watchdog_turn(&router);
	}
}

static void test_feeding(void **state)
{
	model_platform.watchdog = "model";
	run_expect("set system watchdog 4", "error: '4' is not a number from 5 to 600");
	run_expect("set system watchdog 7", "");
	run_expect("commit", "");
	assert_int_equal(model_platform.watchdog_s, 0); /* not before the control loop runs */
	pass(10);
	assert_int_equal(model_platform.watchdog_s, 7);
	assert_in_range(model_platform.fed, 20, 41);
	run_expect("show configuration", "set system watchdog 7");
	expect_in(run("show hardware"), "watchdog: model, 7 s\n");

	/* No worker moves. */
	unsigned fed = model_platform.fed;

	for (unsigned i = 0; i < 100; i++) {
		model_platform.now_us += 100000;
		watchdog_turn(&router);
	}
	assert_in_range(model_platform.fed, fed, fed + 1);
	pass(1);
	assert_true(model_platform.fed > fed + 1);

	run_expect("delete system watchdog", "");
	run_expect("commit", "");
	pass(1);
	assert_int_equal(model_platform.watchdog_s, 0);
	assert_int_equal(model_platform.fed, 0);
	expect_in(run("show hardware"), "watchdog: model, off\n");
}

static void test_none(void **state)
{
	model_platform.watchdog = NULL;
	run_expect("set system watchdog 7", "");
	run_expect("commit", "");
	pass(1);
	expect_in(run("show log"), "watchdog: none was found");
	run_expect("delete system watchdog", "");
	run_expect("commit", "");
	pass(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_i6300esb),
		cmocka_unit_test(test_tco),
		cmocka_unit_test_setup_teardown(test_feeding, start_shell, stop_shell),
		cmocka_unit_test_setup_teardown(test_none, start_shell, stop_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

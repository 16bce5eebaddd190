/* The WDAT: what is read of one, every reason to leave one alone, and what it may not touch. */
#include "test/unit/wdat_fixture.h"

#include "drivers/pci.h"
#include "kernel/x86/acpi.h"
#include "kernel/x86/portset.h"

/* ---- the table ---- */

static void refused(const char *why)
{
	struct wdat w;
	const char *said = parse(&w);

	assert_non_null(said);
	assert_string_equal(said, why);
	assert_int_equal(w.steps, 0);
	good_table();
}

static void test_good(void **state)
{
	struct wdat w;

	good_table();
	table.entry[0].action = 0x12; /* of no interest, whatever it says */
	table.entry[0].instruction = 0x7f;
	table.entry[table.entries++] = (struct entry){1, WRITE, {0}, 1, 32, 0, 0, 0x700, 1, ~0u};
	assert_null(parse(&w));
	assert_int_equal(w.period_ms, 1200);
	assert_int_equal(w.count_min, 2);
	assert_int_equal(w.count_max, 0x3ff);
	assert_int_equal(w.steps, table.entries - 1);
	assert_int_equal(w.step[0].action, WDAT_SET_COUNT);
	assert_int_equal(w.step[0].kind, WDAT_WRITE_COUNT);
	assert_true(w.step[0].preserve && w.step[0].io);
	assert_int_equal(w.step[0].bytes, 2);
	assert_int_equal(w.step[0].address, PORTS + 0x12);
	assert_int_equal(w.step[2].shift, 11);
	assert_false(w.step[2].preserve);
	assert_false(w.step[5].io);
	assert_int_equal(w.step[5].bytes, 4);
	assert_int_equal(w.step[6].bytes, 2); /* by its width */
	assert_int_equal(w.step[8].bytes, 4);

	/* Bits that the register does not have. */
	good_table();
	table.entry[STOP].mask = ~0u;
	assert_null(parse(&w));
	assert_int_equal(w.step[STOP].mask, 0x1f);
}

static void test_refused(void **state)
{
	struct wdat w;

	good_table();
	assert_string_equal(parse_bytes(67, &w), "it is too short");
	table.flags = 0x80;
	refused("firmware says that it is disabled");
	table.period = 0;
	refused("its times make no sense");
	table.count_max = 0;
	table.count_min = 0;
	refused("its times make no sense");
	table.count_min = 0x400;
	refused("its times make no sense");
	table.entries = ENTRIES_MAX + 1;
	refused("it is shorter than its instructions");
	table.entries = UINT32_MAX;
	refused("it is shorter than its instructions");
	for (unsigned i = 1; i < ENTRIES_MAX; i++)
		table.entry[i] = table.entry[FEED];
	table.entries = WDAT_STEPS_MAX + 1;
	refused("too many instructions");
	table.entry[FEED].instruction = 4;
	refused("an instruction of no known kind");
	table.entry[FEED].space = 2; /* configuration space */
	refused("a register that is neither a port nor memory");
	table.entry[FEED].access = 4;
	refused("a register of no known width");
	table.entry[FEED].access = 0;
	table.entry[FEED].width = 12;
	refused("a register of no known width");
	table.entry[FEED].address = 0x10000;
	refused("a register where none can be");
	table.entry[FEED].address = PORTS + 1;
	refused("a register where none can be");
	table.entry[REBOOT].address = 0xb8000;
	refused("a register where none can be");
	table.entry[REBOOT].address = UINT64_MAX - 3;
	refused("a register where none can be");
	table.entry[FEED].shift = 16;
	refused("bits beyond their register");
	table.entry[FEED].mask = 0;
	refused("an instruction without bits");
	table.entry[STOP].mask = 0x80; /* shifted out */
	refused("an instruction without bits");
	table.entry[FEED].action = 0x40;
	refused("no way to feed it");
	table.entry[FEED].instruction = READ;
	refused("no way to feed it");
	table.entry[SET_COUNT].instruction = WRITE;
	refused("no way to set its time");
	table.entry[START].instruction = READ;
	refused("no way to start it");
	table.entry[STOP].action = 0x0a;
	refused("no way to stop it");
	table.entry[SET_COUNT].mask = 0x2ff;
	refused("counts that do not fit their register");
	table.count_max = 0x300;
	table.entry[SET_COUNT].mask = 0x3fe; /* every lesser count, too */
	refused("counts that do not fit their register");
	table.count_max = 0x400;
	refused("counts that do not fit their register");
	table.entry[QUERY_RUNNING].instruction = WRITE;
	refused("a query that reads nothing");
	table.entry[QUERY_FIRED].instruction = WRITE;
	refused("a query that reads nothing");
	table.entry[QUERY_COUNT].instruction = READ;
	refused("a query that reads nothing");
	assert_null(parse(&w));
}

/* ---- what it may not touch ---- */

static struct acpi acpi;
static struct pci pci;
static struct portset open_ports;

static const char *trespass(void)
{
	struct wdat w;
	const char *why;

	assert_null(parse(&w));
	why = wdat_trespass(&w, &acpi, &pci, &open_ports);
	good_table();
	return why ? why : "nothing";
}

static void test_trespass_ports(void **state)
{
	good_table();
	assert_string_equal(trespass(), "nothing");
	table.entry[FEED].address = 0xfe;
	assert_string_equal(trespass(), "it wants a port of the mainboard's own devices");
	table.entry[FEED].address = 0xcfc;
	assert_string_equal(trespass(), "it wants a port that is the kernel's");
	portset_add(&open_ports, 0x3f8, 8);
	table.entry[FEED].address = 0x3fe;
	assert_string_equal(trespass(), "it wants a port that is the kernel's");
	table.entry[FEED].address = 0x400;
	assert_string_equal(trespass(), "nothing");
	acpi.pm_timer = 0x608;
	table.entry[FEED].address = 0x60a;
	assert_string_equal(trespass(), "it wants a port that is the kernel's");
	table.entry[FEED].address = 0x60c;
	assert_string_equal(trespass(), "nothing");
}

static void test_trespass_memory(void **state)
{
	good_table();
	table.entry[REBOOT].address = 0xfee00020;
	assert_string_equal(trespass(), "it wants a local APIC");
	acpi.lapic = 0xfe000000;
	table.entry[REBOOT].address = 0xfe000ffc;
	assert_string_equal(trespass(), "it wants a local APIC");
	acpi.ecams = 1;
	acpi.ecam[0] = (struct acpi_ecam){.base = 0xb0000000, .bus_first = 1, .bus_last = 255};
	table.entry[REBOOT].address = 0xb0100000;
	assert_string_equal(trespass(), "it wants PCI's configuration space");
	table.entry[REBOOT].address = 0xb00ffffc;
	assert_string_equal(trespass(), "nothing");
	acpi.has_reset = true;
	acpi.reset_space = ACPI_SPACE_MEMORY;
	acpi.reset_address = CONTROL + 3;
	assert_string_equal(trespass(), "it wants the register that resets the machine");
	acpi.reset_address = CONTROL + 4;
	assert_string_equal(trespass(), "nothing");
}

static void test_trespass_pci(void **state)
{
	struct pci_function *f = &pci.function[0];

	good_table();
	pci.functions = 1;
	f->device = 3;
	f->bar[2] = (struct pci_bar){.address = PORTS, .bytes = 0x20, .io = true};
	assert_string_equal(trespass(), "it wants a register of a PCI device");
	/* It is the watchdog itself. */
	table.segment = 0;
	table.bus = 0;
	table.device = 3;
	table.function = 0;
	assert_string_equal(trespass(), "nothing");
	/* A NIC is no watchdog. */
	f->class_code = 0x020000;
	table.segment = 0;
	table.bus = 0;
	table.device = 3;
	table.function = 0;
	assert_string_equal(trespass(), "it wants a register of a PCI device");
	f->bar[2] = (struct pci_bar){.address = CONTROL & -4096u, .bytes = 4096};
	assert_string_equal(trespass(), "it wants a register of a PCI device");
	f->bar[2].io = true;
	assert_string_equal(trespass(), "nothing");
	pci.functions = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_trespass_ports),
		cmocka_unit_test(test_trespass_memory),
		cmocka_unit_test(test_trespass_pci),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

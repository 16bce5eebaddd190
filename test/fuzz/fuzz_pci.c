/*
 * PCI configuration space, and the registers behind the BARs: the scan, capability
 * walks, and the probe of what looks like a virtio NIC.
 *
 * Input: how many functions and by which way they are reached; for each its place, the
 * bits of its BARs that can be written, 256 bytes; what is read from devices afterwards.
 */
#include "drivers/pci.h"
#include "drivers/virtio/virtio_net.h"
#include "test/fuzz/fuzz.h"
#include "test/model/pci_model.h"

#define FUNCTIONS_MAX 15u
#define WAY_PORTS     0x80u
#define WALK_MAX      64u
#define TICK_US       20000u /* each look at the clock: waits end soon */

static struct pci_model segment;
static struct pci pci;

static uint64_t read_device(void *ctx, uint64_t at, unsigned bytes)
{
	uint64_t v;

	(void)at;
	fuzz_take(ctx, &v, bytes < sizeof v ? bytes : sizeof v);
	return bytes < 8 ? v & ((1ull << 8 * bytes) - 1) : v;
}

static void write_device(void *ctx, uint64_t at, unsigned bytes, uint64_t v)
{
	(void)ctx;
	(void)at;
	(void)bytes;
	(void)v;
}

static void tick(void *ctx)
{
	(void)ctx;
	model_io.now_us += TICK_US;
}

static void add_function(struct fuzz_input *in)
{
	uint8_t place[2];

	fuzz_take(in, place, 2);
	struct pci_model_function *f =
		pci_model_add(&segment, place[0] & 7, place[1] >> 3, place[1] & 7, 0, 0);

	fuzz_take(in, f->bar_writable, sizeof f->bar_writable);
	fuzz_take(in, f->config, 256);
}

static void check(void)
{
	CLAIM(pci.functions <= PCI_FUNCTIONS_MAX);
	for (unsigned i = 0; i < pci.functions; i++) {
		struct pci_function *f = &pci.function[i];
		struct pci_walk walk = {0};
		unsigned steps = 0;

		CLAIM(f->bridge < (int)i && strlen(f->location) == PCI_LOCATION_MAX - 1);
		while (pci_walk_capabilities(&pci, f, &walk))
			CLAIM(++steps <= WALK_MAX && walk.at >= 0x40);
		for (unsigned b = 0; b < PCI_BARS; b++)
			CLAIM((f->bar[b].bytes & (f->bar[b].bytes - 1)) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input in = {data, bytes};
	const struct netdev_request want = {.queue_pairs = 4, .queues_all = 64, .mtu = 1500};
	uint8_t head = fuzz_byte(&in);
	struct pci_host host = {.ecam = (volatile void *)(uintptr_t)PCI_MODEL_ECAM,
		.bus_last = 7,
		.window = PCI_MODEL_LOW,
		.window_bytes = 0x10000000};

	model_io_reset();
	model_io.tick = tick;
	pci_model_init(&segment);
	for (unsigned i = 0; i < (head & FUNCTIONS_MAX); i++)
		add_function(&in);
	if (head & WAY_PORTS)
		host.ecam = NULL;
	pci_scan(&pci, &host, &model_env);
	check();
	model_add_memory(PCI_MODEL_LOW, PCI_MODEL_BYTES, read_device, write_device, &in);
	for (unsigned i = 0; i < pci.functions; i++)
		if (virtio_net_match(&pci.function[i]))
			(void)virtio_net_probe(&pci, &pci.function[i], &want, &model_env);
	model_io_reset();
	return 0;
}

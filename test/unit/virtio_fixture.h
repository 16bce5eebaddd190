/* A virtio-net device, modelled and probed, for the units of drivers/virtio/. */
#ifndef TEST_UNIT_VIRTIO_FIXTURE_H
#define TEST_UNIT_VIRTIO_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "drivers/pci_regs.h"
#include "drivers/virtio/virtio_net.h"
#include "lib/packet.h"
#include "test/model/virtio_model.h"

#define BUFFERS 1024u

static struct pci_model segment;
static struct pci pci;
static struct virtio_model model;
static struct buffers buffers;
static struct netdev *dev;

/* What the next probe asks for; make_machine sets one pair and MTU 1500. */
static struct netdev_request want;

/* A machine with buffers for the MTU and a healthy device with queues of `slots`, not yet probed.
 */
static inline void make_machine(unsigned slots, uint32_t mtu)
{
	size_t bytes;

	model_io_reset();
	pci_model_init(&segment);
	buffers_shape(&buffers, mtu);
	bytes = (size_t)BUFFERS * buffers.stride;
	void *memory = model_env.alloc(NULL, bytes, 64);

	pool_place(&buffers, 0, memory, 12);
	virtio_model_init(&model, &segment, 3, slots, memory, bytes);
	want = (struct netdev_request){.queue_pairs = 1, .mtu = mtu};
}

static inline struct netdev *probe(void)
{
	static const struct pci_host host = {
		.ecam = (volatile void *)PCI_MODEL_ECAM,
		.bus_last = 255,
		.window = PCI_MODEL_LOW,
		.window_bytes = 0x10000000,
	};

	assert_int_equal(pci_scan(&pci, &host, &model_env), 1);
	assert_true(virtio_net_match(&pci.function[0]));
	model_io.lines = 0;
	dev = virtio_net_probe(&pci, &pci.function[0], &want, &model_env);
	if (dev)
		dev->buffers = &buffers;
	return dev;
}

static inline struct netdev *probe_ok(void)
{
	assert_non_null(probe());
	return dev;
}

/* Ends a test: the device has nothing to complain about. */
static inline int end_machine(void **state)
{
	if (model.complaint)
		fail_msg("the device complains: %s", model.complaint);
	assert_int_equal(model_io.strays, 0);
	model_io_reset();
	return 0;
}

/* Gives RX queue q n buffers, `first` and on. */
static inline void fill_queue(unsigned q, uint32_t first, unsigned n)
{
	uint32_t index[BUFFERS];

	for (unsigned i = 0; i < n; i++)
		index[i] = (first + i) % BUFFERS;
	dev->ops->rx_fill(dev, q, index, n);
}

static inline void fill(uint32_t first, unsigned n)
{
	fill_queue(0, first, n);
}

static inline void expect_failure(const char *why)
{
	assert_true(dev->failed);
	if (!strstr(dev->failure, why))
		fail_msg("\"%s\" is not in \"%s\"", why, dev->failure);
	for (unsigned q = 0; q < dev->rx_queues; q++)
		assert_int_equal(dev->ops->rx_room(dev, q), 0);
}

static inline uint32_t draw(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

#endif

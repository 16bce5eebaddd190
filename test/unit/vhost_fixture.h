/* A vhost-user port and its back end in one process, for units of the front end. */
#ifndef TEST_UNIT_VHOST_FIXTURE_H
#define TEST_UNIT_VHOST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "drivers/virtio/virtio_net.h"
#include "kernel/hosted/vhost_protocol.h"
#include "kernel/hosted/vhost_user.h"
#include "lib/packet.h"
#include "test/model/io.h"
#include "test/model/vhost_model.h"

#define BUFFERS     1024u
#define MEMORY      (16ul << 20)
#define PATIENCE_US 20000000u

static struct hosted_memory memory = {.fd = -1};
static size_t memory_used;
static struct buffers buffers;
static struct vhost_model peer;
static struct vhost_options options;
static struct virtio_transport *transport;
static struct netdev *dev;
static char log_line[256], path[64];
static unsigned log_lines;

/* ---- what the driver gets ---- */

static void *shared_alloc(void *ctx, size_t bytes, size_t align)
{
	size_t at = (memory_used + align - 1) & ~(align - 1);

	memory_used = at + bytes;
	assert_true(memory_used <= memory.bytes);
	return (uint8_t *)memory.base + at;
}

static uint64_t clock_us(void *ctx)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void __attribute__((format(printf, 2, 3))) keep_line(void *ctx, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(log_line, sizeof log_line, format, args);
	va_end(args);
	log_lines++;
}

static const struct io_env shared_env = {
	.alloc = shared_alloc, .now_us = clock_us, .log = keep_line};

/* ---- setting up ---- */

/* Fresh memory with buffers, a healthy back end that is not started yet. */
static inline void make_process(void)
{
	if (memory.fd < 0) {
		memory.fd = memfd_create("test", MFD_CLOEXEC);
		memory.bytes = MEMORY;
		assert_int_equal(ftruncate(memory.fd, MEMORY), 0);
		memory.base = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, memory.fd, 0);
		snprintf(path, sizeof path, "/tmp/barewire-test-%d.sock", getpid());
	}
	memset(memory.base, 0, memory_used);
	memory_used = 0;
	model_io_reset();
	buffers_shape(&buffers, 1500);
	size_t bytes = (size_t)BUFFERS * buffers.stride;
	void *buffer = shared_alloc(NULL, bytes, 64);

	pool_place(&buffers, 0, buffer, 12);
	vhost_model_init(&peer, path);
	peer.device.memory = buffer;
	peer.device.memory_bytes = bytes;
	options = (struct vhost_options){.path = path, .pairs = 1, .wait_ms = 2000};
	log_lines = 0;
	dev = NULL;
}

/* Opens the port; NULL if it is refused. */
static inline struct netdev *open_port(unsigned pairs)
{
	struct netdev_request want = {.queue_pairs = pairs, .mtu = 1500};

	transport = vhost_user_open(&options, &memory, &shared_env);
	dev = transport ? virtio_net_create(transport, &want, &shared_env) : NULL;
	if (dev)
		dev->buffers = &buffers;
	return dev;
}

static inline void must_open(unsigned pairs)
{
	if (open_port(pairs))
		return;
	fail_msg("%s", log_line);
	abort(); /* not reached */
}

/* Polls, as the control core does, and looks at all queues, as workers do, until done() says so. */
static inline void poll_until(bool (*done)(void), const char *what)
{
	uint64_t start = clock_us(NULL), word[BATCH_MAX];

	while (!done()) {
		dev->ops->poll(dev);
		for (unsigned q = 0; q < dev->rx_queues && dev->failed; q++) {
			assert_int_equal(dev->ops->rx(dev, q, word, BATCH_MAX), 0);
			dev->ops->tx_done(dev, q, word, BATCH_MAX);
		}
		usleep(200);
		if (clock_us(NULL) - start > PATIENCE_US)
			fail_msg("waited in vain: %s; last line: %s", what, log_line);
	}
}

static inline bool is_up(void)
{
	return !dev->failed && dev->link;
}

static inline bool is_down(void)
{
	return dev->failed && !dev->link;
}

/* Ends a test: nobody has anything to complain about. */
static inline int end_process(void **state)
{
	if (dev)
		dev->ops->stop(dev);
	vhost_model_end(&peer);
	if (peer.complaint)
		fail_msg("the back end complains: %s", peer.complaint);
	model_io_reset();
	return 0;
}

static inline void fill(unsigned q, uint32_t first, unsigned n)
{
	uint32_t index[BUFFERS];

	for (unsigned i = 0; i < n; i++)
		index[i] = (first + i) % BUFFERS;
	dev->ops->rx_fill(dev, q, index, n);
}

/* A frame in and a frame out on pair q. The RX queue has at least one buffer. */
static inline void expect_traffic(unsigned q)
{
	uint64_t word[2], frame = packet_word(BUFFERS - 1, 64, 0);
	unsigned sent = peer.device.sent_n;

	assert_true(virtio_model_receive_on(&peer.device, q, "hello", 5));
	assert_int_equal(dev->ops->rx(dev, q, word, 2), 1);
	assert_int_equal(packet_len(word[0]), 5);
	assert_memory_equal(buffer_data(&buffers, packet_index(word[0])), "hello", 5);
	fill(q, packet_index(word[0]), 1);
	memset(packet_frame(&buffers, frame), 0x5a, 64);
	assert_int_equal(dev->ops->tx(dev, q, &frame, 1), 1);
	assert_int_equal(virtio_model_transmit(&peer.device), 1);
	assert_int_equal(peer.device.sent_n, sent + 1);
	assert_int_equal(peer.device.sent_pair, q);
	assert_int_equal(peer.device.sent_len, 64);
	assert_int_equal(peer.device.sent[63], 0x5a);
	assert_int_equal(dev->ops->tx_done(dev, q, word, 2), 1);
	assert_int_equal(word[0], frame);
}

#endif

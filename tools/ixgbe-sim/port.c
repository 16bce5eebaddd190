/* What a card does for its machine and at its cable. */
#include "tools/ixgbe-sim/port.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define RULES_SAID     20u /* the others are counted */
#define FRAMES_AT_ONCE 64u
#define POLLS_AT_ONCE  64u

/* ---- what surrounds the model ---- */

static void *wire_dma(void *ctx, uint64_t address, uint64_t bytes, bool write)
{
	return memory_at(&((struct port *)ctx)->server.memory, address, bytes, write);
}

static void wire_transmit(void *ctx, const uint8_t *frame, unsigned bytes)
{
	struct port *p = ctx;

	p->out++;
	if (p->tap < 0 || !p->cable || write(p->tap, frame, bytes) != (ssize_t)bytes)
		p->lost++;
}

static void wire_interrupt(void *ctx, unsigned vector)
{
	irqs_raise(&((struct port *)ctx)->server.irqs, vector);
}

static void wire_broke(void *ctx, const char *rule, const char *what)
{
	struct port *p = ctx;

	if (p->said++ < RULES_SAID)
		fprintf(stderr, "port %u: rule %s broken: %s\n", p->number, rule, what);
}

static uint64_t wire_now_us(void *ctx)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- what the machine sees ---- */

static uint64_t device_region_bytes(void *ctx, unsigned region)
{
	switch (region) {
	case VFIO_PCI_BAR0_REGION_INDEX:
		return IXGBE_MODEL_BAR_BYTES;
	case VFIO_PCI_BAR4_REGION_INDEX:
		return CONFIG_BAR4_BYTES;
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return CONFIG_BYTES;
	default:
		return 0;
	}
}

/* Registers are accessed as the bus would: 1, 2, 4 or 8 bytes that do not cross such a border. */
static bool is_access(uint64_t at, uint32_t bytes)
{
	return bytes <= 8 && (bytes & (bytes - 1)) == 0 && at % bytes == 0;
}

static bool device_read(void *ctx, unsigned region, uint64_t at, uint8_t *data, uint32_t bytes)
{
	struct port *p = ctx;

	if (region == VFIO_PCI_CONFIG_REGION_INDEX) {
		config_read(&p->config, at, data, bytes);
	} else if (region == VFIO_PCI_BAR4_REGION_INDEX) {
		irqs_table_read(&p->server.irqs, at, data, bytes);
	} else if (!is_access(at, bytes)) {
		return false;
	} else {
		uint64_t v = UINT64_MAX;

		if (config_memory(&p->config))
			v = ixgbe_model_read(p->model, at, bytes);
		memcpy(data, &v, bytes);
	}
	return true;
}

static void device_reset(void *ctx)
{
	struct port *p = ctx;

	config_init(&p->config, p->device_id, IXGBE_MODEL_BAR_BYTES);
	ixgbe_model_bus_reset(p->model);
	ixgbe_model_gate_dma(p->model, !config_bus_master(&p->config));
}

static void write_config(struct port *p, uint64_t at, const uint8_t *data, uint32_t bytes)
{
	bool master = config_bus_master(&p->config);

	if (config_write(&p->config, at, data, bytes) == CONFIG_RESET)
		device_reset(p);
	else if (config_bus_master(&p->config) != master)
		ixgbe_model_gate_dma(p->model, master);
}

static bool device_write(
	void *ctx, unsigned region, uint64_t at, const uint8_t *data, uint32_t bytes)
{
	struct port *p = ctx;

	if (region == VFIO_PCI_CONFIG_REGION_INDEX) {
		write_config(p, at, data, bytes);
	} else if (region == VFIO_PCI_BAR4_REGION_INDEX) {
		irqs_table_write(&p->server.irqs, at, data, bytes);
	} else if (!is_access(at, bytes)) {
		return false;
	} else {
		uint64_t v = 0;

		memcpy(&v, data, bytes);
		if (config_memory(&p->config))
			ixgbe_model_write(p->model, at, bytes, v);
	}
	return true;
}

static void device_left(void *ctx, const char *why)
{
	struct port *p = ctx;

	if (why)
		fprintf(stderr, "port %u: its machine was let go: %s\n", p->number, why);
	device_reset(p);
}

/* ---- the port ---- */

static int open_tap(const struct port_options *o)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd;

	if (strlen(o->tap) >= sizeof request.ifr_name) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(request.ifr_name, o->tap, strlen(o->tap) + 1);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool open_cable(struct port *p, const struct port_options *o)
{
	p->tap = o->tap ? open_tap(o) : o->fd;
	if (p->tap < 0)
		return !o->tap;
	return fcntl(p->tap, F_SETFL, O_NONBLOCK) == 0;
}

bool port_open(struct port *p, const struct port_options *o, unsigned number)
{
	const struct ixgbe_model_wire wire = {.dma = wire_dma,
		.transmit = wire_transmit,
		.interrupt = wire_interrupt,
		.broke = wire_broke,
		.now_us = wire_now_us,
		.ctx = p};
	const struct server_device device = {.ctx = p,
		.region_bytes = device_region_bytes,
		.read = device_read,
		.write = device_write,
		.reset = device_reset,
		.left = device_left};

	memset(p, 0, sizeof *p);
	p->number = number;
	p->cable = !o->model.no_cable;
	if (!open_cable(p, o)) {
		fprintf(stderr, "ixgbe-sim: port %u: tap: %s\n", number, strerror(errno));
		return false;
	}
	p->model = ixgbe_model_new(&o->model, &wire);
	if (!p->model) {
		fprintf(stderr, "ixgbe-sim: port %u: no memory\n", number);
		return false;
	}
	p->device_id = ixgbe_model_device_id(p->model);
	device_reset(p);
	if (!server_open(&p->server, o->socket, &device)) {
		fprintf(stderr, "ixgbe-sim: port %u: %s: %s\n", number, o->socket, strerror(errno));
		return false;
	}
	return true;
}

bool port_close(struct port *p)
{
	unsigned broken = ixgbe_model_broken(p->model);

	server_close(&p->server);
	printf("port %u: %llu frames in, %llu of them refused; %llu out, %llu of them lost; "
	       "%llu register reads, %llu writes; %u rules broken\n",
		p->number, (unsigned long long)p->in, (unsigned long long)p->refused,
		(unsigned long long)p->out, (unsigned long long)p->lost,
		(unsigned long long)p->server.reads, (unsigned long long)p->server.writes, broken);
	ixgbe_model_free(p->model);
	if (p->tap >= 0)
		close(p->tap);
	return broken == 0;
}

void port_receive(struct port *p)
{
	static uint8_t frame[IXGBE_MODEL_FRAME + 1];

	for (unsigned i = 0; i < FRAMES_AT_ONCE; i++) {
		ssize_t n = read(p->tap, frame, sizeof frame);

		if (n <= 0)
			return;
		p->in++;
		if ((size_t)n > IXGBE_MODEL_FRAME || !p->cable ||
			!ixgbe_model_receive(p->model, frame, (unsigned)n))
			p->refused++;
	}
}

bool port_poll(struct port *p)
{
	unsigned did = 0;

	while (did < POLLS_AT_ONCE && ixgbe_model_poll(p->model))
		did++;
	return did > 0;
}

void port_set_cable(struct port *p, bool plugged)
{
	p->cable = plugged;
	ixgbe_model_set_link(p->model, plugged);
}

void port_remove(struct port *p)
{
	ixgbe_model_remove(p->model);
}

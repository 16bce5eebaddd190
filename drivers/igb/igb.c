/* Which devices they are, what they count, and how one is opened. */
#include "drivers/igb/igb.h"

#include <string.h>

#include "drivers/igb/igb_device.h"

#define LOST true

/* Those with copper ports; fibre and backplane want a SerDes set up that no one here has seen. */
static const uint16_t model[] = {0x10c9, 0x10e8, 0x150a, 0x1526};

#define MODELS (sizeof model / sizeof *model)

static bool knows(uint16_t device_id)
{
	for (unsigned i = 0; i < MODELS; i++)
		if (model[i] == device_id)
			return true;
	return false;
}

/* 8.19 */
static const struct intel_counter counter[] = {
	{"rx-no-descriptor", LOST, IGB_RQDPC(0), INTEL_QUEUE_STRIDE, 0, 0}, /* the ring was empty */
	{"rx-missed", LOST, IGB_MPC, 0, 0, 0}, /* its packet buffer was full */
	{"rx-crc", LOST, IGB_CRCERRS, 0, 0, 0},
	{"rx-alignment", LOST, IGB_ALGNERRC, 0, 0, 0},
	{"rx-symbol", LOST, IGB_SYMERRS, 0, 0, 0},
	{"rx-error", LOST, IGB_RXERRC, 0, 0, 0},
	{"rx-length", LOST, IGB_RLEC, 0, 0, 0},
	{"rx-undersize", LOST, IGB_RUC, 0, 0, 0},
	{"rx-fragment", LOST, IGB_RFC, 0, 0, 0},
	{"rx-over-buffer", LOST, IGB_ROC, 0, 0, 0}, /* longer than RLPML */
	{"rx-jabber", LOST, IGB_RJC, 0, 0, 0},
	{"rx-frames", false, IGB_GPRC, 0, 0, 0},
	{"rx-bytes", false, IGB_GORCL, 0, IGB_GORCH, UINT32_MAX},
	{"tx-frames", false, IGB_GPTC, 0, 0, 0},
	{"tx-bytes", false, IGB_GOTCL, 0, IGB_GOTCH, UINT32_MAX},
};

#define COUNTERS (sizeof counter / sizeof *counter)

_Static_assert(COUNTERS <= INTEL_COUNTERS_MAX, "all are shown");

static const struct netdev_ops igb_ops = {
	.rx = intel_rx,
	.rx_room = intel_rx_room,
	.rx_fill = intel_rx_fill,
	.tx = intel_tx,
	.tx_done = intel_tx_done,
	.rx_held = intel_rx_held,
	.tx_held = intel_tx_held,
	.rx_last = intel_rx_last,
	.doorbells = intel_doorbells,
	.vlan = igb_vlan,
	.statistics = intel_statistics,
	.poll = intel_poll,
	.stop = intel_stop,
};

static const struct intel_driver driver = {
	.name = "igb",
	.ops = &igb_ops,
	.rdt = IGB_RDT(0),
	.tdt = IGB_TDT(0),
	.rx_error = IGB_RX_ERROR,
	.counter = counter,
	.counters = COUNTERS,
	.reset = igb_reset,
	.start = igb_start,
	.link = igb_link_poll,
};

/* ---------------------------------------------------------------- opening */

/* The address that the device took out of its EEPROM. */
static const char *read_mac(struct intel_port *p)
{
	static const uint8_t zero[6];
	uint32_t low = intel_read(p, IGB_RAL(0)), high = intel_read(p, IGB_RAH(0));

	for (unsigned i = 0; i < 6; i++)
		p->dev.mac[i] = (uint8_t)(i < 4 ? low >> 8 * i : high >> 8 * (i - 4));
	if ((p->dev.mac[0] & 1) || memcmp(p->dev.mac, zero, 6) == 0 || !(high & IGB_RAH_AV))
		return "its MAC address is no station's";
	return NULL;
}

struct netdev *igb_create(const struct intel_place *place, const struct netdev_request *want,
	const struct io_env *env, const char **refusal)
{
	struct igb *g = env->alloc(env->ctx, sizeof *g, CACHE_LINE);

	if (!g) {
		*refusal = "no memory";
	} else if (!knows(place->device_id)) {
		*refusal = "not one of its devices";
	} else {
		*refusal = intel_bring_up(&g->port, &driver, place, want, env);
		if (!*refusal)
			*refusal = read_mac(&g->port);
	}
	if (!*refusal)
		return &g->port.dev;
	intel_refuse(place, env, driver.name, *refusal);
	return NULL;
}

bool igb_match(const struct pci_function *f)
{
	return f->vendor_id == INTEL_VENDOR && knows(f->device_id);
}

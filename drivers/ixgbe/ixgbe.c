/* Which devices they are, and how one is opened, wherever its registers come from. */
#include "drivers/ixgbe/ixgbe.h"

#include <string.h>

#include "drivers/ixgbe/ixgbe_device.h"

static const struct {
	uint16_t id;
	uint8_t kind, media; /* enum ixgbe_kind, enum ixgbe_media */
} model[] = {
	{0x10f7, IXGBE_82599, IXGBE_BACKPLANE}, /* KX4 */
	{0x10f8, IXGBE_82599, IXGBE_BACKPLANE}, /* KX, KX4, KR */
	{0x10f9, IXGBE_82599, IXGBE_BACKPLANE}, /* CX4 */
	{0x10fb, IXGBE_82599, IXGBE_SFP},       /* X520: SFP+ */
	{0x10fc, IXGBE_82599, IXGBE_BACKPLANE}, /* XAUI */
	{0x1507, IXGBE_82599, IXGBE_SFP},
	{0x1514, IXGBE_82599, IXGBE_BACKPLANE}, /* KX4, mezzanine */
	{0x1517, IXGBE_82599, IXGBE_BACKPLANE}, /* KR */
	{0x151c, IXGBE_82599, IXGBE_COPPER},    /* 10GBASE-T */
	{0x1529, IXGBE_82599, IXGBE_SFP}, {0x152a, IXGBE_82599, IXGBE_BACKPLANE},
	{0x154a, IXGBE_82599, IXGBE_SFP}, /* four ports */
	{0x154d, IXGBE_82599, IXGBE_SFP}, /* X520-2 */
	{0x1557, IXGBE_82599, IXGBE_SFP}, /* 82599EN, one port */
	{0x1558, IXGBE_82599, IXGBE_SFP}, /* QSFP+ as four ports */
	{0x1528, IXGBE_X540, IXGBE_COPPER}, {0x1560, IXGBE_X540, IXGBE_COPPER}, /* one port */
	{0x1563, IXGBE_X550, IXGBE_COPPER}, {0x15d1, IXGBE_X550, IXGBE_COPPER}, /* one port */
};

#define MODELS (sizeof model / sizeof *model)

/* Its row in the table, or MODELS. */
static unsigned model_of(uint16_t device_id)
{
	unsigned i = 0;

	while (i < MODELS && model[i].id != device_id)
		i++;
	return i;
}

bool ixgbe_knows(uint16_t device_id)
{
	return model_of(device_id) < MODELS;
}

/* ---------------------------------------------------------------- opening */

/* The address that the device took out of its EEPROM (8.2.3.7.8). */
static const char *read_mac(struct ixgbe *x)
{
	static const uint8_t zero[6];
	uint32_t low = ixgbe_read(x, IXGBE_RAL(0)), high = ixgbe_read(x, IXGBE_RAH(0));

	for (unsigned i = 0; i < 6; i++)
		x->port.dev.mac[i] = (uint8_t)(i < 4 ? low >> 8 * i : high >> 8 * (i - 4));
	if ((x->port.dev.mac[0] & 1) || memcmp(x->port.dev.mac, zero, 6) == 0 ||
		!(high & IXGBE_RAH_AV))
		return "its MAC address is no station's";
	return NULL;
}

static const struct netdev_ops ixgbe_ops = {
	.rx = intel_rx,
	.rx_room = intel_rx_room,
	.rx_fill = intel_rx_fill,
	.tx = intel_tx,
	.tx_done = intel_tx_done,
	.rx_held = intel_rx_held,
	.tx_held = intel_tx_held,
	.rx_last = intel_rx_last,
	.doorbells = intel_doorbells,
	.vlan = ixgbe_vlan,
	.flow_control = ixgbe_flow_control,
	.dca = ixgbe_dca,
	.statistics = intel_statistics,
	.poll = intel_poll,
	.stop = intel_stop,
};

const struct intel_driver ixgbe_driver = {
	.name = "ixgbe",
	.ops = &ixgbe_ops,
	.rdt = IXGBE_RDT(0),
	.tdt = IXGBE_TDT(0),
	.rx_error = IXGBE_RX_ERROR,
	.counter = ixgbe_counter,
	.counters = IXGBE_COUNTERS,
	.reset = ixgbe_reset,
	.start = ixgbe_start,
	.link = ixgbe_link_poll,
};

struct netdev *ixgbe_create(const struct intel_place *place, const struct netdev_request *want,
	const struct io_env *env, const char **refusal)
{
	struct ixgbe *x = env->alloc(env->ctx, sizeof *x, CACHE_LINE);
	unsigned row = model_of(place->device_id);

	if (!x) {
		*refusal = "no memory";
	} else if (row == MODELS) {
		*refusal = "not one of its devices";
	} else {
		x->kind = model[row].kind;
		x->media = model[row].media;
		*refusal = intel_bring_up(&x->port, &ixgbe_driver, place, want, env);
		if (!*refusal)
			*refusal = read_mac(x);
	}
	if (!*refusal)
		return &x->port.dev;
	intel_refuse(place, env, "ixgbe", *refusal);
	return NULL;
}

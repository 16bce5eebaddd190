/* Which devices they are, and how one is opened, wherever its registers come from. */
#include "drivers/ixgbe/ixgbe.h"

#include <string.h>

#include "drivers/ixgbe/ixgbe_device.h"
#include "lib/packet.h"

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
		x->dev.mac[i] = (uint8_t)(i < 4 ? low >> 8 * i : high >> 8 * (i - 4));
	if ((x->dev.mac[0] & 1) || memcmp(x->dev.mac, zero, 6) == 0 || !(high & IXGBE_RAH_AV))
		return "its MAC address is no station's";
	return NULL;
}

static void shape(struct ixgbe *x, const struct netdev_request *want)
{
	unsigned pairs = want->queue_pairs < IXGBE_PAIRS_MAX ? want->queue_pairs : IXGBE_PAIRS_MAX;

	x->slots = x->place.slots;
	x->room = packet_room(want->mtu < MTU_DEFAULT ? MTU_DEFAULT : want->mtu);
	x->vfta[0] = 1; /* VID 0 is no VLAN: such frames carry a priority, and are the port's own */
	x->dev.rx_queues = x->dev.tx_queues = (uint16_t)(pairs ? pairs : 1);
	x->dev.rx_slots = x->dev.tx_slots = (uint16_t)(x->slots - 1);
	x->dev.steering = pairs > 1 ? "rss" : NULL;
	x->dev.vlan_filter = true;
	x->dev.ops = &ixgbe_ring_ops;
	x->dev.driver = "ixgbe";
	x->dev.node = NODE_UNKNOWN;
	x->dev.mtu_max = MTU_MAX;
	strncpy(x->dev.location, x->place.location, sizeof x->dev.location - 1);
}

static const char *bring_up(struct ixgbe *x)
{
	enum ixgbe_reset_result reset;
	const char *refusal;

	if (ixgbe_gone(x))
		return "it does not answer: its registers read as ones";
	do
		reset = ixgbe_reset(x);
	while (reset == IXGBE_RESET_BUSY);
	if (reset != IXGBE_RESET_DONE)
		return "its reset does not end (CTRL.RST)";
	for (unsigned q = 0; q < x->dev.rx_queues; q++)
		if (!ixgbe_rings_make(x, q))
			return "no memory for its queues";
	refusal = ixgbe_start(x, true);
	return refusal ? refusal : read_mac(x);
}

struct netdev *ixgbe_create(const struct ixgbe_place *place, const struct netdev_request *want,
	const struct io_env *env, const char **refusal)
{
	struct ixgbe *x = env->alloc(env->ctx, sizeof *x, CACHE_LINE);
	unsigned row = model_of(place->device_id);

	*refusal = NULL;
	if (!x) {
		*refusal = "no memory";
	} else if (row == MODELS) {
		*refusal = "not one of its devices";
	} else {
		x->place = *place;
		x->env = *env;
		x->registers = place->registers;
		x->kind = model[row].kind;
		x->media = model[row].media;
		shape(x, want);
		*refusal = bring_up(x);
	}
	if (!*refusal)
		return &x->dev;
	env->log(env->ctx, "ixgbe %s: refused: %s", place->location, *refusal);
	place->cut_off(place->ctx);
	return NULL;
}

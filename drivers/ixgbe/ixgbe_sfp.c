/* What module is in the cage: three bytes of it, read bit by bit over I2C (8.2.3.1.5, SFF-8472). */
#include "drivers/ixgbe/ixgbe_device.h"

#define HALF_BIT_US 5u /* 100 kHz, which every module can */

#define MODULE_WRITE 0xa0u /* address A0h, and the direction */
#define MODULE_READ  0xa1u

/* SFF-8472 table 4-1. */
#define BYTE_IDENTIFIER 0u
#define IDENTIFIER_SFP  0x03u
#define BYTE_10G        3u
#define BYTE_10G_OPTIC  0xf0u /* ER, LRM, LR, SR */
#define BYTE_1G         6u
#define BYTE_1G_ANY     0x0fu /* T, CX, LX, SX */
#define BYTE_CABLE      8u
#define BYTE_CABLE_ANY  0x0cu /* direct attach: active, passive */

/* Drives both lines, where 1 lets go of one, and waits half a bit. */
static void drive(const struct ixgbe *x, bool clock, bool data)
{
	uint64_t start;

	ixgbe_write(x, IXGBE_I2CCTL,
		(clock ? IXGBE_I2C_CLOCK_OUT : 0) | (data ? IXGBE_I2C_DATA_OUT : 0));
	(void)ixgbe_read(x, IXGBE_STATUS); /* it has arrived */
	for (start = ixgbe_now(x); ixgbe_now(x) - start < HALF_BIT_US;)
		;
}

/* One bit each way: what the data line says while the clock is high. */
static bool bit(const struct ixgbe *x, bool data)
{
	bool in;

	drive(x, false, data);
	drive(x, true, data);
	in = ixgbe_read(x, IXGBE_I2CCTL) & IXGBE_I2C_DATA_IN;
	drive(x, false, data);
	return in;
}

/* Also a second time without a stop between. */
static void start(const struct ixgbe *x)
{
	drive(x, false, true);
	drive(x, true, true);
	drive(x, true, false);
	drive(x, false, false);
}

static void stop(const struct ixgbe *x)
{
	drive(x, false, false);
	drive(x, true, false);
	drive(x, true, true);
}

/* true: it was acknowledged. */
static bool send(const struct ixgbe *x, unsigned byte)
{
	for (unsigned i = 8; i-- > 0;)
		(void)bit(x, byte >> i & 1);
	return !bit(x, true);
}

/* false: nobody answers. */
static bool read_byte(const struct ixgbe *x, unsigned at, unsigned *byte)
{
	bool answers;

	*byte = 0;
	start(x);
	answers = send(x, MODULE_WRITE) && send(x, at);
	if (answers) {
		start(x);
		answers = send(x, MODULE_READ);
	}
	for (unsigned i = 0; answers && i < 8; i++)
		*byte = *byte << 1 | bit(x, true);
	if (answers)
		(void)bit(x, true); /* no more, thank you */
	stop(x);
	return answers;
}

void ixgbe_sfp_look(struct ixgbe *x)
{
	uint32_t phy = IXGBE_SYNC_PHY(IXGBE_STATUS_LAN(ixgbe_read(x, IXGBE_STATUS)) & 1u);
	enum ixgbe_module before = x->module;
	unsigned id, ten, one, cable;

	if (!ixgbe_sync_try(x, phy))
		return;
	x->module = IXGBE_MODULE_NONE;
	if (read_byte(x, BYTE_IDENTIFIER, &id) && read_byte(x, BYTE_10G, &ten) &&
		read_byte(x, BYTE_1G, &one) && read_byte(x, BYTE_CABLE, &cable)) {
		if (id == IDENTIFIER_SFP && ((ten & BYTE_10G_OPTIC) || (cable & BYTE_CABLE_ANY)))
			x->module = one & BYTE_1G_ANY ? IXGBE_MODULE_BOTH : IXGBE_MODULE_10G;
		else
			x->module = IXGBE_MODULE_ODD;
		if (x->module == IXGBE_MODULE_ODD && before != IXGBE_MODULE_ODD)
			x->port.env.log(x->port.env.ctx,
				"ixgbe %s: the module is none that is known (id %02x, 10G %02x, "
				"cable %02x): it is tried",
				x->port.dev.location, id, ten, cable);
	}
	ixgbe_sync_release(x, phy);
}

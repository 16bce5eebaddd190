/*
 * The link: its PHY is told to negotiate after each reset, without an offer of flow control
 * (4.5.7), and looked at in each poll. Nothing waits for it, least of all the boot.
 */
#include "drivers/igb/igb_device.h"

#define FIRMWARE_US 100000u  /* for firmware to set the PHY up first */
#define GIVE_UP_US  5000000u /* for the semaphore: then the PHY is left as it is */
#define MDIC_US     1000u    /* a register of the PHY takes some 64 us */
#define RELEASE_US  10000u

/* ---------------------------------------------------------------- semaphores, 4.7 */

/* Takes the register of semaphores itself, from the other port and from firmware. */
static bool lock(const struct intel_port *p)
{
	if (intel_read(p, IGB_SWSM) & IGB_SWSM_SMBI)
		return false;
	intel_write(p, IGB_SWSM, IGB_SWSM_SMBI | IGB_SWSM_SWESMBI);
	if (intel_read(p, IGB_SWSM) & IGB_SWSM_SWESMBI)
		return true;
	intel_write(p, IGB_SWSM, 0);
	return false;
}

static bool phy_try(const struct intel_port *p, uint32_t bit)
{
	uint32_t sync;
	bool free;

	if (!lock(p))
		return false;
	sync = intel_read(p, IGB_SYNC);
	free = !(sync & (bit | IGB_SYNC_FIRMWARE(bit)));
	if (free)
		intel_write(p, IGB_SYNC, sync | bit);
	intel_write(p, IGB_SWSM, 0);
	return free;
}

static void phy_release(const struct intel_port *p, uint32_t bit)
{
	uint64_t start = intel_now(p);

	while (!lock(p))
		if (intel_now(p) - start > RELEASE_US)
			return; /* whoever has it for so long will not give it back */
	intel_write(p, IGB_SYNC, intel_read(p, IGB_SYNC) & ~bit);
	intel_write(p, IGB_SWSM, 0);
}

/* ---------------------------------------------------------------- the PHY, 8.2.4 */

static bool mdic(const struct intel_port *p, uint32_t command, uint16_t *data)
{
	uint32_t v;

	intel_write(p, IGB_MDIC, command | IGB_MDIC_PHY | *data);
	if (!intel_wait(p, IGB_MDIC, IGB_MDIC_READY, IGB_MDIC_READY, MDIC_US))
		return false;
	v = intel_read(p, IGB_MDIC);
	*data = (uint16_t)v;
	return !(v & IGB_MDIC_ERROR);
}

/* Changes bits of a register of the PHY: those of `clear`, then those of `set`. */
static bool phy_change(const struct intel_port *p, unsigned at, unsigned clear, unsigned set)
{
	uint32_t where = IGB_MDIC_REGISTER(at);
	uint16_t v = 0;

	if (!mdic(p, where | IGB_MDIC_READ, &v))
		return false;
	v = (uint16_t)((v & ~clear) | set);
	return mdic(p, where | IGB_MDIC_WRITE, &v);
}

/* ---------------------------------------------------------------- polls */

/* true: done; false: not its turn yet. */
static bool negotiate(const struct intel_port *p, uint64_t passed)
{
	unsigned lan = IGB_STATUS_LAN(intel_read(p, IGB_STATUS));
	uint32_t bit = IGB_SYNC_PHY(lan);
	bool firmware = !(intel_read(p, IGB_EEMNGCTL) & IGB_EEMNGCTL_DONE(lan)), told;

	/* Where there is no firmware it never says that it is done. */
	if ((firmware && passed < FIRMWARE_US) || !phy_try(p, bit))
		return false;
	told = phy_change(p, IGB_PHY_OFFER, IGB_PHY_OFFER_PAUSE, 0) &&
	       phy_change(p, IGB_PHY_CONTROL, IGB_PHY_CONTROL_OFF,
		       IGB_PHY_CONTROL_AN | IGB_PHY_CONTROL_AGAIN);
	phy_release(p, bit);
	if (!told)
		p->env.log(p->env.ctx, "igb %s: its PHY does not answer (MDIC)", p->dev.location);
	return true;
}

void igb_link_poll(struct intel_port *p)
{
	static const uint16_t speed[] = {10, 100, 1000, 1000};
	uint32_t status = intel_read(p, IGB_STATUS);
	bool up = status & IGB_STATUS_LU;
	uint64_t passed = intel_now(p) - igb_of(p)->start_us;
	struct igb *g = igb_of(p);

	p->dev.speed_mbps = up ? speed[IGB_STATUS_SPEED(status)] : 0;
	if (p->dev.link != up) /* workers read this line */
		store_once(&p->dev.link, up);
	if (g->link_asked)
		return;
	if (negotiate(p, passed)) {
		g->link_asked = true;
	} else if (passed > GIVE_UP_US) {
		g->link_asked = true;
		p->env.log(p->env.ctx, "igb %s: its PHY is left as it is (SW_FW_SYNC)",
			p->dev.location);
	}
}

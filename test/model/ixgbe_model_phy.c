/* The 10GBASE-T PHY of an X540 or X550 behind MDIO, clause 45 (X540 datasheet 8.2.4.22.11, 3.6). */
#include "test/model/ixgbe_model_device.h"

#define MDIO_US 10u

#define PMA    1u
#define AN     7u
#define VENDOR 0x1Eu

#define AN_RESTART (1u << 9)
#define LOW_POWER  (1u << 11)

static uint16_t *phy_register(struct ixgbe_model *m, unsigned device, unsigned at)
{
	unsigned i;

	for (i = 0; i < m->phy_used; i++) {
		if (m->phy[i].device == device && m->phy[i].at == at)
			return &m->phy[i].value;
	}
	if (i == IXGBE_MODEL_PHY_REGS)
		i--; /* forgets the last one */
	m->phy[i].device = (uint16_t)device;
	m->phy[i].at = (uint16_t)at;
	m->phy[i].value = 0;
	m->phy_used = i + 1;
	return &m->phy[i].value;
}

/* IEEE 802.3 45.2.1, 45.2.7. */
void ixgbe_model_phy_fill(struct ixgbe_model *m)
{
	m->phy_used = 0;
	if (m->options.media != IXGBE_MODEL_BASE_T)
		return;
	*phy_register(m, PMA, 2) = 0x0154;
	*phy_register(m, PMA, 3) = m->kind == KIND_X550 ? 0x0220 : 0x0200;
	*phy_register(m, PMA, 4) = 0x0031;   /* 10G, 1G, 100M */
	*phy_register(m, PMA, 5) = 0x009A;   /* PMA, PCS, PHY XS, AN */
	*phy_register(m, PMA, 6) = 0x4000;   /* vendor's */
	*phy_register(m, PMA, 8) = 0x8000;   /* somebody is here */
	*phy_register(m, PMA, 0xB) = 0x00A4; /* 10GBASE-T, 1000BASE-T, 100BASE-TX */
	*phy_register(m, AN, 0) = 0x1000;
	*phy_register(m, AN, 0x20) = 0x1001;
}

bool ixgbe_model_phy_ready(struct ixgbe_model *m)
{
	return !(*phy_register(m, VENDOR, 0) & LOW_POWER) &&
	       !(*phy_register(m, PMA, 0) & LOW_POWER);
}

static uint16_t phy_read(struct ixgbe_model *m, unsigned device, unsigned at)
{
	if (m->options.media != IXGBE_MODEL_BASE_T)
		return 0xFFFF;
	ixgbe_model_link_poll(m);
	if (device == AN && at == 1)
		return m->link.up ? 0x002D : 0x0009; /* complete, link */
	if (device == AN && at == 0xC800)
		return m->link.up ? 7 : 0;
	if (device == VENDOR && at == 1)
		return m->link.up ? 0x0018 : 0;
	return *phy_register(m, device, at);
}

static void phy_write(struct ixgbe_model *m, unsigned device, unsigned at, uint16_t v)
{
	if (m->options.media != IXGBE_MODEL_BASE_T)
		return;
	if (device == AN && at == 0 && (v & AN_RESTART)) {
		v &= (uint16_t)~AN_RESTART;
		ixgbe_model_link_restart(m);
	}
	if (device == 4 && at == 0)
		v &= 0x7FFF; /* reset, done at once */
	*phy_register(m, device, at) = v;
	ixgbe_model_link_poll(m);
}

static void mdio_settle(struct ixgbe_model *m)
{
	uint32_t v = REG(m, R_MSCA);
	unsigned device = v >> 16 & 0x1F, code = v >> 26 & 3, port = v >> 21 & 0x1F;

	if (!m->mdio_at || m->options.mdio_stuck || ixgbe_model_now(m) < m->mdio_at)
		return;
	m->mdio_at = 0;
	REG(m, R_MSCA) &= ~MSCA_COMMAND;
	if (code == 0)
		m->mdio_address = v & 0xFFFF;
	else if (code == 1 && port == 0)
		phy_write(m, device, m->mdio_address, (uint16_t)REG(m, R_MSRWD));
	else if (code != 1)
		REG(m, R_MSRWD) = (REG(m, R_MSRWD) & 0xFFFF) |
				  (port ? 0xFFFFu : (uint32_t)phy_read(m, device, m->mdio_address))
					  << 16;
}

/* As of EERD: a look takes time. */
uint32_t ixgbe_model_msca_read(struct ixgbe_model *m, uint32_t at)
{
	mdio_settle(m);
	if (m->mdio_at > 5)
		m->mdio_at -= 5;
	return REG(m, at);
}

void ixgbe_model_msca_write(struct ixgbe_model *m, uint32_t at, uint32_t v)
{
	mdio_settle(m);
	if (m->mdio_at)
		ixgbe_model_broke(m, "mdio-busy", "MSCA 0x%08x", v);
	if (!(REG(m, R_SW_FW_SYNC) & SYNC_PHY0))
		ixgbe_model_broke(m, "mdio-without-semaphore", "MSCA 0x%08x", v);
	REG(m, at) = v;
	if (v & MSCA_COMMAND)
		m->mdio_at = ixgbe_model_now(m) + MDIO_US;
}

/* The model's link: what AUTOC, the module, the PHY and the cable make of it, and when (3.7). */
#include "test/model/ixgbe_model_device.h"

static unsigned link_mode(const struct ixgbe_model *m)
{
	return REG(m, R_AUTOC) >> AUTOC_MODE_SHIFT & 7;
}

static bool one_gigabit(const struct ixgbe_model *m)
{
	return m->options.media != IXGBE_MODEL_BASE_T && (link_mode(m) == 0 || link_mode(m) == 2);
}

/* 8.2.3.22.19, 20: is the MAC set up for what it is connected to? */
static bool mode_fits(struct ixgbe_model *m)
{
	uint32_t esdp = REG(m, R_ESDP);

	switch (m->options.media) {
	case IXGBE_MODEL_SFP:
	case IXGBE_MODEL_SFP_ODD:
		if ((esdp & ESDP_LASER_OUT) && (esdp & ESDP_LASER_OFF))
			return false;
		if (link_mode(m) == 3)
			return (REG(m, R_AUTOC2) & 3u << 16) == AUTOC2_SFI;
		return one_gigabit(m);
	case IXGBE_MODEL_KX4:
		return link_mode(m) != 3 && link_mode(m) != 7;
	case IXGBE_MODEL_BASE_T:
		return ixgbe_model_phy_ready(m);
	case IXGBE_MODEL_SFP_ABSENT:
		break;
	}
	return false;
}

static bool possible(struct ixgbe_model *m)
{
	if (m->options.link_stuck || m->resetting)
		return false;
	if (REG(m, R_AUTOC) & AUTOC_FORCE_UP)
		return true;
	return m->link.carrier && mode_fits(m);
}

static bool becomes(struct ixgbe_model *m, bool up)
{
	m->link.up = up;
	ixgbe_model_irq_other(m, EICR_LSC);
	return true;
}

bool ixgbe_model_link_poll(struct ixgbe_model *m)
{
	uint64_t now = ixgbe_model_now(m);

	if (!possible(m)) {
		m->link.training = false;
		return m->link.up ? becomes(m, false) : false;
	}
	if (m->link.up)
		return false;
	if (!m->link.training) {
		m->link.training = true;
		m->link.at = now + m->options.link_us;
	}
	if (now < m->link.at)
		return false;
	m->link.training = false;
	return becomes(m, true);
}

void ixgbe_model_link_restart(struct ixgbe_model *m)
{
	if (m->link.up)
		becomes(m, false);
	m->link.training = false;
	ixgbe_model_link_poll(m);
}

uint32_t ixgbe_model_links_read(struct ixgbe_model *m, uint32_t at)
{
	uint32_t v = 0;

	ixgbe_model_link_poll(m);
	if (m->link.up) {
		v = LINKS_UP | LINKS_LATCHED | (one_gigabit(m) ? LINKS_1G : LINKS_10G);
		if (m->options.media == IXGBE_MODEL_KX4)
			v |= LINKS_AN_DONE;
	}
	return v;
}

/* A new mode counts from the next restart on; here at once, for 10GBASE-T not at all. */
void ixgbe_model_autoc_write(struct ixgbe_model *m, uint32_t at, uint32_t v)
{
	REG(m, at) = v & ~AUTOC_RESTART;
	if ((v & AUTOC_RESTART) && m->options.media != IXGBE_MODEL_BASE_T)
		ixgbe_model_link_restart(m);
}

/*
 * ANLP1.ANAS: negotiation is under way or done in all modes that have it. Linux's driver flips the
 * highest bit of the mode and waits for this to leave 0, on a backplane too: there it had left it
 * before.
 */
uint32_t ixgbe_model_anlp1_read(struct ixgbe_model *m, uint32_t at)
{
	return link_mode(m) >= 4 || m->options.media == IXGBE_MODEL_KX4 ? ANLP1_STATE : 0;
}

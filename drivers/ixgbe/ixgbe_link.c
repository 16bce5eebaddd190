/*
 * The link: set up as far as the medium wants it (4.6.4), looked at in each poll, and set up again
 * while it does not come. Nothing waits for it, least of all the boot.
 */
#include "drivers/ixgbe/ixgbe_device.h"

#define RETRY_US 5000000u /* a link may take so long to come */

#define TRIES_ROUND 4u /* of which the last one is at 1 Gb/s, if the module may be for that */

/*
 * The laser on, and one lane of 10 Gb/s, or 1 Gb/s as clause 37 negotiates it (3.7.4). Whatever
 * the module is: the worst that an odd one does is to stay dark.
 */
static uint32_t set_up_module(const struct ixgbe *x, uint32_t autoc)
{
	uint32_t esdp = ixgbe_read(x, IXGBE_ESDP);
	bool slow = x->module != IXGBE_MODULE_10G && x->link_tries % TRIES_ROUND == TRIES_ROUND - 1;

	ixgbe_write(x, IXGBE_ESDP,
		(esdp & ~IXGBE_ESDP_LASER_OFF) | IXGBE_ESDP_OUT(IXGBE_ESDP_LASER_OFF));
	autoc &= ~IXGBE_AUTOC_LMS;
	return autoc | (slow ? IXGBE_AUTOC_LMS_1G_AN : IXGBE_AUTOC_LMS_SERIAL);
}

/* false: the registers are in others' hands just now. */
static bool set_up(struct ixgbe *x)
{
	uint32_t autoc, autoc2;

	if (x->media == IXGBE_COPPER) /* its PHY does it */
		return true;
	if (x->media == IXGBE_SFP)
		ixgbe_sfp_look(x);
	if (!ixgbe_sync_try(x, IXGBE_SYNC_CSR))
		return false;
	autoc = ixgbe_read(x, IXGBE_AUTOC);
	autoc2 = ixgbe_read(x, IXGBE_AUTOC2) & ~IXGBE_AUTOC2_OFF;
	if (x->media == IXGBE_SFP) {
		autoc = set_up_module(x, autoc);
		autoc2 = (autoc2 & ~IXGBE_AUTOC2_SERIAL) | IXGBE_AUTOC2_SFI;
	}
	ixgbe_write(x, IXGBE_AUTOC2, autoc2);
	ixgbe_write(x, IXGBE_AUTOC, autoc | IXGBE_AUTOC_RESTART);
	ixgbe_sync_release(x, IXGBE_SYNC_CSR);
	x->link_tries++;
	return true;
}

/* A try to set it up, which waits for its turn at the semaphore by coming again. */
static void retry(struct ixgbe *x, uint64_t now)
{
	if (set_up(x)) {
		x->link_asked = true;
		x->link_us = now;
	} else if (now - x->link_us > RETRY_US && !x->link_stuck) {
		x->link_stuck = true;
		x->port.env.log(x->port.env.ctx,
			"ixgbe %s: the link cannot be set up: firmware keeps its registers "
			"(SW_FW_SYNC)",
			x->port.dev.location);
	}
}

/* X550: 2.5 and 5 Gb/s are odd cases of 10 and 0.1. */
static uint32_t speed_mbps(const struct ixgbe *x, uint32_t links)
{
	static const uint16_t speed[] = {0, 100, 1000, 10000}, odd[] = {0, 5000, 1000, 2500};
	bool is_odd = x->kind == IXGBE_X550 && (links & IXGBE_LINKS_ODD);

	return (is_odd ? odd : speed)[IXGBE_LINKS_SPEED(links)];
}

void ixgbe_link_poll(struct intel_port *p)
{
	struct ixgbe *x = ixgbe_of_port(p);
	uint32_t links = ixgbe_read(x, IXGBE_LINKS);
	bool up = links & IXGBE_LINKS_UP;
	uint64_t now = ixgbe_now(x);

	p->dev.speed_mbps = up ? speed_mbps(x, links) : 0;
	if (p->dev.link != up) /* workers read this line */
		store_once(&p->dev.link, up);
	if (up) {
		x->link_asked = true;
		x->link_us = now;
		x->link_tries = 0;
	} else if (!x->link_asked || now - x->link_us > RETRY_US) {
		if (x->link_asked)
			x->link_us = now;
		x->link_asked = false;
		retry(x, now);
	}
}

/* Reset, and bring-up in the order of the datasheet (4.5.3), to rings that are served. */
#include "drivers/igb/igb_device.h"

#define QUIET_US  80000u /* for DMA to end; longer than any completion of the bus takes */
#define BEFORE_US 1000u  /* no register is looked at for so long after the reset bit is set */
#define CLEAR_US  1000000u
#define EEPROM_US 20000u
#define QUEUE_US  10000u

#define ADDRESSES 24u
#define TABLE     128u /* words of MTA, UTA, VFTA */
#define KEY_WORDS 10u
#define ENTRIES   128u /* of RETA */

/* Descriptors are fetched ahead; received ones are written back one by one, as the device has it
 * by default, and of those sent only such that report (7.2.2.5). */
#define RX_THRESHOLDS (IGB_DCTL_PTHRESH(8u) | IGB_DCTL_HTHRESH(8u) | IGB_DCTL_WTHRESH(1u))
#define TX_THRESHOLDS (IGB_DCTL_PTHRESH(8u) | IGB_DCTL_HTHRESH(1u) | IGB_DCTL_WTHRESH(0u))

/* ---------------------------------------------------------------- reset, 4.2.1 */

static enum intel_reset_result next(struct intel_port *p, enum intel_reset_step step)
{
	p->reset_step = step;
	p->reset_us = intel_now(p);
	return INTEL_RESET_BUSY;
}

/* No interrupt is enabled, and none is left (4.5.4). */
static void silence(const struct intel_port *p)
{
	intel_write(p, IGB_IMC, UINT32_MAX);
	intel_write(p, IGB_EIMC, UINT32_MAX);
	(void)intel_read(p, IGB_ICR); /* clears it, and so does the other */
	(void)intel_read(p, IGB_EICR);
}

enum intel_reset_result igb_reset(struct intel_port *p)
{
	uint64_t passed = intel_now(p) - p->reset_us;

	switch (p->reset_step) {
	case INTEL_RESET_BEGIN:
		silence(p);
		intel_write(p, IGB_RCTL, 0);
		intel_write(p, IGB_TCTL, intel_read(p, IGB_TCTL) & ~IGB_TCTL_EN);
		intel_write(p, IGB_CTRL, intel_read(p, IGB_CTRL) | IGB_CTRL_GIO_DIS);
		return next(p, INTEL_RESET_QUIET);
	case INTEL_RESET_QUIET:
		if ((intel_read(p, IGB_STATUS) & IGB_STATUS_GIO) && passed < QUIET_US)
			return INTEL_RESET_BUSY;
		intel_write(p, IGB_CTRL, intel_read(p, IGB_CTRL) | IGB_CTRL_RST);
		return next(p, INTEL_RESET_WAIT);
	case INTEL_RESET_WAIT:
		if (passed < BEFORE_US)
			return INTEL_RESET_BUSY;
		if (intel_read(p, IGB_CTRL) & IGB_CTRL_RST)
			return passed < CLEAR_US ? INTEL_RESET_BUSY : INTEL_RESET_STUCK;
		return next(p, INTEL_RESET_SETTLE);
	case INTEL_RESET_SETTLE:
		/* A device without an EEPROM never says that it has read one. */
		if (!(intel_read(p, IGB_EECD) & IGB_EECD_ARD) && passed < EEPROM_US)
			return INTEL_RESET_BUSY;
		silence(p); /* the reset may have undone it */
		return INTEL_RESET_DONE;
	}
	return INTEL_RESET_STUCK;
}

/* ---------------------------------------------------------------- general, 4.5.5 to 4.5.8 */

/*
 * Flow control is off both ways: a peer that could stop our output would stop all that shares its
 * queues, and one that we stop loses at its own end what we would count here. Tags stay in frames.
 */
static void set_up_device(const struct intel_port *p)
{
	uint32_t ctrl = intel_read(p, IGB_CTRL), ext = intel_read(p, IGB_CTRL_EXT);

	ctrl &= ~(IGB_CTRL_GIO_DIS | IGB_CTRL_FORCED | IGB_CTRL_FLOW | IGB_CTRL_VME);
	intel_write(p, IGB_CTRL, ctrl | IGB_CTRL_SLU);
	intel_write(p, IGB_CTRL_EXT,
		(ext & ~IGB_CTRL_EXT_DOUBLE) | IGB_CTRL_EXT_NS_DIS | IGB_CTRL_EXT_DRV_LOAD);
	intel_write(p, IGB_VET, (intel_read(p, IGB_VET) & 0xffff0000) | IGB_VET_TAG);
}

/*
 * Whose frames come in: those to the port's own address, which the device has put in place 0 from
 * its EEPROM, to groups, and to all. The router joins groups as it runs, and no table of hashes is
 * exact: all of them come in, and what is nobody's is counted there.
 */
static void set_up_filters(const struct intel_port *p)
{
	for (unsigned i = 1; i < ADDRESSES; i++) {
		intel_write(p, IGB_RAL(i), 0);
		intel_write(p, IGB_RAH(i), 0);
	}
	for (unsigned i = 0; i < TABLE; i++) {
		intel_write(p, IGB_MTA(i), 0);
		intel_write(p, IGB_UTA(i), 0);
		intel_write(p, IGB_VFTA(i), p->vfta[i]);
	}
}

bool igb_vlan(struct netdev *dev, uint16_t vid, bool pass)
{
	struct intel_port *p = intel_of(dev);

	intel_write(p, IGB_VFTA(vid >> 5 & (TABLE - 1)), intel_vlan(p, vid, pass));
	return true;
}

/* 7.1.1.7 */
static void set_up_rss(const struct intel_port *p)
{
	uint32_t fields = IGB_MRQC_IPV4 | IGB_MRQC_IPV4_TCP | IGB_MRQC_IPV4_UDP | IGB_MRQC_IPV6 |
			  IGB_MRQC_IPV6_TCP | IGB_MRQC_IPV6_UDP;

	intel_write(p, IGB_RXCSUM, intel_read(p, IGB_RXCSUM) | IGB_RXCSUM_PCSD);
	for (unsigned i = 0; i < KEY_WORDS; i++)
		intel_write(p, IGB_RSSRK(i), INTEL_RSS_KEY);
	for (unsigned i = 0; i < ENTRIES; i += 4)
		intel_write(p, IGB_RETA(i / 4), intel_rss_entries(p, i));
	intel_write(p, IGB_MRQC, p->dev.rx_queues > 1 ? IGB_MRQC_RSS | fields : 0);
}

/* ---------------------------------------------------------------- queues, 4.5.9, 4.5.10 */

static const char *start_rx_queue(const struct intel_port *p, unsigned q)
{
	const struct intel_rxq *rx = &p->rx[q];
	uint64_t ring = (uintptr_t)rx->ring;

	intel_write(p, IGB_RDBAL(q), (uint32_t)ring);
	intel_write(p, IGB_RDBAH(q), (uint32_t)(ring >> 32));
	intel_write(p, IGB_RDLEN(q), p->slots * (uint32_t)sizeof *rx->ring);
	intel_write(p, IGB_SRRCTL(q), IGB_SRRCTL_ROOM(p->room) | IGB_SRRCTL_ONE | IGB_SRRCTL_DROP);
	intel_write(p, IGB_RDH(q), 0);
	intel_write(p, IGB_RDT(q), 0);
	intel_write(p, IGB_RXDCTL(q), RX_THRESHOLDS | IGB_DCTL_ENABLE);
	if (!intel_wait(p, IGB_RXDCTL(q), IGB_DCTL_ENABLE, IGB_DCTL_ENABLE, QUEUE_US))
		return "a receive queue does not start (RXDCTL.ENABLE)";
	/* Only now, or the device forgets it; there are buffers if it was running before. */
	if (rx->posted)
		intel_write(p, IGB_RDT(q), rx->posted & rx->mask);
	return NULL;
}

static const char *start_tx_queue(const struct intel_port *p, unsigned q)
{
	const struct intel_txq *tx = &p->tx[q];
	uint64_t ring = (uintptr_t)tx->ring;

	intel_write(p, IGB_TDBAL(q), (uint32_t)ring);
	intel_write(p, IGB_TDBAH(q), (uint32_t)(ring >> 32));
	intel_write(p, IGB_TDLEN(q), p->slots * (uint32_t)sizeof *tx->ring);
	intel_write(p, IGB_TDWBAL(q), 0); /* done is told in the descriptors */
	intel_write(p, IGB_TDH(q), 0);
	intel_write(p, IGB_TDT(q), 0);
	intel_write(p, IGB_TXDCTL(q), TX_THRESHOLDS | IGB_DCTL_ENABLE);
	if (!intel_wait(p, IGB_TXDCTL(q), IGB_DCTL_ENABLE, IGB_DCTL_ENABLE, QUEUE_US))
		return "a transmit queue does not start (TXDCTL.ENABLE)";
	return NULL;
}

/* ---------------------------------------------------------------- all of it */

/*
 * The limit of a frame counts all of it, tag and FCS. What fits a buffer comes in, also if it is
 * over the MTU: the router then counts it.
 */
const char *igb_start(struct intel_port *p, bool first)
{
	const char *refusal = NULL;

	set_up_device(p);
	intel_stats_clear(p);
	set_up_filters(p);
	set_up_rss(p);
	intel_write(p, IGB_RLPML, p->room);
	for (unsigned q = 0; q < p->dev.rx_queues && !refusal; q++) {
		refusal = start_rx_queue(p, q);
		if (!refusal)
			refusal = start_tx_queue(p, q);
	}
	if (refusal)
		return refusal;
	intel_write(p, IGB_TCTL, intel_read(p, IGB_TCTL) | IGB_TCTL_EN | IGB_TCTL_PSP);
	intel_write(p, IGB_RCTL,
		IGB_RCTL_RXEN | IGB_RCTL_MPE | IGB_RCTL_LPE | IGB_RCTL_BAM | IGB_RCTL_VFE |
			IGB_RCTL_SECRC);
	igb_of(p)->link_asked = false;
	igb_of(p)->start_us = intel_now(p);
	return NULL;
}

/* Bring-up in the order of the datasheet (4.6.3), from a reset to rings that are served. */
#include "drivers/ixgbe/ixgbe_device.h"

#define EEPROM_US   100000u
#define FIRMWARE_US 50000u
#define DMA_US      10000u
#define QUEUE_US    10000u
#define SECURITY_US 4000u

#define FRAME_KIB 10u /* room that a frame to be sent must find in its packet buffer */

#define BUFFERS 8u /* packet buffers; the first has all the memory */

/* Descriptors fetched ahead: as many as the device has room for, at any number of them that there
 * is; written back one by one, and so only those that report (7.2.3.4.1, 7.2.3.5.1). */
#define TX_THRESHOLDS                                                                              \
	(IXGBE_TXDCTL_PTHRESH(32u) | IXGBE_TXDCTL_HTHRESH(1u) | IXGBE_TXDCTL_WTHRESH(0u))

/* 4.6.3 steps 3 to 5: what the device does by itself after a reset. */
static const char *await_device(const struct ixgbe *x)
{
	unsigned lan = IXGBE_STATUS_LAN(ixgbe_read(x, IXGBE_STATUS)) & 1u;

	if (!ixgbe_wait(x, IXGBE_EEC, IXGBE_EEC_ARD, IXGBE_EEC_ARD, EEPROM_US))
		return "it does not read its EEPROM (EEC.ARD)";
	/* Where there is no firmware the bit may never come, and nothing is missing then. */
	if (!ixgbe_wait(x, IXGBE_EEMNGCTL, IXGBE_EEMNGCTL_DONE(lan), IXGBE_EEMNGCTL_DONE(lan),
		    FIRMWARE_US))
		x->port.env.log(x->port.env.ctx,
			"ixgbe %s: firmware has not configured it (EEMNGCTL), going on",
			x->port.dev.location);
	if (!ixgbe_wait(x, IXGBE_RDRXCTL, IXGBE_RDRXCTL_DMAIDONE, IXGBE_RDRXCTL_DMAIDONE, DMA_US))
		return "its DMA does not initialise (RDRXCTL.DMAIDONE)";
	return NULL;
}

/* 4.6.3.2, and no interrupts (4.6.3.1): none is enabled, none is mapped. */
static void set_up_device(const struct ixgbe *x)
{
	uint32_t ext = ixgbe_read(x, IXGBE_CTRL_EXT);

	ixgbe_write(x, IXGBE_CTRL_EXT, ext | IXGBE_CTRL_EXT_NS_DIS | IXGBE_CTRL_EXT_DRV_LOAD);
	ixgbe_write(x, IXGBE_GPIE, 0);
	ixgbe_dca_init(x);
}

/* 4.6.11.3.4: neither virtual machines nor traffic classes, so one buffer each way. */
static void set_up_buffers(const struct ixgbe *x)
{
	uint32_t rx_kib = ixgbe_rx_kib(x), tx_kib = 160;

	ixgbe_write(x, IXGBE_RTTDCS, ixgbe_read(x, IXGBE_RTTDCS) | IXGBE_RTTDCS_ARBDIS);
	ixgbe_write(x, IXGBE_MTQC, 0);
	for (unsigned i = 0; i < BUFFERS; i++) {
		ixgbe_write(x, IXGBE_RXPBSIZE(i), i ? 0 : rx_kib << 10);
		ixgbe_write(x, IXGBE_TXPBSIZE(i), i ? 0 : tx_kib << 10);
		ixgbe_write(x, IXGBE_TXPBTHRESH(i), i ? 0 : tx_kib - FRAME_KIB);
	}
	ixgbe_write(x, IXGBE_DTXMXSZRQ, 0xfff);
	ixgbe_write(x, IXGBE_RTTDCS, ixgbe_read(x, IXGBE_RTTDCS) & ~IXGBE_RTTDCS_ARBDIS);
}

/*
 * The limit of a frame counts the FCS, but not up to two VLAN tags, 8 bytes (8.2.3.22.13). What
 * fits a buffer comes in, also if it is over the MTU: the router then counts it.
 */
static void set_up_frames(const struct ixgbe *x)
{
	uint32_t hlreg0 = ixgbe_read(x, IXGBE_HLREG0) & ~IXGBE_HLREG0_LPBK;

	ixgbe_write(x, IXGBE_HLREG0,
		hlreg0 | IXGBE_HLREG0_TXCRCEN | IXGBE_HLREG0_RXCRCSTRP | IXGBE_HLREG0_JUMBOEN |
			IXGBE_HLREG0_TXPADEN);
	ixgbe_write(x, IXGBE_MAXFRS, IXGBE_MAXFRS_MFS(x->port.room - 8));
}

/* ---------------------------------------------------------------- receive, 4.6.7 */

static void set_up_receive(const struct ixgbe *x)
{
	uint32_t rdrxctl = ixgbe_read(x, IXGBE_RDRXCTL) & ~IXGBE_RDRXCTL_FIRST;

	ixgbe_filter_init(x);
	ixgbe_rss_init(x);
	ixgbe_write(x, IXGBE_RFCTL, ixgbe_read(x, IXGBE_RFCTL) | IXGBE_RFCTL_RSC_DIS);
	ixgbe_write(x, IXGBE_RDRXCTL,
		rdrxctl | IXGBE_RDRXCTL_CRC | IXGBE_RDRXCTL_ACKC | IXGBE_RDRXCTL_FCOE);
}

static const char *start_rx_queue(struct ixgbe *x, unsigned q)
{
	const struct intel_rxq *rx = &x->port.rx[q];
	uint64_t ring = (uintptr_t)rx->ring;
	uint32_t rxdctl = ixgbe_read(x, IXGBE_RXDCTL(q)) & ~IXGBE_RXDCTL_VME;

	ixgbe_write(x, IXGBE_RDBAL(q), (uint32_t)ring);
	ixgbe_write(x, IXGBE_RDBAH(q), (uint32_t)(ring >> 32));
	ixgbe_write(x, IXGBE_RDLEN(q), x->port.slots * (uint32_t)sizeof *rx->ring);
	ixgbe_write(x, IXGBE_RDH(q), 0);
	ixgbe_write(x, IXGBE_RDT(q), 0);
	ixgbe_write(x, IXGBE_SRRCTL(q), ixgbe_flow_srrctl(x));
	ixgbe_write(
		x, IXGBE_DCA_RXCTRL(q), ixgbe_rx_access(x, q, ixgbe_read(x, IXGBE_DCA_RXCTRL(q))));
	ixgbe_write(x, IXGBE_RXDCTL(q), rxdctl | IXGBE_RXDCTL_ENABLE);
	if (!ixgbe_wait(x, IXGBE_RXDCTL(q), IXGBE_RXDCTL_ENABLE, IXGBE_RXDCTL_ENABLE, QUEUE_US))
		return "a receive queue does not start (RXDCTL.ENABLE)";
	/* Only now, or the device forgets it; there are buffers if it was running before. */
	if (rx->posted)
		ixgbe_write(x, IXGBE_RDT(q), rx->posted & rx->mask);
	return NULL;
}

/* The receiver is switched on while nothing is on its way through it (4.6.7). */
static const char *open_receiver(const struct ixgbe *x)
{
	uint32_t security = ixgbe_read(x, IXGBE_SECRXCTRL);

	ixgbe_write(x, IXGBE_SECRXCTRL, security | IXGBE_SECRXCTRL_RX_DIS);
	if (!ixgbe_wait(
		    x, IXGBE_SECRXSTAT, IXGBE_SECRXSTAT_READY, IXGBE_SECRXSTAT_READY, SECURITY_US))
		return "its receive path does not empty (SECRXSTAT)";
	ixgbe_write(x, IXGBE_RXCTRL, ixgbe_read(x, IXGBE_RXCTRL) | IXGBE_RXCTRL_RXEN);
	ixgbe_write(x, IXGBE_SECRXCTRL, security & ~IXGBE_SECRXCTRL_RX_DIS);
	return NULL;
}

/* ---------------------------------------------------------------- transmit, 4.6.8 */

static const char *start_tx_queue(const struct ixgbe *x, unsigned q)
{
	const struct intel_txq *tx = &x->port.tx[q];
	uint64_t ring = (uintptr_t)tx->ring;

	ixgbe_write(x, IXGBE_TDBAL(q), (uint32_t)ring);
	ixgbe_write(x, IXGBE_TDBAH(q), (uint32_t)(ring >> 32));
	ixgbe_write(x, IXGBE_TDLEN(q), x->port.slots * (uint32_t)sizeof *tx->ring);
	ixgbe_write(x, IXGBE_TDWBAL(q), 0); /* done is told in the descriptors */
	ixgbe_write(x, IXGBE_TDH(q), 0);
	ixgbe_write(x, IXGBE_TDT(q), 0);
	ixgbe_write(
		x, IXGBE_DCA_TXCTRL(q), ixgbe_tx_access(x, q, ixgbe_read(x, IXGBE_DCA_TXCTRL(q))));
	ixgbe_write(x, IXGBE_TXDCTL(q), TX_THRESHOLDS | IXGBE_TXDCTL_ENABLE);
	if (!ixgbe_wait(x, IXGBE_TXDCTL(q), IXGBE_TXDCTL_ENABLE, IXGBE_TXDCTL_ENABLE, QUEUE_US))
		return "a transmit queue does not start (TXDCTL.ENABLE)";
	return NULL;
}

/* ---------------------------------------------------------------- all of it */

const char *ixgbe_start(struct intel_port *p, bool first)
{
	struct ixgbe *x = ixgbe_of_port(p);
	const char *refusal = await_device(x);

	if (!refusal && first)
		refusal = ixgbe_nvm_check(x);
	if (refusal)
		return refusal;
	set_up_device(x);
	intel_stats_clear(p);
	set_up_buffers(x);
	ixgbe_flow_init(x);
	set_up_frames(x);
	set_up_receive(x);
	ixgbe_write(x, IXGBE_DMATXCTL, ixgbe_read(x, IXGBE_DMATXCTL) | IXGBE_DMATXCTL_TE);
	for (unsigned q = 0; q < p->dev.rx_queues && !refusal; q++) {
		refusal = start_rx_queue(x, q);
		if (!refusal)
			refusal = start_tx_queue(x, q);
	}
	if (!refusal)
		refusal = open_receiver(x);
	x->link_asked = false;
	return refusal;
}

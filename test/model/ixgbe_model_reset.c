/* Reset of the model, its shadow, and what a driver must do before traffic (4.6). */
#include <string.h>

#include "test/model/ixgbe_model_device.h"

#define RESET_SHADOW_US 900u   /* 8.2.3.1.1: "approximately 1 ms" */
#define RESET_SETTLE_US 10000u /* 4.6.3.2 */
#define START_US        500u   /* EEPROM read, DMA initialised */

static void load_address(struct ixgbe_model *m)
{
	uint32_t low, high = 0;

	memcpy(&low, m->options.mac, 4);
	memcpy(&high, m->options.mac + 4, 2);
	REG(m, R_RAL) = low;
	REG(m, R_RAH) = high | RAH_VALID;
}

static void load_link_mode(struct ixgbe_model *m)
{
	if (m->options.media == IXGBE_MODEL_KX4) {
		REG(m, R_AUTOC) = 0xC0000000u | 4u << AUTOC_MODE_SHIFT | AUTOC_KX4;
	} else {
		REG(m, R_AUTOC) = 3u << AUTOC_MODE_SHIFT | AUTOC_KX4;
		REG(m, R_AUTOC2) = AUTOC2_SFI;
	}
}

/* 4.2.1: a software reset leaves the link; semaphores are of the board, not of the port. */
void ixgbe_model_reset(struct ixgbe_model *m, bool power_on)
{
	uint32_t swsm = REG(m, R_SWSM), sync = REG(m, R_SW_FW_SYNC);
	uint32_t autoc = REG(m, R_AUTOC), autoc2 = REG(m, R_AUTOC2);
	bool link = power_on || (REG(m, R_CTRL) & CTRL_LINK_RESET);

	ixgbe_model_rx_flush(m);
	ixgbe_model_queues_reset(m);
	ixgbe_model_table_reset(m, power_on);
	memset(&m->irq, 0, sizeof(m->irq));
	load_address(m);
	load_link_mode(m);
	m->ready_at = ixgbe_model_now(m) + START_US;
	m->saw_autoread = m->saw_config = m->saw_dma = m->judged = false;
	m->eerd_at = m->mdio_at = 0;
	m->low_read = 0;
	m->choked = false;
	m->paused_until = 0;
	if (power_on) {
		m->resetting = m->was_reset = false;
		ixgbe_model_phy_fill(m);
	} else {
		REG(m, R_SWSM) = swsm;
		REG(m, R_SW_FW_SYNC) = sync;
	}
	if (link) {
		ixgbe_model_link_restart(m);
	} else {
		REG(m, R_AUTOC) = autoc;
		REG(m, R_AUTOC2) = autoc2;
	}
}

uint32_t ixgbe_model_ctrl_read(struct ixgbe_model *m, uint32_t at)
{
	return REG(m, at);
}

void ixgbe_model_ctrl_write(struct ixgbe_model *m, uint32_t at, uint32_t v)
{
	uint32_t start = v & (CTRL_RESET | CTRL_LINK_RESET);

	if (!start) {
		if (!(v & CTRL_MASTER_OFF))
			m->saw_master_off = false;
		REG(m, at) = (v & CTRL_MASTER_OFF) | (REG(m, at) & (CTRL_RESET | CTRL_LINK_RESET));
		return;
	}
	/* A device whose master never goes off is reset all the same, twice (5.2.5.3.2). */
	if (!m->saw_master_off && !(m->options.master_stuck && (REG(m, at) & CTRL_MASTER_OFF)))
		ixgbe_model_house(m, "reset-without-master-off", "CTRL 0x%08x", v);
	REG(m, at) = v;
	ixgbe_model_reset(m, false);
	REG(m, at) = start;
	m->saw_master_off = false;
	m->resetting = m->was_reset = true;
	m->reset_at = ixgbe_model_now(m);
	m->ready_at = m->reset_at + m->options.reset_us + START_US;
}

uint32_t ixgbe_model_status_read(struct ixgbe_model *m, uint32_t at)
{
	uint32_t v = 0;

	ixgbe_model_link_poll(m);
	if (m->link.up)
		v |= STATUS_LINK;
	if (!(REG(m, R_CTRL) & CTRL_MASTER_OFF) || m->options.master_stuck)
		v |= STATUS_MASTER_ON;
	else
		m->saw_master_off = true;
	return v;
}

/* What may be touched at once: the flush of the write, and the semaphores of the PHY. */
static bool shadow_free(uint32_t at, bool write)
{
	return at == R_STATUS || (at == R_CTRL && !write) || at == R_SWSM || at == R_SW_FW_SYNC;
}

static bool settle_free(uint32_t at, bool write)
{
	return shadow_free(at, write) || at == R_EIMC || at == R_CTRL ||
	       (!write && (at == R_EEC || at == R_EEMNGCTL || at == R_EICR));
}

void ixgbe_model_reset_shadow(struct ixgbe_model *m, uint32_t at, bool write)
{
	uint64_t since;

	if (!m->was_reset)
		return;
	since = ixgbe_model_now(m) - m->reset_at;
	if (m->resetting && !m->options.reset_stuck && since >= m->options.reset_us) {
		m->resetting = false;
		REG(m, R_CTRL) &= ~(CTRL_RESET | CTRL_LINK_RESET);
	}
	if (since < RESET_SHADOW_US && !shadow_free(at, write))
		ixgbe_model_broke(
			m, "reset-access", "0x%05x %u us after a reset", at, (unsigned)since);
	else if (since < RESET_SETTLE_US && !settle_free(at, write))
		ixgbe_model_house(
			m, "reset-settle", "0x%05x %u us after a reset", at, (unsigned)since);
	else if (since >= RESET_SETTLE_US && !m->resetting)
		m->was_reset = false;
}

uint32_t ixgbe_model_rdrxctl_read(struct ixgbe_model *m, uint32_t at)
{
	uint32_t v = REG(m, at);

	if (!m->options.dma_init_stuck && !m->resetting && ixgbe_model_now(m) >= m->ready_at) {
		v |= RDRXCTL_INIT_DONE;
		m->saw_dma = true;
	}
	return v;
}

/* The security blocks are fused off; their paths halt at once (4.6.7, 8.2.3.12). */
uint32_t ixgbe_model_sec_read(struct ixgbe_model *m, uint32_t at)
{
	bool halted = at == R_SECRXSTAT ? REG(m, R_SECRXCTRL) & SECRXCTRL_RX_DIS
					: REG(m, R_SECTXCTRL) & SECTXCTRL_TX_DIS;

	return REG(m, at) | (halted ? SEC_READY : 0);
}

/* Once after each reset, when traffic is first enabled. */
static void judge_waits(struct ixgbe_model *m)
{
	if (m->judged)
		return;
	m->judged = true;
	if (!m->saw_autoread)
		ixgbe_model_house(m, "autoread-unawaited", "EEC.ARD was not read as 1");
	if (!m->saw_config)
		ixgbe_model_house(m, "config-unawaited", "EEMNGCTL.CFG_DONE was not read as 1");
	if (!m->saw_dma)
		ixgbe_model_house(m, "dma-init-unawaited", "RDRXCTL.DMAIDONE was not read as 1");
}

/* What is not as it must be after reset by itself. */
static void judge_defaults(struct ixgbe_model *m)
{
	uint32_t filters = 0;

	for (unsigned i = 0; i < 128; i++)
		filters |= REG(m, R_FTQF + 4 * i);
	if (filters & FTQF_ENABLE)
		ixgbe_model_house(m, "ftqf-left", "filters are enabled that nobody wrote");
	if (!(REG(m, R_FCRTH) & 0x0007FFE0u))
		ixgbe_model_house(m, "fcrth-zero", "FCRTH 0x%08x", REG(m, R_FCRTH));
	if ((REG(m, R_RDRXCTL) & (RDRXCTL_RSC_FIRST | RDRXCTL_RSC_ONES)) != RDRXCTL_RSC_ONES)
		ixgbe_model_house(m, "rsc-bits", "RDRXCTL 0x%08x", REG(m, R_RDRXCTL));
}

static void judge_rxen(struct ixgbe_model *m)
{
	bool rings = false;

	for (unsigned n = 0; n < IXGBE_MODEL_QUEUES; n++)
		rings |= m->rx[n].wanted;
	judge_waits(m);
	if (!rings)
		ixgbe_model_house(m, "rxen-before-rings", "no RXDCTL.ENABLE");
	if (!(REG(m, R_SECRXCTRL) & SECRXCTRL_RX_DIS))
		ixgbe_model_house(m, "rxen-path-running", "SECRXCTRL 0x%x", REG(m, R_SECRXCTRL));
	if (!(REG(m, R_HLREG0) & HLREG0_CRC_STRIP) != !(REG(m, R_RDRXCTL) & RDRXCTL_CRC_STRIP))
		ixgbe_model_house(m, "crc-strip-halves", "HLREG0 0x%08x, RDRXCTL 0x%08x",
			REG(m, R_HLREG0), REG(m, R_RDRXCTL));
	judge_defaults(m);
}

/* 8.2.3.7.1: filters are not changed under a running receiver. */
void ixgbe_model_fctrl_write(struct ixgbe_model *m, uint32_t at, uint32_t v)
{
	if (REG(m, at) != v && (REG(m, R_RXCTRL) & RXCTRL_RXEN))
		ixgbe_model_house(m, "fctrl-late", "0x%08x", v);
	REG(m, at) = v & 0xF702u;
}

void ixgbe_model_rxctrl_write(struct ixgbe_model *m, uint32_t at, uint32_t v)
{
	bool was = REG(m, at) & RXCTRL_RXEN;

	REG(m, at) = v & RXCTRL_RXEN;
	if (!was && (v & RXCTRL_RXEN))
		judge_rxen(m);
}

void ixgbe_model_dmatxctl_write(struct ixgbe_model *m, uint32_t at, uint32_t v)
{
	bool was = REG(m, at) & DMATXCTL_TE;

	REG(m, at) = v;
	if (!was && (v & DMATXCTL_TE))
		judge_waits(m);
}

void ixgbe_model_mtqc_write(struct ixgbe_model *m, uint32_t at, uint32_t v)
{
	if (!(REG(m, R_RTTDCS) & RTTDCS_ARBDIS))
		ixgbe_model_broke(
			m, "mtqc-arbiter", "MTQC 0x%x, RTTDCS 0x%08x", v, REG(m, R_RTTDCS));
	if (v & 0xFu)
		ixgbe_model_broke(m, "not-modelled", "MTQC 0x%x: pools, traffic classes", v);
	REG(m, at) = v & 0xFu;
}

void ixgbe_model_rss_write(struct ixgbe_model *m, uint32_t at, uint32_t v)
{
	if (REG(m, at) != v && (REG(m, R_RXCTRL) & RXCTRL_RXEN))
		ixgbe_model_house(m, "rss-late", "0x%08x to 0x%05x", v, at);
	if (at == R_MRQC && (v & MRQC_MODE) > 1)
		ixgbe_model_broke(m, "not-modelled", "MRQC 0x%08x: pools, traffic classes", v);
	REG(m, at) = v;
}

/* The flow director's tables are made at once, and match nothing (7.1.2.7). */
void ixgbe_model_fdirctrl_write(struct ixgbe_model *m, uint32_t at, uint32_t v)
{
	REG(m, at) = v | ((v & 3) ? FDIRCTRL_DONE : 0);
}

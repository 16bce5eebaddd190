/*
 * Reset of the device, in steps that never wait (4.2.1, 4.6.3.2): it is told to do no
 * more DMA, and to begin anew once it does none (5.2.5.3.2).
 */
#include "drivers/ixgbe/ixgbe_device.h"

#define QUIET_US  80000u /* for DMA to end; longer than any completion of the bus takes */
#define BEFORE_US 1000u  /* no register is looked at for so long after the reset bit is set */
#define CLEAR_US  1000000u
#define SETTLE_US 10000u /* and so long until it is used */
#define FLUSH_US  20u

static enum intel_reset_result next(struct ixgbe *x, enum intel_reset_step step)
{
	x->port.reset_step = step;
	x->port.reset_us = ixgbe_now(x);
	return INTEL_RESET_BUSY;
}

static void silence(const struct ixgbe *x)
{
	ixgbe_write(x, IXGBE_EIMC, 0x7fffffff);
	ixgbe_write(x, IXGBE_EIMC_EX(0), UINT32_MAX);
	ixgbe_write(x, IXGBE_EIMC_EX(1), UINT32_MAX);
	(void)ixgbe_read(x, IXGBE_EICR); /* clears it */
}

static enum intel_reset_result begin(struct ixgbe *x)
{
	silence(x);
	ixgbe_write(x, IXGBE_RXCTRL, 0);
	ixgbe_write(x, IXGBE_CTRL, ixgbe_read(x, IXGBE_CTRL) | IXGBE_CTRL_GIO_DIS);
	x->reset_twice = false;
	return next(x, INTEL_RESET_QUIET);
}

/*
 * DMA does not end, for one because frames wait to be sent without a link. What the
 * device still has of them is thrown away (specification update, clarification 9), and it
 * is reset twice: the second time for what came in between.
 */
static void flush(struct ixgbe *x)
{
	uint32_t hlreg0 = ixgbe_read(x, IXGBE_HLREG0), gcr = ixgbe_read(x, IXGBE_GCR_EXT);
	uint64_t start;

	ixgbe_write(x, IXGBE_HLREG0, hlreg0 | IXGBE_HLREG0_LPBK);
	ixgbe_write(x, IXGBE_GCR_EXT, gcr | IXGBE_GCR_EXT_CLEAR);
	(void)ixgbe_read(x, IXGBE_STATUS); /* the writes have arrived */
	for (start = ixgbe_now(x); ixgbe_now(x) - start < FLUSH_US;)
		;
	ixgbe_write(x, IXGBE_GCR_EXT, gcr & ~IXGBE_GCR_EXT_CLEAR);
	ixgbe_write(x, IXGBE_HLREG0, hlreg0 & ~IXGBE_HLREG0_LPBK);
	x->reset_twice = true;
}

/* X540 and X550 want the PHY's semaphore held while the bit is set, if it can be had. */
static enum intel_reset_result strike(struct ixgbe *x)
{
	uint32_t phy = IXGBE_SYNC_PHY(IXGBE_STATUS_LAN(ixgbe_read(x, IXGBE_STATUS)) & 1u);
	bool guarded = x->kind != IXGBE_82599 && ixgbe_sync_try(x, phy);
	uint32_t bits = x->kind == IXGBE_82599 ? IXGBE_CTRL_RST | IXGBE_CTRL_LRST : IXGBE_CTRL_RST;
	uint32_t ctrl;

	ctrl = ixgbe_read(x, IXGBE_CTRL) | IXGBE_CTRL_GIO_DIS;
	ixgbe_write(x, IXGBE_CTRL, ctrl); /* a first reset has taken that back */
	ixgbe_write(x, IXGBE_CTRL, ctrl | bits);
	if (guarded)
		ixgbe_sync_release(x, phy);
	return next(x, INTEL_RESET_WAIT);
}

enum intel_reset_result ixgbe_reset(struct intel_port *p)
{
	struct ixgbe *x = ixgbe_of_port(p);
	uint64_t passed = intel_now(p) - p->reset_us;

	switch (p->reset_step) {
	case INTEL_RESET_BEGIN:
		return begin(x);
	case INTEL_RESET_QUIET:
		if (ixgbe_read(x, IXGBE_STATUS) & IXGBE_STATUS_GIO) {
			if (passed < QUIET_US)
				return INTEL_RESET_BUSY;
			flush(x);
		}
		return strike(x);
	case INTEL_RESET_WAIT:
		if (passed < BEFORE_US)
			return INTEL_RESET_BUSY;
		if (ixgbe_read(x, IXGBE_CTRL) & (IXGBE_CTRL_RST | IXGBE_CTRL_LRST))
			return passed < CLEAR_US ? INTEL_RESET_BUSY : INTEL_RESET_STUCK;
		return next(x, INTEL_RESET_SETTLE);
	case INTEL_RESET_SETTLE:
		if (passed < SETTLE_US)
			return INTEL_RESET_BUSY;
		if (x->reset_twice) {
			x->reset_twice = false;
			return strike(x);
		}
		silence(x); /* the reset may have undone it */
		return INTEL_RESET_DONE;
	}
	return INTEL_RESET_STUCK;
}

/*
 * Flow control by PAUSE frames (3.7.7.3), off unless it is asked for: a peer that can stop our
 * output stops all that shares its queues, and one that we stop loses at its own end what we
 * would count here.
 */
#include "drivers/ixgbe/ixgbe_device.h"

#define SPARE_KIB     24u
#define PAUSE_LONGEST 0xffffu /* in 512 bit times: 3.3 ms at 10 Gb/s; renewed at half of it */

/* Queues that drop never let the packet buffer fill up, and so nobody would be paused. */
uint32_t ixgbe_flow_srrctl(const struct ixgbe *x)
{
	return IXGBE_SRRCTL_ROOM(x->port.room) | IXGBE_SRRCTL_ONE |
	       (x->port.dev.flow_control ? 0 : IXGBE_SRRCTL_DROP);
}

/* The peer stops when three quarters of the buffer are full, which leaves more than what can be on
 * its way then, and goes on at a half. */
void ixgbe_flow_init(const struct ixgbe *x)
{
	uint32_t mflcn = ixgbe_read(x, IXGBE_MFLCN) | IXGBE_MFLCN_DPF, kib = ixgbe_rx_kib(x);
	bool on = x->port.dev.flow_control;

	ixgbe_write(x, IXGBE_FCTTV(0), on ? PAUSE_LONGEST : 0);
	ixgbe_write(x, IXGBE_FCRTV, on ? PAUSE_LONGEST / 2 : 0);
	ixgbe_write(x, IXGBE_FCRTL(0), on ? (kib << 10) / 2 | IXGBE_FCRTL_XONE : 0);
	ixgbe_write(x, IXGBE_FCRTH(0), /* also what bounds the buffer without it (4.6.3.2) */
		on ? (kib << 10) / 4 * 3 | IXGBE_FCRTH_FCEN : (kib - SPARE_KIB) << 10);
	ixgbe_write(x, IXGBE_FCCFG, on ? IXGBE_FCCFG_TFCE : 0);
	ixgbe_write(x, IXGBE_MFLCN, on ? mflcn | IXGBE_MFLCN_RFCE : mflcn & ~IXGBE_MFLCN_RFCE);
}

bool ixgbe_flow_control(struct netdev *dev, bool on)
{
	struct ixgbe *x = ixgbe_of(dev);

	if (x->port.dev.flow_control == on)
		return true;
	x->port.dev.flow_control = on;
	if (load_once(&dev->failed)) /* it is set up when it returns */
		return true;
	ixgbe_flow_init(x);
	for (unsigned q = 0; q < dev->rx_queues; q++)
		ixgbe_write(x, IXGBE_SRRCTL(q), ixgbe_flow_srrctl(x));
	return true;
}

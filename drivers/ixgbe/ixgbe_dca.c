/* How queues go about memory: order on the bus, and hints for caches (8.2.3.11). */
#include "drivers/ixgbe/ixgbe_device.h"

/*
 * Frames and descriptors are written in order: not all root complexes keep what relaxed
 * ordering promises. Reading may be reordered, as the device does by default.
 */
uint32_t ixgbe_rx_access(const struct ixgbe *x, unsigned q, uint32_t v)
{
	v &= ~(IXGBE_DCA_RX_RESERVED | IXGBE_DCA_RX_DATA_RO | IXGBE_DCA_RX_HEAD_RO |
		IXGBE_DCA_TAG(0xff));
	if (x->port.dev.dca)
		v |= IXGBE_DCA_RX_DESC | IXGBE_DCA_RX_DATA | IXGBE_DCA_TAG(x->rx_tag[q]);
	return v;
}

uint32_t ixgbe_tx_access(const struct ixgbe *x, unsigned q, uint32_t v)
{
	v &= ~(IXGBE_DCA_TX_BACK_RO | IXGBE_DCA_TAG(0xff));
	if (x->port.dev.dca)
		v |= IXGBE_DCA_TX_DESC | IXGBE_DCA_TAG(x->tx_tag[q]);
	return v;
}

void ixgbe_dca_init(const struct ixgbe *x)
{
	if (x->kind != IXGBE_X550)
		ixgbe_write(x, IXGBE_DCA_CTRL,
			x->port.dev.dca ? IXGBE_DCA_CTRL_MODE_1_0 : IXGBE_DCA_CTRL_OFF);
}

/* Of a queue of which no tag was told yet, the tag is 0: a hint for another cache, no harm. */
bool ixgbe_dca(struct netdev *dev, bool tx, unsigned q, uint8_t tag)
{
	struct ixgbe *x = ixgbe_of(dev);

	if (x->kind == IXGBE_X550) /* it has none */
		return false;
	(tx ? x->tx_tag : x->rx_tag)[q] = tag;
	if (!dev->dca) {
		dev->dca = true;
		ixgbe_dca_init(x);
	}
	if (tx)
		ixgbe_write(x, IXGBE_DCA_TXCTRL(q),
			ixgbe_tx_access(x, q, ixgbe_read(x, IXGBE_DCA_TXCTRL(q))));
	else
		ixgbe_write(x, IXGBE_DCA_RXCTRL(q),
			ixgbe_rx_access(x, q, ixgbe_read(x, IXGBE_DCA_RXCTRL(q))));
	return true;
}

/* Whose frames come in (7.1.1), and to which queue (7.1.2.8). */
#include "drivers/ixgbe/ixgbe_device.h"

#define ADDRESSES 128u
#define KEY_WORDS 10u

/*
 * Frames to the port's own address, which the device has put in place 0 from its
 * EEPROM, to groups, and to all. The router joins groups as it runs, and no table of
 * hashes is exact: all of them come in, and what is nobody's is counted there.
 */
void ixgbe_filter_init(const struct ixgbe *x)
{
	for (unsigned i = 0; i < ADDRESSES; i++) {
		if (i) {
			ixgbe_write(x, IXGBE_RAL(i), 0);
			ixgbe_write(x, IXGBE_RAH(i), 0);
		}
		ixgbe_write(x, IXGBE_MTA(i), 0);
		ixgbe_write(x, IXGBE_VFTA(i), x->port.vfta[i]);
		ixgbe_write(x, IXGBE_FTQF(i), 0);
	}
	ixgbe_write(x, IXGBE_FCTRL, IXGBE_FCTRL_BAM | IXGBE_FCTRL_MPE);
	ixgbe_write(x, IXGBE_VLNCTRL, IXGBE_VLNCTRL_VET | IXGBE_VLNCTRL_VFE);
}

bool ixgbe_vlan(struct netdev *dev, uint16_t vid, bool pass)
{
	struct ixgbe *x = ixgbe_of(dev);

	ixgbe_write(x, IXGBE_VFTA(vid >> 5 & 127), intel_vlan(&x->port, vid, pass));
	return true;
}

void ixgbe_rss_init(const struct ixgbe *x)
{
	unsigned queues = x->port.dev.rx_queues, entries = x->kind == IXGBE_X550 ? 512 : 128;

	ixgbe_write(x, IXGBE_RXCSUM, ixgbe_read(x, IXGBE_RXCSUM) | IXGBE_RXCSUM_PCSD);
	for (unsigned i = 0; i < KEY_WORDS; i++)
		ixgbe_write(x, IXGBE_RSSRK(i), INTEL_RSS_KEY);
	for (unsigned i = 0; i < entries; i += 4)
		ixgbe_write(x, i < 128 ? IXGBE_RETA(i / 4) : IXGBE_ERETA(i / 4 - 32),
			intel_rss_entries(&x->port, i));
	ixgbe_write(x, IXGBE_MRQC,
		queues == 1 ? 0
			    : IXGBE_MRQC_RSS | IXGBE_MRQC_IPV4 | IXGBE_MRQC_IPV4_TCP |
				      IXGBE_MRQC_IPV4_UDP | IXGBE_MRQC_IPV6 | IXGBE_MRQC_IPV6_TCP |
				      IXGBE_MRQC_IPV6_UDP);
}

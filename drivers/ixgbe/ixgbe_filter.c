/* Whose frames come in (7.1.1), and to which queue (7.1.2.8). */
#include "drivers/ixgbe/ixgbe_device.h"

#define ADDRESSES 128u
#define KEY_WORDS 10u
#define KEY_WORD  0x5a6d5a6du /* in memory 6d 5a 6d 5a: see ixgbe_rss_init */

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
		ixgbe_write(x, IXGBE_VFTA(i), x->vfta[i]);
		ixgbe_write(x, IXGBE_FTQF(i), 0);
	}
	ixgbe_write(x, IXGBE_FCTRL, IXGBE_FCTRL_BAM | IXGBE_FCTRL_MPE);
	ixgbe_write(x, IXGBE_VLNCTRL, IXGBE_VLNCTRL_VET | IXGBE_VLNCTRL_VFE);
}

bool ixgbe_vlan(struct netdev *dev, uint16_t vid, bool pass)
{
	struct ixgbe *x = ixgbe_of(dev);
	uint32_t bit = 1u << (vid & 31), *word = &x->vfta[vid >> 5 & 127];

	*word = pass ? *word | bit : *word & ~bit;
	ixgbe_write(x, IXGBE_VFTA(vid >> 5 & 127), *word);
	return true;
}

/*
 * The Toeplitz hash is the exclusive-or of key bits, those that start where the
 * input has ones. With a key of period 16 bits, swapping two addresses or two
 * ports changes nothing, so both directions of a flow come to one worker. Fragments
 * are hashed by their addresses alone.
 */
void ixgbe_rss_init(const struct ixgbe *x)
{
	unsigned queues = x->dev.rx_queues, entries = x->kind == IXGBE_X550 ? 512 : 128;

	ixgbe_write(x, IXGBE_RXCSUM, ixgbe_read(x, IXGBE_RXCSUM) | IXGBE_RXCSUM_PCSD);
	for (unsigned i = 0; i < KEY_WORDS; i++)
		ixgbe_write(x, IXGBE_RSSRK(i), KEY_WORD);
	for (unsigned i = 0, q = 0; i < entries; i += 4) {
		uint32_t four = 0;

		for (unsigned k = 0; k < 4; k++) {
			four |= q << 8 * k;
			q = q + 1 < queues ? q + 1 : 0;
		}
		ixgbe_write(x, i < 128 ? IXGBE_RETA(i / 4) : IXGBE_ERETA(i / 4 - 32), four);
	}
	ixgbe_write(x, IXGBE_MRQC,
		queues == 1 ? 0
			    : IXGBE_MRQC_RSS | IXGBE_MRQC_IPV4 | IXGBE_MRQC_IPV4_TCP |
				      IXGBE_MRQC_IPV4_UDP | IXGBE_MRQC_IPV6 | IXGBE_MRQC_IPV6_TCP |
				      IXGBE_MRQC_IPV6_UDP);
}

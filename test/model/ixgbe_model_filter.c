/* Which frames the model takes, and to which queue they go (7.1.1, 7.1.2.8). */
#include <string.h>

#include "test/model/ixgbe_model_device.h"

static bool exact(const struct ixgbe_model *m, const uint8_t *mac)
{
	for (unsigned i = 0; i < 128; i++) {
		uint32_t low = REG(m, R_RAL + 8 * i), high = REG(m, R_RAH + 8 * i);

		if ((high & RAH_VALID) && !memcmp(mac, &low, 4) && !memcmp(mac + 4, &high, 2))
			return true;
	}
	return false;
}

/* 7.1.1.3: twelve bits of the address, from the 4th, 5th, 6th or 8th of its upper 16 on. */
static bool hashed(const struct ixgbe_model *m, const uint8_t *mac)
{
	static const unsigned shift[] = {4, 3, 2, 0};
	uint32_t mcstctrl = REG(m, R_MCSTCTRL);
	unsigned bit = ((unsigned)mac[4] | (unsigned)mac[5] << 8) >> shift[mcstctrl & 3] & 0xFFF;

	return (mcstctrl & MCSTCTRL_MFE) && (REG(m, R_MTA + 4 * (bit >> 5)) >> (bit & 31) & 1);
}

static bool vlan_passes(const struct ixgbe_model *m, const struct ixgbe_model_packet *p)
{
	unsigned id = p->tag & 0xFFF;

	if (!p->vlan || !(REG(m, R_VLNCTRL) & VLNCTRL_VFE))
		return true;
	return REG(m, R_VFTA + 4 * (id >> 5)) >> (id & 31) & 1;
}

bool ixgbe_model_accepts(struct ixgbe_model *m, const uint8_t *frame,
	const struct ixgbe_model_packet *p, bool *inexact)
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint32_t fctrl = REG(m, R_FCTRL);

	*inexact = false;
	if (!vlan_passes(m, p))
		return false;
	if (exact(m, frame))
		return true;
	if (!memcmp(frame, broadcast, 6))
		return fctrl & (FCTRL_BAM | FCTRL_MPE);
	if (!(frame[0] & 1))
		return fctrl & FCTRL_UPE;
	*inexact = true;
	return (fctrl & FCTRL_MPE) || hashed(m, frame);
}

uint32_t ixgbe_model_toeplitz(const uint8_t *key, const uint8_t *input, unsigned n)
{
	uint32_t window =
		(uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 | key[3];
	uint32_t hash = 0;

	for (unsigned i = 0; i < n; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			if (input[i] << bit & 0x80)
				hash ^= window;
			window = window << 1 | (key[i + 4] >> (7 - bit) & 1);
		}
	}
	return hash;
}

/* Fills the hash function's input. 0 bytes: this packet has no hash. */
static unsigned rss_input(uint32_t mrqc, const uint8_t *frame, const struct ixgbe_model_packet *p,
	uint8_t *in, unsigned *type)
{
	bool six = p->type & (RXD_IP6 | RXD_IP6_EXT);
	unsigned addresses = six ? 32 : 8;
	uint32_t tcp = six ? MRQC_TCP6 : MRQC_TCP4, udp = six ? MRQC_UDP6 : MRQC_UDP4;

	if (!(p->type & (RXD_IP4 | RXD_IP4_OPTIONS | RXD_IP6 | RXD_IP6_EXT)))
		return 0;
	memcpy(in, frame + p->l3 + (six ? 8 : 12), addresses);
	if (((p->type & RXD_TCP) && (mrqc & tcp)) || ((p->type & RXD_UDP) && (mrqc & udp))) {
		memcpy(in + addresses, frame + p->l4, 4);
		*type = p->type & RXD_TCP ? (six ? 3 : 1) : (six ? 8 : 7);
		return addresses + 4;
	}
	if (!(mrqc & (six ? MRQC_IP6 : MRQC_IP4)))
		return 0;
	*type = six ? 5 : 2;
	return addresses;
}

static unsigned redirect(const struct ixgbe_model *m, uint32_t hash)
{
	unsigned i = hash & (m->kind == KIND_X550 ? 511 : 127);
	uint32_t at = i < 128 ? R_RETA + (i & ~3u) : R_ERETA + ((i - 128) & ~3u);

	return REG(m, at) >> 8 * (i & 3) & (m->kind == KIND_X550 ? 0x3F : 0xF);
}

unsigned ixgbe_model_rss(struct ixgbe_model *m, const uint8_t *frame,
	const struct ixgbe_model_packet *p, uint32_t *hash, unsigned *type)
{
	uint32_t mrqc = REG(m, R_MRQC);
	uint8_t in[36], key[40];
	unsigned n;

	*hash = 0;
	*type = 0;
	if ((mrqc & MRQC_MODE) != 1)
		return 0;
	n = rss_input(mrqc, frame, p, in, type);
	if (!n)
		return 0;
	memcpy(key, &REG(m, R_RSSRK), sizeof(key));
	*hash = ixgbe_model_toeplitz(key, in, n);
	return redirect(m, *hash);
}

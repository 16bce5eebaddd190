/* The model's statistics: they stick at their end, and reading clears them (8.2.3.23). */
#include "test/model/ixgbe_model_device.h"

void ixgbe_model_count(struct ixgbe_model *m, uint32_t at, uint32_t n)
{
	uint32_t v = REG(m, at);

	REG(m, at) = v + n < v ? 0xFFFFFFFFu : v + n;
}

void ixgbe_model_count_octets(struct ixgbe_model *m, uint32_t low, uint32_t n)
{
	const uint64_t most = (UINT64_C(1) << 36) - 1;
	uint64_t v = (uint64_t)REG(m, low + 4) << 32 | REG(m, low);

	v = v + n > most ? most : v + n;
	REG(m, low) = (uint32_t)v;
	REG(m, low + 4) = (uint32_t)(v >> 32);
}

/* Is it one half of 36 bits? *low: the register of the other bits, or of itself. */
static bool octets(uint32_t at, uint32_t *low)
{
	*low = at & ~7u;
	if (*low == R_GORCL || *low == R_GOTCL || *low == R_TORL)
		return true;
	if (at >= R_QBTCL && at < R_QBTCL + 16 * 8)
		return true;
	*low = (at & ~0x3Cu) | (R_QBRCL & 0x3Cu);
	return at >= R_QBRCL && at < R_QBRCL + 16 * 0x40 && (at == *low || at == *low + 4);
}

/* The high half clears both: low first, then high. */
static uint32_t octets_read(struct ixgbe_model *m, uint32_t at, uint32_t low)
{
	uint32_t v = REG(m, at);

	if (at == low) {
		if (m->low_read == low && v)
			ixgbe_model_house(m, "octets-order", "0x%05x read twice", low);
		m->low_read = low;
		return v;
	}
	if (m->low_read != low && (v || REG(m, low)))
		ixgbe_model_house(m, "octets-order", "0x%05x before its low half", at);
	m->low_read = 0;
	REG(m, low) = REG(m, low + 4) = 0;
	return v;
}

uint32_t ixgbe_model_count_read(struct ixgbe_model *m, uint32_t at)
{
	uint32_t low, v = REG(m, at);

	if (octets(at, &low))
		return octets_read(m, at, low);
	REG(m, at) = 0;
	return v;
}

void ixgbe_model_count_size(struct ixgbe_model *m, uint32_t first, unsigned bytes)
{
	static const uint16_t most[] = {64, 127, 255, 511, 1023};
	unsigned i = 0;

	while (i < 5 && bytes > most[i])
		i++;
	ixgbe_model_count(m, first + 4 * i, 1);
}

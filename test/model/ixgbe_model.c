/* The model of an 82599: made, read, written, polled, removed. */
#include <stdlib.h>
#include <string.h>

#include "test/model/ixgbe_model_device.h"

static enum ixgbe_model_kind kind_of(uint16_t device)
{
	switch (device) {
	case 0x1528: /* X540-T */
	case 0x1560: /* X540-T1 */
		return KIND_X540;
	case 0x1563: /* X550-T */
	case 0x15d1: /* X550-T1 */
		return KIND_X550;
	default:
		return KIND_82599;
	}
}

static void options_complete(struct ixgbe_model *m)
{
	static const uint8_t address[6] = {0x02, 0x00, 0x00, 0x82, 0x59, 0x90};
	static const uint8_t none[6];
	struct ixgbe_model_options *o = &m->options;

	if (!o->device_id)
		o->device_id = 0x10fb;
	if (!memcmp(o->mac, none, sizeof(none)))
		memcpy(o->mac, address, sizeof(address));
	if (!o->link_us)
		o->link_us = 1000;
	if (!o->reset_us)
		o->reset_us = 100;
	m->kind = kind_of(o->device_id);
	if (m->kind != KIND_82599)
		o->media = IXGBE_MODEL_BASE_T;
}

struct ixgbe_model *ixgbe_model_new(
	const struct ixgbe_model_options *options, const struct ixgbe_model_wire *wire)
{
	struct ixgbe_model *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->options = *options;
	m->wire = *wire;
	options_complete(m);
	m->gone = m->options.gone;
	m->held_end = &m->held;
	m->link.carrier = !m->options.no_cable;
	ixgbe_model_nvm_fill(m);
	ixgbe_model_sfp_fill(m);
	ixgbe_model_reset(m, true);
	return m;
}

void ixgbe_model_free(struct ixgbe_model *m)
{
	if (!m)
		return;
	ixgbe_model_rx_flush(m);
	ixgbe_model_queues_reset(m);
	free(m);
}

struct ixgbe_model_options *ixgbe_model_options(struct ixgbe_model *m)
{
	return &m->options;
}

uint16_t ixgbe_model_device_id(const struct ixgbe_model *m)
{
	return m->options.device_id;
}

/* The range of a register, or NULL; *at: without aliases. False: the access is none that a register
 * can answer. */
static bool find(
	struct ixgbe_model *m, uint64_t *at, unsigned bytes, const struct ixgbe_model_range **r)
{
	unsigned i;

	if (bytes != 4 || (*at & 3) || *at >= IXGBE_MODEL_BAR_BYTES) {
		ixgbe_model_broke(m, "access-width", "%u bytes at 0x%05x", bytes, (unsigned)*at);
		return false;
	}
	*at = ixgbe_model_alias((uint32_t)*at);
	i = m->range[*at / 4];
	*r = i ? &ixgbe_model_ranges[i - 1] : NULL;
	if (!*r)
		ixgbe_model_house(m, "unknown-register", "0x%05x", (unsigned)*at);
	return true;
}

/* 8.2.3.23: a statistic read again at once is 0, or belongs to the first sum. */
static void note_statistic(struct ixgbe_model *m, uint32_t at, uint32_t v)
{
	if (m->twice_at == at && m->twice_value)
		ixgbe_model_house(m, "statistic-twice", "0x%05x", at);
	m->twice_at = at;
	m->twice_value = v;
}

uint64_t ixgbe_model_read(struct ixgbe_model *m, uint64_t at, unsigned bytes)
{
	uint64_t ones = bytes < 8 ? (UINT64_C(1) << 8 * bytes) - 1 : UINT64_MAX;
	const struct ixgbe_model_range *r;
	uint32_t v;

	if (m->gone)
		return ones;
	if (!find(m, &at, bytes, &r))
		return ones;
	ixgbe_model_reset_shadow(m, (uint32_t)at, false);
	if (r && r->access == ACCESS_COUNT) {
		v = ixgbe_model_count_read(m, (uint32_t)at);
		note_statistic(m, (uint32_t)at, v);
		return v;
	}
	m->twice_at = 0;
	return r && r->read ? r->read(m, (uint32_t)at) : REG(m, at);
}

void ixgbe_model_write(struct ixgbe_model *m, uint64_t at, unsigned bytes, uint64_t value)
{
	const struct ixgbe_model_range *r;
	uint32_t v = (uint32_t)value;

	if (m->gone)
		return;
	if (at == R_FDIRHASH && bytes == 8) { /* with its command: the one pair written at once */
		ixgbe_model_write(m, at, 4, v);
		ixgbe_model_write(m, at + 4, 4, value >> 32);
		return;
	}
	if (!find(m, &at, bytes, &r))
		return;
	ixgbe_model_reset_shadow(m, (uint32_t)at, true);
	m->twice_at = 0;
	if (!r) {
		REG(m, at) = v;
		return;
	}
	if (r->access == ACCESS_RO || r->access == ACCESS_COUNT) {
		ixgbe_model_broke(m, "write-read-only", "0x%08x to 0x%05x", v, (unsigned)at);
		return;
	}
	if ((v ^ r->reset) & ~(r->writable | r->fixed))
		ixgbe_model_house(m, "reserved-bits", "0x%08x to 0x%05x, bits 0x%08x", v,
			(unsigned)at, (v ^ r->reset) & ~(r->writable | r->fixed));
	if (r->write)
		r->write(m, (uint32_t)at, v);
	else
		REG(m, at) = (v & r->writable) | (REG(m, at) & ~r->writable);
}

uint64_t ixgbe_model_mmio_read(void *m, uint64_t at, unsigned bytes)
{
	return ixgbe_model_read(m, at, bytes);
}

void ixgbe_model_mmio_write(void *m, uint64_t at, unsigned bytes, uint64_t v)
{
	ixgbe_model_write(m, at, bytes, v);
}

uint32_t ixgbe_model_peek(const struct ixgbe_model *m, uint32_t at)
{
	return REG(m, ixgbe_model_alias(at));
}

void ixgbe_model_poke(struct ixgbe_model *m, uint32_t at, uint32_t v)
{
	REG(m, ixgbe_model_alias(at)) = v;
}

bool ixgbe_model_poll(struct ixgbe_model *m)
{
	bool did;

	if (m->gone)
		return false;
	ixgbe_model_reset_shadow(m, R_STATUS, false);
	ixgbe_model_sync_age(m);
	did = ixgbe_model_link_poll(m);
	did |= ixgbe_model_tx_poll(m);
	did |= ixgbe_model_rx_poll(m);
	did |= ixgbe_model_irq_poll(m);
	return did;
}

void ixgbe_model_set_link(struct ixgbe_model *m, bool carrier)
{
	m->link.carrier = carrier;
	ixgbe_model_link_poll(m);
}

void ixgbe_model_remove(struct ixgbe_model *m)
{
	m->gone = true;
	ixgbe_model_rx_flush(m);
}

void ixgbe_model_gate_dma(struct ixgbe_model *m, bool gated)
{
	m->gated = gated;
}

void ixgbe_model_bus_reset(struct ixgbe_model *m)
{
	ixgbe_model_reset(m, true);
}

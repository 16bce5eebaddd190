/*
 * The model's interrupts (7.3, 8.2.3.5): queue causes by vector, the others by
 * bit, masks, automatic clearing and masking, throttling.
 *
 * With GPIE.MSIX_MODE a queue's cause is the vector that IVAR names, and all
 * others share the one of IVAR_MISC; without, everything is vector 0.
 */
#include "test/model/ixgbe_model_device.h"

#define QUEUES 0x0000FFFFu /* of EICR and kin; EICS_EX and kin have 64 */
#define OTHERS 0x7FFF0000u

static bool msix(const struct ixgbe_model *m)
{
	return REG(m, R_GPIE) & GPIE_MSIX;
}

static bool throttled(struct ixgbe_model *m, unsigned vector)
{
	uint32_t eitr = REG(m, vector < 24 ? R_EITR + 4 * vector : R_EITR_HIGH + 4 * (vector - 24));
	uint64_t now = ixgbe_model_now(m);

	if (now < m->irq.open[vector])
		return true;
	m->irq.open[vector] = now + 2 * (eitr >> 3 & 0x1FF); /* units of 2 us */
	return false;
}

static void signal_vector(struct ixgbe_model *m, unsigned vector)
{
	if (m->wire.interrupt)
		m->wire.interrupt(m->wire.ctx, vector);
}

/* 7.3.1.4: a message sent clears and masks, where EIAC and EIAM say so. */
static bool queue_vector(struct ixgbe_model *m, unsigned v)
{
	uint64_t bit = UINT64_C(1) << v;

	if (!(m->irq.pending & m->irq.mask & ~m->irq.sent & bit) || throttled(m, v))
		return false;
	if (v >= 16 || (REG(m, R_EIAC) & bit))
		m->irq.pending &= ~bit;
	else
		m->irq.sent |= bit;
	if ((REG(m, R_GPIE) & GPIE_EIAME) && (m->irq.automask & bit))
		m->irq.mask &= ~bit;
	signal_vector(m, v);
	return true;
}

static bool deliver_msix(struct ixgbe_model *m)
{
	uint64_t ready = m->irq.pending & m->irq.mask & ~m->irq.sent;
	uint32_t other = m->irq.other & m->irq.other_mask & ~m->irq.other_sent;
	unsigned misc = REG(m, R_IVAR_MISC) >> 8 & 0xFF;
	bool did = false;

	for (; ready; ready &= ready - 1)
		did |= queue_vector(m, (unsigned)__builtin_ctzll(ready));
	if (other && (misc & IVAR_VALID)) {
		m->irq.other_sent |= other;
		signal_vector(m, misc & 0x3F);
		did = true;
	}
	return did;
}

bool ixgbe_model_irq_poll(struct ixgbe_model *m)
{
	uint64_t queues = m->irq.pending & m->irq.mask & QUEUES & ~m->irq.sent;
	uint32_t other = m->irq.other & m->irq.other_mask & ~m->irq.other_sent;

	if (m->gated || (!queues && !other && !msix(m)))
		return false;
	if (msix(m))
		return deliver_msix(m);
	if (throttled(m, 0))
		return false;
	m->irq.sent |= queues;
	m->irq.other_sent |= other;
	signal_vector(m, 0);
	return true;
}

static void raise_queues(struct ixgbe_model *m, uint64_t bits)
{
	m->irq.pending |= bits;
	m->irq.sent &= ~bits;
	if (bits & m->irq.mask)
		ixgbe_model_irq_poll(m);
}

void ixgbe_model_irq_other(struct ixgbe_model *m, uint32_t bits)
{
	m->irq.other |= bits & OTHERS;
	m->irq.other_sent &= ~bits;
	if (bits & m->irq.other_mask)
		ixgbe_model_irq_poll(m);
}

/* 8.2.3.5.16: two queues of each direction in a register. */
void ixgbe_model_irq_queue(struct ixgbe_model *m, unsigned queue, bool tx)
{
	unsigned entry = REG(m, R_IVAR + 4 * (queue / 2)) >> (16 * (queue & 1) + 8 * tx) & 0xFF;

	if (!(entry & IVAR_VALID))
		return;
	entry &= 0x3F;
	raise_queues(m, UINT64_C(1) << (msix(m) ? entry : entry & 0xF));
}

static void unmask(struct ixgbe_model *m, uint64_t queues, uint32_t other)
{
	if (queues || other)
		ixgbe_model_house(m, "interrupt-enabled", "queues 0x%llx, others 0x%x",
			(unsigned long long)queues, other);
	m->irq.sent &= ~queues;
	m->irq.other_sent &= ~other;
	m->irq.mask |= queues;
	m->irq.other_mask |= other;
	ixgbe_model_irq_poll(m);
}

/* 8.2.3.5.1: reading clears, all or (OCD) the queues' half; and masks what EIAM names. */
static uint32_t read_causes(struct ixgbe_model *m)
{
	uint32_t v = (uint32_t)(m->irq.pending & QUEUES) | m->irq.other;

	m->irq.pending &= ~(uint64_t)QUEUES;
	if (!(REG(m, R_GPIE) & GPIE_OCD))
		m->irq.other = 0;
	if (!msix(m))
		m->irq.mask &= ~(m->irq.automask & v & QUEUES);
	return v;
}

/* Bits 0 to 31 or 32 to 63 of one of the registers with 64. */
static uint32_t half(uint64_t v, uint32_t at)
{
	return (uint32_t)(at & 4 ? v >> 32 : v);
}

uint32_t ixgbe_model_irq_read(struct ixgbe_model *m, uint32_t at)
{
	switch (at) {
	case R_EICR:
		return read_causes(m);
	case R_EICS:
		return (uint32_t)(m->irq.pending & QUEUES) | m->irq.other;
	case R_EIMS:
		return (uint32_t)(m->irq.mask & QUEUES) | m->irq.other_mask;
	case R_EIAM:
		return (uint32_t)(m->irq.automask & QUEUES) | (REG(m, at) & ~QUEUES);
	case R_EICS_EX:
	case R_EICS_EX + 4:
		return half(m->irq.pending, at);
	case R_EIMS_EX:
	case R_EIMS_EX + 4:
		return half(m->irq.mask, at);
	case R_EIAM_EX:
	case R_EIAM_EX + 4:
		return half(m->irq.automask, at);
	case R_EIAC:
		return REG(m, at);
	default: /* EIMC: write only */
		return 0;
	}
}

void ixgbe_model_irq_write(struct ixgbe_model *m, uint32_t at, uint32_t v)
{
	uint64_t wide = at & 4 ? (uint64_t)v << 32 : v;

	REG(m, at) = v;
	switch (at) {
	case R_EICR:
		m->irq.pending &= ~(uint64_t)(v & QUEUES);
		m->irq.other &= ~v;
		break;
	case R_EICS:
		ixgbe_model_irq_other(m, v & OTHERS);
		raise_queues(m, v & QUEUES);
		break;
	case R_EIMS:
		unmask(m, v & QUEUES, v & OTHERS);
		break;
	case R_EIMC:
		m->irq.mask &= ~(uint64_t)(v & QUEUES);
		m->irq.other_mask &= ~v;
		break;
	case R_EIAM:
		m->irq.automask = (m->irq.automask & ~(uint64_t)QUEUES) | (v & QUEUES);
		break;
	case R_EICS_EX:
	case R_EICS_EX + 4:
		raise_queues(m, wide);
		break;
	case R_EIMS_EX:
	case R_EIMS_EX + 4:
		unmask(m, wide, 0);
		break;
	case R_EIMC_EX:
	case R_EIMC_EX + 4:
		m->irq.mask &= ~wide;
		break;
	case R_EIAM_EX:
	case R_EIAM_EX + 4:
		m->irq.automask = at & 4 ? (m->irq.automask & 0xFFFFFFFFu) | wide
					 : (m->irq.automask & ~UINT64_C(0xFFFFFFFF)) | wide;
		break;
	default: /* EIAC: kept */
		break;
	}
}

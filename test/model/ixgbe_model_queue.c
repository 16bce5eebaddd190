/* The model's rings: where they lie, when they run, and who owns which descriptor (7.1.9, 7.2.3.4).
 */
#include <stdlib.h>
#include <string.h>

#include "test/model/ixgbe_model_device.h"

#define TURN_US 10u /* from CTL.ENABLE written to read back */

uint32_t ixgbe_model_queue_block(unsigned n, bool tx)
{
	if (tx)
		return R_TXQ + 0x40 * n;
	return n < 64 ? R_RXQ + 0x40 * n : R_RXQ_HIGH + 0x40 * (n - 64);
}

/* The queue of a register in one of the blocks; its offset is at & 0x3F. */
static struct ixgbe_model_queue *queue_of(struct ixgbe_model *m, uint32_t at, unsigned *n, bool *tx)
{
	*tx = at >= R_TXQ && at < R_TXQ + 0x40 * IXGBE_MODEL_QUEUES;
	if (*tx)
		*n = (at - R_TXQ) / 0x40;
	else
		*n = at < R_RXQ_HIGH ? (at - R_RXQ) / 0x40 : (at - R_RXQ_HIGH) / 0x40 + 64;
	return *tx ? &m->tx[*n] : &m->rx[*n];
}

static uint64_t ring_address(const struct ixgbe_model *m, uint32_t block)
{
	return (uint64_t)REG(m, block + Q_BAH) << 32 | (REG(m, block + Q_BAL) & ~127u);
}

static void queue_clear(struct ixgbe_model_queue *q)
{
	free(q->own);
	memset(q, 0, sizeof(*q));
}

void ixgbe_model_queues_reset(struct ixgbe_model *m)
{
	for (unsigned n = 0; n < IXGBE_MODEL_QUEUES; n++) {
		queue_clear(&m->rx[n]);
		queue_clear(&m->tx[n]);
	}
}

struct ixgbe_model_desc *ixgbe_model_queue_at(
	struct ixgbe_model *m, unsigned n, bool tx, unsigned index, bool write)
{
	struct ixgbe_model_queue *q = tx ? &m->tx[n] : &m->rx[n];
	uint64_t address = ring_address(m, ixgbe_model_queue_block(n, tx)) + 16 * (uint64_t)index;
	void *p = ixgbe_model_dma(m, address, 16, write);

	if (!p) {
		ixgbe_model_broke(m, "dma-unmapped", "%s queue %u, descriptor %u at 0x%llx",
			tx ? "transmit" : "receive", n, index, (unsigned long long)address);
		q->stopped = true;
	}
	return p;
}

static void take_ring(struct ixgbe_model *m, struct ixgbe_model_queue *q, unsigned n, bool tx)
{
	uint32_t block = ixgbe_model_queue_block(n, tx), bytes = REG(m, block + Q_LEN);

	q->length = bytes / 16;
	q->head = q->tail = 0; /* a tail from before is lost */
	if (bytes == 0 || bytes > 0x80000)
		ixgbe_model_broke(m, "ring-length", "%s queue %u: %u bytes",
			tx ? "transmit" : "receive", n, bytes);
	free(q->own);
	q->own = q->length ? calloc(q->length, sizeof(*q->own)) : NULL;
	q->stopped = !q->own;
	q->seen = false;
	memset(q->context, 0, sizeof(q->context));
}

static bool stuck(const struct ixgbe_model *m, const struct ixgbe_model_queue *q, bool tx)
{
	if (tx)
		return q->wanted &&
		       (m->options.tx_enable_stuck || !(REG(m, R_DMATXCTL) & DMATXCTL_TE));
	return q->wanted ? m->options.rx_enable_stuck : m->options.rx_disable_stuck;
}

/* The third look finds it done even if nobody's clock moves. */
void ixgbe_model_queue_settle(struct ixgbe_model *m, struct ixgbe_model_queue *q, bool tx)
{
	if (q->enabled == q->wanted || stuck(m, q, tx))
		return;
	if (ixgbe_model_now(m) < q->turn && q->looks < 3)
		return;
	q->enabled = q->wanted;
	if (q->enabled)
		take_ring(m, q, (unsigned)(q - (tx ? m->tx : m->rx)), tx);
}

/* 8.2.3.9.10, and 4.6.11.3.4: the buffer has room for the longest packet above its threshold. */
static void judge_tx(struct ixgbe_model *m, unsigned n, uint32_t txdctl)
{
	uint32_t threshold = REG(m, R_TXPBTHRESH) * 1024, longest = REG(m, R_MAXFRS) >> 16;

	if (!(REG(m, R_DMATXCTL) & DMATXCTL_TE))
		ixgbe_model_house(m, "txdctl-before-te", "queue %u", n);
	if ((txdctl & 0x7F) && !(txdctl >> 8 & 0x7F))
		ixgbe_model_house(m, "host-threshold", "queue %u: TXDCTL 0x%08x", n, txdctl);
	if (threshold + longest > REG(m, R_TXPBSIZE))
		ixgbe_model_house(m, "tx-threshold", "TXPBTHRESH %u KB of %u KB, frames of %u",
			threshold / 1024, REG(m, R_TXPBSIZE) / 1024, longest);
}

static void control(struct ixgbe_model *m, uint32_t at, uint32_t v, unsigned n, bool tx)
{
	struct ixgbe_model_queue *q = tx ? &m->tx[n] : &m->rx[n];
	bool want = v & CTL_ENABLE;

	REG(m, at) = v & ~CTL_FLUSH;
	ixgbe_model_queue_settle(m, q, tx);
	if (want == q->wanted)
		return;
	if (want && tx)
		judge_tx(m, n, v);
	q->wanted = want;
	q->turn = ixgbe_model_now(m) + TURN_US;
	q->looks = 0;
	q->seen = false;
}

uint32_t ixgbe_model_ring_read(struct ixgbe_model *m, uint32_t at)
{
	unsigned n;
	bool tx;
	struct ixgbe_model_queue *q = queue_of(m, at, &n, &tx);

	switch (at & 0x3F) {
	case Q_CTL:
		q->looks++;
		ixgbe_model_queue_settle(m, q, tx);
		q->seen |= q->enabled;
		return (REG(m, at) & ~CTL_ENABLE) | (q->enabled ? CTL_ENABLE : 0);
	case Q_HEAD:
		return q->enabled ? q->head : REG(m, at);
	default:
		return REG(m, at);
	}
}

/* What software had left in a receive descriptor (7.1.6.1): its status must not be there. */
static bool left_done(struct ixgbe_model *m, unsigned n, const struct ixgbe_model_desc *d)
{
	uint32_t srrctl = REG(m, ixgbe_model_queue_block(n, false) + Q_SRRCTL);

	return (srrctl >> SRRCTL_TYPE_SHIFT & 7) == 0 ? d->w[3] & 1 : d->w[2] & 1;
}

/* The device may fetch what lies before the tail at once: it does, and keeps a copy. */
static void fetch(struct ixgbe_model *m, unsigned n, bool tx, unsigned from, unsigned to)
{
	struct ixgbe_model_queue *q = tx ? &m->tx[n] : &m->rx[n];
	unsigned i = from;

	while (i != to && !q->stopped) {
		const struct ixgbe_model_desc *d = ixgbe_model_queue_at(m, n, tx, i, false);

		if (!d)
			return;
		q->own[i] = *d;
		if (!tx && left_done(m, n, d))
			ixgbe_model_house(m, "rx-dd-left", "queue %u, descriptor %u", n, i);
		i = i + 1 == q->length ? 0 : i + 1;
	}
}

static void tail(struct ixgbe_model *m, uint32_t at, uint32_t v, unsigned n, bool tx)
{
	struct ixgbe_model_queue *q = tx ? &m->tx[n] : &m->rx[n];
	unsigned owned, more, from = q->tail;

	ixgbe_model_queue_settle(m, q, tx);
	if (!q->enabled || !q->wanted) {
		if (v)
			ixgbe_model_broke(m, tx ? "tdt-before-enable" : "rdt-before-enable",
				"queue %u, tail %u", n, v);
		REG(m, at) = v;
		return;
	}
	if (!q->seen)
		ixgbe_model_house(m, tx ? "tdt-unpolled" : "rdt-unpolled", "queue %u", n);
	if (v >= q->length) {
		ixgbe_model_broke(m, tx ? "tdt-beyond-ring" : "rdt-beyond-ring",
			"queue %u, tail %u of %u", n, v, q->length);
		return;
	}
	if (tx && (REG(m, R_RTTDCS) & RTTDCS_ARBDIS))
		ixgbe_model_broke(m, "arbiter-left-off", "queue %u", n);
	if (!tx && !(REG(m, ixgbe_model_queue_block(n, false) + Q_SRRCTL) & SRRCTL_KB))
		ixgbe_model_broke(m, "rx-buffer-size-zero", "queue %u", n);
	owned = (q->tail + q->length - q->head) % q->length;
	more = (v + q->length - q->tail) % q->length;
	if (owned + more >= q->length)
		ixgbe_model_broke(m, tx ? "tdt-overrun" : "rdt-overrun",
			"queue %u: head %u, tail %u, then %u", n, q->head, q->tail, v);
	REG(m, at) = v;
	q->tail = v;
	fetch(m, n, tx, from, v);
	if (!tx)
		ixgbe_model_rx_poll(m);
	else if (!m->options.tx_by_poll)
		ixgbe_model_tx_run(m, n);
}

static void place(struct ixgbe_model *m, uint32_t at, uint32_t v, unsigned n, bool tx)
{
	struct ixgbe_model_queue *q = tx ? &m->tx[n] : &m->rx[n];
	const char *name = tx ? "transmit" : "receive";

	ixgbe_model_queue_settle(m, q, tx);
	if (q->enabled)
		ixgbe_model_broke(m, "ring-moved", "%s queue %u, register 0x%05x", name, n, at);
	if ((at & 0x3F) == Q_BAL && (v & 127))
		ixgbe_model_broke(m, "ring-alignment", "%s queue %u at 0x%08x", name, n, v);
	if ((at & 0x3F) == Q_LEN && (v & 127))
		ixgbe_model_broke(m, "ring-length", "%s queue %u: %u bytes", name, n, v);
	if ((at & 0x3F) == Q_LEN)
		v &= 0x000FFF80u;
	REG(m, at) = v;
}

void ixgbe_model_ring_write(struct ixgbe_model *m, uint32_t at, uint32_t v)
{
	unsigned n;
	bool tx;
	struct ixgbe_model_queue *q = queue_of(m, at, &n, &tx);

	switch (at & 0x3F) {
	case Q_CTL:
		control(m, at, v, n, tx);
		break;
	case Q_TAIL:
		tail(m, at, v & 0xFFFFu, n, tx);
		break;
	case Q_HEAD:
		ixgbe_model_queue_settle(m, q, tx);
		if (v || q->enabled)
			ixgbe_model_broke(m, "ring-head", "%s queue %u: %u",
				tx ? "transmit" : "receive", n, v);
		else
			REG(m, at) = 0;
		break;
	default:
		place(m, at, v, n, tx);
		break;
	}
}

/* The model's receive engine: from the wire through the packet buffer into descriptors (7.1). */
#include <stdlib.h>
#include <string.h>

#include "test/model/ixgbe_model_device.h"

enum outcome { STORED, DROPPED, WAITS };

struct arrival { /* one frame on its way into descriptors */
	unsigned queue;
	const uint8_t *data;
	unsigned bytes;
	uint32_t w0, hash, status; /* of its descriptors */
	uint16_t tag;
};

static unsigned statistic(const struct ixgbe_model *m, unsigned queue)
{
	return REG(m, R_RQSMR + 4 * (queue / 4)) >> 8 * (queue & 3) & 0xF;
}

static enum outcome drop(struct ixgbe_model *m, unsigned queue)
{
	ixgbe_model_count(m, R_QPRDC + 0x40 * statistic(m, queue), 1);
	return DROPPED;
}

static uint32_t crc32(const uint8_t *p, unsigned n)
{
	uint32_t crc = 0xFFFFFFFFu;

	while (n--) {
		crc ^= *p++;
		for (unsigned i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
	}
	return ~crc;
}

/* The status goes last: software looks at it first (7.1.5). */
static void write_back(struct ixgbe_model_desc *d, const uint32_t *w, unsigned last)
{
	for (unsigned i = 0; i < 4; i++) {
		if (i != last)
			__atomic_store_n(&d->w[i], w[i], __ATOMIC_RELAXED);
	}
	__atomic_store_n(&d->w[last], w[last], __ATOMIC_RELEASE);
}

static void describe(struct ixgbe_model *m, struct ixgbe_model_desc *d, const struct arrival *a,
	unsigned type, unsigned bytes, unsigned size, bool end)
{
	uint32_t length = m->options.rx_lies ? size + 4096 : bytes;
	uint32_t status = RXD_DD | (end ? a->status | RXD_EOP : 0);
	uint32_t w[4] = {a->w0, a->hash, status, length | (end ? (uint32_t)a->tag << 16 : 0)};

	if (type == 0) { /* 7.1.4: legacy */
		w[0] = d->w[0];
		w[1] = d->w[1];
		w[2] = length;
		w[3] = (status & 0xFF) | (status & RXD_ERR_RX ? 0x8100u : 0) |
		       (end ? (uint32_t)a->tag << 16 : 0);
		write_back(d, w, 3);
		return;
	}
	write_back(d, w, 2);
}

/* One buffer of the frame. False: the queue stopped. */
static bool fill(
	struct ixgbe_model *m, const struct arrival *a, unsigned from, unsigned size, unsigned type)
{
	struct ixgbe_model_queue *q = &m->rx[a->queue];
	struct ixgbe_model_desc *d = ixgbe_model_queue_at(m, a->queue, false, q->head, true);
	unsigned n = a->bytes - from < size ? a->bytes - from : size;
	uint64_t address;
	void *p;

	if (!d)
		return false;
	if (memcmp(d, &q->own[q->head], sizeof(*d)) != 0)
		ixgbe_model_broke(
			m, "rx-descriptor-changed", "queue %u, descriptor %u", a->queue, q->head);
	address = (uint64_t)q->own[q->head].w[1] << 32 | q->own[q->head].w[0];
	p = ixgbe_model_dma(m, address, size, true);
	if (!p) {
		ixgbe_model_broke(m, "dma-unmapped", "receive queue %u, buffer at 0x%llx, %u bytes",
			a->queue, (unsigned long long)address, size);
		q->stopped = true;
		return false;
	}
	memcpy(p, a->data + from, n);
	describe(m, d, a, type, n, size, from + n == a->bytes);
	q->head = q->head + 1 == q->length ? 0 : q->head + 1;
	return true;
}

static enum outcome store(struct ixgbe_model *m, const struct arrival *a)
{
	struct ixgbe_model_queue *q = &m->rx[a->queue];
	uint32_t srrctl = REG(m, ixgbe_model_queue_block(a->queue, false) + Q_SRRCTL);
	unsigned size = (srrctl & SRRCTL_KB) * 1024, type = srrctl >> SRRCTL_TYPE_SHIFT & 7;
	unsigned ready = (q->tail + q->length - q->head) % q->length;
	unsigned i = statistic(m, a->queue);

	if (type > 1)
		ixgbe_model_broke(m, "not-modelled", "queue %u: SRRCTL 0x%08x", a->queue, srrctl);
	if (type > 1 || !size || (a->bytes + size - 1) / size >= q->length)
		return drop(m, a->queue);
	if (ready * size < a->bytes)
		return srrctl & SRRCTL_DROP ? drop(m, a->queue) : WAITS;
	for (unsigned from = 0; from < a->bytes; from += size) {
		if (!fill(m, a, from, size, type))
			return drop(m, a->queue);
	}
	ixgbe_model_count(m, R_QPRC + 0x40 * i, 1);
	ixgbe_model_count_octets(m, R_QBRCL + 0x40 * i, a->bytes);
	ixgbe_model_irq_queue(m, a->queue, false);
	return STORED;
}

static void judge_queue(struct ixgbe_model *m, unsigned n)
{
	if (!(REG(m, R_CTRL_EXT) & CTRL_EXT_NS_DIS))
		ixgbe_model_house(m, "ns-dis-missing", "queue %u", n);
	if (REG(m, ixgbe_model_queue_block(n, false) + Q_DCA) & DCA_RX_BIT12)
		ixgbe_model_house(m, "dca-rxctrl-bit12", "queue %u", n);
}

/* Tag and FCS are taken out or left, then the frame goes to its queue. frame: with room for 4 more
 * bytes. */
static enum outcome deliver(struct ixgbe_model *m, struct ixgbe_model_held *h)
{
	struct ixgbe_model_queue *q = &m->rx[h->queue];
	struct ixgbe_model_packet p;
	struct arrival a = {.queue = h->queue, .bytes = h->bytes};
	unsigned type;
	bool inexact;

	ixgbe_model_queue_settle(m, q, false);
	if (!q->enabled || q->stopped)
		return drop(m, h->queue);
	if (m->gated)
		return WAITS;
	judge_queue(m, h->queue);
	ixgbe_model_parse(h->frame, h->bytes, (uint16_t)REG(m, R_VLNCTRL), &p);
	ixgbe_model_accepts(m, h->frame, &p, &inexact);
	ixgbe_model_rss(m, h->frame, &p, &a.hash, &type);
	if (!(REG(m, R_RXCSUM) & RXCSUM_PCSD)) {
		a.hash = 0;
		type = 0;
	}
	a.w0 = p.type | type;
	a.status = p.status | (inexact ? RXD_PIF : 0) | (h->bad ? RXD_ERR_RX : 0);
	memcpy(m->frame, h->frame, h->bytes);
	if (!(REG(m, R_HLREG0) & HLREG0_CRC_STRIP)) {
		uint32_t fcs = crc32(m->frame, a.bytes);

		memcpy(m->frame + a.bytes, &fcs, 4);
		a.bytes += 4;
	}
	a.data = m->frame;
	if (p.vlan && (REG(m, ixgbe_model_queue_block(h->queue, false) + Q_CTL) & CTL_VME)) {
		memmove(m->frame + 4, m->frame, 12);
		a.data += 4;
		a.bytes -= 4;
		a.tag = p.tag;
		a.status |= RXD_VP;
	}
	return store(m, &a);
}

static void forget(struct ixgbe_model *m)
{
	struct ixgbe_model_held *h = m->held;

	m->held = h->next;
	if (!m->held)
		m->held_end = &m->held;
	m->held_bytes -= h->bytes;
	free(h);
}

void ixgbe_model_rx_flush(struct ixgbe_model *m)
{
	while (m->held)
		forget(m);
}

/* One queue without descriptors, and without leave to drop, holds up all (SRRCTL, 8.2.3.8.7). */
bool ixgbe_model_rx_poll(struct ixgbe_model *m)
{
	bool did = false;

	while (m->held && deliver(m, m->held) != WAITS) {
		forget(m);
		did = true;
	}
	if (did)
		ixgbe_model_pause_level(m);
	return did;
}

static bool hold(struct ixgbe_model *m, struct ixgbe_model_held *h)
{
	enum outcome o;

	if (!m->held) {
		o = deliver(m, h);
		if (o != WAITS) {
			free(h);
			return o == STORED;
		}
	}
	if (m->held_bytes + h->bytes > (REG(m, R_RXPBSIZE) & 0xFFC00u)) {
		ixgbe_model_count(m, R_MPC, 1);
		ixgbe_model_irq_other(m, EICR_RX_MISS);
		free(h);
		return false;
	}
	m->held_bytes += h->bytes;
	ixgbe_model_pause_level(m);
	*m->held_end = h;
	m->held_end = &h->next;
	return true;
}

/* 8.2.3.22.13: with FCS; a tag does not count. */
static unsigned longest(const struct ixgbe_model *m, const struct ixgbe_model_packet *p)
{
	unsigned most = REG(m, R_HLREG0) & HLREG0_JUMBO ? REG(m, R_MAXFRS) >> 16 : 1518;

	return most + p->vlan;
}

static void count_good(struct ixgbe_model *m, const uint8_t *frame, unsigned wire, uint32_t status)
{
	ixgbe_model_count(m, R_GPRC, 1);
	ixgbe_model_count_octets(m, R_GORCL, wire);
	ixgbe_model_count_size(m, R_PRC64, wire);
	if (frame[0] == 0xff && !memcmp(frame, frame + 1, 5))
		ixgbe_model_count(m, R_BPRC, 1);
	else if (frame[0] & 1)
		ixgbe_model_count(m, R_MPRC, 1);
	if (status & (RXD_ERR_IP | RXD_ERR_L4))
		ixgbe_model_count(m, R_XEC, 1);
}

static bool listening(struct ixgbe_model *m)
{
	if (m->gone)
		return false;
	ixgbe_model_reset_shadow(m, R_STATUS, false);
	ixgbe_model_link_poll(m);
	return m->link.up && !m->resetting && (REG(m, R_RXCTRL) & RXCTRL_RXEN);
}

static struct ixgbe_model_held *copy(const void *frame, unsigned bytes)
{
	unsigned padded = bytes < 60 ? 60 : bytes;
	struct ixgbe_model_held *h = calloc(1, sizeof(*h) + padded);

	if (!h)
		return NULL;
	if (frame)
		memcpy(h->frame, frame, bytes);
	h->bytes = padded;
	return h;
}

bool ixgbe_model_receive(struct ixgbe_model *m, const void *frame, unsigned bytes)
{
	struct ixgbe_model_packet p;
	struct ixgbe_model_held *h;
	bool inexact;
	uint32_t hash;
	unsigned type;

	if (bytes > IXGBE_MODEL_FRAME || !listening(m))
		return false;
	h = copy(frame, bytes);
	if (!h)
		return false;
	ixgbe_model_count(m, R_TPR, 1);
	ixgbe_model_count_octets(m, R_TORL, h->bytes + 4);
	ixgbe_model_parse(h->frame, h->bytes, (uint16_t)REG(m, R_VLNCTRL), &p);
	if (h->bytes + 4 > longest(m, &p)) {
		ixgbe_model_count(m, R_ROC, 1);
		free(h);
		return false;
	}
	if (ixgbe_model_pause_taken(m, h->frame) ||
		!ixgbe_model_accepts(m, h->frame, &p, &inexact)) {
		free(h);
		return false;
	}
	count_good(m, h->frame, h->bytes + 4, p.status);
	h->queue = ixgbe_model_rss(m, h->frame, &p, &hash, &type);
	return hold(m, h);
}

void ixgbe_model_receive_bad(struct ixgbe_model *m, unsigned bytes, bool fcs_good)
{
	bool short_one = bytes<64, long_one = bytes> REG(m, R_MAXFRS) >> 16;
	struct ixgbe_model_held *h;

	if (bytes > IXGBE_MODEL_FRAME || !listening(m))
		return;
	ixgbe_model_count(m, R_TPR, 1);
	ixgbe_model_count_octets(m, R_TORL, bytes);
	if (short_one)
		ixgbe_model_count(m, fcs_good ? R_RUC : R_RFC, 1);
	else if (long_one)
		ixgbe_model_count(m, fcs_good ? R_ROC : R_RJC, 1);
	else if (!fcs_good)
		ixgbe_model_count(m, R_CRCERRS, 1);
	if (!(REG(m, R_FCTRL) & FCTRL_SBP) || long_one)
		return;
	h = copy(NULL, bytes);
	if (!h)
		return;
	h->bad = true;
	hold(m, h);
}

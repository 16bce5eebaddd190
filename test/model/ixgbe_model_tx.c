/* The model's transmit engine: descriptors become packets, packets frames (7.2). */
#include <string.h>

#include "test/model/ixgbe_model_device.h"

static unsigned next(const struct ixgbe_model_queue *q, unsigned i)
{
	return i + 1 == q->length ? 0 : i + 1;
}

static bool is_context(const struct ixgbe_model_desc *d)
{
	return (d->w[2] & TXD_DEXT) && (d->w[2] & TXD_TYPE) == TXD_CONTEXT;
}

static void stop(struct ixgbe_model *m, unsigned n, const char *rule, const char *what)
{
	ixgbe_model_broke(m, rule, "queue %u, descriptor %u: %s", n, m->tx[n].head, what);
	m->tx[n].stopped = true;
}

/* Where the packet that begins at the head ends, or false: not all of it is here. */
static bool find_end(const struct ixgbe_model_queue *q, unsigned *end)
{
	for (unsigned i = q->head; i != q->tail; i = next(q, i)) {
		*end = i;
		if (q->own[i].w[2] & TXD_EOP)
			return true;
	}
	return false;
}

/* Copies the packet's buffers. 0: the queue stopped. */
static unsigned gather(struct ixgbe_model *m, unsigned n, unsigned end)
{
	struct ixgbe_model_queue *q = &m->tx[n];
	unsigned bytes = 0;

	for (unsigned i = q->head;; i = next(q, i)) {
		const struct ixgbe_model_desc *d = &q->own[i];
		uint64_t address = (uint64_t)d->w[1] << 32 | d->w[0];
		unsigned length = d->w[2] & 0xFFFF;
		const void *p;

		if (is_context(d) || ((d->w[2] & TXD_DEXT) && (d->w[2] & TXD_TYPE) != TXD_DATA)) {
			stop(m, n, "tx-descriptor-type", "inside a packet");
			return 0;
		}
		if (!length || bytes + length > sizeof(m->gather)) {
			stop(m, n, "tx-size", length ? "too long" : "an empty buffer");
			return 0;
		}
		p = ixgbe_model_dma(m, address, length, false);
		if (!p) {
			stop(m, n, "dma-unmapped", "buffer");
			return 0;
		}
		memcpy(m->gather + bytes, p, length);
		bytes += length;
		if (i == end)
			return bytes;
	}
}

/* 7.2.3.5: only what asked for it is reported; a head written back instead is one word. */
static bool write_back(struct ixgbe_model *m, unsigned n, unsigned i)
{
	uint32_t block = ixgbe_model_queue_block(n, true), low = REG(m, block + Q_WBAL);
	struct ixgbe_model_queue *q = &m->tx[n];
	const struct ixgbe_model_desc *own = &q->own[i];
	struct ixgbe_model_desc *d;
	uint32_t *head;

	if (!(own->w[2] & TXD_RS))
		return false;
	if (low & 1) {
		head = ixgbe_model_dma(
			m, (uint64_t)REG(m, block + Q_WBAH) << 32 | (low & ~3u), 4, true);
		if (head)
			__atomic_store_n(head, next(q, i), __ATOMIC_RELEASE);
		else
			stop(m, n, "dma-unmapped", "head write-back");
		return true;
	}
	d = ixgbe_model_queue_at(m, n, true, i, true);
	if (!d)
		return false;
	if (own->w[2] & TXD_DEXT) {
		for (unsigned k = 0; k < 3; k++)
			__atomic_store_n(&d->w[k], 0, __ATOMIC_RELAXED);
		__atomic_store_n(&d->w[3], TXD_DD, __ATOMIC_RELEASE);
	} else {
		__atomic_store_n(&d->w[3], own->w[3] | TXD_DD, __ATOMIC_RELEASE);
	}
	return true;
}

/* Gives descriptors up to `end` back. */
static void complete(struct ixgbe_model *m, unsigned n, unsigned end)
{
	struct ixgbe_model_queue *q = &m->tx[n];
	bool reported = false;

	for (unsigned i = q->head;; i = next(q, i)) {
		reported |= write_back(m, n, i);
		q->head = next(q, i);
		if (i == end)
			break;
	}
	if (reported)
		ixgbe_model_irq_queue(m, n, true);
}

/* Software wrote to what was the device's. */
static void judge_owned(struct ixgbe_model *m, unsigned n, unsigned end)
{
	struct ixgbe_model_queue *q = &m->tx[n];

	for (unsigned i = q->head;; i = next(q, i)) {
		const struct ixgbe_model_desc *d = ixgbe_model_queue_at(m, n, true, i, false);

		if (!d)
			return;
		if (memcmp(d, &q->own[i], sizeof(*d)) != 0)
			ixgbe_model_broke(
				m, "tx-descriptor-changed", "queue %u, descriptor %u", n, i);
		if (i == end)
			return;
	}
}

/* 7.2.3.2.2: one checksum from CSS on, stored at CSO; a tag in the last word. */
static void send_legacy(struct ixgbe_model *m, unsigned n, const uint32_t *d, unsigned bytes)
{
	unsigned at = d[2] >> 16 & 0xFF, from = d[3] >> 8 & 0xFF;
	uint32_t tag[4] = {d[3] & 0xFFFF0000u, 0, 0, 0};
	uint32_t data[4] = {0, 0, d[2] & (TXD_IFCS | TXD_VLE), 0};

	if ((d[2] & TXD_IC) && at + 2 <= bytes && from < bytes) {
		uint16_t sum = (uint16_t)~ixgbe_model_fold(
			ixgbe_model_sum(m->gather + from, bytes - from, 0));

		m->gather[at] = (uint8_t)(sum >> 8);
		m->gather[at + 1] = (uint8_t)sum;
	}
	ixgbe_model_offload(m, n, bytes, data, tag);
}

/* Does it ask for what only a context can say? */
static bool wants_context(const uint32_t *d)
{
	return (d[2] & (TXD_TSE | TXD_VLE)) || (d[3] & (TXD_CC | TXD_IXSM | TXD_TXSM));
}

static void send_data(struct ixgbe_model *m, unsigned n, const uint32_t *d, unsigned bytes)
{
	struct ixgbe_model_queue *q = &m->tx[n];
	const struct ixgbe_model_context *c = &q->context[d[3] & TXD_INDEX ? 1 : 0];
	bool wants = wants_context(d);

	if (wants && !c->written) {
		stop(m, n, "tx-context-missing", "no context yet");
		return;
	}
	ixgbe_model_offload(m, n, bytes, d, wants ? c->w : NULL);
}

/* One packet or context. False: nothing more to do now. */
static bool step(struct ixgbe_model *m, unsigned n)
{
	struct ixgbe_model_queue *q = &m->tx[n];
	struct ixgbe_model_desc first = q->own[q->head];
	unsigned end = q->head, bytes;

	if (is_context(&first)) {
		struct ixgbe_model_context *c = &q->context[first.w[3] & TXD_INDEX ? 1 : 0];

		judge_owned(m, n, end);
		c->written = true;
		memcpy(c->w, first.w, sizeof(c->w));
		complete(m, n, end);
		return true;
	}
	if (!find_end(q, &end))
		return false;
	judge_owned(m, n, end);
	bytes = gather(m, n, end);
	if (!bytes)
		return false;
	if (!(first.w[2] & TXD_IFCS))
		ixgbe_model_house(m, "tx-no-fcs", "queue %u, descriptor %u", n, q->head);
	if (first.w[2] & TXD_DEXT)
		send_data(m, n, first.w, bytes);
	else
		send_legacy(m, n, first.w, bytes);
	if (!q->stopped)
		complete(m, n, end);
	return !q->stopped;
}

/* Without a link nothing leaves, and descriptors wait (4.6.8). */
bool ixgbe_model_tx_run(struct ixgbe_model *m, unsigned n)
{
	struct ixgbe_model_queue *q = &m->tx[n];
	bool did = false;

	ixgbe_model_queue_settle(m, q, true);
	if (!q->enabled || q->stopped || m->gated || m->options.tx_hang || m->resetting ||
		!(REG(m, R_DMATXCTL) & DMATXCTL_TE))
		return false;
	ixgbe_model_link_poll(m);
	if ((!m->link.up && !(REG(m, R_HLREG0) & HLREG0_LOOPBACK)) || ixgbe_model_paused(m))
		return false;
	while (q->head != q->tail && step(m, n))
		did = true;
	return did;
}

bool ixgbe_model_tx_poll(struct ixgbe_model *m)
{
	bool did = false;

	for (unsigned n = 0; n < IXGBE_MODEL_QUEUES; n++) {
		if (m->tx[n].wanted && m->tx[n].head != m->tx[n].tail)
			did |= ixgbe_model_tx_run(m, n);
	}
	return did;
}

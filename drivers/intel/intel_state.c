/*
 * What becomes of a running device: polls, failures, returns, the stop.
 *
 * A transmit queue that stands still cannot be reset alone: it may be switched off
 * only when it is empty (4.6.8.1). So the whole device is reset, by steps in the
 * polls of the control core, while the other ports go on; and it returns. `failed` is
 * set meanwhile, so that no core uses its queues.
 *
 * The control core asks all others twice by counting `requests` up, and each answers for
 * each of its queues by noting the number beside it: that it has seen the failure, before
 * the device is reset, as nobody may touch it then; and, when there is no DMA any more
 * (`halted`) and the frames of a TX queue have been taken back, which count as not sent,
 * that the empty ring is laid out again. Buffers of an RX ring stay in it.
 */
#include "drivers/intel/intel_port.h"

/* Without progress: with a link; with one whose peer may hold us up; without one. */
#define HANG_US   5000000u
#define PAUSED_US 60000000u
#define DARK_US   500000u

#define ANSWER_US 1000000u

void intel_fail(struct intel_port *p, const char *failure, bool over)
{
	p->over |= over;
	if (load_once(&p->dev.failed))
		return;
	p->reset_step = INTEL_RESET_BEGIN;
	p->failed_us = intel_now(p);
	store_once(&p->dev.link, false);
	store_release(&p->requests, p->requests + 1); /* odd: that it is seen */
	store_once(&p->dev.failure, failure);
	store_release(&p->dev.failed, true); /* the reason before the fact */
}

/* No DMA from here on: the bus sees to it, if the device is not to be trusted with that. */
static void halt(struct intel_port *p)
{
	if (p->over)
		p->place.cut_off(p->place.ctx);
	store_release(&p->halted, true);
}

/* ---------------------------------------------------------------- each core: its own queues */

static void reverse(uint32_t *a, uint32_t n)
{
	for (uint32_t i = 0; i < n / 2; i++) {
		uint32_t t = a[i];

		a[i] = a[n - 1 - i];
		a[n - 1 - i] = t;
	}
}

/* Turns the ring until its oldest buffer is in slot 0, where the device begins after a reset. */
static void lay_out_rx(struct intel_rxq *rx, const struct buffers *buffers)
{
	uint32_t held = rx->posted - rx->taken, first = rx->taken & rx->mask;

	reverse(rx->held, first);
	reverse(rx->held + first, rx->mask + 1 - first);
	reverse(rx->held, rx->mask + 1);
	for (uint32_t i = 0; i <= rx->mask; i++) {
		uint64_t frame = i < held ? (uintptr_t)buffer_data(buffers, rx->held[i]) : 0;

		rx->ring[i] = (struct intel_rx_desc){.address = frame};
	}
	rx->taken = 0;
	rx->posted = held;
	rx->good = INTEL_RX_GOOD;
}

void intel_answer_rx(struct intel_port *p, unsigned q)
{
	uint32_t request = load_acquire(&p->requests);

	if (p->rx_answer[q] == request)
		return;
	if (request % 2 == 0)
		lay_out_rx(&p->rx[q], p->dev.buffers);
	store_release(&p->rx_answer[q], request);
}

unsigned intel_answer_tx(struct intel_port *p, unsigned q, uint64_t *word, unsigned max)
{
	uint32_t request = load_acquire(&p->requests);
	struct intel_txq *tx = &p->tx[q];
	unsigned n = 0;

	if (request % 2 == 1 && p->tx_answer[q] != request)
		store_release(&p->tx_answer[q], request);
	if (!load_acquire(&p->halted))
		return 0;
	for (; n < max && tx->taken != tx->posted; n++)
		word[n] = tx->held[tx->taken++ & tx->mask];
	if (tx->taken != tx->posted || p->tx_answer[q] == request)
		return n;
	tx->posted = tx->taken = tx->done = tx->reports = tx->reported = 0;
	store_release(&p->tx_answer[q], request);
	return n;
}

/* ---------------------------------------------------------------- control core: return */

static bool all_answered(const struct intel_port *p)
{
	for (unsigned q = 0; q < p->dev.rx_queues; q++)
		if (load_acquire(&p->rx_answer[q]) != p->requests ||
			load_acquire(&p->tx_answer[q]) != p->requests)
			return false;
	return true;
}

static void come_back(struct intel_port *p)
{
	const char *refusal;

	if (p->requests % 2 == 1)
		store_release(&p->requests, p->requests + 1);
	if (!all_answered(p))
		return;
	refusal = p->driver->start(p, false);
	if (refusal) {
		store_once(&p->dev.failure, refusal);
		p->over = true;
		halt(p);
		return;
	}
	for (unsigned q = 0; q < p->dev.tx_queues; q++)
		p->watch[q] = (struct intel_watch){.since_us = intel_now(p)};
	store_release(&p->halted, false);
	store_release(&p->dev.failed, false);
}

static void poll_failed(struct intel_port *p)
{
	if (p->halted) {
		if (!p->over)
			come_back(p);
		return;
	}
	/* A core that stands still for so long touches nothing either. */
	if (p->reset_step == INTEL_RESET_BEGIN && !all_answered(p) &&
		intel_now(p) - p->failed_us < ANSWER_US)
		return;
	switch (p->driver->reset(p)) {
	case INTEL_RESET_BUSY:
		return;
	case INTEL_RESET_STUCK:
		store_once(&p->dev.failure, "its reset does not end (CTRL.RST)");
		p->over = true;
		break;
	case INTEL_RESET_DONE:
		break;
	}
	halt(p);
}

/* ---------------------------------------------------------------- control core: polls */

/* Has a queue nothing to send, or is its core only late to notice that it is sent? */
static bool moves(const struct intel_txq *tx, uint32_t taken)
{
	uint32_t position = tx->report[load_once(&tx->reported) & tx->mask];

	return taken == load_once(&tx->posted) || taken != load_once(&tx->done) ||
	       (load_once(&tx->ring[position & tx->mask].control) & INTEL_TX_DD);
}

static void watch(struct intel_port *p)
{
	uint64_t now = intel_now(p);
	uint64_t limit = !p->dev.link ? DARK_US : p->dev.flow_control ? PAUSED_US : HANG_US;

	for (unsigned q = 0; q < p->dev.tx_queues; q++) {
		struct intel_watch *w = &p->watch[q];
		uint32_t taken = load_once(&p->tx[q].taken);

		if (taken != w->taken || moves(&p->tx[q], taken)) {
			*w = (struct intel_watch){taken, now};
		} else if (now - w->since_us >= limit) {
			p->resets++;
			intel_fail(p,
				p->dev.link ? "a transmit queue stands still: it is reset"
					    : "frames wait without a link: it is reset",
				false);
			return;
		}
	}
}

void intel_poll(struct netdev *dev)
{
	struct intel_port *p = intel_of(dev);

	if (load_acquire(&dev->failed)) {
		poll_failed(p);
	} else if (intel_gone(p)) {
		intel_fail(p, "it is gone: its registers read as ones", true);
		halt(p);
	} else {
		intel_stats_poll(p);
		p->driver->link(p);
		watch(p);
	}
}

void intel_stop(struct netdev *dev)
{
	struct intel_port *p = intel_of(dev);

	intel_fail(p, "stopped", true);
	while (!intel_gone(p) && p->driver->reset(p) == INTEL_RESET_BUSY)
		;
	halt(p); /* whatever it does: no DMA */
}

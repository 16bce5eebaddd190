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
#include "drivers/ixgbe/ixgbe_device.h"

/* Without progress: with a link; with one whose peer may hold us up; without one. */
#define HANG_US   5000000u
#define PAUSED_US 60000000u
#define DARK_US   500000u

#define ANSWER_US 1000000u

void ixgbe_fail(struct ixgbe *x, const char *failure, bool over)
{
	x->over |= over;
	if (load_once(&x->dev.failed))
		return;
	x->reset_step = IXGBE_RESET_BEGIN;
	x->failed_us = ixgbe_now(x);
	store_once(&x->dev.link, false);
	store_release(&x->requests, x->requests + 1); /* odd: that it is seen */
	store_once(&x->dev.failure, failure);
	store_release(&x->dev.failed, true); /* the reason before the fact */
}

/* No DMA from here on: the bus sees to it, if the device is not to be trusted with that. */
static void halt(struct ixgbe *x)
{
	if (x->over)
		x->place.cut_off(x->place.ctx);
	store_release(&x->halted, true);
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
static void lay_out_rx(struct ixgbe_rxq *rx, const struct buffers *buffers)
{
	uint32_t held = rx->posted - rx->taken, first = rx->taken & rx->mask;

	reverse(rx->held, first);
	reverse(rx->held + first, rx->mask + 1 - first);
	reverse(rx->held, rx->mask + 1);
	for (uint32_t i = 0; i <= rx->mask; i++) {
		uint64_t frame = i < held ? (uintptr_t)buffer_data(buffers, rx->held[i]) : 0;

		rx->ring[i] = (struct ixgbe_rx_desc){.address = frame};
	}
	rx->taken = 0;
	rx->posted = held;
	rx->good = IXGBE_RX_GOOD;
}

void ixgbe_answer_rx(struct ixgbe *x, unsigned q)
{
	uint32_t request = load_acquire(&x->requests);

	if (x->rx_answer[q] == request)
		return;
	if (request % 2 == 0)
		lay_out_rx(&x->rx[q], x->dev.buffers);
	store_release(&x->rx_answer[q], request);
}

unsigned ixgbe_answer_tx(struct ixgbe *x, unsigned q, uint64_t *word, unsigned max)
{
	uint32_t request = load_acquire(&x->requests);
	struct ixgbe_txq *tx = &x->tx[q];
	unsigned n = 0;

	if (request % 2 == 1 && x->tx_answer[q] != request)
		store_release(&x->tx_answer[q], request);
	if (!load_acquire(&x->halted))
		return 0;
	for (; n < max && tx->taken != tx->posted; n++)
		word[n] = tx->held[tx->taken++ & tx->mask];
	if (tx->taken != tx->posted || x->tx_answer[q] == request)
		return n;
	tx->posted = tx->taken = tx->done = tx->reports = tx->reported = 0;
	store_release(&x->tx_answer[q], request);
	return n;
}

/* ---------------------------------------------------------------- control core: return */

static bool all_answered(const struct ixgbe *x)
{
	for (unsigned q = 0; q < x->dev.rx_queues; q++)
		if (load_acquire(&x->rx_answer[q]) != x->requests ||
			load_acquire(&x->tx_answer[q]) != x->requests)
			return false;
	return true;
}

static void come_back(struct ixgbe *x)
{
	const char *refusal;

	if (x->requests % 2 == 1)
		store_release(&x->requests, x->requests + 1);
	if (!all_answered(x))
		return;
	refusal = ixgbe_start(x, false);
	if (refusal) {
		store_once(&x->dev.failure, refusal);
		x->over = true;
		halt(x);
		return;
	}
	for (unsigned q = 0; q < x->dev.tx_queues; q++)
		x->watch[q] = (struct ixgbe_watch){.since_us = ixgbe_now(x)};
	store_release(&x->halted, false);
	store_release(&x->dev.failed, false);
}

static void poll_failed(struct ixgbe *x)
{
	if (x->halted) {
		if (!x->over)
			come_back(x);
		return;
	}
	/* A core that stands still for so long touches nothing either. */
	if (x->reset_step == IXGBE_RESET_BEGIN && !all_answered(x) &&
		ixgbe_now(x) - x->failed_us < ANSWER_US)
		return;
	switch (ixgbe_reset(x)) {
	case IXGBE_RESET_BUSY:
		return;
	case IXGBE_RESET_STUCK:
		store_once(&x->dev.failure, "its reset does not end (CTRL.RST)");
		x->over = true;
		break;
	case IXGBE_RESET_DONE:
		break;
	}
	halt(x);
}

/* ---------------------------------------------------------------- control core: polls */

/* Has a queue nothing to send, or is its core only late to notice that it is sent? */
static bool moves(const struct ixgbe_txq *tx, uint32_t taken)
{
	uint32_t position = tx->report[load_once(&tx->reported) & tx->mask];

	return taken == load_once(&tx->posted) || taken != load_once(&tx->done) ||
	       (load_once(&tx->ring[position & tx->mask].control) & IXGBE_TX_DD);
}

static void watch(struct ixgbe *x)
{
	uint64_t now = ixgbe_now(x);
	uint64_t limit = !x->dev.link ? DARK_US : x->dev.flow_control ? PAUSED_US : HANG_US;

	for (unsigned q = 0; q < x->dev.tx_queues; q++) {
		struct ixgbe_watch *w = &x->watch[q];
		uint32_t taken = load_once(&x->tx[q].taken);

		if (taken != w->taken || moves(&x->tx[q], taken)) {
			*w = (struct ixgbe_watch){taken, now};
		} else if (now - w->since_us >= limit) {
			x->resets++;
			ixgbe_fail(x,
				x->dev.link ? "a transmit queue stands still: it is reset"
					    : "frames wait without a link: it is reset",
				false);
			return;
		}
	}
}

void ixgbe_poll(struct netdev *dev)
{
	struct ixgbe *x = ixgbe_of(dev);

	if (load_acquire(&dev->failed)) {
		poll_failed(x);
	} else if (ixgbe_gone(x)) {
		ixgbe_fail(x, "it is gone: its registers read as ones", true);
		halt(x);
	} else {
		ixgbe_stats_poll(x);
		ixgbe_link_poll(x);
		watch(x);
	}
}

void ixgbe_stop(struct netdev *dev)
{
	struct ixgbe *x = ixgbe_of(dev);

	ixgbe_fail(x, "stopped", true);
	while (!ixgbe_gone(x) && ixgbe_reset(x) == IXGBE_RESET_BUSY)
		;
	halt(x); /* whatever it does: no DMA */
}

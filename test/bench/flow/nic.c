/* The in-memory NIC of bench-flow: rings of descriptors, frames from records. */
#include "test/bench/flow/nic.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "lib/packet.h"
#include "test/bench/rings.h"

#define ICMP 1
#define TCP  6
#define UDP  17

#define AT_TRANSPORT 34u

struct flow_nic {
	struct rings rings;
	alignas(64) const struct flow_record *record;
	uint32_t records, next;
	alignas(64) uint8_t frame[FLOW_FRAME];
};

void (*flow_nic_look)(unsigned port, const uint8_t *frame, uint32_t len_bytes);

static struct flow_nic *nic_of(const struct netdev *dev)
{
	return (struct flow_nic *)dev;
}

/* ---- receive ---- */

/* The next `some` descriptors, of as many records. */
static void deliver(struct flow_nic *nic, uint64_t *word, unsigned some)
{
	const struct flow_record *record = nic->record + nic->next;
	uint32_t taken = nic->rings.nic.rx_taken;

	for (unsigned i = 0; i < some; i++) {
		struct ring_desc *d = &nic->rings.rx[(taken + i) & (RING_SLOTS - 1)];
		uint8_t *frame = (uint8_t *)(uintptr_t)d->address;

		memcpy(frame, nic->frame, FLOW_FRAME);
		memcpy(frame + FLOW_AT, record + i, sizeof *record);
		word[i] = packet_word((uint32_t)d->control, FLOW_FRAME, 0);
	}
	nic->rings.nic.rx_taken = taken + some;
	nic->next = nic->next + some == nic->records ? 0 : nic->next + some;
}

static unsigned nic_rx(struct netdev *dev, unsigned q, uint64_t *word, unsigned max)
{
	struct flow_nic *nic = nic_of(dev);
	unsigned held = ring_nic_rx_held(dev, q), n = held < max ? held : max;

	if (n > nic->rings.nic.limit)
		n = (unsigned)nic->rings.nic.limit;
	nic->rings.nic.limit -= n;
	nic->rings.nic.received += n;
	for (unsigned done = 0, some; done < n; done += some) { /* twice where the stream ends */
		some = n - done < nic->records - nic->next ? n - done : nic->records - nic->next;
		deliver(nic, word + done, some);
	}
	return n;
}

/* ---- transmit ---- */

static unsigned nic_tx(struct netdev *dev, unsigned q, const uint64_t *word, unsigned n)
{
	struct flow_nic *nic = nic_of(dev);

	if (flow_nic_look)
		for (unsigned i = 0; i < n; i++)
			flow_nic_look(nic->rings.nic.number, packet_frame(dev->buffers, word[i]),
				packet_len(word[i]));
	nic->rings.nic.sent += n;
	return rings_tx(dev, q, word, n);
}

/* ---- the rest ---- */

static const struct netdev_ops ops = {
	.rx = nic_rx,
	.rx_room = ring_nic_rx_room,
	.rx_fill = rings_rx_fill,
	.tx = nic_tx,
	.tx_done = rings_tx_done,
	.rx_held = ring_nic_rx_held,
	.tx_held = ring_nic_tx_held,
	.doorbells = ring_nic_doorbells,
	.poll = ring_nic_nothing,
	.stop = ring_nic_nothing,
};

struct netdev *flow_nic_create(unsigned number, const uint8_t *mac)
{
	struct flow_nic *nic = aligned_alloc(64, (sizeof *nic + 63) & ~(size_t)63);

	if (!nic)
		abort();
	memset(nic, 0, sizeof *nic);
	ring_nic_init(&nic->rings.nic, &ops, number, mac, RING_SLOTS);
	memcpy(nic->frame, mac, 6);
	memset(nic->frame + 6, 2, 6);
	store_be16(nic->frame + 12, 0x0800);
	nic->frame[14] = 0x45;
	store_be16(nic->frame + 16, FLOW_FRAME - 14);
	return &nic->rings.nic.dev;
}

void flow_nic_stream(
	struct netdev *dev, const struct flow_record *record, uint32_t n, uint64_t frames)
{
	struct flow_nic *nic = nic_of(dev);

	nic->record = record;
	nic->records = n;
	nic->next = 0;
	nic->rings.nic.limit = n ? frames : 0;
}

uint64_t flow_nic_received(const struct netdev *dev)
{
	return ring_nic_of(dev)->received;
}

uint64_t flow_nic_sent(const struct netdev *dev)
{
	return ring_nic_of(dev)->sent;
}

/* ---- records ---- */

/* What stands at `to` is 0 so far. */
static void put_sum(uint8_t *to, const void *data, size_t n)
{
	uint16_t sum = checksum(data, n);

	memcpy(to, &sum, sizeof sum);
}

static void transport(uint8_t *frame, const struct flow *f, uint32_t number)
{
	uint8_t *t = frame + AT_TRANSPORT, pseudo[12 + FLOW_FRAME - AT_TRANSPORT];
	uint32_t bytes = FLOW_FRAME - AT_TRANSPORT, sum_at = f->protocol == UDP ? 6 : 16;

	store_be32(t, f->ports);
	if (f->protocol == ICMP) { /* destination port: 0 */
		put_sum(t + 2, t, bytes);
		return;
	}
	if (f->protocol == UDP) {
		store_be16(t + 4, (uint16_t)bytes);
		store_be32(t + 8, number);
	} else { /* ACK, no options */
		t[12] = 0x50;
		t[13] = 0x10;
	}
	memcpy(pseudo, frame + 26, 8);
	store_be16(pseudo + 8, f->protocol);
	store_be16(pseudo + 10, (uint16_t)bytes);
	memcpy(pseudo + 12, t, bytes);
	put_sum(t + sum_at, pseudo, sizeof pseudo);
	if (f->protocol == UDP && !(t[sum_at] | t[sum_at + 1]))
		store_be16(t + sum_at, 0xffff); /* RFC 768: 0 says that there is none */
}

void flow_record_make(struct flow_record *r, const struct flow *f, uint32_t number)
{
	uint8_t frame[FLOW_FRAME] = {[14] = 0x45, [17] = FLOW_FRAME - 14, [22] = 64};

	_Static_assert(AT_TRANSPORT + 20 <= FLOW_AT + sizeof *r, "TCP's header is in the record");
	frame[23] = f->protocol;
	store_be32(frame + 26, f->src);
	store_be32(frame + 30, f->dst);
	put_sum(frame + 24, frame + 14, 20);
	transport(frame, f, number);
	memcpy(r, frame + FLOW_AT, sizeof *r);
}

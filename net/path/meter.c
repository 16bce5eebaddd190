/* Policing of inputs: the bucket of each frame, and what becomes of those that find it empty. */
#include "net/path/meter.h"

#include "net/path/parse.h"

#define FRAME_BYTES 1000u /* what a packet counts for where packets are counted */
#define BURST_PART  10u   /* of a second */
#define BURST_BYTES 15000u
#define BURST_COUNT 10u

/* ---- limits. Control core. ---- */

uint32_t meter_burst_of(const struct meter_limit *limit)
{
	uint64_t a_second = limit->packets ? limit->rate : limit->rate / 8;
	uint64_t least = limit->packets ? BURST_COUNT : BURST_BYTES;
	uint64_t most = limit->packets ? METER_BURST_PACKETS_MAX : METER_BURST_MAX;
	uint64_t burst = a_second / BURST_PART;

	if (limit->burst)
		return limit->burst;
	return (uint32_t)(burst < least ? least : burst > most ? most : burst);
}

void meter_rate_set(
	struct meter_rate *rate, const struct meter_limit *limit, unsigned queues, uint64_t tsc_hz)
{
	uint64_t bps = limit->packets ? limit->rate * FRAME_BYTES * 8 : limit->rate;
	uint64_t burst = (uint64_t)meter_burst_of(limit) * (limit->packets ? FRAME_BYTES : 1);

	rate->frame = limit->packets ? FRAME_BYTES : 0;
	bucket_rate_set(&rate->fill, bps / queues, tsc_hz, burst / queues);
}

/* ---- frames ---- */

/* The bucket has tokens, or there is no limit. *rate: what it is filled by, or NULL. */
static bool has_tokens(struct meter_bucket *b, const struct meter_rate **rate, uint64_t now)
{
	*rate = load_acquire(&b->rate);
	if (!*rate)
		return true;
	if ((*rate)->number != b->begun)
		b->bucket = (struct bucket){(*rate)->fill.depth, now};
	b->begun = (*rate)->number;
	bucket_fill(&b->bucket, &(*rate)->fill, now);
	return b->bucket.tokens > 0;
}

static void charge(struct meter_bucket *b, const struct meter_rate *rate, uint32_t len)
{
	if (rate)
		bucket_charge(&b->bucket, rate->frame ? rate->frame : len);
}

/* The VLAN of a received frame that the port carries, or VLAN_NONE. */
static unsigned vlan_of(const struct lane *lane, uint64_t word)
{
	return parse_vlan(lane, packet_frame(lane->buffers, word), packet_len(word));
}

/* Received, and dropped. c: who refused it. */
static void drop(struct lane *lane, uint64_t word, struct meter_counters *c)
{
	struct port_counters *port = &lane->counters->port[lane->port];
	unsigned vlan = vlan_of(lane, word);
	uint32_t len = packet_len(word);

	counter_add(&port->rx_packets, 1);
	counter_add(&port->rx_bytes, len);
	if (vlan != VLAN_NONE)
		parse_count_vlan(lane, vlan, word);
	counter_add(&c->packets, 1);
	counter_add(&c->bytes, len);
	path_drop(lane, lane->port, word, DROP_INPUT_POLICED);
}

/* One frame, of a VLAN or VLAN_NONE. false: it was dropped. */
static bool pass(struct lane *lane, struct meter *m, uint64_t word, unsigned vlan)
{
	const struct meter_rate *of_vlan = NULL, *of_port;
	uint32_t len = packet_len(word);

	if (vlan != VLAN_NONE && !has_tokens(&m->vlan[vlan], &of_vlan, lane->received)) {
		drop(lane, word, &lane->counters->vlan[vlan].policed);
		return false;
	}
	if (!has_tokens(&m->port, &of_port, lane->received)) {
		drop(lane, word, &lane->counters->port[lane->port].policed);
		return false;
	}
	if (of_vlan)
		charge(&m->vlan[vlan], of_vlan, len);
	charge(&m->port, of_port, len);
	return true;
}

unsigned meter_burst(struct lane *lane, uint64_t *word, unsigned n)
{
	struct meter *m = load_once(&lane->meter);
	unsigned kept = 0;

	if (!m || lane->received == 0 || load_once(&lane->disabled))
		return n;
	bool vlans = load_once(&m->vlans);

	for (unsigned i = 0; vlans && i < n; i++)
		__builtin_prefetch(packet_frame(lane->buffers, word[i]));
	for (unsigned i = 0; i < n; i++)
		if (pass(lane, m, word[i], vlans ? vlan_of(lane, word[i]) : VLAN_NONE))
			word[kept++] = word[i];
	return kept;
}

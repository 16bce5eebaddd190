/* What the model does to a packet on its way out: tag, checksums, segments, padding (7.2.4, 7.2.5).
 */
#include <string.h>

#include "test/model/ixgbe_model_device.h"

struct shape {                    /* of a packet, as its context says */
	unsigned l3, l4, payload; /* offsets; payload: of layer 4 */
	unsigned mss;
	bool ip4, tcp, sctp;
	bool ip_sum, l4_sum;
};

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void count_sent(struct ixgbe_model *m, unsigned n, const uint8_t *frame, unsigned wire)
{
	unsigned i = REG(m, R_TQSM + 4 * (n / 4)) >> 8 * (n & 3) & 0xF;

	ixgbe_model_count(m, R_GPTC, 1);
	ixgbe_model_count(m, R_TPT, 1);
	ixgbe_model_count_octets(m, R_GOTCL, wire);
	ixgbe_model_count_size(m, R_PTC64, wire);
	ixgbe_model_count(m, R_QPTC + 0x40 * i, 1);
	ixgbe_model_count_octets(m, R_QBTCL + 8 * i, wire - 4);
	if (frame[0] == 0xff && !memcmp(frame, frame + 1, 5))
		ixgbe_model_count(m, R_BPTC, 1);
	else if (frame[0] & 1)
		ixgbe_model_count(m, R_MPTC, 1);
}

void ixgbe_model_tx_frame(struct ixgbe_model *m, unsigned n, const uint8_t *frame, unsigned bytes)
{
	count_sent(m, n, frame, bytes + 4);
	if (REG(m, R_HLREG0) & HLREG0_LOOPBACK)
		ixgbe_model_receive(m, frame, bytes);
	else if (m->wire.transmit)
		m->wire.transmit(m->wire.ctx, frame, bytes);
}

/* Tag, padding, and off it goes. m->frame holds it. */
static void send(
	struct ixgbe_model *m, unsigned n, unsigned bytes, const uint32_t *d, const uint32_t *c)
{
	uint8_t *f = m->frame;

	if ((d[2] & TXD_VLE) && c) {
		memmove(f + 16, f + 12, bytes - 12);
		put16(f + 12, REG(m, R_DMATXCTL) >> 16);
		put16(f + 14, c[0] >> 16);
		bytes += 4;
	}
	if (!(d[2] & TXD_IFCS))
		bytes -= 4; /* what software gave as FCS */
	if (bytes < 60 && (REG(m, R_HLREG0) & HLREG0_PAD)) {
		memset(f + bytes, 0, 60 - bytes);
		bytes = 60;
	}
	ixgbe_model_tx_frame(m, n, f, bytes);
}

/* The field holds the sum of the pseudo header, from software (7.2.5.1). */
static void layer4(uint8_t *f, unsigned bytes, const struct shape *s, uint32_t more)
{
	unsigned at = s->l4 + (s->tcp ? 16 : 6);
	uint16_t sum = (uint16_t)~ixgbe_model_fold(ixgbe_model_sum(f + s->l4, bytes - s->l4, more));

	put16(f + at, !s->tcp && !sum ? 0xFFFF : sum);
}

static void ip_header(uint8_t *f, const struct shape *s)
{
	uint8_t *ip = f + s->l3;

	put16(ip + 10, 0);
	put16(ip + 10, (uint16_t)~ixgbe_model_fold(ixgbe_model_sum(ip, s->l4 - s->l3, 0)));
}

static bool shape_of(struct shape *s, unsigned bytes, const uint32_t *d, const uint32_t *c)
{
	s->l3 = c[0] >> 9 & 0x7F;
	s->l4 = s->l3 + (c[0] & 0x1FF);
	s->ip4 = c[2] & TXC_IP4;
	s->tcp = c[2] & TXC_TCP;
	s->sctp = c[2] & TXC_SCTP;
	s->payload = s->l4 + (d[2] & TXD_TSE ? c[3] >> 8 & 0xFF : 0);
	s->mss = c[3] >> 16;
	s->ip_sum = d[3] & TXD_IXSM;
	s->l4_sum = d[3] & TXD_TXSM;
	if (s->l3 < 14 || s->payload > bytes || (s->ip_sum && s->l4 - s->l3 < 20))
		return false;
	if (s->l4_sum && s->l4 + (s->tcp ? 18 : 8) > bytes)
		return false;
	return !(d[2] & TXD_TSE) || (s->mss && s->payload - s->l4 >= (s->tcp ? 20 : 8) &&
					    s->l4 - s->l3 >= 20 && s->payload < bytes);
}

/* Headers of one segment: lengths, identification, sequence number, flags (7.2.4.5). */
static void segment_headers(
	uint8_t *f, const struct shape *s, unsigned bytes, unsigned index, bool last)
{
	uint8_t *ip = f + s->l3, *l4 = f + s->l4;

	if (s->ip4) {
		put16(ip + 2, bytes - s->l3);
		put16(ip + 4, be16(ip + 4) + index);
	} else {
		put16(ip + 4, bytes - s->l3 - 40);
	}
	if (s->tcp) {
		uint32_t seq = (uint32_t)be16(l4 + 4) << 16 | be16(l4 + 6);

		seq += index * s->mss;
		put16(l4 + 4, seq >> 16);
		put16(l4 + 6, seq);
		if (!last)
			l4[13] &= (uint8_t)~0x09u; /* FIN, PSH: only in the last */
		if (index)
			l4[13] &= 0x7F; /* CWR: only in the first */
	} else {
		put16(l4 + 4, bytes - s->l4);
	}
}

/* The pseudo header's sum lacks the length here: it differs by segment. */
static void segments(struct ixgbe_model *m, unsigned n, unsigned bytes, const uint32_t *d,
	const uint32_t *c, const struct shape *s)
{
	unsigned index = 0;

	for (unsigned at = s->payload; at < bytes; at += s->mss, index++) {
		unsigned part = bytes - at < s->mss ? bytes - at : s->mss;
		unsigned whole = s->payload + part;

		memcpy(m->frame, m->gather, s->payload);
		memcpy(m->frame + s->payload, m->gather + at, part);
		segment_headers(m->frame, s, whole, index, at + part == bytes);
		if (s->ip4)
			ip_header(m->frame, s);
		layer4(m->frame, whole, s, whole - s->l4);
		send(m, n, whole, d, c);
	}
}

static void stop(struct ixgbe_model *m, unsigned n, const char *rule, unsigned bytes)
{
	ixgbe_model_broke(m, rule, "queue %u, descriptor %u: %u bytes", n, m->tx[n].head, bytes);
	m->tx[n].stopped = true;
}

static bool paylen_right(const uint32_t *d, unsigned bytes, const struct shape *s)
{
	unsigned paylen = d[3] >> 14;

	if (!(d[2] & TXD_DEXT)) /* legacy descriptors have none */
		return true;
	return paylen == (d[2] & TXD_TSE ? bytes - s->payload : bytes);
}

void ixgbe_model_offload(
	struct ixgbe_model *m, unsigned n, unsigned bytes, const uint32_t *d, const uint32_t *c)
{
	struct shape s = {.l3 = 0};
	bool tse = d[2] & TXD_TSE, shaped = tse || (d[3] & (TXD_IXSM | TXD_TXSM));

	if (shaped && (!c || !shape_of(&s, bytes, d, c))) {
		stop(m, n, "tx-headers", bytes);
	} else if (!paylen_right(d, bytes, &s)) {
		stop(m, n, "tx-paylen", bytes);
	} else if (bytes < 17 || (tse ? s.payload + s.mss : bytes) > 15872) {
		stop(m, n, "tx-size", bytes);
	} else if (tse) {
		segments(m, n, bytes, d, c, &s);
	} else {
		memcpy(m->frame, m->gather, bytes);
		if (s.ip_sum && s.ip4)
			ip_header(m->frame, &s);
		if (s.l4_sum && !s.sctp)
			layer4(m->frame, bytes, &s, 0);
		send(m, n, bytes, d, c);
	}
}

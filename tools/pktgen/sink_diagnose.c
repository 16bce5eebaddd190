/* Taking a wrong frame apart, slowly. */
#include "tools/pktgen/sink_diagnose.h"

#include <string.h>

#include "lib/byteorder.h"
#include "lib/checksum.h"

/* The UDP checksum over what the frame says, pseudo header included: RFC 768, RFC 8200 8.1. */
static bool udp_right(const uint8_t *udp, const uint8_t *addresses, unsigned both, uint32_t room)
{
	unsigned length = load_be16(udp + 4);
	uint64_t sum;

	if (length < 8 || length > room)
		return false;
	sum = checksum_add(0, addresses, both);
	sum = checksum_add(sum, udp, length);
	sum += __builtin_bswap16((uint16_t)length) + __builtin_bswap16(17);
	return checksum_finish(sum) == 0;
}

/* Destination and source port of the flow that the 18 bytes name, or NULL; *d gets its lane. */
static const uint8_t *named(
	struct traffic *t, const struct frame_payload *p, bool four, struct diagnosis *d)
{
	const struct stream *s;

	d->lane = p->lane < t->lanes ? &t->lane[p->lane] : NULL;
	if (!d->lane || d->lane->family != (four ? 4 : 6))
		return NULL;
	s = d->lane->stream;
	if (p->flow >= s->flows || (four ? s->four[p->flow].lane : s->six[p->flow].lane) != p->lane)
		return NULL;
	return four ? s->four[p->flow].to : s->six[p->flow].to;
}

/* Bytes [from, to) of the head, compared with what must be there. */
static bool differs(const uint8_t *f, const struct lane *lane, unsigned from, unsigned to)
{
	return memcmp(f + from, lane->back + from, to - from) != 0;
}

static unsigned faults4(const uint8_t *f, const struct lane *lane)
{
	unsigned faults = 0;

	faults |= differs(f, lane, FRAME4_IP + 8, FRAME4_IP + 9) ? 1u << FAULT_TTL : 0;
	/* Either zero is right, so the sum is looked at and not the field. */
	faults |= checksum(f + FRAME4_IP, 20) ? 1u << FAULT_CHECKSUM : 0;
	if (differs(f, lane, 12, FRAME4_IP + 8) ||
		differs(f, lane, FRAME4_IP + 9, FRAME4_IP + 10) ||
		differs(f, lane, FRAME4_IP + 12, FRAME4_IP + 16) ||
		differs(f, lane, FRAME4_UDP + 2, FRAME4_UDP + 6))
		faults |= 1u << FAULT_HEADER;
	return faults;
}

static unsigned faults6(const uint8_t *f, const struct lane *lane)
{
	unsigned faults = 0;

	faults |= differs(f, lane, FRAME6_IP + 7, FRAME6_IP + 8) ? 1u << FAULT_TTL : 0;
	if (differs(f, lane, 12, FRAME6_IP + 7) ||
		differs(f, lane, FRAME6_IP + 8, FRAME6_IP + 24) ||
		differs(f, lane, FRAME6_UDP + 2, FRAME6_UDP + 6))
		faults |= 1u << FAULT_HEADER;
	return faults;
}

enum diagnosis_kind diagnose(
	struct traffic *t, unsigned port, const uint8_t *frame, uint32_t bytes, struct diagnosis *d)
{
	bool four = bytes >= FRAME4_HEAD && load_be16(frame + 12) == 0x0800;
	bool six = bytes >= FRAME6_HEAD && load_be16(frame + 12) == 0x86dd;
	unsigned udp = four ? FRAME4_UDP : FRAME6_UDP, head = four ? FRAME4_HEAD : FRAME6_HEAD;
	const uint8_t *to = frame + (four ? FRAME4_IP + 16 : FRAME6_IP + 24);
	unsigned address = four ? 4 : 16;
	const uint8_t *flow;
	struct frame_payload p;

	if (!four && !six)
		return DIAGNOSIS_OTHER;
	memcpy(&p, frame + udp + 8, sizeof p);
	if (p.magic != FRAME_MAGIC)
		return DIAGNOSIS_OTHER;
	if (!udp_right(frame + udp, four ? frame + FRAME4_IP + 12 : frame + FRAME6_IP + 8,
		    four ? 8 : 32, bytes - udp))
		return DIAGNOSIS_CORRUPT;
	flow = named(t, &p, four, d);
	if (!flow || memcmp(to, flow, address) != 0)
		return DIAGNOSIS_CORRUPT;
	d->number = p.number;
	d->time = 0;
	memcpy(&d->time, p.time, sizeof p.time);
	d->faults = four ? faults4(frame, d->lane) : faults6(frame, d->lane);
	d->faults |= memcmp(frame + udp, flow + address, 2) != 0 ? 1u << FAULT_HEADER : 0;
	d->faults |= d->lane->egress != port ? 1u << FAULT_PORT : 0;
	d->faults |= differs(frame, d->lane, 0, 12) ? 1u << FAULT_MAC : 0;
	d->faults |= d->lane->bytes != bytes ? 1u << FAULT_LENGTH : 0;
	if (bytes > head && memcmp(frame + head, frame_filler, bytes - head) != 0)
		d->faults |= 1u << FAULT_FILLER;
	return DIAGNOSIS_OURS;
}

/* Messages of multicast listener discovery: validation of what comes in, and what goes out (RFC
 * 3810 5, RFC 2710 3). */
#include <string.h>

#include "net/proto/internal.h"
#include "net/proto/mld.h"

#define MLD_HOPS    1u
#define MLD_CLASS   0xc0u /* CS6, as neighbour discovery */
#define MLD_ALERT   0u    /* value of the router alert option, RFC 2711 2.1 */
#define ALERT_BYTES 8u    /* the hop-by-hop header with that option */

/* Offsets in the messages. */
#define MLD_DELAY     4u /* of a query; of a report of version 2: reserved, number of records */
#define MLD_GROUP     8u
#define MLD_V1        24u /* length of all messages of version 1 */
#define MLD_FLAGS     24u /* of a query of version 2 */
#define MLD_SOURCES_N 26u
#define MLD_V2        28u /* its length, without sources */
#define MLD_RECORDS   8u
#define MLD_RECORD    20u /* bytes of a record without sources */
#define MLD_ADDRESS   16u

/* A report of all groups, and the sources asked for, on the smallest link. */
_Static_assert(IPV6_HEADER + ALERT_BYTES + MLD_RECORDS + MLD_GROUPS * MLD_RECORD +
			       MLD_SOURCES * MLD_ADDRESS <=
		       MTU_MIN_IP6,
	"a report is one packet");

/* Routers of version 2 hear reports at this group, RFC 3810 5.2.14. */
#define MLD2_ROUTERS ((struct ip6){0xff02000000000000ull, 0x16})

/* ---- validation ---- */

/* RFC 3810 5.1.3: a number, or 12 bits of one and 3 of an exponent. */
static uint32_t delay_ms(uint16_t code)
{
	return code < 0x8000 ? code : (0x1000u | (code & 0xfffu)) << ((code >> 12 & 7) + 3);
}

static bool query_parse(const uint8_t *p, uint32_t len, struct mld_message *m)
{
	if (!ip6_is_zero(m->group) && !ip6_is_multicast(m->group))
		return false;
	m->version = len == MLD_V1 ? 1 : 2;
	m->delay_ms = load_be16(p + MLD_DELAY);
	if (m->version == 1)
		return true;
	if (len < MLD_V2) /* RFC 3810 8.1: neither version's */
		return false;
	m->delay_ms = delay_ms(load_be16(p + MLD_DELAY));
	m->robustness = p[MLD_FLAGS] & 7;
	m->sources = load_be16(p + MLD_SOURCES_N);
	m->source = p + MLD_V2;
	return MLD_V2 + m->sources * MLD_ADDRESS <= len && !(m->sources && ip6_is_zero(m->group));
}

bool mld_parse(const uint8_t *frame, uint32_t at, uint32_t len, struct mld_message *m)
{
	const uint8_t *p = frame + at;

	if (len < MLD_V1 || frame[IPV6_HOPS] != MLD_HOPS || !ip6_is_link_local(ipv6_src(frame)) ||
		!ext_has_alert(frame, MLD_ALERT))
		return false;
	*m = (struct mld_message){.type = p[0], .group = ip6_load(p + MLD_GROUP)};
	return m->type == MLD_QUERY ? query_parse(p, len, m) : ip6_is_multicast(m->group);
}

/* ---- sending ---- */

static uint8_t *message_of(struct stack *s, uint64_t word)
{
	return frame_of(s, word) + ETH_HEADER + IPV6_HEADER + ALERT_BYTES;
}

/* A message of `len` bytes in a buffer of our own leaves for the link. */
static void send(struct stack *s, unsigned port, struct ip6 dst, uint32_t len, uint64_t word)
{
	static const uint8_t alert[ALERT_BYTES] = {IPV6_ICMP, 0, 5, 2, 0, MLD_ALERT, 1, 0};
	const struct iface_addr6 *own = iface6_link_source(&s->iface[port]);
	uint32_t at = ETH_HEADER + IPV6_HEADER + ALERT_BYTES;
	uint8_t *frame = frame_of(s, word), group[6] = {0x33, 0x33}; /* RFC 2464 7 */

	/* RFC 3590: as long as none is valid, it is unspecified. */
	ipv6_begin(frame, ALERT_BYTES + len, IPV6_HOP_BY_HOP, MLD_HOPS,
		own ? own->address : IP6_ANY, dst);
	ipv6_set_class(frame, MLD_CLASS);
	memcpy(frame + ETH_HEADER + IPV6_HEADER, alert, ALERT_BYTES);

	uint16_t check = ipv6_checksum(frame, IPV6_ICMP, at, len);

	memcpy(frame + at + 2, &check, sizeof check);
	memcpy(group + 2, frame + IPV6_DEST + 12, 4);
	ethernet_finish(s, frame, port, group, ETH_TYPE_IPV6);
	s->mld.reports_sent++;
	s->ops->transmit(s->ctx, port, packet_word(packet_index(word), at + len, 0));
}

void mld_report_begin(struct stack *s, struct mld_report *r)
{
	uint32_t index;

	r->len = 0;
	if (!s->ops->alloc(s->ctx, &index))
		return;
	r->word = packet_word(index, ETH_HEADER + IPV6_HEADER + ALERT_BYTES + MLD_RECORDS, 0);
	r->message = message_of(s, r->word);
	r->len = MLD_RECORDS;
	memset(r->message, 0, r->len);
	r->message[0] = MLD2_REPORT;
}

void mld_report_add(struct mld_report *r, enum mld_record type, struct ip6 group,
	const struct ip6 *source, unsigned sources)
{
	uint8_t *p = r->message + r->len;

	if (r->len == 0)
		return;
	memset(p, 0, MLD_RECORD);
	p[0] = (uint8_t)type;
	store_be16(p + 2, (uint16_t)sources);
	ip6_store(p + 4, group);
	for (unsigned k = 0; k < sources; k++)
		ip6_store(p + MLD_RECORD + k * MLD_ADDRESS, source[k]);
	r->len += MLD_RECORD + sources * MLD_ADDRESS;
	store_be16(
		r->message + MLD_DELAY + 2, (uint16_t)(load_be16(r->message + MLD_DELAY + 2) + 1));
}

void mld_report_send(struct stack *s, unsigned port, struct mld_report *r)
{
	if (r->len)
		send(s, port, MLD2_ROUTERS, r->len, r->word);
}

void mld1_send(struct stack *s, unsigned port, enum mld_type type, struct ip6 group)
{
	uint32_t index;

	if (!s->ops->alloc(s->ctx, &index))
		return;
	uint64_t word = packet_word(index, ETH_HEADER + IPV6_HEADER + ALERT_BYTES + MLD_V1, 0);
	uint8_t *p = message_of(s, word);

	memset(p, 0, MLD_V1);
	p[0] = (uint8_t)type;
	ip6_store(p + MLD_GROUP, group);
	send(s, port, type == MLD1_DONE ? IP6_ALL_ROUTERS : group, MLD_V1, word);
}

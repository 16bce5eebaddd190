/* Translation of single packets, and of ICMP errors about them. */
#include "net/path/translate.h"

#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "net/path/frame.h"

/* IANA protocol numbers. */
#define SCTP     132u
#define DCCP     33u
#define UDP_LITE 136u

/* Where checksums stand in the transport header. */
#define TCP_CHECKSUM  16u /* RFC 9293 3.1 */
#define UDP_CHECKSUM  6u  /* RFC 768, RFC 3828 3.1; DCCP's as well, RFC 4340 5.1 */
#define ICMP_CHECKSUM 2u  /* RFC 792 */
#define ICMP_ID       4u
#define ICMP_LENGTH   5u /* of the packet inside, in words; RFC 4884 4.1 */
#define ICMP_HEADER   8u

#define PADDED 128u /* bytes that a packet with extensions behind it has at least; RFC 4884 4 */

#define NO_CHECKSUM 0u /* none that we could bring up to date */

bool translate_has_ports(uint8_t protocol)
{
	return protocol == IPV4_TCP || protocol == IPV4_UDP || protocol == IPV4_ICMP ||
	       protocol == UDP_LITE || protocol == DCCP;
}

static uint32_t checksum_at(uint8_t protocol)
{
	switch (protocol) {
	case IPV4_TCP:
		return TCP_CHECKSUM;
	case IPV4_UDP:
	case UDP_LITE:
	case DCCP:
		return UDP_CHECKSUM;
	case IPV4_ICMP:
		return ICMP_CHECKSUM;
	default:
		return NO_CHECKSUM;
	}
}

/* A checksum of 0 says that there is none. */
static bool zero_is_none(uint8_t protocol)
{
	return protocol == IPV4_UDP || protocol == UDP_LITE;
}

/* ---- deltas ---- */

static uint16_t fold(uint64_t sum)
{
	return (uint16_t)~checksum_finish(sum);
}

/* The sum of a word of 32 bits in host byte order, as it stands in a packet. */
static uint64_t sum32(uint32_t word)
{
	word = __builtin_bswap32(word);
	return (uint64_t)(word & 0xffff) + (word >> 16);
}

static uint16_t apply(uint16_t check, uint16_t delta)
{
	return (uint16_t)~fold((uint64_t)(uint16_t)~check + delta);
}

static void apply_at(uint8_t *at, uint16_t delta)
{
	uint16_t check;

	memcpy(&check, at, sizeof check);
	check = apply(check, delta);
	memcpy(at, &check, sizeof check);
}

/* The same of a transport's. */
static void apply_transport(uint8_t *at, uint8_t protocol, uint16_t delta)
{
	uint16_t check;

	memcpy(&check, at, sizeof check);
	if (zero_is_none(protocol)) {
		if (check == 0)
			return;
		check = apply(check, delta);
		check = check ? check : 0xffff;
	} else {
		check = apply(check, delta);
	}
	memcpy(at, &check, sizeof check);
}

void translate_prepare(struct way *way, const struct flow_key *from, const struct flow_key *to)
{
	uint32_t src = (uint32_t)from->src.lo, dst = (uint32_t)from->dst.lo;
	bool icmp = from->protocol == IPV4_ICMP;
	uint32_t ports = icmp ? from->ports & 0xffff0000u : from->ports;

	way->new_src = (uint32_t)to->src.lo;
	way->new_dst = (uint32_t)to->dst.lo;
	way->new_ports = to->ports;
	uint32_t becomes = icmp ? to->ports & 0xffff0000u : to->ports;
	uint64_t addresses = sum32(~src) + sum32(~dst) + sum32(way->new_src) + sum32(way->new_dst);
	uint64_t numbers = sum32(~ports) + sum32(becomes);

	way->delta_ip = fold(addresses);
	if (!translate_has_ports(from->protocol))
		way->delta_transport = 0;
	else
		way->delta_transport = fold(icmp ? numbers : numbers + addresses);
	if (src == way->new_src && dst == way->new_dst && ports == becomes)
		way->flags &= (uint8_t)~WAY_REWRITE;
	else
		way->flags |= WAY_REWRITE;
}

/* ---- packets ---- */

void translate_later(uint8_t *frame, const struct way *way)
{
	store_be32(frame + IPV4_SOURCE, way->new_src);
	store_be32(frame + IPV4_DEST, way->new_dst);
	apply_at(frame + IPV4_CHECKSUM, way->delta_ip);
}

void translate_frame(uint8_t *frame, uint32_t at, const struct way *way)
{
	uint8_t protocol = way->protocol;

	translate_later(frame, way);
	if (!translate_has_ports(protocol))
		return;
	if (protocol == IPV4_ICMP)
		store_be16(frame + at + ICMP_ID, (uint16_t)(way->new_ports >> 16));
	else
		store_be32(frame + at, way->new_ports);
	apply_transport(frame + at + checksum_at(protocol), protocol, way->delta_transport);
}

/* ---- ICMP errors ---- */

/* A packet inside an error: from where its header begins, what there is of it. */
struct inside {
	uint8_t *ip;
	uint32_t header;    /* bytes */
	uint32_t transport; /* bytes that are there behind it, at least 8 */
};

/* Destination unreachable, time exceeded, parameter problem: of others the octet is another thing.
 */
static bool has_length(uint8_t type)
{
	return type == 3 || type == 11 || type == 12;
}

/* What is the packet's: not padding, nor extensions behind it (RFC 4884 4.1). */
static bool find_inside(uint8_t *icmp, uint32_t bytes, struct inside *in)
{
	if (bytes < ICMP_HEADER + IPV4_HEADER + 8)
		return false;
	in->ip = icmp + ICMP_HEADER;
	bytes -= ICMP_HEADER;
	in->header = (in->ip[0] & 15u) * 4;
	uint32_t total = load_be16(in->ip + 2), said = icmp[ICMP_LENGTH] * 4u;

	if (total < bytes)
		bytes = total;
	if (has_length(icmp[0]) && said >= PADDED && said < bytes)
		bytes = said;
	if (in->ip[0] >> 4 != 4 || in->header < IPV4_HEADER || bytes < in->header + 8)
		return false;
	in->transport = bytes - in->header;
	return true;
}

/* Puts the packet inside back to what its sender sent. */
static void restore_inside(const struct inside *in, const struct way *back)
{
	uint8_t *transport = in->ip + in->header;
	uint8_t protocol = back->protocol;
	uint64_t addresses =
		sum32(~back->src) + sum32(~back->dst) + sum32(back->new_src) + sum32(back->new_dst);
	uint32_t where = checksum_at(protocol);

	store_be32(in->ip + 12, back->new_dst);
	store_be32(in->ip + 16, back->new_src);
	apply_at(in->ip + 10, fold(addresses));
	if (!translate_has_ports(protocol))
		return;
	if (protocol == IPV4_ICMP)
		store_be16(transport + ICMP_ID, (uint16_t)(back->new_ports >> 16));
	else
		store_be32(transport, back->new_ports << 16 | back->new_ports >> 16);
	if (where + 2 <= in->transport)
		apply_transport(transport + where, protocol, back->delta_transport);
}

bool translate_error(uint8_t *frame, uint32_t len_bytes, uint32_t at, const struct way *back)
{
	uint32_t end = IPV4_OFF + load_be16(frame + IPV4_LENGTH);
	uint8_t *icmp = frame + at;
	struct inside in;

	if (end > len_bytes)
		end = len_bytes;
	if (end < at || !find_inside(icmp, end - at, &in))
		return false;
	/* A fragment's checksum is over more than we have. */
	if (!(load_be16(frame + IPV4_FRAGMENT) & (IPV4_MF | IPV4_OFFSET)) &&
		checksum(icmp, end - at) != 0)
		return false;
	uint32_t span = in.header + in.transport, most = in.header + TCP_CHECKSUM + 2;
	uint64_t before, after;

	span = span < most ? span : most;
	before = checksum_add(0, in.ip, span);
	restore_inside(&in, back);
	after = checksum_add(0, in.ip, span);
	apply_at(icmp + ICMP_CHECKSUM, fold((uint64_t)(uint16_t)~fold(before) + fold(after)));

	uint32_t src = load_be32(frame + IPV4_SOURCE);
	uint32_t becomes = back->new_src == back->src ? src : back->new_src;
	uint32_t dst = load_be32(frame + IPV4_DEST);

	store_be32(frame + IPV4_SOURCE, becomes);
	store_be32(frame + IPV4_DEST, back->new_dst);
	apply_at(frame + IPV4_CHECKSUM,
		fold(sum32(~src) + sum32(~dst) + sum32(becomes) + sum32(back->new_dst)));
	return true;
}

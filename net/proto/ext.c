/* Extension headers of IPv6 (RFC 8200 4): the chain, and the options in it. */
#include "net/proto/internal.h"

#define OPTION_PAD1         0u
#define OPTION_PADN         1u
#define OPTION_ROUTER_ALERT 5u /* RFC 2711: nothing here listens to others' packets but of MLD */

struct ext ext_first(const uint8_t *frame)
{
	return (struct ext){.type = frame[IPV6_NEXT],
		.at = ETH_HEADER + IPV6_HEADER,
		.named = IPV6_NEXT,
		.end = ETH_HEADER + ipv6_total_len(frame)};
}

bool ext_is_known(uint8_t type)
{
	return type == IPV6_HOP_BY_HOP || type == IPV6_ROUTING || type == IPV6_FRAGMENT ||
	       type == IPV6_OPTIONS;
}

/* Bytes of the extension header; 0: it is not all there. */
static uint32_t ext_len(const uint8_t *frame, const struct ext *e)
{
	if (e->at + 8 > e->end)
		return 0;
	uint32_t len = (frame[e->at + 1] + 1u) * 8;

	if (e->type == IPV6_FRAGMENT)
		len = 8;
	else if (e->type == IPV6_AUTH)
		len = (frame[e->at + 1] + 2u) * 4; /* RFC 4302 2.2 */
	return e->at + len > e->end ? 0 : len;
}

bool ext_next(const uint8_t *frame, struct ext *e)
{
	uint32_t len = ext_len(frame, e);

	if (len == 0)
		return false;
	e->type = frame[e->at];
	e->named = e->at;
	e->at += len;
	return true;
}

bool ext_transport(const uint8_t *frame, struct ext *e)
{
	*e = ext_first(frame);
	while (ext_is_known(e->type) || e->type == IPV6_AUTH) {
		/* Only the first fragment has it. */
		if (e->type == IPV6_FRAGMENT && e->at + 8 <= e->end &&
			(load_be16(frame + e->at + 2) & 0xfff8u))
			return false;
		if (!ext_next(frame, e))
			return false;
	}
	return true;
}

/* RFC 8200 4.2: what the two highest bits of an unknown option's type ask for. */
static enum ext_verdict option_unknown(uint8_t type)
{
	static const enum ext_verdict verdict[] = {
		EXT_PASS, EXT_DROP, EXT_REPORT, EXT_REPORT_ALONE};

	return verdict[type >> 6];
}

enum ext_verdict ext_options(const uint8_t *frame, const struct ext *e, uint32_t *pointer)
{
	uint32_t at = e->at + 2, end = e->at + ext_len(frame, e);

	if (end == e->at)
		return EXT_DROP;
	while (at < end) {
		uint8_t type = frame[at];

		if (type == OPTION_PAD1) {
			at++;
			continue;
		}
		if (at + 2 > end || at + 2 + frame[at + 1] > end)
			return EXT_DROP;
		*pointer = at;
		if (type != OPTION_PADN && type != OPTION_ROUTER_ALERT &&
			option_unknown(type) != EXT_PASS)
			return option_unknown(type);
		at += 2u + frame[at + 1];
	}
	return EXT_PASS;
}

bool ext_has_alert(const uint8_t *frame, uint16_t value)
{
	struct ext e = ext_first(frame);
	uint32_t at = e.at + 2, end = e.type == IPV6_HOP_BY_HOP ? e.at + ext_len(frame, &e) : 0;

	while (at < end) {
		if (frame[at] == OPTION_PAD1) {
			at++;
			continue;
		}
		if (at + 2 > end || at + 2 + frame[at + 1] > end)
			return false;
		if (frame[at] == OPTION_ROUTER_ALERT && frame[at + 1] == 2)
			return load_be16(frame + at + 2) == value;
		at += 2u + frame[at + 1];
	}
	return false;
}

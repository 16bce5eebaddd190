/* IPv4 options (RFC 791 3.1): are they well formed, what a router writes, which go on in fragments.
 */
#include "net/proto/internal.h"

#define OPTION_END    0u
#define OPTION_NOP    1u
#define OPTION_RECORD 7u   /* record route */
#define OPTION_STAMP  68u  /* timestamp */
#define OPTION_LSRR   131u /* loose source route */
#define OPTION_SSRR   137u /* strict source route */
#define OPTION_ALERT  148u /* router alert, RFC 2113 */
#define OPTION_COPY   0x80u

/* Record route, source routes and timestamp: a pointer, counted from 1, to the place to write. */
#define OPTION_POINTER 2u
#define RECORD_FIRST   4u
#define STAMP_FLAGS    3u /* overflow count in the upper four bits */
#define STAMP_FIRST    5u
#define STAMP_OVERFLOW 0xf0u

/* In the lower four bits of STAMP_FLAGS. */
#define STAMP_TIME   0u /* times only */
#define STAMP_BOTH   1u /* address and time */
#define STAMP_CHOSEN 3u /* the sender has put the addresses */

#define TIME_NOT_UT 0x80000000u /* not milliseconds since midnight UT */

/* Length of the option at p with `room` bytes left; 0 if it does not fit. */
static uint32_t option_len(const uint8_t *p, uint32_t room)
{
	if (p[0] == OPTION_NOP)
		return 1;
	if (room < 2 || p[1] < 2 || p[1] > room)
		return 0;
	return p[1];
}

/* Bytes that an option with a pointer gets from each router. */
static uint32_t option_step(const uint8_t *p)
{
	unsigned flags = p[0] == OPTION_STAMP ? p[STAMP_FLAGS] & 15u : STAMP_TIME;

	return flags == STAMP_BOTH || flags == STAMP_CHOSEN ? 8 : 4;
}

/* The place the pointer names is behind the option's end. */
static bool option_is_full(const uint8_t *p)
{
	return p[OPTION_POINTER] > p[1];
}

/*
 * Which byte of an option with a pointer is wrong, counted from its type; 0: none.
 * Some room, but not enough, is an error, too (RFC 791, at each of the options).
 */
static uint32_t option_wrong_byte(const uint8_t *p)
{
	bool stamp = p[0] == OPTION_STAMP;
	uint32_t first = stamp ? STAMP_FIRST : RECORD_FIRST;

	if (p[1] < first - 1)
		return 1;
	if (p[OPTION_POINTER] < first)
		return OPTION_POINTER;
	if (p[0] & OPTION_COPY)
		return 0; /* a source route: nobody writes into it here */
	if (!option_is_full(p))
		return p[OPTION_POINTER] + option_step(p) - 1 > p[1] ? OPTION_POINTER : 0;
	/* The count of routers without room runs over itself. */
	if (stamp && (p[STAMP_FLAGS] & 15u) != STAMP_CHOSEN &&
		(p[STAMP_FLAGS] & STAMP_OVERFLOW) == STAMP_OVERFLOW)
		return STAMP_FLAGS;
	return 0;
}

static bool options_malformed(struct options *o, uint32_t pointer)
{
	o->reason = DROP_IP_OPTIONS;
	o->pointer = (uint8_t)pointer;
	return false;
}

/* Notes the option at `at`, of which a packet has one at most; false if this is the second. */
static bool option_once(uint8_t *noted, uint32_t at)
{
	if (*noted)
		return false;
	*noted = (uint8_t)at;
	return true;
}

/* One option of known length; false if it is wrong. */
static bool option_check(const uint8_t *ip, uint32_t at, struct options *o)
{
	uint8_t type = ip[at], *noted = NULL;
	uint32_t wrong;

	if (type == OPTION_RECORD)
		noted = &o->record;
	else if (type == OPTION_STAMP)
		noted = &o->stamp;
	else if (type == OPTION_LSRR || type == OPTION_SSRR)
		noted = &o->source_route;
	else
		return type != OPTION_ALERT || ip[at + 1] >= 4 || options_malformed(o, at + 1);
	if (!option_once(noted, at))
		return options_malformed(o, at);
	wrong = option_wrong_byte(ip + at);
	return wrong == 0 || options_malformed(o, at + wrong);
}

bool options_check(const uint8_t *frame, struct options *o)
{
	const uint8_t *ip = frame + IPV4_OFF;
	uint32_t at = IPV4_HEADER, end = ipv4_header_len(frame);

	memset(o, 0, sizeof *o);
	while (at < end && ip[at] != OPTION_END) {
		uint32_t len = option_len(ip + at, end - at);

		if (len == 0)
			return options_malformed(o, at);
		if (!option_check(ip, at, o))
			return false;
		at += len;
	}
	if (o->source_route) {
		o->reason = DROP_SOURCE_ROUTE; /* RFC 7126 4.3, 4.4 */
		return false;
	}
	return true;
}

/* RFC 791, internet timestamp; RFC 1812 5.3.13.6. */
static void options_write_stamp(const struct stack *s, uint8_t *p, uint32_t address)
{
	uint8_t flags = p[STAMP_FLAGS] & 15u, *place = p + p[OPTION_POINTER] - 1;

	if (option_is_full(p)) {
		if (flags != STAMP_CHOSEN)
			p[STAMP_FLAGS] += 0x10;
		return;
	}
	if (flags != STAMP_TIME && flags != STAMP_BOTH && flags != STAMP_CHOSEN)
		return;
	if (flags == STAMP_CHOSEN && !stack_is_own(s, load_be32(place)))
		return;
	if (flags == STAMP_BOTH)
		store_be32(place, address);
	if (flags != STAMP_TIME)
		place += 4;
	store_be32(place, (uint32_t)s->now_ms | TIME_NOT_UT);
	p[OPTION_POINTER] += (uint8_t)option_step(p);
}

void options_write(const struct stack *s, uint8_t *frame, uint32_t address)
{
	uint8_t *ip = frame + IPV4_OFF;
	struct options o;

	if (!options_check(frame, &o) || (!o.record && !o.stamp))
		return;
	if (o.record && !option_is_full(ip + o.record)) {
		uint8_t *p = ip + o.record;

		store_be32(p + p[OPTION_POINTER] - 1, address);
		p[OPTION_POINTER] += 4;
	}
	if (o.stamp)
		options_write_stamp(s, ip + o.stamp, address);
	ipv4_finish(frame);
}

uint32_t options_fragment_header(const uint8_t *frame, uint8_t header[IPV4_HEADER_MAX])
{
	const uint8_t *ip = frame + IPV4_OFF;
	uint32_t at = IPV4_HEADER, end = ipv4_header_len(frame), out = IPV4_HEADER;

	memset(header, 0, IPV4_HEADER_MAX); /* zeros pad to a whole word: end of options */
	memcpy(header, ip, IPV4_HEADER);
	while (at < end && ip[at] != OPTION_END) {
		uint32_t len = option_len(ip + at, end - at);

		if (len == 0)
			break;
		if (ip[at] & OPTION_COPY) {
			memcpy(header + out, ip + at, len);
			out += len;
		}
		at += len;
	}
	out = (out + 3) & ~3u;
	header[0] = (uint8_t)(0x40 | out / 4);
	return out;
}

/* ICMP for IPv4: echo replies, and errors by the rules of RFC 1812 4.3.2. */
#include "net/proto/icmp.h"

#include <string.h>

#include "net/proto/internal.h"

#define ICMP_TOS 0xc0u /* precedence internetwork control, RFC 1812 4.3.2.5 */

void icmp_finish(uint8_t *icmp, uint32_t len)
{
	memset(icmp + 2, 0, 2);

	uint16_t check = checksum(icmp, len);

	memcpy(icmp + 2, &check, sizeof check);
}

/* Type and code are one word of the checksum. */
static void icmp_turn(uint8_t *message)
{
	uint16_t old, new, check;

	memcpy(&old, message, sizeof old);
	message[0] = ICMP_ECHO_REPLY;
	memcpy(&new, message, sizeof new);
	memcpy(&check, message + 2, sizeof check);
	check = checksum_update16(check, old, new);
	memcpy(message + 2, &check, sizeof check);
}

/* The reply is a new packet: the request ends here as delivered, and both books balance. */
static void icmp_echo_reply(
	struct stack *s, const uint8_t *frame, const uint8_t *icmp, uint32_t len)
{
	uint32_t src = load_be32(frame + IPV4_SOURCE), index;

	if (!ipv4_is_unicast(src) || !s->ops->alloc(s->ctx, &index))
		return;

	uint32_t total = IPV4_HEADER + len;
	uint64_t word = packet_word(index, ETH_HEADER + total, 0);
	uint8_t *reply = frame_of(s, word), *message = reply + ETH_HEADER + IPV4_HEADER;

	ipv4_begin(reply, total, IPV4_ICMP, IPV4_TTL_OWN, load_be32(frame + IPV4_DEST), src);
	reply[IPV4_TOS] = frame[IPV4_TOS]; /* same TOS, RFC 1349 5.1 */
	memcpy(message, icmp, len);
	icmp_turn(message);
	s->icmp_limit.echo_replies++;
	(void)stack_send(s, word);
}

/* A request that no buffer holds is made its own reply. Takes the word. */
static void icmp_echo_reply_whole(struct stack *s, uint64_t word)
{
	uint8_t *frame = frame_of(s, word), *message = frame + ETH_HEADER + IPV4_HEADER;
	uint32_t src = load_be32(frame + IPV4_SOURCE), dst = load_be32(frame + IPV4_DEST);
	uint32_t header = ipv4_header_len(frame), len = ipv4_total_len(frame) - header;
	uint8_t tos = frame[IPV4_TOS];

	if (!ipv4_is_unicast(src)) {
		s->ops->deliver(s->ctx, word);
		return;
	}
	memmove(message, frame + IPV4_OFF + header, len);
	ipv4_begin(frame, IPV4_HEADER + len, IPV4_ICMP, IPV4_TTL_OWN, dst, src);
	frame[IPV4_TOS] = tos;
	icmp_turn(message);
	s->icmp_limit.echo_replies++;
	(void)stack_send(s, word);
}

void icmp_input(struct stack *s, uint64_t word)
{
	const uint8_t *frame = frame_of(s, word), *ip = frame + IPV4_OFF;
	uint32_t header = ipv4_header_len(frame), total = ipv4_total_len(frame);
	const uint8_t *icmp = ip + header;
	uint32_t len = total - header;

	if (len < ICMP_HEADER || checksum(icmp, len) != 0) {
		s->ops->drop(s->ctx, word, DROP_ICMP_MALFORMED);
		return;
	}
	if (icmp[0] == ICMP_ECHO_REQUEST && IPV4_HEADER + len > s->buffers->mtu) {
		icmp_echo_reply_whole(s, word);
		return;
	}
	if (icmp[0] == ICMP_ECHO_REQUEST)
		icmp_echo_reply(s, frame, icmp, len);
	else
		s->ops->icmp_seen(s->ctx, ip, total, icmp, len);
	s->ops->deliver(s->ctx, word);
}

/*
 * True for the ICMP queries of RFC 1122 3.2.2 and their answers. All else is an
 * error, or not known not to be one (no error about an error).
 */
static bool icmp_is_query(uint8_t type)
{
	return type == ICMP_ECHO_REPLY || type == ICMP_ECHO_REQUEST || (type >= 13 && type <= 18);
}

/* RFC 1812 4.3.2.7: when no error may be sent. */
bool icmp_may_answer(const struct stack *s, const uint8_t *frame)
{
	uint32_t src = load_be32(frame + IPV4_SOURCE), dst = load_be32(frame + IPV4_DEST);
	uint32_t header = ipv4_header_len(frame);

	if (frame[0] & 1) /* link-layer broadcast or multicast */
		return false;
	if (load_be16(frame + IPV4_FRAGMENT) & IPV4_OFFSET)
		return false;
	if (!ipv4_is_unicast(src) || !ipv4_is_unicast(dst))
		return false;
	if (frame[IPV4_PROTOCOL] == IPV4_ICMP &&
		(ipv4_total_len(frame) == header || !icmp_is_query(frame[IPV4_OFF + header])))
		return false;

	const struct nexthop *hop = s->nexthops->nexthop;
	uint16_t to = hop[stack_route(s, dst, 0)].action, from = hop[stack_route(s, src, 0)].action;

	/* Our own packets end without telling ourselves. */
	return to != NEXTHOP_BROADCAST && from != NEXTHOP_BROADCAST && from != NEXTHOP_LOCAL;
}

void icmp_limit_init(struct icmp_limit *l, uint64_t now_ms)
{
	memset(l, 0, sizeof *l);
	l->total = (struct icmp_bucket){now_ms, ICMP_ERROR_TOTAL_BURST * 1000u};
	for (unsigned i = 0; i < ICMP_ERROR_SLOTS; i++)
		l->to[i] = (struct icmp_bucket){now_ms, ICMP_ERROR_BURST * 1000u};
}

/* Fills it up to now: `rate` a second, `burst` at most. true: there is a token. */
static bool bucket_fill(struct icmp_bucket *b, uint64_t now_ms, uint32_t rate, uint32_t burst)
{
	const uint32_t full = burst * 1000u;
	uint64_t elapsed_ms = now_ms > b->last_ms ? now_ms - b->last_ms : 0;

	if (elapsed_ms > (full - b->tokens_milli) / rate)
		b->tokens_milli = full;
	else
		b->tokens_milli += (uint32_t)elapsed_ms * rate;
	if (now_ms > b->last_ms)
		b->last_ms = now_ms;
	return b->tokens_milli >= 1000;
}

bool icmp_limit_take(struct stack *s, struct icmp_limit *l, struct ip6 dst)
{
	uint64_t hash = hash_mix(hash_mix(dst.hi ^ s->seed) + dst.lo);
	struct icmp_bucket *to = &l->to[hash % ICMP_ERROR_SLOTS];

	if (!bucket_fill(to, s->now_ms, ICMP_ERROR_RATE, ICMP_ERROR_BURST)) {
		l->suppressed_destination++;
		l->suppressed++;
		return false;
	}
	if (!bucket_fill(&l->total, s->now_ms, ICMP_ERROR_TOTAL_RATE, ICMP_ERROR_TOTAL_BURST)) {
		l->suppressed++;
		return false;
	}
	to->tokens_milli -= 1000;
	l->total.tokens_milli -= 1000;
	return true;
}

/*
 * Source of an error: the address the packet was sent to, if it is ours; else
 * the one of the interface it came in by, which is what traceroute shows; else
 * 0, and the interface it leaves by gives one (RFC 1812 4.3.2.4).
 */
static uint32_t icmp_error_source(const struct stack *s, uint64_t word, const uint8_t *frame)
{
	uint32_t src = load_be32(frame + IPV4_SOURCE), dst = load_be32(frame + IPV4_DEST);
	unsigned port = s->ops->ingress(s->ctx, word);
	const struct iface_addr *a;

	if (stack_is_own(s, dst))
		return dst;
	a = port < s->ifaces ? iface_source(&s->iface[port], src) : NULL;
	return a ? a->address : 0;
}

void icmp_send_error(struct stack *s, uint64_t word, uint8_t type, uint8_t code, uint32_t info)
{
	uint8_t *frame = frame_of(s, word);
	uint32_t quote = ipv4_total_len(frame), index;

	if (s->ops->restore && !s->ops->restore(s->ctx, word, frame))
		return;
	if (!icmp_may_answer(s, frame) ||
		!icmp_limit_take(s, &s->icmp_limit, rib4_key(load_be32(frame + IPV4_SOURCE))) ||
		!s->ops->alloc(s->ctx, &index))
		return;
	if (quote > ICMP_ERROR_QUOTE)
		quote = ICMP_ERROR_QUOTE;

	uint32_t total = IPV4_HEADER + ICMP_HEADER + quote;
	uint64_t error = packet_word(index, ETH_HEADER + total, 0);
	uint8_t *out = frame_of(s, error), *icmp = out + ETH_HEADER + IPV4_HEADER;

	ipv4_begin(out, total, IPV4_ICMP, IPV4_TTL_OWN, icmp_error_source(s, word, frame),
		load_be32(frame + IPV4_SOURCE));
	out[IPV4_TOS] = ICMP_TOS;
	memset(icmp, 0, ICMP_HEADER);
	icmp[0] = type;
	icmp[1] = code;
	store_be32(icmp + 4, info);
	memcpy(icmp + ICMP_HEADER, frame + IPV4_OFF, quote);
	icmp_finish(icmp, ICMP_HEADER + quote);
	s->icmp_limit.sent++;
	(void)stack_send(s, error);
}

/* ICMPv6: echo replies, and errors by the rules of RFC 4443 2. */
#include "net/proto/icmp6.h"

#include <string.h>

#include "net/proto/internal.h"

#define ICMP6_CLASS 0xc0u /* CS6, as for IPv4's errors */

uint16_t ipv6_checksum(const uint8_t *frame, uint8_t protocol, uint32_t at, uint32_t len)
{
	uint8_t tail[8] = {0};
	uint64_t sum = checksum_add(0, frame + IPV6_SOURCE, 32);

	store_be32(tail, len);
	tail[7] = protocol;
	return checksum_finish(checksum_add(checksum_add(sum, tail, 8), frame + at, len));
}

void icmp6_finish(uint8_t *frame)
{
	uint32_t at = ETH_HEADER + IPV6_HEADER;

	memset(frame + at + 2, 0, 2);
	uint16_t check = ipv6_checksum(frame, IPV6_ICMP, at, load_be16(frame + IPV6_PAYLOAD));

	memcpy(frame + at + 2, &check, sizeof check);
}

/*
 * The reply is a new packet: the request ends here as delivered. A request to a
 * group or an anycast address is answered from an address of the interface.
 */
static void icmp6_echo_reply(
	struct stack *s, uint64_t request, const uint8_t *frame, uint32_t at, uint32_t len)
{
	struct ip6 src = ipv6_src(frame), dst = ipv6_dst(frame);
	unsigned port = s->ops->ingress(s->ctx, request);
	uint32_t index;

	if (!ip6_is_unicast(src) || !s->ops->alloc(s->ctx, &index))
		return;
	if (!stack_own6(s, port, dst))
		dst = IP6_ANY;

	uint64_t word = packet_word(index, ETH_HEADER + IPV6_HEADER + len, 0);
	uint8_t *reply = frame_of(s, word);

	ipv6_begin(reply, len, IPV6_ICMP, IPV4_TTL_OWN, dst, src);
	ipv6_set_class(reply, ipv6_class(frame)); /* as IPv4's replies do */
	memcpy(reply + ETH_HEADER + IPV6_HEADER, frame + at, len);
	reply[ETH_HEADER + IPV6_HEADER] = ICMP6_ECHO_REPLY;
	s->icmp6_limit.echo_replies++;
	(void)stack_send6(s, word, port);
}

/* A request that no buffer holds is made its own reply. Takes the word. */
static void icmp6_echo_reply_whole(struct stack *s, uint64_t word, uint32_t at, uint32_t len)
{
	uint8_t *frame = frame_of(s, word), *message = frame + ETH_HEADER + IPV6_HEADER;
	struct ip6 src = ipv6_src(frame), dst = ipv6_dst(frame);
	unsigned port = s->ops->ingress(s->ctx, word);

	if (!ip6_is_unicast(src)) {
		s->ops->deliver(s->ctx, word);
		return;
	}
	if (!stack_own6(s, port, dst))
		dst = IP6_ANY;
	memmove(message, frame + at, len);
	ipv6_begin(frame, len, IPV6_ICMP, IPV4_TTL_OWN, dst, src);
	message[0] = ICMP6_ECHO_REPLY;
	s->icmp6_limit.echo_replies++;
	(void)stack_send6(s, word, port);
}

/* It came with a fragment header, whole or not. */
static bool was_fragmented(uint64_t word, const uint8_t *frame)
{
	struct ext e = ext_first(frame);

	while (ext_is_known(e.type)) {
		if (e.type == IPV6_FRAGMENT)
			return true;
		if (!ext_next(frame, &e))
			break;
	}
	return packet_flags(word) & PACKET_FLAG_WHOLE;
}

void icmp6_input(struct stack *s, uint64_t word, uint32_t at)
{
	const uint8_t *frame = frame_of(s, word), *icmp = frame + at;
	uint32_t total = ipv6_total_len(frame), len = ETH_HEADER + total - at;

	if (len < ICMP6_HEADER || ipv6_checksum(frame, IPV6_ICMP, at, len) != 0) {
		s->ops->drop(s->ctx, word, DROP_ICMP_MALFORMED);
		return;
	}
	if (icmp[0] >= ND_ROUTER_SOLICIT && icmp[0] <= ND_REDIRECT) {
		if (was_fragmented(word, frame)) /* RFC 6980 5 */
			s->ops->drop(s->ctx, word, DROP_ND_MALFORMED);
		else
			nd_input(s, word, at);
		return;
	}
	if (mld_is_heard(icmp[0])) {
		mld_input(s, word, at);
		return;
	}
	if (icmp[0] == ICMP6_ECHO_REQUEST && IPV6_HEADER + len > s->buffers->mtu) {
		icmp6_echo_reply_whole(s, word, at, len);
		return;
	}
	if (icmp[0] == ICMP6_ECHO_REQUEST)
		icmp6_echo_reply(s, word, frame, at, len);
	else
		s->ops->icmp6_seen(s->ctx, frame + IPV6_OFF, total, icmp, len);
	if (icmp[0] == ICMP6_TOO_BIG)
		pmtu_input(s, frame, at, len);
	s->ops->deliver(s->ctx, word);
}

/* RFC 4443 2.4 (e.1), (e.2): an error, a redirect, or not known not to be one. */
static bool icmp6_is_error(const uint8_t *frame)
{
	struct ext e;

	if (!ext_transport(frame, &e) || e.type != IPV6_ICMP)
		return false;
	return e.at >= e.end || frame[e.at] < ICMP6_INFO || frame[e.at] == ND_REDIRECT;
}

/* RFC 4443 2.4 (e): when an error may be sent. */
static bool icmp6_may_answer(
	const struct stack *s, uint64_t word, const uint8_t *frame, uint8_t type, uint8_t code)
{
	bool to_groups =
		type == ICMP6_TOO_BIG || (type == ICMP6_PARAMETER && code == ICMP6_UNKNOWN_OPTION);
	struct ip6 src = ipv6_src(frame);

	if (((frame[0] & 1) || ip6_is_multicast(ipv6_dst(frame))) && !to_groups)
		return false;
	/* Our own packets end without telling ourselves. */
	if (!ip6_is_unicast(src) || stack_own6(s, s->ops->ingress(s->ctx, word), src))
		return false;
	return !icmp6_is_error(frame);
}

bool icmp6_take(struct stack *s, uint64_t word, uint8_t type, uint8_t code)
{
	const uint8_t *frame = frame_of(s, word);

	return icmp6_may_answer(s, word, frame, type, code) &&
	       icmp_limit_take(s, &s->icmp6_limit, ipv6_src(frame));
}

/*
 * Source of an error: the address the packet was sent to, if it is ours; else one
 * of the interface it came in by, which is what traceroute shows; else zero, and
 * the interface it leaves by gives one (RFC 4443 2.2).
 */
static struct ip6 icmp6_error_source(const struct stack *s, unsigned port, const uint8_t *frame)
{
	struct ip6 src = ipv6_src(frame), dst = ipv6_dst(frame);
	const struct iface_addr6 *a = stack_own6(s, port, dst);

	if (a && a->state == ADDR6_VALID)
		return dst;
	a = port < s->ifaces ? iface6_source(&s->iface[port], src) : NULL;
	if (!a || (ip6_is_link_local(a->address) && !ip6_is_link_local(src)))
		return IP6_ANY;
	return a->address;
}

void icmp6_send_error(struct stack *s, uint64_t word, uint8_t type, uint8_t code, uint32_t info)
{
	const uint8_t *frame = frame_of(s, word);
	unsigned port = s->ops->ingress(s->ctx, word);
	uint32_t quote = ipv6_total_len(frame), index;

	if (!icmp6_take(s, word, type, code) || !s->ops->alloc(s->ctx, &index))
		return;
	if (quote > ICMP6_QUOTE)
		quote = ICMP6_QUOTE;

	uint64_t error = packet_word(index, ETH_HEADER + IPV6_HEADER + ICMP6_HEADER + quote, 0);
	uint8_t *out = frame_of(s, error), *icmp = out + ETH_HEADER + IPV6_HEADER;

	ipv6_begin(out, ICMP6_HEADER + quote, IPV6_ICMP, IPV4_TTL_OWN,
		icmp6_error_source(s, port, frame), ipv6_src(frame));
	ipv6_set_class(out, ICMP6_CLASS);
	icmp[0] = type;
	icmp[1] = code;
	store_be32(icmp + 4, info);
	memcpy(icmp + ICMP6_HEADER, frame + IPV6_OFF, quote);
	s->icmp6_limit.sent++;
	(void)stack_send6(s, error, port);
}

/* Path MTU discovery for the router's own packets: what destinations take, by what routers say. */
#include "net/proto/pmtu.h"

#include <stddef.h>

#include "net/proto/internal.h"

static struct pmtu *find(struct stack *s, struct ip6 dst)
{
	for (unsigned k = 0; k < PMTU_PLACES; k++)
		if (ip6_equal(s->pmtu.place[k].dst, dst))
			return &s->pmtu.place[k];
	return NULL;
}

/* A free place, or that of who was sent nothing for the longest. */
static struct pmtu *make(struct stack *s, struct ip6 dst)
{
	struct pmtu *oldest = &s->pmtu.place[0];

	for (unsigned k = 1; k < PMTU_PLACES; k++)
		if (s->pmtu.place[k].used_ms < oldest->used_ms)
			oldest = &s->pmtu.place[k];
	*oldest = (struct pmtu){.dst = dst};
	return oldest;
}

/* What is learned is forgotten after some time: the path may have become better. */
static void age(const struct stack *s, struct pmtu *p)
{
	if (p->mtu && p->until_ms <= s->now_ms)
		p->mtu = 0;
}

uint32_t pmtu_for(struct stack *s, struct ip6 dst, uint32_t len, uint32_t link_mtu)
{
	struct pmtu *p = find(s, dst);

	if (!p)
		p = make(s, dst);
	age(s, p);
	p->used_ms = s->now_ms;

	uint32_t mtu = p->mtu && p->mtu < link_mtu ? p->mtu : link_mtu;
	uint32_t leaves = len < mtu ? len : mtu;

	p->sent = leaves > p->sent ? leaves : p->sent;
	return mtu;
}

/* An echo, or a fragment of one: nothing else of ours is that long. */
static bool is_echo(const uint8_t *ip, uint32_t len)
{
	const uint8_t *p = ip + IPV6_HEADER;
	uint8_t next = ip[IPV6_NEXT - IPV6_OFF];

	if (len < IPV6_HEADER + 8)
		return false;
	if (next == IPV6_FRAGMENT)
		return p[0] == IPV6_ICMP;
	return next == IPV6_ICMP && (p[0] == ICMP6_ECHO_REQUEST || p[0] == ICMP6_ECHO_REPLY);
}

/* The packet in an error is one that we sent just so; its place, or NULL (RFC 8201 4). */
static struct pmtu *sent_by_us(struct stack *s, const uint8_t *ip, uint32_t len, uint32_t mtu)
{
	if (len < IPV6_HEADER || ip[0] >> 4 != 6 || !is_echo(ip, len))
		return NULL;
	uint32_t total = IPV6_HEADER + load_be16(ip + IPV6_PAYLOAD - IPV6_OFF);
	const struct iface_addr6 *own =
		stack_own6(s, s->ifaces, ip6_load(ip + IPV6_SOURCE - IPV6_OFF));
	struct ip6 dst = ip6_load(ip + IPV6_DEST - IPV6_OFF);
	struct pmtu *p = own && !ip6_is_zero(dst) ? find(s, dst) : NULL;

	return p && total > mtu && total <= p->sent ? p : NULL;
}

void pmtu_input(struct stack *s, const uint8_t *frame, uint32_t at, uint32_t len)
{
	uint32_t mtu = load_be32(frame + at + 4);
	struct pmtu *p = NULL;

	if (mtu >= MTU_MIN_IP6) /* RFC 8201 4: what says less is not heeded */
		p = sent_by_us(s, frame + at + ICMP6_HEADER, len - ICMP6_HEADER, mtu);
	if (p)
		age(s, p);
	if (!p || (p->mtu && p->mtu <= mtu)) {
		s->pmtu.refused++;
		return;
	}
	s->pmtu.heeded++;
	p->mtu = p->sent = mtu;
	p->until_ms = s->now_ms + PMTU_AGE_MS;
}

/* Router advertisements (RFC 4861 6.2): sent where configured, and what solicitations bring. */
#include <string.h>

#include "net/proto/internal.h"

#define RA_FIXED  16u /* bytes before the options, RFC 4861 4.2 */
#define RA_MAC    8u  /* bytes of each option */
#define RA_MTU    8u
#define RA_PREFIX 32u

#define RA_HOPS     64u   /* CurHopLimit for hosts */
#define PREFIX_LINK 0x80u /* on-link */
#define PREFIX_AUTO 0x40u /* hosts may make addresses of it, RFC 4862 5.5.3: of a /64 */

static bool is_advertised(const struct iface_addr6 *a)
{
	return a->state == ADDR6_VALID && !ip6_is_link_local(a->address) && a->length < 128;
}

/* RFC 4861 4.6.2; its length. */
static uint32_t put_prefix(uint8_t *p, const struct iface_addr6 *a)
{
	p[0] = ND_OPTION_PREFIX;
	p[1] = RA_PREFIX / 8;
	p[2] = a->length;
	p[3] = a->length == 64 ? PREFIX_LINK | PREFIX_AUTO : PREFIX_LINK;
	store_be32(p + 4, RA_VALID_S);
	store_be32(p + 8, RA_PREFERRED_S);
	ip6_store(p + 16, ip6_first(a->address, a->length));
	return RA_PREFIX;
}

/* dst, mac: one station, or all nodes and NULL. lifetime_s 0: we are no router any more. */
static void ra_send(
	struct stack *s, unsigned port, struct ip6 dst, const uint8_t *mac, uint16_t lifetime_s)
{
	const struct iface *i = &s->iface[port];
	const struct iface_addr6 *own = iface6_link_source(i);
	uint32_t len = RA_FIXED + RA_MAC + RA_MTU;
	uint64_t word;
	uint8_t *p;

	for (unsigned k = 0; k < i->addrs6; k++)
		len += is_advertised(&i->addr6[k]) ? RA_PREFIX : 0;
	if (!own || !nd_begin(s, len, own->address, dst, &word, &p))
		return;
	p[0] = ND_ROUTER_ADVERT;
	p[4] = RA_HOPS;
	store_be16(p + 6, lifetime_s);
	p += RA_FIXED;
	p[0] = ND_OPTION_SOURCE;
	p[1] = 1;
	memcpy(p + 2, i->mac, 6);
	p += RA_MAC;
	p[0] = ND_OPTION_MTU;
	p[1] = 1;
	store_be32(p + 4, i->mtu);
	p += RA_MTU;
	for (unsigned k = 0; k < i->addrs6; k++)
		if (is_advertised(&i->addr6[k]))
			p += put_prefix(p, &i->addr6[k]);
	s->nd_state.adverts_sent++;
	nd_finish(s, port, mac, word);
}

/* To all nodes; who waits for an answer of his own has it by that. */
static void ra_multicast(struct stack *s, unsigned port, bool router)
{
	struct ra_port *ra = &s->nd_state.ra[port];
	uint64_t wait = RA_INTERVAL_MS - s->now_ms % (RA_INTERVAL_MS / 4); /* apart from others */

	if (ra->sent < RA_FIRST) {
		ra->sent++;
		wait = RA_FIRST_MS;
	}
	ra->last_ms = s->now_ms;
	ra->due_ms = s->now_ms + wait;
	ra->active = router;
	ra->asked = false;
	ra_send(s, port, IP6_ALL_NODES, NULL, router ? RA_LIFETIME_S : 0);
}

void ra_tick(struct stack *s, unsigned port)
{
	const struct iface *i = &s->iface[port];
	struct ra_port *ra = &s->nd_state.ra[port];

	if (!i->installed || !iface6_link_source(i) || !(i->router_advert || ra->active))
		return;
	/* RFC 4861 6.2.5: the last one says that we are no router any more. */
	if (ra->due_ms <= s->now_ms || i->router_advert != ra->active)
		ra_multicast(s, port, i->router_advert);
	if (!ra->asked || ra->answer_ms > s->now_ms)
		return;
	ra->asked = false;
	ra_send(s, port, ra->asker, ra->asker_mac, RA_LIFETIME_S);
}

void ra_farewell(struct stack *s, unsigned port)
{
	if (s->nd_state.ra[port].active)
		ra_multicast(s, port, false);
}

/* RFC 4861 6.2.6: all are answered at once, after a random time, and not soon after the last. */
static void ra_answer_all(struct stack *s, struct ra_port *ra)
{
	uint64_t from = ra->last_ms + RA_SOLICITED_MS, due;

	due = (from > s->now_ms ? from : s->now_ms) + stack_random(s, RA_DELAY_MS);
	if (due < ra->due_ms)
		ra->due_ms = due;
}

/*
 * One who asks is answered himself, as RFC 4861 6.2.6 allows: no other station
 * need wake up. If another asks before he has his answer, all get one.
 */
void ra_solicited(struct stack *s, unsigned port, struct ip6 src, const uint8_t *mac)
{
	struct ra_port *ra = &s->nd_state.ra[port];

	if (!ra->active || !s->iface[port].router_advert)
		return;
	if (ip6_is_zero(src) || !iface6_neighbor(&s->iface[port], src)) {
		ra_answer_all(s, ra);
		return;
	}
	if (ra->asked && !ip6_equal(ra->asker, src))
		ra_answer_all(s, ra);
	if (ra->asked)
		return;
	ra->asked = true;
	ra->answer_ms = s->now_ms + stack_random(s, RA_DELAY_MS);
	ra->asker = src;
	memcpy(ra->asker_mac, mac, 6);
}

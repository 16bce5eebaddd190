/* Policing of what workers hand to the control core: kinds, rates, and who has had enough. */
#include "net/path/police.h"

#include "lib/atomic.h"
#include "lib/byteorder.h"
#include "lib/limits.h"
#include "net/path/frame.h"

/* By lane. */
static const struct {
	const char *name;
	uint32_t rate;  /* packets a second, unless configured */
	uint32_t burst; /* at once */
} kinds[POLICE_KINDS] = {
	[POLICE_ARP] = {"arp", 5000, 64},
	[POLICE_ND] = {"nd", 5000, 64},
	[POLICE_LLDP] = {"lldp", 100, 16},
	[POLICE_ECHO] = {"echo", 10000, 64},
	[POLICE_LOCAL] = {"local", 5000, 64},
	[POLICE_RESOLVE] = {"resolve", 5000, 64},
	[POLICE_ERROR] = {"error", 5000, 64},
	[POLICE_TRANSIT] = {"transit", 50000, 112},
};

_Static_assert(6 * 64 + 16 + 112 <= PUNT_SLOTS, "the bursts of all kinds fit a punt ring");

const char *police_name(enum police_kind kind)
{
	return kinds[kind].name;
}

void police_init(struct police *p, uint64_t tsc_hz)
{
	for (unsigned k = 0; k < POLICE_KINDS; k++) {
		police_set_rate(p, k, 0, tsc_hz);
		p->due[k] = 0;
	}
}

void police_set_rate(struct police *p, enum police_kind kind, uint32_t rate, uint64_t tsc_hz)
{
	store_once(&p->interval[kind], tsc_hz / (rate ? rate : kinds[kind].rate));
}

uint32_t police_default_rate(enum police_kind kind)
{
	return kinds[kind].rate;
}

uint32_t police_burst(enum police_kind kind)
{
	return kinds[kind].burst;
}

#define ND_FIRST     133u /* router solicitation, */
#define ND_LAST      137u /* and redirect */
#define ECHO_REQUEST 8u
#define ECHO6        128u

/* To the router itself. */
static enum police_kind local4(const uint8_t *f, uint32_t len)
{
	uint32_t at = IPV4_OFF + (f[IPV4_OFF] & 15u) * 4;

	if (f[IPV4_PROTOCOL] == IPV4_ICMP && at < len && f[at] == ECHO_REQUEST &&
		!(load_be16(f + IPV4_FRAGMENT) & IPV4_OFFSET))
		return POLICE_ECHO;
	return POLICE_LOCAL;
}

static enum police_kind local6(const uint8_t *f, uint32_t len)
{
	uint32_t at = IPV6_OFF + IPV6_HEADER;

	if (f[IPV6_NEXT] != IPV6_ICMP || at >= len)
		return POLICE_LOCAL;
	if (f[at] == ECHO6)
		return POLICE_ECHO;
	return f[at] >= ND_FIRST && f[at] <= ND_LAST && f[IPV6_HOPS] == 255 ? POLICE_ND
									    : POLICE_LOCAL;
}

static bool is_ipv6(const uint8_t *f)
{
	return load_be16(f + ETH_TYPE) == ETH_TYPE_IPV6;
}

enum police_kind police_kind(enum punt_reason reason, const uint8_t *f, uint32_t len)
{
	switch (reason) {
	case PUNT_ARP:
		return POLICE_ARP;
	case PUNT_LLDP:
		return POLICE_LLDP;
	case PUNT_LOCAL:
		return is_ipv6(f) ? local6(f, len) : local4(f, len);
	case PUNT_RESOLVE:
		return POLICE_RESOLVE;
	case PUNT_OPTIONS:
		return POLICE_TRANSIT;
	case PUNT_MTU: /* it is cut, or refused */
		if (!is_ipv6(f) && !(load_be16(f + IPV4_FRAGMENT) & IPV4_DF))
			return POLICE_TRANSIT;
		return POLICE_ERROR;
	default:
		return POLICE_ERROR;
	}
}

/* A token bucket as one time: how far the packets let through are ahead of their rate. */
bool police_take(struct police *p, enum police_kind kind, uint64_t tsc)
{
	uint64_t interval = load_once(&p->interval[kind]), due = p->due[kind];

	if (interval == 0 || tsc == 0)
		return true;
	if (due < tsc || p->of[kind] != interval) /* another rate begins with its burst */
		due = tsc;
	p->of[kind] = interval;
	if (due - tsc >= interval * kinds[kind].burst)
		return false;
	p->due[kind] = due + interval;
	return true;
}

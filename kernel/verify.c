/* Compares FIBs with RIBs range by range, in slices, and repairs what differs. */
#include "kernel/verify.h"

#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/publish.h"
#include "lib/text.h"

#define SLICE_US     300u /* work of one turn, about */
#define SLICE_RANGES 16u  /* compared between looks at the clock */
#define TOLD_MAX     8u   /* mismatches in the log; the rest are only counted */

static struct {
	struct verify_result result;
	bool ipv4;     /* the family being compared */
	struct ip6 at; /* where to go on */
	bool again;    /* the range from `at` was repaired, and is compared once more */
} verify;

void verify_start(struct router *r)
{
	(void)r;
	verify.result =
		(struct verify_result){.state = VERIFY_RUNNING, .start_us = platform_now_us()};
	verify.ipv4 = true;
	verify.at = (struct ip6){0, 0};
	verify.again = false;
}

/* What each table says of the addresses from verify.at on, and how far both say the same. */
struct pair {
	uint32_t fib, rib;
	struct ip6 last;
};

static struct ip6 nearer(struct ip6 a, struct ip6 b)
{
	return ip6_less(a, b) ? a : b;
}

static struct pair compare4(const struct router *r)
{
	uint32_t address = (uint32_t)(verify.at.hi >> 32), last;
	struct fib4_range range;
	struct pair p;

	p.rib = rib4_span(&r->rib, address, &last);
	fib4_walk(r->fib4, address, &range);
	p.fib = range.nexthop;
	last = last < range.last ? last : range.last;
	p.last = ip6_last(rib4_key(last), 32);
	return p;
}

static struct pair compare6(const struct router *r)
{
	struct fib6_range range;
	struct ip6 last;
	struct pair p;

	p.rib = rib6_span(&r->rib6, verify.at, &last);
	fib6_walk(r->fib6, verify.at, &range);
	p.fib = range.nexthop;
	p.last = nearer(last, range.last);
	return p;
}

static void tell(const struct verify_mismatch *m)
{
	char first[TEXT_IPV4_MAX], last[TEXT_IPV4_MAX];

	if (!m->ipv4) {
		log_text("fib: %016llx%016llx and on: next hop %u, the routes say %u",
			(unsigned long long)m->first.hi, (unsigned long long)m->first.lo, m->fib,
			m->rib);
		return;
	}
	text_print_ipv4(first, (uint32_t)(m->first.hi >> 32));
	text_print_ipv4(last, (uint32_t)(m->last.hi >> 32));
	log_text("fib: %s - %s: next hop %u, the routes say %u", first, last, m->fib, m->rib);
}

/* Makes the surroundings of verify.at anew. They are few: whatever else differs is found later. */
static bool repair(struct router *r)
{
	if (verify.ipv4)
		return fib4_update(r->fib4, &r->rib, (uint32_t)(verify.at.hi >> 32) & 0xffff0000u,
			       16) == ERR_OK;
	return fib6_update(r->fib6, &r->rib6, ip6_first(verify.at, 48), 48) == ERR_OK;
}

/* The tables differ. true: the range is to be compared once more. */
static bool differs(struct router *r, const struct pair *p)
{
	struct verify_result *result = &verify.result;
	struct verify_mismatch m = {verify.ipv4, verify.at, p->last, p->fib, p->rib, false};

	if (verify.again) /* repaired in vain */
		return false;
	if (result->mismatches++ < TOLD_MAX)
		tell(&m);
	if (result->mismatches == 1)
		result->first = m;
	return repair(r);
}

/* Compares one range, or the same again. */
static void verify_range(struct router *r)
{
	struct verify_result *result = &verify.result;
	struct pair p = verify.ipv4 ? compare4(r) : compare6(r);

	result->ranges += !verify.again;
	if (p.fib != p.rib && differs(r, &p)) {
		verify.again = true;
		return;
	}
	if (verify.again && p.fib == p.rib) {
		result->repaired++;
		result->first.repaired |= result->mismatches == 1;
	}
	verify.again = false;
	verify.at = ip6_next(p.last);
	if (verify.at.hi | verify.at.lo)
		return;
	if (!verify.ipv4) {
		result->state = VERIFY_DONE;
		result->end_us = platform_now_us();
	}
	verify.ipv4 = false;
}

bool verify_step(struct router *r)
{
	uint64_t start;

	if (verify.result.state != VERIFY_RUNNING || !publish_idle(r))
		return verify.result.state == VERIFY_RUNNING;
	start = platform_now_us();
	do {
		for (unsigned i = 0; i < SLICE_RANGES && verify.result.state == VERIFY_RUNNING; i++)
			verify_range(r);
	} while (verify.result.state == VERIFY_RUNNING && platform_now_us() - start < SLICE_US);
	return true;
}

void verify_result(struct verify_result *result)
{
	*result = verify.result;
}

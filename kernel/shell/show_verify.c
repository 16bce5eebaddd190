/* show fib verify: the forwarding tables against the routing tables, address range by range. */
#include "kernel/publish.h"
#include "kernel/router.h"
#include "kernel/shell/commands.h"
#include "lib/text.h"

#define SLICE_SPANS   64u       /* spans of addresses between looks at the clock, and */
#define SLICE_US      300u      /* work of one call, about */
#define SLICE_ROUNDS  16u       /* ... where no time passes */
#define SETTLE_MAX_US 10000000u /* a FIB that has not followed its RIB by then is not waited for   \
				 */
#define TOLD_MAX 16u            /* differing ranges that are named */

/* How far it is; one `show` at a time. */
static struct verify {
	bool six;         /* IPv4 is done */
	bool done;        /* both are */
	bool waits;       /* for the FIB to follow the RIB */
	struct ip6 at;    /* the first address not compared yet; an IPv4 one is the top 32 bits */
	uint64_t wait_us; /* since when */
	uint64_t spans[2];
	uint64_t wrong;
} verify;

/* Addresses to which both tables give one answer each. */
struct span {
	struct ip6 last;
	uint32_t fib, rib;
};

static struct span span4(const struct router *r, uint32_t address)
{
	struct fib4_range range;
	uint32_t last, rib = rib4_span(&r->rib, address, &last);

	fib4_walk(r->fib4, address, &range);
	if (range.last < last)
		last = range.last;
	return (struct span){{(uint64_t)last << 32 | 0xffffffff, ~0ull}, range.nexthop, rib};
}

static struct span span6(const struct router *r, struct ip6 address)
{
	struct fib6_range range;
	struct span s;

	s.rib = rib6_span(&r->rib6, address, &s.last);
	fib6_walk(r->fib6, address, &range);
	if (ip6_less(range.last, s.last))
		s.last = range.last;
	s.fib = range.nexthop;
	return s;
}

static void tell(struct output *o, const struct span *s)
{
	char first[TEXT_IPV6_MAX], last[TEXT_IPV6_MAX];

	if (++verify.wrong > TOLD_MAX)
		return;
	if (verify.six) {
		text_print_ipv6(first, verify.at.hi, verify.at.lo);
		text_print_ipv6(last, s->last.hi, s->last.lo);
	} else {
		text_print_ipv4(first, (uint32_t)(verify.at.hi >> 32));
		text_print_ipv4(last, (uint32_t)(s->last.hi >> 32));
	}
	output_text(o, NULL, "%s - %s: next hop %u, the route has %u", first, last, s->fib, s->rib);
}

/*
 * Compares one span. false: they differ, but the FIB has not followed all
 * changes of the RIB yet; the span is to be looked at again.
 */
static bool compare(struct output *o, const struct router *r, uint64_t now_us)
{
	struct span s = verify.six ? span6(r, verify.at) : span4(r, (uint32_t)(verify.at.hi >> 32));

	if (s.fib != s.rib) {
		if (!verify.waits)
			verify.wait_us = now_us;
		verify.waits = !publish_current(r) && now_us - verify.wait_us < SETTLE_MAX_US;
		if (verify.waits)
			return false;
		tell(o, &s);
	}
	verify.waits = false;
	verify.spans[verify.six]++;
	verify.at = ip6_next(s.last);
	if (verify.at.hi == 0 && verify.at.lo == 0) {
		verify.done = verify.six;
		verify.six = true;
	}
	return true;
}

/* One slice. true: all is compared. */
static bool verify_slice(struct call *call)
{
	const struct shell_env *env = call->env;
	uint64_t start = env->now_us(env->ctx), now = start;

	for (unsigned k = 0; k < SLICE_ROUNDS && now - start < SLICE_US; k++) {
		for (unsigned i = 0; i < SLICE_SPANS && !verify.done; i++)
			if (!compare(call->out, env->router, now))
				return false;
		now = env->now_us(env->ctx);
	}
	return verify.done;
}

bool show_fib_verify(struct call *call)
{
	struct output *o = call->out;

	if (call->step == 0) {
		verify = (struct verify){.six = false};
		output_list(o, "differences");
	}
	if (!verify_slice(call))
		return false;
	output_close(o);
	output_number(o, "ranges_ipv4", verify.spans[0]);
	output_number(o, "ranges_ipv6", verify.spans[1]);
	if (verify.wrong) {
		publish_rebuild(call->env->router);
		output_text(o, "verify", "%llu ranges differ; the tables are being rebuilt",
			(unsigned long long)verify.wrong);
	} else {
		output_text(o, "verify", "ok");
	}
	return true;
}

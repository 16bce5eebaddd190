/*
 * A router's state as text, by what it says and not by its numbers: two routers
 * that are configured alike print alike, however they came to be so.
 */
#ifndef TEST_UNIT_STATE_DUMP_H
#define TEST_UNIT_STATE_DUMP_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/router.h"
#include "net/table/fib4.h"
#include "net/table/fib6.h"

#define DUMP_BYTES (1u << 22)

struct dump {
	size_t n;
	char text[DUMP_BYTES];
};

static inline void __attribute__((format(printf, 2, 3)))
dump_put(struct dump *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = vsnprintf(d->text + d->n, sizeof d->text - d->n, format, args);
	va_end(args);
	if (n > 0)
		d->n += (size_t)n < sizeof d->text - d->n ? (size_t)n : sizeof d->text - d->n - 1;
}

/* What workers do with packets that are sent to a next hop. */
static inline void dump_nexthop(struct dump *d, uint32_t index)
{
	const struct nexthop_table *t = &router.nexthops;
	const struct adjacency *a = &t->adjacency[index];
	uint32_t target = adjacency_target(a->out), last = UINT32_MAX;

	if (target == NEXTHOP_ONE) {
		a = &t->adjacency[adjacency_one(a->out)];
		dump_put(d, "[1 member %08x]",
			a->out ^ t->nexthop[a - t->adjacency].gateway ^
				t->nexthop[a - t->adjacency].port << 20);
		return;
	}
	if (target != NEXTHOP_GROUP) {
		dump_put(d, "(%x mtu %u", target, adjacency_mtu(a->out));
		if (target < NEXTHOP_ACTION)
			for (unsigned i = 0; i < 12; i++)
				dump_put(d, " %02x", a->mac[i]);
		if (target == NEXTHOP_RESOLVE)
			dump_put(d, " port %u by %x", t->nexthop[index].port,
				t->nexthop[index].gateway);
		dump_put(d, ")");
		return;
	}
	dump_put(d, "[");
	/* Members stand in the order of their numbers: a sum does not depend on it. */
	uint32_t sum = 0, members = 0;

	for (unsigned p = 0; p <= a->mask; p++) {
		uint32_t m = t->place[a->place + p];
		const struct adjacency *b = &t->adjacency[m];

		sum += (b->out ^ t->nexthop[m].gateway ^ t->nexthop[m].port << 20) * 0x9e3779b1u;
		members += m != last;
		last = m;
	}
	dump_put(d, "%u members %08x]", members, sum);
}

/* ---- what workers see ---- */

static inline void dump_ports(struct dump *d)
{
	for (unsigned l = 0; l < router.lanes; l++) {
		const struct lane *lane = &router.lane[l];

		dump_put(d, "lane %u %s max %u urpf %u of %u counts %u tx", l,
			lane->disabled ? "off" : "on", lane->max_frame, lane->urpf,
			lane->port < router.ports ? router.tables.urpf[lane->port] : 0,
			lane->count != NULL);
		for (unsigned p = 0; p < router.ports; p++)
			dump_put(d, " %u", lane->txq[p]);
		dump_put(d, "\n");
	}
	for (unsigned t = 0; t < router.txqs; t++) {
		const struct sched *s = &router.sched[t];

		dump_put(d, "tx %u strict %x rate %llx", t, s->policy.strict,
			s->shaper.rate ? (unsigned long long)s->shaper.rate->per_tick : 0);
		for (unsigned c = 0; c < VOQ_CLASSES; c++)
			dump_put(d, " %u", s->policy.inverse[c]);
		dump_put(d, "\n");
	}
	for (unsigned p = 0; p < router.ports; p++) {
		dump_put(d, "classes %u ", p);
		for (unsigned i = 0; i < DSCP_COUNT; i++)
			dump_put(d, "%x", router.classes[p].of_dscp[i]);
		dump_put(d, "\n");
	}
	for (unsigned q = 0; q < router.rxqs; q++) {
		const struct meter_rate *rate = router.meter[q]->port.rate;

		dump_put(d, "spread %u\n", router.rxq[q].spread);
		dump_put(d, "police %u %llx %llx %u\n", router.lane[q].meter != NULL,
			rate ? (unsigned long long)rate->fill.per_tick : 0,
			rate ? (unsigned long long)rate->fill.depth : 0, rate ? rate->frame : 0);
	}
	for (unsigned l = 0; l + 1 < router.lanes; l++)
		for (unsigned kind = 0; kind < POLICE_KINDS; kind++)
			dump_put(d, "%llx ",
				(unsigned long long)router.lane[l].police.interval[kind]);
	dump_put(d, "relaxed %u\n", router.relaxed);
}

/* What a list does with some packets; its counters and where they are are no matter. */
static inline void dump_list(struct dump *d, const struct filter *f, unsigned number)
{
	const uint32_t src[] = {0x14000001, 0x0a000001}, dst[] = {0x0a000101, 0x14000001};
	const struct ip6 src6 = {0x20010db800000000ull, 1}, dst6 = {0xfd00000000000000ull, 1};
	const uint8_t protocols[] = {1, 6, 17, 47, 58};

	if (!number)
		return;
	const struct filter_list *list = &f->list[number - 1];

	dump_put(d, " %u rules", list->rules);
	for (unsigned i = 0; i < 30; i++) {
		uint32_t ports = acl_ports(i % 3 == 0 ? 53 : 8 << 8, i % 3 == 1 ? 80 : 128 << 8);
		uint16_t kind = acl_kind(protocols[i / 3 % 5], false, false), four, six;

		acl_lookup4(list->four, &src[i / 15], &dst[i / 15], &ports, &kind, &four, 1);
		acl_lookup6(list->six, &src6, &dst6, &ports, &kind, &six, 1);
		dump_put(d, " %x%x",
			f->rule[list->first + (four == ACL_NONE ? list->rules : four)].flags,
			f->rule[list->first + (six == ACL_NONE ? list->rules : six)].flags);
	}
}

static inline void dump_lists(struct dump *d)
{
	const struct filter *f = router.tables.filter;

	for (unsigned l = 0; l < router.lanes; l++)
		dump_put(d, "filter %u, flows %u\n", router.lane[l].filter,
			router.lane[l].flow ? 1 + router.lane[l].flow->shadow : 0);
	for (unsigned n = 0; f && n < router.ifaces; n++) {
		if (!f->in[n] && !f->out[n])
			continue;
		dump_put(d, "in %u:", n);
		dump_list(d, f, f->in[n]);
		dump_put(d, "\nout %u:", n);
		dump_list(d, f, f->out[n]);
		dump_put(d, "\n");
	}
}

/* Rules of NAT, but not which set of them it is. */
static inline void dump_nat(struct dump *d)
{
	const struct nat_rules *n = router.tables.nat;

	for (unsigned i = 0; n && i < n->sources; i++)
		dump_put(d, "source %u: %08x-%08x %u-%u %u %08x/%08x\n", n->source[i].out,
			n->source[i].first, n->source[i].last, n->source[i].port_first,
			n->source[i].port_last, n->source[i].exempt, n->source_block->src[i],
			n->source_block->dst[i]);
	for (unsigned i = 0; n && i < n->destinations; i++)
		dump_put(d, "destination %08x > %08x %u-%u %u %x\n", n->destination[i].to,
			n->destination[i].address, n->destination[i].port_first,
			n->destination[i].port_last, n->destination[i].to_port,
			n->destination_block->kind[i]);
}

/* Addresses 20.0.0.x and so on: all that the tests route. */
static inline void dump_answers(struct dump *d)
{
	static const uint8_t first[] = {10, 20, 30, 40, 50};

	for (unsigned i = 0; i < sizeof first * 64; i++) {
		uint32_t nh, a = (uint32_t)first[i / 64] << 24 | (i / 16 % 4) << 16 |
				 (i / 4 % 4) << 8 | (i % 4 == 3 ? 255 : i % 4);

		fib4_lookup(router.tables.fib4, &a, &nh, 1);
		dump_put(d, "%08x ", a);
		dump_nexthop(d, nh);
		dump_put(d, "\n");
	}
	for (unsigned i = 0; i < 32; i++) {
		struct ip6 a = i < 16 ? (struct ip6){0x20010db800000000ull | (uint64_t)i << 16, 1}
				      : (struct ip6){0xfd00000000000000ull | i / 4 % 4, i % 4};
		uint32_t nh;

		fib6_lookup(router.tables.fib6, &a, &nh, 1);
		dump_put(d, "6 %u ", i);
		dump_nexthop(d, nh);
		dump_put(d, "\n");
	}
}

static inline void dump_workers(struct dump *d)
{
	dump_ports(d);
	dump_lists(d);
	dump_nat(d);
	dump_answers(d);
}

/* ---- the rest ---- */

static inline void dump_ifaces(struct dump *d)
{
	for (unsigned p = 0; p < router.ports; p++) {
		const struct iface *i = &router.iface[p];

		dump_put(d, "%s mtu %u %s%s%s:", i->name, i->mtu, i->enabled ? "" : "disabled ",
			i->link ? "" : "down ", i->installed ? "installed" : "");
		for (unsigned k = 0; k < i->addrs; k++)
			dump_put(d, " %08x/%u(%x)", i->addr[k].address, i->addr[k].length,
				i->has[k]);
		for (unsigned k = 0; k < i->addrs6; k++)
			dump_put(d, " %016llx:%016llx/%u(%x) state %u",
				(unsigned long long)i->addr6[k].address.hi,
				(unsigned long long)i->addr6[k].address.lo, i->addr6[k].length,
				i->addr6[k].has, i->addr6[k].state);
		dump_put(d, "%s", i->router_advert ? " advertises" : "");
		dump_put(d, "\n");
	}
}

static inline void dump_statics(struct dump *d, const struct statics *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		const struct static_route *r = &s->route[i];

		dump_put(d, "static %016llx/%u %u %016llx:%016llx port %u weight %u %u\n",
			(unsigned long long)r->prefix.hi, r->length, r->kind,
			(unsigned long long)r->gateway.hi, (unsigned long long)r->gateway.lo,
			r->port, r->weight, r->installed);
	}
}

static inline void dump_ribs(struct dump *d)
{
	for (const struct route4 *r = rib4_first(&router.rib); r; r = rib4_next(&router.rib, r)) {
		dump_put(d, "%08x/%u source %u ", r->prefix, r->length, r->source);
		dump_nexthop(d, r->nexthop);
		dump_put(d, "\n");
	}
	for (const struct route6 *r = rib6_first(&router.rib6); r; r = rib6_next(&router.rib6, r)) {
		dump_put(d, "%016llx/%u source %u ", (unsigned long long)r->prefix.hi, r->length,
			r->source);
		dump_nexthop(d, r->nexthop);
		dump_put(d, "\n");
	}
	dump_statics(d, &router.statics);
	dump_statics(d, &router.statics6);
	dump_put(d, "next hops %u, groups with recursive ones %u\n", router.nexthops.count,
		router.nexthops.recursive);
}

static inline void dump_all(struct dump *d)
{
	dump_workers(d);
	dump_ifaces(d);
	dump_ribs(d);
}

/* The first line in which two differ; NULL: none. */
static inline const char *dump_difference(const struct dump *a, const struct dump *b)
{
	static char text[800];
	size_t line = 0;

	for (size_t i = 0;; i++) {
		if (a->text[i] != b->text[i]) {
			snprintf(text, sizeof text, "'%.300s'\n  not '%.300s'", a->text + line,
				b->text + line);
			return text;
		}
		if (!a->text[i])
			return NULL;
		if (a->text[i] == '\n')
			line = i + 1;
	}
}

#endif

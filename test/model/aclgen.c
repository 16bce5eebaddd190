/* Access lists like those that are in use: see aclgen.h. */
#include "test/model/aclgen.h"

#include <stdlib.h>
#include <string.h>

#include "test/model/routegen.h"

#define TCP  6
#define UDP  17
#define ICMP 1

static uint64_t draw(uint64_t *seed, uint64_t n)
{
	return routegen_random(seed) % n;
}

/* An address of a few sites, each with networks and hosts in them. */
static struct ip6 address(uint64_t *seed, unsigned family, unsigned sites)
{
	uint64_t site = draw(seed, sites) * 0x9e3779b97f4a7c15u;

	if (family == 4) {
		uint64_t low = (site >> 40 & 0xff) << 8 | draw(seed, 1u << draw(seed, 9));

		return (struct ip6){0, ((site >> 48 & 0x7fff) + 0x0a00) << 16 | low};
	}
	return (struct ip6){0x2000000000000000u | (site >> 20 << 16) | draw(seed, 64),
		draw(seed, 2) ? draw(seed, 4096) : routegen_random(seed)};
}

/* Prefix lengths: mostly hosts and networks, `open` of 16 leave the address open. */
static uint8_t length(uint64_t *seed, unsigned family, unsigned open)
{
	static const uint8_t four[] = {
		32, 32, 32, 32, 32, 24, 24, 28, 30, 27, 26, 23, 16, 20, 22, 31};
	static const uint8_t six[] = {
		128, 128, 128, 64, 64, 64, 64, 48, 48, 56, 60, 32, 80, 96, 112, 127};

	if (draw(seed, 16) < open)
		return 0;
	return family == 4 ? four[draw(seed, 16)] : six[draw(seed, 16)];
}

static void any_port(uint16_t *port)
{
	port[0] = 0;
	port[1] = 65535;
}

static void some_port(uint64_t *seed, uint16_t *port, bool ranges)
{
	static const uint16_t known[] = {80, 443, 53, 25, 22, 123, 161, 110, 143, 993, 995, 21, 23,
		389, 636, 1433, 1521, 3306, 5060, 8080};

	switch (draw(seed, ranges ? 8 : 16)) {
	case 0:
		port[0] = 1024;
		port[1] = 65535;
		break;
	case 1:
		port[0] = (uint16_t)(1024 + draw(seed, 40000));
		port[1] = (uint16_t)(port[0] + draw(seed, ranges ? 2000 : 16));
		break;
	case 2:
		port[0] = port[1] = (uint16_t)draw(seed, 65536);
		break;
	default:
		port[0] = port[1] = known[draw(seed, sizeof known / sizeof *known)];
	}
}

static void one_rule(
	struct acl_rule *r, enum aclgen_kind kind, unsigned family, unsigned sites, uint64_t *seed)
{
	static const unsigned open_from[] = {2, 7, 4}, open_to[] = {1, 5, 3};

	memset(r, 0, sizeof *r);
	r->family = (uint8_t)family;
	r->from = address(seed, family, sites);
	r->to = address(seed, family, sites);
	r->from_length = length(seed, family, open_from[kind]);
	r->to_length = length(seed, family, open_to[kind]);
	any_port(r->from_port);
	any_port(r->to_port);
	unsigned protocol = (unsigned)draw(seed, 16);

	r->any_protocol = protocol == 0;
	r->protocol = protocol < 11 ? TCP : protocol < 15 ? UDP : ICMP;
	if (r->any_protocol || r->protocol == ICMP)
		return;
	r->ports = draw(seed, 8) != 0;
	r->established = r->protocol == TCP && draw(seed, 32) == 0;
	if (r->ports) {
		some_port(seed, r->to_port, kind != ACLGEN_ACCESS);
		if (kind == ACLGEN_FIREWALL && draw(seed, 4) == 0)
			some_port(seed, r->from_port, true);
	}
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct acl_rule));
}

/* Bits beyond a prefix's length are zero, so that equal rules have equal bytes. */
static void trim(struct acl_rule *r, unsigned family)
{
	unsigned more = family == 4 ? 96 : 0;

	r->from = ip6_first(r->from, r->from_length + more);
	r->to = ip6_first(r->to, r->to_length + more);
}

static void shuffle(struct acl_rule *rule, unsigned n, uint64_t *seed)
{
	for (unsigned i = n; i > 1; i--) {
		unsigned k = (unsigned)draw(seed, i);
		struct acl_rule r = rule[k];

		rule[k] = rule[i - 1];
		rule[i - 1] = r;
	}
}

void aclgen_rules(
	struct acl_rule *rule, unsigned n, enum aclgen_kind kind, unsigned family, uint64_t seed)
{
	unsigned sites = 8 + n / 20, have = 0;

	while (have < n) {
		unsigned kept = 0;

		for (; have < n; have++) {
			one_rule(&rule[have], kind, family, sites, &seed);
			trim(&rule[have], family);
		}
		qsort(rule, n, sizeof *rule, by_bytes);
		for (unsigned i = 0; i < n; i++)
			if (i == 0 || by_bytes(&rule[i], &rule[kept - 1]) != 0)
				rule[kept++] = rule[i];
		have = kept;
	}
	shuffle(rule, n, &seed);
}

/* An address of a prefix. */
static struct ip6 inside(struct ip6 prefix, unsigned length, unsigned family, uint64_t *seed)
{
	struct ip6 mask = ip6_mask(family == 4 ? length + 96 : length);
	struct ip6 a = {routegen_random(seed), routegen_random(seed)};

	a = (struct ip6){(prefix.hi & mask.hi) | (a.hi & ~mask.hi),
		(prefix.lo & mask.lo) | (a.lo & ~mask.lo)};
	return family == 4 ? (struct ip6){0, a.lo & UINT32_MAX} : a;
}

static uint16_t inside_ports(const uint16_t *port, uint64_t *seed)
{
	return (uint16_t)(port[0] + draw(seed, port[1] - port[0] + 1u));
}

void aclgen_packets(struct aclgen_packet *packet, unsigned n, const struct acl_rule *rule,
	unsigned rules, unsigned family, uint64_t seed)
{
	for (unsigned i = 0; i < n; i++) {
		const struct acl_rule *r = &rule[draw(&seed, rules)];
		const struct acl_rule *other = draw(&seed, 4) ? r : &rule[draw(&seed, rules)];
		uint8_t protocol = r->any_protocol ? (uint8_t)draw(&seed, 256) : r->protocol;

		packet[i] = (struct aclgen_packet){
			.src = inside(r->from, r->from_length, family, &seed),
			.dst = inside(other->to, other->to_length, family, &seed),
			.ports = acl_ports(inside_ports(r->from_port, &seed),
				inside_ports(other->to_port, &seed)),
			.kind = acl_kind(protocol, draw(&seed, 16) == 0,
				r->established || draw(&seed, 8) == 0)};
	}
}

bool aclgen_matches(const struct acl_rule *r, const struct aclgen_packet *p, unsigned family)
{
	unsigned more = family == 4 ? 96 : 0;
	uint16_t from = (uint16_t)(p->ports >> 16), to = (uint16_t)p->ports;

	if (r->family != 0 && r->family != family)
		return false;
	if (r->family != 0 && !(ip6_agree(p->src, r->from, r->from_length + more) &&
				      ip6_agree(p->dst, r->to, r->to_length + more)))
		return false;
	if (!r->any_protocol && (p->kind >> 1 & 0xff) != r->protocol)
		return false;
	if (r->established && !(p->kind & 0x200))
		return false;
	if (!r->ports)
		return true;
	return !(p->kind & 1) && from >= r->from_port[0] && from <= r->from_port[1] &&
	       to >= r->to_port[0] && to <= r->to_port[1];
}

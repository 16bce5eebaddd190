/* Building struct config from lines: reading the words of each line into its struct. */
#include "kernel/shell/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/shell/config_check.h"
#include "kernel/shell/shell.h"
#include "lib/text.h"
#include "lib/text6.h"

/* A build under way. Every vector has room for as many as there are lines. */
struct build {
	struct config *config;
	struct config_origin *origin;
	struct config_fault *fault;
};

bool config_fault_at(struct config_fault *fault, const struct line *line, const char *format, ...)
{
	va_list args;

	fault->line = line;
	va_start(args, format);
	vsnprintf(fault->text, sizeof fault->text, format, args);
	va_end(args);
	return false;
}

void config_free(struct config *c)
{
	free(c->iface);
	free(c->route);
	free(c->route6);
	free(c->neighbor);
	free(c->acl);
	free(c->rule);
	free(c->match);
	free(c->class);
	free(c->shape);
	free(c->nat);
	*c = (struct config){0};
}

static bool word_is(const struct line *line, unsigned i, const char *word)
{
	return !strcmp(line->text[i], word);
}

/* The grammar has checked every number. */
static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static bool build_system(struct build *b, const struct line *line)
{
	if (word_is(line, 1, "hostname"))
		snprintf(b->config->hostname, sizeof b->config->hostname, "%s", line->text[2]);
	else if (word_is(line, 1, "idle"))
		b->config->relaxed = word_is(line, 2, "relaxed");
	else if (word_is(line, 1, "watchdog"))
		b->config->watchdog = number(line->text[2]);
	else
		b->config->workers = number(line->text[2]);
	return true;
}

static bool is_vlan(const struct line *line)
{
	return line->words > 3 && word_is(line, 2, "vlan");
}

const char *config_iface_name(const struct line *line, char name[IFACE_NAME_MAX])
{
	if (is_vlan(line))
		snprintf(name, IFACE_NAME_MAX, "%s.%s", line->text[1], line->text[3]);
	else
		snprintf(name, IFACE_NAME_MAX, "%s", line->text[1]);
	return name;
}

/* Lines are in order, so an interface's lines follow one another. */
static struct config_iface *this_iface(struct build *b, const struct line *line)
{
	struct config *c = b->config;
	char name[IFACE_NAME_MAX];

	config_iface_name(line, name);
	if (!c->ifaces || strcmp(c->iface[c->ifaces - 1].name, name) != 0) {
		struct config_iface *iface = &c->iface[c->ifaces++];

		snprintf(iface->name, IFACE_NAME_MAX, "%s", name);
		snprintf(iface->parent, IFACE_NAME_MAX, "%s", line->text[1]);
		iface->vid = (uint16_t)(is_vlan(line) ? number(line->text[3]) : 0);
	}
	return &c->iface[c->ifaces - 1];
}

static bool build_address6(
	struct build *b, struct config_iface *iface, const struct line *line, const char *text)
{
	struct iface_addr6 *addr = &iface->addr6[iface->addrs6];
	unsigned length;

	if (iface->addrs6 == IFACE_ADDR_MAX)
		return config_fault_at(b->fault, line, "more than %u addresses", IFACE_ADDR_MAX);
	if (!text_parse_ipv6_prefix(text, &addr->address.hi, &addr->address.lo, &length))
		return config_fault_at(b->fault, line, "not an address");
	addr->length = (uint8_t)length;
	if (!config_check_own_address6(b->fault, line, addr))
		return false;
	b->origin->address6[b->origin->addresses6++] = (struct config_address6){
		.addr = *addr, .iface = b->config->ifaces - 1, .line = line};
	iface->addrs6++;
	return true;
}

static bool build_address(
	struct build *b, struct config_iface *iface, const struct line *line, const char *text)
{
	struct iface_addr addr;
	unsigned length;

	if (strchr(text, ':'))
		return build_address6(b, iface, line, text);
	if (!text_parse_ipv4_prefix(text, &addr.address, &length))
		return config_fault_at(b->fault, line, "not an address");
	addr.length = (uint8_t)length;
	if (iface->addrs == IFACE_ADDR_MAX)
		return config_fault_at(b->fault, line, "more than %u addresses", IFACE_ADDR_MAX);
	if (!config_check_own_address(b->fault, line, &addr))
		return false;
	b->origin->address[b->origin->addresses++] =
		(struct config_address){.addr = addr, .iface = b->config->ifaces - 1, .line = line};
	iface->addr[iface->addrs++] = addr;
	return true;
}

static bool build_mac(struct build *b, struct config_iface *iface, const struct line *line)
{
	iface->has_mac = text_parse_mac(line->text[3], iface->mac);
	b->origin->binding[b->origin->bindings++] =
		(struct config_binding){.mac = iface->mac, .line = line};
	return config_check_mac(b->fault, line, iface->mac);
}

/* From the word behind `police` on: RATE [burst SIZE], packets N [burst N]. */
static struct meter_limit read_police(const struct line *line, unsigned at)
{
	bool packets = word_is(line, at, "packets");
	unsigned options = packets ? at + 2 : at + 1;
	struct meter_limit limit = {.packets = packets};

	limit.rate = packets ? number(line->text[at + 1]) : arg_rate_bps(line->text[at]);
	if (line->words > options + 1)
		limit.burst = (uint32_t)arg_size_bytes(line->text[options + 1]);
	return limit;
}

/* "... acl in|out NAME", `at` is the word behind `acl`. */
static void build_bound(
	struct build *b, struct config_iface *iface, const struct line *line, unsigned at)
{
	char *name = word_is(line, at, "in") ? iface->acl_in : iface->acl_out;

	snprintf(name, ACL_NAME_MAX, "%s", line->text[at + 1]);
	b->origin->bound[b->origin->bound_n++] = line;
}

/* "interfaces IF [vlan N] PROPERTY [VALUE]" */
static bool build_interface(struct build *b, const struct line *line)
{
	unsigned at = is_vlan(line) ? 4 : 2;
	const char *value = line->words > at + 1 ? line->text[at + 1] : "";

	if (at == 4 && strlen(line->text[1]) + sizeof ".4094" > IFACE_NAME_MAX)
		return config_fault_at(b->fault, line, "its name is too long for a subinterface");
	struct config_iface *iface = this_iface(b, line);

	if (word_is(line, at, "address"))
		return build_address(b, iface, line, value);
	if (word_is(line, at, "mac"))
		return build_mac(b, iface, line);
	if (word_is(line, at, "disabled"))
		iface->disabled = true;
	else if (word_is(line, at, "flow-control"))
		iface->flow_control = true;
	else if (word_is(line, at, "router-advert"))
		iface->router_advert = true;
	else if (word_is(line, at, "urpf"))
		iface->urpf = !strcmp(value, "strict") ? URPF_STRICT : URPF_LOOSE;
	else if (word_is(line, at, "police"))
		iface->police = read_police(line, at + 1);
	else if (word_is(line, at, "acl"))
		build_bound(b, iface, line, at + 1);
	else if (word_is(line, at, "mtu"))
		iface->mtu = number(value);
	else if (word_is(line, at, "rx-spread"))
		iface->rx_spread = !strcmp(value, "on")    ? RX_SPREAD_ON
				   : !strcmp(value, "off") ? RX_SPREAD_OFF
							   : RX_SPREAD_AUTO;
	else if (word_is(line, at, "description"))
		snprintf(iface->description, sizeof iface->description, "%s", value);
	return true;
}

static enum static_kind route_kind(const struct line *line)
{
	return word_is(line, 2, "via")           ? STATIC_VIA
	       : word_is(line, 2, "blackhole")   ? STATIC_BLACKHOLE
	       : word_is(line, 2, "unreachable") ? STATIC_UNREACHABLE
						 : STATIC_PROHIBIT;
}

/* Behind the next hop: [dev IF] [weight N]. */
static void build_options(const struct line *line, char dev[IFACE_NAME_MAX], uint8_t *weight)
{
	*weight = 1;
	for (unsigned i = 4; i + 1 < line->words; i += 2) {
		if (word_is(line, i, "dev"))
			snprintf(dev, IFACE_NAME_MAX, "%s", line->text[i + 1]);
		else
			*weight = (uint8_t)number(line->text[i + 1]);
	}
}

/*
 * Lines are in order, so those of one prefix follow one another. `paths` of them
 * came before this one; only next hops can be several.
 */
static bool check_paths(
	struct build *b, const struct line *line, unsigned paths, bool are_via, bool is_via)
{
	if (paths && !(are_via && is_via))
		return config_fault_at(
			b->fault, line, "more than one kind of route for %s", line->text[1]);
	if (paths == GROUP_MEMBERS)
		return config_fault_at(b->fault, line, "more than %u next hops for %s",
			GROUP_MEMBERS, line->text[1]);
	return true;
}

/* An address as the RIB of its family has it. */
static bool parse_gateway(const char *text, bool six, struct ip6 *gateway)
{
	uint32_t four;

	if (six)
		return text_parse_ipv6(text, &gateway->hi, &gateway->lo);
	if (!text_parse_ipv4(text, &four))
		return false;
	*gateway = rib4_key(four);
	return true;
}

static bool parse_prefix(const char *text, bool six, struct ip6 *prefix, unsigned *length)
{
	uint32_t four;

	if (six)
		return text_parse_ipv6_prefix(text, &prefix->hi, &prefix->lo, length);
	if (!text_parse_ipv4_prefix(text, &four, length))
		return false;
	*prefix = rib4_key(four);
	return true;
}

static bool build_gateway(
	struct build *b, const struct line *line, bool six, struct config_route *config)
{
	struct static_route *route = &config->route;

	if (!parse_gateway(line->text[3], six, &route->gateway))
		return config_fault_at(
			b->fault, line, "the next hop is not an IPv%u address", six ? 6 : 4);
	build_options(line, config->dev, &route->weight);
	if (!six)
		return config_check_host(b->fault, line, (uint32_t)(route->gateway.hi >> 32));
	if (ip6_is_link_local(route->gateway) && config->dev[0] == 0)
		return config_fault_at(b->fault, line, "a link-local next hop needs 'dev'");
	return config_check_host6(b->fault, line, route->gateway);
}

static bool build_route(struct build *b, const struct line *line)
{
	bool six = strchr(line->text[1], ':') != NULL;
	struct config *c = b->config;
	unsigned *n = six ? &c->routes6 : &c->routes, length, paths = 0;
	struct config_route *config = (six ? c->route6 : c->route) + *n;
	struct static_route *route = &config->route;

	if (!parse_prefix(line->text[1], six, &route->prefix, &length))
		return config_fault_at(b->fault, line, "not a prefix");
	route->length = (uint8_t)length;
	route->kind = (uint8_t)route_kind(line);
	while (paths < *n && ip6_equal(config[-1 - (int)paths].route.prefix, route->prefix) &&
		config[-1 - (int)paths].route.length == length)
		paths++;
	if (!check_paths(b, line, paths, paths && config[-1].route.kind == STATIC_VIA,
		    route->kind == STATIC_VIA))
		return false;
	(six ? b->origin->route6 : b->origin->route)[(*n)++] = line;
	return route->kind != STATIC_VIA || build_gateway(b, line, six, config);
}

static bool build_neighbor(struct build *b, const struct line *line)
{
	struct config *c = b->config;
	struct config_neighbor *neighbor = &c->neighbor[c->neighbors];

	snprintf(neighbor->iface, sizeof neighbor->iface, "%s", line->text[1]);
	struct ip6 *ip6 = &neighbor->address6;

	neighbor->six = strchr(line->text[2], ':') != NULL;
	if (!(neighbor->six ? text_parse_ipv6(line->text[2], &ip6->hi, &ip6->lo)
			    : text_parse_ipv4(line->text[2], &neighbor->address)) ||
		!text_parse_mac(line->text[3], neighbor->mac))
		return config_fault_at(b->fault, line, "not a neighbour");
	b->origin->neighbor[c->neighbors++] = line;
	return (neighbor->six ? config_check_host6(b->fault, line, *ip6)
			      : config_check_host(b->fault, line, neighbor->address)) &&
	       config_check_mac(b->fault, line, neighbor->mac);
}

/* "queues IF class N dscp|pcp A[-B] priority | weight W" */
static bool build_class(struct build *b, const struct line *line)
{
	struct config *c = b->config;
	struct config_class *k = &c->class[c->classes];
	char *end;

	snprintf(k->iface, sizeof k->iface, "%s", line->text[1]);
	k->class = (uint8_t)number(line->text[3]);
	k->pcp = word_is(line, 4, "pcp");
	k->first = k->last = (uint8_t)strtoul(line->text[5], &end, 10);
	if (*end == '-')
		k->last = (uint8_t)number(end + 1);
	k->strict = word_is(line, 6, "priority");
	k->weight = (uint16_t)(k->strict ? 1 : number(line->text[7]));
	if (!config_check_class(b->fault, line, k, c->class, c->classes))
		return false;
	c->classes++;
	return true;
}

static bool build_queues(struct build *b, const struct line *line)
{
	struct config *c = b->config;

	if (word_is(line, 2, "class"))
		return build_class(b, line);
	snprintf(c->shape[c->shapes].iface, IFACE_NAME_MAX, "%s", line->text[1]);
	c->shape[c->shapes++].bps = arg_rate_bps(line->text[3]);
	return true;
}

/* "forwarding control-plane CLASS rate N" */
static void build_control_plane(struct build *b, const struct line *line)
{
	for (unsigned kind = 0; kind < POLICE_KINDS; kind++)
		if (word_is(line, 2, police_name(kind)))
			b->config->control_rate[kind] = number(line->text[4]);
}

/* "forwarding martians PREFIX permit", "forwarding counters next-hop" */
static bool build_forwarding(struct build *b, const struct line *line)
{
	if (word_is(line, 1, "control-plane")) {
		build_control_plane(b, line);
		return true;
	}
	if (word_is(line, 1, "flow-table")) {
		config_read_flow_table(line, b->config);
		return true;
	}
	if (word_is(line, 1, "sessions")) {
		config_read_sessions(line, b->config);
		return true;
	}
	if (word_is(line, 1, "counters")) {
		b->config->count_nexthops = true;
		return true;
	}
	return config_check_martian(b->fault, line, &b->config->martians);
}

/* "protocols lldp" */
static bool build_protocols(struct build *b, const struct line *line)
{
	b->config->lldp = true;
	return true;
}

/* "acl NAME rule N permit|deny ..." */
static bool build_acl(struct build *b, const struct line *line)
{
	return config_read_rule(b->fault, line, b->config);
}

/* "nat source|destination rule N ..." */
static bool build_nat(struct build *b, const struct line *line)
{
	return config_read_nat(b->fault, line, b->config);
}

static const struct section {
	const char *word;
	bool (*build)(struct build *b, const struct line *line);
} sections[] = {
	{"system", build_system},
	{"interfaces", build_interface},
	{"routes", build_route},
	{"neighbors", build_neighbor},
	{"acl", build_acl},
	{"nat", build_nat},
	{"queues", build_queues},
	{"forwarding", build_forwarding},
	{"protocols", build_protocols},
};

static bool build_lines(struct build *b, const struct lines *set)
{
	for (unsigned i = 0; i < set->count; i++) {
		const struct line *line = set->line[i];

		shell_yield();
		for (unsigned k = 0; k < sizeof sections / sizeof *sections; k++)
			if (word_is(line, 0, sections[k].word) && !sections[k].build(b, line))
				return false;
	}
	return true;
}

static unsigned section_lines(const struct lines *set, const char *word)
{
	unsigned n = 0;

	for (unsigned i = 0; i < set->count; i++)
		n += word_is(set->line[i], 0, word);
	return n;
}

/* One element more than needed, so that no allocation is of 0 bytes. */
static bool allocate(struct config *c, struct config_origin *origin, const struct lines *set)
{
	unsigned ifaces = section_lines(set, "interfaces"), routes = section_lines(set, "routes");
	unsigned neighbors = section_lines(set, "neighbors"), queues = section_lines(set, "queues");
	unsigned rules = section_lines(set, "acl");

	c->iface = calloc(ifaces + 1, sizeof *c->iface);
	c->route = calloc(routes + 1, sizeof *c->route);
	c->route6 = calloc(routes + 1, sizeof *c->route6);
	c->neighbor = calloc(neighbors + 1, sizeof *c->neighbor);
	c->acl = calloc(rules + 1, sizeof *c->acl);
	c->rule = calloc(rules + 1, sizeof *c->rule);
	c->match = calloc(rules + 1, sizeof *c->match);
	c->nat = calloc(section_lines(set, "nat") + 1, sizeof *c->nat);
	c->class = calloc(queues + 1, sizeof *c->class);
	c->shape = calloc(queues + 1, sizeof *c->shape);
	origin->address = calloc(ifaces + 1, sizeof *origin->address);
	origin->address6 = calloc(ifaces + 1, sizeof *origin->address6);
	origin->binding = calloc(ifaces + 1, sizeof *origin->binding);
	origin->bound = calloc(ifaces + 1, sizeof(struct line *));
	origin->route = calloc(routes + 1, sizeof(struct line *));
	origin->route6 = calloc(routes + 1, sizeof(struct line *));
	origin->neighbor = calloc(neighbors + 1, sizeof(struct line *));
	return c->iface && c->route && c->route6 && c->neighbor && c->acl && c->rule && c->match &&
	       c->nat && c->class && c->shape && origin->bound && origin->address &&
	       origin->address6 && origin->binding && origin->route && origin->route6 &&
	       origin->neighbor;
}

bool config_build(const struct lines *set, struct config *out, struct config_fault *fault)
{
	struct config_origin origin = {0};
	struct build build = {.config = out, .origin = &origin, .fault = fault};
	bool good;

	*out = (struct config){0};
	*fault = (struct config_fault){0};
	if (!allocate(out, &origin, set))
		good = config_fault_at(fault, NULL, "out of memory");
	else
		good = build_lines(&build, set) && config_check(out, &origin, fault);
	free(origin.address);
	free(origin.address6);
	free(origin.binding);
	free(origin.bound);
	free(origin.route);
	free(origin.route6);
	free(origin.neighbor);
	if (!good)
		config_free(out);
	return good;
}

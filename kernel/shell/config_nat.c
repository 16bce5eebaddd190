/* The lines of NAT: each a rule. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/shell/config_check.h"
#include "kernel/shell/protocol.h"
#include "lib/text.h"
#include "net/path/frame.h"
#include "net/table/rib.h"

/* The first word of "nat source rule N out IF from ..." behind the interface. */
#define OPTIONS 6u

/* The word behind an option of a line, or NULL. */
static const char *value_of(const struct line *line, const char *option)
{
	for (unsigned i = OPTIONS; i + 1 < line->words; i++)
		if (!strcmp(line->text[i], option))
			return line->text[i + 1];
	return NULL;
}

static bool has_word(const struct line *line, const char *word)
{
	for (unsigned i = OPTIONS; i < line->words; i++)
		if (!strcmp(line->text[i], word))
			return true;
	return false;
}

/* A prefix of IPv4, unless text is NULL: then any. */
static bool read_prefix(struct config_fault *fault, const struct line *line, const char *text,
	uint32_t *address, uint32_t *mask)
{
	unsigned length;

	*address = *mask = 0;
	if (!text)
		return true;
	if (!text_parse_ipv4_prefix(text, address, &length))
		return config_fault_at(fault, line, "%s is not IPv4", text);
	*mask = rib4_mask(length);
	return true;
}

static void read_protocol(const char *text, struct nat_match *m)
{
	m->any_protocol = !text;
	if (text)
		m->protocol = protocol_of(text);
}

/* "N", "N-M". The grammar has checked it. */
static void read_range(const char *text, uint16_t *first, uint16_t *last)
{
	char *end;

	*first = *last = (uint16_t)strtoul(text, &end, 10);
	if (*end)
		*last = (uint16_t)strtoul(end + 1, NULL, 10);
}

/* "A", "A-B": addresses that hosts can have. */
static bool read_pool(struct config_fault *fault, const struct line *line, const char *text,
	struct config_nat *rule)
{
	const char *dash = strchr(text, '-');
	char head[TEXT_IPV4_MAX];

	snprintf(head, sizeof head, "%.*s", (int)(dash ? (size_t)(dash - text) : strlen(text)),
		text);
	if (!text_parse_ipv4(head, &rule->first) ||
		!text_parse_ipv4(dash ? dash + 1 : head, &rule->last))
		return config_fault_at(fault, line, "not an address");
	return config_check_host(fault, line, rule->first) &&
	       config_check_host(fault, line, rule->last);
}

/* The first address of the interface that a rule masquerades as. */
static bool read_masquerade(struct config_fault *fault, const struct line *line,
	const struct config *c, struct config_nat *rule)
{
	for (unsigned i = 0; i < c->ifaces; i++)
		if (!strcmp(c->iface[i].name, rule->iface) && c->iface[i].addrs) {
			rule->first = rule->last = c->iface[i].addr[0].address;
			return true;
		}
	return config_fault_at(fault, line, "%s has no IPv4 address to masquerade as", rule->iface);
}

static bool read_source(struct config_fault *fault, const struct line *line, const struct config *c,
	struct config_nat *rule)
{
	const char *ports = value_of(line, "ports"), *pool = value_of(line, "to-address");
	struct nat_match *m = &rule->match;

	if (!read_prefix(fault, line, value_of(line, "from"), &m->src, &m->src_mask) ||
		!read_prefix(fault, line, value_of(line, "to"), &m->dst, &m->dst_mask))
		return false;
	if (ports)
		read_range(ports, &rule->port_first, &rule->port_last);
	rule->exempt = has_word(line, "exempt");
	rule->masquerade = has_word(line, "masquerade");
	if (rule->masquerade)
		return read_masquerade(fault, line, c, rule);
	return rule->exempt || read_pool(fault, line, pool, rule);
}

static bool read_destination(
	struct config_fault *fault, const struct line *line, struct config_nat *rule)
{
	const char *port = value_of(line, "port"), *to_port = value_of(line, "to-port");
	struct nat_match *m = &rule->match;

	if (!text_parse_ipv4(value_of(line, "to"), &m->dst) ||
		!text_parse_ipv4(value_of(line, "to-address"), &rule->first))
		return config_fault_at(fault, line, "not an address");
	m->dst_mask = UINT32_MAX;
	m->ports = port != NULL;
	if (port)
		read_range(port, &m->port_first, &m->port_last);
	if (to_port)
		rule->to_port = (uint16_t)strtoul(to_port, NULL, 10);
	if (port && m->protocol != IPV4_TCP && m->protocol != IPV4_UDP)
		return config_fault_at(fault, line, "ports are of proto tcp or udp");
	if (to_port && !port)
		return config_fault_at(fault, line, "to-port goes with port");
	if (rule->to_port + (unsigned)(m->port_last - m->port_first) > UINT16_MAX)
		return config_fault_at(fault, line, "to-port and those behind it go beyond 65535");
	return config_check_host(fault, line, m->dst) &&
	       config_check_host(fault, line, rule->first);
}

bool config_read_nat(struct config_fault *fault, const struct line *line, struct config *c)
{
	struct config_nat *rule = &c->nat[c->nats];

	if (c->nats == NAT_RULES)
		return config_fault_at(fault, line, "more than %u rules", NAT_RULES);
	*rule = (struct config_nat){.number = (unsigned)strtoul(line->text[3], NULL, 10),
		.source = !strcmp(line->text[1], "source")};
	strncpy(rule->iface, line->text[5], sizeof rule->iface - 1);
	read_protocol(value_of(line, "proto"), &rule->match);
	if (!(rule->source ? read_source(fault, line, c, rule)
			   : read_destination(fault, line, rule)))
		return false;
	c->nats++;
	return true;
}

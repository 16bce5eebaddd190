/* The lines of access lists: each a rule. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/shell/config_check.h"
#include "kernel/shell/protocol.h"
#include "kernel/shell/shell.h"
#include "lib/text.h"
#include "lib/text6.h"
#include "net/path/frame.h"

#define ACTION 4u /* which word of "acl NAME rule N permit ..." */

/* The word behind an option of a line, or NULL. */
static const char *value_of(const struct line *line, const char *option)
{
	for (unsigned i = ACTION + 1; i + 1 < line->words; i += 2)
		if (!strcmp(line->text[i], option))
			return line->text[i + 1];
	return NULL;
}

/* A prefix as acl.h has it, unless text is NULL. Its family must be that of the other one. */
static bool read_prefix(const char *text, uint8_t *family, struct ip6 *prefix, uint8_t *length)
{
	uint32_t four;
	unsigned bits;
	uint8_t is = 4;

	if (!text)
		return true;
	if (text_parse_ipv4_prefix(text, &four, &bits))
		*prefix = (struct ip6){0, four};
	else if (text_parse_ipv6_prefix(text, &prefix->hi, &prefix->lo, &bits))
		is = 6;
	else
		return false;
	*length = (uint8_t)bits;
	if (*family && *family != is)
		return false;
	*family = is;
	return true;
}

static void read_protocol(const char *text, struct acl_rule *r)
{
	r->any_protocol = !text;
	if (text)
		r->protocol = protocol_of(text);
}

/* "N", "N-M"; NULL: all. The grammar has checked it. */
static void read_ports(const char *text, uint16_t range[2])
{
	char *end;

	range[0] = 0;
	range[1] = 65535;
	if (!text)
		return;
	range[0] = range[1] = (uint16_t)strtoul(text, &end, 10);
	if (*end)
		range[1] = (uint16_t)strtoul(end + 1, NULL, 10);
}

/* "TYPE", "TYPE/CODE". */
static void read_icmp(const char *text, uint16_t range[2])
{
	char *end;
	unsigned long type = strtoul(text, &end, 10), code = *end ? strtoul(end + 1, NULL, 10) : 0;

	range[0] = (uint16_t)(type << 8 | code);
	range[1] = (uint16_t)(*end ? range[0] : range[0] | 0xff);
}

/* The last word, or the last but `log`. */
static bool is_established(const struct line *line)
{
	unsigned last = line->words - 1;

	if (last > ACTION && !strcmp(line->text[last], "log"))
		last--;
	return last > ACTION && !strcmp(line->text[last], "established");
}

static bool read_match(struct config_fault *fault, const struct line *line, struct acl_rule *r)
{
	const char *from_port = value_of(line, "from-port"), *to_port = value_of(line, "to-port");
	const char *icmp = value_of(line, "icmp-type");

	*r = (struct acl_rule){
		.ports = from_port || to_port || icmp, .established = is_established(line)};
	if (!read_prefix(value_of(line, "from"), &r->family, &r->from, &r->from_length) ||
		!read_prefix(value_of(line, "to"), &r->family, &r->to, &r->to_length))
		return config_fault_at(fault, line, "one prefix is IPv4, the other IPv6");
	read_protocol(value_of(line, "proto"), r);
	if ((from_port || to_port) && r->protocol != IPV4_TCP && r->protocol != IPV4_UDP)
		return config_fault_at(fault, line, "ports are of proto tcp or udp");
	if (icmp && r->protocol != IPV4_ICMP && r->protocol != IPV6_ICMP)
		return config_fault_at(fault, line, "icmp-type is of proto icmp or icmp6");
	read_ports(from_port, r->from_port);
	read_ports(to_port, r->to_port);
	if (icmp)
		read_icmp(icmp, r->from_port);
	return true;
}

bool config_read_rule(struct config_fault *fault, const struct line *line, struct config *c)
{
	struct config_acl *list = &c->acl[c->acls - 1];

	/* Lines are in order, so a list's rules follow one another. */
	if (!c->acls || strcmp(list->name, line->text[1]) != 0) {
		if (c->acls == ACL_LISTS)
			return config_fault_at(fault, line, "more than %u lists", ACL_LISTS);
		list = &c->acl[c->acls++];
		*list = (struct config_acl){.first = c->rules};
		snprintf(list->name, sizeof list->name, "%s", line->text[1]);
	}
	if (c->rules == ACL_RULES)
		return config_fault_at(fault, line, "more than %u rules in all lists", ACL_RULES);
	c->rule[c->rules] =
		(struct config_rule){.number = (unsigned)strtoul(line->text[3], NULL, 10),
			.permit = !strcmp(line->text[ACTION], "permit"),
			.log = !strcmp(line->text[line->words - 1], "log")};
	list->rules++;
	return read_match(fault, line, &c->match[c->rules++]);
}

static bool is_list(const struct config *c, const char *name)
{
	for (unsigned l = 0; l < c->acls; l++)
		if (!strcmp(c->acl[l].name, name))
			return true;
	return false;
}

bool config_check_bound(
	const struct config *c, const struct config_origin *o, struct config_fault *fault)
{
	for (unsigned i = 0; i < o->bound_n; i++) {
		const struct line *line = o->bound[i];
		const char *name = line->text[line->words - 1];

		shell_yield();
		if (!is_list(c, name))
			return config_fault_at(fault, line, "there is no acl %s", name);
	}
	return true;
}

/* What a rule of an access list says of each field. */
#include <string.h>

#include "net/table/acl_build.h"

/* A range that the kind of a packet tells: many rules have it, and in all vectors it would be long.
 * Or none at all. */
static bool is_told_by_kind(const uint16_t *port)
{
	return port[0] > port[1] || ((port[0] == 0 || port[0] == ACL_CLIENT_PORT) &&
					    (port[1] == 65535 || port[1] == ACL_CLIENT_PORT - 1));
}

static struct acl_range prefix_range(const struct acl_build *b, struct ip6 a, unsigned length)
{
	if (b->family == 4) {
		a = (struct ip6){0, a.lo & UINT32_MAX};
		length += 96;
	}
	return (struct acl_range){ip6_first(a, length), ip6_last(a, length)};
}

/* A rule leaves a field open, or the kind of a packet tells enough of it. */
static bool is_open(const struct acl_rule *r, unsigned field)
{
	switch (field) {
	case ACL_SRC:
		return r->from_length == 0;
	case ACL_DST:
		return r->to_length == 0;
	case ACL_DPORT:
		return !r->ports || is_told_by_kind(r->to_port);
	default:
		return !r->ports || is_told_by_kind(r->from_port);
	}
}

enum acl_field acl_leader(const struct acl_rule *r)
{
	unsigned field = 0;

	while (field < ACL_FIELDS && is_open(r, field))
		field++;
	return (enum acl_field)field;
}

bool acl_range_of(const struct acl_build *b, const struct acl_rule *r, struct acl_range *range)
{
	const uint16_t *port = b->field == ACL_SPORT ? r->from_port : r->to_port;

	if (is_open(r, b->field))
		return false;
	if (b->field == ACL_SRC)
		*range = prefix_range(b, r->from, r->from_length);
	else if (b->field == ACL_DST)
		*range = prefix_range(b, r->to, r->to_length);
	else
		*range = (struct acl_range){{0, port[0]}, {0, port[1]}};
	return true;
}

/* The greatest value of b->field. */
struct ip6 acl_field_last(const struct acl_build *b)
{
	if (b->field == ACL_SPORT || b->field == ACL_DPORT)
		return (struct ip6){0, 65535};
	return b->family == 4 ? (struct ip6){0, UINT32_MAX} : (struct ip6){~0ull, ~0ull};
}

static bool range_reaches(const uint16_t *port, bool wide)
{
	return port[0] <= port[1] &&
	       (wide ? port[1] >= ACL_CLIENT_PORT : port[0] < ACL_CLIENT_PORT);
}

bool acl_kind_matches(const struct acl_rule *r, unsigned kind)
{
	uint16_t want = r->any_protocol ? 0 : acl_kind(r->protocol, false, false);
	uint16_t mask = r->any_protocol ? 0 : acl_kind(0xff, r->ports, false);

	if (r->established) {
		want |= acl_kind(0, false, true);
		mask |= acl_kind(0, false, true);
	}
	if ((kind & mask) != want)
		return false;
	return !r->ports || (range_reaches(r->from_port, kind & ACL_FROM_CLIENT) &&
				    range_reaches(r->to_port, kind & ACL_TO_CLIENT));
}

/* Packet filtering of single packets: what is not decided with others, or forwarded elsewhere. */
#include "lib/byteorder.h"
#include "net/path/filter.h"
#include "net/path/frame.h"
#include "net/path/lane.h"

struct filter_question filter_question(const uint8_t *f, bool six, bool known)
{
	struct filter_key key = six ? filter_key6(f) : filter_key4(f);
	struct filter_question q = {.ports = key.ports,
		.kind = (uint16_t)(key.kind | acl_kind(0, false, known)),
		.six = six,
		.unknown = key.unknown};

	if (six) {
		q.src = ip6_load(f + IPV6_SOURCE);
		q.dst = ip6_load(f + IPV6_DEST);
	} else {
		q.src.lo = load_be32(f + IPV4_SOURCE);
		q.dst.lo = load_be32(f + IPV4_DEST);
	}
	return q;
}

static uint16_t look_up(const struct filter_list *list, const struct filter_question *q)
{
	uint32_t src = (uint32_t)q->src.lo, dst = (uint32_t)q->dst.lo;
	uint16_t rule = ACL_NONE;

	if (q->six && !q->unknown)
		acl_lookup6(list->six, &q->src, &q->dst, &q->ports, &q->kind, &rule, 1);
	else if (!q->six)
		acl_lookup4(list->four, &src, &dst, &q->ports, &q->kind, &rule, 1);
	return rule;
}

bool filter_ask(const struct lane *lane, const struct filter *filter, uint16_t number,
	unsigned iface, bool out, const struct filter_question *q, uint32_t bytes, uint16_t *slot)
{
	*slot = FILTER_NO_SLOT;
	if (!number)
		return true;
	const struct filter_list *list = &filter->list[number - 1];
	uint16_t found = look_up(list, q);
	const struct filter_rule *rule =
		&filter->rule[list->first + (found == ACL_NONE ? list->rules : found)];

	filter_count(lane, rule->slot, (struct filter_hits){1, bytes});
	*slot = rule->slot;
	if (rule->flags & FILTER_LOG) {
		struct filter_event event = {.list = list,
			.rule = found,
			.ports = q->ports,
			.kind = q->kind,
			.iface = (uint16_t)iface,
			.out = out,
			.six = q->six,
			.src = q->src,
			.dst = q->dst};

		filter_note(lane, &event);
		*slot = FILTER_NO_KEEP;
	}
	return rule->flags & FILTER_PERMIT;
}

bool filter_may_leave(
	const struct lane *lane, unsigned iface, const uint8_t *f, uint32_t len, bool known)
{
	const struct filter *filter = load_acquire(&lane->tables->filter);
	uint16_t number = filter ? filter->out[iface] : 0;

	if (!number)
		return true;
	bool six = load_be16(f + ETH_TYPE) == ETH_TYPE_IPV6;
	struct filter_question q = filter_question(f, six, known);
	const struct filter_list *list = &filter->list[number - 1];
	uint16_t found = look_up(list, &q);
	const struct filter_rule *rule =
		&filter->rule[list->first + (found == ACL_NONE ? list->rules : found)];

	if (rule->flags & FILTER_PERMIT)
		return true;
	filter_count(lane, rule->slot, (struct filter_hits){1, len});
	return false;
}

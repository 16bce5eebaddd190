/* What steering asks NAT's rules: nothing is translated while there are none. */
#include "net/path/nat.h"

bool nat_is_external(const struct nat_rules *rules, uint32_t address)
{
	(void)rules;
	(void)address;
	return false;
}

bool nat_rule_destination(const struct nat_rules *rules, unsigned iface, struct flow_key *key)
{
	(void)rules;
	(void)iface;
	(void)key;
	return false;
}

bool nat_is_inside(const struct nat_rules *rules, uint32_t address)
{
	(void)rules;
	(void)address;
	return false;
}

bool nat_is_target(const struct nat_rules *rules, uint32_t address)
{
	(void)rules;
	(void)address;
	return false;
}

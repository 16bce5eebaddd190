/* Whose session a key is: the rule of steering. */
#include "net/path/frame.h"
#include "net/path/nat.h"
#include "net/path/steer.h"
#include "net/path/steer_hash.h"
#include "net/path/translate.h"

static bool is_icmp(uint8_t protocol)
{
	return protocol == IPV4_ICMP || protocol == IPV6_ICMP;
}

/* Both ports; of ICMP, whose type and code are not the answer's, twice the identifier. */
static uint32_t ports_of(const struct flow_key *key)
{
	uint32_t identifier = key->ports >> 16;

	return is_icmp(key->protocol) ? identifier << 16 | identifier : key->ports;
}

/* An IPv6 address as 32 bits. */
static uint32_t fold(struct ip6 a)
{
	uint64_t x = (a.hi * 0xbf58476d1ce4e5b9ull ^ a.lo) * 0x94d049bb133111ebull;

	return (uint32_t)(x >> 32);
}

static unsigned share(uint32_t hash, unsigned owners)
{
	return STEER_SHARE(hash, owners);
}

/* Inside, and no target: its packets go by it alone. */
static bool is_host(const struct nat_rules *rules, uint32_t address)
{
	return nat_is_inside(rules, address) && !nat_is_target(rules, address);
}

/* NAT changes the ports of these, or the identifier; of others only addresses. */
static bool has_numbers(uint8_t protocol)
{
	return translate_has_ports(protocol) || is_icmp(protocol);
}

/* The packets of a protocol without numbers that NAT may be about are all one owner's. */
static bool is_nats(const struct nat_rules *rules, uint32_t src, uint32_t dst)
{
	return nat_is_external(rules, dst) || nat_is_inside(rules, src) ||
	       nat_is_inside(rules, dst) || nat_is_target(rules, src) || nat_is_target(rules, dst);
}

unsigned steer_owner(
	const struct nat_rules *rules, unsigned iface, const struct flow_key *key, unsigned owners)
{
	struct flow_key to = *key;

	if (key->family == 6)
		return share(steer_hash(fold(key->src), fold(key->dst), ports_of(key)), owners);
	if (!rules)
		return share(
			steer_hash((uint32_t)key->src.lo, (uint32_t)key->dst.lo, ports_of(key)),
			owners);
	bool ruled = nat_rule_destination(rules, iface, &to);
	uint32_t src = (uint32_t)to.src.lo, dst = (uint32_t)to.dst.lo, ports = ports_of(&to);

	if (!has_numbers(to.protocol) && (ruled || is_nats(rules, src, dst)))
		return steer_port_owner(0, owners);
	if (!ruled && nat_is_external(rules, dst))
		return steer_port_owner((uint16_t)ports, owners);
	bool from_host = is_host(rules, src), to_host = is_host(rules, dst);

	if (from_host != to_host)
		return share(from_host ? steer_hash(src, 0, ports >> 16)
				       : steer_hash(dst, 0, ports & 0xffff),
			owners);
	if (nat_is_target(rules, src) || nat_is_target(rules, dst))
		ports = 0;
	return share(steer_hash(src, dst, ports), owners);
}

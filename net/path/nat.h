/*
 * NAT44: what addresses and numbers a new session is given.
 *
 * Rules are constant while published (struct tables). Mappings, and which ports of an external
 * address are taken, belong to one actor: of each address an actor owns the ports that
 * steer_port_owner says, so nothing is shared. All functions: the actor of the lane, inside an RCU
 * section, unless it says any core. Keys in host byte order (flow_key.h), as packets of that
 * direction have them; IPv4, and not LATER.
 *
 * A session is made in this order (track.h): destination, then routing, then source. key[0] of the
 * session is what came in, key[1] what answers the translated packet. If a packet ends in between,
 * or key[1] is another session's already, what is held is given back, and the packet is dropped,
 * for that as nat-no-port. (Two hosts cannot have one port; but one host that talks to one server
 * by two external addresses has only one key for both.)
 *
 * Filtering is by session: what comes from outside without one is not let in by a mapping
 * (RFC 4787 5: address and port-dependent). If no rule of destination NAT fits either, and the FIB
 * does not say that it is for the router itself, it is dropped as nat-no-session where
 * nat_is_external(its destination): it is for nobody, and would go round.
 */
#ifndef NET_PATH_NAT_H
#define NET_PATH_NAT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/path/flow_key.h"

struct lane;
struct nat_rules;

enum nat_result {
	NAT_NONE, /* no rule matches: the key is as it was */
	NAT_DONE, /* *key is what the packet becomes */
	NAT_FULL, /* a rule matches, and nothing is free: the packet is dropped as nat-no-port */
};

#define NAT_NO_MAPPING UINT32_MAX

/* What a session holds of NAT; given back by nat_release when it ends. */
struct nat_hold {
	uint32_t mapping; /* NAT_NO_MAPPING: nothing */
	uint32_t version; /* of the rules that it was last compared with */
	uint16_t in, out; /* interfaces; out, until nat_source: the rule for hairpinning */
};

/* Of a session without NAT, of IPv6 say. */
#define NAT_HOLD_NONE ((struct nat_hold){.mapping = NAT_NO_MAPPING})

/*
 * Destination NAT of the first packet of a session that came in by `iface`: rules, and mappings
 * that an inside host has (hairpinning, RFC 4787 REQ-9). Fills *hold.
 */
enum nat_result nat_destination(
	struct lane *lane, unsigned iface, struct flow_key *key, struct nat_hold *hold);

/*
 * Source NAT of a session whose packets leave by `iface`; `key` and *hold are behind destination
 * NAT. An inside address and port keep their mapping whatever they talk to (RFC 4787 REQ-1).
 */
enum nat_result nat_source(
	struct lane *lane, unsigned iface, struct flow_key *key, struct nat_hold *hold);

/* Whether the two would change a key, or drop it; nothing is taken or counted. */
bool nat_concerns(const struct lane *lane, unsigned in, unsigned out, const struct flow_key *key);

/* The session has ended, or did not begin. */
void nat_release(struct lane *lane, struct nat_hold hold);

/*
 * Whether the rules still make of key[0] what answers as key[1]: asked when a way's decision is of
 * an older generation. false: the session is to be ended, so that nothing goes out as
 * rules do not say any more. One comparison unless the rules have changed.
 */
bool nat_still(struct lane *lane, const struct flow_key key[2], struct nat_hold *hold);

/* An address is one that source NAT gives to packets: what comes to it without a session or a rule
 * is not for a host behind. For steer.h and for packets of unknown sessions. Any core. */
bool nat_is_external(const struct nat_rules *rules, uint32_t address);

/* What destination NAT by rules (not by mappings) makes of a key; false: no rule. Any core. */
bool nat_rule_destination(const struct nat_rules *rules, unsigned iface, struct flow_key *key);

/* An address is in a prefix that some rule of source NAT is `from`: its packets may be given
 * another. The same wherever they go. Any core. */
bool nat_is_inside(const struct nat_rules *rules, uint32_t address);

/* An address is one that some rule of destination NAT leads to. Any core. */
bool nat_is_target(const struct nat_rules *rules, uint32_t address);

#endif

/*
 * NAT44: what addresses and numbers a new session is given.
 *
 * Rules are constant while published (struct tables). Mappings, and which ports of an external
 * address are taken, belong to one actor: of each address an actor owns the ports that
 * steer_port_owner says, so nothing is shared. All functions: the actor of the lane, inside an RCU
 * section. Keys in host byte order (flow_key.h), as packets of that direction have them.
 *
 * A session is made in this order (track.h): destination, then routing, then source. key[0] of the
 * session is what came in, key[1] what answers the translated packet.
 */
#ifndef NET_PATH_NAT_H
#define NET_PATH_NAT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/path/flow_key.h"

struct lane;

enum nat_result {
	NAT_NONE, /* no rule matches: the key is as it was */
	NAT_DONE, /* *key is what the packet becomes */
	NAT_FULL, /* a rule matches, and nothing is free: the packet is dropped as nat-no-port */
};

#define NAT_NO_MAPPING UINT32_MAX

/* What a session holds of NAT; given back by nat_release when it ends. */
struct nat_hold {
	uint32_t mapping; /* NAT_NO_MAPPING: nothing */
};

/*
 * Destination NAT of the first packet of a session that came in by `iface`: rules, and mappings
 * that an inside host has (hairpinning, RFC 4787 REQ-9).
 */
enum nat_result nat_destination(struct lane *lane, unsigned iface, struct flow_key *key);

/*
 * Source NAT of a session whose packets leave by `iface`; `key` is behind destination NAT. An
 * inside address and port keep their mapping whatever they talk to (RFC 4787 REQ-1). The answer's
 * key is free among the actor's sessions (session_find says so).
 */
enum nat_result nat_source(
	struct lane *lane, unsigned iface, struct flow_key *key, struct nat_hold *hold);

/* The session has ended. */
void nat_release(struct lane *lane, struct nat_hold hold);

/* An address is one that source NAT gives to packets: what comes to it without a session or a rule
 * is not for a host behind. For steer.h and for packets of unknown sessions. Any core. */
struct nat_rules;
bool nat_is_external(const struct nat_rules *rules, uint32_t address);

/* What destination NAT by rules (not by mappings) makes of a key; false: no rule. Any core. */
bool nat_rule_destination(const struct nat_rules *rules, unsigned iface, struct flow_key *key);

/* An address is in a prefix that some rule of source NAT is `from`: its packets may be given
 * another. The same wherever they go. Any core. */
bool nat_is_inside(const struct nat_rules *rules, uint32_t address);

/* An address is one that some rule of destination NAT leads to. Any core. */
bool nat_is_target(const struct nat_rules *rules, uint32_t address);

#endif

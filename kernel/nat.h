/*
 * NAT as the router has it: rules made from the configuration, memory for mappings, counters.
 *
 * There are two places for rules: one is in force, in the other the next are made before a commit
 * changes anything; one pointer publishes them (net/path/nat.h). A rule that stays as it is keeps
 * its counter. What a commit changes ends sessions by nat_still, not here. Control core.
 */
#ifndef KERNEL_NAT_H
#define KERNEL_NAT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/limits.h"
#include "lib/rcu.h"
#include "net/path/nat_map.h"
#include "net/path/nat_rules.h"

struct apply;
struct router;

/* A rule as configured. */
struct config_nat {
	unsigned number;
	bool source;             /* else destination */
	bool exempt, masquerade; /* instead of addresses; source */
	char iface[IFACE_NAME_MAX];
	struct nat_match match;         /* but the interface */
	uint32_t first, last;           /* to-address; of a masquerade: that of the interface */
	uint16_t port_first, port_last; /* `ports`; 0, 0: all */
	uint16_t to_port;               /* 0: ports stay */
};

/* All rules of a configuration whose interfaces are there. By rule: sources, then destinations. */
struct nat_set_of_rules {
	struct nat_rules rules;
	uint64_t digest;  /* of all of it; 0: there are none */
	uint64_t *said;   /* a hash of what each says */
	uint32_t *number; /* as configured */
};

struct nats {
	struct nat_set_of_rules set[2];
	uint8_t now;  /* of the two */
	bool changes; /* between nats_prepare and nats_publish: the other is to be published */
	bool leaving; /* a worker may still read what was in force before */
	struct rcu_grace grace;
	uint32_t version;
	unsigned rules_max;
	uint64_t bytes; /* of all of it */
	uint32_t slots;
	uint64_t *start;                    /* by slot: counted before */
	struct nat_state *state[ACTOR_MAX]; /* NULL: owns no sessions */
};

/* Reserves memory, in proportion to what the machine has. Boot, behind the lanes. */
bool nats_init(struct router *r);

/* ---- for config_apply ---- */

/* Makes the rules that the configuration has. false: told, and nothing has changed. */
bool nats_prepare(struct apply *a);

/* Others are to be in force. */
bool nats_change(const struct router *r);

/* Puts in force what was prepared. Never fails. A grace period follows. */
void nats_publish(struct router *r);

/* ---- what is in force ---- */

static inline const struct nat_set_of_rules *nats_now(const struct nats *n)
{
	return &n->set[n->now];
}

/* Sessions that a rule began since it is there, or since the last nats_clear. */
uint64_t nats_counted(const struct router *r, unsigned slot);
void nats_clear(struct router *r);

/* Counting in a slot begins. (For nat_rules.c.) */
void nats_begin_slot(struct router *r, unsigned slot);

/* A packet to this address, of the network of an interface, is for the router to take: it answers
 * ARP there as for its own (the stack's stands_in). */
bool nats_stands_in(const struct router *r, unsigned iface, uint32_t address);

/*
 * Puts a packet that a worker has translated (PACKET_FLAG_CHANGED) back to what it was, by its
 * session: an ICMP error about it is for who sent it, and is to quote what that one knows (RFC 1812
 * 4.3.2.3). TTL and options stay as they are by now. false: it has no session any more, having
 * waited for a neighbour: nothing must be said of it.
 */
bool nats_restore(const struct router *r, uint8_t *frame);

/* Of all workers: mappings there are, and fit. */
uint64_t nats_live(const struct router *r);
uint64_t nats_max(const struct router *r);

#endif

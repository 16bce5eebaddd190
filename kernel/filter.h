/*
 * Access lists as the router has them: compiled, bound to interfaces, counted.
 *
 * There are two places for the lists of a configuration, with memory reserved at boot: one is
 * in force, in the other the next are compiled, in slices, before a commit changes anything. A
 * list that does not fit is refused there. Lists and bindings are published by one pointer
 * (net/path/filter.h). A commit that leaves the lists as they are binds those compiled before.
 *
 * A rule that stays as it is keeps its counters, whatever becomes of the others: it keeps its slot.
 * Control core.
 */
#ifndef KERNEL_FILTER_H
#define KERNEL_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/pool.h"
#include "lib/rcu.h"
#include "net/path/filter.h"

struct apply;
struct router;

/* The number of what decides if no rule matches. */
#define FILTER_NO_RULE UINT32_MAX

/* All lists of a configuration. By rule: as filter_list.first has it. */
struct filter_set {
	struct filter_list list[ACL_LISTS];
	char name[ACL_LISTS][ACL_NAME_MAX]; /* in order */
	unsigned lists, rules;              /* rules: without those for what no rule matches */
	uint64_t digest;                    /* of all of it */
	struct filter_rule *rule;
	uint32_t *number; /* of each rule in its list, as configured; or FILTER_NO_RULE */
	uint64_t *said;   /* a hash of what it says */
	char *memory;     /* of the compiled lists */
	size_t used;      /* of it */
};

struct filters {
	struct filter_set set[2];
	struct filter bound[2];
	uint8_t set_now, bound_now; /* of the two */
	uint8_t set_next;           /* between filters_prepare and filters_publish */
	bool changes;               /* the same: others are to be published */
	bool leaving;               /* a worker may still read what was in force before */
	struct rcu_grace grace;
	unsigned rules_max;  /* of all lists */
	size_t memory_bytes; /* for the compiled lists of one set */
	void *scratch;       /* for compiling */
	unsigned slots;
	struct filter_hits *hits[ACTOR_MAX]; /* by actor and slot */
	struct filter_hits *start;           /* by slot: counted before */
	struct filter_log *log[ACTOR_MAX];
	uint64_t log_due_us, log_told_us; /* see filter_log.c */
	uint64_t unlogged, unlogged_told;
};

/* Reserves memory, in proportion to what the machine has. Boot; before the tables of routes. */
bool filters_init(struct router *r);

/* ---- for config_apply ---- */

/* Compiles what the configuration has, in slices. false: told, and nothing has changed. */
bool filters_prepare(struct apply *a);

/* Something else is to be in force. */
bool filters_change(const struct router *r);

/* Puts in force what was prepared. Never fails. A grace period follows. */
void filters_publish(struct router *r);

/* ---- what is in force ---- */

static inline const struct filter_set *filters_now(const struct filters *f)
{
	return &f->set[f->set_now];
}

/* Packets that rule i of the set met since it is there, or since the last filters_clear. */
void filters_counted(const struct router *r, uint32_t i, struct filter_hits *sum);
void filters_clear(struct router *r);

/* Counting in a slot begins. (For filter_build.c.) */
void filters_begin_slot(struct router *r, unsigned slot);

/* Writes what rules with `log` have met to the log, as fast as that may go. Often. */
void filters_log(struct router *r, uint64_t now_us);

#endif

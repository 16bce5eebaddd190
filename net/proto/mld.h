/*
 * Multicast listener discovery (RFC 3810, RFC 9777; RFC 2710 where a querier speaks no other):
 * tells the link which groups of it the router listens to, so that switches that snoop pass them
 * on.
 *
 * The groups are those of iface6_groups. Nothing tells this file that one was joined
 * or left: at each tick, and before an address is probed, they are compared with
 * those the link was last told. All of them are listened to from any source.
 *
 * Simpler than it could be: sources asked for are remembered for one group of an
 * interface and up to MLD_SOURCES of them; beyond that the answer is that all are
 * listened to, which is true and says more. As a listener only: no querier.
 */
#ifndef NET_PROTO_MLD_H
#define NET_PROTO_MLD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/limits.h"
#include "net/table/iface6.h"

struct stack;

#define MLD_ROBUSTNESS      2u      /* RFC 3810 9.1, until a querier says another */
#define MLD_UNSOLICITED_MS  1000u   /* Unsolicited Report Interval, RFC 3810 9.11 */
#define MLD1_UNSOLICITED_MS 10000u  /* RFC 2710 7.10 */
#define MLD1_PRESENT_MS     260000u /* Older Version Querier Present: 2 * 125 s + 10 s, 9.12 */
#define MLD_NEVER           UINT64_MAX

#define MLD_GROUPS  (IFACE6_GROUPS + 4u) /* of one interface; and some that were just left */
#define MLD_SOURCES 8u

struct mld_group {
	struct ip6 group;
	uint64_t due_ms; /* it is to be answered for then; MLD_NEVER */
	bool joined;     /* else it was left, and not all has been said about that */
	uint8_t repeats; /* how often its change is still to be told */
};

struct mld_port {
	unsigned groups;
	struct mld_group group[MLD_GROUPS];
	uint64_t answer_ms; /* all groups are to be answered for then; MLD_NEVER */
	uint64_t repeat_ms; /* changes are told again then; MLD_NEVER */
	uint64_t v1_ms;     /* a querier of version 1 is on the link until then */
	uint8_t robustness; /* how often a change is told */
	bool v1;            /* answers as RFC 2710 has it */
	bool named;         /* reports have a link-local source: RFC 3590 */
	struct ip6 asked;   /* the group whose sources were asked for */
	unsigned sources;   /* 0: none */
	struct ip6 source[MLD_SOURCES];
};

struct mld {
	struct mld_port port[IFACE_MAX];
	uint64_t queries, reports_sent, reports_heard;
};

/* No groups. Boot only. */
void mld_init(struct stack *s);

/* The port is down: the link has forgotten us, or will. */
void mld_stop(struct stack *s, unsigned port);

/* All groups are left, and the link is told. */
void mld_farewell(struct stack *s, unsigned port);

/* Tells of groups joined and left, and gives the answers that are due. */
void mld_tick(struct stack *s, unsigned port);

/*
 * An ICMPv6 message that is_mld, checksum right, at offset `at` of the frame.
 * Takes the word.
 */
void mld_input(struct stack *s, uint64_t word, uint32_t at);

/* ---- messages ---- */

enum mld_type {
	MLD_QUERY = 130,
	MLD1_REPORT = 131,
	MLD1_DONE = 132,
	MLD2_REPORT = 143,
};

/* What a record of a report says, RFC 3810 5.2.12. */
enum mld_record {
	MLD_IS_INCLUDE = 1,
	MLD_IS_EXCLUDE = 2,
	MLD_TO_INCLUDE = 3,
	MLD_TO_EXCLUDE = 4,
};

/* Types that a listener hears; others' reports to ff02::16 do not come this far. */
static inline bool mld_is_heard(uint8_t type)
{
	return type == MLD_QUERY || type == MLD1_REPORT;
}

struct mld_message {
	uint8_t type;       /* MLD_QUERY or MLD1_REPORT */
	uint8_t version;    /* of a query: 1 or 2 */
	uint8_t robustness; /* of a query of version 2; 0: not said */
	uint32_t delay_ms;  /* of a query: the longest that an answer may wait */
	struct ip6 group;   /* zero: of a query, all */
	uint32_t sources;
	const uint8_t *source; /* 16 bytes each */
};

/*
 * Reads the message of `len` bytes at frame + at; the checksum has been checked.
 * false: it is not valid by RFC 3810 5.1.14, 6.2 and 8.1: not from the link, no router
 * alert, lengths that do not agree. Any core.
 */
bool mld_parse(const uint8_t *frame, uint32_t at, uint32_t len, struct mld_message *m);

/* ---- the parts, for mld.c ---- */

/* mld_wire.c: a report of version 2, filled record by record. */
struct mld_report {
	uint64_t word;
	uint8_t *message;
	uint32_t len; /* of the message; 0: no buffer was free, and nothing will be sent */
};

void mld_report_begin(struct stack *s, struct mld_report *r);
void mld_report_add(struct mld_report *r, enum mld_record type, struct ip6 group,
	const struct ip6 *source, unsigned sources);
void mld_report_send(struct stack *s, unsigned port, struct mld_report *r);

/* MLD1_REPORT or MLD1_DONE of a group. */
void mld1_send(struct stack *s, unsigned port, enum mld_type type, struct ip6 group);

#endif

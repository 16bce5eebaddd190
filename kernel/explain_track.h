/* The sessions of explain: private ones, with copies of those that a frame can meet. */
#ifndef KERNEL_EXPLAIN_TRACK_H
#define KERNEL_EXPLAIN_TRACK_H

#include "kernel/explain.h"
#include "net/path/lane.h"
#include "net/path/session.h"

struct router;

/* Reserves the private tables. Boot. */
bool explain_track_init(const struct router *r);

/*
 * Who processes a frame that a tracking lane receives: the lane of its owner, or NULL: it ends
 * before, as *e says: held, or dropped. frame: as received.
 */
const struct lane *explain_track_steer(const struct router *r, const struct lane *receives,
	const uint8_t *frame, uint32_t len, struct explain *e);

/* Which session the next runs are about: that of a frame without tag whose IP lengths were checked;
 * frame NULL: none. */
void explain_track_find(const uint8_t *frame, uint32_t len, bool six);

/* Before a run: the private lane gets copies of what the owner has about the frame. */
void explain_track_copy(const struct router *r, struct lane *lane, const struct lane *owner);

/* After it: what became of the session. */
void explain_track_tell(const struct router *r, const struct lane *lane, struct explain *e);

/* ---- explain_nat.c: the same of mappings ---- */

bool explain_nat_init(const struct router *r);

/* The private lane gets a NAT of its own, without mappings. */
void explain_nat_begin(const struct router *r, struct lane *lane, const struct lane *owner);

/* A copy of the mapping that a session of the owner holds; or of those that a key can meet. */
struct nat_hold explain_nat_copy_hold(struct nat_hold hold);
void explain_nat_copy(const struct flow_key *key);

/* Which rules began a session, and whether a port was drawn for it. */
void explain_nat_tell(const struct router *r, struct explain *e);

#endif

/* The sessions of explain: private ones, with copies of those that a frame can meet. */
#ifndef KERNEL_EXPLAIN_TRACK_H
#define KERNEL_EXPLAIN_TRACK_H

#include "kernel/explain.h"
#include "net/path/lane.h"
#include "net/path/session.h"

struct router;

/* Reserves the private tables. Boot. */
bool explain_track_init(void);

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
void explain_track_copy(struct lane *lane, const struct lane *owner);

/* After it: what became of the session. */
void explain_track_tell(const struct lane *lane, struct explain *e);

#endif

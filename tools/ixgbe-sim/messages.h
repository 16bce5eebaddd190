/* What each message of the protocol asks of the device, and what is answered. */
#ifndef IXGBE_SIM_MESSAGES_H
#define IXGBE_SIM_MESSAGES_H

#include "tools/ixgbe-sim/server.h"

/*
 * Does what the message in the inbox asks. bytes: of its payload; becomes those of the reply's,
 * which stands in its place. 0, or the errno that is answered; -1: the client is to be let go.
 */
int messages_handle(struct server *s, uint32_t *bytes);

#endif

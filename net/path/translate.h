/*
 * Translation: a packet's addresses and numbers replaced, its checksums brought up to date.
 *
 * RFC 1624: the sums of what goes and of what comes are known when a session begins, so a packet
 * costs one addition for each checksum. UDP without a checksum stays without (RFC 768); a
 * computed one of 0 is sent as 0xffff.
 */
#ifndef NET_PATH_TRANSLATE_H
#define NET_PATH_TRANSLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/path/flow_key.h"
#include "net/path/session.h"

/* Sets what a way's packets become, and the deltas; both keys IPv4 and of one protocol. */
void translate_prepare(struct way *way, const struct flow_key *from, const struct flow_key *to);

/*
 * Rewrites a frame of a way with WAY_REWRITE: form WHOLE or FIRST. A fragment's transport
 * checksum is in the first, of LATER ones only the addresses change.
 */
void translate_frame(uint8_t *frame, uint32_t at, const struct way *way);
void translate_later(uint8_t *frame, const struct way *way);

/*
 * Rewrites an ICMP error (form ERROR, transport at `at`) about a packet of a session. `back`: the
 * way that the inner packet's answers take, which is the error's own: its outer destination is
 * translated as theirs, its outer source if it is the inner packet's destination, and the packet
 * inside is put back to what its sender sent (RFC 5508 4.2). len: of the frame. false: it is too
 * short or wrong; nothing is changed.
 */
bool translate_error(uint8_t *frame, uint32_t len_bytes, uint32_t at, const struct way *back);

#endif

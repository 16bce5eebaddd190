/*
 * Translation: a packet's addresses and numbers replaced, its checksums brought up to date.
 *
 * RFC 1624: the sums of what goes and of what comes are known when a session begins, so a packet
 * costs one addition for each checksum. UDP without a checksum stays without (RFC 768); a
 * computed one of 0 is sent as 0xffff.
 *
 * A delta is ~m + m' of RFC 1624 eqn 3, over all that changes: HC' = ~(~HC + delta).
 *
 * Of SCTP only addresses change: its checksum is a CRC over the packet, ports included (RFC 9260
 * 6.8), and has no addresses in it. So do those of protocols that have no ports.
 */
#ifndef NET_PATH_TRANSLATE_H
#define NET_PATH_TRANSLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/path/flow_key.h"
#include "net/path/parse.h"
#include "net/path/session.h"

/* Ports of such packets can be changed; ICMP: the identifier. */
bool translate_has_ports(uint8_t protocol);

/*
 * Sets what a way's packets become, the deltas, and WAY_REWRITE if anything changes. Both keys are
 * IPv4 and of one protocol; of one without translate_has_ports the numbers are the same. Any core.
 */
void translate_prepare(struct way *way, const struct flow_key *from, const struct flow_key *to);

/*
 * Rewrites a frame of a way with WAY_REWRITE: form WHOLE or FIRST, transport header at `at`. A
 * fragment's transport checksum is in the first, of LATER ones only the addresses change. The
 * buffer has room for a transport header, whether the frame has all of it or not. The caller
 * takes the packet from b->plain: what stands in b->hop is of the packet before. Any core.
 */
void translate_frame(uint8_t *frame, uint32_t at, const struct way *way);
void translate_later(uint8_t *frame, const struct way *way);

/*
 * The same of all packets of a mask of a batch: plain ones (parse.h), of TCP or UDP, forms WHOLE or
 * FIRST; way[i] is that of packet i and has WAY_REWRITE. b->hop goes with it, so they stay plain.
 */
void translate_batch(struct batch *b, const struct way *const *way, uint64_t mask);

/*
 * Rewrites an ICMP error (form ERROR, transport at `at`) about a packet of a session. `back`: the
 * way that the inner packet's answers take, which is the error's own: its outer destination is
 * translated as theirs, its outer source to theirs if that changes, whoever sent it (RFC 5508
 * REQ-4: no inside address leaves), and the packet inside is put back to what its sender sent
 * (RFC 5508 4.2). len: of the frame. false: it is too short, or its checksum is wrong (RFC 5508
 * REQ-3); nothing is changed. The caller takes the packet from b->plain. Any core.
 */
bool translate_error(uint8_t *frame, uint32_t len_bytes, uint32_t at, const struct way *back);

#endif

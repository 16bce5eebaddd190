/*
 * pcapng: the blocks of a capture file (draft-ietf-opsawg-pcapng), written one by one.
 *
 * A section header, one interface, its packets, at the end its statistics. Little-endian. Times
 * are nanoseconds since the router started: it has no calendar. A packet's direction is in
 * its flags; why it was dropped is its comment, "drop: acl-denied".
 */
#ifndef KERNEL_CAPTURE_FILE_H
#define KERNEL_CAPTURE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/path/capture.h"

/* A file, or a part of it, as it is written. What finds no room is left out whole. */
struct capture_file {
	uint8_t *bytes;
	uint32_t size, used;
};

/* Bytes that one packet takes beside its own, at most. */
#define CAPTURE_PACKET_MORE 96u

/* The section's header and the interface; comment: of the section, or NULL. false: no room. */
bool capture_file_begin(
	struct capture_file *f, const char *comment, const char *iface, uint32_t snap);

/* A packet, of which at most `most` bytes. */
bool capture_file_packet(struct capture_file *f, const struct capture_record *record,
	const uint8_t *data, uint64_t time_ns, uint32_t most);

/* The interface's statistics: packets that were looked for, and how many of them are not there. */
bool capture_file_end(struct capture_file *f, uint64_t time_ns, uint64_t matched, uint64_t lost,
	const char *comment);

#endif

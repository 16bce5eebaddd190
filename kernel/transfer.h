/*
 * Files of the control core over the network: one at a time, read from a TFTP server
 * or written to it (net/proto/tftp.h), in turns that do not wait. Control core.
 */
#ifndef KERNEL_TRANSFER_H
#define KERNEL_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/proto/tftp.h"

struct router;

struct transfer_place {
	uint32_t server; /* host byte order */
	char path[TFTP_PATH_MAX];
};

/* tftp://ADDRESS/PATH; without_path: also tftp://ADDRESS. false: it is none. */
bool transfer_parse(const char *url, bool without_path, struct transfer_place *out);

/* Begins. false: no memory for TRANSFER_MAX bytes. */
bool transfer_read(struct router *r, const struct transfer_place *from);

/* Begins. Takes the text, which malloc gave. */
void transfer_write(struct router *r, const struct transfer_place *to, char *text, size_t n);

/* Called every turn. true: it has ended, see below; transfer_end is still to come. */
bool transfer_turn(void);

/* What was read; NULL: it failed. Valid until transfer_end. */
const char *transfer_text(size_t *n);

/* "" if it went well, else why not: "10.0.0.2 does not answer". Valid until the next call. */
const char *transfer_error(void);
/* The server has no such file. */
bool transfer_not_found(void);

/* Forgets it, also in the middle. */
void transfer_end(void);

#endif

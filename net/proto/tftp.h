/*
 * TFTP, the client's side: one file read from a server or written to it, by RFC 1350
 * with the options of RFC 2347 to 2349. Bytes in, bytes out, time in: it has no
 * memory but its own struct and the caller's file, and knows the server by its port
 * alone. What comes from another address is not to be given to it.
 *
 * A turn: tftp_input for what came, tftp_tick now and then, and after each of them
 * tftp_output until it has nothing more. Control core.
 */
#ifndef NET_PROTO_TFTP_H
#define NET_PROTO_TFTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TFTP_PORT       69u
#define TFTP_BLOCK      512u  /* bytes without the option */
#define TFTP_BLOCK_ASK  1428u /* asked for: fits a frame, and a tunnel's */
#define TFTP_PACKET_MAX (4u + TFTP_BLOCK_ASK)
#define TFTP_PATH_MAX   108u /* with the terminating zero */
#define TFTP_TEXT_MAX   64u  /* of a server's message that is kept, with the zero */

#define TFTP_SILENCE_MS 10000u  /* without anything new: the server is given up */
#define TFTP_TOTAL_MS   120000u /* the longest that a transfer may take */

/* RFC 1350, appendix; RFC 2347 */
enum tftp_code {
	TFTP_UNDEFINED = 0,
	TFTP_NOT_FOUND = 1,
	TFTP_DISK_FULL = 3,
	TFTP_ILLEGAL = 4,
	TFTP_UNKNOWN_TID = 5,
	TFTP_OPTIONS_REFUSED = 8
};

enum tftp_state { TFTP_RUNNING, TFTP_DONE, TFTP_FAILED };

enum tftp_failure {
	TFTP_FINE,
	TFTP_SILENT,    /* no answer, or none any more */
	TFTP_SLOW,      /* TFTP_TOTAL_MS are over */
	TFTP_TOO_LONG,  /* the file does not fit */
	TFTP_MALFORMED, /* the server said what is not TFTP */
	TFTP_REFUSED    /* the server reported an error: code, text */
};

struct tftp {
	enum tftp_state state;
	enum tftp_failure failure;
	uint16_t code;            /* enum tftp_code of TFTP_REFUSED */
	char text[TFTP_TEXT_MAX]; /* what the server said, printable; may be empty */
	size_t bytes;             /* of the file: read so far, or all that is to be written */

	/* the rest is its own */
	bool write;
	bool plain;            /* asked without options */
	bool agreed;           /* the server has acknowledged options */
	bool pending;          /* `packet` is to be sent */
	uint16_t peer;         /* the server's port (its TID); 0: not known yet */
	uint16_t stray;        /* a port that is to be told that it is nobody's; 0: none */
	uint32_t block;        /* the last one received, or the one in flight */
	uint32_t block_bytes;  /* of each but the last one */
	uint8_t *file;         /* read: the caller's memory */
	const uint8_t *source; /* write */
	size_t room;
	char path[TFTP_PATH_MAX];
	uint64_t begun_ms, moved_ms, sent_ms;
	uint32_t retry_ms;
	uint32_t packet_bytes;
	uint8_t packet[TFTP_PACKET_MAX];
};

/* A datagram to the server's address; valid until the next call. */
struct tftp_datagram {
	uint16_t port;
	const uint8_t *bytes;
	uint32_t n;
};

/* Begins. path: below TFTP_PATH_MAX. read: room is how long the file may be. write: the file stays
 * as it is until the end. */
void tftp_read(struct tftp *t, const char *path, uint8_t *file, size_t room, uint64_t now_ms);
void tftp_write(
	struct tftp *t, const char *path, const uint8_t *file, size_t bytes, uint64_t now_ms);

/* A datagram of n bytes came from this port of the server's address; any bytes. */
void tftp_input(struct tftp *t, uint16_t port, const uint8_t *p, size_t n, uint64_t now_ms);

/* Sends again, gives up. Call every 10 to 100 ms. */
void tftp_tick(struct tftp *t, uint64_t now_ms);

/* The next datagram to be sent, also of a transfer that has ended; false: none. */
bool tftp_output(struct tftp *t, struct tftp_datagram *out);

#endif

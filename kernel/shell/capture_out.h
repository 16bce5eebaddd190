/*
 * Where what is captured goes: the console, as base64 between two lines, or a collector, by UDP.
 *
 * Either is pcapng (capture_file.h). On the console each line between
 * "-----BEGIN PCAPNG IF-----" and "-----END PCAPNG-----" is base64 of its own, and the file is
 * what all of them are, one after the other; lines that are no base64 ("^C", a warning) are not
 * of it. To the collector each datagram is a file of its own, with the number of the datagram as
 * the comment of its section; all of them, one after the other, are a file as well.
 */
#ifndef KERNEL_SHELL_CAPTURE_OUT_H
#define KERNEL_SHELL_CAPTURE_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/capture_file.h"
#include "lib/err.h"
#include "lib/limits.h"
#include "net/table/ip6.h"

struct stack;

#define CAPTURE_SINK_PORT 4799u

struct capture_out {
	char iface[IFACE_NAME_MAX];
	uint32_t snap;
	struct stack *stack; /* NULL: the console */
	struct ip6 sink;     /* IPv4: the last 32 bits */
	bool six;
	uint16_t port, from; /* the collector's, ours */
	uint32_t id;         /* of this capture */
	uint64_t datagrams, unsent;
	struct capture_file file; /* what has not gone yet */
	uint64_t since_us;        /* when that was begun */
	uint32_t head;            /* bytes of a datagram before the first packet */
	uint8_t bytes[CAPTURE_SNAP_MAX + 512];
};

/* Begins. All but file, head and the counts is set by the caller. ERR_OK, or as udp_post. */
enum err capture_out_begin(struct capture_out *o, uint64_t now_us);

/* One frame; how many bytes were printed or datagrams sent. */
unsigned capture_out_frame(struct capture_out *o, const struct capture_record *record,
	const uint8_t *data, uint64_t time_ns, uint64_t now_us);

/* What has waited long enough for company leaves. */
void capture_out_turn(struct capture_out *o, uint64_t now_us);

/* The end, with what became of all that was looked for. */
void capture_out_end(struct capture_out *o, uint64_t time_ns, uint64_t matched, uint64_t lost,
	const char *comment);

#endif

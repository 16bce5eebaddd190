/* The console's and the collector's side of a capture. */
#include "kernel/shell/capture_out.h"

#include <stdio.h>

#include "kernel/shell/commands.h"
#include "lib/base64.h"
#include "net/proto/stack.h"

#define LINE_BYTES 57u    /* of a line of 76 characters (RFC 2045 6.8) */
#define DATAGRAM   1400u  /* bytes, where more than one frame is in it: fits most paths whole */
#define LINGER_US  20000u /* a frame waits so long for others that leave with it */

/* ---- console ---- */

/* Prints what is there; how many bytes. */
static unsigned print_file(struct capture_out *o)
{
	char line[BASE64_LENGTH(LINE_BYTES) + 1];
	unsigned printed = 0;

	for (uint32_t at = 0; at < o->file.used; at += LINE_BYTES) {
		uint32_t left = o->file.used - at;

		base64_encode(line, o->bytes + at, left < LINE_BYTES ? left : LINE_BYTES);
		shell_print("%s\n", line);
		printed += sizeof line + 1;
	}
	o->file.used = 0;
	return printed;
}

/* ---- collector ---- */

static enum err send_file(struct capture_out *o)
{
	const struct capture_file *f = &o->file;
	enum err err = o->six ? udp_post6(o->stack, o->sink, o->from, o->port, f->bytes, f->used)
			      : udp_post(o->stack, (uint32_t)o->sink.lo, o->from, o->port, f->bytes,
					f->used);

	o->unsent += err != ERR_OK;
	o->datagrams++;
	o->file.used = 0;
	return err;
}

/* A datagram begins like a file. */
static void begin_datagram(struct capture_out *o, uint64_t now_us)
{
	char comment[64];

	snprintf(comment, sizeof comment, "capture %08x datagram %llu", (unsigned)o->id,
		(unsigned long long)o->datagrams);
	capture_file_begin(&o->file, comment, o->iface, o->snap);
	o->head = o->file.used;
	o->since_us = now_us;
}

/* How many datagrams it took. */
static unsigned send_frame(struct capture_out *o, const struct capture_record *record,
	const uint8_t *data, uint64_t time_ns, uint64_t now_us)
{
	uint32_t most = udp_post_max(o->stack, o->six);
	unsigned sent = 0;

	o->file.size = DATAGRAM < most ? DATAGRAM : most;
	if (o->file.used == 0)
		begin_datagram(o, now_us);
	if (capture_file_packet(&o->file, record, data, time_ns, UINT32_MAX))
		return 0;
	if (o->file.used > o->head) {
		(void)send_file(o);
		sent++;
		begin_datagram(o, now_us);
		if (capture_file_packet(&o->file, record, data, time_ns, UINT32_MAX))
			return sent;
	}
	/* Alone, in a datagram that may leave in fragments; what a buffer has room for. */
	o->file.size = most < sizeof o->bytes ? most : (uint32_t)sizeof o->bytes;
	(void)capture_file_packet(
		&o->file, record, data, time_ns, o->file.size - o->file.used - CAPTURE_PACKET_MORE);
	(void)send_file(o);
	return sent + 1;
}

/* ---- both ---- */

enum err capture_out_begin(struct capture_out *o, uint64_t now_us)
{
	o->file = (struct capture_file){o->bytes, sizeof o->bytes, 0};
	o->datagrams = o->unsent = 0;
	if (o->stack) {
		begin_datagram(o, now_us);
		return send_file(o);
	}
	shell_print("-----BEGIN PCAPNG %s-----\n", o->iface);
	capture_file_begin(&o->file, NULL, o->iface, o->snap);
	print_file(o);
	return ERR_OK;
}

unsigned capture_out_frame(struct capture_out *o, const struct capture_record *record,
	const uint8_t *data, uint64_t time_ns, uint64_t now_us)
{
	if (o->stack)
		return send_frame(o, record, data, time_ns, now_us);
	(void)capture_file_packet(&o->file, record, data, time_ns, UINT32_MAX);
	return print_file(o);
}

void capture_out_turn(struct capture_out *o, uint64_t now_us)
{
	if (o->stack && o->file.used && now_us - o->since_us >= LINGER_US)
		(void)send_file(o);
}

void capture_out_end(struct capture_out *o, uint64_t time_ns, uint64_t matched, uint64_t lost,
	const char *comment)
{
	if (!o->stack) {
		capture_file_end(&o->file, time_ns, matched, lost, comment);
		print_file(o);
		shell_print("-----END PCAPNG-----\n");
		return;
	}
	if (o->file.used)
		(void)send_file(o);
	o->file.size = DATAGRAM;
	begin_datagram(o, 0);
	capture_file_end(&o->file, time_ns, matched, lost, comment);
	(void)send_file(o);
}

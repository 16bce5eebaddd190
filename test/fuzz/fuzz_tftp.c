/*
 * A TFTP server's datagrams, and those of others, to the client.
 *
 * Input: a byte for what is transferred, then datagrams: time passed, port, length, bytes.
 */
#include <stdlib.h>

#include "net/proto/tftp.h"
#include "test/fuzz/fuzz.h"

#define FILE_MAX    5000u
#define TURNS_MAX   400u
#define OUTPUTS_MAX 4u /* after one datagram or tick */

/* Whatever is to be sent is a datagram of the protocol. */
static void drain(struct tftp *t)
{
	struct tftp_datagram out;
	unsigned n = 0;

	while (tftp_output(t, &out)) {
		CLAIM(++n <= OUTPUTS_MAX);
		CLAIM(out.port && out.n >= 4 && out.n <= TFTP_PACKET_MAX);
		CLAIM(out.bytes[0] == 0 && out.bytes[1] >= 1 && out.bytes[1] <= 5);
	}
}

static void check(const struct tftp *t, size_t room)
{
	CLAIM(t->bytes <= room);
	CLAIM(memchr(t->text, 0, sizeof t->text));
	CLAIM((t->state == TFTP_FAILED) == (t->failure != TFTP_FINE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input in = {data, bytes};
	static struct tftp t;
	unsigned what = fuzz_byte(&in);
	size_t room = FILE_MAX >> (what >> 1 & 7);
	uint8_t *file = calloc(1, room);
	uint64_t now_ms = 1;

	if (!file)
		return 0;
	if (what & 1)
		tftp_write(&t, "a/b", file, room, now_ms);
	else
		tftp_read(&t, "a/b", file, room, now_ms);
	drain(&t);
	for (unsigned turn = 0; turn < TURNS_MAX && in.left; turn++) {
		unsigned waited = fuzz_byte(&in), port = fuzz_byte(&in), n = fuzz_byte(&in) * 6u;

		now_ms += waited * 8;
		if (n > in.left)
			n = (unsigned)in.left;
		uint8_t *datagram = malloc(n ? n : 1);

		if (!datagram)
			break;
		fuzz_take(&in, datagram, n);
		tftp_input(
			&t, (uint16_t)(port ? 40000 + port % 3 : TFTP_PORT), datagram, n, now_ms);
		free(datagram);
		drain(&t);
		tftp_tick(&t, now_ms);
		drain(&t);
		check(&t, room);
	}
	/* However it was, it ends. */
	now_ms += TFTP_TOTAL_MS + 1;
	tftp_tick(&t, now_ms);
	CLAIM(t.state != TFTP_RUNNING);
	check(&t, room);
	free(file);
	return 0;
}

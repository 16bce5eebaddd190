/* TFTP, the client's side: RFC 1350, 2347, 2348, 2349; RFC 1123 4.2. */
#include "net/proto/tftp.h"

#include <string.h>

#include "lib/byteorder.h"
#include "lib/text.h"

/* RFC 1350 5, RFC 2347 */
enum opcode { READ = 1, WRITE = 2, DATA = 3, ACK = 4, ERROR = 5, OACK = 6 };

#define HEADER       4u  /* of DATA, ACK and ERROR */
#define BLOCK_MIN    8u  /* RFC 2348 */
#define TIMEOUT_TEXT "1" /* RFC 2349: the server's own retransmission, seconds */

#define RETRY_FIRST_MS 500u
#define RETRY_MAX_MS   4000u
/* What the network doubled comes at once; what the server sends again, later (RFC 1123 4.2.3.1). */
#define DUPLICATE_MS 200u

/* ---------------------------------------------------------------- what is sent */

static void queue(struct tftp *t, uint32_t bytes, uint64_t now_ms)
{
	t->packet_bytes = bytes;
	t->pending = true;
	t->sent_ms = now_ms;
}

/* Something new came: the clocks of silence begin again. */
static void moved(struct tftp *t, uint64_t now_ms)
{
	t->moved_ms = now_ms;
	t->retry_ms = RETRY_FIRST_MS;
}

static uint32_t put_text(uint8_t *at, const char *text)
{
	size_t n = strlen(text) + 1;

	memcpy(at, text, n);
	return (uint32_t)n;
}

static uint32_t put_number(uint8_t *at, uint64_t value)
{
	char text[24];
	char *p = text + sizeof text - 1;

	*p = '\0';
	do
		*--p = (char)('0' + value % 10);
	while (value /= 10);
	return put_text(at, p);
}

static void send_request(struct tftp *t, uint64_t now_ms)
{
	uint8_t *p = t->packet;
	uint32_t n = 2;

	store_be16(p, t->write ? WRITE : READ);
	n += put_text(p + n, t->path);
	n += put_text(p + n, "octet");
	if (!t->plain) {
		n += put_text(p + n, "blksize");
		n += put_number(p + n, TFTP_BLOCK_ASK);
		n += put_text(p + n, "tsize");
		n += put_number(p + n, t->write ? t->bytes : 0);
		n += put_text(p + n, "timeout");
		n += put_text(p + n, TIMEOUT_TEXT);
	}
	queue(t, n, now_ms);
}

static void send_ack(struct tftp *t, uint64_t now_ms)
{
	store_be16(t->packet, ACK);
	store_be16(t->packet + 2, (uint16_t)t->block);
	queue(t, HEADER, now_ms);
}

/* The block in flight of a file that is written. The last one is shorter, or empty. */
static void send_data(struct tftp *t, uint64_t now_ms)
{
	size_t at = (size_t)(t->block - 1) * t->block_bytes, left = t->bytes - at;
	uint32_t n = left < t->block_bytes ? (uint32_t)left : t->block_bytes;

	store_be16(t->packet, DATA);
	store_be16(t->packet + 2, (uint16_t)t->block);
	memcpy(t->packet + HEADER, t->source + at, n);
	queue(t, HEADER + n, now_ms);
}

static void fail(struct tftp *t, enum tftp_failure failure)
{
	t->state = TFTP_FAILED;
	t->failure = failure;
	t->pending = false;
}

/* ... and the server is told. */
static void fail_aloud(struct tftp *t, enum tftp_failure failure, enum tftp_code code)
{
	static const char *const text[] = {
		[TFTP_SLOW] = "took too long",
		[TFTP_TOO_LONG] = "file too long",
		[TFTP_MALFORMED] = "not understood",
	};

	fail(t, failure);
	store_be16(t->packet, ERROR);
	store_be16(t->packet + 2, (uint16_t)code);
	t->packet_bytes = HEADER + put_text(t->packet + HEADER, text[failure]);
	t->pending = true;
}

bool tftp_output(struct tftp *t, struct tftp_datagram *out)
{
	static const uint8_t stray[] = "\0\5\0\5unknown transfer ID"; /* TFTP_UNKNOWN_TID */

	if (t->stray) {
		*out = (struct tftp_datagram){t->stray, stray, sizeof stray};
		t->stray = 0;
		return true;
	}
	if (!t->pending)
		return false;
	t->pending = false;
	*out = (struct tftp_datagram){t->peer ? t->peer : TFTP_PORT, t->packet, t->packet_bytes};
	return true;
}

/* ---------------------------------------------------------------- options */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* RFC 2347: case is not significant. */
static bool same_word(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

/* The terminated string at *at, which moves behind it; NULL: it does not end. */
static const char *next_text(const uint8_t *p, size_t n, size_t *at)
{
	const uint8_t *end = *at < n ? memchr(p + *at, 0, n - *at) : NULL;
	const char *text = (const char *)p + *at;

	if (!end)
		return NULL;
	*at = (size_t)(end - p) + 1;
	return text;
}

/* One acknowledged option; false: not what was asked for. */
static bool take_option(struct tftp *t, const char *name, const char *text, uint64_t *size)
{
	uint64_t value;

	if (same_word(name, "tsize"))
		return text_parse_number(text, 0, UINT64_MAX, size);
	if (same_word(name, "timeout"))
		return strcmp(text, TIMEOUT_TEXT) == 0;
	if (!same_word(name, "blksize") ||
		!text_parse_number(text, BLOCK_MIN, TFTP_BLOCK_ASK, &value))
		return false;
	t->block_bytes = (uint32_t)value;
	return true;
}

static bool take_options(struct tftp *t, const uint8_t *p, size_t n, uint64_t *size)
{
	size_t at = 2;

	while (at < n) {
		const char *name = next_text(p, n, &at);
		const char *value = next_text(p, n, &at);

		if (!name || !value || !take_option(t, name, value, size))
			return false;
	}
	return true;
}

/* ---------------------------------------------------------------- what comes */

/* The block in flight arrived, or the request was granted (block 0): the next one. */
static void advance(struct tftp *t, uint64_t now_ms)
{
	bool last = t->block && t->packet_bytes < HEADER + t->block_bytes;

	moved(t, now_ms);
	if (last) {
		t->state = TFTP_DONE;
		t->pending = false;
		return;
	}
	t->block++;
	send_data(t, now_ms);
}

static void on_oack(struct tftp *t, uint16_t port, const uint8_t *p, size_t n, uint64_t now_ms)
{
	uint64_t size = 0;

	if (t->block)
		return;  /* late */
	if (t->agreed) { /* our answer to it was lost */
		if (now_ms - t->sent_ms >= DUPLICATE_MS)
			send_ack(t, now_ms);
		return;
	}
	t->peer = port;
	if (t->plain || !take_options(t, p, n, &size)) {
		fail_aloud(t, TFTP_MALFORMED, TFTP_OPTIONS_REFUSED);
		return;
	}
	if (!t->write && size > t->room) {
		fail_aloud(t, TFTP_TOO_LONG, TFTP_DISK_FULL);
		return;
	}
	t->agreed = true;
	if (t->write) {
		advance(t, now_ms);
	} else {
		moved(t, now_ms);
		send_ack(t, now_ms);
	}
}

static void on_data(struct tftp *t, uint16_t port, const uint8_t *p, size_t n, uint64_t now_ms)
{
	uint16_t block = load_be16(p + 2);
	size_t bytes = n - HEADER;

	if (t->write) {
		if (t->peer)
			fail_aloud(t, TFTP_MALFORMED, TFTP_ILLEGAL);
		return;
	}
	if (t->peer && block == (uint16_t)t->block) {
		if (now_ms - t->sent_ms >= DUPLICATE_MS)
			send_ack(t, now_ms);
		return;
	}
	if (block != (uint16_t)(t->block + 1))
		return;
	t->peer = port;
	if (bytes > t->block_bytes) {
		fail_aloud(t, TFTP_MALFORMED, TFTP_ILLEGAL);
		return;
	}
	if (bytes > t->room - t->bytes) {
		fail_aloud(t, TFTP_TOO_LONG, TFTP_DISK_FULL);
		return;
	}
	if (bytes)
		memcpy(t->file + t->bytes, p + HEADER, bytes);
	t->bytes += bytes;
	t->block++;
	moved(t, now_ms);
	send_ack(t, now_ms);
	if (bytes < t->block_bytes)
		t->state = TFTP_DONE;
}

/* Another ACK than that of the block in flight is never answered: what was sent twice would be sent
 * twice ever after (RFC 1123 4.2.3.1, the sorcerer's apprentice). */
static void on_ack(struct tftp *t, uint16_t port, const uint8_t *p, uint64_t now_ms)
{
	if (!t->write) {
		if (t->peer)
			fail_aloud(t, TFTP_MALFORMED, TFTP_ILLEGAL);
		return;
	}
	if (load_be16(p + 2) != (uint16_t)t->block)
		return;
	t->peer = port;
	advance(t, now_ms);
}

static void on_error(struct tftp *t, const uint8_t *p, size_t n, uint64_t now_ms)
{
	uint16_t code = load_be16(p + 2);
	size_t i;

	if (!t->peer && code == TFTP_OPTIONS_REFUSED) {
		if (t->plain)
			return; /* about the request of before, sent twice */
		t->plain = true;
		moved(t, now_ms);
		send_request(t, now_ms);
		return;
	}
	fail(t, TFTP_REFUSED);
	t->code = code;
	for (i = 0; i + 1 < TFTP_TEXT_MAX && HEADER + i < n && p[HEADER + i]; i++) {
		uint8_t c = p[HEADER + i];

		t->text[i] = c >= ' ' && c <= '~' ? (char)c : '?';
	}
	t->text[i] = '\0';
}

void tftp_input(struct tftp *t, uint16_t port, const uint8_t *p, size_t n, uint64_t now_ms)
{
	uint16_t opcode = n >= HEADER ? load_be16(p) : 0;

	if (t->state != TFTP_RUNNING || n < HEADER || port == 0)
		return;
	if (t->peer && port != t->peer) {
		if (opcode != ERROR)
			t->stray = port;
		return;
	}
	switch (opcode) {
	case DATA:
		on_data(t, port, p, n, now_ms);
		return;
	case ACK:
		on_ack(t, port, p, now_ms);
		return;
	case OACK:
		on_oack(t, port, p, n, now_ms);
		return;
	case ERROR:
		on_error(t, p, n, now_ms);
		return;
	default:
		if (t->peer)
			fail_aloud(t, TFTP_MALFORMED, TFTP_ILLEGAL);
		return;
	}
}

void tftp_tick(struct tftp *t, uint64_t now_ms)
{
	if (t->state != TFTP_RUNNING)
		return;
	if (now_ms - t->moved_ms >= TFTP_SILENCE_MS) {
		fail(t, TFTP_SILENT);
	} else if (now_ms - t->begun_ms >= TFTP_TOTAL_MS) {
		fail_aloud(t, TFTP_SLOW, TFTP_UNDEFINED);
	} else if (now_ms - t->sent_ms >= t->retry_ms) {
		t->retry_ms = t->retry_ms * 2 < RETRY_MAX_MS ? t->retry_ms * 2 : RETRY_MAX_MS;
		t->pending = true;
		t->sent_ms = now_ms;
	}
}

/* ---------------------------------------------------------------- begin */

static void begin(struct tftp *t, const char *path, uint64_t now_ms)
{
	size_t n = strlen(path);

	if (n >= sizeof t->path)
		n = sizeof t->path - 1;
	memcpy(t->path, path, n);
	t->block_bytes = TFTP_BLOCK;
	t->begun_ms = now_ms;
	moved(t, now_ms);
	send_request(t, now_ms);
}

void tftp_read(struct tftp *t, const char *path, uint8_t *file, size_t room, uint64_t now_ms)
{
	*t = (struct tftp){.file = file, .room = room};
	begin(t, path, now_ms);
}

void tftp_write(
	struct tftp *t, const char *path, const uint8_t *file, size_t bytes, uint64_t now_ms)
{
	*t = (struct tftp){.write = true, .source = file, .bytes = bytes};
	begin(t, path, now_ms);
}

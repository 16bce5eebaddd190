/* A small reader of pcapng, and of base64, for tests: what a capture said, block by block. */
#ifndef TEST_UNIT_PCAPNG_H
#define TEST_UNIT_PCAPNG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PCAPNG_PACKETS 4096u

struct pcapng_packet {
	uint64_t ns;
	uint32_t kept, length, flags;
	const uint8_t *data;
	char comment[200];
};

struct pcapng {
	unsigned sections, interfaces, packets, statistics;
	char section_comment[100], iface[32], statistics_comment[256];
	uint32_t snap;
	uint64_t received, dropped;
	struct pcapng_packet packet[PCAPNG_PACKETS];
};

static inline uint32_t pcapng32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t pcapng64(const uint8_t *p)
{
	return pcapng32(p) | (uint64_t)pcapng32(p + 4) << 32;
}

static inline void pcapng_text(char *out, size_t size, const uint8_t *p, uint32_t n)
{
	assert_true(n < size);
	memcpy(out, p, n);
	out[n] = '\0';
}

/* An option of a block of this type. */
static inline void pcapng_option(
	struct pcapng *f, uint32_t type, unsigned code, const uint8_t *p, uint32_t n)
{
	struct pcapng_packet *packet = &f->packet[f->packets];

	if (type == 0x0a0d0d0a && code == 1)
		pcapng_text(f->section_comment, sizeof f->section_comment, p, n);
	if (type == 1 && code == 2)
		pcapng_text(f->iface, sizeof f->iface, p, n);
	if (type == 1 && code == 9)
		assert_true(n == 1 && p[0] == 9);
	if (type == 5 && code == 1)
		pcapng_text(f->statistics_comment, sizeof f->statistics_comment, p, n);
	if (type == 5 && code == 4)
		f->received = pcapng64(p);
	if (type == 5 && code == 5)
		f->dropped = pcapng64(p);
	if (type == 6 && code == 1)
		pcapng_text(packet->comment, sizeof packet->comment, p, n);
	if (type == 6 && code == 2)
		packet->flags = pcapng32(p);
}

static inline void pcapng_options(
	struct pcapng *f, uint32_t type, const uint8_t *p, const uint8_t *end)
{
	while (p < end) {
		unsigned code = p[0] | p[1] << 8, n = p[2] | p[3] << 8;

		assert_true(p + 4 + n <= end);
		if (code == 0) {
			assert_true(n == 0 && p + 4 == end);
			return;
		}
		pcapng_option(f, type, code, p + 4, n);
		p += 4 + ((n + 3) & ~3u);
	}
	assert_true(p == end);
}

static inline void pcapng_block(
	struct pcapng *f, uint32_t type, const uint8_t *body, const uint8_t *end)
{
	struct pcapng_packet *packet = &f->packet[f->packets];

	switch (type) {
	case 0x0a0d0d0a:
		assert_int_equal(pcapng32(body), 0x1a2b3c4d);
		assert_int_equal(pcapng32(body + 4), 1); /* version 1.0 */
		f->sections++;
		pcapng_options(f, type, body + 16, end);
		break;
	case 1:
		assert_int_equal(pcapng32(body), 1); /* Ethernet */
		f->snap = pcapng32(body + 4);
		f->interfaces++;
		pcapng_options(f, type, body + 8, end);
		break;
	case 5:
		f->statistics++;
		pcapng_options(f, type, body + 12, end);
		break;
	case 6:
		assert_int_equal(pcapng32(body), 0);
		assert_true(f->sections && f->interfaces == f->sections);
		assert_true(f->packets < PCAPNG_PACKETS);
		packet->ns = (uint64_t)pcapng32(body + 4) << 32 | pcapng32(body + 8);
		packet->kept = pcapng32(body + 12);
		packet->length = pcapng32(body + 16);
		packet->data = body + 20;
		pcapng_options(f, type, body + 20 + ((packet->kept + 3) & ~3u), end);
		f->packets++;
		break;
	default:
		fail_msg("block of type %u", type);
	}
}

/* Adds what n bytes hold, whole blocks. */
static inline void pcapng_read(struct pcapng *f, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;

	while (p < end) {
		assert_true(end - p >= 12);
		uint32_t bytes = pcapng32(p + 4);

		assert_true(bytes >= 12 && bytes % 4 == 0 && bytes <= (size_t)(end - p));
		assert_int_equal(pcapng32(p + bytes - 4), bytes);
		pcapng_block(f, pcapng32(p), p + 8, p + bytes - 4);
		p += bytes;
	}
}

static inline unsigned base64_digit(char c)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = strchr(letters, c);

	assert_true(c && at);
	return (unsigned)(at - letters);
}

/* One line of base64, up to its end: how many bytes. */
static inline size_t base64_line(uint8_t *out, const char *line)
{
	size_t length = strcspn(line, "\n"), n = 0;

	assert_true(length && length % 4 == 0 && length <= 76);
	for (size_t i = 0; i < length; i += 4) {
		bool last = i + 4 == length;
		unsigned pad = last ? (line[i + 3] == '=') + (line[i + 2] == '=') : 0;
		uint32_t v = base64_digit(line[i]) << 18 | base64_digit(line[i + 1]) << 12;

		v |= pad < 2 ? base64_digit(line[i + 2]) << 6 : 0;
		v |= pad < 1 ? base64_digit(line[i + 3]) : 0;
		for (unsigned k = 0; k < 3 - pad; k++)
			out[n++] = (uint8_t)(v >> (16 - 8 * k));
	}
	return n;
}

/* What stands between the two lines that a capture is cut out by; what follows them. */
static inline const char *pcapng_cut(struct pcapng *f, const char *text, uint8_t *bytes)
{
	const char *at = strstr(text, "-----BEGIN PCAPNG ");
	size_t n = 0;

	memset(f, 0, sizeof *f);
	assert_non_null(at);
	at = strchr(at, '\n') + 1;
	while (strncmp(at, "-----END PCAPNG-----\n", 21) != 0) {
		if (strncmp(at, "^C\n", 3) != 0)
			n += base64_line(bytes + n, at);
		at = strchr(at, '\n') + 1;
	}
	pcapng_read(f, bytes, n);
	return at + 21;
}

#endif

/* pcapng's blocks as bytes. */
#include "kernel/capture_file.h"

#include <stdio.h>
#include <string.h>

/* Types of blocks, and codes of options (draft-ietf-opsawg-pcapng 4). */
#define BLOCK_SECTION    0x0a0d0d0au
#define BLOCK_INTERFACE  1u
#define BLOCK_STATISTICS 5u
#define BLOCK_PACKET     6u
#define OPT_END          0u
#define OPT_COMMENT      1u
#define SHB_USERAPPL     4u
#define IF_NAME          2u
#define IF_TSRESOL       9u
#define EPB_FLAGS        2u
#define ISB_IFRECV       4u
#define ISB_IFDROP       5u

#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define LINK_ETHERNET    1u
#define NANOSECONDS      9u /* 10^-9 s */
#define INBOUND          1u /* of EPB_FLAGS */
#define OUTBOUND         2u

static void put(struct capture_file *f, const void *data, uint32_t n)
{
	if (n && f->used <= f->size && n <= f->size - f->used)
		memcpy(f->bytes + f->used, data, n);
	f->used += n; /* beyond its size: the block is taken back */
}

/* Bytes and zeros up to a multiple of four. */
static void put_padded(struct capture_file *f, const void *data, uint32_t n)
{
	static const uint8_t zeros[3];

	put(f, data, n);
	put(f, zeros, -n & 3u);
}

static void put16(struct capture_file *f, uint16_t v)
{
	uint8_t b[2] = {(uint8_t)v, (uint8_t)(v >> 8)};

	put(f, b, sizeof b);
}

static void put32(struct capture_file *f, uint32_t v)
{
	put16(f, (uint16_t)v);
	put16(f, (uint16_t)(v >> 16));
}

static void put_option(struct capture_file *f, uint16_t code, const void *data, uint32_t n)
{
	put16(f, code);
	put16(f, (uint16_t)n);
	put_padded(f, data, n);
}

static void put_text(struct capture_file *f, uint16_t code, const char *text)
{
	if (text)
		put_option(f, code, text, (uint32_t)strlen(text));
}

static void put_number(struct capture_file *f, uint16_t code, uint64_t value)
{
	put16(f, code);
	put16(f, sizeof value);
	put32(f, (uint32_t)value);
	put32(f, (uint32_t)(value >> 32));
}

/* The length of a block stands at both of its ends. */
static uint32_t begin(struct capture_file *f, uint32_t type)
{
	uint32_t at = f->used;

	put32(f, type);
	put32(f, 0);
	return at;
}

static bool end(struct capture_file *f, uint32_t at)
{
	struct capture_file head = {f->bytes + at + 4, 4, 0};

	put32(f, f->used - at + 4);
	if (f->used > f->size) {
		f->used = at;
		return false;
	}
	put32(&head, f->used - at);
	return true;
}

static void put_time(struct capture_file *f, uint64_t ns)
{
	put32(f, (uint32_t)(ns >> 32));
	put32(f, (uint32_t)ns);
}

bool capture_file_begin(
	struct capture_file *f, const char *comment, const char *iface, uint32_t snap)
{
	static const uint8_t resolution = NANOSECONDS;
	uint32_t start = f->used, at = begin(f, BLOCK_SECTION);

	put32(f, BYTE_ORDER_MAGIC);
	put16(f, 1); /* version 1.0 */
	put16(f, 0);
	put32(f, UINT32_MAX); /* how long the section is, is not said */
	put32(f, UINT32_MAX);
	put_text(f, OPT_COMMENT, comment);
	put_text(f, SHB_USERAPPL, "barewire");
	put_option(f, OPT_END, NULL, 0);
	if (!end(f, at))
		return false;
	at = begin(f, BLOCK_INTERFACE);
	put16(f, LINK_ETHERNET);
	put16(f, 0);
	put32(f, snap);
	put_text(f, IF_NAME, iface);
	put_option(f, IF_TSRESOL, &resolution, 1);
	put_option(f, OPT_END, NULL, 0);
	if (end(f, at))
		return true;
	f->used = start;
	return false;
}

bool capture_file_packet(struct capture_file *f, const struct capture_record *r,
	const uint8_t *data, uint64_t time_ns, uint32_t most)
{
	uint32_t at = begin(f, BLOCK_PACKET), kept = r->kept < most ? r->kept : most;
	uint32_t flags = r->point == CAPTURE_TX ? OUTBOUND : INBOUND;

	put32(f, 0); /* the only interface */
	put_time(f, time_ns);
	put32(f, kept);
	put32(f, r->length);
	put_padded(f, data, kept);
	if (r->point == CAPTURE_DROP) {
		char comment[48];

		snprintf(comment, sizeof comment, "drop: %s", drop_name(r->reason));
		put_text(f, OPT_COMMENT, comment);
	}
	put16(f, EPB_FLAGS);
	put16(f, 4);
	put32(f, flags);
	put_option(f, OPT_END, NULL, 0);
	return end(f, at);
}

bool capture_file_end(struct capture_file *f, uint64_t time_ns, uint64_t matched, uint64_t lost,
	const char *comment)
{
	uint32_t at = begin(f, BLOCK_STATISTICS);

	put32(f, 0);
	put_time(f, time_ns);
	put_text(f, OPT_COMMENT, comment);
	put_number(f, ISB_IFRECV, matched);
	put_number(f, ISB_IFDROP, lost);
	put_option(f, OPT_END, NULL, 0);
	return end(f, at);
}

/*
 * A forwarding table made elsewhere, as one block of bytes: what an image of the
 * kernel brings along, and forwards by without building anything.
 *
 * In it, one after another on cache lines of their own, stand the FIBs of both
 * families as they are in memory, the next hops that their answers are numbers
 * of, and the routes they were made from. tools/fibgen makes it by the same code
 * that runs in the kernel. README.md in this folder tells the story of a boot.
 */
#ifndef NET_TABLE_FIBIMAGE_H
#define NET_TABLE_FIBIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "net/table/fib4.h"
#include "net/table/fib6.h"
#include "net/table/nexthop.h"
#include "net/table/rib.h"

/* Tables that hold the same: the FIBs have followed all changes, and nothing waits to be freed. */
struct fibimage_tables {
	const struct rib4 *rib4;
	const struct rib6 *rib6;
	const struct fib4 *fib4;
	const struct fib6 *fib6;
	const struct nexthop_table *nexthops; /* recursive ones, groups of such, unreachable */
};

/* Bytes of the image of these tables, and the image, in mem of that size and 64-byte aligned. */
size_t fibimage_size(const struct fibimage_tables *tables);
void fibimage_write(const struct fibimage_tables *tables, void *mem);

/*
 * A route of an image. The routes of a family come in this order: first those
 * shorter than a block (RIB4_BLOCK, RIB6_BLOCK), then the others; each part by
 * prefix, then length.
 */
struct fibimage_route {
	struct ip6 prefix; /* of IPv4 the top 32 bits */
	uint32_t nexthop;
	unsigned length;
};

/* An image that was checked; it stays where it is. */
struct fibimage {
	const void *data;
	uint32_t nexthops;  /* numbers 1 to this */
	uint32_t routes[2]; /* of IPv4, of IPv6 */
	uint32_t shorts[2]; /* of those, the ones shorter than a block */
};

/*
 * Looks whether `bytes` bytes at `data`, 64-byte aligned, are a whole and unhurt
 * image of this version. NULL, or what is wrong.
 */
MUST_CHECK const char *fibimage_open(struct fibimage *image, const void *data, size_t bytes);

/*
 * Puts the image in force, in tables that are as new: next hop k of the image is
 * index k of `t`, with one reference each, until fibimage_release. NULL, or what
 * is wrong: then nothing has changed. Boot only, before workers start.
 */
MUST_CHECK const char *fibimage_load(const struct fibimage *image, struct fib4 *fib4,
	struct fib6 *fib6, struct nexthop_table *t);
void fibimage_release(const struct fibimage *image, struct nexthop_table *t);

/* Only the FIBs, into another pair that stands beside one the image was loaded into. ERR_FULL,
 * ERR_INVALID: another form; nothing has changed. Boot only. */
MUST_CHECK enum err fibimage_copy(
	const struct fibimage *image, struct fib4 *fib4, struct fib6 *fib6);

/* Route number i of family 0 (IPv4) or 1 (IPv6). */
struct fibimage_route fibimage_route(const struct fibimage *image, unsigned family, uint32_t i);

#endif

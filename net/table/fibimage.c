/* Writes and reads forwarding tables that come with the kernel. */
#include "net/table/fibimage.h"

#include <string.h>

#include "lib/atomic.h"

#define MAGIC   0x4249462d65726177ull /* "ware-FIB" */
#define VERSION 3u                    /* of this form, and of the FIBs in it */

enum part { PART_FIB4, PART_FIB6, PART_NEXTHOPS, PART_MEMBERS, PART_ROUTES4, PART_ROUTES6, PARTS };

struct head {
	uint64_t magic;
	uint32_t version, nexthops;
	uint64_t bytes;    /* of all */
	uint64_t checksum; /* of all, this being 0 */
	uint32_t routes[2], shorts[2];
	struct {
		uint64_t at, bytes;
	} part[PARTS];
	uint64_t unused[6];
};

_Static_assert(sizeof(struct head) % CACHE_LINE == 0, "what follows begins on a cache line");

struct image_nexthop {
	uint16_t action; /* NEXTHOP_RECURSIVE, _GROUP or _UNREACHABLE */
	uint16_t port;   /* of a recursive one */
	uint32_t gateway;
	uint32_t first, members; /* of a group: in the part of members */
	struct ip6 gateway6;     /* as in struct nexthop */
};

struct image_route4 {
	uint32_t prefix;
	uint16_t nexthop;
	uint8_t length, unused;
};

struct image_route6 {
	struct ip6 prefix;
	uint32_t nexthop;
	uint8_t length, unused[3];
};

static size_t round_line(size_t bytes)
{
	return (bytes + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
}

/* Four multiplicative lanes: an image of 20 MB takes milliseconds. n: a multiple of a cache line.
 */
static uint64_t sum_lines(uint64_t seed, const void *data, size_t n)
{
	uint64_t lane[4] = {seed, ~seed, seed << 32 | seed >> 32, 0x9e3779b97f4a7c15ull};
	const uint8_t *p = data;

	for (; n; n -= sizeof lane, p += sizeof lane) {
		uint64_t w[4];

		memcpy(w, p, sizeof w);
		for (unsigned i = 0; i < 4; i++) {
			lane[i] = (lane[i] ^ w[i]) * 0xff51afd7ed558ccdull;
			lane[i] ^= lane[i] >> 32;
		}
	}
	for (unsigned i = 1; i < 4; i++)
		lane[0] = (lane[0] ^ lane[i]) * 0xc4ceb9fe1a85ec53ull + i;
	return lane[0];
}

static uint64_t checksum(const void *data, size_t bytes)
{
	struct head head;

	memcpy(&head, data, sizeof head);
	head.checksum = 0;
	return sum_lines(sum_lines(1, &head, sizeof head), (const uint8_t *)data + sizeof head,
		bytes - sizeof head);
}

/* ---- writing ---- */

static bool is_short4(const struct route4 *r)
{
	return r->length < RIB4_BLOCK;
}

static bool is_short6(const struct route6 *r)
{
	return r->length < RIB6_BLOCK;
}

static uint32_t count_members(const struct nexthop_table *t)
{
	uint32_t members = 0;

	for (uint32_t i = 1; i < t->used; i++)
		if (t->nexthop[i].action == NEXTHOP_GROUP)
			members += t->group[t->nexthop[i].group].members;
	return members;
}

/* The head but for what is counted while writing. */
static struct head plan(const struct fibimage_tables *t)
{
	struct head h = {.magic = MAGIC, .version = VERSION, .nexthops = t->nexthops->used - 1};
	size_t bytes6;

	(void)fib6_image(t->fib6, &bytes6);
	h.routes[0] = t->rib4->rib.count;
	h.routes[1] = t->rib6->rib.count;
	h.part[PART_FIB4].bytes = fib4_image_size(t->fib4);
	h.part[PART_FIB6].bytes = bytes6;
	h.part[PART_NEXTHOPS].bytes = h.nexthops * sizeof(struct image_nexthop);
	h.part[PART_MEMBERS].bytes = count_members(t->nexthops) * sizeof(struct nexthop_member);
	h.part[PART_ROUTES4].bytes = h.routes[0] * sizeof(struct image_route4);
	h.part[PART_ROUTES6].bytes = h.routes[1] * sizeof(struct image_route6);
	h.bytes = sizeof h;
	for (unsigned p = 0; p < PARTS; p++) {
		h.part[p].at = h.bytes;
		h.bytes += round_line(h.part[p].bytes);
	}
	return h;
}

size_t fibimage_size(const struct fibimage_tables *tables)
{
	return plan(tables).bytes;
}

static void write_nexthops(
	const struct nexthop_table *t, struct image_nexthop *out, struct nexthop_member *member)
{
	uint32_t first = 0;

	for (uint32_t i = 1; i < t->used; i++, out++) {
		const struct nexthop *n = &t->nexthop[i];

		*out = (struct image_nexthop){n->action, n->port, n->gateway, 0, 0, n->gateway6};
		if (n->action != NEXTHOP_GROUP)
			continue;
		const struct nexthop_group *g = &t->group[n->group];

		*out = (struct image_nexthop){n->action, 0, 0, first, g->members, IP6_ANY};
		memcpy(member + first, g->member, g->members * sizeof *member);
		first += g->members;
	}
}

/* The short routes of the RIB, or the others; where the next one goes. */
static struct image_route4 *write_routes4(
	const struct rib4 *rib, bool shorts, struct image_route4 *out)
{
	for (const struct route4 *r = rib4_first(rib); r; r = rib4_next(rib, r))
		if (is_short4(r) == shorts)
			*out++ = (struct image_route4){
				r->prefix, (uint16_t)r->nexthop, r->length, 0};
	return out;
}

static struct image_route6 *write_routes6(
	const struct rib6 *rib, bool shorts, struct image_route6 *out)
{
	for (const struct route6 *r = rib6_first(rib); r; r = rib6_next(rib, r))
		if (is_short6(r) == shorts)
			*out++ = (struct image_route6){r->prefix, r->nexthop, r->length, {0}};
	return out;
}

void fibimage_write(const struct fibimage_tables *t, void *mem)
{
	struct head h = plan(t);
	uint8_t *p = memset(mem, 0, h.bytes);
	struct image_route4 *routes4 = (void *)(p + h.part[PART_ROUTES4].at), *four;
	struct image_route6 *routes6 = (void *)(p + h.part[PART_ROUTES6].at), *six;
	size_t bytes6;

	fib4_save(t->fib4, p + h.part[PART_FIB4].at);
	memcpy(p + h.part[PART_FIB6].at, fib6_image(t->fib6, &bytes6), h.part[PART_FIB6].bytes);
	write_nexthops(t->nexthops, (void *)(p + h.part[PART_NEXTHOPS].at),
		(void *)(p + h.part[PART_MEMBERS].at));
	four = write_routes4(t->rib4, true, routes4);
	six = write_routes6(t->rib6, true, routes6);
	h.shorts[0] = (uint32_t)(four - routes4);
	h.shorts[1] = (uint32_t)(six - routes6);
	(void)write_routes4(t->rib4, false, four);
	(void)write_routes6(t->rib6, false, six);
	memcpy(mem, &h, sizeof h);
	h.checksum = checksum(mem, h.bytes);
	memcpy(mem, &h, sizeof h);
}

/* ---- reading ---- */

static const struct head *head_of(const struct fibimage *image)
{
	return image->data;
}

static const void *part_of(const struct fibimage *image, enum part part)
{
	return (const uint8_t *)image->data + head_of(image)->part[part].at;
}

/* The parts lie inside the image and have the sizes that the counts say. */
static bool parts_fit(const struct head *h)
{
	size_t each[PARTS] = {[PART_NEXTHOPS] = sizeof(struct image_nexthop),
		[PART_ROUTES4] = sizeof(struct image_route4),
		[PART_ROUTES6] = sizeof(struct image_route6)};
	uint64_t n[PARTS] = {[PART_NEXTHOPS] = h->nexthops,
		[PART_ROUTES4] = h->routes[0],
		[PART_ROUTES6] = h->routes[1]};

	for (unsigned p = 0; p < PARTS; p++)
		if (h->part[p].at > h->bytes || h->part[p].bytes > h->bytes - h->part[p].at ||
			h->part[p].at % CACHE_LINE ||
			(each[p] && h->part[p].bytes != n[p] * each[p]))
			return false;
	return h->nexthops < NEXTHOP_MAX && h->shorts[0] <= h->routes[0] &&
	       h->shorts[1] <= h->routes[1];
}

const char *fibimage_open(struct fibimage *image, const void *data, size_t bytes)
{
	const struct head *h = data;

	if (bytes < sizeof *h || (uintptr_t)data % CACHE_LINE || h->magic != MAGIC)
		return "it is no forwarding table";
	if (h->version != VERSION)
		return "it is of another version: make it anew";
	if (h->bytes != bytes || bytes % CACHE_LINE)
		return "it is not whole";
	if (checksum(data, bytes) != h->checksum || !parts_fit(h))
		return "it is damaged: its checksum is wrong";
	*image = (struct fibimage){
		data, h->nexthops, {h->routes[0], h->routes[1]}, {h->shorts[0], h->shorts[1]}};
	return NULL;
}

struct fibimage_route fibimage_route(const struct fibimage *image, unsigned family, uint32_t i)
{
	if (family == 0) {
		const struct image_route4 *r =
			(const struct image_route4 *)part_of(image, PART_ROUTES4) + i;

		return (struct fibimage_route){rib4_key(r->prefix), r->nexthop, r->length};
	}
	const struct image_route6 *r =
		(const struct image_route6 *)part_of(image, PART_ROUTES6) + i;

	return (struct fibimage_route){r->prefix, r->nexthop, r->length};
}

/* ---- in force ---- */

/* The next hop of a number, with a reference. */
static enum err make_nexthop(const struct fibimage *image, const struct image_nexthop *n,
	struct nexthop_table *t, uint32_t *index)
{
	const struct nexthop_member *member = part_of(image, PART_MEMBERS);
	uint64_t members = head_of(image)->part[PART_MEMBERS].bytes / sizeof *member;

	if (n->action == NEXTHOP_RECURSIVE && !ip6_is_zero(n->gateway6))
		return nexthop_get_recursive6(t, n->gateway6, n->port, index);
	if (n->action == NEXTHOP_RECURSIVE)
		return nexthop_get_recursive(t, n->gateway, n->port, index);
	if (n->action == NEXTHOP_UNREACHABLE)
		return nexthop_get(t, NEXTHOP_UNREACHABLE, 0, 0, NULL, 0, index);
	if (n->action != NEXTHOP_GROUP || n->members > GROUP_MEMBERS || n->first > members ||
		n->members > members - n->first)
		return ERR_INVALID;
	return nexthop_get_group(t, member + n->first, n->members, index);
}

static const char *make_nexthops(const struct fibimage *image, struct nexthop_table *t)
{
	const struct image_nexthop *n = part_of(image, PART_NEXTHOPS);

	for (uint32_t i = 1; i <= image->nexthops; i++, n++) {
		uint32_t index;
		enum err err = make_nexthop(image, n, t, &index);

		if (err == ERR_OK && index == i)
			continue;
		if (err == ERR_OK)
			nexthop_put(t, index);
		while (--i)
			nexthop_put(t, i);
		return err == ERR_OK ? "the numbers of its next hops are taken"
				     : "its next hops do not fit";
	}
	return NULL;
}

void fibimage_release(const struct fibimage *image, struct nexthop_table *t)
{
	for (uint32_t i = image->nexthops; i > 0; i--) /* groups before their members */
		nexthop_put(t, i);
}

enum err fibimage_copy(const struct fibimage *image, struct fib4 *fib4, struct fib6 *fib6)
{
	const struct head *h = head_of(image);
	const void *six = part_of(image, PART_FIB6);
	enum err err = fib6_check(fib6, six, h->part[PART_FIB6].bytes);

	if (err == ERR_OK)
		err = fib4_load(fib4, part_of(image, PART_FIB4), h->part[PART_FIB4].bytes);
	if (err == ERR_OK)
		err = fib6_load(fib6, six, h->part[PART_FIB6].bytes);
	return err;
}

const char *fibimage_load(
	const struct fibimage *image, struct fib4 *fib4, struct fib6 *fib6, struct nexthop_table *t)
{
	const char *wrong = make_nexthops(image, t);

	if (wrong)
		return wrong;
	enum err err = fibimage_copy(image, fib4, fib6);

	if (err == ERR_OK)
		return NULL;
	fibimage_release(image, t);
	return err == ERR_FULL ? "there is not enough memory for a table of this size"
			       : "its tables are of another form: make it anew";
}

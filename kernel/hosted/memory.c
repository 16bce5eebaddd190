/*
 * The memory of the hosted platform: one arena, in huge pages where the machine has
 * some reserved, and as a file where other processes work in it (vhost-user).
 */
#include "kernel/hosted/memory.h"

#include <linux/memfd.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/hosted/hosted.h"
#include "kernel/platform.h"

#define LARGE_PAGE (2ul << 20)
#define GIANT_PAGE (1ul << 30)
#define LARGE_BITS (21u << MFD_HUGE_SHIFT) /* log2 of the size, for memfd_create and mmap alike */
#define GIANT_BITS (30u << MFD_HUGE_SHIFT)

_Static_assert(MFD_HUGE_SHIFT == MAP_HUGE_SHIFT, "one number for both");

static struct hosted_memory arena = {.fd = -1};
static const char *pages = "4 KiB, 2 MiB where the kernel gives them";
static size_t arena_used;
static bool sealed;

static bool is_there(enum hosted_port_kind kind)
{
	for (unsigned i = 0; i < hosted.ports; i++)
		if (hosted.port[i].kind == kind)
			return true;
	return false;
}

static size_t rounded(size_t page)
{
	size_t bytes = (hosted.mem_mib << 20) + page - 1;

	return bytes - bytes % page;
}

/* huge: bits of the size of reserved pages, which a mapping that succeeds has; 0: of any others. */
static bool map_private(unsigned huge)
{
	int flags = huge ? MAP_HUGETLB | (int)huge : MAP_NORESERVE;

	arena.base = mmap(NULL, arena.bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	return arena.base != MAP_FAILED;
}

static bool map_shared(unsigned huge)
{
	arena.fd = memfd_create("barewire", MFD_CLOEXEC | (huge ? MFD_HUGETLB | huge : 0));
	if (arena.fd < 0)
		return false;
	arena.base = MAP_FAILED;
	if (ftruncate(arena.fd, (off_t)arena.bytes) == 0)
		arena.base =
			mmap(NULL, arena.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, arena.fd, 0);
	if (arena.base != MAP_FAILED)
		return true;
	close(arena.fd);
	arena.fd = -1;
	return false;
}

static bool map(size_t page, unsigned huge)
{
	arena.bytes = rounded(page);
	return is_there(HOSTED_PORT_VHOST) ? map_shared(huge) : map_private(huge);
}

/* A NIC's driver that takes our buffers as they are wants each in one piece: see xdp_port.c. */
bool hosted_memory_open(void)
{
	if (is_there(HOSTED_PORT_XDP) && rounded(GIANT_PAGE) == GIANT_PAGE &&
		map(GIANT_PAGE, GIANT_BITS)) {
		arena.one_piece = true;
		pages = "1 GiB, reserved";
	} else if (map(LARGE_PAGE, LARGE_BITS)) {
		pages = "2 MiB, reserved";
	} else if (map(LARGE_PAGE, 0)) {
		(void)madvise(arena.base, arena.bytes, MADV_HUGEPAGE);
	} else {
		return false;
	}
	return true;
}

const struct hosted_memory *hosted_memory(void)
{
	return &arena;
}

void *platform_alloc(size_t bytes, size_t align)
{
	size_t at = (arena_used + align - 1) & ~(align - 1);

	if (sealed || at > arena.bytes || bytes > arena.bytes - at)
		return NULL;
	arena_used = at + bytes;
	return (uint8_t *)arena.base + at;
}

void *platform_alloc_near(size_t bytes, size_t align, uint32_t node)
{
	(void)node;
	return platform_alloc(bytes, align);
}

void *platform_reserve(size_t bytes, size_t align)
{
	return platform_alloc(bytes, align); /* what the kernel gives is zero already */
}

void *platform_reserve_near(size_t bytes, size_t align, uint32_t node)
{
	return platform_alloc_near(bytes, align, node);
}

void platform_seal(void)
{
	sealed = true;
}

void platform_memory(struct platform_memory *m)
{
	*m = (struct platform_memory){
		.ram_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE),
		.arena_bytes = arena.bytes,
		.arena_used = arena_used,
		.pages = pages,
	};
}

void platform_node(unsigned i, struct platform_node *n)
{
	(void)i;
	*n = (struct platform_node){.node = NODE_UNKNOWN};
}

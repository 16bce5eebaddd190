/*
 * The memory of the hosted platform: one arena, in huge pages where the machine has
 * some reserved, and as a file where other processes work in it (vhost-user).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/hosted/hosted.h"
#include "kernel/hosted/vhost_user.h"
#include "kernel/platform.h"

#define HUGE_PAGE (2ul << 20)

static struct vhost_memory arena = {.fd = -1};
static uint8_t *arena_at; /* = arena.base */
static size_t arena_used;
static bool sealed, reserved;

static bool others_need_it(void)
{
	for (unsigned i = 0; i < hosted.ports; i++)
		if (hosted.port[i].kind == HOSTED_PORT_VHOST)
			return true;
	return false;
}

/* Maps the arena, out of reserved huge pages or not. */
static bool map_private(bool huge)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | (huge ? MAP_HUGETLB : MAP_NORESERVE);

	arena.base = mmap(NULL, arena.bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
	return arena.base != MAP_FAILED;
}

static bool map_shared(bool huge)
{
	arena.fd = memfd_create("barewire", MFD_CLOEXEC | (huge ? MFD_HUGETLB : 0));
	if (arena.fd < 0)
		return false;
	if (ftruncate(arena.fd, (off_t)arena.bytes) == 0)
		arena.base =
			mmap(NULL, arena.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, arena.fd, 0);
	else
		arena.base = MAP_FAILED;
	if (arena.base != MAP_FAILED)
		return true;
	close(arena.fd);
	arena.fd = -1;
	return false;
}

bool hosted_memory_open(void)
{
	bool (*map)(bool huge) = others_need_it() ? map_shared : map_private;

	arena.bytes = (hosted.mem_mib << 20) + HUGE_PAGE - 1;
	arena.bytes -= arena.bytes % HUGE_PAGE;
	reserved = map(true); /* a mapping that succeeds has its pages */
	if (!reserved && !map(false))
		return false;
	if (!reserved)
		(void)madvise(arena.base, arena.bytes, MADV_HUGEPAGE);
	arena_at = arena.base;
	return true;
}

const struct vhost_memory *hosted_memory_shared(void)
{
	return &arena;
}

void *platform_alloc(size_t bytes, size_t align)
{
	size_t at = (arena_used + align - 1) & ~(align - 1);

	if (sealed || at > arena.bytes || bytes > arena.bytes - at)
		return NULL;
	arena_used = at + bytes;
	return arena_at + at;
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
		.pages = reserved ? "2 MiB, reserved" : "4 KiB, 2 MiB where the kernel gives them",
	};
}

void platform_node(unsigned i, struct platform_node *n)
{
	(void)i;
	*n = (struct platform_node){.node = NODE_UNKNOWN};
}

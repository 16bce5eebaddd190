/* Memory of the EFI application: the kernel's place, pages below 4 GiB, the map at the end. */
#include "boot/efi/loader.h"
#include "boot/parse.h"

#define PAGE_BYTES 4096u
#define BELOW_4G   0xffffffffull
#define TAKEN_MAX  16u
#define MAP_SPARE                                                                                  \
	16384u        /* the map grows when memory is taken for it, and by what firmware does      \
		       */
#define EXIT_TRIES 8u /* a timer's event may change the map between two calls */

static struct {
	uint64_t first, end; /* the kernel's place */
	struct {
		EFI_PHYSICAL_ADDRESS at;
		UINTN pages;
	} taken[TAKEN_MAX];
	unsigned n;
} memory;

static UINTN pages_of(uint64_t bytes)
{
	return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

/* Takes pages; remembers them for memory_release. */
static bool take(EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE type, UINTN pages, EFI_PHYSICAL_ADDRESS *at)
{
	if (memory.n == TAKEN_MAX || EFI_ERROR(BS->AllocatePages(how, type, pages, at)))
		return false;
	memory.taken[memory.n].at = *at;
	memory.taken[memory.n++].pages = pages;
	return true;
}

void memory_release(void)
{
	while (memory.n--)
		(void)BS->FreePages(memory.taken[memory.n].at, memory.taken[memory.n].pages);
	memory.n = 0;
}

void *memory_take(uint64_t bytes, bool code)
{
	/* Firmware may forbid to execute what was taken as data. */
	EFI_MEMORY_TYPE type = code ? EfiLoaderCode : EfiLoaderData;
	EFI_PHYSICAL_ADDRESS at = BELOW_4G;
	UINTN pages = pages_of(bytes);

	if (bytes && bytes < BELOW_4G && take(AllocateMaxAddress, type, pages, &at)) {
		if (at >= memory.end || at + pages * PAGE_BYTES <= memory.first)
			return (void *)(uintptr_t)at;
		/* Firmware fills memory from above: then there is more below. */
		at = memory.first - 1;
		if (take(AllocateMaxAddress, type, pages, &at))
			return (void *)(uintptr_t)at;
	}
	LOADER_SAY(L"no %ld KiB of memory below 4 GiB", bytes / 1024);
	return NULL;
}

/* The map as it is now, in memory of its own. */
struct map {
	uint8_t *data;
	UINTN bytes, room, key, entry_bytes;
};

static EFI_STATUS map_fetch(struct map *m)
{
	UINT32 version;

	m->bytes = m->room;
	return BS->GetMemoryMap(&m->bytes, (EFI_MEMORY_DESCRIPTOR *)(void *)m->data, &m->key,
		&m->entry_bytes, &version);
}

static EFI_STATUS map_make(struct map *m)
{
	*m = (struct map){0};
	if (map_fetch(m) != EFI_BUFFER_TOO_SMALL) {
		LOADER_SAY(L"no memory map");
		return EFI_LOAD_ERROR;
	}
	m->room = 2 * m->bytes + MAP_SPARE;
	m->data = memory_take(m->room, false);
	return m->data ? EFI_SUCCESS : EFI_OUT_OF_RESOURCES;
}

static const EFI_MEMORY_DESCRIPTOR *map_find(const struct map *m, uint64_t address)
{
	for (UINTN at = 0; at + m->entry_bytes <= m->bytes; at += m->entry_bytes) {
		const EFI_MEMORY_DESCRIPTOR *d = (const void *)(m->data + at);

		if (address >= d->PhysicalStart &&
			(address - d->PhysicalStart) / PAGE_BYTES < d->NumberOfPages)
			return d;
	}
	return NULL;
}

static bool free_after_boot(UINT32 type)
{
	return type == EfiConventionalMemory || type == EfiLoaderCode || type == EfiLoaderData ||
	       type == EfiBootServicesCode || type == EfiBootServicesData;
}

EFI_STATUS memory_reserve(uint64_t first, uint64_t end)
{
	EFI_PHYSICAL_ADDRESS at = first;
	struct map m;
	EFI_STATUS status;

	memory.first = first;
	memory.end = end;
	if (take(AllocateAddress, EfiLoaderData, pages_of(end - first), &at))
		return EFI_SUCCESS;
	status = map_make(&m);
	if (!EFI_ERROR(status))
		status = map_fetch(&m);
	while (!EFI_ERROR(status) && at < end) {
		const EFI_MEMORY_DESCRIPTOR *d = map_find(&m, at);

		if (!d || !free_after_boot(d->Type)) {
			LOADER_SAY(L"the kernel must lie at %lx to %lx, and at %lx is memory of "
				   L"type %d",
				first, end, at, d ? (int)d->Type : -1);
			return EFI_UNSUPPORTED;
		}
		at = d->PhysicalStart + d->NumberOfPages * PAGE_BYTES;
	}
	return status;
}

EFI_STATUS memory_leave(EFI_HANDLE image, struct bootinfo *b)
{
	static const struct boot_view view = {.end = UINT64_MAX};
	struct map m;
	EFI_STATUS status = map_make(&m);

	if (EFI_ERROR(status))
		return status;
	/* UEFI 2.10, 7.4.6: if the map has changed meanwhile, fetch it again and retry. */
	for (unsigned i = 0; i < EXIT_TRIES; i++) {
		status = map_fetch(&m);
		if (EFI_ERROR(status))
			break;
		status = BS->ExitBootServices(image, m.key);
		if (!EFI_ERROR(status)) {
			efi_parse_map(
				&view, (uintptr_t)m.data, m.bytes, (uint32_t)m.entry_bytes, b);
			return EFI_SUCCESS;
		}
	}
	LOADER_SAY(L"boot services do not end: %r", status);
	return status;
}

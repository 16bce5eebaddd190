/* The memory that keeps a crash's report over a reset. */
#include "kernel/x86/crash.h"

#include "kernel/crashlog.h"
#include "kernel/hardware.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "lib/atomic.h"

/*
 * Above the image and its modules, within the smallest machine. Loaders and firmware work from
 * the ends of memory, and OVMF below 24 MiB.
 */
#define PLACE 0x3c00000ull

static struct crashlog *place;

void crash_take_place(struct memmap *free)
{
	if (!memmap_contains(free, PLACE, CRASHLOG_BYTES))
		return;
	memmap_remove(free, PLACE, PLACE + CRASHLOG_BYTES);
	place = (struct crashlog *)(uintptr_t)PLACE;
}

void crash_note(void)
{
	size_t bytes, n = 0;
	const char *text = platform_crash(&bytes);

	if (!place)
		log_text("crash: no free memory at %#llx: a report would not outlive a reset",
			PLACE);
	if (!text)
		return;
	while (n < bytes && text[n] == '\n')
		n++;
	text += n;
	bytes -= n;
	for (n = 0; n < bytes && text[n] != '\n'; n++)
		;
	log_text("crash: show crash has a report: %.*s", (int)n, text);
}

/* What is still in the cache is lost by some resets. */
static void flush(const void *p, size_t n)
{
	for (const char *at = p, *end = at + n; at < end; at += CACHE_LINE)
		__builtin_ia32_clflush(at);
	__builtin_ia32_clflush((const char *)p + (n ? n - 1 : 0));
}

void crash_begin(void)
{
	if (place)
		crashlog_begin(place);
}

void crash_keep(const char *s, size_t n)
{
	if (!place)
		return;
	uint64_t from = place->bytes;

	crashlog_append(place, s, n);
	flush(place->text + from, place->bytes - from);
	flush(place, offsetof(struct crashlog, text));
}

const char *platform_crash(size_t *bytes)
{
	return place ? crashlog_text(place, bytes) : NULL;
}

void platform_crash_clear(void)
{
	if (place)
		crashlog_clear(place);
}

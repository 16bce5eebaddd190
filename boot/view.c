/* Checked reads of physical memory for the parsers of loader data. */
#include "boot/view.h"

#include <string.h>

static const void *view_at(const struct boot_view *v, uint64_t address)
{
	return (const void *)((uintptr_t)address + v->bias);
}

bool boot_view_read(const struct boot_view *v, uint64_t address, void *out, size_t bytes)
{
	if (address < v->first || address > v->end || bytes > v->end - address)
		return false;
	memcpy(out, view_at(v, address), bytes);
	return true;
}

void boot_view_string(const struct boot_view *v, uint64_t address, char *out, size_t size)
{
	size_t n = 0;
	char c;

	while (address && n + 1 < size && boot_view_read(v, address + n, &c, 1) && c)
		out[n++] = c < ' ' && c > 0 ? ' ' : c;
	out[n] = 0;
}

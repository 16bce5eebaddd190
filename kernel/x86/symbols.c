/* Looks addresses up in the table that tools/mksyms made from the first link. */
#include "kernel/x86/symbols.h"

#include <stddef.h>

#include "kernel/x86/image.h"

/* Absent in the first link. Addresses ascend; each name is an offset into symbol_text. */
extern const uint32_t symbol_count[] __attribute__((weak));
extern const uint32_t symbol_address[] __attribute__((weak));
extern const uint32_t symbol_name[] __attribute__((weak));
extern const char symbol_text[] __attribute__((weak));

const char *symbols_find(uint64_t address, uint64_t *offset)
{
	uint32_t low = 0, high = symbol_count ? *symbol_count : 0;

	*offset = 0;
	if (high == 0 || address < symbol_address[0] || address >= (uintptr_t)text_end)
		return "?";
	/* symbol_address[low] <= address < symbol_address[high] */
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (symbol_address[middle] <= address)
			low = middle;
		else
			high = middle;
	}
	*offset = address - symbol_address[low];
	return symbol_text + symbol_name[low];
}

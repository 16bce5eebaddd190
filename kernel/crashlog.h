/*
 * The report of a crash as it lies in memory, to be found after a reset: a magic
 * number, a length and a sum, so that whatever else lies there is not believed.
 *
 * Pure: the caller knows where the memory is. A report that was cut off by
 * another fault is whole as far as it goes.
 */
#ifndef KERNEL_CRASHLOG_H
#define KERNEL_CRASHLOG_H

#include <stddef.h>
#include <stdint.h>

#define CRASHLOG_BYTES 32768u
#define CRASHLOG_TEXT  (CRASHLOG_BYTES - 24u)

struct crashlog {
	uint64_t magic, sum, bytes; /* of the text */
	char text[CRASHLOG_TEXT];
};
_Static_assert(sizeof(struct crashlog) == CRASHLOG_BYTES, "whole pages");

/* Begins a report; what was there before is gone. */
void crashlog_begin(struct crashlog *c);

/* Adds n bytes, but carriage returns; what does not fit is left out. After crashlog_begin. */
void crashlog_append(struct crashlog *c, const char *s, size_t n);

/* The text, *bytes of it, not terminated; NULL if no whole report lies here. */
const char *crashlog_text(const struct crashlog *c, size_t *bytes);

void crashlog_clear(struct crashlog *c);

#endif

/*
 * The log: one ring of records per core, written without locks, read by the control core.
 *
 * A worker records an event code and two numbers; the control core formats.
 * The control core may also log text. Boot messages go to the console as well.
 */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_event {
	LOG_WORKER_STARTED, /* a: worker, b: core */
};

/* Any core; actor as in lib/pool.h. Never blocks; the oldest record is overwritten. */
void log_event(unsigned actor, enum log_event event, uint64_t a, uint64_t b);

/* Control core: one line of text, no newline. Printed on the console until log_quiet(). */
void log_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Control core: no more console output from log_text (the shell owns the console now). */
void log_quiet(void);

/* Control core: moves workers' records into the text log. */
void log_drain(void);

/*
 * Calls fn for the kept lines, oldest first: time in microseconds since entry and text.
 * Control core, or the panic path.
 */
void log_walk(void (*fn)(void *ctx, uint64_t us, const char *line), void *ctx);

/*
 * Control core: the same in slices of at most `max` lines. *next: the number of
 * the next line, at first 0. true: it was the last slice. Lines overwritten
 * between two slices are left out.
 */
bool log_walk_slice(uint32_t *next, unsigned max,
	void (*fn)(void *ctx, uint64_t us, const char *line), void *ctx);

#endif

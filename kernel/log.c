/* The log: per-actor event rings, and the text lines kept by the control core. */
#include "kernel/log.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "kernel/platform.h"
#include "lib/atomic.h"
#include "lib/pool.h"

#define LOG_LINE_MAX 192u
#define LOG_EVENTS   16u /* a power of two; kept per actor until drained */

/* One actor writes `written` and the records; the control core reads. */
struct log_ring {
	alignas(CACHE_LINE) uint32_t written;
	struct {
		uint64_t us, a, b;
		enum log_event event;
	} record[LOG_EVENTS];
};

static struct log_ring rings[ACTOR_MAX];
static uint32_t drained[ACTOR_MAX];

static struct {
	uint32_t written; /* lines ever logged */
	bool quiet;
	struct {
		uint64_t us;
		char text[LOG_LINE_MAX];
	} line[LOG_RECORDS];
} text;

void log_event(unsigned actor, enum log_event event, uint64_t a, uint64_t b)
{
	struct log_ring *ring = &rings[actor];
	uint32_t at = ring->written % LOG_EVENTS;

	ring->record[at].us = platform_now_us();
	ring->record[at].event = event;
	ring->record[at].a = a;
	ring->record[at].b = b;
	store_release(&ring->written, ring->written + 1);
}

static void log_line(uint64_t us, const char *s)
{
	uint32_t at = text.written % LOG_RECORDS;

	text.line[at].us = us;
	snprintf(text.line[at].text, LOG_LINE_MAX, "%s", s);
	store_release(&text.written, text.written + 1);
	if (!text.quiet) {
		platform_console_write(s, strlen(s));
		platform_console_write("\r\n", 2);
	}
}

void log_text(const char *format, ...)
{
	char line[LOG_LINE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	log_line(platform_now_us(), line);
}

void log_quiet(void)
{
	text.quiet = true;
}

static void log_format(char *line, size_t size, enum log_event event, uint64_t a, uint64_t b)
{
	switch (event) {
	case LOG_WORKER_STARTED:
		snprintf(line, size, "worker %llu runs on core %llu", (unsigned long long)a,
			(unsigned long long)b);
		return;
	default:
		snprintf(line, size, "event %u: %llu %llu", (unsigned)event, (unsigned long long)a,
			(unsigned long long)b);
	}
}

void log_drain(void)
{
	for (unsigned actor = 0; actor < ACTOR_MAX; actor++) {
		struct log_ring *ring = &rings[actor];
		uint32_t written = load_acquire(&ring->written);

		if (written - drained[actor] > LOG_EVENTS)
			drained[actor] = written - LOG_EVENTS; /* the oldest are gone */
		for (; drained[actor] != written; drained[actor]++) {
			uint32_t at = drained[actor] % LOG_EVENTS;
			char line[LOG_LINE_MAX];

			log_format(line, sizeof line, ring->record[at].event, ring->record[at].a,
				ring->record[at].b);
			log_line(ring->record[at].us, line);
		}
	}
}

void log_walk(void (*fn)(void *ctx, uint64_t us, const char *line), void *ctx)
{
	uint32_t next = 0;

	log_walk_slice(&next, LOG_RECORDS, fn, ctx);
}

bool log_walk_slice(uint32_t *next, unsigned max,
	void (*fn)(void *ctx, uint64_t us, const char *line), void *ctx)
{
	uint32_t end = load_acquire(&text.written);
	uint32_t oldest = end > LOG_RECORDS ? end - LOG_RECORDS : 0;

	if (*next < oldest)
		*next = oldest;
	for (; *next != end && max; ++*next, max--)
		fn(ctx, text.line[*next % LOG_RECORDS].us, text.line[*next % LOG_RECORDS].text);
	return *next == end;
}

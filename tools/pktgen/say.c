/* Lines and the progress line on standard error. */
#include "tools/pktgen/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void say(const char *format, ...)
{
	char line[512];
	va_list values;

	va_start(values, format);
	vsnprintf(line, sizeof line, format, values);
	va_end(values);
	fprintf(stderr, "%spktgen: %s\n", isatty(2) ? "\r\033[K" : "", line);
}

void say_progress(const char *format, ...)
{
	char line[512];
	va_list values;

	if (!isatty(2))
		return;
	va_start(values, format);
	vsnprintf(line, sizeof line, format, values);
	va_end(values);
	fprintf(stderr, "\r\033[K%s", line);
}

/* The lines of sessions: "forwarding sessions limit-per-source N", "... timeout NAME SECONDS". */
#include <stdlib.h>
#include <string.h>

#include "kernel/shell/config_check.h"

void config_read_sessions(const struct line *line, struct config *c)
{
	uint32_t value = (uint32_t)strtoul(line->text[line->words - 1], NULL, 10);

	if (!strcmp(line->text[2], "limit-per-source")) {
		c->sessions.limit = value;
		return;
	}
	for (unsigned i = 0; i < SESSION_TIMEOUT_COUNT; i++)
		if (!strcmp(line->text[3], session_timeout_name(i)))
			c->sessions.timeout[i] = value;
}

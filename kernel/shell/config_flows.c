/* The line of the flow cache: "forwarding flow-table on|off|auto [shadow N]". */
#include <stdlib.h>
#include <string.h>

#include "kernel/shell/config_check.h"

void config_read_flow_table(const struct line *line, struct config *c)
{
	const char *word = line->text[2];

	c->flow_table = !strcmp(word, "on")    ? FLOW_TABLE_ON
			: !strcmp(word, "off") ? FLOW_TABLE_OFF
					       : FLOW_TABLE_AUTO;
	if (line->words > 4)
		c->flow_shadow = (unsigned)strtoul(line->text[4], NULL, 10);
}

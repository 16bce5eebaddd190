/* Protocols by name: read from a line's words, and shown. */
#include "kernel/shell/protocol.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/shell/output.h"
#include "net/path/frame.h"

static const struct {
	const char *name;
	uint8_t number;
} named[] = {{"icmp", IPV4_ICMP}, {"icmp6", IPV6_ICMP}, {"tcp", IPV4_TCP}, {"udp", IPV4_UDP}};

#define NAMED (sizeof named / sizeof *named)

uint8_t protocol_of(const char *text)
{
	for (unsigned i = 0; i < NAMED; i++)
		if (!strcmp(text, named[i].name))
			return named[i].number;
	return (uint8_t)strtoul(text, NULL, 10);
}

void output_protocol(struct output *o, uint8_t protocol)
{
	for (unsigned i = 0; i < NAMED; i++)
		if (protocol == named[i].number) {
			output_text(o, NULL, "%s", named[i].name);
			return;
		}
	output_text(o, NULL, "%u", protocol);
}

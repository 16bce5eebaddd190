/* Parses the SRAT: cores, memory and PCI devices by node. */
#include "kernel/x86/srat.h"

#include <stdbool.h>
#include <string.h>

#define REVISION_AT 8u
#define ENTRIES_AT  48u /* 5.2.16: after 12 reserved bytes */
#define REVISION_WIDE                                                                              \
	2u /* before it a node had 8 bits, and what now are the others was reserved                \
	    */

/* Kinds of entries, 5.2.16.1 to 5.2.16.6, and an initiator's way to be named. */
enum { CORE = 0, MEMORY = 1, CORE_X2APIC = 2, INITIATOR = 5 };
#define INITIATOR_PCI 1u

/* Little-endian, unaligned; the caller knows that it is there. */
static uint64_t field(const uint8_t *p, size_t bytes)
{
	uint64_t v = 0;

	memcpy(&v, p, bytes);
	return v;
}

/* Notes that a node exists. false: there are too many. */
static bool add_node(struct srat *s, uint32_t node)
{
	for (unsigned i = 0; i < s->nodes; i++)
		if (s->node[i] == node)
			return true;
	if (node == NODE_UNKNOWN || s->nodes == SRAT_NODES_MAX)
		return false;
	s->node[s->nodes++] = node;
	return true;
}

static bool add_core(struct srat *s, uint32_t apic_id, uint32_t node)
{
	if (s->cores == SRAT_CORES_MAX || srat_core_node(s, apic_id) != NODE_UNKNOWN ||
		!add_node(s, node))
		return false;
	s->core[s->cores].apic_id = apic_id;
	s->core[s->cores++].node = node;
	return true;
}

/* Of ranges that overlap the first one counts: memory has one node. */
static bool add_range(struct srat *s, uint64_t first, uint64_t bytes, uint32_t node)
{
	uint64_t end = first + bytes;

	if (end <= first || s->ranges == SRAT_RANGES_MAX)
		return false;
	for (unsigned i = 0; i < s->ranges; i++)
		if (first < s->range[i].end && s->range[i].first < end)
			return false;
	if (!add_node(s, node))
		return false;
	s->range[s->ranges].first = first;
	s->range[s->ranges].end = end;
	s->range[s->ranges++].node = node;
	return true;
}

static bool add_device(struct srat *s, const uint8_t *handle, uint32_t node)
{
	uint16_t segment = (uint16_t)field(handle, 2);

	if (s->devices == SRAT_DEVICES_MAX || node == NODE_UNKNOWN ||
		srat_device_node(s, segment, handle[2], handle[3]) != NODE_UNKNOWN)
		return false;
	s->device[s->devices].segment = segment;
	s->device[s->devices].bus = handle[2];
	s->device[s->devices].function = handle[3];
	s->device[s->devices++].node = node;
	return true;
}

static bool enabled(const uint8_t *flags)
{
	return flags[0] & 1;
}

/* One entry of `bytes` bytes at p. false: it is left out. */
static bool parse_entry(struct srat *s, const uint8_t *p, size_t bytes, uint32_t node_mask)
{
	static const uint8_t least[] = {
		[CORE] = 16, [MEMORY] = 40, [CORE_X2APIC] = 24, [INITIATOR] = 32};

	if (p[0] >= sizeof least || least[p[0]] == 0)
		return true; /* a kind of no interest */
	if (bytes < least[p[0]])
		return false;
	switch (p[0]) {
	case CORE: /* its node is in two places */
		return !enabled(p + 4) ||
		       add_core(s, p[3], (p[2] | (uint32_t)field(p + 9, 3) << 8) & node_mask);
	case MEMORY:
		return !enabled(p + 28) || add_range(s, field(p + 8, 8), field(p + 16, 8),
						   (uint32_t)field(p + 2, 4) & node_mask);
	case CORE_X2APIC:
		return !enabled(p + 12) ||
		       add_core(s, (uint32_t)field(p + 8, 4), (uint32_t)field(p + 4, 4));
	default: /* an initiator; others than on PCI have names of the byte code */
		return !enabled(p + 24) || p[3] != INITIATOR_PCI ||
		       add_device(s, p + 8, (uint32_t)field(p + 4, 4));
	}
}

void srat_parse(const uint8_t *table, size_t bytes, struct srat *s)
{
	size_t at = ENTRIES_AT;

	memset(s, 0, sizeof *s);
	while (at + 2 <= bytes) {
		size_t length = table[at + 1];

		if (length < 2 || length > bytes - at) {
			s->left_out++;
			return; /* the rest cannot be told apart */
		}
		s->left_out += !parse_entry(s, table + at, length,
			table[REVISION_AT] < REVISION_WIDE ? 0xff : UINT32_MAX);
		at += length;
	}
}

uint32_t srat_core_node(const struct srat *s, uint32_t apic_id)
{
	for (unsigned i = 0; i < s->cores; i++)
		if (s->core[i].apic_id == apic_id)
			return s->core[i].node;
	return NODE_UNKNOWN;
}

uint32_t srat_device_node(const struct srat *s, uint16_t segment, uint8_t bus, uint8_t function)
{
	for (unsigned i = 0; i < s->devices; i++)
		if (s->device[i].segment == segment && s->device[i].bus == bus &&
			s->device[i].function == function)
			return s->device[i].node;
	return NODE_UNKNOWN;
}

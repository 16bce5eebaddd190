/* Tables for unit tests. */
#include "test/model/tables.h"

#include <stdlib.h>
#include <string.h>

void *model_memory(size_t bytes)
{
	void *p = aligned_alloc(64, (bytes + 63) & ~(size_t)63);

	if (!p)
		abort();
	return memset(p, 0xa5, bytes);
}

void model_rib4_init(struct rib4 *rib, uint32_t routes)
{
	rib4_init(rib, model_memory(rib4_size(routes)), routes);
}

void model_rib6_init(struct rib6 *rib, uint32_t routes)
{
	rib6_init(rib, model_memory(rib6_size(routes)), routes);
}

void model_rib_free(struct rib *rib)
{
	free(rib->trie.node); /* the memory begins there */
}

void model_nexthops_init(struct nexthop_table *t)
{
	struct nexthop_memory m = {
		.adjacency = calloc(NEXTHOP_MAX, sizeof *m.adjacency),
		.nexthop = calloc(NEXTHOP_MAX, sizeof *m.nexthop),
		.place = calloc((size_t)GROUP_MAX * GROUP_SPREAD, sizeof *m.place),
		.leads = calloc(NEXTHOP_MAX, sizeof *m.leads),
		.group = calloc(GROUP_MAX, sizeof *m.group),
	};

	if (!m.adjacency || !m.nexthop || !m.place || !m.leads || !m.group)
		abort();
	nexthop_init(t, &m);
}

void model_nexthops_free(struct nexthop_table *t)
{
	free(t->adjacency);
	free(t->nexthop);
	free(t->place);
	free(t->leads);
	free(t->group);
}

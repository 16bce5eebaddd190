/* Applying a configuration: its static neighbours. */
#include "kernel/apply.h"

#include <stdlib.h>
#include <string.h>

static struct static_neighbors in_force;

bool neighbors_want(struct apply *a, struct static_neighbors *copy)
{
	*copy = (struct static_neighbors){.n = a->config->neighbors};
	copy->list = malloc((copy->n + 1) * sizeof *copy->list);
	if (!copy->list)
		return apply_fail(a, "not enough memory");
	if (copy->n)
		memcpy(copy->list, a->config->neighbor, copy->n * sizeof *copy->list);
	return true;
}

static bool has_neighbor(const struct static_neighbors *in, const struct config_neighbor *x)
{
	for (unsigned i = 0; i < in->n; i++)
		if (in->list[i].six == x->six && in->list[i].address == x->address &&
			ip6_equal(in->list[i].address6, x->address6) &&
			strcmp(in->list[i].iface, x->iface) == 0)
			return true;
	return false;
}

void neighbors_replace(struct router *r, struct static_neighbors *want, bool fresh)
{
	int port;

	if (!fresh && in_force.n == want->n &&
		(!want->n || memcmp(in_force.list, want->list, want->n * sizeof *want->list) == 0))
		return;
	for (unsigned i = 0; i < in_force.n; i++) {
		const struct config_neighbor *x = &in_force.list[i];

		if (!has_neighbor(want, x) && (port = port_by_name(r, x->iface)) >= 0)
			config_clear_neighbor(r, (unsigned)port, x);
	}
	for (unsigned i = 0; i < want->n; i++) {
		const struct config_neighbor *x = &want->list[i];

		if ((port = port_by_name(r, x->iface)) >= 0)
			(void)!config_set_neighbor(r, (unsigned)port, x);
	}
	free(in_force.list);
	in_force = *want;
	*want = (struct static_neighbors){0};
}

/* From the configuration to classes, rates and receive spreading of the ports. */
#include "kernel/config.h"

#include <string.h>

#include "lib/hash.h"

/* What the configuration says of one port's output. */
struct output {
	uint8_t class_of[DSCP_COUNT], pcp_class[PCP_COUNT];
	uint32_t strict; /* a bit per class */
	uint16_t weight[VOQ_CLASSES];
	uint64_t bps; /* 0: no limit */
	bool any;     /* it says something */
};

static void read_output(struct output *o, const struct config *c, const char *name)
{
	memset(o, 0, sizeof *o); /* padding too: it is hashed */
	memset(o->pcp_class, CLASS_BY_DSCP, sizeof o->pcp_class);
	for (unsigned class = 0; class < VOQ_CLASSES; class ++)
		o->weight[class] = 1;
	for (unsigned i = 0; i < c->classes; i++) {
		const struct config_class *k = &c->class[i];

		if (strcmp(k->iface, name) != 0)
			continue;
		o->any = true;
		memset((k->pcp ? o->pcp_class : o->class_of) + k->first, k->class,
			k->last - k->first + 1u);
		if (k->strict)
			o->strict |= 1u << k->class;
		else
			o->weight[k->class] = k->weight;
	}
	for (unsigned i = 0; i < c->shapes; i++) {
		if (strcmp(c->shape[i].iface, name) != 0)
			continue;
		o->any = true;
		o->bps = c->shape[i].bps;
	}
}

static void apply_output(struct router *r, unsigned port, const struct output *o)
{
	struct sched *s = &r->sched[r->first_txq[port]];

	/* How a class shares before anything goes into it; only the first TX queue has several. */
	for (unsigned class = 0; class < VOQ_CLASSES; class ++)
		sched_set_class(s, class, o->strict >> class & 1, o->weight[class]);
	router_set_rate(r, port, o->bps);
	router_set_one_txq(r, port, o->any);
	for (unsigned dscp = 0; dscp < DSCP_COUNT; dscp++)
		store_once(&r->classes[port].of_dscp[dscp], o->class_of[dscp]);
	for (unsigned pcp = 0; pcp < PCP_COUNT; pcp++)
		store_once(&r->classes[port].of_pcp[pcp], o->pcp_class[pcp]);
}

static enum rx_spread wanted_spread(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->ifaces; i++)
		if (strcmp(c->iface[i].name, name) == 0)
			return c->iface[i].rx_spread;
	return RX_SPREAD_AUTO;
}

static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = hash_mix(h ^ ((const uint8_t *)bytes)[i]);
	return h;
}

uint64_t config_queues_digest(const struct router *r, const struct config *c)
{
	uint64_t h = hash_mix(c->relaxed + 1u);

	for (unsigned port = 0; port < r->ports; port++) {
		enum rx_spread spread = wanted_spread(c, r->iface[port].name);
		struct output o;

		read_output(&o, c, r->iface[port].name);
		h = hash_bytes(h, &o, sizeof o);
		h = hash_bytes(h, &spread, sizeof spread);
	}
	return h;
}

/* No port looks at the DSCP. */
static bool no_dscp(const struct config *c)
{
	for (unsigned i = 0; i < c->classes; i++)
		if (!c->class[i].pcp && c->class[i].class != 0)
			return false;
	return true;
}

void config_apply_queues(struct router *r, const struct config *c)
{
	router_set_one_class(r, false);
	for (unsigned port = 0; port < r->ports; port++) {
		const char *name = r->iface[port].name;
		struct output o;

		read_output(&o, c, name);
		apply_output(r, port, &o);
		router_set_spread(r, port, wanted_spread(c, name));
	}
	router_set_one_class(r, no_dscp(c));
	store_once(&r->relaxed, c->relaxed);
	r->queues = config_queues_digest(r, c);
}

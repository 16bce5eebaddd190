/* The control core's tasks: punted packets, protocol timers, links, publication, the log. */
#include "kernel/control.h"

#include "kernel/audit.h"
#include "kernel/explain.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/publish.h"
#include "kernel/verify.h"
#include "kernel/vlans.h"
#include "lib/hash.h"
#include "lib/text.h"
#include "lib/text6.h"
#include "net/table/resolve.h"

#define PUNT_BURST  16u       /* packets taken from one punt ring a turn */
#define TICK_US     10000u    /* protocol timers */
#define LINK_US     100000u   /* link state: slow reads over the bus */
#define STARVED_US  60000000u /* a flood must not wash the log away */
#define SYNC_US     1000000u
#define FILLING_US  20000u  /* the same, while the RIBs get compiled-in routes: seconds */
#define FAREWELL_US 100000u /* for the last frames to leave */
#define YIELD_US    300u    /* between turns of the others: a task takes 1 ms at most */

static struct {
	uint64_t tick_us, link_us, starved_us; /* when each task last ran */
	uint64_t starved[RXQ_MAX];             /* pool counts already reported */
	bool failed[PORT_MAX];                 /* devices already reported */
	bool links_read;                       /* once, before the workers start */
	bool rising[PORT_MAX];                 /* the link came, and this waits for the workers */
	struct rcu_grace risen[PORT_MAX];
	control_icmp_fn *listener, *listener6;
	void *listener_ctx, *listener6_ctx;
	void (*more)(void); /* at each yield */
	uint64_t yield_us;  /* when the last one ended */
	bool frozen, yielding;
} control;

/* ---- what the stack needs (net/proto/stack.h) ---- */

static bool op_alloc(void *ctx, uint32_t *index)
{
	struct router *r = ctx;

	if (pool_take(&r->buffers, r->control_pool, index, 1) == 0)
		return false;
	r->buffers.owner[*index] = OWNER_CONTROL;
	counter_add(&r->counters[ACTOR_CONTROL]->port[CONTROL_PORT].rx_packets, 1);
	return true;
}

/* The port whose books a packet is in. */
static unsigned port_of(const struct router *r, uint64_t word)
{
	return r->tables.pool_port[packet_pool(word)];
}

static unsigned op_ingress(void *ctx, uint64_t word)
{
	return vlans_ingress(ctx, word);
}

static void op_drop(void *ctx, uint64_t word, enum drop_reason reason)
{
	path_drop(router_control_lane(ctx), port_of(ctx, word), word, reason);
}

static void op_deliver(void *ctx, uint64_t word)
{
	struct router *r = ctx;

	counter_add(&r->counters[ACTOR_CONTROL]->port[port_of(r, word)].delivered, 1);
	buffers_free(&r->buffers, ACTOR_CONTROL, &word, 1);
}

static void op_transmit(void *ctx, unsigned number, uint64_t word)
{
	struct router *r = ctx;
	const struct iface *i = &r->iface[number];
	struct counters *c = r->counters[ACTOR_CONTROL];

	if (port_of(r, word) == CONTROL_PORT)
		counter_add(&c->port[CONTROL_PORT].rx_bytes, packet_len(word));
	word = packet_retake(word, packet_len(word), 0);
	if (!i->link || !i->enabled)
		op_drop(r, word, DROP_LINK_DOWN);
	else
		path_enqueue(router_control_lane(r), i->txq, &word, 1);
}

static bool op_may_leave(void *ctx, unsigned number, uint64_t word)
{
	struct router *r = ctx;

	return filter_may_leave(router_control_lane(r), number, packet_frame(&r->buffers, word),
		packet_len(word), packet_flags(word) & PACKET_FLAG_KNOWN);
}

static void op_routes_changed(void *ctx)
{
	control_routes_changed(ctx);
}

static void op_icmp_seen(
	void *ctx, const uint8_t *ip, uint32_t ip_len, const uint8_t *icmp, uint32_t icmp_len)
{
	if (control.listener)
		control.listener(control.listener_ctx, ip, ip_len, icmp, icmp_len);
}

static void op_address_conflict(void *ctx, unsigned port, uint32_t address, const uint8_t *mac)
{
	const struct router *r = ctx;
	char own[TEXT_IPV4_MAX], other[TEXT_MAC_MAX];

	text_print_ipv4(own, address);
	text_print_mac(other, mac);
	log_text("%s: %s uses our address %s", r->iface[port].name, other, own);
}

static void op_icmp6_seen(
	void *ctx, const uint8_t *ip, uint32_t ip_len, const uint8_t *icmp, uint32_t icmp_len)
{
	if (control.listener6)
		control.listener6(control.listener6_ctx, ip, ip_len, icmp, icmp_len);
}

static bool op_stands_in(void *ctx, unsigned port, uint32_t address)
{
	return nats_stands_in(ctx, port, address);
}

static bool op_restore(void *ctx, uint64_t word, uint8_t *frame)
{
	return !(packet_flags(word) & PACKET_FLAG_CHANGED) || nats_restore(ctx, frame);
}

static void op_address_conflict6(
	void *ctx, unsigned port, struct ip6 address, const uint8_t *mac, bool duplicate)
{
	const struct router *r = ctx;
	char own[TEXT_IPV6_MAX], other[TEXT_MAC_MAX];

	text_print_ipv6(own, address.hi, address.lo);
	text_print_mac(other, mac);
	log_text("%s: %s uses our address %s%s", r->iface[port].name, other, own,
		duplicate ? "; duplicate, so we do not" : "");
}

static const struct stack_ops ops = {
	.alloc = op_alloc,
	.transmit = op_transmit,
	.drop = op_drop,
	.deliver = op_deliver,
	.ingress = op_ingress,
	.may_leave = op_may_leave,
	.routes_changed = op_routes_changed,
	.icmp_seen = op_icmp_seen,
	.address_conflict = op_address_conflict,
	.stands_in = op_stands_in,
	.restore = op_restore,
	.icmp6_seen = op_icmp6_seen,
	.address_conflict6 = op_address_conflict6,
};

/* ---- tasks ---- */

static uint64_t now_ms(void)
{
	return platform_now_us() / 1000;
}

/* true: there were any. */
static bool control_punted(struct router *r)
{
	bool any = false;

	for (unsigned l = 0; l + 1 < r->lanes; l++) {
		uint64_t word[PUNT_BURST];
		unsigned n = ring_pop(r->punt[l], word, PUNT_BURST);
		uint64_t now = n ? now_ms() : 0;

		any |= n != 0;
		for (unsigned i = 0; i < n; i++)
			stack_input(&r->stack, word[i], now);
	}
	return any;
}

static void refresh_statics(struct router *r, struct statics *s)
{
	if (static_refresh(s->route, s->n, r->iface, r->ifaces, s->rib, &r->nexthops) != ERR_OK)
		log_text("static routes: the routing table is full");
}

/* An interface came up or went down: its routes. */
static void control_iface_changed(struct router *r, struct iface *iface)
{
	bool up = iface->link && iface->enabled;

	if (up && (iface_install(iface, &r->rib, &r->nexthops) != ERR_OK ||
			  iface6_install(iface, &r->rib6, &r->nexthops) != ERR_OK))
		log_text("%s: its addresses do not fit the routing table", iface->name);
	if (!up) {
		iface6_withdraw(iface, &r->rib6, &r->nexthops);
		iface_withdraw(iface, &r->rib, &r->nexthops);
	}
}

/* A port's link came or went, for it and its subinterfaces; then the routes that lean on them. */
static void control_link_changed(struct router *r, unsigned port, bool link)
{
	for (unsigned n = 0; n < r->ifaces; n++) {
		struct iface *i = &r->iface[n];

		if (i->parent != port || !i->name[0])
			continue;
		i->link = link;
		control_iface_changed(r, i);
	}
	refresh_statics(r, &r->statics);
	refresh_statics(r, &r->statics6);
	for (unsigned n = 0; n < r->ifaces; n++)
		if (r->iface[n].parent == port && r->iface[n].name[0])
			stack_link_changed(&r->stack, n, link && r->iface[n].enabled, now_ms());
	control_routes_changed(r);
}

/*
 * A link that came. A worker that found it down a moment ago may still be throwing
 * away what waits for the port: announcements and probes would go with it. true:
 * all workers have looked again since.
 */
static bool control_link_rose(const struct router *r, unsigned port)
{
	unsigned holdout;

	if (!control.rising[port] && control.links_read)
		rcu_grace_start(&r->rcu, &control.risen[port]);
	control.rising[port] =
		control.links_read && !rcu_grace_done(&r->rcu, &control.risen[port], &holdout);
	return !control.rising[port];
}

static void control_links(struct router *r)
{
	for (unsigned port = 0; port < r->ports; port++) {
		struct netdev *dev = r->dev[port];
		struct iface *iface = &r->iface[port];

		dev->ops->poll(dev);
		bool link = dev->link && !load_once(&dev->failed);

		if (dev->failed && !control.failed[port]) {
			control.failed[port] = true;
			log_text("%s: %s stopped: %s", iface->name, dev->driver, dev->failure);
		}
		control.failed[port] &= load_once(&dev->failed); /* what was lost may return */
		if (!link)
			control.rising[port] = false;
		if (link == iface->link || (link && !control_link_rose(r, port)))
			continue;
		log_text("%s: link %s", iface->name, link ? "up" : "down");
		control_link_changed(r, port, link);
	}
	control.links_read = true;
}

static void control_starved(struct router *r)
{
	for (unsigned q = 0; q < r->rxqs; q++) {
		uint64_t n = load_once(&r->buffers.pool[q]->starved);

		if (n != control.starved[q])
			log_text("%s: the buffer pool of receive queue %u ran dry %llu times",
				r->iface[r->rxq[q].port].name, r->rxq[q].queue,
				(unsigned long long)(n - control.starved[q]));
		control.starved[q] = n;
	}
}

static bool control_due(uint64_t *last_us, uint64_t now_us, uint64_t every_us)
{
	if (now_us - *last_us < every_us)
		return false;
	*last_us = now_us;
	return true;
}

bool control_turn(struct router *r)
{
	captures_turn(r);
	bool moved = control_punted(r);
	uint64_t now = platform_now_us();

	if (control_due(&control.tick_us, now, TICK_US)) {
		stack_tick(&r->stack, now / 1000);
		log_drain();
		filters_log(r, now);
		flows_log(r);
	}
	if (control_due(&control.link_us, now, LINK_US))
		control_links(r);
	if (control_due(&control.starved_us, now, STARVED_US))
		control_starved(r);
	publish_turn(r);
	moved |= verify_step(r);
	return moved | !publish_idle(r);
}

/* What nobody on the wire knows: when it was started, to the tick. */
static uint64_t control_seed(const struct router *r)
{
	uint64_t seed = hash_mix(platform_tsc());

	for (unsigned port = 0; port < r->ports; port++)
		for (unsigned i = 0; i < 6; i++)
			seed = hash_mix(seed + r->dev[port]->mac[i]);
	return seed;
}

bool control_init(struct router *r)
{
	r->stack.ops = &ops;
	r->stack.ctx = r;
	r->stack.buffers = &r->buffers;
	r->stack.iface = r->iface;
	r->stack.ifaces = r->ifaces;
	r->stack.rib = &r->rib;
	r->stack.rib6 = &r->rib6;
	r->stack.nexthops = &r->nexthops;
	r->stack.seed = control_seed(r);
	stack_init(&r->stack, now_ms());
	control.links_read = false;
	control.link_us = platform_now_us() - LINK_US; /* the first turn reads the links */
	return explain_init(r) && publish_init(r);
}

void control_routes_changed(struct router *r)
{
	resolve_refresh(&r->rib.rib, &r->nexthops);
	resolve_refresh(&r->rib6.rib, &r->nexthops);
}

void control_yield(struct router *r)
{
	if (control.yielding || platform_now_us() - control.yield_us < YIELD_US)
		return;
	control.yielding = true;
	if (!control.frozen)
		control_turn(r);
	if (control.more)
		control.more();
	control.yielding = false;
	control.yield_us = platform_now_us();
}

void control_freeze(bool frozen)
{
	control.frozen = frozen;
}

void control_on_yield(void (*more)(void))
{
	control.more = more;
}

bool control_sync(struct router *r)
{
	uint64_t start = platform_now_us(), limit = publish_filling(r) ? FILLING_US : SYNC_US;

	do {
		publish_turn(r);
		if (publish_settled(r))
			return true;
		control_yield(r);
		platform_relax();
	} while (platform_now_us() - start < limit);
	return false;
}

/* Something of the control core's own is on its way to a device, or in it. */
static bool control_is_sending(const struct router *r)
{
	uint32_t first = r->control_pool << POOL_SHIFT;

	for (uint32_t i = first; i < first + POOL_BUFS; i++)
		if (load_once(&r->buffers.owner[i]) >= OWNER_OUTPUT(0))
			return true;
	return false;
}

/* The links hear that we go, if their queues let it through in time. */
static void control_farewell(struct router *r)
{
	uint64_t start = platform_now_us();

	for (unsigned n = 0; n < r->ifaces; n++)
		if (r->iface[n].installed)
			stack_farewell(&r->stack, n, start / 1000);
	control_freeze(true); /* no timer says anything else after it */
	while (control_is_sending(r) && platform_now_us() - start < FAREWELL_US) {
		control_yield(r);
		platform_relax();
	}
	control_freeze(false);
}

void control_stop_devices(struct router *r)
{
	unsigned holdout;

	control_farewell(r);
	/* A worker that does not answer is no reason to leave its devices running. */
	bool parked = audit_park(r, &holdout);

	for (unsigned port = 0; port < r->ports; port++)
		r->dev[port]->ops->stop(r->dev[port]);
	if (parked)
		audit_release(r);
}

void control_listen_icmp(control_icmp_fn *fn, void *ctx)
{
	control.listener = fn;
	control.listener_ctx = ctx;
}

void control_listen_icmp6(control_icmp_fn *fn, void *ctx)
{
	control.listener6 = fn;
	control.listener6_ctx = ctx;
}

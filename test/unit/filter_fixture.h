/* A router with routes of both families and access lists to be filled, for unit tests. */
#ifndef TEST_UNIT_FILTER_FIXTURE_H
#define TEST_UNIT_FILTER_FIXTURE_H

#include "test/unit/vlan_fixture.h"

#include "kernel/filter.h"
#include "net/path/frame.h"

#define SIX(net, host) ((struct ip6){0xfd00000000000000ull | (net), (host)})
#define FROM6(host)    ((struct ip6){0x20010db800050000ull, (host)})
#define TO6(host)      ((struct ip6){0x20010db800060000ull, (host)})
#define RULES          300u
#define LISTS          3u

static struct config_route routes[3], routes6[1];
static struct config_neighbor neighbors[PORTS];
static struct config_acl lists[LISTS];
static struct config_rule rules[RULES];
static struct acl_rule match[RULES];
/* ---- the router ---- */

static inline void commit(void)
{
	configure(&config, NULL);
	turns(5);
	drain();
}

static inline void bind(unsigned iface, const char *in, const char *out)
{
	snprintf(ifaces[iface].acl_in, ACL_NAME_MAX, "%s", in);
	snprintf(ifaces[iface].acl_out, ACL_NAME_MAX, "%s", out);
}

/* 20/8 and 2001:db8:6::/48 by port 1, 40/8 by ports 1 and 2; no lists. */
static inline int setup_filter(void **state)
{
	setup_vlans(state);
	memset(routes, 0, sizeof routes);
	memset(routes6, 0, sizeof routes6);
	memset(neighbors, 0, sizeof neighbors);
	memset(rules, 0, sizeof rules);
	memset(match, 0, sizeof match);
	memset(lists, 0, sizeof lists);
	config.neighbor = neighbors;
	config.neighbors = PORTS;
	for (unsigned port = 0; port < PORTS; port++) {
		ifaces[port].addr6[0] = (struct iface_addr6){.address = SIX(port, 1), .length = 64};
		ifaces[port].addrs6 = 1;
		neighbors[port] = (struct config_neighbor){.six = true, .address6 = SIX(port, 2)};
		memcpy(neighbors[port].iface, ifaces[port].name, IFACE_NAME_MAX);
		memcpy(neighbors[port].mac, host_mac[port], 6);
	}
	routes[0].route = (struct static_route){.prefix = rib4_key(IP(20, 0, 0, 0)),
		.length = 8,
		.gateway = rib4_key(HOST(1)),
		.weight = 1};
	for (unsigned i = 1; i < 3; i++)
		routes[i].route = (struct static_route){.prefix = rib4_key(IP(40, 0, 0, 0)),
			.length = 8,
			.gateway = rib4_key(HOST(i)),
			.weight = 1};
	config.route = routes;
	config.routes = 3;
	routes6[0].route = (struct static_route){
		.prefix = TO6(0), .length = 48, .gateway = SIX(1, 2), .weight = 1};
	config.route6 = routes6;
	config.routes6 = 1;
	config.acl = lists;
	config.rule = rules;
	config.match = match;
	commit();
	turns(20);
	drain();
	return 0;
}

/* A list of the n rules from the first free one on. */
static inline void add_list(const char *name, unsigned n)
{
	struct config_acl *list = &lists[config.acls++];

	*list = (struct config_acl){.first = config.rules, .rules = n};
	snprintf(list->name, sizeof list->name, "%s", name);
	for (unsigned i = 0; i < n; i++) {
		struct config_rule *rule = &rules[config.rules++];

		if (!rule->number)
			rule->number = 10 * (i + 1);
	}
}

#endif

/* The grammar itself: every command and every configuration line. */
#include "drivers/watchdog.h"
#include "kernel/shell/commands.h"
#include "kernel/shell/history.h"
#include "kernel/shell/nodes.h"
#include "lib/limits.h"
#include "net/path/class.h"
#include "net/path/meter.h"
#include "net/path/police.h"
#include "net/path/sched.h"
#include "net/table/vlan.h"

/* Each table names the ones it leads to, so they stand from the leaves to the root. */

/* ---------------------------------------------------------------- configuration */

static const struct node hostname_value[] = {
	ARG(HOSTNAME, "name of this router", .flags = NODE_END),
	LAST,
};
static const struct node workers_value[] = {
	ARG(NUMBER, "forwarding cores", .min = 1, .max = CORE_MAX - 1, .flags = NODE_END),
	LAST,
};
static const struct node idle_value[] = {
	WORD("poll", "they look for packets all the time", .flags = NODE_END),
	WORD("relaxed", "they sleep up to 1 ms while there are none", .flags = NODE_END),
	LAST,
};
static const struct node watchdog_value[] = {
	ARG(NUMBER, "seconds", .min = WATCHDOG_SECONDS_MIN, .max = WATCHDOG_SECONDS_MAX,
		.flags = NODE_END),
	LAST,
};
static const struct node set_system[] = {
	WORD("hostname", "name of this router", .next = hostname_value, .flags = NODE_SINGLE),
	WORD("idle", "what cores without traffic do", .next = idle_value, .flags = NODE_SINGLE),
	WORD("watchdog", "resets the machine when something has stood still so long",
		.next = watchdog_value, .flags = NODE_SINGLE),
	WORD("workers", "forwarding cores, from the next boot on", .next = workers_value,
		.flags = NODE_SINGLE),
	LAST,
};

static const struct node address_value[] = {
	ARG(IFADDR, "own address and prefix length", .flags = NODE_END),
	LAST,
};
static const struct node description_value[] = {
	ARG(TEXT, "text, in quotes if it holds blanks", .flags = NODE_END),
	LAST,
};
static const struct node mac_value[] = {
	ARG(MAC, "address of the NIC", .flags = NODE_END),
	LAST,
};
static const struct node mtu_value[] = {
	ARG(NUMBER, "bytes of an IP packet", .min = MTU_MIN, .max = MTU_MAX, .flags = NODE_END),
	LAST,
};
static const struct node rx_spread_value[] = {
	WORD("auto", "if there are more workers than RX queues of all ports", .flags = NODE_END),
	WORD("off", "each RX queue by its own worker", .flags = NODE_END),
	WORD("on", "flows over several workers", .flags = NODE_END),
	LAST,
};
static const struct node urpf_value[] = {
	WORD("loose", "some route leads to the source", .flags = NODE_END),
	WORD("strict", "the best route to the source leads out by this interface",
		.flags = NODE_END),
	LAST,
};
static const struct node police_packets_burst_value[] = {
	ARG(NUMBER, "packets", .min = 1, .max = METER_BURST_PACKETS_MAX, .flags = NODE_END),
	LAST,
};
static const struct node police_packets_options[] = {
	WORD("burst", "how many at once; of 100 ms, unless given",
		.next = police_packets_burst_value),
	LAST,
};
static const struct node police_packets[] = {
	ARG(NUMBER, "packets a second", .min = 1, .max = METER_PACKETS_MAX,
		.next = police_packets_options, .flags = NODE_END),
	LAST,
};
static const struct node police_burst_value[] = {
	ARG(SIZE, "bytes: 15000, 64k, 2m", .min = METER_BURST_MIN, .max = METER_BURST_MAX,
		.flags = NODE_END),
	LAST,
};
static const struct node police_options[] = {
	WORD("burst", "how much at once; of 100 ms, unless given", .next = police_burst_value),
	LAST,
};
static const struct node police_value[] = {
	WORD("packets", "packets a second, of any length", .next = police_packets),
	ARG(RATE, "bits a second of Ethernet frames", .next = police_options, .flags = NODE_END),
	LAST,
};
static const struct node set_vlan[] = {
	WORD("acl", "lists that decide about its packets", .next = interface_acl),
	WORD("address", "own address, repeatable", .next = address_value),
	WORD("description", "what it leads to", .next = description_value, .flags = NODE_SINGLE),
	WORD("disabled", "receives and sends nothing", .flags = NODE_END),
	WORD("mtu", "largest IP packet; the port's, unless given", .next = mtu_value,
		.flags = NODE_SINGLE),
	WORD("police", "drops what comes in beyond a rate", .next = police_value,
		.flags = NODE_SINGLE),
	WORD("router-advert", "tells hosts of its IPv6 networks", .flags = NODE_END),
	WORD("urpf", "drops what its source's route does not lead back to", .next = urpf_value,
		.flags = NODE_SINGLE),
	LAST,
};
static const struct node vlan_value[] = {
	ARG(NUMBER, "VLAN, 802.1Q", .min = VID_FIRST, .max = VID_LAST, .next = set_vlan),
	LAST,
};
static const struct node set_interface[] = {
	WORD("acl", "lists that decide about its packets", .next = interface_acl),
	WORD("address", "own address, repeatable", .next = address_value),
	WORD("description", "what it leads to", .next = description_value, .flags = NODE_SINGLE),
	WORD("disabled", "receives and sends nothing", .flags = NODE_END),
	WORD("flow-control", "its peer and it may pause each other, 802.3x", .flags = NODE_END),
	WORD("mac", "binds the name to this NIC, from the next boot on", .next = mac_value,
		.flags = NODE_SINGLE),
	WORD("mtu", "largest IP packet", .next = mtu_value, .flags = NODE_SINGLE),
	WORD("police", "drops what comes in beyond a rate", .next = police_value,
		.flags = NODE_SINGLE),
	WORD("router-advert", "tells hosts of its IPv6 networks", .flags = NODE_END),
	WORD("rx-spread", "who processes what it receives", .next = rx_spread_value,
		.flags = NODE_SINGLE),
	WORD("urpf", "drops what its source's route does not lead back to", .next = urpf_value,
		.flags = NODE_SINGLE),
	WORD("vlan", "a subinterface: what has its tag", .next = vlan_value),
	LAST,
};
static const struct node set_interfaces[] = {
	ARG(IFACE, "interface", .next = set_interface),
	LAST,
};

static const struct node route_weight_value[] = {
	ARG(NUMBER, "its part of the flows", .min = 1, .max = 255, .flags = NODE_END),
	LAST,
};
static const struct node route_dev_options[] = {
	WORD("weight", "its part of the flows, among several next hops",
		.next = route_weight_value),
	LAST,
};
static const struct node route_dev_value[] = {
	ARG(SUBIFACE, "interface of the next hop", .next = route_dev_options, .flags = NODE_END),
	LAST,
};
static const struct node route_via_options[] = {
	WORD("dev", "interface of the next hop", .next = route_dev_value),
	WORD("weight", "its part of the flows, among several next hops",
		.next = route_weight_value),
	LAST,
};
static const struct node route_via[] = {
	ARG(ADDRESS, "next hop, repeatable: paths of equal cost", .next = route_via_options,
		.flags = NODE_END | NODE_SINGLE),
	LAST,
};
static const struct node set_route[] = {
	WORD("blackhole", "drop silently", .flags = NODE_END),
	WORD("prohibit", "drop, answer that it is prohibited", .flags = NODE_END),
	WORD("unreachable", "drop, answer that the host is unreachable", .flags = NODE_END),
	WORD("via", "forward to a next hop", .next = route_via),
	LAST,
};
static const struct node set_routes[] = {
	ARG(PREFIX, "destinations", .next = set_route),
	LAST,
};

static const struct node neighbor_mac[] = {
	ARG(MAC, "its link-layer address", .flags = NODE_END),
	LAST,
};
static const struct node neighbor_address[] = {
	ARG(ADDRESS, "the neighbour", .next = neighbor_mac, .flags = NODE_SINGLE),
	LAST,
};
static const struct node set_neighbors[] = {
	ARG(SUBIFACE, "interface", .next = neighbor_address),
	LAST,
};

static const struct node class_weight_value[] = {
	ARG(NUMBER, "share of the output", .min = 1, .max = SCHED_WEIGHT_MAX, .flags = NODE_END),
	LAST,
};
static const struct node class_share[] = {
	WORD("priority", "before all classes with a weight", .flags = NODE_END),
	WORD("weight", "shares what strict classes leave", .next = class_weight_value),
	LAST,
};
static const struct node class_dscp_value[] = {
	ARG(RANGE, "DSCP of its packets", .min = 0, .max = DSCP_COUNT - 1, .next = class_share,
		.flags = NODE_SINGLE),
	LAST,
};
static const struct node class_pcp_value[] = {
	ARG(RANGE, "802.1p priority of its packets", .min = 0, .max = PCP_COUNT - 1,
		.next = class_share, .flags = NODE_SINGLE),
	LAST,
};
static const struct node class_dscp[] = {
	WORD("dscp", "what it holds, repeatable", .next = class_dscp_value),
	WORD("pcp", "what it holds of packets that came with a VLAN tag, before their DSCP",
		.next = class_pcp_value),
	LAST,
};
static const struct node class_value[] = {
	ARG(NUMBER, "class; 0 is everybody's", .min = 0, .max = VOQ_CLASSES - 1,
		.next = class_dscp),
	LAST,
};
static const struct node shape_value[] = {
	ARG(RATE, "bits a second of Ethernet frames", .flags = NODE_END),
	LAST,
};
static const struct node set_queue[] = {
	WORD("class", "packets that wait apart from others", .next = class_value),
	WORD("shape", "limits the rate of the output", .next = shape_value, .flags = NODE_SINGLE),
	LAST,
};
static const struct node set_queues[] = {
	ARG(IFACE, "interface", .next = set_queue),
	LAST,
};

static const struct node set_protocols[] = {
	WORD("lldp", "tells neighbours who we are, and hears them", .flags = NODE_END),
	LAST,
};

/* The order of these is the order of a printed configuration. */
static const struct node sections[] = {
	WORD("system", "the router itself", .next = set_system),
	WORD("interfaces", "addresses and properties of interfaces", .next = set_interfaces),
	WORD("routes", "static routes", .next = set_routes),
	WORD("neighbors", "static neighbours", .next = set_neighbors),
	WORD("acl", "access lists", .next = set_acl),
	WORD("nat", "translation of IPv4 addresses", .next = set_nat),
	WORD("queues", "classes and rates of outputs", .next = set_queues),
	WORD("forwarding", "what is forwarded", .next = set_forwarding),
	WORD("protocols", "what is spoken on links", .next = set_protocols),
	LAST,
};

/* ---------------------------------------------------------------- show */

static const struct node include_value[] = {
	ARG(PATTERN, "regular expression", .flags = NODE_END),
	LAST,
};
static const struct node filters[] = {
	WORD("count", "number of lines", .flags = NODE_END),
	WORD("include", "lines that match", .next = include_value),
	WORD("json", "as one line of JSON", .flags = NODE_END),
	LAST,
};
static const struct node pipe_node = WORD("|", "filters the output", .next = filters);

static const struct node generation_value[] = {
	ARG(NUMBER, "generation, see show commits", .min = 0, .max = GENERATIONS,
		.flags = NODE_END),
	LAST,
};
static const struct node show_configuration_options[] = {
	WORD("candidate", "the one being edited", .flags = NODE_END),
	WORD("rollback", "one that was in force", .next = generation_value),
	LAST,
};
static const struct node show_iface_options[] = {
	ARG(SUBIFACE, "only this one", .flags = NODE_END),
	LAST,
};
static const struct node show_port_options[] = {
	ARG(IFACE, "only this one", .flags = NODE_END),
	LAST,
};
static const struct node show_fib_options[] = {
	WORD("verify", "compares it with the routing table", .run = show_fib_verify,
		.flags = NODE_END),
	LAST,
};
static const struct node show_routes_options[] = {
	WORD("summary", "routes by source and length", .run = show_routes_summary,
		.flags = NODE_END),
	ARG(ROUTE, "routes inside the prefix, or the longest match of the address",
		.flags = NODE_END),
	LAST,
};
static const struct node show_lldp_options[] = {
	WORD("neighbors", "who is at the other end of each link", .run = show_lldp_neighbors,
		.flags = NODE_END),
	LAST,
};
static const struct node show_what[] = {
	WORD("acl", "access lists, and what met each rule", .run = show_acl,
		.next = show_acl_options, .flags = NODE_END),
	WORD("boot", "what booted the router, and how long each phase took", .run = show_boot,
		.flags = NODE_END),
	WORD("buffers", "packet buffers by owner, audited", .run = show_buffers, .flags = NODE_END),
	WORD("commits", "what was in force, and who changed it", .run = show_commits,
		.flags = NODE_END),
	WORD("configuration", "what is in force", .run = show_configuration,
		.next = show_configuration_options, .flags = NODE_END),
	WORD("control-plane", "what was handed to the control core, and policed",
		.run = show_control_plane, .flags = NODE_END),
	WORD("cores", "who runs where", .run = show_cores, .flags = NODE_END),
	WORD("crash", "the report of the last crash", .run = show_crash, .flags = NODE_END),
	WORD("drops", "the fate of every packet, balanced", .run = show_drops, .flags = NODE_END),
	WORD("fib", "the forwarding tables", .run = show_fib, .next = show_fib_options,
		.flags = NODE_END),
	WORD("flows", "the flow cache, and what it knows", .run = show_flows,
		.next = show_flows_options, .flags = NODE_END),
	WORD("hardware", "what was found of the machine, and what drives it", .run = show_hardware,
		.flags = NODE_END),
	WORD("interfaces", "state and counters of interfaces", .run = show_interfaces,
		.next = show_iface_options, .flags = NODE_END),
	WORD("latency", "from RX to TX, and the longest gaps between looks", .run = show_latency,
		.flags = NODE_END),
	WORD("lldp", "what LLDP has heard", .next = show_lldp_options),
	WORD("log", "what happened", .run = show_log, .flags = NODE_END),
	WORD("memory", "RAM and its use", .run = show_memory, .flags = NODE_END),
	WORD("nat", "rules of translation; mappings and ports", .run = show_nat_rules,
		.next = show_nat_options, .flags = NODE_END),
	WORD("neighbors", "what is known of neighbours", .run = show_neighbors, .flags = NODE_END),
	WORD("next-hops", "where routes lead, and how much went there", .run = show_next_hops,
		.flags = NODE_END),
	WORD("protocols", "counters of ARP, ND and ICMP", .run = show_protocols, .flags = NODE_END),
	WORD("queues", "virtual output queues", .run = show_queues, .next = show_port_options,
		.flags = NODE_END),
	WORD("routes", "the routing table", .run = show_routes, .next = show_routes_options,
		.flags = NODE_END),
	WORD("sessions", "connections that are tracked", .run = show_sessions,
		.next = show_sessions_options, .flags = NODE_END),
	WORD("uptime", "time since boot", .run = show_uptime, .flags = NODE_END),
	WORD("version", "what is running", .run = show_version, .flags = NODE_END),
	LAST,
};

/* ---------------------------------------------------------------- operation */

static const struct node clear_what[] = {
	WORD("counters", "all counters restart from zero", .run = clear_counters,
		.flags = NODE_END),
	WORD("crash", "the report of the last crash is forgotten", .run = clear_crash,
		.flags = NODE_END),
	WORD("flows", "what the flow cache knows is forgotten", .run = clear_flows,
		.flags = NODE_END),
	WORD("neighbors", "all but the static ones are forgotten", .run = clear_neighbors,
		.flags = NODE_END),
	WORD("sessions", "connections are forgotten", .run = clear_sessions,
		.next = clear_sessions_options, .flags = NODE_END),
	LAST,
};

/* The options of ping may follow one another in any order. */
static const struct node ping_options[4];
static const struct node ping_count[] = {
	ARG(NUMBER, "requests", .min = 1, .max = 1000000, .next = ping_options, .flags = NODE_END),
	LAST,
};
static const struct node ping_size[] = {
	ARG(NUMBER, "bytes of payload", .min = 0, .max = MTU_MAX - 28, .next = ping_options,
		.flags = NODE_END),
	LAST,
};
static const struct node ping_wait[] = {
	ARG(NUMBER, "seconds", .min = 1, .max = 3600, .next = ping_options, .flags = NODE_END),
	LAST,
};
static const struct node ping_options[4] = {
	WORD("count", "requests to send, default 5", .next = ping_count),
	WORD("size", "bytes of payload, default 56", .next = ping_size),
	WORD("wait", "seconds for an answer, default 1", .next = ping_wait),
	LAST,
};
static const struct node ping_address[] = {
	ARG(ADDRESS, "whom", .next = ping_options, .flags = NODE_END),
	LAST,
};

/* ---------------------------------------------------------------- commits */

static const struct node confirmed_minutes[] = {
	ARG(NUMBER, "minutes until it is undone, unless `confirm` or `commit` comes before",
		.min = 1, .max = 1440, .flags = NODE_END),
	LAST,
};
static const struct node commit_options[] = {
	WORD("confirmed", "to be confirmed, or undone", .next = confirmed_minutes),
	LAST,
};
static const struct node compare_options[] = {
	WORD("rollback", "candidate against one that was in force", .next = generation_value),
	LAST,
};
static const struct node load_from[] = {
	ARG(URL, "a file of a TFTP server instead", .flags = NODE_END),
	LAST,
};
static const struct node load_options[] = {
	WORD("replace", "forgets what the candidate was", .next = load_from, .flags = NODE_END),
	ARG(URL, "a file of a TFTP server instead", .flags = NODE_END),
	LAST,
};
static const struct node save_to[] = {
	ARG(URL, "to a file of a TFTP server", .flags = NODE_END),
	LAST,
};

/* ---------------------------------------------------------------- the root */

#define SET_COMMAND WORD("set", "adds a line to the candidate", .run = edit_set, .next = sections)
#define DELETE_COMMAND                                                                             \
	WORD("delete", "takes lines out of the candidate", .run = edit_delete, .next = sections,   \
		.flags = NODE_PARTIAL)

static const struct node commands[] = {
	WORD("capture", "copies frames, with the reason of each drop", .run = capture,
		.next = capture_what),
	WORD("clear", "resets something", .next = clear_what),
	WORD("commit", "puts the candidate in force", .run = edit_commit, .next = commit_options,
		.flags = NODE_END),
	WORD("compare", "candidate against what is in force", .run = edit_compare,
		.next = compare_options, .flags = NODE_END),
	WORD("confirm", "the last commit shall stay", .run = edit_confirm, .flags = NODE_END),
#ifdef TEST_HOOKS
	WORD("debug", "test image only", .next = debug_what, .flags = NODE_HIDDEN),
#endif
	DELETE_COMMAND,
	WORD("discard", "forgets the changes of the candidate", .run = edit_discard,
		.flags = NODE_END),
	WORD("explain", "what would become of a frame", .run = explain, .next = explain_what,
		.flags = NODE_FILTER),
	WORD("load", "reads pasted lines until Ctrl-D", .run = edit_load, .next = load_options,
		.flags = NODE_END),
	WORD("ping", "sends echo requests", .run = ping, .next = ping_address),
	WORD("poweroff", "switches the machine off", .run = poweroff, .flags = NODE_END),
	WORD("reboot", "restarts the machine", .run = reboot, .flags = NODE_END),
	WORD("rollback", "makes the candidate what was in force before", .run = edit_rollback,
		.next = generation_value, .flags = NODE_END),
	WORD("save", "prints what is in force for `load replace` or a boot", .run = edit_save,
		.next = save_to, .flags = NODE_END),
	SET_COMMAND,
	WORD("show", "shows state", .next = show_what, .flags = NODE_FILTER),
	LAST,
};

static const struct node edit_commands[] = {
	DELETE_COMMAND,
	SET_COMMAND,
	LAST,
};

/* The names Tab offers. */
static const char *iface_name(unsigned i, bool ports_only)
{
	return i < (ports_only ? shell_ports() : shell_ifaces()) ? shell_iface_name(i) : NULL;
}

const struct grammar grammar_all = {commands, &pipe_node, iface_name};
const struct grammar grammar_edit = {edit_commands, &pipe_node, iface_name};

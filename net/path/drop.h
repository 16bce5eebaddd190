/*
 * The drop reasons: every packet that is neither transmitted nor delivered to
 * the control core is counted under exactly one of these, at its ingress port.
 *
 * X(symbol, name as shown, meaning). Names are stable: scripts read them.
 */
#ifndef NET_PATH_DROP_H
#define NET_PATH_DROP_H

#define DROP_REASONS(X)                                                                            \
	X(RX_ERROR, "rx-error", "the device reported a bad descriptor or length")                  \
	X(RX_RUNT, "rx-runt", "shorter than an Ethernet header")                                   \
	X(RX_OVERSIZE, "rx-oversize", "longer than the port's MTU allows")                         \
	X(INPUT_POLICED, "input-policed", "over the rate that 'police' allows its interface")      \
	X(SPREAD_FULL, "spread-full", "the queue to the worker that processes the flow is full")   \
	X(PORT_DISABLED, "port-disabled", "the port is configured 'disabled'")                     \
	X(WRONG_MAC, "wrong-mac", "unicast to another station")                                    \
	X(MULTICAST, "multicast", "multicast, which is not routed")                                \
	X(UNKNOWN_ETHERTYPE, "unknown-ethertype", "neither IPv4, IPv6 nor ARP")                    \
	X(VLAN_UNKNOWN, "vlan-unknown", "tag of a VLAN that the port does not have")               \
	X(VLAN_STACKED, "vlan-stacked", "a second VLAN tag, or a provider's, 802.1ad")             \
	X(VLAN_TRUNCATED, "vlan-truncated", "frame ends inside the VLAN tag")                      \
	X(L2_BROADCAST, "l2-broadcast", "unicast IP in a link-layer broadcast, RFC 1812 5.3.4")    \
	X(IP_TRUNCATED, "ip-truncated", "frame ends inside the IP header")                         \
	X(IP_VERSION, "ip-version", "IP version is not that of the EtherType")                     \
	X(IP_HEADER_LENGTH, "ip-header-length", "IHL below 5 words")                               \
	X(IP_TOTAL_LENGTH, "ip-total-length", "total length outside header and frame")             \
	X(IP_CHECKSUM, "ip-checksum", "IPv4 header checksum wrong")                                \
	X(IP6_LENGTH, "ip6-payload-length", "IPv6 payload length goes beyond the frame")           \
	X(IP6_OPTIONS, "ip6-options", "IPv6 extension headers malformed, or an option says so")    \
	X(IP6_ROUTING, "ip6-routing", "IPv6 routing header refused, RFC 5095")                     \
	X(LINK_LOCAL, "link-local",                                                                \
		"link-local address that would leave its link, RFC 4291 2.5.6")                    \
	X(MARTIAN_SOURCE, "martian-source",                                                        \
		"source address not valid on the wire, RFC 1812 5.3.7")                            \
	X(MARTIAN_DESTINATION, "martian-destination", "destination not valid, RFC 1812 5.3.7")     \
	X(URPF, "urpf", "no route to the source, or not by where it came in, RFC 3704")            \
	X(ACL_DENIED, "acl-denied", "an access list of the interface denies it")                   \
	X(NAT_NO_PORT, "nat-no-port", "no address or port is free for source NAT")                 \
	X(NAT_NO_SESSION, "nat-no-session", "to an address that NAT gives out, and of no session") \
	X(SESSION_STATE, "session-state", "no session, or a state of it, that allows the packet")  \
	X(SESSION_LIMIT, "session-limit", "its source has as many sessions as are allowed")        \
	X(SESSION_TABLE_FULL, "session-table-full", "no room for another session")                 \
	X(BROADCAST, "broadcast",                                                                  \
		"IPv4 broadcast with no listener, or directed broadcast, RFC 2644")                \
	X(SOURCE_ROUTE, "source-route", "source route option refused, RFC 7126 4.3")               \
	X(IP_OPTIONS, "ip-options", "malformed IPv4 options")                                      \
	X(TTL_EXCEEDED, "ttl-exceeded", "TTL ran out in transit")                                  \
	X(NO_ROUTE, "no-route", "no route to the destination")                                     \
	X(BLACKHOLE, "blackhole", "blackhole route")                                               \
	X(UNREACHABLE, "unreachable", "unreachable route")                                         \
	X(PROHIBIT, "prohibit", "prohibit route")                                                  \
	X(MTU_EXCEEDED, "mtu-exceeded", "larger than the egress MTU")                              \
	X(NEIGHBOR_PENDING, "neighbor-pending",                                                    \
		"another packet is held for the unresolved neighbour")                             \
	X(NEIGHBOR_FAILED, "neighbor-failed", "the neighbour did not answer")                      \
	X(ARP_MALFORMED, "arp-malformed", "ARP packet with wrong lengths, types or addresses")     \
	X(ND_MALFORMED, "nd-malformed", "neighbour discovery not valid, RFC 4861 6.1 and 7.1")     \
	X(ND_REDIRECT, "nd-redirect", "redirect, which a router does not heed, RFC 4861 8.2")      \
	X(MLD_MALFORMED, "mld-malformed", "multicast listener discovery not valid, RFC 3810 6.2")  \
	X(TENTATIVE, "tentative-address", "own address not yet known to be unique, RFC 4862 5.4")  \
	X(LLDP_MALFORMED, "lldp-malformed", "LLDP frame not valid, IEEE 802.1AB 9.2.7.7.1")        \
	X(ICMP_MALFORMED, "icmp-malformed", "ICMP to the router: short or checksum wrong")         \
	X(FRAGMENT_TIMEOUT, "fragment-timeout",                                                    \
		"fragment: the others, or the first, did not come")                                \
	X(FRAGMENT_EVICTED, "fragment-evicted",                                                    \
		"fragment to the router: room for others' was due")                                \
	X(FRAGMENT_DUPLICATE, "fragment-duplicate", "fragment to the router, there already")       \
	X(FRAGMENT_BAD, "fragment-bad",                                                            \
		"fragment that overlaps, is tiny, or of an impossible length, RFC 1858, RFC 5722") \
	X(FRAGMENTS_FULL, "fragments-full", "no room to let a fragment wait for its first")        \
	X(LOCAL_NO_PROTOCOL, "local-no-protocol", "no listener on the router for it")              \
	X(VOQ_FULL, "voq-full",                                                                    \
		"the virtual output queue is full, or has its share of the input's buffers")       \
	X(POLICED, "policed", "more of its kind to the router itself than it takes")               \
	X(CONTROL_QUEUE_FULL, "control-queue-full", "the queue to the control core is full")       \
	X(LINK_DOWN, "link-down", "the egress port has no link")

#define DROP_ENUM(symbol, name, meaning) DROP_##symbol,
enum drop_reason { DROP_REASONS(DROP_ENUM) DROP_COUNT };
#undef DROP_ENUM

/* Name as shown, and its meaning. Any core. */
const char *drop_name(enum drop_reason reason);
const char *drop_meaning(enum drop_reason reason);

#endif

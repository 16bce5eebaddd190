/* Every size that is fixed when the image is built, in one place. */
#ifndef LIB_LIMITS_H
#define LIB_LIMITS_H

#define PORT_MAX  16u  /* NICs driven */
#define CORE_MAX  64u  /* cores started */
#define RXQ_MAX   64u  /* RX queues over all ports; each has one buffer pool */
#define TXQ_MAX   64u  /* TX queues over all ports; an owner byte names one (lib/pool.h) */
#define VLAN_MAX  256u /* VLAN subinterfaces over all ports */
#define IFACE_MAX (PORT_MAX + VLAN_MAX) /* interfaces: ports, and subinterfaces behind them */

#define LANE_MAX                                                                                   \
	129u /* producers into VOQs: RX queues by processing worker, and the control core */

#define SPREAD_MAX   8u    /* workers that process one RX queue */
#define SPREAD_SLOTS 1024u /* packets on their way from one worker to another, a power of two */

#define POOL_SHIFT     12u                /* log2 of the buffers of one pool */
#define POOL_BUFS      (1u << POOL_SHIFT) /* buffers of one pool */
#define POOL_MAX       (RXQ_MAX + 1u)     /* one per RX queue, and the control core's */
#define RING_SLOTS_MAX 1024u              /* deepest device ring used, a power of two */
#define RING_SLOTS_MIN 64u

#define BATCH_MAX   64u   /* packets per receive burst and per vector of the path */
#define VOQ_SLOTS   1024u /* packets a virtual output queue holds, a power of two */
#define PUNT_SLOTS  512u  /* packets waiting for the control core per lane, a power of two */
#define VOQ_CLASSES 8u    /* traffic classes per TX queue */

#define NEXTHOP_MAX     65535u   /* an index has 16 bits, and 65,535 is none */
#define RIB4_MAX        1200000u /* routes, if there is memory for them */
#define RIB6_MAX        300000u
#define RIB_FEW         16384u /* of a machine with little memory, */
#define RIB_MIN         2048u  /* and with so little that fewer are not worth to run for */
#define RIB_CHANGES     65536u /* changed prefixes waiting for the FIB; more: it is made anew */
#define GROUP_MAX       1024u  /* ECMP groups and recursive next hops */
#define GROUP_MEMBERS   16u    /* next hops of one group */
#define GROUP_SPREAD    128u   /* places that flows are spread over, a power of two */
#define STATIC_MAX      16384u /* configured static routes of one family */
#define NEIGHBOR_MAX    1024u  /* neighbours of one family */
#define IFACE_ADDR_MAX  8u     /* addresses of one interface and family, configured */
#define IFACE_ADDR6_MAX (IFACE_ADDR_MAX + 1u) /* and a link-local one */
#define IFACE_NAME_MAX  16u                   /* with the terminating zero */

#define NAT_RULES     1000u /* rules of NAT, if there is memory for them */
#define NAT_RULES_FEW 64u   /* of a machine with very little */

#define ACL_RULES    10000u /* rules of all access lists, if there is memory for them */
#define ACL_FEW      256u   /* of a machine with very little */
#define ACL_LISTS    256u   /* access lists */
#define ACL_NAME_MAX 32u    /* with the terminating zero */

#define REASSEMBLY_MAX       64u  /* datagrams to the router being put together */
#define REASSEMBLY_FRAGMENTS 512u /* their fragments */

#define MTU_MIN     576u  /* RFC 791: every host takes 576 */
#define MTU_MIN_IP6 1280u /* RFC 8200 5: every link carries 1280 */
#define MTU_DEFAULT 1500u /* of Ethernet, RFC 894 */
#define MTU_MAX     9000u /* one buffer holds one frame (lib/packet.h) */

#define LOG_RECORDS  256u        /* kept per core */
#define NODE_UNKNOWN 0xffffffffu /* no NUMA node, or nobody says which */

#define HOSTNAME_MAX 64u        /* with the terminating zero; RFC 1123 label: 63 */
#define TRANSFER_MAX (2u << 20) /* bytes of a file read or written over the network */

#endif

/* What the kernel says of an interface: its address, MTU, queues and link. */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/hosted/xdp.h"

/* The queues that receive; one, where the driver does not say. */
static uint32_t receive_queues(int socket, const char *name)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq r = {.ifr_data = (void *)&channels};

	strncpy(r.ifr_name, name, sizeof r.ifr_name - 1);
	if (ioctl(socket, SIOCETHTOOL, &r) < 0)
		return 1;
	return channels.rx_count + channels.combined_count;
}

bool xdp_interface_read(int socket, const char *name, struct xdp_interface *i)
{
	struct ifreq r = {0};

	strncpy(r.ifr_name, name, sizeof r.ifr_name - 1);
	if (ioctl(socket, SIOCGIFHWADDR, &r) < 0)
		return false;
	if (r.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
		errno = EPROTONOSUPPORT;
		return false;
	}
	memcpy(i->mac, r.ifr_hwaddr.sa_data, sizeof i->mac);
	if (ioctl(socket, SIOCGIFMTU, &r) < 0)
		return false;
	i->mtu = (uint32_t)r.ifr_mtu;
	if (ioctl(socket, SIOCGIFFLAGS, &r) < 0)
		return false;
	i->link = (r.ifr_flags & IFF_UP) && (r.ifr_flags & IFF_RUNNING);
	i->queues = receive_queues(socket, name);
	i->index = if_nametoindex(name);
	return i->index != 0;
}

int xdp_interface_open(const char *name)
{
	int fd =
		socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* of protocol 0: receives nothing */
	struct packet_mreq all = {.mr_type = PACKET_MR_PROMISC};

	all.mr_ifindex = (int)if_nametoindex(name);
	if (fd < 0 || (all.mr_ifindex && setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all,
						 sizeof all) == 0))
		return fd;
	if (!all.mr_ifindex)
		errno = ENODEV;
	close(fd);
	return -1;
}

/*
 * The device's VLAN filter (VIRTIO 1.2 5.1.6.5.3): frames with a tag come in only if
 * their VLAN was added. One that is promiscuous, as QEMU's is, lets all pass.
 */
#include "drivers/virtio/virtio_net_device.h"

#define CLASS_VLAN 2u
#define VLAN_ADD   0u
#define VLAN_DEL   1u

static enum virtio_answer ask(struct virtio_net *net, uint16_t vid, bool pass)
{
	uint8_t command = (uint8_t)(pass ? VLAN_ADD : VLAN_DEL);

	return virtio_control_command(
		&net->control, &net->env, CLASS_VLAN, command, &vid, sizeof vid);
}

/* VID 0 is no VLAN: such frames carry a priority and are the port's own. */
const char *virtio_net_filter(struct virtio_net *net)
{
	switch (ask(net, 0, true)) {
	case VIRTIO_ANSWER_OK:
		net->dev.vlan_filter = true;
		net->control.wait_us = VIRTIO_CONTROL_RUN_US;
		return NULL;
	case VIRTIO_ANSWER_REFUSED:
		return "it refuses VLANs";
	default:
		return "no sound answer on its control queue";
	}
}

bool virtio_net_vlan(struct netdev *dev, uint16_t vid, bool pass)
{
	struct virtio_net *net = virtio_net_of(dev);
	enum virtio_answer answer = VIRTIO_ANSWER_NONE;

	if (!dev->vlan_filter)
		return true;
	if (!net->control_lost)
		answer = ask(net, vid, pass);
	net->control_lost = answer == VIRTIO_ANSWER_NONE; /* its queue cannot be used any more */
	return answer == VIRTIO_ANSWER_OK;
}

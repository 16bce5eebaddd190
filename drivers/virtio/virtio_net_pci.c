/* virtio-net as a PCI function: which they are, and their transport (VIRTIO 1.2 4.1). */
#include "drivers/virtio/virtio_net.h"
#include "drivers/virtio/virtio_pci.h"

/* PCI ids (4.1.2): the device type plus 0x1040, or of the transitional kind. */
#define VENDOR_VIRTIO           0x1af4u
#define DEVICE_NET              0x1041u
#define DEVICE_NET_TRANSITIONAL 0x1000u

bool virtio_net_match(const struct pci_function *f)
{
	return f->vendor_id == VENDOR_VIRTIO &&
	       (f->device_id == DEVICE_NET || f->device_id == DEVICE_NET_TRANSITIONAL);
}

struct netdev *virtio_net_probe(struct pci *pci, struct pci_function *f,
	const struct netdev_request *want, const struct io_env *env)
{
	struct virtio_pci *v = env->alloc(env->ctx, sizeof *v, CACHE_LINE);
	const char *refusal = v ? virtio_pci_open(v, pci, f, env) : "no memory";

	if (!refusal) {
		struct netdev *dev = virtio_net_create(&v->transport, want, env);

		f->refusal = v->transport.refusal;
		return dev;
	}
	f->refusal = refusal;
	env->log(env->ctx, "virtio-net %s: refused: %s", f->location, refusal);
	if (v)
		virtio_refuse(&v->transport);
	return NULL;
}

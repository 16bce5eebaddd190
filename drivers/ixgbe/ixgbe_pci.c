/* An ixgbe port as a PCI function. */
#include "drivers/intel/intel_port.h"
#include "drivers/ixgbe/ixgbe.h"

bool ixgbe_match(const struct pci_function *f)
{
	return f->vendor_id == INTEL_VENDOR && ixgbe_knows(f->device_id);
}

struct netdev *ixgbe_probe(struct pci *pci, struct pci_function *f,
	const struct netdev_request *want, const struct io_env *env)
{
	return intel_probe(pci, f, "ixgbe", want, env, ixgbe_create);
}

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
	struct intel_place place;

	if (!intel_find(pci, f, "ixgbe", env, &place))
		return NULL;
	return ixgbe_create(&place, want, env, &f->refusal);
}

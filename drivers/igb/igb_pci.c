/* An igb port as a PCI function. */
#include "drivers/igb/igb.h"
#include "drivers/intel/intel_port.h"

struct netdev *igb_probe(struct pci *pci, struct pci_function *f, const struct netdev_request *want,
	const struct io_env *env)
{
	struct intel_place place;

	if (!intel_find(pci, f, "igb", env, &place))
		return NULL;
	return igb_create(&place, want, env, &f->refusal);
}

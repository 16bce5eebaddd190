/* An igb port as a PCI function. */
#include "drivers/igb/igb.h"
#include "drivers/intel/intel_port.h"

struct netdev *igb_probe(struct pci *pci, struct pci_function *f, const struct netdev_request *want,
	const struct io_env *env)
{
	return intel_probe(pci, f, "igb", want, env, igb_create);
}

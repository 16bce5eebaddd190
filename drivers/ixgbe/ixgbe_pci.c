/* An ixgbe port as a PCI function. */
#include "drivers/ixgbe/ixgbe.h"
#include "lib/atomic.h"

#define VENDOR_INTEL 0x8086u

bool ixgbe_match(const struct pci_function *f)
{
	return f->vendor_id == VENDOR_INTEL && ixgbe_knows(f->device_id);
}

/* What it takes to cut one off. */
struct function {
	const struct pci *pci;
	const struct pci_function *function;
};

static void function_cut_off(void *ctx)
{
	const struct function *f = ctx;

	pci_disable(f->pci, f->function);
}

struct netdev *ixgbe_probe(struct pci *pci, struct pci_function *f,
	const struct netdev_request *want, const struct io_env *env)
{
	struct ixgbe_place place = {.device_id = f->device_id,
		.location = f->location,
		.slots = RING_SLOTS_MAX,
		.cut_off = function_cut_off};
	struct function *function = env->alloc(env->ctx, sizeof *function, CACHE_LINE);
	const struct pci_bar *bar = &f->bar[0];

	f->refusal = NULL;
	if (bar->io || !bar->address || bar->bytes < IXGBE_BAR_BYTES)
		f->refusal = "its registers have no address (BAR 0)";
	else if (!function)
		f->refusal = "no memory";
	else
		place.registers = env->map(env->ctx, bar->address, IXGBE_BAR_BYTES);
	if (!place.registers) {
		if (!f->refusal)
			f->refusal = "its registers cannot be mapped";
		env->log(env->ctx, "ixgbe %s: refused: %s", f->location, f->refusal);
		return NULL;
	}
	*function = (struct function){pci, f};
	place.ctx = function;
	pci_enable(pci, f);
	return ixgbe_create(&place, want, env, &f->refusal);
}

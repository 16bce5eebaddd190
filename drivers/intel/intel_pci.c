/* A port as a PCI function. */
#include "drivers/intel/intel_port.h"

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

bool intel_find(struct pci *pci, struct pci_function *f, const char *driver,
	const struct io_env *env, struct intel_place *place)
{
	struct function *function = env->alloc(env->ctx, sizeof *function, CACHE_LINE);
	const struct pci_bar *bar = &f->bar[0];

	*place = (struct intel_place){.device_id = f->device_id,
		.location = f->location,
		.slots = RING_SLOTS_MAX,
		.cut_off = function_cut_off,
		.ctx = function};
	f->refusal = NULL;
	if (bar->io || !bar->address || bar->bytes < INTEL_BAR_BYTES)
		f->refusal = "its registers have no address (BAR 0)";
	else if (!function)
		f->refusal = "no memory";
	else
		place->registers = env->map(env->ctx, bar->address, INTEL_BAR_BYTES);
	if (!function || !place->registers) {
		if (!f->refusal)
			f->refusal = "its registers cannot be mapped";
		env->log(env->ctx, "%s %s: refused: %s", driver, f->location, f->refusal);
		return false;
	}
	*function = (struct function){pci, f};
	pci_enable(pci, f);
	return true;
}

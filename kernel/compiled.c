/* Puts in force what was linked into the image: a ready forwarding table, a configuration. */
#include "kernel/compiled.h"

#include "kernel/log.h"
#include "kernel/publish.h"
#include "kernel/routefile.h"
#include "kernel/router.h"
#include "net/table/fibfill.h"

#define FILL_ROUTES 64u /* of one step: some tens of microseconds */

/* Made by the Makefile, if at all: else their addresses are NULL. */
#define LINKED __attribute__((weak))
extern const uint8_t linked_fib[] LINKED, linked_fib_end[] LINKED;
extern const uint8_t linked_config[] LINKED, linked_config_end[] LINKED;

static const char name[] = "compiled in";

static struct {
	struct fibimage image; /* no data: there is none */
	struct fibfill fill;
	bool filling;
	uint64_t start_us;
} compiled;

static bool linked(struct platform_module *m, const uint8_t *data, const uint8_t *end)
{
	if (!data)
		return false;
	*m = (struct platform_module){name, data, (size_t)((uintptr_t)end - (uintptr_t)data)};
	return true;
}

bool compiled_config(struct platform_module *module)
{
	return linked(module, linked_config, linked_config_end);
}

bool compiled_table(struct platform_module *module)
{
	return linked(module, linked_fib, linked_fib_end);
}

/* ---- the table ---- */

/* NULL, or why the table cannot be used. */
static const char *begin(struct router *r, const struct platform_module *table)
{
	struct fibimage *image = &compiled.image;
	const char *wrong = fibimage_open(image, table->data, table->bytes);

	if (wrong)
		return wrong;
	/* What is configured needs room, too. */
	if (image->routes[0] + RIB_FEW / 2 > r->rib.rib.max ||
		image->routes[1] + RIB_FEW / 2 > r->rib6.rib.max)
		return "there is not enough memory for so many routes";
	return publish_load(r, image);
}

void compiled_begin(struct router *r, const struct platform_module *table)
{
	compiled.filling = false;
	compiled.start_us = platform_now_us();
	const char *wrong = begin(r, table);

	if (wrong) {
		compiled.image.data = NULL;
		log_text("error: routes %s: %s", table->name, wrong);
		return;
	}
	fibfill_begin(&compiled.fill, &compiled.image, &r->rib, &r->rib6, &r->nexthops);
	compiled.filling = true;
	log_text("routes %s: %u, %u next hops, in force after %u us", table->name,
		(unsigned)(compiled.image.routes[0] + compiled.image.routes[1]),
		(unsigned)compiled.image.nexthops,
		(unsigned)(platform_now_us() - compiled.start_us));
}

bool compiled_fill(void)
{
	if (!compiled.filling)
		return false;
	compiled.filling = fibfill_step(&compiled.fill, FILL_ROUTES);
	if (compiled.filling)
		return true;
	log_text("routes %s: all known after %u ms", name,
		(unsigned)((platform_now_us() - compiled.start_us) / 1000));
	if (compiled.fill.failed)
		log_text("routes %s: there was no room for some", name);
	return false;
}

uint32_t compiled_left(void)
{
	return compiled.filling ? fibfill_left(&compiled.fill) : 0;
}

void compiled_report(const struct router *r)
{
	if (compiled.image.data)
		routefile_report(r);
}

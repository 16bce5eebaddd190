/* Tells devices which core's cache each queue's memory goes to (DCA), where the machine can. */
#include "kernel/caches.h"

#include "kernel/platform.h"

static void tell(struct netdev *dev, const struct worker *w, bool tx, unsigned queue)
{
	uint8_t tag;

	if (dev->ops->dca && platform_dca_tag(w->core, &tag))
		(void)dev->ops->dca(dev, tx, queue, tag); /* dev->dca says whether it can */
}

void caches_bind(const struct router *r)
{
	for (unsigned g = 0; g < r->rxqs; g++)
		tell(r->dev[r->rxq[g].port], r->worker[r->rxq[g].worker], false, r->rxq[g].queue);
	for (unsigned t = 0; t < r->txqs; t++)
		tell(r->dev[r->txq[t].port], r->worker[r->txq[t].worker], true, r->txq[t].queue);
}

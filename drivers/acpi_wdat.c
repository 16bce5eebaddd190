/*
 * The watchdog of a WDAT: what its table says is done step by step, in the table's order
 * (Microsoft, Hardware Watchdog Timers Design Specification).
 */
#include "drivers/acpi_wdat.h"
#include "drivers/watchdog.h"

static uint32_t read_memory(const struct wdat_step *s)
{
	if (s->bytes == 1)
		return mmio_read8(s->mapped);
	return s->bytes == 2 ? mmio_read16(s->mapped) : mmio_read32(s->mapped);
}

static uint32_t read_port(const struct wdat_step *s)
{
	uint16_t at = (uint16_t)s->address;

	if (s->bytes == 1)
		return pio_read8(at);
	return s->bytes == 2 ? pio_read16(at) : pio_read32(at);
}

static void write_memory(const struct wdat_step *s, uint32_t v)
{
	if (s->bytes == 1)
		mmio_write8(s->mapped, (uint8_t)v);
	else if (s->bytes == 2)
		mmio_write16(s->mapped, (uint16_t)v);
	else
		mmio_write32(s->mapped, v);
}

static void write_port(const struct wdat_step *s, uint32_t v)
{
	uint16_t at = (uint16_t)s->address;

	if (s->bytes == 1)
		pio_write8(at, (uint8_t)v);
	else if (s->bytes == 2)
		pio_write16(at, (uint16_t)v);
	else
		pio_write32(at, v);
}

static uint32_t read_register(const struct wdat_step *s)
{
	return s->io ? read_port(s) : read_memory(s);
}

static void write_bits(const struct wdat_step *s, uint32_t v)
{
	uint32_t kept = s->preserve ? read_register(s) & ~(s->mask << s->shift) : 0;

	v = (v & s->mask) << s->shift | kept;
	if (s->io)
		write_port(s, v);
	else
		write_memory(s, v);
}

/* What the action's last read found; 0 if it reads nothing. */
static uint32_t run(const struct watchdog *w, enum wdat_action action)
{
	uint32_t found = 0;

	for (unsigned i = 0; i < w->wdat->steps; i++) {
		const struct wdat_step *s = &w->wdat->step[i];

		if (s->action != action)
			continue;
		switch (s->kind) {
		case WDAT_READ_VALUE:
			found = (read_register(s) >> s->shift & s->mask) == s->value;
			break;
		case WDAT_READ_COUNT:
			found = read_register(s) >> s->shift & s->mask;
			break;
		case WDAT_WRITE_VALUE:
			write_bits(s, s->value);
			break;
		case WDAT_WRITE_COUNT:
			write_bits(s, w->count);
			break;
		}
	}
	return found;
}

static bool has(const struct watchdog *w, enum wdat_action action)
{
	for (unsigned i = 0; i < w->wdat->steps; i++)
		if (w->wdat->step[i].action == action)
			return true;
	return false;
}

static void wdat_feed(struct watchdog *w)
{
	(void)run(w, WDAT_FEED);
}

static void wdat_stop(struct watchdog *w)
{
	(void)run(w, WDAT_SET_STOPPED);
}

static bool wdat_start(struct watchdog *w, unsigned seconds)
{
	uint32_t count = (uint32_t)(seconds * 1000ull / w->wdat->period_ms);

	wdat_stop(w);
	if (count == 0 || count < w->wdat->count_min || count > w->wdat->count_max)
		return false;
	w->count = count;
	(void)run(w, WDAT_SET_REBOOT);
	(void)run(w, WDAT_SET_COUNT);
	(void)run(w, WDAT_SET_RUNNING);
	wdat_feed(w);
	if ((!has(w, WDAT_QUERY_RUNNING) || run(w, WDAT_QUERY_RUNNING)) &&
		(!has(w, WDAT_QUERY_COUNT) || run(w, WDAT_QUERY_COUNT) == count))
		return true;
	wdat_stop(w);
	return false;
}

/* One range a step: the same register may come up again. */
static unsigned wdat_ports(const struct watchdog *w, unsigned i, uint16_t *first)
{
	for (unsigned at = 0; at < w->wdat->steps; at++) {
		const struct wdat_step *s = &w->wdat->step[at];

		if (s->io && i-- == 0) {
			*first = (uint16_t)s->address;
			return s->bytes;
		}
	}
	return 0;
}

static const struct watchdog_ops ops = {
	.start = wdat_start, .feed = wdat_feed, .stop = wdat_stop, .ports = wdat_ports};

const char *acpi_wdat_probe(struct watchdog *w, struct wdat *wdat, const struct io_env *env)
{
	for (unsigned i = 0; i < wdat->steps; i++) {
		struct wdat_step *s = &wdat->step[i];

		if (s->io)
			continue;
		s->mapped = env->map(env->ctx, s->address, s->bytes);
		if (!s->mapped)
			return "a register of it cannot be mapped";
	}
	*w = (struct watchdog){.ops = &ops, .name = "WDAT", .wdat = wdat};
	wdat_stop(w); /* whatever firmware left */
	w->fired = run(w, WDAT_QUERY_FIRED);
	(void)run(w, WDAT_SET_FIRED);
	return NULL;
}

/* Autoload: an address, then the first configuration that the server has for this machine. */
#include "kernel/autoload.h"

#include <stdio.h>
#include <string.h>

#include "kernel/config.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/router.h"
#include "kernel/shell/shell.h"
#include "lib/text.h"

#define LINK_WAIT_US 10000000u /* a copper link takes some seconds to come up */
#define URL_MAX      (sizeof "tftp:///" + TEXT_IPV4_MAX + TFTP_PATH_MAX)

static const char *url_text(const struct transfer_place *place)
{
	static char url[URL_MAX];
	char server[TEXT_IPV4_MAX];

	text_print_ipv4(server, place->server);
	snprintf(url, sizeof url, "tftp://%s/%s", server, place->path);
	return url;
}

/* The port that the words name. false: none, told. */
static bool find_port(const struct router *r, const struct autoload_words *w, unsigned *port)
{
	char mac[TEXT_MAC_MAX];

	for (*port = 0; *port < r->ports; ++*port) {
		if (w->by_mac ? memcmp(r->dev[*port]->mac, w->mac, 6) == 0
			      : strcmp(r->iface[*port].name, *w->iface ? w->iface : "eth0") == 0)
			return true;
	}
	text_print_mac(mac, w->mac);
	log_text("error: command line: if=%s: no such interface is driven", w->by_mac   ? mac
									    : *w->iface ? w->iface
											: "eth0");
	return false;
}

static bool set_address(const struct router *r, const struct autoload_words *w, unsigned port)
{
	char text[160], address[TEXT_PREFIX_MAX], gateway[TEXT_IPV4_MAX], error[240];
	int n;

	text_print_ipv4_prefix(address, w->address, w->length);
	text_print_ipv4(gateway, w->gateway);
	n = snprintf(
		text, sizeof text, "set interfaces %s address %s\n", r->iface[port].name, address);
	if (w->gateway)
		n += snprintf(text + n, sizeof text - (size_t)n, "set routes 0.0.0.0/0 via %s\n",
			gateway);
	if (shell_add_config(text, (size_t)n, error, sizeof error))
		return true;
	log_text("error: command line: ip=%s: %s", address, error);
	return false;
}

static void wait_link(const struct router *r, unsigned port, void (*turn)(void))
{
	uint64_t start = platform_now_us();

	while (!r->iface[port].link && platform_now_us() - start < LINK_WAIT_US)
		turn();
	if (!r->iface[port].link)
		log_text("autoload: %s has no link", r->iface[port].name);
}

/* What was read comes in force, or nothing of it. */
static void use(const struct transfer_place *from, const char *before)
{
	struct config config;
	char error[240];
	size_t n;
	const char *text = transfer_text(&n);

	bool good = shell_read_config(text, n, &config, error, sizeof error);

	if (good)
		config_free(&config);
	if (good && shell_load_config(BY_AUTOLOAD, error, sizeof error))
		log_text("configuration: %s, %u bytes%s%s", url_text(from), (unsigned)n,
			before ? ", in place of " : "", before ? before : "");
	else
		log_text("error: autoload: %s: %s", url_text(from), error);
}

/* true: go on with the next name. */
static bool try_name(
	struct router *r, const struct transfer_place *from, void (*turn)(void), const char *before)
{
	if (!transfer_read(r, from)) {
		log_text("error: autoload: out of memory");
		return false;
	}
	while (!transfer_turn())
		turn();
	bool next = transfer_not_found();

	if (!*transfer_error())
		use(from, before);
	else if (!next)
		log_text("error: autoload: %s: %s", url_text(from), transfer_error());
	transfer_end();
	return next;
}

static void ask(struct router *r, const struct autoload_words *w, const uint8_t mac[6],
	void (*turn)(void), const char *before)
{
	char tried[AUTOLOAD_NAMES * (TFTP_PATH_MAX + 2)] = "";
	struct transfer_place from;

	for (unsigned i = 0; i < AUTOLOAD_NAMES; i++) {
		if (!autoload_name(i, &w->folder, mac, platform_serial(), &from))
			continue;
		if (!try_name(r, &from, turn, before))
			return;
		size_t n = strlen(tried);
		const char *name = strrchr(from.path, '/');

		snprintf(tried + n, sizeof tried - n, "%s%s", n ? ", " : "",
			name ? name + 1 : from.path);
	}
	log_text("error: autoload: %s has none of %s", url_text(&w->folder), tried);
}

void autoload_run(struct router *r, void (*turn)(void), const char *before)
{
	struct autoload_words w;
	char wrong[AUTOLOAD_WORD_MAX];
	unsigned port = 0;

	if (!autoload_parse(platform_cmdline(), &w, wrong)) {
		log_text("error: command line: %s is not understood", wrong);
		return;
	}
	if (!w.wanted && !w.addressed)
		return;
	bool found = find_port(r, &w, &port);

	if (w.addressed && (!found || !set_address(r, &w, port)))
		return;
	if (!w.wanted || (!found && !w.by_mac))
		return;
	if (found)
		wait_link(r, port, turn);
	log_text("autoload: asking %s", url_text(&w.folder));
	ask(r, &w, w.by_mac ? w.mac : r->dev[port]->mac, turn, before);
}

/* The command line's words about the network, and the names of configurations: both pure. */
#include <stdio.h>
#include <string.h>

#include "kernel/autoload.h"
#include "lib/text.h"

/* The length of a netmask; false: it is none. */
static bool mask_length(uint32_t mask, unsigned *length)
{
	*length = (unsigned)__builtin_popcount(mask);
	return *length == 0 ? mask == 0 : mask == 0xffffffffu << (32 - *length);
}

static bool take_address(struct autoload_words *w, const char *value)
{
	const char *slash = strchr(value, '/');
	char address[TEXT_IPV4_MAX] = "";
	uint32_t mask;

	if (!slash || slash - value >= (long)sizeof address)
		return false;
	w->addressed = true;
	if (text_parse_ipv4_prefix(value, &w->address, &w->length))
		return true;
	memcpy(address, value, (size_t)(slash - value));
	return text_parse_ipv4(address, &w->address) && text_parse_ipv4(slash + 1, &mask) &&
	       mask_length(mask, &w->length);
}

static bool take_interface(struct autoload_words *w, const char *value)
{
	char mac[TEXT_MAC_MAX] = "";

	for (size_t i = 0; i + 1 < sizeof mac && value[i]; i++)
		mac[i] = value[i] == '-' ? ':' : value[i];
	w->by_mac = strlen(value) < sizeof mac && text_parse_mac(mac, w->mac);
	if (w->by_mac)
		return true;
	if (strlen(value) >= sizeof w->iface || strpbrk(value, ":-."))
		return false;
	snprintf(w->iface, sizeof w->iface, "%s", value);
	return true;
}

static bool take_word(struct autoload_words *w, const char *word)
{
	const char *value = strchr(word, '=');

	if (!value || !value[1])
		return true;
	value++;
	if (strncmp(word, "config=", 7) == 0) {
		w->wanted = true;
		return transfer_parse(value, true, &w->folder);
	}
	if (strncmp(word, "ip=", 3) == 0)
		return take_address(w, value);
	if (strncmp(word, "gw=", 3) == 0)
		return text_parse_ipv4(value, &w->gateway);
	if (strncmp(word, "if=", 3) == 0)
		return take_interface(w, value);
	return true;
}

bool autoload_parse(const char *cmdline, struct autoload_words *out, char wrong[AUTOLOAD_WORD_MAX])
{
	*out = (struct autoload_words){0};
	for (;;) {
		cmdline += strspn(cmdline, " \t\r\n");
		size_t n = strcspn(cmdline, " \t\r\n");

		if (n == 0)
			return true;
		/* A word that is cut is too long for anything of ours, and found wrong. */
		snprintf(wrong, AUTOLOAD_WORD_MAX, "%.*s",
			(int)(n < AUTOLOAD_WORD_MAX ? n : AUTOLOAD_WORD_MAX - 1), cmdline);
		if (!take_word(out, wrong))
			return false;
		cmdline += n;
	}
}

/* As a file name: what else a serial number may hold becomes "_". */
static void write_serial(char *out, size_t size, const char *serial)
{
	static const char fine[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	snprintf(out, size, "%s.conf", serial);
	for (size_t i = 0; i < strlen(serial); i++)
		if (!strchr(fine, out[i]) || (i == 0 && out[i] == '.'))
			out[i] = '_';
}

bool autoload_name(unsigned i, const struct transfer_place *folder, const uint8_t mac[6],
	const char *serial, struct transfer_place *out)
{
	char name[80] = "default.conf";
	size_t n = strlen(folder->path);

	if (i == 1 && (!*serial || strlen(serial) + sizeof ".conf" > sizeof name))
		return false;
	if (i == 0)
		snprintf(name, sizeof name, "%02x-%02x-%02x-%02x-%02x-%02x.conf", mac[0], mac[1],
			mac[2], mac[3], mac[4], mac[5]);
	else if (i == 1)
		write_serial(name, sizeof name, serial);
	out->server = folder->server;
	return snprintf(out->path, sizeof out->path, "%s%s%s", folder->path,
		       n && folder->path[n - 1] != '/' ? "/" : "", name) < (int)sizeof out->path;
}

/* Reads server and boot file out of a DHCP reply that the firmware kept. */
#include "boot/efi/dhcp.h"

#include <string.h>

/* RFC 2131, figure 1 and section 3; RFC 2132 for the options. */
#define DHCP_SIADDR        20u
#define DHCP_FILE          108u
#define DHCP_FILE_BYTES    128u
#define DHCP_COOKIE        236u
#define DHCP_OPTIONS       240u
#define OPTION_PAD         0u
#define OPTION_OVERLOAD    52u
#define OPTION_SERVER      54u
#define OPTION_BOOT_FILE   67u
#define OPTION_END         255u
#define OVERLOADED_BY_FILE 1u /* the field `file` holds options */

struct option {
	const uint8_t *data; /* NULL: not there */
	size_t bytes;
};

static struct option find_option(const uint8_t *reply, size_t bytes, uint8_t wanted)
{
	size_t at = DHCP_OPTIONS;

	while (at + 2 <= bytes && reply[at] != OPTION_END) {
		size_t n = reply[at + 1];

		if (reply[at] == OPTION_PAD) {
			at++;
			continue;
		}
		if (n > bytes - at - 2)
			break;
		if (reply[at] == wanted)
			return (struct option){.data = reply + at + 2, .bytes = n};
		at += 2 + n;
	}
	return (struct option){0};
}

/* The boot file's name; not terminated. */
static struct option find_file(const uint8_t *reply, size_t bytes)
{
	struct option file = find_option(reply, bytes, OPTION_BOOT_FILE);
	struct option overload = find_option(reply, bytes, OPTION_OVERLOAD);

	if (file.data || (overload.bytes && (overload.data[0] & OVERLOADED_BY_FILE)))
		return file;
	return (struct option){.data = reply + DHCP_FILE, .bytes = DHCP_FILE_BYTES};
}

bool dhcp_find_source(const uint8_t *reply, size_t bytes, struct dhcp_source *s)
{
	static const uint8_t cookie[4] = {99, 130, 83, 99}, nobody[4];
	struct option file, server;
	size_t folder = 0, length = 0;

	if (bytes < DHCP_OPTIONS || memcmp(reply + DHCP_COOKIE, cookie, sizeof cookie) != 0)
		return false;
	memcpy(s->server, reply + DHCP_SIADDR, sizeof s->server);
	server = find_option(reply, bytes, OPTION_SERVER);
	if (memcmp(s->server, nobody, sizeof nobody) == 0 && server.bytes == sizeof s->server)
		memcpy(s->server, server.data, sizeof s->server);
	file = find_file(reply, bytes);
	for (; length < file.bytes && file.data[length]; length++)
		if (file.data[length] == '/' || file.data[length] == '\\')
			folder = length + 1;
	if (memcmp(s->server, nobody, sizeof nobody) == 0 || length == 0 ||
		folder >= sizeof s->folder)
		return false;
	memcpy(s->folder, file.data, folder);
	s->folder[folder] = 0;
	return true;
}

/*
 * Tables that are found and read on their own: SMBIOS, the byte code of a DSDT, a DHCP reply,
 * a URL in a device path of EFI.
 *
 * Input: which of them, its bytes.
 */
#include <stdlib.h>

#include "boot/efi/dhcp.h"
#include "boot/efi/http.h"
#include "kernel/x86/dsdt.h"
#include "kernel/x86/smbios.h"
#include "test/fuzz/fuzz.h"

/* The entry point's own sum, of as many bytes as it says: 5.2.2 for "_SM3_", 5.2.1 for "_SM_". */
static void set_sum(uint8_t *p, size_t bytes)
{
	bool three = bytes >= SMBIOS_ENTRY_MAX && p[3] == '3';
	size_t length;

	if (bytes < SMBIOS_ENTRY_MAX)
		return;
	length = p[three ? 6 : 5];
	fuzz_set_sum(p, length < bytes ? length : bytes, three ? 5 : 4);
}

static void smbios(uint8_t *p, size_t bytes)
{
	struct smbios_place place;
	char serial[SMBIOS_TEXT_MAX];

	set_sum(p, bytes);
	if (smbios_find(p, bytes, &place))
		CLAIM(place.bytes <= SMBIOS_TABLE_MAX);
	memset(serial, 'x', sizeof serial);
	smbios_serial(p, bytes, serial);
	CLAIM(memchr(serial, 0, sizeof serial));
	for (const char *s = serial; *s; s++)
		CLAIM(*s >= ' ' && *s <= '~');
}

static void dhcp(const uint8_t *p, size_t bytes)
{
	struct dhcp_source source;

	memset(&source, 'x', sizeof source);
	if (dhcp_find_source(p, bytes, &source)) {
		const char *end = memchr(source.folder, 0, sizeof source.folder);

		CLAIM(end && (end == source.folder || end[-1] == '/' || end[-1] == '\\'));
	}
}

static void url(const uint8_t *p, size_t bytes)
{
	char words[64];

	memset(words, 'x', sizeof words);
	http_words(p, bytes, words, sizeof words);
	CLAIM(memchr(words, 0, sizeof words));
	for (const char *c = words; *c; c++)
		CLAIM(*c >= ' ' && *c <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input in = {data, bytes};
	unsigned which = fuzz_byte(&in) % 4;
	uint8_t *p = malloc(in.left ? in.left : 1); /* so that a step beyond is seen */

	if (!p)
		return 0;
	if (in.left)
		memcpy(p, in.at, in.left);
	if (which == 0)
		smbios(p, in.left);
	else if (which == 1)
		(void)dsdt_find_bridge(p, in.left);
	else if (which == 2)
		dhcp(p, in.left);
	else
		url(p, in.left);
	free(p);
	return 0;
}

/* The kernel's command line: its words, and what the console's option says. */
#include <stdlib.h>

#include "kernel/x86/cmdline.h"
#include "kernel/x86/uart_place.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	char *line = malloc(bytes + 1), value[UART_PLACE_TEXT], text[UART_PLACE_TEXT];
	struct uart_place p, again;

	if (!line)
		return 0;
	memcpy(line, data, bytes);
	line[bytes] = '\0';
	(void)cmdline_has(line, "panic=reboot");
	if (cmdline_value(line, "console", value, sizeof value)) {
		CLAIM(strlen(value) < sizeof value);
		if (uart_place_parse(value, &p)) {
			CLAIM(p.kind == UART_NONE || (p.address && p.address <= 0xfff8));
			uart_place_print(&p, text);
			CLAIM(strlen(text) < sizeof text);
		}
	}
	(void)uart_place_parse(line, &again);
	if (uart_place_spcr(data, bytes, &again))
		CLAIM(again.stride == 1 || again.stride == 2 || again.stride == 4);
	free(line);
	return 0;
}

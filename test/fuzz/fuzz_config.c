/* Configuration text as a boot module has it: read, checked, and refused with one line or taken. */
#include "kernel/config.h"
#include "kernel/shell/shell.h"
#include "test/fuzz/fuzz.h"

static void no_console(void *ctx, const char *s, size_t n)
{
	(void)ctx;
	(void)s;
	(void)n;
}

static uint64_t no_clock(void *ctx)
{
	(void)ctx;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const struct shell_env env = {.write = no_console, .now_us = no_clock};
	struct config c;
	char error[160] = "";
	bool good = shell_read_config((const char *)data, bytes, &c, error, sizeof error);

	CLAIM(memchr(error, 0, sizeof error) && !good == (error[0] != 0));
	config_free(&c);
	shell_init(&env); /* forgets the lines */
	return 0;
}

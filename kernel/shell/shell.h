/*
 * The serial shell: line editing, one grammar, one candidate configuration.
 *
 * Input arrives byte by byte and never blocks; output goes through a function.
 * Runs on the control core. The grammar is described in kernel/shell/README.md.
 */
#ifndef KERNEL_SHELL_SHELL_H
#define KERNEL_SHELL_SHELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/config.h"

struct router;

struct shell_env {
	struct router *router;
	void (*write)(void *ctx, const char *s,
		size_t n); /* console output; "\n" is sent as "\r\n" by the shell */
	uint64_t (*now_us)(void *ctx);
	bool (*apply)(void *ctx, const struct config *c, char *error,
		unsigned error_size); /* config_apply */
	void (*yield)(void *ctx);     /* control_yield, or NULL: see shell_yield */
	void *ctx;
};

/* One shell; state is static inside. */
void shell_init(const struct shell_env *env);

/*
 * Boot, before the router exists: reads configuration text ('set' lines, #
 * comments), keeps its lines for shell_load_config, and says in *out, which the
 * caller frees, what they mean. false: error holds "line N: ...", none are kept.
 */
bool shell_read_config(
	const char *text, size_t n, struct config *out, char *error, size_t error_size);

/* Who put a configuration in force. */
enum committer {
	BY_NOBODY,
	BY_CONSOLE,
	BY_BOOT_MODULE,
	BY_COMMAND_LINE,
	BY_AUTOLOAD,
	BY_ROLLBACK_TIMER
};

/* Boot, after shell_init: puts the lines kept in force. false: see error; nothing is applied. */
bool shell_load_config(enum committer by, char *error, size_t error_size);

/* Boot, after that: what is in force, and these lines besides, by the command line. Likewise. */
bool shell_add_config(const char *text, size_t n, char *error, size_t error_size);

/* Prints the first prompt. */
void shell_start(void);

/* Bytes that one call of shell_input or shell_poll prints, at most. */
#define SHELL_OUTPUT_MAX 32768u

/* One byte from the console; what comes while a command runs is kept. */
void shell_input(uint8_t byte);

/* Who was at the console has gone: a command that is for that person alone ends. */
void shell_gone(void);

/*
 * Called every turn of the control loop: one slice of the command that runs
 * (ping, a long `show`), or one line of what was typed meanwhile.
 */
void shell_poll(void);

/* For a command's long work that is not in slices: called often, lets other tasks have turns. */
void shell_yield(void);

/* Whether no command runs and nothing typed waits; a line may be begun. */
bool shell_idle(void);

#endif

/*
 * What the shell's commands share: the call under way, its output, and the
 * functions the grammar's nodes name. Control core only.
 */
#ifndef KERNEL_SHELL_COMMANDS_H
#define KERNEL_SHELL_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/shell/grammar.h"
#include "kernel/shell/output.h"
#include "kernel/shell/shell.h"
#include "lib/limits.h"

/* Pasted lines go here instead of to the grammar; see `load`. */
struct reader {
	/* fault: "line too long" or the like; the line is not to be used */
	void (*line)(const char *line, size_t n, const char *fault);
	void (*end)(bool cancelled);
};

/* One command from its start to its end; only one is under way at a time. */
struct call {
	const struct shell_env *env;
	const struct command *command;
	struct output *out;          /* for `show` */
	unsigned step;               /* times it was called before */
	bool failed;                 /* an error was printed: no more output */
	void (*cancel)(void);        /* set by the command: Ctrl-C */
	bool personal;               /* set by the command: it ends with who gave it */
	const struct reader *reader; /* set by the command: it reads lines */
};

/* Rows a sliced command prints before it lets others run. */
#define SHOW_SLICE 16u

/* A row is a line of text, or its JSON: quoted, with a backslash before each byte at worst. */
_Static_assert(SHOW_SLICE *(2 * OUTPUT_LINE_MAX + 8) + 4096 <= SHELL_OUTPUT_MAX,
	"a slice and the echo of its command");

/* Prints on the console. */
void shell_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints "error: ..." and marks the call as failed; returns true, so a command can end with it. */
bool call_error(struct call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text of the i-th argument or keyword, or NULL if the line is shorter. */
static inline const char *call_word(const struct call *call, unsigned i)
{
	return i < call->command->args ? call->command->text[i] : NULL;
}

/* Ports of the router; 0 before there is one. */
unsigned shell_ports(void);

/* The port whose interface has that name. */
bool shell_find_port(const char *name, unsigned *port);

/* Interfaces: the ports and their VLAN subinterfaces. Names of those that are gone are empty. */
unsigned shell_ifaces(void);
bool shell_find_iface(const char *name, unsigned *number);
const char *shell_iface_name(unsigned number);

/* Name of a port's interface, or "control" for CONTROL_PORT. */
const char *shell_port_name(unsigned port);

/* Which ports a command with an optional port at word 2 is about: *first to before *end.
 * false: no such one, told. */
bool call_ports(struct call *call, unsigned *first, unsigned *end);

/* "eth0", or "eth0:1" for a queue of a port with several. */
#define QUEUE_NAME_MAX (IFACE_NAME_MAX + 4u)
void shell_queue_name(char out[QUEUE_NAME_MAX], unsigned port, unsigned queue, unsigned queues);

/* A NUMA node as a value: its number or "unknown". */
void shell_output_node(struct output *o, const char *key, uint32_t node);

/* Ticks of the TSC in nanoseconds. (show_latency.c) */
uint64_t shell_nanoseconds(uint64_t ticks);

/* What a route does that leads to no neighbour: "blackhole", "local", ... */
const char *shell_action_name(unsigned action);

/* Where a route comes from: enum rib_source. */
const char *shell_source_name(uint8_t source);

/* Columns packets and bytes of a next hop. */
void shell_output_count(struct output *o, const struct router *r, uint32_t index);

/* remote.c: `save` and `load` with a URL; commands as command_fn. */
bool save_remote(struct call *call, const char *url);
bool load_remote(struct call *call, const char *url, bool replace);

/* The grammar (tree.c): all commands, and only those a configuration text may hold. */
extern const struct grammar grammar_all, grammar_edit;

command_fn edit_set, edit_delete, edit_compare, edit_discard, edit_rollback, edit_load, edit_save;
command_fn edit_commit, edit_confirm;
command_fn show_configuration, show_commits;
command_fn show_boot, show_hardware, show_crash, clear_crash;
command_fn show_version, show_uptime, show_cores, show_memory, show_protocols, show_log;
command_fn show_control_plane;
command_fn show_nat_rules, show_nat_mappings, show_nat_ports, show_sessions, clear_sessions;
command_fn show_interfaces, show_routes, show_routes_summary, show_neighbors, show_fib,
	show_fib_verify;
command_fn show_acl, show_next_hops, show_lldp_neighbors, show_queues, show_drops, show_buffers,
	show_latency;
command_fn capture, clear_counters, clear_neighbors, explain, ping, reboot, poweroff;
command_fn show_flows, clear_flows;
#ifdef TEST_HOOKS
/* What follows `debug` (debug.c). */
extern const struct node debug_what[];
#endif

#endif

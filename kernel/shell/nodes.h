/* How the tables of the grammar are written: a keyword, a typed argument, and a table's end. */
#ifndef KERNEL_SHELL_NODES_H
#define KERNEL_SHELL_NODES_H

#include "kernel/shell/grammar.h"

#define WORD(w, h, ...)                                                                            \
	{                                                                                          \
		.word = w, .help = h, __VA_ARGS__                                                  \
	}
#define ARG(kind, h, ...)                                                                          \
	{                                                                                          \
		.arg = ARG_##kind, .help = h, __VA_ARGS__                                          \
	}
#define LAST                                                                                       \
	{                                                                                          \
		.word = NULL                                                                       \
	}

/* Of access lists (tree_acl.c): what follows `set acl`, `set interfaces IF acl`, `show acl`. */
extern const struct node set_acl[], interface_acl[], show_acl_options[];

/* What follows `capture` (tree_capture.c). */
extern const struct node capture_what[];
/* What follows `explain` (explain.c). */
extern const struct node explain_what[];
/* tree_forwarding.c: what follows `set forwarding`, `show flows`. */
extern const struct node set_forwarding[], show_flows_options[];
/* Of NAT (tree_nat.c): what follows `set nat`, `show nat`. */
extern const struct node set_nat[], show_nat_options[];

/* Of sessions (tree_sessions.c): what follows `set forwarding sessions`, `show sessions`, `clear
 * sessions`. */
extern const struct node set_sessions[], show_sessions_options[], clear_sessions_options[];

#endif

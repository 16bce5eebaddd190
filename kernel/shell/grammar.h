/*
 * The grammar as data: one tree of nodes, from which parsing, abbreviation,
 * '?', Tab and canonical order all derive. The tree itself is in tree.c.
 *
 * A node is a keyword or a typed argument; `next` is an array of what may
 * follow, ended by a node that is neither. A line is a path from the root.
 */
#ifndef KERNEL_SHELL_GRAMMAR_H
#define KERNEL_SHELL_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/shell/words.h"

struct call;

enum arg_kind {
	ARG_KEYWORD = 0,
	ARG_IFACE,    /* a port, eth0: letters, then digits */
	ARG_SUBIFACE, /* or its VLAN, eth0.100 */
	ARG_IPV4,     /* 192.0.2.1 */
	ARG_ADDRESS,  /* of either family: 192.0.2.1, 2001:db8::1 */
	ARG_PREFIX,   /* of either family: 192.0.2.0/24, host bits zero */
	ARG_IFADDR,   /* of either family: 192.0.2.1/24, 2001:db8::1/64 */
	ARG_ROUTE,    /* an address or a prefix of either family */
	ARG_POOL,     /* an address, or first-last: 192.0.2.1-192.0.2.9 */
	ARG_MAC,      /* 52:54:00:12:34:56 */
	ARG_NUMBER,   /* min .. max of the node */
	ARG_RANGE,    /* N or N-M, of the node's min .. max */
	ARG_RATE,     /* 64kbit, 1000mbit, 10gbit */
	ARG_SIZE,     /* 15000, 64k, 2m: bytes, of the node's min .. max */
	ARG_NAME,     /* what people call things: letters, digits, _ and -, a letter first */
	ARG_ICMP,     /* 3, 3/4: type, type and code */
	ARG_HOSTNAME, /* one RFC 1123 label */
	ARG_URL,      /* tftp://192.0.2.1/site.conf */
	ARG_TEXT,     /* any printable text */
	ARG_PATTERN,  /* see pattern.h */
	ARG_HEX,      /* 0011 22:33: bytes; with blanks, it is all words up to `|` */
	ARG_KINDS
};

#define KEYWORD_MAX  31u  /* bytes of a keyword or an interface's name; Tab inserts no longer one */
#define ARG_TEXT_MAX 132u /* an argument's canonical text with its zero */

enum node_flags {
	NODE_END = 1,     /* a line may end here */
	NODE_SINGLE = 2,  /* configuration: one line only begins with the words up to here */
	NODE_FILTER = 4,  /* from here on, `| ...` may end the line */
	NODE_PARTIAL = 8, /* below this node a line may end anywhere */
	NODE_HIDDEN = 16, /* not offered, and never abbreviated */
};

/* Runs a command. true: done; false: call again (shell_poll). */
typedef bool command_fn(struct call *call);

struct node {
	const char *word; /* the keyword, or NULL */
	enum arg_kind arg;
	const char *help;
	const struct node *next; /* NULL: nothing follows */
	command_fn *run;         /* the last one on the path is run */
	unsigned flags;
	unsigned min, max; /* of an ARG_NUMBER, ARG_RANGE or ARG_SIZE */
};

struct grammar {
	const struct node *root;
	const struct node *pipe; /* the node `|` */
	/* Names Tab offers, ports first; NULL after the last, or the last port. */
	const char *(*iface_name)(unsigned i, bool ports_only);
};

/* A line understood: the nodes of its path and their canonical texts. */
struct command {
	unsigned words;
	unsigned args; /* words before `|`, or all */
	command_fn *run;
	const struct node *node[WORDS_MAX];
	const char *text[WORDS_MAX]; /* of an ARG_HEX: digits alone, until the next parse */
	char store[WORDS_MAX * ARG_TEXT_MAX];
};

/* Parses n bytes. false: `error` holds one line of text, naming the word. An empty line has 0
 * words. */
bool grammar_parse(const struct grammar *g, const char *line, size_t n, struct command *out,
	char *error, size_t error_size);

/*
 * Calls fn for everything that can continue the n bytes: completions of the
 * word they end in, or what may follow. insertable: `word` can be typed as it
 * is. *typed: length of the word begun. false: an earlier word is wrong, see error.
 */
typedef void grammar_choice_fn(void *ctx, const char *word, const char *help, bool insertable);
bool grammar_choices(const struct grammar *g, const char *left, size_t n, size_t *typed,
	grammar_choice_fn *fn, void *ctx, char *error, size_t error_size);

/* ---- args.c: the types of arguments */

/* Checks a word and writes its canonical text; false: `out` says what it is not ("is not a ...").
 */
bool arg_parse(const struct node *n, const char *word, char out[ARG_TEXT_MAX]);

/* The order of two canonical texts of one type; 0 only if they are equal. */
int arg_order(enum arg_kind kind, const char *a, const char *b);

/* The bits a second of an ARG_RATE's canonical text. */
uint64_t arg_rate_bps(const char *text);

/* The bytes of an ARG_SIZE's canonical text; 0: it is none. */
uint64_t arg_size_bytes(const char *text);

/* Writes a rate as one types it. */
#define ARG_RATE_TEXT 24u
void arg_rate_print(char out[ARG_RATE_TEXT], uint64_t bps);

/* How '?' names it: ADDRESS. */
const char *arg_name(enum arg_kind kind);

#endif

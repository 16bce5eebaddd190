/*
 * A line editor fed byte by byte.
 *
 * It draws with printable characters, blanks and backspaces alone, so it works
 * through a pipe and on any terminal; the one escape code it knows to send
 * (clear screen) waits until the terminal has sent one itself.
 */
#ifndef KERNEL_SHELL_EDITOR_H
#define KERNEL_SHELL_EDITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/shell/words.h"

#define EDITOR_HISTORY_BYTES 8192u /* all kept lines together */
#define EDITOR_PROMPT_MAX    72u

enum editor_fault { EDITOR_FINE, EDITOR_TOO_LONG, EDITOR_NOT_ASCII };

struct editor_ops {
	void (*write)(const char *s, size_t n);
	/* A line was ended; n bytes and a zero. fault: it must not be used. */
	void (*line)(const char *line, size_t n, enum editor_fault fault);
	/* Tab: may call editor_insert; true if it printed something (the line is drawn again). */
	bool (*complete)(const char *left, size_t n);
	/* '?': prints what can follow the n bytes. */
	void (*help)(const char *left, size_t n);
	void (*interrupt)(void); /* Ctrl-C, the line is discarded */
	void (*end)(void);       /* Ctrl-D on an empty line */
};

struct editor {
	const struct editor_ops *ops;
	bool raw; /* no history, Tab and '?': text is being pasted */
	char prompt[EDITOR_PROMPT_MAX];
	char line[SHELL_LINE_MAX + 1];
	size_t length, cursor;
	enum editor_fault fault;
	bool after_cr;  /* a newline now belongs to the carriage return before */
	bool ansi;      /* the terminal has sent an escape code */
	uint8_t escape; /* enum escape_state, editor.c */
	uint8_t escape_bytes;
	uint8_t parameter; /* first number of an escape sequence */
	/* Zero-terminated lines one after another, the oldest first. */
	char history[EDITOR_HISTORY_BYTES];
	size_t history_bytes,
		history_at; /* offset of the line shown; history_bytes: the new line */
};

void editor_init(struct editor *e, const struct editor_ops *ops);

/* Prints the prompt and begins a new line. */
void editor_start(struct editor *e, const char *prompt);

/* Prints the prompt and the line as it is: something else was printed meanwhile. */
void editor_again(struct editor *e, const char *prompt);

/* One byte from the terminal. */
void editor_input(struct editor *e, uint8_t byte);

/* Inserts text at the cursor and shows it. */
void editor_insert(struct editor *e, const char *text, size_t n);

#endif

/* The line editor: keys to changes of a line, and their drawing with backspaces. */
#include "kernel/shell/editor.h"

#include <stdio.h>
#include <string.h>

#define CTRL(letter) ((letter)&0x1f)
#define ESC          0x1b

enum escape_state { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_CSI, ESCAPE_SS3, ESCAPE_LINUX_FKEY };

static void put(struct editor *e, const char *s, size_t n)
{
	if (n)
		e->ops->write(s, n);
}

static void put_many(struct editor *e, char c, size_t n)
{
	char run[64];

	memset(run, c, sizeof run);
	for (; n > sizeof run; n -= sizeof run)
		put(e, run, sizeof run);
	put(e, run, n);
}

void editor_init(struct editor *e, const struct editor_ops *ops)
{
	memset(e, 0, sizeof *e);
	e->ops = ops;
}

static void clear(struct editor *e)
{
	e->length = e->cursor = 0;
	e->line[0] = '\0';
	e->fault = EDITOR_FINE;
	e->history_at = e->history_bytes;
}

static void draw(struct editor *e)
{
	put(e, e->prompt, strlen(e->prompt));
	put(e, e->line, e->length);
	put_many(e, '\b', e->length - e->cursor);
}

void editor_start(struct editor *e, const char *prompt)
{
	snprintf(e->prompt, sizeof e->prompt, "%s", prompt);
	clear(e);
	draw(e);
}

void editor_again(struct editor *e, const char *prompt)
{
	snprintf(e->prompt, sizeof e->prompt, "%s", prompt);
	draw(e);
}

static void move(struct editor *e, size_t to)
{
	if (to < e->cursor)
		put_many(e, '\b', e->cursor - to);
	else
		put(e, e->line + e->cursor, to - e->cursor);
	e->cursor = to;
}

void editor_insert(struct editor *e, const char *text, size_t n)
{
	if (e->length + n > SHELL_LINE_MAX) {
		e->fault = EDITOR_TOO_LONG;
		return;
	}
	memmove(e->line + e->cursor + n, e->line + e->cursor, e->length - e->cursor + 1);
	memcpy(e->line + e->cursor, text, n);
	e->length += n;
	put(e, e->line + e->cursor, e->length - e->cursor);
	e->cursor += n;
	put_many(e, '\b', e->length - e->cursor);
}

/* Removes [from, to) and leaves the cursor at `from`. */
static void cut(struct editor *e, size_t from, size_t to)
{
	if (from == to)
		return;
	move(e, from);
	memmove(e->line + from, e->line + to, e->length - to + 1);
	e->length -= to - from;
	put(e, e->line + from, e->length - from);
	put_many(e, ' ', to - from);
	put_many(e, '\b', e->length - from + to - from);
}

static void replace(struct editor *e, const char *text)
{
	size_t n = strlen(text), old = e->length;

	move(e, 0);
	memcpy(e->line, text, n + 1);
	e->length = e->cursor = n;
	put(e, text, n);
	if (old > n) {
		put_many(e, ' ', old - n);
		put_many(e, '\b', old - n);
	}
}

static size_t word_start(const struct editor *e)
{
	size_t i = e->cursor;

	while (i && e->line[i - 1] == ' ')
		i--;
	while (i && e->line[i - 1] != ' ')
		i--;
	return i;
}

/* ---------------------------------------------------------------- history */

static size_t history_before(const struct editor *e, size_t at)
{
	if (at == 0)
		return 0;
	at--; /* the zero of the line before */
	while (at && e->history[at - 1])
		at--;
	return at;
}

static void history_add(struct editor *e)
{
	size_t n = e->length + 1;

	if (!e->length || n > EDITOR_HISTORY_BYTES)
		return;
	if (e->history_bytes && !strcmp(e->history + history_before(e, e->history_bytes), e->line))
		return;
	while (e->history_bytes + n > EDITOR_HISTORY_BYTES) {
		size_t oldest = strlen(e->history) + 1;

		e->history_bytes -= oldest;
		memmove(e->history, e->history + oldest, e->history_bytes);
	}
	memcpy(e->history + e->history_bytes, e->line, n);
	e->history_bytes += n;
}

static void history_up(struct editor *e)
{
	if (e->raw || e->history_at == 0)
		return;
	e->history_at = history_before(e, e->history_at);
	replace(e, e->history + e->history_at);
}

static void history_down(struct editor *e)
{
	if (e->raw || e->history_at == e->history_bytes)
		return;
	e->history_at += strlen(e->history + e->history_at) + 1;
	replace(e, e->history_at == e->history_bytes ? "" : e->history + e->history_at);
}

/* ---------------------------------------------------------------- keys */

static void end_line(struct editor *e)
{
	enum editor_fault fault = e->fault;

	put(e, "\n", 1);
	if (fault == EDITOR_FINE && !e->raw)
		history_add(e);
	e->fault = EDITOR_FINE;
	e->ops->line(e->line, e->length, fault);
}

static void delete_at(struct editor *e)
{
	if (e->cursor < e->length)
		cut(e, e->cursor, e->cursor + 1);
}

static void backspace(struct editor *e)
{
	if (e->cursor)
		cut(e, e->cursor - 1, e->cursor);
}

static void left(struct editor *e)
{
	if (e->cursor)
		move(e, e->cursor - 1);
}

static void right(struct editor *e)
{
	if (e->cursor < e->length)
		move(e, e->cursor + 1);
}

static void tab(struct editor *e)
{
	if (e->raw)
		editor_insert(e, " ", 1);
	else if (!words_in_quote(e->line, e->cursor) && e->ops->complete(e->line, e->cursor))
		draw(e);
}

static void help(struct editor *e)
{
	if (e->raw || words_in_quote(e->line, e->cursor)) {
		editor_insert(e, "?", 1);
		return;
	}
	put(e, "\n", 1);
	e->ops->help(e->line, e->cursor);
	draw(e);
}

static void end_of_input(struct editor *e)
{
	if (e->length && !e->raw) {
		delete_at(e);
		return;
	}
	if (e->length || e->fault != EDITOR_FINE)
		end_line(e); /* the last pasted line may lack its end */
	e->ops->end();
}

static void clear_screen(struct editor *e)
{
	if (e->ansi)
		put(e, "\x1b[H\x1b[2J", 7);
	else
		put(e, "\n", 1);
	draw(e);
}

static void interrupt(struct editor *e)
{
	put(e, "^C\n", 3);
	clear(e);
	e->ops->interrupt();
}

static void control_key(struct editor *e, uint8_t byte)
{
	switch (byte) {
	case CTRL('A'):
		move(e, 0);
		break;
	case CTRL('B'):
		left(e);
		break;
	case CTRL('D'):
		end_of_input(e);
		break;
	case CTRL('E'):
		move(e, e->length);
		break;
	case CTRL('F'):
		right(e);
		break;
	case CTRL('H'):
	case 0x7f:
		backspace(e);
		break;
	case CTRL('I'):
		tab(e);
		break;
	case CTRL('K'):
		cut(e, e->cursor, e->length);
		break;
	case CTRL('L'):
		clear_screen(e);
		break;
	case CTRL('N'):
		history_down(e);
		break;
	case CTRL('P'):
		history_up(e);
		break;
	case CTRL('U'):
		cut(e, 0, e->cursor);
		break;
	case CTRL('W'):
		cut(e, word_start(e), e->cursor);
		break;
	}
}

/* The last byte of ESC [ ... or ESC O ...: xterm, VT220, rxvt and Linux console variants. */
static void escape_key(struct editor *e, uint8_t last)
{
	if (last == '~')
		last = e->parameter == 1 || e->parameter == 7   ? 'H'
		       : e->parameter == 4 || e->parameter == 8 ? 'F'
		       : e->parameter == 3                      ? '~'
								: 0;
	switch (last) {
	case 'A':
		history_up(e);
		break;
	case 'B':
		history_down(e);
		break;
	case 'C':
		right(e);
		break;
	case 'D':
		left(e);
		break;
	case 'H':
		move(e, 0);
		break;
	case 'F':
		move(e, e->length);
		break;
	case '~':
		delete_at(e);
		break;
	}
}

/* ECMA-48 5.4: parameter bytes 0x30-0x3f, intermediate 0x20-0x2f, then one final byte. */
static void csi_byte(struct editor *e, uint8_t byte)
{
	if (byte == '[' && e->escape_bytes == 0) {
		e->escape = ESCAPE_LINUX_FKEY; /* ESC [ [ A: F1 of the Linux console */
		return;
	}
	if (byte >= 0x40) {
		e->escape = ESCAPE_NONE;
		escape_key(e, byte);
		return;
	}
	if (e->escape_bytes == 0 && byte >= '0' && byte <= '9')
		e->parameter = byte - '0';
	else if (e->escape_bytes == 1 && byte >= '0' && byte <= '9')
		e->parameter = 0; /* two digits: a function key */
	if (++e->escape_bytes == 16)
		e->escape = ESCAPE_NONE; /* no key sends that much */
}

static void escape_byte(struct editor *e, uint8_t byte)
{
	switch (e->escape) {
	case ESCAPE_BEGUN:
		e->escape_bytes = e->parameter = 0;
		e->escape = byte == '[' ? ESCAPE_CSI : byte == 'O' ? ESCAPE_SS3 : ESCAPE_NONE;
		break;
	case ESCAPE_CSI:
		csi_byte(e, byte);
		break;
	case ESCAPE_SS3:
		e->escape = ESCAPE_NONE;
		escape_key(e, byte);
		break;
	default:
		e->escape = ESCAPE_NONE;
		break;
	}
}

/* A line that has a fault only waits for its end, or to be thrown away by Ctrl-C or Ctrl-U. */
static void key(struct editor *e, uint8_t byte)
{
	if (byte == CTRL('C')) {
		interrupt(e);
	} else if (e->fault != EDITOR_FINE && byte == CTRL('U')) {
		cut(e, 0, e->length);
		e->fault = EDITOR_FINE;
	} else if (e->fault == EDITOR_TOO_LONG) {
		if (byte == CTRL('D') && e->raw)
			end_of_input(e);
	} else if (byte >= 0x80) {
		e->fault = EDITOR_NOT_ASCII;
	} else if (byte < 0x20 || byte == 0x7f) {
		control_key(e, byte);
	} else if (byte == '?') {
		help(e);
	} else {
		char c = (char)byte;

		editor_insert(e, &c, 1);
	}
}

void editor_input(struct editor *e, uint8_t byte)
{
	bool after_cr = e->after_cr;

	e->after_cr = byte == '\r';
	if (byte == '\n' && after_cr)
		return;
	if (byte == ESC) {
		e->ansi = true;
		e->escape = ESCAPE_BEGUN;
		return;
	}
	if (e->escape != ESCAPE_NONE && byte >= 0x20 && byte < 0x7f) {
		if (e->fault == EDITOR_TOO_LONG)
			e->escape = ESCAPE_NONE;
		else
			escape_byte(e, byte);
		return;
	}
	e->escape = ESCAPE_NONE; /* a control byte ends a broken sequence */
	if (byte == '\r' || byte == '\n')
		end_line(e);
	else
		key(e, byte);
}

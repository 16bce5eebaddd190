/* What the grammar offers a person at the keyboard: Tab and '?'. */
#ifndef KERNEL_SHELL_ASSIST_H
#define KERNEL_SHELL_ASSIST_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/shell/editor.h"
#include "kernel/shell/grammar.h"

/* Tab behind the n bytes: inserts what is certain, else lists. true: it printed lines. */
bool assist_complete(struct editor *e, const struct grammar *g, const char *left, size_t n);

/* Prints what can follow the n bytes, one to a line with a word of help. */
void assist_help(const struct grammar *g, const char *left, size_t n);

#endif

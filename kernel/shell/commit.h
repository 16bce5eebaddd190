/*
 * Commits: a set of lines comes in force, whole, and is written down; and one that
 * is to be confirmed is undone if nobody does.
 */
#ifndef KERNEL_SHELL_COMMIT_H
#define KERNEL_SHELL_COMMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/shell/config.h"
#include "kernel/shell/history.h"

/* None is waiting to be confirmed, and the next is number 1. */
void commit_reset(void);

/* Builds and applies a set. false: nothing has changed, see error. */
bool commit_lines(const struct lines *set, enum committer by, char *error, size_t size);

/* What is wrong in one line: the configuration line (with its number in a text that was read), then
 * why. */
void commit_print_fault(const struct config_fault *fault, bool numbered, char *error, size_t size);

/* Called often: undoes a commit whose time to be confirmed is over. true: it has, and text says so.
 */
bool commit_watch(char *text, size_t size);

/* Whether a commit waits to be confirmed, and how long it still has. */
bool commit_is_pending(uint64_t *left_us);

/* Test images: a waiting commit has no more than this left. */
void commit_hurry(uint64_t left_us);

#endif

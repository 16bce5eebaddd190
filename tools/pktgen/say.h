/* Sentences on standard error, beside a progress line that may stand there. */
#ifndef PKTGEN_SAY_H
#define PKTGEN_SAY_H

/* One line; from any thread. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Replaces the progress line, if standard error is a terminal; "" removes it. */
void say_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

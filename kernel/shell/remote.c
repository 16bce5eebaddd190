/* save and load with a file of a TFTP server in place of the console. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/shell/commands.h"
#include "kernel/shell/config.h"
#include "kernel/shell/history.h"
#include "kernel/shell/store.h"
#include "kernel/transfer.h"
#include "kernel/version.h"

_Static_assert(sizeof "tftp://255.255.255.255/" + TFTP_PATH_MAX <= ARG_TEXT_MAX, "a URL's length");

struct text {
	char *bytes;
	size_t n, room;
	bool failed;
};

static void append(struct text *t, const char *line)
{
	size_t n = strlen(line);

	if (t->room - t->n < n + 1 && !t->failed) {
		size_t room = 2 * t->room + n + 4096;
		char *more = realloc(t->bytes, room);

		t->failed = !more;
		if (more) {
			t->bytes = more;
			t->room = room;
		}
	}
	if (t->failed)
		return;
	memcpy(t->bytes + t->n, line, n);
	t->bytes[t->n + n] = '\n';
	t->n += n + 1;
}

/* What is in force, in one go: no commit comes between two lines. */
static struct text text_in_force(void)
{
	const struct generation *now = history_get(0);
	char line[LINE_TEXT_MAX];
	struct text t = {0};

	snprintf(line, sizeof line, "# %s, barewire %s, commit %u", store_hostname(),
		barewire_version, now->commit);
	append(&t, line);
	for (unsigned i = 0; i < now->set.count && !t.failed; i++) {
		line_print(now->set.line[i], line, sizeof line);
		append(&t, line);
		shell_yield();
	}
	return t;
}

/* Waits for the end of a transfer. true: it has ended well. */
static bool transferred(struct call *call, bool *ended)
{
	*ended = transfer_turn();
	if (*ended && *transfer_error())
		call_error(call, "%s", transfer_error());
	return *ended && !call->failed;
}

bool save_remote(struct call *call, const char *url)
{
	struct transfer_place to;
	bool ended;

	if (call->step == 0) {
		struct text t = text_in_force();

		if (t.failed || t.n > TRANSFER_MAX || !transfer_parse(url, false, &to)) {
			free(t.bytes);
			return call_error(
				call, t.failed ? "out of memory" : "the configuration is too long");
		}
		transfer_write(call->env->router, &to, t.bytes, t.n);
		call->cancel = transfer_end;
	}
	(void)transferred(call, &ended);
	if (ended)
		transfer_end();
	return ended;
}

/* The lines read, to the candidate, all or none. */
static void take(struct call *call, bool replace)
{
	struct lines set = {0};
	char error[240];
	size_t n;
	const char *text = transfer_text(&n);

	if (!replace && lines_copy(&set, store_candidate())) {
		call_error(call, "out of memory");
	} else if (!config_read_text(&set, text, n, error, sizeof error)) {
		call_error(call, "%s", error);
		lines_clear(&set);
	} else {
		lines_clear(store_candidate());
		*store_candidate() = set;
	}
}

bool load_remote(struct call *call, const char *url, bool replace)
{
	struct transfer_place from;
	bool ended;

	if (call->step == 0) {
		if (!transfer_parse(url, false, &from) || !transfer_read(call->env->router, &from))
			return call_error(call, "out of memory");
		call->cancel = transfer_end;
	}
	if (transferred(call, &ended))
		take(call, replace);
	if (ended)
		transfer_end();
	return ended;
}

/* Reading the routes of a benchmark. */
#include "test/bench/fib/tables.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/table/route_text.h"

#define ROUTES_MAX 2000000u
#define BYTES_MAX  (256u << 20)
#define HOPS_MAX   65535u

struct reader {
	const char *name;
	struct route_text text;
	struct table *v4, *v6;
	struct ip6 gateway[HOPS_MAX]; /* of next hops given by address: index + 1 */
	uint32_t gateways;
};

static void fail(const char *name, uint32_t line, const char *why)
{
	fprintf(stderr, "bench-fib: %s:%u: %s\n", name, line, why);
	exit(1);
}

/* The whole of a file, uncompressed by gzip if its name says so; the caller frees it. */
static char *read_whole(const char *name, size_t *bytes)
{
	size_t n = strlen(name);
	char *data = malloc(BYTES_MAX), command[1024];
	FILE *f;

	if (n > 3 && strcmp(name + n - 3, ".gz") == 0) {
		if (strchr(name, '\'') || n > 900)
			fail(name, 0, "not a name this program takes");
		snprintf(command, sizeof command, "gzip -dc -- '%s'", name);
		f = popen(command, "r"); /* NOLINT(cert-env33-c): the name is quoted */
	} else {
		f = fopen(name, "r");
	}
	if (!f || !data) {
		perror(name);
		exit(1);
	}
	*bytes = fread(data, 1, BYTES_MAX, f);
	if (*bytes == BYTES_MAX || ferror(f))
		fail(name, 0, "too long, or not readable");
	n > 3 && strcmp(name + n - 3, ".gz") == 0 ? pclose(f) : fclose(f);
	return data;
}

static uint32_t hop_of(struct reader *r, struct ip6 gateway)
{
	static uint32_t last; /* routes of one next hop often stand together */

	if (last < r->gateways && ip6_equal(r->gateway[last], gateway))
		return last + 1;
	for (last = 0; last < r->gateways; last++)
		if (ip6_equal(r->gateway[last], gateway))
			return last + 1;
	if (r->gateways == HOPS_MAX)
		fail(r->name, r->text.line, "too many next hops");
	r->gateway[r->gateways++] = gateway;
	return r->gateways;
}

static void add(struct reader *r, const struct route_line *line, uint32_t hop)
{
	struct table *t = line->family == 4 ? r->v4 : r->v6;

	if (t->n == ROUTES_MAX)
		fail(r->name, r->text.line, "too many routes");
	t->route[t->n++] = (struct routegen_route){line->prefix, hop, line->length};
	t->nexthops = hop > t->nexthops ? hop : t->nexthops;
}

/* `PREFIX INDEX`, or false. */
static bool indexed(struct reader *r, struct route_line *line, uint32_t *hop)
{
	const char *at = r->text.at;
	uint32_t index = 0;
	unsigned digits = 0;

	if (route_text_prefix(&at, r->text.end, line) != NULL)
		return false;
	while (at < r->text.end && *at == ' ')
		at++;
	for (; at < r->text.end && *at >= '0' && *at <= '9' && digits < 6; at++, digits++)
		index = index * 10 + (uint32_t)(*at - '0');
	if (!digits || index >= HOPS_MAX || at == r->text.end || *at != '\n')
		return false;
	r->text.at = at + 1;
	r->text.line++;
	*hop = index + 1;
	return true;
}

static void read_file(struct reader *r, const char *name)
{
	size_t bytes;
	char *data = read_whole(name, &bytes);
	struct route_line line;
	uint32_t hop;

	r->name = name;
	r->text = (struct route_text){data, data + bytes, 0, NULL};
	while (r->text.at < r->text.end) {
		if (indexed(r, &line, &hop))
			add(r, &line, hop);
		else if (route_text_next(&r->text, &line))
			add(r, &line, hop_of(r, line.gateway));
		else if (r->text.error)
			fail(name, r->text.line, r->text.error);
	}
	free(data);
}

static int by_prefix(const void *x, const void *y)
{
	const struct routegen_route *a = x, *b = y;

	if (!ip6_equal(a->prefix, b->prefix))
		return ip6_less(a->prefix, b->prefix) ? -1 : 1;
	return (a->length > b->length) - (a->length < b->length);
}

/* Sorted; of several routes to a prefix (equal-cost paths) the first stays. */
static void tidy(struct table *t)
{
	uint32_t kept = 0;

	qsort(t->route, t->n, sizeof *t->route, by_prefix);
	for (uint32_t i = 0; i < t->n; i++)
		if (!kept || by_prefix(&t->route[kept - 1], &t->route[i]))
			t->route[kept++] = t->route[i];
	t->n = kept;
}

void tables_load(char *const *file, int files, struct table *v4, struct table *v6)
{
	struct reader *r = calloc(1, sizeof *r);

	*v4 = *v6 = (struct table){calloc(ROUTES_MAX, sizeof *v4->route), 0, 0};
	v6->route = calloc(ROUTES_MAX, sizeof *v6->route);
	if (!r || !v4->route || !v6->route) {
		perror("bench-fib");
		exit(1);
	}
	r->v4 = v4;
	r->v6 = v6;
	for (int i = 0; i < files; i++)
		read_file(r, file[i]);
	if (!v4->n && !files) {
		v4->n = 900000;
		v6->n = 160000;
		v4->nexthops = v6->nexthops = 64;
		routegen4(v4->route, v4->n, v4->nexthops, 1);
		routegen6(v6->route, v6->n, v6->nexthops, 1);
	}
	tidy(v4);
	tidy(v6);
	free(r);
}

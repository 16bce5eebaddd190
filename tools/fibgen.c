/* build/fibgen: makes of routes the bytes of a forwarding table that is ready for use. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/atomic.h"
#include "net/table/fibimage.h"
#include "net/table/route_load.h"

#define TOLD_MAX 20u /* wrong lines named of a file */

static struct rib4 rib4;
static struct rib6 rib6;
static struct fib4 *fib4;
static struct fib6 *fib6;
static struct nexthop_table nexthops;

static void __attribute__((noreturn)) fail(const char *name)
{
	perror(name);
	exit(1);
}

static void *memory(size_t bytes)
{
	void *p = aligned_alloc(CACHE_LINE, (bytes + CACHE_LINE - 1) & -(size_t)CACHE_LINE);

	if (!p)
		fail("fibgen");
	return memset(p, 0, bytes);
}

static void tables_init(void)
{
	struct fib4_limits limits4 = fib4_limits_for(RIB4_MAX);
	struct fib6_limits limits6 = fib6_limits_for(RIB6_MAX);
	struct nexthop_memory m = {
		.adjacency = memory(NEXTHOP_MAX * sizeof *m.adjacency),
		.nexthop = memory(NEXTHOP_MAX * sizeof *m.nexthop),
		.place = memory(GROUP_MAX * GROUP_SPREAD * sizeof *m.place),
		.leads = memory(NEXTHOP_MAX * sizeof *m.leads),
		.group = memory(GROUP_MAX * sizeof *m.group),
	};

	nexthop_init(&nexthops, &m);
	rib4_init(&rib4, memory(rib4_size(RIB4_MAX)), RIB4_MAX);
	rib6_init(&rib6, memory(rib6_size(RIB6_MAX)), RIB6_MAX);
	fib4 = fib4_init(memory(fib4_size(&limits4)), &limits4);
	fib6 = fib6_init(memory(fib6_size(&limits6)), &limits6);
}

/* ---- reading ---- */

/* Standard output of `gzip -dc NAME`; its process is waited for by gunzip_end. */
static FILE *gunzip_begin(const char *name, pid_t *child)
{
	int end[2];

	if (pipe(end) < 0 || (*child = fork()) < 0)
		fail(name);
	if (*child == 0) {
		dup2(end[1], 1);
		close(end[0]);
		close(end[1]);
		execlp("gzip", "gzip", "-dc", "--", name, (char *)NULL);
		perror("gzip");
		_exit(127);
	}
	close(end[1]);
	return fdopen(end[0], "r");
}

static void gunzip_end(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) < 0 || status != 0)
		exit(1); /* gzip has said why */
}

static char *read_all(FILE *f, const char *name, size_t *bytes)
{
	size_t size = 0, n = 0;
	char *text = NULL;

	do {
		char *larger = n == size ? realloc(text, size = 2 * size + (1 << 20)) : text;

		if (!larger)
			fail(name);
		text = larger;
		n += fread(text + n, 1, size - n, f);
	} while (n == size);
	if (ferror(f))
		fail(name);
	*bytes = n;
	return text;
}

/* The whole of a file, unpacked if its name ends in .gz. */
static char *read_file(const char *name, size_t *bytes)
{
	size_t n = strlen(name);
	bool packed = n > 3 && strcmp(name + n - 3, ".gz") == 0;
	pid_t child = 0;
	FILE *f = packed ? gunzip_begin(name, &child) : fopen(name, "r");

	if (!f)
		fail(name);
	char *text = read_all(f, name, bytes);

	fclose(f);
	if (packed)
		gunzip_end(child);
	return text;
}

struct teller {
	const char *name;
	unsigned told;
};

static void tell(void *ctx, uint32_t line, const char *why)
{
	struct teller *t = ctx;

	if (t->told++ < TOLD_MAX)
		fprintf(stderr, "%s:%u: %s\n", t->name, line, why);
}

static void load_file(struct route_load *load, const char *name)
{
	struct teller *teller = load->ctx;
	size_t bytes;
	char *text = read_file(name, &bytes);

	*teller = (struct teller){name, 0};
	route_load_text(load, text, bytes);
	if (teller->told > TOLD_MAX)
		fprintf(stderr, "%s: %u more lines are wrong\n", name, teller->told - TOLD_MAX);
	free(text);
}

/* ---- making ---- */

/* Both FIBs, made from the RIBs at one go: small, without traces of earlier states. */
static void build(void)
{
	if (fib4_update(fib4, &rib4, 0, 0) != ERR_OK ||
		fib6_update(fib6, &rib6, (struct ip6){0, 0}, 0) != ERR_OK) {
		fputs("fibgen: the routes do not fit a forwarding table\n", stderr);
		exit(1);
	}
	fib4_grace_begin(fib4);
	fib4_grace_passed(fib4);
	fib6_grace_begin(fib6);
	fib6_grace_passed(fib6);
}

static size_t write_image(const char *name)
{
	const struct fibimage_tables tables = {&rib4, &rib6, fib4, fib6, &nexthops};
	size_t bytes = fibimage_size(&tables);
	void *image = memory(bytes);
	FILE *f = fopen(name, "w");

	fibimage_write(&tables, image);
	if (!f || fwrite(image, 1, bytes, f) != bytes || fclose(f) != 0)
		fail(name);
	free(image);
	return bytes;
}

int main(int argc, char **argv)
{
	struct teller teller;
	struct route_load load = {.rib4 = &rib4,
		.rib6 = &rib6,
		.nexthops = &nexthops,
		.ports = PORT_MAX,
		.wrong = tell,
		.ctx = &teller};

	if (argc < 3) {
		fputs("usage: fibgen IMAGE ROUTES...\n", stderr);
		return 2;
	}
	tables_init();
	for (int i = 2; i < argc; i++)
		load_file(&load, argv[i]);
	if (load.wrong_lines)
		return 1;
	build();
	size_t bytes = write_image(argv[1]);

	printf("fibgen: %u IPv4 and %u IPv6 routes, %u next hops, %zu KiB\n", load.routes4,
		load.routes6, nexthops.used - 1, bytes / 1024);
	return 0;
}

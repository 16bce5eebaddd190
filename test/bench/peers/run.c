/* A run: its flows, what is expected of them, its windows and what it prints. */
#include "test/bench/peers/run.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define WINDOW      8192u /* frames of one measurement: short against a time slice */
#define WINDOWS_MAX 500000u
#define WINDOWS_MIN 200u /* however long the machine is busy with others */
#define WARM_UP     0.3  /* seconds */

struct run run = {.next = UINT64_MAX};
void (*run_window)(uint64_t frames);
void (*run_print_more)(void);

static struct run_options options;

/* What is expected, by destination. */
static struct expected {
	uint32_t dst; /* as in the frame */
	uint8_t port;
} * expected;
static uint64_t checked[PERFECT_PORTS], wrong;

static double *window; /* cycles per frame */
static unsigned windows;
static uint64_t window_began, window_sent, warm_until, end_at;
static enum { VERIFY, WARM, TIMED } phase;

static void __attribute__((noreturn)) fail(const char *name, const char *what)
{
	fprintf(stderr, "peers: %s: %s\n", name, what);
	exit(1);
}

static uint64_t tsc_hz(void)
{
	struct timespec t = {.tv_nsec = 50000000};
	struct timespec a, b;
	uint64_t begin = __rdtsc();

	clock_gettime(CLOCK_MONOTONIC, &a);
	(void)nanosleep(&t, NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	double ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);

	return (uint64_t)((double)(__rdtsc() - begin) * 1e9 / ns);
}

/* ---- flows ---- */

/* A file's content, in large pages where the kernel gives them; never given back. */
static void *read_file(const char *name, size_t *size)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		fail(name, "cannot be read");
	*size = (size_t)st.st_size;
	size_t room = (*size + (2u << 20)) & ~(size_t)((2u << 20) - 1);
	char *p = aligned_alloc(2u << 20, room);

	if (!p)
		fail(name, "no memory");
	(void)madvise(p, room, MADV_HUGEPAGE);
	for (size_t at = 0; at < *size;) {
		ssize_t n = read(fd, p + at, *size - at);

		if (n <= 0)
			fail(name, "cannot be read");
		at += (size_t)n;
	}
	close(fd);
	return p;
}

/* UDP from 10.9.9.9, port of the flow, to port 9. */
static void make_frame(struct perfect_source *s)
{
	static const uint8_t frame[PERFECT_FRAME] = {[6] = 2,
		2,
		2,
		2,
		2,
		2,
		[12] = 8,
		0, /* */
		[14] = 0x45,
		[17] = PERFECT_FRAME - 14,
		[22] = 64,
		17,
		[26] = 10,
		9,
		9,
		9,
		[37] = 9,
		[39] = PERFECT_FRAME - 34};

	for (unsigned p = 0; p < PERFECT_PORTS; p++) {
		memcpy(s->frame[p], frame, sizeof frame);
		run_port_mac(p, s->frame[p]);
	}
	memset(s->pick, 0x80, sizeof s->pick);
	for (uint8_t i = 0; i < 4; i++)
		s->pick[PERFECT_AT_DST + i] = i;
	for (uint8_t i = 0; i < 2; i++) {
		s->pick[PERFECT_AT_CHECKSUM + i] = 4 + i;
		s->pick[PERFECT_AT_SOURCE_PORT + i] = 6 + i;
	}
}

static int by_dst(const void *x, const void *y)
{
	const struct expected *a = x, *b = y;

	return a->dst < b->dst ? -1 : a->dst > b->dst;
}

static void expect(const char *flows)
{
	char name[4096];
	size_t size;

	snprintf(name, sizeof name, "%s.ports", flows);
	const uint8_t *port = read_file(name, &size);

	expected = malloc(run.source.flows * sizeof *expected);
	if (size != run.source.flows || !expected)
		fail(name, "does not fit the flows");
	for (uint32_t i = 0; i < run.source.flows; i++)
		expected[i] = (struct expected){run.source.flow[i].dst, port[i]};
	qsort(expected, run.source.flows, sizeof *expected, by_dst);
}

void run_begin(const struct run_options *o)
{
	size_t size;

	if (run.source.flow) /* the second port */
		return;
	options = *o;
	make_frame(&run.source);
	run.source.flow = read_file(o->flows, &size);
	run.source.flows = (uint32_t)(size / sizeof *run.source.flow);
	if (!run.source.flows || run.source.flows & (run.source.flows - 1))
		fail(o->flows, "not a power of two of flows");
	if (o->kind == RUN_FORWARD)
		expect(o->flows);
	window = malloc(WINDOWS_MAX * sizeof *window);
	if (!window)
		fail("windows", "no memory");
	memset(window, 0, WINDOWS_MAX * sizeof *window); /* there before it is timed */
	/* All flows once, and what the rings may hold of them. */
	run.sent = 0;
	run.next = run.source.flows + 8 * PERFECT_PORTS * PERFECT_SLOTS;
	run.verifying = true;
}

bool run_kind_of(const char *word, enum run_kind *kind)
{
	static const char *const words[] = {"forward", "io", "macswap"};

	for (unsigned i = 0; i < 3; i++)
		if (!strcmp(word, words[i])) {
			*kind = (enum run_kind)i;
			return true;
		}
	return false;
}

/* ---- verification ---- */

void run_port_mac(unsigned p, uint8_t *mac)
{
	memcpy(mac, (uint8_t[]){2, 0, 0, 0, 0, (uint8_t)p}, 6);
}

void run_neighbor_mac(unsigned p, uint8_t *mac)
{
	memcpy(mac, (uint8_t[]){2, 1, 1, 1, 1, (uint8_t)p}, 6);
}

static bool checksum_good(const uint8_t *ip)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

static bool routed(unsigned p, const uint8_t *f)
{
	struct expected key = {0};
	uint8_t macs[12];

	memcpy(&key.dst, f + PERFECT_AT_DST, 4);
	const struct expected *e =
		bsearch(&key, expected, run.source.flows, sizeof *expected, by_dst);

	run_neighbor_mac(p, macs);
	run_port_mac(p, macs + 6);
	return e && e->port == p && !memcmp(f, macs, 12) && f[22] == 63 && checksum_good(f + 14);
}

/* What no kind of forwarding changes: all but MAC addresses, TTL, and the flow's fields. */
static bool same_rest(const uint8_t *f)
{
	const uint8_t *t = run.source.frame[0];

	return !memcmp(f + 12, t + 12, 10) && f[23] == t[23] && !memcmp(f + 26, t + 26, 4) &&
	       !memcmp(f + 36, t + 36, PERFECT_FRAME - 36);
}

void run_verify(unsigned p, const uint8_t *f, uint32_t bytes)
{
	const uint8_t *t = run.source.frame[p ^ 1]; /* as it came, unless routed */
	bool good = bytes == PERFECT_FRAME && same_rest(f);

	if (checked[0] + checked[1] == 0) /* testpmd throws away what it finds before it starts */
		run.source.delivered = 0;
	checked[p]++;
	if (options.kind == RUN_FORWARD)
		good = good && routed(p, f);
	else if (options.kind == RUN_IO)
		good = good && !memcmp(f, t, 12) && f[22] == 64 && checksum_good(f + 14);
	else
		good = good && !memcmp(f, t + 6, 6) && !memcmp(f + 6, t, 6) && f[22] == 64;
	wrong += !good;
}

/* ---- windows ---- */

static int order(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return a < b ? -1 : a > b;
}

static void __attribute__((noreturn)) finish(void)
{
	qsort(window, windows, sizeof *window, order);
	printf("\n{\"p10\": %.3f, \"p50\": %.3f, \"p90\": %.3f, \"windows\": %u, "
	       "\"checked\": [%llu, %llu], \"wrong\": %llu, \"held\": %lld",
		window[windows / 10], window[windows / 2], window[windows - windows / 10 - 1],
		windows, (unsigned long long)checked[0], (unsigned long long)checked[1],
		(unsigned long long)wrong, (long long)(run.source.delivered - run.sent));
	if (run_print_more)
		run_print_more();
	puts("}");
	fflush(stdout);
	_exit(wrong != 0);
}

static void warm_up(uint64_t now)
{
	uint64_t hz = tsc_hz();

	free(expected);
	expected = NULL;
	run.verifying = false;
	phase = WARM;
	warm_until = now + (uint64_t)((double)hz * WARM_UP);
	end_at = warm_until + (uint64_t)((double)hz * options.seconds);
}

static void end_window(uint64_t now)
{
	window[windows++] = (double)(now - window_began) / (double)(run.sent - window_sent);
	if (run_window)
		run_window(run.sent - window_sent);
	if ((now >= end_at && windows >= WINDOWS_MIN) || windows == WINDOWS_MAX)
		finish();
}

void run_due(void)
{
	uint64_t now = __rdtsc();

	if (phase == VERIFY)
		warm_up(now);
	else if (phase == WARM && now >= warm_until)
		phase = TIMED;
	else if (phase == TIMED)
		end_window(now);
	window_began = run_window ? __rdtsc() : now;
	window_sent = run.sent;
	run.next = run.sent + WINDOW;
}

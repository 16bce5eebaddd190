/* The last report: registers, back trace and log on the console, then stop or reboot. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kernel/lastframes.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/version.h"
#include "kernel/x86/console.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/crash.h"
#include "kernel/x86/fault.h"
#include "kernel/x86/gate.h"
#include "kernel/x86/image.h"
#include "kernel/x86/paging.h"
#include "kernel/x86/start.h"
#include "kernel/x86/symbols.h"
#include "kernel/x86/tsc.h"

#define TRACE_MAX      32u /* frames shown */
#define LOG_LINES      20u /* last lines of the log shown */
#define REBOOT_WAIT_US 1000000u
#define STOP_WAIT_US   10000u

#define LINE_MAX 200u

/* What is reported; panic_report's. */
static const struct fault_report *report;

__attribute__((format(printf, 1, 2))) static void out(const char *format, ...)
{
	char line[LINE_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	if (n > (int)sizeof line - 1)
		n = (int)sizeof line - 1;
	if (n > 0) {
		crash_keep(line, (size_t)n);
		platform_console_write(line, (size_t)n);
	}
	crash_keep("\n", 1);
	platform_console_write("\r\n", 2);
	platform_console_flush();
}

static void finish(void) __attribute__((noreturn));
static void finish(void)
{
	if (start_has_option("panic=reboot")) {
		out("rebooting");
		if (report->depth < 2)
			tsc_wait_us(REBOOT_WAIT_US); /* so that the report can be read */
		platform_reboot();
	}
	out("stopped; 'panic=reboot' on the command line would reboot");
	gate_stop();
}

static void print_address(const char *what, uint64_t address)
{
	uint64_t offset;
	const char *name = symbols_find(address, &offset);

	out("%s %#llx %s+%#llx", what, (unsigned long long)address, name,
		(unsigned long long)offset);
}

static bool is_text(uint64_t address)
{
	return address >= (uintptr_t)text_start && address < (uintptr_t)text_end;
}

/* A word of this core's stacks at CPL 3; 0 elsewhere. */
static uint64_t stack_word(uint64_t at)
{
	if (at == 0 || at % 8 || !cpu_stack_holds(report->stacks, at, 8) || !paging_mapped(at))
		return 0;
	return *(const uint64_t *)(uintptr_t)at;
}

/*
 * Frame pointers (System V ABI 3.2.2): at rbp lies the caller's rbp, above it
 * the return address. Followed only within this core's stacks, and only upwards.
 * Return addresses are shown less one byte: the call, not what follows it.
 */
static void print_trace(uint64_t rip, uint64_t rsp, uint64_t rbp)
{
	uint64_t top = stack_word(rsp);

	out("back trace:");
	print_address(" ", rip);
	/* A leaf function, or a call to nowhere, has made no frame: its return address is on top.
	 */
	if (is_text(top) && top != stack_word(rbp + 8))
		print_address(" ", top - 1);
	for (unsigned i = 0; i < TRACE_MAX && stack_word(rbp + 8); i++) {
		print_address(" ", stack_word(rbp + 8) - 1);
		if (stack_word(rbp) <= rbp)
			return;
		rbp = stack_word(rbp);
	}
}

struct log_tail {
	unsigned lines, skip;
};

static void count_line(void *ctx, uint64_t us, const char *line)
{
	((struct log_tail *)ctx)->lines++;
}

static void print_line(void *ctx, uint64_t us, const char *line)
{
	struct log_tail *t = ctx;

	if (t->skip) {
		t->skip--;
		return;
	}
	out("  [%llu.%06llu] %.160s", (unsigned long long)(us / 1000000),
		(unsigned long long)(us % 1000000), line);
}

static void print_log(void)
{
	struct log_tail t = {0, 0};

	log_walk(count_line, &t);
	t.skip = t.lines > LOG_LINES ? t.lines - LOG_LINES : 0;
	out("last lines of the log:");
	log_walk(print_line, &t);
}

static void print_frame(void *ctx, const char *line)
{
	out("%s", line);
}

/* Last of all: it follows pointers that may be what is wrong. */
static void print_frames(void)
{
	out("frames of the workers:");
	lastframes_walk(&router, print_frame, NULL);
}

static void print_registers(const struct fault_frame *f)
{
	const struct {
		const char *name;
		uint64_t v;
	} r[] = {{"rax", f->rax}, {"rbx", f->rbx}, {"rcx", f->rcx}, {"rdx", f->rdx},
		{"rsi", f->rsi}, {"rdi", f->rdi}, {"rbp", f->rbp}, {"rsp", f->rsp}, {"r8 ", f->r8},
		{"r9 ", f->r9}, {"r10", f->r10}, {"r11", f->r11}, {"r12", f->r12}, {"r13", f->r13},
		{"r14", f->r14}, {"r15", f->r15}, {"rip", f->rip}, {"efl", f->rflags},
		{"cr2", report->cr2}, {"cr3", report->cr3}};

	for (unsigned i = 0; i < sizeof r / sizeof r[0]; i += 4)
		out("%s %016llx  %s %016llx  %s %016llx  %s %016llx", r[i].name,
			(unsigned long long)r[i].v, r[i + 1].name, (unsigned long long)r[i + 1].v,
			r[i + 2].name, (unsigned long long)r[i + 2].v, r[i + 3].name,
			(unsigned long long)r[i + 3].v);
}

static void print_headline(const char *what)
{
	uint64_t us = platform_now_us();
	char who[24] = "control";

	if (report->worker)
		snprintf(who, sizeof who, "worker %u", report->worker - 1);
	else if (report->core)
		snprintf(who, sizeof who, "idle");
	out("\r\n*** barewire %s: %s on core %u (%s), %llu.%06llu s after entry", barewire_version,
		what, report->core, who, (unsigned long long)(us / 1000000),
		(unsigned long long)(us % 1000000));
}

static void describe(char *what, size_t size, const struct fault_frame *f)
{
	if (f->vector == VECTOR_PAGE_FAULT)
		snprintf(what, size, "page fault, %s of %#llx",
			f->error & 16  ? "execution"
			: f->error & 2 ? "write"
				       : "read",
			(unsigned long long)report->cr2);
	else
		snprintf(what, size, "%s (vector %llu, error %#llx)", fault_name(f->vector),
			(unsigned long long)f->vector, (unsigned long long)f->error);
}

/* An exception: where it happened, and how it came there. */
static void print_fault(const struct fault_frame *f)
{
	char what[100];

	describe(what, sizeof what, f);
	print_headline(what);
	print_registers(f);
	print_trace(f->rip, f->rsp, f->rbp);
}

/* platform_panic: gate_call's frame lies on its own, and that on its caller's. */
static void print_panic(const struct fault_frame *f)
{
	uint64_t own = stack_word(f->rbp);

	print_headline(report->text);
	print_trace(stack_word(own + 8) - 1, 0, stack_word(own));
}

void panic_report(const struct fault_report *r)
{
	report = r;
	if (r->depth) {
		print_address("\r\nanother fault inside this report, at", r->frame.rip);
		finish();
	}
	/* A core that was in the middle of the console's output, under a hypervisor, stops later.
	 */
	tsc_wait_us(STOP_WAIT_US);
	crash_begin();
	console_on_screen();
	if (r->text)
		print_panic(&r->frame);
	else
		print_fault(&r->frame);
	print_log();
	print_frames();
	finish();
}

void platform_panic(const char *format, ...)
{
	char what[LINE_MAX - 80];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	for (;;)
		gate_call(GATE_PANIC, (uintptr_t)what);
}

void gate_stop(void)
{
	for (;;)
		gate_call(GATE_HALT, 0);
}

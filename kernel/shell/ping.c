/* ping: echo requests and what comes back, one command at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/control.h"
#include "kernel/router.h"
#include "kernel/shell/commands.h"
#include "lib/byteorder.h"
#include "lib/text.h"
#include "lib/text6.h"
#include "net/table/ip6.h"

#define PING_COUNT   5u
#define PING_SIZE    56u
#define PING_WAIT_S  1u      /* for an answer; also between requests while none comes */
#define PING_PACE_US 200000u /* between requests that are answered */

static struct ping {
	const struct shell_env *env;
	bool six;
	uint32_t address;
	struct ip6 address6;
	unsigned count, size, wait_s;
	uint16_t id; /* of this run; an answer to an earlier one is not ours */
	unsigned sent, received;
	bool answered;    /* the last request is done with */
	uint64_t sent_us; /* when it was sent */
	unsigned min_us, max_us;
	uint64_t sum_us;
} ping_run;

static uint64_t now(void)
{
	return ping_run.env->now_us(ping_run.env->ctx);
}

static void count_time(unsigned us)
{
	struct ping *p = &ping_run;

	if (!p->received || us < p->min_us)
		p->min_us = us;
	if (us > p->max_us)
		p->max_us = us;
	p->sum_us += us;
	p->received++;
}

/* The source of an IP packet. */
static const char *source_text(const uint8_t *ip)
{
	static char text[TEXT_IPV6_MAX];
	struct ip6 source = {0, 0};

	if (!ping_run.six) {
		text_print_ipv4(text, load_be32(ip + 12));
		return text;
	}
	source = ip6_load(ip + 8);
	text_print_ipv6(text, source.hi, source.lo);
	return text;
}

static void print_reply(const uint8_t *ip, unsigned hops)
{
	unsigned us = (unsigned)(now() - ping_run.sent_us); /* at most wait_s, about */

	count_time(us);
	ping_run.answered = true;
	shell_print("reply from %s: seq %u ttl %u time %u us\n", source_text(ip), ping_run.sent,
		hops, us);
}

static const char *error_text(uint8_t type, uint8_t code)
{
	if (type == ICMP_TIME_EXCEEDED)
		return "time exceeded";
	switch (code) {
	case ICMP_NET_UNREACHABLE:
		return "network unreachable";
	case ICMP_HOST_UNREACHABLE:
		return "host unreachable";
	case ICMP_PROTOCOL_UNREACHABLE:
		return "protocol unreachable";
	case ICMP_FRAGMENTATION_NEEDED:
		return "fragmentation needed";
	case ICMP_ADMIN_PROHIBITED:
		return "prohibited";
	default:
		return "unreachable";
	}
}

static const char *error_text6(uint8_t type, uint8_t code)
{
	if (type == ICMP6_TIME_EXCEEDED)
		return "time exceeded";
	if (type == ICMP6_TOO_BIG)
		return "packet too big";
	if (type == ICMP6_PARAMETER)
		return "parameter problem";
	switch (code) {
	case ICMP6_NO_ROUTE:
		return "no route";
	case ICMP6_ADMIN_PROHIBITED:
		return "prohibited";
	case ICMP6_ADDRESS_UNREACHABLE:
		return "address unreachable";
	default:
		return "unreachable";
	}
}

static void print_error(const uint8_t *ip, const char *what)
{
	ping_run.answered = true;
	shell_print("from %s: seq %u %s\n", source_text(ip), ping_run.sent, what);
}

/* Whether an ICMP message with our id and sequence number starts here; the last request only. */
static bool is_ours(const uint8_t *icmp, uint32_t n, uint8_t type)
{
	return n >= 8 && icmp[0] == type && load_be16(icmp + 4) == ping_run.id &&
	       load_be16(icmp + 6) == (uint16_t)ping_run.sent;
}

/* The echo request that an error quotes: an IPv4 header and 8 bytes at least (RFC 792). */
static bool quotes_ours(const uint8_t *icmp, uint32_t n)
{
	if (n < 8 + 20)
		return false;
	const uint8_t *quoted = icmp + 8;
	uint32_t header = (quoted[0] & 15u) * 4u;

	return header >= 20 && n >= 8 + header + 8 && load_be32(quoted + 16) == ping_run.address &&
	       is_ours(quoted + header, n - 8 - header, ICMP_ECHO_REQUEST);
}

/* Called by the stack for each ICMP message; length and checksum of both headers are right. */
static void on_icmp(
	void *ctx, const uint8_t *ip, uint32_t ip_len, const uint8_t *icmp, uint32_t icmp_len)
{
	if (ping_run.answered || ip_len < 20 || icmp_len < 8)
		return;
	if (is_ours(icmp, icmp_len, ICMP_ECHO_REPLY) && load_be32(ip + 12) == ping_run.address)
		print_reply(ip, ip[8]);
	else if ((icmp[0] == ICMP_UNREACHABLE || icmp[0] == ICMP_TIME_EXCEEDED) &&
		 quotes_ours(icmp, icmp_len))
		print_error(ip, error_text(icmp[0], icmp[1]));
}

/* The echo request that an error of ICMPv6 quotes, straight behind its IPv6 header. */
static bool quotes_ours6(const uint8_t *icmp, uint32_t n)
{
	return n >= 8 + 40 + 8 && ip6_equal(ip6_load(icmp + 8 + 24), ping_run.address6) &&
	       is_ours(icmp + 8 + 40, n - 8 - 40, ICMP6_ECHO_REQUEST);
}

/* As on_icmp. */
static void on_icmp6(
	void *ctx, const uint8_t *ip, uint32_t ip_len, const uint8_t *icmp, uint32_t icmp_len)
{
	if (ping_run.answered || ip_len < 40 || icmp_len < 8)
		return;
	if (is_ours(icmp, icmp_len, ICMP6_ECHO_REPLY) &&
		ip6_equal(ip6_load(ip + 8), ping_run.address6))
		print_reply(ip, ip[7]);
	else if (icmp[0] >= ICMP6_UNREACHABLE && icmp[0] <= ICMP6_PARAMETER &&
		 quotes_ours6(icmp, icmp_len))
		print_error(ip, error_text6(icmp[0], icmp[1]));
}

static void listen(bool on)
{
	control_listen_icmp(on && !ping_run.six ? on_icmp : NULL, NULL);
	control_listen_icmp6(on && ping_run.six ? on_icmp6 : NULL, NULL);
}

static void stop(void)
{
	struct ping *p = &ping_run;

	listen(false);
	shell_print("%u sent, %u received, %u%% lost", p->sent, p->received,
		p->sent ? (p->sent - p->received) * 100 / p->sent : 0);
	if (p->received)
		shell_print(", time min %u avg %u max %u us", p->min_us,
			(unsigned)(p->sum_us / p->received), p->max_us);
	shell_print("\n");
}

static void start(struct call *call)
{
	static uint16_t id;

	id++;
	ping_run = (struct ping){.env = call->env,
		.count = PING_COUNT,
		.size = PING_SIZE,
		.wait_s = PING_WAIT_S,
		.id = id};
	ping_run.six = strchr(call_word(call, 1), ':') != NULL;
	if (ping_run.six)
		text_parse_ipv6(call_word(call, 1), &ping_run.address6.hi, &ping_run.address6.lo);
	else
		text_parse_ipv4(call_word(call, 1), &ping_run.address);
	for (unsigned i = 2; call_word(call, i + 1); i += 2) {
		unsigned value = (unsigned)strtoul(call_word(call, i + 1), NULL, 10);

		if (!strcmp(call_word(call, i), "count"))
			ping_run.count = value;
		else if (!strcmp(call_word(call, i), "size"))
			ping_run.size = value;
		else
			ping_run.wait_s = value;
	}
	call->cancel = stop;
	listen(true);
}

/* Sends the next request. false: it cannot be, and that was told. */
static bool send_next(struct call *call)
{
	struct ping *p = &ping_run;

	p->sent++;
	p->answered = false;
	p->sent_us = now(); /* before: an answer from ourselves comes at once */
	struct stack *stack = &call->env->router->stack;
	uint16_t seq = (uint16_t)p->sent;
	enum err err = p->six ? stack_send_echo6(stack, p->address6, p->id, seq, p->size, 0)
			      : stack_send_echo(stack, p->address, p->id, seq, p->size, 0);

	if (err == ERR_OK)
		return true;
	listen(false);
	call_error(call, "%s",
		err == ERR_NOT_FOUND ? "no route to it"
		: err == ERR_FULL    ? "no buffer is free"
				     : "it cannot be sent");
	return false;
}

bool ping(struct call *call)
{
	struct ping *p = &ping_run;

	if (call->step == 0)
		start(call);
	if (p->sent) {
		uint64_t waited = now() - p->sent_us;
		bool last = p->sent == p->count;

		if (waited < p->wait_s * 1000000ull &&
			!(p->answered && (last || waited >= PING_PACE_US)))
			return false;
		if (last) {
			stop();
			return true;
		}
	}
	return !send_next(call);
}

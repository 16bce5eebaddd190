/* Files over the network: a TFTP transfer between the stack's UDP and the heap. */
#include "kernel/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/control.h"
#include "kernel/platform.h"
#include "kernel/router.h"
#include "lib/byteorder.h"
#include "lib/limits.h"
#include "lib/text.h"

#define SCHEME "tftp://"

static struct transfer {
	struct router *router; /* NULL: none is under way */
	struct tftp tftp;
	uint32_t server;
	char *text;     /* from malloc */
	enum err sent;  /* how the last datagram left */
	bool no_server; /* an ICMP error said so */
} transfer;

bool transfer_parse(const char *url, bool without_path, struct transfer_place *out)
{
	char server[TEXT_IPV4_MAX] = "";
	size_t n;

	*out = (struct transfer_place){0};
	if (strncmp(url, SCHEME, sizeof SCHEME - 1) != 0)
		return false;
	url += sizeof SCHEME - 1;
	n = strcspn(url, "/");
	if (n >= sizeof server)
		return false;
	memcpy(server, url, n);
	if (!text_parse_ipv4(server, &out->server))
		return false;
	url += n;
	url += *url == '/';
	if ((!*url && !without_path) || strlen(url) >= sizeof out->path)
		return false;
	for (n = 0; url[n]; n++) {
		if (url[n] <= ' ' || url[n] > '~')
			return false;
		out->path[n] = url[n];
	}
	return true;
}

static uint64_t now_ms(void)
{
	return platform_now_us() / 1000;
}

static void send_all(void)
{
	struct transfer *t = &transfer;
	struct tftp_datagram d;

	while (tftp_output(&t->tftp, &d))
		t->sent = udp_send(&t->router->stack, d.port, d.bytes, d.n);
}

static void on_udp(void *ctx, uint16_t port, const uint8_t *data, uint32_t n)
{
	(void)ctx;
	tftp_input(&transfer.tftp, port, data, n, now_ms());
	send_all();
}

/* A port unreachable about our datagrams to that host: it has no TFTP server (RFC 1122 4.1.3.3).
 * Other errors may pass. */
static void on_icmp(
	void *ctx, const uint8_t *ip, uint32_t ip_len, const uint8_t *icmp, uint32_t icmp_len)
{
	const uint8_t *quoted = icmp + 8;

	(void)ctx;
	if (ip_len < 20 || icmp_len < 8 + 20 || icmp[0] != ICMP_UNREACHABLE ||
		icmp[1] != ICMP_PORT_UNREACHABLE)
		return;
	uint32_t header = (quoted[0] & 15u) * 4u;

	if (header >= 20 && icmp_len >= 8 + header + 8 && quoted[9] == 17 &&
		load_be32(ip + 12) == transfer.server &&
		load_be32(quoted + 16) == transfer.server &&
		load_be16(quoted + header) == transfer.router->stack.udp.port)
		transfer.no_server = true;
}

static void begin(struct router *r, const struct transfer_place *place)
{
	transfer.router = r;
	transfer.server = place->server;
	udp_open(&r->stack, place->server, on_udp, NULL);
	control_listen_icmp(on_icmp, NULL);
	send_all();
}

bool transfer_read(struct router *r, const struct transfer_place *from)
{
	transfer_end();
	transfer.text = malloc(TRANSFER_MAX);
	if (!transfer.text)
		return false;
	tftp_read(&transfer.tftp, from->path, (uint8_t *)transfer.text, TRANSFER_MAX, now_ms());
	begin(r, from);
	return true;
}

void transfer_write(struct router *r, const struct transfer_place *to, char *text, size_t n)
{
	transfer_end();
	transfer.text = text;
	tftp_write(&transfer.tftp, to->path, (const uint8_t *)text, n, now_ms());
	begin(r, to);
}

bool transfer_turn(void)
{
	struct transfer *t = &transfer;

	tftp_tick(&t->tftp, now_ms());
	send_all();
	return t->tftp.state != TFTP_RUNNING || t->no_server;
}

const char *transfer_text(size_t *n)
{
	*n = transfer.tftp.bytes;
	return transfer.tftp.state == TFTP_DONE ? transfer.text : NULL;
}

/* What a server means by a number alone: RFC 1350, appendix. */
static const char *code_text(const struct tftp *t)
{
	static const char *const texts[] = {"error", "file not found", "access denied",
		"disk full or too long", "illegal operation", "unknown transfer", "file exists",
		"no such user", "options refused"};

	if (t->text[0])
		return t->text;
	return t->code < sizeof texts / sizeof *texts ? texts[t->code] : "error";
}

const char *transfer_error(void)
{
	static char text[128];
	const struct transfer *t = &transfer;
	char server[TEXT_IPV4_MAX];

	text_print_ipv4(server, t->server);
	if (t->tftp.state == TFTP_DONE)
		return "";
	if (t->no_server)
		snprintf(text, sizeof text, "%s has no TFTP server (port unreachable)", server);
	else if (t->tftp.failure == TFTP_REFUSED)
		snprintf(text, sizeof text, "%s says: %s (error %u)", server, code_text(&t->tftp),
			t->tftp.code);
	else if (t->tftp.failure == TFTP_TOO_LONG)
		snprintf(text, sizeof text, "longer than %u bytes", TRANSFER_MAX);
	else if (t->tftp.failure == TFTP_MALFORMED)
		snprintf(text, sizeof text, "%s answers, but not as TFTP does", server);
	else if (t->tftp.failure == TFTP_SLOW)
		snprintf(text, sizeof text, "%s takes longer than %u s", server,
			TFTP_TOTAL_MS / 1000);
	else if (t->sent == ERR_NOT_FOUND)
		snprintf(text, sizeof text, "no route to %s", server);
	else
		snprintf(text, sizeof text, "%s does not answer", server);
	return text;
}

bool transfer_not_found(void)
{
	return transfer.tftp.failure == TFTP_REFUSED && transfer.tftp.code == TFTP_NOT_FOUND;
}

void transfer_end(void)
{
	if (transfer.router) {
		udp_close(&transfer.router->stack);
		control_listen_icmp(NULL, NULL);
	}
	free(transfer.text);
	transfer = (struct transfer){0};
}

/* TFTP against a model server: loss, duplicates, disorder, other ports, options, and lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/byteorder.h"
#include "net/proto/tftp.h"

#define SERVER_PORT 40000u
#define FLIGHT_MAX  64u
#define STEP_MS     10u

struct datagram {
	bool to_server;
	uint16_t port; /* the server's */
	uint64_t due_ms;
	uint32_t n;
	uint8_t bytes[1500];
};

/* One transfer as the server sees it; each request begins another one, at a port of its own. */
struct session {
	bool writing, open;
	uint16_t port;
	uint32_t block, block_bytes;
	size_t bytes;
	uint64_t sent_ms;
	uint32_t last_n;
	uint8_t last[1500];
	uint8_t written[15000];
};

#define SESSIONS 16u

/* A server and the network before it. */
static struct model {
	/* what it is like */
	bool options;               /* it knows them */
	bool refuses;               /* it reports error 8 about them */
	uint32_t block_ask;         /* the most it grants */
	unsigned loss, twice, late; /* of 100 datagrams */
	bool silent_after_first;
	size_t bytes; /* of what it has */
	uint8_t *file;

	/* where it stands */
	uint64_t now_ms;
	uint32_t seed;
	struct session session[SESSIONS];
	struct datagram flight[FLIGHT_MAX];
	unsigned flights, requests, data_sent, client_sent;
} m;

static struct tftp t;

static unsigned dice(unsigned sides)
{
	m.seed = m.seed * 1664525u + 1013904223u;
	return (m.seed >> 8) % sides;
}

static void fly(bool to_server, uint16_t port, const uint8_t *p, uint32_t n)
{
	unsigned copies = dice(100) < m.loss ? 0 : dice(100) < m.twice ? 2 : 1;

	while (copies-- && m.flights < FLIGHT_MAX) {
		struct datagram *d = &m.flight[m.flights++];

		*d = (struct datagram){to_server, port, m.now_ms + 1, n, {0}};
		memcpy(d->bytes, p, n);
		if (dice(100) < m.late)
			d->due_ms += dice(800);
	}
}

static void server_send(struct session *s, uint32_t n)
{
	s->last_n = n;
	s->sent_ms = m.now_ms;
	fly(false, s->port, s->last, n);
}

static void server_error(uint16_t port, uint16_t code, const char *text)
{
	uint8_t p[100] = {0, 5, 0, (uint8_t)code};

	strcpy((char *)p + 4, text);
	fly(false, port, p, (uint32_t)strlen(text) + 5);
}

static void server_data(struct session *s)
{
	size_t at = (size_t)(s->block - 1) * s->block_bytes, left = m.bytes - at;
	uint32_t n = left < s->block_bytes ? (uint32_t)left : s->block_bytes;

	store_be16(s->last, 3);
	store_be16(s->last + 2, (uint16_t)s->block);
	memcpy(s->last + 4, m.file + at, n);
	m.data_sent++;
	server_send(s, 4 + n);
}

static void server_ack(struct session *s)
{
	store_be16(s->last, 4);
	store_be16(s->last + 2, (uint16_t)s->block);
	server_send(s, 4);
}

static const char *option(const uint8_t *p, uint32_t n, const char *name)
{
	for (uint32_t at = 2; at < n;) {
		const char *text = (const char *)p + at;

		at += (uint32_t)strlen(text) + 1;
		if (strcmp(text, name) == 0 && at < n)
			return (const char *)p + at;
	}
	return NULL;
}

static uint32_t put(struct session *s, uint32_t at, const char *name, unsigned long value)
{
	at += (uint32_t)sprintf((char *)s->last + at, "%s", name) + 1;
	return at + (uint32_t)sprintf((char *)s->last + at, "%lu", value) + 1;
}

static void server_options(struct session *s, const uint8_t *p, uint32_t n)
{
	uint32_t at = 2, ask = (uint32_t)atoi(option(p, n, "blksize"));
	unsigned long size = strtoul(option(p, n, "tsize"), NULL, 10);

	s->block_bytes = ask < m.block_ask ? ask : m.block_ask;
	store_be16(s->last, 6);
	at = put(s, at, "BLKSIZE", s->block_bytes);
	at = put(s, at, "tsize", s->writing ? size : m.bytes);
	server_send(s, put(s, at, "timeout", 1));
}

static void server_request(const uint8_t *p, uint32_t n)
{
	struct session *s = &m.session[m.requests % SESSIONS];
	bool asked = option(p, n, "blksize") != NULL;
	uint16_t port = (uint16_t)(SERVER_PORT + ++m.requests);

	assert_string_equal((const char *)p + 2, "configs/a.conf");
	if (m.refuses && asked) {
		server_error(port, 8, "no options");
		return;
	}
	*s = (struct session){
		.open = true, .port = port, .writing = p[1] == 2, .block_bytes = TFTP_BLOCK};
	if (m.options && asked) {
		server_options(s, p, n);
	} else if (s->writing) {
		server_ack(s);
	} else {
		s->block = 1;
		server_data(s);
	}
}

static struct session *session_at(uint16_t port)
{
	for (unsigned i = 0; i < SESSIONS; i++)
		if (m.session[i].port == port)
			return &m.session[i];
	return NULL;
}

static void server_acked(struct session *s, uint16_t block)
{
	if (block != (uint16_t)s->block)
		return; /* never answered */
	s->open = !s->block || (size_t)s->block * s->block_bytes <= m.bytes;
	s->block++;
	if (s->open)
		server_data(s);
}

static void server_written(struct session *s, const uint8_t *p, uint32_t n)
{
	uint16_t block = load_be16(p + 2);

	if (block == (uint16_t)(s->block + 1)) {
		assert_true(s->bytes + n - 4 <= sizeof s->written);
		memcpy(s->written + s->bytes, p + 4, n - 4);
		s->bytes += n - 4;
		s->block++;
		server_ack(s);
	} else if (block == (uint16_t)s->block) {
		server_ack(s);
	}
}

static void server_input(uint16_t port, const uint8_t *p, uint32_t n)
{
	uint16_t opcode = load_be16(p);
	struct session *s = session_at(port);

	if (port == TFTP_PORT)
		server_request(p, n);
	else if (!s || !s->open)
		return;
	else if (opcode == 5)
		s->open = false;
	else if (opcode == 4 && !s->writing)
		server_acked(s, load_be16(p + 2));
	else if (opcode == 3 && s->writing)
		server_written(s, p, n);
}

static void client_output(void)
{
	struct tftp_datagram d;

	while (tftp_output(&t, &d)) {
		m.client_sent++;
		fly(true, d.port, d.bytes, d.n);
	}
}

/* One step of time; what is due arrives, in any order. */
static void step(void)
{
	m.now_ms += STEP_MS;
	for (unsigned i = 0; i < m.flights;) {
		struct datagram d = m.flight[i];

		if (d.due_ms > m.now_ms) {
			i++;
			continue;
		}
		m.flight[i] = m.flight[--m.flights];
		if (d.to_server && !(m.silent_after_first && m.data_sent))
			server_input(d.port, d.bytes, d.n);
		else if (!d.to_server)
			tftp_input(&t, d.port, d.bytes, d.n, m.now_ms);
		client_output();
	}
	for (unsigned i = 0; i < SESSIONS; i++) {
		struct session *s = &m.session[i];

		if (s->open && m.now_ms - s->sent_ms >= 1000 && !m.silent_after_first)
			server_send(s, s->last_n);
	}
	tftp_tick(&t, m.now_ms);
	client_output();
}

/* Until it ends, which it must. */
static void run(void)
{
	uint64_t begun = m.now_ms;

	client_output();
	while (t.state == TFTP_RUNNING) {
		step();
		assert_true(m.now_ms - begun <= TFTP_TOTAL_MS + 100);
	}
	for (unsigned i = 0; i < 10; i++)
		step(); /* the last ACK may arrive */
}

/* A file of so many bytes at the server. */
static void serve(size_t bytes, bool options, uint32_t block)
{
	free(m.file);
	memset(&m, 0, sizeof m);
	m.options = options;
	m.block_ask = block;
	m.seed = 7;
	m.now_ms = 1000;
	m.bytes = bytes;
	m.file = malloc(bytes ? bytes : 1);
	assert_non_null(m.file);
	for (size_t i = 0; i < bytes; i++)
		m.file[i] = (uint8_t)(i * 31 + i / 256);
}

static void read_whole(size_t bytes, size_t room)
{
	uint8_t *into = malloc(room ? room : 1);

	assert_non_null(into);
	tftp_read(&t, "configs/a.conf", into, room, m.now_ms);
	run();
	assert_int_equal(t.state, TFTP_DONE);
	assert_int_equal(t.bytes, bytes);
	assert_memory_equal(into, m.file, bytes);
	free(into);
}

static void write_whole(size_t bytes)
{
	uint8_t *from = malloc(bytes ? bytes : 1);

	assert_non_null(from);
	for (size_t i = 0; i < bytes; i++)
		from[i] = (uint8_t)(i * 7 + i / 256);
	tftp_write(&t, "configs/a.conf", from, bytes, m.now_ms);
	run();
	assert_int_equal(t.state, TFTP_DONE);
	assert_int_equal(session_at(t.peer)->bytes, bytes);
	assert_memory_equal(from, session_at(t.peer)->written, bytes);
	free(from);
}

static const size_t sizes[] = {0, 1, 511, 512, 513, 1427, 1428, 1429, 5000, 14280};

static void test_sizes(void **state)
{
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		for (unsigned kind = 0; kind < 3; kind++) {
			serve(sizes[i], kind != 0, kind == 1 ? 1428 : 600);
			read_whole(sizes[i], sizes[i]); /* exactly as long as there is room */
			serve(sizes[i], kind != 0, kind == 1 ? 1428 : 600);
			write_whole(sizes[i]);
		}
	}
}

/* The block number has 16 bits, and 0 follows 65535. */
static void test_wrap(void **state)
{
	serve(8 * 66000, true, 8);
	m.now_ms = 0;
	uint8_t *into = malloc(8 * 66000);

	assert_non_null(into);
	tftp_read(&t, "configs/a.conf", into, 8 * 66000, 0);
	client_output();
	/* As fast as it goes: the time is not what this is about. */
	while (t.state == TFTP_RUNNING) {
		struct datagram d = m.flight[--m.flights];

		if (d.to_server)
			server_input(d.port, d.bytes, d.n);
		else
			tftp_input(&t, d.port, d.bytes, d.n, 0);
		client_output();
	}
	assert_int_equal(t.state, TFTP_DONE);
	assert_memory_equal(into, m.file, 8 * 66000);
	free(into);
}

/* Loss, doubles and disorder, and each block arrives once. */
static void test_bad_network(void **state)
{
	for (unsigned seed = 1; seed < 60; seed++) {
		for (unsigned kind = 0; kind < 4; kind++) {
			serve(6000, kind & 1, 1000);
			m.seed = seed * 977;
			m.loss = 10;
			m.twice = 20;
			m.late = 15;
			if (kind & 2) {
				write_whole(6000);
			} else {
				uint8_t into[6000];

				tftp_read(&t, "configs/a.conf", into, sizeof into, m.now_ms);
				run();
				assert_int_equal(t.state, TFTP_DONE);
				assert_memory_equal(into, m.file, 6000);
			}
		}
	}
}

/* Every datagram twice must not make every later one be sent twice. */
static void test_sorcerer(void **state)
{
	serve(512 * 50, false, 0);
	m.twice = 100;
	read_whole(512 * 50, 512 * 50);
	/* A doubled request makes two transfers, and one of them is told that nobody wants it. */
	assert_true(m.data_sent <= 51 + 1);
	serve(0, false, 0);
	m.twice = 100;
	write_whole(512 * 20);
	assert_true(m.requests == 2);
	assert_true(m.client_sent <= 1 + 21 + 4); /* request, blocks, errors to the other one */
}

static void test_options_refused(void **state)
{
	serve(3000, true, 1428);
	m.refuses = true;
	read_whole(3000, 3000);
	assert_int_equal(m.requests, 2);
	serve(3000, true, 1428);
	m.refuses = true;
	m.twice = 100;
	write_whole(3000);
}

static void test_too_long(void **state)
{
	uint8_t into[999];

	for (unsigned options = 0; options < 2; options++) {
		serve(1000, options, 100);
		tftp_read(&t, "configs/a.conf", into, sizeof into, m.now_ms);
		run();
		assert_int_equal(t.state, TFTP_FAILED);
		assert_int_equal(t.failure, TFTP_TOO_LONG);
	}
}

static void test_silence(void **state)
{
	uint8_t into[9000];

	serve(9000, true, 1428);
	m.loss = 100;
	tftp_read(&t, "configs/a.conf", into, sizeof into, m.now_ms);
	run();
	assert_int_equal(t.failure, TFTP_SILENT);
	assert_int_equal(m.now_ms, 1000 + TFTP_SILENCE_MS + 10 * STEP_MS);

	serve(9000, true, 1428); /* and in the middle of it */
	m.silent_after_first = true;
	tftp_read(&t, "configs/a.conf", into, sizeof into, m.now_ms);
	run();
	assert_int_equal(t.failure, TFTP_SILENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_bad_network),
		cmocka_unit_test(test_sorcerer),
		cmocka_unit_test(test_options_refused),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

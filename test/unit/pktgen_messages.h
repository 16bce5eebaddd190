/* One front end and the messages it sends, for the units of the protocol. */
#ifndef TEST_UNIT_PKTGEN_MESSAGES_H
#define TEST_UNIT_PKTGEN_MESSAGES_H

#include "test/unit/pktgen_fixture.h"

#include <sys/mman.h>

static struct vhost v;
static struct front f;

static inline void serve(void *ctx)
{
	if (v.fd >= 0)
		vhost_serve(&v);
}

static inline int set_up(void **state)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_true(front_memory(&f, 4, 1 << 20, false));
	f.fd = pair[1];
	f.serve = serve;
	vhost_open(&v, pair[0], 2, VHOST_FEATURES);
	return 0;
}

static inline int tear_down(void **state)
{
	front_close(&f);
	vhost_close(&v);
	return 0;
}

static inline void again(void)
{
	tear_down(NULL);
	set_up(NULL);
}

static inline void expect_refused(const char *why)
{
	serve(NULL);
	assert_int_equal(v.fd, -1);
	assert_int_equal(v.memory.count, 0);
	if (!strstr(v.reason, why))
		fail_msg("'%s' is not '%s'", v.reason, why);
	again();
}

static inline void expect_served(void)
{
	serve(NULL);
	if (v.fd < 0)
		fail_msg("refused: %s", v.reason);
}

#define ALL_FEATURES (VHOST_F_PROTOCOL_FEATURES | VHOST_BIT(VIRTIO_F_VERSION_1))

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif

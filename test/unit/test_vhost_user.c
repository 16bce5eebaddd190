/* The vhost-user front end: handing over, back ends that come and go, and such that misbehave. */
#include "test/unit/vhost_fixture.h"

#include <pthread.h>

static uint64_t rings; /* VIRTIO_MODEL_F_RING_PACKED or 0 */

static int set_up_split(void **state)
{
	rings = 0;
	make_process();
	return 0;
}

static int set_up_packed(void **state)
{
	rings = VIRTIO_MODEL_F_RING_PACKED;
	make_process();
	peer.device.offered |= rings;
	return 0;
}

static void start_both(unsigned pairs)
{
	vhost_model_start(&peer);
	must_open(pairs);
	assert_true(dev->link);
	assert_false(dev->failed);
}

/* ---------------------------------------------------------------- handing over */

static void hands_over_one_pair(void **state)
{
	start_both(1);
	assert_string_equal(dev->rings, rings ? "packed" : "split");
	assert_int_equal(dev->rx_queues, 1);
	assert_int_equal(dev->rx_slots, 512);
	assert_int_equal(peer.started, 2);
	assert_int_equal(peer.device.accepted & ~VHOST_F_PROTOCOL_FEATURES,
		VIRTIO_MODEL_F_VERSION_1 | rings);
	fill(0, 0, 512);
	for (unsigned i = 0; i < 1500; i++)
		expect_traffic(0);
}

static void hands_over_several_pairs(void **state)
{
	peer.pairs = 4;
	start_both(4);
	assert_int_equal(dev->rx_queues, 4);
	assert_string_equal(dev->steering, "device");
	assert_int_equal(peer.started, 8);
	assert_true(peer.device.accepted & VIRTIO_MODEL_F_MQ);
	for (unsigned q = 0; q < 4; q++) {
		fill(q, 100 * q, 10);
		expect_traffic(q);
	}
}

static void takes_no_more_pairs_than_there_are(void **state)
{
	peer.pairs = 2;
	start_both(4);
	assert_int_equal(dev->rx_queues, 2);
	assert_int_equal(peer.started, 4);
}

/* Without a feature of the protocol what belongs to it is not said. */
static void does_with_less_protocol(void **state)
{
	peer.protocol = 0;
	peer.pairs = 4;
	start_both(4);
	assert_int_equal(dev->rx_queues, 1);
	assert_int_equal(peer.requests[VHOST_GET_QUEUE_NUM], 0);
	fill(0, 0, 4);
	expect_traffic(0);
	end_process(state);

	make_process();
	peer.device.offered = VIRTIO_MODEL_F_VERSION_1 | rings;
	start_both(1);
	assert_int_equal(peer.requests[VHOST_GET_PROTOCOL_FEATURES], 0);
	assert_int_equal(peer.requests[VHOST_SET_VRING_ENABLE], 0);
	assert_int_equal(peer.started, 2);
	fill(0, 0, 4);
	expect_traffic(0);
}

static void mac_by_option_by_back_end_or_made_up(void **state)
{
	static const uint8_t theirs[6] = {0x52, 0x54, 0, 1, 2, 3}, ours[6] = {2, 0, 0, 0, 0, 9};
	uint8_t made_up[6];

	start_both(1);
	memcpy(made_up, dev->mac, 6);
	assert_int_equal(made_up[0], 2);
	end_process(state);

	make_process();
	peer.device.offered |= VIRTIO_MODEL_F_MAC;
	peer.protocol |= VHOST_PROTOCOL_F_CONFIG;
	memcpy(peer.mac, theirs, 6);
	start_both(1);
	assert_memory_equal(dev->mac, theirs, 6);
	end_process(state);

	make_process();
	options.has_mac = true;
	memcpy(options.mac, ours, 6);
	start_both(1);
	assert_memory_equal(dev->mac, ours, 6);
	end_process(state);

	make_process();
	start_both(1);
	assert_memory_equal(dev->mac, made_up, 6);
}

/* Configuration is offered, and then there is none: no reason to refuse it. */
static void no_configuration_after_all(void **state)
{
	peer.device.offered |= VIRTIO_MODEL_F_MAC | VIRTIO_MODEL_F_MTU;
	peer.protocol |= VHOST_PROTOCOL_F_CONFIG;
	peer.bad_request = VHOST_GET_CONFIG;
	peer.bad = VHOST_MODEL_EMPTY;
	start_both(1);
	assert_int_equal(dev->mac[0], 2);
	assert_int_equal(dev->mtu_max, MTU_MAX);
}

static void kicks_only_who_asks_for_it(void **state)
{
	uint64_t frame = packet_word(7, 60, 0);

	start_both(1);
	fill(0, 0, 4);
	assert_int_equal(vhost_model_kicks(&peer, 0), 1);
	virtio_model_notify(&peer.device, 0, false);
	virtio_model_notify(&peer.device, 1, false);
	fill(0, 4, 4);
	assert_int_equal(dev->ops->tx(dev, 0, &frame, 1), 1);
	assert_int_equal(vhost_model_kicks(&peer, 0) + vhost_model_kicks(&peer, 1), 0);
	virtio_model_notify(&peer.device, 1, true);
	assert_int_equal(dev->ops->tx(dev, 0, &frame, 1), 1);
	assert_int_equal(vhost_model_kicks(&peer, 1), 1);
	assert_int_equal(dev->ops->doorbells(dev), 2);
}

/* ---------------------------------------------------------------- coming and going */

static void back_end_comes_late(void **state)
{
	options.wait_ms = 0;
	options.packed = rings != 0;
	must_open(1);
	assert_non_null(strstr(log_line, "nobody listens"));
	poll_until(is_down, "down");
	vhost_model_start(&peer);
	poll_until(is_up, "the back end that came late");
	fill(0, 0, 16);
	expect_traffic(0);
}

static void back_end_connects_to_us(void **state)
{
	options.server = true;
	options.wait_ms = 0;
	options.packed = rings != 0;
	peer.client = true;
	must_open(1);
	poll_until(is_down, "down");
	vhost_model_start(&peer);
	poll_until(is_up, "a back end that connects to us");
	fill(0, 0, 16);
	expect_traffic(0);
}

static bool tx_is_empty(void)
{
	return dev->ops->tx_held(dev, 0) == 0;
}

/*
 * It ends with frames in all stages; another one gets the very buffers that it had, and
 * what was to be sent is given back.
 */
static void back_end_ends_and_returns(void **state)
{
	uint64_t word[BATCH_MAX], frame[20];
	bool seen[BUFFERS] = {0};

	start_both(1);
	for (unsigned life = 0; life < 5; life++) {
		fill(0, 0, 300 - dev->ops->rx_held(dev, 0));
		for (unsigned i = 0; i < 20; i++)
			frame[i] = packet_word(600 + i, 60 + i, 0);
		assert_int_equal(dev->ops->tx(dev, 0, frame, 20), 20);
		peer.device.hold = true; /* finished in another order, partly not told of */
		for (unsigned i = 0; i < 12; i++)
			assert_true(virtio_model_receive(&peer.device, "lost", 4));
		virtio_model_flush(&peer.device, 0, 7);
		peer.device.hold = false;
		assert_int_equal(dev->ops->rx(dev, 0, word, 3), 3);
		assert_int_equal(dev->ops->rx_held(dev, 0), 297);
		vhost_model_end(&peer);
		while (!dev->failed)
			dev->ops->poll(dev);
		assert_non_null(strstr(dev->failure, "gone"));
		assert_int_equal(dev->ops->tx(dev, 0, frame, 1), 0);
		poll_until(tx_is_empty, "the buffers that were to be sent");
		assert_int_equal(dev->ops->rx_held(dev, 0), 297);
		memset(peer.device.queue, 0, sizeof peer.device.queue);
		vhost_model_start(&peer);
		poll_until(is_up, "the back end to return");
		assert_int_equal(peer.complaint ? 1 : 0, 0);
		assert_int_equal(dev->ops->rx_held(dev, 0), 297);
		assert_int_equal(dev->ops->rx_room(dev, 0), 512 - 297);
		for (unsigned i = 0; i < 3; i++)
			fill(0, packet_index(word[i]), 1); /* those taken above */
		for (unsigned i = 0; i < 900; i++)
			expect_traffic(0);
	}
	/* Each of the 300 buffers is there, once. */
	while (virtio_model_receive(&peer.device, "x", 1))
		;
	for (unsigned n; (n = dev->ops->rx(dev, 0, word, BATCH_MAX));)
		for (unsigned i = 0; i < n; i++) {
			assert_false(seen[packet_index(word[i])]);
			seen[packet_index(word[i])] = true;
		}
	assert_int_equal(dev->ops->rx_held(dev, 0), 0);
	for (unsigned i = 0; i < 300; i++)
		assert_true(seen[i]);
}

static void several_pairs_return(void **state)
{
	peer.pairs = 3;
	start_both(3);
	for (unsigned q = 0; q < 3; q++)
		fill(q, 100 * q, 20 + q);
	vhost_model_end(&peer);
	poll_until(is_down, "down");
	vhost_model_start(&peer);
	poll_until(is_up, "the back end to return");
	assert_int_equal(peer.started, 6);
	for (unsigned q = 0; q < 3; q++) {
		assert_int_equal(dev->ops->rx_held(dev, q), 20 + q);
		expect_traffic(q);
	}
}

/* What was agreed on stays: one that can do less is not used. */
static void a_lesser_one_is_no_return(void **state)
{
	peer.pairs = 2;
	start_both(2);
	vhost_model_end(&peer);
	poll_until(is_down, "down");
	peer.pairs = 1;
	log_lines = 0;
	vhost_model_start(&peer);
	for (unsigned i = 0; i < 500 && !log_lines; i++) {
		uint64_t word;

		dev->ops->poll(dev);
		for (unsigned q = 0; q < 2; q++) {
			dev->ops->rx(dev, q, &word, 1);
			dev->ops->tx_done(dev, q, &word, 1);
		}
		usleep(2000);
	}
	assert_non_null(strstr(log_line, "lacks features"));
	assert_true(is_down());
	vhost_model_end(&peer);
	peer.pairs = 2;
	vhost_model_start(&peer);
	poll_until(is_up, "one that can do as much");
}

/* ---------------------------------------------------------------- bad manners */

struct manner {
	enum vhost_model_bad bad;
	const char *line;
};

static const struct manner manners[] = {
	{VHOST_MODEL_OTHER, "it answers request"},
	{VHOST_MODEL_SHORT, "bytes"},
	{VHOST_MODEL_LONG, "4294967295 bytes"},
	{VHOST_MODEL_EMPTY, "has 0 bytes"},
	{VHOST_MODEL_NO_REPLY, "flags"},
	{VHOST_MODEL_NO_VERSION, "flags"},
};

static const unsigned asked[] = {VHOST_GET_FEATURES, VHOST_GET_PROTOCOL_FEATURES,
	VHOST_GET_QUEUE_NUM, VHOST_SET_OWNER, VHOST_SET_FEATURES, VHOST_SET_MEM_TABLE,
	VHOST_SET_VRING_CALL, VHOST_SET_VRING_NUM, VHOST_SET_VRING_BASE, VHOST_SET_VRING_ADDR,
	VHOST_SET_VRING_KICK, VHOST_SET_VRING_ENABLE};

/* Whatever is malformed, and whatever it comes in answer to: refused, and it says why. */
static void bad_answers_are_refused(void **state)
{
	for (unsigned i = 0; i < sizeof asked / sizeof *asked; i++) {
		for (unsigned k = 0; k < sizeof manners / sizeof *manners; k++) {
			make_process();
			peer.device.offered |= rings;
			peer.bad_request = asked[i];
			peer.bad = manners[k].bad;
			vhost_model_start(&peer);
			assert_null(open_port(1));
			assert_non_null(strstr(log_line, "refused: "));
			if (!strstr(log_line, manners[k].line))
				fail_msg("request %u: %s", asked[i], log_line);
			end_process(state);
		}
		if (asked[i] < VHOST_SET_FEATURES || asked[i] == VHOST_GET_QUEUE_NUM ||
			asked[i] == VHOST_GET_PROTOCOL_FEATURES)
			continue;
		make_process();
		peer.bad_request = asked[i];
		peer.bad = VHOST_MODEL_REFUSES;
		vhost_model_start(&peer);
		assert_null(open_port(1));
		assert_non_null(strstr(log_line, "it refuses request"));
		end_process(state);
	}
	make_process();
	vhost_model_start(&peer);
}

/* It ends, or stops answering, in the middle of it: not refused but waited for. */
static void an_end_in_between_is_waited_for(void **state)
{
	static const enum vhost_model_bad bad[] = {VHOST_MODEL_DIES, VHOST_MODEL_HALF};

	for (unsigned i = 0; i < sizeof asked / sizeof *asked; i++) {
		make_process();
		peer.device.offered |= rings;
		options.wait_ms = 0;
		options.packed = rings != 0;
		peer.bad_request = asked[i];
		peer.bad = bad[i % 2];
		vhost_model_start(&peer);
		must_open(1);
		poll_until(is_down, "down");
		vhost_model_end(&peer);
		peer.bad_request = 0;
		vhost_model_start(&peer);
		poll_until(is_up, "the back end that ended in between");
		fill(0, 0, 4);
		expect_traffic(0);
		end_process(state);
	}
	make_process();
	vhost_model_start(&peer);
}

static void a_mute_one_is_not_waited_for_long(void **state)
{
	uint64_t start = clock_us(NULL);

	options.wait_ms = 0;
	peer.bad_request = VHOST_GET_FEATURES;
	peer.bad = VHOST_MODEL_MUTE;
	vhost_model_start(&peer);
	must_open(1);
	assert_true(clock_us(NULL) - start < PATIENCE_US);
	assert_non_null(strstr(log_line, "does not answer"));
}

/* Later, a bad answer costs this connection; the port goes on with the next. */
static void bad_answers_on_return(void **state)
{
	start_both(1);
	vhost_model_end(&peer);
	poll_until(is_down, "down");
	peer.bad_request = VHOST_SET_MEM_TABLE;
	peer.bad = VHOST_MODEL_SHORT;
	log_lines = 0;
	vhost_model_start(&peer);
	for (unsigned i = 0; i < 500 && !log_lines; i++) {
		uint64_t word;

		dev->ops->poll(dev);
		dev->ops->rx(dev, 0, &word, 1);
		dev->ops->tx_done(dev, 0, &word, 1);
		usleep(2000);
	}
	assert_non_null(strstr(log_line, "answer to request 5"));
	assert_true(is_down());
	vhost_model_end(&peer);
	peer.bad_request = 0;
	vhost_model_start(&peer);
	poll_until(is_up, "an honest one");
}

static bool peer_is_left(void)
{
	return load_acquire(&peer.fd) < 0;
}

/* A lie in a ring: stopped for good, the connection ended. */
static void a_lie_in_the_ring_is_the_end(void **state)
{
	uint64_t word[4];

	start_both(1);
	fill(0, 0, 8);
	peer.device.lie_id = true;
	peer.device.fake_id = 400;
	virtio_model_receive(&peer.device, "x", 1);
	assert_int_equal(dev->ops->rx(dev, 0, word, 4), 0);
	assert_true(dev->failed);
	assert_non_null(strstr(dev->failure, "did not have"));
	poll_until(peer_is_left, "the connection to end");
	assert_int_equal(dev->ops->rx_held(dev, 0), 8);
	for (unsigned i = 0; i < 100; i++) {
		dev->ops->poll(dev);
		usleep(100);
	}
	assert_true(is_down());
	assert_int_equal(peer.connections, 1);
}

static void speaking_unasked_is_the_end(void **state)
{
	start_both(1);
	vhost_model_chatter(&peer);
	poll_until(is_down, "down");
	assert_non_null(strstr(dev->failure, "without being asked"));
	poll_until(peer_is_left, "the connection to end");
}

static void no_such_path(void **state)
{
	char name[200];

	memset(name, 'x', sizeof name);
	name[sizeof name - 1] = 0;
	options.path = name;
	assert_null(open_port(1));
	assert_non_null(strstr(log_line, "too long"));
	options.path = "/nowhere/at/all";
	options.server = true;
	assert_null(open_port(1));
	assert_non_null(strstr(log_line, "No such file"));
	vhost_model_start(&peer);
}

#define BOTH(test)                                                                                 \
	cmocka_unit_test_setup_teardown(test, set_up_split, end_process),                          \
		cmocka_unit_test_setup_teardown(test, set_up_packed, end_process)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(hands_over_one_pair),
		BOTH(hands_over_several_pairs),
		BOTH(takes_no_more_pairs_than_there_are),
		BOTH(does_with_less_protocol),
		BOTH(mac_by_option_by_back_end_or_made_up),
		BOTH(no_configuration_after_all),
		BOTH(kicks_only_who_asks_for_it),
		BOTH(back_end_comes_late),
		BOTH(back_end_connects_to_us),
		BOTH(back_end_ends_and_returns),
		BOTH(several_pairs_return),
		BOTH(a_lesser_one_is_no_return),
		BOTH(bad_answers_are_refused),
		BOTH(an_end_in_between_is_waited_for),
		BOTH(a_mute_one_is_not_waited_for_long),
		BOTH(bad_answers_on_return),
		BOTH(a_lie_in_the_ring_is_the_end),
		BOTH(speaking_unasked_is_the_end),
		BOTH(no_such_path),
	};

	return cmocka_run_group_tests_name("vhost_user", tests, NULL, NULL);
}

/* virtio-net's VLAN filter: agreed on where offered, kept in step, done without where it fails. */
#include "test/unit/virtio_rings.h"

#define SLOTS 64u

static void again(void)
{
	make_rings(SLOTS);
	virtio_model_offer_vlan(&model);
}

static unsigned passing(void)
{
	unsigned n = 0;

	for (unsigned vid = 0; vid < 4096; vid++)
		n += model.vlan[vid];
	return n;
}

/* Priority tags pass from the start, VLANs as they are told. */
static void follows(void **state)
{
	probe_ok();
	assert_true(dev->vlan_filter);
	assert_true(model.vlan[0]);
	assert_int_equal(passing(), 1);
	assert_true(dev->ops->vlan(dev, 100, true));
	assert_true(dev->ops->vlan(dev, 4094, true));
	assert_true(model.vlan[100] && model.vlan[4094]);
	assert_true(dev->ops->vlan(dev, 100, false));
	assert_int_equal(passing(), 2);
	for (unsigned i = 0; i < 300; i++) /* around its ring, several times */
		assert_true(dev->ops->vlan(dev, 7, i % 2 == 0));
	assert_false(model.vlan[7]);
	expect_traffic();
}

/* Without the feature there is nothing to tell. */
static void is_not_asked_for(void **state)
{
	model.offered &= ~VIRTIO_MODEL_F_CTRL_VLAN;
	probe_ok();
	assert_false(dev->vlan_filter);
	assert_true(dev->ops->vlan(dev, 100, true));
	assert_int_equal(model.commands, 0);
	again();
	model.offered &= ~VIRTIO_MODEL_F_CTRL_VQ; /* 5.1.3.1: cannot be without it */
	probe_ok();
	assert_false(dev->vlan_filter);
	assert_int_equal(model.accepted & VIRTIO_MODEL_F_CTRL_VLAN, 0);
	expect_traffic();
}

static void goes_with_several_pairs(void **state)
{
	make_machine(SLOTS, 1500);
	model.offered |= rings;
	virtio_model_multiqueue(&model, 8);
	virtio_model_offer_vlan(&model);
	want.queue_pairs = 4;
	probe_ok();
	assert_int_equal(dev->rx_queues, 4);
	assert_true(dev->ops->vlan(dev, 5, true));
	assert_true(model.vlan[5]);
}

/* It costs no queue pair when the filter is refused. */
static void is_done_without(void **state)
{
	model.refuse_vlan = true;
	probe_ok();
	assert_false(dev->vlan_filter);
	assert_int_equal(model_io.lines, 1);
	assert_non_null(strstr(model_io.line, "no VLAN filter: it refuses VLANs"));
	assert_int_equal(model.accepted & VIRTIO_MODEL_F_CTRL_VLAN, 0);
	expect_traffic();

	make_machine(SLOTS, 1500);
	model.offered |= rings;
	virtio_model_multiqueue(&model, 8);
	virtio_model_offer_vlan(&model);
	model.refuse_vlan = true;
	want.queue_pairs = 4;
	probe_ok();
	assert_int_equal(dev->rx_queues, 4);
	assert_false(dev->vlan_filter);
}

static void survives_silence(void **state)
{
	model.control_mute = true;
	probe_ok();
	assert_false(dev->vlan_filter);
	expect_traffic();

	again();
	probe_ok();
	model.control_mute = true;
	assert_false(dev->ops->vlan(dev, 5, true));
	model.control_mute = false;
	assert_false(dev->ops->vlan(dev, 5, true)); /* its answers cannot be told apart any more */
	expect_traffic();
}

int main(void)
{
#define BOTH(t)                                                                                    \
	cmocka_unit_test_setup_teardown(t, set_up_split, end_machine),                             \
		cmocka_unit_test_setup_teardown(t, set_up_packed, end_machine)
	const struct CMUnitTest tests[] = {
		BOTH(follows),
		BOTH(is_not_asked_for),
		BOTH(goes_with_several_pairs),
		BOTH(is_done_without),
		BOTH(survives_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

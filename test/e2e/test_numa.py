# NUMA: QEMU's own nodes, and SRATs of our making: who runs where, and what lies where.
import contextlib
import re
import struct
import tempfile

from router import running

MIB = 1 << 20
POOL = 4096 * 2240  # bytes of one pool's buffers


def nodes(*memory_mib, cpus):
    """QEMU's words for nodes of so much memory each; cpus: by node, its ranges of cores."""
    words = []
    for i, mib in enumerate(memory_mib):
        words.append(f"-object memory-backend-ram,id=m{i},size={mib}M "
                     f"-numa node,nodeid={i},memdev=m{i}{cpus[i] and ',cpus='}{cpus[i]}")
    return " ".join(words)


def cores(lab):
    return {core["core"]: core for core in lab.json("show cores")["cores"]}


def free(lab):
    """Free bytes by node."""
    return {n["node"]: n["free_bytes"] for n in lab.json("show memory")["nodes"]}


def of_worker(lab):
    """What the only worker of two ports has, by what the router says of it."""
    memory = lab.json("show memory")
    places = int(re.search(r"^places: (\d+)", lab.cli("show flows count 1"), re.MULTILINE)[1])
    return {"sessions": memory["session_bytes"], "nat": memory["nat_bytes"],  # with the rules, of all
            "flows": places // 2 * 64,  # a line of the cache is two
            "pools": memory["buffer_bytes"] * 2 // 3}  # the third is the control core's


def test_one_node_is_not_mentioned():
    with running(warm=False) as lab:
        assert "node" not in lab.cli("show cores", "show memory", "show interfaces")


def test_two_nodes():
    # All that is not asked for on node 1 fits node 0, and comes first there.
    with running(mem=1024, cores=2, qemu=nodes(768, 256, cpus="01")) as lab:
        assert {i: core["node"] for i, core in cores(lab).items()} == {0: 0, 1: 1}
        assert cores(lab)[1]["rx"] == "eth0 eth1"
        ram = {n["node"]: n["ram_bytes"] for n in lab.json("show memory")["nodes"]}
        assert 766 * MIB < ram[0] < 769 * MIB and 255 * MIB < ram[1] < 257 * MIB
        own, used = of_worker(lab), ram[1] - free(lab)[1]
        assert sum(own.values()) - own["nat"] < used, own
        assert used < 1.05 * sum(own.values()), "with rings, VOQs, counters and stacks; nothing of others'"
        assert free(lab)[0] < ram[0] - 16 * MIB
        assert lab.interface("eth0")["node"] == "unknown"
        assert "eth0: NUMA node unknown, any worker drives it" in lab.serial_log()
        assert "no room on node" not in lab.serial_log()
        assert lab.ping(0, "10.0.1.2", count=20)


def test_node_around_a_hole():
    """Node 0 lies on both sides of the addresses below 4 GiB that are not memory."""
    with running(mem=512, machine="q35,max-ram-below-4g=256M", qemu=nodes(384, 128, cpus="01")) as lab:
        ram = {n["node"]: n["ram_bytes"] for n in lab.json("show memory")["nodes"]}
        assert 382 * MIB < ram[0] < 384 * MIB and ram[1] == 128 * MIB
        assert 2 * POOL < ram[1] - free(lab)[1], "the worker's pools, VOQs and stacks, above 4 GiB"
        assert lab.ping(0, "10.0.1.2", count=20)


def test_no_room_on_the_node():
    with running(mem=512, cores=2, qemu=nodes(500, 12, cpus="01")) as lab:
        assert "memory: no room on node 1 for " in lab.serial_log()
        assert free(lab)[1] < 12 * MIB - POOL, "what fits is there"
        assert lab.ping(0, "10.0.1.2", count=20)


def core(apic_id, node):
    return struct.pack("<BBBBIB3xI", 0, 16, node, apic_id, 1, 0, 0)


def memory(first_mib, mib, node):
    return struct.pack("<BBI2xQQ4xI8x", 1, 40, node, first_mib * MIB, mib * MIB, 1)


def device(slot, node):
    return struct.pack("<BBxBIHBB12xI4x", 5, 32, 1, node, 0, 0, slot << 3, 1)


@contextlib.contextmanager
def running_with_srat(*entries, **options):
    """A lab whose firmware has an SRAT with these entries, and no other."""
    with tempfile.NamedTemporaryFile(suffix=".srat") as file:
        file.write(bytes(12) + b"".join(entries))
        file.flush()
        with running(qemu=f"-acpitable sig=SRAT,rev=3,data={file.name}", **options) as lab:
            yield lab


TWO_NODES = (core(0, 0), core(1, 0), core(2, 7), core(3, 7), memory(0, 256, 0), memory(256, 256, 7))


def test_devices_go_to_near_workers():
    # The NICs are in slots 1 and 2; without a word on them cores 1 and 2 would drive them.
    with running_with_srat(*TWO_NODES, device(1, 7), device(2, 7), cores=4) as lab:
        assert {i: c["node"] for i, c in cores(lab).items()} == {0: 0, 1: 0, 2: 7, 3: 7}
        assert {c["rx"]: i for i, c in cores(lab).items() if c["rx"] != "-"} == \
            {"eth0": 2, "eth1": 3}
        for name in ("eth0", "eth1"):
            assert lab.interface(name)["node"] == 7
        assert "NUMA node unknown" not in lab.serial_log()
        assert lab.ping(0, "10.0.1.2", count=20)


def test_one_device_is_unknown():
    with running_with_srat(*TWO_NODES, device(2, 0), cores=3) as lab:
        assert {c["rx"]: i for i, c in cores(lab).items()} == {"-": 0, "eth1": 1, "eth0": 2}
        assert [lab.interface(f"eth{i}")["node"] for i in range(2)] == ["unknown", 0]
        assert lab.ping(0, "10.0.1.2", count=20)


def test_lying_srat():
    """Nonsense costs nothing but what it says."""
    entries = (
        core(0, 0), core(1, 1), core(1, 2), core(77, 3),  # twice; nobody's
        memory(0, 256, 0), memory(128, 256, 1), memory(1 << 40, 1 << 30, 2),  # over; too far
        struct.pack("<BB", 1, 2), device(31, 9), struct.pack("<BB", 0, 0), memory(256, 256, 1))
    with running_with_srat(*entries) as lab:
        assert "ACPI: 4 entries of the SRAT are left out" in lab.serial_log()
        assert {i: c["node"] for i, c in cores(lab).items()} == {0: 0, 1: 1}
        assert "memory: no room on node 1 for " in lab.serial_log(), "node 1 has no memory"
        assert lab.ping(0, "10.0.1.2", count=20)

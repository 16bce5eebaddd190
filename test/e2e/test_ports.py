# Kinds of ports: split and packed rings, RSS on offer, jumbo frames through both.
import pytest
from flood import check_order
from router import running

KINDS = {"split": {}, "packed": {"packed": True}, "queues": {"queues": 4, "cores": 5, "mem": 1024},
         "rss": {"queues": 4, "cores": 3, "rss": True, "packed": True}}
JUMBO = 9000
CONFIG = "".join(f"set interfaces eth{i} address 10.0.{i}.1/24\n"
                 f"set interfaces eth{i} mtu {JUMBO}\n" for i in range(2))


@pytest.fixture(scope="module", params=KINDS)
def lab(request):
    with running(config=CONFIG, **KINDS[request.param]) as lab:
        for host in range(2):
            lab.must(host, "ip", "link", "set", "p0", "mtu", str(JUMBO))
        lab.kind = KINDS[request.param]
        yield lab


def test_kind(lab):
    for name in ("eth0", "eth1"):
        port = lab.interface(name)
        assert port["rings"] == ("packed" if "packed" in lab.kind else "split")
        if "queues" not in lab.kind:
            assert port["queues"] == 1 and "steering" not in port
            continue
        assert port["queues"] == lab.kind["cores"] - 1, "a queue pair for each worker"
        assert port["steering"] == ("rss" if "rss" in lab.kind else "device")


def test_file(lab):
    sent, received = lab.carry_file(0, 1, 20_000_000)
    assert sent == received


def test_flows_keep_their_order(lab):
    check_order(lab, 0, 1)
    if lab.kind.get("cores", 2) > 2:
        sources = {q["worker"] for q in lab.json("show queues eth1")["queues"]
                   if q["from"] == "eth0" and q["packets"]}
        assert len(sources) > 1, "one queue had it all"


def answered(lab, address, size):
    """Three echoes come back whole, however late: that none is lost inside is for the books."""
    done = lab.run(0, "ping", "-n", "-c", "3", "-i", "0.2", "-w", "20", "-s", str(size), "-M", "do",
                   address)
    return done.returncode == 0


@pytest.mark.parametrize("size", [1472, 1473, 2020, 2021, 4000, JUMBO - 28])
def test_jumbo_pings(lab, size):
    assert answered(lab, "10.0.1.2", size)
    assert answered(lab, "10.0.0.1", size)


def test_one_byte_too_long(lab):
    lab.must(0, "ip", "link", "set", "p0", "mtu", str(JUMBO + 1))
    assert not lab.ping(0, "10.0.1.2", count=2, size=JUMBO - 27, wait_s=1)
    lab.must(0, "ip", "link", "set", "p0", "mtu", str(JUMBO))
    assert lab.drops().count("eth0", "rx-oversize") == 2


def test_router_pings(lab):
    assert "3 received" in lab.cli(f"ping 10.0.0.2 size {JUMBO - 28} count 3 wait 60")


def test_small_buffers_take_no_jumbo():
    """The stride is fixed at boot: a router booted without jumbo frames refuses them later."""
    with running() as lab:
        reply = lab.cli("set interfaces eth0 mtu 1501", "commit", fails=True)
        assert "error: interfaces eth0 mtu 1501: the buffers made at boot hold 1500" in reply
        lab.cli("discard")
        lab.must(0, "ip", "link", "set", "p0", "mtu", str(JUMBO))
        assert not lab.ping(0, "10.0.0.1", count=2, size=3000, wait_s=1)
        assert answered(lab, "10.0.1.2", 56)

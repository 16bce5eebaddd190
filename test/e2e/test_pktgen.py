# Image and process between the ports of the traffic generator, by vhost-user: every packet verified, errors seen.
import contextlib
import json
import os
import subprocess
import tempfile

import pytest
from building import made
from labkit.place import TREE
from router import running, wait_for

PKTGEN = os.path.join(TREE, "build", "pktgen")

ROUTER = """
set interfaces eth0 address 10.0.0.1/24
set interfaces eth0 address fd00::1/64
set interfaces eth1 address 10.0.1.1/24
set interfaces eth1 address fd01::1/64
set routes 198.18.0.0/16 via 10.0.1.2
set routes 198.19.0.0/16 via 10.0.1.70
set routes 2001:db8::/32 via fd00::2
"""
SCENARIO = """
port 0 socket {folder}/0 queues {queues} address 10.0.0.2/24 gateway 10.0.0.1 address fd00::2/64 gateway fd00::1
port 1 socket {folder}/1 queues {queues} address 10.0.1.2/24 gateway 10.0.1.1 address fd01::2/64 gateway fd01::1
host 10.0.1.64/26 port 1 mac 02:aa:00:00:00:09
stream prefix from 0 to 198.18.0.0/16 via 10.0.1.2 flows 500 size imix
stream next-hop from 0 to 198.19.0.0/16 via 10.0.1.70 flows 20
stream connected from 0 to 10.0.1.80/28 port 1 flows 16
stream six from 1 to 2001:db8::/32 via fd00::2 flows 100 size imix6
"""


def build():
    made("build/pktgen")


@contextlib.contextmanager
def generating(folder, arguments, queues=1, scenario=SCENARIO):
    """pktgen as it waits for the router; its result is read by finish()."""
    with open(f"{folder}/said", "w", encoding="utf-8") as said:
        process = subprocess.Popen(
            [PKTGEN, "-f", "/dev/stdin", "-j", f"{folder}/json", "--wait", "100", *arguments],
            stdin=subprocess.PIPE, stdout=said, stderr=said, text=True)
    try:
        process.stdin.write(scenario.format(folder=folder, queues=queues))
        process.stdin.close()
        wait_for("pktgen's sockets", lambda: os.path.exists(f"{folder}/1"))
        yield process
    finally:
        process.kill()
        process.wait()


def finish(process, folder):
    status = process.wait(timeout=200)
    with open(f"{folder}/said", encoding="utf-8") as said, \
            open(f"{folder}/json", encoding="utf-8") as text:
        words, result = said.read(), text.read()
    return status, words, json.loads(result) if result else None


# Slow enough for emulation; and on a machine that does other things too, nothing is sent that would
# wait longer than the router's queues are.
SLOW = ["--warmup", "1.5", "--rate", "4k", "--packets", "12000", "--time", "100", "--window", "300",
        "--strict", "run"]
LOSING = [word if word != "300" else "4300" for word in SLOW]  # 3,000 and 1,000 will not be back


def all_received(status, words, result):
    assert status == 0, words
    assert result["all"]["sent"] > 4000 and result["all"]["received"] == result["all"]["sent"]
    assert all(stream["received"] > 500 for stream in result["streams"].values())
    assert result["all"]["latency_us"]["samples"] == result["all"]["received"]


@pytest.mark.parametrize("queues, packed", [(1, False), (1, True), (2, False)])
def test_every_packet_is_verified(queues, packed):
    build()
    with tempfile.TemporaryDirectory() as folder:
        with generating(folder, SLOW, queues) as process, \
                running(accel="tcg", cores=1 + queues, config=ROUTER, warm=False, queues=queues,
                        net="vhost-user", sockets=folder, **({"packed": True} if packed else {})):
            status, words, result = finish(process, folder)
    all_received(status, words, result)


@pytest.mark.parametrize("queues, packed", [(1, False), (1, True), (2, True)])
def test_every_packet_by_the_process(queues, packed):
    """The same work and the same streams, without a machine in between."""
    build()
    scenario = SCENARIO if packed else SCENARIO.replace(" address 10", " without packed address 10")
    with tempfile.TemporaryDirectory() as folder:
        with generating(folder, SLOW, queues, scenario) as process, \
                running(hosted=True, cores=1 + queues, config=ROUTER, warm=False, net="vhost-user",
                        sockets=folder) as lab:
            status, words, result = finish(process, folder)
            for port in map(lab.interface, ("eth0", "eth1")):
                assert port["queues"] == queues
                assert port["rings"] == ("packed" if packed else "split")
    all_received(status, words, result)


def test_a_wrong_route_is_seen():
    """The router sends one stream back where it came from, and drops another."""
    build()
    router = ROUTER.replace("198.18.0.0/16 via 10.0.1.2", "198.18.0.0/16 via 10.0.0.2") \
                   .replace("set routes 198.19.0.0/16 via 10.0.1.70", "set routes 198.19.0.0/16 blackhole")
    with tempfile.TemporaryDirectory() as folder:
        with generating(folder, LOSING) as process, \
                running(accel="tcg", config=router, warm=False, net="vhost-user", sockets=folder):
            status, words, result = finish(process, folder)
    assert status == 1, words
    prefix, hop = result["streams"]["prefix"], result["streams"]["next-hop"]
    assert prefix["faults"]["wrong-port"] == prefix["sent"]
    assert hop["received"] == 0 and hop["lost"] == hop["sent"]
    assert result["streams"]["six"]["lost"] == result["streams"]["connected"]["lost"] == 0

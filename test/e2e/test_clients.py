# Programs that know nothing of tests, through the router: what they carry arrives, whole.
import contextlib
import hashlib
import json
import os
import re
import subprocess

import pytest
from router import LAB, running

SMALL_MTU = 1280  # of the router's eth2; the hosts on both sides believe in 1500
CONFIG = "".join(f"set interfaces eth{i} address 10.0.{i}.1/24\n" for i in range(3)) + \
    f"set interfaces eth2 mtu {SMALL_MTU}\n"
FILE_BYTES = 30_000_000


@pytest.fixture(scope="module")
def lab():
    with running(ports=3, config=CONFIG) as lab:
        yield lab


@contextlib.contextmanager
def server(lab, host, *command, ready):
    """A program in a host that has said `ready`; ended with the block."""
    process = subprocess.Popen(
        [LAB, "exec", f"h{host}", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, env={**os.environ, "LAB": lab.name, "PYTHONUNBUFFERED": "1"})
    try:
        said = ""
        for line in process.stdout:
            said += line
            if ready in line:
                break
        assert ready in said, said
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A folder with one file, and the digest of that."""
    folder = tmp_path_factory.mktemp("www")
    data = os.urandom(FILE_BYTES)
    (folder / "file").write_bytes(data)
    return folder, hashlib.sha256(data).hexdigest()


def fetch(lab, source, destination, folder, target):
    """curl of the file that host `source` offers, run by another; the digest of what came."""
    address = f"10.0.{source}.2"
    with server(lab, source, "/usr/bin/python3", "-m", "http.server", "8000", "--bind", address,
                "--directory", str(folder), ready="Serving HTTP"):
        lab.must(destination, "curl", "-sS", "--fail", "--max-time", "100", "-o", str(target),
                 f"http://{address}:8000/file")
    return hashlib.sha256(target.read_bytes()).hexdigest()


@pytest.mark.parametrize("source,destination", [(0, 1), (1, 0)])
def test_curl(lab, file, tmp_path, source, destination):
    folder, digest = file
    assert fetch(lab, source, destination, folder, tmp_path / "got") == digest


def test_curl_across_a_smaller_mtu(lab, file, tmp_path):
    """Path MTU discovery (RFC 1191): the server begins with packets that do not fit eth2, is told
    so, and goes on with shorter ones. Nothing is cut on the way."""
    folder, digest = file
    before = lab.drops()
    assert fetch(lab, 0, 2, folder, tmp_path / "got") == digest
    told = lab.drops().count("eth0", "mtu-exceeded") - before.count("eth0", "mtu-exceeded")
    assert 0 < told < 100, "the server did not listen"
    route = lab.must(0, "ip", "route", "get", "10.0.2.2")
    assert re.search(rf"\bmtu {SMALL_MTU}\b", route), route


def iperf(lab, *options):
    """iperf3 from h0 to h1; its report's end."""
    with server(lab, 1, "iperf3", "-s", "-1", "--forceflush", ready="listening"):
        report = json.loads(lab.must(0, "iperf3", "-c", "10.0.1.2", "-J", *options))
    assert "error" not in report, report["error"]
    return report["end"]


@pytest.mark.parametrize("reverse", [[], ["-R"]], ids=["there", "back"])
def test_iperf3_tcp(lab, reverse):
    """Four connections side by side, each of which gets on. (What is under way at the end of the
    time iperf3 does not count: whether all arrives is the business of the files above.)"""
    end = iperf(lab, "-P", "4", "-t", "2", *reverse)
    received = [s["receiver"]["bytes"] for s in end["streams"]]
    assert len(received) == 4 and min(received) > 100_000, received


@pytest.mark.parametrize("size", [64, 1400, 4000], ids=["small", "whole", "fragments"])
def test_iperf3_udp(lab, size):
    """At a pace the emulator takes the router loses nothing, fragments included, and keeps the order.
    (What is under way when the time is over iperf3 counts as lost.)"""
    before = lab.drops()
    end = iperf(lab, "-u", "-b", f"{min(size * 8 * 400, 4_000_000)}", "-l", str(size), "-t", "2")
    assert end["sum"]["packets"] > 100
    assert end["streams"][0]["udp"]["out_of_order"] == 0
    assert end["sum"]["lost_packets"] <= end["sum"]["packets"] // 20
    assert lab.drops().total() == before.total()


def test_mtr(lab):
    """Two hops, all probes answered, the router by the address on our side."""
    report = json.loads(lab.must(0, "mtr", "-n", "--json", "-c", "5", "-i", "0.2", "10.0.1.2"))
    hubs = report["report"]["hubs"]
    assert [(h["host"], h["Loss%"]) for h in hubs] == [("10.0.0.1", 0.0), ("10.0.1.2", 0.0)]


def test_refused_connection(lab):
    """A closed port of the router says so at once: no time-out for the client."""
    done = lab.run(0, "curl", "-sS", "--max-time", "60", "http://10.0.0.1:179/")
    assert done.returncode == 7, done.stderr  # 28 would be the time-out


def test_ping_finds_the_mtu(lab):
    """Finds the smaller MTU by errors alone."""
    lab.must(0, "ip", "route", "flush", "cache")
    done = lab.run(0, "ping", "-n", "-c", "2", "-W", "5", "-M", "do", "-s", "1400", "10.0.2.2")
    assert re.search(rf"mtu\D*{SMALL_MTU}", done.stdout + done.stderr), done.stdout + done.stderr
    assert lab.ping(0, "10.0.2.2", size=SMALL_MTU - 28)

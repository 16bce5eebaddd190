# More programs that know nothing of tests, over both families: ssh, DNS, iperf3, mtr, path MTU discovery.
import contextlib
import hashlib
import json
import os
import re
import subprocess

import pytest
from labkit.transfer import carry_file
from router import LAB, running, wait_for

SMALL_MTU = 1280  # of the router's eth2; the hosts on both sides believe in 1500
CONFIG = "".join(f"set interfaces eth{i} address 10.0.{i}.1/24\n"
                 f"set interfaces eth{i} address fd00:0:0:{i}::1/64\n" for i in range(3)) + \
    f"set interfaces eth2 mtu {SMALL_MTU}\n"
SSH_PORT, DNS_PORT = 2222, 5353
SESSION_BYTES = 5_000_000
BIG = 25  # TXT records of 100 bytes: more than 1,232 and than a frame


def address(family, host):
    return f"10.0.{host}.2" if family == 4 else f"fd00:0:0:{host}::2"


@pytest.fixture(scope="module")
def lab():
    with running(ports=3, config=CONFIG) as lab:
        lab.warm6(3)
        yield lab


@pytest.fixture(params=[4, 6], ids=["IPv4", "IPv6"])
def family(request):
    return request.param


@contextlib.contextmanager
def server(lab, host, *command, probe):
    """A program in a host, from when the command `probe` succeeds there to the end of the block."""
    process = subprocess.Popen([LAB, "exec", f"h{host}", *command], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env={**os.environ, "LAB": lab.name})
    try:
        wait_for(command[0], lambda: process.poll() is not None
                 or lab.run(host, *probe).returncode == 0)
        if process.poll() is not None:
            pytest.fail(f"{command[0]}: {process.stdout.read()}")
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def listening(port):
    """A command that succeeds once somebody listens on a TCP port."""
    return ("sh", "-c", f"ss -Hltn | grep -q ':{port} '")


# ---------------------------------------------------------------- ssh


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Keys of a server and of a user, made for this run, and a home for him."""
    folder = tmp_path_factory.mktemp("ssh")
    subprocess.run(["dropbearkey", "-t", "ed25519", "-f", folder / "host"], check=True,
                   capture_output=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "user"],
                   check=True)
    home = folder / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    home.chmod(0o700)
    (home / ".ssh" / "authorized_keys").write_text((folder / "user.pub").read_text())
    return folder


def dropbear(keys, where):
    """The command of a server that sees that home as root's, in mounts of its own: nothing of this
    machine's is read or written. (Debian's openssh-server would be started at its installation.)"""
    return ("unshare", "--mount", "--propagation", "private", "sh", "-c",
            f"mount --bind {keys / 'home'} /root && exec dropbear -F -E -s -m -r {keys / 'host'} "
            f"-P '' -p {where}:{SSH_PORT}")


def ssh(lab, keys, target, *command, text=None):
    return lab.tool("exec", "h0", "ssh", "-F", "none", "-p", str(SSH_PORT), "-i", str(keys / "user"),
                    "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={keys / 'known'}",
                    "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
                    f"root@{target}", *command, text=text)


def test_ssh(lab, keys, family):
    """A session by key, a command, and 5 MB there and back, whole."""
    data = os.urandom(SESSION_BYTES // 2).hex()
    digest = hashlib.sha256(data.encode()).hexdigest()
    target = address(family, 1)
    where = f"[{target}]" if family == 6 else target
    with server(lab, 1, *dropbear(keys, where), probe=listening(SSH_PORT)):
        done = ssh(lab, keys, target, "sha256sum", text=data)
        assert done.returncode == 0 and done.stdout.split()[:1] == [digest], done.stderr
        done = ssh(lab, keys, target, "cat", text=data)
        assert done.returncode == 0 and done.stdout == data
    lab.check_books()


# ---------------------------------------------------------------- DNS


@pytest.fixture(scope="module")
def resolver(lab):
    """dnsmasq in h1, which knows a few names and says more than a frame of one of them."""
    records = [f"--txt-record=big.test,{i:02}{'x' * 98}" for i in range(BIG)]
    with server(lab, 1, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts",
                "--no-resolv", "--user=root", "--pid-file=", f"--port={DNS_PORT}", "--edns-packet-max=4096",
                "--host-record=www.test,192.0.2.7,2001:db8::7", *records,
                probe=listening(DNS_PORT)) as process:
        yield process


def dig(lab, family, *words):
    return lab.must(0, "dig", f"@{address(family, 1)}", "-p", str(DNS_PORT), "+tries=1", "+time=20",
                    *words)


def test_dns(lab, resolver, family):
    assert dig(lab, family, "+short", "A", "www.test").split() == ["192.0.2.7"]
    assert dig(lab, family, "+short", "AAAA", "www.test").split() == ["2001:db8::7"]
    assert dig(lab, family, "+short", "+tcp", "AAAA", "www.test").split() == ["2001:db8::7"]


def test_dns_in_fragments(lab, resolver, family):
    """An answer of more than a frame, by UDP: its fragments pass."""
    out = dig(lab, family, "+bufsize=4096", "+ignore", "TXT", "big.test")
    assert out.count("xxxxxxxx\"") == BIG and "(UDP)" in out, out
    size = int(re.search(r"MSG SIZE\s+rcvd: (\d+)", out).group(1))
    assert size > 2000


def test_dns_falls_back_to_tcp(lab, resolver, family):
    """A client that takes 1,232 bytes is told that there is more, and asks again by TCP."""
    out = dig(lab, family, "+bufsize=1232", "TXT", "big.test")
    assert "Truncated, retrying in TCP mode" in out and "(TCP)" in out, out
    assert out.count("xxxxxxxx\"") == BIG


# ---------------------------------------------------------------- IPv6, where test_clients.py has IPv4


def iperf(lab, *options):
    with server(lab, 1, "iperf3", "-s", "-1", probe=listening(5201)):
        report = json.loads(lab.must(0, "iperf3", "-6", "-c", address(6, 1), "-J", *options))
    assert "error" not in report, report["error"]
    return report["end"]


@pytest.mark.parametrize("reverse", [[], ["-R"]], ids=["there", "back"])
def test_iperf3_tcp(lab, reverse):
    end = iperf(lab, "-P", "4", "-t", "1", *reverse)
    received = [s["receiver"]["bytes"] for s in end["streams"]]
    assert len(received) == 4 and min(received) > 100_000, received


@pytest.mark.parametrize("size", [64, 1400, 4000], ids=["small", "whole", "fragments"])
def test_iperf3_udp(lab, size):
    """None is lost but what its server had no room for, having been without a core."""
    def overflowed():
        return int(re.search(r"Udp6RcvbufErrors\s+(\d+)", lab.must(1, "cat", "/proc/net/snmp6"))[1])
    before, refused = lab.drops(), overflowed()
    end = iperf(lab, "-u", "-b", f"{min(size * 8 * 400, 4_000_000)}", "-l", str(size), "-t", "1")
    assert end["sum"]["packets"] > 50
    assert end["streams"][0]["udp"]["out_of_order"] == 0
    assert end["sum"]["lost_packets"] <= overflowed() - refused
    assert lab.drops().total() == before.total()


def test_mtr(lab):
    report = json.loads(lab.must(0, "mtr", "-6", "-n", "--json", "-c", "5", "-i", "0.2",
                                 address(6, 1)))
    hubs = report["report"]["hubs"]
    assert [(h["host"], h["Loss%"]) for h in hubs] == [("fd00::1", 0.0), (address(6, 1), 0.0)]


def test_path_mtu(lab, family):
    """Across a link of 1280: TCP and UDP learn it from the errors alone, and what they send arrives."""
    lab.must(0, "ip", f"-{family}", "route", "flush", "cache")
    before = lab.drops()
    target = address(family, 2)
    sent, received = carry_file(lab.place, 0, 2, 2 << 20, address=target)
    assert sent == received
    told = lab.drops().count("eth0", "mtu-exceeded") - before.count("eth0", "mtu-exceeded")
    assert 0 < told < 100, "the sender did not listen"
    assert re.search(rf"\bmtu {SMALL_MTU}\b", lab.must(0, "ip", f"-{family}", "route", "get", target))
    header = 28 if family == 4 else 48
    sizes = {SMALL_MTU - header: 0, SMALL_MTU - header + 1: 1}
    for size, status in sizes.items():
        done = lab.run(0, "ping", f"-{family}", "-c", "1", "-W", "10", "-M", "do", "-s", str(size), target)
        assert (done.returncode != 0) == bool(status), (size, done.stdout + done.stderr)


def test_refused_connection(lab):
    """A closed port of the router, by IPv6: a reset at once, no time-out for the client."""
    done = lab.run(0, "curl", "-sS", "--max-time", "60", "http://[fd00::1]:179/")
    assert done.returncode == 7, done.stderr  # 28 would be the time-out


def test_traceroute_by_tcp(lab, family):
    """Probes that are SYNs: the router answers what ends there, the host the rest."""
    hop = "10.0.0.1" if family == 4 else "fd00::1"
    out = lab.must(0, "traceroute", f"-{family}", "-n", "-q", "1", "-w", "10", "-T", "-p", "9",
                   address(family, 1))
    assert re.search(rf"^ 1  {hop} ", out, re.M) and re.search(rf"^ 2  {address(family, 1)} ", out, re.M)


def test_books(lab):
    lab.check_books()

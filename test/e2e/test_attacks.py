# Tools made for attacks, against the router and through it: it survives, counts, and forwards.
import json
import os
import re
import subprocess
import time

import pytest
from bystander import Bystander
from router import LAB, running, wait_for

FLOOD_S = 0.6  # how long a tool that never ends may go on
TOOL_S = 4     # and one that does, or that needs time to begin
ATTACKER, VICTIM = 2, 3
ROUTER4, ROUTER6 = "10.0.2.1", "fd00:0:0:2::1"  # on the attacker's link
VICTIM4, VICTIM6 = "10.0.3.2", "fd00:0:0:3::2"

CONFIG = "".join(f"set interfaces eth{i} address 10.0.{i}.1/24\n"
                 f"set interfaces eth{i} address fd00:0:0:{i}::1/64\n" for i in range(4))

# Each with the least of frames it must have got onto the wire.
FLOODS = {
    "router advertisements": ("atk6-flood_router26 p0", 1000),
    "router solicitations": ("atk6-flood_rs6 -sS p0", 1000),
    "neighbour advertisements": (f"atk6-flood_advertise6 p0 {ROUTER6}", 1000),
    "neighbour solicitations": (f"atk6-flood_solicitate6 p0 {ROUTER6}", 1000),
    "solicitations with router alert": (f"atk6-flood_solicitate6 -a p0 {ROUTER6}", 1000),
    "redirects": ("atk6-flood_redir6 p0", 1000),
    "unreachables": (f"atk6-flood_unreach6 p0 {ROUTER6}", 1000),
    "listener reports": ("atk6-flood_mld26 p0", 1000),
    "smurf": (f"atk6-smurf6 p0 {VICTIM6}", 1000),
    "scan of a network": ("atk6-ndpexhaust26 p0 fd00:0:0:3::", 1000),
    "scan of a network, echoes": ("atk6-ndpexhaust26 -p -r p0 fd00:0:0:3::", 1000),
    "a router of its own": ("atk6-fake_router26 -A fd00:0:0:2::/64 p0", 1),
    "the router declared dead": (f"atk6-kill_router6 p0 {ROUTER6}", 1),
    "fragments through, IPv6": (f"atk6-fragmentation6 -fp p0 {VICTIM6} 3", 100),
    "SYN, IPv6": (f"atk6-thcsyn6 p0 {ROUTER6} 22", 100),
    "all types of ICMPv6": (f"atk6-randicmp6 -p p0 {ROUTER6}", 100),
    "SYN": (f"hping3 --flood -S -p 22 {ROUTER4}", 1000),
    "SYN from anywhere": (f"hping3 --flood -S --rand-source -p 80 {VICTIM4}", 1000),
    "UDP": (f"hping3 --flood --udp -d 1000 {ROUTER4}", 1000),
    "UDP through": (f"hping3 --flood --udp -d 1000 {VICTIM4}", 1000),
    "ICMP": (f"hping3 --flood --icmp {ROUTER4}", 1000),
    "fragments": (f"hping3 --flood --udp -d 3000 -f {ROUTER4}", 1000),
    "from its own address": (f"hping3 --flood -S -a {ROUTER4} -p 22 {ROUTER4}", 1000),
}
TOOLS = {
    "denial6, big destination headers": (f"atk6-denial6 p0 {ROUTER6} 2", 100),
    "denial6, hop-by-hop headers through": (f"atk6-denial6 p0 {VICTIM6} 7", 100),
    "exploit6": (f"atk6-exploit6 p0 {ROUTER6}", 100),
    "nmap -sO": (f"nmap -n -Pn -sO --max-retries 0 {ROUTER4}", 100),
    "nmap -sA through": (f"nmap -n -Pn -sA --max-retries 0 -p 1-500 {VICTIM4}", 100),
    "nmap -sX": (f"nmap -n -Pn -sX --max-retries 0 -p 1-500 {ROUTER4}", 100),
    "nmap -O": (f"nmap -n -Pn -O --max-os-tries 1 --max-retries 0 -p 1-50 {ROUTER4}", 50),
    "nmap -6": (f"nmap -6 -n -Pn -sS -O --max-os-tries 1 --max-retries 0 -p 1-200 {ROUTER6}", 50),
}
# These leave fragments to the router, which wait a minute for the rest (RFC 8200 4.5).
LEAVE_FRAGMENTS = {
    "fragmentation6": (f"atk6-fragmentation6 -fp p0 {ROUTER6} 1", 100),
    "implementation6": (f"atk6-implementation6 -p p0 {ROUTER6}", 3),
    "fuzz_ip6": (f"atk6-fuzz_ip6 -a -x -1 -IFSDH p0 {ROUTER6}", 100),
}


@pytest.fixture(scope="module")
def lab():
    with running(ports=4, config=CONFIG) as lab:
        lab.warm6(4)
        lab.must(0, "ping", "-6", "-c", "1", "fd00:0:0:1::2")
        lab.memory = used(lab.cli("show memory | json"))
        with lab.wire(ATTACKER) as wire:  # both count the same frames, from another beginning
            lab.ahead = lab.drops().received(f"eth{ATTACKER}") - wire.counters()["sent"]
        yield lab


def attack(lab, command, seconds, begun):
    """Runs a tool in the attacker's host, ended a while after if it does not end itself, but not
    before it has begun."""
    process = subprocess.Popen([LAB, "exec", f"h{ATTACKER}", *command.split()],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env={**os.environ, "LAB": lab.name})
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        wait_for("an attack", lambda: begun() or process.poll() is not None)
        process.kill()
    process.wait()


def survive(lab, command, least, seconds, waiting=False):
    """Others lose nothing, and each frame of the attack has its end; or still waits, if it may."""
    port = f"eth{ATTACKER}"
    before = lab.drops()
    with lab.wire(ATTACKER) as wire:
        taps = wire.counters()["sent"]
        with Bystander(lab, 0, 1) as bystander:
            attack(lab, command, seconds, lambda: wire.counters()["sent"] - taps >= least)
            assert re.match(r"up|\d", lab.cli("show uptime")), "the shell"
            time.sleep(0.1)
        on_wire = wait_for("frames", lambda: wire.counters()["sent"]) - taps
    assert bystander.sent > 20 and bystander.lost == 0 and not bystander.out_of_order
    assert on_wire >= least, "no attack at all"
    after = wait_for("all to be counted", lambda: counted(lab, port, wire, waiting))
    assert after.balanced
    for other in ("eth0", "eth1"):
        assert [after.count(other, r) for r in after.reasons(other)] == \
            [before.count(other, r) for r in before.reasons(other)]
    told = lab.cli("show memory | json", "show buffers")
    assert "audit: ok" in told, told
    assert used(told) == lab.memory, "memory"
    ended = {r: after.count(port, r) - before.count(port, r) for r in after.reasons(port)}
    return on_wire, {r: n for r, n in ended.items() if n}


def used(told):
    """What `show memory | json` says of memory that could grow."""
    memory = json.loads(re.search(r"{.*}", told).group())
    return memory["arena_used"], memory["heap_used"]


def counted(lab, port, wire, waiting):
    """What `show drops` says once each frame on the attacker's wire has been received, and had its
    end; or None."""
    now = lab.drops()
    received = now.received(port) == wire.counters()["sent"] + lab.ahead
    return now if received and (waiting or now.in_flight(port) == 0) else None


@pytest.mark.parametrize("what", FLOODS)
def test_flood(lab, what):
    command, least = FLOODS[what]
    print(survive(lab, command, least, FLOOD_S))


@pytest.mark.parametrize("what", TOOLS)
def test_tool(lab, what):
    command, least = TOOLS[what]
    print(survive(lab, command, least, TOOL_S))


def test_file_during_a_flood(lab):
    """TCP of others gets on while the router's own address is flooded."""
    flood = subprocess.Popen([LAB, "exec", f"h{ATTACKER}", "hping3", "--flood", "-S", "--rand-source",
                              "-p", "80", ROUTER4], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             env={**os.environ, "LAB": lab.name})
    try:
        sent, received = lab.carry_file(0, 1, 3 << 20)
    finally:
        flood.kill()
        flood.wait()
    assert sent == received


@pytest.mark.parametrize("what", LEAVE_FRAGMENTS)
def test_tool_that_leaves_fragments(lab, what):
    command, least = LEAVE_FRAGMENTS[what]
    print(survive(lab, command, least, TOOL_S, waiting=True))


def test_fragments_end(lab):
    """Theirs, of all these tools."""
    wait_for("the last fragment", lambda: lab.drops().in_flight(f"eth{ATTACKER}") == 0, 120)


def test_nothing_was_believed(lab):
    """No route, no neighbour of the network's other hosts, no address has come of all this."""
    lab.check_books()
    assert lab.ping(ATTACKER, VICTIM4) and lab.ping(0, "10.0.1.2")
    assert {r["source"] for r in lab.json("show routes")["routes"]} <= {"connected", "local", "neighbor"}
    assert lab.interface("eth2")["address"][:2] == ["10.0.2.1/24", "fd00:0:0:2::1/64"]

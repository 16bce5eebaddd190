# tools/pxe without a machine: what a client is answered, by what it says it is; and what is refused.
import contextlib
import os
import socket
import subprocess
import urllib.error
import urllib.request

import pytest
from labkit import hosts, serve
from labkit.place import TREE, end_process
from patience import PATIENCE_S
from router import Lab
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

PXE = os.path.join(TREE, "tools", "pxe")
MAC, OWN, CLIENT = "52:54:00:00:07:07", "10.0.0.2", "10.0.0.100"
URL = f"http://{OWN}:8080/barewire.efi?config=tftp://{OWN}/configs&panic=reboot&console=com2%2C9600"


@contextlib.contextmanager
def cable():
    """A namespace with tools/pxe's interface p0 and, at the other end, c0 for the test."""
    lab = Lab()
    namespace = lab.place.namespace(0)
    try:
        hosts.ip("netns", "add", namespace)
        hosts.must(hosts.run_inside(namespace, "ip", "-batch", "-", text=f"link add name p0 type veth peer name c0\n"
                                    f"link set c0 address {MAC} up\n"
                                    f"link set p0 up\n"
                                    f"address add {OWN}/24 dev p0\n"
                                    f"neighbor add {CLIENT} lladdr {MAC} dev p0\n"
                                    "link set lo up\n"))
        yield namespace
    finally:
        lab.down()


@contextlib.contextmanager
def serving(namespace, folder, *words):
    (folder / "configs").mkdir(exist_ok=True)
    with open(folder / "log", "w", encoding="utf-8") as log:
        process = subprocess.Popen([PXE, "--interface", "p0", "--root", folder, "--http-port", "8080", *words],
                                   stdout=log, stderr=log, preexec_fn=lambda: hosts.enter(namespace))
    try:
        serve.wait_port(namespace, 67)
        yield
    finally:
        end_process(process.pid, lambda: process.poll() is None)
        process.wait(30)


class Client:
    """A machine that looks for something to boot; IANA's number says what it is."""

    def __init__(self, namespace, arch, *options):
        self.socket = hosts.inside(namespace, socket.socket, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        self.socket.bind(("c0", 0x0800))
        self.socket.settimeout(PATIENCE_S)
        kind = "HTTPClient" if arch == 16 else "PXEClient"
        self.options = [("vendor_class_id", f"{kind}:Arch:{arch:05}:UNDI:003000".encode()),
                        (93, arch.to_bytes(2, "big")), ("param_req_list", [1, 3, 43, 60, 66, 67]), *options, "end"]

    def send(self, kind, port=67, address="0.0.0.0", *options):
        self.socket.send(bytes(
            Ether(src=MAC, dst="ff:ff:ff:ff:ff:ff") / IP(src=address, dst="255.255.255.255") / UDP(sport=68, dport=port)
            / BOOTP(chaddr=bytes.fromhex(MAC.replace(":", "")), ciaddr=address, xid=0x1234, flags=0x8000)
            / DHCP(options=[("message-type", kind), *options, *self.options])))

    def answer(self):
        """The next one: the header, and the options by name."""
        while True:
            frame = Ether(self.socket.recv(2048))
            if UDP in frame and frame[UDP].dport == 68:
                header = BOOTP(bytes(frame[UDP].payload))
                return header, {o[0]: o[1] for o in header[DHCP].options if isinstance(o, tuple)}

    def ask(self, *what):
        self.send(*what)
        return self.answer()


def boot_file(header, options):
    return (options.get("boot-file-name") or header.file).split(b"\0")[0].decode()


IPXE = ("user_class", b"iPXE")
FILES = [((0,), "undionly.kpxe"), ((7,), "ipxe.efi"), ((9,), "ipxe.efi"), ((16,), URL),
         ((0, IPXE), f"tftp://{OWN}/boot.ipxe"), ((7, IPXE), f"tftp://{OWN}/boot.ipxe")]


def check_http(namespace):
    with hosts.inside(namespace, urllib.request.urlopen, URL) as answer, \
            open(os.path.join(TREE, "build", "barewire.efi"), "rb") as f:
        assert answer.read() == f.read()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        hosts.inside(namespace, urllib.request.urlopen, f"http://{OWN}:8080/configs/")


def test_alone(tmp_path):
    with cable() as namespace, serving(namespace, tmp_path, "--range", f"{CLIENT},10.0.0.120", "--append",
                                       "panic=reboot console=com2,9600"):
        for client, file in FILES:
            header, options = Client(namespace, *client).ask("discover")
            assert header.yiaddr.startswith("10.0.0.1") and boot_file(header, options) == file
            assert options.get("vendor_class_id") == (b"HTTPClient" if client[0] == 16 else None)
        check_http(namespace)


def test_beside_a_server_of_the_site(tmp_path):
    """No addresses. A firmware's PXE client then asks at the proxy's own port, one of a BIOS for the entry of the
    menu."""
    entry = (43, bytes([71, 4, 0x80, 0, 0, 0, 255]))
    with cable() as namespace, serving(namespace, tmp_path, "--proxy", "--append", "panic=reboot"):
        for client, file in FILES:
            header, options = Client(namespace, *client).ask("discover")
            assert header.yiaddr == "0.0.0.0" and header.siaddr == OWN
            if client[0] != 16 and IPXE not in client:
                header, options = Client(namespace, *client).ask("request", 4011, CLIENT,
                                                                 *([entry] if client[0] == 0 else []))
            assert boot_file(header, options) == file.replace("&console=com2%2C9600", "") and header.siaddr == OWN
            assert options["vendor_class_id"] == (b"HTTPClient" if client[0] == 16 else b"PXEClient")


def test_url_that_is_too_long(tmp_path):
    """It is said, and that client alone gets no answer: the first one is another's."""
    with cable() as namespace, serving(namespace, tmp_path, "--proxy", "--append", "x" * 80):
        client = Client(namespace, 16)
        client.send("discover")
        Client(namespace, 0, IPXE).send("discover")
        assert boot_file(*client.answer()).endswith("boot.ipxe")
        assert "too long for HTTP boot" in (tmp_path / "log").read_text()


def test_refusals(tmp_path):
    """One line each, and nothing is started."""
    good = tmp_path / "good"
    (good / "configs").mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        for interface, root, line in (
                ("lo", tmp_path, f"pxe: {tmp_path}: no folder configs in it"),
                ("none0", good, 'pxe: Device "none0" does not exist.'),
                ("lo", good, f"pxe: HTTP on 127.0.0.1:{port}: Address already in use (--http-port)")):
            done = subprocess.run([PXE, "--interface", interface, "--root", root, "--range", "10.0.0.3,10.0.0.9",
                                   "--http-port", port], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr.strip()) == (1, line)

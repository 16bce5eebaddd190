# Where the console is: no UART at all, the command line's, the firmware's; what the screen says then.
import struct

from bare import booted
from patience import PATIENCE_S, wait_for


def spcr(path, port, baud_code):
    """A Serial Port Console Redirection Table, as QEMU's -acpitable takes it."""
    with open(path, "wb") as f:
        f.write(struct.pack("<B3xBBBBQBBIBBBB16x", 0, 1, 8, 0, 1, port, 0, 4, 4, baud_code, 0, 1, 0))
    return ["-acpitable", f"sig=SPCR,rev=2,data={path}"]


def test_no_uart():
    """It forwards all the same, and the screen says why nothing can be typed."""
    with booted(lines=0, qemu=["-vga", "std"]) as bare:
        bare.wait_alive()
        wait_for("the screen's last line",
                 lambda: any("console: none was found" in line for line in bare.screen()))
        text = "\n".join(bare.screen())
        assert "no UART answers at COM1" in text and "barewire: ready in" in text, text


def test_no_uart_under_uefi():
    """The same on the frame buffer that firmware leaves."""
    with booted(lines=0, boot="uefi", qemu=["-vga", "std"]) as bare:
        bare.wait_alive(4 * PATIENCE_S)
        wait_for("the screen's last line",
                 lambda: any("console: none was found" in line for line in bare.frame()))
        text = "\n".join(bare.frame())
        assert "no UART answers at COM1" in text and "barewire: ready in" in text, text


def test_command_line_before_firmware(tmp_path):
    table = spcr(tmp_path / "spcr", 0x2f8, 3)
    with booted(lines=2, qemu=[*table, "-vga", "std"]) as bare:
        wait_for("a prompt on COM2", lambda: bare.serial(1).endswith("> "))
        assert "> " not in bare.serial(0)
        assert any("console: COM2, 9600 baud" in line for line in bare.screen())
    with booted(lines=2, qemu=table, append="console=com1,57600") as bare:
        wait_for("a prompt on COM1", lambda: bare.serial(0).endswith("> "))
        assert not bare.serial(1)

# Huge pages for a bench: as many as it wants are there while it runs, and what was added is given back.
import pathlib
import re

TOTAL = pathlib.Path("/proc/sys/vm/nr_hugepages")  # of 2 MiB


class HugePages:
    """Sees to it that as many as wanted are free; at the end gives back what it added."""

    def __init__(self, wanted):
        self.wanted, self.added = wanted, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.added:
            TOTAL.write_text(str(self.total() - self.added))

    @staticmethod
    def total():
        return int(TOTAL.read_text())

    @staticmethod
    def free():
        return int(re.search(r"^HugePages_Free:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text(), re.M)[1])

    def ensure(self):
        """Whether there are."""
        for _ in range(5):  # what the kernel gives at once may be less
            lacking = self.wanted - self.free()
            if lacking <= 0:
                return True
            before = self.total()
            try:
                pathlib.Path("/proc/sys/vm/compact_memory").write_text("1")
                TOTAL.write_text(str(before + lacking))
            except OSError:
                return False
            self.added += self.total() - before
        return self.free() >= self.wanted

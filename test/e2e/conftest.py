# What all end-to-end tests share: the import path, the images, and a clean end.
import os
import sys

import pytest

sys.path[:0] = [os.path.dirname(__file__),
                os.path.join(os.path.dirname(__file__), "..", "..", "tools")]
import router  # noqa: E402
from labkit.place import RUN, Place  # noqa: E402


@pytest.fixture
def h0(lab):
    """Raw frames at the first cable of the module's lab."""
    with lab.wire(0) as wire:
        yield wire


def pytest_sessionstart(session):
    missing = [i for i in (router.IMAGE, router.HOOKS_IMAGE) if not os.path.exists(i)]
    if os.geteuid() != 0:
        pytest.exit("end-to-end tests need root: network namespaces and taps", 1)
    if missing:
        pytest.exit(f"not built: {' '.join(missing)} (make all hooks)", 1)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    """Every test takes its lab down, behind a run that was broken off too; this is for what is left then."""
    mine = f"e2e-{os.getpid()}-"
    for name in os.listdir(RUN) if os.path.isdir(RUN) else []:
        if name.startswith(mine):
            lab = router.Lab()
            lab.name, lab.place = name, Place(name)
            lab.down()

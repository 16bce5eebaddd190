# Parts of the build that tests make.
import os
import subprocess

from labkit.place import TREE


BUILD_S = 600  # one that hangs ends the test, not the run


def make(*words):
    """What a make that runs this test hands on is not for it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", "-s", "-C", TREE, *words], env=env, capture_output=True,
                          text=True, check=False, timeout=BUILD_S)


def made(*words):
    """What it said; it has to succeed."""
    done = make(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

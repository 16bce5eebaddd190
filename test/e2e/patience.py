# Waiting for events by polling: nothing in these tests asserts on how long something takes.
import time

PATIENCE_S = 60  # for what normally takes milliseconds; the machine may be busy


def wait_for(what, condition, timeout_s=PATIENCE_S):
    """Polls until condition() is true and returns its value; ever less often, as others wait, too."""
    end, pause = time.monotonic() + timeout_s, 0.02
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what}: not within {timeout_s} s"
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)

"""Waiting with a deadline: the only way these tests let time pass."""
import time


class Expired(AssertionError):
    """Something did not happen in time. An assertion, so that pytest shows it as a failure."""


def until(condition, seconds, what, context=lambda: "", every=0.02):
    """Polls `condition` until it gives something true and returns that; `context` explains a failure."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise Expired(f"not within {seconds:g} s: {what}\n{context()}")
        time.sleep(every)

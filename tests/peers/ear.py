"""What a page with a telephone hears: see tests/browser/ear.js.

    context.add_init_script(path=ear.SCRIPT)
    ...
    ear.assert_hears(page, 440)
"""
import time

from .exchange import REPOSITORY
from .waiting import until

SCRIPT = REPOSITORY / "tests" / "browser" / "ear.js"
# The bins of a page's analyser are 3 Hz wide.
NEAR = 6
SILENT_DB = -60


def heard(page):
    return page.evaluate("testEar.heard()")


def assert_hears(page, hertz, seconds=8):
    """The page hears that tone, in two looks a second apart."""

    def look():
        now = heard(page)
        return now if abs(now["hertz"] - hertz) <= NEAR and now["level"] > SILENT_DB else None

    def told():
        return f"{heard(page)}"

    until(look, seconds, f"the page hears {hertz} Hz", told, every=0.1)
    time.sleep(1)
    until(look, 2, f"the page still hears {hertz} Hz", told, every=0.1)


def assert_hears_nothing(page, seconds=8):
    until(lambda: heard(page)["level"] < SILENT_DB, seconds, "the page hears nothing", lambda: f"{heard(page)}", every=0.1)


def assert_hears_no(page, hertz, seconds=8):
    """The page hears anything but that tone, for a second on end: what was under way may still be heard at first."""
    looks = []

    def far():
        now = heard(page)
        looks.append(abs(now["hertz"] - hertz) > NEAR or now["level"] < SILENT_DB)
        return len(looks) >= 10 and all(looks[-10:])

    until(far, seconds, f"the page hears {hertz} Hz no more", lambda: f"{heard(page)}", every=0.1)

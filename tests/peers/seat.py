"""Somebody who has the real console open in a browser of their own, and uses its telephone by keys.

    ann = Seat(browser, exchange).enter(administrator.link_for("ann"))
    ann.dial("102")
    ann.wait_talking()
    ear.assert_hears(ann.open, 440)
"""
from . import ear
from .waiting import until
from .webphone import Visitor


class Seat(Visitor):
    """A visitor whose page is the console itself."""

    def __init__(self, browser, exchange):
        super().__init__(browser, exchange)
        # The console; `page` of a visitor makes empty ones.
        self.open = None
        self.number = None

    def enter(self, link):
        """Comes in by a one-time link, without a password for later; returns when the telephone is on."""
        super().enter(link)
        self.context.add_init_script(path=ear.SCRIPT)
        self.open = self.browser.page(f"{self.base}/phone", context=self.context)
        self.open.get_by_role("button", name="Later").click()
        self.open.locator(".dock-head .chip.good").wait_for()
        return self

    def press(self, key):
        self.open.keyboard.press(key)

    def dial(self, number):
        self.press("d")
        self.open.keyboard.type(number)
        self.press("Enter")

    def answer(self):
        self.open.locator(".call.ringing").wait_for()
        self.press("a")

    def wait_talking(self, count=1):
        until(
            lambda: self.open.locator(".call.talking").count() == count,
            10, f"{count} calls are up", lambda: self.open.locator(".dock").inner_text(), every=0.1,
        )

    def wait_ended(self, words):
        self.open.locator(".call.ended", has_text=words).wait_for()

    def transfer(self, number):
        """Blind: to a number, at once."""
        self.press("t")
        self.open.get_by_label("Transfer to").wait_for()
        self.open.keyboard.type(number)
        self.press("Enter")

    def ask_first(self, number):
        """Attended: puts the caller on hold and calls somebody; `join` then joins the two."""
        self.press("t")
        self.open.get_by_label("Transfer to").fill(number)
        self.open.get_by_role("button", name="Ask first").click()

    def join(self):
        self.press("t")
        self.open.get_by_role("button", name="Join with").click()

    def close(self):
        # A call that is up asks whether one really wants to go.
        self.context.close()

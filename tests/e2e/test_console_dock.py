"""The web phone's dock and the plug-in, page to page: the mock server passes their SIP on, the browsers' media is real."""
import functools
import http.server
import threading

import pytest

from peers import axe
from peers.chromium import Chromium
from peers.exchange import REPOSITORY
from peers.mock import Mock


@pytest.fixture(scope="module")
def browser():
    with Chromium() as running:
        yield running


@pytest.fixture(scope="module")
def mock():
    with Mock(calls=0) as running:
        yield running


class Person:
    """A browser of their own, with the console open."""

    def __init__(self, browser, mock, name, language="en", path="/phone"):
        self.mock = mock
        self.context = browser.context(locale=language, viewport={"width": 1200, "height": 800})
        self.context.add_cookies([{"name": "mock_user", "value": name, "url": mock.url}])
        self.page = self.tab(path)

    def tab(self, path="/people"):
        page = self.context.new_page()
        page.goto(self.mock.url + path)
        page.locator(".dock-head .chip").wait_for()
        return page

    def ready(self):
        self.page.locator(".dock-head .chip.good").wait_for()
        return self

    def close(self):
        # A call that is up asks whether one really wants to go.
        self.context.close()


@pytest.fixture
def two(browser, mock):
    pair = [Person(browser, mock, "p101").ready(), Person(browser, mock, "p103").ready()]
    yield pair
    for person in pair:
        person.close()


def holds(page, expression, seconds=10):
    """Asked from outside again and again: the page's policy forbids what Playwright's own waiting does."""
    for _ in range(seconds * 10):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never so: {expression}")


def talk(caller, callee, number):
    caller.page.keyboard.press("d")
    caller.page.keyboard.type(number)
    caller.page.keyboard.press("Enter")
    callee.page.locator(".call.ringing").wait_for()
    callee.page.keyboard.press("a")
    for person in (caller, callee):
        person.page.locator(".call.talking").wait_for()


def test_keys_alone_call_answer_hold_mute_dial_and_hang_up(two):
    alice, wang = two
    talk(alice, wang, "103")
    alice.page.locator(".call .chip", has_text="Good").wait_for(timeout=8_000)
    assert not axe.faults(alice.page)
    for digit in "12#":
        alice.page.keyboard.press(digit)
    alice.page.locator(".call-line", has_text="12#").wait_for()
    alice.page.keyboard.press("o")
    wang.page.get_by_text("They put you on hold").wait_for()
    alice.page.keyboard.press("o")
    wang.page.get_by_text("They put you on hold").wait_for(state="detached")
    alice.page.keyboard.press("m")
    alice.page.locator(".call .chip", has_text="Muted").wait_for()
    # A page later the call is still there.
    alice.page.get_by_role("link", name="Settings").click()
    alice.page.get_by_role("heading", name="Settings").wait_for()
    assert alice.page.locator(".call.talking").count() == 1
    wang.page.keyboard.press("h")
    alice.page.locator(".call.ended", has_text="They hung up").wait_for()
    wang.page.locator(".call.ended", has_text="You hung up").wait_for()


def test_r11_a_call_lives_through_a_cut_socket_and_its_end_arrives(two):
    alice, wang = two
    talk(alice, wang, "103")
    alice.page.evaluate("fetch('/api/v1/mock/cut')")
    alice.page.locator(".dock-head .chip.bad").wait_for()
    alice.page.get_by_text("Your call is kept").wait_for()
    alice.page.locator(".dock-head .chip.talk").wait_for(timeout=15_000)
    wang.page.locator(".dock-head .chip.talk").wait_for(timeout=15_000)
    wang.page.keyboard.press("h")
    alice.page.locator(".call.ended", has_text="They hung up").wait_for()


def test_two_tabs_ring_once_and_either_answers(two):
    alice, wang = two
    second = wang.tab()
    second.locator(".dock-head .chip.good").wait_for()
    registrations = [page.evaluate("navigator.locks.query().then((all) => all.held.length)") for page in (wang.page, second)]
    assert registrations[0] >= 1, "one tab holds the phone"
    alice.page.keyboard.press("d")
    alice.page.keyboard.type("103")
    alice.page.keyboard.press("Enter")
    for page in (wang.page, second):
        page.locator(".call.ringing").wait_for()
    assert "Alice Li" in second.locator(".call.ringing").inner_text()
    second.wait_for_timeout(1200)
    assert any("☎" in second.title() or second.wait_for_timeout(500) for _ in range(4)), "the title tells, too"
    second.locator(".call.ringing").get_by_role("button", name="Answer").click()
    for page in (alice.page, wang.page, second):
        page.locator(".call.talking").wait_for()
    second.keyboard.press("h")
    for page in (alice.page, wang.page, second):
        page.locator(".call.ended").wait_for()


def test_the_next_tab_takes_over_when_the_first_is_closed(browser, mock):
    person = Person(browser, mock, "p105").ready()
    second = person.tab()
    second.locator(".dock-head .chip.good").wait_for()
    person.page.close()
    holds(second, "navigator.locks.query().then((all) => all.held.some((one) => one.name === 'ringdown.phone'))")
    second.locator(".dock-head .chip.good").wait_for(timeout=10_000)
    person.close()


def test_a_refused_call_says_why_in_words(two):
    alice, wang = two
    alice.page.keyboard.press("d")
    alice.page.keyboard.type("999")
    alice.page.keyboard.press("Enter")
    alice.page.locator(".call.ended", has_text="Nobody has this number").wait_for()
    alice.page.keyboard.press("d")
    alice.page.keyboard.type("103")
    alice.page.keyboard.press("Enter")
    wang.page.locator(".call.ringing").wait_for()
    wang.page.keyboard.press("h")
    alice.page.locator(".call.ended", has_text="Declined").wait_for()
    wang.page.locator(".call.ended", has_text="You declined").wait_for()


def test_the_meter_shows_that_one_is_heard(two):
    page = two[0].page
    page.get_by_role("button", name="Microphone and speaker").click()
    page.get_by_role("meter").wait_for()
    holds(page, "Number(document.querySelector('[role=meter]').getAttribute('aria-valuenow')) > 5")
    assert not axe.faults(page)


@pytest.fixture
def foreign():
    """A page of others: the sample, from a server of its own."""
    folder = REPOSITORY / "console/sample"
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    handler.log_message = lambda *_: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_s0_2_the_plug_in_calls_from_a_foreign_page_and_tells_it(browser, mock, foreign):
    wang = Person(browser, mock, "p103").ready()
    context = browser.context()
    page = context.new_page()
    page.goto(f"{foreign}/?server={mock.url}#p101")
    page.locator("#log", has_text='state {"state":"ready"}').wait_for()
    page.evaluate("document.querySelector('ringdown-phone').dial('103')")
    wang.page.locator(".call.ringing").wait_for()
    wang.page.keyboard.press("a")
    page.locator("#log", has_text="talking {").wait_for()
    assert page.evaluate("document.querySelector('ringdown-phone').state") == "talking"
    page.evaluate("document.querySelector('ringdown-phone').hangUp()")
    page.locator("#log", has_text='"reason":"hung_up"').wait_for()
    # The other way: the page is told who calls, with the link to open.
    wang.page.keyboard.press("d")
    wang.page.keyboard.type("101")
    wang.page.keyboard.press("Enter")
    page.locator("#log", has_text='"direction":"in"').wait_for()
    assert "customer.html?tel=" in page.locator("#log").inner_text()
    # Its own styles are out of our reach and ours of its.
    page.evaluate("document.querySelector('ringdown-phone').answer()")
    wang.page.locator(".call.talking").wait_for()
    page.screenshot(path=str((REPOSITORY / "target/screenshots/plug-in.png")))
    context.close()
    wang.close()

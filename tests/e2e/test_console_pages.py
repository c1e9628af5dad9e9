"""Every page of the console in both languages, light and dark, at 360 px and wide: with an invented office behind it, so
that all of it has something to show. Screenshots lie in target/screenshots."""
import os
from pathlib import Path

import pytest

from peers import axe
from peers.chromium import Chromium
from peers.exchange import REPOSITORY
from peers.mock import HOSTILE, Mock

SHOTS = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target") / "screenshots"
CALL = "00000001" * 4
PAGES = {
    "phone": "/phone",
    "live": "/live",
    "ladder": f"/live?open={CALL}",
    "people": "/people",
    "person": "/people?open=p101",
    "devices": "/devices",
    "device": "/devices?open=p102-desk",
    "seats": "/devices?tab=seats",
    "readers": "/devices?tab=readers",
    "reader": "/devices?tab=readers&add=",
    "taps": "/taps",
    "sit": "/sit#device=p102-desk&code=c0de",
    "no-code": "/sit",
    "queues": "/queues",
    "queue": "/queues?open=sales",
    "agents": "/queues?tab=agents",
    "agent": "/queues?tab=agents&open=p102",
    "trunks": "/trunks",
    "trunk": "/trunks?tab=trunks&open=old-line",
    "route": "/trunks?tab=routes&open=home",
    "groups": "/trunks?tab=groups",
    "lists": "/lists",
    "list": "/lists?open=autumn",
    "list-new": "/lists?add=",
    "background": "/background",
    "background-call": "/background?open=1",
    "background-new": "/background?add=",
    "background-over": "/background?tab=over",
    "records": "/records",
    "record": f"/records?open={'00000190' * 4}",
    "settings": "/settings",
    "exchanges": "/exchanges",
    "health": "/health",
    "start": "/start",
}
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 360, "height": 720}
LOOKS = [
    ("en", "light", WIDE),
    ("zh-CN", "dark", WIDE),
    ("zh-CN", "light", NARROW),
    ("en", "dark", NARROW),
]


@pytest.fixture(scope="module")
def browser():
    with Chromium() as running:
        yield running


@pytest.fixture(scope="module")
def mock():
    with Mock(calls=12) as running:
        yield running


def settle(page):
    """The page of its own chunk is there, and what it asked for has come."""
    page.locator("#page:not([aria-busy]) h1").wait_for()
    page.wait_for_timeout(350)


def wrong(page):
    """What the page complained of, but for what a test does on purpose."""
    return [text for text in page.complaints if "WebSocket" not in text]


def visit(browser, url, language="en", scheme="light", size=None, **more):
    context = browser.context(locale=language, color_scheme=scheme, viewport=size or WIDE, reduced_motion="reduce", **more)
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: message.type in ("error", "warning") and page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(url)
    return page


@pytest.mark.parametrize("language,scheme,size", LOOKS, ids=lambda value: value if isinstance(value, str) else str(value["width"]))
def test_each_page_looks_right_and_axe_finds_nothing_serious(browser, mock, language, scheme, size):
    SHOTS.mkdir(parents=True, exist_ok=True)
    page = visit(browser, mock.url + "/live", language, scheme, size)
    found = []
    for name, path in PAGES.items():
        page.goto(mock.url + path)
        settle(page)
        assert page.evaluate("document.documentElement.lang") == language
        page.screenshot(path=SHOTS / f"{name}-{language}-{scheme}-{size['width']}.png")
        found += [f"{name}: {fault}" for fault in axe.faults(page)]
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{name} is {wider} px wider than the screen"
    assert not found, "\n".join(found)
    assert not wrong(page), wrong(page)
    page.context.close()


def test_sign_in_and_the_password_after_a_link(browser):
    for options, name in [({"signed_out": True}, "sign-in"), ({"password_needed": True}, "password")]:
        with Mock(**options) as door:
            for language, scheme, size in LOOKS:
                page = visit(browser, door.url, language, scheme, size)
                page.locator(".door form").wait_for()
                page.screenshot(path=SHOTS / f"{name}-{language}-{scheme}-{size['width']}.png")
                assert not axe.faults(page)
                page.context.close()


def test_a_wrong_password_is_told_and_the_right_one_opens(browser):
    with Mock(signed_out=True) as door:
        page = visit(browser, door.url)
        page.get_by_label("Name", exact=True).fill("admin")
        page.get_by_label("Password", exact=True).fill("wrong")
        page.keyboard.press("Enter")
        page.get_by_text("Name or password is not right.").wait_for()
        page.get_by_label("Password", exact=True).fill("secret-secret")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Live calls").wait_for()
        page.context.close()


def test_sec_01_a_hostile_name_is_harmless_on_every_page(browser):
    with Mock(calls=12, hostile=True) as office:
        page = visit(browser, office.url + "/live")
        shown = 0
        for path in PAGES.values():
            page.goto(office.url + path)
            settle(page)
            shown += page.get_by_text(HOSTILE).count()
            assert page.evaluate("document.querySelectorAll('body script').length") == 0, path
        page.goto(office.url + "/settings")
        for tab in ("Exchange", "Programs"):
            page.get_by_role("tab", name=tab).click()
            settle(page)
            shown += page.get_by_text(HOSTILE).count()
        assert shown >= 8, "it has to appear somewhere, as what it is"
        assert not wrong(page), wrong(page)
        page.context.close()


def test_5000_live_rows_scroll_with_at_most_100_in_the_document(browser):
    with Mock(people=5000, calls=5000, busy=200) as office:
        page = visit(browser, office.url + "/live")
        page.get_by_text("5,000 rows").wait_for(timeout=20_000)
        grid = page.get_by_role("grid")
        most = page.evaluate(
            """async () => {
                const grid = document.querySelector('[role=grid]');
                let most = 0;
                for (let at = 0; at < grid.scrollHeight; at += 1733) {
                    grid.scrollTop = at;
                    await new Promise(requestAnimationFrame);
                    most = Math.max(most, document.querySelectorAll('[role=row]').length);
                }
                return most;
            }"""
        )
        assert 10 < most <= 100, most
        assert grid.get_attribute("aria-rowcount") == "5001"
        # What is looked at stays in sight, where it is, while calls come and go above it.
        page.evaluate("document.querySelector('[role=grid]').scrollTop = 4000")
        page.locator(".rows .row[aria-rowindex='106']").wait_for()
        moved = page.evaluate(
            """async () => {
                const row = [...document.querySelectorAll('.rows .row')].find((row) => row.getAttribute('aria-rowindex') === '106');
                const [top, place] = [row.getBoundingClientRect().top, row.getAttribute('aria-rowindex')];
                for (const end = performance.now() + 5000; performance.now() < end; ) {
                    await new Promise(requestAnimationFrame);
                    if (!row.isConnected) return 'it left';
                    if (row.getAttribute('aria-rowindex') !== place) return Math.abs(row.getBoundingClientRect().top - top);
                }
                return 'no row came or went above';
            }"""
        )
        assert moved == 0 or moved == "it left", moved
        # By keys, too: to the end, up again, open.
        grid.focus()
        page.keyboard.press("End")
        page.keyboard.press("ArrowUp")
        chosen = page.locator(".row.active")
        chosen.wait_for()
        assert chosen.get_attribute("aria-rowindex") == "5000"
        page.keyboard.press("Enter")
        page.locator(".ladder").wait_for()
        page.context.close()


def test_typing_filters_headings_sort_and_nothing_matching_says_so(browser, mock):
    page = visit(browser, mock.url + "/people")
    page.get_by_text("25 rows").wait_for()
    page.get_by_role("searchbox", name="Filter").fill("kim 113")
    page.get_by_text("1 row", exact=True).wait_for()
    page.get_by_role("searchbox", name="Filter").fill("nobody at all")
    page.get_by_text("Nothing matches").wait_for()
    page.get_by_role("searchbox", name="Filter").fill("")
    page.get_by_role("button", name="Numbers").click()
    assert page.locator(".rows .row").first.inner_text().split("\n")[0] == "Ming Zhao"
    page.get_by_role("button", name="Numbers").click()
    assert "124" in page.locator(".rows .row").first.inner_text()
    page.context.close()


def test_what_is_removed_can_be_taken_back_for_ten_seconds(browser, mock):
    page = visit(browser, mock.url + "/devices?open=p102-desk")
    page.get_by_role("button", name="Remove phone").click()
    page.get_by_text("p102-desk removed").wait_for()
    assert page.locator(".rows .row", has_text="p102-desk").count() == 0
    page.get_by_role("button", name="Undo").click()
    page.locator(".rows .row", has_text="p102-desk").wait_for()
    page.context.close()


def test_a_person_goes_only_by_name(browser, mock):
    page = visit(browser, mock.url + "/people?open=p124")
    page.get_by_role("button", name="Remove person").click()
    page.get_by_label("Type p124 to go on").fill("p12")
    page.get_by_role("button", name="Remove person").click()
    page.get_by_text("That is not p124; nothing was removed.").wait_for()
    page.get_by_label("Type p124 to go on").fill("p124")
    page.get_by_role("button", name="Remove person").click()
    page.get_by_text("孙燕 was removed").wait_for()
    page.context.close()


def test_search_by_one_key_finds_people(browser, mock):
    page = visit(browser, mock.url + "/live")
    settle(page)
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Search").fill("grace")
    page.get_by_role("option", name="Grace Kim").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Grace Kim").wait_for()
    page.context.close()

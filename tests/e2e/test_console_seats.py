"""Badges, seats, readers and one's own taps in the console, with an invented office behind it."""
import os
from pathlib import Path

import pytest

from e2e.test_console_pages import LOOKS, NARROW, visit, wrong
from peers import axe
from peers.chromium import Chromium
from peers.exchange import REPOSITORY
from peers.mock import Mock

SHOTS = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target") / "screenshots"


@pytest.fixture(scope="module")
def browser():
    with Chromium() as running:
        yield running


@pytest.fixture
def mock():
    with Mock(calls=0) as running:
        yield running


def test_a_badge_is_made_of_the_card_that_was_read_last_and_shown_once(browser, mock):
    page = visit(browser, mock.url + "/people?open=p103")
    part = page.get_by_role("region", name="Badges")
    part.get_by_text("No badge.").wait_for()
    part.get_by_role("button", name="Add a badge").click()
    part.get_by_label("What it is").fill("Green card")
    part.get_by_label("Reader").select_option("lobby")
    part.get_by_role("button", name="Take the card that it read last").click()
    part.get_by_text("lobby has read no new card within two minutes.").wait_for()
    part.get_by_label("Reader").select_option("p102-desk-reader")
    part.get_by_role("button", name="Take the card that it read last").click()
    part.get_by_text("Read at p102-desk-reader.").wait_for()
    assert part.get_by_label("Number of the chip (UID)").input_value() == "04AABBCCDDEE80"
    assert not axe.faults(page)
    page.screenshot(path=SHOTS / "badge-new.png")
    part.get_by_role("button", name="Make").click()
    part.get_by_text("it is shown only this once").wait_for()
    assert part.get_by_text("00112233445566778899AABBCCDDEEFF").count() == 1
    part.get_by_text("Green card").first.wait_for()
    page.reload()
    part.get_by_text("Green card").wait_for()
    assert part.get_by_text("00112233445566778899AABBCCDDEEFF").count() == 0
    assert not wrong(page), wrong(page)
    page.context.close()


def test_a_badge_is_revoked_in_one_step_that_can_be_taken_back(browser, mock):
    page = visit(browser, mock.url + "/people?open=p101")
    part = page.get_by_role("region", name="Badges")
    part.get_by_role("button", name="Revoke", exact=True).click()
    page.get_by_text("Blue card revoked", exact=True).wait_for()
    assert part.get_by_role("button", name="Revoke", exact=True).count() == 0
    page.get_by_role("button", name="Undo").click()
    # By the keyboard, and for good: whoever leaves the page meant it.
    part.get_by_role("button", name="Revoke", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_text("Blue card revoked", exact=True).wait_for()
    page.reload()
    part.locator("li", has_text="04A1B2C3D4E580").get_by_text("Revoked").wait_for()
    page.context.close()


def test_seats_show_who_sits_where_and_end_by_one_button(browser, mock):
    page = visit(browser, mock.url + "/devices?tab=seats")
    row = page.locator(".rows .row", has_text="Alice Li")
    row.wait_for()
    assert "p102-desk" in row.inner_text() and "Bob Chen" in row.inner_text()
    assert "they leave" in page.locator(".rows .row", has_text="p103-desk").inner_text()
    row.get_by_role("button", name="End seat").click()
    page.get_by_text("Seat at p102-desk ended").wait_for()
    row.wait_for(state="detached")
    page.get_by_role("button", name="Undo").click()
    row.wait_for()
    # The same seat is told at the phone, and at the person.
    page.goto(mock.url + "/devices?open=p102-desk")
    line = page.locator(".panel li", has_text="Alice Li")
    line.get_by_role("button", name="End seat").click()
    line.wait_for(state="detached")
    page.get_by_role("button", name="Undo").click()
    line.wait_for()
    page.goto(mock.url + "/people?open=p101")
    page.locator(".panel li", has_text="p102-desk").get_by_role("button", name="End seat").wait_for()
    page.context.close()


def test_a_reader_is_added_and_its_key_is_shown_once(browser, mock):
    page = visit(browser, mock.url + "/devices?tab=readers")
    page.get_by_role("button", name="Add a reader").click()
    page.get_by_label("Beside the phone").fill("p101-desk")
    assert page.get_by_label("Reader", exact=True).input_value() == "p101-desk-reader"
    page.keyboard.press("Enter")
    page.get_by_text("rdr_0123456789abcdef").wait_for()
    page.get_by_text("--key-file reader.key").wait_for()
    assert not axe.faults(page)
    page.screenshot(path=SHOTS / "reader-key.png")
    page.keyboard.press("Escape")
    page.locator(".rows .row", has_text="p101-desk-reader").wait_for()
    assert page.get_by_text("rdr_0123456789abcdef").count() == 0
    page.get_by_role("button", name="Remove reader lobby").click()
    page.get_by_text("Reader lobby removed").wait_for()
    page.context.close()


def test_taps_are_seen_exported_and_deleted(browser, mock):
    page = visit(browser, mock.url + "/live")
    page.get_by_role("button", name="My account").click()
    page.get_by_role("link", name="My badges and taps").click()
    page.get_by_text("30 rows").wait_for()
    page.get_by_text("Refused: told before").first.wait_for()
    assert page.get_by_role("link", name="Export").get_attribute("href").endswith("/api/v1/taps.csv")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("It cannot be undone").wait_for()
    assert not axe.faults(page)
    page.get_by_role("button", name="Delete my taps").click()
    page.get_by_text("No taps").wait_for()
    page.context.close()


@pytest.mark.parametrize("language,scheme,size", LOOKS, ids=lambda value: value if isinstance(value, str) else str(value["width"]))
def test_the_code_of_a_phone_and_the_dock_look_right(browser, mock, language, scheme, size):
    page = visit(browser, mock.url + "/devices?open=p102-desk", language, scheme, size)
    page.get_by_role("button", name="Code to sit here" if language == "en" else "显示登入二维码").click()
    page.locator("svg.qr").wait_for()
    assert not axe.faults(page)
    page.screenshot(path=SHOTS / f"code-{language}-{scheme}-{size['width']}.png", full_page=True)
    # A call of mine at my desk has a card in the dock.
    page.goto(mock.url + "/phone")
    page.locator(".dock-head .chip.good").wait_for()
    page.evaluate("fetch('/api/v1/mock/elsewhere')")
    page.locator(".call.elsewhere").first.wait_for()
    assert page.locator(".call.elsewhere").count() == 2
    if size is NARROW:
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0
    assert not axe.faults(page)
    page.screenshot(path=SHOTS / f"take-{language}-{scheme}-{size['width']}.png")
    page.keyboard.press("g")
    words = "Nothing rings for you" if language == "en" else "没有您的来电"
    page.locator(".take-told", has_text=words).wait_for()
    assert not wrong(page), wrong(page)
    page.context.close()

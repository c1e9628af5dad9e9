"""Background calls in the console, with an invented office behind it; how the page looks is in test_console_pages.py."""
import pytest

from e2e.test_console_pages import visit, wrong
from peers import axe
from peers.chromium import Chromium
from peers.mock import Mock


@pytest.fixture(scope="module")
def browser():
    with Chromium() as running:
        yield running


@pytest.fixture
def mock():
    with Mock(calls=0) as running:
        yield running


def row(page, text):
    return page.locator(".rows .row", has_text=text)


def test_s2_8_a_background_call_is_stopped_at_once_and_moves_to_the_ended(browser, mock):
    page = visit(browser, mock.url + "/background")
    row(page, "Rests after the last attempt").wait_for()
    # By the keyboard.
    row(page, "Rests after the last attempt").get_by_role("button", name="Stop").focus()
    page.keyboard.press("Enter")
    page.get_by_text("102 is called no more").wait_for()
    row(page, "Rests after the last attempt").wait_for(state="detached")
    page.get_by_role("tab", name="Ended").click()
    row(page, "Bob Chen").get_by_text("Stopped").wait_for()
    assert not wrong(page), wrong(page)
    page.context.close()


def test_all_of_mine_are_stopped_and_those_of_others_are_not(browser, mock):
    page = visit(browser, mock.url + "/background")
    row(page, "0013800138000").wait_for()
    page.get_by_role("button", name="Stop all of mine").click()
    page.get_by_text("Your background calls have ended").wait_for()
    row(page, "0013800138000").wait_for(state="detached")
    assert row(page, "王芳").count() == 1
    page.get_by_role("button", name="Stop all of mine").wait_for(state="detached")
    page.context.close()


def test_its_attempts_are_told_and_its_times_are_changed(browser, mock):
    page = visit(browser, mock.url + "/background?open=1")
    panel = page.locator(".panel")
    panel.get_by_text("3 of 30").wait_for()
    assert panel.locator("li", has_text="Busy").count() == 2 and panel.locator("li", has_text="No answer").count() == 1
    panel.get_by_label("Not before").fill("2031-05-06T07:08")
    panel.get_by_role("button", name="Save").click()
    page.get_by_text("Saved", exact=True).wait_for()
    page.reload()
    panel.get_by_label("Not before").wait_for()
    assert panel.get_by_label("Not before").input_value() == "2031-05-06T07:08"
    panel.get_by_label("Not before").fill("")
    panel.get_by_role("button", name="Save").click()
    page.reload()
    panel.get_by_label("Not before").wait_for()
    assert panel.get_by_label("Not before").input_value() == ""
    assert not axe.faults(page)
    page.context.close()


def test_s2_1_one_is_asked_for_and_a_refusal_says_why(browser, mock):
    page = visit(browser, mock.url + "/background")
    page.get_by_role("button", name="Keep calling somebody").click()
    page.get_by_label("Whom to reach").fill("102")
    page.keyboard.press("Enter")
    page.get_by_text("there is a background call to this number already").wait_for()
    page.get_by_label("Whom to reach").fill("107")
    page.keyboard.press("Enter")
    page.get_by_text("The exchange keeps calling 107").wait_for()
    row(page, "107").wait_for()
    assert all("409" in text for text in wrong(page)), wrong(page)
    page.context.close()


def test_one_that_ended_is_asked_for_again(browser, mock):
    page = visit(browser, mock.url + "/background?tab=over&open=7")
    page.locator(".panel").get_by_role("button", name="Keep calling again").click()
    page.get_by_text("The exchange keeps calling 104").wait_for()
    page.get_by_role("tab", name="Going on").click()
    row(page, "104").filter(has_text="Is next").wait_for()
    page.context.close()


@pytest.mark.parametrize("language, delivered, failed", [("en", "Delivered", "Not delivered"), ("zh-CN", "已送达", "未送达")])
def test_its_calls_and_what_was_told_in_writing_are_one_story(browser, mock, language, delivered, failed):
    page = visit(browser, mock.url + "/background?tab=over&open=7", language)
    panel = page.locator(".panel")
    panel.locator("li", has_text="stat:DELIVRD").get_by_text(delivered, exact=True).wait_for()
    panel.locator("li", has_text="status 422").get_by_text(failed, exact=True).wait_for()
    assert panel.locator("a[href^='/records?open=']").count() == 2
    assert not axe.faults(page) and not wrong(page), wrong(page)
    panel.locator("a[href^='/records?open=']").first.click()
    page.locator(".panel dl.facts").wait_for()
    page.context.close()

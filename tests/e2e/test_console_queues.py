"""S0: the wallboard, the agents and one's own state in the dock, with an invented office behind them."""
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


def test_s0_18_the_wallboard_says_who_waits_too_long_and_who_is_free(browser, mock):
    page = visit(browser, mock.url + "/queues")
    sales = page.locator(".board-tile", has_text="Sales")
    sales.wait_for()
    assert "82 %" in sales.inner_text() and "109 answered, 6 gave up" in sales.inner_text()
    sales.get_by_text("Too long").wait_for()
    assert page.locator(".board-tile", has_text="Service").get_by_text("Too long").count() == 0
    page.locator(".board-tile", has_text="Night").get_by_text("Closed").wait_for()
    page.get_by_role("tab", name="Agents").click()
    row = page.locator(".rows .row", has_text="Wrap-up")
    before = row.locator(".countdown").inner_text()
    page.wait_for_function("([row, text]) => row.innerText !== text", arg=[row.locator(".countdown").element_handle(), before])
    row.click()
    page.get_by_text("wrap-up 30 s by queue Sales, ends 10:04:12").wait_for()
    assert not axe.faults(page)
    assert not wrong(page), wrong(page)
    page.context.close()


def test_a_queue_is_made_changed_and_removed_with_time_to_think_again(browser, mock):
    page = visit(browser, mock.url + "/queues")
    page.get_by_role("button", name="Add a queue").click()
    form = page.get_by_role("form", name="Add a queue")
    form.get_by_label("Name", exact=True).fill("returns")
    form.get_by_label("Number", exact=True).fill("803")
    form.get_by_label("Agents").fill("p101, p102:2")
    form.get_by_label("Wrap-up, seconds").fill("45")
    form.get_by_label("Open").fill("mon-fri 08:00-19:00; sat 09:00-12:00")
    assert not axe.faults(page)
    form.get_by_role("button", name="Save").click()
    page.locator(".board-tile", has_text="returns").get_by_role("button", name="Change returns").click()
    assert page.get_by_label("Agents", exact=True).input_value() == "p101, p102:2"
    assert page.get_by_label("Wrap-up, seconds").input_value() == "45"
    assert page.get_by_role("textbox", name="Open").input_value() == "mon-fri 08:00-19:00, sat 09:00-12:00"
    page.get_by_role("button", name="Remove", exact=True).click()
    page.locator(".board-tile", has_text="returns").wait_for(state="detached")
    page.get_by_role("button", name="Undo").click()
    page.locator(".board-tile", has_text="returns").wait_for()
    page.context.close()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_s0_15_by_hand_at_any_time_in_the_dock(browser, mock, language):
    def words(english, chinese):
        return english if language == "en" else chinese

    page = visit(browser, mock.url + "/phone", language)
    dock = page.locator(".dock")
    dock.get_by_role("button", name=words("Sign in to work", "坐席签入")).click()
    state = dock.locator(".work-state")
    state.get_by_text(words("Ready", "示闲"), exact=True).wait_for()
    dock.get_by_role("button", name=words("Break", "小休"), exact=True).click()
    dock.get_by_role("button", name=words("lunch", "午餐"), exact=True).click()
    state.get_by_text(words("Not ready: lunch", "示忙：午餐")).wait_for()
    assert not axe.faults(page)
    dock.get_by_role("button", name=words("Ready now", "立即示闲")).click()
    state.get_by_text(words("Ready", "示闲"), exact=True).wait_for()
    # The invented office begins a wrap-up for this reason.
    dock.get_by_role("button", name=words("Break", "小休"), exact=True).click()
    dock.get_by_role("button", name=words("paperwork", "处理文书"), exact=True).click()
    state.get_by_text(words("Wrap-up", "话后处理")).wait_for()
    dock.get_by_role("button", name=words("Longer", "延长")).click()
    page.wait_for_function("() => /0:5\\d|1:00/.test(document.querySelector('.work .countdown').innerText)")
    dock.get_by_role("button", name=words("Ready now", "立即示闲")).click()
    state.get_by_text(words("Ready", "示闲"), exact=True).wait_for()
    dock.get_by_role("button", name=words("Sign out from work", "坐席签出")).click()
    dock.get_by_role("button", name=words("Sign in to work", "坐席签入")).wait_for()
    assert not wrong(page), wrong(page)
    page.context.close()


def test_callbacks_stand_on_the_wallboard_and_are_stopped_there(browser, mock):
    page = visit(browser, mock.url + "/queues")
    sales = page.locator(".board-tile", has_text="Sales")
    assert "Callbacks: 9 asked for, 6 made, 1 came to nothing" in sales.inner_text()
    assert "Who calls now waits about 4:10" in sales.inner_text()
    lines = sales.get_by_role("list", name="Callbacks")
    lines.get_by_text("1: callback").wait_for()
    assert "It rings at the agent" in lines.inner_text() and "Waits for an agent" in lines.inner_text()
    lines.locator("li", has_text="4: callback").get_by_role("button").click()
    lines.get_by_text("4: callback").wait_for(state="detached")
    assert lines.get_by_text("1: callback").count() == 1, "the other one goes on"
    assert not axe.faults(page)
    assert not wrong(page), wrong(page)
    page.context.close()


def test_a_queue_is_told_to_call_back(browser, mock):
    page = visit(browser, mock.url + "/queues?open=night")
    form = page.get_by_role("form")
    assert form.get_by_label("Key", exact=True).count() == 0
    form.get_by_label("Callers may be called back").check()
    form.get_by_label("Key", exact=True).fill("3")
    form.get_by_label("Who is called first").select_option("caller")
    form.get_by_role("button", name="Save").click()
    page.get_by_role("status").filter(has_text="Saved").first.wait_for()
    page.reload()
    form.get_by_label("Key", exact=True).wait_for()
    assert form.get_by_label("Key", exact=True).input_value() == "3"
    assert form.get_by_label("Who is called first").input_value() == "caller"
    page.context.close()

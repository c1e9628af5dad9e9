"""Call lists in the console, with an invented office behind it; how the page looks is in test_console_pages.py."""
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


def names(field):
    """By account, the names of those whom a field offers."""
    values = field.page.locator(f"datalist#{field.get_attribute('list')} option").evaluate_all("all => all.map(one => one.value)")
    return {account: name for name, _, account in (value.rpartition(" · ") for value in values)}


def test_s3_20_single_rows_are_found_chosen_and_given_to_somebody_else(browser, mock):
    page = visit(browser, mock.url + "/lists?open=autumn")
    panel = page.locator(".panel")
    panel.get_by_role("button", name="Single rows").click()
    rows = panel.locator(".list-rows > li")
    rows.filter(has_text="Priya Nair").wait_for()
    assert rows.filter(has_text="王小明").get_by_role("checkbox").is_disabled(), "what has ended is nobody's any more"
    assert rows.filter(has_text="王小明").get_by_text("sold: wants the contract by post").count() == 1
    panel.get_by_label("Number, name or result").fill("chen")
    rows.filter(has_text="Priya Nair").wait_for(state="detached")
    # By the keyboard.
    rows.filter(has_text="Bob Chen").get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    panel.get_by_label("Number, name or result").fill("")
    rows.filter(has_text="Ann-Katrin").get_by_role("checkbox").check()
    to = panel.get_by_label("To", exact=True).first
    who = names(to)["p103"]
    to.fill("nobody-here")
    to.fill("p103")
    panel.locator(".picked li", has_text="p103").wait_for()
    assert not axe.faults(page)
    panel.get_by_role("button", name="Give 2 rows to others").click()
    page.get_by_text("The rows go to others").wait_for()
    panel.get_by_role("button", name="Single rows").click()
    rows.filter(has_text="Bob Chen").filter(has_text=who).wait_for()
    assert rows.filter(has_text="Priya Nair").filter(has_text=who).count() == 0
    assert not wrong(page), wrong(page)
    page.context.close()


def test_people_are_picked_by_name_and_have_shares(browser, mock):
    page = visit(browser, mock.url + "/lists?open=winter")
    panel = page.locator(".panel")
    panel.get_by_role("button", name="Deal out").first.click()
    agents = panel.get_by_label("Agents", exact=True).first
    people = names(agents)
    agents.fill("p101")
    panel.locator(".picked li", has_text="p101").wait_for()
    assert agents.input_value() == ""
    agents.fill(f"{people['p102']} · p102")
    panel.locator(".picked li", has_text="p102").wait_for()
    panel.get_by_label(f"Share of {people['p102']}").fill("2")
    panel.get_by_role("button", name=f"Not {people['p101']}").click()
    panel.locator(".picked li", has_text="p101").wait_for(state="detached")
    agents.fill("p104")
    with page.expect_request(lambda request: request.url.endswith("/lists/winter/deal")) as sent:
        panel.locator("form").get_by_role("button", name="Deal out").click()
    page.get_by_text("The list is dealt out").wait_for()
    assert sent.value.post_data_json["agents"] == [{"account": "p102", "weight": 2}, {"account": "p104", "weight": 1}]
    assert not wrong(page), wrong(page)
    page.context.close()

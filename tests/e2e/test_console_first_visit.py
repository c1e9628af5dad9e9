"""A new office from an empty data folder: the printed link, people from a pasted list, a phone, a call to echo; then a
worker's way in. The exchange is real; screenshots lie in target/screenshots."""
import os
from pathlib import Path

import pytest

from peers import axe
from peers.chromium import Chromium
from peers.exchange import REPOSITORY, Exchange
from peers.rawua import RawUA
from peers.receiver import Receiver, signed

SHOTS = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target") / "screenshots"


@pytest.fixture(scope="module")
def browser():
    SHOTS.mkdir(parents=True, exist_ok=True)
    with Chromium() as running:
        yield running


@pytest.fixture(scope="module")
def office():
    # The receiver of webhooks listens on this machine.
    with Exchange(config_extra='[webhooks]\nallow = "127.0.0.0/8"\n') as running:
        yield running.start()


@pytest.fixture(scope="module")
def boss(browser, office):
    """The administrator's browser, signed in by the link that the first start printed."""
    printed = (office.folder / "stdout.txt").read_text()
    link = next(word for word in printed.split() if "/enter/" in word)
    context = browser.context(locale="en-US", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(link)
    page.get_by_role("heading", name="Ringdown").wait_for()
    page.screenshot(path=SHOTS / "real-1-link.png")
    page.get_by_label("New password").fill("a long enough one")
    page.get_by_label("The same again").fill("a long enough one")
    page.get_by_role("button", name="Set password").click()
    page.locator(".bar").wait_for()
    yield page
    context.close()


def url(office, path):
    return f"http://{office.address('http')}{path}"


def test_s0_1_from_nothing_to_people_with_numbers(office, boss):
    boss.goto(url(office, "/start"))
    boss.get_by_label("Paste names and numbers").fill("Carol Díaz, 301\n王芳, 302\nEve, 301")
    boss.get_by_role("button", name="Make 3 people").click()
    boss.get_by_text("2 rows were taken.").wait_for()
    # The refused row says which and why, and the tick is there because it is so.
    boss.get_by_text("Line 3:").wait_for()
    boss.get_by_role("img", name="Done").first.wait_for()
    boss.screenshot(path=SHOTS / "real-2-people.png")
    assert not axe.faults(boss)
    assert "carol.diaz" in office.run("account", "list").stdout
    boss.goto(url(office, "/people"))
    boss.get_by_role("gridcell", name="Carol Díaz").wait_for()


def test_a_phone_is_made_and_appears_when_it_registers(office, boss):
    boss.goto(url(office, "/devices?add=carol.diaz"))
    boss.get_by_role("button", name="Make").click()
    boss.get_by_role("img", name="QR code with address and password").wait_for()
    boss.get_by_role("tab", name="baresip").click()
    line = boss.locator(".copy-line code").inner_text()
    assert line.startswith("<sip:carol.diaz-desk@") and ";auth_pass=" in line
    boss.screenshot(path=SHOTS / "real-3-device.png")
    secret = line.rsplit("=", 1)[1]
    row = boss.locator(".rows .row", has_text="carol.diaz-desk")
    row.get_by_text("Off", exact=True).wait_for()
    with RawUA("carol.diaz-desk", secret, office.host_port("udp")) as phone:
        phone.register()
        # Live: nobody loads the page again.
        row.get_by_text("On", exact=True).wait_for()


def test_a_worker_comes_in_by_a_link_and_signs_in_later(browser, office, boss):
    boss.goto(url(office, "/people?open=carol.diaz"))
    boss.get_by_role("button", name="Make a sign-in link").click()
    link = boss.locator(".copy-line code.secret").inner_text()
    context = browser.context(locale="zh-CN", viewport={"width": 360, "height": 720})
    page = context.new_page()
    page.goto(link)
    page.get_by_label("新密码").fill("又一个足够长的密码")
    page.get_by_label("再次输入").fill("又一个足够长的密码")
    page.get_by_role("button", name="设置密码").click()
    page.locator(".dock-head .chip.good").wait_for()
    page.screenshot(path=SHOTS / "real-4-worker.png")
    # What the worker says of being free is a state of the exchange.
    page.get_by_role("button", name="示忙").click()
    page.locator("button[aria-pressed=true]", has_text="示忙").wait_for()
    page.reload()
    page.locator("button[aria-pressed=true]", has_text="示忙").wait_for()
    page.get_by_role("button", name="示闲").click()
    page.locator("button[aria-pressed=true]", has_text="示闲").wait_for()
    assert not axe.faults(page)
    context.close()
    # The link is used up; the password is not.
    context = browser.context(locale="zh-CN")
    page = context.new_page()
    assert page.goto(link).status == 403
    page.goto(url(office, "/"))
    page.get_by_label("账号").fill("carol.diaz")
    page.get_by_label("密码").fill("又一个足够长的密码")
    page.keyboard.press("Enter")
    page.locator(".dock-head .chip.good").wait_for()
    # A worker is no administrator.
    assert page.get_by_role("link", name="运行状况").count() == 0
    page.goto(url(office, "/trunks"))
    page.get_by_text("您的角色无权查看此页面").wait_for()
    context.close()


def test_what_is_known_of_a_person_is_changed_where_it_stands(office, boss):
    boss.goto(url(office, "/people?open=carol.diaz"))
    details = boss.get_by_role("form", name="Details")
    details.get_by_label("Name", exact=True).fill("Carol D.")
    details.get_by_label("call national numbers").check()
    details.get_by_label("When busy to").fill("302")
    details.get_by_role("button", name="Save").click()
    boss.get_by_text("Saved", exact=True).wait_for()
    listed = office.run("account", "list").stdout
    assert "Carol D." in listed and "302" in listed, listed
    # A number comes, and goes for good only after ten seconds.
    boss.get_by_role("form", name="Add number").get_by_label("Number").fill("399")
    boss.get_by_role("button", name="Add number").click()
    boss.get_by_role("button", name="Remove number 399").click()
    boss.get_by_text("Number 399 removed").wait_for()
    assert "399" in office.run("number", "list").stdout
    boss.get_by_role("button", name="Undo").click()
    boss.get_by_role("button", name="Remove number 399").wait_for()
    # What is wrong is told where it was written.
    details.get_by_label("Time zone").fill("Nowhere/At all")
    details.get_by_role("button", name="Save").click()
    details.locator(".wrong").wait_for()


def test_settings_and_health_tell_of_the_real_exchange(office, boss):
    boss.goto(url(office, "/health"))
    boss.get_by_text("All is well").wait_for()
    boss.goto(url(office, "/settings"))
    boss.get_by_text("This browser").wait_for()
    boss.get_by_role("tab", name="Exchange").click()
    boss.get_by_text("echo", exact=False).first.wait_for()
    boss.screenshot(path=SHOTS / "real-5-settings.png")
    boss.get_by_role("tab", name="Programs").click()
    boss.get_by_role("button", name="Add a token").click()
    boss.get_by_label("For which program").fill("CRM")
    boss.get_by_label("calls:read").check()
    boss.get_by_role("button", name="Make", exact=True).click()
    boss.get_by_text("This secret is shown only now.").wait_for()
    assert boss.locator(".copy-line code.secret").inner_text().startswith("rd_")


def test_b_a_webhook_is_made_tried_and_paused(office, boss):
    boss.goto(url(office, "/settings"))
    boss.get_by_role("tab", name="Programs").click()
    with Receiver() as receiver:
        boss.get_by_role("button", name="Add a webhook").click()
        boss.get_by_label("Address").fill(receiver.url)
        boss.get_by_role("button", name="Make", exact=True).click()
        boss.get_by_text("Each message is signed with this secret.").wait_for()
        secret = boss.locator(".copy-line code.secret").inner_text()
        hook = boss.locator(".hook")
        hook.get_by_text("Arrives").wait_for()
        hook.get_by_role("button", name="Test").click()
        hook.get_by_text("It arrived").wait_for()
        tried = receiver.messages[0]
        assert tried.type == "webhook.test" and signed(secret, tried.headers["ringdown-signature"], tried.body)
        hook.get_by_role("button", name="Pause").click()
        hook.get_by_text("Paused").wait_for()
        hook.get_by_role("button", name="Go on").click()
        hook.get_by_text("Arrives").wait_for()
        hook.get_by_role("button", name="Did not arrive: 0").click()
        hook.get_by_text("Everything arrived.").wait_for()
        boss.screenshot(path=SHOTS / "real-6-webhook.png", full_page=True)
    assert not boss.complaints, boss.complaints


def test_trunks_routes_and_groups_are_made_and_removed(office, boss):
    boss.goto(url(office, "/trunks"))
    boss.get_by_role("button", name="Add a trunk").first.click()
    boss.get_by_label("Name", exact=True).fill("provider")
    boss.get_by_label("Address").first.fill("127.0.0.1:5999")
    boss.get_by_role("button", name="Save").click()
    boss.locator(".rows .row", has_text="provider").wait_for()
    boss.get_by_role("tab", name="Groups").click()
    boss.get_by_role("button", name="Add a group").first.click()
    boss.get_by_label("Name", exact=True).fill("sales")
    boss.get_by_role("textbox", name="Number").fill("700")
    boss.get_by_role("combobox", name="People", exact=True).fill("carol.diaz")
    boss.get_by_role("button", name="Save").click()
    boss.locator(".rows .row", has_text="700").wait_for()
    assert "700" in office.run("group", "list").stdout
    assert not boss.complaints, boss.complaints


def test_signing_out_leaves_nothing(office, boss):
    boss.get_by_role("button", name="My account").click()
    boss.get_by_role("button", name="Sign out").click()
    boss.get_by_role("form", name="Sign in").wait_for()
    assert boss.evaluate("fetch('/api/v1/people').then((answer) => answer.status)") == 401

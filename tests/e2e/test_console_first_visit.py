"""A new user's way from an empty data folder to a web call that is heard (Show 6): the printed link, a password, the first
steps, people from a pasted list, a phone, echo; then what else an administrator does, and a worker's way in. The exchange
is real; screenshots lie in target/screenshots."""
import os
import time
from pathlib import Path

import pytest

from peers import axe, ear, qr, tone
from peers.chromium import Chromium
from peers.exchange import REPOSITORY, Exchange
from peers.rawua import RawUA
from peers.receiver import Receiver, signed
from peers.words import words

SHOTS = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target") / "screenshots"
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 360, "height": 720}
LOOKS = [("en", "light", WIDE), ("zh-CN", "dark", WIDE), ("zh-CN", "light", NARROW), ("en", "dark", NARROW)]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    SHOTS.mkdir(parents=True, exist_ok=True)
    microphone = tone.write_tone(tmp_path_factory.mktemp("microphone") / "tone.wav", 440, 10, 48000, -15.0)
    with Chromium(microphone=microphone) as running:
        yield running


def printed_link(office):
    """What the first start printed for the administrator."""
    printed = (office.folder / "stdout.txt").read_text()
    return next(word for word in printed.split() if "/enter/" in word)


class Newcomer:
    """An administrator who has never seen it, in a language, a scheme and a size."""

    def __init__(self, browser, office, language, scheme, size):
        self.t, self.office, self.language = words(language), office, language
        self.look = f"{language}-{scheme}-{size['width']}"
        self.context = browser.context(locale=language, color_scheme=scheme, viewport=size, reduced_motion="reduce")
        self.context.add_init_script(path=ear.SCRIPT)
        self.page = self.context.new_page()
        self.complaints, self.shots = [], 0
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def see(self, name):
        """A picture, what axe says of it, and whether all of it has room."""
        self.page.wait_for_timeout(300)
        self.shots += 1
        self.page.screenshot(path=SHOTS / f"first-{self.shots}-{name}-{self.look}.png")
        assert self.page.evaluate("document.documentElement.lang") == self.language
        faults = axe.faults(self.page)
        assert not faults, f"{name}: {faults}"
        wider = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{name} is {wider} px wider than the screen"

    def button(self, key, **values):
        return self.page.get_by_role("button", name=self.t(key, **values), exact=True)

    def step(self, number):
        return self.page.locator(".step").nth(number - 1)

    def come_in(self):
        self.page.goto(printed_link(self.office))
        for key in ("door.new_password", "door.again"):
            self.page.get_by_label(self.t(key)).fill("a long enough one")
        self.see("password")
        self.button("door.set_password").click()
        self.page.get_by_role("heading", name=self.t("start.title")).wait_for()

    def make_people(self):
        self.page.get_by_label(self.t("import.paste")).fill("Carol Díaz, 301\n王芳, 302\nEve, 301")
        self.see("people-pasted")
        self.button("import.make", count=3).click()
        self.page.get_by_text(self.t("import.taken", count=2)).wait_for()
        self.step(1).get_by_role("img", name=self.t("start.tick")).wait_for()
        self.see("people")

    def get_a_phone_on(self):
        """Returns the phone, registered with what the page showed."""
        self.page.get_by_role("link", name=self.t("devices.add")).click()
        self.page.get_by_label(self.t("devices.owner")).fill("carol.diaz")
        self.button("devices.make").click()
        self.page.get_by_role("img", name=self.t("devices.qr")).wait_for()
        self.see("phone")
        self.page.get_by_role("tab", name="baresip").click()
        secret = self.page.locator(".copy-line code").inner_text().rsplit("=", 1)[1]
        phone = RawUA("carol.diaz-desk", secret, self.office.host_port("udp"))
        phone.register()
        self.page.get_by_role("button", name=self.t("frame.me")).click()
        self.page.get_by_role("link", name=self.t("start.title")).click()
        self.step(2).get_by_role("img", name=self.t("start.tick")).wait_for()
        self.step(2).get_by_text("carol.diaz-desk").wait_for()
        self.see("phones")
        return phone

    def call_echo(self):
        """What the microphone says comes back, and the third step is ticked."""
        self.button("dock.call_number", number="600").click()
        self.page.locator(".call.talking").wait_for()
        ear.assert_hears(self.page, 440)
        self.step(3).get_by_role("img", name=self.t("start.tick")).wait_for()
        self.see("echo")
        self.page.keyboard.press("h")
        self.page.locator(".call.ended").wait_for()
        self.see("ended")
        # On a narrow screen the telephone was before the page until its call had left.
        self.page.locator(".call").wait_for(state="detached")
        self.page.get_by_text(self.t("start.whole")).scroll_into_view_if_needed()
        self.see("ready")


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look[0]}-{look[1]}-{look[2]['width']}")
def test_show_6_from_an_empty_folder_to_a_web_call_that_is_heard(browser, look):
    with Exchange() as office:
        office.start()
        newcomer = Newcomer(browser, office, *look)
        newcomer.come_in()
        newcomer.see("start")
        newcomer.make_people()
        with newcomer.get_a_phone_on():
            newcomer.call_echo()
        # From now on there is no need of a guide.
        newcomer.button("start.finish").click()
        newcomer.page.get_by_role("heading", name=newcomer.t("live.title")).wait_for()
        newcomer.page.goto(url(office, "/"))
        newcomer.page.get_by_role("heading", name=newcomer.t("live.title")).wait_for()
        assert not newcomer.complaints, newcomer.complaints
        newcomer.context.close()


def test_a_first_visit_is_guided_until_it_is_dismissed(browser):
    """With the ready accounts of a first start, too: people have numbers, and nobody has telephoned yet."""
    with Exchange() as office:
        office.start()
        for name, number in (("alice", "101"), ("bob", "102")):
            office.add_account(name, number, f"{name}-phone")
        newcomer = Newcomer(browser, office, *LOOKS[0])
        newcomer.come_in()
        newcomer.step(1).get_by_text(newcomer.t("start.people_done", count=2)).wait_for()
        newcomer.see("ready-accounts")
        newcomer.button("start.people_more").click()
        newcomer.page.get_by_label(newcomer.t("import.paste")).wait_for()
        # A visit later it is offered again, until it is dismissed.
        newcomer.page.goto(url(office, "/"))
        newcomer.page.get_by_role("heading", name=newcomer.t("start.title")).wait_for()
        newcomer.button("start.later").click()
        newcomer.page.get_by_role("heading", name=newcomer.t("live.title")).wait_for()
        newcomer.page.goto(url(office, "/"))
        newcomer.page.get_by_role("heading", name=newcomer.t("live.title")).wait_for()
        newcomer.context.close()


@pytest.fixture(scope="module")
def office():
    # The receiver of webhooks listens on this machine.
    with Exchange(config_extra='[webhooks]\nallow = "127.0.0.0/8"\n') as running:
        yield running.start()


@pytest.fixture(scope="module")
def boss(browser, office):
    """The administrator's browser, signed in by the link that the first start printed."""
    context = browser.context(locale="en-US", viewport=WIDE)
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(printed_link(office))
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


def answered_late(route):
    answer = route.fetch()
    time.sleep(0.5)
    route.fulfill(response=answer)


def test_s0_1_from_nothing_to_people_with_numbers(office, boss):
    boss.goto(url(office, "/start"))
    boss.get_by_label("Paste names and numbers").fill("Carol Díaz, 301\n王芳, 302\nEve, 301")
    # Live events bring the new people before the answer of the import is here, which must not close the form.
    boss.route("**/people/import", answered_late)
    boss.get_by_role("button", name="Make 3 people").click()
    boss.get_by_text("2 rows were taken.").wait_for()
    boss.unroute("**/people/import")
    # The refused row says which and why, and the tick is there because it is so.
    boss.get_by_text("Eve, 301:").wait_for()
    # It stays to be mended; what was taken does not.
    assert boss.get_by_label("Paste names and numbers").input_value() == "Eve, 301"
    boss.get_by_role("img", name="Done").first.wait_for()
    boss.screenshot(path=SHOTS / "real-2-people.png")
    assert not axe.faults(boss)
    assert "carol.diaz" in office.run("account", "list").stdout
    boss.goto(url(office, "/people"))
    boss.get_by_role("gridcell", name="Carol Díaz").wait_for()


def test_a_phone_is_made_and_appears_when_it_registers(office, boss):
    boss.goto(url(office, "/devices?add=carol.diaz"))
    boss.get_by_role("button", name="Make").click()
    picture = boss.get_by_role("img", name="QR code with address and password")
    picture.wait_for()
    scanned = qr.scanned(picture)
    boss.get_by_role("tab", name="baresip").click()
    line = boss.locator(".copy-line code").inner_text()
    assert line.startswith("<sip:carol.diaz-desk@") and ";auth_pass=" in line
    boss.screenshot(path=SHOTS / "real-3-device.png")
    secret = line.rsplit("=", 1)[1]
    assert "carol.diaz-desk" in scanned and secret in scanned
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
    boss.get_by_text("This browser", exact=True).wait_for()
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

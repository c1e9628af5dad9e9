"""The web app: an installable page that the directory serves, an app without an exchange (S4.8). Woken by Web Push it comes to
the exchange that waits (C3), and it calls through the directory (C1); both prove who they are before media flow (S4.25).

What it shows lies in target/screenshots."""
import json
import os
import time
from pathlib import Path

import pytest

from peers import axe, baresip, ear, push, tone
from peers.app import App
from peers.baresip import Baresip
from peers.certificate import own_certificate
from peers.chromium import Chromium, spki
from peers.directory import Directory, member, told
from peers.exchange import REPOSITORY
from peers.softphone import Softphone
from peers.waiting import until
from peers.web_app import WebApp, addresses
from peers.webphone import fetch_status

SHOTS = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target") / "screenshots"
PAGE_HERTZ = 700


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with push.PushService(own_certificate(tmp_path_factory.mktemp("push"), "push")) as started:
        yield started


@pytest.fixture(scope="module")
def directory(service):
    extra = ("--push-allow", "127.0.0.0/8", "--authorities", service.certificate[0])
    with Directory(extra=map(str, extra)).start() as started:
        yield started


@pytest.fixture(scope="module")
def north(directory):
    """Anna, 2041, has a desk phone; Gina, 2047, an app alone."""
    with member(directory, "north", "berlin") as started:
        started.anna = started.add_account("anna", "2041", "desk-a")
        started.add_account("gina", "2047")
        yield started


@pytest.fixture(scope="module")
def browser(directory, north, tmp_path_factory):
    """Chromium that trusts both; its microphone says 700 Hz."""
    microphone = tone.write_tone(tmp_path_factory.mktemp("microphone") / "tone.wav", PAGE_HERTZ, 10, 48000, -15.0)
    trust = ",".join(spki(one) for one in (directory.data / "directory" / "web.pem", north.data / "certificate.pem"))
    with Chromium(trust=trust, microphone=microphone) as running:
        yield running


@pytest.fixture(scope="module")
def page(browser, directory, north, service):
    """Gina's browser."""
    with WebApp(browser, directory, "gina", service).enrol() as app:
        copy = north.data / "membership" / "directory.copy"
        until(lambda: '"apps":true' in told(copy), 10, "the copy tells of the app", north.tail)
        yield app


def desk(north):
    return Baresip(north.anna.user, north.anna.secret, north.address(), "udp", ("PCMU",), hertz=440)


def talk(page, phone):
    """Each hears the other's tone."""
    tone.assert_tone(phone.wait_heard(2.5), PAGE_HERTZ, None)
    ear.assert_hears(page.page, 440)


def shoot(app, name):
    SHOTS.mkdir(parents=True, exist_ok=True)
    app.page.screenshot(path=str(SHOTS / f"web-app-{name}.png"))


def test_s4_8_it_is_installable_opens_without_a_network_and_its_policy_is_strict(browser, directory, north, tmp_path):
    """What Chromium itself says (DevTools: Page.getInstallabilityErrors), of a visitor who does not browse in private."""
    base = f"https://{directory.apps}/"
    context = browser.lasting(tmp_path)
    try:
        page = context.pages[0]
        answer = page.goto(base)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and answer.headers["cache-control"] == "no-store"
        active = "navigator.serviceWorker.getRegistration().then((one) => one?.active?.state === 'activated')"
        until(lambda: page.evaluate(active), 10, "the worker is active")
        devtools = context.new_cdp_session(page)
        manifest = devtools.send("Page.getAppManifest")
        assert manifest["errors"] == [] and manifest["url"] == base + "app.webmanifest"
        assert devtools.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
        page.reload()
        context.set_offline(True)
        page.reload()
        page.get_by_text("Calls, on this device").wait_for()
    finally:
        context.close()
    assert fetch_status(base + "worker.js") == 200
    assert fetch_status(base + "none.js") == 404


def test_show_2_c3_by_web_push_the_worker_announces_the_call_and_the_page_takes_it(north, page, service):
    """S4.15, S4.24, R29: the directory pushes by a real push service; what that carried is given to the worker by DevTools,
    because the browser's own service is not reached from here."""
    page.press("Switch notifications on")
    page.wait_text("also when this page is closed")
    shoot(page, "ready")
    page.sleep()
    lookout = page.lookout()
    with desk(north).start() as caller:
        caller.wait_registered()
        time.sleep(0.5)
        # The caller gives up: the notification goes.
        caller.dial("2047")
        lookout.deliver(pushed(page, service, 1))
        lookout.wait_shown(["anna calls"])
        caller.hangup()
        lookout.deliver(pushed(page, service, 2))
        lookout.wait_shown([])
        caller.wait_closed()
        # It is answered by the notification's button, which opens the page so.
        caller.dial("2047")
        lookout.deliver(pushed(page, service, 3))
        lookout.wait_shown(["anna calls"])
        ticket = lookout.worker.evaluate(
            "async () => { const [one] = await self.registration.getNotifications(); one.close(); return one.data.ticket; }")
        page.open(f"/?take={ticket}")
        caller.wait_established()
        talk(page, caller)
        shoot(page, "talking")
        page.press("Mute")
        page.press("Hang up")
        caller.wait_closed()
        page.wait_ready()


def pushed(page, service, count):
    """What the push service carried last."""
    until(lambda: len(service.for_app(page.subscription)) >= count, 10, f"{count} pushes", page.directory.tail)
    return page.subscription.text(service.for_app(page.subscription)[count - 1].body)


def test_r29_it_is_declined_where_it_is_announced_and_what_another_signed_is_not_shown(north, page, service):
    page.sleep()
    lookout = page.lookout()
    before = len(service.for_app(page.subscription))
    with desk(north).start() as caller:
        caller.wait_registered()
        time.sleep(0.5)
        caller.dial("2047")
        text = pushed(page, service, before + 1)
        forged = text[:-6] + ("AAAAAA" if text[-6:] != "AAAAAA" else "BBBBBB")
        lookout.deliver(forged)
        lookout.deliver(text)
        lookout.wait_shown(["anna calls"])
        began = time.monotonic()
        lookout.click("decline")
        caller.wait_closed()
        assert time.monotonic() - began < 5, "the directory was told, and nobody waits for it"
    page.open().wait_ready()


def test_show_2_c3_while_it_is_open_it_rings_at_once(north, page):
    with desk(north).start() as caller:
        caller.wait_registered()
        caller.dial("2047")
        page.wait_text("is calling you")
        caller.wait_ringing()
        shoot(page, "incoming")
        page.press("Answer")
        caller.wait_established()
        talk(page, caller)
        caller.hangup()
        page.wait_text("They hung up")
        caller.dial("2047")
        page.wait_text("is calling you")
        page.press("Decline")
        caller.wait_closed()
        page.wait_ready()


# ---- C1


def test_show_2_c1_accepted_it_calls_a_desk_phone_and_both_hear(north, page):
    """S4.16 to S4.22: the exchange is asked first, and the page goes straight there."""
    with desk(north).start() as callee:
        callee.wait_registered()
        page.dial("2041")
        callee.wait_incoming()
        page.wait_text("Ringing")
        shoot(page, "ringing")
        callee.answer()
        callee.wait_established()
        talk(page, callee)
        page.press("Keypad")
        page.page.get_by_role("button", name="5", exact=True).click()
        page.wait_text("5")
        shoot(page, "keypad")
        page.press("Hang up")
        callee.wait_closed()
        page.wait_ready()


def test_show_2_c1_refused_tells_why_and_no_message_holds_an_address(page):
    page.heard.clear()
    page.dial("2041")
    page.wait_text("no phone of theirs is on")
    shoot(page, "refused")
    page.dial("2999")
    page.wait_text("nobody has this number")
    assert page.heard and addresses(page.heard) == [] and "designated" not in "".join(page.heard), page.heard


def test_show_2_c1_queued_behind_two_others_in_order(directory, north, page):
    """R8, S4.18: its place goes down; when the device frees, its turn comes."""
    apps = [App(directory.invite_app("gina"), f"app-{place}", 600 + 50 * place) for place in range(2)]
    with desk(north).start() as callee:
        callee.wait_registered()
        try:
            for one in apps:
                one.start()
                one.wait_connected()
            apps[0].dial("2041")
            callee.wait_incoming()
            callee.answer()
            apps[0].wait_established()
            apps[1].dial("2041")
            apps[1].wait_event("ringing", status=182, place=1)
            page.dial("2041")
            page.wait_text("2 calls before you")
            shoot(page, "queued")
            apps[0].do("hang_up")
            callee.wait_closed()
            callee.wait_incoming()
            page.wait_text("1 call before you")
            callee.answer()
            apps[1].wait_established()
            apps[1].do("hang_up")
            callee.wait_closed()
            callee.wait_incoming()
            page.wait_text("Ringing")
            callee.answer()
            callee.wait_established()
            ear.assert_hears(page.page, 440)
            page.press("Hang up")
            callee.wait_closed()
        finally:
            for one in apps:
                one.stop()
    page.wait_ready()


def test_s2_c1_whoever_does_not_want_to_wait_is_called_when_they_are_free(north, page):
    """A button where the place is shown; the page is rung when Anna is there, and shows who it is."""
    north.run("account", "set", "gina", "--rights", "background")
    bert = north.add_account("bert", "2049", "desk-bert")
    with desk(north).start() as callee, Softphone(bert.user, bert.secret, north.address()).start() as other:
        callee.wait_registered()
        other.wait_registered()
        other.dial("2041")
        callee.wait_incoming()
        callee.answer()
        callee.wait_established()
        page.dial("2041")
        page.wait_text("1 call before you")
        shoot(page, "when-free")
        page.press("Call me when free")
        page.wait_text("You are called when they are free")
        shoot(page, "when-free-kept")
        other.do("hang_up")
        callee.wait_closed()
        callee.wait_incoming(20)
        callee.answer()
        callee.wait_established()
        page.wait_text("is calling you", seconds=15)
        page.wait_text("2041")
        page.press("Answer")
        talk(page, callee)
        page.press("Hang up")
        callee.wait_closed()
    page.wait_ready()


# ---- who is let in

# The calls of this page show another certificate than the one that it told of.
OTHER = """(() => {
    const Real = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Real {
        constructor(configuration, ...more) {
            const { certificates, ...rest } = configuration ?? {};
            super(window.keepsCertificate ? configuration : rest, ...more);
            window.keepsCertificate = false;
        }
    };
    // The one that tells the fingerprint is the first.
    window.keepsCertificate = true;
})();"""


def test_s4_25_another_certificate_is_refused_before_media(browser, directory, north):
    """A ticket in other hands: C1 is not let in, C3 is rung and not answered; nothing is ever heard."""
    copy = north.data / "membership" / "directory.copy"
    north.add_account("hugo", "2048")
    until(lambda: "2048" in told(copy), 10, "2048 is known", north.tail)
    with WebApp(browser, directory, "hugo", script=OTHER).enrol() as thief, desk(north).start() as phone:
        phone.wait_registered()
        thief.dial("2041")
        thief.wait_text("it is somebody else's")
        assert addresses(north.calls()) == []
        phone.dial("2048")
        thief.wait_text("is calling you")
        thief.press("Answer")
        phone.wait_closed()
        thief.wait_ready()
    last = north.wait_calls(1)[-1]
    assert last["answered"] is None, last


def test_a_device_that_was_removed_says_so_and_enrols_anew(browser, directory):
    with WebApp(browser, directory, "ivan") as app:
        app.enrol()
        app.sleep()
        (known,) = [line.split()[0] for line in directory.run("directory", "apps").stdout.splitlines() if " ivan " in line]
        directory.run("directory", "remove-app", known)
        app.open()
        app.wait_text("This device was removed")
        shoot(app, "removed")
        app.page.get_by_label("Link").fill(directory.invite_app("ivan"))
        app.press("Use this device")
        app.wait_ready()


def test_what_it_shows_is_readable_in_both_languages(browser, directory, north, service):
    """WCAG 2.2, light and dark; the words of each language."""
    for locale, scheme, do, number, call in [("en", "dark", "Use this device", "Number to call", "Call"),
                                             ("zh-CN", "light", "启用此设备", "拨打号码", "呼叫")]:
        with WebApp(browser, directory, "gina", service, locale=locale, color_scheme=scheme) as app:
            app.open("/")
            app.page.get_by_role("button", name=do).wait_for()
            shoot(app, f"stranger-{locale}")
            app.page.close()
            app.open(directory.invite_page("gina"))
            app.page.get_by_role("button", name=do).wait_for()
            shoot(app, f"enrol-{locale}")
            assert axe.faults(app.page) == []
            app.page.get_by_role("button", name=do).click()
            app.wait_ready()
            app.page.get_by_label(number).get_by_role("textbox").fill("2999")
            shoot(app, f"dial-{locale}")
            app.page.get_by_role("button", name=call, exact=True).click()
            app.wait_text("nobody has this number", "空号")
            shoot(app, f"told-{locale}")
            assert axe.faults(app.page) == []

"""The console of one of three exchanges: all of them on a map, live, and a call between two as one ladder (S4, R23, R32)."""
import os
from pathlib import Path

import pytest

from e2e.conftest import Office as OneOffice
from e2e.test_sites import rings, talk
from e2e.test_three_exchanges import Office, office, registered  # noqa: F401  the fixture of three exchanges
from peers import axe, sdp
from peers.api import Client
from peers.chromium import Chromium, spki
from peers.cluster import at, knows
from peers.exchange import REPOSITORY, Exchange
from peers.waiting import until
from peers.webphone import Visitor

SHOTS = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target") / "screenshots"


def manager(admin, browser, exchange, name):
    """Somebody who runs the office, in a window of their own; the page that they see."""
    admin.post("/people", {"name": name, "display": name, "role": "administrator"}).must(201)
    link = admin.post(f"/people/{name}/link").must(201).json["link"]
    visitor = Visitor(browser, exchange).enter(link[link.index("/enter/"):])
    page = browser.page(f"{visitor.base}/exchanges", context=visitor.context)
    page.get_by_role("button", name="Later").click()
    return page


def test_the_map_is_live_and_a_call_across_exchanges_is_one_ladder(office):  # noqa: F811
    SHOTS.mkdir(parents=True, exist_ok=True)
    north = office.north
    with Chromium(trust=spki(north.data / "certificate.pem")) as browser:
        page = manager(office.admins[north], browser, north, "viewer")
        for name in ("north", "south", "west"):
            page.locator(".sites li", has_text=name).get_by_text("Takes calls").wait_for()
        assert page.locator(".plane .flow.busy").count() == 0
        with registered(office.anna_at_her_desk(), office.bela_at_his_desk()) as (caller, callee):
            caller.dial("2042")
            rings(caller, callee)
            talk(caller, callee)
            page.locator(".plane .flow.busy").wait_for()
            page.get_by_text("1 call goes between exchanges now.").wait_for()
            page.screenshot(path=SHOTS / "three-exchanges-en.png")
            # The other end counts the same call, as the directory told.
            page.locator(".sites li", has_text="this exchange").get_by_text("1 (south: 1)").wait_for()
            page.locator(".sites li", has_text="wien").get_by_text("1 (north: 1)").wait_for()
            caller.hangup()
            callee.wait_closed()
            page.locator(".plane .flow.busy").wait_for(state="detached")
            one_ladder(page, office)
        page.goto(f"https://{north.address('https')}/exchanges")
        office.west.stop()
        try:
            page.locator(".sites li", has_text="west").get_by_text("Down").wait_for(timeout=10_000)
            page.get_by_role("button", name="中文").click()
            page.locator(".sites li", has_text="west").get_by_text("已离线").wait_for()
            page.screenshot(path=SHOTS / "three-exchanges-zh-CN.png")
        finally:
            office.west.start()


def test_exchanges_over_one_store_are_on_the_map_and_one_that_dies_is_seen_to(pair):
    """Decision 25: which of them keeps what must happen once, the phones at each, and the calls between them."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    north, south = pair
    people = OneOffice(north)
    ada, caller = people.person(), people.person()
    with Chromium(trust=spki(north.data / "certificate.pem")) as browser:
        visitor = Visitor(browser, north).enter(north.admin_link())
        page = browser.page(f"{visitor.base}/exchanges", context=visitor.context)
        page.get_by_role("button", name="Later").click()
        row = lambda name: page.locator(".sites li", has=page.get_by_role("button", name=name))
        row("north").get_by_text("Keeps agents, queues").wait_for()
        assert page.get_by_text("Directory").count() == 0, "there is none"
        until(lambda: ada.user in south.run("device", "list").stdout, 5, "the people are known", south.tail)
        with at(north, caller) as calling, at(south, ada) as phone:
            calling.register()
            phone.register()
            until(lambda: knows(north, ada), 5, "known everywhere", north.tail)
            out = calling.invite(ada.number, sdp.describe(40000))
            branch = phone.wait_invite()
            branch.answer(sdp.describe(40002))
            out.wait_answer()
            page.locator(".plane .flow.busy").wait_for()
            page.get_by_text("1 call goes between exchanges now.").wait_for()
            row("south").locator(".fact", has_text="Phones").get_by_text("1", exact=True).wait_for()
            page.screenshot(path=SHOTS / "cluster-en.png")
            assert not axe.faults(page)
            branch.bye()
            out.wait_bye()
            page.locator(".plane .flow.busy").wait_for(state="detached")
        south.kill()
        row("south").get_by_text("Down").wait_for(timeout=15_000)
        page.get_by_role("button", name="中文").click()
        row("south").get_by_text("已离线").wait_for()
        page.screenshot(path=SHOTS / "cluster-zh-CN.png")


def one_ladder(page, office):  # noqa: F811
    """The call that just ended, at both exchanges; both phones are still there, so that they have names."""
    north = office.north
    session = max(north.calls(), key=lambda one: one["started"])["session_id"]
    page.goto(f"https://{north.address('https')}/records?open={session}")
    actors = page.locator(".ladder-actors")
    actors.get_by_text("desk-b").wait_for()
    assert [one.inner_text() for one in actors.locator("span").all()] == ["desk-a", "Exchange", "south", "desk-b"]
    page.screenshot(path=SHOTS / "ladder-across-en.png")
    assert not axe.faults(page)
    page.get_by_role("button", name="中文").click()
    actors.get_by_text("交换机").wait_for()
    page.screenshot(path=SHOTS / "ladder-across-zh-CN.png")
    page.get_by_role("button", name="English").click()
    drawn = north.run("ladder", session).stdout
    assert "At exchange south" in drawn and "desk-b" in drawn, drawn
    # What R32 keeps back is kept back by whoever tells, and a call of others is nobody's business.
    told = office.admins[north].get(f"/calls/{session}/ladder/elsewhere").must(200).json
    texts = "\n".join(rung["text"] for rung in told["rungs"])
    assert told["exchange"] == "south" and "INVITE" in texts, told
    assert "response=" not in texts and "secret=" not in texts, texts
    asked = office.admins[office.west].get(f"/calls/{session}/ladder/elsewhere").must(200).json
    assert asked["exchange"] is None and asked["rungs"] == []


def test_an_exchange_alone_says_how_there_are_more():
    with Exchange() as alone:
        alone.start()
        with Chromium(trust=spki(alone.data / "certificate.pem")) as browser:
            admin = Client(alone.ready["http"]).enter(alone.admin_link())
            page = manager(admin, browser, alone, "viewer")
            page.get_by_text("This exchange is the only one").wait_for()
            assert page.get_by_text("ringdown exchange join LINK").count() == 1
            SHOTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=SHOTS / "exchange-alone-en.png")
            assert not axe.faults(page)

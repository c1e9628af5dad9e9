"""Calls of one exchange at another of the same office (R24): lamps, pickup, park, transfer, agents and lists of calls know them all,
whichever exchange has the call."""
import contextlib

import pytest

from e2e.conftest import Office
from e2e.test_events import Stream
from e2e.test_fork import reason_of
from e2e.test_pickup import ELSEWHERE, Lamp, account, grouped, park, press, talks_at
from e2e.test_taps import Reader, TAKEN, chip
from e2e.test_watching import DIALOG
from peers import ear, sdp, tone
from peers.api import Client
from peers.baresip import Baresip
from peers.chromium import Chromium, spki
from peers.cluster import administrator_of, at, knows, pair_on, talk
from peers.postgres import Postgres
from peers.rtp import RtpEnd
from peers.waiting import until
from peers.webphone import Visitor


@pytest.fixture(scope="module")
def both():
    """North, which keeps what must happen once, and south."""
    with Postgres() as server, pair_on(server.start()) as two:
        yield two


@pytest.fixture(scope="module")
def admin(both):
    """Who looks after the office, at south."""
    return administrator_of(both)[1]


def live(admin, state=None):
    return [one for one in admin.get("/calls").must(200).json["items"] if state in (None, one["state"])]


@contextlib.contextmanager
def phones(*places):
    """Phones at the doors of exchanges: pairs of an exchange and a device; each is known at the others."""
    with contextlib.ExitStack() as stack:
        made = []
        for exchange, device in places:
            until(lambda: device.user in exchange.run("device", "list").stdout, 5, "the people are known", exchange.tail)
            phone = stack.enter_context(at(exchange, device))
            phone.register()
            made.append(phone)
        for exchange, _ in places:
            for _, device in places:
                until(lambda: knows(exchange, device), 5, "known everywhere", exchange.tail)
        yield made


def grouped_everywhere(both, *people):
    grouped(both[0], *people)
    until(lambda: account(people[0]) in both[1].run("group", "list").stdout, 5, "the group is known at the other")


def test_r32_a_lamps_key_at_one_answers_a_call_that_another_has(both):
    north, south = both
    office = Office(north)
    caller, ada, bob = office.person(), office.person(), office.person()
    grouped_everywhere(both, ada, bob)
    with phones((north, caller), (north, ada), (south, bob)) as (from_, phone, colleague):
        lamp = Lamp(colleague, ada.number, "dialog")
        lamp.wait(0)
        out = from_.invite(ada.number, sdp.describe(40000))
        branch = phone.wait_invite()
        branch.ring()
        [dialog] = lamp.wait(1)
        while not dialog.get("call-id"):
            [dialog] = lamp.wait(1)
        assert dialog.find(DIALOG + "state").text == "early"
        taken = press(colleague, ada.number, dialog)
        taken.wait_answer()
        assert reason_of(branch.wait_cancel()) == ELSEWHERE
        out.wait_answer()
        assert len(out.to_tags()) == 1, "one dialog for the caller (R1)"
        lamp.wait(0)
        assert taken.bye().status == 200
        out.wait_bye()
    assert office.record(caller.number, ada.number)["answered_by"] == bob.user


def test_baresip_at_one_picks_up_by_code_what_rings_at_another_and_both_are_heard(both, admin):
    north, south = both
    office = Office(north)
    caller, ada, bob = office.person(), office.person(), office.person()
    grouped_everywhere(both, ada, bob)
    with phones((north, caller), (north, ada)) as (from_, phone), RtpEnd() as mine:
        with Baresip(bob.user, bob.secret, south.address(), hertz=700) as desk:
            desk.start().wait_registered()
            out = from_.invite(ada.number, sdp.describe(mine.port))
            branch = phone.wait_invite()
            branch.ring()
            until(lambda: live(admin), 5, "the call is known at the other", south.tail)
            desk.dial("*84")
            talks_at(desk, branch, out, mine)
    assert office.record(caller.number, ada.number)["answered_by"] == bob.user


def test_a_talk_that_is_parked_at_one_is_taken_at_another(both):
    north, south = both
    office = Office(north)
    caller, ada, bob = office.person(), office.person(), office.person()
    with phones((north, caller), (north, ada), (south, bob)) as (from_, phone, other):
        lamp = Lamp(other, "701", "dialog")
        lamp.wait(0)
        out = from_.invite(ada.number, sdp.describe(40000))
        branch = phone.wait_invite()
        branch.answer(sdp.describe(40002))
        out.wait_answer()
        park(branch)
        lamp.wait(1)
        taken = other.invite("701", sdp.describe(40004))
        taken.wait_answer()
        lamp.wait(0)
        assert taken.bye().status == 200
        out.wait_bye()
    office.record(caller.number, ada.number)


def test_a_phone_joins_two_calls_of_which_the_first_came_to_another_exchange(both, admin):
    """REFER with Replaces: what a phone begins while it has a call at another exchange goes there, so that both are in one."""
    north, south = both
    office = Office(north)
    caller, ada, bob = office.person(), office.person(), office.person()
    with phones((north, caller), (south, ada), (north, bob)) as (from_, phone, third):
        out = from_.invite(ada.number, sdp.describe(40000))
        first = phone.wait_invite()
        first.answer(sdp.describe(40002))
        out.wait_answer()
        until(lambda: live(admin, "talking"), 5, "the talk is known at the other", south.tail)
        second = phone.invite(bob.number, sdp.describe(40004))
        asked = third.wait_invite()
        asked.answer(sdp.describe(40006))
        second.wait_answer()
        [theirs] = second.to_tags()
        dialog = f"{second.call_id}%3Bto-tag%3D{theirs}%3Bfrom-tag%3D{second.local.rsplit('tag=', 1)[1]}"
        refer = first.ask("REFER", headers=[("Refer-To", f"<sip:{bob.number}@{phone.domain}?Replaces={dialog}>")])
        assert refer.status == 202, refer
        first.wait_bye(10)
        second.wait_bye(10)
        assert from_.received("BYE") == third.received("BYE") == []
        assert out.bye().status == 200
        asked.wait_bye()


@pytest.mark.parametrize("state", ["ringing", "talking"])
def test_s1_6_a_tap_at_one_takes_a_call_that_another_has(both, admin, state):
    """The badge is held to a reader of south: what rings for its owner at north, or their talk there, comes to the phone beside it."""
    north, south = both
    office = Office(north)
    caller, ada, third = office.person(), office.person(), office.person()
    with phones((north, caller), (north, ada), (south, third)) as (from_, own, other), RtpEnd() as sound:
        reader = Reader(admin, third.user)
        _, card = chip(admin, account(ada))
        out = from_.invite(ada.number, sdp.describe(40000))
        branch = own.wait_invite()
        branch.ring()
        if state == "talking":
            branch.answer(sdp.describe(40002))
            out.wait_answer()
        until(lambda: live(admin, state), 5, "the call is known at the other", south.tail)
        what = {"ringing": "ringing", "talking": "moving"}[state]
        assert reader.tell(ndef=card.tap()).must(200).json["what"] == what
        taken = other.wait_invite()
        taken.ring()
        if state == "ringing":
            assert reason_of(branch.wait_cancel()) == TAKEN
        taken.answer(sdp.describe(sound.port))
        # A talk moves when the first packet is here (R6).
        sound.send_to(taken.offer)
        sound.say(440)
        if state == "ringing":
            out.wait_answer()
        else:
            branch.wait_bye()
        assert len(out.to_tags()) == 1, "one dialog for the caller (R1)"
        assert out.bye().status == 200
        taken.wait_bye()
    record = office.record(caller.number, ada.number)
    assert (record["answered_by"], record["cause"]) == (third.user if state == "ringing" else ada.user, "caller hung up"), record


def test_s0_an_agent_who_talks_at_another_exchange_gets_no_caller_until_their_wrap_up_is_over(both):
    north, south = both
    office = Office(north)
    caller, ada, bob = office.person(), office.person(), office.person()
    north.run("queue", "add", "help", "--number", "8002", "--member", account(ada))
    north.run("account", "set", account(ada), "--wrap-up", "2")
    with phones((north, caller), (south, ada), (south, bob)) as (customer, phone, friend):
        north.run("agent", "sign-in", account(ada))
        until(lambda: "ready" in north.run("agent", "list").stdout, 5, "ready", north.tail)
        talk = phone.invite(bob.number, sdp.describe(40000))
        branch = friend.wait_invite()
        branch.answer(sdp.describe(40002))
        talk.wait_answer()
        until(lambda: "talking" in north.run("agent", "list").stdout, 5, "the keeper knows that she talks", north.tail)
        queued = customer.invite("8002", sdp.describe(40004))
        queued.wait_status(range(180, 200))
        assert phone.received("INVITE") == [], "no caller comes while she talks"
        assert talk.bye().status == 200
        branch.wait_bye()
        until(lambda: "wrap-up" in north.run("agent", "list").stdout, 5, "her wrap-up", north.tail, every=0.1)
        offered = phone.wait_invite(8)
        offered.answer(sdp.describe(40006))
        queued.wait_answer()
        assert queued.bye().status == 200
        offered.wait_bye()
        north.run("agent", "sign-out", account(ada))


def test_calls_of_one_are_listed_at_another_and_can_be_ended_there(both, admin):
    north, south = both
    office = Office(north)
    caller, ada = office.person(), office.person()
    with phones((north, caller), (north, ada)) as (from_, phone):
        out = from_.invite(ada.number, sdp.describe(40000))
        branch = phone.wait_invite()
        branch.answer(sdp.describe(40002))
        out.wait_answer()
        seen = until(lambda: live(admin), 5, "it is listed at the other", south.tail)
        assert [one["callee"]["number"] for one in seen] == [ada.number], seen
        admin.ask("DELETE", f"/calls/{seen[0]['id']}").must(204)
        out.wait_bye()
        branch.wait_bye()
        until(lambda: not live(admin), 5, "it is over at the other, too", south.tail)
    assert office.record(caller.number, ada.number)["cause"] == "ended by an operator"


def test_r25_what_one_keeps_is_seen_and_changed_at_any(both, admin):
    """Agents, tasks, queues and lists by the API and on the command line of the exchange that does not keep them; who may not, may not."""
    north, south = both
    office = Office(north)
    ada, bob = office.person(), office.person()
    north.run("account", "set", account(ada), "--rights", "background")
    until(lambda: bob.user in south.run("device", "list").stdout, 5, "the people are known", south.tail)
    until(lambda: "background" in admin.get(f"/people/{account(ada)}").must(200).body.decode(), 5, "the right, too", south.tail)
    wanted = {"account": account(ada), "number": bob.number, "not_before": "2031-05-06T07:08:00Z"}
    key = [("Idempotency-Key", "once")]
    made = admin.post("/tasks", wanted, headers=key).must(201).json
    assert admin.post("/tasks", wanted, headers=key).must(201).json["id"] == made["id"], "once, wherever it is kept"
    assert str(made["id"]) in north.run("task", "list").stdout
    assert south.run("task", "list").stdout == north.run("task", "list").stdout
    assert [one["id"] for one in admin.get("/tasks").must(200).json["items"]] == [made["id"]]
    assert admin.post("/tasks", {**wanted, "number": "4711999"}).status == 422, "a refusal is the keeper's own"
    admin.ask("DELETE", f"/tasks/{made['id']}").must(204)
    admin.post("/agents", {"account": account(ada)}).must(200)
    assert account(ada) in north.run("agent", "list").stdout
    south.run("agent", "sign-out", account(ada))
    assert account(ada) not in north.run("agent", "list").stdout
    token = admin.post("/tokens", {"name": "tasks", "scopes": ["tasks:read"]}).must(201).json["secret"]
    program = Client(admin.host, token=token)
    assert program.get("/tasks").status == 200
    assert program.post("/tasks", wanted).status == 403, "a token may there what it may here"
    program.get("/agents").must(403)


def test_s4_what_happens_at_one_is_heard_live_at_another(both, admin):
    """Agents, queues, tasks, lists and records that another exchange has: each event once, for whoever may hear it."""
    north, south = both
    office = Office(north)
    ada, bob, caller = office.person(), office.person(), office.person()
    north.run("account", "set", account(ada), "--rights", "background")
    until(lambda: "background" in admin.get(f"/people/{account(ada)}").body.decode(), 5, "the right is known", south.tail)
    make = lambda name, *scopes: admin.post("/tokens", {"name": name, "scopes": ["events:read", *scopes]}).must(201).json["secret"]
    with contextlib.ExitStack() as stack:
        reader, narrow = (Stream(south, token) for token in
                          (make("all", "people:read", "tasks:read", "records:read"), make("some", "calls:read")))
        stack.callback(reader.close)
        stack.callback(narrow.close)
        north.run("agent", "sign-in", account(bob))
        assert reader.wait("agent.changed")[0]["data"]["account"] == account(bob)
        wanted = {"account": account(ada), "number": bob.number, "not_before": "2031-05-06T07:08:00Z"}
        task = admin.post("/tasks", wanted).must(201).json["id"]
        assert reader.wait("task.changed")[0]["data"]["id"] == task
        admin.ask("DELETE", f"/tasks/{task}").must(204)
        assert [one["data"]["id"] for one in reader.wait("task.ended")] == [task]
        north.run("queue", "add", "live", "--number", "2990", "--member", account(bob))
        until(lambda: "live" in {one["data"]["name"] for one in reader.of("queue.changed")}, 10, "the queue is heard of", south.tail)
        north.run("queue", "remove", "live")
        assert "live" in {one["data"]["name"] for one in reader.wait("queue.removed")}
        with phones((north, caller), (north, bob)) as (calling, phone):
            talk(calling, phone, bob.number)
        records = reader.wait("record.added")
        assert [one["data"]["caller"] for one in records] == [caller.number], "once"
        assert narrow.of("call.ended") or narrow.wait("call.ended")
        assert not {one["type"] for one in narrow.events} - {"ready", "call.started", "call.changed", "call.ended", "missed"}


def test_the_map_at_each_shows_both_how_they_are_and_the_calls_between_them(both, admin):
    north, south = both
    office = Office(north)
    ada, caller = office.person(), office.person()
    rows = lambda: {one["name"]: one for one in admin.get("/exchanges").must(200).json["items"]}
    reader = Stream(south, admin.post("/tokens", {"name": "map", "scopes": ["events:read", "settings:read"]}).must(201).json["secret"])
    with contextlib.closing(reader), phones((north, caller), (south, ada)) as (calling, phone):
        until(lambda: all(rows().get(name, {}).get("phones") for name in ("north", "south")), 10, "a phone at each", south.tail)
        out = calling.invite(ada.number, sdp.describe(40000))
        branch = phone.wait_invite()
        branch.answer(sdp.describe(40002))
        out.wait_answer()
        until(lambda: rows()["north"]["calls"] == [{"with": "south", "count": 1}], 10, "the call between them is seen", south.tail)
        seen = admin.get("/exchanges").must(200).json
        assert (seen["own"], seen["connected"]) == ("south", None)
        assert [(one["name"], one["health"], one["keeps"], one["homes"]) for one in seen["items"]] == \
            [("north", "up", True, None), ("south", "up", False, None)]
        assert all(one["address"] and one["version"] and 0 <= one["load"] <= 1 for one in seen["items"])
        assert rows()["north"]["load"] > 0, "its media go through it"
        branch.bye()
        out.wait_bye()
        until(lambda: not rows()["north"]["calls"], 10, "and is over", south.tail)
        assert any(item["calls"] for one in reader.of("exchanges.changed") for item in one["data"]["items"]), "live as well"


def test_s0_1_who_sits_in_a_browser_at_one_is_rung_by_a_call_that_comes_to_the_other(both, admin, tmp_path):
    """baresip at north calls; the page is at south. Tone both ways; and the page calls a queue, which north keeps. When the session is
    over nobody is rung."""
    north, south = both
    office = Office(north)
    caller, ada = office.person(), office.person()
    until(lambda: admin.get(f"/people/{account(ada)}").status == 200, 5, "the person is known", south.tail)
    link = admin.post(f"/people/{account(ada)}/link").must(201).json["link"]
    microphone = tone.write_tone(tmp_path / "tone.wav", 440, 10, 48000, -15.0)
    web = lambda: [line for line in north.run("device", "list").stdout.splitlines() if f" {account(ada)} " in f" {line} " and "web-" in line]
    with Chromium(trust=spki(south.data / "certificate.pem"), microphone=microphone) as browser, \
            Baresip(caller.user, caller.secret, north.address(), hertz=1000) as telephone:
        visitor = Visitor(browser, south).enter(link[link.index("/enter/"):])
        page = visitor.phone().register()
        telephone.start().wait_registered()
        until(lambda: any("wss" in line for line in web()), 5, "north knows where the page is", north.tail)
        for ends in ("page", "telephone"):
            telephone.dial(ada.number)
            page.wait("rings", count=2 if ends == "telephone" else 1)
            page.do("take()")
            telephone.wait_established()
            tone.assert_tone(telephone.wait_heard(2.5), 440, None)
            ear.assert_hears(page.page, 1000)
            if ends == "page":
                page.do("session.terminate()")
                telephone.wait_closed()
            else:
                telephone.hangup()
                page.wait("ended")
        north.run("queue", "add", "desk", "--number", "8003", "--member", account(caller), "--answer-after", "0")
        north.run("agent", "sign-in", account(caller))
        until(lambda: admin.get("/queues/desk").status == 200, 5, "the queue is known at south", south.tail)
        page.do("call('8003')")
        telephone.wait_incoming(10)
        telephone.answer()
        telephone.wait_established()
        tone.assert_tone(telephone.wait_heard(2.5), 440, None)
        ear.assert_hears(page.page, 1000)
        telephone.hangup()
        page.wait("ended", count=3)
        north.run("agent", "sign-out", account(caller))
        status, _ = visitor.ask(page.page, "DELETE", "/session")
        assert status == 204
        until(lambda: not web(), 5, "the session is over, and its phone is gone at the other", north.tail)

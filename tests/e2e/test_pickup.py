"""C, R32: a ringing call is picked up by a lamp's key, by the group and by number; a talk is parked, seen by lamps, and taken
from another desk, or comes back to who parked it."""
import contextlib
import itertools
import time

import pytest

from e2e.test_fork import reason_of
from e2e.test_watching import DIALOG, Watcher, xml
from peers import baresip, sdp, tone
from peers.baresip import Baresip
from peers.exchange import Exchange
from peers.rtp import RtpEnd

ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'
PARK_SECONDS = 3
_groups = itertools.count(1)


@pytest.fixture(scope="module")
def exchange():
    with Exchange(config_extra=f"[calls]\npark_seconds = {PARK_SECONDS}\n") as running:
        yield running.start()


def account(person):
    return f"person-{person.number}"


def grouped(exchange, *people):
    """They are members of one hunt group from now on."""
    name = f"team{next(_groups)}"
    members = list(itertools.chain(*[("--member", account(one)) for one in people]))
    exchange.run("group", "add", name, "--number", f"88{next(_groups):02}", *members)


class Lamp(Watcher):
    """A busy lamp with a key."""

    def documents(self):
        return xml.fromstring(self.told().body).findall(DIALOG + "dialog")

    def wait(self, count):
        """The dialogs of the next document that has so many."""
        while True:
            found = self.documents()
            if len(found) == count:
                return found


def press(ua, number, dialog):
    """The key beside a lamp: an INVITE that replaces the dialog of the document (RFC 4235, RFC 3891)."""
    name = dialog.get("call-id")
    replaces = f"{name};to-tag={dialog.get('local-tag')};from-tag={dialog.get('remote-tag')}"
    return ua.invite(number, sdp.describe(40006), headers=[("Require", "replaces"), ("Replaces", replaces)])


@contextlib.contextmanager
def phones(office, *people):
    with contextlib.ExitStack() as stack:
        all_of = [stack.enter_context(office.raw(one)) for one in people]
        for one in all_of:
            one.register()
        yield all_of


def test_r32_a_lamps_key_answers_what_rings_there_once(exchange, office):
    """The colleague's lamp is lit with a name; the key takes the call; the phones that rang are told; the name is used up."""
    caller, ada, bob = office.person(), office.person(), office.person()
    grouped(exchange, ada, bob)
    with phones(office, caller, ada, bob) as (from_, phone, colleague):
        lamp = Lamp(colleague, ada.number, "dialog")
        lamp.wait(0)
        out = from_.invite(ada.number, sdp.describe(40000))
        branch = phone.wait_invite()
        branch.ring()
        [dialog] = lamp.wait(1)
        assert dialog.find(DIALOG + "state").text == "early" and dialog.get("call-id")
        taken = press(colleague, ada.number, dialog)
        taken.wait_answer()
        assert reason_of(branch.wait_cancel()) == ELSEWHERE
        out.wait_answer()
        assert len(out.answers()) >= 1 and len(out.to_tags()) == 1, "one dialog for the caller (R1)"
        # The name is used up: a second press calls, and takes nothing.
        again = press(colleague, ada.number, dialog)
        ringing = phone.wait_invite()
        ringing.ring()
        again.cancel()
        ringing.wait_cancel()
        assert again.wait_final().status == 487
        assert taken.bye().status == 200
        out.wait_bye()
    record = office.record(caller.number, ada.number)
    assert record["answered_by"] == bob.user and record["cause"] == "callee hung up", record


def test_r32_a_lamp_of_who_may_not_pick_up_has_no_name_and_its_key_takes_nothing(exchange, office):
    caller, ada, stranger, friend = (office.person() for _ in range(4))
    grouped(exchange, ada, friend)
    with phones(office, caller, ada, stranger, friend) as (from_, phone, other, colleague):
        dark, good = Lamp(other, ada.number, "dialog"), Lamp(colleague, ada.number, "dialog")
        dark.wait(0)
        good.wait(0)
        out = from_.invite(ada.number, sdp.describe(40000))
        branch = phone.wait_invite()
        branch.ring()
        [masked], [named] = dark.wait(1), good.wait(1)
        assert masked.get("call-id") is None and masked.find(DIALOG + "remote") is None
        # A name that somebody else was told opens nothing here: it is an ordinary call, to a phone that rings already.
        stolen = press(other, ada.number, named)
        second = phone.wait_invite()
        second.ring()
        stolen.cancel()
        second.wait_cancel()
        assert stolen.wait_final().status == 487
        # By number, neither: he hears why.
        refused = other.invite(f"*85{ada.number}", sdp.describe(40008))
        refused.wait_answer()
        time.sleep(0.5)
        assert phone.received("CANCEL")[1:] == [], "it rings on"
        refused.bye()
        branch.answer(sdp.describe(40002))
        out.wait_answer()
        assert out.bye().status == 200
        branch.wait_bye()
    assert office.record(caller.number, ada.number)["answered_by"] == ada.user


def talks_at(desk, branch, out, mine):
    """The desk, which says 700 Hz, has the call that rang at a branch: both are heard, and the caller hangs up."""
    desk.wait_established()
    assert reason_of(branch.wait_cancel()) == ELSEWHERE
    mine.send_to(out.wait_answer().sdp)
    mine.say(440)
    tone.assert_tone(mine.wait_heard(2.2), 700, baresip.TONE_DBFS)
    tone.assert_tone(desk.wait_heard(2.2), 440, -15)
    assert out.bye().status == 200
    desk.wait_closed()


@pytest.mark.parametrize("way", ["group", "right"])
def test_baresip_picks_up_by_code_and_both_are_heard(exchange, office, way):
    """*84 takes what rings in the group; *85 and a number takes it with the right `pickup`; the tone goes both ways."""
    caller, ada, bob = office.person(), office.person(), office.person()
    if way == "group":
        grouped(exchange, ada, bob)
        code = "*84"
    else:
        exchange.run("account", "set", account(bob), "--rights", "pickup")
        code = f"*85{ada.number}"
    with phones(office, ada) as (phone,), RtpEnd() as mine, office.raw(caller) as from_:
        with Baresip(bob.user, bob.secret, exchange.address(), hertz=700) as desk:
            desk.start().wait_registered()
            out = from_.invite(ada.number, sdp.describe(mine.port))
            branch = phone.wait_invite()
            branch.ring()
            desk.dial(code)
            talks_at(desk, branch, out, mine)
    record = office.record(caller.number, ada.number)
    assert record["answered_by"] == bob.user and record["cause"] == "caller hung up", record


def park(branch):
    """A blind transfer to the code: the exchange says where by a text, and the parker is out."""
    response = branch.ask("REFER", headers=[("Refer-To", f"<sip:*86@{branch.ua.domain}>")])
    assert response.status == 202, response


def test_a_talk_is_parked_seen_by_lamps_and_taken_at_another_desk(exchange, office):
    """Transfer to *86: 701 is lit; the caller hears music; whoever calls 701 has the caller; the lamp is dark again."""
    caller, ada, bob = office.person(), office.person(), office.person()
    with phones(office, ada) as (phone,), RtpEnd() as mine, office.raw(caller) as from_, office.raw(bob) as watcher:
        lamp = Lamp(watcher, "701", "dialog")
        lamp.wait(0)
        out = from_.invite(ada.number, sdp.describe(mine.port))
        branch = phone.wait_invite()
        branch.answer(sdp.describe(40002))
        mine.send_to(out.wait_answer().sdp)
        mine.say(440)
        park(branch)
        [dialog] = lamp.wait(1)
        assert dialog.find(DIALOG + "state").text == "confirmed"
        assert dialog.find(DIALOG + "remote") is None, "who waits there is nobody's business (R32)"
        with Baresip(bob.user, bob.secret, exchange.address(), hertz=850) as desk:
            desk.start().wait_registered()
            desk.dial("701")
            desk.wait_established()
            lamp.wait(0)
            heard = mine.wait_heard(4).last(1.5)
            assert abs(heard.hertz() - 850) < 4, f"heard {heard.hertz():.1f} Hz"
            tone.assert_tone(desk.wait_heard(2.2), 440, -15)
            assert out.bye().status == 200
            desk.wait_closed()
    office.record(caller.number, ada.number)


def test_what_nobody_takes_comes_back_to_who_parked_it(exchange, office):
    """After park_seconds it rings again at the parker's phone, who has the caller back; the lamp is dark."""
    caller, ada, bob = office.person(), office.person(), office.person()
    with phones(office, caller, ada, bob) as (from_, phone, other):
        lamp = Lamp(other, "701", "dialog")
        lamp.wait(0)
        out = from_.invite(ada.number, sdp.describe(40000))
        branch = phone.wait_invite()
        branch.answer(sdp.describe(40002))
        out.wait_answer()
        park(branch)
        lamp.wait(1)
        begun = time.monotonic()
        back = phone.wait_invite(PARK_SECONDS + 5)
        assert time.monotonic() - begun >= PARK_SECONDS - 1
        lamp.wait(0)
        back.ring()
        back.answer(sdp.describe(40010))
        # Too late: nobody waits there any more, and whoever calls hears so.
        late = other.invite("701", sdp.describe(40012))
        late.wait_status(range(180, 300))
        assert from_.received("BYE") == []
        assert out.bye().status == 200
        back.wait_bye()
    record = office.record(caller.number, ada.number)
    facts = exchange.run("explain", "call", record["session_id"]).stdout
    assert "park.over" in facts and record["cause"] == "caller hung up", (record, facts)

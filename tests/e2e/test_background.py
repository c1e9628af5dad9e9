"""E: background calls by real phones: who hears what and when, what is written down, what dies with the exchange (S2)."""
import os
import signal
import sqlite3
import time

import pytest

from e2e.conftest import Office
from e2e.test_durability import POINTS, keep_port, knows_failpoints
from peers import baresip, g711, sdp, tone
from peers.api import administrator
from peers.baresip import Baresip
from peers.exchange import Exchange
from peers.pjsua import Pjsua
from peers.rtp import RtpEnd
from peers.softphone import Softphone
from peers.spoken import likeness, prompt
from peers.waiting import until

# S2.2: the first sound leaves for B so soon after B's 200.
FIRST_SOUND_MS = 300


@pytest.fixture(scope="module")
def admin(exchange):
    return administrator(exchange)


def may(exchange, person):
    """This person may have background calls."""
    exchange.run("account", "set", f"person-{person.number}", "--rights", "background")
    return f"person-{person.number}"


def start(admin, account, number):
    return admin.post("/tasks", {"account": account, "number": number}).must(201).json


def task(admin, made):
    return admin.get(f"/tasks/{made['id']}").must(200).json


def wait_ended(admin, made, seconds=20):
    until(lambda: task(admin, made)["state"] == "ended", seconds, "the task ends", lambda: task(admin, made))
    return task(admin, made)


def outbox(exchange):
    """The messages that wait: (account, text)."""
    with sqlite3.connect(f"file:{exchange.data}/office.db?mode=ro", uri=True) as database:
        return database.execute("SELECT account, text FROM outbox ORDER BY at").fetchall()


def the_two_talk(calling, called):
    """B (pjsua2, 1000 Hz) answers; A (baresip, 440 Hz) rings, and answers; each hears the other."""
    called.answer()
    calling.wait_incoming(10)
    calling.answer()
    calling.wait_established()
    called.wait_established()
    tone.assert_tone(called.wait_heard(8).last(2), 440, baresip.TONE_DBFS)
    heard = calling.wait_heard(3).last(2)
    assert abs(heard.hertz() - 1000) < 4, f"heard {heard.hertz():.1f} Hz"
    calling.hangup()
    called.wait_closed()


def active_again(phone):
    """B is at the phone: whoever waits for B calls now, whatever the last attempt came to."""
    phone.dial("600")
    phone.wait_established()
    phone.hangup()
    phone.wait_closed()


# ---- Show 1


def test_s2_b_is_called_until_he_answers_and_the_two_talk(exchange, office, admin):
    """B (pjsua2) is busy twice, then does not answer, then does; A (baresip) rings, and each hears the other's tone. One
    record for each attempt, all with the task's number."""
    a, b = office.person(), office.person()
    account = may(exchange, a)
    calling = Baresip(a.user, a.secret, exchange.address(), hertz=440)
    called = Pjsua(b.user, b.secret, exchange.address(), hertz=1000)
    with calling, called:
        calling.start().wait_registered()
        called.start().wait_registered()
        made = start(admin, account, b.number)
        assert made["first"] == "callee" and made["state"] in ("waiting", "calling"), made
        for _ in range(2):
            called.wait_incoming(15)
            called.answer(code=486)
            until(lambda: "spacing" not in task(admin, made)["why"] and task(admin, made)["attempts"], 5, "it is busy")
            active_again(called)
        called.wait_incoming(15)
        # Nobody answers: B's phone rings until the attempt is given up.
        called.wait_closed(40)
        assert not calling.saw("CALL_INCOMING"), "A's phone is silent all the while"
        active_again(called)
        called.wait_incoming(15)
        the_two_talk(calling, called)
    ended = wait_ended(admin, made)
    assert [one["outcome"] for one in ended["attempts"]] == ["busy", "busy", "no_answer", "answered"], ended
    records = admin.get(f"/records?task={made['id']}").must(200).json["items"]
    assert [one["cause"] for one in reversed(records)] == ["busy", "busy", "no answer", "caller hung up"], records
    assert all(str(one["task"]) == made["id"] and one["caller"] == a.number for one in records)
    assert records[0]["answered_by"] == b.user and records[0]["answered"], records[0]
    listed = exchange.run("task", "calls", made["id"]).stdout.splitlines()
    assert len(listed) == 5 and "busy" in listed[1] and "caller hung up" in listed[4], listed
    told = exchange.run("explain", "task", made["id"]).stdout
    for words in ("attempt 4 calls", "busy", "they talk", "reached"):
        assert words in told, told


def test_s2_2_b_hears_who_calls_within_300_ms_and_never_silence(exchange, office, admin):
    """By what arrives at B: speech at once, in the words of the catalogue, then music, then A."""
    a, b = office.person(), office.person()
    account = may(exchange, a)
    with office.raw(a) as mine, office.raw(b) as theirs, RtpEnd() as ear, RtpEnd() as mouth:
        mine.register()
        theirs.register()
        made = start(admin, account, b.number)
        call = theirs.wait_invite()
        call.ring()
        answered = time.monotonic()
        call.answer(sdp.describe(ear.port, codecs=(sdp.PCMU, sdp.TELEPHONE_EVENT)))
        ringing = mine.wait_invite()
        assert b.number in ringing.invite.get("from"), "A sees whom it is about"
        assert sdp.audio(ringing.offer).codecs == ["PCMU"], "R4: B's codec and nothing else"
        ringing.ring()
        ear.wait_packets(100)
        loud = [
            packet for packet in ear.speech()
            if tone.level_dbfs(g711.decode(packet.payload, packet.payload_type)) > -40
        ]
        assert 1000 * (loud[0].arrived - answered) <= FIRST_SOUND_MS, loud[0].arrived - answered
        ear.wait_heard(6)
        assert likeness(ear.heard().samples, prompt("call-from")) > 0.6
        assert task(admin, made)["state"] == "connecting"
        ringing.answer(sdp.describe(mouth.port, codecs=(sdp.PCMU, sdp.TELEPHONE_EVENT)))
        mouth.send_to(ringing.offer)
        mouth.say(440)
        merged = time.monotonic()
        until(lambda: ear.heard().last(0.5).talk().seconds > 0.4 and abs(ear.heard().last(0.5).hertz() - 440) < 4, 5,
              "B hears A")
        assert time.monotonic() - merged < 3
        ear.assert_one_stream()
        assert ear.longest_pause_ms() < 200, ear.longest_pause_ms()
        call.bye()
        mine.wait_request("BYE")
    assert wait_ended(admin, made)["why"] == "reached"


# ---- Show 2


def test_s2_6_a_does_not_answer_b_is_told_and_never_called_again(exchange, office, admin):
    a, b = office.person(), office.person()
    account = may(exchange, a)
    with office.raw(a) as mine, office.raw(b) as theirs, RtpEnd() as ear:
        mine.register()
        theirs.register()
        made = start(admin, account, b.number)
        call = theirs.wait_invite()
        call.answer(sdp.describe(ear.port, codecs=(sdp.PCMU, sdp.TELEPHONE_EVENT)))
        ringing = mine.wait_invite()
        ringing.ring()
        ringing.refuse(486)
        until(lambda: any(who == account for who, _ in outbox(exchange)), 3, "the message is written")
        said = next(text for who, text in outbox(exchange) if who == account)
        assert b.number in said, said
        until(lambda: "answered" in mine.tail() or mine.received("MESSAGE"), 5, "A's phone shows it")
        call.wait_bye(30)
        assert likeness(ear.heard().samples, prompt("caller-gone")) > 0.6
        ended = wait_ended(admin, made)
        assert ended["why"].startswith("answered, and nobody was there"), ended
        # B is at the phone again, and is left alone.
        time.sleep(7)
        assert len(theirs.received("INVITE")) == 1


# ---- Show 3


def test_s2_8_stop_at_every_moment(exchange, office, admin):
    a, b = office.person(), office.person()
    account = may(exchange, a)
    with office.raw(a) as mine, office.raw(b) as theirs, RtpEnd() as ear:
        mine.register()
        theirs.register()
        made = start(admin, account, b.number)
        call = theirs.wait_invite()
        call.ring()
        admin.ask("DELETE", f"/tasks/{made['id']}").must(204)
        call.wait_cancel()
        assert wait_ended(admin, made)["why"] == "stopped"
        made = start(admin, account, b.number)
        call = theirs.wait_invite(20)
        call.answer(sdp.describe(ear.port, codecs=(sdp.PCMU, sdp.TELEPHONE_EVENT)))
        ringing = mine.wait_invite()
        ringing.ring()
        assert exchange.run("task", "stop", made["id"]).stdout.strip() == f"background call {made['id']} is stopped"
        ringing.wait_cancel()
        call.wait_bye(20)
        assert likeness(ear.heard().samples, prompt("caller-gone")) > 0.6, "whoever waits is told"


def test_a_code_starts_it_and_says_so(exchange, office, admin):
    a, b = office.person(), office.person()
    account = may(exchange, a)
    with Baresip(a.user, a.secret, exchange.address()) as phone:
        phone.start().wait_registered()
        phone.dial(f"*66{b.number}")
        phone.wait_established()
        phone.wait_closed(20)
        assert phone.heard().talk().seconds > 2
    mine = [one for one in admin.get(f"/tasks?find={account}").must(200).json["items"] if one["account"] == account]
    assert [one["number"] for one in mine] == [b.number], mine
    admin.ask("DELETE", f"/tasks?account={account}").must(204)


def test_s2_10_our_own_phone_counts_suggests_and_sends_the_instruction_after_a_yes(exchange, office, admin):
    """Two calls in vain; the phone asks, nobody else does; no starts nothing, an answer resets, yes starts it."""
    a, b = office.person(), office.person()
    account = may(exchange, a)
    with (
        Softphone(a.user, a.secret, exchange.address(), extra=("--suggest-after", "2")) as phone,
        office.raw(b) as theirs, RtpEnd() as ear,
    ):
        phone.start().wait_registered()
        theirs.register()

        def in_vain():
            began = time.monotonic()
            phone.dial(b.number)
            theirs.wait_invite().refuse(486)
            assert phone.wait_closed()["cause"]["refused"]["status"] == 486
            assert time.monotonic() - began < 4, "the exchange offers nothing to a phone that counts itself"

        in_vain()
        assert not phone.saw("suggested")
        in_vain()
        assert phone.wait_event("suggested", number=b.number)["calls"] == 2
        phone.do("keep_calling", yes=False)
        in_vain()
        in_vain()
        assert len(phone.saw("suggested")) == 1, "once until somebody answers"
        assert not tasks_of(admin, account), "a no starts nothing"
        phone.dial(b.number)
        call = theirs.wait_invite()
        call.answer(sdp.describe(ear.port, codecs=(sdp.PCMU, sdp.TELEPHONE_EVENT)))
        phone.wait_established()
        call.bye()
        phone.wait_closed()
        in_vain()
        in_vain()
        phone.wait_event("suggested", number=b.number)
        phone.do("keep_calling", yes=True)
        until(lambda: [one["number"] for one in tasks_of(admin, account)] == [b.number], 5, "it is asked for")
        admin.ask("DELETE", f"/tasks?account={account}").must(204)


def tasks_of(admin, account):
    """The background calls of an account that go on."""
    items = admin.get(f"/tasks?find={account}").must(200).json["items"]
    return [one for one in items if one["account"] == account and one["state"] != "ended"]


def test_who_may_not_and_emergencies(exchange, office, admin):
    a, b = office.person(), office.person()
    answer = admin.post("/tasks", {"account": f"person-{a.number}", "number": b.number})
    assert answer.status == 403 and "background" in answer.json["detail"], answer.body
    account = may(exchange, a)
    assert admin.post("/tasks", {"account": account, "number": "4711999"}).status == 422
    assert admin.post("/tasks", {"account": account, "number": a.number}).status == 422


# ---- Show 4


DEATHS = [one for one in POINTS if one.startswith(("store.", "core.before_promise"))]


@pytest.mark.parametrize("point,times", [*((point, 2) for point in DEATHS), *((DEATHS[0], times) for times in (1, 3, 4))])
def test_r26_no_attempt_is_made_twice_when_the_exchange_dies(point, times):
    """The exchange dies at the Nth commit of a task's life and begins anew: each INVITE is another attempt, none is lost,
    and the task goes on. The simulated office dies at every event (crates/testkit/tests/background_deaths.rs)."""
    with Exchange(media_span=400) as own:
        own.start()
        if not knows_failpoints(own):
            pytest.skip("this build has no failpoints")
        office = Office(own)
        a, b = office.person(), office.person()
        may(own, a)
        with office.raw(a) as mine, office.raw(b) as theirs:
            mine.register(expires=3600)
            theirs.register(expires=3600)
            own.stop()
            keep_port(own, own.host_port()[1])
            os.environ["RINGDOWN_FAILPOINT"] = f"{point}:{times}"
            try:
                own.start()
            finally:
                del os.environ["RINGDOWN_FAILPOINT"]
            asked = own.run("task", "start", b.number, "--account", f"person-{a.number}", ok=False)
            # Until it dies, B is busy whenever the phone rings.
            deadline = time.monotonic() + 12
            while own.alive() and time.monotonic() < deadline:
                busy(theirs)
            died = not own.alive()
            if died:
                assert own.wait_end(5) == -signal.SIGABRT, own.log()
                keep_port(own, own.host_port()[1])
                own.start()
            calls_before = invites(theirs)
            listed = own.run("task", "list").stdout
            if asked.returncode == 0:
                assert b.number in listed, "what was promised is there"
            if b.number in listed:
                made = int(next(line for line in listed.splitlines() if b.number in line).split(" of ")[0].split()[-1])
                # A claim may have died before its INVITE left; no INVITE left without its claim.
                assert calls_before <= made <= calls_before + 1, (calls_before, listed)
                until(lambda: busy(theirs) or invites(theirs) > calls_before, 75, "it goes on", own.tail)
        assert died or times > 1, "the point was reached"


def invites(phone):
    """Calls that came, each once however often it was sent."""
    return len({one.get("call-id") for one in phone.received("INVITE")})


def busy(phone):
    try:
        phone.wait_invite(0.2).refuse(486)
        return True
    except AssertionError:
        return False

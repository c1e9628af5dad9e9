"""D: agents and queues by real phones: who waits hears music, states follow calls, and the next caller comes by itself (S0)."""
import datetime
import time

import pytest

from peers import baresip, sdp, tone
from peers.api import administrator
from peers.baresip import Baresip
from peers.pjsua import Pjsua
from peers.rtp import RtpEnd
from peers.spoken import assert_says
from peers.waiting import until

WRAP_UP_S = 5
# A switch by itself may be so late (issue D, Show 1).
LATE_S = 0.1


@pytest.fixture(scope="module")
def admin(exchange):
    return administrator(exchange)


@pytest.fixture
def queue(exchange, office, admin, request):
    """A queue of its own, its number, and an agent of it."""
    agent = office.person()
    name = f"queue-{agent.number}"
    number = f"8{agent.number}"
    exchange.run(
        "queue", "add", name, "--number", number, "--member", f"person-{agent.number}",
        "--wrap-up", str(WRAP_UP_S), "--answer-after", "0", "--announce", "20",
    )
    yield name, number, agent
    exchange.run("queue", "remove", name)


def stands(admin, agent):
    return admin.get(f"/agents/person-{agent.number}").must(200).json


def wait_state(admin, agent, state, seconds=5):
    until(lambda: stands(admin, agent)["state"] == state, seconds, f"the agent is {state}",
          lambda: stands(admin, agent), every=0.02)
    return stands(admin, agent)


def dial_code(phone, code):
    """A key of a desk phone: the code is answered by words, and hangs up by itself."""
    phone.dial(code)
    phone.wait_established()
    phone.wait_closed(20)


def heard_from_now(caller):
    """Two seconds without the music that was heard before."""
    time.sleep(3)
    return caller.heard().last(2)


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_s0_14_a_caller_waits_talks_and_the_next_one_comes_by_itself(exchange, office, admin, queue):
    """Two callers (pjsua2) wait with music; the agent (baresip) signs in by a code, talks with the first, with tone both
    ways, and after a wrap-up that ends by itself with the second."""
    name, number, agent = queue
    first, second = office.person(), office.person()
    phone = Baresip(agent.user, agent.secret, exchange.address(), hertz=440)
    callers = [Pjsua(one.user, one.secret, exchange.address(), hertz=1000) for one in (first, second)]
    with phone, callers[0], callers[1]:
        phone.start().wait_registered()
        for caller in callers:
            caller.start().wait_registered()
            caller.dial(number)
            caller.wait_established(5)
        music = callers[0].wait_heard(6).last(2)
        assert music.level_dbfs() > -45, "whoever waits hears something"
        assert_says(callers[1].wait_heard(6), "queue-place")
        assert admin.get(f"/queues/{name}").must(200).json["now"]["waiting"] == 2
        phone.dial("*40")
        phone.wait_established()
        phone.hangup()
        phone.wait_closed()
        phone.wait_incoming(10)
        assert stands(admin, agent)["state"] == "ringing"
        phone.answer()
        phone.wait_established()
        assert wait_state(admin, agent, "talking")["words"] == f"talking with {first.number}"
        tone.assert_tone(heard_from_now(callers[0]), 440, baresip.TONE_DBFS)
        heard = phone.wait_heard(3).last(2)
        assert abs(heard.hertz() - 1000) < 4, f"heard {heard.hertz():.1f} Hz"
        callers[0].hangup()
        row = wait_state(admin, agent, "wrap-up")
        assert row["words"].startswith(f"wrap-up {WRAP_UP_S} s by queue {name}, ends "), row
        phone.wait_incoming(WRAP_UP_S + 3)
        assert time.time() - moment(row["ends"]) < 1, "the next caller comes at once"
        phone.answer()
        wait_state(admin, agent, "talking")
        tone.assert_tone(heard_from_now(callers[1]), 440, baresip.TONE_DBFS)
        phone.hangup()
        callers[1].wait_closed()
    for caller, cause in ((first, "caller hung up"), (second, "callee hung up")):
        record = office.record(caller.number, number)
        assert (record["cause"], record["answered_by"], record["status"]) == (cause, agent.user, 200), record
    counts = admin.get(f"/queues/{name}").must(200).json["now"]
    assert (counts["offered"], counts["answered"], counts["abandoned"]) == (2, 2, 0), counts
    told = exchange.run("explain", "agent", f"person-{agent.number}").stdout
    for words in ("agents.sign-in", f"wrap-up {WRAP_UP_S} s by queue {name}", "agents.time"):
        assert words in told, told


def test_s0_14_the_switch_is_as_exact_as_it_is_shown(exchange, office, admin, queue):
    """By events: the wrap-up that was told ends at the moment that was told."""
    name, number, agent = queue
    caller = office.person()
    with office.raw(agent) as desk, office.raw(caller) as theirs, RtpEnd() as ear, RtpEnd() as mouth:
        desk.register()
        theirs.register()
        admin.post("/agents", {"account": f"person-{agent.number}"}).must(200)
        call = theirs.invite(number, sdp.describe(mouth.port, codecs=(sdp.PCMU, sdp.TELEPHONE_EVENT)))
        ringing = desk.wait_invite()
        ringing.ring()
        ringing.answer(sdp.describe(ear.port, codecs=(sdp.PCMU, sdp.TELEPHONE_EVENT)))
        call.wait_answer()
        wait_state(admin, agent, "talking")
        call.bye()
        ends = moment(wait_state(admin, agent, "wrap-up")["ends"])
        time.sleep(max(0, ends - time.time() - 0.3))
        assert stands(admin, agent)["state"] == "wrap-up"
        until(lambda: stands(admin, agent)["state"] == "ready", 2, "ready", every=0.01)
        since = moment(stands(admin, agent)["since"])
        assert abs(since - ends) <= LATE_S, since - ends


def test_s0_15_by_hand_at_any_time(exchange, office, admin, queue):
    """Codes, commands and the API say the same; a caller who gives up is in the record."""
    name, number, agent = queue
    caller = office.person()
    account = f"person-{agent.number}"
    phone = Baresip(agent.user, agent.secret, exchange.address())
    waiting = Pjsua(caller.user, caller.secret, exchange.address(), hertz=1000)
    with phone, waiting:
        phone.start().wait_registered()
        waiting.start().wait_registered()
        dial_code(phone, "*40")
        dial_code(phone, "*432")
        assert stands(admin, agent)["reason"] == "lunch"
        waiting.dial(number)
        waiting.wait_established(5)
        time.sleep(2)
        waiting.hangup()
        waiting.wait_closed()
        said = exchange.run("agent", "ready", account).stdout
        assert "ready" in said, said
        exchange.run("agent", "pause", account, "--reason", "training")
        assert stands(admin, agent)["words"] == "not ready: training"
        admin.post(f"/agents/{account}/state", {"state": "ready"}).must(200)
        assert account in exchange.run("agent", "list").stdout
        exchange.run("agent", "sign-out", account)
        assert stands(admin, agent)["state"] == "offline"
    record = office.record(caller.number, number)
    assert record["detail"].startswith(f"gave up in queue {name} after "), record
    assert not record["answered_by"] and record["cause"] == "cancelled", record


def test_r20_a_restart_keeps_who_works_and_why_not(exchange, office, admin, queue):
    name, _, agent = queue
    account = f"person-{agent.number}"
    admin.post("/agents", {"account": account, "queues": [name]}).must(200)
    admin.post(f"/agents/{account}/state", {"state": "not-ready", "reason": "lunch"}).must(200)
    before = stands(admin, agent)
    until(lambda: exchange.run("explain", "agent", account).stdout.count("lunch"), 5, "it is kept")
    time.sleep(1)
    exchange.restart()
    after = stands(administrator(exchange), agent)
    kept = ("state", "reason", "queues", "signed_in")
    assert [after[key] for key in kept] == [before[key] for key in kept], (before, after)
    # Kept by the wall clock, which the two clocks of a process round to.
    assert abs(moment(after["ends"]) - moment(before["ends"])) <= 0.002, (before, after)

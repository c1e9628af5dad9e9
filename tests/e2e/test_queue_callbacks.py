"""E, queues: by real phones, a caller presses a key, hangs up, keeps the place and is called back by an agent (S2, S0)."""
import signal

import pytest

from e2e.conftest import Office
from e2e.test_durability import keep_port
from e2e.test_queues import dial_code, heard_from_now, stands, wait_state
from peers import baresip, tone
from peers.api import administrator
from peers.baresip import Baresip
from peers.exchange import Exchange
from peers.pjsua import Pjsua
from peers.spoken import assert_says
from peers.waiting import until


@pytest.fixture(scope="module")
def admin(exchange):
    return administrator(exchange)


@pytest.fixture
def own():
    """An exchange of the test's own, which may die."""
    with Exchange(media_span=400) as exchange:
        exchange.start()
        yield exchange


def add_queue(exchange, office, *options):
    """A queue with callbacks: its name, its number, and an agent of it."""
    agent = office.person()
    name, number = f"queue-{agent.number}", f"8{agent.number}"
    exchange.run(
        "queue", "add", name, "--number", number, "--member", f"person-{agent.number}", "--wrap-up", "5",
        "--answer-after", "0", "--announce", "20", "--callback", *options,
    )
    return name, number, agent


def callbacks(admin, queue):
    items = admin.get("/tasks").must(200).json["items"]
    return [one for one in items if one["queue"] == queue]


def standing(admin, queue):
    return admin.get(f"/queues/{queue}").must(200).json["now"]


def ask(admin, caller, number, queue, press):
    """Waits, presses the key, hears that the place is kept, and is let go."""
    caller.dial(number)
    caller.wait_established(5)
    # The place and the offer are said.
    caller.wait_heard(9)
    press()
    caller.wait_closed(25)
    until(lambda: standing(admin, queue)["callbacks"] == 1, 5, "the place is kept", lambda: standing(admin, queue))
    return callbacks(admin, queue)[-1]


def test_a_caller_is_called_back_though_the_exchange_dies_between(own):
    """The caller (baresip, RFC 4733) asks; kill -9; the agent (pjsua2) signs in, answers, and hears it ring; then tone both
    ways. One record for the wish and one for the talk, both with the task's number."""
    office = Office(own)
    queue, number, agent = add_queue(own, office)
    person = office.person()
    caller = Baresip(person.user, person.secret, own.address(), hertz=440)
    phone = Pjsua(agent.user, agent.secret, own.address(), hertz=1000)
    with caller, phone:
        caller.start().wait_registered()
        phone.start().wait_registered()
        made = ask(administrator(own), caller, number, queue, lambda: caller.dtmf("1"))
        assert (made["number"], made["place"], made["rule"]) == (person.number, 1, "agent"), made
        for name in ("queue-callback", "callback-at", "callback-kept"):
            assert_says(caller.heard(), name)
        own.stop(sign=signal.SIGKILL)
        keep_port(own, own.host_port()[1])
        own.start()
        admin = administrator(own)
        after = callbacks(admin, queue)
        assert [(one["id"], one["place"]) for one in after] == [(made["id"], 1)], after
        admin.post("/agents", {"account": f"person-{agent.number}"}).must(200)
        phone.wait_incoming(10)
        assert stands(admin, agent)["words"] == f"reserved for a callback of {person.number} in queue {queue}"
        phone.ring()
        row = wait_state(admin, agent, "ringing")
        assert row["words"] == f"ringing for a callback of {person.number} in queue {queue}", row
        assert not caller.saw("CALL_INCOMING"), "the agent first"
        phone.answer()
        caller.wait_incoming(10)
        assert stands(admin, agent)["words"] == f"ringing with {person.number}"
        caller.answer()
        wait_state(admin, agent, "talking")
        tone.assert_tone(heard_from_now(phone), 440, baresip.TONE_DBFS)
        heard = caller.wait_heard(3).last(2)
        assert abs(heard.hertz() - 1000) < 4, f"heard {heard.hertz():.1f} Hz"
        phone.hangup()
        caller.wait_closed()
        wait_state(admin, agent, "wrap-up")
    now = standing(admin, queue)
    assert (now["waiting"], now["callbacks"], now["called_back"]) == (0, 0, 1), now
    records = admin.get(f"/records?task={made['id']}").must(200).json["items"]
    assert [(one["caller"], one["callee"], one["cause"]) for one in records] == [
        (number, person.number, "caller hung up")], records
    wish = office.record(person.number, number)
    assert wish["detail"] == f"asked to be called back: task {made['id']}", wish
    told = own.run("explain", "task", made["id"]).stdout
    for words in ("place 1 of queue", "is reserved", "they talk", "reached"):
        assert words in told, told


def test_by_info_the_caller_first_and_the_place_before_who_came_later(exchange, office, admin):
    """The key by SIP INFO (pjsua2) in a queue that calls the caller first: who calls is said, then music, then the agent
    (baresip), before a caller who came later and waits on the line."""
    queue, number, agent = add_queue(exchange, office, "--callback-first", "caller", "--callback-key", "3")
    first, second = office.person(), office.person()
    caller = Pjsua(first.user, first.secret, exchange.address(), hertz=1000)
    later = Pjsua(second.user, second.secret, exchange.address(), hertz=600)
    phone = Baresip(agent.user, agent.secret, exchange.address(), hertz=440)
    with caller, later, phone:
        for one in (caller, later, phone):
            one.start().wait_registered()
        ask(admin, caller, number, queue, lambda: caller.dtmf("3", method="info"))
        later.dial(number)
        later.wait_established(5)
        assert standing(admin, queue)["waiting"] == 2
        dial_code(phone, "*40")
        caller.wait_incoming(10)
        assert stands(admin, agent)["state"] == "reserved", "before the caller is called"
        before = caller.mark()
        caller.answer()
        phone.wait_incoming(10)
        assert_says(caller.wait_heard(5, before), "callback-here")
        phone.answer()
        wait_state(admin, agent, "talking")
        tone.assert_tone(heard_from_now(caller), 440, baresip.TONE_DBFS)
        heard = phone.wait_heard(3).last(2)
        assert abs(heard.hertz() - 1000) < 4, f"heard {heard.hertz():.1f} Hz"
        now = standing(admin, queue)
        assert (now["waiting"], now["callbacks"], now["called_back"]) == (1, 0, 1), now
        phone.hangup()
        caller.wait_closed()
        later.hangup()
    exchange.run("queue", "remove", queue)


def test_busy_frees_the_agent_and_a_stop_ends_it(exchange, office, admin):
    """The caller is busy: the agent is ready at once, with no missed call; stopped by the API, nobody is called again."""
    queue, number, agent = add_queue(exchange, office)
    person = office.person()
    caller = Baresip(person.user, person.secret, exchange.address())
    with caller, office.raw(agent) as desk:
        caller.start().wait_registered()
        desk.register()
        made = ask(admin, caller, number, queue, lambda: caller.dtmf("1"))
        caller.stop()
        with office.raw(person) as theirs:
            theirs.register()
            admin.post("/agents", {"account": f"person-{agent.number}"}).must(200)
            ringing = desk.wait_invite()
            assert person.number in ringing.invite.get("from"), "the agent sees whom it is about"
            ringing.ring()
            ringing.answer("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n")
            theirs.wait_invite().refuse(486)
            ringing.wait_bye(5)
            row = wait_state(admin, agent, "ready")
            assert row["missed"] == 0, row
            until(lambda: callbacks(admin, queue)[-1]["made"] == 1, 5, "it counts", lambda: callbacks(admin, queue))
            listed = exchange.run("task", "list").stdout
            assert f"queue {queue}" in listed, listed
            admin.ask("DELETE", f"/tasks/{made['id']}").must(204)
            until(lambda: standing(admin, queue)["callbacks"] == 0, 5, "it is over")
            assert standing(admin, queue)["callbacks_lost"] == 1
    exchange.run("queue", "remove", queue)

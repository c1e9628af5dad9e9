"""E, Show 3, what tests/e2e/test_background.py leaves: the offer by voice, background mode, and how the two find each
other by themselves (S2)."""
import time

import pytest

from e2e.test_background import may, start, task, tasks_of, wait_ended
from e2e.test_queues import dial_code
from peers import sdp
from peers.api import administrator
from peers.baresip import Baresip
from peers.rtp import RtpEnd
from peers.spoken import assert_says
from peers.waiting import until

# Calls in vain after which it is offered, where nothing else is configured.
IN_VAIN = 3
# Show 3: so soon after B is free, B's phone is called.
FREE_MS = 200
PLAIN = (sdp.PCMU, sdp.TELEPHONE_EVENT)


@pytest.fixture(scope="module")
def admin(exchange):
    return administrator(exchange)


def in_vain(phone, theirs, number):
    """A call that B declines by being busy; it rings off at A by itself."""
    phone.dial(number)
    theirs.wait_invite().refuse(486)


def test_s2_5_a_phone_that_cannot_is_offered_it_by_voice_and_only_a_yes_starts_it(exchange, office, admin):
    """baresip: two calls in vain say nothing; the third is offered, and another key, then silence, start nothing; an answer
    begins the count anew; 1 starts it."""
    for key, answered in (("2", False), ("1", True)):
        a, b = office.person(), office.person()
        account = may(exchange, a)
        with Baresip(a.user, a.secret, exchange.address()) as phone, office.raw(b) as theirs, RtpEnd() as ear:
            phone.start().wait_registered()
            theirs.register()
            if answered:
                # Two in vain, an answer, two in vain: nobody is asked yet.
                for _ in range(2):
                    in_vain(phone, theirs, b.number)
                    phone.wait_closed(6)
                phone.dial(b.number)
                call = theirs.wait_invite()
                call.answer(sdp.describe(ear.port, codecs=PLAIN))
                phone.wait_established()
                call.bye()
                phone.wait_closed()
            for _ in range(IN_VAIN - 1):
                in_vain(phone, theirs, b.number)
                phone.wait_closed(6)
            in_vain(phone, theirs, b.number)
            phone.wait_heard(2.5)
            # Its end is still said: a key stops it.
            phone.dtmf(key)
            phone.wait_closed(20)
            assert_says(phone.heard(), "offer-keep-calling", seconds=1.5)
            if answered:
                until(lambda: [one["number"] for one in tasks_of(admin, account)] == [b.number], 5, "a yes starts it")
                admin.ask("DELETE", f"/tasks?account={account}").must(204)
            else:
                time.sleep(1)
                assert not tasks_of(admin, account), "another key is no yes"


def test_s2_4_in_background_mode_a_call_that_is_not_answered_goes_on(exchange, office, admin):
    """Switched on by *82 at a desk phone (baresip): the caller hears so, and the task is there; *83 ends the mode."""
    a, b = office.person(), office.person()
    account = may(exchange, a)
    with Baresip(a.user, a.secret, exchange.address()) as phone, office.raw(b) as theirs:
        phone.start().wait_registered()
        theirs.register()
        dial_code(phone, "*82")
        in_vain(phone, theirs, b.number)
        phone.wait_closed(15)
        until(lambda: [one["number"] for one in tasks_of(admin, account)] == [b.number], 5, "it goes on")
        # The exchange calls B for A.
        theirs.wait_invite(15).refuse(486)
        admin.ask("DELETE", f"/tasks?account={account}").must(204)
        dial_code(phone, "*83")
        in_vain(phone, theirs, b.number)
        phone.wait_closed(15)
        time.sleep(1)
        assert not tasks_of(admin, account)


def test_b_calls_a_meanwhile_and_the_task_ends(exchange, office, admin):
    a, b = office.person(), office.person()
    account = may(exchange, a)
    with office.raw(a) as mine, office.raw(b) as theirs, RtpEnd() as ear, RtpEnd() as mouth:
        mine.register()
        theirs.register()
        made = start(admin, account, b.number)
        theirs.wait_invite().refuse(486)
        until(lambda: task(admin, made)["made"] == 1, 5, "B is busy")
        call = theirs.invite(a.number, sdp.describe(mouth.port, codecs=PLAIN))
        mine.wait_invite().answer(sdp.describe(ear.port, codecs=PLAIN))
        call.wait_answer()
        assert wait_ended(admin, made)["why"] == "stopped: they called"
        call.bye()
        time.sleep(7)
        assert len(theirs.received("INVITE")) == 1, "B is not called any more"


def test_b_inside_who_is_busy_is_called_the_moment_he_is_free(exchange, office, admin):
    """B talks with somebody: his phone does not ring; within 200 ms of his BYE it does."""
    a, b, c = office.person(), office.person(), office.person()
    account = may(exchange, a)
    with (
        office.raw(a) as mine, office.raw(b) as theirs, office.raw(c) as other, RtpEnd() as ear, RtpEnd() as mouth,
    ):
        for phone in (mine, theirs, other):
            phone.register()
        call = theirs.invite(c.number, sdp.describe(mouth.port, codecs=PLAIN))
        other.wait_invite().answer(sdp.describe(ear.port, codecs=PLAIN))
        call.wait_answer()
        made = start(admin, account, b.number)
        until(lambda: [one["outcome"] for one in task(admin, made)["attempts"]] == ["busy"], 5, "B is busy")
        assert not theirs.received("INVITE"), "and hears nothing of it"
        free = time.monotonic()
        call.bye()
        ringing = theirs.wait_invite(5)
        late = 1_000 * (time.monotonic() - free)
        assert late <= FREE_MS, f"{late:.0f} ms"
        ringing.refuse(486)
        admin.ask("DELETE", f"/tasks/{made['id']}").must(204)

"""D, Show 1: an agent in a browser, with the real exchange: signs in to work, takes a caller of the queue, and comes back to
ready by themselves, early, or later."""
import datetime
import time

import pytest

from peers import ear, sdp, tone
from peers.rtp import RtpEnd
from peers.seat import Seat
from peers.waiting import until

WRAP_UP_S = 4
EXTENSION_S = 30
# A switch by itself may be so late.
LATE_S = 0.1


@pytest.fixture
def agent(office, administrator):
    """Somebody who has the console open, in a queue of their own: (seat, number of the queue, name of the account)."""
    device = office.person()
    account, number = f"person-{device.number}", f"8{device.number}"
    exchange = administrator.exchange
    exchange.run("queue", "add", f"queue-{number}", "--number", number, "--member", account, "--wrap-up", str(WRAP_UP_S))
    seat = Seat(administrator.browser, exchange)
    yield seat.enter(administrator.link_for(account)), number, account
    seat.close()
    exchange.run("queue", "remove", f"queue-{number}")


def state(seat, words, seconds=10):
    chip = seat.open.locator(".work-state .chip", has_text=words)
    chip.wait_for(timeout=seconds * 1000)
    return chip


def sign_in(seat):
    seat.open.get_by_role("button", name="Sign in to work").click()
    state(seat, "Ready")


def own(seat):
    """What the exchange says of them, asked by their own page."""
    return seat.open.evaluate("() => fetch('/api/v1/work').then((answer) => answer.json())")


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_s0_14_a_browser_signs_in_talks_and_is_ready_again_at_the_time_that_was_shown(office, agent):
    seat, number, _ = agent
    page, caller = seat.open, office.person()
    sign_in(seat)
    with office.raw(caller) as line, RtpEnd() as mouth:
        call = line.invite(number, sdp.describe(mouth.port))
        seat.answer()
        answer = call.wait_answer()
        mouth.send_to(answer.sdp)
        mouth.say(1000)
        state(seat, "Talks")
        ear.assert_hears(page, 1000)
        tone.assert_tone(mouth.wait_heard(2.5).last(2), 440, None)
        call.bye()
        state(seat, "Wrap-up")
        row = own(seat)
        assert row["words"].startswith(f"wrap-up {WRAP_UP_S} s by queue "), row
        page.locator(".work .countdown").wait_for()
        until(lambda: own(seat)["state"] == "ready", WRAP_UP_S + 2, "ready by itself", every=0.02)
        assert abs(moment(own(seat)["since"]) - moment(row["ends"])) <= LATE_S
        state(seat, "Ready")

        # Later, then early, by hand.
        call = line.invite(number, sdp.describe(mouth.port))
        seat.answer()
        call.wait_answer()
        call.bye()
        state(seat, "Wrap-up")
        before = own(seat)
        page.get_by_role("button", name="Longer").click()
        until(lambda: moment(own(seat)["ends"]) - moment(before["ends"]) == EXTENSION_S, 5, "it is longer")
        page.get_by_role("button", name="Ready now").click()
        state(seat, "Ready")
        time.sleep(WRAP_UP_S)
        assert own(seat)["state"] == "ready", "no old timer does anything"


def test_s0_15_a_break_asked_for_in_a_call_begins_with_its_end(office, agent):
    seat, number, account = agent
    page, caller = seat.open, office.person()
    sign_in(seat)
    with office.raw(caller) as line, RtpEnd() as mouth:
        call = line.invite(number, sdp.describe(mouth.port))
        seat.answer()
        call.wait_answer()
        page.get_by_role("button", name="Break after this call").click()
        page.get_by_role("button", name="lunch", exact=True).click()
        page.locator(".work-state", has_text="after this call: lunch").wait_for()
        call.bye()
        state(seat, "Not ready: lunch")
        # A caller waits; nobody rings until they are back.
        call = line.invite(number, sdp.describe(mouth.port))
        call.wait_status(182)
        assert page.locator(".call.ringing").count() == 0
        page.get_by_role("button", name="Ready now").click()
        seat.answer()
        call.wait_answer()
        call.bye()
        call.ua.received("BYE")
    page.get_by_role("button", name="Sign out from work").click()
    page.get_by_role("button", name="Sign in to work").wait_for()
    assert own(seat)["state"] == "offline" and own(seat)["member"] is True, account

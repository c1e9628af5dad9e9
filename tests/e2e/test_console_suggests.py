"""S2.5 in a browser, with the real exchange: who calls in vain again and again is asked once, in the dock and nowhere else."""
import pytest

from peers import sdp
from peers.rtp import RtpEnd
from peers.seat import Seat
from peers.waiting import until


@pytest.fixture
def caller(office, administrator):
    """Somebody who may have background calls and has the console open: (seat, name of the account)."""
    account = f"person-{office.person().number}"
    exchange = administrator.exchange
    exchange.run("account", "set", account, "--rights", "background")
    seat = Seat(administrator.browser, exchange)
    yield seat.enter(administrator.link_for(account)), account
    seat.close()


def dial(page, number):
    page.locator(".call").wait_for(state="detached")
    page.keyboard.press("d")
    page.keyboard.type(number)
    page.keyboard.press("Enter")


def busy(page, line, number):
    dial(page, number)
    line.wait_invite(10).refuse(486)
    page.locator(".call.ended").wait_for()


def tasks(page):
    return page.evaluate("() => fetch('/api/v1/tasks').then((answer) => answer.json())")["items"]


def test_show_3_the_web_phone_counts_asks_once_and_starts_nothing_without_a_yes(office, caller):
    seat, _ = caller
    page, callee = seat.open, office.person()
    offer = page.get_by_role("status").filter(has_text="did not answer 3 times in a row")
    with office.raw(callee) as line, RtpEnd() as ear:
        line.register()
        for _ in range(2):
            busy(page, line, callee.number)
        assert offer.count() == 0
        # An answer makes what was before count no more.
        dial(page, callee.number)
        call = line.wait_invite(10)
        call.answer(sdp.describe(ear.port, codecs=(sdp.PCMU, sdp.TELEPHONE_EVENT)))
        page.locator(".call.talking").wait_for()
        call.bye()
        page.locator(".call.ended").wait_for()
        for count in range(3):
            assert offer.count() == 0
            busy(page, line, callee.number)
        offer.wait_for()
        page.get_by_role("button", name="No", exact=True).click()
        offer.wait_for(state="detached")
        assert tasks(page) == []
        busy(page, line, callee.number)
        page.locator(".call").wait_for(state="detached")
        assert offer.count() == 0, "once is enough, until somebody answers"


def test_show_3_a_yes_in_the_web_phone_starts_a_background_call(office, caller):
    seat, account = caller
    page, callee = seat.open, office.person()
    with office.raw(callee) as line:
        line.register()
        for _ in range(3):
            busy(page, line, callee.number)
        page.get_by_role("button", name="Keep calling").click()
        page.get_by_text(f"The exchange keeps calling {callee.number}.").wait_for()
        [task] = until(lambda: tasks(page), 5, "the task is there")
        assert (task["number"], task["account"]) == (callee.number, account)
        line.wait_invite(30).refuse(486)
        page.evaluate("() => fetch('/api/v1/tasks', { method: 'DELETE' })")

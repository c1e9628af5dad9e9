"""Calls from the console's own telephone, with the real exchange (Show 1): tone both ways, hold, keys, a cut socket, and
transfers, blind and attended, to baresip, to PJSIP and to another browser. The browsers' microphone says 440 Hz."""
import time

import pytest

from peers import baresip, ear, pjsua, sdp, tone
from peers.baresip import Baresip
from peers.pjsua import Pjsua
from peers.rtp import RtpEnd
from peers.seat import Seat


@pytest.fixture
def seat(office, administrator):
    """Makes people who have the console open."""
    seats = []

    def make():
        device = office.person()
        seats.append(Seat(administrator.browser, administrator.exchange))
        seats[-1].number = device.number
        return seats[-1].enter(administrator.link_for(f"person-{device.number}"))

    yield make
    for one in seats:
        one.close()


def desk(exchange, office, kind, hertz, **more):
    """A telephone of somebody new."""
    device = office.person()
    phone = kind(device.user, device.secret, exchange.address(), hertz=hertz, **more)
    phone.number = device.number
    return phone


def test_show_1_the_dock_calls_baresip_and_is_called(exchange, office, seat):
    ann = seat()
    with desk(exchange, office, Baresip, 1000) as phone:
        phone.start().wait_registered()
        ann.dial(phone.number)
        phone.wait_incoming()
        phone.answer()
        ann.wait_talking()
        tone.assert_tone(phone.wait_heard(2.5), 440, None)
        ear.assert_hears(ann.open, 1000)
        ann.press("h")
        phone.wait_closed()
        phone.dial(ann.number)
        ann.answer()
        phone.wait_established()
        tone.assert_tone(phone.wait_heard(2.5), 440, None)
        ear.assert_hears(ann.open, 1000)
        phone.hangup()
        ann.wait_ended("They hung up")


def test_show_1_two_docks_talk_hold_and_resume(seat):
    ann, ben = seat(), seat()
    ann.dial(ben.number)
    ben.answer()
    ann.wait_talking()
    ear.assert_hears(ann.open, 440)
    ear.assert_hears(ben.open, 440)
    ann.press("o")
    ann.open.get_by_text("On hold").wait_for()
    ear.assert_hears_nothing(ann.open)
    ear.assert_hears_no(ben.open, 440)  # but the exchange's music
    ann.press("o")
    ann.open.get_by_text("On hold").wait_for(state="detached")
    ear.assert_hears(ann.open, 440)
    ear.assert_hears(ben.open, 440)
    ben.press("h")
    ann.wait_ended("They hung up")


def test_show_1_keys_of_the_dock_arrive(office, seat):
    ann, device = seat(), office.person()
    with office.raw(device) as telephone, RtpEnd() as sound:
        telephone.register()
        ann.dial(device.number)
        rings = telephone.wait_invite()
        rings.answer(sdp.describe(sound.port))
        sound.send_to(rings.offer)
        sound.say(1000)
        ann.wait_talking()
        sound.wait_heard(0.5)
        for key in "159#":
            ann.press(key)
        sound.wait_keys("159#")
        assert sound.keys() == "159#"
        rings.bye()
        ann.wait_ended("They hung up")


def test_r11_show_1_a_cut_socket_keeps_the_call_and_the_far_end_s_bye_arrives(exchange, office, seat):
    ann = seat()
    with desk(exchange, office, Baresip, 1000) as phone:
        phone.start().wait_registered()
        ann.dial(phone.number)
        phone.wait_incoming()
        phone.answer()
        ann.wait_talking()
        ear.assert_hears(ann.open, 1000)
        ann.open.evaluate("testEar.cut()")
        ann.open.get_by_text("Your call is kept").wait_for()
        # Sound does not go by the socket.
        ear.assert_hears(ann.open, 1000)
        ann.open.locator(".dock-head .chip.talk").wait_for(timeout=15_000)
        tone.assert_tone(phone.wait_heard(4).last(2.5), 440, None)
        ear.assert_hears(ann.open, 1000)
        phone.hangup()
        ann.wait_ended("They hung up")


# ---- transfers


def test_show_1_a_blind_transfer_leaves_two_phones_that_hear_each_other(exchange, office, seat):
    """From the dock: baresip called it, and goes on to PJSIP."""
    ann = seat()
    far, takes = desk(exchange, office, Baresip, 700), desk(exchange, office, Pjsua, 1000)
    with far, takes:
        far.start().wait_registered()
        takes.start().wait_registered()
        far.dial(ann.number)
        ann.answer()
        far.wait_established()
        ear.assert_hears(ann.open, 700)
        ann.transfer(takes.number)
        takes.wait_incoming()
        takes.answer()
        ann.wait_ended("Transferred")
        tone.assert_tone(takes.wait_heard(2.5), 700, baresip.TONE_DBFS)
        heard = far.wait_heard(6).last(2)
        assert abs(heard.hertz() - 1000) < 4, f"heard {heard.hertz():.1f} Hz"
        takes.hangup()
        far.wait_closed()


@pytest.mark.parametrize("kind", [Baresip, Pjsua])
def test_show_1_a_browser_that_is_sent_on_talks_with_a_phone(exchange, office, seat, kind):
    """Blind, dock to dock; the one who stays is a browser, and hears the phone that it was sent to."""
    ann, ben = seat(), seat()
    with desk(exchange, office, kind, 1000) as takes:
        takes.start().wait_registered()
        ben.dial(ann.number)
        ann.answer()
        ben.wait_talking()
        ear.assert_hears(ben.open, 440)
        ann.transfer(takes.number)
        takes.wait_incoming()
        takes.answer()
        ann.wait_ended("Transferred")
        tone.assert_tone(takes.wait_heard(2.5), 440, None)
        ear.assert_hears(ben.open, 1000)
        takes.hangup()
        ben.wait_ended("They hung up")


def test_show_1_an_attended_transfer_joins_two_phones(exchange, office, seat):
    """PJSIP called the dock, which asks baresip first; then the two hear each other and the dock is out."""
    ann = seat()
    far, third = desk(exchange, office, Pjsua, 700), desk(exchange, office, Baresip, 1000)
    with far, third:
        far.start().wait_registered()
        third.start().wait_registered()
        far.dial(ann.number)
        ann.answer()
        far.wait_established()
        ann.ask_first(third.number)
        third.wait_incoming()
        third.answer()
        ann.wait_talking(2)
        ear.assert_hears(ann.open, 1000)
        ann.join()
        ann.wait_talking(0)
        tone.assert_tone(third.wait_heard(8).last(2), 700, None, window=1.9)
        tone.assert_tone(far.hear_again(2.5), 1000, pjsua.TONE_DBFS)
        far.hangup()
        third.wait_closed()
    causes = [one["cause"] for one in exchange.calls() if ann.number in (one["caller"], one["callee"])]
    # The call that was joined goes on as one of the two.
    assert sorted(causes) == ["caller hung up", "transferred"], causes


def test_show_1_an_attended_transfer_joins_a_browser_and_a_phone(exchange, office, seat):
    ann, ben = seat(), seat()
    with desk(exchange, office, Pjsua, 1000) as third:
        third.start().wait_registered()
        ben.dial(ann.number)
        ann.answer()
        ben.wait_talking()
        ann.ask_first(third.number)
        third.wait_incoming()
        third.answer()
        ann.wait_talking(2)
        ear.assert_hears_no(ben.open, 440)
        ann.join()
        ann.wait_talking(0)
        ear.assert_hears(ben.open, 1000)
        tone.assert_tone(third.hear_again(2.5), 440, None)
        third.hangup()
        ben.wait_ended("They hung up")


def test_show_1_a_transfer_to_nobody_leaves_the_call_where_it_was(exchange, office, seat):
    ann = seat()
    with desk(exchange, office, Baresip, 1000) as far:
        far.start().wait_registered()
        far.dial(ann.number)
        ann.answer()
        far.wait_established()
        ann.transfer("999999")
        ann.open.get_by_text("The transfer did not happen").wait_for()
        time.sleep(2.5)
        assert ann.open.locator(".call.talking").count() == 1
        ear.assert_hears(ann.open, 1000)
        ann.press("h")
        far.wait_closed()

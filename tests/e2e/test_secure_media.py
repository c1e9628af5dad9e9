"""Encrypted sound: SDES for phones under TLS (R14), DTLS for browsers (R15), and bridges between them (Show 1, 2)."""
import pytest

from peers import baresip, ear, pjsua, sdp, tone
from peers.baresip import Baresip
from peers.exchange import Exchange
from peers.pjsua import Pjsua
from peers.rtp import RtpEnd
from peers.webphone import Visitor

SRTP_MANDATORY = 2


@pytest.fixture(scope="module")
def exchange():
    with Exchange() as running:
        yield running.start()


@pytest.fixture
def web(office, administrator):
    """Makes people with a registered web phone."""
    visitors = []

    def make():
        device = office.person()
        visitor = Visitor(administrator.browser, administrator.exchange)
        visitor.enter(administrator.link_for(f"person-{device.number}"))
        visitors.append(visitor)
        phone = visitor.phone()
        phone.register()
        phone.number = device.number
        return phone

    yield make
    for visitor in visitors:
        visitor.context.close()


# ---- phones under TLS (R14)


@pytest.mark.parametrize("other", ["udp", "tls"])
def test_r14_show_2_pjsua_with_mandatory_srtp_talks_with_baresip(exchange, office, other):
    """SDES to plain RTP, and SDES to SDES: tone both ways, and the call is hung up from the far end."""
    one, two = office.person(), office.person()
    caller = Pjsua(one.user, one.secret, exchange.address("tls"), "tls", hertz=1000, srtp=SRTP_MANDATORY)
    callee = Baresip(two.user, two.secret, exchange.address(other), other, hertz=440)
    with caller, callee:
        caller.start().wait_registered()
        callee.start().wait_registered()
        caller.dial(two.number)
        callee.wait_incoming()
        callee.answer()
        callee.wait_established()
        caller.wait_media("active")
        tone.assert_tone(callee.wait_heard(2.5), 1000, pjsua.TONE_DBFS)
        tone.assert_tone(caller.wait_heard(2.5), 440, baresip.TONE_DBFS)
        callee.hangup()
        caller.wait_closed()


def test_r14_a_device_under_tls_that_refuses_keys_is_not_asked_in_clear(exchange, office):
    """The default: 488, and no second INVITE without keys."""
    one, two = office.person(), office.person()
    caller = Pjsua(one.user, one.secret, exchange.address("udp"), "udp")
    callee = Pjsua(two.user, two.secret, exchange.address("tls"), "tls", srtp=0)
    with caller, callee:
        caller.start().wait_registered()
        callee.start().wait_registered()
        caller.dial(two.number)
        caller.wait_closed(10)
        record = office.record(one.number, two.number)
        assert not record["answered"], record
        assert not callee.saw("incoming") or len(callee.saw("incoming")) == 1


# ---- browsers (R15)


def test_r15_show_2_an_opus_only_browser_talks_with_a_g711_only_phone(exchange, office, web):
    """By transcoding, and the keys that the browser presses arrive."""
    phone, desk = web(), office.person()
    with Baresip(desk.user, desk.secret, exchange.address(), codecs=("PCMA",), hertz=1000) as telephone:
        telephone.start().wait_registered()
        phone.page.evaluate("testPhone.only = 'opus/48000'")
        phone.do(f"call('{desk.number}')")
        telephone.wait_incoming()
        telephone.answer()
        phone.wait("confirmed")
        tone.assert_tone(telephone.wait_heard(2.5), 440, None)
        ear.assert_hears(phone.page, 1000)
        assert set(phone.do("stats()")["codecs"]) == {"audio/opus"}
        telephone.hangup()
        phone.wait("ended")


def test_r15_keys_of_the_browser_arrive_at_the_phone(office, web):
    phone, desk = web(), office.person()
    with office.raw(desk) as telephone, RtpEnd() as sound:
        telephone.register()
        phone.do(f"call('{desk.number}')")
        rings = telephone.wait_invite()
        rings.answer(sdp.describe(sound.port))
        sound.send_to(rings.offer)
        sound.say(1000)
        phone.wait("confirmed")
        sound.wait_heard(0.5)
        phone.do("digits('159#')")
        sound.wait_keys("159#")
        assert sound.keys() == "159#"
        rings.bye()
        phone.wait("ended")


def test_r15_show_1_chromium_calls_baresip_and_is_called(exchange, office, web):
    """440 Hz of the browser's microphone at the phone, and the phone's at the browser; both ways of calling."""
    phone, desk = web(), office.person()
    with Baresip(desk.user, desk.secret, exchange.address(), hertz=1000) as telephone:
        telephone.start().wait_registered()
        phone.do(f"call('{desk.number}')")
        telephone.wait_incoming()
        telephone.answer()
        phone.wait("confirmed")
        tone.assert_tone(telephone.wait_heard(2.5), 440, None)
        ear.assert_hears(phone.page, 1000)
        stats = phone.do("stats()")
        assert stats["dtls"] == "connected" and stats["tls"] in ("FEFC", "FEFD"), stats
        telephone.hangup()
        phone.wait("ended")
        telephone.dial(phone.number)
        phone.wait("rings")
        phone.do("take()")
        telephone.wait_established()
        tone.assert_tone(telephone.wait_heard(2.5), 440, None)
        ear.assert_hears(phone.page, 1000)
        phone.do("session.terminate()")
        telephone.wait_closed()


def test_r15_show_1_chromium_calls_chromium(web):
    one, two = web(), web()
    one.do(f"call('{two.number}')")
    two.wait("rings")
    two.do("take()")
    one.wait("confirmed")
    ear.assert_hears(one.page, 440)
    ear.assert_hears(two.page, 440)
    two.do("session.terminate()")
    one.wait("ended")


def test_r15_show_2_sdes_is_bridged_to_dtls(exchange, office, web):
    phone, desk = web(), office.person()
    telephone = Pjsua(
        desk.user, desk.secret, exchange.address("tls"), "tls", hertz=1000, srtp=SRTP_MANDATORY
    )
    with telephone:
        telephone.start().wait_registered()
        telephone.dial(phone.number)
        phone.wait("rings")
        phone.do("take()")
        telephone.wait_media("active")
        tone.assert_tone(telephone.wait_heard(2.5), 440, None)
        ear.assert_hears(phone.page, 1000)
        phone.do("session.terminate()")
        telephone.wait_closed()


def test_r15_hold_and_resume_by_the_browser(exchange, office, web):
    phone, desk = web(), office.person()
    with Baresip(desk.user, desk.secret, exchange.address(), hertz=1000) as telephone:
        telephone.start().wait_registered()
        phone.do(f"call('{desk.number}')")
        telephone.wait_incoming()
        telephone.answer()
        phone.wait("confirmed")
        ear.assert_hears(phone.page, 1000)
        phone.do("hold()")
        ear.assert_hears_nothing(phone.page)
        phone.do("resume()")
        ear.assert_hears(phone.page, 1000)
        # Before was the exchange's music.
        tone.assert_tone(telephone.hear_again(2.5), 440, None)
        telephone.hangup()
        phone.wait("ended")

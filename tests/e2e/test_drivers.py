"""The drivers against Kamailio, with no line of ours in between.

When a test of the exchange fails and these pass, the exchange is to blame. When these fail, the
drivers or the machine are.
"""
import pytest

from peers import baresip, pjsua, sdp, sipp, sipsak, tone
from peers.baresip import Baresip
from peers.kamailio import Kamailio
from peers.pjsua import Pjsua
from peers.rawua import RawUA
from peers.rtp import RtpEnd
from peers.sipp import Sipp


@pytest.fixture(scope="module")
def kamailio():
    with Kamailio(tls=True).start() as proxy:
        yield proxy


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_two_phones_talk_through_kamailio(kamailio, transport):
    """The ruler for Show 1: tone both ways, hold and resume, keys both ways, hang-up."""
    where = kamailio.address(transport)
    with (
        Baresip("2001", kamailio.secret, where, transport, hertz=440) as caller,
        Pjsua("2002", kamailio.secret, where, transport, hertz=1000) as callee,
    ):
        caller.start().wait_registered()
        callee.start().wait_registered()
        caller.dial("2002")
        callee.wait_incoming()
        callee.ring()
        caller.wait_ringing()
        callee.answer()
        caller.wait_established()
        callee.wait_established()
        callee.wait_media("active")
        tone.assert_tone(callee.wait_heard(2.5), 440, baresip.TONE_DBFS)
        tone.assert_tone(caller.wait_heard(2.5), 1000, pjsua.TONE_DBFS)

        caller.dtmf("159#")
        callee.wait_digits("159#")
        callee.dtmf("260*")
        caller.wait_digits("260*")

        callee.hold()
        callee.wait_media("local_hold")
        callee.resume()
        callee.wait_media("active")
        caller.hold()
        callee.wait_media("remote_hold")
        caller.resume()
        callee.wait_media("active")
        tone.assert_tone(callee.hear_again(2.5), 440, baresip.TONE_DBFS)
        caller.wait_decoded(2)

        caller.hangup()
        callee.wait_closed()


def test_pjsua_holds_and_both_hear_again(kamailio):
    """Show 1: after hold and resume the tone is measured both ways, which baresip cannot do."""
    where = kamailio.address()
    with (
        Pjsua("2014", kamailio.secret, where, hertz=440) as caller,
        Pjsua("2015", kamailio.secret, where, hertz=1000, answer=200) as callee,
    ):
        caller.start().wait_registered()
        callee.start().wait_registered()
        caller.dial("2015")
        callee.wait_media("active")
        caller.wait_media("active")
        callee.wait_heard(1)
        caller.hold()
        callee.wait_media("remote_hold")
        caller.resume()
        callee.wait_media("active")
        tone.assert_tone(callee.hear_again(2.5), 440, pjsua.TONE_DBFS)
        tone.assert_tone(caller.hear_again(2.5), 1000, pjsua.TONE_DBFS)


@pytest.mark.parametrize("codec", ["PCMA", "G722", "opus"])
def test_baresip_speaks_each_codec(kamailio, codec):
    """The 48 kHz source file must serve each codec: the phone resamples it."""
    where = kamailio.address()
    with (
        Baresip("2003", kamailio.secret, where, codecs=(codec,), hertz=440) as caller,
        Baresip("2004", kamailio.secret, where, codecs=(codec,), hertz=1000) as callee,
    ):
        caller.start().wait_registered()
        callee.start().wait_registered()
        caller.dial("2004")
        callee.wait_incoming()
        callee.answer()
        caller.wait_established()
        tone.assert_tone(callee.wait_heard(2.5), 440, baresip.TONE_DBFS)
        tone.assert_tone(caller.wait_heard(2.5), 1000, baresip.TONE_DBFS)
        callee.hangup()
        caller.wait_closed()


@pytest.mark.parametrize("attended", [False, True])
def test_pjsua_transfers(kamailio, attended):
    """REFER, and REFER with Replaces: the two far ends talk, the transferrer is out."""
    where = kamailio.address()
    with (
        Pjsua("2005", kamailio.secret, where, hertz=440) as far,
        Pjsua("2006", kamailio.secret, where, hertz=700) as middle,
        Pjsua("2007", kamailio.secret, where, hertz=1000, answer=200) as third,
    ):
        for phone in (far, middle, third):
            phone.start().wait_registered()
        far.dial("2006")
        first = middle.wait_incoming()
        middle.answer(first)
        far.wait_established()
        middle.wait_established()
        if attended:
            middle.hold(first)
            middle.wait_media("local_hold")
            second = middle.dial("2007")
            middle.wait_event("state", call=second, state="CONFIRMED")
            middle.transfer_to_call(first, second)
        else:
            middle.transfer("2007", first)
        middle.wait_event("transfer", code=200)
        tone.assert_tone(third.hear_again(2.5), 440, pjsua.TONE_DBFS)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_raw_end_calls_pjsua(kamailio, transport):
    """The literal user agent and the raw RTP end, against a stack that is strict."""
    where = kamailio.address(transport)
    host, port = where.rsplit(":", 1)
    with (
        Pjsua("2008", kamailio.secret, where, transport, hertz=1000) as callee,
        RawUA("2009", kamailio.secret, (host, int(port)), transport) as caller,
        RtpEnd() as sound,
    ):
        callee.start().wait_registered()
        caller.register()
        call = caller.invite("2008", sdp.describe(sound.port))
        callee.wait_incoming()
        callee.ring()
        call.wait_status(180)
        callee.answer()
        answer = call.wait_answer()
        callee.wait_established()
        assert len(call.to_tags()) == 1 and len(call.answers()) == 1
        sound.send_to(answer.sdp)
        sound.say(440)
        tone.assert_tone(callee.wait_heard(2.5), 440, -15)
        tone.assert_tone(sound.wait_heard(2.5), 1000, pjsua.TONE_DBFS)
        sound.press("12#")
        callee.wait_digits("12#")
        callee.dtmf("98*")
        sound.wait_keys("98*")
        assert sound.keys() == "98*"
        sound.assert_one_stream()
        callee.hold()
        held = call.answer_reinvite(sdp.describe(sound.port, direction="recvonly", version=2))
        assert sdp.audio(held.sdp).direction == "sendonly"
        callee.wait_media("local_hold")
        call.bye()
        callee.wait_closed()


def test_raw_end_is_called_and_cancelled(kamailio):
    """CANCEL from a real phone, with the answers that RFC 3261 9.2 asks for."""
    where = kamailio.address()
    host, port = where.rsplit(":", 1)
    with (
        Pjsua("2010", kamailio.secret, where, hertz=1000) as caller,
        RawUA("2011", kamailio.secret, (host, int(port))) as callee,
    ):
        caller.start().wait_registered()
        callee.register()
        caller.dial("2011")
        call = callee.wait_invite()
        call.ring()
        caller.wait_ringing()
        caller.hangup()
        call.wait_cancel()
        assert caller.wait_closed()["code"] == 487


def test_raw_ends_fork(kamailio):
    """Three raw phones of one user ring; the proxy cancels the losers with the Reason that Show 2 asks for."""
    host, port = kamailio.address().rsplit(":", 1)
    where = (host, int(port))
    with (
        RawUA("2016", kamailio.secret, where) as caller,
        RawUA("2017", kamailio.secret, where) as one,
        RawUA("2017", kamailio.secret, where) as two,
        RawUA("2017", kamailio.secret, where) as three,
    ):
        for phone in (one, two, three):
            phone.register()
        call = caller.invite("2017", sdp.describe(40000))
        branches = [phone.wait_invite() for phone in (one, two, three)]
        for branch in branches:
            branch.ring()
        call.wait_status(180)
        branches[1].respond(200, sdp.describe(40002))
        for loser in (branches[0], branches[2]):
            assert "Call completed elsewhere" in loser.wait_cancel().only("reason")
        call.wait_answer()
        branches[1].wait_request("ACK")
        bye = branches[1].request("BYE")
        call.wait_bye()
        assert caller.received("BYE") and branches[1].ua.final_of(bye).status == 200
        assert len(call.answers()) == 1
        assert len(call.to_tags()) >= 1


def test_sipp_registers_and_calls(kamailio):
    """The load scenarios at a low rate, through a proxy that asks with 407."""
    callees = [(f"30{index:02}", kamailio.secret) for index in range(5)]
    with Sipp("uas") as uas:
        uas.start().listening()
        assert sipp.register(kamailio.address(), callees, uas.port).successful == 5
        proof = f"[authentication username=2012 password={kamailio.secret}]"
        rows = [("2012", proof, callee) for callee, _ in callees]
        uac = Sipp("uac", kamailio.address(), rows, calls=20, rate=20, talk_ms=200, challenge=407)
        with uac.start():
            count = uac.finish()
    assert (count.successful, count.failed) == (20, 0), count


def test_sipsak_asks(kamailio):
    assert "200" in sipsak.options(f"sip:{kamailio.address()}").output
    assert sipsak.register("2013", kamailio.secret, kamailio.address()).ok

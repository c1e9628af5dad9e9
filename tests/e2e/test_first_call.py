"""The first call: two phones that nobody here wrote talk through the exchange (Show 1)."""
import time

import pytest

from peers import baresip, pjsua, tone
from peers.baresip import Baresip
from peers.pjsua import Pjsua


def phones(exchange, caller, callee, transport="udp", caller_codecs=("PCMU",), callee_codecs=("PCMU",)):
    """A baresip that says 440 Hz and a pjsua2 that says 1000 Hz, not yet started."""
    where = exchange.address(transport)
    return (
        Baresip(caller.user, caller.secret, where, transport, caller_codecs, hertz=440),
        Pjsua(callee.user, callee.secret, where, transport, callee_codecs, hertz=1000),
    )


def connect(caller, callee, number):
    """Both register, the caller dials, the callee rings and answers."""
    caller.start().wait_registered()
    callee.start().wait_registered()
    caller.dial(number)
    callee.wait_incoming()
    callee.ring()
    caller.wait_ringing()
    callee.answer()
    caller.wait_established()
    callee.wait_established()
    callee.wait_media("active")


def assert_both_hear(caller, callee):
    tone.assert_tone(callee.wait_heard(2.5), 440, baresip.TONE_DBFS)
    tone.assert_tone(caller.wait_heard(2.5), 1000, pjsua.TONE_DBFS)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_baresip_calls_pjsua(exchange, office, transport):
    """Show 1, order step (1): tone both ways, hang-up reaches the far end, one right CDR."""
    one, two = office.person(), office.person()
    caller, callee = phones(exchange, one, two, transport)
    with caller, callee:
        connect(caller, callee, two.number)
        assert_both_hear(caller, callee)
        caller.hangup()
        callee.wait_closed()
    record = office.record(one.number, two.number)
    assert record["answered"], record
    assert 2000 <= record["duration_ms"] <= 30000, record


@pytest.mark.parametrize("transport", ["udp", "tls"])
def test_callee_hangs_up(exchange, office, transport):
    """R11: the BYE toward the caller goes to the flow that it registered by (its Contact cannot be dialled)."""
    one, two = office.person(), office.person()
    caller, callee = phones(exchange, one, two, transport)
    with caller, callee:
        connect(caller, callee, two.number)
        callee.hangup()
        caller.wait_closed()
    assert office.record(one.number, two.number)["answered"]


def assert_music(sound):
    """R3: who is held hears something that is no test tone, and no silence."""
    talk = sound.talk(-60.0)
    assert talk.seconds > 0.7, f"held, and only {talk.seconds:.1f} s of sound"
    assert all(abs(talk.hertz() - tone) > 8 for tone in (440, 1000)), f"held, and still hears {talk.hertz():.0f} Hz"


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_hold_and_resume(exchange, office, transport):
    """Show 1: hold by either side, resume, and sound is there again (baresip counts it, see `wait_decoded`).

    The exchange answers the hold itself and plays music to the other side, which sees an unchanged call.
    """
    one, two = office.person(), office.person()
    caller, callee = phones(exchange, one, two, transport)
    with caller, callee:
        connect(caller, callee, two.number)
        caller.hold()
        time.sleep(0.5)
        assert_music(callee.hear_again(1.5))
        caller.resume()
        time.sleep(0.5)
        callee.hold()
        callee.wait_media("local_hold")
        callee.resume()
        callee.wait_media("active")
        tone.assert_tone(callee.hear_again(2.5), 440, baresip.TONE_DBFS)
        caller.wait_decoded(2)
        caller.hangup()
        callee.wait_closed()


def test_hold_and_resume_is_heard_by_both(exchange, office):
    """Show 1: after hold and resume 440 Hz and 1000 Hz are measured again, at their level."""
    one, two = office.person(), office.person()
    where = exchange.address()
    caller = Pjsua(one.user, one.secret, where, hertz=440)
    callee = Pjsua(two.user, two.secret, where, hertz=1000)
    with caller, callee:
        connect(caller, callee, two.number)
        caller.wait_media("active")
        for holder, held in ((caller, callee), (callee, caller)):
            holder.hold()
            holder.wait_media("local_hold")
            time.sleep(0.5)
            assert_music(held.hear_again(1.5))
            holder.resume()
            holder.wait_media("active")
            time.sleep(0.5)
            tone.assert_tone(callee.hear_again(2.5), 440, pjsua.TONE_DBFS)
            tone.assert_tone(caller.hear_again(2.5), 1000, pjsua.TONE_DBFS)
        caller.hangup()
        callee.wait_closed()


@pytest.mark.parametrize("codec", ["PCMU", "PCMA", "G722", "opus"])
def test_echo(exchange, office, codec):
    """Show 1, R3: number 600 returns the caller's tone in each codec that the exchange may speak."""
    one = office.person()
    where = exchange.address()
    with Baresip(one.user, one.secret, where, codecs=(codec,), hertz=440) as caller:
        caller.start().wait_registered()
        caller.dial("600")
        caller.wait_established()
        # Three beeps come first, so that a caller with a dead microphone knows that the line is good.
        tone.assert_tone(caller.wait_heard(4.5).last(2.5), 440, baresip.TONE_DBFS)
        caller.hangup()
    assert office.record(one.number, "600")["answered"]


def test_dtmf_both_ways(exchange, office):
    """Show 1, R2: keys arrive as RFC 4733 events, in order, none twice."""
    one, two = office.person(), office.person()
    caller, callee = phones(exchange, one, two)
    with caller, callee:
        connect(caller, callee, two.number)
        caller.dtmf("159#")
        callee.wait_digits("159#")
        callee.dtmf("2604*")
        caller.wait_digits("2604*")
        assert callee.digits() == "159#" and caller.digits() == "2604*"
        caller.hangup()
        callee.wait_closed()


def test_pass_through_g722(exchange, office):
    """R3: a codec that both ends share passes without transcoding."""
    one, two = office.person(), office.person()
    caller, callee = phones(exchange, one, two, "udp", ("G722",), ("G722",))
    with caller, callee:
        connect(caller, callee, two.number)
        assert callee.info()["codec"].upper() == "G722"
        # The two phones scale G.722 differently: through a proxy without any exchange between them pjsua hears
        # -10.2 dBFS and baresip -21.0 dBFS of the same two tones.
        tone.assert_tone(callee.wait_heard(2.5), 440, -10.2)
        tone.assert_tone(caller.wait_heard(2.5), 1000, -21.0)
        caller.hangup()
        callee.wait_closed()


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_opus_only_talks_with_g711_only(exchange, office, law):
    """Show 1, R1, R3: nothing shared, so the exchange transcodes, as the last resort."""
    one, two = office.person(), office.person()
    caller, callee = phones(exchange, one, two, "udp", ("opus",), (law,))
    with caller, callee:
        connect(caller, callee, two.number)
        assert_both_hear(caller, callee)
        caller.hangup()
        callee.wait_closed()


def test_mixed_transports(exchange, office):
    """R13: a phone on TLS calls one on UDP."""
    one, two = office.person(), office.person()
    caller = Baresip(one.user, one.secret, exchange.address("tls"), "tls", hertz=440)
    callee = Pjsua(two.user, two.secret, exchange.address("udp"), "udp", hertz=1000)
    with caller, callee:
        connect(caller, callee, two.number)
        assert_both_hear(caller, callee)
        callee.hangup()
        caller.wait_closed()


def test_pjsua_calls_baresip(exchange, office):
    """Show 1: the same the other way round."""
    one, two = office.person(), office.person()
    where = exchange.address()
    caller = Pjsua(one.user, one.secret, where, hertz=1000)
    callee = Baresip(two.user, two.secret, where, hertz=440)
    with caller, callee:
        caller.start().wait_registered()
        callee.start().wait_registered()
        caller.dial(two.number)
        callee.wait_incoming()
        caller.wait_ringing()
        callee.answer()
        caller.wait_established()
        tone.assert_tone(caller.wait_heard(2.5), 440, baresip.TONE_DBFS)
        tone.assert_tone(callee.wait_heard(2.5), 1000, pjsua.TONE_DBFS)
        caller.hangup()
        callee.wait_closed()
    assert office.record(one.number, two.number)["answered"]


def test_wrong_secret_is_refused(exchange, office):
    """R10: a wrong response is not let in; the phone says so."""
    one = office.person()
    with Baresip(one.user, "wrong", exchange.address()) as phone:
        phone.start().wait_not_registered()


def test_busy_reaches_the_caller(exchange, office):
    """Show 1: an unanswered call has a record without an answer, and the caller hears why."""
    one, two = office.person(), office.person()
    caller, callee = phones(exchange, one, two)
    with caller, callee:
        caller.start().wait_registered()
        callee.start().wait_registered()
        caller.dial(two.number)
        callee.wait_incoming()
        callee.hangup(code=486)
        assert "486" in caller.wait_closed()["param"]
    record = office.record(one.number, two.number)
    assert not record["answered"], record


def test_unknown_number(exchange, office):
    """S1.1: a number that nobody has is 404."""
    one = office.person()
    with Baresip(one.user, one.secret, exchange.address()) as caller:
        caller.start().wait_registered()
        caller.dial("99999")
        assert "404" in caller.wait_closed()["param"]

"""The drivers against Kamailio, with no line of ours in between.

When a test of the exchange fails and these pass, the exchange is to blame. When these fail, the
drivers or the machine are.
"""
import pytest

from peers import baresip, pjsua, tone
from peers.baresip import Baresip
from peers.kamailio import Kamailio
from peers.pjsua import Pjsua


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

        caller.hangup()
        callee.wait_closed()

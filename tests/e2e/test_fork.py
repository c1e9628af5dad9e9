"""One number, three devices (Show 2): what the caller and each device see, header by header."""
import contextlib

import pytest

from peers import sdp, sipmsg, tone
from peers.rawua import RawUA
from peers.rtp import RtpEnd

ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'


@contextlib.contextmanager
def three_devices(office, transport="udp", rings=None):
    """A caller and three registered devices of one number; yields caller, devices, number."""
    one = office.person()
    devices = office.person(devices=3)
    with contextlib.ExitStack() as stack:
        caller = stack.enter_context(office.raw(one, transport))
        phones = [stack.enter_context(office.raw(device, rings or transport)) for device in devices]
        for phone in phones:
            phone.register()
        yield caller, phones, devices[0].number


def reason_of(message):
    """The Reason header without the blanks that RFC 3326 allows around `;`."""
    return ";".join(part.strip() for part in message.only("reason").split(";"))


def assert_one_answer(call):
    """R1: for the caller we are one UAS."""
    assert len(call.to_tags()) == 1, f"the caller saw To tags {call.to_tags()}"
    assert len(call.answers()) == 1, "the caller saw different answers:\n" + "\n---\n".join(call.answers())


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_all_ring_one_answers_the_others_are_told(office, transport):
    """Show 2, S1.3, R1: every device rings; the losers' CANCEL says that it was answered elsewhere (RFC 3326)."""
    # R14: what rings under TLS is offered keys; a raw phone has none, so it calls from there and rings elsewhere.
    rings = "tcp" if transport == "tls" else transport
    with three_devices(office, transport, rings) as (caller, phones, number), RtpEnd() as mine, RtpEnd() as theirs:
        call = caller.invite(number, sdp.describe(mine.port))
        ringing = [phone.wait_invite() for phone in phones]
        for branch in ringing:
            branch.ring()
        first = call.wait_status(180)
        assert not first.body, "a 180 carries no SDP (R1)"
        winner = ringing[1]
        winner.answer(sdp.describe(theirs.port))
        for loser in (ringing[0], ringing[2]):
            assert reason_of(loser.wait_cancel()) == ELSEWHERE
        answer = call.wait_answer()
        assert_one_answer(call)
        mine.send_to(answer.sdp)
        theirs.send_to(winner.offer)
        mine.say(440)
        theirs.say(1000)
        tone.assert_tone(theirs.wait_heard(2.2), 440, -15)
        tone.assert_tone(mine.wait_heard(2.2), 1000, -15)
        mine.assert_one_stream()
        theirs.assert_one_stream()
        call.bye()
        winner.wait_bye()


def test_two_branches_with_early_media_in_different_codecs(office):
    """Show 2, R1: early media of one branch pins the codec; the other branch wins; still one answer."""
    with (
        three_devices(office) as (caller, phones, number),
        RtpEnd(0) as mine, RtpEnd(0) as loud, RtpEnd(8) as other,
    ):
        call = caller.invite(number, sdp.describe(mine.port, (sdp.PCMU, sdp.PCMA, sdp.TELEPHONE_EVENT)))
        one, two, three = (phone.wait_invite() for phone in phones)
        one.progress(sdp.describe(loud.port, (sdp.PCMU, sdp.TELEPHONE_EVENT)))
        early = call.wait_status(183)
        assert sdp.audio(early.sdp).codecs == ["PCMU"]
        loud.send_to(one.offer)
        loud.say(700)
        mine.wait_heard(0.5)
        two.progress(sdp.describe(other.port, (sdp.PCMA, sdp.TELEPHONE_EVENT)))
        three.ring()

        # The second branch answers in PCMA. The caller was promised PCMU: the exchange may ask the winner
        # again with PCMU alone, which this phone accepts, or transcode.
        two.answer(sdp.describe(other.port, (sdp.PCMA, sdp.TELEPHONE_EVENT), version=2))
        for loser in (one, three):
            assert reason_of(loser.wait_cancel()) == ELSEWHERE
        answer = call.wait_answer()
        assert_one_answer(call)
        offer = two.offer
        with contextlib.suppress(AssertionError):
            again = two.wait_request("INVITE", seconds=2)
            assert sdp.audio(again.sdp).codecs == ["PCMU"], again
            two.ua.respond(again, 200, headers=[("Contact", two.ua.contact)],
                           body=sdp.describe(other.port, (sdp.PCMU, sdp.TELEPHONE_EVENT), version=3))
            two.wait_request("ACK")
            other.payload_type = 0
            offer = again.sdp
        loud.say(None)
        mine.send_to(answer.sdp)
        other.send_to(offer)
        mine.say(440)
        other.say(1000)
        tone.assert_tone(other.wait_heard(2.2), 440, -15)
        heard = mine.wait_heard(4.5).last(2)
        assert abs(heard.hertz() - 1000) < 4, f"the winner is heard: {heard.hertz():.1f} Hz"
        assert {packet.payload_type for packet in mine.speech()} == {0}, "the caller gets PCMU only, as promised"
        mine.assert_one_stream()
        call.bye()
        two.wait_bye()


def test_caller_gives_up(office):
    """RFC 3261 9: CANCEL reaches every branch, the caller gets 487; nobody is told `elsewhere`."""
    with three_devices(office) as (caller, phones, number):
        call = caller.invite(number, sdp.describe(40000))
        ringing = [phone.wait_invite() for phone in phones]
        for branch in ringing:
            branch.ring()
        call.wait_status(180)
        assert call.cancel().status == 200
        for branch in ringing:
            cancel = branch.wait_cancel()
            assert "elsewhere" not in (cancel.get("reason") or "")
        assert call.wait_final().status == 487


def test_all_busy(office):
    """RFC 3261 16.7: when every device refuses, the caller gets one final answer."""
    with three_devices(office) as (caller, phones, number):
        call = caller.invite(number, sdp.describe(40000))
        for phone in phones:
            phone.wait_invite().refuse(486)
        assert call.wait_final().status == 486
        assert len(call.to_tags()) == 1


def test_one_busy_the_others_still_ring(office):
    """S1.3: 486 of one device ends that branch only."""
    with three_devices(office) as (caller, phones, number), RtpEnd() as mine:
        call = caller.invite(number, sdp.describe(mine.port))
        one, two, three = (phone.wait_invite() for phone in phones)
        one.refuse(486)
        two.ring()
        call.wait_status(180)
        three.answer(sdp.describe(40002))
        assert reason_of(two.wait_cancel()) == ELSEWHERE
        call.wait_answer()
        call.bye()
        three.wait_bye()


def test_two_answer_at_once(office):
    """RFC 3261 13.2.2.4: two 200s cross; the loser gets ACK and then BYE, the caller sees one answer."""
    with three_devices(office) as (caller, phones, number):
        call = caller.invite(number, sdp.describe(40000))
        one, two, three = (phone.wait_invite() for phone in phones)
        three.ring()  # RFC 3261 9.1: no CANCEL before a provisional response
        call.wait_status(180)
        one.respond(200, sdp.describe(40002))
        two.respond(200, sdp.describe(40004))
        three.wait_cancel()
        one.wait_request("ACK")
        two.wait_request("ACK")
        call.wait_answer()
        assert_one_answer(call)
        loser = two
        bye = loser.wait_bye()
        assert "elsewhere" in (bye.get("reason") or ""), f"a BYE to a loser says why:\n{bye}"
        call.bye()
        one.wait_bye()


def test_nothing_of_the_caller_leaks_and_we_are_one_hop(office):
    """Trust (B2BUA): Via, Contact, Call-ID and tags are made anew; Max-Forwards is one less (R9)."""
    one, two = office.person(), office.person()
    with office.raw(one) as caller, office.raw(two) as callee:
        callee.register()
        call = caller.invite(two.number, sdp.describe(40000), [("X-Secret", "4711")])
        branch = callee.wait_invite()
        invite = branch.invite
        assert len(invite.all("via")) == 1
        assert invite.get("call-id") != call.call_id
        assert invite.from_tag != call.invite.from_tag
        assert invite.get("max-forwards") == "69"
        assert invite.get("x-secret") is None and "4711" not in invite.get("contact")
        assert caller.host_port not in str(invite), "the caller's socket is not told to the callee"
        assert invite.all("session-id"), "every leg carries Session-ID (RFC 7989, R9)"
        branch.refuse(486)
        call.wait_final()


def test_register_and_unregister(office):
    """R10, R12: MD5 challenge by 401 over UDP; expires 0 takes the binding away; the number is then unreachable."""
    one, two = office.person(), office.person()
    with office.raw(one) as caller, office.raw(two) as callee:
        assert callee.register().all("contact")
        asked = [message for message in callee.received() if message.status == 401]
        assert asked and "algorithm=SHA-256" not in asked[0].all("www-authenticate")[0]
        callee.register(expires=0)
        assert caller.invite(two.number, sdp.describe(40000)).wait_final().status in (480, 404)
        assert not callee.received("INVITE")


def test_unknown_user_and_wrong_secret_look_alike(exchange, office):
    """Trust: the two refusals differ in nothing that a guesser could use."""
    one = office.person()
    refused = []
    for user in (one.user, "nobody-" + one.user):
        with RawUA(user, "wrong", exchange.host_port()) as guess:
            refused.append(guess.register(ok=False))
    first, second = refused
    assert first.status == second.status
    assert [name for name, _ in first.headers] == [name for name, _ in second.headers]
    assert first.start == second.start
    assert sipmsg.parameter(first.get("www-authenticate"), "stale") == sipmsg.parameter(
        second.get("www-authenticate"), "stale"
    )


def test_keys_by_info_reach_the_other_phone_as_events(office):
    """R2: a key by INFO is made anew as an RFC 4733 event for the other leg, once."""
    one, two = office.person(), office.person()
    with office.raw(one) as caller, office.raw(two) as phone, RtpEnd() as mine, RtpEnd() as theirs:
        phone.register()
        call = caller.invite(two.number, sdp.describe(mine.port))
        branch = phone.wait_invite()
        branch.answer(sdp.describe(theirs.port))
        answer = call.wait_answer()
        mine.send_to(answer.sdp)
        theirs.send_to(branch.offer)
        mine.say(440)
        theirs.wait_heard(0.5)
        assert call.ask("INFO", "Signal=7\r\n", [("Content-Type", "application/dtmf-relay")]).status == 200
        theirs.wait_keys("7")
        assert theirs.keys() == "7"
        call.bye()
        branch.wait_bye()


def test_a_phone_that_comes_back_by_another_connection_keeps_its_call(office):
    """R7, R11: its TLS connection breaks, it registers by a new one, and the BYE of the other side reaches it there."""
    one, two = office.person(), office.person()
    with office.raw(one) as caller:
        phone = office.raw(two, "tls", instance="urn:uuid:00000000-0000-4000-8000-000000000042")
        with phone:
            phone.register()
            call = caller.invite(two.number, sdp.describe(40000))
            branch = phone.wait_invite()
            branch.answer(sdp.describe(40002, secret=True))
            call.wait_answer()
        again = office.raw(two, "tls", instance="urn:uuid:00000000-0000-4000-8000-000000000042")
        with again:
            again.register()
            call.bye()
            bye = again.wait_request("BYE")
            assert bye.get("call-id") == branch.call_id
            again.respond(bye, 200)
    assert office.record(one.number, two.number)["cause"] == "caller hung up"


def test_a_caller_whose_connection_breaks_gives_up(office):
    """R7: nobody can hear the answer; the phones stop ringing."""
    one, two = office.person(), office.person()
    with office.raw(two) as phone:
        phone.register()
        with office.raw(one, "tcp") as caller:
            call = caller.invite(two.number, sdp.describe(40000))
            branch = phone.wait_invite()
            branch.ring()
            call.wait_status(180)
        branch.wait_cancel()


def test_a_phone_that_registers_while_it_is_called_rings_too(office):
    """S1.10: a device that comes late joins the ringing."""
    one, two = office.person(), office.person(devices=2)
    with office.raw(one) as caller, office.raw(two[0]) as phone, office.raw(two[1]) as late:
        phone.register()
        call = caller.invite(two[0].number, sdp.describe(40000))
        phone.wait_invite().ring()
        call.wait_status(180)
        late.register()
        late.wait_invite().answer(sdp.describe(40002))
        call.wait_answer()
        call.bye()


def test_a_call_waits_for_a_phone_whose_connection_broke(office):
    """R12: the phone is on its way back; the call reaches it when it registers again."""
    one, two = office.person(), office.person()
    with office.raw(one) as caller:
        with office.raw(two, "tls") as phone:
            phone.register()
        call = caller.invite(two.number, sdp.describe(40000))
        with office.raw(two, "tls") as again:
            again.register()
            branch = again.wait_invite()
            branch.answer(sdp.describe(40002, secret=True))
            call.wait_answer()
            call.bye()
            branch.wait_bye()


def test_two_flows_of_one_phone_are_one_target(office):
    """R11, RFC 5626 section 7: a phone with two flows rings once."""
    one, two = office.person(), office.person()
    name = "urn:uuid:00000000-0000-4000-8000-000000000043"
    with office.raw(one) as caller, office.raw(two, "tcp") as first, office.raw(two, "tcp") as second:
        for number, phone in enumerate((first, second), 1):
            phone.register(contact=f'{phone.contact};+sip.instance="<{name}>";reg-id={number}')
        call = caller.invite(two.number, sdp.describe(40000))
        branch = second.wait_invite()
        branch.answer(sdp.describe(40002))
        call.wait_answer()
        assert not first.received("INVITE")
        call.bye()
        branch.wait_bye()

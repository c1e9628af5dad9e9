"""Blind transfer by REFER: the call goes on with somebody else (RFC 3515, 5589)."""
import pytest

from peers import baresip, pjsua, sdp, tone
from peers.baresip import Baresip
from peers.pjsua import Pjsua
from peers.rtp import RtpEnd


@pytest.mark.parametrize("by", ["callee", "caller"])
def test_a_phone_sends_its_call_on(exchange, office, by):
    """pjsua transfers; the one who stays (baresip) and the new one (pjsua) hear each other."""
    one, two, three = office.person(), office.person(), office.person()
    where = exchange.address()
    stays = Baresip(one.user, one.secret, where, hertz=440)
    sends = Pjsua(two.user, two.secret, where, hertz=700)
    takes = Pjsua(three.user, three.secret, where, hertz=1000)
    with stays, sends, takes:
        for phone in (stays, sends, takes):
            phone.start().wait_registered()
        if by == "callee":
            stays.dial(two.number)
            sends.wait_incoming()
            sends.answer()
        else:
            sends.dial(one.number)
            stays.wait_incoming()
            stays.answer()
        stays.wait_established()
        sends.wait_established()
        sends.transfer(f"sip:{three.number}@{where}")
        takes.wait_incoming()
        takes.answer()
        takes.wait_established()
        sends.wait_closed()
        tone.assert_tone(takes.wait_heard(2.5), 440, baresip.TONE_DBFS)
        heard = stays.wait_heard(6).last(2)
        assert abs(heard.hertz() - 1000) < 4, f"heard {heard.hertz():.1f} Hz"
        takes.hangup()
        stays.wait_closed()
    record = office.record(one.number, two.number) if by == "callee" else office.record(two.number, one.number)
    assert record["detail"] == f"moved to {three.user}" and record["blame"] in ("callee", "caller")


def refer(call, number):
    response = call.ask("REFER", headers=[("Refer-To", f"<sip:{number}@{call.ua.domain}>")])
    told = []
    while response.status == 202 and not told[-1:] or told and "terminated" not in told[-1].get("subscription-state"):
        notify = call.wait_request("NOTIFY", 10)
        call.ua.respond(notify, 200)
        told.append(notify)
    return response.status, [notify.body.decode().strip() for notify in told]


def test_a_transfer_to_nobody_leaves_the_call_as_it_was(office):
    """The phone is told why, by sipfrag; both hear each other again."""
    one, two, three = office.person(), office.person(), office.person()
    with office.raw(one) as caller, office.raw(two) as phone, office.raw(three) as busy, RtpEnd() as mine, RtpEnd() as theirs:
        phone.register()
        busy.register()
        call = caller.invite(two.number, sdp.describe(mine.port))
        branch = phone.wait_invite()
        branch.answer(sdp.describe(theirs.port))
        answer = call.wait_answer()
        assert refer(branch, "no-such-number") == (202, ["SIP/2.0 100 Trying", "SIP/2.0 404 Not Found"])
        response = branch.ask("REFER", headers=[("Refer-To", f"<sip:{three.number}@{caller.domain}>")])
        assert response.status == 202
        busy.wait_invite().refuse(486)
        frags = []
        for _ in range(2):
            notify = branch.wait_request("NOTIFY")
            phone.respond(notify, 200)
            frags.append(notify.body.decode().strip())
        assert frags == ["SIP/2.0 100 Trying", "SIP/2.0 486 Busy Here"]
        mine.send_to(answer.sdp)
        theirs.send_to(branch.offer)
        mine.say(440)
        theirs.say(1000)
        tone.assert_tone(theirs.wait_heard(2.2), 440, -15)
        tone.assert_tone(mine.wait_heard(2.2), 1000, -15)
        call.bye()
        branch.wait_bye()


def test_the_one_who_sends_on_may_leave_at_once(office):
    """Phones hang up after the 202: the other rings on, and hears a ring-back tone meanwhile."""
    one, two, three = office.person(), office.person(), office.person()
    with office.raw(one) as caller, office.raw(two) as phone, office.raw(three) as new, RtpEnd() as mine:
        phone.register()
        new.register()
        call = caller.invite(two.number, sdp.describe(mine.port))
        branch = phone.wait_invite()
        branch.answer(sdp.describe(40002))
        answer = call.wait_answer()
        mine.send_to(answer.sdp)
        mine.say(440)
        assert branch.ask("REFER", headers=[("Refer-To", f"<sip:{three.number}@{caller.domain}>")]).status == 202
        ringing = new.wait_invite()
        ringing.ring()
        branch.bye()
        heard = mine.wait_heard(0.8)
        assert abs(heard.talk().hertz() - 425) < 4, "a ring-back tone"
        ringing.answer(sdp.describe(40004))
        call.bye()
        ringing.wait_bye()


def test_attended_transfer_joins_the_two_far_ends(exchange, office):
    """REFER with Replaces: baresip and pjsua talk, the one between is out; whichever workers their media are on."""
    one, two, three = office.person(), office.person(), office.person()
    where = exchange.address()
    far = Pjsua(one.user, one.secret, where, hertz=440)
    middle = Pjsua(two.user, two.secret, where, hertz=700)
    third = Pjsua(three.user, three.secret, where, hertz=1000, answer=200)
    with far, middle, third:
        for phone in (far, middle, third):
            phone.start().wait_registered()
        for _ in range(2):
            far.dial(two.number)
            first = middle.wait_incoming()
            middle.answer(first)
            far.wait_established()
            middle.wait_established()
            middle.hold(first)
            middle.wait_media("local_hold")
            second = middle.dial(three.number)
            middle.wait_event("state", call=second, state="CONFIRMED")
            middle.transfer_to_call(first, second)
            middle.wait_event("transfer", code=200)
            tone.assert_tone(third.hear_again(2.5), 440, pjsua.TONE_DBFS)
            tone.assert_tone(far.hear_again(2.5), 1000, pjsua.TONE_DBFS)
            far.hangup()
            third.wait_closed()
    causes = sorted(one["cause"] for one in exchange.calls() if two.number in (one["caller"], one["callee"]))
    assert causes.count("transferred") == 2, causes


def test_nobody_joins_the_calls_of_others(office):
    """R32: a REFER whose Replaces names another phone's call is refused by sipfrag."""
    one, two, three, four = (office.person() for _ in range(4))
    with (
        office.raw(one) as caller, office.raw(two) as phone, office.raw(three) as thief, office.raw(four) as helper,
    ):
        phone.register()
        helper.register()
        call = caller.invite(two.number, sdp.describe(40000))
        branch = phone.wait_invite()
        branch.answer(sdp.describe(40002))
        call.wait_answer()
        other = thief.invite(four.number, sdp.describe(40004))
        helper.wait_invite().answer(sdp.describe(40006))
        other.wait_answer()
        stolen = f"{branch.call_id}%3Bto-tag%3D{branch.invite.from_tag}%3Bfrom-tag%3D{branch.tag}"
        response = other.ask("REFER", headers=[("Refer-To", f"<sip:{two.number}@{thief.domain}?Replaces={stolen}>")])
        assert response.status == 202
        told = []
        for _ in range(2):
            notify = other.wait_request("NOTIFY")
            thief.respond(notify, 200)
            told.append(notify.body.decode().strip())
        assert told == ["SIP/2.0 100 Trying", "SIP/2.0 403 Forbidden"]
        call.bye()
        branch.wait_bye()
        other.bye()

"""Feature codes by real phones: the exchange speaks, takes keys, and hangs up when all was said (R3, R20)."""
import pytest

from peers import sdp
from peers.baresip import Baresip
from peers.softphone import Softphone

# Speech, not silence and not a tone: its level goes up and down all the time.
LOUD_DBFS, SOFT_DBFS, SPREAD_DB = -10, -32, 5


def assert_speech(sound, seconds):
    talk = sound.talk()
    assert talk.seconds >= seconds, f"{talk.seconds:.2f} s of speech in {sound.seconds:.2f} s"
    assert SOFT_DBFS < talk.level_dbfs() < LOUD_DBFS, talk.level_dbfs()
    levels = talk.loud_levels(20)
    assert levels[levels > -60].std() > SPREAD_DB, "a tone, or noise"
    return talk


def settings(exchange, person):
    """The line of a person in the list of all."""
    lines = exchange.run("account", "list").stdout.splitlines()
    return next(line for line in lines if line.startswith(f"person-{person.number} "))


@pytest.mark.parametrize("codec", ["PCMU", "G722", "opus"])
def test_baresip_hears_its_number_and_is_hung_up(exchange, office, codec):
    """*61: "Your number is" and its digits; the exchange ends the call when all was heard."""
    one = office.person()
    with Baresip(one.user, one.secret, exchange.address(), codecs=(codec,)) as phone:
        phone.start().wait_registered()
        phone.dial("*61")
        phone.wait_established()
        phone.wait_closed(15)
        assert_speech(phone.heard(), 2.0)
    record = office.record(one.number, "*61")
    assert record["answered"] and 2500 < record["duration_ms"] < 12000, record
    assert record["cause"] == "callee hung up", record


@pytest.mark.parametrize("style", ["rtp", "info"])
def test_a_number_is_keyed_and_stored_before_the_yes(exchange, office, style):
    """*90 asks; the first key stops the question; the yes comes once it is stored (R20)."""
    one, two = office.person(), office.person()
    with Softphone(one.user, one.secret, exchange.address()) as phone:
        phone.start().wait_registered()
        phone.dial("*90")
        phone.wait_established()
        assert_speech(phone.wait_heard(0.7), 0.7)
        phone.dtmf(f"9*{two.number}#", style=style)
        phone.wait_closed(25)
        # Done. Calls are forwarded when you are busy. To number, four digits. Goodbye.
        assert_speech(phone.heard(), 5.0)
    line = settings(exchange, one)
    assert f"busy to {two.number}" in line, line


def test_do_not_disturb_is_switched_in_chinese(exchange, office):
    one = office.person()
    exchange.run("account", "set", f"person-{one.number}", "--language", "zh")
    with Softphone(one.user, one.secret, exchange.address()) as phone:
        phone.start().wait_registered()
        phone.dial("*78")
        phone.wait_established()
        phone.wait_closed(15)
        assert_speech(phone.heard(), 2.0)
    assert "do not disturb" in settings(exchange, one)


def test_codes_are_listed(exchange):
    listed = exchange.run("codes").stdout
    for code in ("600", "*60", "*61", "*72", "*73", "*78", "*79"):
        assert any(line.split()[:1] == [code] for line in listed.splitlines()), listed


def identified(exchange, phone, person, pin, code):
    """Somebody at another's phone: the code, the own number, the PIN, what shall be done."""
    phone.dial("*67")
    phone.wait_established()
    phone.wait_heard(0.7)
    phone.dtmf(f"{person.number}#")
    phone.hear_again(0.7)
    phone.dtmf(f"{pin}#")
    phone.hear_again(0.7)
    phone.dtmf(f"{code}#")


def test_a_pin_sets_ones_own_account_from_anothers_phone(exchange, office):
    """*67: the PIN is compared by argon2id beside the core; a wrong one changes nothing and leaves a fact."""
    one, two = office.person(), office.person()
    exchange.run("account", "set", f"person-{two.number}", "--pin", "471188")
    with Softphone(one.user, one.secret, exchange.address()) as phone:
        phone.start().wait_registered()
        identified(exchange, phone, two, "471188", "*78")
        phone.wait_closed(25)
        assert "do not disturb" in settings(exchange, two) and "do not disturb" not in settings(exchange, one)
        identified(exchange, phone, two, "471189", "*79")
        # The code was taken for a second PIN: asked again, until nobody keys any more.
        phone.hangup()
        phone.wait_closed()
    assert "do not disturb" in settings(exchange, two)
    records = [record for record in exchange.calls() if record["callee"] == "*67" and record["caller"] == one.number]
    facts = [exchange.run("explain", "call", record["session_id"]).stdout for record in records]
    assert sum("pin.right" in words for words in facts) == 1 and sum("pin.wrong" in words for words in facts) == 1
    assert "471188" not in "".join(facts) + exchange.tail(10_000)


def test_r5_intercom_is_answered_by_the_phone_that_has_a_form(exchange, office):
    """*80 and a number: the INVITE asks the device to answer, in its form; the caller's own header has no say."""
    one, two = office.person(), office.person()
    device = ["device", "set", two.user, "--auto-answer", "call-info"]
    exchange.run(*device)
    exchange.run("account", "set", f"person-{one.number}", "--rights", "intercom")
    with office.raw(one) as caller, office.raw(two) as phone:
        phone.register()
        call = caller.invite(f"*80{two.number}", sdp.describe(40000), headers=[("Alert-Info", "<x>;info=evil")])
        branch = phone.wait_invite()
        assert "answer-after=0" in branch.invite.get("call-info") and not branch.invite.get("alert-info")
        branch.answer(sdp.describe(40002))
        call.wait_answer()
        assert call.bye().status == 200
        branch.wait_bye()
        # A plain call to the same device is a plain call.
        call = caller.invite(two.number, sdp.describe(40000), headers=[("Call-Info", "<x>;answer-after=0")])
        branch = phone.wait_invite()
        assert not branch.invite.get("call-info")
        branch.refuse(486)
        assert call.wait_final().status == 486


def test_a_refusal_is_spoken_before_its_status(exchange, office):
    """No right to call abroad: the person hears why as early media, nobody is answered, then comes the 403."""
    exchange.run("trunk", "add", "spoken", "--address", "192.0.2.77")
    exchange.run("route", "add", "spoken", "--prefix", "0099", "--trunk", "spoken")
    one = office.person()
    with Softphone(one.user, one.secret, exchange.address()) as phone:
        phone.start().wait_registered()
        phone.dial("0099123")
        phone.wait_closed(15)
        assert_speech(phone.heard(), 0.8)
        assert not phone.saw("answered")
    record = office.record(one.number, "0099123")
    assert (record["cause"], record["detail"], record["answered"]) == ("forbidden", "rights.international", None), record

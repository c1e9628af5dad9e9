"""Feature codes by real phones: the exchange speaks, takes keys, and hangs up when all was said (R3, R20)."""
import pytest

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

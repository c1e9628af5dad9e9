"""Calls to and from the outside, by Kamailio as the provider (issue: trunks and routes; R9, R13, R31)."""
import os
import signal
import socket

import pytest

from peers import baresip, dns, pjsua, sdp, tone
from peers.baresip import Baresip
from peers.exchange import Exchange
from peers.kamailio import Kamailio
from peers.pjsua import Pjsua
from peers.rtp import RtpEnd
from peers.waiting import until

CONFIG = """
[numbers]
country = "86"

[emergency]
numbers = ["110"]
"""


@pytest.fixture(scope="module")
def provider():
    with Kamailio().start() as proxy:
        yield proxy


@pytest.fixture(scope="module")
def exchange(provider):
    with Exchange(config_extra=CONFIG) as running:
        running.start()
        running.run(
            "trunk", "add", "provider", "--address", provider.address(), "--user", "office",
            "--password", provider.secret, "--register",
        )
        yield running


def trunk_state(exchange, name):
    lines = exchange.run("trunk", "list").stdout.splitlines()
    return next((line for line in lines if line.startswith(name)), "")


def wait_state(exchange, name, *words, seconds=20):
    until(
        lambda: all(word in trunk_state(exchange, name) for word in words),
        seconds, f"trunk {name} is {words}", lambda: trunk_state(exchange, name) + exchange.tail(), every=0.2,
    )


def silent_port():
    """A port that takes what comes and never answers."""
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    return silent


def explain(exchange, record):
    return exchange.run("explain", "call", record["session_id"]).stdout


def test_calls_go_out_and_come_in_by_a_trunk(exchange, office, provider):
    """Show 1: digest on REGISTER and INVITE, tone both ways; the outside calls the number that is registered."""
    wait_state(exchange, "provider", "up", "registered")
    me = office.person()
    exchange.run("route", "add", "home", "--prefix", "+86", "--strip", "3", "--trunk", "provider")
    exchange.run("account", "set", f"person-{me.number}", "--rights", "national")
    exchange.run("number", "add", "office", "--account", f"person-{me.number}")
    with (
        Baresip(me.user, me.secret, exchange.address(), hertz=440) as desk,
        Pjsua("4930555", provider.secret, provider.address(), hertz=1000) as outside,
    ):
        desk.start().wait_registered()
        outside.start().wait_registered()
        desk.dial("04930555")
        outside.wait_incoming()
        outside.answer()
        desk.wait_established()
        outside.wait_established()
        tone.assert_tone(outside.wait_heard(2.5), 440, baresip.TONE_DBFS)
        tone.assert_tone(desk.wait_heard(2.5), 1000, pjsua.TONE_DBFS)
        desk.hangup()
        outside.wait_closed()
        record = office.record(me.number, "04930555")
        assert record["answered_by"] == "provider", record
        outside.dial("sip:office@" + provider.address())
        desk.wait_incoming()
        desk.answer()
        outside.wait_established()
        tone.assert_tone(outside.hear_again(2.5), 440, baresip.TONE_DBFS)
        outside.hangup()
        desk.wait_closed()
    assert office.record("4930555", "office")["answered_by"] == me.user


def test_a_phone_sends_its_call_on_to_the_outside(exchange, office, provider):
    """Show 1: a blind transfer to the trunk, on the account of the one who transfers; tone both ways after."""
    wait_state(exchange, "provider", "up", "registered")
    one, two = office.person(), office.person()
    exchange.run("route", "add", "home", "--prefix", "+86", "--strip", "3", "--trunk", "provider")
    exchange.run("account", "set", f"person-{two.number}", "--rights", "national")
    where = exchange.address()
    stays = Baresip(one.user, one.secret, where, hertz=440)
    sends = Pjsua(two.user, two.secret, where, hertz=700)
    takes = Pjsua("4930777", provider.secret, provider.address(), hertz=1000)
    with stays, sends, takes:
        for phone in (stays, sends, takes):
            phone.start().wait_registered()
        stays.dial(two.number)
        sends.wait_incoming()
        sends.answer()
        stays.wait_established()
        sends.wait_established()
        sends.transfer(f"sip:04930777@{where}")
        takes.wait_incoming()
        takes.answer()
        takes.wait_established()
        sends.wait_closed()
        tone.assert_tone(takes.wait_heard(2.5), 440, baresip.TONE_DBFS)
        heard = stays.wait_heard(6).last(2)
        assert abs(heard.hertz() - 1000) < 4, f"heard {heard.hertz():.1f} Hz"
        takes.hangup()
        stays.wait_closed()


@pytest.mark.parametrize("stays", ["a phone", "the outside"])
def test_attended_transfer_joins_a_phone_and_the_outside(exchange, office, provider, stays):
    """Show 1: REFER with Replaces. The one between talks with one of them, asks the other, and leaves: a phone of ours
    and the trunk's party hear each other, whichever of them was there first."""
    wait_state(exchange, "provider", "up", "registered")
    inside, between = office.person(), office.person()
    exchange.run("route", "add", "home", "--prefix", "+86", "--strip", "3", "--trunk", "provider")
    exchange.run("account", "set", f"person-{between.number}", "--rights", "national")
    where = exchange.address()
    outsider = f"4930{inside.number}", provider.secret, provider.address()
    desk = inside.user, inside.secret, where
    # The first is held meanwhile, and baresip records nothing after a hold.
    if stays == "a phone":
        first, second = Pjsua(*desk, hertz=440), Baresip(*outsider, hertz=1000, answer="auto")
    else:
        first, second = Pjsua(*outsider, hertz=440), Baresip(*desk, hertz=1000, answer="auto")
        exchange.run("number", "remove", "office", ok=False)
        exchange.run("number", "add", "office", "--account", f"person-{between.number}")
    asked = f"0{outsider[0]}" if stays == "a phone" else inside.number
    middle = Pjsua(between.user, between.secret, where, hertz=700)
    with first, middle, second:
        for phone in (first, middle, second):
            phone.start().wait_registered()
        first.dial(between.number if stays == "a phone" else f"sip:office@{provider.address()}")
        call = middle.wait_incoming()
        middle.answer(call)
        first.wait_established()
        middle.wait_established()
        middle.hold(call)
        middle.wait_media("local_hold")
        consultation = middle.dial(asked)
        middle.wait_event("state", call=consultation, state="CONFIRMED")
        second.wait_established()
        tone.assert_tone(second.hear_again(2.2), 700, pjsua.TONE_DBFS)
        middle.transfer_to_call(call, consultation)
        middle.wait_event("transfer", code=200)
        tone.assert_tone(second.hear_again(2.5), 440, pjsua.TONE_DBFS)
        tone.assert_tone(first.hear_again(2.5), 1000, baresip.TONE_DBFS)
        first.hangup()
        second.wait_closed()
    told = [one for one in exchange.calls() if between.number in (one["caller"], one["callee"]) or one["callee"] == "office"]
    assert [one["cause"] for one in told][-2:].count("transferred") >= 1, told


def test_a_dead_trunk_gives_way_to_the_next(exchange, office, provider):
    """Show 1: the first trunk says nothing at all; the call goes out by the second, and says why."""
    wait_state(exchange, "provider", "up", "registered")
    me = office.person()
    with silent_port() as silent:
        dead = "127.0.0.1:%d" % silent.getsockname()[1]
        exchange.run("trunk", "add", "dead", "--address", dead)
        exchange.run(
            "route", "add", "two-ways", "--prefix", "+8655", "--strip", "3", "--trunk", "dead", "--trunk", "provider"
        )
        exchange.run("account", "set", f"person-{me.number}", "--rights", "national")
        with (
            office.raw(me) as desk, RtpEnd() as mine,
            Pjsua("5501", provider.secret, provider.address(), answer=200) as outside,
        ):
            outside.start().wait_registered()
            call = desk.invite("05501", sdp.describe(mine.port))
            call.wait_answer(15)
            call.bye()
        record = office.record(me.number, "05501")
        assert record["answered_by"] == "provider"
        told = until(lambda: explain(exchange, record) if "fail-over" in explain(exchange, record) else None,
                     5, "the fail-over is explained", lambda: explain(exchange, record))
        assert "trunk dead did not answer" in told, told
        exchange.run("route", "remove", "two-ways")
        exchange.run("trunk", "remove", "dead")


def test_what_no_rule_allows_is_refused_with_its_rule(exchange, office, provider):
    """Show 1: default deny; the record has the rule, and `explain` the words."""
    me = office.person()
    exchange.run("route", "add", "abroad", "--prefix", "+", "--trunk", "provider")
    with office.raw(me) as desk:
        call = desk.invite("0014155550100", sdp.describe(40000))
        assert call.wait_final().status == 403
    record = office.record(me.number, "0014155550100")
    assert (record["cause"], record["detail"]) == ("forbidden", "rights.international")
    table = exchange.run("calls").stdout
    assert "rights.international" in table
    told = until(lambda: explain(exchange, record) if "rights" in explain(exchange, record) else None, 5,
                 "the refusal is explained", lambda: explain(exchange, record))
    assert "the account lacks a right" in told


def test_a_forwarding_goes_out_on_the_account_of_the_one_who_forwards(exchange, office, provider):
    """R9: a caller from outside reaches the outside only by a person's forwarding, on that person's rights."""
    wait_state(exchange, "provider", "up", "registered")
    me, caller = office.person(), office.person()
    account = f"person-{me.number}"
    exchange.run("route", "add", "home", "--prefix", "+86", "--strip", "3", "--trunk", "provider")
    exchange.run("account", "set", account, "--forward-always", "07701")
    with office.raw(caller) as phone:
        assert phone.invite(me.number, sdp.describe(40000)).wait_final().status == 403
        exchange.run("account", "set", account, "--rights", "national")
        with Pjsua("7701", provider.secret, provider.address(), answer=200) as outside, RtpEnd() as mine:
            outside.start().wait_registered()
            call = phone.invite(me.number, sdp.describe(mine.port))
            call.wait_answer()
            call.bye()
    records = [one for one in exchange.calls() if one["callee"] == me.number]
    told = explain(exchange, records[-1])
    assert "forward.always" in told and "forwards to 07701" in told, told


def test_a_hunt_group_rings_its_members_in_turn(exchange, office):
    """The first does not answer in time, the second does."""
    one, two, caller = office.person(), office.person(), office.person()
    exchange.run(
        "group", "add", "sales", "--number", "7000", "--strategy", "turn", "--ring", "5",
        "--member", f"person-{one.number}", "--member", f"person-{two.number}",
    )
    with office.raw(one) as first, office.raw(two) as second, office.raw(caller) as phone:
        first.register()
        second.register()
        call = phone.invite("7000", sdp.describe(40000))
        ringing = first.wait_invite()
        ringing.ring()
        ringing.wait_cancel(8)
        branch = second.wait_invite()
        branch.answer(sdp.describe(40002))
        call.wait_answer()
        call.bye()
        branch.wait_bye()
    assert office.record(caller.number, "7000")["answered_by"] == two.user


def test_an_emergency_gets_through_where_nothing_else_does(office, provider):
    """Show 1, R31: no port, no channel and no right left for others; the caller does not prove itself again."""
    with Exchange(config_extra=CONFIG, media_span=64).start() as exchange:
        office = type(office)(exchange)
        exchange.run("trunk", "add", "provider", "--address", provider.address(), "--user", "office",
                     "--password", provider.secret, "--channels", "1")
        exchange.run("route", "add", "home", "--prefix", "+86", "--strip", "3", "--trunk", "provider")
        wait_state(exchange, "provider", "up")
        me, busy = office.person(), office.person()
        exchange.run("account", "set", f"person-{busy.number}", "--rights", "national")
        with (
            office.raw(me) as desk, office.raw(busy) as other, RtpEnd() as mine,
            Pjsua("110", provider.secret, provider.address(), answer=200) as rescue,
            Pjsua("5502", provider.secret, provider.address(), answer=200) as outside,
        ):
            rescue.start().wait_registered()
            outside.start().wait_registered()
            desk.register()
            # The one channel is taken.
            talk = other.invite("05502", sdp.describe(40000))
            talk.wait_answer()
            second = other.invite("05502", sdp.describe(40000))
            assert second.wait_final().status == 480
            # And then every port.
            held = []
            while True:
                call = other.invite("600", sdp.describe(40000))
                if call.wait_final().status != 200:
                    break
                call.ack()
                held.append(call)
                assert len(held) < 64
            rescued = desk.invite("110", sdp.describe(mine.port), authenticate=False)
            rescued.wait_answer()
            rescued.bye()
            talk.bye()
        record = office.record(me.number, "110")
        assert record["answered_by"] == "provider"


def test_an_emergency_gets_out_while_the_exchange_stops(office, provider):
    """Show 1, R31: told to stop, it refuses others with the reason; an emergency goes out, and the drain's limit, which
    ends other calls, does not cut it. The exchange ends with it."""
    with Exchange(config_extra=f"{CONFIG}\n[calls]\ndrain_seconds = 6\n", media_span=400).start() as exchange:
        office = type(office)(exchange)
        exchange.run("trunk", "add", "provider", "--address", provider.address(), "--user", "office",
                     "--password", provider.secret)
        wait_state(exchange, "provider", "up")
        me, one, two, three = (office.person() for _ in range(4))
        with (
            Baresip(me.user, me.secret, exchange.address(), hertz=440) as desk,
            Pjsua("110", provider.secret, provider.address(), hertz=1000, answer=200) as rescue,
            office.raw(one) as caller, office.raw(two) as phone, office.raw(three) as late,
        ):
            desk.start().wait_registered()
            rescue.start().wait_registered()
            phone.register()
            talk = caller.invite(two.number, sdp.describe(40000))
            branch = phone.wait_invite()
            branch.answer(sdp.describe(40002))
            talk.wait_answer()
            os.kill(exchange.pid, signal.SIGTERM)
            until(lambda: "draining: 1 call left" in (exchange.folder / "stdout.txt").read_text(), 5, "progress",
                  exchange.tail)
            refusal = late.invite(two.number, sdp.describe(40004), authenticate=False).wait_final()
            assert refusal.status == 503 and refusal.get("retry-after")
            assert "stops and takes no new calls" in refusal.get("reason")
            desk.dial("110")
            desk.wait_established()
            rescue.wait_established()
            branch.wait_bye(10)
            assert "node lost" in talk.wait_bye().get("reason")
            tone.assert_tone(rescue.hear_again(2), 440, baresip.TONE_DBFS)
            tone.assert_tone(desk.hear_again(2), 1000, pjsua.TONE_DBFS)
            assert exchange.alive()
            desk.hangup()
            rescue.wait_closed()
            assert exchange.wait_end(10) == 0
        exchange.start()
        causes = {record["callee"]: record["cause"] for record in exchange.calls()}
        assert causes == {two.number: "node lost", "110": "caller hung up"}


def test_a_trunk_by_name_is_found_by_srv(provider):
    """RFC 3263: no port, so SRV is asked; calls from its address are the trunk's."""
    host, port = provider.address().rsplit(":", 1)
    records = {
        "provider.test": [dns.naptr(10, 10, "SIP+D2U", "_sip._udp.provider.test")],
        "_sip._udp.provider.test": [
            dns.srv(10, 1, int(port), "sip.provider.test"), dns.srv(20, 1, 9, "nowhere.test"),
        ],
        "sip.provider.test": [dns.address(host)],
    }
    with dns.NameServer(records) as names:
        with Exchange(config_extra=CONFIG + f'[dns]\nservers = "{names.address}"\n').start() as exchange:
            exchange.run("trunk", "add", "named", "--address", "provider.test")
            wait_state(exchange, "named", "up")
            assert ("_sip._udp.provider.test", 33) in names.asked, names.asked
            exchange.run("trunk", "add", "lost", "--address", "nowhere.test")
            wait_state(exchange, "lost", "down")

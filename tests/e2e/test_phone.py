"""`ringdown phone` against phones and servers that nobody here wrote, and against our exchange."""
import os
import subprocess
import time

import pytest

from peers import baresip, pjsua, softphone, tone
from peers.baresip import Baresip
from peers.exchange import Exchange, binary
from peers.kamailio import Kamailio
from peers.pjsua import Pjsua
from peers.ports import free_port
from peers.softphone import Softphone
from peers.waiting import until


@pytest.fixture(scope="module")
def kamailio():
    with Kamailio(tls=True).start() as proxy:
        yield proxy


def connect(caller, callee, number):
    caller.start().wait_registered()
    callee.start().wait_registered()
    caller.dial(number)
    callee.wait_incoming()
    callee.answer()
    caller.wait_established()
    callee.wait_established()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_calls_pjsua_through_kamailio(kamailio, transport):
    """Tone both ways, keys both ways, hold by either side, hang-up by the far side."""
    where = kamailio.address(transport)
    with (
        Softphone("4001", kamailio.secret, where, transport, hertz=440) as ours,
        Pjsua("4002", kamailio.secret, where, transport, hertz=1000) as theirs,
    ):
        connect(ours, theirs, "4002")
        theirs.wait_media("active")
        tone.assert_tone(theirs.wait_heard(2.5), 440, softphone.TONE_DBFS)
        tone.assert_tone(ours.wait_heard(2.5), 1000, pjsua.TONE_DBFS)
        ours.wait_measured(1000)
        ours.dtmf("159#")
        theirs.wait_digits("159#")
        theirs.dtmf("260*")
        ours.wait_digits("260*")
        ours.hold()
        theirs.wait_media("remote_hold")
        ours.resume()
        theirs.wait_media("active")
        theirs.hold()
        ours.wait_event("held", by="them")
        theirs.resume()
        ours.wait_event("resumed", by="them")
        tone.assert_tone(ours.hear_again(2.5), 1000, pjsua.TONE_DBFS)
        tone.assert_tone(theirs.hear_again(2.5), 440, softphone.TONE_DBFS)
        assert ours.digits() == "260*" and theirs.digits() == "159#", "each key once"
        theirs.hangup()
        assert ours.wait_closed()["cause"] == "they_hung_up"


@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_s3_11_websocket_through_kamailio(kamailio, transport):
    """RFC 7118: calls out and in by a WebSocket at a path, to and from a phone on UDP; Via and Contact name no address."""
    trust = ["--tls-trust", kamailio.certificate] if transport == "wss" else []
    with (
        Softphone("4011", kamailio.secret, kamailio.address(transport), transport, hertz=440, extra=trust) as ours,
        Baresip("4012", kamailio.secret, kamailio.address(), hertz=1000) as theirs,
    ):
        connect(ours, theirs, "4012")
        tone.assert_tone(theirs.wait_heard(2.5), 440, softphone.TONE_DBFS)
        tone.assert_tone(ours.wait_heard(2.5), 1000)
        ours.hangup()
        theirs.wait_closed()
        theirs.dial("4011")
        ours.wait_incoming()
        ours.answer()
        theirs.wait_established()
        ours.wait_established()
        theirs.hangup()
        assert ours.wait_closed()["cause"] == "they_hung_up"


def test_s3_11_websocket_refusals_are_told_in_words(kamailio):
    """A wrong path, and a certificate that nobody vouches for."""
    wrong = kamailio.address("ws") + "s"
    with Softphone("4013", kamailio.secret, wrong, "ws") as ours:
        assert "404" in ours.start().wait_event("not_registered")["reason"]
    trust = ["--tls-trust", "/etc/ssl/certs/ca-certificates.crt"]
    with Softphone("4014", kamailio.secret, kamailio.address("wss"), "wss", extra=trust) as ours:
        assert "certificate" in ours.start().wait_event("not_registered")["reason"]


@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_s3_11_websocket_with_our_exchange(transport):
    """A program on a WebSocket is no browser: it is called with RTP or SRTP, without ICE."""
    with Exchange(sip_extra='ws = "127.0.0.1:0"\nwss = "127.0.0.1:0"\n').start() as exchange:
        one = exchange.add_account("websocket", "4101", "desk-4101")
        two = exchange.add_account("wire", "4102", "desk-4102")
        where = f"{transport}://{exchange.address(transport)}"
        with (
            Softphone(one.user, one.secret, where, transport, hertz=440) as ours,
            Baresip(two.user, two.secret, exchange.address(), hertz=1000) as theirs,
        ):
            connect(ours, theirs, two.number)
            tone.assert_tone(theirs.wait_heard(2.5), 440, softphone.TONE_DBFS)
            tone.assert_tone(ours.wait_heard(2.5), 1000)
            ours.hangup()
            theirs.wait_closed()
            theirs.dial(one.number)
            ours.wait_incoming()
            ours.answer()
            theirs.wait_established()
            ours.wait_established()
            tone.assert_tone(ours.hear_again(2.5), 1000)
            tone.assert_tone(theirs.hear_again(2.5), 440, softphone.TONE_DBFS)
            theirs.hangup()
            ours.wait_closed()


@pytest.mark.parametrize("codec", ["PCMA", "G722", "opus"])
def test_is_called_by_baresip_through_kamailio(kamailio, codec):
    """The far side calls, and is answered without a person; every codec."""
    where = kamailio.address()
    with (
        Baresip("4003", kamailio.secret, where, codecs=(codec,), hertz=440) as theirs,
        Softphone("4004", kamailio.secret, where, codecs=(codec,), hertz=1000, answer_after=0.5) as ours,
    ):
        theirs.start().wait_registered()
        ours.start().wait_registered()
        theirs.dial("4004")
        assert ours.wait_incoming()["number"] == "4003"
        theirs.wait_established()
        assert ours.wait_established()["codec"] == codec
        # The two phones scale G.722 as each other (R3), unlike pjsua.
        tone.assert_tone(ours.wait_heard(2.5), 440)
        tone.assert_tone(theirs.wait_heard(2.5), 1000)
        ours.hangup()
        theirs.wait_closed()
        assert ours.wait_closed()["cause"] == "we_hung_up"


def test_a_wav_file_goes_in_and_comes_out(kamailio, tmp_path):
    """16 kHz, stereo or mono, looped; and what is heard can be read while it is written."""
    where = kamailio.address()
    spoken = softphone.write_speech(tmp_path / "said.wav", 700, 16000)
    with (
        Softphone("4005", kamailio.secret, where, play=spoken) as ours,
        Pjsua("4006", kamailio.secret, where, hertz=1000, answer=200) as theirs,
    ):
        ours.start().wait_registered()
        theirs.start().wait_registered()
        ours.dial("4006")
        ours.wait_established()
        tone.assert_tone(theirs.wait_heard(7), 700, softphone.TONE_DBFS)
        tone.assert_tone(ours.wait_heard(2.5), 1000, pjsua.TONE_DBFS)


def test_prack_update_and_refusals_with_pjsua(kamailio):
    """100rel is asked for by the caller, an UPDATE is answered, 486 and CANCEL are told by their names."""
    where = kamailio.address()
    with (
        Pjsua("4007", kamailio.secret, where, hertz=1000, prack=True) as theirs,
        Softphone("4008", kamailio.secret, where, hertz=440) as ours,
    ):
        theirs.start().wait_registered()
        ours.start().wait_registered()
        theirs.dial("4008")
        ours.wait_incoming()
        theirs.wait_ringing()
        ours.answer()
        theirs.wait_established()
        ours.wait_established()
        theirs.wait_media("active")
        theirs.update()
        theirs.reinvite()
        tone.assert_tone(theirs.hear_again(2.5), 440, softphone.TONE_DBFS)
        ours.hangup()
        theirs.wait_closed()
        ours.wait_closed()
        ours.dial("4007")
        theirs.wait_incoming()
        theirs.hangup(code=486)
        assert ours.wait_closed()["cause"]["refused"]["status"] == 486
        theirs.dial("4008")
        ours.wait_incoming()
        theirs.hangup()
        assert ours.wait_closed()["cause"] == "caller_gave_up"


def test_two_of_ours_through_the_exchange(exchange, office):
    """Show 1 with our own phones: tones, keys in both styles, hold with music, and the record."""
    one, two = office.person(), office.person()
    where = exchange.address()
    with (
        Softphone(one.user, one.secret, where, hertz=440) as caller,
        Softphone(two.user, two.secret, where, hertz=1000) as callee,
    ):
        connect(caller, callee, two.number)
        tone.assert_tone(callee.wait_heard(2.5), 440, softphone.TONE_DBFS)
        tone.assert_tone(caller.wait_heard(2.5), 1000, softphone.TONE_DBFS)
        caller.dtmf("12#")
        callee.wait_digits("12#")
        callee.dtmf("9*")
        caller.wait_digits("9*")
        caller.hold()
        time.sleep(0.5)
        music = callee.hear_again(1.0).talk(-60.0)
        assert abs(music.hertz() - 440) > 8, "held, and still hears the caller"
        caller.resume()
        time.sleep(0.5)
        tone.assert_tone(callee.hear_again(2.5), 440, softphone.TONE_DBFS)
        callee.hangup()
        assert caller.wait_closed()["cause"] == "they_hung_up"
    assert office.record(one.number, two.number)["cause"] == "callee hung up"


@pytest.mark.parametrize("other", ["baresip", "pjsua"])
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_calls_others_through_the_exchange(exchange, office, other, transport):
    one, two = office.person(), office.person()
    where = exchange.address(transport)
    make, level = (Baresip, baresip.TONE_DBFS) if other == "baresip" else (Pjsua, pjsua.TONE_DBFS)
    with (
        Softphone(one.user, one.secret, where, transport, hertz=440) as ours,
        make(two.user, two.secret, where, transport, hertz=1000) as theirs,
    ):
        connect(ours, theirs, two.number)
        tone.assert_tone(theirs.wait_heard(2.5), 440, softphone.TONE_DBFS)
        tone.assert_tone(ours.wait_heard(2.5), 1000, level)
        ours.dtmf("7#")
        theirs.wait_digits("7#")
        ours.hangup()
        theirs.wait_closed()


def phone_command(where, device, *arguments, secret=None):
    command = [str(binary()), "phone", "--server", where, "--user", device.user, *arguments]
    environment = {**os.environ, "RINGDOWN_PHONE_PASSWORD": secret or device.secret}
    return subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment,
                          stdin=subprocess.DEVNULL)


def test_the_command_line_alone(exchange, office, tmp_path):
    """One line calls, says, measures, keeps and ends; the exit code tells whether it happened."""
    one = office.person()
    where = exchange.address()
    heard = tmp_path / "heard.wav"
    done = phone_command(where, one, "--call", "600", "--tone", "440", "--hang-up-after", "4.5", "--record", heard)
    assert done.returncode == 0, done.stderr
    assert "registered" in done.stdout and "heard 440 Hz" in done.stdout and "ended: we hung up" in done.stdout
    tone.assert_tone(tone.read(heard).last(2.3), 440, softphone.TONE_DBFS)
    failed = phone_command(where, one, "--call", "99999")
    assert failed.returncode == 1 and "404" in failed.stderr
    refused = phone_command(where, one, "--call", "600", secret="wrong")
    assert refused.returncode == 1 and "password" in refused.stderr


def test_words_from_the_terminal(exchange, office):
    one = office.person()
    command = [str(binary()), "phone", "--server", exchange.address(), "--user", one.user, "--tone", "440"]
    environment = {**os.environ, "RINGDOWN_PHONE_PASSWORD": one.secret}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout.readline().startswith("registered")
        child.stdin.write("call 600\n")
        child.stdin.flush()
        lines = [child.stdout.readline() for _ in range(3)]
        assert any(line.startswith("answered") for line in lines), lines
        child.stdin.write("status\nhang_up\nquit\n")
        child.stdin.flush()
        rest = child.stdout.read()
        assert "talking" in rest and "ended: we hung up" in rest and "left the server" in rest
        assert child.wait(10) == 0


def test_s3_11_several_accounts_at_once(kamailio, exchange, office):
    """Each registers by itself, a dead server harms none; calls say for whom they are and go out by whom is named."""
    one, other = office.person(), office.person()
    dead = free_port()
    accounts = [
        {"name": "office", "server": exchange.address(), "user": one.user, "password": one.secret, "expires": 60},
        {"name": "home", "server": kamailio.address("ws"), "user": "4021", "password": kamailio.secret},
        {"name": "away", "server": f"127.0.0.1:{dead}", "transport": "tcp", "user": "x", "password": "x"},
        {"name": "nowhere", "server": "no.such.host.invalid", "user": "x", "password": "x"},
    ]
    with (
        Softphone("several", None, None, hertz=440, accounts=accounts) as ours,
        Softphone(other.user, other.secret, exchange.address(), hertz=1000, answer_after=0.3) as colleague,
        Baresip("4022", kamailio.secret, kamailio.address(), hertz=700, codecs=("PCMU",)) as friend,
    ):
        ours.start()
        for account in ("office", "home"):
            until(lambda name=account: any(event["account"] == name for event in ours.saw("registered")), 10, account, ours.tail)
        failed = until(lambda: len({event["account"] for event in ours.saw("not_registered")}) == 2 and ours.saw("not_registered"),
                       10, "two are not registered", ours.tail)
        assert all(str(dead) in event["reason"] for event in failed if event["account"] == "away"), failed
        assert {event["account"] for event in failed} == {"away", "nowhere"}
        colleague.start().wait_registered()
        friend.start().wait_registered()
        # Out by the first, as nobody is named; sound goes on while dead servers are tried.
        ours.dial(other.number)
        assert ours.wait_established()["account"] == "office"
        tone.assert_tone(colleague.wait_heard(2.5), 440, softphone.TONE_DBFS)
        # In by another, beside the call that is up; the newest call is meant.
        friend.dial("4021")
        assert ours.wait_incoming()["account"] == "home"
        ours.answer()
        assert ours.wait_established()["account"] == "home"
        friend.wait_established()
        ours.hangup()
        assert ours.wait_closed()["account"] == "home"
        ours.hangup()
        assert ours.wait_closed()["account"] == "office"
        ours.do("call", number="4022", account="home")
        assert ours.wait_event("calling")["account"] == "home"
        ours.hangup()
        ours.wait_closed()
        ours.do("call", number="4022", account="nobody")
        assert "nobody" in ours.wait_event("refused")["why"]
        ours.do("use", account="home")
        ours.wait_event("using", account="home")
        ours.dial("4022")
        assert ours.wait_event("calling")["account"] == "home"
        ours.do("quit")
        ours.wait_event("stopped")


def test_s3_11_history_tells_missed_from_answered_elsewhere_and_survives_a_kill(exchange, office):
    """RFC 3326: what another phone took is not missed; a call is remembered though the phone was killed in it."""
    caller = office.person()
    mine, desk = office.person(devices=2)
    where = exchange.address()
    with (
        Softphone(caller.user, caller.secret, where) as other,
        Softphone(mine.user, mine.secret, where) as ours,
        Softphone(desk.user, desk.secret, where) as second,
    ):
        other.start().wait_registered()
        ours.start().wait_registered()
        second.start().wait_registered()
        other.dial(mine.number)
        ours.wait_incoming()
        second.wait_incoming()
        second.answer()
        logged = ours.wait_event("logged")
        assert (logged["kind"], logged["missed"]) == ("answered_elsewhere", 0), logged
        other.hangup()
        second.wait_closed()
        other.dial(mine.number)
        ours.wait_incoming()
        other.hangup()
        logged = ours.wait_event("logged")
        assert (logged["kind"], logged["number"], logged["missed"]) == ("missed", caller.number, 1), logged
        ours.dial("600")
        ours.wait_established()
        ours.kill()
        ours.start().wait_registered()
        ours.do("history", limit=2)
        history = ours.wait_event("history")
        assert [call["kind"] for call in history["calls"]] == ["dialled", "missed"] and history["missed"] == 1, history
        assert history["calls"][0]["words"] == "the phone was switched off"
        ours.do("history", seen=True)
        history = ours.wait_event("history")
        assert len(history["calls"]) == 3 and history["missed"] == 0


def test_s3_11_lamps_follow_a_number_and_pick_up(exchange, office):
    """RFC 4235: idle, ringing, busy, idle; what rings is picked up by the exchange's code."""
    watcher, watched, caller = office.person(), office.person(), office.person()
    where = exchange.address()
    with (
        Softphone(watcher.user, watcher.secret, where, extra=["--lamp", watched.number]) as ours,
        Softphone(watched.user, watched.secret, where) as theirs,
        Softphone(caller.user, caller.secret, where) as third,
    ):
        ours.start().wait_registered()
        ours.wait_event("messages", new=0)
        ours.wait_event("lamp", number=watched.number, state="idle")
        theirs.start().wait_registered()
        third.start().wait_registered()
        third.dial(watched.number)
        theirs.wait_incoming()
        ours.wait_event("lamp", state="ringing")
        theirs.answer()
        ours.wait_event("lamp", state="busy")
        third.hangup()
        ours.wait_event("lamp", state="idle")
        exchange.run("account", "set", f"person-{watcher.number}", "--rights", "pickup")
        third.dial(watched.number)
        theirs.wait_incoming()
        ours.wait_event("lamp", state="ringing")
        ours.dial(f"*85{watched.number}")
        ours.wait_established()
        ours.wait_event("lamp", state="idle")
        until(lambda: theirs.saw("logged")[-1]["kind"] == "answered_elsewhere", 5, "it was answered elsewhere", theirs.tail)
        assert theirs.saw("logged")[-1]["missed"] == 0
        third.hangup()
        ours.wait_closed()


def test_s3_11_a_server_without_lamps_leaves_them_unknown(kamailio):
    extra = ["--lamp", "4032,4033"]
    with Softphone("4031", kamailio.secret, kamailio.address(), extra=extra) as ours:
        ours.start().wait_registered()
        unknown = lambda: {event["number"]: event["why"] for event in ours.saw("lamp") if event["state"] == "unknown"}
        # Which of them is refused first is the network's.
        until(lambda: len(unknown()) == 2, 10, "both are told of", ours.tail)
        assert all("405" in why for why in unknown().values())
        ours.do("status")
        assert ours.wait_event("status")["registered"]

"""Strangers against a running exchange: scanners, guessers, and packets from nowhere (sec_03, sec_24, R10, R16)."""
import subprocess
import sys
from pathlib import Path

from peers import sdp, tone
from peers.exchange import Exchange
from peers.rtp import RtpEnd
from peers.waiting import until

TOOLS = Path(sys.executable).parent


def sipvicious(tool, *arguments, seconds=60):
    """One of sipvicious' tools; what it said."""
    assert (TOOLS / f"sipvicious_{tool}").is_file(), "run scripts/setup peers"
    command = [sys.executable, str(TOOLS / f"sipvicious_{tool}"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
    return done.stdout + done.stderr


def listed(said, names):
    """Which of the names a table of the scanner lists."""
    cells = [cell.strip() for line in said.splitlines() for cell in line.split("|")]
    return [name for name in names if name in cells]


def test_sec_24_a_scanner_cannot_tell_who_is_there():
    """Show 3: svwar sees the same for a phone that exists and for one that does not, whatever it asks."""
    with Exchange().start() as exchange:
        exchange.add_account("person", "2001", "105", "secret-of-105")
        host, port = exchange.host_port()
        for method in ("REGISTER", "INVITE", "OPTIONS"):
            said = sipvicious("svwar", "--force", "-m", method, "-e", "101-109", "-p", port, "--maximumtime", 20, host)
            seen = listed(said, [str(number) for number in range(101, 110)])
            assert "found" in said or "Authentication" in said, f"it did not scan: {said}"
            assert seen == [] or len(seen) == 9, f"{method}: {said}"


def test_r10_guessing_is_slowed_and_reported():
    """Show 3: svcrack does not find a password that it tries; the exchange names who guesses, and others go on."""
    with Exchange().start() as exchange:
        device = exchange.add_account("person", "2001", "desk", "190")
        host, port = exchange.host_port()
        said = sipvicious("svcrack", "-u", device.user, "-r", "100-199", "-p", port, "--maximumtime", 20, host)
        assert "190" not in listed(said, ["190"]), said
        status = exchange.run("status").stdout
        assert "127.0.0.1" in status and "desk" in status, status

        def explained():
            told = exchange.run("explain", "source", "127.0.0.1").stdout
            return told if "wrong secrets" in told else None

        until(explained, 5, "the guessing is explained", exchange.tail)


def test_r16_packets_from_nowhere_change_nothing(office):
    """Show 3: RTP injection and RTP bleed: who was not agreed with is neither heard nor hears."""
    one, two = office.person(), office.person()
    with (
        office.raw(one) as caller, office.raw(two) as phone, RtpEnd() as mine, RtpEnd() as theirs, RtpEnd() as thief,
    ):
        phone.register()
        call = caller.invite(two.number, sdp.describe(mine.port))
        branch = phone.wait_invite()
        branch.answer(sdp.describe(theirs.port))
        answer = call.wait_answer()
        mine.send_to(answer.sdp)
        theirs.send_to(branch.offer)
        mine.say(440)
        theirs.say(1000)
        tone.assert_tone(theirs.wait_heard(2.2), 440, -15)
        for port in (answer.sdp, branch.offer):
            thief.send_to(port)
            thief.say(700)
            before = len(theirs.packets)
            until(lambda: len(theirs.packets) > before + 110, 10, "more sound", caller.tail)
            for end, hertz in ((theirs, 440), (mine, 1000)):
                heard = end.heard().last(2).hertz()
                assert abs(heard - hertz) < 4, f"heard {heard:.1f} Hz, not {hertz}"
            assert not thief.packets, "who was not agreed with hears the call"
        call.bye()
        branch.wait_bye()

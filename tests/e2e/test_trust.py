"""Strangers against a running exchange: scanners, guessers, and packets from nowhere (sec_03, sec_24, R10, R16)."""
import http.client
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

from peers import sdp, tone
from peers.exchange import Exchange
from peers.rawcall import OutgoingCall
from peers.rawua import RawUA
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


def page(exchange, path, headers=None):
    """Status and body of a page, redirects not followed."""
    host, port = exchange.ready["http"].rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace"), dict(answer.getheaders())
    finally:
        connection.close()


def test_sec_16_no_page_repeats_what_it_was_sent(exchange):
    """A path, a parameter, a header: none of it comes back, and nothing of a page may run."""
    for path in ("/%3Cscript%3Ealert(1)%3C/script%3E", "/admin/%3Cscript%3Ealert(1)", "/admin?q=<script>alert(1)",
                 "/healthz/<script>alert(1)"):
        status, body, headers = page(exchange, path, {"Accept-Language": "<script>alert(1)", "Cookie": "visit=<script>"})
        # What is no path of ours is the console's one page, the same whatever was asked.
        assert status in (200, 400, 403, 404) and "alert" not in body, (path, status, body)
        assert not any("alert" in value for value in headers.values()), headers
    status, body, headers = page(exchange, "/admin")
    assert status == 200 and "default-src 'none'" in headers["content-security-policy"], headers


def test_sec_11_each_request_of_an_administrator_is_authorised_by_itself():
    """The link opens one visit, and only its cookie sees the page; the control socket is its owner's alone."""
    with Exchange().start() as exchange:
        out = (exchange.folder / "stdout.txt").read_text()
        link = re.search(r"https?://[^/\s]+(/enter/\S+)", out)
        assert link, out
        people = "/api/v1/people"
        assert page(exchange, people)[0] == 401
        assert page(exchange, link[1][:-1] + "x")[0] in (403, 404)
        status, _, headers = page(exchange, link[1])
        assert status == 303 and "HttpOnly" in headers["set-cookie"] and "SameSite=Strict" in headers["set-cookie"]
        cookie = headers["set-cookie"].split(";")[0]
        assert page(exchange, people, {"Cookie": cookie})[0] == 200
        # Seen once is not known: the same connection or address has no say.
        assert page(exchange, people)[0] == 401
        assert page(exchange, people, {"Cookie": cookie[:-1] + "x"})[0] == 401
        assert "set-cookie" not in page(exchange, link[1])[2], "sec_19: the link is good once"
        sockets = [path for path in exchange.data.rglob("*") if path.is_socket()]
        assert sockets
        for path in [exchange.data, *sockets]:
            assert path.stat().st_mode & 0o077 == 0, path


def test_sec_01_a_hostile_name_reaches_no_terminal_log_or_table():
    """A trunk's caller has escapes in name and number: tables, JSON, ladder, facts and log carry none of them."""
    shown_name, hostile = "\u202eevil\u009b31m';--", "\x1b[2J\u009b31m\u202e2002"
    number = "".join(f"%{octet:02X}" for octet in hostile.encode())
    with Exchange().start() as exchange, RawUA("outside", "none", exchange.host_port()) as outside:
        exchange.run("trunk", "add", "city", "--address", "127.0.0.1")
        exchange.run("account", "add", "ada")
        exchange.run("number", "add", "2001", "--account", "ada")
        for dialled in ("2001", "600", number):
            call = OutgoingCall(outside, outside.uri(dialled), sdp.describe(40000), [])
            call.local = f'"{shown_name}" <sip:{number}@127.0.0.1>;tag=hostile'
            final = call.start(authenticate=False).wait_final()
            if final.status == 200:
                call.ack()
                call.bye()
        records = exchange.wait_calls(3)
        commands = (["calls"], ["calls", "--json"], ["status"], ["ladder", "--full"], ["trunk", "list"])
        shown = [exchange.run(*words).stdout for words in commands]
        shown += [exchange.run("explain", "call", record["session_id"]).stdout for record in records]
        shown.append((exchange.folder / "stdout.txt").read_text() + exchange.tail(10_000))
        for text in shown:
            bad = [hex(ord(c)) for c in text if unicodedata.category(c) in ("Cc", "Cf") and c not in "\n\t"]
            assert not bad, (bad, text)
        assert all("evil" in record["caller_name"] for record in records), records

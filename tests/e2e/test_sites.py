"""Two exchanges of one office and their directory, with real phones (S4)."""
import json
import os
import signal
import time

import pytest

from e2e.test_background import the_two_talk
from peers import baresip, pjsua, tone
from peers.api import administrator
from peers.baresip import Baresip
from peers.callees import Callee
from peers.directory import SITE, Directory, fingerprint, joined_long_ago, member, told
from peers.exchange import Exchange
from peers.kamailio import Kamailio
from peers.pjsua import Pjsua
from peers.ports import LOOPBACK
from peers.softphone import Softphone
from peers.waiting import until


@pytest.fixture(scope="module")
def directory():
    with Directory().start() as started:
        yield started


@pytest.fixture(scope="module")
def sites(directory):
    """North with Anna, 2041; south with Bela, 2042."""
    with member(directory, "north", "berlin") as north, member(directory, "south", "wien") as south:
        north.anna = north.add_account("anna", "2041", "desk-a")
        south.bela = south.add_account("bela", "2042", "desk-b")
        # South's own list comes back in the copy that north gets.
        copy = north.data / "membership" / "directory.copy"
        until(lambda: "2042" in told(copy), 10, "north knows 2042", north.tail)
        yield north, south


def phones(sites):
    north, south = sites
    return (Baresip(north.anna.user, north.anna.secret, north.address(), "udp", ("PCMU",), hertz=440),
            Pjsua(south.bela.user, south.bela.secret, south.address(), "udp", ("PCMU",), hertz=1000))


def rings(caller, callee):
    callee.wait_incoming()
    callee.ring()
    caller.wait_ringing()


def talk(caller, callee):
    callee.answer()
    caller.wait_established()
    callee.wait_established()
    callee.wait_media("active")
    tone.assert_tone(callee.wait_heard(2.5), 440, baresip.TONE_DBFS)
    tone.assert_tone(caller.wait_heard(2.5), 1000, pjsua.TONE_DBFS)






def test_show_1_c2_goes_straight_there_and_the_directory_has_no_part_in_it(directory, sites):
    """S4.11 to S4.14, S4.23: the directory stands still while the two ring, talk and hang up."""
    north, south = sites
    caller, callee = phones(sites)
    with caller.start(), callee.start():
        caller.wait_registered()
        callee.wait_registered()
        caller.dial("2042")
        callee.wait_incoming()
        os.kill(directory.pid, signal.SIGSTOP)
        try:
            callee.ring()
            caller.wait_ringing()
            talk(caller, callee)
            caller.hangup()
            callee.wait_closed()
        finally:
            os.kill(directory.pid, signal.SIGCONT)
    (here,), (there,) = north.wait_calls(1), south.wait_calls(1)
    assert here["answered"] and there["answered"], (here, there)
    assert here["session_id"] == there["session_id"], "one call, one Session-ID, in both exchanges"
    facts = north.run("explain", "call", here["session_id"]).stdout
    assert "C2 to south for bela" in facts and "in another region" in facts, facts
    assert not udp_sockets(directory.pid), "who has no UDP socket carries no sound"


def udp_sockets(pid):
    """The UDP sockets of a process."""
    inodes = set()
    for entry in os.scandir(f"/proc/{pid}/fd"):
        target = os.readlink(entry.path)
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    lines = [line.split() for name in ("udp", "udp6") for line in open(f"/proc/{pid}/net/{name}").readlines()[1:]]
    return [line for line in lines if line[9] in inodes]


def test_s4_12_a_number_that_nobody_has_is_refused_at_once(sites):
    caller, _ = phones(sites)
    with caller.start():
        caller.wait_registered()
        began = time.monotonic()
        caller.dial("2999")
        caller.wait_closed()
        assert time.monotonic() - began < 3


def test_show_4_the_directory_is_killed_and_exchanges_call_each_other_by_their_copy(directory, sites):
    north, south = sites
    os.kill(directory.pid, signal.SIGKILL)
    north.wait_log("no connection to the directory")
    south.wait_log("no connection to the directory")
    caller, callee = phones(sites)
    with caller.start(), callee.start():
        caller.wait_registered()
        callee.wait_registered()
        caller.dial("2042")
        rings(caller, callee)
        talk(caller, callee)
        callee.hangup()
        caller.wait_closed()
    last = max(north.calls(), key=lambda record: record["started"])
    assert "by its copy" in north.run("explain", "call", last["session_id"]).stdout
    # What both were told while it was away comes when it is back.
    south.add_account("cleo", "2043", "desk-c")
    directory.start()
    copy = north.data / "membership" / "directory.copy"
    until(lambda: "2043" in told(copy), 20, "north learns of 2043", north.tail)


def test_s2_somebody_at_another_exchange_is_called_back_as_soon_as_they_are_free(directory, sites):
    """Anna (baresip) at north wants Bela (pjsua2) at south, who refuses at first: by the directory, as soon as Bela is free, and
    while the directory is away. Anna rings when Bela has answered; tone both ways; nobody becomes busy by that before."""
    north, south = sites
    north.run("account", "set", "anna", "--rights", "background")
    admin = administrator(north)
    calling, called = phones(sites)

    def keep_calling():
        return admin.post("/tasks", {"account": "anna", "number": "2042"}).must(201).json["id"]

    def task(made):
        return admin.get(f"/tasks/{made}").must(200).json

    def they_talk(made):
        the_two_talk(calling, called)
        until(lambda: task(made)["state"] == "ended", 10, "the task ends", lambda: task(made))

    with calling, called:
        calling.start().wait_registered()
        called.start().wait_registered()
        made = keep_calling()
        # The directory gives nothing away in the first seconds after its start.
        called.wait_incoming(25)
        called.answer(code=486)
        until(lambda: [one["outcome"] for one in task(made)["attempts"]] == ["busy"], 5, "it is busy", lambda: task(made))
        assert not calling.saw("CALL_INCOMING"), "Anna's phone is silent all the while"
        time.sleep(1)
        # Bela calls somebody, hangs up, and is free: north learns of it.
        called.dial("2099")
        called.wait_closed(10)
        called.wait_incoming(5)
        they_talk(made)
        assert [one["outcome"] for one in task(made)["attempts"]] == ["busy", "answered"], task(made)
        causes = lambda: [one["cause"] for one in admin.get(f"/records?task={made}").must(200).json["items"]]
        until(lambda: causes() == ["caller hung up", "busy"], 5, "each attempt has its record", causes)
        nobodys = admin.post("/tasks", {"account": "anna", "number": "2098"})
        assert nobodys.status == 422 and "2098" in nobodys.json["detail"], nobodys
        away = "no connection to the directory"
        before = north.log().count(away)
        os.kill(directory.pid, signal.SIGSTOP)
        try:
            until(lambda: north.log().count(away) > before, 15, "the directory is away", north.tail)
            second = keep_calling()
            called.wait_incoming(15)
            they_talk(second)
        finally:
            os.kill(directory.pid, signal.SIGCONT)


def test_a_link_works_once_and_says_why_otherwise(directory, tmp_path):
    link = directory.invite("west")
    first, second = tmp_path / "first", tmp_path / "second"
    joined = directory.run("exchange", "join", link, data=first)
    assert "joined as west" in joined.stdout
    again = directory.run("exchange", "join", link, data=second, ok=False)
    assert again.returncode != 0 and "was used" in again.stderr, again.stderr
    wrong = link[:-1] + ("0" if link[-1] != "0" else "1")
    refused = directory.run("exchange", "join", wrong, data=second, ok=False)
    assert refused.returncode != 0 and "certificate" in refused.stderr, refused.stderr
    nonsense = directory.run("exchange", "join", "http://x", data=second, ok=False)
    assert "ringdown://HOST:PORT/KEY#FINGERPRINT" in nonsense.stderr
    listed = directory.run("exchange", "list").stdout
    assert "west" in listed
    membership = json.loads((first / "membership" / "membership.json").read_text())
    assert membership["exchange"] == "west"
    assert (first / "membership" / "papers.pem").stat().st_mode & 0o077 == 0


def test_strangers_reach_no_phone_by_the_door_for_exchanges(sites):
    """S4.25: who shows no certificate of the office gets no connection; a phone's password is worth nothing there."""
    import socket
    import ssl
    north, _ = sites
    host, port = north.ready["exchanges"].removeprefix("tls:").rsplit(":", 1)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, int(port)), timeout=5) as plain:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            with context.wrap_socket(plain) as stream:
                stream.sendall(b"OPTIONS sip:x SIP/2.0\r\n\r\n")
                if not stream.recv(100):
                    raise ConnectionError("closed")


def test_a_certificate_that_ends_soon_is_renewed_by_itself(tmp_path):
    """North's has ten days left: it asks at once, and is known by the newer one from then on, whoever calls whom."""
    with Directory().start() as directory, ended_soon(directory, "north") as north, member(directory, "south") as south:
        north.anna = north.add_account("anna", "2041", "desk-a")
        south.bela = south.add_account("bela", "2042", "desk-b")
        copies = [exchange.data / "membership" / "directory.copy" for exchange in (north, south)]
        until(lambda: all("2041" in told(copy) and "2042" in told(copy) for copy in copies), 10, "all is known", north.tail)
        caller, callee = phones((north, south))
        with caller.start(), callee.start():
            caller.wait_registered()
            callee.wait_registered()
            north.wait_log("the certificate of this exchange is renewed")
            shown = fingerprint(north)
            until(lambda: all(shown in told(copy) for copy in copies), 10, "the newer one is in the copy", south.tail)
            caller.dial("2042")
            rings(caller, callee)
            talk(caller, callee)
            caller.hangup()
            callee.wait_closed()
            callee.dial("2041")
            caller.wait_incoming()
            caller.answer()
            callee.wait_established()
            callee.hangup()
        listed = directory.run("exchange", "list").stdout
        assert len(listed.splitlines()) == 2
        north.stop()
        north.start()
        north.wait_log("connected to the directory")
        assert fingerprint(north) == shown, "once is enough"


def ended_soon(directory, name):
    """An exchange that joined 80 days ago, as its certificate and the directory's file say."""
    exchange = Exchange(config_extra=SITE.format(host=LOOPBACK, region=""), media_span=200)
    exchange.run("exchange", "join", directory.invite(name))
    joined_long_ago(directory, exchange, name)
    directory.start()
    exchange.start()
    exchange.wait_log("connected to the directory")
    return exchange


def awake_now():
    """A number somewhere where it is day: callees are called in their own hours."""
    hour = time.gmtime().tm_hour
    if 1 <= hour < 12:
        return "+8613812345678"
    return "+442079460018" if 9 <= hour < 17 else "+13105550100"


def test_show_1_one_callee_wanted_by_two_exchanges_is_called_by_one_at_a_time(directory):
    """R26: background calls of two exchanges to the same number outside, by the same network; then the directory is away."""
    number = awake_now()
    with (
        Kamailio().start() as network, Callee(number[1:], network.secret, ("127.0.0.1", network.port), ["silent"]) as callee,
        member(directory, "east") as east, member(directory, "west") as west,
    ):
        admins, phones = [], []
        for exchange, account, own in ((east, "emil", "2051"), (west, "wei", "2061")):
            exchange.run("trunk", "add", "network", "--address", network.address(), "--user", f"trunk-{account}",
                         "--password", network.secret, "--register")
            exchange.run("route", "add", "home", "--prefix", "+", "--strip", "1", "--trunk", "network")
            device = exchange.add_account(account, own, f"{account}-desk")
            exchange.run("account", "set", account, "--rights", "background,international")
            phones.append(Softphone(device.user, device.secret, exchange.address(), answer_after=0.1).start())
            admins.append(administrator(exchange))
        try:
            for phone in phones:
                phone.wait_registered()
            # The directory gives nothing away at first.
            time.sleep(13)

            def keep_calling(place, account):
                return admins[place].post("/tasks", {"account": account, "number": number}).must(201).json

            keep_calling(0, "emil")
            until(lambda: len(callee.calls) == 1, 10, "the callee is called", east.tail)
            second = keep_calling(1, "wei")
            why = lambda: admins[1].get(f"/tasks/{second['id']}").must(200).json["why"]
            until(lambda: "another exchange has this number" in why(), 10, "west waits", why)
            time.sleep(5)
            assert len(callee.calls) == 1, "while it rings for one, the other waits"
            # What came of it counts there as well: the distance that follows holds.
            until(lambda: callee.calls[0]["cancelled"], 60, "it was given up", east.tail)
            until(lambda: "too near: no answer" in why(), 10, "west knows what came of it", why)
            assert len(callee.calls) == 1
            # Nobody can be asked: nothing leaves by itself, and people call as ever.
            os.kill(directory.pid, signal.SIGSTOP)
            try:
                third = admins[0].post("/tasks", {"account": "emil", "number": number[:-1] + "9"}).must(201).json
                told = lambda: east.run("explain", "task", third["id"]).stdout
                until(lambda: "it cannot be asked whether another exchange calls this number" in told(), 10, "it waits", told)
                phones[0].dial(number)
                until(lambda: len(callee.calls) == 2, 10, "a person calls", east.tail)
                phones[0].hangup()
            finally:
                os.kill(directory.pid, signal.SIGCONT)
        finally:
            for phone in phones:
                phone.stop()

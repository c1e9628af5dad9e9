"""C: badges, readers and taps. A tap takes the call; a replayed or copied one does not; none is counted twice."""
import concurrent.futures
import csv
import datetime
import http.client
import io
import itertools
import os
import signal

import pytest

from e2e.conftest import Office
from e2e.test_fork import ELSEWHERE, assert_one_answer, reason_of
from peers import sdp, tone
from peers.api import Client, administrator
from peers.badge import Card, Chip, Pcscd, Tap, text_record, uri_record
from peers.baresip import Baresip
from peers.exchange import Exchange
from peers.rtp import RtpEnd

ALL_KINDS = '[badges]\nallow = ["secure", "ndef", "uid"]\npin = []\n'
_serial = itertools.count(1)


def uid():
    """Another chip each time."""
    return f"04{next(_serial):012X}"


def tap_id():
    return f"tap-{next(_serial)}"


@pytest.fixture(scope="module")
def exchange():
    with Exchange(config_extra=ALL_KINDS) as one:
        yield one.start()


@pytest.fixture(scope="module")
def admin(exchange):
    return administrator(exchange)


@pytest.fixture(scope="module")
def pcscd():
    with Pcscd() as service:
        yield service.start()


class Reader:
    """A networked reader that POSTs what it reads."""

    def __init__(self, admin, device):
        self.name = f"reader-{next(_serial)}"
        made = admin.post("/readers", {"name": self.name, "device": device}).must(201).json
        self.key = made["key"]
        self.client = Client(admin.host, token=self.key)

    def tell(self, **read):
        return self.client.post("/taps", {"id": tap_id(), **read})


def badge(admin, account, kind, **more):
    """A new badge: its name, and what is to be written into the card."""
    name = f"badge-{next(_serial)}"
    made = admin.post("/badges", {"name": name, "account": account, "kind": kind, **more}).must(201).json
    return name, made["card"]


def chip(admin, account):
    number = uid()
    name, card = badge(admin, account, "secure", uid=number)
    return name, Chip(number, card)


def refused(answer, why):
    assert answer.status == 403 and answer.json["type"] == f"urn:ringdown:problem:tap-{why}", answer.body


# ---- Show 4


def test_sec_09_replayed_and_cloned_secure_taps_are_refused_and_reported(exchange, admin, office):
    """A tap is good once; what was recorded before it is good no more; a copy tells nothing that counts."""
    person = office.person()
    account = f"person-{person.number}"
    reader, other = Reader(admin, person.user), Reader(admin, person.user)
    name, card = chip(admin, account)
    skipped, told = card.tap(), card.tap()
    accepted = reader.tell(ndef=told).must(200).json
    assert (accepted["rule"], accepted["account"], accepted["badge"]) == ("tap.accepted", account, name)
    for again in (told, skipped):
        refused(reader.tell(ndef=again), "replayed")
        refused(other.tell(ndef=again, uid=card.uid.hex()), "replayed")
    cloned = Chip(card.uid.hex(), {"record": card.record, "meta_read_key": "00" * 16, "file_read_key": "11" * 16})
    cloned.meta_read, cloned.counter = card.meta_read, 100
    refused(reader.tell(ndef=cloned.tap()), "forged")
    refused(reader.tell(uid=card.uid.hex()), "unknown-badge")
    refused(reader.tell(ndef=told[:-2], uid=card.uid.hex()), "forged")
    reader.tell(ndef=card.tap()).must(200)
    reported = admin.get(f"/facts/badge/{name}").must(200).json["items"]
    assert [one["rule"] for one in reported] == ["tap.replayed"] * 4 + ["tap.forged"]
    assert "tap.unknown-badge" in exchange.run("explain", "reader", reader.name).stdout
    assert "was told before" in exchange.run("explain", "badge", name).stdout


def test_sec_09_of_a_hundred_parallel_redemptions_one_succeeds(admin, office):
    person = office.person()
    readers = [Reader(admin, person.user) for _ in range(10)]
    _, card = chip(admin, f"person-{person.number}")
    told = card.tap()
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda index: readers[index % 10].tell(ndef=told), range(100)))
    assert [one.status for one in answers].count(200) == 1, sorted(one.status for one in answers)
    for answer in answers:
        assert answer.status == 200 or answer.json["type"].endswith((":tap-replayed", ":tap-too-fast")), answer.body


@pytest.mark.parametrize("point", ["store.before_commit", "store.in_commit", "store.after_commit"])
def test_r21_kill_9_between_tap_and_write_accepts_no_replay(point):
    """Whoever was told that a tap counts is the only one; a tap that is on the disk is used up."""
    with Exchange(media_span=400) as own:
        own.start()
        admin = administrator(own)
        own.run("account", "add", "ada")
        own.run("device", "add", "desk", "--account", "ada", "--secret", "secret-of-desk")
        reader = Reader(admin, "desk")
        _, card = chip(admin, "ada")
        told = card.tap()
        own.stop()
        os.environ["RINGDOWN_FAILPOINT"] = f"{point}:1"
        try:
            own.start()
        finally:
            del os.environ["RINGDOWN_FAILPOINT"]
        reader.client.host = own.ready["http"]
        # The connection breaks: nobody was told that it counts.
        with pytest.raises((OSError, http.client.HTTPException)):
            reader.tell(ndef=told)
        assert own.wait_end(5) == -signal.SIGABRT and f"failpoint {point}" in own.log()
        own.start()
        reader.client.host = own.ready["http"]
        first, second = reader.tell(ndef=told), reader.tell(ndef=told)
        assert first.status == (403 if point == "store.after_commit" else 200), first.body
        refused(second, "replayed")
        own.restart()
        reader.client.host = own.ready["http"]
        refused(reader.tell(ndef=told), "replayed")
        reader.tell(ndef=card.tap()).must(200)


# ---- what is judged beside


def test_what_can_be_copied_takes_policy_and_the_pin():
    """Out of the box only secure badges open anything; what can be copied asks for the PIN where it is allowed."""
    with Exchange(media_span=400) as own:
        own.start()
        admin = administrator(own)
        own.run("account", "add", "ada")
        own.run("device", "add", "desk", "--account", "ada", "--secret", "secret-of-desk")
        reader = Reader(admin, "desk")
        wish = {"name": "card", "account": "ada", "kind": "uid", "uid": uid()}
        assert "[badges]" in admin.post("/badges", wish).must(422).json["detail"]
        own.config.write_text(own.config.read_text() + '[badges]\nallow = ["secure", "uid"]\n')
        own.run("reload")
        admin.post("/badges", wish).must(201)
        refused(reader.tell(uid=wish["uid"]), "no-pin")
        own.run("account", "set", "ada", "--pin", "4711")
        told = {"id": tap_id(), "uid": wish["uid"]}
        refused(reader.client.post("/taps", told), "pin-needed")
        reader.client.post("/taps", {**told, "pin": "4711"}).must(200)
        wrong = [reader.tell(uid=wish["uid"], pin=f"{number:04}") for number in range(9)]
        kinds = {one.json["type"].rsplit(":", 1)[-1] for one in wrong}
        assert kinds <= {"tap-pin-wrong", "tap-locked", "tap-too-fast"} and "tap-pin-wrong" in kinds, kinds
        _, card = chip(admin, "ada")
        reader.tell(ndef=card.tap()).must(200)
        # Its hours are over: a secure badge needs the PIN, too.
        day = "mon" if datetime.date.today().weekday() else "tue"
        own.config.write_text(own.config.read_text() + f'hours = "{day} 00:00-00:01"\n')
        own.run("reload")
        refused(reader.tell(ndef=card.tap()), "pin-needed")
        assert admin.get("/settings").must(200).json["badges"]["hours"] == [f"{day} 00:00-00:01"]


def test_a_tap_that_is_told_again_counts_once(admin, office):
    """A networked reader repeats itself every half second until it is answered."""
    person = office.person()
    account = f"person-{person.number}"
    reader = Reader(admin, person.user)
    name, card = chip(admin, account)
    told = {"id": tap_id(), "ndef": card.tap()}
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: reader.client.post("/taps", told), range(10)))
    assert {one.status for one in answers} == {200} and len({one.body for one in answers}) == 1
    reader.client.post("/taps", {**told, "ndef": card.tap()}).must(409)
    rows = [one for one in admin.get("/taps").must(200).json["items"] if one["badge"] == name]
    assert [one["rule"] for one in rows] == ["tap.accepted"]
    for nonsense in ({"id": "x"}, {"id": "", "uid": "DEADBEEF"}, {"uid": "xyz"}, {"uid": "DEADBEEF", "pin": "one"}):
        reader.client.post("/taps", nonsense).must(422)
    for stranger in (Client(admin.host), Client(admin.host, token="rdr_guessed"), Client(admin.host, token="rd_guessed")):
        stranger.post("/taps", told).must(401)
    admin.post("/taps", told).must(403)


def test_taps_are_their_owners_to_see_export_and_delete(exchange, admin, office):
    """And a badge is theirs to revoke; others do not learn of either."""
    clients, readers, cards = {}, {}, {}
    for person in (office.person(), office.person()):
        account = f"person-{person.number}"
        exchange.run("account", "set", account, "--password", "a password of the tests")
        clients[account] = Client(admin.host).sign_in(account, "a password of the tests")
        readers[account] = Reader(admin, person.user)
        cards[account] = chip(admin, account)
        readers[account].tell(ndef=cards[account][1].tap()).must(200)
    (one, mine), (other, theirs) = clients.items()
    rows = mine.get("/taps").must(200).json["items"]
    assert [(row["account"], row["badge"], row["rule"]) for row in rows] == [(one, cards[one][0], "tap.accepted")]
    table = list(csv.DictReader(io.StringIO(mine.get("/taps.csv").must(200).body.decode())))
    assert [(row["badge"], row["kind"]) for row in table] == [(cards[one][0], "secure")]
    assert [row["name"] for row in mine.get("/badges").json["items"]] == [cards[one][0]]
    mine.get(f"/badges/{cards[other][0]}").must(403)
    mine.ask("DELETE", f"/badges/{cards[other][0]}").must(403)
    mine.ask("DELETE", "/taps").must(204)
    assert mine.get("/taps").json["items"] == [] and len(theirs.get("/taps").json["items"]) == 1
    mine.ask("DELETE", f"/badges/{cards[one][0]}").must(204)
    assert mine.get(f"/badges/{cards[one][0]}").json["revoked"]
    refused(readers[one].tell(ndef=cards[one][1].tap()), "revoked")
    assert [row["rule"] for row in mine.get("/taps").json["items"]] == ["tap.revoked"], "its owner sees who tried"


def test_badges_and_readers_on_the_command_line(exchange, office):
    person = office.person()
    account = f"person-{person.number}"
    told = exchange.run("badge", "add", "cli-chip", "--account", account, "--secure", uid(), "--label", "blue card").stdout
    assert "SDMMetaRead key: " in told and "SDMFileRead key: " in told and "picc_data=0000" in told
    assert "rdb_" in exchange.run("badge", "add", "cli-watch", "--account", account, "--token").stdout
    exchange.run("badge", "add", "cli-pendant", "--account", account, "--text", account)
    copied = exchange.run("badge", "add", "cli-copy", "--account", account, "--text", account, ok=False).stderr
    assert "is known by the same" in copied
    listed = exchange.run("badge", "list").stdout
    assert "blue card" in listed and "rdb_" not in listed
    exchange.run("badge", "revoke", "cli-chip")
    assert "revoked" in exchange.run("badge", "list").stdout
    key = exchange.run("reader", "add", "cli-reader", "--device", person.user).stdout
    assert "rdr_" in key and person.user in exchange.run("reader", "list").stdout
    exchange.run("reader", "remove", "cli-reader")
    assert "cli-reader" not in exchange.run("reader", "list").stdout
    assert "no device" in exchange.run("reader", "add", "x", "--device", "nowhere", ok=False).stderr

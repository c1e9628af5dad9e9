"""C: badges, readers and taps. A tap takes the call; a replayed or copied one does not; none is counted twice."""
import concurrent.futures
import contextlib
import csv
import datetime
import http.client
import io
import itertools
import os
import signal

import pytest

from e2e.conftest import Office
from e2e.test_durability import keep_port, knows_failpoints
from e2e.test_fork import assert_one_answer, reason_of
from peers import sdp, tone
from peers.api import Client, administrator
from peers.badge import Card, Chip, Pcscd, Tap, text_record, uri_record
from peers.baresip import Baresip
from peers.exchange import Exchange
from peers.rtp import RtpEnd
from peers.waiting import until

ALL_KINDS = '[badges]\nallow = ["secure", "ndef", "uid"]\npin = []\n'
# What the phones that rang before are told.
TAKEN = 'SIP;cause=200;text="Call taken at another phone"'
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


@pytest.fixture
def desk(office):
    """A registered phone of a new person: (account, name of the phone)."""
    person = office.person()
    with office.raw(person) as phone:
        phone.register()
        yield f"person-{person.number}", person.user


def refused(answer, why):
    assert answer.status == 403 and answer.json["type"] == f"urn:ringdown:problem:tap-{why}", answer.body


def counted(answer):
    """The badge is good; its phone is not there, which only what is taken would need."""
    assert answer.status == 409 and answer.json["type"] == "urn:ringdown:problem:seats-offline", answer.body


# ---- Show 1


WAYS = ["uid", "ndef", "secure", "network"]


@contextlib.contextmanager
def held_to(way, exchange, admin, reader, account):
    """Holds a badge of the account to the reader: by PC/SC and `ringdown-tap`, or as a networked reader POSTs it."""
    number = uid()
    if way == "network":
        _, card = chip(admin, account)
        yield
        assert reader.tell(ndef=card.tap()).must(200).json["what"] == "ringing"
        return
    if way == "uid":
        badge(admin, account, "uid", uid=number)
        card = Card(number)
    elif way == "ndef":
        badge(admin, account, "ndef", text=account)
        card = Card(number, lambda: text_record(account))
    else:
        _, written = badge(admin, account, "secure", uid=number)
        secure = Chip(number, written)
        card = Card(number, lambda: uri_record(secure.tap()))
    url = f"https://{exchange.address('https')}"
    options = ("--once", "--ca", exchange.data / "certificate.pem")
    with Tap(exchange.binary.parent / "ringdown-tap", url, reader.key, *options) as tap:
        tap.start().wait_said("hold a badge to it")
        yield
        with card:
            tap.wait_said(f"accepted: {account}: the call comes here")


@pytest.mark.parametrize("way", WAYS)
def test_s1_6_a_tap_at_a_third_desk_moves_the_ringing_call(way, exchange, admin, office, request):
    """Desks 1 and 2 ring; the badge is held to the reader at desk 3: they stop with their Reason, and desk 3 talks. For
    the caller it is one call that was answered."""
    if way != "network":
        request.getfixturevalue("pcscd")
    caller, third = office.person(), office.person()
    first, second = office.person(devices=2)
    account = f"person-{first.number}"
    reader = Reader(admin, third.user)
    with contextlib.ExitStack() as stack:
        use = stack.enter_context
        mine = use(RtpEnd())
        line, desk_2 = use(office.raw(caller)), use(office.raw(second))
        registrar = exchange.address()
        desk_1 = use(Baresip(first.user, first.secret, registrar)).start()
        desk_3 = use(Baresip(third.user, third.secret, registrar, hertz=1000)).start()
        for phone in (desk_1, desk_3):
            phone.wait_registered()
        desk_2.register()
        with held_to(way, exchange, admin, reader, account):
            call = line.invite(first.number, sdp.describe(mine.port))
            desk_1.wait_incoming()
            branch = desk_2.wait_invite()
            branch.ring()
            call.wait_status(180)
            before = len(call.responses)
        desk_3.wait_incoming()
        assert reason_of(branch.wait_cancel()) == TAKEN
        desk_1.wait_closed()
        desk_3.answer()
        desk_3.wait_established()
        answer = call.wait_answer()
        assert_one_answer(call)
        after = [one.status for one in call.responses[before:]]
        assert after == [200], f"no second ringing and no failure: {after}"
        mine.send_to(answer.sdp)
        mine.say(440)
        tone.assert_tone(desk_3.wait_heard(2.2), 440, -15)
        tone.assert_tone(mine.wait_heard(2.2), 1000, -15)
        mine.assert_one_stream()
        call.bye()
        desk_3.wait_closed()
        record = office.record(caller.number, first.number)
        assert (record["answered_by"], record["cause"]) == (third.user, "caller hung up")


def test_ringdown_tap_says_what_came_of_it(exchange, admin, office, pcscd):
    """Badge after badge, in words; a certificate that nobody vouches for ends it before the key is told."""
    person = office.person()
    account = f"person-{person.number}"
    reader = Reader(admin, person.user)
    url = f"https://{exchange.address('https')}"
    trusted = ("--ca", exchange.data / "certificate.pem")
    with Tap(exchange.binary.parent / "ringdown-tap", url, reader.key, *trusted) as tap:
        tap.start().wait_said("hold a badge to it")
        with Card(uid()):
            tap.wait_said("refused: This is no badge of ours.")
        with office.raw(person) as phone:
            phone.register()
            number = uid()
            badge(admin, account, "uid", uid=number)
            with Card(number) as card:
                tap.wait_said(f"accepted: {account}: signed in")
        assert bytes.fromhex("00A4040007D276000085010100") in card.commands, "it asked for a record, too"
        with Card(uid()):
            until(lambda: tap.said().count("refused: ") == 2, 10, "the next badge", tap.tail)
        assert tap.alive()
    with Tap(exchange.binary.parent / "ringdown-tap", url, reader.key, "--once") as tap:
        tap.start().wait_said("hold a badge to it")
        with Card(uid()):
            said = tap.wait_said("refused: ")
        assert "certificate" in said and tap.wait_end(5) == 1


# ---- Show 4


def test_sec_09_replayed_and_cloned_secure_taps_are_refused_and_reported(exchange, admin, desk):
    """A tap is good once; what was recorded before it is good no more; a copy tells nothing that counts."""
    account, phone = desk
    reader, other = Reader(admin, phone), Reader(admin, phone)
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


def test_sec_09_of_a_hundred_parallel_redemptions_one_succeeds(admin, desk):
    account, phone = desk
    readers = [Reader(admin, phone) for _ in range(10)]
    _, card = chip(admin, account)
    told = card.tap()
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda index: readers[index % 10].tell(ndef=told), range(100)))
    assert [one.status for one in answers].count(200) == 1, sorted(one.status for one in answers)
    for answer in answers:
        assert answer.status == 200 or answer.json["type"].endswith((":tap-replayed", ":tap-too-fast")), answer.body


def start_anew(own, reader, point=None):
    """On the same data; with a point, it dies when it comes there first."""
    keep_port(own, own.host_port()[1])
    if point:
        os.environ["RINGDOWN_FAILPOINT"] = f"{point}:1"
    try:
        own.start()
    finally:
        os.environ.pop("RINGDOWN_FAILPOINT", None)
    reader.client.host = own.ready["http"]


def test_r21_kill_9_between_tap_and_write_accepts_no_replay():
    """Whoever was told that a tap counts is the only one; a tap that is on the disk is used up."""
    with Exchange(media_span=400) as own:
        own.start()
        if not knows_failpoints(own):
            pytest.skip("this build has no failpoints")
        admin = administrator(own)
        own.run("account", "add", "ada")
        own.run("device", "add", "desk", "--account", "ada", "--secret", "secret-of-desk")
        reader = Reader(admin, "desk")
        cards = {f"store.{point}_commit": chip(admin, "ada")[1] for point in ("before", "in", "after")}
        for point, card in cards.items():
            told = card.tap()
            own.stop()
            start_anew(own, reader, point)
            # The connection breaks: nobody was told that it counts.
            with pytest.raises((OSError, http.client.HTTPException)):
                reader.tell(ndef=told)
            assert own.wait_end(5) == -signal.SIGABRT and f"failpoint {point}" in own.log()
            start_anew(own, reader)
            first, second = reader.tell(ndef=told), reader.tell(ndef=told)
            if point == "store.after_commit":
                refused(first, "replayed")
            else:
                counted(first)
            refused(second, "replayed")
            counted(reader.tell(ndef=card.tap()))


def test_r21_a_tap_does_not_wait_for_the_disk_and_after_kill_9_the_pin_ends_the_doubt():
    """Of a tap that the disk may not know of, no replay counts; after an orderly end nobody is asked for a PIN."""
    with Exchange(media_span=400) as own:
        own.start()
        admin = administrator(own)
        own.run("account", "add", "ada")
        own.run("account", "set", "ada", "--pin", "4711")
        own.run("device", "add", "desk", "--account", "ada", "--secret", "secret-of-desk")
        reader = Reader(admin, "desk")
        _, card = chip(admin, "ada")
        counted(reader.tell(ndef=card.tap()))
        told = card.tap()
        counted(reader.tell(ndef=told))
        own.stop(sign=signal.SIGKILL)
        start_anew(own, reader)
        refused(reader.tell(ndef=told), "pin-needed")
        refused(reader.tell(ndef=told, pin="0000"), "pin-wrong")
        refused(reader.tell(ndef=told, pin="4711"), "replayed")
        counted(reader.tell(ndef=card.tap(), pin="4711"))
        last = card.tap()
        counted(reader.tell(ndef=last))
        own.stop()
        start_anew(own, reader)
        refused(reader.tell(ndef=last), "replayed")
        counted(reader.tell(ndef=card.tap()))


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
        counted(reader.client.post("/taps", {**told, "pin": "4711"}))
        wrong = [reader.tell(uid=wish["uid"], pin=f"{number:04}") for number in range(9)]
        kinds = {one.json["type"].rsplit(":", 1)[-1] for one in wrong}
        assert kinds <= {"tap-pin-wrong", "tap-locked", "tap-too-fast"} and "tap-pin-wrong" in kinds, kinds
        _, card = chip(admin, "ada")
        counted(reader.tell(ndef=card.tap()))
        # Its hours are over: a secure badge needs the PIN, too.
        day = "mon" if datetime.date.today().weekday() else "tue"
        own.config.write_text(own.config.read_text() + f'hours = "{day} 00:00-00:01"\n')
        own.run("reload")
        refused(reader.tell(ndef=card.tap()), "pin-needed")
        assert admin.get("/settings").must(200).json["badges"]["hours"] == [f"{day} 00:00-00:01"]


def test_a_tap_that_is_told_again_counts_once(admin, desk):
    """A networked reader repeats itself every half second until it is answered."""
    account, phone = desk
    reader = Reader(admin, phone)
    name, card = chip(admin, account)
    told = {"id": tap_id(), "ndef": card.tap()}
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: reader.client.post("/taps", told), range(10)))
    assert {one.status for one in answers} == {200} and len({one.body for one in answers}) == 1
    reader.client.post("/taps", {**told, "ndef": card.tap()}).must(409)
    rows = until(lambda: [one for one in admin.get("/taps").must(200).json["items"] if one["badge"] == name], 5, "a row")
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
        counted(readers[account].tell(ndef=cards[account][1].tap()))
    (one, mine), (other, theirs) = clients.items()
    rows = until(lambda: mine.get("/taps").must(200).json["items"], 5, "a row")
    assert [(row["account"], row["badge"], row["rule"]) for row in rows] == [(one, cards[one][0], "tap.accepted")]
    table = list(csv.DictReader(io.StringIO(mine.get("/taps.csv").must(200).body.decode())))
    assert [(row["badge"], row["kind"]) for row in table] == [(cards[one][0], "secure")]
    assert [row["name"] for row in mine.get("/badges").json["items"]] == [cards[one][0]]
    mine.get(f"/badges/{cards[other][0]}").must(403)
    mine.ask("DELETE", f"/badges/{cards[other][0]}").must(403)
    mine.ask("DELETE", "/taps").must(204)
    assert mine.get("/taps").json["items"] == []
    assert len(until(lambda: theirs.get("/taps").json["items"], 5, "the other's row")) == 1
    mine.ask("DELETE", f"/badges/{cards[one][0]}").must(204)
    assert mine.get(f"/badges/{cards[one][0]}").json["revoked"]
    refused(readers[one].tell(ndef=cards[one][1].tap()), "revoked")
    rows = until(lambda: mine.get("/taps").json["items"], 5, "its owner sees who tried")
    assert [row["rule"] for row in rows] == ["tap.revoked"]


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

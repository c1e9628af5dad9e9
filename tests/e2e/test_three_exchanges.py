"""Three exchanges of one office and their directory, each at an address of its own, with real phones (S4 Show 1, S1.6, R24)."""
import contextlib

import pytest

from e2e.test_sites import rings, talk, told
from e2e.test_taps import Reader, chip, refused
from peers import baresip, pjsua, tone
from peers.api import administrator
from peers.baresip import Baresip
from peers.directory import Directory, member
from peers.pjsua import Pjsua
from peers.sniffer import TCP, UDP, Sniffer
from peers.waiting import until

NORTH, SOUTH, WEST, DIRECTORY = (f"127.0.71.{last}" for last in (1, 2, 3, 9))
# A report each second, what it answers, and the clock: lines of some hundred octets, in TLS.
QUIET_OCTETS_A_SECOND = 6_000


class Office:
    """Anna, 2041, at north; Bela, 2042, at south; Cleo, 2043, at west."""

    def __init__(self, directory, north, south, west):
        self.directory, self.north, self.south, self.west = directory, north, south, west
        self.anna = north.add_account("anna", "2041", "desk-a")
        self.bela = south.add_account("bela", "2042", "desk-b")
        self.cleo = west.add_account("cleo", "2043", "desk-c")
        self.admins = {exchange: administrator(exchange) for exchange in (north, south, west)}
        copies = [exchange.data / "membership" / "directory.copy" for exchange in (north, south, west)]
        everybody = ("2041", "2042", "2043")
        until(lambda: all(number in told(copy) for copy in copies for number in everybody), 10, "all is known", north.tail)

    def anna_at_her_desk(self, **more):
        return Baresip(self.anna.user, self.anna.secret, self.north.address(), "udp", ("PCMU",), hertz=440, **more)

    def bela_at_his_desk(self):
        return Pjsua(self.bela.user, self.bela.secret, self.south.address(), "udp", ("PCMU",), hertz=1000)

    def cleo_at_her_desk(self):
        return Baresip(self.cleo.user, self.cleo.secret, self.west.address(), "udp", ("PCMU",), hertz=600)


@pytest.fixture(scope="module")
def office():
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(Directory(host=DIRECTORY)).start()
        north = stack.enter_context(member(directory, "north", "berlin", host=NORTH, more='pickup_from = ["south"]'))
        south = stack.enter_context(member(directory, "south", "wien", host=SOUTH))
        west = stack.enter_context(member(directory, "west", "bonn", host=WEST))
        yield Office(directory, north, south, west)


@contextlib.contextmanager
def registered(*phones):
    with contextlib.ExitStack() as stack:
        for phone in phones:
            stack.enter_context(phone).start()
        for phone in phones:
            phone.wait_registered()
        yield phones


def test_show_1_neither_signalling_nor_media_passes_the_directory(office):
    """S4.11 to S4.14, S4.23: Anna calls Bela; both talk, and what the directory sees of it is one question."""
    with registered(office.anna_at_her_desk(), office.bela_at_his_desk()) as (caller, callee):
        with Sniffer(NORTH, SOUTH, DIRECTORY) as seen:
            caller.dial("2042")
            rings(caller, callee)
            talk(caller, callee)
            caller.hangup()
            callee.wait_closed()
    (here,), (there,) = office.north.wait_calls(1), office.south.wait_calls(1)
    assert here["session_id"] == there["session_id"]
    directory = seen.of(DIRECTORY)
    port = int(office.directory.address.rsplit(":", 1)[1])
    assert directory and all(packet.protocol == TCP for packet in directory), "no sound passes the directory"
    assert all(port in (packet.source_port, packet.target_port) for packet in directory), "nobody calls by it"
    # Some seconds of talk are hundreds of packets between the two, and none of them came by another way.
    media = [packet for packet in seen.packets if packet.protocol == UDP and NORTH in packet and SOUTH in packet]
    assert len(media) > 200, len(media)
    door = int(office.south.ready["exchanges"].rsplit(":", 1)[1])
    calls = [packet for packet in seen.packets if packet.protocol == TCP and door in packet and SOUTH in packet]
    assert sum(packet.octets for packet in calls) > 2_000, "INVITE and its answers went straight there"
    octets = sum(packet.octets for packet in directory)
    assert octets < QUIET_OCTETS_A_SECOND * 15, octets


def test_s1_6_a_tap_at_another_exchange_takes_the_call_that_rings_at_home(office):
    """Cleo calls Anna, who stands at Bela's desk with her badge: her own phone stops, Bela's rings, and they talk. The same tap
    told again, there or at home, counts no more."""
    card = chip(office.admins[office.north], "anna")[1]
    reader = Reader(office.admins[office.south], "desk-b")
    at_home = Reader(office.admins[office.north], "desk-a")
    with registered(office.cleo_at_her_desk(), office.anna_at_her_desk(), office.bela_at_his_desk()) as (cleo, anna, desk):
        cleo.dial("2041")
        anna.wait_incoming()
        cleo.wait_ringing()
        tap = card.tap()
        taken = reader.tell(ndef=tap).must(200).json
        assert (taken["rule"], taken["what"], taken["words"]) == ("tap.accepted", "ringing", "the call comes here"), taken
        desk.wait_incoming()
        desk.ring()
        anna.wait_closed()
        desk.answer()
        cleo.wait_established()
        desk.wait_media("active")
        tone.assert_tone(desk.wait_heard(2.5), 600, baresip.TONE_DBFS)
        tone.assert_tone(cleo.wait_heard(2.5), 1000, pjsua.TONE_DBFS)
        assert "somebody talks there" in reader.tell(ndef=card.tap()).json["detail"]
        cleo.hangup()
        desk.wait_closed()
        # Who has the same tap has nothing.
        refused(reader.tell(ndef=tap), "replayed")
        refused(at_home.tell(ndef=tap), "replayed")
    record = max(office.north.calls(), key=lambda one: one["started"])
    assert record["answered"] and "desk-b" in record["answered_by"], record
    facts = office.north.run("explain", "call", record["session_id"]).stdout
    assert "anna takes the call at south/desk-b" in facts and "it rings at the phone that took it" in facts, facts
    assert "its callee stands at desk-b" in office.south.run("explain", "call", record["session_id"]).stdout


def test_r6_a_talk_comes_to_a_phone_of_another_exchange(office):
    """Anna talks at her own desk, walks to Bela's, and goes on there; Cleo hears no gap of a call."""
    card = chip(office.admins[office.north], "anna")[1]
    reader = Reader(office.admins[office.south], "desk-b")
    with registered(office.cleo_at_her_desk(), office.anna_at_her_desk(), office.bela_at_his_desk()) as (cleo, anna, desk):
        cleo.dial("2041")
        anna.wait_incoming()
        anna.answer()
        cleo.wait_established()
        assert reader.tell(ndef=card.tap()).must(200).json["what"] == "moving"
        desk.wait_incoming()
        desk.answer()
        anna.wait_closed()
        tone.assert_tone(desk.wait_heard(2.5), 600, baresip.TONE_DBFS)
        cleo.hangup()
        desk.wait_closed()


def test_a_tap_of_an_exchange_that_is_away_says_so(office):
    """Nobody else knows the badge; nothing is held against the reader."""
    card = chip(office.admins[office.west], "cleo")[1]
    reader = Reader(office.admins[office.south], "desk-b")
    with registered(office.bela_at_his_desk()):
        refused_words = reader.tell(ndef=card.tap())
        assert refused_words.status == 409 and "no call rings for you" in refused_words.body.decode().lower(), refused_words.body
        office.west.stop()
        try:
            answer = reader.tell(ndef=card.tap())
            assert answer.status == 503 and "west is away" in answer.json["detail"], answer.body
        finally:
            office.west.start()
            office.west.wait_log("connected to the directory")


def test_pickup_of_a_number_of_another_exchange(office):
    """Cleo calls Anna; Bela may pick up, and north takes it from south: he has the call. Without the right he is told so."""
    with registered(office.cleo_at_her_desk(), office.anna_at_her_desk(), office.bela_at_his_desk()) as (cleo, anna, desk):
        cleo.dial("2041")
        anna.wait_incoming()
        cleo.wait_ringing()
        before = len(office.south.calls())
        desk.dial("*852041")
        desk.wait_closed()
        office.south.wait_calls(before + 1)
        office.south.run("account", "set", "bela", "--rights", "pickup")
        desk.dial("*852041")
        desk.wait_established()
        anna.wait_closed()
        cleo.wait_established()
        tone.assert_tone(cleo.wait_heard(2.5), 1000, pjsua.TONE_DBFS)
        cleo.hangup()
        desk.wait_closed()
    facts = [office.north.run("explain", "call", one["session_id"]).stdout for one in office.north.calls()[-3:]]
    assert any("bela picked it up" in told_of_it for told_of_it in facts), facts

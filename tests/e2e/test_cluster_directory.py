"""Several exchanges over one PostgreSQL server are one exchange of a directory (S4, decision 25): the one that keeps what must happen once
has the connection, the others go by the copy, and the next one connects when that one dies."""
import os
import signal
import time

import pytest

from peers import baresip, pjsua, tone
from peers import directory as office
from peers.app import App
from peers.baresip import Baresip
from peers.cluster import member
from peers.directory import Directory, fingerprint, joined_long_ago, told
from peers.pjsua import Pjsua
from peers.ports import LOOPBACK
from peers.postgres import Postgres
from peers.waiting import until

SITE = f'\n[directory]\nlisten = "{LOOPBACK}:0"\nregion = "berlin"\n'
TAKE_OVER_S = 6


@pytest.fixture
def directory():
    with Directory().start() as started:
        yield started


@pytest.fixture(scope="module")
def sites():
    """North-1 and north-2 are "north" together, with Anna, 2041; south has Bela, 2042."""
    with Postgres() as server, Directory().start() as directory:
        server.start()
        yield from joined(server, directory)


def joined(server, directory):
    with member(server, "north-1", more=SITE, media_span=200) as first:
        first.run("exchange", "join", directory.invite("north"))
        first.start().wait_log("connected to the directory")
        with member(server, "north-2", first, more=SITE, media_span=200) as second:
            second.start()
            for one, other in ((first, "north-2"), (second, "north-1")):
                one.wait_log(f'another exchange exchange="{other}" reachable=true', 10)
            with office.member(directory, "south", "wien") as south:
                south.bela = south.add_account("bela", "2042", "desk-b")
                first.anna = first.add_account("anna", "2041", "desk-a")
                knows(second, "2042")
                knows(south, "2041")
                yield first, second, south, directory


def knows(exchange, number):
    copy = exchange.data / "membership" / "directory.copy"
    until(lambda: number in told(copy), 10, f"it has a copy with {number}", exchange.tail)


def phones(second, south, anna):
    """Anna's phone is at the exchange that has no connection to the directory."""
    return (Baresip(anna.user, anna.secret, second.address(), "udp", ("PCMU",), hertz=440),
            Pjsua(south.bela.user, south.bela.secret, south.address(), "udp", ("PCMU",), hertz=1000))


def they_hear_each_other(anna, bela):
    anna.wait_established()
    bela.wait_established()
    bela.wait_media("active")
    tone.assert_tone(bela.wait_heard(2.5).last(2), 440, baresip.TONE_DBFS)
    tone.assert_tone(anna.wait_heard(2.5).last(2), 1000, pjsua.TONE_DBFS)


def anna_calls(anna, bela):
    anna.dial("2042")
    bela.wait_incoming()
    bela.ring()
    anna.wait_ringing()
    bela.answer()
    they_hear_each_other(anna, bela)
    anna.hangup()
    bela.wait_closed()


def bela_calls(bela, anna):
    bela.dial("2041")
    anna.wait_incoming()
    anna.answer()
    they_hear_each_other(anna, bela)
    bela.hangup()
    anna.wait_closed()


def last_explained(exchange, count):
    """Why the last of so many calls went where it went."""
    record = max(exchange.wait_calls(count), key=lambda one: one["started"])
    return exchange.run("explain", "call", record["session_id"]).stdout


def test_an_app_is_woken_for_a_call_that_begins_where_the_directory_is_not_asked(sites):
    """S4.15, S4.24: the call is carried to the keeper, whom the woken app is sent to; the caller's phone is rung by its own door."""
    first, second, _, directory = sites
    first.add_account("cleo", "2043")
    knows(second, "2043")
    caller = Baresip(first.anna.user, first.anna.secret, second.address(), "udp", ("PCMU",), hertz=440)
    with App(directory.invite_app("cleo"), "cleo").start() as app, caller.start():
        app.wait_connected()
        knows(second, '"apps":true')
        caller.wait_registered()
        caller.dial("2043")
        app.wait_event("woken")
        app.wait_incoming()
        caller.wait_ringing()
        app.do("answer")
        caller.wait_established()
        app.wait_established()
        tone.assert_tone(app.wait_heard(2.5), 440, baresip.TONE_DBFS)
        app.do("hang_up")
        caller.wait_closed()
        device = app.device
    assert f"{device} came from" in last_explained(first, 1)


def test_a_cluster_is_one_exchange_of_a_directory_and_stays_it_when_its_keeper_dies(sites):
    """S4, R25. Whoever uses these exchanges comes before."""
    first, second, south, _ = sites
    anna, bela = phones(second, south, first.anna)
    with anna.start(), bela.start():
        anna.wait_registered()
        bela.wait_registered()
        anna_calls(anna, bela)
        why = last_explained(second, 2)
        assert "by the copy of the directory the call goes to exchange south" in why and "cannot be asked" not in why, why
        bela_calls(bela, anna)
        assert "C2 to north" in last_explained(south, 2)
        assert "connected to the directory" not in second.log(), "one alone has the connection"
        os.kill(first.pid, signal.SIGKILL)
        first.wait_end(10)
        began = time.monotonic()
        second.wait_log("connected to the directory", TAKE_OVER_S + 1)
        # The directory hears where it is with its first report.
        until(lambda: rings(bela, anna), TAKE_OVER_S + 3 - (time.monotonic() - began), "Bela reaches Anna again", south.tail, every=0.3)
        anna.answer()
        they_hear_each_other(anna, bela)
        bela.hangup()
        anna.wait_closed()
        anna.dial("2042")
        bela.wait_incoming()
        anna.hangup()
        bela.wait_closed()
        why = last_explained(second, 5)
        assert "exchange south" in why and "by the copy" not in why, why


def rings(bela, anna):
    """Whether Anna's phone rings when Bela calls now; a call that fails is over."""
    bela.dial("2041")
    try:
        anna.wait_incoming(1.5)
    except AssertionError:
        bela.wait_closed(3)
        return False
    return True


def test_a_newer_certificate_is_that_of_all_and_the_next_keeper_shows_it(server, directory):
    """It ends in ten days; the keeper asks for a newer one when it connects."""
    with member(server, "north-1", more=SITE, media_span=200) as first:
        first.run("exchange", "join", directory.invite("north"))
        joined_long_ago(directory, first, "north")
        first.start()
        with member(server, "north-2", first, more=SITE, media_span=200) as second:
            second.start()
            before = fingerprint(first)
            assert fingerprint(second) == before, "they are one"
            directory.start()
            first.wait_log("the certificate of this exchange is renewed", 15)
            second.wait_log("the certificate of this exchange is renewed, by another of the cluster", 5)
            shown = fingerprint(second)
            assert shown == fingerprint(first) != before
            os.kill(first.pid, signal.SIGKILL)
            second.wait_log("connected to the directory", TAKE_OVER_S + 1)
            knows(second, shown)


def test_exchanges_of_a_cluster_have_joined_once(server, directory):
    """One that joined by itself, under whatever name, says so and does not start; who has left may be what the others are; and all
    may leave."""
    with member(server, "north-1", more=SITE, media_span=200) as first:
        first.run("exchange", "join", directory.invite("north"))
        first.start()
        with member(server, "north-2", first, more=SITE, media_span=200) as second:
            second.run("exchange", "join", directory.invite("west"))
            second.begin()
            second.wait_end(10)
            said = second.log()
            assert "as west" in said and "are north of the directory at" in said, said
            second.run("exchange", "leave")
            second.start()
            listed = second.run("exchange", "list").stdout
            assert "this exchange is north" in listed, listed
            first.stop()
            second.stop()
            for one in (first, second):
                one.run("exchange", "leave", "--config", one.config)
            second.start()
            assert "this exchange is" not in second.run("exchange", "list").stdout, "nothing brings it back"

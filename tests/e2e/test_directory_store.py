"""A directory that a PostgreSQL server keeps: another machine goes on as the same one (S4, R19, R25)."""
import os
import shutil
import signal

import pytest

from peers import baresip, tone
from peers.app import App
from peers.baresip import Baresip
from peers.directory import Directory, member, told
from peers.exchange import Exchange
from peers.waiting import until

APP_HERTZ = 700.0
# A lease of 15 s, and 3 s for clocks that differ.
TAKEN_OVER_SECONDS = 30


@pytest.fixture
def directory(server):
    with Directory(store=server.extra()) as started:
        yield started.start()


def successor(directory, server):
    """On another machine: with a data folder that holds the key alone, and nothing of the first one's."""
    other = Directory(store=server.extra())
    other.data.mkdir()
    shutil.copy(directory.data / "seal.key", other.data / "seal.key")
    return other


def desk(person, exchange, hertz):
    return Baresip(person.user, person.secret, exchange.address(), "udp", ("PCMU",), hertz=hertz)


def call(caller, callee, number):
    """One call from its beginning to its end."""
    caller.dial(number)
    callee.wait_incoming()
    caller.wait_ringing()
    callee.answer()
    caller.wait_established()
    tone.assert_tone(callee.wait_heard(2.5), 440, baresip.TONE_DBFS)
    callee.hangup()
    caller.wait_closed()


def test_another_machine_goes_on_as_the_same_directory(server, directory):
    """Nobody joins or enrols anew; what lies in the database is sealed."""
    with member(directory, "north", "berlin") as north, member(directory, "south", "wien") as south:
        anna, bela = north.add_account("anna", "2041", "desk-a"), south.add_account("bela", "2042", "desk-b")
        south.add_account("cleo", "2043")
        copy = north.data / "membership" / "directory.copy"
        with App(directory.invite_app("cleo"), "cleo", APP_HERTZ).start() as app:
            app.wait_connected()
            until(lambda: all(word in told(copy) for word in ("2042", '"apps":true')), 10, "all is known", north.tail)
            late = directory.invite("west")
            os.kill(directory.pid, signal.SIGKILL)
            north.wait_log("no connection to the directory")
            south.wait_log("no connection to the directory")
            with successor(directory, server) as second:
                (second.address, second.apps) = (directory.address, directory.apps)
                shutil.rmtree(directory.data)
                second.begin("--standby").wait_ready(TAKEN_OVER_SECONDS)
                for exchange in (north, south):
                    until(lambda: exchange.log().count("connected to the directory") >= 2, 20, "it is connected again", exchange.tail)
                south.add_account("dora", "2044")
                until(lambda: "2044" in told(copy), 20, "north learns of 2044", north.tail)
                with desk(anna, north, 440).start() as caller, desk(bela, south, 1000).start() as callee:
                    caller.wait_registered()
                    callee.wait_registered()
                    call(caller, callee, "2042")
                    last = max(north.wait_calls(1), key=lambda record: record["started"])
                    facts = north.run("explain", "call", last["session_id"]).stdout
                    assert "C2 to south for bela" in facts and "by its copy" not in facts, facts
                    until(lambda: " cleo " in second.run("directory", "apps", *second.config).stdout, 5, "the app is known")
                    until(lambda: sum(event["connected"] for event in app.saw("directory")) >= 2, 20,
                          "the app is connected again", app.tail)
                    caller.dial("2043")
                    app.wait_incoming()
                    caller.wait_ringing()
                    caller.hangup()
                    app.wait_event("ended")
                # What the first one invited joins the second one.
                joined = second.run("exchange", "join", late, data=second.folder / "west")
                assert "joined as west" in joined.stdout
                listed = second.run("exchange", "list", *second.config).stdout.split()
                assert [name for name in ("north", "south", "west") if name in listed] == ["north", "south", "west"]
    private = "SELECT count(*) FROM documents WHERE position('PRIVATE' in encode(value, 'escape')) > 0"
    assert server.sql(private) == "0" and int(server.sql("SELECT count(*) FROM documents")) >= 8


def test_while_the_server_is_away_calls_are_designated_and_nobody_is_promised_anything(server, directory, tmp_path):
    with member(directory, "north") as north, member(directory, "south") as south:
        anna, bela = north.add_account("anna", "2041", "desk-a"), south.add_account("bela", "2042", "desk-b")
        copy = north.data / "membership" / "directory.copy"
        until(lambda: "2042" in told(copy), 10, "north knows 2042", north.tail)
        link = directory.invite("west")
        server.stop()
        refused = directory.run("exchange", "join", link, data=tmp_path / "west", ok=False)
        assert refused.returncode and "database" in refused.stderr, refused.stderr
        with desk(anna, north, 440).start() as caller, desk(bela, south, 1000).start() as callee:
            caller.wait_registered()
            callee.wait_registered()
            call(caller, callee, "2042")
        facts = north.run("explain", "call", north.wait_calls(1)[0]["session_id"]).stdout
        assert "C2 to south for bela" in facts and "by its copy" not in facts, facts
        server.start()
        until(lambda: not directory.run("exchange", "join", link, data=tmp_path / "west", ok=False).returncode, 20,
              "the invitation still works", directory.tail, every=1)


def test_r19_one_directory_at_a_time_and_who_was_taken_over_ends(server, directory):
    with successor(directory, server) as second:
        refused = second.begin()
        refused.wait_end(10)
        assert "has this office until" in refused.log(), refused.log()
        os.kill(directory.pid, signal.SIGSTOP)
        second.begin("--standby").wait_ready(TAKEN_OVER_SECONDS)
        os.kill(directory.pid, signal.SIGCONT)
        directory.wait_end(15)
        assert "another directory has taken this one over" in directory.log(), directory.log()


def test_a_directory_wants_its_key_and_a_database_of_its_own(server, directory):
    directory.invite("north")
    directory.stop()
    with Directory(store=server.extra()) as stranger, Exchange(config_extra=server.extra()) as office:
        stranger.begin().wait_end(10)
        assert "sealed under another seal.key" in stranger.log(), stranger.log()
        shutil.copy(directory.data / "seal.key", stranger.data / "seal.key")
        office.data.mkdir()
        shutil.copy(directory.data / "seal.key", office.data / "seal.key")
        office.begin().wait_end(10)
        assert "an office needs a database of its own" in office.log(), office.log()
    # In order it is given back, and the next one need not wait.
    directory.start()
    directory.stop()
    with successor(directory, server) as second:
        second.begin().wait_ready()

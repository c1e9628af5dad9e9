"""An office that a PostgreSQL server keeps: calls, records, a server that is away, restarts, a second exchange (R19, R20)."""
import os
import signal
import time

import pytest

from e2e.conftest import Office
from peers import sdp
from peers.api import administrator
from peers.exchange import Exchange
from peers.ports import LOOPBACK
from peers.postgres import Postgres
from peers.waiting import until


@pytest.fixture
def own(server):
    with Exchange(config_extra=server.extra(), media_span=400) as exchange:
        yield exchange.start()


def call(caller, phone, number):
    """One call from its beginning to its end."""
    rung = caller.invite(number, sdp.describe(40000))
    branch = phone.wait_invite()
    branch.ring()
    branch.answer(sdp.describe(40002))
    rung.wait_answer()
    assert rung.bye().status == 200
    branch.wait_bye()


def test_an_office_on_postgresql_and_its_server_goes_away_and_comes_back(server, own):
    """R20: calls go on between phones that are known, a new promise is refused with 503 and why; then all is well, and there."""
    office, admin = Office(own), administrator(own)
    one, two, three = office.person(), office.person(), office.person()
    with office.raw(one) as caller, office.raw(two) as phone, office.raw(three) as late:
        phone.register(expires=3600)
        call(caller, phone, two.number)
        own.wait_calls(1)
        assert admin.get("/records").must(200).json["items"][0]["caller"] == one.number
        server.stop()
        refused = admin.post("/people", {"name": "nobody-new"}).must(503).json
        assert "is PostgreSQL running?" in refused["detail"], refused
        assert late.register(ok=False).status == 503
        phone.register(expires=3600)
        call(caller, phone, two.number)
        server.start()
        until(lambda: late.register(ok=False).status == 200, 15, "the store is asked again", own.tail, every=0.5)
        admin.post("/people", {"name": "somebody-new"}).must(201)
        own.wait_calls(2, seconds=15)
        os.kill(own.pid, signal.SIGKILL)
        own.wait_end(10)
        own.start()
        names = own.run("account", "list").stdout
        assert "somebody-new" in names and "nobody-new" not in names
        assert [one["cause"] for one in own.calls()] == ["caller hung up"] * 2, "each once"
    assert server.sql("SELECT count(*) FROM accounts") == "5"
    assert not (own.data / "office.db").exists()


def test_calls_that_died_with_the_exchange_have_their_record_on_a_server_too(server, own):
    """R20: cause "node lost", until the exchange was last seen."""
    office = Office(own)
    one, two = office.person(), office.person()
    with office.raw(one) as caller, office.raw(two) as phone:
        phone.register(expires=3600)
        rung = caller.invite(two.number, sdp.describe(40000))
        phone.wait_invite().answer(sdp.describe(40002))
        rung.wait_answer()
        until(lambda: server.sql("SELECT count(*) FROM open_calls") == "1", 5, "it is known to go on", own.tail)
        time.sleep(4.5)
        os.kill(own.pid, signal.SIGKILL)
        own.wait_end(10)
    # As on another machine: only the server has seen it alive.
    (own.data / "alive").unlink()
    own.start()
    record = own.wait_calls(1)[0]
    assert record["cause"] == "node lost" and record["answered_by"] == two.user and record["duration_ms"] > 0


def test_a_second_exchange_on_the_same_database_is_refused_until_the_first_ends(server, own):
    """R19: it is told who has the office and until when; after an orderly end it need not wait."""
    own.add_account("ada", "2001")
    with Exchange(config_extra=server.extra(), media_span=400) as second:
        told = second.run("check", "--config", second.config, ok=False)
        assert "has this office until" in told.stdout and str(own.data) in told.stdout, told.stdout
        second.spawn([second.binary, "serve", "--config", second.config, "--data", second.data])
        assert second.wait_end(10) == 1
        assert "has this office until" in second.log() and str(own.data) in second.log(), second.log()
        assert own.run("account", "list").returncode == 0
        own.stop()
        second.start()
        assert "ada" in second.run("account", "list").stdout


def test_a_standby_takes_the_office_over_when_the_first_dies(server, own):
    """R19: within 19 s; people and background calls are there, a phone registers and is called; the first waits in its turn."""
    office, admin = Office(own), administrator(own)
    one, two = office.person(), office.person()
    own.run("account", "set", f"person-{one.number}", "--rights", "background")
    wanted = {"account": f"person-{one.number}", "number": two.number, "not_before": "2031-05-06T07:08:00Z"}
    made = admin.post("/tasks", wanted).must(201).json
    with Exchange(config_extra=server.extra(), media_span=400) as standby:
        standby.begin("--standby")
        standby.wait_log("standby: another exchange, .* has this office", 10)
        time.sleep(3)
        assert standby.alive() and "ready" not in (standby.folder / "stdout.txt").read_text()
        began = time.monotonic()
        os.kill(own.pid, signal.SIGKILL)
        own.wait_end(10)
        standby.wait_ready(30)
        took = time.monotonic() - began
        assert took < 22, f"{took:.1f} s"
        assert made["id"] in standby.run("task", "list").stdout
        there = Office(standby)
        with there.raw(one) as caller, there.raw(two) as phone:
            phone.register()
            call(caller, phone, two.number)
        assert standby.wait_calls(1)[0]["cause"] == "caller hung up"
        # Whoever had it before is told, and waits.
        own.begin("--standby")
        own.wait_log("standby: another exchange, .* has this office", 10)
        assert own.alive()


def test_an_office_moves_from_a_file_to_a_server(server, tmp_path):
    """A backup of the one is restored into the other, with the sealed passwords."""
    with Exchange(media_span=400) as first, Exchange(config_extra=server.extra(), media_span=400) as second:
        first.start()
        device = first.add_account("ada", "2001", "ada-desk")
        first.run("backup", tmp_path / "kept")
        first.stop()
        told = second.run("restore", tmp_path / "kept", "--config", second.config).stdout
        assert f"restored into postgresql://ringdown@/office?host={server.folder}" in told, told
        second.start()
        with Office(second).raw(device) as phone:
            assert phone.register().status == 200
        second.run("backup", tmp_path / "back", "--config", second.config)
        told = second.run("backup", tmp_path / "none", ok=False)
        assert "there is no office here" in told.stderr, told.stderr


def test_check_says_what_is_wrong_with_a_server(server):
    """A server that would lose what it acknowledges is refused, and so is one that is not there."""
    with Exchange(config_extra=server.extra()) as exchange:
        assert exchange.run("check", "--config", exchange.config).returncode == 0
        server.stop()
        told = exchange.run("check", "--config", exchange.config, ok=False).stdout
        assert "is PostgreSQL running?" in told and f"{exchange.config}:" in told, told
        with open(server.data / "postgresql.conf", "a") as settings:
            settings.write("fsync = off\n")
        server.start()
        told = exchange.run("check", "--config", exchange.config, ok=False).stdout
        assert "fsync = off and would lose what it has acknowledged" in told, told


def test_a_server_elsewhere_must_prove_who_it_is():
    """sec_20: TLS with a certificate of its name by an authority that is known; without that nothing is told it."""
    with Postgres(tls=True) as server:
        server.start()
        with Exchange(config_extra=server.extra(), media_span=400) as exchange:
            exchange.start()
            exchange.add_account("ada", "2001")
            assert server.sql("SELECT count(*) FROM pg_stat_ssl WHERE ssl AND version = 'TLSv1.3'") != "0"
        authority = f"&sslrootcert={server.certificate}"
        for wrong in (server.over_tls(LOOPBACK), server.over_tls("localhost", authority)):
            with Exchange(config_extra=wrong) as exchange:
                told = exchange.run("check", "--config", exchange.config, ok=False).stdout
                assert "no trusted TLS connection" in told and "sslrootcert" in told, told

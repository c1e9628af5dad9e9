"""NATS (docs/nats.md): live events for other programs, hints between exchanges, and that nothing needs it (G, Show 4)."""
import contextlib
import re
import statistics
import time

import pytest

from e2e.conftest import Office
from peers.api import administrator
from peers.certificate import own_certificate
from peers.cluster import administrator_of, at, know_each_other, knows, member, talk
from peers.exchange import Exchange
from peers.nats import Nats
from peers.places import Network
from peers.postgres import Postgres
from peers.waiting import until


def state(admin):
    return admin.get("/notices").must(200).json["nats"]


def figures(admin):
    return admin.send("GET", "/metrics").must(200).body.decode()


def calls_of(kept, kind):
    return [event for subject, event in kept if subject == f"ringdown.event.{kind}"]


def test_other_programs_read_all_events_there_though_the_server_was_killed(tmp_path):
    """By TLS, with a name and a password; what happens while the server is away is kept as soon as it is back, once each."""
    with Nats(own_certificate(tmp_path, "nats")) as server, Exchange(media_span=400, config_extra=server.start().extra()) as exchange:
        exchange.start()
        admin, office = administrator(exchange), Office(exchange)
        until(lambda: state(admin)["server"], 10, "NATS has us", exchange.tail)
        assert state(admin)["warning"] is None and state(admin)["last_error"] is None, state(admin)
        first, second = office.person(), office.person()
        with office.raw(first) as caller, office.raw(second) as phone:
            caller.register()
            phone.register()
            talk(caller, phone, second.number)
            until(lambda: len(calls_of(server.kept(), "call.ended")) == 1, 10, "the call is over there, too", exchange.tail)
            server.kill()
            until(lambda: not state(admin)["connected"], 10, "the exchange finds out", exchange.tail)
            assert "no server can be reached" in exchange.run("status").stdout
            talk(caller, phone, second.number)
            third = office.person()
            assert third.user in exchange.run("device", "list").stdout
            server.start()
            until(lambda: state(admin)["connected"] and state(admin)["last_error"] is None, 15, "NATS has us again", exchange.tail)
            talk(caller, phone, second.number)
            until(lambda: len(calls_of(server.kept(), "call.ended")) == 3, 10, "all calls are there", exchange.tail)
        kept = server.kept()
        assert all(subject == f"ringdown.event.{event['type']}" for subject, event in kept), kept
        names = [event["id"] for _, event in kept]
        assert len(set(names)) == len(names), "each once"
        numbers = [int(name.rsplit("-", 1)[1]) for (_, event), name in zip(kept, names) if event["type"] != "missed"]
        assert numbers == sorted(numbers), "in their order"
        missed = [event for _, event in kept if event["type"] == "missed"]
        assert [event["data"] for event in missed] == [{"count": None}], "only what was before the exchange began"
        assert third.user in str(calls_of(kept, "device.changed")), "what changed meanwhile is there, too"
        shown = exchange.run("status").stdout
        assert re.search(r"NATS +office-nats 2\.\d+\.\d+, \d+ events kept there", shown), shown
        assert "ringdown_nats_connected 1" in figures(admin)


def test_settings_that_lose_what_was_acknowledged_are_warned_of():
    """nats-server writes each two minutes unless it is told otherwise."""
    with Nats(sync="max_file_store: 1GB") as server, Exchange(media_span=400, config_extra=server.start().extra()) as exchange:
        exchange.start()
        admin = administrator(exchange)
        until(lambda: state(admin)["warning"], 10, "it is warned of", exchange.tail)
        assert "each 120 s" in state(admin)["warning"] and "sync_interval: always" in state(admin)["warning"], state(admin)
        assert "NATS can lose events" in exchange.log()
        until(lambda: server.kept(), 10, "events are kept all the same", exchange.tail)


def test_a_stream_that_is_not_ours_is_named():
    with Nats() as server:
        server.start().make_stream("RINGDOWN", ["elsewhere.>"])
        with Exchange(media_span=400, config_extra=server.extra()) as exchange:
            exchange.start()
            admin = administrator(exchange)
            until(lambda: state(admin)["last_error"], 10, "it says so", exchange.tail)
            assert "the stream RINGDOWN does not hear ringdown.event.>" in state(admin)["last_error"], state(admin)
            with Office(exchange).raw(Office(exchange).person()) as phone:
                assert phone.register().status == 200


@pytest.fixture(scope="module")
def cluster():
    """Two exchanges of one office, PostgreSQL and NATS, each in a place of its own."""
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(Network())
        postgres = stack.enter_context(Postgres(place=network.place("postgres"))).start()
        nats = stack.enter_context(Nats(place=network.place("nats"))).start()
        options = {"more": nats.extra(), "http_extra": 'administrators = "anywhere"\n'}
        north = stack.enter_context(member(postgres, "north", place=network.place("north"), **options)).start()
        south = stack.enter_context(member(postgres, "south", north, place=network.place("south"), **options)).start()
        know_each_other(north, south)
        administrators = administrator_of((north, south))
        until(lambda: all(state(one)["connected"] for one in administrators), 10, "NATS has both", north.tail)
        yield network, nats, north, south, administrators


def known_after(administrators, name):
    """How long after a change at one exchange another has it, in seconds."""
    one, other = administrators
    began = time.monotonic()
    one.post("/people", {"name": name}).must(201)
    until(lambda: other.get(f"/people/{name}").status == 200, 5, "the other has it", every=0.005)
    return time.monotonic() - began


def heard_hints(admin):
    return int(re.search(r'ringdown_nats_hints_total\{way="heard"\} (\d+)', figures(admin))[1])


def test_r24_a_hint_by_nats_arrives_where_there_is_no_other_way(cluster):
    """The line between the two is cut: what one changes the other has within a hint's time, and not after the half second."""
    network, nats, north, south, administrators = cluster
    network.split(north.place, south.place)
    try:
        until(lambda: "reachable=false" in south.log(), 8, "they find out", south.tail)
        before = heard_hints(administrators[1])
        took = [known_after(administrators, f"hinted-{number}") for number in range(9)]
        assert statistics.median(took) < 0.15 and heard_hints(administrators[1]) >= before + len(took) // 2, took
        nats.kill()
        until(lambda: not any(state(one)["connected"] for one in administrators), 10, "NATS is gone", north.tail)
        slow = [known_after(administrators, f"found-{number}") for number in range(5)]
        assert max(slow) < 1.5, slow
    finally:
        network.heal()
        if not nats.alive():
            nats.start()


def test_show_4_nats_killed(cluster):
    """Everything goes on without it, and nothing that was acknowledged is lost: registrations, changes, calls between the two, a tap's
    worth of state. Events of that time come when it is back; who keeps the office is not touched."""
    _, nats, north, south, administrators = cluster
    until(lambda: all(state(one)["connected"] for one in administrators), 15, "NATS has both", north.tail)
    office = Office(north)
    nats.kill()
    first, second = office.person(), office.person()
    until(lambda: second.user in south.run("device", "list").stdout, 3, "both know them", south.tail)
    with at(north, first) as caller, at(south, second) as phone:
        caller.register()
        phone.register()
        until(lambda: knows(north, second) and knows(south, first), 3, "both know where they are", north.tail)
        talk(caller, phone, second.number)
        talk(phone, caller, first.number)
    assert "another exchange keeps" not in north.log() + south.log()
    nats.start()
    until(lambda: all(state(one)["connected"] and state(one)["last_error"] is None for one in administrators), 20, "NATS has both",
          north.tail)

    def ended():
        return [event["data"] for event in calls_of(nats.kept(), "call.ended")]

    until(lambda: len(ended()) >= 2, 15, "the calls of that time are told", north.tail)
    kept = nats.kept()
    names = [event["id"] for _, event in kept]
    assert len(set(names)) == len(names), "each once, and by one exchange of the two"
    assert second.user in str(calls_of(kept, "device.changed")), "and what was changed"

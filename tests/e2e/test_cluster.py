"""Several exchanges with one office on one PostgreSQL server: each has phones at its own doors (R24), one keeps what must happen
once (R25), and when one dies the others go on with what it had (R28)."""
import os
import signal
import time

import pytest

from e2e.conftest import Office
from peers import sdp
from peers.api import Client, administrator
from peers.cluster import administrator_of, at, knows, pair_on, talk
from peers.ports import LOOPBACK
from peers.receiver import Receiver
from peers.waiting import until


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_phone_at_one_exchange_calls_a_phone_at_another(pair, transport):
    """R24: who was added at one is there at the other; the phone is rung by the door that it registered at."""
    north, south = pair
    office = Office(north)
    one, two = office.person(), office.person()
    until(lambda: two.user in south.run("device", "list").stdout, 5, "the people are known at the other", south.tail)
    with at(north, one, transport) as caller, at(south, two, transport) as phone:
        told = [caller.register(expires=3600), phone.register(expires=3600)]
        for response in told:
            seconds = int(str(response.get("Contact")).rsplit("expires=", 1)[1].split(";")[0])
            assert 48 <= seconds <= 60, "R28: one flow alone is looked at often"
        until(lambda: knows(north, two) and knows(south, one), 5, "both are known at both", north.tail)
        talk(caller, phone, two.number)
        talk(phone, caller, one.number)
    records = north.wait_calls(2)
    assert {record["cause"] for record in records} == {"callee hung up"}, records


def test_one_keeps_what_must_happen_once_and_says_so(pair):
    """R25: an agent is signed in at the keeper, and seen at the other. A call for the queue that comes to the other goes to
    the keeper by its door, and so does a code of an agent."""
    north, south = pair
    office = Office(north)
    caller, agent = office.person(), office.person()
    north.run("queue", "add", "sales", "--number", "8001", "--member", f"person-{agent.number}")
    until(lambda: agent.user in south.run("device", "list").stdout, 5, "the people are known at the other", south.tail)
    # Before the other's change was heard there it is made again by the exchange itself.
    north.run("account", "set", f"person-{caller.number}", "--display", "Bela of the north")
    south.run("account", "set", f"person-{agent.number}", "--display", "Ada of the south")
    until(lambda: "Ada of the south" in north.run("account", "list").stdout, 5, "what one changes the other has", north.tail)
    with at(south, caller, "tcp") as customer, at(south, agent) as phone:
        customer.register()
        phone.register()
        signing = phone.invite("*40", sdp.describe(40010))
        signing.wait_answer()
        signing.wait_bye(20)
        until(lambda: "ready" in north.run("agent", "list").stdout, 5, "the keeper has them", north.tail)
        assert agent.user in south.run("agent", "list").stdout, "seen at the other"
        rung = customer.invite("8001", sdp.describe(40000))
        branch = phone.wait_invite()
        branch.answer(sdp.describe(40002))
        rung.wait_answer()
        assert rung.bye().status == 200
        branch.wait_bye()
    assert sorted(one["callee"] for one in north.wait_calls(2)) == ["*40", "8001"]


def test_show_4_an_exchange_dies_and_the_other_has_its_office(server, pair):
    """S4, R25, R28: noticed within 5 s; its calls are closed as lost, what must happen once goes on, its phones come back elsewhere, and
    a phone with a second flow is rung by that within 5 s."""
    north, south = pair
    office = Office(north)
    one, two, three = office.person(), office.person(), office.person()
    admin = administrator(north)
    north.run("account", "set", f"person-{one.number}", "--rights", "background")
    wanted = {"account": f"person-{one.number}", "number": three.number, "not_before": "2031-05-06T07:08:00Z"}
    task = admin.post("/tasks", wanted).must(201).json["id"]
    until(lambda: three.user in south.run("device", "list").stdout, 5, "the people are known at the other", south.tail)
    with at(north, one) as first, at(south, two) as second, at(north, three, "tcp") as third, at(south, three, "tcp") as flow:
        for phone in (first, second):
            phone.register()
        outbound = 'sip.instance="<urn:uuid:00000000-0000-1000-8000-000000000003>"'
        third.register(contact=f"{third.contact};reg-id=1;+{outbound}")
        flow.register(contact=f"{flow.contact};reg-id=2;+{outbound}")
        until(lambda: "tcp" in north.run("device", "list").stdout, 5, "the second flow is known", north.tail)
        until(lambda: knows(south, one) and knows(north, two), 5, "both are known at both", south.tail)
        rung = first.invite(two.number, sdp.describe(40000))
        branch = second.wait_invite()
        branch.answer(sdp.describe(40002))
        rung.wait_answer()
        until(lambda: server.sql("SELECT count(*) FROM open_calls WHERE answered IS NOT NULL") == "1", 5, "it is written")
        began = time.monotonic()
        os.kill(north.pid, signal.SIGKILL)
        north.wait_end(10)
        to_three = second.invite(three.number, sdp.describe(40004))
        there = flow.wait_invite(5)
        assert time.monotonic() - began < 5
        there.answer(sdp.describe(40006))
        to_three.wait_answer()
        south.wait_log("this exchange keeps agents, queues, tasks and lists from now on", 8)
        assert time.monotonic() - began < 8
        assert task in south.run("task", "list").stdout
        lost = until(lambda: [record for record in south.calls() if record.get("cause") == "node lost"], 5, "closed", south.tail)
        assert len(lost) == 1 and lost[0]["answered_by"] == two.user, lost
        assert to_three.bye().status == 200
        there.wait_bye()
        with at(south, one) as again:
            again.register()
            talk(second, again, one.number)


def test_show_4_postgresql_is_killed_under_two_exchanges(server, pair):
    """docs/outages.md: calls go on, at one exchange and between two; what must happen once rests; afterwards all is well, and there."""
    north, south = pair
    office = Office(north)
    one, two, three = office.person(), office.person(), office.person()
    until(lambda: three.user in south.run("device", "list").stdout, 5, "the people are known at the other", south.tail)
    with at(north, one) as first, at(south, two) as second, at(south, three) as late:
        first.register()
        second.register()
        until(lambda: knows(north, two) and knows(south, one), 5, "both are known at both", north.tail)
        server.stop()
        talk(first, second, two.number)
        talk(second, first, one.number)
        assert late.register(ok=False).status == 503
        resting = "no exchange keeps agents"
        until(lambda: resting in north.run("task", "list", ok=False).stderr, 6, "it rests (R25)", north.tail, every=0.2)
        server.start()
        until(lambda: north.run("task", "list", ok=None).returncode == 0, 10, "it goes on", north.tail, every=0.2)
        until(lambda: late.register(ok=False).status == 200, 10, "the store is asked again", south.tail, every=0.5)
        until(lambda: knows(north, three), 5, "known at the other", north.tail)
        talk(first, late, three.number)
    assert len(north.wait_calls(3, seconds=10)) == 3, "nothing is lost, and nothing there twice"


def test_show_4_one_is_cut_off_taken_for_dead_and_comes_back(pair):
    """docs/outages.md: the others take over what it kept; it finds that out, and its phones are known again."""
    north, south = pair
    office = Office(south)
    one, two = office.person(), office.person()
    until(lambda: two.user in north.run("device", "list").stdout, 5, "the people are known at the other", north.tail)
    with at(north, one) as first, at(south, two) as second:
        first.register()
        second.register()
        until(lambda: knows(south, one), 5, "known", south.tail)
        os.kill(north.pid, signal.SIGSTOP)
        try:
            south.wait_log("an exchange is dead", 12)
            until(lambda: not knows(south, one), 5, "nobody is at its door", south.tail)
        finally:
            os.kill(north.pid, signal.SIGCONT)
        north.wait_log("another exchange keeps agents, queues, tasks and lists now", 10)
        assert south.run("task", "list").returncode == 0
        until(lambda: north.run("task", "list", ok=None).returncode == 0, 10, "it asks the one that keeps them now", north.tail)
        until(lambda: knows(south, one), 10, "its phones are known again", south.tail)
        until(lambda: south.log().count('another exchange exchange="north" reachable=true') == 2, 10, "there is a way", south.tail)
        talk(second, first, one.number)
        talk(first, second, two.number)


def test_b_a_webhook_hears_of_each_call_once_wherever_it_is_and_whoever_delivers(server):
    """One of several delivers to webhooks, and the next when it dies; they are made and looked at anywhere."""
    with pair_on(server, f'\n[webhooks]\nallow = "{LOOPBACK}/32"\nclear = true\n') as (north, south), Receiver() as receiver:
        office = Office(north)
        people = [office.person() for _ in range(4)]
        until(lambda: people[-1].user in south.run("device", "list").stdout, 5, "the people are known", south.tail)
        admin = administrator_of((north, south))[1]
        made = admin.post("/webhooks", {"url": receiver.url, "types": ["call.ended", "record.added"]}).must(201).json
        assert admin.get(f"/webhooks/{made['id']}").must(200).json["url"] == receiver.url

        def heard(calls):
            """So many calls were told, each once: its end, and its record."""
            told = lambda: sorted(one.type for one in receiver.messages)
            until(lambda: len(told()) >= 2 * calls, 10, f"{calls} calls are told", lambda: f"{told()}\n{admin.get('/webhooks').body}\n{north.tail()}\n{south.tail()}")
            time.sleep(1)
            assert told() == ["call.ended"] * calls + ["record.added"] * calls
            assert len({one.event["id"] for one in receiver.messages}) == 2 * calls

        def call(exchange, one, two):
            with at(exchange, one) as caller, at(exchange, two) as phone:
                phone.register()
                talk(caller, phone, two.number)

        # A moment passes until the one that delivers hears live events.
        time.sleep(1)
        call(south, *people[:2])
        heard(1)
        call(north, *people[2:])
        heard(2)
        os.kill(north.pid, signal.SIGKILL)
        north.wait_end(10)
        south.wait_log("this exchange keeps agents, queues, tasks and lists from now on", 8)
        until(lambda: admin.get(f"/webhooks/{made['id']}").status == 200, 5, "the next one has it", south.tail)
        time.sleep(1)
        call(south, *people[:2])
        heard(3)


def test_sec_11_who_signed_in_at_one_is_signed_in_at_all_and_out_at_all(pair):
    """Sessions and tokens are the office's: a browser that finds the other exchange goes on, and what is ended is ended everywhere."""
    north, south = pair
    admin, there = administrator_of(pair)
    made = there.post("/tokens", {"name": "reads", "scopes": ["people:read"]}).must(201).json
    program = Client(admin.host, token=made["secret"])
    until(lambda: program.get("/people").status == 200, 5, "the token is known at the one", north.tail)
    [listed] = admin.get("/tokens").must(200).json["items"]
    admin.ask("DELETE", f"/tokens/{listed['id']}").must(204)
    gone = Client(there.host, token=made["secret"])
    until(lambda: gone.get("/people").status == 401, 5, "its end, too", south.tail)
    admin.ask("DELETE", "/session").must(204)
    until(lambda: there.get("/session").status == 401, 5, "signed out everywhere", south.tail)

"""An exchange of several dies with calls up, phones at its door, and agents at an outside platform (G, Show 4; R25, R28)."""
import contextlib
import os
import signal
import time

import pytest

from e2e.conftest import Office
from peers import sdp
from peers.api import administrator
from peers.baresip import Baresip
from peers.chromium import Chromium, spki
from peers.cluster import at, know_each_other, knows, member, talk
from peers.dns import NameServer, address, srv
from peers.pjsua import Pjsua
from peers.platform import CONFIG, Platform
from peers.ports import LOOPBACK
from peers.softphone import Softphone
from peers.waiting import until
from peers.webphone import PagePhone

PAIRS, EACH = 10, 10
DOMAIN = "office.test"
WRAP_UP_S = 4
PORTAL = "https://portal.example"
# Pages from there may hold a phone; softphones have a door of their own.
PORTALS = {"http_extra": f'origins = "{PORTAL}"\n', "sip_extra": f'wss = "{LOOPBACK}:0"\n'}


def kill(exchange):
    """Without a word, as a machine dies; returns when."""
    os.kill(exchange.pid, signal.SIGKILL)
    exchange.wait_end(10)
    return time.monotonic()


def test_show_4_an_exchange_dies_under_a_hundred_calls(server):
    """What it had is closed as lost, once each; the other is reached at once, and phones that connect again by TCP within 15 s."""
    with member(server, "north", media_span=1600) as north:
        with member(server, "south", north.start(), media_span=400) as south:
            south.start()
            know_each_other(north, south)
            dies_under_calls(server, north, south)


def dies_under_calls(server, north, south):
    """Ten pairs of phones, each in ten calls, when the first exchange dies."""
    office = Office(north)
    callers = [office.person() for _ in range(PAIRS)]
    callees = [office.person() for _ in range(PAIRS)]
    until(lambda: callees[-1].user in south.run("device", "list").stdout, 5, "the people are known at the other", south.tail)
    with contextlib.ExitStack() as stack:
        calling = [stack.enter_context(at(north, one, "tcp")) for one in callers]
        called = [stack.enter_context(at(south, one)) for one in callees]
        for phone in calling + called:
            phone.register()
        until(lambda: all(knows(north, one) for one in callees), 5, "they are known at both", north.tail)
        for caller, phone, callee in zip(calling, called, callees):
            for _ in range(EACH):
                rung = caller.invite(callee.number, sdp.describe(40000))
                phone.wait_invite().answer(sdp.describe(40002))
                rung.wait_answer()
        count = "SELECT count(*) FROM open_calls WHERE answered IS NOT NULL"
        until(lambda: server.sql(count) == str(PAIRS * EACH), 5, "a hundred calls are up", lambda: server.sql(count))
        began = kill(north)
        talk(called[0], called[1], callees[1].number)
        assert time.monotonic() - began < 3, "the other goes on"
        back = [stack.enter_context(at(south, one, "tcp")) for one in callers]
        for phone in back:
            phone.register()
        talk(called[0], back[-1], callers[-1].number)
        assert time.monotonic() - began < 15
        lost = until(lambda: whole([record for record in south.calls() if record.get("cause") == "node lost"]), 10,
                     "all are closed", south.tail, every=0.2)
        assert sorted(one["answered_by"] for one in lost) == sorted(one.user for one in callees for _ in range(EACH))
        assert server.sql("SELECT count(*) FROM open_calls") == "0"


def whole(lost):
    return lost if len(lost) == PAIRS * EACH else None


def test_show_4_a_phone_with_two_flows_is_reached_by_the_second_within_5_s(pair):
    """R28, baresip by UDP: registered at both, as RFC 5626 has it."""
    north, south = pair
    flows = f';sipnat=outbound;outbound="sip:{north.address()}";outbound2="sip:{south.address()}"'
    dies_under(north, south, lambda one: Baresip(one.user, one.secret, north.address(), account_extra=flows), 5)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_show_4_a_phone_with_a_connection_finds_the_other_exchange_within_15_s(pair, transport):
    """R28, PJSIP: it asks a name server where the office is, as phones do whose exchange has several doors (RFC 3263)."""
    north, south = pair
    at_its_port = (f"127.{os.getpid() % 250 + 1}.{time.time_ns() % 250}.53", 53)  # PJSIP knows no other.
    try:
        names = NameServer(doors(north, south), at_its_port)
    except PermissionError:
        pytest.skip("only root opens port 53")
    with names:
        phone = {"nameserver": at_its_port[0], "retry": 3}
        dies_under(north, south, lambda one: Pjsua(one.user, one.secret, DOMAIN, transport, **phone), 15)


@pytest.mark.parametrize("transport", ["wss", "tcp"])
def test_show_4_our_own_phone_goes_to_the_next_server_that_it_knows_within_15_s(server, transport):
    """R28, `ringdown phone` with two servers."""
    with member(server, "north", **PORTALS) as north:
        with member(server, "south", north.start(), **PORTALS) as south:
            south.start()
            know_each_other(north, south)
            doors = [one.address(transport) for one in (north, south)]
            dies_under(north, south, lambda one: Softphone(one.user, one.secret, doors[0], transport, extra=("--server", doors[1])), 15)


@pytest.mark.parametrize("way", ["a page", "a program"])
def test_show_4_a_phone_on_websocket_finds_the_other_exchange_within_15_s(server, way):
    """R28, JsSIP in Chromium by WSS (RFC 7118), in a page that neither exchange serves: it has a list of sockets. The doors are those
    for pages (`/sip` of HTTPS) and those of their own (`[sip] wss`)."""
    with member(server, "north", **PORTALS) as north:
        with member(server, "south", north.start(), **PORTALS) as south:
            south.start()
            know_each_other(north, south)
            doors = [f"wss://{one.address('https')}/sip" if way == "a page" else f"wss://{one.address('wss')}/"
                     for one in (north, south)]
            both = ",".join(spki(one.data / "certificate.pem") for one in (north, south))
            with Chromium(trust=both) as browser:
                dies_under(north, south, lambda one: PagePhone(browser, PORTAL, one, DOMAIN, doors), 15)


def test_show_4_a_phone_with_one_flow_by_udp_is_reached_within_75_s(pair):
    """R28: it goes to its second registrar when its registration at the first is over; whoever calls meanwhile hears so, or waits."""
    north, south = pair
    one, two = people(north, south)
    with at(south, two) as caller, at(north, one) as before, at(south, one) as after:
        caller.register()
        lives = int(str(before.register().get("Contact")).rsplit("expires=", 1)[1].split(";")[0])
        registered = time.monotonic()
        until(lambda: knows(south, one), 5, "it is at the first", south.tail)
        began = kill(north)
        early = caller.invite(one.number, sdp.describe(40000))
        assert not early.wait_ringing(40)
        time.sleep(max(registered + lives - time.monotonic(), 0))
        after.register()
        talk(caller, after, one.number)
        assert time.monotonic() - began < 75


def people(north, south):
    """Two, whom both know."""
    office = Office(north)
    one, two = office.person(), office.person()
    until(lambda: two.user in south.run("device", "list").stdout, 5, "the people are known at the other", south.tail)
    return one, two


def dies_under(north, south, make, seconds):
    """A phone at the first of two is reached by the second, so long after the first died at the latest. A call waits a while for a
    phone that is on its way (R28)."""
    one, two = people(north, south)
    with at(south, two) as caller, make(one) as phone:
        caller.register()
        phone.start()
        phone.wait_registered()
        until(lambda: knows(south, one), 5, "it is registered", south.tail)
        time.sleep(1)
        until_when = kill(north) + seconds
        rung = caller.invite(one.number, sdp.describe(40000))
        phone.wait_incoming(until_when - time.monotonic())
        phone.answer()
        rung.wait_answer()
        assert rung.bye().status == 200


def doors(north, south):
    """The names of an office: the first exchange before the second."""
    records = {f"{name}.{DOMAIN}": [address(LOOPBACK)] for name in ("north", "south")}
    for transport, service in (("tcp", "_sip"), ("tls", "_sips")):
        ports = [exchange.host_port(transport)[1] for exchange in (north, south)]
        records[f"{service}._tcp.{DOMAIN}"] = [srv(rank + 1, 10, port, f"{name}.{DOMAIN}")
                                                  for rank, (port, name) in enumerate(zip(ports, ("north", "south")))]
    records[DOMAIN] = [address(LOOPBACK)]
    return records


def test_show_4_of_two_that_watch_one_platform_one_dies_in_a_wrap_up_and_the_switch_happens_once(server, tmp_path):
    """S0.14, R25: the keeper sees the end of a call and dies; the other switches the agent, at the end of the wrap-up, once."""
    platform = Platform()
    token = tmp_path / "token"
    token.write_text(platform.token)
    more = CONFIG.format(url=platform.url, token=token)
    with contextlib.closing(platform), member(server, "north", more=more) as north:
        north.start()
        with member(server, "south", north, more) as south:
            south.start()
            know_each_other(north, south)
            north.add_account("ada", "201")
            north.run("account", "set", "ada", "--platform", "center", "--wrap-up", str(WRAP_UP_S))
            administrator(north).post("/agents", {"account": "ada"}).must(200)
            platform.wait("ada", "ready")
            until(lambda: "ready" in north.run("agent", "list").stdout, 5, "the keeper has it", north.tail)
            polls = len(platform.polls())
            until(lambda: len(platform.polls()) >= polls + 3, 6, "polls")
            at_rate = platform.polls()[-3:]
            assert at_rate[-1] - at_rate[0] > 1.8, "one of the two asks, not both"
            ended = platform.call("ada", seconds=1.5)
            until(lambda: "wrap-up" in north.run("agent", "list").stdout, 5, "the wrap-up is known", north.tail, every=0.1)
            time.sleep(0.5)
            assert not platform.switches("ada")
            kill(north)
            south.wait_log("this exchange keeps agents, queues, tasks and lists from now on", 8)
            until(lambda: platform.switches("ada"), 10, "the agent is switched", south.tail, every=0.05)
            until(lambda: "ready" in south.run("agent", "list").stdout, 5, "and ready", south.tail, every=0.1)
            # Three more polls bring no second one.
            polls = len(platform.polls())
            until(lambda: len(platform.polls()) >= polls + 3, 6, "polls")
            (when, what), = platform.switches("ada")
            assert what == "ready" and when - ended >= WRAP_UP_S - 0.1, (when - ended, what)

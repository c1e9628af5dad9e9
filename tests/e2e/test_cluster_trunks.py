"""Trunks that register, of several exchanges with one office: each has a home, which alone registers it (R25). Kamailio is the provider; it
calls whoever is registered, all of them at once."""
import os
import signal
import time

import pytest

from e2e.conftest import Office
from peers import sdp
from peers.cluster import at, knows
from peers.kamailio import Kamailio
from peers.pjsua import Pjsua
from peers.rawua import RawUA, new_tag
from peers.sipmsg import address, split_list
from peers.waiting import until

LINES = [f"line-{number}" for number in range(1, 5)]


class Provider:
    """Who is registered, as the registrar says when it is asked without a Contact (RFC 3261 10.2.3)."""

    def __init__(self, kamailio, exchanges):
        self.kamailio = kamailio
        host, port = kamailio.address().rsplit(":", 1)
        self.lines = {line: RawUA(line, kamailio.secret, (host, int(port))) for line in LINES}
        self.doors = {exchange.address(): name for name, exchange in exchanges.items()}

    def contacts(self, line):
        asker = self.lines[line]
        identity = f"<sip:{line}@{asker.domain}>"
        headers = [("From", f"{identity};tag={new_tag()}"), ("To", identity), ("Call-ID", asker.next_id()), ("CSeq", "1 REGISTER")]
        response = asker.request("REGISTER", f"sip:{asker.domain}", headers)
        assert response.status == 200, response
        found = [one for value in response.all("contact") for one in split_list(value)]
        return {self.doors[address(one).split("@", 1)[1]] for one in found}

    def homes(self):
        return {line: self.contacts(line) for line in LINES}

    def of(self, name):
        """The lines at which one alone is registered."""
        return [line for line, names in self.homes().items() if names == {name}]

    def close(self):
        for asker in self.lines.values():
            asker.close()


@pytest.fixture
def provider(pair):
    north, south = pair
    with Kamailio().start() as kamailio:
        for line in LINES:
            north.run("trunk", "add", line, "--address", kamailio.address(), "--user", line, "--password", kamailio.secret, "--register")
        running = Provider(kamailio, {"north": north, "south": south})
        until(
            lambda: (len(running.of("north")), len(running.of("south"))) == (2, 2), 15, "each registers at its own",
            lambda: f"{running.homes()}\n{north.tail()}\n{south.tail()}", every=0.2,
        )
        yield running
        running.close()


def states(exchange):
    told = exchange.run("trunk", "list").stdout.splitlines()
    return {line: next(row for row in told if row.startswith(line)) for line in LINES}


def rings(provider, outside, line, phone):
    """A call from outside to a line's number, which a phone answers."""
    outside.dial(f"sip:{line}@{provider.kamailio.address()}")
    branch = phone.wait_invite()
    branch.answer(sdp.describe(40002))
    outside.wait_established()
    outside.hangup()
    branch.wait_bye()
    outside.wait_closed()


def test_r25_each_registers_at_some_trunks_and_at_all_when_the_other_dies(pair, provider):
    """None is registered by both, a call by either's trunk reaches a phone at the other, and each says where it is registered."""
    north, south = pair
    office = Office(north)
    one, two = office.person(), office.person()
    until(lambda: two.user in south.run("device", "list").stdout, 5, "the people are known at the other", south.tail)
    of_north, of_south = provider.of("north"), provider.of("south")
    for lines, device in ((of_north, two), (of_south, one)):
        for line in lines:
            north.run("number", "add", line, "--account", f"person-{device.number}")
    for exchange, others, name in ((north, of_south, "south"), (south, of_north, "north")):
        until(lambda: all(f"registered at {name}" in states(exchange)[line] for line in others), 5, "it says where", exchange.tail)
    outsider = Pjsua("4930555", provider.kamailio.secret, provider.kamailio.address())
    with at(north, one) as first, at(south, two) as second, outsider as outside:
        first.register()
        second.register()
        outside.start().wait_registered()
        until(lambda: knows(north, two) and knows(south, one), 5, "both are known at both", north.tail)
        rings(provider, outside, of_north[0], second)
        rings(provider, outside, of_south[0], first)
        os.kill(north.pid, signal.SIGKILL)
        north.wait_end(10)
        until(lambda: all("south" in names for names in provider.homes().values()), 15, "the other is registered at all",
              south.tail, every=0.2)
        for line in LINES:
            assert "registered" in states(south)[line] and "registered at" not in states(south)[line]
        rings(provider, outside, of_north[0], second)


@pytest.mark.parametrize("who", ["the keeper", "the other"])
def test_r25_one_stops_and_at_each_moment_somebody_is_registered_at_its_trunks(pair, provider, who):
    """It hands them over, waits until the other is registered, removes its own contacts, and ends."""
    stops, stays = pair if who == "the keeper" else reversed(pair)
    name = "south" if who == "the keeper" else "north"
    os.kill(stops.pid, signal.SIGTERM)
    began, seen = time.monotonic(), []
    while stops.alive():
        homes = provider.homes()
        assert all(homes.values()), f"nobody is registered: {homes}"
        assert stops.alive() or all(name in names for names in homes.values()), f"only one who has ended: {homes}"
        seen.append(homes)
        assert time.monotonic() - began < 10, stops.tail()
        time.sleep(0.05)
    assert any(len(names) == 2 for homes in seen for names in homes.values()), f"both for a moment: {seen}"
    assert provider.homes() == {line: {name} for line in LINES}, "it has removed its own"
    assert stays.alive()

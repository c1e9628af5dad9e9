"""What the tests of the exchange share: one running exchange a file, and fresh people in it."""
import itertools

import pytest

from peers import tone
from peers.chromium import Chromium, spki
from peers.cluster import pair_on
from peers.exchange import Exchange
from peers.postgres import Postgres
from peers.rawua import RawUA
from peers.webphone import Visitor


@pytest.fixture(scope="module")
def exchange():
    with Exchange() as running:
        yield running.start()


@pytest.fixture(scope="module")
def browser(exchange, tmp_path_factory):
    """Chromium that trusts the exchange; its microphone says 440 Hz."""
    microphone = tone.write_tone(tmp_path_factory.mktemp("microphone") / "tone.wav", 440, 10, 48000, -15.0)
    with Chromium(trust=spki(exchange.data / "certificate.pem"), microphone=microphone) as running:
        yield running


@pytest.fixture(scope="module")
def administrator(browser, exchange):
    """Who signed in by the printed link."""
    return Visitor(browser, exchange).enter(exchange.admin_link())


class Office:
    """Makes people that no other test uses. Device names differ from numbers on purpose (S1.1)."""

    _numbers = itertools.count(2001)

    def __init__(self, exchange):
        self.exchange = exchange

    def person(self, devices=1):
        """A new account with one number; returns its devices (one device: that device alone)."""
        number = str(next(self._numbers))
        made = [self.exchange.add_account(f"person-{number}", number, f"desk-{number}")]
        for index in range(1, devices):
            made.append(self.exchange.add_device(f"person-{number}", number, f"more{index}-{number}"))
        return made[0] if devices == 1 else made

    def raw(self, device, transport="udp", **options):
        """A raw user agent for a device."""
        return RawUA(device.user, device.secret, self.exchange.host_port(transport), transport, **options)

    def record(self, caller, callee, seconds=5):
        """The one call record between two numbers (R1: one CDR a call)."""
        from peers.waiting import until

        def look():
            found = [
                one for one in self.exchange.calls()
                if caller in str(one.get("caller")) and callee in str(one.get("callee")) and one.get("ended")
            ]
            return found or None

        found = until(look, seconds, f"a call record {caller} to {callee}",
                      lambda: f"{self.exchange.calls()}\n{self.exchange.tail()}", every=0.1)
        assert len(found) == 1, f"one call must give one record: {found}"
        return found[0]


@pytest.fixture
def office(exchange):
    return Office(exchange)


@pytest.fixture
def server():
    """A PostgreSQL server."""
    with Postgres() as running:
        yield running.start()


@pytest.fixture
def pair(server):
    """Two exchanges with one office on it."""
    with pair_on(server) as two:
        yield two

"""Several exchanges with one office on one PostgreSQL server."""
import contextlib
import shutil

from . import sdp
from .api import Client, administrator
from .exchange import Exchange
from .ports import LOOPBACK
from .rawua import RawUA
from .waiting import until

SHARED = f'\n[cluster]\nlisten = "{{host}}:0"\nname = "{{name}}"\n'


def member(server, name, first=None, more="", media_span=400, place=None, **options):
    """One more exchange of the office; the key with which passwords are sealed is the first one's."""
    shared = SHARED.format(name=name, host=place.address if place else LOOPBACK)
    exchange = Exchange(config_extra=server.extra() + shared + more, media_span=media_span, place=place, **options)
    if first:
        exchange.data.mkdir()
        shutil.copy(first.data / "seal.key", exchange.data / "seal.key")
    return exchange


def know_each_other(north, south):
    """Waits until there is a way between two of them, in both directions."""
    for one, other in ((north, "south"), (south, "north")):
        one.wait_log(f'another exchange exchange="{other}" reachable=true', 10)


@contextlib.contextmanager
def pair_on(server, more=""):
    """Two exchanges with one office on a server: north, which keeps what must happen once, and south."""
    with member(server, "north", more=more) as north:
        north.start()
        with member(server, "south", north, more=more) as south:
            south.start()
            know_each_other(north, south)
            yield north, south


def administrator_of(both):
    """Who looks after the office, signed in at the first exchange, as a client of each."""
    first = administrator(both[0])
    clients = [Client(one.ready["http"], cookie=first.cookie, csrf=first.csrf) for one in both]
    for client in clients:
        until(lambda: client.get("/session").status == 200, 5, "the session is known everywhere")
    return clients


def at(exchange, device, transport="udp"):
    """A phone at the door of one of them."""
    return RawUA(device.user, device.secret, exchange.host_port(transport), transport)


def knows(exchange, device):
    """Whether an exchange knows where a device is registered."""
    return any(device.user in line and any(f"{transport}:" in line for transport in ("udp", "tcp", "tls", "ws", "wss"))
               for line in exchange.run("device", "list").stdout.splitlines())


def talk(caller, phone, number):
    """One call from its beginning to its end; the one who answers hangs up."""
    rung = caller.invite(number, sdp.describe(40000))
    branch = phone.wait_invite()
    branch.ring()
    branch.answer(sdp.describe(40002))
    rung.wait_answer()
    assert branch.bye().status == 200
    rung.wait_bye()

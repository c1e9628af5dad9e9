"""`<ringdown-phone>` with the real exchange: a page of a listed origin calls and is called by a token of its own, one of
another origin gets nothing (Show 1, S0.2, sec_11). The browser's microphone says 440 Hz."""
import functools
import http.server
import json
import threading

import pytest

from peers import ear, tone
from peers.baresip import Baresip
from peers.exchange import REPOSITORY, Exchange
from peers.waiting import until
from peers.webphone import Visitor


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Who asked for what is of no interest."""


def sample():
    """The sample page on an origin of its own."""
    handler = functools.partial(Quiet, directory=str(REPOSITORY / "console/sample"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def origins():
    servers = [sample(), sample()]
    yield [f"http://127.0.0.1:{one.server_port}" for one in servers]
    for one in servers:
        one.shutdown()


@pytest.fixture(scope="module")
def exchange(origins):
    with Exchange(http_extra=f'origins = "{origins[0]}"\n') as running:
        yield running.start()


class Guest:
    """A page of others with the element in it, for a person with a token."""

    def __init__(self, browser, exchange, origin, token):
        self.context = browser.context()
        self.context.add_init_script(path=ear.SCRIPT)
        self.page = browser.page(f"{origin}/?server=https://{exchange.address('https')}#{token}", context=self.context)

    def told(self):
        """The DOM events so far, in order: (name, detail)."""
        lines = self.page.locator("#log").inner_text().splitlines()
        parts = [line.split(" ", 1)[1] for line in lines if " {" in line]
        parts = [part[part.index("M ") + 2:] if part[:2] in ("AM", "PM") else part for part in parts]
        return [(part.split(" ", 1)[0], json.loads(part.split(" ", 1)[1])) for part in parts]

    def wait(self, name, seconds=10, since=0, **wanted):
        """The first event of that name from the `since`-th on whose details are so."""

        def look():
            for kind, detail in self.told()[since:]:
                if kind == name and all(detail.get(key) == value for key, value in wanted.items()):
                    return detail
            return None

        return until(look, seconds, f"the page is told {name} {wanted}", lambda: f"{self.told()}", every=0.05)

    def do(self, command):
        return self.page.evaluate(f"document.querySelector('ringdown-phone').{command}")


@pytest.fixture
def person(office, administrator):
    """Somebody with a number and a token for the page of others: (number, account, token)."""
    number = office.person().number
    visitor = Visitor(administrator.browser, administrator.exchange)
    visitor.enter(administrator.link_for(f"person-{number}"))
    page = visitor.page()
    status, made = visitor.ask(page, "POST", "/tokens", {"name": "portal", "scopes": ["phone", "people:read", "people:write"]})
    assert status == 201, made
    visitor.context.close()
    return number, f"person-{number}", made["secret"]


@pytest.fixture
def telephone(exchange, office):
    device = office.person()
    with Baresip(device.user, device.secret, exchange.address(), hertz=1000) as phone:
        phone.number = device.number
        phone.start().wait_registered()
        yield phone


def brief(told):
    """Events in order, each in a word or two."""
    return [f"{name} {detail['state']}" if name == "state" else name for name, detail in told]


def test_s0_2_show_1_a_page_of_a_listed_origin_calls_and_is_called(browser, exchange, origins, person, telephone):
    """Commands dial, answer and hangUp; tone both ways; DOM events in order, with who it is and the link to open."""
    number, _, token = person
    guest = Guest(browser, exchange, origins[0], token)
    guest.wait("state", state="ready")
    begun = len(guest.told())
    guest.do(f"dial('{telephone.number}')")
    telephone.wait_incoming()
    telephone.answer()
    guest.wait("talking", number=telephone.number, direction="out")
    assert guest.do("state") == "talking"
    tone.assert_tone(telephone.wait_heard(2.5), 440, None)
    ear.assert_hears(guest.page, 1000)
    guest.do("hangUp()")
    telephone.wait_closed()
    ended = guest.wait("ended")
    assert (ended["reason"], ended["direction"], ended["number"]) == ("hung_up", "out", telephone.number), ended
    guest.wait("state", since=begun, state="ready")
    calls = ["ringing", "state calling", "talking", "state talking", "ended", "state ready"]
    assert brief(guest.told()[begun:]) == calls, guest.told()

    begun = len(guest.told())
    telephone.dial(number)
    rings = guest.wait("ringing", since=begun, direction="in")
    assert rings["number"] == telephone.number, rings
    assert f"customer.html?tel={telephone.number}" in rings["link"] and rings["id"] in rings["link"], rings
    guest.do(f"answer('{rings['id']}')")
    telephone.wait_established()
    tone.assert_tone(telephone.wait_heard(2.5), 440, None)
    ear.assert_hears(guest.page, 1000)
    telephone.hangup()
    ended = guest.wait("ended", since=begun)
    assert (ended["reason"], ended["direction"], ended["id"]) == ("they_hung_up", "in", rings["id"]), ended
    guest.wait("state", since=begun, state="ready")
    calls = ["ringing", "state ringing", "talking", "state talking", "ended", "state ready"]
    assert brief(guest.told()[begun:]) == calls, guest.told()
    guest.context.close()


def test_s0_2_a_number_that_nobody_has_is_told_with_its_reason(browser, exchange, origins, person):
    guest = Guest(browser, exchange, origins[0], person[2])
    guest.wait("state", state="ready")
    guest.do("dial('99999')")
    ended = guest.wait("ended")
    assert (ended["reason"], ended["direction"], ended["number"]) == ("unknown_number", "out", "99999"), ended
    guest.context.close()


def test_s0_2_ready_and_not_ready_are_states_of_the_exchange(browser, exchange, origins, person, telephone):
    """Not of the page: while not ready nobody gets through."""
    number, account, token = person
    guest = Guest(browser, exchange, origins[0], token)
    guest.wait("state", state="ready")
    guest.page.get_by_role("button", name="Not ready").click()
    guest.wait("state", state="not_ready")
    row = next(line for line in exchange.run("account", "list").stdout.splitlines() if account in line)
    assert "do not disturb" in row.lower(), row
    telephone.dial(number)
    telephone.wait_closed()
    assert not [detail for name, detail in guest.told() if name == "ringing"]
    begun = len(guest.told())
    guest.do("ready()")
    guest.wait("state", since=begun, state="ready")
    telephone.dial(number)
    guest.wait("ringing", direction="in")
    telephone.hangup()
    assert guest.wait("ended")["reason"] == "cancelled"
    guest.context.close()


def test_sec_11_a_page_of_an_unlisted_origin_has_no_telephone(browser, exchange, origins, person, telephone):
    """With a good token: no answer of the API reaches it, no socket opens, and no call."""
    number, _, token = person
    guest = Guest(browser, exchange, origins[1], token)
    guest.page.locator("ringdown-phone .chip.bad").wait_for()
    https = exchange.address("https")
    refused = guest.page.evaluate(
        """([url, token]) => fetch(url, {method: 'POST', headers: {Authorization: `Bearer ${token}`}}).then(
            (answer) => answer.status, (error) => error.name)""",
        [f"https://{https}/api/v1/phone", token],
    )
    assert refused == "TypeError", "the browser keeps the answer from the page"
    closed = guest.page.evaluate(
        """(url) => new Promise((done) => {
            const socket = new WebSocket(url, 'sip');
            socket.onopen = () => done('open');
            socket.onclose = (event) => done(event.code);
        })""",
        f"wss://{https}/sip",
    )
    assert closed == 1006
    guest.do(f"dial('{telephone.number}')")
    telephone.dial(number)
    telephone.wait_closed()
    assert not telephone.saw("CALL_INCOMING")
    assert {name for name, _ in guest.told()} <= {"state"}, guest.told()
    assert {"ready", "calling", "ringing", "talking"}.isdisjoint(d["state"] for _, d in guest.told()), guest.told()
    guest.context.close()

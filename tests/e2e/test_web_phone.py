"""The web phone's signalling: SIP over WebSocket, who may open one, and what lives and dies with a session (S0.1)."""
import ssl
import time
from datetime import datetime, timezone

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from peers import sdp
from peers.chromium import Chromium
from peers.exchange import Exchange
from peers.turns import client_context
from peers.webphone import Visitor

PORTAL = "https://portal.example"


@pytest.fixture(scope="module")
def exchange():
    """With sockets of their own for softphones, and one foreign site that may hold a web phone."""
    sockets = 'ws = "127.0.0.1:0"\nwss = "127.0.0.1:0"\n'
    with Exchange(sip_extra=sockets, http_extra=f'origins = "{PORTAL}"\n') as running:
        yield running.start()


@pytest.fixture(scope="module")
def certificate(exchange):
    return exchange.data / "certificate.pem"


class Worker:
    """A person with a number, and a browser window in which they are signed in."""

    def __init__(self, office, administrator):
        self.device = office.person()
        self.number = self.device.number
        self.visitor = Visitor(administrator.browser, administrator.exchange)
        self.visitor.enter(administrator.link_for(f"person-{self.number}"))


@pytest.fixture
def worker(office, administrator):
    made = Worker(office, administrator)
    yield made
    made.visitor.context.close()


# ---- sockets, without a browser


@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_s0_1_a_softphone_that_is_no_browser_calls_and_is_called_by_websocket(office, transport):
    """RFC 7118: digest, one message a frame, a contact that only the socket reaches; with and without TLS."""
    one, two = office.person(), office.person()
    with office.raw(one, transport) as page, office.raw(two) as desk:
        page.register()
        desk.register()
        call = page.invite(two.number, sdp.describe(4000))
        rings = desk.wait_invite()
        rings.ring()
        call.wait_status(180)
        rings.answer(sdp.describe(4002))
        call.wait_status(200)
        call.ack()
        rings.bye()
        call.wait_bye()
        back = desk.invite(one.number, sdp.describe(4004))
        rings = page.wait_invite()
        assert rings.invite.uri.startswith(f"sip:{one.user}@") and ".invalid" in rings.invite.uri
        rings.ring()
        back.wait_status(180)
        back.cancel()
        rings.wait_cancel()
    assert office.record(one.number, two.number)["answered"]


def opens(url, origin, trusted=None):
    """The status with which a WebSocket is refused; 101 when it opens."""
    context = None
    if url.startswith("wss"):
        context = client_context(trusted)
    try:
        with connect(url, subprotocols=["sip"], origin=origin, ssl=context, proxy=None, open_timeout=5) as socket:
            assert socket.subprotocol == "sip"
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_sec_25_a_page_of_an_origin_that_is_not_listed_opens_no_socket(exchange):
    """Origin is checked at the upgrade: our own or listed; a program without one has doors of its own."""
    https, http = exchange.address("https"), exchange.address("http")
    ws, wss = exchange.address("ws"), exchange.address("wss")
    for url, origin, status in [
        (f"wss://{https}/sip", f"https://{https}", 101),
        (f"wss://{https}/sip", PORTAL, 101),
        (f"wss://{https}/sip", "https://evil.example", 403),
        (f"wss://{https}/sip", f"http://{https}", 403),
        (f"wss://{https}/sip", "null", 403),
        (f"wss://{https}/sip", None, 403),
        (f"ws://{http}/sip", f"http://{http}", 101),
        (f"ws://{http}/sip", f"http://{https}", 403),
        (f"ws://{ws}/", None, 101),
        (f"wss://{wss}/", None, 101),
        (f"ws://{ws}/", PORTAL, 101),
        (f"ws://{ws}/", "https://evil.example", 403),
        (f"wss://{wss}/", "https://evil.example", 403),
    ]:
        assert opens(url, origin) == status, (url, origin)


def test_s0_1_the_certificate_is_checked_by_who_checks_certificates(exchange, certificate):
    https = exchange.address("https")
    own = f"https://{https}"
    assert opens(f"wss://{https}/sip", own, trusted=certificate) == 101
    with pytest.raises(ssl.SSLCertVerificationError):
        with connect(f"wss://{https}/sip", subprotocols=["sip"], origin=own, proxy=None):
            pass


# ---- Chromium with JsSIP


def test_s0_1_a_self_signed_certificate_that_is_not_trusted_is_refused(exchange):
    """Show 1: neither the page nor the socket opens."""
    from playwright.sync_api import Error

    with Chromium() as browser:
        page = browser.page()
        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            page.goto(f"https://{exchange.address('https')}/healthz")
        page = browser.page(f"http://{exchange.address('http')}/healthz")
        refused = page.evaluate(
            """url => new Promise(done => {
                const socket = new WebSocket(url, 'sip');
                socket.onopen = () => done('open');
                socket.onclose = event => done(event.code);
            })""",
            f"wss://{exchange.address('https')}/sip",
        )
        assert refused == 1006


def test_s0_1_a_page_registers_with_its_token_and_is_called_and_calls(worker, office):
    """Show 1, signalling: JsSIP over WSS, Bearer, INVITE both ways to ringing, and hang-up."""
    phone = worker.visitor.phone()
    given = phone.open()
    assert given["device"].startswith("web-") and given["numbers"] == [worker.number], given
    assert given["socket"] == f"wss://{office.exchange.address('https')}/sip"
    phone.start()
    phone.wait("registered")
    other = office.person()
    with office.raw(other) as desk:
        desk.register()
        call = desk.invite(worker.number, sdp.describe(4000))
        call.wait_status(180)
        assert phone.wait("rings")["detail"] == other.number
        call.cancel()
        phone.wait("failed")
        phone.do(f"call('{other.number}')")
        rings = desk.wait_invite()
        rings.ring()
        assert phone.wait("progress", count=2)["detail"] in (180, 183)
        rings.answer(sdp.describe(4002))
        phone.wait("confirmed")
        rings.bye()
        assert phone.wait("ended")["detail"].startswith("remote")
    assert given["token"] not in office.exchange.log()
    ladder = office.exchange.run("ladder").stdout
    assert "BYE" in ladder
    assert given["token"] not in ladder


def test_r11_the_far_end_s_bye_after_a_cut_socket_arrives_over_the_new_one(worker, office):
    """Show 1, R11: reconnection keeps the call; as the caller and as the one who was called."""
    phone = worker.visitor.phone().register()
    other = office.person()
    with office.raw(other) as desk:
        desk.register()
        for outgoing in (True, False):
            before = len([event for event in phone.events() if event["kind"] == "registered"])
            ended = len([event for event in phone.events() if event["kind"] == "ended"])
            if outgoing:
                phone.do(f"call('{other.number}')")
                far = desk.wait_invite()
                far.answer(sdp.describe(4000))
            else:
                far = desk.invite(worker.number, sdp.describe(4002))
                phone.wait("rings")
                phone.do("take()")
                far.wait_status(200)
                far.ack()
            phone.wait("confirmed", count=1 if outgoing else 2)
            phone.page.evaluate("testEar.cut()")
            phone.wait("disconnected", count=1 if outgoing else 2)
            phone.wait("registered", count=before + 1)
            assert len([event for event in phone.events() if event["kind"] == "ended"]) == ended, "the call goes on"
            far.bye()
            assert phone.wait("ended", count=ended + 1)["detail"].startswith("remote")


def test_s0_1_the_end_of_the_session_closes_the_socket_within_a_second(worker, office):
    """B: sign-out, or somebody revokes the session: the call ends, the flow is closed within 1 s, and stays so."""
    phone = worker.visitor.phone().register()
    other = office.person()
    with office.raw(other) as desk:
        desk.register()
        phone.do(f"call('{other.number}')")
        far = desk.wait_invite()
        far.answer(sdp.describe(4000))
        phone.wait("confirmed")
        began = time.monotonic()
        status, _ = worker.visitor.ask(phone.page, "DELETE", "/session")
        assert status in (200, 204)
        phone.wait("disconnected", seconds=1)
        assert time.monotonic() - began < 1.0
        far.wait_bye()
    # JsSIP comes back by itself, and its token is good for nothing.
    assert phone.wait("refused")["detail"] == 401
    assert phone.page.evaluate("testPhone.open()")["status"] in (401, 403)
    assert office.record(worker.number, other.number)["cause"] == "signed out"


def test_s0_1_a_token_is_good_for_its_own_page_alone(worker, office, administrator):
    """RFC 8898: another origin, another device, no token, and a wrong one: 401 each time."""
    phone = worker.visitor.phone()
    given = phone.open()
    foreign = worker.visitor.phone(origin=PORTAL)
    foreign.start(given)
    assert foreign.wait("refused")["detail"] == 401, "a listed origin, and still not the token's"
    evil = worker.visitor.phone(origin="https://evil.example")
    evil.start(given)
    assert evil.wait("disconnected")["kind"] == "disconnected"
    assert not [event for event in evil.events() if event["kind"] == "connected"], "not listed: no socket at all"
    other = Worker(office, administrator)
    theirs = other.visitor.phone()
    device = theirs.open()
    theirs.start({**device, "token": given["token"]})
    assert theirs.wait("refused")["detail"] == 401, "another session's device"
    for token in ("", "x"):
        guess = worker.visitor.phone()
        guess.start(given, token=token)
        assert guess.wait("refused")["detail"] == 401
    phone.start()
    phone.wait("registered")
    other.visitor.context.close()


def test_s0_2_a_page_of_a_listed_origin_has_a_phone_by_a_token_and_no_other_page(worker):
    """S0.2: the page's own server holds a token of scope `phone`; cookies are worth nothing there."""
    page = worker.visitor.page()
    status, made = worker.visitor.ask(page, "POST", "/tokens", {"name": "portal", "scopes": ["phone"]})
    assert status == 201, made
    ask = """async ([url, token, credentials]) => {
        const headers = token ? {Authorization: `Bearer ${token}`} : {};
        try {
            const answer = await fetch(url, {method: 'POST', headers, credentials});
            return [answer.status, await answer.json()];
        } catch (error) { return [0, String(error)]; }
    }"""
    url = f"{worker.visitor.base}/api/v1/phone"
    portal = worker.visitor.phone(origin=PORTAL)
    status, given = portal.page.evaluate(ask, [url, made["secret"], "omit"])
    assert status == 201, given
    portal.start(given)
    portal.wait("registered")
    assert portal.page.evaluate(ask, [url, None, "include"])[0] == 0, "no permission for cookies"
    evil = worker.visitor.phone(origin="https://evil.example")
    assert evil.page.evaluate(ask, [url, made["secret"], "omit"])[0] == 0, "no permission at all"
    began = time.monotonic()
    status, _ = worker.visitor.ask(page, "DELETE", f"/tokens/{made['id']}")
    assert status == 204
    portal.wait("disconnected", seconds=1)
    assert time.monotonic() - began < 1.5, "the phone ends with its token"


def test_s0_2_a_token_that_ends_by_time_ends_its_phone(worker):
    """Nobody asks for its end, and the socket is closed. Sessions end by the same look at the clock; they live for hours."""
    page = worker.visitor.page()
    ends = time.time() + 6
    at = datetime.fromtimestamp(ends, timezone.utc).isoformat()
    status, made = worker.visitor.ask(page, "POST", "/tokens", {"name": "portal", "scopes": ["phone"], "expires": at})
    assert status == 201, made
    portal = worker.visitor.phone(origin=PORTAL)
    given = portal.page.evaluate(
        """async ([url, token]) => (await fetch(url, {
            method: 'POST', headers: {Authorization: `Bearer ${token}`}, credentials: 'omit',
        })).json()""",
        [f"{worker.visitor.base}/api/v1/phone", made["secret"]],
    )
    portal.start(given)
    portal.wait("registered")
    assert time.time() < ends, "too slow a machine to see anything"
    portal.wait("disconnected", seconds=9)
    assert ends <= time.time() < ends + 2
    assert portal.wait("refused")["detail"] == 401


def test_s0_1_two_tabs_ring_once(worker, office):
    """The tab that registered last is the phone, whatever instance it says it is."""
    first = worker.visitor.phone().register()
    second = worker.visitor.phone().register(instance="0d3b2e9c-6a4f-4f0e-9a53-0b6f2f0a6d11")
    with office.raw(office.person()) as desk:
        desk.register()
        call = desk.invite(worker.number, sdp.describe(4000))
        second.wait("rings")
        call.wait_status(180)
        assert not [event for event in first.events() if event["kind"] == "rings"]
        call.cancel()
        second.wait("failed")


def test_s0_1_a_reload_takes_another_certificate_for_https(tmp_path):
    """The certificate of [sip] is the console's, too; a reload takes a new one, and what stands goes on."""
    import subprocess

    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"

    def make(name):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key),
             "-out", str(certificate)],
            check=True, capture_output=True,
        )

    make("one")
    lines = f'certificate = "{certificate}"\nkey = "{key}"\n'
    with Exchange(sip_extra=lines).start() as exchange:
        https = exchange.address("https")
        host, port = https.rsplit(":", 1)
        url, own = f"wss://{https}/sip", f"https://{https}"
        first = ssl.get_server_certificate((host, int(port)))
        context = client_context(certificate)
        with connect(url, subprotocols=["sip"], origin=own, ssl=context, proxy=None) as standing:
            make("two")
            exchange.run("reload")
            second = ssl.get_server_certificate((host, int(port)))
            assert first != second and second.strip() == certificate.read_text().strip()
            standing.ping().wait(5)
            assert opens(url, own, trusted=certificate) == 101

"""Apps without an exchange: woken for a call (C3), and calling through the directory (C1), with real phones (S4)."""
import base64
import hashlib
import hmac
import json
import os
import socket
import ssl
import time

import paho.mqtt.publish as publish
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from websockets.sync.client import connect

from peers import baresip, digest, push, tone
from peers.app import App
from peers.baresip import Baresip
from peers.certificate import own_certificate
from peers.directory import Directory, member, told
from peers.ports import LOOPBACK, free_port
from peers.process import Process
from peers.softphone import Softphone
from peers.waiting import until

APP_HERTZ = 700.0


@pytest.fixture(scope="module")
def broker():
    """mosquitto, to which anybody may say anything: what wakes an app is signed."""
    class Plain(Process):
        def __init__(self):
            super().__init__("mosquitto")
            self.port = free_port()

        def start(self):
            config = self.folder / "mosquitto.conf"
            config.write_text(f"listener {self.port} {LOOPBACK}\nallow_anonymous true\npersistence false\nlog_type all\n")
            self.spawn(["mosquitto", "-c", config])
            until(lambda: "running" in self.log(), 10, "mosquitto runs", self.tail, every=0.05)
            return self

    with Plain().start() as started:
        yield started


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A push service of our own."""
    with push.PushService(own_certificate(tmp_path_factory.mktemp("push"), "push")) as started:
        yield started


@pytest.fixture(scope="module")
def directory(broker, service):
    extra = ("--mqtt", f"mqtt://{LOOPBACK}:{broker.port}", "--push-allow", "127.0.0.0/8", "--authorities",
             service.certificate[0], "--push-contact", "mailto:pbx@example.com")
    with Directory(extra=map(str, extra)).start() as started:
        yield started


@pytest.fixture(scope="module")
def sites(directory):
    """North with Anna, 2041; south is Cleo's home, 2043, who has an app alone."""
    with member(directory, "north", "berlin") as north, member(directory, "south", "wien") as south:
        north.anna = north.add_account("anna", "2041", "desk-a")
        south.add_account("cleo", "2043")
        copy = north.data / "membership" / "directory.copy"
        until(lambda: "2043" in told(copy), 10, "north knows 2043", north.tail)
        yield north, south


@pytest.fixture(scope="module")
def app(directory, sites):
    with App(directory.invite_app("cleo"), "cleo", APP_HERTZ).start() as started:
        started.wait_connected()
        for exchange in sites:
            copy = exchange.data / "membership" / "directory.copy"
            until(lambda: '"apps":true' in told(copy), 10, "the copy tells of the app", exchange.tail)
        yield started


def desk(exchange):
    return Baresip(exchange.anna.user, exchange.anna.secret, exchange.address(), "udp", ("PCMU",), hertz=440)


def talk(caller, app):
    app.do("answer")
    caller.wait_established()
    app.wait_established()
    tone.assert_tone(app.wait_heard(2.5), 440, baresip.TONE_DBFS)
    tone.assert_tone(caller.wait_heard(2.5), APP_HERTZ, -9.0)


def test_show_2_c3_the_app_is_woken_comes_and_talks(directory, sites, app):
    """S4.15, S4.24, R29: the exchange that asks for it is gone to, and the waiting INVITE comes by that very connection."""
    north, _ = sites
    with desk(north).start() as caller:
        caller.wait_registered()
        caller.dial("2043")
        app.wait_event("woken")
        app.wait_registered()
        app.wait_incoming()
        caller.wait_ringing()
        talk(caller, app)
        app.do("hang_up")
        caller.wait_closed()
        app.wait_left()
    last = north.wait_calls(1)[-1]
    facts = north.run("explain", "call", last["session_id"]).stdout
    assert "C3" in facts and f"{app.device} came from" in facts, facts


def test_s4_24_a_caller_who_gives_up_is_gone_at_the_app_and_it_leaves(sites, app):
    north, _ = sites
    with desk(north).start() as caller:
        caller.wait_registered()
        caller.dial("2043")
        app.wait_incoming()
        caller.wait_ringing()
        caller.hangup()
        app.wait_event("ended")
        app.wait_left()


def test_r29_182_while_it_is_woken_and_180_when_it_rings(sites, app):
    north, _ = sites
    with desk(north).start() as caller:
        caller.wait_registered()
        before = len(north.calls())
        caller.dial("2043")
        app.wait_incoming()
        app.do("reject")
        caller.wait_closed()
        app.wait_left()
    last = north.wait_calls(before + 1)[-1]
    ladder = north.run("ladder", last["session_id"]).stdout
    assert 0 < ladder.index("182 Queued") < ladder.index("180 Ringing"), ladder


def test_s4_13_the_home_of_a_person_wakes_their_app_by_itself(sites, app):
    """South is Cleo's home: a call within it is for her app, too."""
    _, south = sites
    device = south.add_account("dora", "2044", "desk-d")
    with Baresip(device.user, device.secret, south.address(), "udp", ("PCMU",), hertz=440).start() as caller:
        caller.wait_registered()
        caller.dial("2043")
        app.wait_incoming()
        talk(caller, app)
        caller.hangup()
        app.wait_left()


def test_an_app_that_talks_declines_and_the_caller_hears_busy(directory, sites, app):
    north, south = sites
    other = south.add_account("emil", "2045", "desk-e")
    with desk(north).start() as caller, \
            Baresip(other.user, other.secret, south.address(), "udp", ("PCMU",), hertz=440).start() as second:
        caller.wait_registered()
        second.wait_registered()
        caller.dial("2043")
        app.wait_incoming()
        talk(caller, app)
        began = time.monotonic()
        second.dial("2043")
        second.wait_closed()
        assert time.monotonic() - began < 5, "it is told, and waits for nothing"
        assert app.saw("declined"), app.tail()
        caller.hangup()
        app.wait_left()


@pytest.fixture(scope="module")
def sleeper(directory, sites, broker):
    """Fred, 2046, whose app sleeps."""
    _, south = sites
    south.add_account("fred", "2046")
    for exchange in sites:
        copy = exchange.data / "membership" / "directory.copy"
        until(lambda: "2046" in told(copy), 10, "the exchanges know 2046", exchange.tail)
    with App(directory.invite_app("fred"), "fred", APP_HERTZ,
             extra=("--wake-by", f"mqtt://{LOOPBACK}:{broker.port}")).start() as started:
        started.wait_connected()
        started.wait_asleep()
        until(lambda: f"{started.device} 0 ringdown" in broker.log() or f"ringdown/wake/{started.device}" in broker.log(),
              10, "it listens", broker.tail)
        yield started


def test_show_2_c3_by_mqtt_an_app_that_sleeps_is_woken_and_talks(sites, sleeper):
    north, _ = sites
    with desk(north).start() as caller:
        caller.wait_registered()
        caller.dial("2046")
        sleeper.wait_event("woken")
        sleeper.wait_incoming()
        caller.wait_ringing()
        talk(caller, sleeper)
        caller.hangup()
        sleeper.wait_left()


def enrolled(directory, link, folder):
    """An app in Python: enrols with a key of its own, and keeps what `Guest` needs. Returns its connection and its name."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = push.point(key.public_key()).hex()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = connect(f"wss://{directory.apps}/app", ssl=context)
    challenge = json.loads(connection.recv())["challenge"]
    signature = key.sign(f"ringdown app {challenge} {public}".encode(), ec.ECDSA(hashes.SHA256())).hex()
    invitation = link.split("/")[3].split("#")[0]
    connection.send(json.dumps({"enrol": {"key": invitation, "public_key": public, "signature": signature}}))
    told = json.loads(connection.recv())["enrolled"]
    (folder / "certificate.pem").write_text(told["certificate"])
    (folder / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return connection, told, json.loads(connection.recv())["welcome"]


def test_show_2_c3_by_web_push_what_the_service_carries_lets_the_app_in_and_it_is_rung(directory, sites, service, tmp_path):
    """RFC 8030, 8291, 8292: the service sees who sends and nothing of it; by what was in it, the app comes and is rung."""
    north, south = sites
    south.add_account("gina", "2047")
    until(lambda: "2047" in told(north.data / "membership" / "directory.copy"), 10, "north knows 2047", north.tail)
    connection, known, welcome = enrolled(directory, directory.invite_app("gina"), tmp_path)
    browser = push.App(service)
    keys = browser.subscription["keys"]
    way = {"provider": "webpush", "prid": browser.subscription["endpoint"], "param": f"{keys['p256dh']}.{keys['auth']}"}
    connection.send(json.dumps({"ways": [{**way, "prid": "http://x/"}]}))
    assert "https alone" in json.loads(connection.recv())["error"]
    connection.send(json.dumps({"ways": [way]}))
    assert json.loads(connection.recv()) == {"ways": 1}
    connection.close()
    with desk(north).start() as caller:
        caller.wait_registered()
        time.sleep(0.5)
        caller.dial("2047")
        (one,) = until(lambda: service.for_app(browser), 10, "a push", directory.tail)
        claims = push.prove(one, service.origin, welcome["web_push"])
        assert claims["sub"] == "mailto:pbx@example.com" and int(one.headers["ttl"]) <= 30
        message = browser.text(one.body)
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(known["directory"]))
        signed, signature = message.rsplit(".", 1)
        public.verify(push.read(signature), signed.encode())
        notice = json.loads(push.read(message.split(".")[1]))["wake"]
        assert notice["callee"] == "2047" and notice["address"] == north.ready["exchanges"].removeprefix("tls:")
        guest = Guest(north, tmp_path, "2047")
        shown = hashlib.sha256(guest.stream.getpeercert(binary_form=True)).digest()
        assert push.read(notice["fingerprint"]) == shown
        proof = notice["ticket"]
        answer = guest.prove(proof["id"], proof["token"], proof["secret"], notice["session"])
        assert answer.startswith("SIP/2.0 200"), answer
        more = answer.split("\r\n\r\n", 1)[1] or guest.stream.recv(4096).decode()
        assert more.startswith("INVITE sip:2047@127.0.0.1:9"), more
        caller.hangup()


# ---- C1: an app calls


def test_show_2_c1_accepted_an_app_calls_a_desk_phone(sites, app):
    """S4.16 to S4.22: north is asked first, and the app goes straight there with north's own key."""
    north, _ = sites
    with desk(north).start() as callee:
        callee.wait_registered()
        app.dial("2041")
        app.wait_event("designated", exchange="north")
        callee.wait_incoming()
        app.wait_event("ringing", status=180)
        callee.answer()
        app.wait_established()
        callee.wait_established()
        tone.assert_tone(callee.wait_heard(2.5), APP_HERTZ, -9.0)
        tone.assert_tone(app.wait_heard(2.5), 440, baresip.TONE_DBFS)
        app.do("hang_up")
        callee.wait_closed()
        app.wait_left()


def test_show_2_c1_refused_tells_why_and_never_an_address(sites, app):
    north, _ = sites
    began = len(app.told())
    app.dial("2041")
    refused = app.wait_event("not_called")
    assert refused["why"] == "no device of theirs can be reached", refused
    app.dial("2999")
    assert app.wait_event("not_called")["why"] == "nobody has this number"
    said = json.dumps(app.told()[began:])
    assert LOOPBACK not in said and "designated" not in said, said


def test_show_2_c1_queued_behind_two_others_in_order(directory, sites):
    """R8, S4.18: 182 with the place; when the device frees, the next one rings."""
    north, _ = sites
    apps = [App(directory.invite_app("cleo"), f"app-{place}", 600 + 50 * place) for place in range(4)]
    with desk(north).start() as callee:
        callee.wait_registered()
        try:
            for one in apps:
                one.start()
                one.wait_connected()
            apps[0].dial("2041")
            callee.wait_incoming()
            callee.answer()
            apps[0].wait_established()
            for place, one in enumerate(apps[1:], 1):
                one.dial("2041")
                one.wait_event("ringing", status=182, place=place)
            for before, one in zip(apps, apps[1:]):
                before.do("hang_up")
                callee.wait_closed()
                one.wait_event("ringing", status=180)
                for place, behind in enumerate(apps[apps.index(one) + 1:], 1):
                    behind.wait_event("ringing", status=182, place=place)
                    assert not [event for event in behind.saw("ringing") if event["status"] == 180]
                callee.wait_incoming()
                callee.answer()
                one.wait_established()
            apps[-1].do("hang_up")
            callee.wait_closed()
        finally:
            for one in apps:
                one.stop()


def test_s2_c1_whoever_asks_by_an_app_is_called_when_they_are_free(sites, app):
    """"Call me when free" (C13): nobody waits; Cleo's own exchange keeps calling Anna at north, and wakes the app when she is there."""
    north, south = sites
    bert = north.add_account("bert", "2049", "desk-bert")
    with desk(north).start() as callee, Softphone(bert.user, bert.secret, north.address()).start() as other:
        callee.wait_registered()
        other.wait_registered()
        other.dial("2041")
        callee.wait_incoming()
        callee.answer()
        callee.wait_established()
        app.dial("2041")
        app.wait_event("ringing", status=182, place=1)
        app.do("keep_calling", yes=True)
        why = app.wait_event("not_when_free")["why"]
        assert "background" in why, why
        south.run("account", "set", "cleo", "--rights", "background")
        app.do("keep_calling", yes=True)
        app.wait_event("when_free", number="2041")
        app.wait_left()
        (task,) = [line for line in south.run("task", "list").stdout.splitlines() if "2041" in line]
        assert "cleo" in task, task
        other.do("hang_up")
        callee.wait_closed()
        callee.wait_incoming(20)
        callee.answer()
        callee.wait_established()
        app.wait_event("woken")
        assert app.wait_incoming()["number"] == "2041", "it shows whom it is about"
        app.do("answer")
        app.wait_established()
        tone.assert_tone(app.wait_heard(2.5), 440, baresip.TONE_DBFS)
        tone.assert_tone(callee.wait_heard(2.5), APP_HERTZ, -9.0)
        app.do("hang_up")
        callee.wait_closed()
        app.wait_left()
        until(lambda: "2041" not in south.run("task", "list").stdout, 5, "it is done", south.tail)


# ---- who is let in


def b64(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def sealed(directory, kind, payload):
    """As the directory signs."""
    seed = bytes.fromhex((directory.data / "directory" / "signing-key").read_text().strip())
    text = ".".join(b64(json.dumps(part, separators=(",", ":")).encode()) for part in ({"alg": "EdDSA", "typ": kind}, payload))
    return f"{text}.{b64(Ed25519PrivateKey.from_private_bytes(seed).sign(text.encode()))}"


def thumbprint(state):
    pem = (state / "certificate.pem").read_text()
    return b64(hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest())


def ticket(directory, app, session, late=0):
    """A ticket to north for a call to 2043 by this app, as the directory issues them, and its secret."""
    now, jti = int(time.time() * 1000) - late, os.urandom(16)
    claims = {"iss": "directory", "aud": "north", "jti": jti.hex(), "iat": now, "exp": now + 30_000, "orig": "desk-a",
              "dest": "2043", "sid": session, "cnf": {"x5t#S256": thumbprint(app.state)}}
    kept = json.loads((directory.data / "directory" / "exchanges" / f"{'north'.encode().hex()}.json").read_text())
    secret = b64(hmac.new(bytes.fromhex(kept["ticket_key"]), jti, hashlib.sha256).digest())
    return jti.hex(), sealed(directory, "ringdown-ticket+jwt", claims), secret


class Guest:
    """Somebody who comes to the door for members with an app's certificate, and registers there."""

    def __init__(self, exchange, state, number="2043"):
        self.number = number
        host, port = exchange.ready["exchanges"].removeprefix("tls:").rsplit(":", 1)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(state / "certificate.pem", state / "key.pem")
        self.stream = context.wrap_socket(socket.create_connection((host, int(port)), timeout=5))
        self.count = 0

    def register(self, token, session, extra=""):
        self.count += 1
        number = self.number
        self.stream.sendall((
            f"REGISTER sip:north SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK{os.urandom(8).hex()};rport\r\n"
            f"From: <sip:{number}@north>;tag=1\r\nTo: <sip:{number}@north>\r\nCall-ID: {session}\r\n"
            f"CSeq: {self.count} REGISTER\r\nMax-Forwards: 70\r\nContact: <sip:{number}@127.0.0.1:9;transport=tls>\r\n"
            f"Ringdown-Ticket: {token}\r\nSession-ID: {session};remote={'0' * 32}\r\n{extra}"
            "Content-Length: 0\r\n\r\n").encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = self.stream.recv(4096)
            assert piece, answer
            answer += piece
        return answer.decode()

    def prove(self, user, token, secret, session):
        challenge = self.register(token, session)
        if " 401 " not in challenge.splitlines()[0]:
            return challenge
        line = next(one for one in challenge.splitlines() if one.lower().startswith("www-authenticate"))
        value = digest.answer(line.split(":", 1)[1].strip(), "REGISTER", "sip:north", user, secret)
        return self.register(token, session, f"Authorization: {value}\r\n")


def test_show_3_tickets_of_apps_replayed_altered_late_and_with_another_key(directory, sites, app, sleeper):
    north, _ = sites
    session = os.urandom(16).hex()
    user, token, secret = ticket(directory, app, session)
    guest = Guest(north, app.state)
    # All of it is right, and nobody waits; so it is used up.
    answer = guest.prove(user, token, secret, session)
    assert " 480 " in answer and "nobody waits" in answer, answer
    assert "it was used before" in Guest(north, app.state).prove(user, token, secret, session)
    user, token, secret = ticket(directory, app, session)
    assert "somebody else's" in Guest(north, sleeper.state).prove(user, token, secret, session)
    assert "another call" in guest.prove(user, token, secret, os.urandom(16).hex())
    head, payload, signature = token.split(".")
    altered = f"{head}.{b64(base64.urlsafe_b64decode(payload + '=' * (-len(payload) % 4)).replace(b'2043', b'2041'))}.{signature}"
    assert "signature" in guest.register(altered, session)
    assert "digest is not" in guest.prove(user, token, "guessed", session)
    user, token, secret = ticket(directory, app, session, late=40_000)
    assert "expired" in guest.prove(user, token, secret, session)
    assert "is no ticket" in guest.register("nothing", session)


def test_s4_25_an_app_refuses_an_exchange_that_proves_to_be_another(directory, sites, sleeper, broker):
    """What wakes it names north's address, and a certificate that north has not; what others sign is not even looked at."""
    north, _ = sites
    session = os.urandom(16).hex()
    user, token, secret = ticket(directory, sleeper, session)
    address = north.ready["exchanges"].removeprefix("tls:")
    notice = {"address": address, "fingerprint": b64(bytes(32)), "ticket": {"id": user, "token": token, "secret": secret},
              "callee": "2046", "session": session, "expires": int(time.time() * 1000) + 30_000}
    message = sealed(directory, "ringdown-push+jwt", {"wake": notice})
    topic = f"ringdown/wake/{sleeper.device}"
    woken = len(sleeper.saw("woken"))
    publish.single(topic, message[:-4] + "AAAA", hostname=LOOPBACK, port=broker.port)
    time.sleep(1)
    assert len(sleeper.saw("woken")) == woken
    publish.single(topic, message, hostname=LOOPBACK, port=broker.port)
    sleeper.wait_event("woken")
    sleeper.wait_event("declined")
    sleeper.wait_left()
    assert not [event for event in sleeper.told()[-4:] if event["event"] in ("registered", "incoming")]


def test_a_link_of_an_app_works_once_and_the_directory_says_what_is_wrong(directory, app, tmp_path):
    again = directory.run("phone", "--app", app.link, "--state", tmp_path / "state", ok=False)
    assert again.returncode != 0 and "was used" in again.stderr, again.stderr
    # Whoever proves nothing is told so.
    host, port = directory.apps.rsplit(":", 1)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with connect(f"wss://{host}:{port}/app", ssl=context) as stranger:
        assert len(json.loads(stranger.recv())["challenge"]) == 64
        stranger.send(json.dumps({"prove": {"device": app.device, "signature": "00"}}))
        assert "has not signed" in json.loads(stranger.recv())["error"]
    with connect(f"wss://{host}:{port}/app", ssl=context) as stranger:
        stranger.recv()
        stranger.send("nonsense")
        assert "makes no sense" in json.loads(stranger.recv())["error"]


def test_the_apps_of_somebody_who_left_are_none_any_more_even_if_another_gets_the_name(directory, sites):
    """An account that its home removes, also while it is not connected to the directory, takes its apps with it (S4.25)."""
    south = sites[1]
    apps = lambda: directory.run("directory", "apps", *directory.config).stdout
    for away in (False, True):
        south.add_account("petra", "2144")
        until(lambda: "2144" in told(south.data / "membership" / "directory.copy"), 10, "petra can be called", south.tail)
        with App(directory.invite_app("petra"), "petra").start() as app:
            app.wait_connected()
            device = app.device
            assert device in apps()
            south.run("number", "remove", "2144")
            until(lambda: "2144" not in told(south.data / "membership" / "directory.copy"), 10, "nobody can call her", south.tail)
            assert device in apps(), "she may get another number"
            if away:
                directory.stop()
            south.run("account", "remove", "petra")
            if away:
                directory.start()
            until(lambda: device not in apps(), 20, "the app is none any more", directory.tail)
            app.wait_event("directory", connected=False)
        south.add_account("petra", "2144")
        assert device not in apps()
        south.run("number", "remove", "2144")
        south.run("account", "remove", "petra")

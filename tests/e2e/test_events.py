"""Live calls, events and captures (issue B): a real call, heard by programs and pages, each by its own right."""
import base64
import http.client
import json
import os
import socket
import subprocess
import threading
import time

import pytest

from peers import sdp
from peers.api import administrator
from peers.waiting import until

PASSWORD = "a password of the tests"


class Stream(threading.Thread):
    """A reader of `GET /api/v1/events`; keeps what it heard."""

    def __init__(self, exchange, token, last=None):
        super().__init__(daemon=True)
        host, port = exchange.host_port("http")
        self.connection = http.client.HTTPConnection(host, port, timeout=60)
        headers = {"Authorization": f"Bearer {token}"}
        if last:
            headers["Last-Event-ID"] = last
        self.connection.request("GET", "/api/v1/events", headers=headers)
        self.response = self.connection.getresponse()
        self.events, self.last, self.over = [], None, False
        if self.response.status == 200:
            self.start()
            self.wait("ready")

    def run(self):
        try:
            while line := self.response.readline():
                line = line.decode().rstrip("\n")
                if line.startswith("id: "):
                    self.last = line[4:]
                elif line.startswith("data: "):
                    self.events.append(json.loads(line[6:]))
        except (OSError, ValueError, AttributeError):
            pass
        self.over = True

    def of(self, kind):
        return [one for one in list(self.events) if one["type"] == kind]

    def wait(self, kind, count=1, seconds=10):
        return until(lambda: self.of(kind) if len(self.of(kind)) >= count else None, seconds,
                     f"{count} events {kind}", lambda: str(self.events)[-2000:], every=0.05)

    def close(self):
        if self.response.fp:
            self.connection.sock and self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.connection.close()


class Socket:
    """A reader of `GET /api/v1/events/socket`, by hand (RFC 6455)."""

    def __init__(self, exchange, headers, path="/api/v1/events/socket"):
        host, port = exchange.host_port("http")
        self.socket = socket.create_connection((host, port), timeout=20)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", *headers]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        while self.file.readline().strip():
            pass

    def next(self):
        """The next event; `None` when the stream ends."""
        while True:
            head = self.file.read(2)
            if len(head) < 2:
                return None
            kind, length = head[0] & 15, head[1] & 127
            if length > 125:
                length = int.from_bytes(self.file.read(2 if length == 126 else 8), "big")
            body = self.file.read(length)
            if kind == 1:
                return json.loads(body)
            if kind == 8:
                return None

    def until(self, kind):
        while (event := self.next()) is not None:
            if event["type"] == kind:
                return event
        return None


@pytest.fixture(scope="module")
def admin(exchange):
    client = administrator(exchange)
    client.post("/session/password", {"new": PASSWORD}).must(204)
    return client


@pytest.fixture(scope="module")
def program(admin):
    """May hear everything."""
    scopes = ["events:read", "calls:read", "calls:write", "people:read", "records:read", "settings:read"]
    return admin.program(scopes)


class Pair:
    """Two raw phones in a call."""

    def __init__(self, office, hidden=False):
        self.one, self.two = office.person(), office.person()
        self.caller, self.callee = office.raw(self.one), office.raw(self.two)
        self.hidden = hidden

    def __enter__(self):
        self.caller.__enter__()
        self.callee.__enter__()
        self.caller.register()
        self.callee.register()
        headers = [("Privacy", "id")] if self.hidden else []
        self.out = self.caller.invite(self.two.number, sdp.describe(40000), headers=headers)
        self.ringing = self.callee.wait_invite()
        return self

    def answer(self):
        self.ringing.answer(sdp.describe(40002))
        self.out.wait_answer()

    def __exit__(self, *nothing):
        self.caller.__exit__(None, None, None)
        self.callee.__exit__(None, None, None)


def test_b_a_call_is_heard_step_by_step_and_ended_over_the_api(exchange, office, admin, program):
    """call.started, call.changed, call.ended with who ended it, record.added; the list says the same meanwhile."""
    stream = Stream(exchange, program.token)
    with Pair(office) as pair:
        started = stream.wait("call.started")[-1]
        assert started["data"]["state"] == "ringing" and started["data"]["caller"]["number"] == pair.one.number
        assert started["data"]["caller"]["device"] == pair.one.user and started["subject"] == started["data"]["id"]
        pair.answer()
        until(lambda: stream.of("call.changed") and stream.of("call.changed")[-1]["data"]["state"] == "talking", 5,
              "the call is told to be talking", lambda: str(stream.events))
        listed = admin.get("/calls").must(200).json["items"]
        mine = next(one for one in listed if one["id"] == started["subject"])
        assert mine == stream.of("call.changed")[-1]["data"] and mine["callee"]["device"] == pair.two.user
        assert admin.get(f"/calls/{mine['id']}").must(200).json == mine
        program.ask("DELETE", f"/calls/{mine['id']}").must(204)
        pair.callee.take(lambda one: one.is_request and one.method == "BYE", 5, "BYE")
        ended = stream.wait("call.ended")[-1]["data"]
        assert (ended["cause"], ended["blame"]) == ("ended by an operator", "operator") and ended["detail"], ended
        record = stream.wait("record.added")[-1]["data"]
        assert record["session_id"] == mine["id"].split("-")[0] and record["detail"] == ended["detail"]
        program.ask("DELETE", f"/calls/{mine['id']}").must(404)
    stream.close()


def test_sec_11_an_agent_hears_only_of_itself_and_a_token_only_of_its_scopes(exchange, office, admin):
    """The same call, heard by a program without calls:read, and by the pages of one who is in it and one who is not."""
    deaf = Stream(exchange, admin.program(["events:read", "people:read"]).token)
    with Pair(office) as pair:
        insider, outsider = pair.one.number, office.person().number
        readers = {}
        for number in (insider, outsider):
            exchange.run("account", "set", f"person-{number}", "--password", PASSWORD)
            client = admin.stranger().sign_in(f"person-{number}", PASSWORD)
            readers[number] = Socket(exchange, [f"Cookie: {client.cookie}"])
            assert readers[number].status == 101 and readers[number].until("ready")
        pair.answer()
        changed = readers[insider].until("call.changed")
        assert changed["data"]["state"] == "talking" and changed["data"]["callee"]["number"] == pair.two.number
        exchange.run("account", "set", f"person-{outsider}", "--display", "Somebody")
        heard = readers[outsider].next()
        assert heard["type"] == "person.changed" and heard["subject"] == f"person-{outsider}", "and nothing of the call"
        deaf.wait("person.changed")
        assert not deaf.of("call.changed") and not deaf.of("status.changed")
    deaf.close()


def test_sec_11_a_stream_ends_with_its_session_and_with_its_token(exchange, office, admin):
    """Revoked means silent within a second, on both kinds of stream."""
    number = office.person().number
    exchange.run("account", "set", f"person-{number}", "--password", PASSWORD)
    client = admin.stranger().sign_in(f"person-{number}", PASSWORD)
    page = Socket(exchange, [f"Cookie: {client.cookie}"])
    assert page.until("ready")
    made = admin.post("/tokens", {"name": "gone", "scopes": ["events:read"]}).must(201).json
    stream = Stream(exchange, made["secret"])
    began = time.monotonic()
    client.ask("DELETE", "/session").must(204)
    while page.next() is not None:
        pass
    assert time.monotonic() - began < 1.5
    admin.ask("DELETE", f"/tokens/{made['id']}", headers={"If-Match": "*"}).must(204)
    # A token's end is seen with the next event, or with the next sign of life.
    exchange.run("account", "set", f"person-{number}", "--display", "Anybody")
    until(lambda: stream.over, 3, "the token's stream ends", lambda: str(stream.events))
    other = Socket(exchange, [f"Cookie: {admin.cookie}", "Origin: http://evil.example"])
    assert other.status == 403, "a page of another origin hears nothing"
    assert Socket(exchange, []).status == 401


def test_b_a_reader_goes_on_where_it_was_and_hears_what_it_missed(exchange, office, admin, program):
    """Last-Event-ID: the events since then, each once; of another life of the exchange: missed."""
    number = office.person().number
    stream = Stream(exchange, program.token)
    exchange.run("account", "set", f"person-{number}", "--display", "First")
    stream.wait("person.changed")
    last = stream.events[-1]["id"]
    stream.close()
    for name in ("Second", "Third"):
        exchange.run("account", "set", f"person-{number}", "--display", name)
    again = Stream(exchange, program.token, last)
    told = again.wait("person.changed", 2)
    assert [one["data"]["display"] for one in told] == ["Second", "Third"] and not again.of("missed")
    again.close()
    lost = Stream(exchange, program.token, "123456-7")
    assert lost.wait("missed")[0]["data"] == {"count": None}
    lost.close()


def test_b_readers_are_bounded(exchange, admin):
    """A session or token hears in 16 places at most, and one who reads nothing slows nobody."""
    made = admin.post("/tokens", {"name": "many", "scopes": ["events:read", "people:read"]}).must(201).json
    streams = [Stream(exchange, made["secret"]) for _ in range(16)]
    assert all(one.response.status == 200 for one in streams)
    assert Stream(exchange, made["secret"]).response.status == 429
    for one in streams:
        one.close()

    def again():
        one = Stream(exchange, made["secret"])
        one.close()
        return one.response.status == 200

    until(again, 20, "places are given back", lambda: "", every=0.5)


def tshark(file, *fields):
    command = ["tshark", "-r", str(file), "-T", "fields", "-Y", "sip"]
    for field in fields:
        command += ["-e", field]
    out = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    return [line.split("\t") for line in out.splitlines()]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_b_a_capture_opens_in_wireshark_and_sngrep_and_keeps_secrets(exchange, office, admin, program, tmp_path, transport):
    """Both legs with their methods and addresses; headers only; bodies for an administrator, who leaves a fact (R32)."""
    one, two = office.person(), office.person()
    with office.raw(two) as phone, office.raw(one, transport) as caller:
        phone.register()
        call = caller.invite(two.number, sdp.describe(40000))
        phone.wait_invite().refuse(486)
        assert call.wait_final().status == 486
        session = office.record(one.number, two.number)["session_id"]
        until(lambda: program.get(f"/calls/{session}/capture").must(200).body.count(b"ACK sip:") >= 3, 5, "the last ACK")
        taken = program.get(f"/calls/{session}/capture").must(200)
        assert taken.headers["content-type"] == "application/vnd.tcpdump.pcap"
        file = tmp_path / "call.pcap"
        file.write_bytes(taken.body)
        rows = tshark(file, "sip.Method", "sip.Status-Code", "ip.src", f"{transport}.dstport", "sdp.version")
        methods = [row[0] for row in rows if row[0]]
        assert methods.count("INVITE") >= 2 and methods.count("ACK") >= 2, rows
        assert [row[1] for row in rows].count("486") == 2, rows
        assert all(row[2] == "127.0.0.1" for row in rows) and not any(row[4] for row in rows), rows
        port = exchange.host_port(transport)[1]
        assert any(row[3] == str(port) for row in rows), "our own port, on the caller's transport"
        assert b"response=" not in taken.body and b"Authorization: (left out)" in taken.body
        whole = admin.get(f"/calls/{session}/capture?bodies=1").must(200)
        assert b"m=audio" in whole.body and b"response=" not in whole.body
        # A fact is stored a moment later.
        until(lambda: "capture.bodies" in admin.get(f"/facts/call/{session}").must(200).body.decode(), 5,
              "the fact that somebody took the bodies")
        by_command = tmp_path / "command.pcap"
        exchange.run("ladder", session, "--pcap", by_command)
        assert by_command.read_bytes() == taken.body
        ladder = admin.get(f"/calls/{session}/ladder").must(200).json
        assert sum(rung["text"].startswith("INVITE ") for rung in ladder) >= 2
    dialogs = subprocess.run(["sngrep", "-I", str(file), "-N", "-q", "-O", str(tmp_path / "again.pcap")],
                             capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert dialogs.returncode == 0, dialogs.stderr
    again = tshark(tmp_path / "again.pcap", "sip.Method")
    assert [row[0] for row in again].count("INVITE") >= 2, "sngrep found the dialogs and wrote them"
    admin.get("/calls/" + "0" * 32 + "/capture").must(404)


def test_r32_a_hidden_caller_is_shown_to_nobody(exchange, office, admin, program):
    """Privacy: id on the phone that rings, in the list, the events and the record; not in the ladder."""
    stream = Stream(exchange, program.token)
    with Pair(office, hidden=True) as pair:
        invite = pair.ringing.invite
        assert "anonymous@anonymous.invalid" in invite.get("from") and pair.one.number not in invite.get("from")
        call = stream.wait("call.started")[-1]["data"]
        shown = {"number": "anonymous", "name": "Anonymous", "account": None, "device": None, "heard": None}
        assert call["caller"] == shown
        session = call["id"].split("-")[0]
        pair.ringing.refuse(486)
        record = stream.wait("record.added")[-1]["data"]
        assert record["caller"] == "anonymous" and record["session_id"] == session
        texts = [rung["text"] for rung in admin.get(f"/calls/{session}/ladder").must(200).json]
        assert any(pair.one.user in text for text in texts), "the trace tells"
    stream.close()

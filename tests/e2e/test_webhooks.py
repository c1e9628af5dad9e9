"""Webhooks (issue B): a real exchange tells a real receiver of real calls: signed, in order, until it has arrived."""
import signal
import time

import pytest

from e2e.conftest import Office
from peers import sdp
from peers.api import administrator
from peers.certificate import own_certificate
from peers.dns import NameServer, address
from peers.exchange import Exchange
from peers.ports import LOOPBACK
from peers.receiver import Receiver, signed
from peers.waiting import until

CALL = ["call.started", "call.changed", "call.ended", "record.added"]
NAMES = {"inside.test": [address(LOOPBACK)], "metadata.test": [address("169.254.169.254")], "private.test": [address("10.0.0.1")]}


@pytest.fixture(scope="module")
def names():
    with NameServer(NAMES) as server:
        yield server


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of the receiver's own, and its key."""
    return own_certificate(tmp_path_factory.mktemp("receiver"), "receiver")


def extra(names, certificate, allow=f'allow = "{LOOPBACK}/32"\n'):
    return f'\n[webhooks]\n{allow}authorities = "{certificate[0]}"\n[dns]\nservers = "{names.address}"\n'


@pytest.fixture(scope="module")
def exchange(names, certificate):
    with Exchange(media_span=400, config_extra=extra(names, certificate)) as running:
        yield running.start()


@pytest.fixture(scope="module")
def admin(exchange):
    client = administrator(exchange)
    client.post("/session/password", {"new": "a password of the tests"}).must(204)
    return client


def hook(admin, url, types=CALL, **more):
    return admin.post("/webhooks", {"url": url, "types": types, **more}).must(201).json


def call(office, answer=True):
    """A call between two phones, from its ring to its end; returns its callee's number."""
    one, two = office.person(), office.person()
    with office.raw(one) as caller, office.raw(two) as phone:
        phone.register()
        out = caller.invite(two.number, sdp.describe(40000))
        branch = phone.wait_invite()
        if answer:
            branch.answer(sdp.describe(40002))
            out.wait_answer()
            assert out.bye().status == 200
            branch.wait_bye()
        else:
            branch.refuse(486)
            assert out.wait_final().status == 486
    return two.number


def figure(exchange, admin, name):
    text = admin.send("GET", "/metrics").must(200).body.decode()
    return float(next(line for line in text.splitlines() if line.startswith(name)).split()[-1])


def test_b_a_call_is_told_in_order_signed_and_as_cloud_events(exchange, office, admin, certificate):
    """By https: each message with the signature of its time and body, and the record after the end of its call."""
    with Receiver(certificate) as receiver:
        made = hook(admin, receiver.url)
        assert made["secret"].startswith("rdwh_") and len(made["secret"]) > 60
        number = call(office)
        receiver.wait("record.added", tail=exchange.tail)
        types = [one.type for one in receiver.messages]
        assert types[0] == "call.started" and types[-2:] == ["call.ended", "record.added"] and "call.changed" in types, types
        ids = [one.event["id"] for one in receiver.messages]
        assert len(set(ids)) == len(ids)
        for message in receiver.messages:
            assert message.headers["content-type"].startswith("application/cloudevents+json")
            assert signed(made["secret"], message.headers["ringdown-signature"], message.body)
            assert not signed("rdwh_other", message.headers["ringdown-signature"], message.body)
            assert not signed(made["secret"], message.headers["ringdown-signature"], message.body + b" ")
            assert not signed(made["secret"], message.headers["ringdown-signature"], message.body, time.time() + 301)
            event = message.event
            assert event["specversion"] == "1.0" and event["source"].startswith("sip:") and event["time"].endswith("Z")
            assert event["datacontenttype"] == "application/json" and event["subject"]
        record = receiver.messages[-1].event["data"]
        assert record["callee"] == number and record["cause"] == "caller hung up"
        listed = admin.get("/records?limit=1").must(200).json["items"][0]
        assert record == listed, "the record as GET /records has it"
        shown = admin.get(f"/webhooks/{made['id']}").must(200)
        assert "secret" not in shown.json and made["secret"].encode() not in admin.get("/webhooks").must(200).body
        until(lambda: admin.get(f"/webhooks/{made['id']}").json["queued"] == 0, 5, "nothing waits")
        state = admin.get(f"/webhooks/{made['id']}").json
        assert (state["failures"], state["last_error"], state["dead_letters"]) == (0, None, 0) and state["delivered"]
        # Another type, then none at all, then gone.
        path = f"/webhooks/{made['id']}"
        put = {"url": receiver.url, "types": ["record.added", "person.changed", "record.added"]}
        admin.ask("PUT", path, put).must(428)
        assert admin.ask("PUT", path, put, {"If-Match": shown.etag}).must(200).json["types"] == ["record.added", "person.changed"]
        admin.ask("PUT", path, put, {"If-Match": shown.etag}).must(412)
        before = len(receiver.messages)
        call(office)
        receiver.wait("record.added", 2, tail=exchange.tail)
        assert {one.type for one in receiver.messages[before:]} == {"record.added", "person.changed"}
        admin.edit("PUT", path, {**put, "enabled": False}).must(200)
        call(office)
        admin.edit("PUT", path, {**put, "enabled": True}).must(200)
        number = call(office)
        last = receiver.wait("record.added", 3, tail=exchange.tail)[-1]
        assert last.event["data"]["callee"] == number, "of what happened while it was off it is told nothing"
        assert admin.edit("DELETE", path).must(204) and admin.get(path).must(404)


def test_b_what_failed_is_tried_again_in_order_and_retry_after_is_heard(exchange, office, admin):
    """The receiver is down, then says when to come again, then takes everything; nobody overtakes."""
    with Receiver() as receiver:
        made = hook(admin, receiver.url, ["call.ended", "record.added"])
        path = f"/webhooks/{made['id']}"
        receiver.down()
        call(office)
        until(lambda: admin.get(path).json["failures"] >= 1 and admin.get(path).json["queued"] == 2, 5, "it failed", exchange.tail)
        state = admin.get(path).json
        assert "no connection" in state["last_error"], state
        receiver.answer = lambda message: (503, {"Retry-After": "2"}) if len(receiver.messages) == 1 else (200, {})
        receiver.up()
        receiver.wait("record.added", tail=exchange.tail)
        assert [one.type for one in receiver.messages] == ["call.ended", "call.ended", "record.added"]
        first, second, _ = receiver.messages
        assert first.body == second.body, "the same event"
        assert second.at - first.at >= 1.9, "Retry-After"
        one, other = (one.headers["ringdown-signature"] for one in (first, second))
        assert one != other and signed(made["secret"], other, second.body), "signed anew"
        until(lambda: admin.get(path).json["queued"] == 0, 5, "nothing waits", exchange.tail)
        assert figure(exchange, admin, 'ringdown_webhook_events_total{outcome="failed"}') >= 2
        assert figure(exchange, admin, 'ringdown_webhook_events_total{outcome="delivered"}') >= 2
        log = exchange.tail()
        assert made["secret"] not in log and "/hook" not in log, "neither the secret nor the whole URL"
        admin.edit("DELETE", path).must(204)


def test_b_410_switches_it_off_and_a_test_tells_what_came_back(exchange, office, admin):
    with Receiver() as receiver:
        made = hook(admin, receiver.url, ["record.added"])
        path = f"/webhooks/{made['id']}"
        tested = admin.post(f"{path}/test").must(200).json
        assert (tested["delivered"], tested["status"], tested["error"]) == (True, 204, None)
        assert receiver.messages[-1].type == "webhook.test"
        assert signed(made["secret"], receiver.messages[-1].headers["ringdown-signature"], receiver.messages[-1].body)
        receiver.answer = lambda message: (302, {"Location": f"http://{LOOPBACK}:{exchange.host_port('http')[1]}/readyz"})
        tested = admin.post(f"{path}/test").must(200).json
        assert (tested["delivered"], tested["status"], tested["answer"]) == (False, 302, "heard"), "no redirect is followed"
        receiver.answer = lambda message: (410, {})
        call(office)
        until(lambda: admin.get(path).json["enabled"] is False, 5, "it is switched off", exchange.tail)
        state = admin.get(path).json
        assert "410" in state["stopped"] and state["queued"] == 1
        receiver.answer = lambda message: (200, {})
        put = {"url": receiver.url, "types": ["record.added"], "enabled": True}
        assert admin.edit("PUT", path, put).must(200).json["stopped"] is None
        receiver.wait("record.added", 2, tail=exchange.tail)
        receiver.down()
        tested = admin.post(f"{path}/test").must(200).json
        assert (tested["delivered"], tested["status"]) == (False, None) and "No connection" in tested["error"]
        admin.edit("DELETE", path).must(204)


@pytest.mark.parametrize("url, words", [
    ("http://inside.test/", "clear = true"),
    ("https://me:secret@inside.test/", "no password"),
    ("https://10.0.0.1/", "private network"),
    ("https://[::ffff:10.0.0.1]/", "private network"),
    ("https://[::1]/", "this machine"),
    ("http://169.254.169.254/latest/meta-data", "link-local"),
    ("gopher://inside.test/", "no URL"),
    ("https://inside.test/#part", "no #"),
])
def test_sec_14_a_url_that_leads_inside_is_refused(admin, url, words):
    refused = admin.post("/webhooks", {"url": url, "types": CALL}).must(422).json
    assert words in refused["detail"] and refused["field"] == "/url", refused


def test_sec_14_a_name_is_judged_by_where_it_leads(exchange, admin, names):
    """What cannot be seen from the name is refused when it is resolved, at each attempt."""
    for name, words in (("metadata.test", "link-local"), ("private.test", "private network"), ("nobody.test", "nobody.test")):
        made = hook(admin, f"https://{name}/", ["record.added"])
        tested = admin.post(f"/webhooks/{made['id']}/test").must(200).json
        assert (tested["delivered"], tested["status"]) == (False, None) and words in tested["error"], tested
        admin.edit("DELETE", f"/webhooks/{made['id']}").must(204)
    for wrong, field in (({"types": []}, "/types"), ({"types": ["status.changed"]}, "/types")):
        refused = admin.post("/webhooks", {"url": "https://inside.test/", **wrong}).must(422).json
        assert refused["field"] == field
    for _ in range(2):
        key = {"Idempotency-Key": "one hook"}
        same = admin.post("/webhooks", {"url": "https://inside.test/", "types": CALL}, key).must(201).json
    assert [one["id"] for one in admin.get("/webhooks").json["items"]] == [same["id"]]
    admin.edit("DELETE", f"/webhooks/{same['id']}").must(204)


def test_r20_what_was_queued_survives_a_kill_and_is_delivered(names, certificate):
    """kill -9 with queued events, and a record that was stored while nobody could tell of it."""
    with Exchange(media_span=400, config_extra=extra(names, certificate)) as own, Receiver() as receiver:
        own.start()
        admin, office = administrator(own), Office(own)
        admin.post("/session/password", {"new": "a password of the tests"}).must(204)
        made = hook(admin, receiver.url, ["call.ended", "record.added"])
        path = f"/webhooks/{made['id']}"
        receiver.down()
        number = call(office)
        until(lambda: admin.get(path).json["queued"] == 2, 5, "both are queued", own.tail)
        # A call that dies with the exchange gets its record at the next start, which is told of, too.
        one, two = office.person(), office.person()
        with office.raw(one) as caller, office.raw(two) as phone:
            phone.register()
            out = caller.invite(two.number, sdp.describe(40000))
            phone.wait_invite().answer(sdp.describe(40002))
            out.wait_answer()
            # Only a call of some seconds is noted while it goes on.
            time.sleep(2.5)
            own.child.send_signal(signal.SIGKILL)
            own.wait_end(5)
        receiver.up()
        own.start()
        receiver.wait("record.added", 2, tail=own.tail)
        assert [one.type for one in receiver.messages] == ["call.ended", "record.added", "record.added"]
        ended, lost = (one.event["data"] for one in receiver.messages[1:])
        assert (ended["callee"], ended["cause"]) == (number, "caller hung up")
        assert (lost["callee"], lost["cause"]) == (two.number, "node lost")
        for message in receiver.messages:
            assert signed(made["secret"], message.headers["ringdown-signature"], message.body), "with the same secret"
        for file in own.data.iterdir():
            if file.is_file():
                assert made["secret"].encode() not in file.read_bytes(), file


def test_b_what_found_no_room_is_a_dead_letter_that_can_be_replayed(exchange, admin):
    """More events than the queue holds while the receiver is down; then one letter again, then all."""
    with Receiver() as receiver:
        made = hook(admin, receiver.url, ["person.changed"])
        path = f"/webhooks/{made['id']}"
        receiver.down()
        rows = [{"account": f"flood{index:04}", "name": f"Flood {index}"} for index in range(1003)]
        parts = [rows[start : start + 256] for start in range(0, len(rows), 256)]
        taken = [admin.post("/people/import", {"rows": part}).must(200).json["taken"] for part in parts]
        assert sum(taken) == 1003
        until(lambda: admin.get(path).json["dead_letters"] >= 3, 10, "dead letters", exchange.tail)
        state = admin.get(path).json
        assert state["queued"] == 1000
        first = admin.get(f"{path}/dead-letters?limit=2").must(200).json
        rest = admin.get(f"{path}/dead-letters?limit=2&after={first['next']}").must(200).json
        letters = first["items"] + rest["items"]
        assert len(letters) == state["dead_letters"] == 3 and {one["reason"] for one in letters} == {"the queue was full"}
        assert all(one["type"] == "person.changed" and one["subject"].startswith("flood") for one in letters)
        one = f"{path}/dead-letters/{letters[0]['id']}/replay"
        assert "full" in admin.post(one).must(409).json["detail"]
        receiver.up()
        receiver.wait("person.changed", 1000, seconds=20, tail=exchange.tail)
        until(lambda: admin.get(path).json["queued"] == 0, 5, "nothing waits", exchange.tail)
        assert admin.post(one).must(200).json == {"replayed": 1}
        admin.post(one).must(404)
        assert receiver.wait("person.changed", 1001)[-1].event["subject"] == letters[0]["subject"]
        assert admin.post(f"{path}/dead-letters/replay").must(200).json == {"replayed": 2}
        told = receiver.wait("person.changed", 1003)
        assert [one.event["subject"] for one in told[-2:]] == [one["subject"] for one in letters[1:]]
        assert len({one.event["id"] for one in told}) == 1003, "each once, under its own id"
        assert admin.get(f"{path}/dead-letters").must(200).json == {"items": [], "next": None}
        assert figure(exchange, admin, 'ringdown_webhook_events_total{outcome="dead"}') >= 3
        admin.edit("DELETE", path).must(204)


def test_the_configuration_is_checked_and_taken_at_a_reload(exchange, admin):
    text = exchange.config.read_text()
    try:
        exchange.config.write_text(text.replace(f'allow = "{LOOPBACK}/32"\n', ""))
        exchange.run("reload")
        assert "this machine" in admin.post("/webhooks", {"url": f"http://{LOOPBACK}/", "types": CALL}).must(422).json["detail"]
        exchange.config.write_text(text.replace(f'"{LOOPBACK}/32"', '"169.254.0.0/16"'))
        assert "no webhook leads there" in exchange.run("reload", ok=False).stderr
        exchange.config.write_text(text.replace(f'"{LOOPBACK}/32"', '"127.0.0.1/8"'))
        assert "10.0.0.0/8" in exchange.run("check", "--config", exchange.config, ok=False).stdout
    finally:
        exchange.config.write_text(text)
        exchange.run("reload")

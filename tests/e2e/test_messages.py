"""E: messages to people who are not at their phones, by carriers over real sockets (S2.6)."""
import contextlib
import sqlite3

import pytest

from e2e.conftest import Office
from peers import sdp
from peers.api import administrator
from peers.exchange import Exchange
from peers.message_provider import MessageProvider
from peers.rtp import RtpEnd
from peers.smsc import Smsc
from peers.waiting import until

MOBILE = "+8613800138000"
HTTP = """
[messages]
order = ["http", "sip"]
attempts = {attempts}

[messages.http]
url = "{url}"
headers = {{Authorization = "Bearer {{secret}}"}}
sender = "Office"
secret_file = "{secret}"
"""

SMPP = """
[messages.smpp]
host = "127.0.0.1"
port = {port}
system_id = "office"
password_file = "{secret}"
source = "Office"
"""


@pytest.fixture
def provider():
    with MessageProvider() as standing_in:
        yield standing_in


@pytest.fixture
def own(provider, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("provider-secret\n")
    with Exchange(config_extra=HTTP.format(url=provider.url, secret=secret, attempts=8), media_span=400) as running:
        yield running.start()


def admin(exchange):
    """Who came by the link, which works once."""
    if not hasattr(exchange, "entered"):
        exchange.entered = administrator(exchange)
    return exchange.entered


def owner(exchange, person):
    """This person may have background calls, reads Chinese, and has a mobile number."""
    account = f"person-{person.number}"
    exchange.run("account", "set", account, "--rights", "background", "--mobile", MOBILE, "--language", "zh-CN")
    return account


def missed(exchange, office):
    """B answers, A does not; returns the task's number when B was told and released."""
    a, b = office.person(), office.person()
    account = owner(exchange, a)
    with office.raw(a) as mine, office.raw(b) as theirs, RtpEnd() as ear:
        mine.register()
        theirs.register()
        made = admin(exchange).post("/tasks", {"account": account, "number": b.number}).must(201).json
        call = theirs.wait_invite()
        call.answer(sdp.describe(ear.port, codecs=(sdp.PCMU, sdp.TELEPHONE_EVENT)))
        ringing = mine.wait_invite()
        ringing.ring()
        ringing.refuse(486)
        call.wait_bye(30)
        assert len(theirs.received("INVITE")) == 1
    return made["id"], b.number


def outbox(exchange):
    """As it is kept: a task that ended before a restart is told of no more."""
    with contextlib.closing(sqlite3.connect(f"file:{exchange.data}/office.db?mode=ro", uri=True)) as database:
        return database.execute("SELECT state, key FROM outbox").fetchall()


def messages(exchange, task):
    return admin(exchange).get(f"/tasks/{task}/messages").must(200).json["items"]


def wait_state(exchange, task, state, seconds=15):
    until(lambda: [one["state"] for one in messages(exchange, task)] == [state], seconds, f"the message is {state}",
          lambda: messages(exchange, task), every=0.1)
    return messages(exchange, task)[0]


def test_s2_6_a_provider_gets_the_message_in_the_owners_language(own, provider):
    provider.up()
    task, number = missed(own, Office(own))
    kept = wait_state(own, task, "accepted")
    (headers, value), = provider.asked
    assert headers["authorization"] == "Bearer provider-secret" and headers["content-type"] == "application/json"
    assert headers["idempotency-key"] == value["key"] == kept["key"]
    assert (value["to"], value["sender"], value["text"]) == (MOBILE, "Office", kept["text"])
    assert "接听了您的后台呼叫" in value["text"] and number in value["text"]
    assert (kept["carrier"], kept["attempts"]) == ("http", 1) and kept["answer"].startswith("status 202"), kept
    told = own.run("task", "messages", task).stdout
    for words in (MOBILE, "accepted", "http", "status 202", value["text"]):
        assert words in told, told
    shown = admin(own).get("/settings").must(200).json["messages"]["http"]
    assert shown["url"] == provider.url and "provider-secret" not in str(shown)


def test_s2_6_down_then_up_with_a_restart_between_sends_exactly_one_by_its_key(own, provider):
    """Nobody listens; the exchange starts anew; the provider sends it, and its answer is lost; then it answers."""
    task, _ = missed(own, Office(own))
    until(lambda: messages(own, task)[0]["attempts"] >= 1, 10, "it was tried", lambda: messages(own, task))
    assert messages(own, task)[0]["state"] == "waiting" and messages(own, task)[0]["next"]
    own.stop(sign=9)
    own.start()
    provider.hangs_up = True
    provider.up()
    until(lambda: provider.asked, 20, "it is tried again")
    provider.hangs_up = False
    key = next(iter(provider.sent))
    # Each wait is twice the last: how long this one is follows from how many were made while nobody listened.
    until(lambda: len(provider.asked) >= 2, 60, "it is asked for again")
    assert list(provider.sent) == [key], "one message by its key"
    until(lambda: outbox(own) == [("accepted", key)], 10, "it is written down", lambda: outbox(own))


def test_s2_6_who_is_refused_by_the_provider_is_shown_it_at_the_phone_when_that_comes_back(own, provider):
    provider.status = 422
    provider.up()
    office = Office(own)
    a, b = office.person(), office.person()
    account = owner(own, a)
    with office.raw(a) as mine, office.raw(b) as theirs, RtpEnd() as ear:
        mine.register()
        theirs.register()
        made = admin(own).post("/tasks", {"account": account, "number": b.number}).must(201).json
        call = theirs.wait_invite()
        mine.register(expires=0)
        call.answer(sdp.describe(ear.port, codecs=(sdp.PCMU, sdp.TELEPHONE_EVENT)))
        until(lambda: any(one["carrier"] == "sip" for one in messages(own, made["id"])), 15, "the phones are asked",
              lambda: messages(own, made["id"]))
        assert len(provider.asked) == 1 and not provider.sent, "a refusal is final"
        mine.register()
        kept = wait_state(own, made["id"], "accepted", 20)
        assert kept["carrier"] == "sip", kept
        until(lambda: mine.received("MESSAGE"), 5, "the phone shows it", mine.tail)


@pytest.mark.parametrize("early", [False, True])
def test_s2_6_an_sms_in_the_owners_language_and_its_receipt_is_kept(tmp_path, early):
    """Show 2: B hears the prompt and is released, A gets an SMS in Chinese, B is never called again; a receipt may come
    before the answer that names the message."""
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    with Smsc("secret", early=early) as smsc:
        smsc.up()
        with Exchange(config_extra=SMPP.format(port=smsc.port, secret=secret), media_span=400) as exchange:
            exchange.start()
            task, number = missed(exchange, Office(exchange))
            kept = wait_state(exchange, task, "delivered")
            until(lambda: smsc.receipts_answered == [0] * len(smsc.submitted), 5, "each receipt is answered once",
                  smsc.tail)
        assert "".join(one["text"] for one in smsc.submitted) == kept["text"]
        assert "接听了您的后台呼叫" in kept["text"] and number in kept["text"]
        for one in smsc.submitted:
            assert (one["to"], one["kind"], one["source"], one["source_kind"], one["wants_receipt"]) == (
                MOBILE[1:], [1, 1], "Office", [5, 0], 1), one
        assert not smsc.all("error"), smsc.tail()
        assert kept["carrier"] == "smpp" and "stat:DELIVRD" in kept["answer"], kept


def test_s2_6_an_sms_that_does_not_reach_the_telephone_has_failed(tmp_path):
    """The server is down at first: the connection comes back by itself, and the message is handed over once."""
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    with Smsc("secret", state="UNDELIV") as smsc:
        with Exchange(config_extra=SMPP.format(port=smsc.port, secret=secret), media_span=400) as exchange:
            exchange.start()
            task, _ = missed(exchange, Office(exchange))
            smsc.up()
            kept = wait_state(exchange, task, "failed", 30)
        assert "stat:UNDELIV" in kept["answer"] and len(smsc.submitted) == 1, kept


def test_a_configuration_that_cannot_work_is_found(tmp_path):
    with Exchange(config_extra='\n[messages.http]\nurl = "https://sms.example"\nbody = "hello"\n') as exchange:
        result = exchange.run("check", "--config", exchange.config, ok=False)
        assert result.returncode != 0 and "put {to} and {text} into the body or the URL" in result.stdout + result.stderr
        line = 1 + exchange.config.read_text().splitlines().index('body = "hello"')
        assert f"ringdown.toml:{line}" in result.stdout + result.stderr

"""The HTTP API as browsers, programs and intruders meet it."""
import concurrent.futures
import csv
import io
import itertools
import os
import re
import subprocess
import time

import jsonschema
import pytest

from peers.api import Client, administrator, described, filled
from peers.exchange import Exchange
from peers.rawua import RawUA
from peers.waiting import until

HOSTILE = "'\";$(id)<script>=cmd|"
PASSWORD = "a password of the tests"
RANK = {"nobody": 0, "agent": 1, "manager": 2, "administrator": 3, "reader": 4}


@pytest.fixture(scope="module")
def exchange():
    with Exchange(config_extra='[webhooks]\nallow = "127.0.0.0/8"\n') as one:
        yield one.start()


@pytest.fixture(scope="module")
def admin(exchange):
    client = administrator(exchange)
    client.post("/session/password", {"new": PASSWORD}).must(204)
    return client


@pytest.fixture(scope="module")
def people(exchange, admin):
    """One signed-in client for each role; each has a number and a device of the same name."""
    clients = {"administrator": admin, "nobody": admin.stranger()}
    for number, role in (("201", "agent"), ("202", "manager")):
        admin.post("/people", {"name": role, "role": role}).must(201)
        admin.post("/numbers", {"number": number, "account": role}).must(201)
        admin.post("/devices", {"name": f"{role}-phone", "account": role}).must(201)
        exchange.run("account", "set", role, "--password", PASSWORD)
        clients[role] = admin.stranger().sign_in(role, PASSWORD)
    for account in ("admin", "agent", "manager"):
        exchange.run("account", "set", account, "--rights", "background")
    return clients


# ---- the contract: every operation of docs/openapi.json, with each role


class Samples:
    """A request for an operation that succeeds, by operation_id: (names in the path, body). Made anew for each call."""

    count = itertools.count(1)

    def __init__(self, admin, sip):
        self.admin, self.sip = admin, sip
        self.phones = []

    def close(self):
        for phone in self.phones:
            phone.close()

    def fresh(self, kind):
        return f"{kind}{next(Samples.count)}"

    def person(self):
        name = self.fresh("person")
        self.admin.post("/people", {"name": name}).must(201)
        return name

    def put(self, resource, body):
        name = self.fresh(resource)
        self.admin.ask("PUT", f"/{resource}/{name}", body).must(201)
        return name

    def group(self):
        return {"number": self.fresh("77"), "members": ["agent"]}

    def queue(self):
        return {"number": self.fresh("78"), "members": ["agent"], "wrap_up_ms": 30000, "hours": ["mon-fri 08:00-19:00"]}

    def working(self):
        """Somebody who is signed in to work."""
        name = self.person()
        self.admin.post("/agents", {"account": name}).must(200)
        return name

    def row(self):
        """A row of a list that the exchange works through for somebody: what one says of it."""
        account, name = self.working(), self.fresh("list")
        self.admin.ask("PUT", f"/lists/{name}", raw=b"number\n2901\n", headers={"Content-Type": "text/csv"}).must(201)
        self.admin.post(f"/lists/{name}/deal", {"by": "share", "agents": [{"account": account}]}).must(200)
        self.admin.edit("PUT", f"/list-work/{account}", {}).must(200)
        return {"account": account}, {"say": "result", "list": name, "line": 2, "result": "sold"}

    def trunk(self):
        return {"address": "192.0.2.77"}

    def route(self):
        return {"trunks": [self.put("trunks", self.trunk())]}

    def session(self):
        visitor = self.admin.stranger().sign_in("admin", PASSWORD)
        found = visitor.get("/sessions").must(200).json["items"]
        return next(one["id"] for one in found if one["current"])

    def device(self):
        name = self.fresh("device")
        self.admin.post("/devices", {"name": name, "account": self.person()}).must(201)
        return name

    def registered(self, account):
        """A phone of somebody that is on: only there something can be taken."""
        name, secret = self.fresh("phone"), "a secret of the tests"
        self.admin.post("/devices", {"name": name, "account": account, "secret": secret}).must(201)
        self.phones.append(RawUA(name, secret, self.sip))
        self.phones[-1].register()
        return name

    def seat(self):
        device = self.registered(self.person())
        self.admin.post("/seats", {"device": device, "account": "manager"}).must(200)
        return device

    def number(self):
        number = self.fresh("55")
        self.admin.post("/numbers", {"number": number, "account": self.person()}).must(201)
        return number

    def badge(self):
        name = self.fresh("badge")
        self.admin.post("/badges", self.new_badge(name)).must(201)
        return name

    def new_badge(self, name):
        return {"name": name, "account": self.person(), "kind": "secure", "uid": f"04{next(Samples.count):012X}"}

    def reader(self):
        name = self.fresh("reader")
        self.admin.post("/readers", {"name": name, "device": "agent-phone"}).must(201)
        return name

    def task(self):
        return self.admin.post("/tasks", {"number": self.number()}).must(201).json["id"]

    def new_wearable(self):
        # The browser's key of RFC 8291's example; nobody listens there.
        point = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        push = {"endpoint": "https://127.0.0.1:9/x", "keys": {"p256dh": point, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}}
        return {"name": "app", "push": push}

    def wearable(self):
        return self.admin.post("/wearables", {**self.new_wearable(), "account": self.person()}).must(201).json["id"]

    def token(self):
        return self.admin.post("/tokens", {"name": "x", "scopes": []}).must(201).json["id"]

    def webhook(self, **more):
        # Nobody listens there.
        return {"url": "http://127.0.0.1:9/", "types": ["person.removed"], **more}

    def hook(self):
        """Made anew, in the place of the one before: there is a bound."""
        for one in self.admin.get("/webhooks").must(200).json["items"]:
            self.admin.edit("DELETE", f"/webhooks/{one['id']}").must(204)
        return {"id": self.admin.post("/webhooks", self.webhook()).must(201).json["id"]}

    def of(self, operation):
        """`None` for an operation that has no sample: then only the refusals and the form are looked at."""
        make = {
            "session_read": lambda: ({}, None),
            "session_open": lambda: ({}, {"name": "agent", "password": PASSWORD}),
            "sessions_list": lambda: ({}, None),
            "sessions_read": lambda: ({"id": self.session()}, None),
            "sessions_end": lambda: ({"id": self.session()}, None),
            "tokens_list": lambda: ({}, None),
            "tokens_make": lambda: ({}, {"name": "t", "scopes": ["people:read"], "expires": "2099-01-01T00:00:00Z"}),
            "tokens_read": lambda: ({"id": self.token()}, None),
            "tokens_end": lambda: ({"id": self.token()}, None),
            "people_list": lambda: ({}, None),
            "people_add": lambda: ({}, {"name": self.fresh("new"), "forwarding": {"busy": "201"}}),
            "people_read": lambda: ({"name": self.person()}, None),
            "people_change": lambda: ({"name": self.person()}, {"language": "zh", "zone": None}),
            "people_remove": lambda: ({"name": self.person()}, None),
            "people_link": lambda: ({"name": self.person()}, {}),
            "people_import": lambda: ({}, {"rows": [{"account": self.fresh("row"), "name": HOSTILE}]}),
            "numbers_list": lambda: ({}, None),
            "numbers_add": lambda: ({}, {"number": self.fresh("66"), "account": "agent"}),
            "numbers_read": lambda: ({"number": self.number()}, None),
            "numbers_remove": lambda: ({"number": self.number()}, None),
            "devices_list": lambda: ({}, None),
            "devices_add": lambda: ({}, {"name": self.fresh("dev"), "account": self.person()}),
            "devices_read": lambda: ({"name": self.device()}, None),
            "devices_change": lambda: ({"name": self.device()}, {"location": "Room 1", "call_back": None}),
            "devices_remove": lambda: ({"name": self.device()}, None),
            "devices_secret": lambda: ({"name": self.device()}, {}),
            "groups_list": lambda: ({}, None),
            "groups_read": lambda: ({"name": self.put("groups", self.group())}, None),
            "groups_put": lambda: ({"name": self.fresh("group")}, self.group()),
            "groups_remove": lambda: ({"name": self.put("groups", self.group())}, None),
            "queues_list": lambda: ({}, None),
            "queues_read": lambda: ({"name": self.put("queues", self.queue())}, None),
            "queues_put": lambda: ({"name": self.fresh("queue")}, self.queue()),
            "queues_remove": lambda: ({"name": self.put("queues", self.queue())}, None),
            "work_read": lambda: ({}, None),
            "phone_start": lambda: ({}, {"terminal": "reception", "office": "上海"}),
            "agents_list": lambda: ({}, None),
            "agents_sign_in": lambda: ({}, {"account": "agent", "interval_ms": 20000}),
            "agents_read": lambda: ({"account": self.working()}, None),
            "agents_sign_out": lambda: ({"account": self.working()}, None),
            "agents_state": lambda: ({"account": self.working()}, {"state": "not-ready", "reason": "lunch"}),
            # Nobody here is in a wrap-up; tests/e2e/test_console_work.py makes one longer.
            "agents_extend": lambda: None,
            "wrap_ups_list": lambda: ({}, None),
            "list_work_read": lambda: ({"account": self.working()}, None),
            "list_work_start": lambda: ({"account": self.working()}, {}),
            "list_work_say": self.row,
            "list_work_stop": lambda: ({"account": self.working()}, None),
            "badges_list": lambda: ({}, None),
            "badges_make": lambda: ({}, self.new_badge(self.fresh("badge"))),
            "badges_read": lambda: ({"name": self.badge()}, None),
            "badges_revoke": lambda: ({"name": self.badge()}, None),
            "readers_list": lambda: ({}, None),
            "readers_add": lambda: ({}, {"name": self.fresh("reader"), "device": "agent-phone"}),
            "readers_read": lambda: ({"name": self.reader()}, None),
            "readers_last": lambda: ({"name": self.reader()}, None),
            "seats_list": lambda: ({}, None),
            "seats_take": lambda: ({}, {"device": self.registered("agent"), "account": "agent"}),
            "seats_leave": lambda: ({"device": self.seat()}, None),
            "devices_code": lambda: ({"name": self.device()}, {}),
            "readers_remove": lambda: ({"name": self.reader()}, None),
            "wearables_list": lambda: ({}, None),
            "wearables_add": lambda: ({}, self.new_wearable()),
            "wearables_read": lambda: ({"id": self.wearable()}, None),
            "wearables_remove": lambda: ({"id": self.wearable()}, None),
            "notices_key": lambda: ({}, None),
            "notices_state": lambda: ({}, None),
            "taps_list": lambda: ({}, None),
            "taps_file": lambda: ({}, None),
            "taps_forget": lambda: ({}, None),
            "trunks_list": lambda: ({}, None),
            "trunks_read": lambda: ({"name": self.put("trunks", self.trunk())}, None),
            "trunks_put": lambda: ({"name": self.fresh("trunk")}, self.trunk()),
            "trunks_remove": lambda: ({"name": self.put("trunks", self.trunk())}, None),
            "routes_list": lambda: ({}, None),
            "routes_read": lambda: ({"name": self.put("routes", self.route())}, None),
            "routes_put": lambda: ({"name": self.fresh("route")}, self.route()),
            "routes_remove": lambda: ({"name": self.put("routes", self.route())}, None),
            "records_list": lambda: ({}, None),
            "records_file": lambda: ({}, None),
            "facts_read": lambda: ({"kind": "call", "subject": "0" * 32}, None),
            "calls_list": lambda: ({}, None),
            "tasks_list": lambda: ({}, None),
            "tasks_start": lambda: ({}, {"number": self.number(), "priority": 3}),
            "tasks_stop_all": lambda: ({}, None),
            "tasks_read": lambda: ({"task": self.task()}, None),
            "tasks_change": lambda: ({"task": self.task()}, {"until": None, "priority": 1}),
            "tasks_stop": lambda: ({"task": self.task()}, None),
            "events": lambda: ({}, None),
            "webhooks_list": lambda: ({}, None),
            "webhooks_make": lambda: ({}, self.webhook(enabled=False)),
            "webhooks_read": lambda: (self.hook(), None),
            "webhooks_put": lambda: (self.hook(), self.webhook(types=["call.ended", "record.added"])),
            "webhooks_remove": lambda: (self.hook(), None),
            "webhooks_test": lambda: (self.hook(), {}),
            "webhooks_letters": lambda: (self.hook(), None),
            "webhooks_replay_all": lambda: (self.hook(), {}),
            "codes_list": lambda: ({}, None),
            "status_read": lambda: ({}, None),
            "settings_read": lambda: ({}, None),
            "reload": lambda: ({}, {}),
            "openapi": lambda: ({}, None),
        }.get(operation["operationId"])
        return make and make()


OPERATIONS, WHOLE = described()
NAMED = [pytest.param(*one, id=one[2]["operationId"]) for one in OPERATIONS]
# They end the session or change the password of who asks, and have tests of their own.
ONCE = {"session_close", "session_password"}


def fits(answer, operation):
    """The status is one that the description names, and the body has the form that it gives for it."""
    response = operation["responses"].get(str(answer.status))
    assert response is not None, f"{operation['operationId']}: {answer.status} is not described: {answer.body[:300]!r}"
    content = response.get("content")
    if not content:
        assert not answer.body, f"a body that is not described: {answer.body[:300]!r}"
        return
    kind = answer.headers["content-type"].split(";")[0]
    assert kind in content, f"{kind} is not among {list(content)}"
    schema = content[kind].get("schema")
    if kind.endswith("json") and schema:
        jsonschema.Draft202012Validator({**schema, "components": WHOLE["components"]}).validate(answer.json)


def call(client, method, path, operation, sample):
    names, body = sample or ({name: "nobody-here" for name in re.findall(r"{(\w+)}", path)}, {})
    path = filled(path, names)
    headers = {}
    if sample and method in ("PATCH", "PUT", "DELETE") and any(p["name"] == "If-Match" for p in operation.get("parameters", [])):
        headers = {"If-Match": "*"}
    return client.ask(method, path, body if method != "GET" else None, headers)


@pytest.mark.parametrize("method, path, operation", NAMED)
def test_sec_11_every_operation_with_every_role(people, samples, method, path, operation):
    """B, Show 4: allowed and refused as the table says, and every answer has the form that is described."""
    needed, own = operation["x-ringdown-role"], operation["x-ringdown-own"]
    named = "{" in path
    for role, client in people.items():
        if operation["operationId"] in ONCE and role != "nobody":
            continue
        allowed = RANK[role] >= RANK[needed]
        sample = samples.of(operation) if allowed or own else None
        answer = call(client, method, path, operation, sample)
        fits(answer, operation)
        if role == "nobody" and needed != "nobody":
            assert answer.status == 401, f"{role}: {answer.body!r}"
        elif allowed:
            expected = range(200, 300) if sample else [*range(200, 300), 400, 404, 409, 415, 422, 428]
            assert answer.status in expected, f"{role}: {answer.status} {answer.body!r}"
        elif own:
            # Another's is refused, without a word on whether it exists; lists hold what is one's own.
            assert answer.status in ([403, 404] if named else [200]), f"{role}: {answer.status} {answer.body!r}"
        else:
            assert answer.status == 403, f"{role}: {answer.body!r}"


@pytest.fixture
def samples(admin, exchange):
    made = Samples(admin, exchange.host_port())
    yield made
    made.close()


ALL_SCOPES = sorted({one["x-ringdown-scope"] for _, _, one in OPERATIONS} - {None})


@pytest.fixture(scope="module")
def programs(admin):
    """A token for each scope alone, and one for all but it."""
    with_one = {scope: admin.program([scope]) for scope in ALL_SCOPES}
    without = {scope: admin.program([one for one in ALL_SCOPES if one != scope]) for scope in ALL_SCOPES}
    return with_one, without, admin.program(ALL_SCOPES)


@pytest.mark.parametrize("method, path, operation", NAMED)
def test_sec_11_every_operation_with_a_token_with_and_without_its_scope(people, samples, programs, method, path, operation):
    """B, Show 4: a token may what its scope says, and nothing that is for people only."""
    with_one, without, with_all = programs
    scope = operation["x-ringdown-scope"]
    if operation["x-ringdown-role"] == "nobody":
        return fits(call(with_all, method, path, operation, samples.of(operation)), operation)
    if scope is None:
        answer = call(with_all, method, path, operation, None)
        fits(answer, operation)
        assert answer.status == 403, f"no token may: {answer.body!r}"
        return None
    refused = call(without[scope], method, path, operation, None)
    fits(refused, operation)
    assert refused.status == 403 and scope in refused.json["detail"], refused.body
    sample = samples.of(operation)
    answer = call(with_one[scope], method, path, operation, sample)
    fits(answer, operation)
    assert answer.status not in (401, 403) and (not sample or answer.status < 300), f"{answer.status} {answer.body!r}"
    return None


# ---- people and what is theirs


def test_sec_11_an_agent_changes_their_own_and_nothing_more(people):
    agent = people["agent"]
    assert [one["name"] for one in agent.get("/people").json["items"]] == ["agent"]
    assert [one["number"] for one in agent.get("/numbers").json["items"]] >= ["201"]
    assert all(one["account"] == "agent" for one in agent.get("/devices").json["items"])
    assert agent.edit("PATCH", "/people/agent", {"do_not_disturb": True}).must(200).json["do_not_disturb"] is True
    assert agent.edit("PATCH", "/people/agent", {"do_not_disturb": False, "pin": "4711"}).must(200).json["has_pin"] is True
    for more in ({"role": "administrator"}, {"rights": ["premium"]}, {"calls_a_day": 9}, {"display": "The Boss"}):
        agent.edit("PATCH", "/people/agent", more).must(403)
    agent.get("/people/manager").must(403)
    agent.post("/devices/manager-phone/secret").must(403)
    made = agent.post("/devices/agent-phone/secret").must(200).json
    assert len(made["secret"]) >= 16 and made["uri"].startswith("sip:agent-phone@") and "transport=" in made["registrar"]
    me = agent.get("/session").json
    assert (me["account"], me["role"]) == ("agent", "agent")


def test_changes_need_the_form_that_was_read(admin):
    """ETag and If-Match: two who change the same do not undo each other."""
    made = admin.post("/people", {"name": "etag"}).must(201)
    assert made.headers["location"] == "/api/v1/people/etag"
    admin.ask("PATCH", "/people/etag", {"mobile": "+8613900000000"}).must(428)
    changed = admin.ask("PATCH", "/people/etag", {"mobile": "+8613900000000"}, {"If-Match": made.etag}).must(200)
    assert changed.etag != made.etag and changed.json["mobile"] == "+8613900000000"
    admin.ask("PATCH", "/people/etag", {"mobile": None}, {"If-Match": made.etag}).must(412)
    fault = admin.ask("PATCH", "/people/etag", {"zone": "Mars/Base"}, {"If-Match": changed.etag}).must(422).json
    assert fault["field"] == "/zone" and fault["blame"] == "caller"
    admin.ask("DELETE", "/people/etag", None, {"If-Match": made.etag}).must(412)
    admin.ask("DELETE", "/people/etag", None, {"If-Match": changed.etag}).must(204)
    admin.get("/people/etag").must(404)


def test_a_refused_row_says_why_in_the_language_that_was_asked_for(admin):
    rows = {"rows": [{"account": "not a name"}, {"account": "spoken", "number": "600"}, {"account": "spoken", "device": "new-one"}]}
    words = {}
    for language in ("en", "zh-CN"):
        told = admin.post("/people/import", rows, {"Accept-Language": language}).must(200).json
        words[language] = [one["why"] for one in told["refused"]]
    assert words["en"][1] == "number 600 is a service of the exchange"
    assert words["zh-CN"][1] == "号码 600 是交换机的服务号码"
    assert all(re.search("[\u4e00-\u9fff]", why) for why in words["zh-CN"]) and len(words["zh-CN"]) == 3, words


def test_lists_come_in_pages(admin):
    rows = [{"account": f"page{index:03}", "name": f"Page {index}"} for index in range(25)]
    rows.append({"account": "not a name"})
    taken = admin.post("/people/import", {"rows": rows}).must(200).json
    assert taken["taken"] == 25 and [one["line"] for one in taken["refused"]] == [26]
    seen, after = [], ""
    while True:
        page = admin.get(f"/people?limit=7&find=PAGE{after}").must(200).json
        seen += [one["name"] for one in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == [f"page{index:03}" for index in range(25)]
    for wrong in ("limit=0", "limit=501", "limit=x", "after=zz", "moon=1"):
        assert admin.get(f"/people?{wrong}").must(400).headers["content-type"] == "application/problem+json"


def test_r20_the_same_key_and_body_give_the_same_answer_also_after_a_restart():
    with Exchange() as exchange:
        exchange.start()
        admin = administrator(exchange)
        key = {"Idempotency-Key": "once-1"}
        body = {"name": "t", "scopes": ["people:read"]}
        first = admin.post("/tokens", body, key).must(201)
        again = admin.post("/tokens", body, key).must(201)
        assert again.body == first.body and again.headers["content-type"] == first.headers["content-type"]
        assert len(admin.get("/tokens").json["items"]) == 1
        admin.post("/tokens", {**body, "name": "other"}, key).must(422)
        admin.post("/tokens", body, {"Idempotency-Key": "x" * 201}).must(400)
        with concurrent.futures.ThreadPoolExecutor(20) as many:
            one = {"name": "para", "role": "agent"}
            answers = list(many.map(lambda _: admin.post("/people", one, {"Idempotency-Key": "para"}), range(20)))
        assert {answer.status for answer in answers} <= {201, 409}
        assert admin.post("/people", one, {"Idempotency-Key": "para"}).must(201).json["name"] == "para"
        secret = first.json["secret"].encode()
        exchange.restart()
        admin.host = exchange.ready["http"]
        assert admin.post("/tokens", body, key).must(201).body == first.body
        # Not even the answers that are kept tell the secret to who reads the file.
        for path in exchange.data.iterdir():
            if path.is_file():
                assert secret not in path.read_bytes(), path


# ---- sessions, links, tokens


def test_sec_19_of_a_hundred_who_open_a_link_at_once_one_gets_in(exchange, admin):
    admin.post("/people", {"name": "linked"}).must(201)
    link = admin.post("/people/linked/link").must(201).json["link"]
    strangers = [admin.stranger() for _ in range(100)]
    assert strangers[0].send("HEAD", link).status != 303, "looking is not opening"
    assert strangers[0].send("GET", link, headers={"Sec-Purpose": "prefetch"}).status != 303
    with concurrent.futures.ThreadPoolExecutor(100) as many:
        answers = list(many.map(lambda client: client.send("GET", link), strangers))
    assert sorted(answer.status for answer in answers) == [303] + [403] * 99
    winner = next(answer for answer in answers if answer.status == 303)
    assert winner.headers["location"] == "/" and "no-store" in winner.headers["cache-control"]
    cookie = winner.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie
    client = admin.stranger().take(winner)
    me = client.get("/session").json
    assert me["account"] == "linked" and me["set_password"] is True
    client.post("/session/password", {"new": "short"}).must(422)
    client.post("/session/password", {"new": PASSWORD}).must(204)
    assert client.get("/session").json["set_password"] is False, "the session goes on"
    client.post("/session/password", {"new": PASSWORD + "!"}).must(422)
    client.post("/session/password", {"old": "wrong password", "new": PASSWORD + "!"}).must(422)
    admin.stranger().sign_in("linked", PASSWORD)
    # The command line makes one too; a newer link ends the one before.
    first = exchange.run("account", "link", "linked").stdout.strip()
    second = exchange.run("account", "link", "linked").stdout.strip()
    assert first.startswith("http://127.") and "/enter/" in first
    assert admin.stranger().send("GET", "/enter/" + first.rsplit("/", 1)[1]).status == 403
    assert admin.stranger().enter(second).get("/session").json["account"] == "linked"


def test_sec_11_sessions_are_listed_ended_and_survive_a_restart():
    with Exchange() as exchange:
        exchange.start()
        admin = administrator(exchange)
        admin.post("/session/password", {"new": PASSWORD}).must(204)
        other = admin.stranger()
        other.extra = {"User-Agent": f"browser {HOSTILE}"}
        other.sign_in("admin", PASSWORD)
        listed = admin.get("/sessions").must(200).json["items"]
        assert [one["account"] for one in listed] == ["admin", "admin"]
        assert {one["agent"] for one in listed if not one["current"]} == {f"browser {HOSTILE}"}
        exchange.restart()
        assert "administrator (works once)" not in (exchange.folder / "stdout.txt").read_text(), "a password is set"
        admin.host = other.host = exchange.ready["http"]
        assert other.get("/session").must(200).json["role"] == "administrator"
        cookie = other.cookie.split("=")[1].encode()
        assert all(cookie not in path.read_bytes() for path in exchange.data.iterdir() if path.is_file()), "only a hash is kept"
        victim = next(one["id"] for one in admin.get("/sessions").json["items"] if not one["current"])
        admin.ask("DELETE", f"/sessions/{victim}").must(204)
        other.get("/session").must(401)
        # A new password ends all sessions that were opened under the old one, by whatever way it comes.
        third = admin.stranger().sign_in("admin", PASSWORD)
        program = admin.program(["people:read"])
        exchange.run("account", "set", "admin", "--password", "another password")
        for client in (admin, third):
            client.get("/session").must(401)
        program.get("/people").must(200)
        third = admin.stranger().sign_in("admin", "another password")
        third.ask("DELETE", "/session").must(204)
        third.get("/session").must(401)


def test_tokens_say_their_secret_once_expire_and_end(admin):
    made = admin.post("/tokens", {"name": "script", "scopes": ["people:read"]}).must(201).json
    assert made["secret"].startswith("rd_") and made["last_used"] is None
    program = Client(admin.host, token=made["secret"])
    program.get("/people").must(200)
    read = admin.get(f"/tokens/{made['id']}").must(200).json
    assert "secret" not in read and read["last_used"] is not None
    admin.post("/tokens", {"name": "x", "scopes": ["moon:read"]}).must(422)
    admin.post("/tokens", {"name": "x", "scopes": [], "expires": "2001-01-01T00:00:00Z"}).must(422)
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    short = admin.program(["people:read"], expires=soon)
    short.get("/people").must(200)
    time.sleep(2.2)
    short.get("/people").must(401)
    admin.ask("DELETE", f"/tokens/{made['id']}").must(204)
    program.get("/people").must(401)
    # A stolen token cannot make itself more than it is.
    writer = admin.program(["people:read", "people:write"])
    writer.edit("PATCH", "/people/agent", {"role": "administrator"}).must(403)
    writer.post("/people", {"name": "thief", "role": "administrator"}).must(403)
    writer.post("/people/agent/link").must(403)


def test_sec_11_whoever_leaves_takes_their_access_along(admin):
    """An account of the same name, made later, has nothing of the one before."""
    admin.post("/people", {"name": "twin"}).must(201)
    twin = admin.stranger().enter(admin.post("/people/twin/link").must(201).json["link"])
    program = twin.program(["people:read"])
    link = admin.post("/people/twin/link").must(201).json["link"]
    admin.edit("DELETE", "/people/twin").must(204)
    admin.post("/people", {"name": "twin"}).must(201)
    twin.get("/session").must(401)
    program.get("/people").must(401)
    assert admin.stranger().send("GET", link).status == 403


def test_sec_11_a_page_of_elsewhere_can_do_nothing(admin, people):
    agent = people["agent"]
    seen = agent.get("/people/agent").must(200)
    forged = Client(agent.host, cookie=agent.cookie)
    forged.ask("PATCH", "/people/agent", {"language": "zh"}, {"If-Match": seen.etag}).must(403)
    forged.csrf = people["manager"].csrf
    forged.ask("PATCH", "/people/agent", {"language": "zh"}, {"If-Match": seen.etag}).must(403)
    body = {"name": "agent", "password": PASSWORD}
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        admin.stranger().post("/session", body, headers).must(403)
    form = admin.stranger().ask("POST", "/session", raw=b'{"name":"agent"}', headers={"Content-Type": "text/plain"})
    form.must(415)


def test_sec_11_administration_answers_on_this_machine_only(admin):
    """A reverse proxy does not make strangers local; one setting opens it."""
    admin.get("/settings").must(200)
    admin.extra = {"X-Forwarded-For": "192.0.2.9"}
    try:
        refused = admin.get("/settings").must(403).json
        assert "administrators" in refused["detail"] and refused["blame"] == "operator"
        assert admin.get("/session").json["role"] == "manager"
        admin.get("/people").must(200)
    finally:
        admin.extra = {}
    with Exchange(config_extra='administrators = "anywhere"\n') as open_wide:
        open_wide.start()
        anywhere = administrator(open_wide)
        anywhere.extra = {"X-Forwarded-For": "192.0.2.9"}
        assert anywhere.get("/settings").must(200).json["http"]["administrators"] == "anywhere"


def test_sec_24_guessing_a_password_is_slowed_down_and_reported(exchange, people, admin):
    """The same answer in the same time for a name that nobody has; then 429, for names and for sources."""
    stranger = admin.stranger()

    def took(name):
        began = time.monotonic()
        answer = stranger.post("/session", {"name": name, "password": "guess guess"})
        return time.monotonic() - began, answer

    known, unknown = took("manager"), took("nobody-has-this")
    assert known[1].status == unknown[1].status == 401
    assert known[1].json == unknown[1].json
    assert 0.2 < known[0] / unknown[0] < 5, "the time tells nothing"
    answers = [took("guessed")[1] for _ in range(12)]
    assert 429 in [answer.status for answer in answers]
    refused = next(answer for answer in answers if answer.status == 429)
    assert int(refused.headers["retry-after"]) >= 1
    source = people["manager"].get("/status").must(200).json["guessing"][0]
    assert source["name"] == "guessed" and source["source"].startswith("127.")

    def facts():
        return people["manager"].get(f"/facts/source/{source['source']}").must(200).json["items"]

    assert until(facts, 5, "a fact about the source")[-1]["rule"] == "guessing"
    assert admin.stranger().sign_in("manager", PASSWORD), "its owner still comes in"


# ---- hostile input, records, figures


def test_sec_12_sec_16_nothing_is_repeated_and_no_file_is_read(admin):
    stranger = admin.stranger()
    for path in ("/enter/<script>alert(1)<script>", "/enter/..%2f..%2fetc%2fpasswd", "/api/v1/<script>", "/api/v1/people/%2e%2e%2fsettings"):
        answer = stranger.send("GET", path.replace("<", "%3C").replace(">", "%3E"))
        assert answer.status in (401, 403, 404), (path, answer.status)
        assert b"<script>alert" not in answer.body and b"root:" not in answer.body
        assert answer.headers.get("x-content-type-options") == "nosniff"
    for method, path in (("TRACE", "/api/v1/people"), ("OPTIONS", "/api/v1/people"), ("PUT", "/api/v1/people")):
        answer = admin.send(method, path)
        assert answer.status == 405 and answer.headers["allow"] == "GET, POST"
    wrong = admin.ask("POST", "/people", raw=b"{", headers={"Content-Type": "application/json"}).must(400)
    assert wrong.headers["content-type"] == "application/problem+json"
    admin.ask("POST", "/people", raw=b"x" * ((2 << 20) + 1000), headers={"Content-Type": "application/json"}).must(413)
    admin.post("/people", {"name": "x", "displai": "typo"}).must(422)


def test_sec_17_a_hostile_caller_appears_harmless_in_json_and_csv(exchange, people, admin):
    """B, Show 5: as data in JSON, as text in the file for spreadsheets; an agent sees only their own."""
    formula = f"={HOSTILE}"
    admin.post("/people", {"name": "hostile", "display": formula}).must(201)
    assert admin.get("/people/hostile").json["display"] == formula
    admin.post("/numbers", {"number": "+8613800138000", "account": "hostile"}).must(201)
    secret = admin.post("/devices", {"name": "hostile-phone", "account": "hostile"}).must(201).json["secret"]
    call_echo(exchange, "hostile-phone", secret)
    call_echo(exchange, "agent-phone", people["agent"].post("/devices/agent-phone/secret").must(200).json["secret"])
    record = admin.get("/records?find=hostile-phone").json["items"] or admin.get("/records").json["items"]
    record = next(one for one in record if one["caller"] == "+8613800138000")
    assert record["caller_name"] == formula and record["callee"] == "600" and record["duration_ms"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["started"])
    answer = admin.get("/records.csv?bom=1").must(200)
    assert answer.headers["content-type"].startswith("text/csv") and answer.body.startswith("\ufeff".encode())
    table = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"), newline="")))
    row = next(row for row in table if row["caller"] == "+8613800138000")
    assert row["caller_name"] == "'" + formula and b'"+8613800138000"' in answer.body
    raw = admin.get("/records.csv?raw=1").must(200).body.decode()
    assert next(row for row in csv.DictReader(io.StringIO(raw, newline="")) if row["session_id"] == record["session_id"])["caller_name"] == formula
    own = people["agent"].get("/records").must(200).json["items"]
    assert own and {one["caller"] for one in own} == {"201"}
    mine = csv.DictReader(io.StringIO(people["agent"].get("/records.csv").must(200).body.decode(), newline=""))
    assert {row["caller"] for row in mine} == {"201"}
    people["agent"].get(f"/facts/call/{own[0]['session_id']}").must(200)
    people["agent"].get(f"/facts/call/{record['session_id']}").must(403)
    assert admin.get("/records?from=2026-01-01T00:00:00Z&to=2099-01-01T00:00:00Z&find=%25").must(200).json["items"] == []
    assert admin.get(f"/records?to={record['started']}&find=%2B86").must(200).json["items"] == []
    assert len(admin.get(f"/records?from={record['started']}&find=%2B86&limit=1").must(200).json["items"]) == 1
    admin.get("/records?from=yesterday").must(400)


def echo_command(exchange, user, seconds):
    return [str(exchange.binary), "phone", "--server", exchange.address(), "--user", user, "--call", "600",
            "--hang-up-after", str(seconds)]


def call_echo(exchange, user, secret):
    """One answered call to the exchange's echo."""
    count = len(exchange.calls())
    done = subprocess.run(echo_command(exchange, user, 0.5), capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL,
                          env={**os.environ, "RINGDOWN_PHONE_PASSWORD": secret})
    assert done.returncode == 0, done.stdout + done.stderr
    exchange.wait_calls(count + 1)


def test_b_a_call_tells_how_its_ends_are_heard(exchange, admin, people):
    """Loss, jitter and MOS: in the list of live calls after five seconds, in the status, and in the call's facts afterwards."""
    secret = people["agent"].post("/devices/agent-phone/secret").must(200).json["secret"]
    calling = subprocess.Popen(echo_command(exchange, "agent-phone", 9), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               stdin=subprocess.DEVNULL, env={**os.environ, "RINGDOWN_PHONE_PASSWORD": secret})
    try:
        def heard():
            items = admin.get("/calls").must(200).json["items"]
            return next((call for call in items if call["caller"]["heard"]), None)

        call = until(heard, 15, "the exchange tells how the caller is heard")
        told = call["caller"]["heard"]
        assert told["mos"] > 4 and told["loss"] == 0 and told["jitter_ms"] < 50 and told["poor"] is False
        sound = admin.get("/status").must(200).json["sound"]
        assert sound["ends"] >= 1 and sound["poor"] == 0 and sound["mean"]["mos"] > 4
    finally:
        calling.wait(20)

    def fact():
        items = admin.get(f"/facts/call/{call['id'][:32]}").must(200).json["items"]
        return next((one for one in items if one["rule"] == "sound"), None)

    words = until(fact, 5, "the facts tell how it sounded")["words"]
    assert re.fullmatch(r"from the caller: 0\.00 % lost, jitter \d+ ms, MOS 4\.\d", words), words


def test_figures_for_prometheus(exchange, admin, people):
    here = admin.stranger().send("GET", "/metrics")
    text = here.must(200).body.decode()
    for name in ("ringdown_calls", "ringdown_devices_registered", "ringdown_call_setup_seconds_bucket", "ringdown_rtp_mos_bucket",
                 'ringdown_sip_responses_total{class="2xx"}', "ringdown_loop_lag_seconds_sum", "ringdown_store_commit_seconds_count",
                 "ringdown_events_dropped_total", "ringdown_events_missed_total", "ringdown_events_readers"):
        assert name in text, name
    assert float(re.search(r"^ringdown_store_commit_seconds_count (\S+)", text, re.M)[1]) > 0
    away = {"X-Forwarded-For": "192.0.2.9"}
    admin.stranger().send("GET", "/metrics", headers=away).must(401)
    admin.stranger().send("GET", "/metrics", headers={"Host": "evil.example"}).must(401)
    assert admin.program([]).send("GET", "/metrics", headers=away).status == 403
    assert admin.program(["metrics:read"]).send("GET", "/metrics", headers=away).status == 200

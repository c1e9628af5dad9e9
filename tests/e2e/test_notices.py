"""S1.7: who is called hears of it by MQTT, by Web Push and by the event stream, and dismisses it from there."""
import contextlib
import json
import time
from pathlib import Path

import jsonschema
import pytest

from peers import sdp
from peers.api import Client, administrator
from peers.certificate import own_certificate
from peers.chromium import Chromium
from peers.exchange import REPOSITORY, Exchange
from peers.mosquitto import Broker, Watch
from peers.ports import LOOPBACK
from peers.push import App, PushService, prove
from peers.waiting import Expired, until

SCHEMA = json.loads(Path(REPOSITORY / "docs" / "notice.schema.json").read_text())
SILENCED = 'SIP;cause=480;text="Silenced by its owner"'


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return own_certificate(tmp_path_factory.mktemp("notices"), "peers")


@pytest.fixture(scope="module")
def broker(certificate):
    with Broker(certificate) as running:
        yield running.start()


@pytest.fixture(scope="module")
def exchange(broker, certificate):
    allowed = f'contact = "mailto:admin@office.test"\n[webhooks]\nallow = "{LOOPBACK}/32"\nauthorities = "{certificate[0]}"\n'
    with Exchange(media_span=400, config_extra=broker.extra() + allowed) as running:
        yield running.start()


@pytest.fixture(scope="module")
def admin(exchange):
    client = administrator(exchange)
    client.post("/session/password", {"new": "a password of the tests"}).must(204)
    until(lambda: client.get("/notices").must(200).json["broker"]["connected"], 10, "the broker has us", exchange.tail)
    return client


@pytest.fixture(scope="module")
def service(certificate):
    with PushService(certificate) as running:
        yield running


def account(person):
    return f"person-{person.number}"


def watch(admin, broker, person):
    made = admin.post("/wearables", {"name": "A watch", "account": account(person)}).must(201).json
    assert (made["kind"], made["account"]) == ("mqtt", account(person))
    return Watch(broker, made)


def app(admin, service, person):
    made = App(service)
    new = {"name": "An app", "account": account(person), "push": made.subscription}
    made.id = admin.post("/wearables", new).must(201).json["id"]
    return made


@contextlib.contextmanager
def ringing(office, caller, person):
    """The person's phone rings: (the caller's call, the branch at the phone)."""
    with office.raw(caller) as from_, office.raw(person) as phone:
        phone.register()
        out = from_.invite(person.number, sdp.describe(40000))
        branch = phone.wait_invite()
        # Only who has said something can be cancelled (RFC 3261 9.1).
        branch.ring()
        yield out, branch


def finals(out):
    """The final statuses that the caller got for its INVITE."""
    answers = [one for one in out.ua.received() if not one.is_request and one.method == "INVITE"]
    return [one.status for one in answers if one.cseq == out.invite.cseq and one.status >= 200]


def test_s1_7_a_watch_hears_who_calls_and_which_phones_are_near(exchange, office, admin, broker):
    caller, person, near = office.person(), office.person(), office.person()
    for device, location in ((person.user, "Tower, floor 2, room 8"), (near.user, "Tower, floor 2, hall")):
        admin.edit("PATCH", f"/devices/{device}", {"location": location}).must(200)
    wrist = watch(admin, broker, person)
    with office.raw(near) as beside:
        beside.register()
        with ringing(office, caller, person) as (out, branch):
            [notice] = wrist.wait(1, tail=exchange.tail)
            [message] = wrist.messages
            assert (message.qos, message.retain) == (1, False)
            assert 1 <= message.properties.MessageExpiryInterval <= 60 and message.properties.ContentType == "application/json"
            jsonschema.validate(notice, SCHEMA)
            assert notice["type"] == "notice.shown" and notice["account"] == account(person)
            assert notice["caller"]["number"] == caller.number and notice["called"] == person.number
            phones = [(one["device"], one["rings"], one["here"]) for one in notice["phones"]]
            assert phones[:2] == [(person.user, True, True), (near.user, False, False)]
            calls = admin.get("/calls").must(200).json["items"]
            assert notice["call"] in [call["id"] for call in calls]
            branch.answer(sdp.describe(40002))
            out.wait_answer()
            _, gone = wrist.wait(2, tail=exchange.tail)
            jsonschema.validate(gone, SCHEMA)
            assert (gone["type"], gone["call"], gone["why"]) == ("notice.withdrawn", notice["call"], "answered")
            assert out.bye().status == 200
            branch.wait_bye()
    # The next call ends before anybody answers.
    with ringing(office, caller, person) as (out, branch):
        wrist.wait(3, tail=exchange.tail)
        out.cancel()
        assert wrist.wait(4, tail=exchange.tail)[3]["why"] == "ended"
    wrist.close()


def test_s1_7_dismissed_at_the_watch_the_phone_is_silent_and_only_its_own_token_does_it(exchange, office, admin, broker):
    caller, person, other = office.person(), office.person(), office.person()
    wrist, eve = watch(admin, broker, person), watch(admin, broker, other)
    with ringing(office, caller, person) as (out, branch):
        [notice] = wrist.wait(1, tail=exchange.tail)
        for wrong in (b"", b"\xff\xfe", "{}", "[" * 2000, {"call": notice["call"], "token": "x"}, {"call": "x", "token": notice["token"]}):
            wrist.say(wrong)
        # Neither the topic of another nor their own, with a token that they saw.
        eve.dismiss(notice)
        eve.say({"call": notice["call"], "token": notice["token"]}, wrist.wearable["dismissals"])
        time.sleep(0.5)
        assert branch.ua.received("CANCEL") == [], "what is none does nothing"
        wrist.dismiss(notice)
        assert branch.wait_cancel().get("reason") == SILENCED
        assert wrist.wait(2, tail=exchange.tail)[1]["why"] == "dismissed"
        time.sleep(0.5)
        assert finals(out) == [], "the caller hears the ring-back still"
        # It can still be taken: by a tap, which here is the web's way to say so.
        taken = admin.post("/seats", {"device": person.user, "account": account(person)}).must(200).json
        assert (taken["what"], taken["call"]) == ("ringing", notice["call"])
        again = branch.ua.wait_invite()
        again.answer(sdp.describe(40004))
        out.wait_answer()
        assert out.bye().status == 200
        again.wait_bye()
    assert eve.told() == []
    facts = admin.get(f"/facts/call/{notice['call'].split('-')[0]}").must(200).json["items"]
    assert "notice.dismissed" in [fact["rule"] for fact in facts]
    wrist.close()
    eve.close()


def test_s1_7_an_app_is_pushed_what_only_it_can_read_with_proof_of_who_sends(exchange, office, admin, service):
    caller, person = office.person(), office.person()
    phone = app(admin, service, person)
    key = admin.get("/notices/key").must(200).json["key"]
    with ringing(office, caller, person) as (out, branch):
        [notice] = phone.wait(1, tail=exchange.tail)
        jsonschema.validate(notice, SCHEMA)
        assert notice["caller"]["number"] == caller.number
        out.cancel()
        _, gone = phone.wait(2, tail=exchange.tail)
        jsonschema.validate(gone, SCHEMA)
        assert gone["why"] == "ended"
    shown, withdrawn = service.for_app(phone)
    for message in (shown, withdrawn):
        claims = prove(message, service.origin, key)
        assert claims["sub"] == "mailto:admin@office.test"
        assert message.headers["content-encoding"] == "aes128gcm" and message.headers["urgency"] == "high"
        assert 0 < int(message.headers["ttl"]) <= 60 and caller.number.encode() not in message.body
    # RFC 8030 5.4: the withdrawal takes the place of a notice that the push service still has.
    assert shown.headers["topic"] == withdrawn.headers["topic"] and len(shown.headers["topic"]) <= 32
    state = admin.get(f"/wearables/{phone.id}").must(200).json
    assert state["kind"] == "push" and state["delivered"] and state["failures"] == 0
    assert phone.path not in json.dumps(state), "who has the endpoint can push"
    # What fails is told; what is gone is forgotten.
    service.answer = lambda message: (500, {})
    with ringing(office, caller, person) as (out, _):
        until(lambda: admin.get(f"/wearables/{phone.id}").json["failures"], 5, "a failure", exchange.tail)
        out.cancel()
    assert "500" in admin.get(f"/wearables/{phone.id}").json["last_error"]
    for status in (410, 404):
        service.answer = lambda message: (status, {})
        gone = app(admin, service, person)
        with ringing(office, caller, person) as (out, _):
            until(lambda: admin.get(f"/wearables/{gone.id}").status == 404, 5, "it is forgotten", exchange.tail)
            out.cancel()
    service.answer = lambda message: (201, {})


def test_sec_14_a_push_leads_nowhere_inside_and_by_https_alone(admin, office, service):
    person = office.person()
    good = App(service).subscription

    def wrong(field, words, **change):
        push = {**good, **{name: value for name, value in change.items() if name == "endpoint"}}
        push["keys"] = {**good["keys"], **{name: value for name, value in change.items() if name != "endpoint"}}
        refused = admin.post("/wearables", {"name": "x", "account": account(person), "push": push}).must(422).json
        assert words in refused["detail"] and refused["field"] == field, refused

    wrong("/push/endpoint", "https alone", endpoint=f"http://{LOOPBACK}:1/x")
    wrong("/push/endpoint", "link-local", endpoint="https://169.254.169.254/x")
    wrong("/push/endpoint", "private network", endpoint="https://10.0.0.1/x")
    wrong("/push/keys/p256dh", "P-256", p256dh="AAAA")
    wrong("/push/keys/auth", "16 octets", auth="AAAA")
    for _ in range(16):
        admin.post("/wearables", {"name": "x", "account": account(person), "push": good}).must(201)
    assert "16" in admin.post("/wearables", {"name": "x", "account": account(person), "push": good}).must(409).json["detail"]
    admin.post("/wearables", {"name": "", "account": account(person), "push": good}).must(422)
    admin.post("/wearables", {"name": "x", "account": "nobody-at-all"}).must(404)


def test_sec_11_everybody_has_their_own_wearables_and_dismisses_their_own_calls(exchange, office, admin, broker):
    caller, ada, bob = office.person(), office.person(), office.person()
    clients = {}
    for person in (ada, bob):
        link = admin.post(f"/people/{account(person)}/link").must(201).json["link"]
        clients[person.number] = Client(admin.host).enter(link)
    own = clients[ada.number].post("/wearables", {"name": "Mine"}).must(201).json
    assert own["account"] == account(ada)
    assert [one["id"] for one in clients[ada.number].get("/wearables").json["items"]] == [own["id"]]
    assert clients[bob.number].get("/wearables").json["items"] == []
    clients[bob.number].get(f"/wearables/{own['id']}").must(403)
    clients[bob.number].ask("DELETE", f"/wearables/{own['id']}").must(403)
    clients[bob.number].post("/wearables", {"name": "x", "account": account(ada)}).must(403)
    clients[bob.number].get("/notices").must(403)
    with ringing(office, caller, ada) as (out, branch):
        call = until(lambda: clients[ada.number].get("/calls").json["items"], 5, "the call")[0]["id"]
        clients[bob.number].post(f"/calls/{call}/dismiss").must(404)
        clients[ada.number].post(f"/calls/{call}/dismiss").must(204)
        assert branch.wait_cancel().get("reason") == SILENCED
        clients[ada.number].post(f"/calls/{call}/dismiss").must(404)
        out.cancel()
    # On the command line, too.
    added = exchange.run("wearable", "add", "Her pendant", "--account", account(ada)).stdout
    assert f"{broker.topic}/" in added and own["id"] in exchange.run("wearable", "list").stdout
    exchange.run("wearable", "remove", own["id"])
    assert own["id"] not in exchange.run("wearable", "list").stdout
    # Whoever leaves takes what is theirs along.
    theirs = clients[ada.number].get("/wearables").json["items"]
    assert len(theirs) == 1
    admin.ask("DELETE", f"/people/{account(ada)}?everything=1", headers={"If-Match": admin.get(f"/people/{account(ada)}").etag}).must(204)
    until(lambda: admin.get(f"/wearables/{theirs[0]['id']}").status == 404, 5, "it is forgotten", exchange.tail)


def test_s1_7_a_dead_broker_costs_calls_nothing_and_is_told(exchange, office, admin, broker, service):
    caller, person = office.person(), office.person()
    wrist, phone = watch(admin, broker, person), app(admin, service, person)
    broker.stop()
    until(lambda: not admin.get("/notices").json["broker"]["connected"], 10, "it is seen", exchange.tail)
    with ringing(office, caller, person) as (out, branch):
        phone.wait(1, tail=exchange.tail)
        branch.answer(sdp.describe(40002))
        out.wait_answer()
        assert out.bye().status == 200
        branch.wait_bye()
    state = admin.get("/notices").must(200).json["broker"]
    assert state["last_error"] and "mqtts://" in state["address"]
    metrics = admin.send("GET", "/metrics").must(200).body.decode()
    assert "ringdown_mqtt_connected 0" in metrics and "ringdown_notice_pushes_total" in metrics
    log = exchange.tail(400)
    assert "notices do not reach the MQTT broker" in log and "a secret of the exchange" not in log
    broker.start()
    until(lambda: admin.get("/notices").json["broker"]["connected"], 40, "it has us again", exchange.tail)
    # Nothing is retained for whoever is not there.
    assert wrist.ready.wait(20), broker.tail()
    count = len(wrist.told())
    with ringing(office, caller, person) as (out, _):
        wrist.wait(count + 1, tail=exchange.tail)
        out.cancel()
    wrist.close()


def test_r20_who_gets_notices_and_the_key_survive_a_restart(exchange, office, admin, broker, service):
    caller, person = office.person(), office.person()
    phone = app(admin, service, person)
    key = admin.get("/notices/key").must(200).json["key"]
    exchange.restart()
    admin.host = exchange.ready["http"]
    assert admin.get("/notices/key").must(200).json["key"] == key
    with ringing(office, caller, person) as (out, _):
        phone.wait(1, tail=exchange.tail)
        out.cancel()
    prove(service.for_app(phone)[0], service.origin, key)
    for file in exchange.data.iterdir():
        if file.is_file():
            assert phone.path.encode() not in file.read_bytes(), file


# What a browser gives a page that may announce: its vendor's push service is not reached from here, so the subscription is that
# of the tests' own service; and a click on a notification, which no page can make.
SUBSCRIBES = "PushManager.prototype.subscribe = async function () { return { toJSON: () => (%s) }; };"
CLICK = """async ([action]) => {
    const [notification] = await self.registration.getNotifications();
    const event = new NotificationEvent("notificationclick", { notification, action });
    const waits = [];
    event.waitUntil = (one) => waits.push(one);
    self.dispatchEvent(event);
    await Promise.all(waits);
}"""
SHOWN = """async () => (await self.registration.getNotifications()).map((one) => [one.title, one.body])"""


def test_s1_7_a_browser_announces_a_call_silences_the_phones_and_forgets_all_at_sign_out(exchange, office, admin, service):
    caller, person = office.person(), office.person()
    admin.edit("PATCH", f"/devices/{person.user}", {"location": "Room 8"}).must(200)
    link = admin.post(f"/people/{account(person)}/link").must(201).json["link"]
    subscription = App(service)
    with Chromium() as browser:
        base = f"http://{exchange.ready['http']}"
        context = browser.context(locale="en", permissions=["notifications"])
        context.add_init_script(SUBSCRIBES % json.dumps(subscription.subscription))
        page = browser.page(base + link[link.index("/enter/"):], context=context)
        page.get_by_role("button", name="Later").click()
        page.goto(base + "/settings")
        part = page.get_by_role("region", name="Where calls are announced")
        part.get_by_role("button", name="Announce in this browser").click()
        until(lambda: part.get_by_text("Chrome, Linux").count(), 10, "this browser is in the list", lambda: page.inner_text("body"))
        part.get_by_text("This browser", exact=True).wait_for()
        until(lambda: context.service_workers, 5, "the service worker runs")
        worker = context.service_workers[0]
        assert worker.url.endswith("/notices.js?language=en")
        # What is pushed to one that is still being installed is lost, here as by a vendor's service.
        assert page.evaluate("navigator.serviceWorker.ready.then((one) => one.active.scriptURL)") == worker.url
        until(lambda: page.evaluate("navigator.serviceWorker.ready.then((one) => one.active.state)") == "activated", 5, "it is active")
        devtools = context.new_cdp_session(page)
        registrations = []
        devtools.on("ServiceWorker.workerRegistrationUpdated", lambda told: registrations.extend(told["registrations"]))
        devtools.send("ServiceWorker.enable")
        until(lambda: page.wait_for_timeout(50) or registrations, 5, "its registration is known")

        def push(count, done, what):
            """What the exchange pushed last, as the browser would give it to the worker; until it has done this. DevTools do not
            tell whether a message came to it, and sometimes none does: then it is given again, which changes nothing."""
            text = json.dumps(subscription.wait(count, tail=exchange.tail)[-1])
            told = {"origin": base, "registrationId": registrations[-1]["registrationId"], "data": text}

            def given():
                devtools.send("ServiceWorker.deliverPushMessage", told)
                with contextlib.suppress(Expired):
                    return until(done, 1, what)

            return until(given, 5, what)

        def titles():
            return [one for one, _ in worker.evaluate(SHOWN)]

        with ringing(office, caller, person) as (out, branch):
            push(1, lambda: titles(), "it is shown")
            [[title, body]] = worker.evaluate(SHOWN)
            assert title.endswith(" calls") and "Near and free: Room 8" in body
            worker.evaluate(CLICK, ["dismiss"])
            assert branch.wait_cancel().get("reason") == SILENCED
            push(2, lambda: not titles(), "it is gone")
            out.cancel()
        with ringing(office, caller, person) as (out, branch):
            push(3, lambda: titles(), "it is shown")
            out.cancel()
            push(4, lambda: [one for one in titles() if one.startswith("Missed call: ")], "it was missed")
        page.get_by_role("button", name="My account").click()
        page.get_by_role("banner").get_by_role("button", name="Sign out").click()
        page.get_by_label("Password", exact=True).wait_for()
        mine = admin.get(f"/wearables?find={account(person)}").must(200).json["items"]
        assert [one for one in mine if one["account"] == account(person)] == []

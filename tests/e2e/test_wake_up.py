"""RFC 8599 (R29): a phone whose connection is gone is woken by the office's broker, comes, and is rung by the connection it comes by."""
import contextlib
import time

import pytest

from e2e.conftest import Office
from peers import sdp
from peers.api import administrator
from peers.certificate import own_certificate
from peers.exchange import Exchange
from peers.mosquitto import Broker, Watch
from peers.waiting import until

TOPIC = "office/calls"


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Broker(own_certificate(tmp_path_factory.mktemp("wake"), "peers"), TOPIC) as running:
        yield running.start()


@pytest.fixture(scope="module")
def exchange(broker):
    with Exchange(media_span=400, config_extra=broker.extra()) as running:
        running.start()
        admin = administrator(running)
        until(lambda: admin.get("/notices").must(200).json["broker"]["connected"], 10, "the broker has us", running.tail)
        yield running


def contact_of(phone):
    """As a phone writes it that can be woken."""
    return phone.contact.replace(">", f";pn-provider=mqtt;pn-prid={phone.user}>", 1)


@contextlib.contextmanager
def called_asleep(exchange, broker, office, ada):
    """Ada's phone registered and sleeps; somebody calls: what it still hears, by its own name at the broker (docs/wake-up.md), who
    calls, and the call, which waits."""
    ear = Watch(broker, {"id": ada.user, "notices": f"{TOPIC}/{ada.user}/wake", "dismissals": ""})
    with contextlib.closing(ear), office.raw(office.person()) as caller:
        caller.register()
        phone = office.raw(ada, "tcp")
        told = phone.register(600, contact_of(phone))
        assert told.get("feature-caps") == '*;+sip.pns="mqtt"', told
        phone.close()
        time.sleep(0.3)
        call = caller.invite(ada.number, sdp.describe(40000))
        call.wait_status((182,))
        ear.wait(1, tail=exchange.tail)
        yield ear, caller, call


def test_r29_a_phone_that_sleeps_is_woken_comes_and_is_rung_by_its_new_connection(exchange, broker):
    office = Office(exchange)
    ada = office.person()
    with called_asleep(exchange, broker, office, ada) as (ear, caller, call):
        woken = ear.told()
        assert woken == [{"wake": woken[0]["wake"]}] and len(woken[0]["wake"]) == 32, "nothing but which call"
        with office.raw(ada, "tcp") as phone:
            phone.register(600, contact_of(phone))
            branch = phone.wait_invite()
            branch.ring()
            call.wait_status((180,))
            branch.answer(sdp.describe(40002))
            call.wait_answer()
            branch.bye()
            call.wait_bye()
            # Awake it is rung as any phone, and hears nothing more from the broker.
            again = caller.invite(ada.number, sdp.describe(40000))
            branch = phone.wait_invite()
            branch.ring()
            again.wait_status((180,))
            again.cancel()
            assert again.wait_final().status == 487
            time.sleep(2.5)
            assert len(ear.told()) == 1, ear.told()
        explained = exchange.run("explain", "call", woken[0]["wake"]).stdout
        assert "sleeps, and is woken" in explained and "came" in explained, explained


def test_r29_whoever_gives_up_lets_it_sleep_on(exchange, broker):
    office = Office(exchange)
    with called_asleep(exchange, broker, office, office.person()) as (ear, _, call):
        call.cancel()
        assert call.wait_final().status == 487
        told = ear.wait(2, tail=exchange.tail)
        assert told[1] == {"withdrawn": told[0]["wake"]}, told


def test_r29_a_way_to_be_woken_that_there_is_not_is_refused(exchange, broker):
    office = Office(exchange)
    ada = office.person()
    with office.raw(ada, "tcp") as phone:
        for push in ("pn-provider=fcm;pn-param=1;pn-prid=abc", "pn-provider=mqtt;pn-prid=another-phone"):
            refused = phone.register(600, phone.contact.replace(">", f";{push}>", 1), ok=False)
            assert refused.status == 555, refused
        assert phone.register(600, contact_of(phone)).status == 200

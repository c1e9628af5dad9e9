"""Busy lamps, presence and message lamps: what watchers are told (RFC 6665, 4235, 3856, 3842)."""
import xml.etree.ElementTree as xml

import pytest

from peers import sdp
from peers.rawua import new_tag

DIALOG = "{urn:ietf:params:xml:ns:dialog-info}"
PIDF = "{urn:ietf:params:xml:ns:pidf}"


class Watcher:
    """A subscription of a raw phone."""

    def __init__(self, ua, number, event, expires=300):
        self.ua, self.event = ua, event
        self.uri = f"sip:{number}@{ua.domain}"
        self.call_id, self.tag, self.cseq = ua.next_id(), new_tag(), 1
        self.response = self._send(self.uri, f"<{self.uri}>", expires)
        self.to = self.response.get("to")

    def _send(self, uri, to, expires):
        response = self.ua.request("SUBSCRIBE", uri, [
            ("From", f"<sip:{self.ua.user}@{self.ua.domain}>;tag={self.tag}"), ("To", to), ("Call-ID", self.call_id),
            ("CSeq", f"{self.cseq} SUBSCRIBE"), ("Contact", self.ua.contact), ("Event", self.event),
            ("Expires", str(expires)),
        ])
        self.cseq += 2
        return response

    def refresh(self, expires):
        target = self.response.get("contact").strip("<>")
        return self._send(target, self.to, expires)

    def told(self, seconds=5):
        """The next NOTIFY of this subscription, answered."""
        notify = self.ua.take(
            lambda one: one.method == "NOTIFY" and one.is_request and one.get("call-id") == self.call_id,
            seconds, f"NOTIFY for {self.event}",
        )
        self.ua.respond(notify, 200)
        return notify

    def calls(self):
        """State, direction and remote of each call in the next dialog-info."""
        document = xml.fromstring(self.told().body)
        return [
            (one.find(DIALOG + "state").text, one.get("direction"), one.find(f"{DIALOG}remote") is not None)
            for one in document.findall(DIALOG + "dialog")
        ]


def test_a_busy_lamp_follows_a_call(office):
    """RFC 4235, R32: early, confirmed, gone; a colleague sees the state, the owner also with whom."""
    one, two, three = office.person(), office.person(devices=2), office.person()
    with office.raw(one) as caller, office.raw(two[0]) as phone, office.raw(two[1]) as beside, office.raw(three) as other:
        phone.register()
        lamp, own = Watcher(other, two[0].number, "dialog"), Watcher(beside, two[0].number, "dialog")
        assert lamp.response.status == own.response.status == 200
        assert lamp.calls() == own.calls() == []
        call = caller.invite(two[0].number, sdp.describe(40000))
        branch = phone.wait_invite()
        assert lamp.calls() == [("early", "recipient", False)]
        assert own.calls() == [("early", "recipient", True)]
        branch.answer(sdp.describe(40002))
        call.wait_answer()
        assert lamp.calls() == [("confirmed", "recipient", False)]
        call.bye()
        branch.wait_bye()
        assert lamp.calls() == []
        assert lamp.refresh(0).status == 200
        assert "terminated" in lamp.told().get("subscription-state")


def test_presence_follows_registration_and_calls(office):
    """RFC 3856: closed without a phone, open with one, on the phone in a call."""
    one, two = office.person(), office.person()

    def state(notify):
        document = xml.fromstring(notify.body)
        return document.find(f".//{PIDF}basic").text, document.find(f".//{PIDF}note").text

    with office.raw(one) as watcher, office.raw(two) as phone:
        seen = Watcher(watcher, two.number, "presence")
        assert state(seen.told()) == ("closed", "Not online")
        phone.register()
        assert state(seen.told()) == ("open", "Ready")
        call = phone.invite("600", sdp.describe(40000))
        call.wait_answer()
        notes = []
        while "On the phone" not in notes:
            notes.append(state(seen.told())[1])
        call.bye()


def test_message_lamp_is_for_its_owner(office):
    """RFC 3842: no voice mail yet, so nothing waits; nobody else may watch."""
    one, two = office.person(), office.person()
    with office.raw(one) as phone:
        lamp = Watcher(phone, one.user, "message-summary")
        assert lamp.told().body.startswith(b"Messages-Waiting: no")
        assert Watcher(phone, two.number, "message-summary").response.status == 403


@pytest.mark.parametrize("event, expires, status", [("conference", 300, 489), ("dialog", 5, 423)])
def test_what_cannot_be_watched(office, event, expires, status):
    """RFC 6665 4.2.1: unknown packages and lives that are too short."""
    one = office.person()
    with office.raw(one) as phone:
        assert Watcher(phone, one.number, event, expires).response.status == status


def test_strangers_watch_nothing(office):
    """Lesson 2: SUBSCRIBE needs credentials; whether the number exists is not told."""
    one = office.person()
    with office.raw(one) as phone:
        phone.secret = "wrong"
        for number in (one.number, "no-such-number"):
            assert Watcher(phone, number, "dialog").response.status == 401


def send_text(ua, number, text, kind="text/plain"):
    uri = f"sip:{number}@{ua.domain}"
    return ua.request("MESSAGE", uri, [
        ("From", f"<sip:{ua.user}@{ua.domain}>;tag={new_tag()}"), ("To", f"<{uri}>"), ("Call-ID", ua.next_id()),
        ("CSeq", "1 MESSAGE"), ("Content-Type", kind),
    ], text).status


def test_a_text_reaches_all_phones_of_a_person(office):
    """RFC 3428, lesson 2: made anew for each device; refused when nobody takes it, or it is no plain text."""
    one, two = office.person(), office.person(devices=2)
    with office.raw(one) as writer, office.raw(two[0]) as phone, office.raw(two[1]) as beside:
        assert send_text(writer, two[0].number, "nobody there") == 480
        phone.register()
        beside.register()
        import threading

        def take(ua, status, found):
            message = ua.wait_request("MESSAGE")
            found.append(message)
            ua.respond(message, status)

        for statuses, told in (((200, 486), 200), ((486, 486), 486)):
            found = []
            readers = [threading.Thread(target=take, args=(ua, status, found))
                       for ua, status in zip((phone, beside), statuses)]
            for reader in readers:
                reader.start()
            assert send_text(writer, two[0].number, "come to 你好 $(id)") == told
            for reader in readers:
                reader.join(5)
            assert len(found) == 2
            for message in found:
                assert message.body == "come to 你好 $(id)".encode()
                assert one.number in message.get("from") and writer.host_port not in str(message)
        assert send_text(writer, two[0].number, "<x/>", "application/xml") == 415
        assert send_text(writer, two[0].number, "x" * 1100) == 413
        assert send_text(writer, "no-such-number", "x") == 404

"""C: the web phone as the phone at which somebody sits down: it takes what rings, moves a talk here and back, shows a code
that seats others (Show 1, Show 2); and joiners, leavers and numbers that move while a phone rings (Show 6)."""
import collections
import contextlib
import statistics
import subprocess
import time

import pytest

from e2e.test_fork import assert_one_answer, reason_of
from e2e.test_taps import TAKEN, Reader, chip, refused
from peers import axe, ear, g711, qr, sdp, tone
from peers.api import Client
from peers.baresip import Baresip
from peers.process import Process
from peers.rtp import FRAME, RATE, RtpEnd
from peers.seat import Seat
from peers.waiting import until

PASSWORD = "a password of the tests"
NARROW = {"width": 360, "height": 720}


@pytest.fixture(scope="module")
def admin(exchange):
    """Another administrator, without a browser."""
    exchange.run("account", "add", "boss")
    exchange.run("account", "set", "boss", "--role", "administrator", "--password", PASSWORD)
    return Client(exchange.ready["http"]).sign_in("boss", PASSWORD)


class Ada:
    """A person with desks, and with the console open."""

    def __init__(self, office, administrator, desks):
        made = office.person(devices=desks)
        self.desks = made if desks > 1 else [made]
        self.number = self.desks[0].number
        self.account = f"person-{self.number}"
        self.office, self.administrator = office, administrator
        self.web = None

    def open_console(self):
        self.web = Seat(self.administrator.browser, self.administrator.exchange)
        self.web.enter(self.administrator.link_for(self.account))
        return self.web

    def take(self):
        self.web.open.get_by_role("button", name="Take my call here").click()

    def said(self, words):
        self.web.open.locator(".take-told", has_text=words).wait_for()

    def move_to(self, device):
        self.web.press("v")
        self.web.open.locator(".call.talking").get_by_role("button", name=device).click()


@pytest.fixture
def ada(office, administrator):
    made = []

    def make(desks=1):
        made.append(Ada(office, administrator, desks))
        return made[-1]

    yield make
    for one in made:
        if one.web:
            one.web.close()


# ---- Show 1 with the web phone as the third desk


def test_s1_6_the_web_phone_takes_the_ringing_call(exchange, office, ada):
    """Desks 1 and 2 ring; the button is pressed in the browser: they stop with their Reason, and the browser talks. For the
    caller it is one call that was answered."""
    person, caller = ada(2), office.person()
    person.open_console()
    with contextlib.ExitStack() as stack:
        use = stack.enter_context
        mine, line = use(RtpEnd()), use(office.raw(caller))
        desk_1 = use(Baresip(person.desks[0].user, person.desks[0].secret, exchange.address())).start()
        desk_2 = use(office.raw(person.desks[1]))
        desk_1.wait_registered()
        desk_2.register()
        call = line.invite(person.number, sdp.describe(mine.port))
        desk_1.wait_incoming()
        branch = desk_2.wait_invite()
        branch.ring()
        call.wait_status(180)
        before = len(call.responses)
        person.web.open.locator(".call.ringing").wait_for()
        person.take()
        assert reason_of(branch.wait_cancel()) == TAKEN
        desk_1.wait_closed()
        person.web.wait_talking()
        answer = call.wait_answer()
        assert_one_answer(call)
        after = [one.status for one in call.responses[before:]]
        assert after == [200], f"no second ringing and no failure: {after}"
        mine.send_to(answer.sdp)
        mine.say(1000)
        ear.assert_hears(person.web.open, 1000)
        tone.assert_tone(mine.wait_heard(2.2), 440, None)
        mine.assert_one_stream()
        call.bye()
        person.web.wait_ended("They hung up")
    record = office.record(caller.number, person.number)
    assert record["answered_by"].startswith("web-") and record["cause"] == "caller hung up", record


def test_the_web_phone_shows_both_of_two_calls_and_the_user_picks(office, ada):
    person, first, second = ada(), office.person(), office.person()
    person.open_console()
    with office.raw(first) as one, office.raw(second) as two, office.raw(person.desks[0]) as desk:
        desk.register()
        older = one.invite(person.number, sdp.describe(4000))
        rings_older = desk.wait_invite()
        rings_older.ring()
        newer = two.invite(person.number, sdp.describe(4002))
        rings_newer = desk.wait_invite()
        rings_newer.ring()
        cards = person.web.open.locator(".call.ringing")
        until(lambda: cards.count() == 2, 10, "both ring in the browser", lambda: person.web.open.locator(".dock").inner_text())
        cards.filter(has_text=second.number).get_by_role("button", name="Answer").click()
        newer.wait_answer()
        assert "completed elsewhere" in reason_of(rings_newer.wait_cancel())
        # The other one goes on at the desk, and in the browser as a call that waits.
        assert not any(status >= 200 for status in [response.status for response in older.responses])
        assert cards.filter(has_text=first.number).count() == 1
        older.cancel()
        rings_older.wait_cancel()
        newer.bye()


def test_with_nothing_to_take_the_button_says_so_and_who_called(office, ada):
    person, caller = ada(), office.person()
    web = person.open_console()
    person.take()
    person.said("Nothing rings for you, and you talk at no other phone.")
    with office.raw(caller) as line:
        call = line.invite(person.number, sdp.describe(4000))
        web.open.locator(".call.ringing").wait_for()
        call.cancel()
        web.wait_ended("Given up before an answer")
    # By its key, too.
    web.press("g")
    person.said(f"{caller.number} called just before.")
    assert not axe.faults(web.open)


# ---- Show 2


def loud(payload):
    """Whether a packet of G.711 has a tone in it."""
    return tone.level_dbfs(g711.decode(payload, 0)) > -40


class Capture(Process):
    """What arrives at a port of this machine, as tshark sees it."""

    def __init__(self, port):
        super().__init__("tshark")
        self.port = port
        self.file = self.folder / "rtp.pcapng"

    def start(self):
        command = ["tshark", "-i", "lo", "-f", f"udp dst port {self.port}", "-w", str(self.file), "-q"]
        self.spawn(command)
        # It says so before it listens to anything.
        until(lambda: self.file.is_file() and self.file.stat().st_size > 0, 20, "tshark captures", self.tail)
        return self

    def packets(self):
        """(time, sequence, payload) of each RTP packet."""
        self.stop()
        fields = ["frame.time_epoch", "rtp.seq", "rtp.payload"]
        command = ["tshark", "-r", str(self.file), "-d", f"udp.port=={self.port},rtp", "-Y", "rtp", "-T", "fields"]
        for field in fields:
            command += ["-e", field]
        out = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
        rows = [line.split("\t") for line in out.splitlines()]
        return [(float(at), int(sequence, 0), bytes.fromhex(payload.replace(":", ""))) for at, sequence, payload in rows]


def longest_without_tone(packets, begin, end):
    """Milliseconds between one packet with a tone and the next, beyond the time of a packet."""
    times = [at for at, _, payload in packets if begin <= at <= end and len(payload) == FRAME and loud(payload)]
    assert times and times[0] - begin < 0.5 and end - times[-1] < 0.5, "there is a tone before and after"
    return max(1000 * (after - before) for before, after in zip(times, times[1:])) - 1000 * FRAME / RATE


@pytest.mark.alone
def test_r6_show_2_a_talk_moves_to_the_browser_and_back_with_at_most_200_ms_of_silence(exchange, office, ada):
    """Five times there and back; counted at the side that does not move, in the packets of a capture."""
    person, caller = ada(), office.person()
    web = person.open_console()
    desk = person.desks[0]
    moves = collections.defaultdict(list)
    with contextlib.ExitStack() as stack:
        use = stack.enter_context
        mine, line = use(RtpEnd()), use(office.raw(caller))
        phone = use(Baresip(desk.user, desk.secret, exchange.address(), hertz=1000, answer="auto")).start()
        phone.wait_registered()
        capture = use(Capture(mine.port)).start()
        call = line.invite(person.number, sdp.describe(mine.port))
        answer = call.wait_answer()
        mine.send_to(answer.sdp)
        mine.say(700)
        phone.wait_established()
        mine.wait_heard(2)
        for _ in range(5):
            for way in ("to the browser", "to the desk"):
                began = time.time()
                if way == "to the browser":
                    # It is a call at another phone, and shown as one.
                    web.open.locator(".call.elsewhere", has_text=desk.user).wait_for()
                    person.take()
                    web.wait_talking()
                    phone.wait_closed()
                    ear.assert_hears(web.open, 700)
                else:
                    person.move_to(desk.user)
                    phone.wait_established()
                    web.open.locator(".call.ended", has_text="Goes on at another phone of yours").first.wait_for()
                    web.wait_talking(0)
                time.sleep(1.5)
                moves[way].append((began, time.time()))
        # No INVITE and no second answer came to the side that does not move.
        assert_one_answer(call)
        mine.assert_one_stream()
        call.bye()
        packets = capture.packets()
    record = office.record(caller.number, person.number)
    assert record["cause"] == "caller hung up", record
    gaps = {way: [longest_without_tone(packets, *when) for when in all_of] for way, all_of in moves.items()}
    print(f"milliseconds without a tone: {gaps}")
    for way, found in gaps.items():
        assert statistics.median(found) <= 200, f"{way}: {found}"


# ---- the code of a phone


def shown_code(web, device):
    """The owner's page shows the code; what a camera reads of it is a link to our own page, with a code that works once."""
    page = web.context.new_page()
    page.goto(f"{web.base}/devices?open={device}")
    page.get_by_role("button", name="Code to sit here").click()
    picture = page.locator(".panel svg.qr")
    picture.wait_for()
    link = qr.scanned(picture)
    assert not axe.faults(page)
    page.close()
    assert link.startswith(f"{web.base}/sit#device={device}&code="), link
    return link.rsplit("=", 1)[1]


def test_whoever_scans_the_code_of_a_phone_takes_their_call_there_once(exchange, office, administrator, ada):
    """The owner's page shows it; somebody else opens it in a browser of theirs, narrow as a mobile. Opening takes nothing."""
    owner, guest, caller = ada(), ada(), office.person()
    owner.open_console()
    guest.open_console()
    device = owner.desks[0].user
    with contextlib.ExitStack() as stack:
        use = stack.enter_context
        mine, line = use(RtpEnd()), use(office.raw(caller))
        desk = use(Baresip(device, owner.desks[0].secret, exchange.address(), hertz=1000)).start()
        desk.wait_registered()
        code = shown_code(owner.web, device)
        call = line.invite(guest.number, sdp.describe(mine.port))
        call.wait_status(180)
        mobile = guest.web.context.new_page()
        mobile.set_viewport_size(NARROW)
        mobile.goto(f"{guest.web.base}/sit#device={device}&code={code}")
        button = mobile.get_by_role("button", name="I am here")
        button.wait_for()
        assert not axe.faults(mobile)
        time.sleep(0.5)
        assert "CALL_INCOMING" not in desk.event_types(), "nothing happens by opening the link"
        button.click()
        mobile.get_by_text("Your call comes to this phone.").wait_for()
        desk.wait_incoming()
        desk.answer()
        answer = call.wait_answer()
        mine.send_to(answer.sdp)
        mine.say(440)
        tone.assert_tone(desk.wait_heard(2.2), 440, None)
        call.bye()
        desk.wait_closed()
        # The same code once more, and one of another phone, open nothing.
        page = guest.web.page()
        for used in (code, "0" * 64):
            status, answer = guest.web.ask(page, "POST", "/seats", {"device": device, "code": used})
            assert (status, answer["type"]) == (403, "urn:ringdown:problem:forbidden"), answer
        # With nothing to take, the guest sits there, and leaves by the page.
        code = shown_code(owner.web, device)
        status, _ = guest.web.ask(page, "POST", "/seats", {"device": guest.desks[0].user, "code": code})
        assert status == 403, "a code is one phone's"
        mobile.goto(f"{guest.web.base}/sit#device={device}&code={code}")
        mobile.reload()
        mobile.get_by_role("button", name="I am here").click()
        mobile.get_by_text("Your calls ring here until").wait_for()
        mobile.get_by_role("button", name=f"Leave {device}").click()
        mobile.get_by_text(f"You have left {device}", exact=True).wait_for()
        assert guest.web.ask(page, "GET", "/seats")[1]["items"] == []


def test_sec_11_a_code_is_made_by_those_who_could_seat_somebody_there(office, administrator, ada):
    owner, other = ada(), ada()
    owner.open_console()
    other.open_console()
    device = owner.desks[0].user
    page = other.web.page()
    assert other.web.ask(page, "POST", f"/devices/{device}/code")[0] == 403
    assert other.web.ask(page, "POST", "/seats", {"device": device})[0] == 403
    assert owner.web.ask(owner.web.page(), "POST", f"/devices/{device}/code")[0] == 201
    boss = administrator.page()
    assert administrator.ask(boss, "POST", f"/devices/{device}/code")[0] == 201
    web = next(row["name"] for row in administrator.ask(boss, "GET", "/devices?limit=500")[1]["items"]
               if row["account"] == owner.account and row["kind"] == "web")
    assert administrator.ask(boss, "POST", f"/devices/{web}/code")[0] == 422, "a web phone is its owner's alone"


# ---- Show 6: joiners, leavers, numbers that move


def test_s1_13_a_leaver_while_the_phone_rings(exchange, office, admin, administrator, ada):
    """The caller gets a proper end, the phones stop, and seat, badge, token and session end with the person, at once."""
    leaver, host, caller = ada(), office.person(), office.person()
    web = leaver.open_console()
    reader = Reader(admin, host.user)
    _, card = chip(admin, leaver.account)
    status, made = web.ask(web.page(), "POST", "/tokens", {"name": "mine", "scopes": ["people:read"]})
    assert status == 201, made
    program = Client(exchange.ready["http"], token=made["secret"])
    program.get("/people").must(200)
    with office.raw(caller) as line, office.raw(leaver.desks[0]) as desk, office.raw(host) as other:
        desk.register()
        other.register()
        assert reader.tell(ndef=card.tap()).must(200).json["what"] == "signed_in"
        assert [row["device"] for row in admin.get("/seats").json["items"] if row["account"] == leaver.account] == [host.user]
        call = line.invite(leaver.number, sdp.describe(4000))
        branches = [desk.wait_invite(), other.wait_invite()]
        for branch in branches:
            branch.ring()
        call.wait_status(180)
        web.open.locator(".call.ringing").wait_for()
        began = time.monotonic()
        seen = admin.get(f"/people/{leaver.account}").must(200)
        admin.ask("DELETE", f"/people/{leaver.account}?everything=1", None, {"If-Match": seen.etag}).must(204)
        final = call.wait_final()
        assert time.monotonic() - began < 2 and 480 <= final.status < 500, final
        for branch in branches:
            branch.wait_cancel()
        # The session is over: the page asks to sign in.
        web.open.get_by_role("button", name="Sign in").wait_for()
        assert not [row for row in admin.get("/seats").json["items"] if row["account"] == leaver.account]
        program.get("/people").must(401)
        refused(reader.tell(ndef=card.tap()), "unknown-badge")
        # Nobody inherits anything by the name.
        admin.post("/people", {"name": leaver.account}).must(201)
        refused(reader.tell(ndef=card.tap()), "unknown-badge")
        program.get("/people").must(401)
        again = line.invite(leaver.number, sdp.describe(4002))
        assert again.wait_final().status == 404


def test_s1_13_a_joiner_is_reachable_on_the_next_call(office, admin):
    """By the API alone; nothing is configured at, or restarted for, any phone that was there before."""
    caller = office.person()
    number = str(int(caller.number) + 5000)
    with office.raw(caller) as line:
        line.register()
        assert line.invite(number, sdp.describe(4000)).wait_final().status == 404
        admin.post("/people", {"name": f"joiner-{number}", "display": "Joiner"}).must(201)
        admin.post("/numbers", {"number": number, "account": f"joiner-{number}"}).must(201)
        made = admin.post("/devices", {"name": f"joined-{number}", "account": f"joiner-{number}"}).must(201).json
        device = type(caller)(number, f"joined-{number}", made["secret"])
        with office.raw(device) as phone:
            phone.register()
            call = line.invite(number, sdp.describe(4000))
            rings = phone.wait_invite()
            rings.answer(sdp.describe(4002))
            call.wait_answer()
            call.bye()
            rings.wait_bye()


def test_s1_10_a_number_that_moves_takes_its_ringing_call_along(office, admin):
    """The mapping is made while the call rings: it takes effect on that call."""
    before, after, caller = office.person(), office.person(), office.person()
    with office.raw(caller) as line, office.raw(before) as old, office.raw(after) as new, RtpEnd() as mine, RtpEnd() as theirs:
        old.register()
        new.register()
        call = line.invite(before.number, sdp.describe(mine.port))
        rings = old.wait_invite()
        rings.ring()
        call.wait_status(180)
        admin.ask("PATCH", f"/numbers/{before.number}", {"account": f"person-{after.number}"}).must(200)
        assert "moved" in reason_of(rings.wait_cancel())
        rings = new.wait_invite()
        rings.ring()
        rings.answer(sdp.describe(theirs.port))
        answer = call.wait_answer()
        assert_one_answer(call)
        for end, offer, hertz in ((mine, answer.sdp, 440), (theirs, rings.offer, 1000)):
            end.send_to(offer)
            end.say(hertz)
        tone.assert_tone(mine.wait_heard(2.2), 1000, None)
        tone.assert_tone(theirs.wait_heard(2.2), 440, None)
        call.bye()
        rings.wait_bye()
    record = office.record(caller.number, before.number)
    assert (record["answered_by"], record["cause"]) == (after.user, "caller hung up")

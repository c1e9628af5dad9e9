"""Call lists at phones that only call (S3): the exchange calls a desk phone, then the callee, while the agent is ready."""
import os
import signal
import time
from pathlib import Path

import numpy
import pytest

from peers import g711, model_list, tone
from peers.baresip import Baresip
from peers.chromium import Chromium, spki
from peers.exchange import REPOSITORY
from peers.office_lists import LISTS, board, calls, make, office_with, results
from peers.seat import Seat
from peers.waiting import until
from peers.webphone import Visitor

CONFIG = LISTS + 'results = ["sold", "not interested"]\n'
DESK = "7001"
SHOTS = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target") / "screenshots"


def desk_phone(office, device=DESK, hertz=440):
    """baresip that answers by itself."""
    office.run("device", "set", device, "--auto-answer", "call-info")
    return Baresip(device, f"secret-of-{device}", office.address(), hertz=hertz, answer="auto", codecs=("PCMA",))


def begin(office, text, name="autumn"):
    make(office, name, text)
    office.run("list", "deal", name, "--to", "ada")
    office.run("list", "work", "ada", "--device", DESK)


def dial_code(phone, code):
    """A code at the desk phone, beside whatever is up."""
    phone.dial(code)
    time.sleep(2.5)


def ends(office):
    return {row["number"]: row["end"] for row in results(office, "autumn") if row["end"] and row["end"] != "open"}


def test_a_list_of_twenty_rows_is_worked_to_its_end_and_the_agent_is_there_at_each_answer():
    """Busy, no answer, vacant, declined, answered, out of window; the results are the model's. The first packets after a callee's
    ACK are the agent's microphone."""
    options = "\n".join(f"{key} = {value}" for key, value in [("gap", 0), ("interval", 1), ("attempts", 2), ("ring", 10)])
    config = f"\n[lists]\nlease = 3\nrefresh = 1\nupload = 1\n{options}\n"
    with office_with(model_list.SCRIPTS, config=config) as office, desk_phone(office).start() as phone:
        phone.wait_registered()
        begin(office, model_list.text())
        left = len(model_list.NOT_NOW)
        until(lambda: board(office, "autumn") == {"ada": left}, 120, "the list is worked through", office.tail, every=0.5)
        assert ends(office) == model_list.ENDS
        assert calls(office) == model_list.CALLS
        for number in model_list.ANSWERS:
            [call] = office.callees[number].calls
            first = call["heard"][:5]
            assert len(first) == 5, f"{number} heard {len(first)} packets"
            sound = numpy.concatenate([g711.decode(packet.payload, packet.payload_type) for packet in first])
            assert abs(tone.peak_hertz(sound, 8000) - 440) < 12, number
        outcomes = {row["outcome"] for row in results(office, "autumn")}
        assert "abandoned" not in outcomes and "lost" not in outcomes, outcomes


def test_codes_of_the_desk_phone_begin_skip_put_off_and_note():
    scripts = {"7101": ["silent", "answer"], "7102": ["answer"], "7103": ["answer"]}
    with office_with(scripts, talk=4, config=CONFIG.replace("gap = 0", "gap = 3")) as office:
        with desk_phone(office).start() as phone:
            phone.wait_registered()
            make(office, "autumn", "number\n7101\n7102\n7103\n")
            office.run("list", "deal", "autumn", "--to", "ada")
            dial_code(phone, "*45")
            until(lambda: calls(office) == {"7101": 1}, 15, "the first is called", office.tail)
            # Skip: what rings is given up, and the next comes.
            dial_code(phone, "*47")
            until(lambda: office.callees["7101"].calls[0]["cancelled"], 10, "it was skipped", office.tail)
            until(lambda: "7102" in calls(office), 15, "the next one", office.tail)
            until(lambda: ends(office).get("7102") == "reached", 10, "they talk", office.tail)
            dial_code(phone, "*492")
            until(lambda: [row["result"] for row in results(office, "autumn") if row["number"] == "7102"] == ["not interested"],
                  10, "what came of it is kept", office.tail)
            # Tomorrow: they are called once more, and not before.
            until(lambda: ends(office).get("7103") == "reached", 25, "the third one", office.tail)
            dial_code(phone, "*483")
            until(lambda: "7103" not in ends(office), 10, "it is open again", office.tail)
            dial_code(phone, "*46")
            time.sleep(3)
            assert calls(office)["7103"] == 1


def test_a_killed_exchange_goes_on_where_it_was_and_calls_nobody_twice_for_one_attempt():
    scripts = {"7101": ["answer"], "7301": ["silent"], "7102": ["answer"]}
    with office_with(scripts) as office, desk_phone(office).start() as phone:
        phone.wait_registered()
        begin(office, "number\n7101\n7301\n7102\n")
        until(lambda: calls(office).get("7301") == 1, 20, "the second one rings", office.tail)
        port = office.address().rsplit(":", 1)[1]
        os.kill(office.pid, signal.SIGKILL)
        office.child.wait(5)
        for kind in ("udp",):
            text = office.config.read_text()
            office.config.write_text(text.replace(f'{kind} = "127.0.0.1:0"', f'{kind} = "127.0.0.1:{port}"', 1))
        office.start()
        until(lambda: board(office, "autumn") == {"ada": 0}, 60, "all is done", office.tail, every=0.5)
        made = [(row["number"], row["outcome"]) for row in results(office, "autumn")]
        assert made.count(("7301", "lost")) == 1 and made.count(("7301", "no_answer")) == 1, made
        assert calls(office)["7101"] == 1 and ends(office)["7102"] == "reached"


def test_nobody_at_the_desk_phone_pauses_and_nobody_is_called():
    with office_with({"7101": ["answer"]}, config=CONFIG) as office:
        office.run("device", "set", DESK, "--auto-answer", "call-info")
        phone = Baresip(DESK, f"secret-of-{DESK}", office.address(), codecs=("PCMA",))
        with phone.start():
            phone.wait_registered()
            begin(office, "number\n7101\n")
            phone.wait_incoming()
            until(lambda: "no answer at phone" in office.run("agent", "list").stdout, 40, "ada is paused", office.tail, every=0.5)
            time.sleep(2)
            assert len(phone.saw("CALL_INCOMING")) == 1 and calls(office) == {}


@pytest.fixture
def web(tmp_path):
    """An office, a browser whose microphone says 440 Hz, and Ada with the console open."""
    with office_with({"7101": ["answer"], "7102": ["silent", "answer"]}, talk=3, config=CONFIG.replace("gap = 0", "gap = 4")) as office:
        microphone = tone.write_tone(tmp_path / "tone.wav", 440, 10, 48000, -15.0)
        with Chromium(trust=spki(office.data / "certificate.pem"), microphone=microphone) as browser:
            administrator = Visitor(browser, office).enter(office.admin_link())
            seat = Seat(browser, office)
            seat.enter(administrator.link_for("ada"))
            yield office, seat
            seat.close()


def test_the_web_phone_shows_who_is_called_and_answers_by_itself(web):
    office, seat = web
    page = seat.open
    SHOTS.mkdir(parents=True, exist_ok=True)
    hostile = '<img src=x onerror=alert(1)>'
    make(office, "autumn", f"number,name,service,history,city\n7101,Ann {hostile},renewal,called in May,Berlin\n7102,Bo,offer,,Ulm\n")
    office.run("list", "deal", "autumn", "--to", "ada")
    page.get_by_role("button", name="Call my list (2 left)").click()
    # Before the call and while it rings there: whom it is about, and why.
    callee = page.locator(".callee", has_text="Ann")
    callee.first.wait_for()
    callee.first.get_by_text("renewal").wait_for()
    seat.wait_talking()
    until(lambda: office.callees["7101"].calls and office.callees["7101"].calls[0].get("acked"), 10, "they talk", office.tail)
    page.locator(".callee.step-talk").wait_for()
    page.screenshot(path=SHOTS / "list-talk.png")
    assert page.locator(".callee img").count() == 0 and page.get_by_text(hostile).count() > 0
    page.get_by_role("button", name="sold").click()
    page.get_by_label("Note").fill("two crates")
    page.get_by_role("button", name="Save the note").click()
    until(lambda: [(row["result"], row["note"]) for row in results(office, "autumn")] == [("sold", "two crates")],
          10, "it is kept", lambda: str(results(office, "autumn")))
    [call] = office.callees["7101"].calls
    until(lambda: call["heard"], 10, "the callee heard her", office.tail)
    sound = numpy.concatenate([g711.decode(packet.payload, packet.payload_type) for packet in call["heard"][20:120]])
    assert abs(tone.peak_hertz(sound, 8000) - 440) < 12
    # The next one rings, and is skipped.
    page.locator(".callee.step-callee", has_text="Bo").wait_for(timeout=20_000)
    page.screenshot(path=SHOTS / "list-callee.png")
    page.locator(".callee.step-callee").get_by_role("button", name="Skip").click()
    until(lambda: office.callees["7102"].calls[0]["cancelled"], 10, "it was skipped", office.tail)
    # Put off for an hour, then no more.
    page.locator(".callee").get_by_role("button", name="Later").first.click()
    page.get_by_role("button", name="In an hour").click()
    page.get_by_text("Again from").first.wait_for()
    page.get_by_role("button", name="Stop calling my list").click()
    page.get_by_role("button", name="Call my list (1 left)").wait_for()

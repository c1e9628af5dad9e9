"""D: a queue's own music, as a caller hears it, and transfers of a talk to a queue, by real phones (S0)."""
import wave

import numpy
import pytest

from e2e.conftest import Office
from e2e.test_queues import heard_from_now, wait_state
from peers import baresip, tone
from peers.api import administrator
from peers.baresip import Baresip
from peers.exchange import Exchange
from peers.pjsua import Pjsua
from peers.spoken import likeness
from peers.waiting import until

AUDIO = {"Content-Type": "audio/wav"}
SECONDS = 2.0


@pytest.fixture(scope="module")
def admin(exchange):
    return administrator(exchange)


@pytest.fixture
def own():
    with Exchange(media_span=400) as exchange:
        exchange.start()
        yield exchange


def tune(path, rate, seed):
    """Notes that are like no other: two seconds of them, which begin and end softly."""
    rng = numpy.random.default_rng(seed)
    notes = rng.integers(400, 1_800, size=8)
    each = int(rate * SECONDS / len(notes))
    envelope = numpy.sin(numpy.linspace(0, numpy.pi, each))
    parts = [12_000 * envelope * numpy.sin(2 * numpy.pi * note * numpy.arange(each) / rate) for note in notes]
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(numpy.concatenate(parts).astype("<i2").tobytes())
    return path


def on_a_telephone(path):
    """A recording as it sounds at 8 kHz: every sixth of 48 kHz, every other of 16 kHz."""
    with wave.open(str(path)) as file:
        samples = numpy.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
        step = file.getframerate() // 8_000
    return samples[: len(samples) // step * step].reshape(-1, step).mean(axis=1)


def hears(caller, path):
    """How like the recording the last five seconds are that a caller heard; it is played again and again."""
    caller.hear_again(5)
    sound = caller.heard().last(5)
    samples = sound.samples if sound.rate == 8_000 else sound.samples[::2]
    return likeness(samples, on_a_telephone(path))


def test_callers_hear_the_recording_of_their_queue_again_and_again(own, tmp_path):
    """8, 16 and 48 kHz; by the API and by the command; after a restart; and the standard music again. What is no sound
    changes nothing and says what is wrong."""
    office, admin = Office(own), administrator(own)
    own.run("queue", "add", "sales", "--number", "800", "--answer-after", "0", "--announce", "0")
    person = office.person()
    eight, sixteen, fine = (tune(tmp_path / f"{rate}.wav", rate, rate) for rate in (8_000, 16_000, 48_000))
    assert admin.get("/queues/sales/music").status == 404
    for body, words in ((b"no sound", "no riff wave file"), (eight.read_bytes()[:44], "no sound in the file")):
        refused = admin.ask("PUT", "/queues/sales/music", headers=AUDIO, raw=body)
        assert refused.status == 422 and words in refused.json["detail"].lower(), refused.body
    assert admin.ask("PUT", "/queues/nobody/music", headers=AUDIO, raw=eight.read_bytes()).status == 404
    assert not admin.get("/queues/sales").must(200).json["now"]["own_music"]
    with Baresip(person.user, person.secret, own.address()) as caller:
        caller.start().wait_registered()
        admin.ask("PUT", "/queues/sales/music", headers=AUDIO, raw=eight.read_bytes()).must(204)
        assert admin.get("/queues/sales/music").must(200).body == eight.read_bytes()
        caller.dial("800")
        caller.wait_established()
        assert hears(caller, eight) > 0.8
        # Whoever waits hears the new one at once.
        said = own.run("queue", "music", "sales", "--file", fine).stdout
        assert str(fine) in said, said
        assert hears(caller, fine) > 0.8 and hears(caller, eight) < 0.5
        caller.hangup()
        caller.wait_closed()
    own.run("queue", "music", "sales", "--file", sixteen)
    own.restart()
    admin = administrator(own)
    assert admin.get("/queues/sales").must(200).json["now"]["own_music"]
    with Baresip(person.user, person.secret, own.address()) as caller:
        caller.start().wait_registered()
        caller.dial("800")
        caller.wait_established()
        assert hears(caller, sixteen) > 0.8
        admin.ask("DELETE", "/queues/sales/music").must(204)
        assert hears(caller, sixteen) < 0.5
        assert caller.heard().last(2).level_dbfs() > -45, "the standard music"
        caller.hangup()
        caller.wait_closed()
    refused = own.run("queue", "music", "sales", "--file", tmp_path / "none.wav", ok=False)
    assert refused.returncode and "none.wav" in refused.stderr, refused.stderr
    own.run("queue", "music", "sales", "--file", sixteen)
    own.run("queue", "remove", "sales")
    own.run("queue", "add", "sales", "--number", "800")
    assert admin.get("/queues/sales/music").status == 404, "another queue of the same name has none"


def test_a_talk_is_sent_on_to_a_queue_and_its_agent_takes_it(exchange, office, admin):
    """Blind: a clerk (pjsua2) talks with a caller (baresip) and sends them on; the clerk is out with a NOTIFY of 200, the
    caller hears music, and then the agent (pjsua2), with tone both ways."""
    agent, clerk, person = office.person(), office.person(), office.person()
    queue, number = f"queue-{agent.number}", f"8{agent.number}"
    exchange.run("queue", "add", queue, "--number", number, "--member", f"person-{agent.number}", "--answer-after", "0",
                 "--announce", "0")
    caller = Baresip(person.user, person.secret, exchange.address(), hertz=440)
    sender = Pjsua(clerk.user, clerk.secret, exchange.address(), hertz=600)
    phone = Pjsua(agent.user, agent.secret, exchange.address(), hertz=1000)
    with caller, sender, phone:
        for one in (caller, sender, phone):
            one.start().wait_registered()
        caller.dial(clerk.number)
        sender.wait_incoming()
        sender.answer()
        caller.wait_established()
        sender.transfer(f"sip:{number}@{exchange.host_port()[0]}:{exchange.host_port()[1]}")
        sender.wait_event("transfer", code=200)
        sender.wait_closed()
        now = admin.get(f"/queues/{queue}").must(200).json["now"]
        assert (now["waiting"], now["offered"]) == (1, 1), now
        music = heard_from_now(caller)
        assert music.level_dbfs() > -45 and abs(music.hertz() - 600) > 20, "music, and the clerk no more"
        admin.post("/agents", {"account": f"person-{agent.number}"}).must(200)
        phone.wait_incoming(10)
        phone.answer()
        assert wait_state(admin, agent, "talking")["words"] == f"talking with {person.number}"
        tone.assert_tone(heard_from_now(phone), 440, baresip.TONE_DBFS)
        heard = caller.wait_heard(3).last(2)
        assert abs(heard.hertz() - 1000) < 4, f"heard {heard.hertz():.1f} Hz"
        caller.hangup()
        phone.wait_closed()
    record = office.record(person.number, clerk.number)
    assert (record["cause"], record["answered_by"]) == ("caller hung up", agent.user), record
    exchange.run("queue", "remove", queue)


def test_whoever_gives_up_in_the_queue_they_were_sent_to_is_counted(exchange, office, admin):
    clerk, person = office.person(), office.person()
    queue, number = f"queue-{clerk.number}", f"8{clerk.number}"
    exchange.run("queue", "add", queue, "--number", number)
    caller = Baresip(person.user, person.secret, exchange.address())
    sender = Pjsua(clerk.user, clerk.secret, exchange.address())
    with caller, sender:
        caller.start().wait_registered()
        sender.start().wait_registered()
        sender.dial(person.number)
        caller.wait_incoming()
        caller.answer()
        sender.wait_established()
        # The one who called sends on whom they called.
        sender.transfer(f"sip:{number}@{exchange.host_port()[0]}:{exchange.host_port()[1]}")
        sender.wait_closed()
        until(lambda: admin.get(f"/queues/{queue}").must(200).json["now"]["waiting"] == 1, 5, "they wait")
        caller.hangup()
        caller.wait_closed()
        until(lambda: admin.get(f"/queues/{queue}").must(200).json["now"]["abandoned"] == 1, 5, "it is counted")
    exchange.run("queue", "remove", queue)


def test_an_attended_transfer_takes_the_place_in_which_the_phone_waited(exchange, office, admin):
    """A clerk (pjsua2) talks with a caller (baresip), waits in the queue itself, and joins the two: the caller stands where
    the clerk stood, before somebody who came later."""
    clerk, person, later = office.person(), office.person(), office.person()
    queue, number = f"queue-{clerk.number}", f"8{clerk.number}"
    agent = office.person()
    exchange.run("queue", "add", queue, "--number", number, "--member", f"person-{agent.number}", "--answer-after", "0",
                 "--announce", "0")
    caller = Baresip(person.user, person.secret, exchange.address(), hertz=440)
    behind = Baresip(later.user, later.secret, exchange.address(), hertz=700)
    sender = Pjsua(clerk.user, clerk.secret, exchange.address(), hertz=600)
    phone = Pjsua(agent.user, agent.secret, exchange.address(), hertz=1000)
    with caller, behind, sender, phone:
        for one in (caller, behind, sender, phone):
            one.start().wait_registered()
        first = sender.dial(person.number)
        caller.wait_incoming()
        caller.answer()
        sender.wait_established()
        sender.hold(first)
        second = sender.dial(number)
        until(lambda: admin.get(f"/queues/{queue}").must(200).json["now"]["waiting"] == 1, 5, "the clerk waits")
        behind.dial(number)
        behind.wait_established()
        sender.transfer_to_call(first, second)
        sender.wait_event("transfer", code=200)
        until(lambda: admin.get(f"/queues/{queue}").must(200).json["now"]["waiting"] == 2, 5, "two wait")
        admin.post("/agents", {"account": f"person-{agent.number}"}).must(200)
        phone.wait_incoming(10)
        phone.answer()
        assert wait_state(admin, agent, "talking")["words"] == f"talking with {person.number}"
        tone.assert_tone(phone.wait_heard(5).last(2), 440, baresip.TONE_DBFS)
        caller.hangup()
        behind.hangup()
    exchange.run("queue", "remove", queue)

"""`ringdown phone --headset`: a person's microphone and loudspeaker, by the system's sound library (S3.11, S3.12)."""
import numpy
import pytest

from peers import g711, tone
from peers.agent import Agent
from peers.baresip import Baresip
from peers.callees import everybody
from peers.kamailio import Kamailio
from peers.softphone import Softphone
from peers.soundcard import SoundCard
from peers.waiting import until


@pytest.fixture
def card(tmp_path):
    return SoundCard(tmp_path / "card")


def pitch(samples):
    return tone.peak_hertz(samples, 16_000) if len(samples) else 0.0


def test_a_person_talks_by_microphone_and_hears_by_loudspeaker(exchange, card):
    """S3.11: the bell rings until the answer; then the far side hears what the microphone hears, and the other way round."""
    one, other = exchange.add_account("hana", "7411", "hana-phone"), exchange.add_account("ivo", "7412", "ivo-phone")
    phone = Softphone(one.user, one.secret, exchange.address(), card=card)
    far = Baresip(other.user, other.secret, exchange.address(), hertz=1000)
    with phone, far:
        phone.start().wait_registered()
        far.start().wait_registered()
        assert not card.listens(phone.pid), "nobody listens in the room"
        far.dial("7411")
        phone.wait_incoming()
        until(lambda: pitch(card.heard()[-16_000:]) > 700, 5, "the bell rings")
        assert not card.listens(phone.pid)
        phone.answer()
        far.wait_established()
        assert card.listens(phone.pid)
        heard = far.wait_heard(3).last(2)
        assert abs(heard.hertz() - 440) < 4, f"heard {heard.hertz():.1f} Hz"
        until(lambda: len(card.heard()) > 16_000 * 3, 10, "three seconds were played")
        last = card.heard()[-16_000:]
        assert abs(pitch(last) - 1000) < 4 and tone.level_dbfs(last) > -20, (pitch(last), tone.level_dbfs(last))
        # Hardly a hole: the buffer before the loudspeaker is long enough for a busy machine.
        quiet = [numpy.abs(part).max() < 0.01 for part in numpy.array_split(last, 50)]
        assert sum(quiet) <= 5, f"{sum(quiet)} of 50 frames are silent"
        far.hangup()
        phone.wait_event("ended")
        until(lambda: not card.listens(phone.pid), 5, "the microphone is closed after the call")


def test_s3_12_the_headset_opens_with_the_dialling_and_closes_after_the_call(card, tmp_path):
    """Show 2: with a list, against a foreign server: open from the dialling on, closed between two calls."""
    with (
        Kamailio().start() as kamailio,
        everybody(kamailio, {"7101": ["answer"], "7301": ["silent"]}, talk=1.5) as callees,
    ):
        (tmp_path / "ada.csv").write_text("number,name\n7301,Cy\n7101,Ann\n")
        slow = {"gap_s": 2, "ring_s": 3, "attempts": 1}
        with Agent(kamailio, tmp_path / "state", tmp_path, assignment=slow, card=card).start() as agent:
            agent.wait_event("list_loaded")
            assert not card.listens(agent.pid)
            agent.do("online")
            agent.wait_event("headset", open=True)
            until(lambda: card.listens(agent.pid), 2, "the microphone is open while it rings there")
            agent.wait_event("ringing")
            until(lambda: abs(pitch(card.heard()[-8_000:]) - 425) < 6, 5, "the agent hears it ring")
            agent.wait_event("headset", open=False)
            until(lambda: not card.listens(agent.pid), 1.5, "it is closed between two calls")
            agent.wait_event("dialling", number="7101")
            agent.wait_event("answered")
            agent.wait_event("list_done", 30)
            until(lambda: not card.listens(agent.pid), 2, "it is closed at the end")
            [call] = callees["7101"].calls
            sound = numpy.concatenate([g711.decode(one.payload, one.payload_type) for one in call["heard"]])
            assert abs(tone.peak_hertz(sound, 8000) - 440) < 12, tone.peak_hertz(sound, 8000)


def test_without_a_sound_card_the_phone_says_so_and_goes_on(exchange, tmp_path):
    nothing = SoundCard(tmp_path / "card")
    (nothing.folder / "asound.conf").write_text("")
    one = exchange.add_account("jan", "7413", "jan-phone")
    with Softphone(one.user, one.secret, exchange.address(), card=nothing) as phone:
        phone.start().wait_registered()
        phone.dial("600")
        phone.wait_established()
        refused = phone.wait_event("refused", 10)
        assert refused["why"].startswith("the headset ended:"), refused
        assert "ringdown-headset: " in phone.log()
        phone.hangup()
        phone.wait_event("ended")


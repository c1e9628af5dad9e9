"""The ruler is measured before it measures anything (serves Show 1: 440 +- 4 Hz, 3 dB, 60 ms)."""
import numpy
import pytest

from peers import tone


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("hertz", [350.0, 440.0, 443.7, 1004.25])
def test_frequency_and_level(tmp_path, rate, hertz):
    """Show 1: the error must be far below the 4 Hz and 3 dB that a call may be off."""
    sound = tone.read(tone.write_tone(tmp_path / "a.wav", hertz, 3, rate, dbfs=-12))
    assert sound.rate == rate and sound.seconds == pytest.approx(3)
    assert sound.last(2).hertz() == pytest.approx(hertz, abs=0.05)
    assert sound.level_dbfs() == pytest.approx(-12, abs=0.05)
    tone.assert_tone(sound, hertz, -12)


def test_stereo_is_mixed_down(tmp_path):
    sound = tone.read(tone.write_tone(tmp_path / "a.wav", 440, 3, 48000, channels=2))
    assert sound.seconds == pytest.approx(3)
    assert sound.hertz() == pytest.approx(440, abs=0.05)


@pytest.mark.parametrize("gap_ms", [0, 20, 60, 65, 500])
def test_gap_inside_the_talk_only(tmp_path, gap_ms):
    """R2: the gap is measured to 5 ms; silence around the talk is no gap."""
    sound = tone.read(tone.write_tone(tmp_path / "a.wav", 440, 3, 8000))
    hole = numpy.zeros(gap_ms * 8)
    quiet = numpy.zeros(8000)
    whole = numpy.concatenate([quiet, sound.samples, hole, sound.samples, quiet])
    cut = tone.Sound(whole, 8000)
    assert abs(cut.longest_gap_ms() - gap_ms) <= 5
    if gap_ms <= 60:
        tone.assert_tone(cut)
    else:
        with pytest.raises(AssertionError, match="a gap of"):
            tone.assert_tone(cut)


def test_wrong_frequency_level_and_silence_are_refused(tmp_path):
    off = tone.read(tone.write_tone(tmp_path / "a.wav", 445, 3, 8000, dbfs=-12))
    with pytest.raises(AssertionError, match="heard 445.00 Hz"):
        tone.assert_tone(off)
    with pytest.raises(AssertionError, match="-12.0 dBFS"):
        tone.assert_tone(off, 445, -20)
    silent = tone.read(tone.write_silence(tmp_path / "s.wav", 3))
    assert silent.level_dbfs() == tone.SILENCE_DBFS
    with pytest.raises(AssertionError, match="heard 0.00 s"):
        tone.assert_tone(silent)


def test_a_recording_without_lengths_is_read(tmp_path):
    """Recorders write the length when they close; a test reads earlier."""
    path = tone.write_tone(tmp_path / "a.wav", 440, 3, 8000)
    data = bytearray(path.read_bytes())
    data[40:44] = b"\0\0\0\0"
    path.write_bytes(data)
    assert tone.read(path).seconds == pytest.approx(3)

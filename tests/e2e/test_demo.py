"""`ringdown demo` plays its scenes and draws them (S0 to S4 add scenes of their own)."""
import os
import subprocess
import tempfile
import time

import pytest

from peers.exchange import binary

# Four to five seconds a scene.
SECONDS = 60


def demo(*arguments, lang="C.UTF-8", ok=True):
    environment = {**os.environ, "LANG": lang, "LC_ALL": lang}
    begin = time.monotonic()
    result = subprocess.run([str(binary()), "demo", *arguments], capture_output=True, text=True, timeout=60,
                            env=environment, stdin=subprocess.DEVNULL)
    if ok:
        assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
        assert time.monotonic() - begin < SECONDS
    return result


def test_every_scene_happens():
    """Show 1 and Show 2 without any other phone: the ladders name the messages, and the records are right."""
    out = demo().stdout
    for message in ("REGISTER", "401 Unauthorized", "INVITE", "180 Ringing", "200 OK", "ACK", "BYE", "CANCEL", "487"):
        assert f" {message} " in out, f"no {message} in\n{out}"
    assert "INVITE (sendonly)" in out, "no hold"
    assert "Bob hears 440 Hz" in out and "Alice hears 1000 Hz" in out
    assert out.count("answered elsewhere") == 4, "two of three phones lost, and two stop because of a tap"
    assert "2001 to 2002, caller hung up" in out and "2101 to 2102, callee hung up" in out
    assert out.rstrip().endswith("Every scene happened.")


def test_transfers_blind_and_attended():
    """Show 6: the one who transfers is out both times, and the two who are left hear each other."""
    out = demo("transfer").stdout
    for message in ("REFER", "202 Accepted", "NOTIFY", "BYE"):
        assert f" {message} " in out, f"no {message} in\n{out}"
    blind, attended = out.split("Carol holds Alice and asks Bob")
    assert "Alice hears 700 Hz" in blind and "Carol hears 440 Hz" in blind, out
    talk = attended.split("Carol is out; Alice and Bob talk")[1]
    assert "Alice hears 1000 Hz" in talk and "Bob hears 440 Hz" in talk, out
    assert "2301 to 2302, caller hung up" in talk and "2303 to 2302, transferred" in talk, out


def test_a_trunk_both_ways_and_a_destination_that_is_refused():
    """Show 6: a second exchange is the provider; the ladder shows both sides of ours, the refusal names its rule."""
    out = demo("trunk").stdout
    up, calls = out.split("The provider answers OPTIONS: the trunk is up")
    assert "Provider" in up, "the trunk has no column"
    outward, rest = calls.split("Dora calls back from outside")
    inward, abroad = rest.split("Alice calls a number abroad")
    for part in (outward, inward):
        assert "Dora outside hears 440 Hz" in part and "Alice hears 1000 Hz" in part, out
    assert "── INVITE +sdp ────▶│" in outward and "│◀──── INVITE +sdp ─────│" in inward, out
    assert "2401 to 01055501, caller hung up" in outward and "01055501 to 2401, caller hung up" in inward, out
    assert "403 Forbidden" in abroad and "2401 to 0044205550, forbidden" in abroad, out
    assert "INVITE +sdp" not in abroad, "a refused call was sent out"
    assert "Refused by the rule rights.international" in abroad, out


def test_a_tap_brings_the_ringing_call_and_then_the_talk():
    """Show 7: two phones stop ringing because it was taken, the third has it; then the talk moves; one record."""
    out = demo("tap").stdout
    ring, rest = out.split("Bob holds his badge to the reader in the hall")
    taken, moved = rest.split("Bob taps at home, in the middle of the talk")
    assert ring.count(" INVITE ") == 4 and "CANCEL" not in ring, "Alice, challenged and again, and both phones of Bob"
    assert taken.count(" CANCEL ") == 2 and taken.count("answered elsewhere") == 2, out
    assert "Alice hears 1000 Hz" in taken and "Phone in the hall hears 440 Hz" in taken, out
    assert "Alice hears 850 Hz" in moved and "Bob's home hears 440 Hz" in moved and " BYE " in moved, out
    assert out.count("Call record: ") == 1 and "2501 to 2502, caller hung up" in moved, out
    assert out.count("The reader is told: bob-tap: ") == 2, out


def test_an_agent_is_ready_again_at_the_moment_that_is_shown():
    """D, Show 5: a caller waits, the agent signs in, and comes back after the call without touching anything."""
    out = demo("agents").stdout
    waits, works = out.split("Bob signs in to work, and is called at once")
    assert "Alice waits with music" in waits and "Alice hears" in waits, out
    assert "Alice hears 1000 Hz" in works and "Bob hears 440 Hz" in works, out
    after = works.split("Bob: wrap-up 3 s by queue Sales, ends ")[1]
    assert "Bob: ready" in after and "2701 to 2700, caller hung up" in after, out


def test_a_caller_who_hung_up_is_called_back_in_their_place():
    """E, Show 7: the place is kept over the hang-up, the agent is called first, and one record tells of the talk."""
    out = demo("callback").stdout
    waits, back = out.split("Bob signs in, is called, and hears it ring at Alice's")
    assert "Alice presses 1, and her place is kept" in waits and " BYE " in waits, out
    assert "Alice hears 1000 Hz" in back and "Bob hears 440 Hz" in back and "2800 to 2801, callee hung up" in back, out


def test_a_call_between_two_exchanges_with_the_directory_and_without():
    """G, Show 7, C2: drawn as the north exchange saw it."""
    out = demo("sites").stdout
    asked, gone = out.split("The directory is gone")
    for part in (asked, gone):
        assert "South" in asked and part.count("hears") >= 2, part
    assert out.count("INVITE") >= 6, out


def test_one_scene_in_chinese():
    out = demo("echo", lang="zh_CN.UTF-8").stdout
    assert "小艾听到 440 Hz" in out and "所有场景均已完成" in out and "==" in out
    assert "First call" not in out


def test_the_scenes_are_listed_and_unknown_ones_refused():
    names = [line.split()[0] for line in demo("--list").stdout.splitlines()]
    assert {"first_call", "all_phones_ring", "echo", "transfer", "tap", "agents", "background", "callback", "list", "trunk", "sites"} <= set(names)
    refused = demo("no_such_scene", ok=False)
    assert refused.returncode == 1 and "no_such_scene" in refused.stderr


@pytest.mark.parametrize("scene", ["first_call", "trunk"])
def test_nothing_is_left_behind(scene):
    # Not pytest's folder: its name leaves no room for that of a socket.
    with tempfile.TemporaryDirectory(prefix="demo") as folder:
        environment = {**os.environ, "TMPDIR": folder}
        subprocess.run([str(binary()), "demo", scene], check=True, capture_output=True, timeout=60, env=environment)
        assert os.listdir(folder) == []


def test_an_app_is_woken_for_a_call_and_calls_through_the_directory():
    """G, Show 7: C3, then C1; the two hear each other both times."""
    out = demo("apps").stdout
    woken, asks = out.split("The app calls Alice: her exchange is asked first")
    assert "182 Queued" in woken and woken.index("182 Queued") < woken.index("180 Ringing"), out
    for part in (woken, asks):
        assert "Alice hears 700 Hz" in part and "Cleo's app hears 440 Hz" in part, out
    assert "3101 to 3102, caller hung up" in asks and "3102 to 3101, caller hung up" in asks, out
    assert "应用" in demo("apps", lang="zh_CN.UTF-8").stdout
